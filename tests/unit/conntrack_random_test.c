/* SPDX-License-Identifier: Apache-2.0 */
/* The connection tracker against a model that knows no hash and no lock, with random packets; and by several
 * threads at once. TCP's numbers always fit here: windows are in conntrack_test.c. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "datapath/ct/conntrack.h"

enum { PACKETS = 300000, MODEL_MAX = 4096, THREAD_PACKETS = 200000, TUPLES = 96 };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
enum { GRE = 47, PORTS = 4, FIRST_PORT = 5000 };

static uint64_t dice_state;

static uint32_t dice(uint32_t n)
{
	dice_state = dice_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((dice_state >> 33) % n);
}

/* ---- the model ---- */

/* Addresses and ports as numbers; ICMP: a is the id on both sides, kind 8 or 0. */
struct side {
	uint32_t addr;
	unsigned port;
};

struct way {
	struct side from, to;
	unsigned kind;
};

struct conn {
	bool used;
	unsigned zone, proto;
	struct way orig, reply;
	unsigned side[2]; /* TCP */
	bool spoke[2];
	bool many, answered;
	uint64_t end;
	uint32_t mark;
	int nat; /* 1 source, 2 destination */
};

static struct conn model[MODEL_MAX];
static uint64_t now;

static struct way back(struct way w)
{
	return (struct way){w.to, w.from, w.kind == 8 ? 0 : 8};
}

static bool same(unsigned proto, struct way a, struct way b)
{
	return a.from.addr == b.from.addr && a.to.addr == b.to.addr && a.from.port == b.from.port &&
	       a.to.port == b.to.port && (proto != IP_PROTO_ICMP || a.kind == b.kind);
}

static struct conn *model_find(unsigned zone, unsigned proto, struct way w, bool *reply)
{
	for (unsigned i = 0; i < MODEL_MAX; i++) {
		struct conn *c = &model[i];

		if (!c->used || c->zone != zone || c->proto != proto)
			continue;
		if (now >= c->end) {
			c->used = false;
			continue;
		}
		*reply = !same(proto, c->orig, w);
		if (!*reply || same(proto, c->reply, w))
			return c;
	}
	return NULL;
}

static void last(struct conn *c, unsigned seconds)
{
	c->end = now + seconds * CLOCK_SECOND;
}

enum { CLOSED, SENT, OPEN, HALF, ENDED, DEAD }; /* a side's states in order */

/* CT_NEW, CT_EST or CT_INV; 0: another connection begins. */
static uint32_t model_tcp(struct conn *c, unsigned flags, bool reply)
{
	unsigned *mine = &c->side[reply], *other = &c->side[!reply];

	if (!(flags & (SYN | ACK | RST)) || ((flags & SYN) && (flags & (RST | FIN))) ||
	    ((flags & FIN) && !(flags & ACK)))
		return CT_INV;
	c->spoke[reply] = true;
	if ((flags & SYN) && !(flags & ACK)) {
		if (*mine >= ENDED && *other >= ENDED)
			return 0;
		if (*mine <= SENT) {
			*mine = SENT;
			last(c, 30);
			return CT_NEW;
		}
	}
	if (*mine == CLOSED)
		*mine = SENT;
	if ((flags & FIN) && *mine < HALF)
		*mine = HALF;
	if (flags & ACK)
		*other = *other == SENT ? OPEN : *other == HALF ? ENDED : *other;
	if (flags & RST)
		*mine = *other = DEAD;
	if (*mine >= ENDED && *other >= ENDED)
		last(c, 30);
	else if (*mine >= HALF && *other >= HALF)
		last(c, 45);
	else if (*mine < OPEN || *other < OPEN)
		last(c, 30);
	else if (*mine >= HALF || *other >= HALF)
		last(c, 900);
	else
		last(c, 86400);
	return CT_EST;
}

static uint32_t model_talk(struct conn *c, bool reply)
{
	if (reply)
		c->answered = true;
	last(c, c->answered ? 30 : 60);
	return c->answered ? CT_EST : CT_NEW;
}

/* ---- one packet to both ---- */

struct step {
	unsigned zone, proto, flags; /* flags: TCP */
	struct way way;
	bool error, commit, force, nat;
	int range; /* 1 source, 2 destination */
	uint32_t mark;
};

static struct conntrack *ct;
static struct ct_facts facts;
static struct ct_rewrite rw;

static struct ct_tuple tuple_of(unsigned proto, struct way w)
{
	bool icmp = proto == IP_PROTO_ICMP, ports = proto != GRE;

