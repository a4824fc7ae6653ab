/* SPDX-License-Identifier: Apache-2.0 */
/* From an outer packet to the inner one; called by the datapath for packets from uplinks. */
#include <rte_branch_prediction.h>

#include "base/checksum.h"
#include "base/hash.h"
#include "base/wire.h"
#include "base/dp/rcu.h"
#include "overlay/vxlan/allow.h"
#include "overlay/vxlan/vxlan.h"

struct outer { /* of one packet, after validation; offsets from head */
	struct ip_addr src, dst;
	uint32_t l4;
	uint32_t end; /* of the UDP datagram */
	uint32_t vni;
	be16 csum;
	uint8_t tos, ttl;
};

static int parse_ipv4(struct packet *p, struct outer *o)
{
	const struct ipv4_header *ip;
	uint32_t ihl, total;

	if (!packet_pull(p, sizeof(struct eth_header) + sizeof(*ip)))
		return DROP_TUNNEL_BAD_LENGTH;
	ip = (const void *)(p->head + sizeof(struct eth_header));
	ihl = (ip->version_ihl & 15) * 4u;
	total = be16toh(ip->total_len);
	if (ip->version_ihl >> 4 != 4 || ihl < sizeof(*ip) || total < ihl ||
	    total > p->len - sizeof(struct eth_header) || !packet_pull(p, sizeof(struct eth_header) + ihl))
		return DROP_TUNNEL_BAD_LENGTH;
	if (unlikely(csum_fold(csum_bytes(ip, ihl)) != 0xffff))
		return DROP_TUNNEL_BAD_CSUM;
	if (ip->proto != IP_PROTO_UDP)
		return DROP_UNDERLAY_OTHER;
	if (ip->frag & htobe16(0x3fff)) /* MF or an offset */
		return DROP_TUNNEL_FRAGMENT;
	o->src = ip_from_v4(ip->src);
	o->dst = ip_from_v4(ip->dst);
	o->tos = ip->tos;
	o->ttl = ip->ttl;
	o->l4 = (uint32_t)sizeof(struct eth_header) + ihl;
	o->end = (uint32_t)sizeof(struct eth_header) + total;
	return VXLAN_OK;
}

static int parse_ipv6(struct packet *p, struct outer *o)
{
	const struct ipv6_header *ip;
	uint32_t payload;

	if (!packet_pull(p, sizeof(struct eth_header) + sizeof(*ip)))
		return DROP_TUNNEL_BAD_LENGTH;
	ip = (const void *)(p->head + sizeof(struct eth_header));
	payload = be16toh(ip->payload_len);
	o->l4 = sizeof(struct eth_header) + sizeof(*ip);
	if (be32toh(ip->version_tc_flow) >> 28 != 6 || payload > p->len - o->l4)
		return DROP_TUNNEL_BAD_LENGTH;
	if (ip->next_header == 44)
		return DROP_TUNNEL_FRAGMENT;
	if (ip->next_header != IP_PROTO_UDP)
		return DROP_UNDERLAY_OTHER;
	memcpy(o->src.b, ip->src, 16);
	memcpy(o->dst.b, ip->dst, 16);
	o->tos = (uint8_t)(be32toh(ip->version_tc_flow) >> 20);
	o->ttl = ip->hop_limit;
	o->end = o->l4 + payload;
	return VXLAN_OK;
}

static int parse_udp(struct packet *p, struct outer *o)
{
	const struct vxlan_header *vxlan;
	const struct udp_header *udp;

	if (o->end - o->l4 < sizeof(*udp) || !packet_pull(p, o->l4 + (uint32_t)sizeof(*udp)))
		return DROP_TUNNEL_BAD_LENGTH;
	udp = (const void *)(p->head + o->l4);
	if (udp->dst != htobe16(VXLAN_PORT))
		return DROP_UNDERLAY_OTHER;
	if (be16toh(udp->len) != o->end - o->l4 ||
	    o->end - o->l4 < sizeof(*udp) + sizeof(*vxlan) + sizeof(struct eth_header) ||
	    !packet_pull(p, o->l4 + (uint32_t)(sizeof(*udp) + sizeof(*vxlan) + sizeof(struct eth_header))))
		return DROP_TUNNEL_BAD_LENGTH;
	udp = (const void *)(p->head + o->l4);
	vxlan = (const void *)(udp + 1);
	if (!(vxlan->flags & htobe32(VXLAN_FLAG_I)))
		return DROP_TUNNEL_NO_FLAG_I;
	o->vni = be32toh(vxlan->vni_rsvd) >> 8;
	o->csum = udp->csum;
	return VXLAN_OK;
}

