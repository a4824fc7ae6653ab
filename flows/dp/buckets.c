/* SPDX-License-Identifier: Apache-2.0 */
/* Which bucket of a select or fast failover group takes a packet. Called by translate.c, on workers. */
#include <math.h>
#include <string.h>

#include "flows/dp/walk.h"

enum { WATCH_DEPTH_MAX = 16 }; /* groups that watch groups */

/* Is it live by its port or its group, or without being watched (section 5.6.1)? */
static bool bucket_live(struct walk *w, const struct bucket *b, unsigned depth)
{
	const struct group *g;

	if (b->watch_port == PORT_ANY && b->watch_group == GROUP_NONE)
		return true;
	if (b->watch_port != PORT_ANY && port_is_live(w->t, b->watch_port))
		return true;
	if (b->watch_group == GROUP_NONE || depth == WATCH_DEPTH_MAX)
		return false;
	emit_dep(w, dep_of_group(b->watch_group));
	g = group_find(w->t, b->watch_group, w->version);
	for (unsigned i = 0; g && i < g->mod.n_buckets; i++)
		if (bucket_live(w, &g->mod.buckets[i], depth + 1))
			return true;
	return false;
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
static int choose_select(struct walk *w, const struct group *g)
{
	uint64_t hash = selection_hash(w->t, g, &w->key);
	double best = INFINITY;
	int chosen = -1;

	for (unsigned i = 0; i < g->mod.n_buckets; i++) {
		const struct bucket *b = &g->mod.buckets[i];
		uint64_t drawn = hash_mix(hash ^ (b->bucket_id + 1) * 0x9e3779b97f4a7c15ull) >> 11;
		double wait = -log(((double)drawn + 1) * 0x1p-53) / b->weight;

		if (!b->weight || !bucket_live(w, b, 0) || wait >= best)
			continue;
		best = wait;
		chosen = (int)i;
	}
	return chosen;
}

int bucket_choose(struct walk *w, const struct group *g)
{
	if (g->mod.type == GROUP_TYPE_SELECT)
		return choose_select(w, g);
	for (unsigned i = 0; i < g->mod.n_buckets; i++)
		if (bucket_live(w, &g->mod.buckets[i], 0))
			return (int)i;
	return -1;
}
