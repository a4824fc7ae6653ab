/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of flows, to be compared with another: at most one flow for each table, priority and match.
 *
 * Thread-safety: none. Life cycle: zeroed is empty -> flow_set_add ... -> flow_set_settle -> compared, sent
 * -> flow_set_free.
 */
#ifndef CONTROL_AGENT_FLOW_SET_H
#define CONTROL_AGENT_FLOW_SET_H

#include <stddef.h>

#include "flows/flow_mod.h"

struct flow_set {
	struct flow_mod *flows;
	size_t n, capacity;
	bool failed; /* no memory, or a text that is no flow (logged) */
};

/* Adds a flow given as text ("table=0,priority=5,in_port=1,actions=drop"). */
void flow_set_add(struct flow_set *s, uint64_t cookie, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* Takes what `fm` owns. */
void flow_set_take(struct flow_set *s, struct flow_mod *fm);
/* Sorts; of flows with the same place the last one added stays. */
void flow_set_settle(struct flow_set *s);
/* Calls `differ` for every place where two settled sets differ (one of the flows may be NULL), until it
 * returns non-zero. */
int flow_set_compare(const struct flow_set *has, const struct flow_set *wanted,
                     int (*differ)(const struct flow_mod *has, const struct flow_mod *wanted, void *arg),
                     void *arg);
void flow_set_free(struct flow_set *s); /* leaves an empty set */

#endif
