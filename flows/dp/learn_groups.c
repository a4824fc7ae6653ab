/* SPDX-License-Identifier: Apache-2.0 */
/* Flows of one table and cookie, counted for learn actions with a limit and deleted with those that say so;
 * see learn.h. Called by change.c and flow_mods.c. */
#include <stdlib.h>

#include "flows/dp/learn.h"

static struct learn_group **head_of(struct tables *t, uint8_t table_id, uint64_t cookie)
{
	return &t->learn_groups[hash_mix(cookie ^ (uint64_t)table_id << 56) % LEARN_GROUP_HEADS];
}

const struct learn_group *learn_group_find(const struct tables *t, uint8_t table_id, uint64_t cookie)
{
	const struct learn_group *g = rcu_read(*head_of((struct tables *)(uintptr_t)t, table_id, cookie));

	while (g && (g->table_id != table_id || g->cookie != cookie))
		g = rcu_read(g->next);
	return g;
}

static void note_limit(struct learn_group *g, uint32_t limit)
{
	if (!limit)
		return;
	if (!g->limit_min || limit < g->limit_min)
		g->limit_min = limit;
	if (limit > g->limit_max)
		g->limit_max = limit;
}

static struct learn_group *find(struct tables *t, uint8_t table_id, uint64_t cookie)
{
	return (struct learn_group *)(uintptr_t)learn_group_find(t, table_id, cookie);
}

static struct learn_group *create(struct tables *t, uint8_t table_id, uint64_t cookie)
{
	struct learn_group **head = head_of(t, table_id, cookie), *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->table_id = table_id;
	g->cookie = cookie;
	if (table_id < TABLES_COUNT)
		for (const struct rule *r = t->tables[table_id].rules; r; r = r->next_of_table)
			g->flows += r->cookie == cookie;
	g->next = *head;
	rcu_assign(*head, g);
	t->nlearn_groups++;
	return g;
}

static void put(struct tables *t, struct learn_group *g)
{
	struct learn_group **link = head_of(t, g->table_id, g->cookie);

	if (--g->users)
		return;
	while (*link != g)
		link = &(*link)->next;
	rcu_assign(*link, g->next);
	t->nlearn_groups--;
	rcu_defer(free, g);
}

static bool is_counted(const struct action *a)
{
	return a->type == ACTION_LEARN && (a->learn->limit || a->learn->flags & LEARN_DELETE_LEARNED);
}

bool learn_groups_hold(struct tables *t, const struct action_list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];
		struct learn_group *g;

		if (a->type == ACTION_CLONE && learn_groups_hold(t, &a->nested))
			continue;
		if (a->type != ACTION_CLONE && !is_counted(a))
			continue;
		g = is_counted(a) ? find(t, a->learn->table_id, a->learn->cookie) : NULL;
		if (!g && is_counted(a))
			g = create(t, a->learn->table_id, a->learn->cookie);
		if (g) {
			g->users++;
			note_limit(g, a->learn->limit);
			continue;
		}
		learn_groups_release(t, &(struct action_list){.items = l->items, .n = i});
		return false;
	}
	return true;
}

void learn_groups_release(struct tables *t, const struct action_list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];

		if (a->type == ACTION_CLONE)
			learn_groups_release(t, &a->nested);
		else if (is_counted(a))
			put(t, find(t, a->learn->table_id, a->learn->cookie));
	}
}

static void count_deleters(struct tables *t, const struct action_list *l, int32_t add)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];
		struct learn_group *g;

		if (a->type == ACTION_CLONE)
			count_deleters(t, &a->nested, add);
		if (!is_counted(a) || !(a->learn->flags & LEARN_DELETE_LEARNED))
			continue;
		g = find(t, a->learn->table_id, a->learn->cookie);
		g->deleters += (uint32_t)add;
		if (g->deleters || g->orphaned)
			continue;
		g->orphaned = true;
		g->next_orphaned = t->orphaned;
		t->orphaned = g;
	}
}

void learn_groups_count(struct tables *t, const struct rule *r, int32_t add)
{
	struct learn_group *g;

	if (!t->nlearn_groups)
		return;
	g = find(t, r->table_id, r->cookie);
	if (g) {
		uint32_t flows = g->flows + (uint32_t)add, higher = add > 0 ? flows : g->flows;

		__atomic_store_n(&g->flows, flows, __ATOMIC_RELAXED);
		t->learn_limit_passed |= higher >= g->limit_min && higher <= g->limit_max;
	}
	if (r->learns)
		count_deleters(t, &r->actions, add);
}

static enum tables_error remove_learned(struct tables *t, const struct learn_group *g)
{
	struct rule *next;

	if (g->table_id >= TABLES_COUNT)
		return TABLES_OK;
	for (struct rule *r = t->tables[g->table_id].rules; r && g->flows; r = next) {
		enum tables_error err;

		next = r->next_of_table;
		if (r->cookie != g->cookie)
			continue;
		err = change_remove_rule(t, r, TABLES_DELETED, r->flags & FLOW_SEND_REM);
		if (err)
			return err;
	}
	return TABLES_OK;
}

enum tables_error learn_groups_sweep(struct tables *t)
{
	while (t->orphaned) {
		struct learn_group *g = t->orphaned;
		enum tables_error err;

		t->orphaned = g->next_orphaned;
		g->orphaned = false;
		/* A flow that learns the same may have come in the same change. */
		err = g->deleters ? TABLES_OK : remove_learned(t, g);
		if (err)
			return err;
	}
	return TABLES_OK;
}

void learn_groups_forget(struct tables *t)
{
	while (t->orphaned) {
		t->orphaned->orphaned = false;
		t->orphaned = t->orphaned->next_orphaned;
	}
}
