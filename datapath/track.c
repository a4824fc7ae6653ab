/* SPDX-License-Identifier: Apache-2.0 */
/* What a packet tells of its connection, read from its head. Called by actions.c; rewriting is in
 * track_nat.c. */
#include "datapath/track.h"

#include <string.h>

#include "base/wire.h"
#include "datapath/ct/conntrack.h"
#include "datapath/track_view.h"
#include "datapath/worker.h"

enum {
	FRAG_MORE = 0x2000, /* IPv4, host order */
	FRAG_OFFSET = 0x1fff,
	EXTENSIONS_MAX = 8, /* as the parser */
	QUOTED_L4 = 8,      /* bytes of the transport header that an ICMP error has at least (RFC 792) */
	ICMP_SIZE = 8,
};

enum { PROTO_HOPOPTS = 0, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_AH = 51, PROTO_DSTOPTS = 60 };

/* `n` bytes at `at`, private now; NULL: they are not in front of v->end or cannot be. */
static const uint8_t *bytes_at(struct packet *p, const struct track_view *v, uint32_t at, uint32_t n)
{
	if (at > v->end || n > v->end - at || !packet_pull(p, at + n))
		return NULL;
	return p->head + at;
}

/* `quoted`: inside an ICMP error: the packet may be cut off, and a first fragment will do. */
static bool read_ipv4(struct packet *p, struct track_view *v, bool quoted)
{
	const struct ipv4_header *ip = (const struct ipv4_header *)bytes_at(p, v, v->l3, sizeof(*ip));
	uint32_t header, total;
	uint16_t frag;

	if (!ip)
		return false;
	header = (ip->version_ihl & 15u) * 4;
	total = be16toh(ip->total_len);
	frag = be16toh(ip->frag);
	if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip) || header > v->end - v->l3 ||
	    (frag & (quoted ? FRAG_OFFSET : FRAG_OFFSET | FRAG_MORE)))
		return false;
	v->src = ip_from_v4(ip->src);
	v->dst = ip_from_v4(ip->dst);
	v->proto = ip->proto;
	v->l4 = v->l3 + header;
	if (!quoted) {
		if (total < header || total > v->end - v->l3)
			return false;
		v->end = v->l3 + total;
	}
	return true;
}

/* Length of the extension header at `h`; 0: none that is walked over. */
static uint32_t extension_length(uint8_t proto, const uint8_t *h)
{
	switch (proto) {
	case PROTO_HOPOPTS:
	case PROTO_ROUTING:
	case PROTO_DSTOPTS:
		return (h[1] + 1u) * 8;
	case PROTO_AH:
		return (h[1] + 2u) * 4;
	default:
		return 8;
	}
}

static bool is_extension(uint8_t proto)
{
	return proto == PROTO_HOPOPTS || proto == PROTO_ROUTING || proto == PROTO_DSTOPTS ||
	       proto == PROTO_AH || proto == PROTO_FRAGMENT;
}

static bool walk_extensions(struct packet *p, struct track_view *v)
{
	for (unsigned i = 0; is_extension(v->proto); i++) {
		const uint8_t *h = bytes_at(p, v, v->l4, 8);
		uint32_t len;

		if (!h || i == EXTENSIONS_MAX)
			return false;
		/* RFC 8200 section 4.5: neither an offset nor more to come is no fragment */
		if (v->proto == PROTO_FRAGMENT && (h[2] || h[3] & 0xf9))
			return false;
		len = extension_length(v->proto, h);
		v->proto = h[0];
		if (len > v->end - v->l4)
			return false;
		v->l4 += len;
	}
	return true;
}

static bool read_ipv6(struct packet *p, struct track_view *v, bool quoted)
{
	const struct ipv6_header *ip = (const struct ipv6_header *)bytes_at(p, v, v->l3, sizeof(*ip));
	uint32_t payload;

	if (!ip || be32toh(ip->version_tc_flow) >> 28 != 6)
		return false;
	memcpy(v->src.b, ip->src, 16);
	memcpy(v->dst.b, ip->dst, 16);
	v->proto = ip->next_header;
	v->l4 = v->l3 + (uint32_t)sizeof(*ip);
	payload = be16toh(ip->payload_len);
	/* RFC 2675 section 3: a segment to be cut may be longer than the field can say */
	if (!quoted && (payload || p->gso == GSO_NONE)) {
		if (payload > v->end - v->l4)
			return false;
		v->end = v->l4 + payload;
	}
	return walk_extensions(p, v);
}

static bool read_ip(struct packet *p, struct track_view *v, enum packet_l3 kind, bool quoted)
{
	return kind == L3_IPV4 ? read_ipv4(p, v, quoted) : read_ipv6(p, v, quoted);
}

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
	const struct tcp_header *tcp = (const struct tcp_header *)bytes_at(p, v, v->l4, sizeof(*tcp));
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
		const uint8_t *all = bytes_at(p, v, v->l4, header);

		if (!all)
			return false;
		read_window_scale(ct, all + sizeof(*tcp), header - (uint32_t)sizeof(*tcp));
	}
	return true;
}

static bool read_ports(struct packet *p, const struct track_view *v, uint32_t size, struct ct_packet *ct)
{
	const uint8_t *h = bytes_at(p, v, v->l4, size);

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
	return be16toh(udp->len) >= sizeof(*udp) && be16toh(udp->len) <= v->end - v->l4;
}

/* Id, and type and code. */
static bool read_query(struct packet *p, const struct track_view *v, struct ct_packet *ct)
{
	const uint8_t *h = bytes_at(p, v, v->l4, ICMP_SIZE);

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
	if (!read_ip(p, v, (enum packet_l3)p->l3_kind, true) || !ip_equal(&v->src, &h->outer.dst))
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
	return is_error(&h->outer, p->head[h->outer.l4]) ? read_quoted(p, h) : true;
}

static bool read_transport(struct packet *p, struct track_headers *h)
{
	const struct track_view *v = &h->outer;

	set_tuple(&h->ct, v);
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

void track_read(struct packet *p, struct track_headers *h)
{
	h->ct = (struct ct_packet){0};
	h->outer = (struct track_view){.l3 = p->l3, .end = p->len};
	if ((p->flags & PACKET_COVERED) || (p->l3_kind != L3_IPV4 && p->l3_kind != L3_IPV6) ||
	    !read_ip(p, &h->outer, (enum packet_l3)p->l3_kind, false) || !read_transport(p, h))
		h->ct.flags = CT_PACKET_INVALID;
}

void track_packet(struct worker *w, struct packet *p, const struct ct_order *o, struct ct_facts *facts)
{
	struct track_headers h;
	struct ct_rewrite rw;

	track_read(p, &h);
	conntrack_track(w->dp->ct, w->now, &h.ct, o, facts, &rw);
	if (rw.what)
		track_rewrite(p, &h, &rw);
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
