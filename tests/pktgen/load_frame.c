/* SPDX-License-Identifier: Apache-2.0 */
/* Builds and checks the frames of a load stream; see load_frame.h. Called by load_port.c. */
#include "tests/pktgen/load_frame.h"

#include "base/checksum.h"

enum { SEGMENT = 1448 };

void load_payload_make(uint32_t tenant, uint8_t payload[LOAD_SIZE_MAX])
{
	for (unsigned i = 0; i < LOAD_SIZE_MAX; i++)
		payload[i] = (uint8_t)(tenant * 37 + i * 11 + (i >> 8));
}

static void put_eth(uint8_t *to, const char *dst, const char *src)
{
	struct eth_header *eth = (struct eth_header *)to;

	mac_parse(dst, &eth->dst);
	mac_parse(src, &eth->src);
	eth->type = htobe16(ETH_TYPE_IPV4);
}

static void put_ipv4(uint8_t *to, unsigned len, uint8_t proto, be32 src, be32 dst)
{
	struct ipv4_header *ip = (struct ipv4_header *)to;

	*ip = (struct ipv4_header){.version_ihl = 0x45,
	                           .total_len = htobe16((uint16_t)len),
	                           .ttl = 64,
	                           .proto = proto,
	                           .src = src,
	                           .dst = dst};
}

static void put_outer(const struct load_stream_options *o, uint8_t *to, unsigned inner)
{
	unsigned len = LOAD_OUTER - sizeof(struct eth_header) + inner;
	struct ipv4_header *ip = (struct ipv4_header *)(to + sizeof(struct eth_header));
	struct udp_header *udp = (struct udp_header *)(ip + 1);
	be32 vxlan[2] = {htobe32(0x08000000), htobe32(o->vni << 8)};

	put_eth(to, o->outer_dst, o->outer_src);
	put_ipv4((uint8_t *)ip, len, IP_PROTO_UDP, o->outer_ip_src, o->outer_ip_dst);
	ip->csum = csum_finish(csum_bytes(ip, sizeof(*ip)));
	*udp = (struct udp_header){.dst = htobe16(VXLAN_PORT), .len = htobe16((uint16_t)(len - sizeof(*ip)))};
	memcpy(udp + 1, vxlan, sizeof(vxlan));
}

bool load_outer_good(const struct load_stream_options *o, const uint8_t *frame, uint32_t len)
{
	const struct eth_header *eth = (const void *)frame;
	const struct ipv4_header *ip = (const void *)(eth + 1);
	const struct udp_header *udp = (const void *)(ip + 1);
	const struct vxlan_header *vxlan = (const void *)(udp + 1);
	struct mac ours, theirs;

	mac_parse(o->outer_src, &ours);
	mac_parse(o->outer_dst, &theirs);
	return len > LOAD_OUTER && mac_equal(eth->dst, ours) && mac_equal(eth->src, theirs) &&
	       eth->type == htobe16(ETH_TYPE_IPV4) && ip->version_ihl == 0x45 && ip->proto == IP_PROTO_UDP &&
	       ip->ttl && be16toh(ip->total_len) == len - sizeof(*eth) && ip->src == o->outer_ip_dst &&
	       ip->dst == o->outer_ip_src && csum_fold(csum_bytes(ip, sizeof(*ip))) == 0xffff &&
	       udp->dst == htobe16(VXLAN_PORT) && !udp->csum &&
	       be16toh(udp->len) == len - sizeof(*eth) - sizeof(*ip) &&
	       vxlan->flags == htobe32(VXLAN_FLAG_I) && vxlan->vni_rsvd == htobe32(o->vni << 8);
}

/* The transport header; TCP's checksum is left to whoever segments. */
static unsigned put_l4(const struct load_stream_options *o, uint8_t *to, const struct ipv4_header *ip,
                       unsigned len, struct load_frame *where)
{
	struct udp_header *udp = (struct udp_header *)to;
	struct tcp_header *tcp = (struct tcp_header *)to;

	if (o->kind != LOAD_TSO) {
		*udp = (struct udp_header){.dst = htobe16(2000), .len = htobe16((uint16_t)len)};
		return sizeof(*udp);
	}
	memset(tcp, 0, sizeof(*tcp));
	tcp->dst = htobe16(2000);
	tcp->offset_flags = htobe16(0x5010);
	where->tcp_csum = where->l4 + (unsigned)offsetof(struct tcp_header, csum);
	where->tcp_sum = csum_fold(csum_pseudo4(0, ip->dst, IP_PROTO_TCP, (uint16_t)len));
	return sizeof(*tcp);
}

unsigned load_frame_build(const struct load_stream_options *o, const uint8_t *payload, unsigned size,
                          uint8_t *to, struct load_frame *where, uint32_t *sum)
{
	unsigned outer = o->kind == LOAD_VXLAN ? LOAD_OUTER : 0, l3 = size - sizeof(struct eth_header);
	struct load_mark mark = {.magic = LOAD_MAGIC, .tenant = o->tenant};
	struct ipv4_header *ip;

	*where = (struct load_frame){.ip = outer + sizeof(struct eth_header)};
	where->outer_l4 = outer ? sizeof(struct eth_header) + sizeof(*ip) : 0;
	where->l4 = where->ip + sizeof(*ip);
	if (outer)
		put_outer(o, to, size);
	put_eth(to + outer, o->dst, o->src);
	ip = (struct ipv4_header *)(to + where->ip);
	put_ipv4((uint8_t *)ip, l3, o->kind == LOAD_TSO ? IP_PROTO_TCP : IP_PROTO_UDP, 0,
	         o->pattern == LOAD_SCAN ? 0 : htobe32(0xac100001));
	*sum = csum_fold(csum_bytes(ip, sizeof(*ip)));
	where->mark = where->l4 + put_l4(o, to + where->l4, ip, l3 - (unsigned)sizeof(*ip), where);
	memcpy(to + where->mark, &mark, sizeof(mark));
	memcpy(to + where->mark + sizeof(mark), payload, outer + size - where->mark - sizeof(mark));
	return outer + size;
}

void load_frame_header(const struct load_stream_options *o, unsigned len, const struct load_frame *where,
                       struct vnet_header *h)
{
	*h = (struct vnet_header){0};
	if (o->kind != LOAD_TSO)
		return;
	h->flags = VNET_NEEDS_CSUM;
	h->csum_start = (uint16_t)where->l4;
	h->csum_offset = offsetof(struct tcp_header, csum);
	h->hdr_len = (uint16_t)(where->l4 + sizeof(struct tcp_header));
	if (len > LOAD_MTU_FRAME) {
		h->gso_type = VNET_GSO_TCPV4;
		h->gso_size = SEGMENT;
	}
}
