/* SPDX-License-Identifier: Apache-2.0 */
/* The model's flows and groups: changes, and which rule a packet meets. */
#include <stdlib.h>
#include <string.h>

#include "tests/differential/model.h"

void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
}

static void drop_rule(struct model *m, unsigned i)
{
	action_list_free(&m->rules[i].actions);
	memmove(&m->rules[i], &m->rules[i + 1], (m->n - i - 1) * sizeof(m->rules[0]));
	m->n--;
}

void model_free(struct model *m)
{
	while (m->n)
		drop_rule(m, m->n - 1);
	while (m->ngroups)
		group_mod_free(&m->groups[--m->ngroups].mod);
	free(m->rules);
	free(m->choices);
}

/* ---- which bits of a key count ---- */

struct words {
	uint64_t w[FLOW_KEY_WORDS];
};

static struct words words_of(const struct flow_key *key)
{
	struct words w;

	memcpy(&w, key, sizeof(w));
	return w;
}

static bool same_match(const struct match *a, const struct match *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Does `narrow` say all that `wide` says? */
static bool covers(const struct match *wide, const struct match *narrow)
{
	struct words wk = words_of(&wide->key), wm = words_of(&wide->mask);
	struct words nk = words_of(&narrow->key), nm = words_of(&narrow->mask);

	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
		if ((nm.w[i] & wm.w[i]) != wm.w[i] || (nk.w[i] & wm.w[i]) != wk.w[i])
			return false;
	return true;
}

static bool meets(const struct match *m, const uint64_t *packet)
{
	const uint64_t *key = (const uint64_t *)&m->key, *mask = (const uint64_t *)&m->mask;

	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
		if ((packet[i] & mask[i]) != key[i])
			return false;
	return true;
}

/* ---- flows ---- */

static bool selected(const struct model_rule *r, const struct flow_mod *fm)
{
	bool strict = fm->command == FLOW_MODIFY_STRICT || fm->command == FLOW_DELETE_STRICT;
	bool deletes = fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT;

	if (fm->table_id != TABLE_ALL && fm->table_id != r->table_id)
		return false;
	if (strict && (r->priority != fm->priority || !same_match(&r->match, &fm->match)))
		return false;
	if (!strict && !covers(&fm->match, &r->match))
		return false;
	if ((r->cookie & fm->cookie_mask) != (fm->match_cookie & fm->cookie_mask))
		return false;
	if (!deletes)
		return true;
	return (fm->out_port == PORT_ANY || action_list_outputs_to(&r->actions, fm->out_port)) &&
	       (fm->out_group == GROUP_ANY || action_list_uses_group(&r->actions, fm->out_group));
}

static void insert(struct model *m, const struct model_rule *new)
{
	unsigned i = 0;

	if (m->n == m->capacity) {
		m->capacity = m->capacity * 2 + 16;
		m->rules = realloc(m->rules, m->capacity * sizeof(*m->rules));
	}
	while (i < m->n && (m->rules[i].table_id < new->table_id ||
	                    (m->rules[i].table_id == new->table_id && m->rules[i].priority >= new->priority)))
		i++;
	memmove(&m->rules[i + 1], &m->rules[i], (m->n - i) * sizeof(m->rules[0]));
	m->rules[i] = *new;
	m->n++;
}

static struct model_rule *find_strict(struct model *m, uint8_t table_id, uint16_t priority,
                                      const struct match *match)
{
	for (unsigned i = 0; i < m->n; i++) {
		struct model_rule *r = &m->rules[i];

		if (r->table_id == table_id && r->priority == priority && same_match(&r->match, match))
			return r;
	}
	return NULL;
}

static void add(struct model *m, const struct flow_mod *fm)
{
	struct model_rule *old = find_strict(m, fm->table_id, fm->priority, &fm->match);
	struct model_rule new = {
	        .table_id = fm->table_id,
	        .priority = fm->priority,
	        .flags = fm->flags,
	        .cookie = fm->cookie,
	        .match = fm->match,
	};

	action_list_copy(&new.actions, &fm->actions);
	if (!old) {
		insert(m, &new);
		return;
	}
	if (!(fm->flags & FLOW_RESET_COUNTS))
		new.count = old->count;
	action_list_free(&old->actions);
	*old = new;
}

/* A flow that a packet has taught: the same one stays, another of its match and priority takes its actions
 * and keeps its counters. */
void model_learn(struct model *m, const struct flow_mod *fm)
{
	struct model_rule *r = find_strict(m, fm->table_id, fm->priority, &fm->match);

	if (!r) {
		add(m, fm);
		return;
	}
	r->cookie = fm->cookie;
	r->flags = fm->flags;
	action_list_free(&r->actions);
	action_list_copy(&r->actions, &fm->actions);
}

void model_flow_mod(struct model *m, const struct flow_mod *fm)
{
	if (fm->command == FLOW_ADD) {
		add(m, fm);
		return;
	}
	for (unsigned i = m->n; i--;) {
		struct model_rule *r = &m->rules[i];

		if (!selected(r, fm))
			continue;
		if (fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT) {
			drop_rule(m, i);
			continue;
		}
		action_list_free(&r->actions);
		action_list_copy(&r->actions, &fm->actions);
		if (fm->flags & FLOW_RESET_COUNTS)
			r->count = (struct model_count){0};
		if (fm->modify_cookie)
			r->cookie = fm->cookie;
	}
}

bool model_has_priority(const struct model *m, uint8_t table_id, uint16_t priority)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->rules[i].table_id == table_id && m->rules[i].priority == priority)
			return true;
	return false;
}

