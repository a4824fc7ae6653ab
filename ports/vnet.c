/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-net headers; see vnet.h. Called by the vhost-user and tap ports. */
#include "ports/vnet.h"

#include <endian.h>

#include "base/wire.h"

enum { VLANS_MAX = 2, IPV6_EXTENSIONS_MAX = 8 };

struct layers {
	uint32_t l3, l4;
	uint8_t version; /* 4, 6; 0: not IP */
	uint8_t proto;
};

/* Skips extension headers. False also for a fragment or authentication header: whoever adds one has made the
 * checksums before, and the parser looks behind them. */
static bool walk_ipv6(struct packet *p, struct layers *l)
{
	const struct ipv6_header *ip = (const void *)(p->head + l->l3);
	uint8_t next = ip->next_header;
	uint32_t ofs = l->l3 + sizeof(*ip);

	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
		if (next == 44 || next == 51)
			return false;
		if (next != 0 && next != 43 && next != 60) { /* hop-by-hop, routing, destination options */
			l->l4 = ofs;
			l->proto = next;
			return true;
		}
		if (!packet_pull(p, ofs + 8))
			return false;
		next = p->head[ofs];
		ofs += (p->head[ofs + 1] + 1u) * 8;
	}
	return false;
}

/* Finds the L3 and L4 headers of an IP packet, making them private. False: not IP, or malformed. */
static bool find_layers(struct packet *p, struct layers *l)
{
	uint32_t ofs = 12;
	be16 type;

	*l = (struct layers){0};
	for (int tags = 0;; tags++) {
		if (!packet_pull(p, ofs + 2))
			return false;
		memcpy(&type, p->head + ofs, 2);
		ofs += 2;
		if (type != htobe16(ETH_TYPE_VLAN) && type != htobe16(ETH_TYPE_QINQ))
			break;
		if (tags == VLANS_MAX)
			return false;
		ofs += 2;
	}
	l->l3 = ofs;
	if (type == htobe16(ETH_TYPE_IPV4)) {
		const struct ipv4_header *ip;

		if (!packet_pull(p, ofs + sizeof(*ip)))
			return false;
		ip = (const void *)(p->head + ofs);
		l->version = 4;
		l->proto = ip->proto;
		l->l4 = ofs + (ip->version_ihl & 15u) * 4;
		return ip->version_ihl >> 4 == 4 && (ip->version_ihl & 15u) >= 5;
	}
	if (type != htobe16(ETH_TYPE_IPV6) || !packet_pull(p, ofs + sizeof(struct ipv6_header)))
		return false;
	l->version = 6;
	return p->head[ofs] >> 4 == 6 && walk_ipv6(p, l);
}

bool vnet_csum_place_ok(uint8_t proto, uint32_t l4, uint32_t start, uint32_t field)
{
	switch (proto) {
	case IP_PROTO_TCP:
		return start == l4 && field == offsetof(struct tcp_header, csum);
	case IP_PROTO_UDP:
		return (start == l4 && field == offsetof(struct udp_header, csum)) ||
		       start >= l4 + sizeof(struct udp_header);
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMPV6:
		return start == l4 && field == offsetof(struct icmp_header, csum);
	case IP_PROTO_SCTP:
		return false;
	default:
		return start >= l4 + 4;
	}
}

static enum packet_gso gso_of(uint8_t type, const struct layers *l)
{
	switch (type & ~VNET_GSO_ECN) {
	case VNET_GSO_TCPV4:
		return l->version == 4 && l->proto == IP_PROTO_TCP ? GSO_TCP4 : GSO_NONE;
	case VNET_GSO_TCPV6:
		return l->version == 6 && l->proto == IP_PROTO_TCP ? GSO_TCP6 : GSO_NONE;
	case VNET_GSO_UDP_L4:
		if (l->proto != IP_PROTO_UDP || (type & VNET_GSO_ECN))
			return GSO_NONE;
		return l->version == 4 ? GSO_UDP4 : GSO_UDP6;
	default:
		return GSO_NONE;
	}
}

