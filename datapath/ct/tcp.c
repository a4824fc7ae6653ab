/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a TCP connection, seen from the middle. Called for every packet of one.
 *
 * A segment must lie inside the window that the other side has opened, and acknowledge what the other side
 * has sent (G. van Rooij, "Real Stateful TCP Packet Filtering"). Connections are also picked up in the
 * middle; their scale factors are unknown, so the largest there can be is assumed. What is let pass loosely
 * is what Open vSwitch lets pass.
 */
#include "datapath/ct/state.h"

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

enum {
	CT_SCALE_MASK = 0x0f,
	CT_SCALE_UNKNOWN = 0x40, /* picked up in the middle */
	CT_SCALE_GIVEN = 0x80,   /* the SYN had the option */
	SCALE_MAX = 14,          /* RFC 7323 section 2.3 */
	WINDOW_MAX = 0xffff,
	SLACK = WINDOW_MAX + 1500, /* how far an acknowledgement may be off, in bytes, before scaling */
};

struct segment {
	const struct ct_packet *p;
	struct ct_peer *from, *to;
	uint32_t seq, end; /* end: behind the last byte; SYN and FIN count */
	uint32_t ack, window;
	unsigned from_scale, to_scale;
	bool opens; /* the first one from this side: its acknowledgement is not judged */
};

