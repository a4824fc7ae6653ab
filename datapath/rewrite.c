/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields in place, with incremental checksums (RFC 1624). Called by actions.c. */
#include "datapath/rewrite.h"

#include <string.h>

#include "base/wire.h"
#include "datapath/change.h"
#include "datapath/crc32c.h"
#include "datapath/parse.h"

enum { PORT_SRC = 0, PORT_DST = 2 };

/* The checksum field of the transport header, or NULL. */
static uint8_t *l4_csum_field(struct packet *p)
{
	switch (p->l4 ? p->l4_proto : 0) {
	case IP_PROTO_TCP:
		return p->head + p->l4 + offsetof(struct tcp_header, csum);
	case IP_PROTO_UDP:
		return p->head + p->l4 + offsetof(struct udp_header, csum);
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMPV6:
		return p->head + p->l4 + offsetof(struct icmp_header, csum);
	default:
		return NULL;
	}
}

/* Bytes that the transport checksum covers have changed; `pseudo`: in the pseudo header. A partial sum covers
 * the pseudo header only, and a UDP checksum of zero stays "none". */
static void fix_l4(struct packet *p, bool pseudo, struct change c)
{
	uint8_t *field = l4_csum_field(p);
	be16 csum;

	if (!field || (pseudo && p->l4_proto == IP_PROTO_ICMP))
		return;
	memcpy(&csum, field, 2);
	if ((p->flags & PACKET_NEEDS_CSUM) && p->csum_start == p->l4) {
		if (!pseudo)
			return;
		csum = csum_fold(csum_add(csum_add(csum, c.after), (be16)~csum_fold(c.before)));
	} else {
		if (p->l4_proto == IP_PROTO_UDP && !csum)
			return;
		csum = csum_change(csum, c.before, c.after);
		if (p->l4_proto == IP_PROTO_UDP && !csum)
			csum = 0xffff;
	}
	memcpy(field, &csum, 2);
}

static struct field_value shifted(const struct field_value *v, unsigned by)
{
	return value_from_u64(value_to_u64(v) << by);
}

/* A field that no checksum covers. */
static inline void set_plain(struct packet *p, uint32_t ofs, const struct field_value *v,
                             const struct field_value *m, size_t n)
{
	struct change c;

	if (packet_pull(p, ofs + (uint32_t)n))
		change_bytes(p->head + ofs, v, m, n, &c);
}

/* A field inside the `n` (even) aligned bytes at `ofs` that the transport checksum covers. */
static inline void set_l4(struct packet *p, uint32_t ofs, const struct field_value *v,
                          const struct field_value *m, size_t n)
{
	struct change c;

	if (packet_pull(p, ofs + (uint32_t)n) && change_bytes(p->head + ofs, v, m, n, &c))
		fix_l4(p, false, c);
}

static void set_tcp_udp_port(struct packet *p, uint8_t proto, uint32_t which, const struct field_value *v,
                             const struct field_value *m)
{
	if (p->l4 && p->l4_proto == proto)
		set_l4(p, p->l4 + which, v, m, 2);
}

/* Behind the last byte of the IP packet; the link's padding may follow. */
static uint32_t ip_end(const struct packet *p)
{
	if (p->l3_kind == L3_IPV4)
		return p->l3 + be16toh(((const struct ipv4_header *)(p->head + p->l3))->total_len);
	return p->l3 + 40u + be16toh(((const struct ipv6_header *)(p->head + p->l3))->payload_len);
}

/* The CRC of SCTP is linear: what the change does to it depends on how many bytes follow, not on which. */
static void set_sctp_port(struct packet *p, uint32_t which, const struct field_value *v,
                          const struct field_value *m)
{
	uint32_t csum, ofs = p->l4 + which;
	uint8_t difference[2];
	struct change c;

	if (!p->l4 || p->l4_proto != IP_PROTO_SCTP || !change_bytes(p->head + ofs, v, m, 2, &c))
		return;
	if ((p->flags & PACKET_NEEDS_CSUM) && p->csum_start == p->l4)
		return;
	change_store(difference, c.before ^ c.after, sizeof(difference));
	memcpy(&csum, p->head + p->l4 + offsetof(struct sctp_header, csum), 4);
	csum = htole32(le32toh(csum) ^ crc32c_of_change(difference, 2, ip_end(p) - ofs - 2));
	memcpy(p->head + p->l4 + offsetof(struct sctp_header, csum), &csum, 4);
}

