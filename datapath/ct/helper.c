/* SPDX-License-Identifier: Apache-2.0 */
/* Control connections (`alg`): what their packets announce. Called for valid packets of those that have a
 * helper; rules are those of Open vSwitch. */
#include <string.h>

#include "datapath/ct/state.h"

bool ct_helper_fits(uint16_t alg, uint8_t proto)
{
	return (alg == CT_ALG_FTP && proto == IP_PROTO_TCP) || (alg == CT_ALG_TFTP && proto == IP_PROTO_UDP);
}

const char *ct_helper_name(const struct ct_conn *c)
{
	return c->orig.proto == IP_PROTO_TCP ? "ftp" : "tftp";
}

/* The connection with which the other side will come to the side that speaks (`reply`: the one that was
 * called), from any port to `port`. It is translated to where the control connection leads. */
static struct ct_expect expected(const struct ct_conn *c, bool reply, be16 port)
{
	const struct ct_key *there = reply ? &c->orig : &c->reply, *back = reply ? &c->reply : &c->orig;
	bool destination = (c->nat == CT_DNAT) == reply;
	struct ct_expect e = {.key = *there, .master = ct_key_tuple(&c->orig), .mark = c->mark};

	e.key.tp_src = 0;
	e.key.tp_dst = port;
	e.nat.flags = destination ? NAT_DST : NAT_SRC;
	e.nat.addr_min = e.nat.addr_max = destination ? back->src : back->dst;
	memcpy(e.label, c->label, sizeof(e.label));
	return e;
}

/* A request is answered from another port (RFC 1350 section 4). */
static void help_tftp(struct conntrack *ct, struct ct_conn *c)
{
	struct ct_expect e = expected(c, false, c->reply.tp_dst);

	if (e.nat.flags == NAT_DST)
		e.nat.port_min = e.nat.port_max = be16toh(c->orig.tp_src);
	ct_expect_add(ct, c, &e);
}

/* ---- FTP: numbers ---- */

static uint32_t shift_at(const struct ct_shift *s, uint32_t seq)
{
	return (int32_t)(seq - s->at) > 0 ? s->after : s->before;
}

uint32_t ct_helper_ack(const struct ct_conn *c, bool reply, uint32_t ack)
{
	const struct ct_shift *s = &c->helper.shift[!reply];

	return ack - shift_at(s, ack - s->before);
}

/* A packet that is sent again changes nothing. */
static void shift(struct ct_shift *s, uint32_t seq, uint32_t longer)
{
	if (!longer || (s->before != s->after && (int32_t)(seq - s->at) <= 0))
		return;
	s->at = seq;
	s->before = s->after;
	s->after += longer;
}

static void renumber(const struct ct_conn *c, const struct ct_packet *p, bool reply, struct ct_rewrite *rw)
{
	enum { TCP_ACK = 16 };

	rw->seq = shift_at(&c->helper.shift[reply], p->seq);
	rw->ack = p->tcp_flags & TCP_ACK ? ct_helper_ack(c, reply, p->ack) - p->ack : 0;
	if (rw->seq | rw->ack)
		rw->what |= CT_REWRITE_NUMBERS;
}

/* ---- FTP: text ---- */

static struct ct_control control_of(const struct ct_conn *c, bool reply, bool translated)
{
	return (struct ct_control){.orig = ct_key_tuple(&c->orig),
	                           .zone = c->orig.zone,
	                           .reply = reply,
	                           .translated = translated,
	                           .own = reply ? c->reply.src : c->orig.src,
	                           .seen = reply ? c->orig.dst : c->reply.dst};
}

static void help_ftp(struct conntrack *ct, const struct ct_conn *c, const struct ct_packet *p, bool reply,
                     struct ct_rewrite *rw)
{
	bool translated = rw->what;

	if (translated)
		renumber(c, p, reply, rw);
	if (!p->payload)
		return;
	if (p->flags & CT_PACKET_FIRST) { /* the text goes on in other packets */
		ct_count(ct, CT_UNREAD);
		return;
	}
	rw->what |= CT_REWRITE_TEXT;
	rw->control = control_of(c, reply, translated);
}

static void announce(struct conntrack *ct, uint64_t now, const struct ct_control *control,
                     const struct ct_heard *heard)
{
	struct ct_conn *c;
	struct ct_key key;
	bool reply;

	if (!ct_key_make(&key, &control->orig, control->zone))
		return;
	c = ct_table_find(ct, &key, ct_key_hash(ct, &key), now, &reply);
	if (!c)
		return;
	if (c->rare & CT_HELPED) {
		struct ct_expect e = expected(c, control->reply, heard->port);

		ct_expect_add(ct, c, &e);
		shift(&c->helper.shift[control->reply], heard->seq, heard->longer);
	}
	rte_spinlock_unlock(&c->lock);
}

void conntrack_hear(struct conntrack *ct, uint64_t now, const struct ct_control *control,
                    const struct ct_heard *heard, struct ct_facts *facts)
{
	switch (heard->what) {
	case CT_HEARD_PORT:
		announce(ct, now, control, heard);
		break;
	case CT_HEARD_BROKEN:
		facts->state |= CT_INV;
		ct_count(ct, CT_INVALID);
		break;
	case CT_HEARD_UNREAD:
		ct_count(ct, CT_UNREAD);
		break;
	case CT_HEARD_NOTHING:
		break;
	}
}

/* ---- any ---- */

void ct_help(struct conntrack *ct, struct ct_conn *c, const struct ct_packet *p, bool reply,
             struct ct_rewrite *rw)
{
	if (c->orig.proto == IP_PROTO_TCP)
		help_ftp(ct, c, p, reply, rw);
	else if (!reply)
		help_tftp(ct, c);
}
