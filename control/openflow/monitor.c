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

#include "base/log.h"
#include "control/openflow/monitor.h"

enum {
	MONITORS_MAX = 256,
	UPDATES_MAX = 32 * 1024,
	UPDATES_ROOM = OFP_MESSAGE_MAX - 24,
	PAUSE_AT = 128 * 1024,
	GIVE_UP_AT = 64 << 20
};

/* ---- requests ---- */

static struct monitor *find(struct connection *c, uint32_t id)
{
	struct monitor *m;

	LIST_FOREACH(m, &c->monitors, link)
	{
		/* The analyzer does not see that LIST_REMOVE changes the list's head. */
		if (m->id == id) // NOLINT(clang-analyzer-unix.Malloc)
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
		monitor_remove(c, LIST_FIRST(&c->monitors)); // NOLINT(clang-analyzer-unix.Malloc)
	ofp_writer_free(&c->updates);
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

	if (command == MONITOR_ADD)
		return add(c, wanted);
	if (command > MONITOR_DELETE)
		return OFPBRC_BAD_TYPE;
	if (!m)
		return NXMOFC_UNKNOWN_MONITOR;
	monitor_remove(c, m);
	return command == MONITOR_MODIFY ? add(c, wanted) : OFP_OK;
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

		error = monitor_read_request(r, &wanted, &command);
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
		if (m->flags & want && (want != MONITOR_WANT_INITIAL || m->fresh) &&
		    selects(&m->filter, fs, old))
			flags |= m->flags;
	}
	return flags;
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
	flags = wanted_by(c, is_new ? MONITOR_WANT_ADDED : MONITOR_WANT_MODIFIED, fs, NULL);
	if (flags)
		monitor_put_update(w, false, is_new ? OFP_FLOW_ADDED : OFP_FLOW_MODIFIED, fs, 0,
		                   flags & MONITOR_WITH_ACTIONS);
	return true;
}

bool monitor_next(struct connection *c, struct ofp_writer *w)
{
	struct flow_stats fs;
	uint16_t flags;

	if (!multipart_walk(c, &fs))
		return false;
	seen(c, &fs);
	if (c->refreshing)
		return next_missed(c, &fs, w);
	flags = wanted_by(c, MONITOR_WANT_INITIAL, &fs, NULL);
	if (flags)
		monitor_put_update(w, true, OFP_FLOW_ADDED, &fs, 0, flags & MONITOR_WITH_ACTIONS);
	return true;
}

/* ---- pauses ---- */

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
		monitor_put_notice(c, false);
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
		monitor_put_notice(c, true);
}

/* ---- changes ---- */

static const uint16_t wants[] = {
        [OFP_FLOW_ADDED] = MONITOR_WANT_ADDED,
        [OFP_FLOW_REMOVED] = MONITOR_WANT_REMOVED,
        [OFP_FLOW_MODIFIED] = MONITOR_WANT_MODIFIED,
};

/* After an update was put at `last`: what is enough for a message is sent, and what is too much for one
 * begins the next. */
static void keep_within_message(struct connection *c, size_t last)
{
	struct ofp_writer next = {.version = c->updates.version};

	if (c->updates.len > UPDATES_ROOM && !c->updates.failed) {
		ofp_put_bytes(&next, c->updates.data + last, c->updates.len - last);
		ofp_writer_cut(&c->updates, last);
		send_updates(c);
		ofp_writer_free(&c->updates);
		c->updates = next;
	}
	if (c->updates.len > UPDATES_ROOM) {
		log_warn("openflow: left out an update of %zu bytes that no message can hold",
		         c->updates.len);
		ofp_writer_free(&c->updates);
	} else if (c->updates.len > UPDATES_MAX) {
		send_updates(c);
	}
}

static void tell(struct connection *c, enum ofp_flow_event event, const struct flow_stats *flow,
                 const struct action_list *old, enum ofp_flow_removed_reason reason)
{
	bool own = c == c->server->changer, removed = event == OFP_FLOW_REMOVED;
	size_t before = c->updates.len;
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
	if (flags & MONITOR_OWN_IN_FULL || !own || c->paused_at)
		monitor_put_update(&c->updates, false, event, flow, removed ? (uint8_t)reason : 0,
		                   flags & MONITOR_WITH_ACTIONS);
	else if (!c->abbreviated)
		monitor_put_abbreviation(&c->updates, c->server->changer_xid);
	c->abbreviated |= !(flags & MONITOR_OWN_IN_FULL) && own;
	keep_within_message(c, before);
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