static int parse_outer(struct packet *p, struct outer *o)
{
	const struct eth_header *eth;
	int drop;

	if (!packet_pull(p, sizeof(*eth)))
		return DROP_TUNNEL_BAD_LENGTH;
	eth = (const void *)p->head;
	if (eth->type == htobe16(ETH_TYPE_IPV4))
		drop = parse_ipv4(p, o);
	else if (eth->type == htobe16(ETH_TYPE_IPV6))
		drop = parse_ipv6(p, o);
	else
		drop = DROP_UNDERLAY_OTHER;
	return drop == VXLAN_OK ? parse_udp(p, o) : drop;
}

static int choose_vtep(struct vxlan_vtep *const *vteps, unsigned n, const struct outer *o, unsigned *which)
{
	int reason = DROP_TUNNEL_NOT_OURS, best = -1;

	for (unsigned i = 0; i < n; i++) {
		const struct vxlan_config *c = &vteps[i]->config;
		bool fixed = !ip_is_none(&c->remote);
		int score = fixed * 2 + !c->vni_flow;

		if (!ip_equal(&o->dst, ip_is_v4(&o->dst) ? &c->local4 : &c->local6))
			continue;
		if (!c->vni_flow && c->vni != o->vni) {
			if (reason == DROP_TUNNEL_NOT_OURS)
				reason = DROP_TUNNEL_VNI;
		} else if (!(fixed && ip_equal(&o->src, &c->remote)) &&
		           (fixed || !vxlan_allow_has(rcu_read(vteps[i]->allow), &o->src))) {
			if (reason != VXLAN_OK)
				reason = DROP_TUNNEL_SOURCE;
		} else if (score > best) {
			best = score;
			*which = i;
			reason = VXLAN_OK;
		}
	}
	return reason;
}

/* Cuts the packet after `len` bytes, which it has. */
static void trim(struct packet *p, uint32_t len)
{
	uint32_t left;
	uint16_t i = 0;

	p->len = len;
	if (p->head_len >= len) {
		p->head_len = (uint16_t)len;
		p->nsegs = 0;
		return;
	}
	for (left = len - p->head_len; left > p->segs[i].len; i++)
		left -= p->segs[i].len;
	p->segs[i].len = left;
	p->nsegs = (uint16_t)(i + 1);
}

/* Over the datagram, which ends the (trimmed) packet. A fabric that changes its payload meanwhile fools
 * nobody but itself: nothing else is concluded from it. */
static bool udp_csum_good(const struct packet *p, const struct outer *o)
{
	uint64_t sum = csum_bytes(p->head + o->l4, p->head_len - o->l4);
	uint32_t ofs = p->head_len - o->l4, len = o->end - o->l4;

	sum = csum_add(sum, ip_is_v4(&o->src) ? csum_pseudo4(ip_to_v4(&o->src), ip_to_v4(&o->dst),
	                                                     IP_PROTO_UDP, (uint16_t)len)
	                                      : csum_pseudo6(o->src.b, o->dst.b, IP_PROTO_UDP, len));

	for (uint16_t i = 0; i < p->nsegs; i++) {
		sum = csum_add_at(sum, csum_bytes(p->segs[i].data, p->segs[i].len), ofs);
		ofs += p->segs[i].len;
	}
	return csum_fold(sum) == 0xffff;
}

