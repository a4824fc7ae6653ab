/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies of weft-ofctl. Called by its commands. */
#include "control/cli/ofctl_wire.h"

#include <errno.h>

#include "base/error.h"

void request_empty(struct ofp_writer *w, enum ofp_type type)
{
	ofp_put_message(w, type, 0, NULL, 0);
}

void request_multipart(struct ofp_writer *w, enum ofp_multipart type)
{
	ofp_end(w, ofp_begin_multipart(w, true, type, 0));
}

void request_flows(struct ofp_writer *w, enum ofp_multipart type, const struct flow_filter *filter)
{
	size_t start = ofp_begin_multipart(w, true, type, 0);

	ofp_put_flow_filter(w, filter);
	ofp_end(w, start);
}

void request_stats(struct ofp_writer *w, enum ofp_multipart type, uint32_t id)
{
	size_t start = ofp_begin_multipart(w, true, type, 0);

	ofp_put_u32(w, id);
	ofp_put_zero(w, 4);
	ofp_end(w, start);
}

/* What a reader returned, as the callers here want it. */
static int done(const struct ofp_reader *r, enum ofp_error wrong, const char *what, struct error *e)
{
	if (!wrong && !r->failed)
		return 1;
	return error_set(e, EPROTO, "the switch sent a malformed %s (%s)", what,
	                 wrong ? ofp_error_name(wrong) : "too short");
}

int reply_flow(struct ofp_reader *r, struct flow_stats *out, struct error *e)
{
	return ofp_left(r) ? done(r, ofp_read_flow_stats(r, out), "flow", e) : 0;
}

int reply_group(struct ofp_reader *r, struct group_mod *out, struct error *e)
{
	return ofp_left(r) ? done(r, ofp_read_group_desc(r, out), "group", e) : 0;
}

int reply_group_stats(struct ofp_reader *r, struct group_stats *out, struct error *e)
{
	return ofp_left(r) ? done(r, ofp_read_group_stats(r, out), "group", e) : 0;
}

int reply_port(struct ofp_reader *r, struct ofp_port *out, struct error *e)
{
	return ofp_left(r) ? done(r, ofp_read_port(r, out), "port", e) : 0;
}

int reply_port_stats(struct ofp_reader *r, uint32_t *port, struct ofp_port_stats *out, struct error *e)
{
	return ofp_left(r) ? done(r, ofp_read_port_stats(r, port, out), "port", e) : 0;
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
	return done(r, OFP_OK, "table", e);
}

int reply_aggregate(struct ofp_reader *r, struct ofp_aggregate *out, struct error *e)
{
	if (!ofp_left(r))
		return 0;
	out->packets = ofp_get_u64(r);
	out->bytes = ofp_get_u64(r);
	out->flows = ofp_get_u32(r);
	ofp_skip(r, 4);
	return done(r, OFP_OK, "aggregate", e);
}
