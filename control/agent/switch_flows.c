/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing and repairing flows; see switch_flows.h. Called by agent.c. */
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
		fm.actions = fs.actions; /* handed over */
		flow_set_take(has, &fm);
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

struct repair {
	struct ofp_client *client;
	struct flow_changes *changes;
	struct error *e;
	bool open;
};

static int bring_over(const struct flow_mod *has, const struct flow_mod *wanted, void *arg)
{
	struct repair *r = arg;
	struct flow_mod gone;
	int rc = r->open ? 0 : ofp_client_bundle_open(r->client, r->e);

	r->open = true;
	if (rc)
		return rc;
	r->changes->added += !has;
	r->changes->changed += has && wanted;
	r->changes->removed += !wanted;
	if (wanted)
		return ofp_client_bundle_add(r->client, wanted, r->e);
	if (!has)
		return 0;
	gone = *has;
	gone.command = FLOW_DELETE_STRICT;
	gone.cookie = gone.match_cookie = COOKIE_MARK;
	gone.cookie_mask = COOKIE_MASK; /* a user's flow in this place stays */
	gone.flags = 0;
	action_list_init(&gone.actions); /* those of `has` stay its own */
	return ofp_client_bundle_add(r->client, &gone, r->e);
}

int switch_flows_sync(const char *path, int timeout_ms, const struct flow_set *wanted,
                      struct flow_changes *changes, struct error *e)
{
	struct ofp_client *client = ofp_client_connect(path, timeout_ms, e);
	struct repair r = {client, changes, e, false};
	struct flow_set has = {0};
	int rc;

	*changes = (struct flow_changes){0};
	if (!client)
		return -ECOMM;
	rc = read_flows(client, &has, e);
	if (!rc)
		rc = flow_set_compare(&has, wanted, bring_over, &r);
	if (!rc && r.open)
		rc = ofp_client_bundle_commit(client, e);
	flow_set_free(&has);
	ofp_client_close(client);
	return rc;
}