	return (struct ct_tuple){.src = ip_from_v4(htobe32(w.from.addr)),
	                         .dst = ip_from_v4(htobe32(w.to.addr)),
	                         .tp_src = htobe16(ports ? (uint16_t)w.from.port : 0),
	                         .tp_dst = htobe16((uint16_t)(icmp    ? w.kind << 8
	                                                      : ports ? w.to.port
	                                                              : 0)),
	                         .proto = (uint8_t)proto};
}

static struct way way_of(const struct ct_tuple *t)
{
	struct way w = {{be32toh(ip_to_v4(&t->src)), be16toh(t->tp_src)},
	                {be32toh(ip_to_v4(&t->dst)), be16toh(t->tp_dst)},
	                0};

	if (t->proto == IP_PROTO_ICMP) {
		w.kind = w.to.port >> 8;
		w.to.port = w.from.port;
	}
	return w;
}

static void run(const struct step *s)
{
	struct ct_packet p = {.tuple = tuple_of(s->proto, s->way), .window = 1000};
	struct ct_order o = {.zone = (uint16_t)s->zone};

	p.flags = s->error ? CT_PACKET_ERROR : 0;
	p.tcp_flags = (uint16_t)s->flags;
	p.seq = 1000; /* SYN and FIN in one place: whatever comes fits */
	p.ack = s->flags & ACK ? 1000 : 0;
	o.flags = (uint16_t)((s->commit ? CT_COMMIT : 0) | (s->force ? CT_FORCE : 0) | (s->nat ? CT_NAT : 0));
	o.mark = s->mark;
	o.mark_mask = s->mark ? 0xff : 0;
	if (s->range) {
		o.nat.flags = s->range == 1 ? NAT_SRC : NAT_DST;
		o.nat.addr_min = o.nat.addr_max =
		        ip_from_v4(htobe32(s->range == 1 ? 0x09000001 : 0x0a000102));
		o.nat.port_min = FIRST_PORT;
		o.nat.port_max = FIRST_PORT + PORTS - 1;
	}
	facts = (struct ct_facts){0};
	conntrack_track(ct, now, &p, &o, &facts, &rw);
}

static bool may_begin(const struct step *s)
{
	if (s->error)
		return false;
	if (s->proto == IP_PROTO_TCP)
		return (s->flags & (ACK | SYN | RST)) &&
		       !((s->flags & SYN) && (s->flags & (ACK | RST | FIN))) &&
		       (!(s->flags & FIN) || (s->flags & ACK));
	return s->proto != IP_PROTO_ICMP || s->way.kind == 8;
}

/* The translated reply direction that was chosen must be a free one of the range. */
static void check_choice(const struct step *s, struct way reply, unsigned i)
{
	bool dummy;

	cr_assert_null(model_find(s->zone, s->proto, reply, &dummy), "packet %u: its reply is taken", i);
	if (s->range == 1) {
		cr_assert_eq(reply.to.addr, 0x09000001);
		if (s->proto != GRE)
			cr_assert(reply.to.port >= FIRST_PORT && reply.to.port < FIRST_PORT + PORTS);
	} else {
		cr_assert_eq(reply.from.addr, 0x0a000102);
	}
}

static void check_exhausted(const struct step *s, unsigned i)
{
	bool dummy;
	struct way w = back(s->way);

	if (!s->nat || !s->range) {
		cr_assert(model_find(s->zone, s->proto, w, &dummy), "packet %u: why not?", i);
		return;
	}
	if (s->range == 1)
		w.to.addr = 0x09000001;
	else
		w.from.addr = 0x0a000102;
	if (s->proto == GRE) {
		cr_assert(model_find(s->zone, s->proto, w, &dummy), "packet %u: why not?", i);
		return;
	}
	cr_assert_eq(s->range, 1, "packet %u: source ports do not run out", i);
	for (unsigned port = FIRST_PORT; port < FIRST_PORT + PORTS; port++) {
		if (s->proto == IP_PROTO_ICMP)
			w.from.port = port;
		w.to.port = port;
		cr_assert(model_find(s->zone, s->proto, w, &dummy), "packet %u: %u is free", i, port);
	}
}

static void model_commit(const struct step *s, unsigned i)
{
	struct conn *c = model;

	while (c->used)
		cr_assert_lt(++c - model, MODEL_MAX);
	*c = (struct conn){.zone = s->zone, .proto = s->proto, .orig = s->way, .reply = back(s->way)};
	if (s->nat && s->range) {
		c->nat = s->range;
		c->reply = back(way_of(&rw.to));
		check_choice(s, c->reply, i);
	}
	c->used = true;
	c->mark = s->mark;
	c->side[0] = SENT;
	c->spoke[0] = true;
	last(c, s->proto == IP_PROTO_TCP ? 30 : 60);
}

