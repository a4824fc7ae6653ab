/* SPDX-License-Identifier: Apache-2.0 */
/* One group_mod as a step of a change (OpenFlow 1.3 section 6.5), what groups are asked for, and the choice
 * of a bucket. Called by tables_apply; workers choose buckets. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flows/dp/state.h"
#include "flows/dp/translate.h"

/* ---- bucket choice (workers) ---- */

static bool bucket_live(const struct tables *t, const struct bucket *b)
{
	return b->watch_port == PORT_ANY || port_is_live(t, b->watch_port);
}

/* Of the headers that relevance.c keeps in the mask for select groups. */
static uint64_t headers_hash(const struct flow_key *k, uint64_t seed)
{
	struct {
		struct mac dst, src;
		be16 eth_type, tci;
		be32 nw_src, nw_dst;
		uint8_t ipv6_src[16], ipv6_dst[16];
		be16 tp_src, tp_dst;
		uint32_t proto;
	} h;

	memset(&h, 0, sizeof(h));
	h.dst = k->eth_dst;
	h.src = k->eth_src;
	h.eth_type = k->eth_type;
	h.tci = k->vlan[0].tci;
	h.nw_src = k->nw_src;
	h.nw_dst = k->nw_dst;
	memcpy(h.ipv6_src, k->ipv6_src, 16);
	memcpy(h.ipv6_dst, k->ipv6_dst, 16);
	h.tp_src = k->tp_src;
	h.tp_dst = k->tp_dst;
	h.proto = k->nw_proto;
	static_assert(sizeof(h) % 8 == 0, "hashed as words");
	return hash_words((const uint64_t *)&h, sizeof(h) / 8, seed);
}

/* Only the bits of the fields that the group names (selection_method=hash). */
static void masked_headers(const struct flow_key *key, const struct group_selection *s, struct flow_key *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < s->n_fields; i++) {
		enum field_id id = (enum field_id)s->fields[i].field;
		struct field_value v;

		if (!field_present(key, id))
			continue;
		field_get(key, id, &v);
		field_set_masked(out, id, &v, &s->fields[i].mask);
	}
}

static uint64_t selection_hash(const struct tables *t, const struct group *g, const struct flow_key *key)
{
	struct flow_key masked;

	if (!g->mod.selection.n_fields)
		return headers_hash(key, t->seed);
	masked_headers(key, &g->mod.selection, &masked);
	return headers_hash(&masked, t->seed);
}

/* Every live bucket draws a waiting time from the hash, exponential with its weight as the rate; the shortest
 * takes the packet. So each has its share, and a bucket that goes moves only its own flows. */
static int choose_select(const struct tables *t, const struct group *g, const struct flow_key *key)
{
	uint64_t hash = selection_hash(t, g, key);
	double best = INFINITY;
	int chosen = -1;

	for (unsigned i = 0; i < g->mod.n_buckets; i++) {
		const struct bucket *b = &g->mod.buckets[i];
		uint64_t drawn = hash_mix(hash ^ (b->bucket_id + 1) * 0x9e3779b97f4a7c15ull) >> 11;
		double wait = -log(((double)drawn + 1) * 0x1p-53) / b->weight;

		if (!b->weight || !bucket_live(t, b) || wait >= best)
			continue;
		best = wait;
		chosen = (int)i;
	}
	return chosen;
}

int group_choose_bucket(const struct tables *t, const struct group *g, const struct flow_key *key)
{
	if (g->mod.type == GROUP_TYPE_SELECT)
		return choose_select(t, g, key);
	for (unsigned i = 0; i < g->mod.n_buckets; i++)
		if (bucket_live(t, &g->mod.buckets[i]))
			return (int)i;
	return -1;
}

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

/* Does `id` lead to `target` by way of chained groups? */
static bool leads_to(const struct tables *t, const struct group_mod *gm, uint32_t target, unsigned depth)
{
	if (depth > 32)
		return true;
	for (unsigned b = 0; b < gm->n_buckets; b++)
		for (unsigned i = 0; i < gm->buckets[b].actions.n; i++) {
			const struct action *a = &gm->buckets[b].actions.items[i];
			const struct group *next;

			if (a->type != ACTION_GROUP)
				continue;
			if (a->number == target)
				return true;
			next = present(t, a->number);
			if (next && leads_to(t, &next->mod, target, depth + 1))
				return true;
		}
	return false;
}

static enum tables_error check_buckets(const struct tables *t, const struct group_mod *gm)
{
	if (gm->n_buckets > GROUP_BUCKETS_MAX)
		return TABLES_GROUP_INVALID;
	if (gm->type == GROUP_TYPE_INDIRECT && gm->n_buckets != 1)
		return TABLES_GROUP_INVALID;
	if (leads_to(t, gm, gm->group_id, 0))
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

static bool is_chained(const struct tables *t, uint32_t id)
{
	for (unsigned h = 0; h < GROUP_HEADS; h++)
		for (const struct group *g = t->groups[h]; g; g = g->next)
			for (unsigned b = 0; g->removed == VERSION_NEVER && b < g->mod.n_buckets; b++)
				if (action_list_uses_group(&g->mod.buckets[b].actions, id))
					return true;
	return false;
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
		return is_chained(t, gm->group_id) ? TABLES_GROUP_CHAINED : delete (t, old);
	}
	return TABLES_BAD_COMMAND;
}

/* ---- what there is ---- */

static struct group *next_group(const struct tables *t, uint32_t from)
{
	struct group *best = NULL;

	for (unsigned h = 0; h < GROUP_HEADS; h++)
		for (struct group *g = t->groups[h]; g; g = g->next)
			if (g->removed == VERSION_NEVER && g->mod.group_id >= from &&
			    (!best || g->mod.group_id < best->mod.group_id))
				best = g;
	return best;
}

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
	struct group *g = next_group(t, from);

	if (g && stats)
		group_stats_fill(t, g, now, stats);
	return g ? &g->mod : NULL;
}