/* Headers of a GSO packet, whole and in private memory. */
static bool pull_l4(struct packet *p, const struct layers *l)
{
	uint32_t len = sizeof(struct udp_header);

	if (l->proto == IP_PROTO_TCP) {
		if (!packet_pull(p, l->l4 + sizeof(struct tcp_header)))
			return false;
		len = (uint32_t)(p->head[l->l4 + offsetof(struct tcp_header, offset_flags)] >> 4) * 4;
		if (len < sizeof(struct tcp_header))
			return false;
	}
	return packet_pull(p, l->l4 + len);
}

/* A guest may not make us cut a packet into more frames than its own kernel ever would: Linux cuts TCP into
 * pieces of 48 bytes at least, UDP into 128 at most. */
enum { TCP_SEGMENTS_MAX = PACKET_LEN_MAX / 48, UDP_SEGMENTS_MAX = 128 };

static bool gso_size_ok(const struct packet *p, const struct layers *l)
{
	uint32_t most = l->proto == IP_PROTO_UDP ? UDP_SEGMENTS_MAX : TCP_SEGMENTS_MAX;

	return p->gso_size && (p->len - l->l4) / p->gso_size <= most;
}

bool vnet_to_packet(const struct vnet_header *h, struct packet *p)
{
	uint32_t start = le16toh(h->csum_start), field = le16toh(h->csum_offset);
	struct layers l;

	if (!(h->flags & VNET_NEEDS_CSUM))
		return h->gso_type == VNET_GSO_NONE;
	if (!find_layers(p, &l) || !vnet_csum_place_ok(l.proto, l.l4, start, field) ||
	    !packet_pull(p, start + field + 2))
		return false;
	if (h->gso_type != VNET_GSO_NONE) {
		p->gso = (uint8_t)gso_of(h->gso_type, &l);
		p->gso_size = le16toh(h->gso_size);
		if (p->gso == GSO_NONE || !gso_size_ok(p, &l) || start != l.l4 || !pull_l4(p, &l))
			return false;
		p->l3 = (uint16_t)l.l3;
		p->l4 = (uint16_t)l.l4;
	}
	p->flags |= PACKET_NEEDS_CSUM;
	p->csum_start = (uint16_t)start;
	p->csum_offset = (uint16_t)field;
	return true;
}

static uint8_t gso_type(const struct packet *p)
{
	static const uint8_t types[] = {
	        [GSO_NONE] = VNET_GSO_NONE,   [GSO_TCP4] = VNET_GSO_TCPV4,  [GSO_TCP6] = VNET_GSO_TCPV6,
	        [GSO_UDP4] = VNET_GSO_UDP_L4, [GSO_UDP6] = VNET_GSO_UDP_L4,
	};
	return types[p->gso];
}

static bool has_cwr(const struct packet *p)
{
	uint32_t flags = p->csum_start + offsetof(struct tcp_header, offset_flags) + 1;

	return (p->gso == GSO_TCP4 || p->gso == GSO_TCP6) && flags < p->head_len && (p->head[flags] & 0x80);
}

void vnet_from_packet(const struct packet *p, bool data_valid, bool ecn, struct vnet_header *h)
{
	*h = (struct vnet_header){.num_buffers = htole16(1)};
	if (p->flags & PACKET_NEEDS_CSUM) {
		h->flags = VNET_NEEDS_CSUM;
		h->csum_start = htole16(p->csum_start);
		h->csum_offset = htole16(p->csum_offset);
	} else if (data_valid && (p->flags & PACKET_CSUM_VALID)) {
		h->flags = VNET_DATA_VALID;
	}
	if (p->gso == GSO_NONE)
		return;
	h->gso_type = gso_type(p) | (ecn && has_cwr(p) ? VNET_GSO_ECN : 0);
	h->gso_size = htole16(p->gso_size);
	h->hdr_len = htole16(p->head_len);
}
