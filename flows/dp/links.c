/* SPDX-License-Identifier: Apache-2.0 */
/* multipath and bundle: a link or a live port by a hash of what the packet is now. Called by translate.c.
 * What is hashed must be what shape.c says that it needs. No seed of this switch is in the hash: all of them,
 * and this one after a restart, choose the same, and the basis tells choices apart. */
#include <string.h>

#include "flows/dp/walk.h"

enum {
	HRW_LINKS_MAX = 64,   /* more links are found by MULTIPATH_ITER_HASH: it does not ask each */
	ITER_HASH_TRIES = 64, /* of which each one succeeds with a chance of almost 1/2, or better */
};

/* Two ends of a connection in an order that does not depend on the direction. */
static void put_ends(uint8_t *to, const void *a, const void *b, size_t n)
{
	bool swap = memcmp(a, b, n) > 0;

	memcpy(to, swap ? b : a, n);
	memcpy(to + n, swap ? a : b, n);
}

struct hashed {
	uint8_t macs[12];
	be16 vids[FLOW_VLANS];
	uint8_t addresses[32], ports[4];
	be16 eth_type;
	uint8_t proto, pad;
};
static_assert(sizeof(struct hashed) % 8 == 0, "hashed as words");

/* Source and destination of IP; false: the packet is not one. */
static bool addresses_of(const struct flow_key *k, const void **src, const void **dst, size_t *n)
{
	bool six = k->eth_type == htobe16(ETH_TYPE_IPV6);

	*src = six ? (const void *)k->ipv6_src : &k->nw_src;
	*dst = six ? (const void *)k->ipv6_dst : &k->nw_dst;
	*n = six ? 16 : 4;
	return six || k->eth_type == htobe16(ETH_TYPE_IPV4);
}

static bool has_ports(const struct flow_key *k, bool udp)
{
	return k->nw_proto == IP_PROTO_TCP || k->nw_proto == IP_PROTO_SCTP ||
	       (udp && k->nw_proto == IP_PROTO_UDP);
}

static void put_l2(struct hashed *h, const struct flow_key *k)
{
	put_ends(h->macs, k->eth_src.b, k->eth_dst.b, 6);
	for (unsigned i = 0; i < FLOW_VLANS; i++)
		h->vids[i] = k->vlan[i].tci & htobe16(0x0fff);
	h->eth_type = k->eth_type;
}

static void put_l3(struct hashed *h, const struct flow_key *k, enum hash_fields hashed)
{
	const void *src, *dst;
	size_t n;

	if (!addresses_of(k, &src, &dst, &n))
		return;
	if (hashed == HASH_NW_SRC || hashed == HASH_NW_DST)
		memcpy(h->addresses, hashed == HASH_NW_SRC ? src : dst, n);
	else
		put_ends(h->addresses, src, dst, n);
	if (hashed != HASH_SYMMETRIC_L4 && hashed != HASH_SYMMETRIC_L3L4 && hashed != HASH_SYMMETRIC_L3L4_UDP)
		return;
	h->proto = k->nw_proto;
	if (has_ports(k, hashed == HASH_SYMMETRIC_L3L4_UDP))
		put_ends(h->ports, &k->tp_src, &k->tp_dst, 2);
}

static uint64_t hash_of(const struct flow_key *k, enum hash_fields hashed, uint16_t basis)
{
	struct hashed h;
	uint64_t words[sizeof(h) / 8];

	memset(&h, 0, sizeof(h));
	if (hashed == HASH_ETH_SRC)
		memcpy(h.macs, k->eth_src.b, 6);
	else
		put_l3(&h, k, hashed);
	if (hashed == HASH_SYMMETRIC_L4)
		put_l2(&h, k);
	memcpy(words, &h, sizeof(h));
	return hash_words(words, sizeof(h) / 8, basis);
}

/* Another hash for each number. */
static uint64_t draw(uint64_t hash, uint32_t number)
{
	return hash_mix(hash ^ (number + 1ull) * 0x9e3779b97f4a7c15ull);
}

/* The link of the highest weight: one that comes or goes moves only its own flows. */
static uint32_t highest_weight(uint64_t hash, uint32_t links)
{
	uint32_t best = 0;

	for (uint32_t link = 1; link < links; link++)
		if (draw(hash, link) > draw(hash, best))
			best = link;
	return best;
}

/* Hashes again until one is a link. The modulus lies from `links` to about twice that: the one asked for, or
 * else a power of 2. */
static uint32_t iterate(uint64_t hash, uint32_t links, uint32_t modulus)
{
	if (modulus < links || modulus / 2 > links)
		for (modulus = 1; modulus < links;)
			modulus *= 2;
	for (uint32_t i = 0; i < ITER_HASH_TRIES; i++) {
		uint32_t link = (uint32_t)(draw(hash, i) % modulus);

		if (link < links)
			return link;
	}
	return (uint32_t)(hash % links);
}

static uint32_t choose(const struct action_multipath *m, uint64_t hash)
{
	uint32_t links = m->max_link + 1u;

	switch ((enum multipath_algorithm)m->algorithm) {
	case MULTIPATH_HASH_THRESHOLD:
		return (uint32_t)((hash >> 32) * links >> 32);
	case MULTIPATH_HRW:
		return links <= HRW_LINKS_MAX ? highest_weight(hash, links) : iterate(hash, links, 0);
	case MULTIPATH_ITER_HASH:
		return iterate(hash, links, m->arg);
	default:
		return (uint32_t)(hash % links);
	}
}

static void load(struct walk *w, const struct subfield *dst, uint32_t number)
{
	struct field_value from = value_from_u64(number), value = {{0}}, mask;

	mask = value_ones(dst->offset, dst->bits);
	value_copy_bits(&value, dst->offset, &from, 0, dst->bits);
	rewrite_set_field(w, dst->field, &value, &mask);
}

void link_multipath(struct walk *w, const struct action_multipath *m)
{
	load(w, &m->dst, choose(m, hash_of(&w->key, (enum hash_fields)m->fields, m->basis)));
}

/* ---- bundle ---- */

/* Reserved ports are no ports that could go down. */
static bool member_live(const struct tables *t, uint32_t port)
{
	switch (port) {
	case PORT_IN_PORT:
	case PORT_TABLE:
	case PORT_NORMAL:
	case PORT_FLOOD:
	case PORT_ALL:
	case PORT_ANY:
		return true;
	default:
		return port_is_live(t, port);
	}
}

/* The first live member, or of all those the one of the highest weight: a member that goes moves only its own
 * flows. */
uint32_t link_bundle(struct walk *w, const struct action_bundle *b)
{
	bool first = b->algorithm == BUNDLE_ACTIVE_BACKUP;
	uint64_t hash = first ? 0 : hash_of(&w->key, (enum hash_fields)b->fields, b->basis);
	uint32_t best = PORT_ANY;
	uint64_t weight = 0;
	bool any = false;

	emit_dep(w, (uint16_t)DEP_PORTS);
	for (uint32_t i = 0; i < b->n_members && !(first && any); i++) {
		if (!member_live(w->t, b->members[i]) || (any && draw(hash, i) <= weight))
			continue;
		best = b->members[i];
		weight = draw(hash, i);
		any = true;
	}
	return best;
}

void link_bundle_load(struct walk *w, const struct action_bundle *b)
{
	load(w, &b->dst, mkey_port(link_bundle(w, b)));
}
