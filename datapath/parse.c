/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet, VLAN, MPLS, PBB, ARP, IPv4 and transport headers; IPv6 is in parse_ipv6.c. The pipeline calls it
 * for every packet. */
#include "datapath/parse_private.h"

#include <string.h>

#include "base/wire.h"

void parse_ext(struct mkey *key)
{
	if (key->flags & MKEY_EXT)
		return;
	memset((uint8_t *)key + offsetof(struct mkey, tun_src), 0,
	       sizeof(*key) - offsetof(struct mkey, tun_src));
	key->flags |= MKEY_EXT;
}

void parse_tunnel(const struct packet *p, struct mkey *key)
{
	const struct packet_tunnel *t = &p->tunnel;
	be32 v4;

	parse_ext(key);
	key->tun_id = (uint32_t)t->id;
	if (ip_is_v4(&t->dst)) {
		v4 = ip_to_v4(&t->src);
		memcpy(&key->tun_src, &v4, 4);
		v4 = ip_to_v4(&t->dst);
		memcpy(&key->tun_dst, &v4, 4);
	} else {
		memcpy(key->tun_ipv6_src, t->src.b, 16);
		memcpy(key->tun_ipv6_dst, t->dst.b, 16);
	}
	key->tun_flags = htobe16(t->flags);
	key->tun_tos = t->tos;
	key->tun_ttl = t->ttl;
}

/* Up to two tags behind the Ethernet header that ends at `at`, which ends behind the last tag's type. */
static be16 read_tags(struct parser *s, struct flow_vlan tags[FLOW_VLANS])
{
	be16 type;

	memcpy(&type, parser_at(s, s->at - 2), 2);
	for (unsigned i = 0; i < FLOW_VLANS; i++) {
		const struct vlan_header *tag;

		tags[i] = (struct flow_vlan){0};
		if (type != htobe16(ETH_TYPE_VLAN) && type != htobe16(ETH_TYPE_QINQ))
			continue;
		if (!parser_has(s, sizeof(*tag)))
			continue;
		tag = parser_at(s, s->at);
		tags[i] = (struct flow_vlan){.tpid = type, .tci = tag->tci | htobe16(0x1000)};
		s->at += sizeof(*tag);
		type = tag->type;
	}
	return type;
}

static be16 read_outer_tags(struct parser *s)
{
	struct flow_vlan tags[FLOW_VLANS];
	be16 type = read_tags(s, tags);

	s->key->vlan_tci = tags[0].tci;
	if (tags[0].tpid && tags[0].tpid != htobe16(ETH_TYPE_VLAN)) {
		parse_ext(s->key);
		s->key->vlan_tpid = tags[0].tpid;
	}
	if (tags[1].tpid) {
		parse_ext(s->key);
		s->key->vlan2_tci = tags[1].tci;
		s->key->vlan2_tpid = tags[1].tpid;
	}
	return type;
}

/* EtherType or, for 802.3 with SNAP (IEEE 802 section 10.3), the one inside; else OpenFlow's 0x05ff. */
static be16 read_llc(struct parser *s, be16 type)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 3, 0, 0, 0};
	const uint8_t *llc;
	be16 inner;

	if (be16toh(type) >= ETH_TYPE_MIN)
		return type;
	if (!parser_has(s, 8))
		return htobe16(0x05ff);
	llc = parser_at(s, s->at);
	memcpy(&inner, llc + 6, 2);
	if (memcmp(llc, snap, sizeof(snap)) != 0 || be16toh(inner) < ETH_TYPE_MIN)
		return htobe16(0x05ff);
	s->at += 8;
	return inner;
}

static void read_arp(struct parser *s)
{
	struct mkey *key = s->key;
	const struct arp_header *arp;

	if (!parser_has(s, sizeof(*arp)))
		return;
	arp = parser_at(s, s->at);
	if (arp->hw_type != htobe16(1) || arp->proto_type != htobe16(ETH_TYPE_IPV4) || arp->hw_len != 6 ||
	    arp->proto_len != 4)
		return;
	s->p->l3_kind = L3_ARP;
	if (be16toh(arp->op) <= 0xff)
		key->proto = (uint8_t)be16toh(arp->op);
	memcpy(key->ip_src, &arp->spa, 4);
	memcpy(key->ip_src + 4, &arp->sha, 6);
	memcpy(key->ip_dst, &arp->tpa, 4);
	memcpy(key->ip_dst + 4, &arp->tha, 6);
}

