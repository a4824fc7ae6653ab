/* SPDX-License-Identifier: Apache-2.0 */
/* The connection tracker by itself: protocols, timeouts, zones, limits, lists. */
#include "tests/lib/conntrack_rig.h"

TestSuite(conntrack, .init = setup, .fini = teardown, .timeout = 120);

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

/* ---- limits, lists ---- */

Test(conntrack, many_connections)
{
	struct ct_packet p = udp("10.0.0.1", 1000, "10.0.0.2", 53);
	struct state all = {0};

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
	conntrack_dump(ct, now, NULL, take_state, &all);
	cr_expect_eq(all.n, 100000);
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
	for (unsigned i = 0; i < 100; i++) {
		p = udp("10.0.0.1", (uint16_t)(1000 + i), "10.0.0.2", 53);
		track(p, &commit);
		track(reversed(p), &look);
	}
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

/* Full of one zone's: the others' come in, until it has no more than they. */
Test(conntrack, a_zone_gives_what_is_not_its_share)
{
	const struct ct_order one = {.flags = CT_COMMIT, .zone = 1}, two = {.flags = CT_COMMIT, .zone = 2};
	struct ct_packet p;

	teardown();
	setup_with(&(struct conntrack_config){.max = 64});
	for (uint16_t i = 0; i < 64; i++) {
		p = udp("10.0.0.1", 1000 + i, "10.0.0.2", 53);
		cr_expect_eq(track(p, &one), CT_NEW);
		cr_expect_eq(track(reversed(p), &one), CT_EST | CT_RPL);
	}
	cr_expect_eq(track(udp("10.0.0.1", 5000, "10.0.0.2", 53), &one), CT_INV, "all were answered");
	for (uint16_t i = 0; i < 32; i++) {
		p = udp("10.0.0.1", 1000 + i, "10.0.0.2", 53);
		cr_expect_eq(track(p, &two), CT_NEW);
		cr_expect_eq(track(reversed(p), &two), CT_EST | CT_RPL);
	}
	cr_expect_eq(stats().evicted, 32);
	cr_expect_eq(track(udp("10.0.0.1", 5000, "10.0.0.2", 53), &two), CT_INV, "half of them");
	cr_expect_eq(track(udp("10.0.0.1", 5000, "10.0.0.2", 53), &one), CT_INV);
}

Test(conntrack, unanswered_ones_make_way)
{
	teardown();
	setup_with(&(struct conntrack_config){.max = 100});
	for (uint16_t i = 0; i < 300; i++)
		cr_expect_eq(track(udp("10.0.0.1", 1000 + i, "10.0.0.2", 53), &commit), CT_NEW);
	cr_expect_eq(stats().evicted, 200);
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