static void check_rewrite(const struct step *s, const struct conn *c, bool reply, uint32_t state, unsigned i)
{
	struct way to = back(reply ? c->orig : c->reply);
	uint32_t happens = (c->nat == 1) != reply ? CT_SNAT : CT_DNAT;

	if (!s->nat || !c->nat || (state & CT_INV)) {
		cr_assert_eq(rw.what, 0, "packet %u", i);
		cr_assert_eq(facts.state, state | CT_TRK, "packet %u: state %x, not %x", i, facts.state,
		             state);
		return;
	}
	cr_assert_eq(facts.state, state | happens | CT_TRK, "packet %u: state %x, not %x", i, facts.state,
	             state | happens);
	cr_assert(same(s->proto, way_of(&rw.to), to), "packet %u", i);
}

static void check_none(const struct step *s, unsigned i)
{
	if (!may_begin(s)) {
		cr_assert_eq(facts.state, CT_INV | CT_TRK, "packet %u: state %x", i, facts.state);
	} else if (!s->commit) {
		cr_assert_eq(facts.state, CT_NEW | CT_TRK, "packet %u: state %x", i, facts.state);
	} else if (facts.state & CT_INV) {
		check_exhausted(s, i);
	} else {
		bool dummy;

		if (!s->range || !s->nat)
			cr_assert_null(model_find(s->zone, s->proto, back(s->way), &dummy), "packet %u", i);
		model_commit(s, i);
	}
}

static void step(const struct step *s, unsigned i)
{
	bool reply;
	struct conn *c = model_find(s->zone, s->proto, s->error ? back(s->way) : s->way, &reply);
	uint32_t state = CT_REL;

	/* What the other side has ended before this one spoke is judged by numbers that are not known. */
	if (c && c->side[reply] == DEAD && !c->spoke[reply])
		return;
	run(s);
	if (c && reply && s->force) {
		c->used = false;
		c = NULL;
	}
	if (c && !s->error) {
		state = s->proto == IP_PROTO_TCP ? model_tcp(c, s->flags, reply) : model_talk(c, reply);
		if (!state) {
			c->used = false;
			c = NULL;
		}
	}
	if (!c) {
		check_none(s, i);
		return;
	}
	if (reply && !(state & (CT_NEW | CT_INV)))
		state |= CT_RPL;
	if (s->commit && s->mark)
		c->mark = s->mark;
	cr_assert_eq(facts.mark, c->mark, "packet %u: mark", i);
	check_rewrite(s, c, reply, state, i);
}

/* ---- random packets ---- */

static struct way random_way(unsigned proto)
{
	struct way w = {{0x0a000001 + dice(3), 1024 + dice(6)}, {0x0a000101 + dice(3), 1024 + dice(3)}, 8};

	if (proto == IP_PROTO_ICMP)
		w.to.port = w.from.port;
	if (proto == GRE)
		w.from.port = w.to.port = 0;
	if (dice(6) == 0)
		w = back(w);
	return w;
}

static struct step random_step(void)
{
	static const unsigned protos[] = {IP_PROTO_UDP, IP_PROTO_TCP, IP_PROTO_TCP, IP_PROTO_ICMP, GRE};
	static const unsigned flags[] = {SYN, SYN | ACK, ACK, ACK, FIN | ACK,
	                                 RST, RST | ACK, FIN, 0,   SYN | RST};
	struct step s = {.zone = 1 + dice(2), .proto = protos[dice(5)]};
	struct conn *c = &model[dice(64)];

	s.way = random_way(s.proto);
	if (c->used && dice(3)) {
		s.zone = c->zone;
		s.proto = c->proto;
		s.way = dice(2) ? c->orig : c->reply;
	}
	s.error = dice(12) == 0;
	s.flags = s.proto == IP_PROTO_TCP ? flags[dice(10)] : 0;
	s.commit = dice(2);
	s.force = s.commit && dice(16) == 0;
	s.nat = dice(3) == 0;
	s.range = s.commit && s.nat ? (int)dice(3) : 0;
	/* Replies to a translated address begin nothing of their own in this test. */
	if (s.way.from.addr == 0x09000001 || s.way.to.addr == 0x09000001)
		s.range = 0;
	s.mark = s.commit ? dice(3) : 0;
	return s;
}

static void start(void)
{
	struct timespec t;
	const char *seed = getenv("SEED");

	clock_gettime(CLOCK_REALTIME, &t);
	dice_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)t.tv_nsec;
	cr_log_info("SEED=%llu", (unsigned long long)dice_state);
	ct = conntrack_create(NULL);
	now = 1000 * CLOCK_SECOND;
}

static void finish(void)
{
	conntrack_destroy(ct);
}

