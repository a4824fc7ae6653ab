/* SPDX-License-Identifier: Apache-2.0 */
/* Changing, comparing and repairing flows; see switch_flows.h. Called by agent.c. */
#include "control/agent/switch_flows.h"

#include <errno.h>

#include "base/error.h"
#include "control/agent/pipeline.h"
#include "control/openflow/client.h"
#include "control/openflow/messages.h"

static int take_flows(const uint8_t *body, size_t len, void *arg, struct error *e)
{
	struct ofp_reader r = ofp_reader_of(body, len);
	struct flow_set *has = arg;

	while (ofp_left(&r)) {
		struct flow_stats fs;
		struct flow_mod fm;

		if (ofp_read_flow_stats(&r, &fs))
			return error_set(e, EPROTO, "the switch sent a malformed flow");
		flow_mod_init(&fm);
		fm.table_id = fs.table_id;
		fm.priority = fs.priority;
		fm.cookie = fs.cookie;
		fm.idle_timeout = fs.idle_timeout;
		fm.hard_timeout = fs.hard_timeout;
		fm.flags = fs.flags;
		fm.match = fs.match;
		fm.actions = fs.actions;
		flow_set_add(has, &fm);
		flow_stats_free(&fs);
	}
	return has->failed ? error_set(e, ENOMEM, "out of memory") : 0;
}

static int read_flows(struct ofp_client *client, struct flow_set *has, struct error *e)
{
	struct flow_filter own = {.table_id = TABLE_ALL,
	                          .out_port = PORT_ANY,
	                          .out_group = GROUP_ANY,
	                          .cookie = COOKIE_MARK,
	                          .cookie_mask = COOKIE_MASK};
	struct ofp_writer w = {0};
	size_t start;
	int rc;

	match_init(&own.match);
	start = ofp_begin_multipart(&w, true, OFPMP_FLOW, 0);
	ofp_put_flow_filter(&w, &own);
	ofp_end(&w, start);
	rc = ofp_client_multipart(client, w.data, w.len, take_flows, has, e);
	ofp_writer_free(&w);
	flow_set_settle(has);
	return rc;
}

int switch_flows_change(struct flow *has, struct flow *wanted, void *arg)
{
	struct switch_flows *s = arg;
	struct flow_mod fm;
	int rc = 0;

	if (!s->client)
		s->client = ofp_client_connect(s->path, s->timeout_ms, s->e);
	if (!s->client)
		return -ECOMM;
	if (!s->added && !s->changed && !s->removed)
		rc = ofp_client_bundle_open(s->client, s->e);
	if (rc)
		return rc;
	s->added += !has;
	s->changed += has && wanted;
	s->removed += !wanted;
	if (wanted) {
		flow_get(wanted, &fm);
		return ofp_client_bundle_add(s->client, &fm, s->e);
	}
	if (!has)
		return 0;
	flow_get(has, &fm);
	fm.command = FLOW_DELETE_STRICT;
	fm.cookie = fm.match_cookie = COOKIE_MARK;
	fm.cookie_mask = COOKIE_MASK; /* a user's flow in this place stays */
	fm.flags = 0;
	action_list_init(&fm.actions); /* those of `has` stay its own */
	return ofp_client_bundle_add(s->client, &fm, s->e);
}

int switch_flows_commit(struct switch_flows *s)
{
	int rc = s->added + s->changed + s->removed ? ofp_client_bundle_commit(s->client, s->e) : 0;

	switch_flows_abandon(s);
	return rc;
}

void switch_flows_abandon(struct switch_flows *s)
{
	ofp_client_close(s->client);
	s->client = NULL;
}

int switch_flows_repair(struct switch_flows *s, const struct flow_set *wanted)
{
	struct flow_set has = {0};
	int rc;

	s->client = ofp_client_connect(s->path, s->timeout_ms, s->e);
	if (!s->client)
		return -ECOMM;
	rc = read_flows(s->client, &has, s->e);
	if (!rc)
		rc = flow_set_compare(&has, wanted, switch_flows_change, s);
	flow_set_free(&has);
	if (!rc)
		return switch_flows_commit(s);
	switch_flows_abandon(s);
	return rc;
}
