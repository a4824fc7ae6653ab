/* SPDX-License-Identifier: Apache-2.0 */
/* The connection tracker by itself: protocols, states, timeouts, zones, translation, limits. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "datapath/ct/conntrack.h"

#define START (1000 * CLOCK_SECOND)

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { UNREACHABLE_V4 = 3, ECHO = 8, ECHO_REPLY = 0 };

static struct conntrack *ct;
static uint64_t now;
static struct ct_facts facts; /* of the last packet */
static struct ct_rewrite rw;

static void setup_with(const struct conntrack_config *config)
{
	now = START;
	ct = conntrack_create(config);
	cr_assert(ct);
}

static void setup(void)
{
	setup_with(NULL);
}

static void teardown(void)
{
	conntrack_destroy(ct);
}

TestSuite(conntrack, .init = setup, .fini = teardown, .timeout = 120);

static struct ip_addr ip(const char *text)
{
	struct ip_addr a;

	cr_assert_eq(ip_parse(text, &a), 0, "%s", text);
	return a;
}

static struct ct_packet packet(uint8_t proto, const char *src, uint16_t sport, const char *dst,
                               uint16_t dport)
{
	return (struct ct_packet){.tuple = {.src = ip(src),
	                                    .dst = ip(dst),
	                                    .tp_src = htobe16(sport),
	                                    .tp_dst = htobe16(dport),
	                                    .proto = proto}};
}

static struct ct_packet udp(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	return packet(IP_PROTO_UDP, src, sport, dst, dport);
}

static struct ct_packet echo(const char *src, const char *dst, uint16_t id, uint8_t type)
{
	bool v4 = ip_parse(src, &(struct ip_addr){{0}}) == 0 && !strchr(src, ':');

	return packet(v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6, src, id, dst, (uint16_t)(type << 8));
}

static struct ct_packet reversed(struct ct_packet p)
{
	struct ct_tuple t = p.tuple;

	p.tuple.src = t.dst;
	p.tuple.dst = t.src;
	p.tuple.tp_src = t.tp_dst;
	p.tuple.tp_dst = t.tp_src;
	return p;
}

/* What the packet looks like after `rw`. */
static struct ct_packet rewritten(struct ct_packet p)
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

static uint32_t again(const struct ct_packet *p, const struct ct_order *o)
{
	conntrack_track(ct, now, p, o, &facts, &rw);
	cr_assert(facts.state & CT_TRK);
	cr_assert_eq(facts.zone, o->zone);
	return facts.state & ~(uint32_t)CT_TRK;
}

static uint32_t track(struct ct_packet p, const struct ct_order *o)
{
	facts = (struct ct_facts){0};
	return again(&p, o);
}

static const struct ct_order look, commit = {.flags = CT_COMMIT}, nat = {.flags = CT_NAT};

static struct conntrack_stats stats(void)
{
	struct conntrack_stats s;

	conntrack_get_stats(ct, &s);
	return s;
}

static void pass(uint64_t seconds)
{
	now += seconds * CLOCK_SECOND;
}

Test(conntrack, udp_is_new_until_it_is_answered)
{
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);

	cr_expect_eq(track(p, &look), CT_NEW);
	cr_expect_eq(conntrack_count(ct), 0, "not committed");
	cr_expect(ip_equal(&facts.orig.src, &p.tuple.src));
	cr_expect_eq(facts.orig.tp_dst, htobe16(53));
	cr_expect_eq(track(reversed(p), &look), CT_NEW, "the other way is just as new");
	cr_expect_eq(track(p, &commit), CT_NEW);
	cr_expect_eq(conntrack_count(ct), 1);
	cr_expect_eq(track(p, &look), CT_NEW);
	cr_expect_eq(track(reversed(p), &look), CT_EST | CT_RPL);
	cr_expect(ip_equal(&facts.orig.src, &p.tuple.src), "of the first direction");
	cr_expect_eq(track(p, &look), CT_EST);
	cr_expect_eq(track(udp("10.0.0.1", 1001, "10.0.0.2", 53), &look), CT_NEW);
}

Test(conntrack, udp_times_out)
{
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);

	track(p, &commit);
	pass(59);
	cr_expect_eq(track(p, &look), CT_NEW, "lives, and longer");
	pass(59);
	cr_expect_eq(track(reversed(p), &look), CT_EST | CT_RPL);
	pass(29);
	cr_expect_eq(track(p, &look), CT_EST);
	pass(30);
	cr_expect_eq(track(reversed(p), &look), CT_NEW, "30 s for one that was answered");
	cr_expect_eq(conntrack_count(ct), 0);
	cr_expect_eq(stats().expired, 1);
	track(p, &commit);
	pass(60);
	conntrack_sweep(ct, now);
	cr_expect_eq(conntrack_count(ct), 0);
	cr_expect_eq(stats().expired, 2);
}

Test(conntrack, other_protocols_have_no_ports)
{
	struct ct_packet p = packet(47, "10.0.0.1", 0, "10.0.0.2", 0);

	cr_expect_eq(track(p, &commit), CT_NEW);
	cr_expect_eq(track(reversed(p), &look), CT_EST | CT_RPL);
	p.tuple.proto = 50;
	cr_expect_eq(track(p, &look), CT_NEW);
}

