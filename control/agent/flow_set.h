/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of flows, to be compared with another: at most one flow for each table, priority and match.
 *
 * Design: flows are kept small, without the words of the match that say nothing, and sets share them.
 *
 * Thread-safety: none. Life cycle: zeroed is empty -> flow_set_add ... -> flow_set_settle -> compared, sent
 * -> flow_set_free.
 */
#ifndef CONTROL_AGENT_FLOW_SET_H
#define CONTROL_AGENT_FLOW_SET_H

#include <stddef.h>

#include "flows/flow_mod.h"

struct flow {           /* read only */
	unsigned users; /* sets */
	unsigned age;   /* in the set that is being filled */
	uint64_t cookie;
	uint64_t used; /* a bit for each word of the match's mask that is not zero */
	uint16_t priority, idle_timeout, hard_timeout, flags;
	uint8_t table_id;
	struct action_list actions;
	uint64_t words[]; /* those of the mask, then those of the key */
};

/* The flow as a message says it. Its actions stay those of `f`: nothing is to be freed. */
void flow_get(const struct flow *f, struct flow_mod *out);

struct flow_set {
	struct flow **flows; /* settled: by table, falling priority and match */
	size_t n, capacity;
	bool failed; /* no memory, or a flow that cannot be (logged) */
};

/* Adds a copy: place, cookie, timeouts, flags and actions. */
void flow_set_add(struct flow_set *s, const struct flow_mod *fm);
/* A flow of another set. */
void flow_set_share(struct flow_set *s, struct flow *flow);
/* Sorts; of flows with the same place the last one added stays. */
void flow_set_settle(struct flow_set *s);
/* Calls `differ` for every place where two settled sets differ (one of the flows may be NULL), until it
 * returns non-zero, which is returned. */
int flow_set_compare(const struct flow_set *has, const struct flow_set *wanted,
                     int (*differ)(struct flow *has, struct flow *wanted, void *arg), void *arg);
void flow_set_free(struct flow_set *s); /* leaves an empty set */

#endif
