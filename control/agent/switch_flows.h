/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's flows on a switch, changed by one bundle at a time: none is taken away before what replaces it
 * is there, and after an error nothing was changed. Flows of others are left alone. Blocking, bounded by
 * `timeout_ms` a wait.
 *
 * Life cycle: fill `path`, `timeout_ms`, `e` -> switch_flows_change ... -> switch_flows_commit or, after an
 * error, switch_flows_abandon. Or switch_flows_repair, which does it all. Then the counts can be read.
 */
#ifndef CONTROL_AGENT_SWITCH_FLOWS_H
#define CONTROL_AGENT_SWITCH_FLOWS_H

#include "control/agent/flow_set.h"

struct error;
struct ofp_client;

struct switch_flows {
	const char *path; /* of the bridge's socket */
	int timeout_ms;
	struct error *e;
	struct ofp_client *client; /* connected at the first change */
	size_t added, changed, removed;
};

/* Puts a difference into the bundle; `arg` is the struct switch_flows. 0 or -errno. */
int switch_flows_change(struct flow *has, struct flow *wanted, void *arg);
int switch_flows_commit(struct switch_flows *s);
void switch_flows_abandon(struct switch_flows *s);

/* Reads the flows with the agent's mark and brings them to `wanted` (settled). 0 or -errno. */
int switch_flows_repair(struct switch_flows *s, const struct flow_set *wanted);

#endif