Test(conntrack, port_zero_is_invalid)
{
	cr_expect_eq(track(udp("10.0.0.1", 0, "10.0.0.2", 53), &commit), CT_INV);
	cr_expect_eq(track(udp("10.0.0.1", 5, "10.0.0.2", 0), &commit), CT_INV);
	cr_expect_eq(track(packet(IP_PROTO_SCTP, "10.0.0.1", 0, "10.0.0.2", 1), &commit), CT_INV);
	cr_expect(ip_is_none(&facts.orig.src));
	cr_expect_eq(stats().invalid, 3);
	cr_expect_eq(conntrack_count(ct), 0);
}

Test(conntrack, pings)
{
	const char *pairs[][2] = {{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}};

	for (unsigned i = 0; i < 2; i++) {
		const char *a = pairs[i][0], *b = pairs[i][1];
		uint8_t ask = i ? 128 : ECHO, answer = i ? 129 : ECHO_REPLY;

		cr_expect_eq(track(echo(b, a, 7, answer), &commit), CT_INV, "an answer begins nothing");
		cr_expect_eq(track(echo(a, b, 7, ask), &commit), CT_NEW);
		cr_expect_eq(facts.orig.tp_src, htobe16(ask));
		cr_expect_eq(facts.orig.tp_dst, 0);
		cr_expect_eq(track(echo(a, b, 7, ask), &look), CT_NEW);
		cr_expect_eq(track(echo(a, b, 8, ask), &look), CT_NEW);
		cr_expect_eq(track(echo(b, a, 7, answer), &look), CT_EST | CT_RPL);
		cr_expect_eq(track(echo(b, a, 7, ask), &look), CT_NEW, "the other one asks: not the same");
		cr_expect_eq(track(echo(a, b, 7, ask), &look), CT_EST);
		pass(30);
		cr_expect_eq(track(echo(b, a, 7, answer), &look), CT_INV, "too late");
		cr_expect_eq(track(echo(a, b, 7, 42), &look), CT_INV);
		cr_expect_eq(track(packet(i ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP, a, 7, b, ask << 8 | 1), &look),
		             CT_INV, "a code");
	}
}

Test(conntrack, errors_are_related_to_what_they_are_about)
{
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53), inner = p;

	inner.flags = CT_PACKET_ERROR;
	cr_expect_eq(track(inner, &commit), CT_INV, "nothing is known of it");
	track(p, &(struct ct_order){.flags = CT_COMMIT, .mark = 5, .mark_mask = 0xff});
	cr_expect_eq(track(inner, &look), CT_REL | CT_RPL);
	cr_expect_eq(facts.mark, 5);
	cr_expect_eq(facts.orig.proto, IP_PROTO_UDP);
	inner = reversed(p);
	inner.flags = CT_PACKET_ERROR;
	cr_expect_eq(track(inner, &look), CT_REL);
	cr_expect_eq(track(p, &look), CT_NEW, "an error is no answer");
}

Test(conntrack, invalid_packets_are_not_looked_at)
{
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);

	track(p, &commit);
	p.flags = CT_PACKET_INVALID;
	cr_expect_eq(track(p, &commit), CT_INV);
	cr_expect_eq(track((struct ct_packet){0}, &commit), CT_INV);
}

Test(conntrack, zones_are_worlds_of_their_own)
{
	struct ct_order one = {.flags = CT_COMMIT, .zone = 1}, two = {.zone = 2};
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);

	track(p, &one);
	cr_expect_eq(track(reversed(p), &two), CT_NEW);
	one.flags = 0;
	cr_expect_eq(track(reversed(p), &one), CT_EST | CT_RPL);
	p = reversed(p);
	cr_expect_eq(again(&p, &two), CT_NEW, "what was told in another zone does not count");
}

Test(conntrack, marks_and_labels)
{
	struct ct_order o = {.flags = CT_COMMIT, .mark = 0x1200, .mark_mask = 0xff00};
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);

	o.label[15] = 7;
	o.label_mask[15] = 0xff;
	track(p, &o);
	cr_expect_eq(facts.mark, 0x1200);
	cr_expect_eq(facts.label[15], 7);
	o = (struct ct_order){.flags = CT_COMMIT, .mark = 0x34, .mark_mask = 0xff};
	track(p, &o);
	cr_expect_eq(facts.mark, 0x1234, "other bits stay");
	o.flags = 0;
	o.mark = 0xff;
	track(reversed(p), &o);
	cr_expect_eq(facts.mark, 0x1234, "without commit nothing is written");
	cr_expect_eq(facts.label[15], 7);
	o = (struct ct_order){.flags = CT_COMMIT};
	o.label_mask[15] = 0xff;
	track(p, &o);
	cr_expect_eq(facts.label[15], 0);
}

