/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow monitors: a client is told of every change of the flows it asked for (Nicira's extension to 1.0, ONF's
 * to 1.3, standard in 1.4). Requests come from multipart.c and dispatch.c, changes through ofp_switch.h.
 *
 * What a change does gathers in c->updates and is sent as one message. A client that does not keep up is
 * paused: additions and modifications are not told until its queue is empty, then a walk over all flows
 * finds, by the numbers that flows have, what was missed (multipart_refresh), until nothing was missed during
 * the walk itself.
 */
#include <stdlib.h>

#include "control/openflow/monitor.h"
#include "control/openflow/nx_actions.h"
#include "control/openflow/oxm.h"

enum { MONITORS_MAX = 256, UPDATES_MAX = 32 * 1024, PAUSE_AT = 128 * 1024, GIVE_UP_AT = 64 << 20 };
enum { COMMAND_ADD, COMMAND_MODIFY, COMMAND_DELETE }; /* 1.4 */

enum { /* numbers of the wire */
       WANT_INITIAL = 1,
       WANT_ADDED = 2,
       WANT_REMOVED = 4,
       WANT_MODIFIED = 8,
       WITH_ACTIONS = 16,
       OWN_IN_FULL = 32,
       /* "Only own" in the standard; Open vSwitch and its clients mean OWN_IN_FULL by it. */
       OWN_IN_FULL_14 = 64,
       WANT_CHANGES = WANT_ADDED | WANT_REMOVED | WANT_MODIFIED,
};

struct monitor {
	LIST_ENTRY(monitor) link;
	uint32_t id;
	uint16_t flags;
	bool fresh; /* of the request that is being answered */
	struct flow_filter filter;
};

/* ---- requests ---- */

static struct monitor *find(struct connection *c, uint32_t id)
{
	struct monitor *m;

	LIST_FOREACH(m, &c->monitors, link)
	{
		if (m->id == id)
			return m;
	}
	return NULL;
}

static void watch(struct ofp_server *s, int more)
{
	bool before = s->n_monitors;

	s->n_monitors += (unsigned)more;
	if (before != (s->n_monitors != 0))
		s->ops->watch_flows(s->ctx, !before);
}

static void monitor_remove(struct connection *c, struct monitor *m)
{
	LIST_REMOVE(m, link);
	free(m);
	c->n_monitors--;
	watch(c->server, -1);
	if (!c->n_monitors)
		c->paused_at = 0;
}

void monitors_free(struct connection *c)
{
	while (!LIST_EMPTY(&c->monitors))
		monitor_remove(c, LIST_FIRST(&c->monitors));
	ofp_writer_free(&c->updates);
}

static enum ofp_error read_10(struct ofp_reader *r, struct monitor *m)
{
	struct ofp_reader body;
	uint16_t match_len;
	uint64_t cookie, cookie_mask;

	m->id = ofp_get_u32(r);
	m->flags = ofp_get_u16(r);
	m->filter.out_port = nx_port_from_16(ofp_get_u16(r));
	match_len = ofp_get_u16(r);
	m->filter.table_id = ofp_get_u8(r);
	ofp_skip(r, 5);
	body = ofp_get_part(r, match_len);
	ofp_skip(r, -match_len & 7u);
	return r->failed ? OFPBRC_BAD_LEN : nxm_read_fields(&body, &m->filter.match, &cookie, &cookie_mask);
}

static enum ofp_error read_13(struct ofp_reader *r, struct monitor *m)
{
	m->id = ofp_get_u32(r);
	m->flags = ofp_get_u16(r);
	ofp_skip(r, 2);
	m->filter.out_port = ofp_get_u32(r);
	m->filter.table_id = ofp_get_u8(r);
	ofp_skip(r, 3);
	return r->failed ? OFPBRC_BAD_LEN : oxm_read_match(r, &m->filter.match);
}

static enum ofp_error read_14(struct ofp_reader *r, struct monitor *m, uint8_t *command)
{
	m->id = ofp_get_u32(r);
	m->filter.out_port = ofp_get_u32(r);
	m->filter.out_group = ofp_get_u32(r);
	m->flags = ofp_get_u16(r);
	m->filter.table_id = ofp_get_u8(r);
	*command = ofp_get_u8(r);
	return r->failed ? OFPBRC_BAD_LEN : oxm_read_match(r, &m->filter.match);
}

