/* SPDX-License-Identifier: Apache-2.0 */
/* ports/segment and ports/vnet against a byte-wise reference: random GSO packets, plain and inside VXLAN,
 * from random pieces into random pieces. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "ports/segment.h"
#include "ports/vnet.h"
#include "tests/lib/frames.h"

enum { WIRE_MAX = PACKET_LEN_MAX + 512 };

static unsigned seed;

static unsigned rnd(unsigned below)
{
	return (unsigned)rand_r(&seed) % below;
}

/* One's complement sum the slow way: big-endian words, carries added at once. */
static uint16_t naive_sum(const uint8_t *b, size_t n, uint16_t start)
{
	uint32_t sum = start;

	for (size_t i = 0; i < n; i++) {
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

static uint16_t naive_pseudo(const uint8_t *ip, uint8_t proto, uint32_t len)
{
	uint8_t tail[4] = {0, proto, (uint8_t)(len >> 8), (uint8_t)len};
	uint16_t sum = ip[0] >> 4 == 4 ? naive_sum(ip + 12, 8, 0) : naive_sum(ip + 8, 32, 0);

	return naive_sum(tail, 4, sum);
}

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static void put16(uint8_t *b, unsigned v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

/* Checks lengths and checksums of the IP packet at `ip` that ends with the frame; returns its L4 offset from
 * ip. */
static unsigned check_ip(const uint8_t *ip, unsigned len, uint8_t proto, bool want_csum)
{
	unsigned l4 = 40, csum_at = proto == IP_PROTO_TCP ? 16 : 6;

	if (ip[0] >> 4 == 4) {
		l4 = (ip[0] & 15u) * 4;
		cr_assert_eq(get16(ip + 2), len);
		cr_assert_eq(naive_sum(ip, l4, 0), 0xffff);
	} else {
		cr_assert_eq(get16(ip + 4), len - 40);
	}
	if (proto == IP_PROTO_UDP)
		cr_assert_eq(get16(ip + l4 + 4), len - l4);
	if (!want_csum) {
		cr_assert_eq(get16(ip + l4 + csum_at), 0);
		return l4;
	}
	/* 0 is "none" to UDP; no sum over a pseudo-header is 0 (RFC 1624, section 3) */
	cr_assert_neq(get16(ip + l4 + csum_at), proto == IP_PROTO_UDP ? 0 : 0xffff);
	cr_assert_eq(naive_sum(ip + l4, len - l4, naive_pseudo(ip, proto, len - l4)), 0xffff);
	return l4;
}

struct made {
	uint8_t bytes[WIRE_MAX];
	unsigned len, outer_l3, outer_l4, l3, l4, headers, gso_size;
	uint8_t proto;
	bool v6, encap, outer6, gso, partial;
};

static unsigned put_ip(uint8_t *b, bool v6, uint8_t proto, unsigned options)
{
	for (unsigned i = 0; i < 60; i++)
		b[i] = (uint8_t)rnd(256);
	if (v6) {
		b[0] = 0x60;
		b[6] = proto;
		return 40;
	}
	b[0] = (uint8_t)(0x45 + options);
	put16(b + 6, 0x4000);
	b[9] = proto;
	put16(b + 10, 0);
	return 20 + options * 4;
}

static unsigned put_eth(uint8_t *b, bool vlan, bool v6)
{
	unsigned at = 12;

	memset(b, 0x22, 12);
	if (vlan) {
		put16(b + at, ETH_TYPE_VLAN);
		put16(b + at + 2, 7);
		at += 4;
	}
	put16(b + at, v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
	return at + 2;
}

static void put_lengths(uint8_t *ip, unsigned len)
{
	if (ip[0] >> 4 == 4) {
		put16(ip + 2, len);
		put16(ip + 10, (uint16_t)~naive_sum(ip, (ip[0] & 15u) * 4, 0));
	} else {
		put16(ip + 4, len - 40);
	}
}

static void make(struct made *m, bool gso, unsigned payload)
{
	unsigned at = 0;

	memset(m, 0, offsetof(struct made, len));
	m->gso = gso;
	m->partial = gso || rnd(2);
	m->v6 = rnd(2);
	m->encap = rnd(2);
	m->outer6 = rnd(2);
	m->proto = rnd(2) ? IP_PROTO_TCP : IP_PROTO_UDP;
	m->gso_size = 1 + rnd(3000);
	if (m->encap) {
		m->outer_l3 = put_eth(m->bytes, false, m->outer6);
		m->outer_l4 = m->outer_l3 + put_ip(m->bytes + m->outer_l3, m->outer6, IP_PROTO_UDP, 0);
		put16(m->bytes + m->outer_l4 + 2, VXLAN_PORT);
		at = m->outer_l4 + 16;
	}
	m->l3 = at + put_eth(m->bytes + at, rnd(2), m->v6);
	m->l4 = m->l3 + put_ip(m->bytes + m->l3, m->v6, m->proto, rnd(3));
	m->headers = m->l4 + (m->proto == IP_PROTO_TCP ? 20 + 4 * rnd(6) : 8);
	for (unsigned i = m->l4; i < m->headers + payload; i++)
		m->bytes[i] = (uint8_t)rnd(256);
	m->len = m->headers + payload;
	if (m->proto == IP_PROTO_TCP)
		m->bytes[m->l4 + 12] = (uint8_t)((m->headers - m->l4) / 4 << 4);
	else
		put16(m->bytes + m->l4 + 4, m->len - m->l4);
	put_lengths(m->bytes + m->l3, m->len - m->l3);
	put16(m->bytes + m->l4 + (m->proto == IP_PROTO_TCP ? 16 : 6),
	      naive_pseudo(m->bytes + m->l3, m->proto, m->len - m->l4));
	if (m->encap) {
		put_lengths(m->bytes + m->outer_l3, m->len - m->outer_l3);
		put16(m->bytes + m->outer_l4 + 4, m->len - m->outer_l4);
		put16(m->bytes + m->outer_l4 + 6, 0);
	}
}

/* The view: a head that holds all headers or, for GSO, maybe less, and segments of random length. */
static void view(const struct made *m, struct packet *p)
{
	unsigned at = m->headers + rnd(64);

	packet_reset(p);
	p->head = p->buf + PACKET_HEADROOM - (m->encap ? rnd(2) * PACKET_HEADROOM : 0);
	p->head_len = (uint16_t)(at < m->len ? at : m->len);
	memcpy(p->head, m->bytes, p->head_len);
	for (at = p->head_len; at < m->len; p->nsegs++) {
		unsigned n = 1 + rnd(p->nsegs == 40 ? 1 : 4000);

		if (n > m->len - at || p->nsegs == 40)
			n = m->len - at;
		p->segs[p->nsegs] = (struct packet_seg){.data = m->bytes + at, .len = n};
		at += n;
	}
	p->len = m->len;
	p->l3 = (uint16_t)m->l3;
	p->l4 = (uint16_t)m->l4;
	if (m->partial) {
		p->flags |= PACKET_NEEDS_CSUM;
		p->csum_start = (uint16_t)m->l4;
		p->csum_offset = m->proto == IP_PROTO_TCP ? 16 : 6;
	}
	if (m->encap) {
		p->flags |= PACKET_ENCAP | (m->outer6 ? PACKET_OUTER_CSUM : 0);
		p->outer_l3 = (uint16_t)m->outer_l3;
		p->outer_l4 = (uint16_t)m->outer_l4;
	}
	if (m->gso) {
		p->gso_size = (uint16_t)m->gso_size;
		p->gso = (uint8_t)(m->proto == IP_PROTO_TCP ? (m->v6 ? GSO_TCP6 : GSO_TCP4)
		                                            : (m->v6 ? GSO_UDP6 : GSO_UDP4));
	}
}

/* Copies through random pieces of the receiver's memory. */
static void copy_frame(struct segmenter *s, uint8_t *to, unsigned len)
{
	struct iovec iov[64];
	unsigned n = 0;

	for (unsigned at = 0; at < len; n++) {
		unsigned take = n == 63 ? len - at : rnd(2000);

		if (take > len - at)
			take = len - at;
		iov[n] = (struct iovec){.iov_base = to + at, .iov_len = take};
		at += take;
	}
	segment_copy(s, iov, n);
}

static void check_frame(const struct made *m, const uint8_t *f, unsigned len, unsigned index, unsigned done,
                        bool last)
{
	const uint8_t *ip = f + m->l3, *was = m->bytes + m->l3;

	cr_assert_eq(memcmp(f + m->headers, m->bytes + m->headers + done, len - m->headers), 0);
	if (m->encap)
		check_ip(f + m->outer_l3, len - m->outer_l3, IP_PROTO_UDP, m->outer6);
	if (!m->partial) {
		cr_assert_eq(memcmp(ip, was, len - m->l3), 0);
		return;
	}
	check_ip(ip, len - m->l3, m->proto, true);
	if (!m->gso)
		return;
	if (!m->v6)
		cr_assert_eq(get16(ip + 4), (uint16_t)(get16(was + 4) + index));
	if (m->proto == IP_PROTO_TCP) {
		const uint8_t *tcp = f + m->l4, *old = m->bytes + m->l4;
		uint32_t seq, first;

		memcpy(&seq, tcp + 4, 4);
		memcpy(&first, old + 4, 4);
		cr_assert_eq(be32toh(seq), be32toh(first) + done);
		cr_assert_eq(tcp[13] & 0x09, last ? old[13] & 0x09 : 0);
		cr_assert_eq(tcp[13] & 0x80, index ? 0 : old[13] & 0x80);
		cr_assert_eq(tcp[13] & 0x76, old[13] & 0x76);
	}
}

static void run_one(bool gso, unsigned payload)
{
	static struct made m;
	static struct packet p;
	static uint8_t frame[WIRE_MAX];
	struct segmenter s;
	unsigned len, index = 0, done = 0, largest = 0;

	make(&m, gso, payload);
	view(&m, &p);
	cr_assert_eq(segment_begin(&s, &p, 0), 0);
	while ((len = segment_next(&s))) {
		bool last = done + len - m.headers == payload;

		if (rnd(8)) {
			copy_frame(&s, frame, len);
			check_frame(&m, frame, len, index, done, last);
		}
		largest = len > largest ? len : largest;
		done += len - (gso ? m.headers : len);
		index++;
		if (!gso)
			break;
	}
	if (gso) {
		cr_assert_eq(done, payload);
		cr_assert_eq(index, segment_count(&p));
	}
	cr_assert_eq(segment_l3_len(&p), largest - (m.encap ? m.outer_l3 : m.l3));
}

Test(segment, random_packets_against_bytewise_reference)
{
	seed = 20261123;
	printf("segment_test: seed %u\n", seed);
	for (int i = 0; i < 1500; i++) {
		run_one(true, rnd(i % 50 ? 8000 : 65000));
		run_one(false, rnd(3000));
	}
}

Test(segment, a_checksum_of_zero_is_sent_as_ones_by_udp_alone)
{
	static struct made m;
	static struct packet p;
	static uint8_t frame[WIRE_MAX];
	unsigned seen[256] = {0};
	struct segmenter s;

	seed = 11;
	while (!seen[IP_PROTO_TCP] || !seen[IP_PROTO_UDP]) {
		do {
			make(&m, false, 100);
		} while (!m.partial || m.encap);
		put16(m.bytes + m.headers, 0);
		put16(m.bytes + m.headers, 0xffff - naive_sum(m.bytes + m.l4, m.len - m.l4, 0));
		view(&m, &p);
		cr_assert_eq(segment_begin(&s, &p, 0), 0);
		cr_assert_eq(segment_next(&s), m.len);
		copy_frame(&s, frame, m.len);
		cr_assert_eq(get16(frame + p.csum_start + p.csum_offset),
		             m.proto == IP_PROTO_UDP ? 0xffff : 0);
		seen[m.proto]++;
	}
}

static void simple_gso(struct made *m, struct packet *p)
{
	do {
		make(m, true, 5000);
	} while (m->encap || m->v6 || m->proto != IP_PROTO_TCP);
	view(m, p);
}

Test(segment, refuses_headers_that_do_not_fit)
{
	static struct made m;
	static struct packet p, bad;
	struct segmenter s;

	seed = 7;
	simple_gso(&m, &p);
	cr_assert_eq(segment_begin(&s, &p, 0), 0);
#define REFUSED(change)                                                                                      \
	do {                                                                                                 \
		memcpy(&bad, &p, sizeof(p));                                                                 \
		bad.head = bad.buf + (p.head - p.buf);                                                       \
		change;                                                                                      \
		cr_assert_eq(segment_begin(&s, &bad, 0), -EINVAL);                                           \
	} while (0)
	REFUSED(bad.gso_size = 0);
	REFUSED(bad.flags = 0);
	REFUSED(bad.gso = GSO_TCP6);
	REFUSED(bad.csum_offset = 6);
	REFUSED(bad.l3 = 0);
	REFUSED(bad.csum_start = (uint16_t)bad.len);
	REFUSED(bad.csum_start = 65000);
	REFUSED(bad.head[m.l4 + 12] = 0x40);
	REFUSED(bad.flags |= PACKET_OUTER_CSUM);
	REFUSED(bad.flags |= PACKET_ENCAP);
	REFUSED(bad.head[m.l3] = 0x41);
	REFUSED(bad.head[m.l3] = 0x4f);
#undef REFUSED
}

Test(segment, passes_only_what_the_port_takes)
{
	struct packet p;

	packet_reset(&p);
	cr_assert(segment_passes(&p, 0));
	p.flags = PACKET_NEEDS_CSUM;
	cr_assert_not(segment_passes(&p, 0));
	cr_assert(segment_passes(&p, PORT_TX_CSUM));
	p.gso = GSO_UDP6;
	cr_assert_not(segment_passes(&p, PORT_TX_CSUM | PORT_TX_USO4 | PORT_TX_TSO6));
	cr_assert(segment_passes(&p, PORT_TX_CSUM | PORT_TX_USO6));
	p.flags |= PACKET_ENCAP;
	cr_assert_not(segment_passes(&p, ~0u));
}

Test(vnet, there_and_back)
{
	static struct made m;
	static struct packet p, q;
	struct vnet_header h, again;

	seed = 11;
	for (int i = 0; i < 2000; i++) {
		do {
			make(&m, rnd(2), 2000);
		} while (m.encap || m.gso_size < 20);
		view(&m, &p);
		vnet_from_packet(&p, true, true, &h);
		packet_reset(&q);
		/* Nearly nothing private at first: the headers are pulled. */
		q.head_len = 20;
		memcpy(q.head, m.bytes, 20);
		q.segs[0] = (struct packet_seg){.data = m.bytes + 20, .len = m.len - 20};
		q.nsegs = 1;
		q.len = m.len;
		cr_assert(vnet_to_packet(&h, &q));
		cr_assert_eq(q.gso, p.gso);
		cr_assert_eq(q.gso_size, p.gso_size);
		cr_assert_eq(q.flags, p.flags);
		cr_assert_eq(q.csum_start, p.csum_start);
		if (m.gso)
			cr_assert(q.l3 == m.l3 && q.l4 == m.l4);
		vnet_from_packet(&q, true, true, &again);
		again.hdr_len = h.hdr_len;
		cr_assert_eq(memcmp(&h, &again, sizeof(h)), 0);
	}
}

static bool taken(const struct made *m, struct vnet_header h)
{
	static struct packet q;

	packet_reset(&q);
	q.head_len = (uint16_t)(m->len < 128 ? m->len : 128);
	memcpy(q.head, m->bytes, q.head_len);
	q.segs[0] = (struct packet_seg){.data = m->bytes + q.head_len, .len = m->len - q.head_len};
	q.nsegs = m->len > q.head_len;
	q.len = m->len;
	return vnet_to_packet(&h, &q);
}

/* 128 datagrams of 100 bytes, and one more. */
Test(vnet, a_guest_may_not_ask_for_more_datagrams_than_linux_would)
{
	static struct packet p;
	static struct frame f;
	struct vnet_header h = {.flags = VNET_NEEDS_CSUM, .gso_type = VNET_GSO_UDP_L4};

	for (uint32_t n = 128; n <= 129; n++) {
		frame_make(&f, &(struct frame_spec){.payload = n * 100, .partial = true});
		h.csum_start = htole16((uint16_t)f.l4);
		h.csum_offset = htole16(offsetof(struct udp_header, csum));
		h.gso_size = htole16(100);
		packet_view(&p, 1, f.data, f.len);
		cr_assert_eq(vnet_to_packet(&h, &p), n == 128, "%u", n);
	}
}

/* The parser finds UDP behind the header; where its port stands no checksum may be written. */
Test(vnet, no_checksum_is_open_behind_a_fragment_header)
{
	static const uint8_t extensions[] = {44, 51, 0};
	static struct packet p;
	static struct frame f;

	for (unsigned i = 0; i < sizeof(extensions); i++) {
		struct vnet_header h = {.flags = VNET_NEEDS_CSUM};

		frame_make(&f, &(struct frame_spec){.src = "fd00::1", .dst = "fd00::2", .payload = 100});
		f.data[f.l3 + 6] = extensions[i];
		memset(f.data + f.l4, 0, 8); /* eight bytes long, nothing cut off; AH: too short to be one */
		f.data[f.l4] = IP_PROTO_UDP;
		h.csum_start = htole16((uint16_t)(f.l4 + (extensions[i] ? 4 : 8)));
		h.csum_offset = htole16(offsetof(struct udp_header, csum));
		packet_view(&p, 1, f.data, f.len);
		cr_expect_eq(vnet_to_packet(&h, &p), !extensions[i], "%u", extensions[i]);
	}
}

Test(vnet, refuses_metadata_that_does_not_fit)
{
	static struct made m;
	static struct packet p;
	struct vnet_header h, bad;

	seed = 12;
	simple_gso(&m, &p);
	vnet_from_packet(&p, false, false, &h);
	cr_assert(taken(&m, h));
#define REFUSED(change)                                                                                      \
	do {                                                                                                 \
		bad = h;                                                                                     \
		change;                                                                                      \
		cr_assert_not(taken(&m, bad));                                                               \
	} while (0)
	REFUSED(bad.gso_size = 0);
	REFUSED(bad.gso_size = 1); /* thousands of frames */
	REFUSED(bad.flags = 0);
	REFUSED(bad.gso_type = VNET_GSO_TCPV6);
	REFUSED(bad.gso_type = VNET_GSO_UDP);
	REFUSED(bad.gso_type = VNET_GSO_UDP_L4);
	REFUSED(bad.gso_type = 0x7f);
	REFUSED(bad.gso_type = VNET_GSO_ECN);
	REFUSED(bad.csum_start = 0);
	REFUSED(bad.csum_start = 0xffff; bad.csum_offset = 0xffff);
	REFUSED(bad.csum_start++);
	REFUSED(bad.csum_offset = 6);
	/* Partial checksum over a header field that flows match on: the guest would rewrite its source
	 * address. */
	REFUSED(bad.gso_type = 0; bad.csum_start = (uint16_t)m.l3; bad.csum_offset = 12);
	REFUSED(bad.gso_type = 0; bad.csum_start = 14; bad.csum_offset = 0);
#undef REFUSED
	m.len = 13;
	cr_assert_not(taken(&m, h));
}
