/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of flows, to be compared with another: at most one flow for each table, priority and match.
 *
 * Design: sets share flows. A set that is filled anew, and mostly with what an older one had, is told of that
 * one (`known`): a text that it has already is not parsed again.
 *
 * Thread-safety: none. Life cycle: zeroed is empty -> flow_set_add ... -> flow_set_settle -> compared, sent
 * -> flow_set_free.
 */
#ifndef CONTROL_AGENT_FLOW_SET_H
#define CONTROL_AGENT_FLOW_SET_H

#include <stddef.h>

#include "flows/flow_mod.h"

struct flow {
	struct flow_mod mod;
	unsigned users; /* sets */
	unsigned age;   /* in the set that is being filled */
	uint64_t text;  /* a hash of the text that it was made from; 0: of none */
};

/* The flow that a set told of. */
static inline struct flow *flow_of_mod(const struct flow_mod *mod)
{
	return (struct flow *)((char *)mod - offsetof(struct flow, mod));
}

struct flow_set {
	struct flow **flows; /* settled: by table, falling priority and match */
	size_t n, capacity;
	const struct flow_set *known; /* settled; may be NULL */
	uint32_t *index;              /* of `flows` by their texts, made when settled */
	size_t n_index;
	bool failed; /* no memory, or a text that is no flow (logged) */
};

/* Adds a flow given as text ("table=0,priority=5,in_port=1,actions=drop"). */
void flow_set_add(struct flow_set *s, uint64_t cookie, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* Takes what `fm` owns. */
void flow_set_take(struct flow_set *s, struct flow_mod *fm);
/* A flow of another set. */
void flow_set_share(struct flow_set *s, struct flow *flow);
/* Sorts; of flows with the same place the last one added stays. `known` is forgotten. */
void flow_set_settle(struct flow_set *s);
/* Calls `differ` for every place where two settled sets differ (one of the flows may be NULL), until it
 * returns non-zero, which is returned. */
int flow_set_compare(const struct flow_set *has, const struct flow_set *wanted,
                     int (*differ)(const struct flow_mod *has, const struct flow_mod *wanted, void *arg),
                     void *arg);
void flow_set_free(struct flow_set *s); /* leaves an empty set */

#endif