Test(conntrack, force_turns_a_connection_round)
{
	struct ct_order o = {.flags = CT_COMMIT | CT_FORCE, .mark = 2, .mark_mask = 0xff};
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);

	track(p, &(struct ct_order){.flags = CT_COMMIT, .mark = 1, .mark_mask = 0xff});
	cr_expect_eq(track(p, &(struct ct_order){.flags = CT_COMMIT | CT_FORCE}), CT_NEW,
	             "the same way: stays");
	cr_expect_eq(facts.mark, 1);
	cr_expect_eq(track(reversed(p), &commit), CT_EST | CT_RPL);
	cr_expect_eq(track(reversed(p), &o), CT_NEW);
	cr_expect_eq(facts.mark, 2);
	cr_expect_eq(conntrack_count(ct), 1);
	cr_expect_eq(stats().replaced, 1);
	cr_expect_eq(track(p, &look), CT_EST | CT_RPL);
}

Test(conntrack, a_packet_counts_once_in_a_zone)
{
	struct ct_packet p = packet(IP_PROTO_TCP, "10.0.0.1", 1000, "10.0.0.2", 80);

	p.tcp_flags = ACK; /* picked up in the middle: a second one would be established */
	cr_expect_eq(track(p, &look), CT_NEW);
	cr_expect_eq(again(&p, &commit), CT_NEW);
	cr_expect_eq(again(&p, &look), CT_NEW);
	cr_expect_eq(track(p, &look), CT_EST);
}

/* ---- TCP ---- */

struct tcp {
	uint16_t flags;
	uint32_t seq, ack, payload;
	uint16_t window; /* 0: 1000 */
	uint8_t scale;   /* 0: no option */
};

static struct tcp segment(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t payload)
{
	return (struct tcp){.flags = flags, .seq = seq, .ack = ack, .payload = payload};
}

static struct ct_packet tcp(bool reply, struct tcp t)
{
	struct ct_packet p = packet(IP_PROTO_TCP, "10.0.0.1", 1000, "10.0.0.2", 80);

	if (reply)
		p = reversed(p);
	p.tcp_flags = t.flags;
	p.seq = t.seq;
	p.ack = t.ack;
	p.payload = t.payload;
	p.window = t.window ? t.window : 1000;
	if (t.scale > 0) {
		p.flags = CT_PACKET_WSCALE;
		p.wscale = t.scale;
	}
	return p;
}

static uint32_t tcp_track(bool reply, struct tcp t)
{
	return track(tcp(reply, t), &look);
}

/* Numbers 100 from one side, 500 from the other; scale factors of 2^`scale`. */
static void handshake(uint8_t scale)
{
	cr_assert_eq(track(tcp(false, (struct tcp){.flags = SYN, .seq = 100, .scale = scale}), &commit),
	             CT_NEW);
	cr_assert_eq(
	        tcp_track(true, (struct tcp){.flags = SYN | ACK, .seq = 500, .ack = 101, .scale = scale}),
	        CT_EST | CT_RPL);
	cr_assert_eq(tcp_track(false, segment(ACK, 101, 501, 0)), CT_EST);
}

static const char *state;
static uint32_t timeout;

static bool take_state(void *arg, const struct ct_entry *e)
{
	state = e->state;
	timeout = e->timeout;
	(*(unsigned *)arg)++;
	return true;
}

static void expect_state(const char *name, uint32_t seconds)
{
	unsigned n = 0;

	conntrack_dump(ct, now, NULL, take_state, &n);
	cr_assert_eq(n, 1);
	cr_expect_str_eq(state, name);
	cr_expect_eq(timeout, seconds, "%s: %u s", name, timeout);
}

Test(conntrack, tcp_lives_and_dies)
{
	track(tcp(false, segment(SYN, 100, 0, 0)), &commit);
	expect_state("SYN_SENT", 30);
	cr_expect_eq(tcp_track(false, segment(SYN, 100, 0, 0)), CT_NEW, "again");
	cr_expect_eq(tcp_track(true, segment(SYN | ACK, 500, 101, 0)), CT_EST | CT_RPL);
	expect_state("ESTABLISHED", 30);
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 0)), CT_EST);
	expect_state("ESTABLISHED", 86400);
	cr_expect_eq(tcp_track(false, segment(ACK | PSH, 101, 501, 200)), CT_EST);
	cr_expect_eq(tcp_track(true, segment(ACK, 501, 301, 0)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(FIN | ACK, 301, 501, 0)), CT_EST);
	expect_state("CLOSING", 900);
	cr_expect_eq(tcp_track(true, segment(FIN | ACK, 501, 302, 0)), CT_EST | CT_RPL);
	expect_state("TIME_WAIT", 45);
	cr_expect_eq(tcp_track(false, segment(ACK, 302, 502, 0)), CT_EST);
	expect_state("TIME_WAIT", 30);
	pass(30);
	cr_expect_eq(tcp_track(false, segment(ACK, 302, 502, 0)), CT_NEW, "it is over");
}

Test(conntrack, tcp_syns_that_cross)
{
	track(tcp(false, segment(SYN, 100, 0, 0)), &commit);
	cr_expect_eq(tcp_track(true, segment(SYN, 0x70000000, 0, 0)), CT_NEW);
	cr_expect_eq(tcp_track(false, segment(SYN | ACK, 100, 0x70000001, 0)), CT_EST);
	cr_expect_eq(tcp_track(true, segment(SYN | ACK, 0x70000000, 101, 0)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 0x70000001, 100)), CT_EST);
	cr_expect_eq(tcp_track(true, segment(ACK, 0x70000001, 201, 100)), CT_EST | CT_RPL);
}

