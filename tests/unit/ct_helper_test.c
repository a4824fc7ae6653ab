/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that control connections announce: expected, told, translated, forgotten. */
#include <pthread.h>
#include <stdlib.h>

#include "tests/lib/conntrack_rig.h"

enum { ALL = 4096, THREADS = 3, THREAD_PACKETS = 60000, THREAD_PORTS = 300 };

#define CLIENT "10.0.0.1"
#define SERVER "10.0.0.2"

static const struct ct_order commit_nat = {.flags = CT_COMMIT | CT_NAT};

TestSuite(ct_helper, .init = setup, .fini = teardown, .timeout = 60);

static struct ct_order helped(uint16_t alg, uint16_t zone)
{
	return (struct ct_order){.flags = CT_COMMIT, .alg = alg, .zone = zone};
}

static struct ct_order translated(uint16_t flags, const char *to, uint16_t port)
{
	struct ct_order o = snat_to(to, to, port, port);

	o.alg = CT_ALG_TFTP;
	o.nat.flags = flags;
	return o;
}

/* A client's request, from this port. */
static void request(uint16_t port, const struct ct_order *o)
{
	cr_assert_eq(track(udp(CLIENT, port, SERVER, 69), o) & ~(uint32_t)(CT_SNAT | CT_DNAT), CT_NEW);
}

static void expect_master(uint16_t port)
{
	struct ct_packet p = udp(CLIENT, port, SERVER, 69);

	cr_expect(ip_equal(&facts.orig.src, &p.tuple.src));
	cr_expect(ip_equal(&facts.orig.dst, &p.tuple.dst));
	cr_expect_eq(be16toh(facts.orig.tp_src), port);
	cr_expect_eq(be16toh(facts.orig.tp_dst), 69);
	cr_expect_eq(facts.orig.proto, IP_PROTO_UDP);
}

Test(ct_helper, what_is_announced_is_related)
{
	struct ct_order o = helped(CT_ALG_TFTP, 0);
	struct ct_packet answer = udp(SERVER, 3000, CLIENT, 1000), ack = udp(CLIENT, 1000, SERVER, 3000);

	cr_expect_eq(track(answer, &look), CT_NEW, "before");
	o.mark = 5;
	o.mark_mask = 0xff;
	o.label[3] = o.label_mask[3] = 9;
	request(1000, &o);
	cr_expect_eq(stats().expected, 1);
	cr_expect_eq(track(answer, &look), CT_NEW | CT_REL);
	cr_expect_eq(facts.mark, 5);
	cr_expect_eq(facts.label[3], 9);
	expect_master(1000);
	cr_expect_eq(track(udp(SERVER, 3001, CLIENT, 1000), &look), CT_NEW | CT_REL, "from any port");
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1001), &look), CT_NEW, "to no other");
	cr_expect_eq(track(udp("10.0.0.3", 3000, CLIENT, 1000), &look), CT_NEW, "from nobody else");
	cr_expect_eq(track(ack, &look), CT_NEW, "not in this direction");
	cr_expect_eq(track(answer, &commit), CT_NEW | CT_REL);
	cr_expect_eq(facts.mark, 5);
	expect_master(1000);
	cr_expect_eq(track(ack, &look), CT_EST | CT_RPL | CT_REL);
	expect_master(1000);
	cr_expect_eq(facts.label[3], 9);
	cr_expect_eq(track(answer, &look), CT_EST | CT_REL);
	cr_expect_eq(conntrack_count(ct), 2);
}

Test(ct_helper, marks_are_those_of_the_time)
{
	struct ct_order o = helped(CT_ALG_TFTP, 0), other = commit;

	o.mark = 5;
	o.mark_mask = other.mark_mask = 0xff;
	other.mark = 0x17;
	request(1000, &o);
	cr_expect_eq(track(udp(CLIENT, 1000, SERVER, 69), &other), CT_NEW);
	cr_expect_eq(facts.mark, 0x17);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &look), CT_NEW | CT_REL);
	cr_expect_eq(facts.mark, 5);
	other.mark = 0xf0;
	other.mark_mask = 0xf0;
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &other), CT_NEW | CT_REL);
	cr_expect_eq(facts.mark, 0xf5, "its own are written over that");
}

Test(ct_helper, only_who_is_committed_with_a_helper_announces)
{
	struct ct_order o = helped(CT_ALG_TFTP, 0), wrong = helped(CT_ALG_FTP, 0);

	request(1000, &look);
	request(1000, &commit);
	request(1000, &o);
	request(1001, &wrong);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &look), CT_NEW, "committed without one");
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1001), &look), CT_NEW, "one of TCP");
	cr_expect_eq(stats().announced, 0);
}

