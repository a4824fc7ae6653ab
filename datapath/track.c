/* SPDX-License-Identifier: Apache-2.0 */
/* What a packet tells of its connection, read from its head. Called by actions.c; the IP header is read in
 * track_ip.c, rewriting is in track_nat.c. */
#include "datapath/track.h"

#include <string.h>

#include <rte_branch_prediction.h>

#include "base/wire.h"
#include "datapath/ct/conntrack.h"
#include "datapath/track_view.h"
#include "datapath/worker.h"

enum {
	QUOTED_L4 = 8, /* bytes of the transport header that an ICMP error has at least (RFC 792) */
	ICMP_SIZE = 8,
};

/* RFC 7323 section 2.2. */
static void read_window_scale(struct ct_packet *ct, const uint8_t *opt, uint32_t len)
{
	enum { END = 0, NOP = 1, SCALE = 3 };

	while (len >= 3 && opt[0] != END) {
		uint32_t n = opt[0] == NOP ? 1 : opt[1];

		if (opt[0] == SCALE && n == 3) {
			ct->wscale = opt[2];
			ct->flags |= CT_PACKET_WSCALE;
			return;
		}
		if (!n || (opt[0] != NOP && n < 2) || n > len)
			return;
		opt += n;
		len -= n;
	}
}

static bool read_tcp(struct packet *p, const struct track_view *v, struct ct_packet *ct)
{
	const struct tcp_header *tcp = (const struct tcp_header *)track_bytes(p, v, v->l4, sizeof(*tcp));
	uint32_t header;

	if (!tcp)
		return false;
	header = (uint32_t)(be16toh(tcp->offset_flags) >> 12) * 4;
	if (header < sizeof(*tcp) || header > v->end - v->l4)
		return false;
	ct->tuple.tp_src = tcp->src;
	ct->tuple.tp_dst = tcp->dst;
	ct->tcp_flags = be16toh(tcp->offset_flags) & 0xfff;
	ct->window = be16toh(tcp->window);
	ct->seq = be32toh(tcp->seq);
	ct->ack = be32toh(tcp->ack);
	ct->payload = v->end - v->l4 - header;
	if (ct->tcp_flags & 2) { /* SYN */
		const uint8_t *all = track_bytes(p, v, v->l4, header);

		if (!all)
			return false;
		read_window_scale(ct, all + sizeof(*tcp), header - (uint32_t)sizeof(*tcp));
	}
	return true;
}

static bool read_ports(struct packet *p, const struct track_view *v, uint32_t size, struct ct_packet *ct)
{
	const uint8_t *h = track_bytes(p, v, v->l4, size);

	if (!h)
		return false;
	memcpy(&ct->tuple.tp_src, h, 2);
	memcpy(&ct->tuple.tp_dst, h + 2, 2);
	return true;
}

static bool read_udp(struct packet *p, const struct track_view *v, struct ct_packet *ct)
{
	const struct udp_header *udp;

	if (!read_ports(p, v, sizeof(*udp), ct))
		return false;
	udp = (const struct udp_header *)(p->head + v->l4);
	return be16toh(udp->len) >= sizeof(*udp) && (v->is_fragment || be16toh(udp->len) <= v->end - v->l4);
}

/* Id, and type and code. */
static bool read_query(struct packet *p, const struct track_view *v, struct ct_packet *ct)
{
	const uint8_t *h = track_bytes(p, v, v->l4, ICMP_SIZE);

	if (!h)
		return false;
	memcpy(&ct->tuple.tp_src, h + 4, 2);
	memcpy(&ct->tuple.tp_dst, h, 2);
	return true;
}

static bool is_icmp(const struct track_view *v)
{
	return v->proto == (ip_is_v4(&v->src) ? IP_PROTO_ICMP : IP_PROTO_ICMPV6);
}

static void set_tuple(struct ct_packet *ct, const struct track_view *v)
{
	ct->tuple = (struct ct_tuple){.src = v->src, .dst = v->dst, .proto = v->proto};
}

/* The first bytes of the packet that the error is about. It must have come from where the error goes to. */
static bool read_quoted(struct packet *p, struct track_headers *h)
{
	struct track_view *v = &h->inner;

	*v = (struct track_view){.l3 = h->outer.l4 + ICMP_SIZE, .end = h->outer.end};
	if (!track_read_ip(p, v, true) || v->fragment.from || !ip_equal(&v->src, &h->outer.dst))
		return false;
	set_tuple(&h->ct, v);
	h->ct.flags |= CT_PACKET_ERROR;
	if (is_icmp(v))
		return read_query(p, v, &h->ct);
	if (v->proto == IP_PROTO_TCP || v->proto == IP_PROTO_UDP || v->proto == IP_PROTO_SCTP)
		return read_ports(p, v, QUOTED_L4, &h->ct);
	return true;
}