/* RFC 6040 section 4.2 for an outer CE or ECT(1); the inner packet is at head. */
static int combine_ecn(struct packet *p, uint8_t outer)
{
	uint32_t l3 = sizeof(struct eth_header);
	be16 type = ((const struct eth_header *)p->head)->type;
	uint8_t before[2], inner, ecn, *field;

	if (type == htobe16(ETH_TYPE_VLAN) && packet_pull(p, l3 + 4)) {
		memcpy(&type, p->head + l3 + 2, 2);
		l3 += 4;
	}
	if ((type != htobe16(ETH_TYPE_IPV4) && type != htobe16(ETH_TYPE_IPV6)) ||
	    !packet_pull(p, l3 + (uint32_t)sizeof(struct ipv4_header)))
		return VXLAN_OK;
	field = p->head + l3;
	inner = type == htobe16(ETH_TYPE_IPV4) ? field[1] & 3 : field[1] >> 4 & 3;
	if (!inner)
		return outer == 3 ? DROP_TUNNEL_ECN : VXLAN_OK;
	ecn = outer == 3 ? 3 : inner == 2 ? 1 : inner; /* ECT(1) outside raises ECT(0) inside */
	memcpy(before, field, 2);
	if (type == htobe16(ETH_TYPE_IPV6)) {
		field[1] = (uint8_t)((field[1] & ~0x30) | ecn << 4);
		return VXLAN_OK;
	}
	field[1] = (uint8_t)((field[1] & ~3) | ecn);
	((struct ipv4_header *)field)->csum =
	        csum_update(((struct ipv4_header *)field)->csum, before, field, 2);
	return VXLAN_OK;
}

/* The outer headers are gone. A checksum that the sender left open may be the inner packet's: that one stays.
 */
static void forget_outer(struct packet *p, const struct outer *o)
{
	bool open = p->flags & PACKET_NEEDS_CSUM && p->csum_start;

	p->flags &= (uint16_t) ~(PACKET_CSUM_VALID | PACKET_ENCAP | PACKET_OUTER_CSUM);
	p->l3 = p->l4 = p->outer_l3 = p->outer_l4 = 0;
	if (!open) {
		p->flags &= (uint16_t)~PACKET_NEEDS_CSUM;
		p->csum_start = p->csum_offset = 0;
	}
	p->hash = 0;
	p->tunnel = (struct packet_tunnel){
	        .id = o->vni,
	        .src = o->src,
	        .dst = o->dst,
	        .tos = o->tos,
	        .ttl = o->ttl,
	};
}

/* ---- packets like one before ----
 *
 * Over IPv4, without options, ECN marks and UDP checksum, all that varies from packet to packet of a tunnel
 * are the lengths, the identification, the header checksum and the UDP source port. */

enum { PLAIN_OUTER = 50, PLAIN_L4 = 34 };

/* Bytes 12 to 51 of the frame that must be the same, without the inner MAC that begins there. */
static const uint8_t sameness[5 * 8] = {
        0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    /* EtherType, version, TOS; length, identification */
        0x3f, 0xff, 0xff, 0xff, 0,    0,    0xff, 0xff, /* fragment, TTL, protocol; checksum; source... */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    0,    /* ...source, destination; UDP: source port */
        0xff, 0xff, 0,    0,    0xff, 0xff, 0xff, 0xff, /* destination port; length; checksum, flags... */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    0,    /* ...flags, VNI */
};

static inline uint64_t same_word(const uint8_t *frame, unsigned i)
{
	uint64_t word, mask;

	memcpy(&word, frame + 12 + 8 * i, sizeof(word));
	memcpy(&mask, sameness + 8 * i, sizeof(mask));
	return word & mask;
}

static inline unsigned seen_slot(const uint8_t *frame)
{
	uint64_t words = same_word(frame, 2) ^ same_word(frame, 1);

	return (unsigned)(hash_step(words, same_word(frame, 4)) >> 32) % VXLAN_REMEMBERED;
}

static inline bool is_same(const struct vxlan_seen *seen, const uint8_t *frame)
{
	uint64_t different = 0;

	for (unsigned i = 0; i < 5; i++)
		different |= same_word(frame, i) ^ seen->same[i];
	return !different;
}