static enum ofp_error read_request(struct ofp_reader *r, struct monitor *m, uint8_t *command)
{
	uint16_t known = WANT_INITIAL | WANT_CHANGES | WITH_ACTIONS | OWN_IN_FULL;
	enum ofp_error error;

	*m = (struct monitor){.fresh = true, .filter = {.out_group = OFPG_ANY}};
	*command = COMMAND_ADD;
	if (r->version == OFP_VERSION_14) {
		known |= OWN_IN_FULL_14;
		error = read_14(r, m, command);
		m->flags |= m->flags & OWN_IN_FULL_14 ? OWN_IN_FULL : 0;
	} else {
		error = r->version == OFP_VERSION_10 ? read_10(r, m) : read_13(r, m);
	}
	if (!error && *command != COMMAND_DELETE && (!(m->flags & WANT_CHANGES) || m->flags & ~known))
		error = NXMOFC_BAD_FLAGS;
	return error;
}

static enum ofp_error add(struct connection *c, const struct monitor *wanted)
{
	struct monitor *m;

	if (find(c, wanted->id))
		return NXMOFC_MONITOR_EXISTS;
	m = c->n_monitors < MONITORS_MAX ? malloc(sizeof(*m)) : NULL;
	if (!m)
		return OFPBRC_EPERM;
	*m = *wanted;
	LIST_INSERT_HEAD(&c->monitors, m, link);
	c->n_monitors++;
	watch(c->server, 1);
	return OFP_OK;
}

enum ofp_error monitor_cancel(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct monitor *m = find(c, ofp_get_u32(r));

	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (!m)
		return NXMOFC_UNKNOWN_MONITOR;
	monitor_remove(c, m);
	return OFP_OK;
}

static enum ofp_error request(struct connection *c, const struct monitor *wanted, uint8_t command)
{
	struct monitor *m = find(c, wanted->id);

	if (command == COMMAND_ADD)
		return add(c, wanted);
	if (command > COMMAND_DELETE)
		return OFPBRC_BAD_TYPE;
	if (!m)
		return NXMOFC_UNKNOWN_MONITOR;
	monitor_remove(c, m);
	return command == COMMAND_MODIFY ? add(c, wanted) : OFP_OK;
}

enum ofp_error monitor_begin(struct connection *c, struct ofp_reader *r)
{
	enum ofp_error error = OFP_OK;
	struct monitor *m, *next;

	LIST_FOREACH(m, &c->monitors, link)
	m->fresh = false;
	while (!error && ofp_left(r)) {
		struct monitor wanted;
		uint8_t command;

		error = read_request(r, &wanted, &command);
		if (!error)
			error = request(c, &wanted, command);
	}
	for (m = LIST_FIRST(&c->monitors); error && m; m = next) {
		next = LIST_NEXT(m, link);
		if (m->fresh)
			monitor_remove(c, m);
	}
	c->multipart.filter =
	        (struct flow_filter){.table_id = TABLE_ALL, .out_port = PORT_ANY, .out_group = GROUP_ANY};
	return error;
}

/* ---- what is told ---- */

static bool selects(const struct flow_filter *f, const struct flow_stats *fs, const struct action_list *old)
{
	return (f->table_id == TABLE_ALL || f->table_id == fs->table_id) &&
	       (f->out_port == PORT_ANY || action_list_outputs_to(&fs->actions, f->out_port) ||
	        (old && action_list_outputs_to(old, f->out_port))) &&
	       (f->out_group == GROUP_ANY || action_list_uses_group(&fs->actions, f->out_group) ||
	        (old && action_list_uses_group(old, f->out_group))) &&
	       match_covers(&f->match, &fs->match);
}

/* The flags of all monitors that want to hear of it; 0: none. */
static uint16_t wanted_by(const struct connection *c, uint16_t want, const struct flow_stats *fs,
                          const struct action_list *old)
{
	const struct monitor *m;
	uint16_t flags = 0;

	LIST_FOREACH(m, &c->monitors, link)
	{
		if (m->flags & want && (want != WANT_INITIAL || m->fresh) && selects(&m->filter, fs, old))
			flags |= m->flags;
	}
	return flags;
}