Test(conntrack, tcp_second_attempt_has_numbers_of_its_own)
{
	track(tcp(false, segment(SYN, 100, 0, 0)), &commit);
	cr_expect_eq(tcp_track(false, segment(SYN, 0x90000000, 0, 0)), CT_NEW);
	cr_expect_eq(tcp_track(true, segment(SYN | ACK, 500, 0x90000001, 0)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 0x90000001, 501, 100)), CT_EST);
}

Test(conntrack, tcp_established_lives_a_day)
{
	handshake(0);
	pass(86399);
	cr_expect_eq(tcp_track(true, segment(ACK, 501, 101, 0)), CT_EST | CT_RPL);
	pass(86400);
	cr_expect_eq(tcp_track(true, segment(ACK, 501, 101, 0)), CT_NEW);
}

Test(conntrack, tcp_reset)
{
	handshake(0);
	cr_expect_eq(tcp_track(true, segment(RST, 700, 0, 0)), CT_INV | 0, "not the next byte");
	cr_expect(ip_equal(&facts.orig.src, &(struct ip_addr){{[10] = 0xff, 0xff, 10, 0, 0, 1}}),
	          "the connection is told all the same");
	expect_state("ESTABLISHED", 86400);
	cr_expect_eq(tcp_track(true, segment(RST, 501, 0, 0)), CT_EST | CT_RPL);
	expect_state("TIME_WAIT", 30);
}

Test(conntrack, tcp_new_syn_after_the_end)
{
	handshake(0);
	tcp_track(false, segment(RST, 101, 0, 0));
	cr_expect_eq(track(tcp(false, segment(SYN, 9000, 0, 0)), &commit), CT_NEW);
	cr_expect_eq(conntrack_count(ct), 1);
	cr_expect_eq(stats().replaced, 1);
	expect_state("SYN_SENT", 30);
	cr_expect_eq(tcp_track(true, segment(SYN | ACK, 4000, 9001, 0)), CT_EST | CT_RPL);
	tcp_track(false, segment(RST, 9001, 0, 0));
	cr_expect_eq(tcp_track(true, segment(SYN, 1, 0, 0)), CT_NEW, "not committed");
	cr_expect_eq(conntrack_count(ct), 0, "but the old one is gone");
}

Test(conntrack, tcp_flags_that_make_no_sense)
{
	const uint16_t bad[] = {0, FIN, SYN | FIN, SYN | RST, SYN | PSH, PSH, FIN | RST, SYN | FIN | ACK};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(track(tcp(false, segment(bad[i], 100, 0, 0)), &commit), CT_INV, "%u", bad[i]);
	cr_expect_eq(track(tcp(false, segment(SYN | ACK, 100, 0, 0)), &commit), CT_INV, "begins nothing");
	cr_expect_eq(conntrack_count(ct), 0);
	handshake(0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(tcp_track(false, segment(bad[i], 101, 501, 0)), CT_INV, "%u", bad[i]);
}

Test(conntrack, tcp_outside_of_the_window)
{
	handshake(0);
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 1000)), CT_EST, "all that is offered");
	cr_expect_eq(tcp_track(false, segment(ACK, 1101, 501, 1)), CT_INV, "one too many");
	cr_expect_eq(tcp_track(true, segment(ACK, 501, 1101, 0)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 1101, 501, 1)), CT_EST, "now there is room");
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 1001)), CT_INV, "too old");
	cr_expect_eq(tcp_track(false, segment(ACK, 1102, 501 + 68000, 1)), CT_INV, "never sent");
}

Test(conntrack, tcp_windows_are_scaled)
{
	handshake(3);
	cr_expect_eq(tcp_track(true, segment(ACK, 501, 101, 0)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 8000)), CT_EST);
	cr_expect_eq(tcp_track(false, segment(ACK, 8101, 501, 1)), CT_INV);
}

Test(conntrack, tcp_scale_needs_both)
{
	track(tcp(false, (struct tcp){.flags = SYN, .seq = 100, .scale = 3}), &commit);
	tcp_track(true, segment(SYN | ACK, 500, 101, 0));
	tcp_track(false, segment(ACK, 101, 501, 0));
	tcp_track(true, segment(ACK, 501, 101, 0));
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 1001)), CT_INV);
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 1000)), CT_EST);
}

Test(conntrack, tcp_is_picked_up_in_the_middle)
{
	cr_expect_eq(track(tcp(false, segment(ACK, 100000, 70000, 1000)), &commit), CT_NEW);
	expect_state("SYN_SENT", 30);
	cr_expect_eq(tcp_track(true, segment(ACK, 70000, 101000, 500)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 101000, 70500, 60000)), CT_EST, "scale is not known");
	expect_state("ESTABLISHED", 86400);
}

