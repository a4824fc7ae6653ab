/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart replies: one row of a table for each kind, produced a message at a time, so that a dump of a
 * million flows needs no more memory than one of ten. Called by dispatch.c and connection.c. */
#include "base/log.h"
#include "control/openflow/monitor.h"
#include "control/openflow/nx_actions.h"
#include "control/openflow/nx_groups.h"
#include "control/openflow/of10.h"

enum { SLICE = 32 * 1024 }; /* a message is sent off when it is longer */

struct multipart_kind {
	uint16_t type;
	uint32_t experimenter, subtype; /* of type OFPMP_EXPERIMENTER */
	bool fold;                      /* workers' counters are asked for first */
	/* Reads the request's body. NULL: it has none. */
	enum ofp_error (*begin)(struct connection *c, struct ofp_reader *r);
	/* Puts the next entry; false at the end. */
	bool (*next)(struct connection *c, struct ofp_writer *w);
};

static void *ctx(const struct connection *c)
{
	return c->server->ctx;
}

static const struct ofp_switch_ops *ops(const struct connection *c)
{
	return c->server->ops;
}

/* For replies of one entry. */
static bool first(struct multipart *m)
{
	bool is_first = !m->started;

	m->started = true;
	return is_first;
}

/* ---- description ---- */

static bool next_desc(struct connection *c, struct ofp_writer *w)
{
	const struct ofp_switch_desc *d = ops(c)->desc(ctx(c));

	if (!first(&c->multipart))
		return false;
	ofp_put_text(w, d->manufacturer, 256);
	ofp_put_text(w, d->hardware, 256);
	ofp_put_text(w, d->software, 256);
	ofp_put_text(w, d->serial, 32);
	ofp_put_text(w, d->datapath, 256);
	return true;
}

/* ---- flows ---- */

static enum ofp_error begin_flows(struct connection *c, struct ofp_reader *r)
{
	return ofp_read_flow_filter(r, &c->multipart.filter);
}

static enum ofp_error begin_flows_10(struct connection *c, struct ofp_reader *r)
{
	return of10_read_flow_filter(r, &c->multipart.filter);
}

static enum ofp_error begin_flows_nx(struct connection *c, struct ofp_reader *r)
{
	return nx_read_flow_filter(r, &c->multipart.filter);
}

bool multipart_next_flow(struct connection *c, struct flow_stats *fs)
{
	struct multipart *m = &c->multipart;

	if (first(m))
		m->cursor = ops(c)->flow_dump_open(ctx(c), &m->filter);
	return m->cursor && ops(c)->flow_dump_next(ctx(c), m->cursor, fs) > 0;
}

static bool next_flow(struct connection *c, struct ofp_writer *w)
{
	struct flow_stats fs;

	if (!multipart_next_flow(c, &fs))
		return false;
	ofp_put_flow_stats(w, &fs);
	return true;
}

static bool next_flow_10(struct connection *c, struct ofp_writer *w)
{
	struct flow_stats fs;

	if (!multipart_next_flow(c, &fs))
		return false;
	of10_put_flow_stats(w, &fs);
	return true;
}

static bool next_flow_nx(struct connection *c, struct ofp_writer *w)
{
	struct flow_stats fs;

	if (!multipart_next_flow(c, &fs))
		return false;
	nx_put_flow_stats(w, &fs);
	return true;
}

static bool next_aggregate(struct connection *c, struct ofp_writer *w)
{
	struct ofp_aggregate total = {0};

	if (!first(&c->multipart))
		return false;
	ops(c)->aggregate(ctx(c), &c->multipart.filter, &total);
	ofp_put_u64(w, total.packets);
	ofp_put_u64(w, total.bytes);
	ofp_put_u32(w, total.flows);
	ofp_put_zero(w, 4);
	return true;
}

/* ---- tables ---- */

