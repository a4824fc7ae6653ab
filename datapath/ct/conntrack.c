/* SPDX-License-Identifier: Apache-2.0 */
/* A packet is tracked; the tracker's life. Called by datapath/track.c for every packet with an order. */
#include "datapath/ct/conntrack.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "datapath/ct/state.h"

static const uint32_t default_seconds[CT_TIMEOUTS] = {
        [CT_TIMEOUT_TCP_FIRST] = 30,    [CT_TIMEOUT_TCP_OPENING] = 30,  [CT_TIMEOUT_TCP_ESTABLISHED] = 86400,
        [CT_TIMEOUT_TCP_CLOSING] = 900, [CT_TIMEOUT_TCP_FIN_WAIT] = 45, [CT_TIMEOUT_TCP_CLOSED] = 30,
        [CT_TIMEOUT_OTHER_FIRST] = 60,  [CT_TIMEOUT_OTHER_SINGLE] = 60, [CT_TIMEOUT_OTHER_BOTH] = 30,
        [CT_TIMEOUT_ICMP_FIRST] = 60,   [CT_TIMEOUT_ICMP_REPLY] = 30,
};

struct conntrack *conntrack_create(const struct conntrack_config *config)
{
	struct conntrack_config zero = {0};
	struct conntrack *ct = aligned_alloc(64, sizeof(*ct));

	if (!ct)
		return NULL;
	if (!config)
		config = &zero;
	memset(ct, 0, sizeof(*ct));
	ct->max = config->max ? config->max : CONNTRACK_MAX_DEFAULT;
	if (ct->max > CONNTRACK_MAX_MOST)
		ct->max = CONNTRACK_MAX_MOST;
	ct->zone_max = config->zone_max;
	ct->seed = hash_random_seed();
	for (unsigned i = 0; i < CT_TIMEOUTS; i++)
		ct->timeout[i] =
		        (config->seconds[i] ? config->seconds[i] : default_seconds[i]) * CLOCK_SECOND;
	ct->expects = calloc(1, sizeof(*ct->expects)); /* touched when there are some */
	if (!ct->expects || ct_table_init(ct)) {
		free(ct->expects);
		free(ct);
		return NULL;
	}
	return ct;
}

void conntrack_destroy(struct conntrack *ct)
{
	if (!ct)
		return;
	ct_table_exit(ct);
	free(ct->expects);
	free(ct);
}

/* One packet on its way. */
struct pass {
	struct conntrack *ct;
	uint64_t now;
	const struct ct_packet *p;
	const struct ct_order *o;
	struct ct_facts *facts;
	struct ct_rewrite *rw;
	uint32_t before; /* ct_state from an earlier order in this zone */
	struct ct_key key;
	uint32_t hash;
};

static void tell_tuple(struct ct_facts *f, const struct ct_key *k)
{
	f->orig = ct_key_tuple(k);
	if (ct_key_is_icmp(k)) {
		f->orig.tp_src = htobe16(be16toh(k->tp_dst) >> 8);
		f->orig.tp_dst = htobe16(be16toh(k->tp_dst) & 0xff);
	}
}

static void tell_invalid(struct pass *x)
{
	*x->facts = (struct ct_facts){.state = CT_INV | CT_TRK, .zone = x->o->zone};
	ct_count(x->ct, CT_INVALID);
}

/* There is no connection. `e`: what has announced it, or NULL. */
static void tell_new(struct pass *x, const struct ct_expect *e)
{
	struct ct_facts *f = x->facts;

	*f = (struct ct_facts){.state = CT_NEW | CT_TRK, .zone = x->o->zone};
	if (!e) {
		tell_tuple(f, &x->key);
		return;
	}
	f->state |= CT_REL;
	f->orig = e->master;
	f->mark = e->mark;
	memcpy(f->label, e->label, sizeof(f->label));
}

