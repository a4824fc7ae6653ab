/* SPDX-License-Identifier: Apache-2.0 */
/* The lookup in tables with conjunctive matches; see conjunction.h. Called by the classifier, on workers. */
#include "flows/dp/conjunction.h"

#include <string.h>

#include "base/hash.h"

enum { MET_SIZE = 2 * CONJUNCTION_ACTIONS_MAX };

struct met {              /* what an id has so far */
	uint64_t missing; /* bit per dimension */
	uint32_t id;
	bool used;
};

struct ids {
	uint32_t mask; /* size - 1 */
	struct met met[MET_SIZE];
};

bool conjunction_is_soft(const struct action_list *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->items[i].type == ACTION_CONJUNCTION)
			return true;
	return false;
}

/* A conjunction of more dimensions than there are clauses cannot be complete. */
static bool counts(const struct action *a, unsigned clauses)
{
	return a->type == ACTION_CONJUNCTION && a->conjunction.n_clauses <= clauses;
}

/* Room for the conjunctions of priority `priority`. False: too many. */
static bool ids_init(struct ids *ids, const struct soft_matches *s, uint16_t priority, unsigned clauses)
{
	uint32_t n = 0, size = 16;

	for (unsigned i = 0; i < s->n; i++)
		for (unsigned k = 0; s->rules[i]->priority == priority && k < s->rules[i]->actions.n; k++)
			n += counts(&s->rules[i]->actions.items[k], clauses);
	if (n > CONJUNCTION_ACTIONS_MAX)
		return false;
	while (size < 2 * n)
		size *= 2;
	ids->mask = size - 1;
	memset(ids->met, 0, size * sizeof(ids->met[0]));
	return true;
}

/* Ticks a dimension off. True: none is missing. */
static bool ids_meet(struct ids *ids, const struct action *a)
{
	uint32_t i = (uint32_t)hash_mix(a->conjunction.id) & ids->mask;
	struct met *m;

	for (m = &ids->met[i]; m->used && m->id != a->conjunction.id; m = &ids->met[i])
		i = (i + 1) & ids->mask;
	if (!m->used)
		*m = (struct met){.missing = UINT64_MAX >> (64 - a->conjunction.n_clauses),
		                  .id = a->conjunction.id,
		                  .used = true};
	m->missing &= ~(1ull << a->conjunction.clause);
	return !m->missing;
}

/* Takes out what cannot win against `best`. False: nothing is left; else the highest priority and how many
 * have it. */
static bool keep_higher(struct soft_matches *s, const struct rule *best, uint16_t *priority,
                        unsigned *clauses)
{
	*clauses = 0;
	for (unsigned i = 0; i < s->n;) {
		const struct rule *r = s->rules[i];

		if (!r || (best && r->priority <= best->priority)) {
			s->rules[i] = s->rules[--s->n];
			continue;
		}
		if (!*clauses || r->priority > *priority) {
			*priority = r->priority;
			*clauses = 0;
		}
		*clauses += r->priority == *priority;
		i++;
	}
	return s->n;
}

/* The flow of an id that is complete among the clauses of `priority`; NULL: none. */
static const struct rule *complete(const struct classifier *c, struct flow_key *key, uint64_t version,
                                   const struct soft_matches *s, uint16_t priority, unsigned clauses,
                                   bool *over)
{
	uint32_t own = key->conj_id;
	const struct rule *found = NULL;
	unsigned lookups = 0;
	struct ids ids;

	*over = !ids_init(&ids, s, priority, clauses);
	for (unsigned i = 0; i < s->n && !found && !*over; i++) {
		const struct action_list *l = &s->rules[i]->actions;

		for (unsigned k = 0; s->rules[i]->priority == priority && k < l->n && !found; k++) {
			if (!counts(&l->items[k], clauses) || !ids_meet(&ids, &l->items[k]))
				continue;
			*over = ++lookups > CONJUNCTION_ROUNDS_MAX;
			if (*over)
				break;
			key->conj_id = l->items[k].conjunction.id;
			found = classifier_search(c, key, version, NULL);
		}
	}
	key->conj_id = own;
	return found;
}

/* Each clause of `priority` makes way for the next flow of its match, which may be an ordinary one. */
static void fall_back(struct soft_matches *s, uint16_t priority, uint64_t version, const struct rule **best)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct rule *r = s->rules[i];

		if (r->priority != priority)
			continue;
		do
			r = rcu_read(r->next);
		while (r && !rule_visible(r, version));
		if (r && !r->soft) {
			if (!*best || r->priority > (*best)->priority)
				*best = r;
			r = NULL;
		}
		s->rules[i] = r;
	}
}

const struct rule *conjunction_lookup(const struct classifier *c, struct flow_key *key, uint64_t version,
                                      bool *over)
{
	struct soft_matches soft;
	const struct rule *best;
	unsigned clauses = 0, rounds = 0;
	uint16_t priority = 0;

	soft.n = 0;
	soft.over = false;
	best = classifier_search(c, key, version, &soft);
	*over = soft.over;
	while (!*over && keep_higher(&soft, best, &priority, &clauses)) {
		const struct rule *found = complete(c, key, version, &soft, priority, clauses, over);

		if (found)
			return found;
		fall_back(&soft, priority, version, &best);
		*over |= ++rounds == CONJUNCTION_ROUNDS_MAX;
	}
	return best;
}
