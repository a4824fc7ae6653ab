/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules a loose change, an aggregate or a dump is about. Compares words of keys, a subtable at a time,
 * instead of whole matches. Called by flow_mods.c and dump.c. */
#include <string.h>

#include "flows/dp/state.h"
#include "flows/dp/subtable.h"

struct filter_state {
	const struct flow_filter *filter;
	const struct subtable *subtable; /* that the rest is about */
	bool covered;                    /* its mask has all bits of the filter's */
	unsigned nwords;
	struct filter_word {
		unsigned index; /* in the rule's words */
		uint64_t mask, value;
	} words[FLOW_KEY_WORDS];
};

static void look_at_subtable(struct filter_state *st, const struct subtable *s)
{
	const uint64_t *mask = (const uint64_t *)&st->filter->match.mask;
	const uint64_t *key = (const uint64_t *)&st->filter->match.key;
	const uint64_t *have = (const uint64_t *)&s->wide_mask;

	st->subtable = s;
	st->covered = true;
	st->nwords = 0;
	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
		st->covered &= !(mask[i] & ~have[i]);
	for (unsigned i = 0; i < s->nwords && st->covered; i++)
		if (mask[s->word[i]])
			st->words[st->nwords++] = (struct filter_word){i, mask[s->word[i]], key[s->word[i]]};
}

static bool selects(struct filter_state *st, const struct rule *r)
{
	const struct flow_filter *f = st->filter;

	if (r->subtable != st->subtable)
		look_at_subtable(st, r->subtable);
	if (!st->covered || (r->cookie & f->cookie_mask) != (f->cookie & f->cookie_mask))
		return false;
	for (unsigned i = 0; i < st->nwords; i++)
		if ((r->words[st->words[i].index] & st->words[i].mask) != st->words[i].value)
			return false;
	if (f->out_port != PORT_ANY && !action_list_outputs_to(&r->actions, f->out_port))
		return false;
	return f->out_group == GROUP_ANY || action_list_uses_group(&r->actions, f->out_group);
}

enum tables_error rules_select(struct tables *t, const struct flow_filter *filter, rule_visit visit,
                               void *arg)
{
	struct filter_state st = {.filter = filter};
	enum tables_error err;

	for (unsigned i = 0; i < TABLES_COUNT; i++) {
		struct rule *next;

		if (filter->table_id != TABLE_ALL && filter->table_id != i)
			continue;
		for (struct rule *r = t->tables[i].rules; r; r = next) {
			next = r->next_of_table;
			if (!selects(&st, r))
				continue;
			err = visit(t, r, arg);
			if (err)
				return err;
		}
	}
	return TABLES_OK;
}
