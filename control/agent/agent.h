/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weft-agent: keeps the switch of one host as the store wants it.
 *
 * Design: store -> view -> scene -> flows and interfaces -> switch. Whatever changes (the store, the switch's
 * connection, time) makes the state dirty; one function brings the switch over, comparing before it changes,
 * so that it may run at any time and any number of times. Flows are never flushed. When the store is away, or
 * not all that is wanted could be read, the last scene stays; when the switch is away the next connection
 * finds all again. An embedded store (a file) is served to `weft` at agent.sock; etcd is not: who writes
 * there has credentials of his own.
 *
 * Thread-safety: one thread, one loop. Life cycle: agent_start -> run the loop -> agent_stop -> run the loop
 * until its handles are closed -> agent_free.
 */
#ifndef CONTROL_AGENT_AGENT_H
#define CONTROL_AGENT_AGENT_H

#include <uv.h>

#include "base/error.h"

struct agent;

struct agent_options {
	char host[64];
	char rundir[80];
	char bridge[32];
	char store[512]; /* as for store_open() */
	char certificate[256], private_key[256], ca[256];
};

enum {
	AGENT_RETRY_MS = 500,
	AGENT_AUDIT_MS = 30000,
	AGENT_PORTS_MS = 20,
	AGENT_CALL_MS = 5000,
	AGENT_STORE_MS = 3000,
	AGENT_LEASE_S = 10,
	AGENT_JITTER_MS = 2000,
};

/* 0 or -errno with `e`; then `*out` is NULL. */
int agent_start(uv_loop_t *loop, const struct agent_options *options, struct agent **out, struct error *e);
void agent_stop(struct agent *a);
void agent_free(struct agent *a); /* NULL is legal */

#endif