Test(ct_helper, what_was_expected_has_no_helper)
{
	struct ct_order o = helped(CT_ALG_TFTP, 0);

	request(1000, &o);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &o), CT_NEW | CT_REL);
	cr_expect_eq(stats().announced, 1);
	cr_expect_eq(track(udp(CLIENT, 5, SERVER, 3000), &look), CT_NEW);
}

Test(ct_helper, zones_do_not_meet)
{
	struct ct_order o = helped(CT_ALG_TFTP, 7), there = {.zone = 7};

	request(1000, &o);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &look), CT_NEW);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &there), CT_NEW | CT_REL);
}

Test(ct_helper, ends_with_its_connection)
{
	struct ct_order o = helped(CT_ALG_TFTP, 7), there = {.zone = 7};
	struct ct_filter zone = {.by_zone = true, .zone = 7};

	request(1000, &o);
	cr_expect_eq(conntrack_flush(ct, &zone), 1);
	cr_expect_eq(stats().expected, 0);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &there), CT_NEW, "flushed");
	request(1000, &o);
	pass(59);
	conntrack_sweep(ct, now);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &there), CT_NEW | CT_REL, "as long as that");
	pass(2);
	conntrack_sweep(ct, now);
	cr_expect_eq(stats().expected, 0);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &there), CT_NEW, "timed out");
}

Test(ct_helper, what_was_expected_outlives_the_control_connection)
{
	struct ct_order o = helped(CT_ALG_TFTP, 0);

	request(1000, &o);
	track(udp(SERVER, 3000, CLIENT, 1000), &commit);
	pass(50);
	track(udp(CLIENT, 1000, SERVER, 3000), &look);
	pass(20);
	conntrack_sweep(ct, now);
	cr_expect_eq(conntrack_count(ct), 1);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &look), CT_EST | CT_REL);
	expect_master(1000);
}

/* Each request is another connection here, so all of them announce one. */
Test(ct_helper, the_newest_take_the_places_of_the_oldest)
{
	struct ct_order o = helped(CT_ALG_TFTP, 0);

	for (unsigned i = 0; i < ALL + 10; i++)
		request((uint16_t)(1000 + i), &o);
	cr_expect_eq(stats().expected, ALL);
	cr_expect_eq(stats().announced, ALL + 10);
	cr_expect_eq(stats().displaced, 10);
	for (unsigned i = 0; i < ALL + 10; i++)
		cr_expect_eq(track(udp(SERVER, 3000, CLIENT, (uint16_t)(1000 + i)), &look),
		             i < 10 ? CT_NEW : CT_NEW | CT_REL, "%u", i);
	cr_expect_eq(conntrack_flush(ct, NULL), ALL + 10);
	cr_expect_eq(stats().expected, 0);
	for (unsigned i = 0; i < ALL; i++)
		request((uint16_t)(1000 + i), &o);
	cr_expect_eq(stats().displaced, 10, "free places are taken");
}

/* ---- translation ---- */

/* How a packet of what was expected changes, when it is committed. */
static void expect_becomes(struct ct_packet p, uint32_t state, const char *src, uint16_t sport,
                           const char *dst, uint16_t dport)
{
	struct ct_packet want = udp(src, sport, dst, dport);
	uint32_t what = CT_REWRITE_PORTS | (state & CT_SNAT ? CT_REWRITE_SRC : CT_REWRITE_DST);

	cr_expect_eq(track(p, &commit_nat), state);
	cr_expect_eq(rw.what, what);
	cr_expect(ip_equal(&rw.to.src, &want.tuple.src));
	cr_expect(ip_equal(&rw.to.dst, &want.tuple.dst));
	cr_expect_eq(be16toh(rw.to.tp_src), sport);
	cr_expect_eq(be16toh(rw.to.tp_dst), dport);
}

Test(ct_helper, source_translation)
{
	struct ct_order o = translated(NAT_SRC, "9.0.0.1", 0);

	request(1000, &o);
	cr_expect_eq(track(udp(SERVER, 3000, CLIENT, 1000), &look), CT_NEW, "the server does not know it");
	expect_becomes(udp(SERVER, 3000, "9.0.0.1", 1000), CT_NEW | CT_REL | CT_DNAT, SERVER, 3000, CLIENT,
	               1000);
	cr_expect_eq(track(udp(CLIENT, 1000, SERVER, 3000), &nat), CT_EST | CT_RPL | CT_REL | CT_SNAT);
	cr_expect_eq(be16toh(rw.to.tp_src), 1000);
}

Test(ct_helper, source_port_translation)
{
	struct ct_order o = translated(NAT_SRC, "9.0.0.1", 5000);

	request(1000, &o);
	expect_becomes(udp(SERVER, 3000, "9.0.0.1", 5000), CT_NEW | CT_REL | CT_DNAT, SERVER, 3000, CLIENT,
	               1000);
}