/* What few connections have; returns the state. */
static uint32_t tell_rare(struct pass *x, struct ct_conn *c, bool reply, uint32_t state)
{
	struct ct_facts *f = x->facts;

	memcpy(f->label, c->label, sizeof(f->label));
	if (c->rare & CT_RELATED) {
		f->orig = c->master;
		state |= state & CT_INV ? 0 : CT_REL;
	}
	if ((c->rare & CT_HELPED) && !(state & CT_INV) &&
	    !(x->p->flags & (CT_PACKET_ERROR | CT_PACKET_LATER)))
		ct_help(x->ct, c, x->p, reply, x->rw);
	return state;
}

/* All that is done while the connection is locked, and the end of that. */
static void tell(struct pass *x, struct ct_conn *c, bool reply, uint32_t state)
{
	struct ct_facts *f = x->facts;
	bool error = x->p->flags & CT_PACKET_ERROR;

	if ((x->o->flags & CT_NAT) && c->nat && !(state & (CT_INV | CT_SNAT | CT_DNAT)))
		state |= ct_nat_rewrite(c, reply, error, x->rw);
	if (x->o->flags & CT_COMMIT)
		ct_write_marks(c, x->o);
	f->zone = x->o->zone;
	f->mark = c->mark;
	memset(f->label, 0, sizeof(f->label));
	tell_tuple(f, &c->orig);
	if (__builtin_expect(c->rare, 0))
		state = tell_rare(x, c, reply, state);
	f->state = state | CT_TRK;
	rte_spinlock_unlock(&c->lock);
	if (state & CT_INV)
		ct_count(x->ct, CT_INVALID);
}

/* In the numbers of those who have sent what is judged. */
static enum ct_verdict judge_control(struct pass *x, struct ct_conn *c, bool reply)
{
	struct ct_packet p = *x->p;

	p.ack = ct_helper_ack(c, reply, p.ack);
	return ct_tcp_update(x->ct, c, &p, reply, x->now);
}

static enum ct_verdict judge(struct pass *x, struct ct_conn *c, bool reply)
{
	if (c->orig.proto != IP_PROTO_TCP)
		return ct_talk_update(x->ct, c, reply, x->now);
	if (__builtin_expect(c->rare & CT_HELPED, 0))
		return judge_control(x, c, reply);
	return ct_tcp_update(x->ct, c, x->p, reply, x->now);
}

/* Of a locked connection, which it unlocks. False: it has ended and this is the first packet of another. */
static bool belongs(struct pass *x, struct ct_conn *c, bool reply)
{
	uint32_t back = reply ? CT_RPL : 0;

	if (x->before && !(x->before & CT_INV)) {
		tell(x, c, reply, x->before);
		return true;
	}
	if (x->p->flags & CT_PACKET_ERROR) {
		tell(x, c, reply, CT_REL | back);
		return true;
	}
	switch (judge(x, c, reply)) {
	case CT_IS_ESTABLISHED:
		tell(x, c, reply, CT_EST | back);
		return true;
	case CT_IS_NEW:
		tell(x, c, reply, CT_NEW);
		return true;
	case CT_IS_ANOTHER:
		ct_bury(x->ct, c, CT_REPLACED);
		return false;
	default:
		tell(x, c, reply, CT_INV);
		return true;
	}
}

/* The connection of a packet that was translated in this zone already: by what it looks like now, else by
 * what was told of it. */
static struct ct_conn *find_translated(struct pass *x, bool *reply)
{
	struct ct_key key = ct_key_reversed(&x->key);
	struct ct_tuple was = x->facts->orig;
	struct ct_conn *c = ct_table_find(x->ct, &key, x->hash, x->now, reply);

	if (c) {
		*reply = !*reply;
		return c;
	}
	if ((x->before & CT_REL) && !(x->p->flags & CT_PACKET_ERROR))
		return NULL; /* what was told is the tuple of another connection */
	if (ct_key_is_icmp(&x->key)) {
		was.tp_src = x->key.tp_src;
		was.tp_dst = htobe16((uint16_t)(be16toh(x->facts->orig.tp_src) << 8));
	}
	if (!ct_key_make(&key, &was, x->o->zone))
		return NULL;
	c = ct_table_find(x->ct, &key, ct_key_hash(x->ct, &key), x->now, reply);
	*reply = x->before & CT_RPL;
	return c;
}

static struct ct_conn *find(struct pass *x, bool *reply)
{
	struct ct_conn *c;

