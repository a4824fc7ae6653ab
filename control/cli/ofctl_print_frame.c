/* SPDX-License-Identifier: Apache-2.0 */
/* A frame as the flow that matches it and nothing else. Called by ofctl_print_packets.c. */
#include <string.h>

#include "base/wire.h"
#include "control/cli/ofctl_print.h"
#include "control/openflow/oxm.h"

/* ---- a frame's fields ---- */

struct frame {
	struct ofp_reader r;
	struct match m;
	const char *checksum; /* what to call it, NULL: none */
	uint16_t checksum_value;
	bool tagged;
};

static void set(struct frame *f, enum field_id id, uint64_t n)
{
	struct field_value v = value_from_u64(n);

	match_set(&f->m, id, &v, NULL);
}

static void set_bytes(struct frame *f, enum field_id id, size_t n)
{
	const uint8_t *bytes = ofp_get(&f->r, n);
	struct field_value v = {{0}};

	if (bytes)
		v = value_from_bytes(bytes, n);
	match_set(&f->m, id, &v, NULL);
}

static void read_arp(struct frame *f)
{
	bool ethernet = ofp_get_u16(&f->r) == 1 && ofp_get_u16(&f->r) == ETH_TYPE_IPV4 &&
	                ofp_get_u16(&f->r) == 0x0604;
	uint16_t op = ofp_get_u16(&f->r);

	if (!ethernet)
		f->r = ofp_reader_of(NULL, 0);
	set(f, FIELD_ARP_OP, ethernet && op < 256 ? op : 0);
	set_bytes(f, FIELD_ARP_SHA, 6);
	set_bytes(f, FIELD_ARP_SPA, 4);
	set_bytes(f, FIELD_ARP_THA, 6);
	set_bytes(f, FIELD_ARP_TPA, 4);
}

/* Source and destination port, and the checksum `at` bytes behind them. */
static void read_ports(struct frame *f, enum field_id src, size_t at, const char *name)
{
	struct ofp_reader r = f->r;

	set(f, src, ofp_get_u16(&r));
	set(f, (enum field_id)(src + 1), ofp_get_u16(&r));
	ofp_skip(&r, at);
	f->checksum_value = ofp_get_u16(&r);
	f->checksum = r.failed ? NULL : name;
}

/* Neighbour discovery: what is not there reads as zero, as Open vSwitch shows it. */
static void read_nd(struct frame *f)
{
	set(f, FIELD_ND_SLL, 0);
	set(f, FIELD_ND_TLL, 0);
	set_bytes(f, FIELD_ND_TARGET, 16);
	while (ofp_left(&f->r) >= 8) {
		uint8_t option = ofp_get_u8(&f->r), len = ofp_get_u8(&f->r);

		if (len == 1 && (option == 1 || option == 2))
			set_bytes(f, option == 1 ? FIELD_ND_SLL : FIELD_ND_TLL, 6);
		else
			ofp_skip(&f->r, len ? len * 8u - 2 : ofp_left(&f->r));
	}
}

static void read_icmp6(struct frame *f)
{
	uint8_t type = ofp_get_u8(&f->r), code = ofp_get_u8(&f->r);

	set(f, FIELD_ICMPV6_TYPE, type);
	set(f, FIELD_ICMPV6_CODE, code);
	f->checksum_value = ofp_get_u16(&f->r);
	f->checksum = f->r.failed ? NULL : "icmp6_csum";
	ofp_skip(&f->r, 4);
	if ((type == 135 || type == 136) && !code)
		read_nd(f);
}

static void read_l4(struct frame *f, uint8_t proto, bool six)
{
	struct ofp_reader r = f->r;

	if (proto == IP_PROTO_UDP) {
		read_ports(f, FIELD_UDP_SRC, 2, "udp_csum");
	} else if (proto == IP_PROTO_SCTP) {
		read_ports(f, FIELD_SCTP_SRC, 4, "sctp_csum");
	} else if (proto == IP_PROTO_TCP) {
		set(f, FIELD_TCP_SRC, ofp_get_u16(&r));
		set(f, FIELD_TCP_DST, ofp_get_u16(&r));
		ofp_skip(&r, 8);
		set(f, FIELD_TCP_FLAGS, ofp_get_u16(&r) & 0xfff);
		ofp_skip(&r, 2);
		f->checksum_value = ofp_get_u16(&r);
		f->checksum = r.failed ? NULL : "tcp_csum";
	} else if (proto == IP_PROTO_ICMP && !six) {
		set(f, FIELD_ICMP_TYPE, ofp_get_u8(&r));
		set(f, FIELD_ICMP_CODE, ofp_get_u8(&r));
		f->checksum_value = ofp_get_u16(&r);
		f->checksum = r.failed ? NULL : "icmp_csum";
	} else if (proto == IP_PROTO_ICMPV6 && six) {
		read_icmp6(f);
	}
}