static bool is_error(const struct track_view *v, uint8_t type)
{
	if (v->proto == IP_PROTO_ICMPV6)
		return type >= 1 && type <= 4; /* RFC 4443 */
	/* RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem */
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static bool read_icmp(struct packet *p, struct track_headers *h)
{
	if (!read_query(p, &h->outer, &h->ct))
		return false;
	if (!is_error(&h->outer, p->head[h->outer.l4]))
		return true;
	return !h->outer.is_fragment && read_quoted(p, h);
}

static bool read_transport(struct packet *p, struct track_headers *h)
{
	const struct track_view *v = &h->outer;

	if (p->l4 && p->l4 != v->l4)
		return false; /* whoever rewrites must see the same header */
	switch (v->proto) {
	case IP_PROTO_TCP:
		return p->l4 && read_tcp(p, v, &h->ct);
	case IP_PROTO_UDP:
		return p->l4 && read_udp(p, v, &h->ct);
	case IP_PROTO_SCTP:
		return p->l4 && read_ports(p, v, sizeof(struct sctp_header), &h->ct);
	default:
		return is_icmp(v) ? p->l4 && read_icmp(p, h) : true;
	}
}

/* False: it is to be cut again, or somebody sees a transport header in its payload. */
static bool read_fragment(const struct packet *p, struct track_headers *h)
{
	bool first = !h->outer.fragment.from;

	h->ct.fragment = h->outer.fragment;
	h->ct.flags |= first ? CT_PACKET_FIRST : CT_PACKET_LATER;
	return p->gso == GSO_NONE && (first || !p->l4);
}

static bool read_headers(struct packet *p, struct track_headers *h)
{
	const struct track_view *v = &h->outer;

	if ((p->flags & PACKET_COVERED) || (p->l3_kind != L3_IPV4 && p->l3_kind != L3_IPV6) ||
	    !track_read_ip(p, &h->outer, false))
		return false;
	set_tuple(&h->ct, v);
	if (unlikely(v->is_fragment) && !read_fragment(p, h))
		return false;
	return v->fragment.from || read_transport(p, h);
}

void track_read(struct packet *p, struct track_headers *h)
{
	h->ct = (struct ct_packet){0};
	h->outer = (struct track_view){.l3 = p->l3, .end = p->len};
	if (!read_headers(p, h))
		h->ct.flags = CT_PACKET_INVALID;
}

/* To change ports, the CRC wants to know how much follows in all fragments. */
static bool is_cut_sctp(const struct track_headers *h)
{
	return h->outer.is_fragment && h->outer.proto == IP_PROTO_SCTP;
}

void track_packet(struct worker *w, struct packet *p, const struct ct_order *o, struct ct_facts *facts)
{
	struct track_headers h;
	struct ct_rewrite rw;

	track_read(p, &h);
	if ((o->flags & CT_NAT) && unlikely(is_cut_sctp(&h)))
		h.ct.flags |= CT_PACKET_INVALID;
	conntrack_track(w->dp->ct, w->now, &h.ct, o, facts, &rw);
	if (!rw.what)
		return;
	track_rewrite(p, &h, &rw);
	if (unlikely(rw.what & CT_REWRITE_TEXT))
		track_ftp(w, p, &h, &rw.control, facts);
}

uint32_t track_prefetch(const struct worker *w, const struct mkey *key, uint16_t zone)
{
	struct ct_tuple t = {.tp_src = key->tp_src, .tp_dst = key->tp_dst, .proto = key->proto};
	be32 v4[2];

	if (key->eth_type == htobe16(ETH_TYPE_IPV4)) {
		memcpy(&v4[0], key->ip_src, 4);
		memcpy(&v4[1], key->ip_dst, 4);
		t.src = ip_from_v4(v4[0]);
		t.dst = ip_from_v4(v4[1]);
	} else if (key->eth_type == htobe16(ETH_TYPE_IPV6)) {
		memcpy(t.src.b, key->ip_src, 16);
		memcpy(t.dst.b, key->ip_dst, 16);
	} else {
		return 0;
	}
	return conntrack_prefetch(w->dp->ct, &t, zone);
}
