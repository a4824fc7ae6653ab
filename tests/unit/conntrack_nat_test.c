/* SPDX-License-Identifier: Apache-2.0 */
/* Translation in the connection tracker: addresses and ports that are chosen, packets there and back. */
#include "tests/lib/conntrack_rig.h"

TestSuite(conntrack_nat, .init = setup, .fini = teardown, .timeout = 120);

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

Test(conntrack_nat, source_is_translated_and_back)
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

Test(conntrack_nat, destination_is_translated_and_back)
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

Test(conntrack_nat, ports_do_not_collide)
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

Test(conntrack_nat, ports_of_a_kind_stay_together)
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

Test(conntrack_nat, a_range_of_ports_runs_out)
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

Test(conntrack_nat, addresses_of_a_range)
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

Test(conntrack_nat, persistent_goes_by_the_sender)
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

Test(conntrack_nat, random_ports)
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

Test(conntrack_nat, ipv6_translation)
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

Test(conntrack_nat, pings_are_translated)
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

Test(conntrack_nat, nat_without_a_range_translates_nothing_new)
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

Test(conntrack_nat, errors_about_translated_packets)
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

Test(conntrack_nat, a_translated_packet_that_was_changed_is_known_by_what_was_told)
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
