/* SPDX-License-Identifier: Apache-2.0 */
/* The common layers of packet_text: Ethernet, VLAN, ARP, IPv4, IPv6, transports, data. Called by
 * packet_text.c. */
#include "tests/pktgen/packet_kinds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "tests/lib/frames.h"

/* ---- laying down ---- */

static void lay_eth(struct frame_text *f, struct layer *l, uint8_t *p)
{
	struct eth_header h = {arg_mac(f, l, "dst"), arg_mac(f, l, "src"),
	                       htobe16((uint16_t)arg_number(f, l, "type", 0))};

	memcpy(p, &h, sizeof(h));
}

static void lay_vlan(struct frame_text *f, struct layer *l, uint8_t *p)
{
	uint16_t tci = (uint16_t)(arg_number(f, l, "vid", 0) | arg_number(f, l, "pcp", 0) << 13);
	struct vlan_header h = {htobe16(tci | (arg_number(f, l, "cfi", 0) ? 0x1000 : 0)),
	                        htobe16((uint16_t)arg_number(f, l, "type", 0))};

	memcpy(p, &h, sizeof(h));
}

static void lay_arp(struct frame_text *f, struct layer *l, uint8_t *p)
{
	struct ip_addr spa = arg_ip(f, l, "spa", true), tpa = arg_ip(f, l, "tpa", true);
	struct arp_header h = {htobe16(1),
	                       htobe16(ETH_TYPE_IPV4),
	                       6,
	                       4,
	                       htobe16((uint16_t)arg_number(f, l, "op", 1)),
	                       arg_mac(f, l, "sha"),
	                       ip_to_v4(&spa),
	                       arg_mac(f, l, "tha"),
	                       ip_to_v4(&tpa)};

	memcpy(p, &h, sizeof(h));
}

static void lay_ipv4(struct frame_text *f, struct layer *l, uint8_t *p)
{
	struct ip_addr src = arg_ip(f, l, "src", true), dst = arg_ip(f, l, "dst", true);
	uint32_t options = arg_number(f, l, "options", 0) / 4 * 4;
	struct ipv4_header h = {
	        .version_ihl = (uint8_t)(0x45 + options / 4),
	        .tos = (uint8_t)arg_number(f, l, "tos", 0),
	        .id = htobe16((uint16_t)arg_number(f, l, "id", 0)),
	        .frag = htobe16((uint16_t)((arg_number(f, l, "df", 0) ? 0x4000 : 0) |
	                                   (arg_number(f, l, "mf", 0) ? 0x2000 : 0) |
	                                   arg_number(f, l, "offset", 0) / 8)),
	        .ttl = (uint8_t)arg_number(f, l, "ttl", 64),
	        .proto = (uint8_t)arg_number(f, l, "proto", 0),
	        .src = ip_to_v4(&src),
	        .dst = ip_to_v4(&dst),
	};

	memcpy(p, &h, sizeof(h));
	if (options > 40 || f->len + options > PACKET_TEXT_MAX) {
		error_set(f->e, EINVAL, "ipv4(options=%u): at most 40 bytes", options);
		f->bad = true;
		return;
	}
	memset(p + sizeof(h), 1, options); /* no operation */
	f->len += options;
}

static void lay_ipv6(struct frame_text *f, struct layer *l, uint8_t *p)
{
	struct ip_addr src = arg_ip(f, l, "src", false), dst = arg_ip(f, l, "dst", false);
	struct ipv6_header h = {
	        .version_tc_flow =
	                htobe32(6u << 28 | arg_number(f, l, "tc", 0) << 20 | arg_number(f, l, "label", 0)),
	        .next_header = (uint8_t)arg_number(f, l, "next", 59),
	        .hop_limit = (uint8_t)arg_number(f, l, "hops", 64),
	};

	memcpy(h.src, src.b, 16);
	memcpy(h.dst, dst.b, 16);
	memcpy(p, &h, sizeof(h));
}

static void lay_udp(struct frame_text *f, struct layer *l, uint8_t *p)
{
	struct udp_header h = {htobe16((uint16_t)arg_number(f, l, "src", 0)),
	                       htobe16((uint16_t)arg_number(f, l, "dst", 0)), 0, 0};

	memcpy(p, &h, sizeof(h));
}