Test(conntrack, tcp_numbers_wrap)
{
	cr_assert_eq(track(tcp(false, segment(SYN, 0xffffffff, 0, 0)), &commit), CT_NEW);
	cr_assert_eq(tcp_track(true, segment(SYN | ACK, 0xfffffff0, 0, 0)), CT_EST | CT_RPL);
	cr_assert_eq(tcp_track(false, segment(ACK, 0, 0xfffffff1, 0)), CT_EST);
	cr_assert_eq(tcp_track(true, segment(ACK, 0xfffffff1, 0, 100)), CT_EST | CT_RPL);
	cr_assert_eq(tcp_track(false, segment(ACK, 0, 0x55, 100)), CT_EST);
	cr_assert_eq(tcp_track(true, segment(ACK, 0x55, 100, 100)), CT_EST | CT_RPL);
}

/* ---- translation ---- */

static struct ct_order snat_to(const char *first, const char *last, uint16_t port_min, uint16_t port_max)
{
	return (struct ct_order){.flags = CT_COMMIT | CT_NAT,
	                         .nat = {.addr_min = ip(first),
	                                 .addr_max = ip(last),
	                                 .port_min = port_min,
	                                 .port_max = port_max,
	                                 .flags = NAT_SRC}};
}

static struct ct_order dnat_to(const char *addr, uint16_t port)
{
	struct ct_order o = snat_to(addr, addr, port, port);

	o.nat.flags = NAT_DST;
	return o;
}

static void expect_tuple(const struct ct_packet *p, const char *src, uint16_t sport, const char *dst,
                         uint16_t dport)
{
	struct ip_addr a = ip(src), b = ip(dst);

	cr_expect(ip_equal(&p->tuple.src, &a) && ip_equal(&p->tuple.dst, &b), "not %s, %s", src, dst);
	cr_expect_eq(be16toh(p->tuple.tp_src), sport);
	cr_expect_eq(be16toh(p->tuple.tp_dst), dport);
}

Test(conntrack, source_is_translated_and_back)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 0, 0);
	struct ct_packet p = udp("10.0.0.1", 2000, "8.8.8.8", 53), q, out;

	cr_expect_eq(track(p, &o), CT_NEW | CT_SNAT);
	out = rewritten(p);
	expect_tuple(&out, "9.0.0.1", 2000, "8.8.8.8", 53);
	q = reversed(out);
	cr_expect_eq(track(q, &look), CT_EST | CT_RPL, "nothing is said of translation");
	cr_expect_eq(rw.what, 0);
	cr_expect_eq(track(q, &nat), CT_EST | CT_RPL | CT_DNAT);
	q = rewritten(q);
	expect_tuple(&q, "8.8.8.8", 53, "10.0.0.1", 2000);
	cr_expect_eq(facts.orig.tp_src, htobe16(2000), "before translation");
	cr_expect_eq(track(p, &nat), CT_EST | CT_SNAT);
	q = rewritten(p);
	expect_tuple(&q, "9.0.0.1", 2000, "8.8.8.8", 53);
	cr_expect_eq(again(&q, &nat), CT_EST | CT_SNAT, "it comes back as it looks now");
	cr_expect_eq(rw.what, 0, "but is not translated twice");
	cr_expect_eq(conntrack_count(ct), 1);
	conntrack_flush(ct, NULL);
	cr_expect_eq(track(reversed(out), &nat), CT_NEW);
}

Test(conntrack, destination_is_translated_and_back)
{
	struct ct_order o = dnat_to("10.0.0.9", 8080);
	struct ct_packet p = packet(IP_PROTO_TCP, "1.2.3.4", 3000, "9.0.0.1", 80), q;

	p.tcp_flags = SYN;
	cr_expect_eq(track(p, &o), CT_NEW | CT_DNAT);
	q = rewritten(p);
	expect_tuple(&q, "1.2.3.4", 3000, "10.0.0.9", 8080);
	q = reversed(q);
	q.tcp_flags = SYN | ACK;
	q.ack = 1;
	cr_expect_eq(track(q, &nat), CT_EST | CT_RPL | CT_SNAT);
	q = rewritten(q);
	expect_tuple(&q, "9.0.0.1", 80, "1.2.3.4", 3000);
}

Test(conntrack, ports_do_not_collide)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 0, 0);
	struct ct_packet a = udp("10.0.0.1", 2000, "8.8.8.8", 53), b = udp("10.0.0.2", 2000, "8.8.8.8", 53),
	                 q;

	track(a, &o);
	a = rewritten(a);
	cr_expect_eq(track(b, &o), CT_NEW | CT_SNAT);
	q = rewritten(b);
	expect_tuple(&q, "9.0.0.1", 2001, "8.8.8.8", 53);
	q = reversed(q);
	track(q, &nat);
	q = rewritten(q);
	expect_tuple(&q, "8.8.8.8", 53, "10.0.0.2", 2000);
	/* A host that has the address itself is in the way as well. */
	track(udp("9.0.0.1", 2002, "8.8.8.8", 53), &commit);
	track(udp("10.0.0.3", 2000, "8.8.8.8", 53), &o);
	cr_expect_eq(be16toh(rw.to.tp_src), 2003);
	/* Elsewhere the same port is free. */
	track(udp("10.0.0.3", 2000, "8.8.4.4", 53), &o);
	cr_expect_eq(be16toh(rw.to.tp_src), 2000);
}

