/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart replies about the switch itself: its description, tables, ports and queues. Rows of the tables in
 * multipart.c. */
#include "control/openflow/multipart.h"
#include "control/openflow/nx_actions.h"
#include "control/openflow/of10.h"

/* ---- description ---- */

bool multipart_next_desc(struct connection *c, struct ofp_writer *w)
{
	const struct ofp_switch_desc *d = multipart_ops(c)->desc(multipart_ctx(c));

	if (!multipart_first(&c->multipart))
		return false;
	ofp_put_text(w, d->manufacturer, 256);
	ofp_put_text(w, d->hardware, 256);
	ofp_put_text(w, d->software, 256);
	ofp_put_text(w, d->serial, 32);
	ofp_put_text(w, d->datapath, 256);
	return true;
}

/* ---- tables ---- */

bool multipart_next_table(struct connection *c, struct ofp_writer *w)
{
	struct ofp_table_stats stats = {0};
	uint32_t table = c->multipart.from++;

	if (table >= multipart_ops(c)->table_count(multipart_ctx(c)))
		return false;
	multipart_ops(c)->table_stats(multipart_ctx(c), (uint8_t)table, &stats);
	ofp_put_u32(w, table << 24);
	ofp_put_u32(w, stats.active_count);
	ofp_put_u64(w, stats.lookup_count);
	ofp_put_u64(w, stats.matched_count);
	return true;
}

bool multipart_next_table_10(struct connection *c, struct ofp_writer *w)
{
	struct ofp_table_stats stats = {0};
	uint32_t table = c->multipart.from++;
	char name[OFP_TABLE_NAME_MAX] = "";

	if (table >= multipart_ops(c)->table_count(multipart_ctx(c)))
		return false;
	multipart_ops(c)->table_stats(multipart_ctx(c), (uint8_t)table, &stats);
	multipart_ops(c)->table_name(multipart_ctx(c), (uint8_t)table, name);
	of10_put_table_stats(w, (uint8_t)table, name, multipart_ops(c)->table_max_entries(multipart_ctx(c)),
	                     &stats);
	return true;
}

/* 1.4: nothing is configured, nothing is ever evicted. */
bool multipart_next_table_desc(struct connection *c, struct ofp_writer *w)
{
	uint32_t table = c->multipart.from++;

	if (table >= multipart_ops(c)->table_count(multipart_ctx(c)))
		return false;
	ofp_put_u16(w, 8);
	ofp_put_u8(w, (uint8_t)table);
	ofp_put_zero(w, 5);
	return true;
}

enum ofp_error multipart_begin_table_features(struct connection *c, struct ofp_reader *r)
{
	if (!ofp_left(r))
		return OFP_OK;
	return c->role == OFPCR_SLAVE ? OFPBRC_IS_SLAVE : OFPTFFC_EPERM; /* tables are what they are */
}

bool multipart_next_table_features(struct connection *c, struct ofp_writer *w)
{
	unsigned count = multipart_ops(c)->table_count(multipart_ctx(c));
	uint32_t table = c->multipart.from++;
	char name[OFP_TABLE_NAME_MAX] = "";

	if (table >= count)
		return false;
	multipart_ops(c)->table_name(multipart_ctx(c), (uint8_t)table, name);
	ofp_put_table_features(w, (uint8_t)table, name, count,
	                       multipart_ops(c)->table_max_entries(multipart_ctx(c)));
	return true;
}

/* ---- ports ---- */

static bool next_of_port(struct connection *c, struct ofp_port *port, struct ofp_port_stats *stats)
{
	struct multipart *m = &c->multipart;
	bool found = multipart_ops(c)->port_next(multipart_ctx(c), multipart_first(m), m->from, port, stats);

	m->from = found ? port->port_no : m->from;
	return found;
}

bool multipart_next_port(struct connection *c, struct ofp_writer *w)
{
	struct ofp_port port;

	if (!next_of_port(c, &port, NULL))
		return false;
	ofp_put_port(w, &port);
	return true;
}

bool connection_has_port(const struct connection *c, uint32_t port_no)
{
	struct ofp_port port = {.port_no = 0};
	bool start = true;

	while (multipart_ops(c)->port_next(multipart_ctx(c), start, port.port_no, &port, NULL)) {
		if (port.port_no == port_no)
			return true;
		start = false;
	}
	return false;
}

static uint32_t get_port(struct ofp_reader *r)
{
	return r->version == OFP_VERSION_10 ? nx_port_from_16(ofp_get_u16(r)) : ofp_get_u32(r);
}

enum ofp_error multipart_begin_port_stats(struct connection *c, struct ofp_reader *r)
{
	c->multipart.only = get_port(r);
	ofp_skip(r, r->version == OFP_VERSION_10 ? 6 : 4);
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK; /* a port that is not there has an empty reply */
}

bool multipart_next_port_stats(struct connection *c, struct ofp_writer *w)
{
	struct ofp_port_stats stats = {0};
	struct ofp_port port;

	do {
		if (!next_of_port(c, &port, &stats))
			return false;
	} while (c->multipart.only != OFPP_ANY && c->multipart.only != port.port_no);
	ofp_put_port_stats(w, port.port_no, &stats);
	return true;
}

/* There are no queues. */
enum ofp_error multipart_begin_queues(struct connection *c, struct ofp_reader *r)
{
	uint32_t port = get_port(r), queue;

	ofp_skip(r, r->version == OFP_VERSION_10 ? 2 : 0);
	queue = ofp_get_u32(r);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (port != OFPP_ANY && port != OFPP_ALL && !connection_has_port(c, port))
		return OFPQOFC_BAD_PORT;
	return queue == OFPQ_ALL ? OFP_OK : OFPQOFC_BAD_QUEUE;
}

bool multipart_next_queue(struct connection *c, struct ofp_writer *w)
{
	return false;
}
