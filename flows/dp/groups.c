/* SPDX-License-Identifier: Apache-2.0 */
/* One group_mod as a step of a change (OpenFlow 1.3 section 6.5), and what groups are asked for. Called by
 * tables_apply. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flows/dp/state.h"
#include "flows/dp/translate.h"

enum { GROUP_CHAIN_MAX = 4096 }; /* groups that one may lead to, counted as often as they are met */

/* ---- making groups ---- */

static struct group *present(const struct tables *t, uint32_t id)
{
	return (struct group *)(uintptr_t)group_find(t, id, t->next_version);
}

static void free_unused(struct tables *t, struct group *g, unsigned buckets, bool slot)
{
	for (unsigned i = 0; i < buckets; i++) {
		slots_put(&t->slots, g->buckets[i]);
		relevance_remove(&t->relevance, g->shapes[i]);
	}
	if (slot)
		slots_put(&t->slots, g->slot);
	group_mod_free(&g->mod);
	free(g->buckets);
	free(g->shapes);
	free(g);
}

static bool add_bucket(struct tables *t, struct group *g, unsigned i)
{
	g->shapes[i] = relevance_add(&t->relevance, SHAPE_ANY_TABLE, NULL, &g->mod.buckets[i].actions,
	                             g->mod.type == GROUP_TYPE_SELECT);
	if (!g->shapes[i])
		return false;
	if (!slots_get(&t->slots, &g->buckets[i]))
		return true;
	relevance_remove(&t->relevance, g->shapes[i]);
	return false;
}

/* `old`: the group it takes the place of, whose counters go on. */
static struct group *group_make(struct tables *t, const struct group_mod *gm, const struct group *old)
{
	struct group *g = calloc(1, sizeof(*g));
	unsigned n = 0;

	if (!g)
		return NULL;
	group_mod_init(&g->mod);
	g->buckets = calloc(gm->n_buckets + 1u, sizeof(*g->buckets));
	g->shapes = calloc(gm->n_buckets + 1u, sizeof(*g->shapes));
	if (!g->buckets || !g->shapes || group_mod_copy(&g->mod, gm)) {
		free_unused(t, g, 0, false);
		return NULL;
	}
	g->mod.command = GROUP_ADD;
	g->created = old ? old->created : t->now;
	if (old) {
		g->slot = old->slot;
		slots_share(&t->slots, g->slot);
	} else if (slots_get(&t->slots, &g->slot)) {
		free_unused(t, g, 0, false);
		return NULL;
	}
	while (n < gm->n_buckets && add_bucket(t, g, n))
		n++;
	if (n == gm->n_buckets)
		return g;
	free_unused(t, g, n, true);
	return NULL;
}

/* Does `gm` lead to `target` by way of chained groups? What takes more than `*visits` groups to find out
 * counts as if it did. */
static bool leads_to(const struct tables *t, const struct group_mod *gm, uint32_t target, unsigned *visits)
{
	if (!(*visits)--) {
		*visits = 0;
		return true;
	}
	for (unsigned b = 0; b < gm->n_buckets; b++)
		for (unsigned i = 0; i < gm->buckets[b].actions.n; i++) {
			const struct action *a = &gm->buckets[b].actions.items[i];
			const struct group *next;

			if (a->type != ACTION_GROUP)
				continue;
			if (a->number == target)
				return true;
			next = present(t, a->number);
			if (next && leads_to(t, &next->mod, target, visits))
				return true;
		}
	return false;
}

static enum tables_error check_buckets(const struct tables *t, const struct group_mod *gm)
{
	unsigned visits = GROUP_CHAIN_MAX;

	if (gm->n_buckets > GROUP_BUCKETS_MAX)
		return TABLES_GROUP_INVALID;
	if (gm->type == GROUP_TYPE_INDIRECT && gm->n_buckets != 1)
		return TABLES_GROUP_INVALID;
	if (leads_to(t, gm, gm->group_id, &visits))
		return TABLES_GROUP_LOOP;
	for (unsigned b = 0; b < gm->n_buckets; b++) {
		enum tables_error err = actions_check(t, &gm->buckets[b].actions);

		if (err)
			return err;
	}
	return TABLES_OK;
}

static enum tables_error put(struct tables *t, const struct group_mod *gm, struct group *old)
{
	enum tables_error err = check_buckets(t, gm);
	struct group *g;

	if (err)
		return err;
	if (!old && t->ngroups >= t->config.max_groups)
		return TABLES_OUT_OF_GROUPS;
	g = group_make(t, gm, old);
	if (!g)
		return TABLES_NO_MEMORY;
	err = old ? change_remove_group(t, old) : TABLES_OK;
	if (err) {
		group_discard(t, g);
		return err;
	}
	return change_add_group(t, g);
}

static enum tables_error delete (struct tables *t, struct group *g) {
	enum tables_error err = users_remove(t, ACTION_GROUP, g->mod.group_id, g->slot, TABLES_GROUP_DELETED);

	return err ? err : change_remove_group(t, g);
}

static enum tables_error delete_all(struct tables *t)
{
	for (unsigned h = 0; h < GROUP_HEADS; h++)
		for (struct group *g = t->groups[h]; g; g = g->next) {
			enum tables_error err = g->removed == VERSION_NEVER ? delete (t, g) : TABLES_OK;

			if (err)
				return err;
		}
	return TABLES_OK;
}

enum tables_error group_mod_apply(struct tables *t, const struct group_mod *gm)
{
	struct group *old = present(t, gm->group_id);

	switch (gm->command) {
	case GROUP_ADD:
		return old ? TABLES_GROUP_EXISTS : put(t, gm, NULL);
	case GROUP_MODIFY:
		return old ? put(t, gm, old) : TABLES_GROUP_UNKNOWN;
	case GROUP_ADD_OR_MODIFY:
		return put(t, gm, old);
	case GROUP_DELETE:
		if (gm->group_id == GROUP_ALL)
			return delete_all(t);
		if (!old)
			return TABLES_OK; /* not an error: section 6.5 */
		return slots_owner(&t->slots, old->slot)->chained_by ? TABLES_GROUP_CHAINED : delete (t, old);
	}
	return TABLES_BAD_COMMAND;
}

/* ---- what there is ---- */

static void group_stats_fill(struct tables *t, const struct group *g, uint64_t now, struct group_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->group_id = g->mod.group_id;
	s->duration_ns = now - g->created;
	slots_read(&t->slots, g->slot, &s->n_packets, &s->n_bytes, NULL);
	s->ref_count = slots_owner(&t->slots, g->slot)->named_by;
	s->buckets = calloc(g->mod.n_buckets + 1u, sizeof(*s->buckets));
	if (!s->buckets)
		return;
	s->n_buckets = g->mod.n_buckets;
	for (unsigned i = 0; i < s->n_buckets; i++)
		slots_read(&t->slots, g->buckets[i], &s->buckets[i].n_packets, &s->buckets[i].n_bytes, NULL);
}

const struct group_mod *tables_group_next(struct tables *t, uint32_t from, uint64_t now,
                                          struct group_stats *stats)
{
	uint32_t id;
	struct group *g;

	if (!ids_next_group(t, from, &id))
		return NULL;
	g = (struct group *)(uintptr_t)group_find(t, id, t->version);
	if (stats)
		group_stats_fill(t, g, now, stats);
	return &g->mod;
}
