/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of FTP control connections: what they announce is told to the connection tracker, and addresses in
 * their text are translated. The one place where payload is read and written: in the packet's private head,
 * to which it is pulled. Called by track.c.
 */
#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "datapath/ftp.h"
#include "datapath/track_view.h"
#include "datapath/worker.h"

/* The TCP segment in the head: text of `len` bytes at `at`. */
struct segment {
	struct packet *p;
	const struct track_view *v;
	uint32_t at, len;
};

static uint16_t tcp_length(const struct segment *s)
{
	return (uint16_t)(s->at + s->len - s->v->l4);
}

/* IP's length, and TCP's, which stands in the pseudo header alone. */
static void fix_lengths(const struct segment *s)
{
	uint8_t *l3 = s->p->head + s->v->l3;
	uint16_t total = (uint16_t)(s->at + s->len - s->v->l3);

	if (s->p->l3_kind == L3_IPV4) {
		struct ipv4_header *ip = (struct ipv4_header *)l3;
		be16 before = ip->total_len;

		ip->total_len = htobe16(total);
		ip->csum = csum_change(ip->csum, before, ip->total_len);
	} else {
		((struct ipv6_header *)l3)->payload_len =
		        htobe16((uint16_t)(total - sizeof(struct ipv6_header)));
	}
}

/* `before`, `after`: sums of the text. */
static void fix_checksum(const struct segment *s, uint16_t old_length, uint64_t before, uint64_t after)
{
	struct tcp_header *tcp = (struct tcp_header *)(s->p->head + s->v->l4);
	be16 was = htobe16(old_length), is = htobe16(tcp_length(s));

	if ((s->p->flags & PACKET_NEEDS_CSUM) && s->p->csum_start == s->v->l4)
		tcp->csum = csum_fold(csum_add(csum_add(tcp->csum, is), (be16)~was));
	else
		tcp->csum = csum_change(tcp->csum, csum_add(before, was), csum_add(after, is));
}

/* Writes `n` bytes where `old` are, at `at` in the text. False: not possible, nothing has changed. */
static bool replace(struct segment *s, uint32_t at, uint32_t old, const char *with, uint32_t n)
{
	struct packet *p = s->p;
	uint16_t length = tcp_length(s);
	uint64_t before;

	/* What is to be cut has its text in many packets. */
	if (p->gso != GSO_NONE || !packet_pull(p, s->at + s->len))
		return false;
	before = csum_bytes(p->head + s->at, s->len);
	if (!packet_stretch(p, s->at + at, old, n))
		return false;
	memcpy(p->head + s->at + at, with, n);
	s->len = s->len - old + n;
	fix_lengths(s);
	fix_checksum(s, length, before, csum_bytes(p->head + s->at, s->len));
	return true;
}

/* Writes the address as the other side knows it; `*longer`: by how many bytes the text has grown. */
static bool translate(struct segment *s, const struct ftp_text *t, const struct ip_addr *seen,
                      uint32_t *longer)
{
	char text[IP_TEXT_MAX];
	uint32_t n;

	if (!t->len || ip_equal(&t->addr, seen))
		return true;
	n = ftp_address(t, seen, text);
	*longer = n - t->len;
	return replace(s, t->at, t->len, text, n);
}

static struct ct_heard hear(struct segment *s, const struct ct_control *control)
{
	struct ct_heard heard = {.what = CT_HEARD_UNREAD};
	struct ftp_text t;

	if (!packet_pull(s->p, s->at + (s->len < FTP_TEXT_MAX ? s->len : FTP_TEXT_MAX)))
		return heard;
	switch (ftp_read(s->p->head + s->at, s->len, s->p->l3_kind == L3_IPV4, &t)) {
	case FTP_OTHER:
		heard.what = CT_HEARD_NOTHING;
		return heard;
	case FTP_BROKEN:
		heard.what = CT_HEARD_BROKEN;
		return heard;
	case FTP_ANNOUNCES:
		break;
	}
	if (t.len && !ip_equal(&t.addr, &control->own) && !ip_equal(&t.addr, &control->seen)) {
		heard.what = CT_HEARD_BROKEN; /* nobody may announce for others (RFC 2577 section 3) */
		return heard;
	}
	heard.port = t.port;
	if (!control->translated || translate(s, &t, &control->seen, &heard.longer))
		heard.what = CT_HEARD_PORT;
	return heard;
}

void track_ftp(struct worker *w, struct packet *p, const struct track_headers *h,
               const struct ct_control *control, struct ct_facts *facts)
{
	const struct track_view *v = &h->outer;
	struct segment s = {.p = p, .v = v, .at = v->end - h->ct.payload, .len = h->ct.payload};
	struct ct_heard heard = hear(&s, control);

	heard.seq = h->ct.seq;
	conntrack_hear(w->dp->ct, w->now, control, &heard, facts);
}