/* RFC 9293, 768, 9260, 792: what the key wants lies in the first bytes of each. */
static uint32_t l4_header_size(uint8_t proto)
{
	switch (proto) {
	case IP_PROTO_TCP:
		return sizeof(struct tcp_header);
	case IP_PROTO_SCTP:
		return sizeof(struct sctp_header);
	case IP_PROTO_UDP:
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMPV6:
		return sizeof(struct udp_header);
	default:
		return 0;
	}
}

static uint8_t fragments; /* worker: ro, control: wo */

void parse_set_fragments(enum fragments mode)
{
	__atomic_store_n(&fragments, (uint8_t)mode, __ATOMIC_RELAXED);
}

enum fragments parse_fragments(void)
{
	return (enum fragments)__atomic_load_n(&fragments, __ATOMIC_RELAXED);
}

void parse_l4(struct parser *s, uint8_t proto)
{
	struct mkey *key = s->key;
	uint32_t size = l4_header_size(proto);
	const uint8_t *h;

	if (!size || !parser_has(s, size))
		return;
	s->p->l4 = (uint16_t)s->at;
	s->p->l4_proto = proto;
	if (key->flags & FLOW_FRAG_ANY && parse_fragments() != FRAGMENTS_NX_MATCH)
		return;
	h = parser_at(s, s->at);
	switch (proto) {
	case IP_PROTO_TCP:
		memcpy(&key->tcp_flags, h + offsetof(struct tcp_header, offset_flags), 2);
		key->tcp_flags &= htobe16(0x0fff);
		/* fall through */
	case IP_PROTO_UDP:
	case IP_PROTO_SCTP:
		memcpy(&key->tp_src, h, 2);
		memcpy(&key->tp_dst, h + 2, 2);
		break;
	case IP_PROTO_ICMP:
		if (s->p->l3_kind != L3_IPV4)
			break;
		key->tp_src = htobe16(h[0]);
		key->tp_dst = htobe16(h[1]);
		break;
	case IP_PROTO_ICMPV6:
		if (s->p->l3_kind != L3_IPV6)
			break;
		key->tp_src = htobe16(h[0]);
		key->tp_dst = htobe16(h[1]);
		parse_nd(s);
		break;
	}
}

static void read_ipv4(struct parser *s)
{
	struct mkey *key = s->key;
	const struct ipv4_header *ip;
	uint32_t header, total;
	be16 frag;
	uint8_t proto;

	if (!parser_has(s, sizeof(*ip)))
		return;
	ip = parser_at(s, s->at);
	header = (ip->version_ihl & 15u) * 4;
	total = be16toh(ip->total_len);
	if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip) || header > total || total > s->end - s->at)
		return;
	s->p->l3_kind = L3_IPV4;
	memcpy(key->ip_src, &ip->src, 4);
	memcpy(key->ip_dst, &ip->dst, 4);
	key->proto = proto = ip->proto;
	key->tos = ip->tos;
	key->ttl = ip->ttl;
	frag = ip->frag;
	if (frag & htobe16(0x3fff))
		key->flags |= FLOW_FRAG_ANY;
	if (frag & htobe16(0x1fff)) {
		key->flags |= FLOW_FRAG_LATER;
		return;
	}
	s->end = s->at + total; /* what follows is padding of the link */
	if (!parser_has(s, header))
		return;
	s->at += header;
	parse_l4(s, proto);
}

static void read_mpls(struct parser *s);

static void read_l3(struct parser *s, be16 type)
{
	switch (be16toh(type)) {
	case ETH_TYPE_IPV4:
		read_ipv4(s);
		break;
	case ETH_TYPE_IPV6:
		parse_ipv6(s);
		break;
	case ETH_TYPE_ARP:
	case ETH_TYPE_RARP:
		read_arp(s);
		break;
	case ETH_TYPE_MPLS:
	case ETH_TYPE_MPLS_MC:
		read_mpls(s);
		break;
	}
}

