/* SPDX-License-Identifier: Apache-2.0 */
/* A translated packet's headers, and those of the packet inside an ICMP error. Called by track.c. */
#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "datapath/rewrite.h"
#include "datapath/track_view.h"

enum { ICMP_CSUM = 2, ICMP_ID = 4, PORT_SRC = 0, PORT_DST = 2, TCP_CSUM = 16, UDP_CSUM = 6 };

static void set_address(struct packet *p, bool source, const struct ip_addr *to)
{
	static const enum field_id ids[2][2] = {{FIELD_IPV6_DST, FIELD_IPV6_SRC},
	                                        {FIELD_IPV4_DST, FIELD_IPV4_SRC}};
	enum field_id id = ids[ip_is_v4(to)][source];
	struct field_value value, mask;

	static_assert(sizeof(value.b) == sizeof(to->b), "both right-aligned");
	memcpy(value.b, to->b, sizeof(value.b));
	field_full_mask(id, &mask);
	rewrite_field(p, id, &value, &mask);
}

static void set_port(struct packet *p, enum field_id id, be16 port)
{
	struct field_value value = value_from_u64(be16toh(port)), mask;

	field_full_mask(id, &mask);
	rewrite_field(p, id, &value, &mask);
}

/* Is the checksum of the header at l4 still to be computed? */
static bool is_open(const struct packet *p)
{
	return (p->flags & PACKET_NEEDS_CSUM) && p->csum_start == p->l4;
}

static void fix_icmp(struct packet *p, uint64_t before, uint64_t after)
{
	uint8_t *field = p->head + p->l4 + ICMP_CSUM;
	be16 csum;

	if (is_open(p))
		return;
	memcpy(&csum, field, 2);
	csum = csum_change(csum, before, after);
	memcpy(field, &csum, 2);
}

static void set_icmp_id(struct packet *p, be16 id)
{
	uint8_t *field = p->head + p->l4 + ICMP_ID;
	be16 old;

	memcpy(&old, field, 2);
	if (old == id)
		return;
	memcpy(field, &id, 2);
	fix_icmp(p, old, id);
}

static void set_ports(struct packet *p, const struct ct_tuple *to)
{
	switch (p->l4_proto) {
	case IP_PROTO_TCP:
		set_port(p, FIELD_TCP_SRC, to->tp_src);
		set_port(p, FIELD_TCP_DST, to->tp_dst);
		break;
	case IP_PROTO_UDP:
		set_port(p, FIELD_UDP_SRC, to->tp_src);
		set_port(p, FIELD_UDP_DST, to->tp_dst);
		break;
	case IP_PROTO_SCTP:
		set_port(p, FIELD_SCTP_SRC, to->tp_src);
		set_port(p, FIELD_SCTP_DST, to->tp_dst);
		break;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMPV6:
		if ((p->l4_proto == IP_PROTO_ICMP) == ip_is_v4(&to->src))
			set_icmp_id(p, to->tp_src);
		break;
	}
}

/* Sums of the bytes that change inside of an ICMP error. */
struct quoted {
	struct packet *p;
	const struct track_view *v;
	uint64_t before, after;       /* all, for the checksum of the error */
	uint64_t l4_before, l4_after; /* addresses and ports, for that of the quoted packet */
};

/* `n` even bytes at an even distance from the ICMP header. */
static void put(struct quoted *q, uint32_t at, const void *value, size_t n, bool l4)
{
	uint8_t *field = q->p->head + at;
	uint64_t before = csum_bytes(field, n), after = csum_bytes(value, n);

	memcpy(field, value, n);
	q->before = csum_add(q->before, before);
	q->after = csum_add(q->after, after);
	if (l4) {
		q->l4_before = csum_add(q->l4_before, before);
		q->l4_after = csum_add(q->l4_after, after);
	}
}

static void put_ipv4(struct quoted *q, const struct ip_addr *src, const struct ip_addr *dst)
{
	uint32_t l3 = q->v->l3;
	const struct ipv4_header *ip = (const struct ipv4_header *)(q->p->head + l3);
	be16 csum;

	put(q, l3 + offsetof(struct ipv4_header, src), src->b + 12, 4, true);
	put(q, l3 + offsetof(struct ipv4_header, dst), dst->b + 12, 4, true);
	csum = csum_change(ip->csum, q->l4_before, q->l4_after);
	put(q, l3 + offsetof(struct ipv4_header, csum), &csum, 2, false);
}