static bool next_table(struct connection *c, struct ofp_writer *w)
{
	struct ofp_table_stats stats = {0};
	uint32_t table = c->multipart.from++;

	if (table >= ops(c)->table_count(ctx(c)))
		return false;
	ops(c)->table_stats(ctx(c), (uint8_t)table, &stats);
	ofp_put_u32(w, table << 24);
	ofp_put_u32(w, stats.active_count);
	ofp_put_u64(w, stats.lookup_count);
	ofp_put_u64(w, stats.matched_count);
	return true;
}

static bool next_table_10(struct connection *c, struct ofp_writer *w)
{
	struct ofp_table_stats stats = {0};
	uint32_t table = c->multipart.from++;
	char name[OFP_TABLE_NAME_MAX] = "";

	if (table >= ops(c)->table_count(ctx(c)))
		return false;
	ops(c)->table_stats(ctx(c), (uint8_t)table, &stats);
	ops(c)->table_name(ctx(c), (uint8_t)table, name);
	of10_put_table_stats(w, (uint8_t)table, name, ops(c)->table_max_entries(ctx(c)), &stats);
	return true;
}

/* 1.4: nothing is configured, nothing is ever evicted. */
static bool next_table_desc(struct connection *c, struct ofp_writer *w)
{
	uint32_t table = c->multipart.from++;

	if (table >= ops(c)->table_count(ctx(c)))
		return false;
	ofp_put_u16(w, 8);
	ofp_put_u8(w, (uint8_t)table);
	ofp_put_zero(w, 5);
	return true;
}

static enum ofp_error begin_table_features(struct connection *c, struct ofp_reader *r)
{
	return ofp_left(r) ? OFPTFFC_EPERM : OFP_OK; /* tables are what they are */
}

static bool next_table_features(struct connection *c, struct ofp_writer *w)
{
	unsigned count = ops(c)->table_count(ctx(c));
	uint32_t table = c->multipart.from++;
	char name[OFP_TABLE_NAME_MAX] = "";

	if (table >= count)
		return false;
	ops(c)->table_name(ctx(c), (uint8_t)table, name);
	ofp_put_table_features(w, (uint8_t)table, name, count, ops(c)->table_max_entries(ctx(c)));
	return true;
}

/* ---- ports ---- */

static bool next_of_port(struct connection *c, struct ofp_port *port, struct ofp_port_stats *stats)
{
	struct multipart *m = &c->multipart;
	bool found = ops(c)->port_next(ctx(c), first(m), m->from, port, stats);

	m->from = found ? port->port_no : m->from;
	return found;
}