static bool before_or_at(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static bool flags_make_sense(uint16_t flags)
{
	if (flags & TCP_SYN ? flags & (TCP_RST | TCP_FIN) : !(flags & (TCP_ACK | TCP_RST)))
		return false;
	return (flags & TCP_ACK) || !(flags & (TCP_FIN | TCP_PSH | TCP_URG));
}

bool ct_tcp_may_begin(const struct ct_packet *p)
{
	return flags_make_sense(p->tcp_flags) && (p->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK);
}

static uint8_t scale_of(const struct ct_packet *p)
{
	if (!(p->flags & CT_PACKET_WSCALE))
		return 0;
	return CT_SCALE_GIVEN | (p->wscale > SCALE_MAX ? SCALE_MAX : p->wscale);
}

/* A SYN's window is not scaled: what would become of it when scaled back up. */
static uint32_t unscaled(uint32_t window, unsigned scale)
{
	return (window + (1u << scale) - 1) >> scale;
}

static uint32_t at_least_one(uint32_t n)
{
	return n ? n : 1;
}

static void live(struct conntrack *ct, struct ct_conn *c, uint64_t now, enum ct_timeout t)
{
	ct_expire_at(c, now + ct->timeout[t]);
}

void ct_tcp_begin(struct conntrack *ct, struct ct_conn *c, const struct ct_packet *p, uint64_t now)
{
	struct ct_peer *from = &c->peer[0], *to = &c->peer[1];
	bool syn = p->tcp_flags & TCP_SYN, fin = p->tcp_flags & TCP_FIN;

	*from = (struct ct_peer){.lo = p->seq,
	                         .hi = p->seq + p->payload + 1 + syn + fin,
	                         .scale = syn ? scale_of(p) : CT_SCALE_UNKNOWN,
	                         .state = CT_TCP_SYN_SENT};
	from->window = (uint16_t)unscaled(at_least_one(p->window), from->scale & CT_SCALE_MASK);
	*to = (struct ct_peer){
	        .hi = 1, .window = 1, .scale = syn ? 0 : CT_SCALE_UNKNOWN, .state = CT_TCP_CLOSED};
	live(ct, c, now, CT_TIMEOUT_TCP_FIRST);
}

static void find_scales(struct segment *s)
{
	uint8_t both = s->from->scale & s->to->scale;

	if (s->p->tcp_flags & TCP_SYN)
		return;
	if (both & CT_SCALE_GIVEN) {
		s->from_scale = s->from->scale & CT_SCALE_MASK;
		s->to_scale = s->to->scale & CT_SCALE_MASK;
	} else if (both & CT_SCALE_UNKNOWN) {
		s->from_scale = s->to_scale = SCALE_MAX;
	}
}

/* A SYN in answer to one that has offered scaling. */
static void agree_on_scale(struct segment *s)
{
	struct ct_peer *from = s->from, *to = s->to;
	uint32_t window;

	from->scale = scale_of(s->p);
	if (from->scale & CT_SCALE_GIVEN) {
		s->from_scale = from->scale & CT_SCALE_MASK;
		s->to_scale = to->scale & CT_SCALE_MASK;
		s->window = unscaled(s->window, s->from_scale);
		return;
	}
	window = (uint32_t)to->window << (to->scale & CT_SCALE_MASK);
	to->window = (uint16_t)(window > WINDOW_MAX ? WINDOW_MAX : window);
	to->scale = 0;
}

static void open_side(struct segment *s)
{
	struct ct_peer *from = s->from;
	uint32_t limit;

	if ((s->p->tcp_flags & TCP_SYN) && (s->to->scale & CT_SCALE_GIVEN))
		agree_on_scale(s);
	from->lo = s->seq;
	from->state = CT_TCP_SYN_SENT;
	limit = s->end + at_least_one((uint32_t)s->to->window << s->to_scale);
	if (from->hi == 1 || before_or_at(from->hi, limit)) {
		from->hi = limit;
		s->opens = true;
	}
	if (s->window > from->window)
		from->window = (uint16_t)s->window;
}

static struct segment segment_of(struct ct_conn *c, const struct ct_packet *p, bool reply)
{
	struct segment s = {.p = p,
	                    .from = &c->peer[reply],
	                    .to = &c->peer[!reply],
	                    .seq = p->seq,
	                    .ack = p->ack,
	                    .window = p->window};

	s.end = p->seq + p->payload + !!(p->tcp_flags & TCP_SYN) + !!(p->tcp_flags & TCP_FIN);
	find_scales(&s);
	if (s.from->state < CT_TCP_SYN_SENT)
		open_side(&s);
	/* Without ACK there is nothing to judge; some stacks send RST with an acknowledgement of 0. */
	if (!(p->tcp_flags & TCP_ACK) || (!p->ack && (p->tcp_flags & TCP_RST)))
		s.ack = s.to->lo;
	if (s.seq == s.end) /* nothing in it: where it lies hardly matters */
		s.seq = s.end = s.from->lo;
	return s;
}

static bool reset_fits(const struct segment *s)
{
	return !(s->p->tcp_flags & TCP_RST) || s->p->seq - s->from->lo + 1 <= 2;
}

static bool fits(const struct segment *s)
{
	int32_t behind = s->opens ? 0 : (int32_t)(s->to->lo - s->ack);

	return before_or_at(s->end, s->from->hi) &&
	       before_or_at(s->from->lo - ((uint32_t)s->to->window << s->to_scale), s->seq) &&
	       behind >= -SLACK && behind <= (int32_t)((uint32_t)SLACK << s->from_scale) && reset_fits(s);
}

/* SYNs that cross, connections picked up in the middle, and late segments of one that has ended. */
static bool fits_loosely(const struct segment *s)
{
	return (s->to->state < CT_TCP_SYN_SENT || s->to->state >= CT_TCP_FIN_WAIT_2 ||
	        s->from->state >= CT_TCP_FIN_WAIT_2) &&
	       before_or_at(s->end, s->from->hi + SLACK) && before_or_at(s->from->lo - SLACK, s->seq);
}

static void move_windows(const struct segment *s)
{
	uint32_t window = s->window << s->from_scale;

	if (s->from->window < s->window)
		s->from->window = (uint16_t)s->window;
	if (!before_or_at(s->end, s->from->lo))
		s->from->lo = s->end;
	if (before_or_at(s->to->hi, s->ack + window))
		s->to->hi = s->ack + at_least_one(window);
}

static void move_states(const struct segment *s, bool loosely)
{
	uint16_t flags = s->p->tcp_flags;

	if ((flags & TCP_FIN) && s->from->state < CT_TCP_CLOSING)
		s->from->state = CT_TCP_CLOSING;
	if ((flags & TCP_ACK) && !loosely) {
		if (s->to->state == CT_TCP_SYN_SENT)
			s->to->state = CT_TCP_ESTABLISHED;
		else if (s->to->state == CT_TCP_CLOSING)
			s->to->state = CT_TCP_FIN_WAIT_2;
	}
	if (flags & TCP_RST)
		s->from->state = s->to->state = CT_TCP_TIME_WAIT;
}

static enum ct_timeout timeout_of(uint8_t a, uint8_t b)
{
	uint8_t less = a < b ? a : b, more = a < b ? b : a;

	if (less >= CT_TCP_FIN_WAIT_2)
		return CT_TIMEOUT_TCP_CLOSED;
	if (less >= CT_TCP_CLOSING)
		return CT_TIMEOUT_TCP_FIN_WAIT;
	if (less < CT_TCP_ESTABLISHED)
		return CT_TIMEOUT_TCP_OPENING;
	return more >= CT_TCP_CLOSING ? CT_TIMEOUT_TCP_CLOSING : CT_TIMEOUT_TCP_ESTABLISHED;
}

/* A SYN without ACK: again the first one, one that crosses it, or the first of another connection. False: to
 * be judged as any segment. */
static bool begins(struct conntrack *ct, struct ct_conn *c, const struct ct_packet *p, bool reply,
                   uint64_t now, enum ct_verdict *verdict)
{
	struct ct_peer *from = &c->peer[reply], *to = &c->peer[!reply];
	struct segment s = {.p = p,
	                    .from = from,
	                    .to = to,
	                    .seq = p->seq,
	                    .end = p->seq + p->payload + 1,
	                    .window = p->window};

	if (from->state >= CT_TCP_FIN_WAIT_2 && to->state >= CT_TCP_FIN_WAIT_2) {
		*verdict = CT_IS_ANOTHER;
		return true;
	}
	if (from->state > CT_TCP_SYN_SENT)
		return false;
	if (to->state == CT_TCP_CLOSED)
		ct_tcp_begin(ct, c, p, now); /* nobody has answered: numbers may be new ones */
	else if (from->state == CT_TCP_CLOSED)
		open_side(&s);
	live(ct, c, now, CT_TIMEOUT_TCP_FIRST);
	*verdict = CT_IS_NEW;
	return true;
}

enum ct_verdict ct_tcp_update(struct conntrack *ct, struct ct_conn *c, const struct ct_packet *p, bool reply,
                              uint64_t now)
{
	enum ct_verdict verdict;
	struct segment s;

	if (!flags_make_sense(p->tcp_flags))
		return CT_IS_INVALID;
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && begins(ct, c, p, reply, now, &verdict))
		return verdict;
	s = segment_of(c, p, reply);
	if (fits(&s)) {
		move_windows(&s);
		move_states(&s, false);
		live(ct, c, now, timeout_of(s.from->state, s.to->state));
	} else if (fits_loosely(&s)) {
		/* No longer life: this is also where a flood comes. */
		move_windows(&s);
		move_states(&s, true);
	} else {
		return CT_IS_INVALID;
	}
	return CT_IS_ESTABLISHED;
}

const char *ct_tcp_state_name(const struct ct_conn *c)
{
	static const char *const names[] = {
	        [CT_TCP_CLOSED] = "CLOSED",           [CT_TCP_SYN_SENT] = "SYN_SENT",
	        [CT_TCP_ESTABLISHED] = "ESTABLISHED", [CT_TCP_CLOSING] = "CLOSING",
	        [CT_TCP_FIN_WAIT_2] = "TIME_WAIT",    [CT_TCP_TIME_WAIT] = "TIME_WAIT"};
	uint8_t a = c->peer[0].state, b = c->peer[1].state;

	return names[a > b ? a : b];
}

bool ct_tcp_is_half_open(const struct ct_conn *c)
{
	return c->orig.proto == IP_PROTO_TCP && c->peer[0].state < CT_TCP_ESTABLISHED;
}