static void put_ipv6(struct quoted *q, const struct ip_addr *src, const struct ip_addr *dst)
{
	put(q, q->v->l3 + offsetof(struct ipv6_header, src), src->b, 16, true);
	put(q, q->v->l3 + offsetof(struct ipv6_header, dst), dst->b, 16, true);
}

/* The quoted transport header's checksum, if it is quoted. That of SCTP needs the whole packet: it stays. */
static void put_checksum(struct quoted *q, uint32_t ofs, bool udp)
{
	uint32_t at = q->v->l4 + ofs;
	be16 csum;

	if (at + 2 > q->v->end || !packet_pull(q->p, at + 2))
		return;
	memcpy(&csum, q->p->head + at, 2);
	if (udp && !csum)
		return;
	csum = csum_change(csum, q->l4_before, q->l4_after);
	if (udp && !csum)
		csum = 0xffff;
	put(q, at, &csum, 2, false);
}

static void put_transport(struct quoted *q, const struct ct_tuple *now)
{
	uint32_t l4 = q->v->l4;

	switch (q->v->proto) {
	case IP_PROTO_TCP:
	case IP_PROTO_UDP:
	case IP_PROTO_SCTP:
		put(q, l4 + PORT_SRC, &now->tp_src, 2, true);
		put(q, l4 + PORT_DST, &now->tp_dst, 2, true);
		if (q->v->proto != IP_PROTO_SCTP)
			put_checksum(q, q->v->proto == IP_PROTO_TCP ? TCP_CSUM : UDP_CSUM,
			             q->v->proto == IP_PROTO_UDP);
		break;
	case IP_PROTO_ICMP:
		q->l4_before = q->l4_after = 0; /* no pseudo header */
		                                /* fall through */
	case IP_PROTO_ICMPV6:
		put(q, l4 + ICMP_ID, &now->tp_src, 2, true);
		put_checksum(q, ICMP_CSUM, false);
		break;
	}
}

/* The packet inside has gone the other way. */
static void rewrite_quoted(struct packet *p, const struct track_headers *h, const struct ct_tuple *to)
{
	struct quoted q = {.p = p, .v = &h->inner};
	struct ct_tuple now = {.src = to->dst, .dst = to->src, .tp_src = to->tp_dst, .tp_dst = to->tp_src};

	if (ip_is_v4(&h->inner.src) != ip_is_v4(&to->src))
		return;
	if (h->inner.proto == IP_PROTO_ICMP || h->inner.proto == IP_PROTO_ICMPV6)
		now.tp_src = to->tp_src;
	if (ip_is_v4(&h->inner.src))
		put_ipv4(&q, &now.src, &now.dst);
	else
		put_ipv6(&q, &now.src, &now.dst);
	put_transport(&q, &now);
	fix_icmp(p, q.before, q.after);
}

static void set_numbers(struct packet *p, const struct ct_rewrite *rw)
{
	struct tcp_header *tcp = (struct tcp_header *)(p->head + p->l4);
	be32 was[2] = {tcp->seq, tcp->ack};
	be32 is[2] = {htobe32(be32toh(was[0]) + rw->seq), htobe32(be32toh(was[1]) + rw->ack)};

	tcp->seq = is[0];
	tcp->ack = is[1];
	if (!is_open(p))
		tcp->csum = csum_update(tcp->csum, was, is, sizeof(was));
}

void track_rewrite(struct packet *p, const struct track_headers *h, const struct ct_rewrite *rw)
{
	if (rw->what & CT_REWRITE_SRC)
		set_address(p, true, &rw->to.src);
	if (rw->what & CT_REWRITE_DST)
		set_address(p, false, &rw->to.dst);
	if ((rw->what & CT_REWRITE_PORTS) && p->l4)
		set_ports(p, &rw->to);
	if (rw->what & CT_REWRITE_NUMBERS)
		set_numbers(p, rw);
	if ((rw->what & CT_REWRITE_INNER) && p->l4)
		rewrite_quoted(p, h, &rw->to);
}
