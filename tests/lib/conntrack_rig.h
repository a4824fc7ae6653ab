/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection tracker, and what it has told of the last packet, for a test program of its own file:
 *
 *	TestSuite(name, .init = setup, .fini = teardown);
 *	cr_expect_eq(track(udp("10.0.0.1", 1000, "10.0.0.2", 53), &commit), CT_NEW);
 */
#ifndef TESTS_LIB_CONNTRACK_RIG_H
#define TESTS_LIB_CONNTRACK_RIG_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "datapath/ct/conntrack.h"

#define START (1000 * CLOCK_SECOND)

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { UNREACHABLE_V4 = 3, ECHO = 8, ECHO_REPLY = 0 };

static struct conntrack *ct;
static uint64_t now;
static struct ct_facts facts; /* of the last packet */
static struct ct_rewrite rw;

static inline void setup_with(const struct conntrack_config *config)
{
	now = START;
	ct = conntrack_create(config);
	cr_assert(ct);
}

static inline void setup(void)
{
	setup_with(NULL);
}

static inline void teardown(void)
{
	conntrack_destroy(ct);
}

static inline struct ip_addr ip(const char *text)
{
	struct ip_addr a;

	cr_assert_eq(ip_parse(text, &a), 0, "%s", text);
	return a;
}

static inline struct ct_packet packet(uint8_t proto, const char *src, uint16_t sport, const char *dst,
                                      uint16_t dport)
{
	return (struct ct_packet){.tuple = {.src = ip(src),
	                                    .dst = ip(dst),
	                                    .tp_src = htobe16(sport),
	                                    .tp_dst = htobe16(dport),
	                                    .proto = proto}};
}

static inline struct ct_packet udp(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	return packet(IP_PROTO_UDP, src, sport, dst, dport);
}

static inline struct ct_packet echo(const char *src, const char *dst, uint16_t id, uint8_t type)
{
	bool v4 = ip_parse(src, &(struct ip_addr){{0}}) == 0 && !strchr(src, ':');

	return packet(v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6, src, id, dst, (uint16_t)(type << 8));
}

static inline struct ct_packet reversed(struct ct_packet p)
{
	struct ct_tuple t = p.tuple;

	p.tuple.src = t.dst;
	p.tuple.dst = t.src;
	p.tuple.tp_src = t.tp_dst;
	p.tuple.tp_dst = t.tp_src;
	return p;
}

/* What the packet looks like after `rw`. */
static inline struct ct_packet rewritten(struct ct_packet p)
{
	if (rw.what & CT_REWRITE_SRC)
		p.tuple.src = rw.to.src;
	if (rw.what & CT_REWRITE_DST)
		p.tuple.dst = rw.to.dst;
	if (rw.what & CT_REWRITE_PORTS) {
		p.tuple.tp_src = rw.to.tp_src;
		if (p.tuple.proto != IP_PROTO_ICMP && p.tuple.proto != IP_PROTO_ICMPV6)
			p.tuple.tp_dst = rw.to.tp_dst;
	}
	return p;
}

static inline uint32_t again(const struct ct_packet *p, const struct ct_order *o)
{
	conntrack_track(ct, now, p, o, &facts, &rw);
	cr_assert(facts.state & CT_TRK);
	cr_assert_eq(facts.zone, o->zone);
	return facts.state & ~(uint32_t)CT_TRK;
}

static inline uint32_t track(struct ct_packet p, const struct ct_order *o)
{
	facts = (struct ct_facts){0};
	return again(&p, o);
}

static const struct ct_order look, commit = {.flags = CT_COMMIT}, nat = {.flags = CT_NAT};

static inline struct conntrack_stats stats(void)
{
	struct conntrack_stats s;

	conntrack_get_stats(ct, &s);
	return s;
}

static inline void pass(uint64_t seconds)
{
	now += seconds * CLOCK_SECOND;
}

/* Commits, and translates sources into the range. */
static inline struct ct_order snat_to(const char *first, const char *last, uint16_t port_min,
                                      uint16_t port_max)
{
	return (struct ct_order){.flags = CT_COMMIT | CT_NAT,
	                         .nat = {.addr_min = ip(first),
	                                 .addr_max = ip(last),
	                                 .port_min = port_min,
	                                 .port_max = port_max,
	                                 .flags = NAT_SRC}};
}

struct state {
	unsigned n; /* connections */
	const char *name;
	uint32_t timeout;
};

static inline bool take_state(void *arg, const struct ct_entry *e)
{
	struct state *s = arg;

	*s = (struct state){s->n + 1, e->state, e->timeout};
	return true;
}

/* Of the only connection. */
static inline void expect_state(const char *name, uint32_t seconds)
{
	struct state s = {0};

	conntrack_dump(ct, now, NULL, take_state, &s);
	cr_assert_eq(s.n, 1);
	cr_expect_str_eq(s.name, name);
	cr_expect_eq(s.timeout, seconds, "%s: %u s", name, s.timeout);
}

#endif