/* Whatever is told must be in the model, with the same time left; returns how many. */
static bool compare(void *arg, const struct ct_entry *e)
{
	bool reply;
	struct conn *c = model_find(e->zone, e->orig.proto, way_of(&e->orig), &reply);

	cr_assert(c && !reply);
	cr_assert(same(c->proto, c->reply, way_of(&e->reply)));
	cr_assert_eq(e->timeout, (c->end - now) / CLOCK_SECOND);
	cr_assert_eq(e->mark, c->mark);
	(*(unsigned *)arg)++;
	return true;
}

static void compare_all(unsigned i)
{
	unsigned told = 0, known = 0;

	conntrack_dump(ct, now, NULL, compare, &told);
	for (unsigned k = 0; k < MODEL_MAX; k++)
		known += model[k].used && now < model[k].end;
	cr_assert_eq(told, known, "after packet %u: %u, not %u", i, told, known);
}

TestSuite(conntrack_random, .init = start, .fini = finish, .timeout = 300);

Test(conntrack_random, is_as_the_model)
{
	for (unsigned i = 0; i < PACKETS; i++) {
		struct step s = random_step();

		step(&s, i);
		if (i % 1000 == 0)
			compare_all(i);
		if (dice(8) == 0)
			now += dice(4) * CLOCK_SECOND;
		if (dice(5000) == 0)
			now += 1000 * CLOCK_SECOND;
		if (dice(1000) == 0)
			conntrack_sweep(ct, now);
	}
}

/* ---- several threads ---- */

static bool stop;

struct hammer {
	uint64_t seed;
	bool back;
	unsigned invalid;
};

static uint32_t roll(struct hammer *h, uint32_t n)
{
	h->seed = h->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((h->seed >> 33) % n);
}

/* Both directions of the same connections, with commits, force and translation. */
static void *hammer(void *arg)
{
	struct hammer *h = arg;

	for (unsigned i = 0; i < THREAD_PACKETS; i++) {
		unsigned n = roll(h, TUPLES);
		struct way w = {{0x0a000001, 2000 + n}, {0x0a000101, 80}, 8};
		struct ct_packet p = {.window = 1000, .tcp_flags = ACK, .seq = 1000, .ack = 1000};
		struct ct_order o = {.zone = (uint16_t)(n % 3), .flags = roll(h, 4) ? 0 : CT_COMMIT};
		struct ct_facts f = {0};
		struct ct_rewrite r;

		if (n % 2) { /* translated, to few ports */
			o.flags |= CT_NAT;
			o.nat = (struct nat_range){.port_min = 7000, .port_max = 7040, .flags = NAT_SRC};
			o.nat.addr_min = o.nat.addr_max = ip_from_v4(htobe32(0x09000001));
		}
		if (h->back)
			w = back(w);
		if (h->back && n % 2)
			w.to = (struct side){0x09000001, 7000 + roll(h, 41)};
		if ((o.flags & CT_COMMIT) && roll(h, 50) == 0)
			o.flags |= CT_FORCE;
		if (h->back && n % 2)
			o.flags &= (uint16_t) ~(CT_COMMIT | CT_FORCE);
		p.tuple = tuple_of(n % 5 ? IP_PROTO_UDP : IP_PROTO_TCP, w);
		conntrack_track(ct, 1000 * CLOCK_SECOND + roll(h, 100) * CLOCK_SECOND, &p, &o, &f, &r);
		h->invalid += f.state & CT_INV ? 1 : 0;
	}
	return NULL;
}

static bool count_one(void *arg, const struct ct_entry *e)
{
	(*(unsigned *)arg)++;
	return true;
}

static void *lists(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned n = 0;

		conntrack_sweep(ct, 1090 * CLOCK_SECOND);
		conntrack_dump(ct, 0, NULL, count_one, &n);
		conntrack_flush(ct, &(struct ct_filter){.orig.tp_src = htobe16(2007)});
		sched_yield();
	}
	return NULL;
}

Test(conntrack_random, threads_may_share_connections)
{
	struct hammer h[2] = {{.seed = dice_state}, {.seed = dice_state + 1, .back = true}};
	struct conntrack_stats s;
	pthread_t t[2], control;
	unsigned n = 0;

	pthread_create(&control, NULL, lists, NULL);
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, hammer, &h[i]);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(control, NULL);
	conntrack_get_stats(ct, &s);
	cr_expect_gt(s.commits, 1000);
	cr_expect_eq(s.commits, s.connections + s.expired + s.replaced + s.flushed + s.evicted);
	conntrack_dump(ct, 0, NULL, count_one, &n);
	cr_expect_eq(n, s.connections);
	cr_expect_eq(conntrack_flush(ct, NULL), n);
	cr_expect_eq(conntrack_count(ct), 0);
}
