/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes, ingresses and their masks; see relevance.h. Called when rules and groups come and go. */
#include "flows/dp/relevance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flows/dp/explore.h"

struct tunnel_id {
	struct tunnel_id *next;
	uint32_t id, users;
};

/* ---- ingresses ---- */

static struct ingress *ingress_find(struct relevance *r, uint64_t key)
{
	struct ingress *in = r->list;

	/* A port without tun_id is found at once when it is published; the others when shapes come and go. */
	if (!(key & UINT32_MAX) && r->ports[key >> 32])
		return r->ports[key >> 32];
	while (in && in->key != key)
		in = in->next;
	return in;
}

static struct ingress *ingress_use(struct relevance *r, uint64_t key)
{
	struct ingress *in = ingress_find(r, key);

	if (!in) {
		in = calloc(1, sizeof(*in));
		if (!in)
			return NULL;
		in->key = key;
		in->dirty = true;
		in->next = r->list;
		r->list = in;
		r->wider = true;
	}
	in->users++;
	return in;
}

static void ingress_unuse(struct relevance *r, uint64_t key)
{
	struct ingress *in = ingress_find(r, key);

	if (in && !--in->users)
		r->narrower = true;
}

static void ingress_free(void *ingress)
{
	struct ingress *in = ingress;

	if (!in)
		return;
	free(in->current);
	free(in->visited);
	free(in);
}

static bool is_tunnel(const struct relevance *r, uint32_t port)
{
	return r->tunnel_ports[port / 64] >> (port % 64) & 1;
}

static bool tunnel_id_use(struct relevance *r, uint32_t id)
{
	struct tunnel_id *t = r->tunnel_ids;

	while (t && t->id != id)
		t = t->next;
	if (t) {
		t->users++;
		return true;
	}
	t = malloc(sizeof(*t));
	if (!t)
		return false;
	*t = (struct tunnel_id){.next = r->tunnel_ids, .id = id, .users = 1};
	r->tunnel_ids = t;
	/* Without memory packets with this tun_id share the mask of everything. */
	for (uint32_t port = 0; port < INGRESS_PORTS; port++)
		if (r->tunnel_ports[port / 64] && is_tunnel(r, port))
			ingress_use(r, (uint64_t)port << 32 | id);
	return true;
}

static void tunnel_id_unuse(struct relevance *r, uint32_t id)
{
	struct tunnel_id **link = &r->tunnel_ids, *t;

	while (*link && (*link)->id != id)
		link = &(*link)->next;
	t = *link;
	if (!t || --t->users)
		return;
	*link = t->next;
	free(t);
	for (uint32_t port = 0; port < INGRESS_PORTS; port++)
		if (r->tunnel_ports[port / 64] && is_tunnel(r, port))
			ingress_unuse(r, (uint64_t)port << 32 | id);
}

void relevance_set_tunnel(struct relevance *r, uint16_t port, bool tunnel)
{
	if (is_tunnel(r, port) == tunnel)
		return;
	r->tunnel_ports[port / 64] ^= 1ull << (port % 64);
	for (struct tunnel_id *t = r->tunnel_ids; t; t = t->next) {
		if (tunnel)
			ingress_use(r, (uint64_t)port << 32 | t->id);
		else
			ingress_unuse(r, (uint64_t)port << 32 | t->id);
	}
	relevance_widen(r);
	relevance_narrow(r);
}

/* ---- shapes ---- */

static bool names_port(const struct shape *s)
{
	return s->mask.in_port == UINT32_MAX && s->value.in_port;
}

static bool names_tunnel(const struct shape *s)
{
	uint64_t id = be64toh(s->value.tun_id);

	return s->mask.tun_id == UINT64_MAX && id && id <= UINT32_MAX;
}

static bool concerns(const struct ingress *in, const struct shape *s)
{
	if (in->dirty || in->everything || s->table == SHAPE_ANY_TABLE)
		return true;
	for (unsigned i = 0; i < in->nvisited; i++)
		if (in->visited[i].table == s->table &&
		    pstate_meets(&in->visited[i].value, &in->visited[i].known, s))
			return true;
	return false;
}

static void mark_dirty(struct relevance *r, const struct shape *s)
{
	r->all->dirty = true;
	r->other->dirty |= concerns(r->other, s);
	for (struct ingress *in = r->list; in; in = in->next)
		in->dirty |= concerns(in, s);
}