static void put_abbreviation(struct ofp_writer *w, uint32_t xid)
{
	ofp_put_u16(w, 8);
	ofp_put_u16(w, w->version == OFP_VERSION_14 ? 4 : 3);
	ofp_put_u32(w, xid);
}

/* Numbers of 1.4 are one higher: 0 stands for a flow of the first answer. */
static uint16_t wire_event(const struct ofp_writer *w, enum ofp_flow_event event)
{
	return (uint16_t)(w->version == OFP_VERSION_14 ? event + 1 : event);
}

static void put_update_14(struct ofp_writer *w, uint16_t event, const struct flow_stats *fs, uint8_t reason,
                          bool actions)
{
	size_t start = w->len;

	ofp_put_u16(w, 0);
	ofp_put_u16(w, event);
	ofp_put_u8(w, fs->table_id);
	ofp_put_u8(w, reason);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_u16(w, fs->hard_timeout);
	ofp_put_u16(w, fs->priority);
	ofp_put_zero(w, 4);
	ofp_put_u64(w, fs->cookie);
	oxm_put_match(w, &fs->match);
	if (actions)
		ofp_put_instructions(w, &fs->actions);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}

static void put_update(struct ofp_writer *w, uint16_t event, const struct flow_stats *fs, uint8_t reason,
                       bool actions)
{
	size_t start = w->len, match;

	if (w->version == OFP_VERSION_14) {
		put_update_14(w, event, fs, reason, actions);
		return;
	}
	ofp_put_u16(w, 0);
	ofp_put_u16(w, event);
	ofp_put_u16(w, reason);
	ofp_put_u16(w, fs->priority);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_u16(w, fs->hard_timeout);
	ofp_put_zero(w, 2);
	ofp_put_u8(w, fs->table_id);
	ofp_put_zero(w, 1);
	ofp_put_u64(w, fs->cookie);
	match = w->len;
	if (w->version == OFP_VERSION_10) {
		nxm_put_fields(w, &fs->match);
		ofp_set_u16(w, start + 12, (uint16_t)(w->len - match));
		ofp_put_align(w, match);
	} else {
		ofp_set_u16(w, start + 12, oxm_put_match(w, &fs->match));
	}
	if (actions && w->version == OFP_VERSION_10)
		ofp_put_actions(w, &fs->actions);
	else if (actions)
		ofp_put_instructions(w, &fs->actions);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}

static void seen(struct connection *c, const struct flow_stats *fs)
{
	if (c->server->last_change < fs->changed)
		c->server->last_change = fs->changed;
}

/* A flow in the walk after a pause: what was missed of it. */
static bool next_missed(struct connection *c, const struct flow_stats *fs, struct ofp_writer *w)
{
	bool is_new = fs->born > c->paused_at;
	uint16_t flags;

	if (fs->changed <= c->paused_at)
		return true;
	flags = wanted_by(c, is_new ? WANT_ADDED : WANT_MODIFIED, fs, NULL);
	if (flags)
		put_update(w, wire_event(w, is_new ? OFP_FLOW_ADDED : OFP_FLOW_MODIFIED), fs, 0,
		           flags & WITH_ACTIONS);
	return true;
}

bool monitor_next(struct connection *c, struct ofp_writer *w)
{
	struct flow_stats fs;
	uint16_t flags;

	if (!multipart_next_flow(c, &fs))
		return false;
	seen(c, &fs);
	if (c->refreshing)
		return next_missed(c, &fs, w);
	flags = wanted_by(c, WANT_INITIAL, &fs, NULL);
	if (flags)
		put_update(w, 0, &fs, 0, flags & WITH_ACTIONS);
	return true;
}

/* ---- pauses ---- */

