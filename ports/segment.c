/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting and checksumming packets while they are copied out; see segment.h. Called by the tx of every output
 * port. */
#include "ports/segment.h"

#include <errno.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "ports/copy.h"

/* ---- places in the packet's and the receiver's pieces ---- */

static void cursor_advance(const struct packet *p, struct segment_cursor *c, uint32_t n)
{
	c->at += n;
	c->left -= n;
	while (!c->left && c->seg < p->nsegs) {
		c->at = p->segs[c->seg].data;
		c->left = p->segs[c->seg].len;
		c->seg++;
	}
}

static void cursor_skip(const struct packet *p, struct segment_cursor *c, uint32_t n)
{
	while (n) {
		uint32_t take = n < c->left ? n : c->left;

		cursor_advance(p, c, take);
		n -= take;
	}
}

static struct segment_cursor cursor_at(const struct packet *p, uint32_t ofs)
{
	struct segment_cursor c = {.at = p->head, .left = p->head_len};

	cursor_advance(p, &c, 0);
	cursor_skip(p, &c, ofs);
	return c;
}

struct sink {
	const struct iovec *iov;
	size_t ofs;
};

/* The next writable bytes, at most *n of them. */
static uint8_t *sink_room(struct sink *to, uint32_t *n)
{
	while (to->ofs == to->iov->iov_len) {
		to->iov++;
		to->ofs = 0;
	}
	if (*n > to->iov->iov_len - to->ofs)
		*n = (uint32_t)(to->iov->iov_len - to->ofs);
	to->ofs += *n;
	return (uint8_t *)to->iov->iov_base + to->ofs - *n;
}

static void sink_write(struct sink *to, const uint8_t *from, uint32_t n)
{
	while (n) {
		uint32_t take = n;
		uint8_t *room = sink_room(to, &take);

		copy_bytes(room, from, take);
		from += take;
		n -= take;
	}
}

static void sink_skip(struct sink *to, uint32_t n)
{
	for (uint32_t take; n; n -= take) {
		take = n;
		sink_room(to, &take);
	}
}

void segment_copy_whole(const struct packet *p, const struct iovec *iov, unsigned n)
{
	struct sink to = {.iov = iov};

	sink_write(&to, p->head, p->head_len);
	for (uint16_t i = 0; i < p->nsegs; i++)
		sink_write(&to, p->segs[i].data, p->segs[i].len);
}

/* Copies the frame's payload and returns its sum. */
static uint64_t copy_payload(struct segmenter *s, struct sink *to)
{
	uint64_t sum = 0;

	for (uint32_t done = 0, take; done < s->payload; done += take) {
		uint8_t *room;

		take = s->payload - done < s->cursor.left ? s->payload - done : s->cursor.left;
		room = sink_room(to, &take);
		sum = csum_add_at(sum, csum_copy(room, s->cursor.at, take), done);
		cursor_advance(s->p, &s->cursor, take);
	}
	s->copied = true;
	return sum;
}

/* ---- headers ---- */

static bool is_tcp(const struct packet *p)
{
	return p->gso == GSO_TCP4 || p->gso == GSO_TCP6;
}

/* Length of the L4 header at csum_start of a GSO packet; 0 when the packet is too short to tell. */
static uint32_t l4_header_len(const struct packet *p)
{
	uint8_t doff;

	if (!is_tcp(p))
		return sizeof(struct udp_header);
	if ((uint32_t)p->csum_start + sizeof(struct tcp_header) > p->len)
		return 0;
	packet_copy_out(p, p->csum_start + offsetof(struct tcp_header, offset_flags), 1, &doff);
	return (uint32_t)(doff >> 4) * 4;
}

uint32_t segment_frame_len(const struct packet *p)
{
	uint32_t frame;

	if (p->gso == GSO_NONE)
		return p->len;
	frame = p->csum_start + l4_header_len(p) + p->gso_size;
	return frame < p->len ? frame : p->len;
}

uint32_t segment_l3_len(const struct packet *p)
{
	uint32_t base = p->flags & PACKET_ENCAP ? p->outer_l3 : p->l3;
	uint32_t len = segment_frame_len(p);

	if (!base)
		base = sizeof(struct eth_header);
	return len > base ? len - base : 0;
}