/* The one that was like this frame; NULL: none. Tunnels come in trains, too. */
static inline const struct vxlan_seen *find_seen(struct vxlan_memory *m, const uint8_t *frame)
{
	if (unlikely(!(m->seen_valid >> m->seen_last & 1) || !is_same(&m->seen[m->seen_last], frame))) {
		m->seen_last = (uint8_t)seen_slot(frame);
		if (!(m->seen_valid >> m->seen_last & 1) || !is_same(&m->seen[m->seen_last], frame))
			return NULL;
	}
	return &m->seen[m->seen_last];
}

static inline uint16_t word_at(const uint8_t *frame, unsigned ofs)
{
	uint16_t w;

	memcpy(&w, frame + ofs, sizeof(w));
	return w;
}

/* Strips the outer headers when they are those of a packet before. False: nothing was done. */
static inline bool decap_seen(struct vxlan_memory *m, struct packet *p, unsigned *which)
{
	const uint8_t *f = p->head;
	const struct vxlan_seen *seen;
	uint32_t len = be16toh(word_at(f, 16));

	if (p->head_len < PLAIN_OUTER + sizeof(struct eth_header) || p->flags || p->gso)
		return false;
	seen = find_seen(m, f);
	if (!seen || len + sizeof(struct eth_header) != p->len ||
	    be16toh(word_at(f, 38)) != len - sizeof(struct ipv4_header) ||
	    csum_fold(seen->csum + word_at(f, 16) + word_at(f, 18) + word_at(f, 24)) != 0xffff)
		return false;
	packet_pop(p, PLAIN_OUTER);
	p->hash = 0;
	p->tunnel = seen->tunnel;
	*which = seen->which;
	return true;
}

/* `p` was just stripped of its outer headers, which are still in front of its head. */
static void remember(struct vxlan_memory *m, const struct packet *p, const struct outer *o, unsigned which)
{
	const uint8_t *f = p->head - PLAIN_OUTER;
	struct vxlan_seen *seen;
	unsigned slot;

	if (o->l4 != PLAIN_L4 || !ip_is_v4(&o->dst) || o->csum || o->tos & 1)
		return;
	slot = seen_slot(f);
	seen = &m->seen[slot];
	*seen = (struct vxlan_seen){.which = which, .tunnel = p->tunnel};
	for (unsigned i = 0; i < 5; i++)
		seen->same[i] = same_word(f, i);
	for (unsigned ofs = 14; ofs < PLAIN_L4; ofs += 2)
		seen->csum += ofs == 16 || ofs == 18 || ofs == 24 ? 0 : word_at(f, ofs);
	m->seen_valid |= (uint16_t)(1u << slot);
}

int vxlan_decap(struct vxlan_vtep *const *vteps, unsigned n, struct vxlan_memory *m, struct packet *p,
                unsigned *which)
{
	struct outer o;
	int drop;

	if (likely(decap_seen(m, p, which)))
		return VXLAN_OK;
	drop = parse_outer(p, &o);
	if (unlikely(drop != VXLAN_OK))
		return drop;
	drop = choose_vtep(vteps, n, &o, which);
	if (unlikely(drop != VXLAN_OK))
		return drop;
	if (unlikely(p->gso != GSO_NONE))
		return DROP_TUNNEL_BAD_LENGTH; /* glued datagrams are not one VXLAN packet */
	trim(p, o.end);
	if (unlikely(p->flags & PACKET_NEEDS_CSUM && p->csum_start + p->csum_offset + 2u > p->len))
		return DROP_TUNNEL_BAD_LENGTH;
	if (o.csum && !(p->flags & (PACKET_NEEDS_CSUM | PACKET_CSUM_VALID)) && !udp_csum_good(p, &o))
		return DROP_TUNNEL_BAD_CSUM;
	packet_pop(p, (uint16_t)(o.l4 + sizeof(struct udp_header) + sizeof(struct vxlan_header)));
	forget_outer(p, &o);
	remember(m, p, &o, *which);
	return o.tos & 1 ? combine_ecn(p, o.tos & 3) : VXLAN_OK;
}