Test(conntrack, ports_of_a_kind_stay_together)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 0, 0);

	for (unsigned i = 0; i < 3; i++) {
		static const uint16_t port[] = {511, 1023, 65535}, next[] = {1, 600, 1024};

		track(udp("10.0.0.1", port[i], "8.8.8.8", 53), &o);
		cr_expect_eq(be16toh(rw.to.tp_src), port[i]);
		track(udp("10.0.0.2", port[i], "8.8.8.8", 53), &o);
		cr_expect_eq(be16toh(rw.to.tp_src), next[i]);
	}
}

Test(conntrack, a_range_of_ports_runs_out)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 5000, 5099);
	bool seen[100] = {false};

	for (unsigned i = 0; i < 100; i++) {
		unsigned port;

		cr_assert_eq(track(udp("10.0.0.1", (uint16_t)(2000 + i), "8.8.8.8", 53), &o),
		             CT_NEW | CT_SNAT);
		port = be16toh(rw.to.tp_src) - 5000u;
		cr_assert_lt(port, 100);
		cr_assert_not(seen[port]);
		seen[port] = true;
	}
	cr_expect_eq(track(udp("10.0.0.2", 2000, "8.8.8.8", 53), &o), CT_INV);
	cr_expect_eq(rw.what, 0);
	cr_expect_eq(stats().nat_exhausted, 1);
	cr_expect_eq(conntrack_count(ct), 100);
	cr_expect_eq(track(udp("10.0.0.2", 2000, "8.8.4.4", 53), &o), CT_NEW | CT_SNAT, "to somewhere else");
	cr_expect_eq(track(udp("10.0.0.1", 2000, "8.8.8.8", 53), &nat), CT_NEW | CT_SNAT,
	             "who was first stays");
}

Test(conntrack, addresses_of_a_range)
{
	struct ct_order o = snat_to("9.0.0.250", "9.0.1.5", 0, 0);
	bool seen[12] = {false};

	for (unsigned i = 0; i < 500; i++) {
		uint32_t at;

		track(udp("10.0.0.1", (uint16_t)(2000 + i), "8.8.8.8", 53), &o);
		at = be32toh(ip_to_v4(&rw.to.src)) - 0x090000fau;
		cr_assert_lt(at, 12);
		seen[at] = true;
	}
	for (unsigned i = 0; i < 12; i++)
		cr_expect(seen[i], "%u", i);
}

Test(conntrack, persistent_goes_by_the_sender)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.200", 0, 0);
	struct ip_addr first;

	o.nat.flags |= NAT_PERSISTENT;
	track(udp("10.0.0.1", 2000, "8.8.8.8", 53), &o);
	first = rw.to.src;
	for (unsigned i = 1; i < 50; i++) {
		track(udp("10.0.0.1", (uint16_t)(2000 + i), "8.8.8.8", 53), &o);
		cr_assert(ip_equal(&rw.to.src, &first));
	}
	teardown();
	setup();
	track(udp("10.0.0.1", 2000, "8.8.4.4", 99), &o);
	cr_expect(ip_equal(&rw.to.src, &first), "after a restart too");
}

Test(conntrack, random_ports)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 10000, 60000);
	unsigned ups = 0, last = 0;

	o.nat.flags |= NAT_RANDOM;
	for (unsigned i = 0; i < 200; i++) {
		track(udp("10.0.0.1", (uint16_t)(2000 + i), "8.8.8.8", 53), &o);
		cr_assert(be16toh(rw.to.tp_src) >= 10000 && be16toh(rw.to.tp_src) <= 60000);
		ups += be16toh(rw.to.tp_src) > last;
		last = be16toh(rw.to.tp_src);
	}
	cr_expect(ups > 20 && ups < 180, "%u", ups);
}

Test(conntrack, ipv6_translation)
{
	struct ct_order o = snat_to("fd00:9::ffff:ffff:ffff:fff0", "fd00:9:0:1::f", 0, 0);
	struct ct_packet p = udp("fd00::1", 2000, "fd00::2", 53), q;

	cr_expect_eq(track(p, &o), CT_NEW | CT_SNAT);
	q = rewritten(p);
	cr_expect(memcmp(q.tuple.src.b, "\xfd\x00\x00\x09", 4) == 0);
	q = reversed(q);
	cr_expect_eq(track(q, &nat), CT_EST | CT_RPL | CT_DNAT);
	q = rewritten(q);
	expect_tuple(&q, "fd00::2", 53, "fd00::1", 2000);
	cr_expect_eq(track(udp("10.0.0.1", 2000, "8.8.8.8", 53), &o), CT_INV, "of the other family");
}

Test(conntrack, pings_are_translated)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 0, 0);
	struct ct_packet a = echo("10.0.0.1", "8.8.8.8", 3000, ECHO),
	                 b = echo("10.0.0.2", "8.8.8.8", 3000, ECHO);

	track(a, &o);
	a = rewritten(a);
	cr_expect_eq(track(b, &o), CT_NEW | CT_SNAT);
	cr_expect_eq(be16toh(rw.to.tp_src), 3001, "another id");
	b = rewritten(b);
	b = echo("8.8.8.8", "9.0.0.1", 3001, ECHO_REPLY);
	cr_expect_eq(track(b, &nat), CT_EST | CT_RPL | CT_DNAT);
	b = rewritten(b);
	expect_tuple(&b, "8.8.8.8", 3000, "10.0.0.2", 0);
}