static void lay_tcp(struct frame_text *f, struct layer *l, uint8_t *p)
{
	struct tcp_header h = {
	        .src = htobe16((uint16_t)arg_number(f, l, "src", 0)),
	        .dst = htobe16((uint16_t)arg_number(f, l, "dst", 0)),
	        .seq = htobe32(arg_number(f, l, "seq", 0)),
	        .ack = htobe32(arg_number(f, l, "ack", 0)),
	        .offset_flags = htobe16((uint16_t)(5 << 12 | arg_number(f, l, "flags", 0x10))),
	        .window = htobe16((uint16_t)arg_number(f, l, "window", 65535)),
	};

	memcpy(p, &h, sizeof(h));
}

static void lay_sctp(struct frame_text *f, struct layer *l, uint8_t *p)
{
	struct sctp_header h = {htobe16((uint16_t)arg_number(f, l, "src", 0)),
	                        htobe16((uint16_t)arg_number(f, l, "dst", 0)),
	                        htobe32(arg_number(f, l, "tag", 0)), 0};

	memcpy(p, &h, sizeof(h));
}

static void lay_icmp(struct frame_text *f, struct layer *l, uint8_t *p)
{
	struct icmp_header h = {
	        .type = (uint8_t)arg_number(f, l, "type", l->kind->proto == IP_PROTO_ICMP ? 8 : 128),
	        .code = (uint8_t)arg_number(f, l, "code", 0),
	        .rest = htobe32(arg_number(f, l, "id", 0) << 16 | arg_number(f, l, "seq", 0)),
	};

	memcpy(p, &h, sizeof(h));
}

static void lay_vxlan(struct frame_text *f, struct layer *l, uint8_t *p)
{
	struct vxlan_header h = {htobe32(VXLAN_FLAG_I), htobe32(arg_number(f, l, "vni", 0) << 8)};

	memcpy(p, &h, sizeof(h));
}

static void lay_data(struct frame_text *f, struct layer *l, uint8_t *p)
{
	const char *text = arg(l, "text");
	uint32_t len = arg_number(f, l, "len", text ? (uint32_t)strlen(text) : 0);

	if (len > PACKET_TEXT_MAX - f->len) {
		error_set(f->e, EINVAL, "data(len=%u): the frame would be longer than %d bytes", len,
		          PACKET_TEXT_MAX);
		f->bad = true;
		return;
	}
	memset(p, (int)arg_number(f, l, "fill", 0), len);
	if (text)
		memcpy(p, text, strnlen(text, len));
	f->len += len;
}

/* The link's padding: no length counts it. */
static void lay_pad(struct frame_text *f, struct layer *l, uint8_t *p)
{
	lay_data(f, l, p);
	f->pad = f->len - l->ofs;
}

static void lay_hex(struct frame_text *f, struct layer *l, uint8_t *p)
{
	const char *text = l->nargs ? l->args[0].key : "";
	unsigned byte;
	int used;

	/* The digits stand where a key stands: hex(c0ffee). Long ones come as value: hex(x=c0ffee...). */
	if (l->nargs && *l->args[0].value)
		text = l->args[0].value;
	while (*text && f->len < PACKET_TEXT_MAX && sscanf(text, "%2x%n", &byte, &used) == 1 && used == 2) {
		*p++ = (uint8_t)byte;
		f->len++;
		text += 2;
	}
	if (*text) {
		error_set(f->e, EINVAL, "hex(): expected pairs of hex digits, not '%s'", text);
		f->bad = true;
	}
}

/* ---- finishing ---- */

/* A tag may say itself what it is to be called: tpid. */
static uint16_t type_behind(struct frame_text *f, unsigned i)
{
	const struct layer *behind = layer_behind(f, i);

	if (!behind)
		return 0;
	return (uint16_t)arg_number(f, behind, "tpid", behind->kind->eth_type);
}

static void finish_eth(struct frame_text *f, unsigned i, uint8_t *p)
{
	struct eth_header *h = (struct eth_header *)p;

	if (!h->type)
		h->type = htobe16(type_behind(f, i));
}

static void finish_vlan(struct frame_text *f, unsigned i, uint8_t *p)
{
	struct vlan_header *h = (struct vlan_header *)p;

	if (!h->type)
		h->type = htobe16(type_behind(f, i));
}

static void finish_ipv4(struct frame_text *f, unsigned i, uint8_t *p)
{
	struct ipv4_header *h = (struct ipv4_header *)p;

	h->total_len = htobe16((uint16_t)length_from(f, i));
	if (!arg(&f->layers[i], "proto") && layer_behind(f, i) && layer_behind(f, i)->kind->proto != NO_PROTO)
		h->proto = (uint8_t)layer_behind(f, i)->kind->proto;
	h->csum = csum_finish(csum_bytes(h, (h->version_ihl & 15u) * 4));
}