static void set_icmp(struct packet *p, bool code, const struct field_value *v, const struct field_value *m)
{
	struct field_value value = shifted(v, code ? 0 : 8), mask = shifted(m, code ? 0 : 8);

	if (p->l4 && (p->l4_proto == IP_PROTO_ICMP || p->l4_proto == IP_PROTO_ICMPV6))
		set_l4(p, p->l4, &value, &mask, 2);
}

/* A field inside the `n` bytes at `ofs` of the IPv4 header. */
static inline void set_ipv4(struct packet *p, uint32_t ofs, const struct field_value *v,
                            const struct field_value *m, size_t n, bool pseudo)
{
	struct ipv4_header *ip = (struct ipv4_header *)(p->head + p->l3);
	struct change c;

	if (p->l3_kind != L3_IPV4 || !change_bytes(p->head + p->l3 + ofs, v, m, n, &c))
		return;
	ip->csum = csum_change(ip->csum, c.before, c.after);
	if (pseudo)
		fix_l4(p, true, c);
}

static void set_ipv6_addr(struct packet *p, uint32_t ofs, const struct field_value *v,
                          const struct field_value *m)
{
	struct change c;

	if (p->l3_kind == L3_IPV6 && change_bytes(p->head + p->l3 + ofs, v, m, 16, &c))
		fix_l4(p, true, c);
}

/* `shift`: of bit 0 of the field inside the TOS byte. */
static void set_tos(struct packet *p, unsigned shift, const struct field_value *v,
                    const struct field_value *m)
{
	struct field_value value, mask;

	if (p->l3_kind == L3_IPV4) {
		value = shifted(v, shift);
		mask = shifted(m, shift);
		set_ipv4(p, 0, &value, &mask, 2, false);
	} else if (p->l3_kind == L3_IPV6) {
		value = shifted(v, shift + 20);
		mask = shifted(m, shift + 20);
		set_plain(p, p->l3, &value, &mask, 4);
	}
}

static void set_ttl(struct packet *p, const struct field_value *v, const struct field_value *m)
{
	if (p->l3_kind == L3_IPV4) {
		struct field_value value = shifted(v, 8), mask = shifted(m, 8);

		set_ipv4(p, offsetof(struct ipv4_header, ttl), &value, &mask, 2, false);
	} else if (p->l3_kind == L3_IPV6) {
		set_plain(p, p->l3 + offsetof(struct ipv6_header, hop_limit), v, m, 1);
	}
}

/* The transport checksum is that of the protocol that was there, as far as that has one. */
static void set_proto(struct packet *p, const struct field_value *v, const struct field_value *m)
{
	struct change c;
	uint32_t at;

	if (p->l3_kind == L3_IPV4) {
		set_ipv4(p, offsetof(struct ipv4_header, ttl), v, m, 2, true);
	} else if (p->l3_kind == L3_IPV6) {
		at = parse_ipv6_proto_at(p);
		if (!at || !change_bytes(p->head + at, v, m, 1, &c))
			return;
		/* the second byte of its word in the pseudo header */
		fix_l4(p, true, (struct change){c.before << 8, c.after << 8});
	}
	parse_offsets(p);
}

static void set_eth_type(struct packet *p, const struct field_value *v, const struct field_value *m)
{
	be16 type;
	uint16_t at = tags_end(p, &type);

	if (!at)
		return;
	set_plain(p, at - 2u, v, m, 2);
	p->flags |= PACKET_COVERED;
	parse_offsets(p);
}

static void set_vlan(struct packet *p, unsigned shift, const struct field_value *v,
                     const struct field_value *m)
{
	/* The key's CFI bit says that there is a tag; on the wire it is the DEI bit and stays. */
	struct field_value value = shifted(v, shift), mask = shifted(m, shift);
	struct eth_header *eth = (struct eth_header *)p->head;

	mask.b[14] &= 0xef;
	if (p->head_len >= sizeof(*eth) &&
	    (eth->type == htobe16(ETH_TYPE_VLAN) || eth->type == htobe16(ETH_TYPE_QINQ)))
		set_plain(p, sizeof(*eth), &value, &mask, 2);
}

