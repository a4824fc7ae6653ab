/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conjunctive matches: flows with conjunction(id, k/n) are clauses, "soft" matches. A packet that meets one
 * clause of each of the n dimensions of an id, all of the same priority, is looked up again with that conj_id
 * and without the clauses. Semantics of Open vSwitch (ovs-actions(7), conjunction).
 *
 * Design: the search for the best flow gathers the best clause of each mask on its way. From the highest
 * priority down the clauses tick their dimensions off in a small hash table by id; when none is complete,
 * each clause of that priority makes way for the next flow of the same match. Which of two complete ids of
 * the same priority is followed is not defined.
 *
 * Limits, beyond which the packet is dropped (DROP_CONJUNCTION_LIMIT): CONJUNCTION_SOFT_MAX clauses at a
 * time, CONJUNCTION_ACTIONS_MAX conjunction actions in them, CONJUNCTION_ROUNDS_MAX priorities, as many
 * complete ids without a flow.
 *
 * Thread-safety and life cycle: what is gathered lives on the stack of whoever looks up, under RCU.
 */
#ifndef FLOWS_DP_CONJUNCTION_H
#define FLOWS_DP_CONJUNCTION_H

#include <stdbool.h>

#include "flows/dp/classifier.h"

enum { CONJUNCTION_SOFT_MAX = 512, CONJUNCTION_ACTIONS_MAX = 4096, CONJUNCTION_ROUNDS_MAX = 64 };

struct soft_matches {
	unsigned n;
	bool over; /* there were more */
	const struct rule *rules[CONJUNCTION_SOFT_MAX];
};

static inline void soft_add(struct soft_matches *s, const struct rule *r)
{
	if (s->n < CONJUNCTION_SOFT_MAX)
		s->rules[s->n++] = r;
	else
		s->over = true;
}

/* Are the actions those of a clause? */
bool conjunction_is_soft(const struct action_list *l);

/* As classifier_lookup, for a classifier with clauses. */
const struct rule *conjunction_lookup(const struct classifier *c, struct flow_key *key, uint64_t version,
                                      bool *over);

#endif