static void finish_ipv6(struct frame_text *f, unsigned i, uint8_t *p)
{
	struct ipv6_header *h = (struct ipv6_header *)p;

	h->payload_len = htobe16((uint16_t)(length_from(f, i) - sizeof(*h)));
	if (!arg(&f->layers[i], "next") && layer_behind(f, i) && layer_behind(f, i)->kind->proto != NO_PROTO)
		h->next_header = (uint8_t)layer_behind(f, i)->kind->proto;
}

/* Pseudo-header sum by the IP layer below; pseudo=N: as if that were the protocol. */
static uint64_t pseudo(struct frame_text *f, unsigned i)
{
	const struct layer *below = NULL;
	uint8_t proto = (uint8_t)arg_number(f, &f->layers[i], "pseudo", (uint32_t)f->layers[i].kind->proto);
	uint32_t len = length_from(f, i);

	for (unsigned n = 0; n < i; n++)
		if (f->layers[n].kind->eth_type)
			below = &f->layers[n];
	if (below && below->kind->eth_type == ETH_TYPE_IPV4) {
		const struct ipv4_header *h = (const void *)(f->bytes + below->ofs);

		return csum_pseudo4(h->src, h->dst, proto, (uint16_t)len);
	}
	if (below && below->kind->eth_type == ETH_TYPE_IPV6) {
		const struct ipv6_header *h = (const void *)(f->bytes + below->ofs);

		return csum_pseudo6(h->src, h->dst, proto, len);
	}
	return 0;
}

static void finish_udp(struct frame_text *f, unsigned i, uint8_t *p)
{
	struct udp_header *h = (struct udp_header *)p;

	h->len = htobe16((uint16_t)length_from(f, i));
	if (!arg(&f->layers[i], "zero"))
		h->csum = csum_finish_udp(csum_add(pseudo(f, i), csum_bytes(p, length_from(f, i))));
}

static void finish_tcp(struct frame_text *f, unsigned i, uint8_t *p)
{
	struct tcp_header *h = (struct tcp_header *)p;

	h->csum = csum_finish(csum_add(pseudo(f, i), csum_bytes(p, length_from(f, i))));
}

static void finish_sctp(struct frame_text *f, unsigned i, uint8_t *p)
{
	uint32_t crc = htole32(frame_crc32c(p, length_from(f, i)));

	memcpy(p + offsetof(struct sctp_header, csum), &crc, 4);
}

static void finish_icmp(struct frame_text *f, unsigned i, uint8_t *p)
{
	struct icmp_header *h = (struct icmp_header *)p;
	uint64_t sum = f->layers[i].kind->proto == IP_PROTO_ICMPV6 ? pseudo(f, i) : 0;

	h->csum = csum_finish(csum_add(sum, csum_bytes(p, length_from(f, i))));
}

const struct kind packet_kinds[] = {
        {"eth", sizeof(struct eth_header), 0, NO_PROTO, lay_eth, finish_eth},
        {"vlan", sizeof(struct vlan_header), ETH_TYPE_VLAN, NO_PROTO, lay_vlan, finish_vlan},
        {"arp", sizeof(struct arp_header), ETH_TYPE_ARP, NO_PROTO, lay_arp, NULL},
        {"ipv4", sizeof(struct ipv4_header), ETH_TYPE_IPV4, 4, lay_ipv4, finish_ipv4},
        {"ipv6", sizeof(struct ipv6_header), ETH_TYPE_IPV6, 41, lay_ipv6, finish_ipv6},
        {"udp", sizeof(struct udp_header), 0, IP_PROTO_UDP, lay_udp, finish_udp},
        {"tcp", sizeof(struct tcp_header), 0, IP_PROTO_TCP, lay_tcp, finish_tcp},
        {"sctp", sizeof(struct sctp_header), 0, IP_PROTO_SCTP, lay_sctp, finish_sctp},
        {"icmp", sizeof(struct icmp_header), 0, IP_PROTO_ICMP, lay_icmp, finish_icmp},
        {"icmpv6", sizeof(struct icmp_header), 0, IP_PROTO_ICMPV6, lay_icmp, finish_icmp},
        {"vxlan", sizeof(struct vxlan_header), 0, NO_PROTO, lay_vxlan, NULL},
        {"data", 0, 0, NO_PROTO, lay_data, NULL},
        {"pad", 0, 0, NO_PROTO, lay_pad, NULL},
        {"hex", 0, 0, NO_PROTO, lay_hex, NULL},
        {0},
};
