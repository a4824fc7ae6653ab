/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules name a group or a meter, which groups lead to one: how many, and removal of rules with it.
 * Called by change.c, groups.c and meters.c. */
#include "flows/dp/state.h"

static bool is_named(enum action_type type)
{
	return type == ACTION_GROUP || type == ACTION_METER;
}

static bool has_nested(enum action_type type)
{
	return type == ACTION_CLONE || type == ACTION_WRITE_ACTIONS;
}

bool users_named(const struct action_list *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (is_named(l->items[i].type) ||
		    (has_nested(l->items[i].type) && users_named(&l->items[i].nested)))
			return true;
	return false;
}

static struct slot_owner *owner_of(struct tables *t, const struct action *a)
{
	const struct group *g;
	const struct meter *m;

	if (a->type == ACTION_GROUP) {
		g = group_find(t, a->number, t->next_version);
		return g ? slots_owner(&t->slots, g->slot) : NULL;
	}
	m = meter_find(t, a->number, t->next_version);
	return m ? slots_owner(&t->slots, m->slot) : NULL;
}

static void count_list(struct tables *t, const struct action_list *l, int32_t add)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];
		struct slot_owner *o = is_named(a->type) ? owner_of(t, a) : NULL;

		if (o)
			o->named_by += (uint32_t)add;
		else if (has_nested(a->type))
			count_list(t, &a->nested, add);
	}
}

void users_count(struct tables *t, const struct rule *r, int32_t add)
{
	count_list(t, &r->actions, add);
}

void users_count_chained(struct tables *t, const struct group *g, int32_t add)
{
	for (unsigned b = 0; b < g->mod.n_buckets; b++)
		for (unsigned i = 0; i < g->mod.buckets[b].actions.n; i++) {
			const struct action *a = &g->mod.buckets[b].actions.items[i];
			struct slot_owner *o = a->type == ACTION_GROUP ? owner_of(t, a) : NULL;

			if (o)
				o->chained_by += (uint32_t)add;
		}
}

static bool names(const struct action_list *l, enum action_type type, uint32_t id)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];

		if ((a->type == type && a->number == id) ||
		    (has_nested(a->type) && names(&a->nested, type, id)))
			return true;
	}
	return false;
}

enum tables_error users_remove(struct tables *t, enum action_type type, uint32_t id, struct slot_ref slot,
                               enum tables_removed reason)
{
	const struct slot_owner *o = slots_owner(&t->slots, slot);

	for (unsigned i = 0; i < TABLES_COUNT && o->named_by; i++) {
		struct rule *next;

		for (struct rule *r = t->tables[i].rules; r && o->named_by; r = next) {
			enum tables_error err;

			next = r->next_of_table;
			if (!r->names || !names(&r->actions, type, id))
				continue;
			err = change_remove_rule(t, r, reason, r->flags & FLOW_SEND_REM);
			if (err)
				return err;
		}
	}
	return TABLES_OK;
}
