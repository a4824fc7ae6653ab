/* SPDX-License-Identifier: Apache-2.0 */
/* Random packets: first the fields, then a frame that has them. */
#include <string.h>

#include "tests/differential/generate.h"
#include "tests/lib/frames.h"

static enum generate_theme theme;

void generate_about(enum generate_theme t)
{
	theme = t;
}

enum generate_theme generate_theme(void)
{
	return theme;
}

/* ---- fields ---- */

static struct mac random_mac(struct random *r)
{
	static const struct mac special[] = {{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
	                                     {{0x33, 0x33, 0, 0, 0, 1}},
	                                     {{0x01, 0x80, 0xc2, 0, 0, 14}}};

	if (random_chance(r, 6))
		return special[random_below(r, 3)];
	return (struct mac){{2, 0, 0, 0, 0, (uint8_t)random_below(r, 5)}};
}

static be32 random_ipv4(struct random *r)
{
	return htobe32(0x0a000000 | random_below(r, 4) << 8 | random_below(r, 4));
}

static void random_ipv6(struct random *r, uint8_t *to)
{
	memset(to, 0, 16);
	to[0] = 0xfd;
	to[7] = (uint8_t)random_below(r, 3);
	to[15] = (uint8_t)random_below(r, 4);
}

static void random_nd(struct random *r, struct flow_key *k)
{
	bool solicit = random_chance(r, 50);

	k->tp_src = htobe16(solicit ? 135 : 136);
	k->tp_dst = 0;
	random_ipv6(r, k->nd_target);
	*(solicit ? &k->arp_sha : &k->arp_tha) = random_mac(r);
}

static void random_l4(struct random *r, struct flow_key *k, bool v6)
{
	static const uint8_t protos[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP};

	k->nw_proto = protos[random_below(r, 3)];
	if (random_chance(r, theme == THEME_IPV6 ? 70 : 20))
		k->nw_proto = v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
	else if (random_chance(r, 3))
		k->nw_proto = 47;
	if (random_chance(r, 10)) {
		k->nw_frag = random_chance(r, 50) ? FLOW_FRAG_ANY : FLOW_FRAG_ANY | FLOW_FRAG_LATER;
		return;
	}
	if (k->nw_proto == 47)
		return;
	k->tp_src = htobe16((uint16_t)random_below(r, 8));
	k->tp_dst = htobe16((uint16_t)random_below(r, 8));
	if (k->nw_proto == IP_PROTO_TCP)
		k->tcp_flags = htobe16((uint16_t)random_below(r, 64));
	if (k->nw_proto == IP_PROTO_ICMPV6 && random_chance(r, 50))
		random_nd(r, k);
}

static void random_ip(struct random *r, struct flow_key *k, bool v6)
{
	static const uint8_t ttls[] = {1, 2, 3, 64};

	k->nw_ttl = ttls[random_below(r, 4)];
	k->nw_tos = (uint8_t)(random_below(r, 3) << 2 | random_below(r, 2));
	if (random_chance(r, 30))
		k->nw_tos = (uint8_t)(1 + random_below(r, 4)) << 5 | 2u << 2; /* AFx1 */
	if (v6) {
		k->eth_type = htobe16(ETH_TYPE_IPV6);
		random_ipv6(r, k->ipv6_src);
		random_ipv6(r, k->ipv6_dst);
		k->ipv6_label = htobe32(random_below(r, 3));
	} else {
		k->eth_type = htobe16(ETH_TYPE_IPV4);
		k->nw_src = random_ipv4(r);
		k->nw_dst = random_ipv4(r);
	}
	random_l4(r, k, v6);
}

static void random_l3(struct random *r, struct flow_key *k)
{
	static const uint16_t others[] = {0x88cc, 0x5ff};

	switch (theme == THEME_IPV6 ? 2 : random_below(r, 10)) {
	case 0:
		k->eth_type = htobe16(others[random_below(r, 2)]);
		return;
	case 1:
		k->eth_type = htobe16(random_chance(r, 90) ? ETH_TYPE_ARP : ETH_TYPE_RARP);
		k->nw_proto = (uint8_t)(1 + random_below(r, 2));
		k->nw_src = random_ipv4(r);
		k->nw_dst = random_ipv4(r);
		k->arp_sha = random_mac(r);
		k->arp_tha = random_mac(r);
		return;
	case 2:
	case 3:
		random_ip(r, k, true);
		break;
	default:
		random_ip(r, k, false);
	}
}

static void random_tags(struct random *r, struct flow_key *k)
{
	unsigned n = random_chance(r, theme == THEME_TAGS ? 20 : 60) ? 0 : 1 + random_below(r, 2);

	for (unsigned i = 0; i < n; i++) {
		k->vlan[i].tpid =
		        htobe16(n == 2 && i == 0 && random_chance(r, 50) ? ETH_TYPE_QINQ : ETH_TYPE_VLAN);
		k->vlan[i].tci =
		        htobe16((uint16_t)(VLAN_CFI | random_below(r, 2) << 13 | (1 + random_below(r, 3))));
	}
}

static void random_labels(struct random *r, struct flow_key *k)
{
	static const uint8_t ttls[] = {0, 1, 2, 64};
	unsigned n = 1 + random_below(r, FLOW_MPLS);

	k->l3_type = k->eth_type;
	k->eth_type = htobe16(random_chance(r, 80) ? ETH_TYPE_MPLS : ETH_TYPE_MPLS_MC);
	for (unsigned i = 0; i < n; i++)
		k->mpls[i] = htobe32((1 + random_below(r, 3)) << 12 | random_below(r, 2) << 9 |
		                     (uint32_t)(i + 1 == n) << 8 | ttls[random_below(r, 4)]);
}

/* An I-TAG, and a backbone's addresses in front of it. */
static void random_backbone(struct random *r, struct flow_key *k)
{
	k->inner_dst = k->eth_dst;
	k->inner_src = k->eth_src;
	memcpy(k->inner_vlan, k->vlan, sizeof(k->inner_vlan));
	memset(k->vlan, 0, sizeof(k->vlan));
	k->inner_type = k->eth_type;
	if (!k->l3_type)
		k->l3_type = k->eth_type;
	k->eth_type = htobe16(ETH_TYPE_PBB);
	k->pbb_isid = htobe32(random_below(r, 3));
	k->eth_dst = random_mac(r);
	k->eth_src = random_mac(r);
	if (random_chance(r, 50))
		random_tags(r, k);
}

void generate_key(struct random *r, struct flow_key *k)
{
	memset(k, 0, sizeof(*k));
	k->in_port = random_chance(r, 95) ? 1 + random_below(r, GENERATE_PORTS) : PORT_LOCAL;
	if (k->in_port == GENERATE_TUNNEL_PORT) {
		k->tun_id = htobe64(1 + random_below(r, 3));
		k->tun_src = random_ipv4(r);
		k->tun_dst = random_ipv4(r);
	}
	k->eth_dst = random_mac(r);
	k->eth_src = random_mac(r);
	random_tags(r, k);
	random_l3(r, k);
	if (random_chance(r, theme == THEME_LABELS ? 40 : 6))
		random_labels(r, k);
	if (random_chance(r, theme == THEME_LABELS ? 50 : 3))
		random_backbone(r, k);
}

/* ---- frames ---- */

struct writer {
	struct random *r;
	const struct flow_key *k;
	struct model_frame *f;
};

static uint8_t *add(struct writer *w, const void *bytes, uint32_t n)
{
	uint8_t *at = w->f->data + w->f->len;

	if (bytes)
		memcpy(at, bytes, n);
	else
		memset(at, 0, n);
	w->f->len += n;
	return at;
}

static void add16(struct writer *w, uint32_t n)
{
	put16(add(w, NULL, 2), n);
}

static void add_payload(struct writer *w)
{
	uint32_t n = random_below(w->r, 40);

	if (random_chance(w->r, 5))
		n = random_below(w->r, 1000);
	while (n--)
		*add(w, NULL, 1) = (uint8_t)random_next(w->r);
}

static void add_nd(struct writer *w)
{
	bool solicit = w->k->tp_src == htobe16(135);

	add(w, NULL, 4);
	add(w, w->k->nd_target, 16);
	if (random_chance(w->r, 20)) { /* an option of another kind in front */
		add16(w, 5 << 8 | 1);
		add(w, NULL, 6);
	}
	add16(w, (solicit ? 1 : 2) << 8 | 1);
	add(w, solicit ? w->k->arp_sha.b : w->k->arp_tha.b, 6);
}

static void add_l4(struct writer *w)
{
	const struct flow_key *k = w->k;
	uint8_t *h;

	switch (k->nw_proto) {
	case IP_PROTO_TCP:
		h = add(w, NULL, 20);
		put16(h + 12, 5 << 12 | be16toh(k->tcp_flags));
		put32(h + 4, (uint32_t)random_next(w->r));
		break;
	case IP_PROTO_SCTP:
		h = add(w, NULL, 12);
		break;
	case IP_PROTO_UDP:
		h = add(w, NULL, 8);
		break;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMPV6:
		h = add(w, NULL, 4);
		h[0] = (uint8_t)be16toh(k->tp_src);
		h[1] = (uint8_t)be16toh(k->tp_dst);
		if (k->nw_proto == IP_PROTO_ICMPV6 && h[0] >= 135 && !h[1])
			add_nd(w);
		else
			put32(add(w, NULL, 4), (uint32_t)random_next(w->r));
		return;
	default:
		return;
	}
	memcpy(h, &k->tp_src, 2);
	memcpy(h + 2, &k->tp_dst, 2);
}

static uint16_t frag_offset(const struct flow_key *k)
{
	return k->nw_frag & FLOW_FRAG_LATER ? 100 : 0;
}

static void add_ipv4(struct writer *w)
{
	const struct flow_key *k = w->k;
	uint32_t options = random_chance(w->r, 10) ? 4 * random_below(w->r, 6) : 0, at = w->f->len;
	uint8_t *h = add(w, NULL, 20 + options);

	h[0] = (uint8_t)(4 << 4 | (20 + options) / 4);
	h[1] = k->nw_tos;
	put16(h + 4, (uint32_t)random_next(w->r));
	put16(h + 6, k->nw_frag ? 0x2000u | frag_offset(k) : random_chance(w->r, 50) ? 0x4000 : 0);
	h[8] = k->nw_ttl;
	h[9] = k->nw_proto;
	memcpy(h + 12, &k->nw_src, 4);
	memcpy(h + 16, &k->nw_dst, 4);
	for (uint32_t i = 0; i < options; i++)
		h[20 + i] = 1; /* no operation */
	add_l4(w);
	add_payload(w);
	put16(w->f->data + at + 2, w->f->len - at);
	if (!random_chance(w->r, 5)) /* else it is wrong */
		put16(w->f->data + at + 10, 0xffff - model_sum(w->f->data + at, 20 + options));
}

/* A chain of extension headers in front of the transport; `next`: where the type of the first one goes. */
static void add_extensions(struct writer *w, uint8_t *next)
{
	static const uint8_t kinds[] = {0, 60, 43, 51};

	for (unsigned n = random_chance(w->r, 15) ? 1 + random_below(w->r, 3) : 0; n; n--) {
		uint8_t kind = kinds[random_below(w->r, 4)];
		uint8_t *h = add(w, NULL, kind == 51 ? 12 : 8);

		*next = kind;
		h[1] = kind == 51 ? 1 : 0; /* 32-bit words less 2; 8 bytes less 1 */
		next = h;
	}
	if (w->k->nw_frag) {
		uint8_t *h = add(w, NULL, 8);

		*next = 44;
		put16(h + 2, (uint32_t)frag_offset(w->k) << 3 | 1);
		next = h;
	}
	*next = w->k->nw_proto;
}

static void add_ipv6(struct writer *w)
{
	const struct flow_key *k = w->k;
	uint32_t at = w->f->len;
	uint8_t *h = add(w, NULL, 40);

	put32(h, 6u << 28 | (uint32_t)k->nw_tos << 20 | be32toh(k->ipv6_label));
	h[7] = k->nw_ttl;
	memcpy(h + 8, k->ipv6_src, 16);
	memcpy(h + 24, k->ipv6_dst, 16);
	add_extensions(w, h + 6);
	add_l4(w);
	if (be16toh(k->tp_src) < 135)
		add_payload(w);
	put16(h + 4, w->f->len - at - 40);
}

static void add_arp(struct writer *w)
{
	static const uint8_t start[6] = {0, 1, 8, 0, 6, 4};
	const struct flow_key *k = w->k;

	add(w, start, 6);
	add16(w, k->nw_proto);
	add(w, &k->arp_sha, 6);
	add(w, &k->nw_src, 4);
	add(w, &k->arp_tha, 6);
	add(w, &k->nw_dst, 4);
}

/* The transport checksum: right, missing (UDP), wrong, or left to whoever sends the frame on. */
static void put_checksum(struct writer *w)
{
	struct model_frame *f = w->f;
	struct model_layout at;
	struct flow_key key;
	uint32_t field;

	model_parse(f, &key, &at);
	if (at.l4 && at.proto == IP_PROTO_SCTP) {
		uint32_t crc = htole32(frame_crc32c(f->data + at.l4, at.end - at.l4));

		memcpy(f->data + at.l4 + 8, &crc, 4);
		return;
	}
	field = model_l4_csum(&at);
	if (!field || random_chance(w->r, 5))
		return;
	f->partial = true;
	f->csum_start = (uint16_t)at.l4;
	f->csum_offset = (uint16_t)(field - at.l4);
	if (at.proto != IP_PROTO_ICMP)
		put16(f->data + field, model_pseudo_sum(f, &at));
	if (key.nw_frag || at.proto == IP_PROTO_ICMP || at.proto == IP_PROTO_ICMPV6 || f->len != at.end ||
	    !random_chance(w->r, 15))
		model_finish(f);
}

static void add_tags(struct writer *w, const struct flow_vlan *tags)
{
	for (unsigned i = 0; i < FLOW_VLANS && tags[i].tpid; i++) {
		add(w, &tags[i].tpid, 2);
		add16(w, be16toh(tags[i].tci) & (random_chance(w->r, 5) ? 0xffff : 0xefff));
	}
}

/* An EtherType, or a length (802.3), behind which SNAP may tell the type of IP and ARP. */
static void add_type(struct writer *w, be16 type)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 3, 0, 0, 0};
	uint16_t t = be16toh(type);

	if (t == 0x5ff) {
		add16(w, 40);
		return;
	}
	if ((t == ETH_TYPE_IPV4 || t == ETH_TYPE_IPV6 || t == ETH_TYPE_ARP) && random_chance(w->r, 3)) {
		add16(w, random_below(w->r, 1500));
		add(w, snap, sizeof(snap));
	}
	add16(w, t);
}

