/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live migration: two hosts carry a port, its guest speaks on one. The first packet at the host that is not
 * the active one (a guest that has moved announces itself) says that the guest is there now.
 */
#ifndef CONTROL_AGENT_CLAIM_H
#define CONTROL_AGENT_CLAIM_H

#include "control/agent/scene.h"

enum { CLAIM_RETRY_MS = 500 };

/* Makes `host` the one where the port is active, unless somebody changes the binding or the place at the same
 * time; all hosts learn of it by that one key. Not more often than each CLAIM_RETRY_MS. NULL or a port that
 * is active here: nothing is done. */
void claim_port(struct store *store, const char *host, struct scene_port *p);

#endif