static void put_notice(struct connection *c, bool resumed)
{
	struct ofp_writer *w = &c->out;
	size_t start;

	if (w->version == OFP_VERSION_14) {
		start = multipart_begin_monitor(w);
		ofp_put_u16(w, 8);
		ofp_put_u16(w, resumed ? 6 : 5);
		ofp_put_zero(w, 4);
	} else if (w->version == OFP_VERSION_10) {
		start = ofp_begin_nicira(w, resumed ? NXT_FLOW_MONITOR_RESUMED : NXT_FLOW_MONITOR_PAUSED, 0);
	} else {
		start = ofp_begin(w, OFPT_EXPERIMENTER, 0);
		ofp_put_u32(w, ONF_EXPERIMENTER);
		ofp_put_u32(w, resumed ? ONF_MONITOR_RESUMED : ONF_MONITOR_PAUSED);
	}
	ofp_end(w, start);
}

/* Moves what has gathered into the connection's output, as one message, and looks how much that is by now. */
static void send_updates(struct connection *c)
{
	size_t start;

	if (!c->updates.len)
		return;
	start = multipart_begin_monitor(&c->out);
	ofp_put_bytes(&c->out, c->updates.data, c->updates.len);
	ofp_end(&c->out, start);
	ofp_writer_free(&c->updates);
	c->abbreviated = false;
	if (!c->paused_at && connection_queued(c) > PAUSE_AT) {
		c->paused_at = c->server->last_change ? c->server->last_change : 1;
		put_notice(c, false);
	} else if (connection_queued(c) > GIVE_UP_AT) {
		connection_close(c, "does not read what it asked to be told");
	}
}

void monitor_refresh_begin(struct connection *c)
{
	c->refreshing = true;
	c->missed = false;
	c->refreshed_to = c->server->last_change;
	c->multipart.filter =
	        (struct flow_filter){.table_id = TABLE_ALL, .out_port = PORT_ANY, .out_group = GROUP_ANY};
}

void monitor_refresh_end(struct connection *c)
{
	c->refreshing = false;
	c->paused_at = c->missed ? c->refreshed_to : 0;
	if (!c->missed)
		put_notice(c, true);
}

/* ---- changes ---- */

static const uint16_t wants[] = {
        [OFP_FLOW_ADDED] = WANT_ADDED,
        [OFP_FLOW_REMOVED] = WANT_REMOVED,
        [OFP_FLOW_MODIFIED] = WANT_MODIFIED,
};

static void tell(struct connection *c, enum ofp_flow_event event, const struct flow_stats *flow,
                 const struct action_list *old, enum ofp_flow_removed_reason reason)
{
	bool own = c == c->server->changer, removed = event == OFP_FLOW_REMOVED;
	uint16_t flags = wanted_by(c, wants[event], flow, old);

	if (!flags)
		return;
	if (c->paused_at && !removed) {
		c->missed = true;
		return;
	}
	if (c->paused_at && flow->born > c->paused_at && !c->refreshing) /* never told */
		return;
	c->updates.version = c->out.version;
	if (flags & OWN_IN_FULL || !own || c->paused_at)
		put_update(&c->updates, wire_event(&c->updates, event), flow, removed ? (uint8_t)reason : 0,
		           flags & WITH_ACTIONS);
	else if (!c->abbreviated)
		put_abbreviation(&c->updates, c->server->changer_xid);
	c->abbreviated |= !(flags & OWN_IN_FULL) && own;
	if (c->updates.len > UPDATES_MAX)
		send_updates(c);
}

void ofp_server_flow_changed(struct ofp_server *server, enum ofp_flow_event event,
                             const struct flow_stats *flow, const struct action_list *old,
                             enum ofp_flow_removed_reason reason)
{
	struct connection *c;

	LIST_FOREACH(c, &server->connections, link)
	{
		if (!c->n_monitors || c->closing)
			continue;
		seen(c, flow);
		tell(c, event, flow, old, reason);
	}
}

void ofp_server_change_done(struct ofp_server *server)
{
	struct connection *c;

	LIST_FOREACH(c, &server->connections, link)
	{
		if (!c->n_monitors || c->closing || !c->updates.len)
			continue;
		send_updates(c);
		if (!c->running)
			connection_flush(c);
	}
}

enum ofp_error connection_apply(struct connection *c, uint32_t xid, const struct ofp_change *changes,
                                unsigned n, unsigned *failed)
{
	struct ofp_server *s = c->server;
	enum ofp_error error;

	s->changer = c;
	s->changer_xid = xid;
	error = s->ops->apply(s->ctx, changes, n, failed);
	s->changer = NULL;
	return error;
}
