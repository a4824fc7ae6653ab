/* SPDX-License-Identifier: Apache-2.0 */
/* The model's parser: from bytes to header fields, as Open vSwitch reads them. */
#include <string.h>

#include "tests/differential/model_frame.h"

struct cursor {
	const struct model_frame *f;
	struct flow_key *key;
	struct model_layout *at;
};

static bool is_tag(uint16_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

static void clear_headers(struct flow_key *key)
{
	memset((uint8_t *)key + offsetof(struct flow_key, eth_dst), 0,
	       sizeof(*key) - offsetof(struct flow_key, eth_dst));
}

static void copy_port(be16 *to, const uint8_t *from)
{
	memcpy(to, from, 2);
}

/* ---- transport ---- */

static uint32_t header_size(uint8_t proto)
{
	switch (proto) {
	case IP_PROTO_TCP:
		return 20;
	case IP_PROTO_SCTP:
		return 12;
	case IP_PROTO_UDP:
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMPV6:
		return 8;
	default:
		return 0;
	}
}

/* Neighbour discovery: the target and one link-layer address; a malformed or doubled option spoils all. */
static void parse_nd(struct cursor *c, uint32_t at)
{
	const uint8_t *d = c->f->data;
	uint8_t wanted = d[at] == 135 ? 1 : 2;
	struct mac found = {{0}};
	unsigned n = 0;

	if ((d[at] != 135 && d[at] != 136) || d[at + 1] || at + 24 > c->at->end)
		return;
	for (uint32_t o = at + 24; o + 8 <= c->at->end; o += d[o + 1] * 8u) {
		if (!d[o + 1] || o + d[o + 1] * 8u > c->at->end)
			return;
		if (d[o] != wanted || d[o + 1] != 1)
			continue;
		if (n++)
			return;
		memcpy(found.b, d + o + 2, 6);
	}
	memcpy(c->key->nd_target, d + at + 8, 16);
	*(wanted == 1 ? &c->key->arp_sha : &c->key->arp_tha) = found;
}

static void parse_l4(struct cursor *c, uint32_t at, uint8_t proto)
{
	uint32_t size = header_size(proto);
	const uint8_t *d = c->f->data + at;
	bool v6 = c->at->is == MODEL_L3_IPV6;

	if (!size || at + size > c->at->end)
		return;
	c->at->l4 = at;
	c->at->proto = proto;
	if (c->key->nw_frag)
		return;
	switch (proto) {
	case IP_PROTO_TCP:
		c->key->tcp_flags = htobe16(get16(d + 12) & 0xfff);
		/* fall through */
	case IP_PROTO_UDP:
	case IP_PROTO_SCTP:
		copy_port(&c->key->tp_src, d);
		copy_port(&c->key->tp_dst, d + 2);
		return;
	default:
		if (v6 != (proto == IP_PROTO_ICMPV6))
			return;
		c->key->tp_src = htobe16(d[0]);
		c->key->tp_dst = htobe16(d[1]);
		if (v6)
			parse_nd(c, at);
	}
}

/* ---- network ---- */

static void parse_ipv4(struct cursor *c)
{
	const uint8_t *d = c->f->data + c->at->l3;
	uint32_t left = c->f->len - c->at->l3, header, total;
	struct flow_key *k = c->key;

	if (left < 20 || d[0] >> 4 != 4)
		return;
	header = (d[0] & 15u) * 4;
	total = get16(d + 2);
	if (header < 20 || total < header || total > left)
		return;
	c->at->is = MODEL_L3_IPV4;
	c->at->end = c->at->l3 + total;
	memcpy(&k->nw_src, d + 12, 4);
	memcpy(&k->nw_dst, d + 16, 4);
	k->nw_proto = d[9];
	k->nw_tos = d[1];
	k->nw_ttl = d[8];
	if (get16(d + 6) & 0x3fff)
		k->nw_frag = FLOW_FRAG_ANY;
	if (get16(d + 6) & 0x1fff)
		k->nw_frag |= FLOW_FRAG_LATER;
	else
		parse_l4(c, c->at->l3 + header, d[9]);
}

/* OpenFlow 1.3 section 7.2.3.8: what extension headers there are, twice, out of order. */
static void note_extension(struct flow_key *k, uint8_t proto, unsigned *rank, unsigned *destinations)
{
	static const uint8_t order[] = {0, 60, 43, 44, 51, 50}; /* RFC 8200 section 4.1 */
	static const uint16_t bits[] = {1 << 6, 1 << 3, 1 << 5, 1 << 4, 1 << 2, 1 << 1};
	uint16_t seen = be16toh(k->ipv6_exthdr);

	if (proto == 59) {
		k->ipv6_exthdr = htobe16(seen | 1);
		return;
	}
	for (unsigned i = 0; i < 6; i++) {
		unsigned here = i + 1;

		if (order[i] != proto)
			continue;
		if (proto == 60 && *rank >= 2)
			here = 7; /* the second place that destination options may have */
		if (proto == 60 ? ++*destinations > 2 : seen & bits[i])
			seen |= 1 << 7;
		if (here < *rank)
			seen |= 1 << 8;
		*rank = here;
		seen |= bits[i];
	}
	k->ipv6_exthdr = htobe16(seen);
}

static void parse_ipv6(struct cursor *c)
{
	const uint8_t *d = c->f->data;
	uint32_t at = c->at->l3, left = c->f->len - at;
	unsigned rank = 0, destinations = 0, n = 0;
	struct flow_key *k = c->key, seen = {0};
	uint8_t proto;

	if (left < 40 || d[at] >> 4 != 6 || get16(d + at + 4) > left - 40)
		return;
	c->at->is = MODEL_L3_IPV6;
	c->at->end = at + 40 + get16(d + at + 4);
	memcpy(k->ipv6_src, d + at + 8, 16);
	memcpy(k->ipv6_dst, d + at + 24, 16);
	k->ipv6_label = htobe32(get32(d + at) & 0xfffff);
	proto = d[at + 6];
	seen.nw_tos = (uint8_t)(get16(d + at) >> 4);
	seen.nw_ttl = d[at + 7];
	at += 40;
	for (;; n++) {
		uint32_t size;

		if (n == 8)
			return; /* too many */
		note_extension(&seen, proto, &rank, &destinations);
		if (proto != 0 && proto != 43 && proto != 44 && proto != 51 && proto != 60)
			break;
		if (at + 8 > c->at->end)
			return; /* cut off */
		size = proto == 44 ? 8 : proto == 51 ? (d[at + 1] + 2u) * 4 : (d[at + 1] + 1u) * 8;
		if (proto == 44 && get16(d + at + 2) & 0xfff9)
			seen.nw_frag |= FLOW_FRAG_ANY;
		if (proto == 44 && get16(d + at + 2) & 0xfff8) {
			seen.nw_frag |= FLOW_FRAG_LATER;
			break;
		}
		if (at + size > c->at->end)
			return;
		proto = d[at];
		at += size;
	}
	k->nw_proto = proto;
	k->nw_tos = seen.nw_tos;
	k->nw_ttl = seen.nw_ttl;
	k->nw_frag = seen.nw_frag;
	k->ipv6_exthdr = seen.ipv6_exthdr;
	if (!(k->nw_frag & FLOW_FRAG_LATER))
		parse_l4(c, at, proto);
}

static void parse_arp(struct cursor *c)
{
	static const uint8_t ethernet_ipv4[6] = {0, 1, 8, 0, 6, 4};
	const uint8_t *d = c->f->data + c->at->l3;
	struct flow_key *k = c->key;

	if (c->f->len - c->at->l3 < 28 || memcmp(d, ethernet_ipv4, 6) != 0)
		return;
	c->at->is = MODEL_L3_ARP;
	k->nw_proto = d[6] ? 0 : d[7];
	memcpy(k->arp_sha.b, d + 8, 6);
	memcpy(&k->nw_src, d + 14, 4);
	memcpy(k->arp_tha.b, d + 18, 6);
	memcpy(&k->nw_dst, d + 24, 4);
}

static void parse_mpls(struct cursor *c)
{
	for (uint32_t i = 0, at = c->at->l3; i < FLOW_MPLS && at + 4 <= c->f->len; i++, at += 4) {
		memcpy(&c->key->mpls[i], c->f->data + at, 4);
		if (c->f->data[at + 2] & 1)
			return;
	}
}

/* ---- link ---- */

static void parse_tags(struct cursor *c)
{
	uint32_t at = 12;

	while (c->at->tags < FLOW_VLANS && is_tag(get16(c->f->data + at)) && at + 6 <= c->f->len) {
		struct flow_vlan *v = &c->key->vlan[c->at->tags++];

		v->tpid = htobe16(get16(c->f->data + at));
		v->tci = htobe16(get16(c->f->data + at + 2) | 0x1000);
		at += 4;
	}
	c->at->type = get16(c->f->data + at);
	c->at->l3 = at + 2;
}

/* A length instead of a type: 802.2, which may name a type behind SNAP. */
static void parse_llc(struct cursor *c)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 3, 0, 0, 0};
	const uint8_t *d = c->f->data + c->at->l3;

	if (c->at->type >= 0x600)
		return;
	c->at->type = 0x5ff;
	if (c->at->l3 + 8 > c->f->len || memcmp(d, snap, 6) != 0 || get16(d + 6) < 0x600)
		return;
	c->at->type = get16(d + 6);
	c->at->l3 += 8;
}

void model_parse(const struct model_frame *f, struct flow_key *key, struct model_layout *at)
{
	struct cursor c = {.f = f, .key = key, .at = at};

	memset(at, 0, sizeof(*at));
	clear_headers(key);
	memcpy(key->eth_dst.b, f->data, 6);
	memcpy(key->eth_src.b, f->data + 6, 6);
	parse_tags(&c);
	parse_llc(&c);
	key->eth_type = htobe16(at->type);
	switch (at->type) {
	case ETH_TYPE_IPV4:
		parse_ipv4(&c);
		break;
	case ETH_TYPE_IPV6:
		parse_ipv6(&c);
		break;
	case ETH_TYPE_ARP:
	case ETH_TYPE_RARP:
		parse_arp(&c);
		break;
	case ETH_TYPE_MPLS:
	case ETH_TYPE_MPLS_MC:
		parse_mpls(&c);
		break;
	case ETH_TYPE_PBB:
		if (at->l3 + 4 <= f->len)
			key->pbb_isid = htobe32(get32(f->data + at->l3) & 0xffffff);
		break;
	}
}
