/* SPDX-License-Identifier: Apache-2.0 */
/* multipath in the model: it knows no hash. Any link will do, but what is hashed decides: packets that agree
 * in that, in whichever direction, take the same one. */
#include <string.h>

#include "tests/differential/model_run.h"

static void put(struct model_choice *c, unsigned *at, const void *bytes, size_t n)
{
	memcpy(c->flow + *at, bytes, n);
	*at += n;
}

/* Whichever is the source. */
static void put_pair(struct model_choice *c, unsigned *at, const void *a, const void *b, size_t n)
{
	bool swap = memcmp(a, b, n) < 0;

	put(c, at, swap ? b : a, n);
	put(c, at, swap ? a : b, n);
}

static void put_addresses(struct model_choice *c, unsigned *at, const struct flow_key *k,
                          enum hash_fields hashed)
{
	bool six = k->eth_type == htobe16(ETH_TYPE_IPV6);
	const void *src = six ? (const void *)k->ipv6_src : &k->nw_src;
	const void *dst = six ? (const void *)k->ipv6_dst : &k->nw_dst;
	size_t n = six ? 16 : 4;

	if (hashed == HASH_NW_SRC)
		put(c, at, src, n);
	else if (hashed == HASH_NW_DST)
		put(c, at, dst, n);
	else
		put_pair(c, at, src, dst, n);
}

static void put_l4(struct model_choice *c, unsigned *at, const struct flow_key *k, bool udp)
{
	put(c, at, &k->nw_proto, 1);
	if (k->nw_proto == IP_PROTO_TCP || k->nw_proto == IP_PROTO_SCTP ||
	    (udp && k->nw_proto == IP_PROTO_UDP))
		put_pair(c, at, &k->tp_src, &k->tp_dst, 2);
}

static void put_ethernet(struct model_choice *c, unsigned *at, const struct flow_key *k)
{
	put_pair(c, at, k->eth_src.b, k->eth_dst.b, 6);
	put(c, at, &k->eth_type, 2);
	for (unsigned i = 0; i < FLOW_VLANS; i++) {
		be16 vid = k->vlan[i].tci & htobe16(0x0fff);

		put(c, at, &vid, 2);
	}
}

/* What tells flows apart, in `c` from *at on. */
static void put_hashed(const struct run *r, enum hash_fields hashed, struct model_choice *c, unsigned *at)
{
	struct flow_key k = run_key(r);
	bool ip = k.eth_type == htobe16(ETH_TYPE_IPV4) || k.eth_type == htobe16(ETH_TYPE_IPV6);

	if (hashed == HASH_ETH_SRC)
		put(c, at, k.eth_src.b, 6);
	else if (ip)
		put_addresses(c, at, &k, hashed);
	if (hashed == HASH_SYMMETRIC_L4)
		put_ethernet(c, at, &k);
	if (ip && (hashed == HASH_SYMMETRIC_L4 || hashed == HASH_SYMMETRIC_L3L4 ||
	           hashed == HASH_SYMMETRIC_L3L4_UDP))
		put_l4(c, at, &k, hashed == HASH_SYMMETRIC_L3L4_UDP);
}

void run_multipath(struct run *r, const struct action_multipath *m)
{
	struct model_choice c = {.group_id = GROUP_NONE};
	unsigned links[MODEL_BUCKETS_MAX], at = 0;

	for (unsigned i = 0; i <= m->max_link; i++)
		links[i] = i;
	put(&c, &at, "m", 1);
	put(&c, &at, m, offsetof(struct action_multipath, dst));
	put_hashed(r, (enum hash_fields)m->fields, &c, &at);
	run_load(r, &m->dst, m->max_link ? run_choose(r, &c, links, m->max_link + 1u) : 0);
}

/* Only real ports go down. */
static bool is_live(struct run *r, uint32_t port)
{
	return (port > PORT_MAX && port != PORT_LOCAL) || model_port_live(r->m, port);
}

uint32_t run_bundle(struct run *r, const struct action_bundle *b)
{
	struct model_choice c = {.group_id = GROUP_NONE};
	unsigned live[MODEL_BUCKETS_MAX], n = 0, at = 0;

	for (unsigned i = 0; i < b->n_members; i++)
		if (is_live(r, b->members[i]))
			live[n++] = i;
	if (!n)
		return PORT_ANY;
	put(&c, &at, "b", 1);
	put(&c, &at, &b->fields, 2);
	put(&c, &at, &b->basis, 2);
	put(&c, &at, b->members, b->n_members * sizeof(*b->members));
	put_hashed(r, (enum hash_fields)b->fields, &c, &at);
	return b->members[n > 1 && b->algorithm == BUNDLE_HRW ? run_choose(r, &c, live, n) : live[0]];
}
