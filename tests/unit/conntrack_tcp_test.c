/* SPDX-License-Identifier: Apache-2.0 */
/* TCP in the connection tracker: states, numbers, windows, timeouts. */
#include "tests/lib/conntrack_rig.h"

TestSuite(conntrack_tcp, .init = setup, .fini = teardown, .timeout = 120);

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

Test(conntrack_tcp, lives_and_dies)
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

Test(conntrack_tcp, syns_that_cross)
{
	track(tcp(false, segment(SYN, 100, 0, 0)), &commit);
	cr_expect_eq(tcp_track(true, segment(SYN, 0x70000000, 0, 0)), CT_NEW);
	cr_expect_eq(tcp_track(false, segment(SYN | ACK, 100, 0x70000001, 0)), CT_EST);
	cr_expect_eq(tcp_track(true, segment(SYN | ACK, 0x70000000, 101, 0)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 0x70000001, 100)), CT_EST);
	cr_expect_eq(tcp_track(true, segment(ACK, 0x70000001, 201, 100)), CT_EST | CT_RPL);
}

Test(conntrack_tcp, second_attempt_has_numbers_of_its_own)
{
	track(tcp(false, segment(SYN, 100, 0, 0)), &commit);
	cr_expect_eq(tcp_track(false, segment(SYN, 0x90000000, 0, 0)), CT_NEW);
	cr_expect_eq(tcp_track(true, segment(SYN | ACK, 500, 0x90000001, 0)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 0x90000001, 501, 100)), CT_EST);
}

Test(conntrack_tcp, established_lives_a_day)
{
	handshake(0);
	pass(86399);
	cr_expect_eq(tcp_track(true, segment(ACK, 501, 101, 0)), CT_EST | CT_RPL);
	pass(86400);
	cr_expect_eq(tcp_track(true, segment(ACK, 501, 101, 0)), CT_NEW);
}

Test(conntrack_tcp, reset)
{
	handshake(0);
	cr_expect_eq(tcp_track(true, segment(RST, 700, 0, 0)), CT_INV | 0, "not the next byte");
	cr_expect(ip_equal(&facts.orig.src, &(struct ip_addr){{[10] = 0xff, 0xff, 10, 0, 0, 1}}),
	          "the connection is told all the same");
	expect_state("ESTABLISHED", 86400);
	cr_expect_eq(tcp_track(true, segment(RST, 501, 0, 0)), CT_EST | CT_RPL);
	expect_state("TIME_WAIT", 30);
}

Test(conntrack_tcp, new_syn_after_the_end)
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

Test(conntrack_tcp, flags_that_make_no_sense)
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

Test(conntrack_tcp, outside_of_the_window)
{
	handshake(0);
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 1000)), CT_EST, "all that is offered");
	cr_expect_eq(tcp_track(false, segment(ACK, 1101, 501, 1)), CT_INV, "one too many");
	cr_expect_eq(tcp_track(true, segment(ACK, 501, 1101, 0)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 1101, 501, 1)), CT_EST, "now there is room");
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 1001)), CT_INV, "too old");
	cr_expect_eq(tcp_track(false, segment(ACK, 1102, 501 + 68000, 1)), CT_INV, "never sent");
}

Test(conntrack_tcp, windows_are_scaled)
{
	handshake(3);
	cr_expect_eq(tcp_track(true, segment(ACK, 501, 101, 0)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 8000)), CT_EST);
	cr_expect_eq(tcp_track(false, segment(ACK, 8101, 501, 1)), CT_INV);
}

Test(conntrack_tcp, scale_needs_both)
{
	track(tcp(false, (struct tcp){.flags = SYN, .seq = 100, .scale = 3}), &commit);
	tcp_track(true, segment(SYN | ACK, 500, 101, 0));
	tcp_track(false, segment(ACK, 101, 501, 0));
	tcp_track(true, segment(ACK, 501, 101, 0));
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 1001)), CT_INV);
	cr_expect_eq(tcp_track(false, segment(ACK, 101, 501, 1000)), CT_EST);
}

Test(conntrack_tcp, is_picked_up_in_the_middle)
{
	cr_expect_eq(track(tcp(false, segment(ACK, 100000, 70000, 1000)), &commit), CT_NEW);
	expect_state("SYN_SENT", 30);
	cr_expect_eq(tcp_track(true, segment(ACK, 70000, 101000, 500)), CT_EST | CT_RPL);
	cr_expect_eq(tcp_track(false, segment(ACK, 101000, 70500, 60000)), CT_EST, "scale is not known");
	expect_state("ESTABLISHED", 86400);
}

Test(conntrack_tcp, numbers_wrap)
{
	cr_assert_eq(track(tcp(false, segment(SYN, 0xffffffff, 0, 0)), &commit), CT_NEW);
	cr_assert_eq(tcp_track(true, segment(SYN | ACK, 0xfffffff0, 0, 0)), CT_EST | CT_RPL);
	cr_assert_eq(tcp_track(false, segment(ACK, 0, 0xfffffff1, 0)), CT_EST);
	cr_assert_eq(tcp_track(true, segment(ACK, 0xfffffff1, 0, 100)), CT_EST | CT_RPL);
	cr_assert_eq(tcp_track(false, segment(ACK, 0, 0x55, 100)), CT_EST);
	cr_assert_eq(tcp_track(true, segment(ACK, 0x55, 100, 100)), CT_EST | CT_RPL);
}