/* A clause of conjunctions. */
static bool is_clause(const struct model_rule *r)
{
	return r->actions.n && r->actions.items[0].type == ACTION_CONJUNCTION;
}

/* Is there a clause of the same match and a higher priority? */
static bool is_hidden(const struct model *m, const struct model_rule *r)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->rules[i].table_id == r->table_id && m->rules[i].priority > r->priority &&
		    is_clause(&m->rules[i]) && same_match(&m->rules[i].match, &r->match))
			return true;
	return false;
}

/* With a conj_id, flows that a clause hides are not seen, as in Open vSwitch. */
static struct model_rule *best_ordinary(struct model *m, unsigned table_id, const struct flow_key *key)
{
	struct words packet = words_of(key);

	for (unsigned i = 0; i < m->n; i++) {
		struct model_rule *r = &m->rules[i];

		if (r->table_id == table_id && meets(&r->match, packet.w) && !is_clause(r) &&
		    !(key->conj_id && is_hidden(m, r)))
			return r;
	}
	return NULL;
}

/* Does the packet meet a clause of each dimension of `id` among those of this priority? */
static bool complete(struct model *m, unsigned table_id, const uint64_t *packet, uint16_t priority,
                     uint32_t id)
{
	uint64_t met = 0, all = 0;

	for (unsigned i = 0; i < m->n; i++) {
		const struct model_rule *r = &m->rules[i];

		if (r->table_id != table_id || r->priority != priority || !is_clause(r) ||
		    !meets(&r->match, packet))
			continue;
		for (unsigned k = 0; k < r->actions.n; k++) {
			const struct action *a = &r->actions.items[k];

			if (a->conjunction.id != id)
				continue;
			met |= 1ull << a->conjunction.clause;
			all = (1ull << a->conjunction.n_clauses) - 1;
		}
	}
	return all && met == all;
}

/* Clauses of a higher priority than the best flow may together stand for a conj_id, which is looked up. */
struct model_rule *model_lookup(struct model *m, unsigned table_id, const struct flow_key *key)
{
	struct model_rule *best = best_ordinary(m, table_id, key);
	struct words packet = words_of(key);

	for (unsigned i = 0; i < m->n; i++) {
		const struct model_rule *r = &m->rules[i];

		if (r->table_id != table_id || !is_clause(r) || !meets(&r->match, packet.w))
			continue;
		if (best && r->priority <= best->priority)
			break;
		for (unsigned k = 0; k < r->actions.n; k++) {
			struct flow_key with = *key;
			struct model_rule *found;

			with.conj_id = r->actions.items[k].conjunction.id;
			if (!complete(m, table_id, packet.w, r->priority, with.conj_id))
				continue;
			found = best_ordinary(m, table_id, &with);
			if (found)
				return found;
		}
	}
	return best;
}

/* ---- groups ---- */

struct model_group *model_group(struct model *m, uint32_t id)
{
	for (unsigned i = 0; i < m->ngroups; i++)
		if (m->groups[i].mod.group_id == id)
			return &m->groups[i];
	return NULL;
}

static void forget_choices(struct model *m, uint32_t id)
{
	for (unsigned i = m->nchoices; i--;)
		if (m->choices[i].group_id == id)
			m->choices[i] = m->choices[--m->nchoices];
}

/* A modified group keeps its own counters; its buckets are new. */
void model_group_mod(struct model *m, const struct group_mod *gm)
{
	struct model_group *g = model_group(m, gm->group_id);
	struct model_count kept = {0};

	forget_choices(m, gm->group_id);
	if (g) {
		kept = g->count;
		group_mod_free(&g->mod);
		*g = m->groups[--m->ngroups];
	}
	if (gm->command != GROUP_DELETE) {
		g = &m->groups[m->ngroups++];
		memset(g, 0, sizeof(*g));
		group_mod_copy(&g->mod, gm);
		g->count = kept;
		return;
	}
	for (unsigned i = m->n; i--;)
		if (action_list_uses_group(&m->rules[i].actions, gm->group_id))
			drop_rule(m, i);
}