uint32_t segment_count(const struct packet *p)
{
	uint32_t headers = p->csum_start + l4_header_len(p);

	if (p->gso == GSO_NONE || !p->gso_size || headers >= p->len)
		return 1;
	return (p->len - headers + p->gso_size - 1) / p->gso_size;
}

/* Length of the IP header (fixed part for IPv6) at `ofs` of the headers, checked to fit before `end`; 0 if
 * not. */
static uint32_t ip_header_len(const struct segmenter *s, uint32_t ofs, uint32_t end)
{
	uint8_t vihl;

	if (!ofs || ofs + sizeof(struct ipv4_header) > end)
		return 0;
	vihl = s->head[ofs];
	if (vihl >> 4 == 4) {
		uint32_t len = (vihl & 15u) * 4;

		return len >= sizeof(struct ipv4_header) && ofs + len <= end ? len : 0;
	}
	if (vihl >> 4 == 6 && ofs + sizeof(struct ipv6_header) <= end)
		return sizeof(struct ipv6_header);
	return 0;
}

/* Everything that the rewriting of headers relies on. */
static bool headers_fit(const struct segmenter *s)
{
	const struct packet *p = s->p;

	if (p->flags & PACKET_ENCAP) {
		uint32_t inner = s->cut ? s->l3 : s->headers;

		if (p->outer_l4 + sizeof(struct udp_header) > inner ||
		    !ip_header_len(s, p->outer_l3, p->outer_l4))
			return false;
	} else if (p->flags & PACKET_OUTER_CSUM) {
		return false;
	}
	if ((p->flags & PACKET_NEEDS_CSUM) && (uint32_t)p->csum_start + p->csum_offset + 2 > s->headers)
		return false;
	if (!s->cut)
		return true;
	if (!ip_header_len(s, s->l3, s->l4))
		return false;
	return s->head[s->l3] >> 4 == (p->gso == GSO_TCP4 || p->gso == GSO_UDP4 ? 4 : 6) &&
	       p->csum_offset ==
	               (is_tcp(p) ? offsetof(struct tcp_header, csum) : offsetof(struct udp_header, csum));
}

int segment_begin(struct segmenter *s, const struct packet *p, uint32_t caps)
{
	uint32_t headers = p->head_len;

	s->p = p;
	s->index = 0;
	s->cut = p->gso != GSO_NONE;
	s->finish_inner = p->flags & PACKET_NEEDS_CSUM;
	s->copied = true;
	s->payload = 0;
	if (s->cut) {
		uint32_t l4_len = l4_header_len(p);

		headers = p->csum_start + l4_len;
		if (!(p->flags & PACKET_NEEDS_CSUM) || !p->gso_size || headers > p->len ||
		    l4_len < (is_tcp(p) ? sizeof(struct tcp_header) : sizeof(struct udp_header)))
			return -EINVAL;
		s->l3 = p->l3;
		s->l4 = p->csum_start;
	}
	if (headers > sizeof(s->head))
		return -EINVAL;
	s->headers = (uint16_t)headers;
	packet_copy_out(p, 0, headers, s->head);
	if (!headers_fit(s))
		return -EINVAL;
	s->cursor = cursor_at(p, headers);
	s->payload_left = p->len - headers;
	s->frame_max = s->cut ? p->gso_size : s->payload_left;
	return 0;
}

uint32_t segment_next(struct segmenter *s)
{
	if (!s->copied)
		cursor_skip(s->p, &s->cursor, s->payload);
	if (s->index && !s->payload_left)
		return 0;
	s->payload = s->payload_left < s->frame_max ? s->payload_left : s->frame_max;
	s->payload_left -= s->payload;
	s->copied = false;
	s->index++;
	return s->headers + s->payload;
}

