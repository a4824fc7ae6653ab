/* SPDX-License-Identifier: Apache-2.0 */
/* Entries out of the replies that a client gets. Called by weft-ofctl. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "control/openflow/actions.h"
#include "control/openflow/oxm.h"
#include "control/openflow/request.h"

static int malformed(struct error *e, const char *what)
{
	return error_set(e, EPROTO, "malformed %s in a reply of the switch", what);
}

/* Opens an entry that starts with its own 16-bit length, which counts itself. 1, 0 at the end, -EPROTO. */
static int open_entry(struct ofp_reader *r, size_t least, struct ofp_reader *entry, const char *what,
                      struct error *e)
{
	uint16_t len;

	if (!ofp_left(r))
		return r->failed ? malformed(e, what) : 0;
	len = ofp_get_u16(r);
	if (len < least || len < 2)
		return malformed(e, what);
	*entry = ofp_get_part(r, len - 2u);
	return r->failed || entry->failed ? malformed(e, what) : 1;
}

static uint64_t duration(uint32_t seconds, uint32_t nanoseconds)
{
	return seconds * 1000000000ull + nanoseconds;
}

int reply_flow(struct ofp_reader *r, struct flow_stats *out, struct error *e)
{
	enum ofp_error wrong;
	struct ofp_reader f;
	uint32_t seconds;
	int rc = open_entry(r, 56, &f, "flow", e);

	if (rc <= 0)
		return rc;
	memset(out, 0, sizeof(*out));
	out->idle_age = out->hard_age = -1;
	out->table_id = ofp_get_u8(&f);
	ofp_skip(&f, 1);
	seconds = ofp_get_u32(&f);
	out->duration_ns = duration(seconds, ofp_get_u32(&f));
	out->priority = ofp_get_u16(&f);
	out->idle_timeout = ofp_get_u16(&f);
	out->hard_timeout = ofp_get_u16(&f);
	out->flags = ofp_get_u16(&f);
	out->importance = ofp_get_u16(&f);
	ofp_skip(&f, 2);
	out->cookie = ofp_get_u64(&f);
	out->n_packets = ofp_get_u64(&f);
	out->n_bytes = ofp_get_u64(&f);
	wrong = oxm_read_match(&f, &out->match);
	if (!wrong)
		wrong = ofp_read_instructions(&f, &out->actions);
	if (!wrong && !f.failed)
		return 1;
	flow_stats_free(out);
	return wrong ? error_set(e, EPROTO, "malformed flow in a reply of the switch: %s",
	                         ofp_error_name(wrong))
	             : malformed(e, "flow");
}

static int read_bucket(struct ofp_reader *r, struct group_mod *gm, struct error *e)
{
	struct ofp_reader entry;
	struct bucket *b;
	int rc = open_entry(r, 16, &entry, "bucket", e);

	if (rc <= 0)
		return rc;
	b = group_mod_append(gm);
	if (!b)
		return error_set(e, ENOMEM, "out of memory");
	b->weight = ofp_get_u16(&entry);
	b->watch_port = ofp_get_u32(&entry);
	b->watch_group = ofp_get_u32(&entry);
	ofp_skip(&entry, 4);
	return ofp_read_actions(&entry, &b->actions) || entry.failed ? malformed(e, "bucket") : 1;
}

int reply_group(struct ofp_reader *r, struct group_mod *out, struct error *e)
{
	struct ofp_reader g;
	uint8_t type;
	int rc = open_entry(r, 8, &g, "group", e);

	if (rc <= 0)
		return rc;
	group_mod_init(out);
	type = ofp_get_u8(&g);
	ofp_skip(&g, 1);
	out->group_id = ofp_get_u32(&g);
	if (g.failed || type > GROUP_TYPE_FAST_FAILOVER)
		return malformed(e, "group");
	out->type = (enum group_type)type;
	while ((rc = read_bucket(&g, out, e)) > 0)
		;
	if (!rc)
		return 1;
	group_mod_free(out);
	return rc;
}