static struct shape *shape_find(struct relevance *r, const struct shape *want)
{
	struct shape *s = r->shapes[want->hash % SHAPE_HEADS];

	while (s && !shape_equal(s, want))
		s = s->next;
	return s;
}

static void count_lengths(struct relevance *r, const struct shape *s, int by)
{
	if (s->needs.pkt_len)
		__atomic_store_n(&r->lengths, r->lengths + (uint32_t)by, __ATOMIC_RELAXED);
}

static struct shape *shape_new(struct relevance *r, const struct shape *want)
{
	struct shape *s = malloc(shape_bytes(want)), **head = &r->shapes[want->hash % SHAPE_HEADS];

	if (!s)
		return NULL;
	memcpy(s, want, shape_bytes(want));
	if (names_tunnel(s) && !tunnel_id_use(r, (uint32_t)be64toh(s->value.tun_id))) {
		free(s);
		return NULL;
	}
	if (names_port(s) && !ingress_use(r, (uint64_t)mkey_port(s->value.in_port) << 32)) {
		if (names_tunnel(s))
			tunnel_id_unuse(r, (uint32_t)be64toh(s->value.tun_id));
		free(s);
		return NULL;
	}
	s->next = *head;
	*head = s;
	s->prev_in_table = NULL;
	s->next_in_table = r->tables[s->table];
	if (s->next_in_table)
		s->next_in_table->prev_in_table = s;
	r->tables[s->table] = s;
	r->table_shapes[s->table]++;
	count_lengths(r, s, 1);
	r->wider = true;
	mark_dirty(r, s);
	return s;
}

struct shape *relevance_add(struct relevance *r, uint32_t table, const struct match *match,
                            const struct action_list *actions, bool select)
{
	const struct shape *want = shape_of(table, match, actions, select, false);
	struct shape *s = shape_find(r, want);

	/* With very many kinds of state in a table, what is new is no longer told apart by its values. */
	if (!s && r->table_shapes[want->table] >= RELEVANCE_SHAPES_MAX) {
		want = shape_of(table, match, actions, select, true);
		s = shape_find(r, want);
	}
	if (!s)
		s = shape_new(r, want);
	if (s)
		s->users++;
	return s;
}

void relevance_remove(struct relevance *r, struct shape *s)
{
	struct shape **link = &r->shapes[s->hash % SHAPE_HEADS];

	if (--s->users)
		return;
	mark_dirty(r, s);
	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	if (s->prev_in_table)
		s->prev_in_table->next_in_table = s->next_in_table;
	else
		r->tables[s->table] = s->next_in_table;
	if (s->next_in_table)
		s->next_in_table->prev_in_table = s->prev_in_table;
	r->table_shapes[s->table]--;
	count_lengths(r, s, -1);
	if (names_port(s))
		ingress_unuse(r, (uint64_t)mkey_port(s->value.in_port) << 32);
	if (names_tunnel(s))
		tunnel_id_unuse(r, (uint32_t)be64toh(s->value.tun_id));
	r->narrower = true;
	free(s);
}

/* ---- masks ---- */

static int publish(struct relevance *r, struct ingress *in, const struct mkey mask[MKEY_CLASSES],
                   const struct lengths *lengths)
{
	struct relevance_mask *old = in->current, *m;

	if (old && !memcmp(old->mask, mask, sizeof(old->mask)) &&
	    !memcmp(&old->lengths, lengths, sizeof(*lengths)))
		return 0;
	m = aligned_alloc(64, (sizeof(*m) + 63) / 64 * 64);
	if (!m)
		return -ENOMEM;
	memcpy(m->mask, mask, sizeof(m->mask));
	m->lengths = *lengths;
	m->epoch = ++r->epoch;
	rcu_assign(in->current, m);
	if (old)
		rcu_defer(free, old);
	return 0;
}

static void sum_all(const struct relevance *r, struct need_sum *sum)
{
	for (unsigned h = 0; h < SHAPE_HEADS; h++)
		for (const struct shape *s = r->shapes[h]; s; s = s->next)
			need_add(sum, s);
}

