/* SPDX-License-Identifier: Apache-2.0 */
/* Building and judging frames; see frames.h. Checksums are computed naively, word by word. */
#include "tests/lib/frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/wire.h"

static uint32_t sum_words(const uint8_t *data, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint32_t frame_crc32c(const uint8_t *data, size_t n)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < n; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

static uint32_t pseudo(const uint8_t *ip, uint8_t proto, uint32_t l4_len)
{
	uint8_t tail[4] = {(uint8_t)(l4_len >> 8), (uint8_t)l4_len, 0, proto};
	bool v6 = ip[0] >> 4 == 6;
	uint32_t sum = sum_words(ip + (v6 ? 8 : 12), v6 ? 32 : 8, 0);

	return sum_words(tail, 4, sum);
}

static struct mac mac_of(const char *text, const char *missing)
{
	struct mac m;

	if (mac_parse(text ? text : missing, &m))
		abort();
	return m;
}

static uint32_t put_ip(struct frame *f, const struct frame_spec *s, uint8_t proto, uint32_t l4_len)
{
	struct ip_addr src, dst;
	uint8_t *at = f->data + f->l3;
	uint32_t sum;

	if (ip_parse(s->src ? s->src : "10.0.0.1", &src) || ip_parse(s->dst ? s->dst : "10.0.0.2", &dst))
		abort();
	if (ip_is_v4(&src)) {
		struct ipv4_header *ip = (struct ipv4_header *)at;

		*ip = (struct ipv4_header){.version_ihl = 0x45,
		                           .total_len = htobe16((uint16_t)(20 + l4_len)),
		                           .id = htobe16(1),
		                           .frag = htobe16(s->frag),
		                           .ttl = s->ttl ? s->ttl : 64,
		                           .proto = proto,
		                           .src = ip_to_v4(&src),
		                           .dst = ip_to_v4(&dst)};
		sum = sum_words(at, 20, 0);
		ip->csum = htobe16((uint16_t)~sum);
		return 20;
	}
	*(struct ipv6_header *)at = (struct ipv6_header){.version_tc_flow = htobe32(6u << 28),
	                                                 .payload_len = htobe16((uint16_t)l4_len),
	                                                 .next_header = proto,
	                                                 .hop_limit = s->ttl ? s->ttl : 64};
	memcpy(at + 8, src.b, 16);
	memcpy(at + 24, dst.b, 16);
	return 40;
}

static uint32_t l4_header(uint8_t proto)
{
	return proto == IP_PROTO_TCP ? 20 : proto == IP_PROTO_SCTP ? 12 : 8;
}

static uint32_t csum_offset(uint8_t proto)
{
	return proto == IP_PROTO_TCP ? 16 : proto == IP_PROTO_UDP ? 6 : proto == IP_PROTO_SCTP ? 8 : 2;
}

static void put_l4(struct frame *f, const struct frame_spec *s, uint8_t proto, uint32_t l4_len)
{
	uint8_t *l4 = f->data + f->l4;
	uint32_t sum = proto == IP_PROTO_ICMP ? 0 : pseudo(f->data + f->l3, proto, l4_len);
	uint32_t crc;
	be16 csum;

	if (proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6) {
		l4[0] = (uint8_t)s->sport;
		l4[1] = (uint8_t)s->dport;
	} else {
		l4[0] = (uint8_t)(s->sport >> 8);
		l4[1] = (uint8_t)s->sport;
		l4[2] = (uint8_t)(s->dport >> 8);
		l4[3] = (uint8_t)s->dport;
	}
	if (proto == IP_PROTO_TCP) {
		l4[12] = 0x50;
		l4[13] = 0x10;
	} else if (proto == IP_PROTO_UDP) {
		l4[4] = (uint8_t)(l4_len >> 8);
		l4[5] = (uint8_t)l4_len;
	} else if (proto == IP_PROTO_SCTP) {
		crc = htole32(frame_crc32c(l4, l4_len));
		memcpy(l4 + 8, &crc, 4);
		return;
	}
	csum = htobe16((uint16_t)(s->partial ? sum : ~sum_words(l4, l4_len, sum)));
	memcpy(l4 + csum_offset(proto), &csum, 2);
}

void frame_make(struct frame *f, const struct frame_spec *s)
{
	struct eth_header *eth = (struct eth_header *)f->data;
	uint8_t proto = s->proto ? s->proto : IP_PROTO_UDP;
	bool v6 = s->src && strchr(s->src, ':');
	be16 type = htobe16(v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
	uint32_t header = l4_header(proto);

	eth->src = mac_of(s->src_mac, "02:00:00:00:00:01");
	eth->dst = mac_of(s->dst_mac, "02:00:00:00:00:02");
	eth->type = type;
	f->l3 = sizeof(*eth);
	if (s->vlan) {
		eth->type = htobe16(ETH_TYPE_VLAN);
		*(struct vlan_header *)(eth + 1) = (struct vlan_header){htobe16(s->vlan), type};
		f->l3 += sizeof(struct vlan_header);
	}
	f->l4 = f->l3 + put_ip(f, s, proto, header + s->payload);
	f->len = f->l4 + header + s->payload;
	memset(f->data + f->l4, 0, header);
	for (uint32_t i = 0; i < s->payload; i++)
		f->data[f->l4 + header + i] = (uint8_t)(i * 7 + (i >> 8));
	put_l4(f, s, proto, header + s->payload);
}

static bool l4_right(const uint8_t *ip, const uint8_t *l4, uint8_t proto, uint32_t l4_len)
{
	uint8_t copy[FRAME_MAX];
	uint32_t crc;

	if (l4_len < l4_header(proto))
		return false;
	switch (proto) {
	case IP_PROTO_UDP:
		if (ip[0] >> 4 == 4 && !l4[6] && !l4[7])
			return true;
		/* fall through */
	case IP_PROTO_TCP:
	case IP_PROTO_ICMPV6:
		return sum_words(l4, l4_len, pseudo(ip, proto, l4_len)) == 0xffff;
	case IP_PROTO_ICMP:
		return sum_words(l4, l4_len, 0) == 0xffff;
	case IP_PROTO_SCTP:
		memcpy(copy, l4, l4_len);
		memset(copy + 8, 0, 4);
		crc = htole32(frame_crc32c(copy, l4_len));
		return memcmp(&crc, l4 + 8, 4) == 0;
	default:
		return true;
	}
}

bool frame_checksums_right(const uint8_t *data, uint32_t len)
{
	uint32_t at = 12;
	uint16_t type = (uint16_t)(data[at] << 8 | data[at + 1]);
	const uint8_t *ip;

	while (type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ) {
		at += 4;
		type = (uint16_t)(data[at] << 8 | data[at + 1]);
	}
	ip = data + at + 2;
	if (type == ETH_TYPE_IPV6)
		return l4_right(ip, ip + 40, ip[6], (uint32_t)(ip[4] << 8 | ip[5]));
	if (type != ETH_TYPE_IPV4)
		return true;
	if (sum_words(ip, 20, 0) != 0xffff)
		return false;
	if ((ip[6] & 0x3f) || ip[7])
		return true; /* a fragment has no checksum of its own */
	return l4_right(ip, ip + 20, ip[9], (uint32_t)(ip[2] << 8 | ip[3]) - 20);
}