Test(conntrack, nat_without_a_range_translates_nothing_new)
{
	struct ct_order o = {.flags = CT_COMMIT | CT_NAT};
	struct ct_packet p = udp("10.0.0.1", 2000, "8.8.8.8", 53);

	cr_expect_eq(track(p, &o), CT_NEW);
	cr_expect_eq(rw.what, 0);
	cr_expect_eq(track(reversed(p), &nat), CT_EST | CT_RPL);
	cr_expect_eq(rw.what, 0);
	o = snat_to("9.0.0.1", "9.0.0.1", 0, 0);
	cr_expect_eq(track(p, &o), CT_EST, "what is committed stays as it is");
}

Test(conntrack, errors_about_translated_packets)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 0, 0);
	struct ct_packet p = udp("10.0.0.1", 2000, "8.8.8.8", 53), inner;

	track(p, &o);
	inner = rewritten(p); /* as the outside has seen it */
	inner.flags = CT_PACKET_ERROR;
	cr_expect_eq(track(inner, &nat), CT_REL | CT_RPL | CT_DNAT);
	cr_expect_eq(rw.what, CT_REWRITE_DST | CT_REWRITE_INNER);
	p = (struct ct_packet){.tuple = rw.to};
	expect_tuple(&p, "8.8.8.8", 53, "10.0.0.1", 2000);
	inner = udp("8.8.8.8", 53, "10.0.0.1", 2000); /* an answer that the inside did not want */
	inner.flags = CT_PACKET_ERROR;
	cr_expect_eq(track(inner, &nat), CT_REL | CT_SNAT);
	cr_expect_eq(rw.what, CT_REWRITE_SRC | CT_REWRITE_INNER);
	p = (struct ct_packet){.tuple = rw.to};
	expect_tuple(&p, "9.0.0.1", 2000, "8.8.8.8", 53);
}

Test(conntrack, a_translated_packet_that_was_changed_is_known_by_what_was_told)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 0, 0), mark = commit;
	struct ct_packet p = udp("10.0.0.1", 2000, "8.8.8.8", 53);

	track(p, &o);
	p = rewritten(p);
	p.tuple.dst = ip("8.8.4.4");
	mark.mark = mark.mark_mask = 3;
	cr_expect_eq(again(&p, &mark), CT_NEW | CT_SNAT);
	cr_expect_eq(facts.mark, 3);
	cr_expect_eq(conntrack_count(ct), 1);
}

/* ---- limits, lists ---- */

Test(conntrack, many_connections)
{
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);
	unsigned n = 0;

	for (unsigned i = 0; i < 100000; i++) {
		memcpy(p.tuple.src.b + 12, &i, 4);
		p.tuple.tp_src = htobe16((uint16_t)(1 + i % 60000));
		cr_assert_eq(track(p, &commit), CT_NEW);
	}
	cr_expect_eq(conntrack_count(ct), 100000);
	for (unsigned i = 0; i < 100000; i++) {
		memcpy(p.tuple.src.b + 12, &i, 4);
		p.tuple.tp_src = htobe16((uint16_t)(1 + i % 60000));
		cr_assert_eq(track(reversed(p), &look), CT_EST | CT_RPL);
	}
	conntrack_dump(ct, now, NULL, take_state, &n);
	cr_expect_eq(n, 100000);
	cr_expect_eq(conntrack_flush(ct, NULL), 100000);
	cr_expect_eq(conntrack_count(ct), 0);
	cr_expect_eq(track(reversed(p), &look), CT_NEW);
	track(p, &commit);
	pass(60);
	conntrack_sweep(ct, now);
	conntrack_sweep(ct, now);
	cr_expect_eq(conntrack_count(ct), 0, "a sweep goes all the way round in time");
}

Test(conntrack, the_limit_evicts_nobody_who_was_answered)
{
	struct ct_packet p, syn;

	teardown();
	setup_with(&(struct conntrack_config){.max = 100});
	for (unsigned i = 0; i < 100; i++)
		track(udp("10.0.0.1", (uint16_t)(1000 + i), "10.0.0.2", 53), &commit);
	p = udp("10.0.0.1", 5000, "10.0.0.2", 53);
	cr_expect_eq(track(p, &commit), CT_INV);
	cr_expect_eq(stats().full, 1);
	cr_expect_eq(track(p, &look), CT_NEW);
	pass(60);
	cr_expect_eq(track(p, &commit), CT_NEW, "one that timed out makes room");
	cr_expect_eq(conntrack_count(ct), 100);
	conntrack_flush(ct, NULL);
	for (unsigned i = 0; i < 100; i++) {
		syn = packet(IP_PROTO_TCP, "10.0.0.3", (uint16_t)(1000 + i), "10.0.0.2", 80);
		syn.tcp_flags = SYN;
		track(syn, &commit);
	}
	cr_expect_eq(track(p, &commit), CT_NEW, "instead of a SYN without an answer");
	cr_expect_eq(stats().evicted, 1);
	cr_expect_eq(conntrack_count(ct), 100);
}

