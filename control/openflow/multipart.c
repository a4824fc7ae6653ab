/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart replies: one row of a table for each kind, produced a message at a time, so that a dump of a
 * million flows needs no more memory than one of ten. Called by dispatch.c and connection.c. */
#include "control/openflow/multipart.h"

#include "base/log.h"
#include "control/openflow/monitor.h"

enum {
	SLICE = 32 * 1024,
	ENTRIES = 20000
}; /* a message is sent off when it has more bytes, or took more steps */

static const struct multipart_kind kinds_13[] = {
        {OFPMP_DESC, 0, 0, false, NULL, multipart_next_desc},
        {OFPMP_FLOW, 0, 0, true, multipart_begin_flows, multipart_next_flow},
        {OFPMP_AGGREGATE, 0, 0, true, multipart_begin_flows, multipart_next_aggregate},
        {OFPMP_TABLE, 0, 0, true, NULL, multipart_next_table},
        {OFPMP_PORT_STATS, 0, 0, true, multipart_begin_port_stats, multipart_next_port_stats},
        {OFPMP_QUEUE, 0, 0, false, multipart_begin_queues, multipart_next_queue},
        {OFPMP_GROUP, 0, 0, true, multipart_begin_groups, multipart_next_group_stats},
        {OFPMP_GROUP_DESC, 0, 0, false, multipart_begin_all_groups, multipart_next_group_desc},
        {OFPMP_GROUP_FEATURES, 0, 0, false, NULL, multipart_next_group_features},
        {OFPMP_METER, 0, 0, true, multipart_begin_meters, multipart_next_meter_stats},
        {OFPMP_METER_CONFIG, 0, 0, false, multipart_begin_meters, multipart_next_meter_config},
        {OFPMP_METER_FEATURES, 0, 0, false, NULL, multipart_next_meter_features},
        {OFPMP_TABLE_FEATURES, 0, 0, false, multipart_begin_table_features, multipart_next_table_features},
        {OFPMP_PORT_DESC, 0, 0, false, NULL, multipart_next_port},
        {OFPMP_EXPERIMENTER, ONF_EXPERIMENTER, ONF_MONITOR, false, monitor_begin, monitor_next},
};

static const struct multipart_kind kinds_14[] = {
        {OFPMP_DESC, 0, 0, false, NULL, multipart_next_desc},
        {OFPMP_FLOW, 0, 0, true, multipart_begin_flows, multipart_next_flow},
        {OFPMP_AGGREGATE, 0, 0, true, multipart_begin_flows, multipart_next_aggregate},
        {OFPMP_TABLE, 0, 0, true, NULL, multipart_next_table},
        {OFPMP_PORT_STATS, 0, 0, true, multipart_begin_port_stats, multipart_next_port_stats},
        {OFPMP_QUEUE, 0, 0, false, multipart_begin_queues, multipart_next_queue},
        {OFPMP_GROUP, 0, 0, true, multipart_begin_groups, multipart_next_group_stats},
        {OFPMP_GROUP_DESC, 0, 0, false, multipart_begin_all_groups, multipart_next_group_desc},
        {OFPMP_GROUP_FEATURES, 0, 0, false, NULL, multipart_next_group_features},
        {OFPMP_METER, 0, 0, true, multipart_begin_meters, multipart_next_meter_stats},
        {OFPMP_METER_CONFIG, 0, 0, false, multipart_begin_meters, multipart_next_meter_config},
        {OFPMP_METER_FEATURES, 0, 0, false, NULL, multipart_next_meter_features},
        {OFPMP_TABLE_FEATURES, 0, 0, false, multipart_begin_table_features, multipart_next_table_features},
        {OFPMP_PORT_DESC, 0, 0, false, NULL, multipart_next_port},
        {OFPMP_TABLE_DESC, 0, 0, false, NULL, multipart_next_table_desc},
        {OFPMP_QUEUE_DESC, 0, 0, false, multipart_begin_queues, multipart_next_queue},
        {OFPMP_FLOW_MONITOR, 0, 0, false, monitor_begin, monitor_next},
};

static const struct multipart_kind kinds_10[] = {
        {OFPMP_DESC, 0, 0, false, NULL, multipart_next_desc},
        {OFPMP_FLOW, 0, 0, true, multipart_begin_flows_10, multipart_next_flow_10},
        {OFPMP_AGGREGATE, 0, 0, true, multipart_begin_flows_10, multipart_next_aggregate},
        {OFPMP_TABLE, 0, 0, true, NULL, multipart_next_table_10},
        {OFPMP_PORT_STATS, 0, 0, true, multipart_begin_port_stats, multipart_next_port_stats},
        {OFPMP_QUEUE, 0, 0, false, multipart_begin_queues, multipart_next_queue},
        {OFPMP_PORT_DESC, 0, 0, false, NULL, multipart_next_port},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_FLOW, true, multipart_begin_flows_nx,
         multipart_next_flow_nx},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_AGGREGATE, true, multipart_begin_flows_nx,
         multipart_next_aggregate},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_GROUP, true, multipart_begin_groups,
         multipart_next_group_stats},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_GROUP_DESC, false, multipart_begin_groups,
         multipart_next_group_desc_nx},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_GROUP_FEATURES, false, NULL,
         multipart_next_group_features},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_FLOW_MONITOR, false, monitor_begin, monitor_next},
};