static bool next_port(struct connection *c, struct ofp_writer *w)
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

	while (ops(c)->port_next(ctx(c), start, port.port_no, &port, NULL)) {
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

static enum ofp_error begin_port_stats(struct connection *c, struct ofp_reader *r)
{
	c->multipart.only = get_port(r);
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK; /* a port that is not there has an empty reply */
}

static bool next_port_stats(struct connection *c, struct ofp_writer *w)
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
static enum ofp_error begin_queues(struct connection *c, struct ofp_reader *r)
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

static bool next_queue(struct connection *c, struct ofp_writer *w)
{
	return false;
}

/* ---- groups ---- */

static enum ofp_error begin_groups(struct connection *c, struct ofp_reader *r)
{
	c->multipart.only = ofp_get_u32(r);
	if (c->multipart.only != OFPG_ALL)
		c->multipart.from = c->multipart.only;
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK;
}

static enum ofp_error begin_group_desc(struct connection *c, struct ofp_reader *r)
{
	/* 1.3 has no body here; ovs-ofctl of later versions names a group. */
	c->multipart.only = OFPG_ALL;
	return OFP_OK;
}

static const struct group_mod *next_of_group(struct connection *c, struct group_stats *stats)
{
	struct multipart *m = &c->multipart;
	const struct group_mod *gm = m->from > OFPG_MAX ? NULL : ops(c)->group_next(ctx(c), m->from, stats);

	if (!gm)
		return NULL;
	if (m->only != OFPG_ALL && gm->group_id != m->only) {
		if (stats)
			group_stats_free(stats);
		return NULL;
	}
	m->from = m->only == OFPG_ALL ? gm->group_id + 1 : UINT32_MAX;
	return gm;
}

static bool next_group_stats(struct connection *c, struct ofp_writer *w)
{
	struct group_stats stats = {0};

	if (!next_of_group(c, &stats))
		return false;
	ofp_put_group_stats(w, &stats);
	group_stats_free(&stats);
	return true;
}

static bool next_group_desc(struct connection *c, struct ofp_writer *w)
{
	const struct group_mod *gm = next_of_group(c, NULL);

	if (gm)
		ofp_put_group_desc(w, gm);
	return gm;
}

static bool next_group_desc_nx(struct connection *c, struct ofp_writer *w)
{
	const struct group_mod *gm = next_of_group(c, NULL);

	if (gm)
		nx_put_group_desc(w, gm);
	return gm;
}

static bool next_group_features(struct connection *c, struct ofp_writer *w)
{
	struct ofp_group_features features = {0};

	if (!first(&c->multipart))
		return false;
	ops(c)->group_features(ctx(c), &features);
	ofp_put_group_features(w, &features);
	return true;
}

/* ---- meters ---- */

static bool has_meter(struct connection *c, uint32_t id)
{
	const struct meter_mod *mm =
	        c->multipart.from == OFPM_ALL ? NULL : ops(c)->meter_next(ctx(c), id, NULL);

	return mm && mm->meter_id == id;
}

static enum ofp_error begin_meters(struct connection *c, struct ofp_reader *r)
{
	struct ofp_meter_features features = {0};

	c->multipart.only = ofp_get_u32(r);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	c->multipart.from = c->multipart.only == OFPM_ALL ? 0 : c->multipart.only;
	ops(c)->meter_features(ctx(c), &features);
	if (!features.max_meters)
		c->multipart.from = OFPM_ALL;
	return c->multipart.only == OFPM_ALL || has_meter(c, c->multipart.only) ? OFP_OK
	                                                                        : OFPMMFC_UNKNOWN_METER;
}

static const struct meter_mod *next_of_meter(struct connection *c, struct meter_stats *stats)
{
	struct multipart *m = &c->multipart;
	const struct meter_mod *mm = m->from == OFPM_ALL ? NULL : ops(c)->meter_next(ctx(c), m->from, stats);

	if (!mm || (m->only != OFPM_ALL && mm->meter_id != m->only))
		return NULL;
	m->from = m->only == OFPM_ALL ? mm->meter_id + 1 : OFPM_ALL;
	return mm;
}

static bool next_meter_stats(struct connection *c, struct ofp_writer *w)
{
	struct meter_stats stats = {0};

	if (!next_of_meter(c, &stats))
		return false;
	ofp_put_meter_stats(w, &stats);
	return true;
}

static bool next_meter_config(struct connection *c, struct ofp_writer *w)
{
	const struct meter_mod *mm = next_of_meter(c, NULL);

	if (mm)
		ofp_put_meter_config(w, mm);
	return mm;
}

static bool next_meter_features(struct connection *c, struct ofp_writer *w)
{
	struct ofp_meter_features features = {0};

	if (!first(&c->multipart))
		return false;
	ops(c)->meter_features(ctx(c), &features);
	ofp_put_meter_features(w, &features);
	return true;
}

static const struct multipart_kind kinds_13[] = {
        {OFPMP_DESC, 0, 0, false, NULL, next_desc},
        {OFPMP_FLOW, 0, 0, true, begin_flows, next_flow},
        {OFPMP_AGGREGATE, 0, 0, true, begin_flows, next_aggregate},
        {OFPMP_TABLE, 0, 0, true, NULL, next_table},
        {OFPMP_PORT_STATS, 0, 0, true, begin_port_stats, next_port_stats},
        {OFPMP_QUEUE, 0, 0, false, begin_queues, next_queue},
        {OFPMP_GROUP, 0, 0, true, begin_groups, next_group_stats},
        {OFPMP_GROUP_DESC, 0, 0, false, begin_group_desc, next_group_desc},
        {OFPMP_GROUP_FEATURES, 0, 0, false, NULL, next_group_features},
        {OFPMP_METER, 0, 0, true, begin_meters, next_meter_stats},
        {OFPMP_METER_CONFIG, 0, 0, false, begin_meters, next_meter_config},
        {OFPMP_METER_FEATURES, 0, 0, false, NULL, next_meter_features},
        {OFPMP_TABLE_FEATURES, 0, 0, false, begin_table_features, next_table_features},
        {OFPMP_PORT_DESC, 0, 0, false, NULL, next_port},
        {OFPMP_EXPERIMENTER, ONF_EXPERIMENTER, ONF_MONITOR, false, monitor_begin, monitor_next},
};

static const struct multipart_kind kinds_14[] = {
        {OFPMP_DESC, 0, 0, false, NULL, next_desc},
        {OFPMP_FLOW, 0, 0, true, begin_flows, next_flow},
        {OFPMP_AGGREGATE, 0, 0, true, begin_flows, next_aggregate},
        {OFPMP_TABLE, 0, 0, true, NULL, next_table},
        {OFPMP_PORT_STATS, 0, 0, true, begin_port_stats, next_port_stats},
        {OFPMP_QUEUE, 0, 0, false, begin_queues, next_queue},
        {OFPMP_GROUP, 0, 0, true, begin_groups, next_group_stats},
        {OFPMP_GROUP_DESC, 0, 0, false, begin_group_desc, next_group_desc},
        {OFPMP_GROUP_FEATURES, 0, 0, false, NULL, next_group_features},
        {OFPMP_METER, 0, 0, true, begin_meters, next_meter_stats},
        {OFPMP_METER_CONFIG, 0, 0, false, begin_meters, next_meter_config},
        {OFPMP_METER_FEATURES, 0, 0, false, NULL, next_meter_features},
        {OFPMP_TABLE_FEATURES, 0, 0, false, begin_table_features, next_table_features},
        {OFPMP_PORT_DESC, 0, 0, false, NULL, next_port},
        {OFPMP_TABLE_DESC, 0, 0, false, NULL, next_table_desc},
        {OFPMP_QUEUE_DESC, 0, 0, false, begin_queues, next_queue},
        {OFPMP_FLOW_MONITOR, 0, 0, false, monitor_begin, monitor_next},
};

static const struct multipart_kind kinds_10[] = {
        {OFPMP_DESC, 0, 0, false, NULL, next_desc},
        {OFPMP_FLOW, 0, 0, true, begin_flows_10, next_flow_10},
        {OFPMP_AGGREGATE, 0, 0, true, begin_flows_10, next_aggregate},
        {OFPMP_TABLE, 0, 0, true, NULL, next_table_10},
        {OFPMP_PORT_STATS, 0, 0, true, begin_port_stats, next_port_stats},
        {OFPMP_QUEUE, 0, 0, false, begin_queues, next_queue},
        {OFPMP_PORT_DESC, 0, 0, false, NULL, next_port},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_FLOW, true, begin_flows_nx, next_flow_nx},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_AGGREGATE, true, begin_flows_nx, next_aggregate},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_GROUP, true, begin_groups, next_group_stats},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_GROUP_DESC, false, begin_groups, next_group_desc_nx},
        {OFPMP_EXPERIMENTER, NX_EXPERIMENTER, NXST_GROUP_FEATURES, false, NULL, next_group_features},
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
		ops(c)->flow_dump_close(ctx(c), m->cursor);
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
	while (!w->failed && w->len - start < SLICE) {
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
	else if (ofp_left(body))
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
		ops(c)->fold_stats(ctx(c), connection_done, c);
	} else {
		multipart_step(c);
	}
	return OFP_OK;
}