Test(conntrack, a_zone_has_its_limit)
{
	struct ct_order one = {.flags = CT_COMMIT, .zone = 1}, two = {.flags = CT_COMMIT, .zone = 2};

	teardown();
	setup_with(&(struct conntrack_config){.zone_max = 10});
	for (uint16_t i = 0; i < 10; i++)
		cr_expect_eq(track(udp("10.0.0.1", 1000 + i, "10.0.0.2", 53), &one), CT_NEW);
	cr_expect_eq(track(udp("10.0.0.1", 2000, "10.0.0.2", 53), &one), CT_INV);
	cr_expect_eq(track(udp("10.0.0.1", 2000, "10.0.0.2", 53), &two), CT_NEW);
	cr_expect_eq(stats().zone_full, 1);
	cr_expect_eq(conntrack_flush(ct, &(struct ct_filter){.orig.tp_src = htobe16(1000)}), 1);
	cr_expect_eq(track(udp("10.0.0.1", 2000, "10.0.0.2", 53), &one), CT_NEW, "one has gone");
}

Test(conntrack, timeouts_are_configured)
{
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);

	teardown();
	setup_with(&(struct conntrack_config){.seconds = {[CT_TIMEOUT_OTHER_FIRST] = 5}});
	track(p, &commit);
	pass(5);
	cr_expect_eq(track(reversed(p), &look), CT_NEW);
}

static uint32_t flush(struct ct_filter f)
{
	return conntrack_flush(ct, &f);
}

Test(conntrack, flush_by_what_is_told)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 0, 0);

	for (uint16_t i = 0; i < 10; i++)
		track(udp("10.0.0.1", 1000 + i, "10.0.0.2", 53),
		      &(struct ct_order){.flags = CT_COMMIT, .zone = i % 2, .mark = i, .mark_mask = 0xff});
	track(udp("10.0.0.5", 7, "8.8.8.8", 53), &o);
	cr_expect_eq(flush((struct ct_filter){.orig.tp_src = htobe16(1003)}), 1);
	cr_expect_eq(flush((struct ct_filter){.orig.tp_src = htobe16(1003)}), 0);
	cr_expect_eq(flush((struct ct_filter){.reply.tp_dst = htobe16(1005)}), 1);
	cr_expect_eq(flush((struct ct_filter){.reply.dst = ip("9.0.0.1")}), 1, "as translated");
	cr_expect_eq(flush((struct ct_filter){.orig.proto = IP_PROTO_TCP}), 0);
	cr_expect_eq(flush((struct ct_filter){.mark = 1, .mark_mask = 7}), 2, "1 and 9");
	cr_expect_eq(flush((struct ct_filter){.by_zone = true, .zone = 1}), 1, "7");
	cr_expect_eq(flush((struct ct_filter){.orig.src = ip("10.0.0.1")}), 5);
	cr_expect_eq(conntrack_count(ct), 0);
	cr_expect_eq(stats().flushed, 11);
}

static bool check_entry(void *arg, const struct ct_entry *e)
{
	unsigned *n = arg;

	cr_expect_eq(e->zone, 4);
	cr_expect_eq(e->mark, 9);
	cr_expect_eq(e->label[0], 1);
	cr_expect_eq(e->nat, CT_SNAT);
	cr_expect_str_eq(e->state, "FIRST");
	cr_expect_eq(e->timeout, 50);
	cr_expect_eq(be16toh(e->orig.tp_src), 7);
	cr_expect_eq(be16toh(e->reply.tp_dst), 600);
	cr_expect_eq(e->orig.proto, IP_PROTO_UDP);
	(*n)++;
	return false;
}

Test(conntrack, all_is_told)
{
	struct ct_order o = snat_to("9.0.0.1", "9.0.0.1", 600, 600);
	unsigned n = 0;

	o.zone = 4;
	o.mark = 9;
	o.mark_mask = 0xffffffff;
	o.label[0] = 1;
	o.label_mask[0] = 0xff;
	track(udp("10.0.0.5", 7, "8.8.8.8", 53), &o);
	track(udp("10.0.0.5", 7, "8.8.8.9", 53), &o);
	pass(10);
	conntrack_dump(ct, now, &(struct ct_filter){.by_zone = true, .zone = 5}, check_entry, &n);
	cr_expect_eq(n, 0);
	conntrack_dump(ct, now, NULL, check_entry, &n);
	cr_expect_eq(n, 1, "until told to stop");
}

Test(conntrack, prefetching_changes_nothing)
{
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);

	conntrack_prefetch(ct, &p.tuple, 0);
	conntrack_prefetch_found(ct, conntrack_prefetch(ct, &p.tuple, 0));
	track(p, &commit);
	conntrack_prefetch(ct, &p.tuple, 0);
	conntrack_prefetch_found(ct, conntrack_prefetch(ct, &p.tuple, 0));
	conntrack_prefetch_found(ct, conntrack_prefetch(ct, &(struct ct_tuple){0}, 0));
	cr_expect_eq(track(reversed(p), &look), CT_EST | CT_RPL);
}