/* What lies behind the labels is not said: IP shows by its version, ARP by its hardware type (RFC 4928). */
static void read_behind_labels(struct parser *s)
{
	if (!parser_has(s, 1))
		return;
	switch (*(const uint8_t *)parser_at(s, s->at) >> 4) {
	case 4:
		read_ipv4(s);
		break;
	case 6:
		parse_ipv6(s);
		break;
	case 0:
		read_arp(s);
		break;
	}
}

static void read_mpls(struct parser *s)
{
	for (unsigned i = 0; i < FLOW_MPLS && parser_has(s, 4); i++) {
		be32 lse;

		memcpy(&lse, parser_at(s, s->at), 4);
		parse_ext(s->key);
		s->key->mpls[i] = lse;
		s->at += 4;
		if (lse & htobe32(0x100)) {
			read_behind_labels(s);
			break;
		}
	}
}

/* IEEE 802.1ah: the I-TAG and the customer's frame behind it. */
static void read_pbb(struct parser *s)
{
	struct mkey *key = s->key;
	struct flow_vlan tags[FLOW_VLANS];
	be32 itag;

	if (!parser_has(s, 4))
		return;
	memcpy(&itag, parser_at(s, s->at), 4);
	parse_ext(key);
	key->pbb_isid = itag & htobe32(0xffffff);
	s->at += 4;
	if (!parser_has(s, sizeof(struct eth_header)))
		return;
	memcpy(&key->inner_dst, parser_at(s, s->at), 12);
	s->at += sizeof(struct eth_header);
	key->inner_type = read_llc(s, read_tags(s, tags));
	key->inner_tci = tags[0].tci;
	key->inner_tpid = tags[0].tpid;
	key->inner2_tci = tags[1].tci;
	key->inner2_tpid = tags[1].tpid;
	read_l3(s, key->inner_type);
}

/* Behind labels or an I-TAG. The key has it for later tables; no action may touch it before the packet is one
 * of that kind, so the packet's offsets do not tell. */
static void read_inner(struct parser *s, be16 type)
{
	struct packet *p = s->p;
	static const uint8_t layout[] = {
	        [L3_IPV4] = MKEY_IPV4 + 1, [L3_IPV6] = MKEY_IPV6 + 1, [L3_ARP] = MKEY_ARP + 1};

	if (type == htobe16(ETH_TYPE_PBB))
		read_pbb(s);
	else
		read_mpls(s);
	s->key->flags |= (uint8_t)(layout[p->l3_kind] << MKEY_INNER_SHIFT);
	p->flags |= PACKET_COVERED;
	p->l3_kind = L3_OTHER;
	p->l4 = 0;
}

static bool is_mpls_or_pbb(be16 type)
{
	return type == htobe16(ETH_TYPE_MPLS) || type == htobe16(ETH_TYPE_MPLS_MC) ||
	       type == htobe16(ETH_TYPE_PBB);
}

void parse_packet(struct packet *p, struct mkey *key)
{
	struct parser s = {.p = p, .key = key, .at = sizeof(struct eth_header), .end = p->len};
	uint16_t l3 = p->l3, l4 = p->l4;
	be16 type;

	memset(key, 0, offsetof(struct mkey, tun_src));
	p->l3 = p->l4 = 0;
	p->l3_kind = L3_OTHER;
	key->in_port = mkey_port(p->in_port);
	if (packet_has_tunnel(p))
		parse_tunnel(p, key);
	if (p->len < sizeof(struct eth_header) || !packet_pull(p, sizeof(struct eth_header)))
		return;
	memcpy(&key->eth_dst, p->head, 12);
	type = read_llc(&s, read_outer_tags(&s));
	key->eth_type = type;
	p->l3 = (uint16_t)s.at;
	if (is_mpls_or_pbb(type))
		read_inner(&s, type);
	else
		read_l3(&s, type);
	if (p->gso != GSO_NONE && l3 && p->l4 != p->csum_start) {
		p->l3 = l3;
		p->l4 = l4;
		p->l3_kind = L3_OTHER;
	}
}

void parse_offsets(struct packet *p)
{
	struct mkey key;

	parse_packet(p, &key);
}
