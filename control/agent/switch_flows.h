/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a switch hold exactly the agent's flows beside those of others. Blocking, bounded by `timeout_ms` a
 * wait. */
#ifndef CONTROL_AGENT_SWITCH_FLOWS_H
#define CONTROL_AGENT_SWITCH_FLOWS_H

#include "control/agent/flow_set.h"

struct error;

struct flow_changes {
	size_t added, changed, removed;
};

/* Reads the flows with the agent's mark from the bridge's socket, and brings them to `wanted` (settled) in
 * one bundle: none is taken away before what replaces it is there. 0 or -errno; then nothing was changed. */
int switch_flows_sync(const char *path, int timeout_ms, const struct flow_set *wanted,
                      struct flow_changes *changes, struct error *e);

#endif