/* `keep`: what counted so far still counts. */
static int update(struct relevance *r, struct ingress *in, bool keep)
{
	struct mkey mask[MKEY_CLASSES];
	struct need_sum sum = {0};
	struct lengths lengths;
	int err;

	in->everything = in == r->all || !explore(r, in, &sum);
	if (in->everything)
		sum_all(r, &sum);
	need_masks(&sum, mask);
	lengths = need_lengths(&sum);
	if (keep && in->current) {
		uint64_t *to = (uint64_t *)mask;
		const uint64_t *old = (const uint64_t *)in->current->mask;

		for (unsigned i = 0; i < sizeof(mask) / 8; i++)
			to[i] |= old[i];
		lengths_join(&lengths, &in->current->lengths);
	}
	err = publish(r, in, mask, &lengths);
	in->dirty = err || (keep && r->narrower);
	return err;
}

static int update_dirty(struct relevance *r, bool keep)
{
	int err = 0;

	if (r->all->dirty)
		err |= update(r, r->all, keep);
	if (r->other->dirty)
		err |= update(r, r->other, keep);
	for (struct ingress *in = r->list; in; in = in->next)
		if (in->dirty)
			err |= update(r, in, keep);
	return err ? -ENOMEM : 0;
}

/* ---- publishing ingresses ---- */

static void map_put(struct ingress_map *map, struct ingress *in)
{
	uint64_t i = hash_mix(in->key) & map->mask;

	while (map->slots[i])
		i = (i + 1) & map->mask;
	map->slots[i] = in;
}

/* The map of tunnel ports anew, without those that nobody uses. */
static int publish_map(struct relevance *r)
{
	uint64_t n = 0, slots = 8;
	struct ingress_map *map, *old = r->tunnels;

	for (struct ingress *in = r->list; in; in = in->next)
		n += (in->key & UINT32_MAX) && in->users;
	while (slots < 2 * n)
		slots *= 2;
	map = calloc(1, sizeof(*map) + slots * sizeof(map->slots[0]));
	if (!map)
		return -ENOMEM;
	map->mask = slots - 1;
	for (struct ingress *in = r->list; in; in = in->next)
		if ((in->key & UINT32_MAX) && in->users && in->current)
			map_put(map, in);
	rcu_assign(r->tunnels, map);
	if (old)
		rcu_defer(free, old);
	return 0;
}

static int publish_ingresses(struct relevance *r)
{
	bool tunnels = false;

	for (struct ingress *in = r->list; in; in = in->next) {
		if (in->key & UINT32_MAX)
			tunnels = true;
		else if (in->current && in->users)
			rcu_assign(r->ports[in->key >> 32], in);
	}
	return tunnels ? publish_map(r) : 0;
}

static void drop_unused(struct relevance *r)
{
	bool tunnels = false;

	for (struct ingress *in = r->list; in; in = in->next) {
		if (in->users)
			continue;
		tunnels |= (in->key & UINT32_MAX) != 0;
		if (!(in->key & UINT32_MAX))
			rcu_assign(r->ports[in->key >> 32], NULL);
	}
	if (tunnels && publish_map(r))
		return;
	for (struct ingress **link = &r->list, *in; (in = *link);) {
		if (in->users) {
			link = &in->next;
			continue;
		}
		*link = in->next;
		rcu_defer(ingress_free, in);
	}
}

/* ---- life ---- */

int relevance_init(struct relevance *r)
{
	memset(r, 0, sizeof(*r));
	r->other = calloc(1, sizeof(*r->other));
	r->all = calloc(1, sizeof(*r->all));
	if (!r->other || !r->all || publish_map(r))
		return -ENOMEM;
	r->other->dirty = r->all->dirty = true;
	return update_dirty(r, false);
}

void relevance_exit(struct relevance *r)
{
	for (unsigned h = 0; h < SHAPE_HEADS; h++)
		while (r->shapes[h]) {
			struct shape *s = r->shapes[h];

			r->shapes[h] = s->next;
			free(s);
		}
	while (r->list) {
		struct ingress *in = r->list;

		r->list = in->next;
		ingress_free(in);
	}
	while (r->tunnel_ids) {
		struct tunnel_id *t = r->tunnel_ids;

		r->tunnel_ids = t->next;
		free(t);
	}
	ingress_free(r->other);
	ingress_free(r->all);
	free(r->tunnels);
}

int relevance_widen(struct relevance *r)
{
	int err;

	if (!r->wider)
		return 0;
	err = update_dirty(r, true);
	if (!err)
		err = publish_ingresses(r);
	r->wider = err;
	return err;
}

void relevance_narrow(struct relevance *r)
{
	if (!r->narrower)
		return;
	drop_unused(r);
	if (update_dirty(r, false) || publish_ingresses(r))
		return;
	r->narrower = r->wider = false;
}