Test(ct_helper, destination_translation)
{
	struct ct_order o = translated(NAT_DST, "10.0.0.9", 1069);

	request(1000, &o);
	expect_becomes(udp("10.0.0.9", 3000, CLIENT, 1000), CT_NEW | CT_REL | CT_SNAT, SERVER, 3000, CLIENT,
	               1000);
	cr_expect_eq(track(udp(CLIENT, 1000, SERVER, 3000), &nat), CT_EST | CT_RPL | CT_REL | CT_DNAT);
}

/* As Open vSwitch: to the addresses that it has. */
Test(ct_helper, without_translation)
{
	struct ct_order o = helped(CT_ALG_TFTP, 0);

	request(1000, &o);
	expect_becomes(udp(SERVER, 3000, CLIENT, 1000), CT_NEW | CT_REL | CT_DNAT, SERVER, 3000, CLIENT,
	               1000);
}

/* Two clients behind one address: what both have announced is that of the first. */
Test(ct_helper, the_first_to_announce_has_it)
{
	struct ct_order a = translated(NAT_SRC, "9.0.0.1", 0), b = a;

	a.mark = 1;
	b.mark = 2;
	a.mark_mask = b.mark_mask = 3;
	request(1000, &a);
	cr_expect_eq(track(udp(CLIENT, 1000, SERVER, 169), &b), CT_NEW | CT_SNAT);
	cr_expect_eq(track(udp(SERVER, 3000, "9.0.0.1", 1000), &look), CT_NEW | CT_REL);
	cr_expect_eq(facts.mark, 1);
	cr_expect_eq(stats().expected, 1);
}

struct told {
	const char *helper;
	unsigned n;
};

static bool note_helper(void *arg, const struct ct_entry *e)
{
	struct told *t = arg;

	t->helper = e->helper;
	t->n++;
	return true;
}

Test(ct_helper, told)
{
	struct ct_order o = helped(CT_ALG_TFTP, 0);
	struct told t = {0};

	request(1000, &o);
	conntrack_dump(ct, now, NULL, note_helper, &t);
	cr_expect_eq(t.n, 1);
	cr_expect_str_eq(t.helper, "tftp");
}

/* ---- several threads ---- */

/* Requests and FTP's announcements of many connections, and what may be their answers. */
static void *talk(void *arg)
{
	struct ct_order tftp = helped(CT_ALG_TFTP, 0), ftp = helped(CT_ALG_FTP, 0);
	uint64_t dice = (uintptr_t)arg * 2 + 1;

	for (unsigned i = 0; i < THREAD_PACKETS; i++) {
		struct ct_facts f = {0};
		struct ct_rewrite r;
		struct ct_packet p;
		uint16_t port;

		dice = dice * 6364136223846793005ull + 1442695040888963407ull;
		port = (uint16_t)(1000 + (dice >> 33) % THREAD_PORTS);
		p = dice >> 62 ? udp(CLIENT, port, SERVER, 69) : udp(SERVER, 3000, CLIENT, port);
		if (dice >> 62 == 3) {
			p.tuple.proto = IP_PROTO_TCP;
			p.tcp_flags = 16;
			p.payload = 20;
			p.window = 5000;
			p.tuple.tp_dst = htobe16(21);
		}
		conntrack_track(ct, now, &p, p.tuple.proto == IP_PROTO_TCP ? &ftp : &tftp, &f, &r);
		if ((f.state & CT_REL) && f.orig.tp_dst != htobe16(69))
			return "related to no control connection";
		if (r.what & CT_REWRITE_TEXT)
			conntrack_hear(
			        ct, now, &r.control,
			        &(struct ct_heard){.what = CT_HEARD_PORT, .port = (be16)(dice >> 40 | 1)},
			        &f);
	}
	return NULL;
}

Test(ct_helper, threads)
{
	struct ct_order o = helped(CT_ALG_TFTP, 0);
	struct ct_filter some = {.orig.proto = IP_PROTO_UDP};
	pthread_t threads[THREADS];
	uint64_t displaced;

	for (uintptr_t i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, talk, (void *)i), 0);
	for (unsigned i = 0; i < 50; i++) {
		some.orig.proto = i % 5 ? IP_PROTO_UDP : IP_PROTO_TCP;
		conntrack_flush(ct, &some);
		conntrack_sweep(ct, now);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		void *complaint;

		pthread_join(threads[i], &complaint);
		cr_expect_null(complaint, "%s", (const char *)complaint);
	}
	cr_expect_gt(stats().announced, 0);
	cr_expect_gt(stats().displaced, 0);
	conntrack_flush(ct, NULL);
	cr_expect_eq(stats().expected, 0);
	displaced = stats().displaced;
	for (unsigned i = 0; i < ALL; i++)
		request((uint16_t)(1000 + i), &o);
	cr_expect_eq(stats().expected, ALL);
	cr_expect_eq(stats().displaced, displaced, "all places are free again");
}