static void set_fragment(struct frame *f, bool any, bool later)
{
	set(f, FIELD_IP_FRAG, (any ? FLOW_FRAG_ANY : 0) | (later ? FLOW_FRAG_LATER : 0));
}

static void read_ip(struct frame *f)
{
	struct ofp_reader r = f->r;
	uint8_t version = ofp_get_u8(&r), tos = ofp_get_u8(&r), ttl, proto;
	uint16_t frag;

	ofp_skip(&r, 4);
	frag = ofp_get_u16(&r);
	ttl = ofp_get_u8(&r);
	proto = ofp_get_u8(&r);
	ofp_skip(&r, 2);
	if (r.failed || ofp_left(&r) < 8 || version >> 4 != 4) {
		tos = ttl = proto = 0;
		frag = 0;
		r = ofp_reader_of(NULL, 0);
	}
	f->r = r;
	set(f, FIELD_NW_PROTO, proto);
	set(f, FIELD_NW_TOS, tos & 0xfc);
	set(f, FIELD_NW_ECN, tos & 3);
	set(f, FIELD_NW_TTL, ttl);
	set_bytes(f, FIELD_IPV4_SRC, 4);
	set_bytes(f, FIELD_IPV4_DST, 4);
	set_fragment(f, frag & 0x3fff, frag & 0x1fff);
	ofp_skip(&f->r, version ? (version & 15u) * 4 - 20 : 0);
	read_l4(f, frag & 0x1fff ? 0 : proto, false);
}

static void read_ipv6(struct frame *f)
{
	uint32_t first = ofp_get_u32(&f->r);
	uint8_t proto, ttl;

	ofp_skip(&f->r, 2);
	proto = ofp_get_u8(&f->r);
	ttl = ofp_get_u8(&f->r);
	set(f, FIELD_NW_PROTO, proto);
	set(f, FIELD_NW_TOS, first >> 20 & 0xfc);
	set(f, FIELD_NW_ECN, first >> 20 & 3);
	set(f, FIELD_NW_TTL, ttl);
	set(f, FIELD_IPV6_LABEL, first & 0xfffff);
	set_bytes(f, FIELD_IPV6_SRC, 16);
	set_bytes(f, FIELD_IPV6_DST, 16);
	set_fragment(f, false, false);
	read_l4(f, proto, true);
}

static void read_frame(struct frame *f)
{
	uint16_t type, tci = 0;

	match_init(&f->m);
	set_bytes(f, FIELD_ETH_DST, 6);
	set_bytes(f, FIELD_ETH_SRC, 6);
	type = ofp_get_u16(&f->r);
	if (type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ) {
		tci = ofp_get_u16(&f->r) | VLAN_CFI;
		type = ofp_get_u16(&f->r);
		f->tagged = true;
	}
	set(f, FIELD_VLAN_TCI, tci);
	set(f, FIELD_ETH_TYPE, f->r.failed ? 0 : type < 0x600 ? 0x5ff : type);
	switch (type) {
	case ETH_TYPE_IPV4:
		read_ip(f);
		break;
	case ETH_TYPE_IPV6:
		read_ipv6(f);
		break;
	case ETH_TYPE_ARP:
	case ETH_TYPE_RARP:
		read_arp(f);
		break;
	}
}

void print_frame(const struct printer *p, const uint8_t *frame, size_t len)
{
	struct frame f = {.r = ofp_reader_of(frame, len)};
	struct text flow = {0};
	const char *rest;

	read_frame(&f);
	match_format(&flow, &f.m, PRIORITY_DEFAULT, NULL);
	rest = strstr(text_get(&flow), "dl_src=");
	if (f.tagged && rest) /* there could be a second tag */
		text_add(p->out, "%.*svlan_tci1=0x0000,%s", (int)(rest - text_get(&flow)), text_get(&flow),
		         rest);
	else
		text_add(p->out, "%s", text_get(&flow));
	text_free(&flow);
	if (f.checksum)
		text_add(p->out, " %s:%x", f.checksum, f.checksum_value);
	text_add(p->out, "\n");
}