	if (__builtin_expect(x->before & (CT_SNAT | CT_DNAT), 0))
		c = find_translated(x, reply);
	else
		c = ct_table_find(x->ct, &x->key, x->hash, x->now, reply);
	if (c && *reply && (x->o->flags & CT_FORCE)) {
		ct_bury(x->ct, c, CT_REPLACED);
		c = NULL;
	}
	return c;
}

static bool may_begin(const struct pass *x)
{
	if (x->p->flags & CT_PACKET_ERROR)
		return false;
	return x->key.proto == IP_PROTO_TCP ? ct_tcp_may_begin(x->p) : ct_talk_may_begin(&x->key);
}

/* False: somebody else has begun the connection meanwhile. */
static bool begin(struct pass *x)
{
	struct ct_expect e;
	const struct ct_expect *expected;
	struct ct_conn *c;

	if (!may_begin(x)) {
		tell_invalid(x);
		return true;
	}
	expected = ct_is_expected(x->ct, &x->key, &e) ? &e : NULL;
	if (!(x->o->flags & CT_COMMIT)) {
		tell_new(x, expected);
		return true;
	}
	switch (ct_commit(x->ct, x->now, x->p, x->o, &x->key, x->hash, expected, &c)) {
	case CT_COMMIT_DONE:
		tell(x, c, false, CT_NEW);
		return true;
	case CT_COMMIT_EXISTS:
		x->before = 0;
		return false;
	default:
		tell_invalid(x);
		return true;
	}
}

/* The key under which the packet is looked up: what is inside of an error went the other way. */
static bool read_key(struct pass *x)
{
	if ((x->p->flags & CT_PACKET_INVALID) || !ct_key_make(&x->key, &x->p->tuple, x->o->zone))
		return false;
	if (x->p->flags & CT_PACKET_ERROR)
		x->key = ct_key_reversed(&x->key);
	x->hash = ct_key_hash(x->ct, &x->key);
	return true;
}

static void track(struct pass *x)
{
	if (!read_key(x)) {
		tell_invalid(x);
		return;
	}
	for (;;) {
		bool reply;
		struct ct_conn *c = find(x, &reply);

		if (c && belongs(x, c, reply))
			return;
		if (begin(x))
			return;
	}
}

void conntrack_track(struct conntrack *ct, uint64_t now, const struct ct_packet *p, const struct ct_order *o,
                     struct ct_facts *facts, struct ct_rewrite *rw)
{
	struct pass x = {.ct = ct, .now = now, .p = p, .o = o, .facts = facts, .rw = rw};
	struct ct_packet joined;

	rw->what = 0;
	if (__builtin_expect(p->flags & CT_PACKET_LATER, 0)) {
		joined = *p;
		ct_fragment_join(ct, now, o->zone, &joined, facts);
		x.p = &joined;
	}
	x.before = facts->zone == o->zone ? facts->state : 0;
	track(&x);
	if (__builtin_expect(p->flags & CT_PACKET_FIRST, 0))
		ct_fragment_note(ct, now, p, facts);
}

uint32_t conntrack_prefetch(const struct conntrack *ct, const struct ct_tuple *t, uint16_t zone)
{
	struct ct_key k;
	uint32_t hash;

	if (!ct_key_make(&k, t, zone))
		return 0;
	hash = ct_key_hash(ct, &k);
	__builtin_prefetch(ct_table_bucket(ct, hash));
	return hash;
}

static void fetch(const struct ct_conn *c)
{
	__builtin_prefetch(c, 1);
	__builtin_prefetch(&c->peer, 1);
	__builtin_prefetch(&c->reply);
}

void conntrack_prefetch_found(const struct conntrack *ct, uint32_t hash)
{
	const struct ct_bucket *b = ct_table_bucket(ct, hash);

	for (unsigned i = 0; i < CT_WAYS; i++) {
		uint64_t entry = __atomic_load_n(&b->entry[i], __ATOMIC_RELAXED);

		if (entry >> 32 == hash && (uint32_t)entry)
			fetch(&ct->conns[(uint32_t)entry - 1]);
	}
}
