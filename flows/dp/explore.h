/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of relevance: follows constants from an ingress through the tables. Control thread; design and life
 * cycle stand in relevance.h. */
#ifndef FLOWS_DP_EXPLORE_H
#define FLOWS_DP_EXPLORE_H

#include "flows/dp/relevance.h"

/* What shapes need of packets, added up. */
struct need_sum {
	struct flow_key classes[MKEY_CLASSES];
	bool mixes, resizes;
	struct lengths lengths;
};

void need_add(struct need_sum *sum, const struct shape *s);
/* The lengths that have to be told apart, as all of it together needs them. */
struct lengths need_lengths(const struct need_sum *sum);
void need_masks(const struct need_sum *sum, struct mkey mask[MKEY_CLASSES]);

static inline bool pstate_meets(const struct pstate *value, const struct pstate *known, const struct shape *s)
{
	const uint64_t *v = (const uint64_t *)value, *k = (const uint64_t *)known;
	const uint64_t *sv = (const uint64_t *)&s->value, *sm = (const uint64_t *)&s->mask;
	uint64_t diff = 0;

	for (unsigned i = 0; i < PSTATE_WORDS; i++)
		diff |= (v[i] ^ sv[i]) & sm[i] & k[i];
	return !diff;
}

/* Adds what all that can be reached from `in` needs, and notes what was visited in in->visited. False: too
 * much, or not to be followed; nothing is noted then. */
bool explore(const struct relevance *r, struct ingress *in, struct need_sum *sum);

#endif