static void set_mpls(struct packet *p, unsigned shift, const struct field_value *v,
                     const struct field_value *m)
{
	struct field_value value = shifted(v, shift), mask = shifted(m, shift);
	be16 type;
	uint16_t at = tags_end(p, &type);

	if (at && (type == htobe16(ETH_TYPE_MPLS) || type == htobe16(ETH_TYPE_MPLS_MC)))
		set_plain(p, at, &value, &mask, 4);
}

static void set_pbb(struct packet *p, const struct field_value *v, const struct field_value *m)
{
	be16 type;
	uint16_t at = tags_end(p, &type);

	if (at && type == htobe16(ETH_TYPE_PBB))
		set_plain(p, at + 1u, v, m, 3);
}

/* Only what is inside of the packet: the checksum covers no more. */
static void set_nd_target(struct packet *p, const struct field_value *v, const struct field_value *m)
{
	if (p->l4 && p->l4_proto == IP_PROTO_ICMPV6 && p->l4 + 24u <= ip_end(p))
		set_l4(p, p->l4 + 8u, v, m, 16);
}

/* Finds the link-layer address option (RFC 4861 section 4.6.1) of a solicitation or an advertisement. */
static void set_nd_lladdr(struct packet *p, uint8_t option, const struct field_value *v,
                          const struct field_value *m)
{
	uint32_t at = p->l4 + 24u;

	if (!p->l4 || p->l4_proto != IP_PROTO_ICMPV6)
		return;
	while (at + 8 <= ip_end(p) && packet_pull(p, at + 8)) {
		const uint8_t *opt = p->head + at;

		if (!opt[1])
			return;
		if (opt[0] == option && opt[1] == 1) {
			set_l4(p, at + 2, v, m, 6);
			return;
		}
		at += opt[1] * 8u;
	}
}

static void set_arp(struct packet *p, uint32_t ofs, const struct field_value *v, const struct field_value *m,
                    size_t n)
{
	if (p->l3_kind == L3_ARP)
		set_plain(p, p->l3 + ofs, v, m, n);
}

static void set_tunnel_v4(struct ip_addr *a, const struct field_value *v, const struct field_value *m)
{
	be32 be = ip_is_v4(a) ? ip_to_v4(a) : 0;
	struct change c;

	change_bytes((uint8_t *)&be, v, m, 4, &c);
	*a = be ? ip_from_v4(be) : (struct ip_addr){{0}};
}

static void set_tunnel(struct packet_tunnel *t, enum field_id id, const struct field_value *v,
                       const struct field_value *m)
{
	uint64_t mask = value_to_u64(m), number = value_to_u64(v) & mask;
	struct change c;

	switch (id) {
	case FIELD_TUN_ID:
		t->id = (t->id & ~mask) | number;
		break;
	case FIELD_TUN_SRC:
		set_tunnel_v4(&t->src, v, m);
		break;
	case FIELD_TUN_DST:
		set_tunnel_v4(&t->dst, v, m);
		break;
	case FIELD_TUN_IPV6_SRC:
		change_bytes(t->src.b, v, m, 16, &c);
		break;
	case FIELD_TUN_IPV6_DST:
		change_bytes(t->dst.b, v, m, 16, &c);
		break;
	case FIELD_TUN_FLAGS:
		t->flags = (uint16_t)((t->flags & ~mask) | number);
		break;
	case FIELD_TUN_TTL:
		t->ttl = (uint8_t)((t->ttl & ~mask) | number);
		break;
	case FIELD_TUN_TOS:
		t->tos = (uint8_t)((t->tos & ~mask) | number);
		break;
	default:
		break;
	}
}