static void add_behind(struct writer *w, be16 type)
{
	const struct flow_key *k = w->k;

	switch (be16toh(type)) {
	case ETH_TYPE_IPV4:
		add_ipv4(w);
		break;
	case ETH_TYPE_IPV6:
		add_ipv6(w);
		break;
	case ETH_TYPE_ARP:
	case ETH_TYPE_RARP:
		add_arp(w);
		break;
	case ETH_TYPE_MPLS:
	case ETH_TYPE_MPLS_MC:
		for (unsigned i = 0; i < FLOW_MPLS && k->mpls[i]; i++)
			add(w, &k->mpls[i], 4);
		add_behind(w, k->l3_type);
		break;
	case ETH_TYPE_PBB:
		add(w, &k->pbb_isid, 4);
		add(w, &k->inner_dst, 6);
		add(w, &k->inner_src, 6);
		add_tags(w, k->inner_vlan);
		add_type(w, k->inner_type);
		add_behind(w, k->inner_type);
		break;
	default:
		add_payload(w);
	}
}

void generate_frame(struct random *r, const struct flow_key *k, struct model_frame *f)
{
	struct writer w = {r, k, f};

	memset(f, 0, offsetof(struct model_frame, data));
	f->tun_id = be64toh(k->tun_id);
	f->tun_src = k->tun_src;
	f->tun_dst = k->tun_dst;
	add(&w, &k->eth_dst, 6);
	add(&w, &k->eth_src, 6);
	add_tags(&w, k->vlan);
	add_type(&w, k->eth_type);
	add_behind(&w, k->eth_type);
	put_checksum(&w);
	if (!f->partial && f->len < 60)
		add(&w, NULL, 60 - f->len);
}