int reply_group_stats(struct ofp_reader *r, struct group_stats *out, struct error *e)
{
	struct ofp_reader g;
	uint32_t seconds;
	int rc = open_entry(r, 40, &g, "group", e);

	if (rc <= 0)
		return rc;
	memset(out, 0, sizeof(*out));
	ofp_skip(&g, 2);
	out->group_id = ofp_get_u32(&g);
	out->ref_count = ofp_get_u32(&g);
	ofp_skip(&g, 4);
	out->n_packets = ofp_get_u64(&g);
	out->n_bytes = ofp_get_u64(&g);
	seconds = ofp_get_u32(&g);
	out->duration_ns = duration(seconds, ofp_get_u32(&g));
	if (g.failed || ofp_left(&g) % 16)
		return malformed(e, "group");
	out->n_buckets = (unsigned)(ofp_left(&g) / 16);
	out->buckets = calloc(out->n_buckets ? out->n_buckets : 1, sizeof(*out->buckets));
	if (!out->buckets)
		return error_set(e, ENOMEM, "out of memory");
	for (unsigned i = 0; i < out->n_buckets; i++) {
		out->buckets[i].n_packets = ofp_get_u64(&g);
		out->buckets[i].n_bytes = ofp_get_u64(&g);
	}
	return 1;
}

int reply_port(struct ofp_reader *r, struct ofp_port *out, struct error *e)
{
	const uint8_t *bytes;

	if (!ofp_left(r))
		return 0;
	memset(out, 0, sizeof(*out));
	out->port_no = ofp_get_u32(r);
	ofp_skip(r, 4);
	bytes = ofp_get(r, 6);
	if (bytes)
		memcpy(&out->hw_addr, bytes, 6);
	ofp_skip(r, 2);
	bytes = ofp_get(r, OFP_PORT_NAME_MAX);
	if (bytes)
		memcpy(out->name, bytes, OFP_PORT_NAME_MAX - 1);
	out->config = ofp_get_u32(r);
	out->state = ofp_get_u32(r);
	out->curr = ofp_get_u32(r);
	out->advertised = ofp_get_u32(r);
	out->supported = ofp_get_u32(r);
	out->peer = ofp_get_u32(r);
	out->curr_speed = ofp_get_u32(r);
	out->max_speed = ofp_get_u32(r);
	return r->failed ? malformed(e, "port") : 1;
}

int reply_port_stats(struct ofp_reader *r, uint32_t *port, struct ofp_port_stats *out, struct error *e)
{
	uint32_t seconds;

	if (!ofp_left(r))
		return 0;
	*port = ofp_get_u32(r);
	ofp_skip(r, 4);
	out->rx_packets = ofp_get_u64(r);
	out->tx_packets = ofp_get_u64(r);
	out->rx_bytes = ofp_get_u64(r);
	out->tx_bytes = ofp_get_u64(r);
	out->rx_dropped = ofp_get_u64(r);
	out->tx_dropped = ofp_get_u64(r);
	out->rx_errors = ofp_get_u64(r);
	out->tx_errors = ofp_get_u64(r);
	out->rx_frame_errors = ofp_get_u64(r);
	out->rx_over_errors = ofp_get_u64(r);
	out->rx_crc_errors = ofp_get_u64(r);
	out->collisions = ofp_get_u64(r);
	seconds = ofp_get_u32(r);
	out->duration_ns = duration(seconds, ofp_get_u32(r));
	return r->failed ? malformed(e, "port") : 1;
}

int reply_table_stats(struct ofp_reader *r, uint8_t *table, struct ofp_table_stats *out, struct error *e)
{
	if (!ofp_left(r))
		return 0;
	*table = ofp_get_u8(r);
	ofp_skip(r, 3);
	out->active_count = ofp_get_u32(r);
	out->lookup_count = ofp_get_u64(r);
	out->matched_count = ofp_get_u64(r);
	return r->failed ? malformed(e, "table") : 1;
}

int reply_aggregate(struct ofp_reader *r, struct ofp_aggregate *out, struct error *e)
{
	if (!ofp_left(r))
		return 0;
	out->packets = ofp_get_u64(r);
	out->bytes = ofp_get_u64(r);
	out->flows = ofp_get_u32(r);
	ofp_skip(r, 4);
	return r->failed ? malformed(e, "aggregate") : 1;
}