static void set_link_field(struct packet *p, enum field_id id, const struct field_value *v,
                           const struct field_value *m)
{
	switch (id) {
	case FIELD_ETH_DST:
		set_plain(p, offsetof(struct eth_header, dst), v, m, 6);
		break;
	case FIELD_ETH_SRC:
		set_plain(p, offsetof(struct eth_header, src), v, m, 6);
		break;
	case FIELD_ETH_TYPE:
		set_eth_type(p, v, m);
		break;
	case FIELD_VLAN_TCI:
	case FIELD_DL_VLAN:
	case FIELD_VLAN_VID:
	case FIELD_DL_VLAN_PCP:
	case FIELD_VLAN_PCP:
		set_vlan(p, fields[id].shift, v, m);
		break;
	case FIELD_MPLS_LABEL:
	case FIELD_MPLS_TC:
	case FIELD_MPLS_BOS:
	case FIELD_MPLS_TTL:
		set_mpls(p, fields[id].shift, v, m);
		break;
	case FIELD_PBB_ISID:
		set_pbb(p, v, m);
		break;
	case FIELD_ARP_OP:
		set_arp(p, offsetof(struct arp_header, op), v, m, 2);
		break;
	case FIELD_ARP_SPA:
		set_arp(p, offsetof(struct arp_header, spa), v, m, 4);
		break;
	case FIELD_ARP_TPA:
		set_arp(p, offsetof(struct arp_header, tpa), v, m, 4);
		break;
	case FIELD_ARP_SHA:
		set_arp(p, offsetof(struct arp_header, sha), v, m, 6);
		break;
	case FIELD_ARP_THA:
		set_arp(p, offsetof(struct arp_header, tha), v, m, 6);
		break;
	default:
		set_tunnel(&p->tunnel, id, v, m);
		break;
	}
}

static void set_network_field(struct packet *p, enum field_id id, const struct field_value *v,
                              const struct field_value *m)
{
	switch (id) {
	case FIELD_IPV4_SRC:
		set_ipv4(p, offsetof(struct ipv4_header, src), v, m, 4, true);
		break;
	case FIELD_IPV4_DST:
		set_ipv4(p, offsetof(struct ipv4_header, dst), v, m, 4, true);
		break;
	case FIELD_IPV6_SRC:
		set_ipv6_addr(p, offsetof(struct ipv6_header, src), v, m);
		break;
	case FIELD_IPV6_DST:
		set_ipv6_addr(p, offsetof(struct ipv6_header, dst), v, m);
		break;
	case FIELD_IPV6_LABEL:
		if (p->l3_kind == L3_IPV6)
			set_plain(p, p->l3, v, m, 4);
		break;
	case FIELD_NW_TOS:
	case FIELD_IP_DSCP:
	case FIELD_NW_ECN:
		set_tos(p, fields[id].shift, v, m);
		break;
	case FIELD_NW_TTL:
		set_ttl(p, v, m);
		break;
	case FIELD_NW_PROTO:
		set_proto(p, v, m);
		break;
	default:
		set_link_field(p, id, v, m);
		break;
	}
}

void rewrite_field(struct packet *p, enum field_id id, const struct field_value *v,
                   const struct field_value *m)
{
	switch (id) {
	case FIELD_TCP_SRC:
	case FIELD_TCP_DST:
		set_tcp_udp_port(p, IP_PROTO_TCP, id == FIELD_TCP_SRC ? PORT_SRC : PORT_DST, v, m);
		break;
	case FIELD_UDP_SRC:
	case FIELD_UDP_DST:
		set_tcp_udp_port(p, IP_PROTO_UDP, id == FIELD_UDP_SRC ? PORT_SRC : PORT_DST, v, m);
		break;
	case FIELD_SCTP_SRC:
	case FIELD_SCTP_DST:
		set_sctp_port(p, id == FIELD_SCTP_SRC ? PORT_SRC : PORT_DST, v, m);
		break;
	case FIELD_ICMP_TYPE:
	case FIELD_ICMPV6_TYPE:
		set_icmp(p, false, v, m);
		break;
	case FIELD_ICMP_CODE:
	case FIELD_ICMPV6_CODE:
		set_icmp(p, true, v, m);
		break;
	case FIELD_ND_TARGET:
		set_nd_target(p, v, m);
		break;
	case FIELD_ND_SLL:
		set_nd_lladdr(p, 1, v, m);
		break;
	case FIELD_ND_TLL:
		set_nd_lladdr(p, 2, v, m);
		break;
	default:
		set_network_field(p, id, v, m);
		break;
	}
}