/* Length and identification of the IP header at `ofs`, for what follows it in this frame. */
static void rewrite_ip(struct segmenter *s, uint32_t ofs)
{
	uint32_t len = s->headers + s->payload - ofs;

	if (s->work[ofs] >> 4 == 4) {
		struct ipv4_header *ip = (void *)(s->work + ofs);

		ip->total_len = htobe16((uint16_t)len);
		ip->id = htobe16((uint16_t)(be16toh(ip->id) + s->index - 1));
		ip->csum = 0;
		ip->csum = csum_finish(csum_bytes(ip, (ip->version_ihl & 15u) * 4));
	} else {
		struct ipv6_header *ip = (void *)(s->work + ofs);

		ip->payload_len = htobe16((uint16_t)(len - sizeof(*ip)));
	}
}

static uint64_t pseudo_sum(const struct segmenter *s, uint32_t l3, uint32_t l4, uint8_t proto)
{
	uint32_t len = s->headers + s->payload - l4;

	if (s->work[l3] >> 4 == 4) {
		const struct ipv4_header *ip = (const void *)(s->work + l3);

		return csum_pseudo4(ip->src, ip->dst, proto, (uint16_t)len);
	}
	return csum_pseudo6(s->work + l3 + offsetof(struct ipv6_header, src),
	                    s->work + l3 + offsetof(struct ipv6_header, dst), proto, len);
}

/* The frame's own TCP or UDP header, its checksum field left as a whole packet has it: the pseudo-header sum.
 */
static void rewrite_l4(struct segmenter *s)
{
	enum { FIN_PSH = 0x09, CWR = 0x80 };

	if (is_tcp(s->p)) {
		struct tcp_header *tcp = (void *)(s->work + s->l4);
		uint16_t flags = be16toh(tcp->offset_flags);

		tcp->seq = htobe32(be32toh(tcp->seq) + (s->index - 1) * s->frame_max);
		if (s->payload_left)
			flags &= (uint16_t)~FIN_PSH;
		if (s->index > 1)
			flags &= (uint16_t)~CWR; /* RFC 3168 section 6.1.2: once per window */
		tcp->offset_flags = htobe16(flags);
		tcp->csum = csum_fold(pseudo_sum(s, s->l3, s->l4, IP_PROTO_TCP));
	} else {
		struct udp_header *udp = (void *)(s->work + s->l4);

		udp->len = htobe16((uint16_t)(s->headers + s->payload - s->l4));
		udp->csum = csum_fold(pseudo_sum(s, s->l3, s->l4, IP_PROTO_UDP));
	}
}

/* One's-complement sum from `start` of the headers to the end of the frame. */
static uint64_t frame_sum(const struct segmenter *s, uint32_t start, uint64_t payload_sum)
{
	uint32_t n = s->headers - start;

	return csum_add_at(csum_bytes(s->work + start, n), payload_sum, n);
}

static void finish_outer(struct segmenter *s, uint64_t payload_sum)
{
	const struct packet *p = s->p;
	struct udp_header *udp = (void *)(s->work + p->outer_l4);

	if (s->cut) {
		rewrite_ip(s, p->outer_l3);
		udp->len = htobe16((uint16_t)(s->headers + s->payload - p->outer_l4));
	}
	udp->csum = 0;
	if (p->flags & PACKET_OUTER_CSUM)
		udp->csum = csum_finish_udp(csum_add(frame_sum(s, p->outer_l4, payload_sum),
		                                     pseudo_sum(s, p->outer_l3, p->outer_l4, IP_PROTO_UDP)));
}

void segment_copy(struct segmenter *s, const struct iovec *iov, unsigned n)
{
	struct sink head = {.iov = iov}, body = {.iov = iov};
	uint64_t payload_sum;

	sink_skip(&body, s->headers);
	payload_sum = copy_payload(s, &body);

	memcpy(s->work, s->head, s->headers);
	if (s->cut) {
		rewrite_ip(s, s->l3);
		rewrite_l4(s);
	}
	if (s->finish_inner) {
		be16 csum = csum_finish_field(frame_sum(s, s->p->csum_start, payload_sum), s->p->csum_offset);

		memcpy(s->work + s->p->csum_start + s->p->csum_offset, &csum, 2);
	}
	if (s->p->flags & PACKET_ENCAP)
		finish_outer(s, payload_sum);
	sink_write(&head, s->work, s->headers);
}