static const struct kinds {
	const struct multipart_kind *rows;
	size_t n;
} kinds[] = {
        [OFP_VERSION_10] = {kinds_10, sizeof(kinds_10) / sizeof(kinds_10[0])},
        [OFP_VERSION_13] = {kinds_13, sizeof(kinds_13) / sizeof(kinds_13[0])},
        [OFP_VERSION_14] = {kinds_14, sizeof(kinds_14) / sizeof(kinds_14[0])},
};

/* The row for what is asked in `body`, which has type and flags behind it already. */
static enum ofp_error find(uint16_t type, struct ofp_reader *body, const struct multipart_kind **out)
{
	uint32_t experimenter = type == OFPMP_EXPERIMENTER ? ofp_get_u32(body) : 0;
	uint32_t subtype = type == OFPMP_EXPERIMENTER ? ofp_get_u32(body) : 0;
	const struct kinds *k = &kinds[body->version];

	if (experimenter == NX_EXPERIMENTER && body->version == OFP_VERSION_10)
		ofp_skip(body, 4);
	if (body->failed)
		return OFPBRC_BAD_LEN;
	for (size_t i = 0; i < k->n; i++) {
		const struct multipart_kind *row = &k->rows[i];

		if (row->type == type && row->experimenter == experimenter && row->subtype == subtype) {
			*out = row;
			return OFP_OK;
		}
	}
	if (type != OFPMP_EXPERIMENTER)
		return OFPBRC_BAD_MULTIPART;
	return experimenter == NX_EXPERIMENTER || experimenter == ONF_EXPERIMENTER ? OFPBRC_BAD_EXP_TYPE
	                                                                           : OFPBRC_BAD_EXPERIMENTER;
}

/* ---- the one way all of them go ---- */

void multipart_end(struct connection *c)
{
	struct multipart *m = &c->multipart;

	if (m->cursor)
		multipart_ops(c)->flow_dump_close(multipart_ctx(c), m->cursor);
	ofp_writer_free(&m->carry);
	*m = (struct multipart){.kind = NULL};
}

static const struct multipart_kind *monitor_kind(uint8_t version)
{
	const struct kinds *k = &kinds[version];
	const struct multipart_kind *row = k->rows;

	while (row->begin != monitor_begin)
		row++;
	return row;
}

/* Starts a message of this kind; `xid` 0: nobody asked for it just now. */
static size_t begin(struct ofp_writer *w, const struct multipart_kind *kind, uint32_t xid)
{
	size_t start = ofp_begin_multipart(w, false, (enum ofp_multipart)kind->type, xid);

	if (kind->type != OFPMP_EXPERIMENTER)
		return start;
	ofp_put_u32(w, kind->experimenter);
	ofp_put_u32(w, kind->subtype);
	ofp_put_zero(w, w->version == OFP_VERSION_10 ? 4 : 0);
	return start;
}

size_t multipart_begin_monitor(struct ofp_writer *w)
{
	return begin(w, monitor_kind(w->version), 0);
}

void multipart_refresh(struct connection *c)
{
	monitor_refresh_begin(c);
	c->multipart.kind = monitor_kind(c->out.version);
}

/* Takes an entry that made the message too long off again: it opens the next one. False when it would not fit
 * any message. */
static bool carry_over(struct multipart *m, struct ofp_writer *w, size_t header, size_t entry)
{
	ofp_put_bytes(&m->carry, w->data + entry, w->len - entry);
	ofp_writer_cut(w, entry);
	if (m->carry.len <= OFP_MESSAGE_MAX - header)
		return true;
	log_warn("openflow: left out an entry of %zu bytes that no message can hold", m->carry.len);
	ofp_writer_free(&m->carry);
	return false;
}

void multipart_step(struct connection *c)
{
	struct multipart *m = &c->multipart;
	struct ofp_writer *w = &c->out;
	size_t start = begin(w, m->kind, m->xid), header;
	bool more = true;

	header = w->len - start;
	ofp_put_bytes(w, m->carry.data, m->carry.len);
	ofp_writer_free(&m->carry);
	for (unsigned n = 0; !w->failed && w->len - start < SLICE && n < ENTRIES; n++) {
		size_t entry = w->len;

		more = m->kind->next(c, w);
		if (!more)
			break;
		if (!w->failed && w->len - start > OFP_MESSAGE_MAX && carry_over(m, w, header, entry))
			break;
	}
	if (more)
		ofp_set_u16(w, start + 10, OFPMPF_MORE);
	ofp_end(w, start);
	if (more)
		return;
	multipart_end(c);
	if (c->refreshing)
		monitor_refresh_end(c);
}

enum ofp_error multipart_request(struct connection *c, uint32_t xid, struct ofp_reader *body)
{
	uint16_t type = ofp_get_u16(body), flags = ofp_get_u16(body);
	struct multipart *m = &c->multipart;
	const struct multipart_kind *kind;
	enum ofp_error error;

	ofp_skip(body, body->version == OFP_VERSION_10 ? 0 : 4);
	error = find(type, body, &kind);
	if (error)
		return error;
	error = pieces_take(c, xid, type, flags & OFPMPF_MORE, body);
	if (error || flags & OFPMPF_MORE)
		return error;
	if (kind->begin)
		error = kind->begin(c, body);
	if (!error && ofp_left(body))
		error = OFPBRC_BAD_LEN;
	if (!c->pieces.open)
		pieces_free(c);
	if (error) {
		multipart_end(c);
		return error;
	}
	m->kind = kind;
	m->xid = xid;
	if (m->kind->fold) {
		connection_wait(c, xid, multipart_step);
		multipart_ops(c)->fold_stats(multipart_ctx(c), connection_done, c);
	} else {
		multipart_step(c);
	}
	return OFP_OK;
}
