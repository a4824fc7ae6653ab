/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments through the connection tracker. A packet is written as in weft-pktgen, checksums worked out from
 * all of it, and then cut: what becomes of a fragment must be the same piece of what becomes of the packet.
 */
#include <pthread.h>

#include "base/checksum.h"
#include "tests/lib/track_rig.h"
#include "tests/pktgen/packet_text.h"

#define ETH "eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01)/"
#define IN4 ETH "ipv4(src=10.0.0.1,dst=8.8.8.8)/"
#define OUT4 ETH "ipv4(src=9.0.0.1,dst=8.8.8.8)/"
#define BACK4 ETH "ipv4(src=8.8.8.8,dst=9.0.0.1)/"
#define HOME4 ETH "ipv4(src=8.8.8.8,dst=10.0.0.1)/"
#define IN6 ETH "ipv6(src=fd00::1,dst=fd00::8)/"
#define OUT6 ETH "ipv6(src=fd09::1,dst=fd00::8)/"
#define BACK6 ETH "ipv6(src=fd00::8,dst=fd09::1)/"
#define HOME6 ETH "ipv6(src=fd00::8,dst=fd00::1)/"
#define DATA "/data(len=92,fill=7)" /* 100 bytes with the header of UDP or ICMP */
#define UDP IN4 "udp(src=2000,dst=53)" DATA

enum { TOTAL = 100, END = 1 << 16, L3 = 14 };
enum { LIFE = 15, MOST = 4096 }; /* seconds, first fragments: what README.md says */

static uint32_t ident = 77;

TestSuite(fragments, .init = setup, .fini = teardown, .timeout = 60);

/* ---- pieces ---- */

static void copy_ipv4(uint8_t *out, const uint8_t *in, uint32_t from, uint32_t size, bool more)
{
	struct ipv4_header *ip = (struct ipv4_header *)(out + L3);

	memcpy(ip, in + L3, sizeof(*ip));
	memcpy(ip + 1, in + L3 + sizeof(*ip) + from, size);
	ip->id = (be16)ident;
	ip->frag = htobe16((uint16_t)(from / 8 | (more ? 0x2000 : 0)));
	ip->total_len = htobe16((uint16_t)(sizeof(*ip) + size));
	ip->csum = 0;
	ip->csum = csum_finish(csum_bytes(ip, sizeof(*ip)));
}

static void copy_ipv6(uint8_t *out, const uint8_t *in, uint32_t from, uint32_t size, bool more)
{
	struct ipv6_header *ip = (struct ipv6_header *)(out + L3);
	uint8_t *frag = (uint8_t *)(ip + 1);
	be16 offset = htobe16((uint16_t)(from | more));

	memcpy(ip, in + L3, sizeof(*ip));
	frag[0] = ip->next_header;
	frag[1] = 0;
	memcpy(frag + 2, &offset, 2);
	memcpy(frag + 4, &ident, 4);
	memcpy(frag + 8, in + L3 + sizeof(*ip) + from, size);
	ip->next_header = 44;
	ip->payload_len = htobe16((uint16_t)(8 + size));
}

/* The bytes from..to behind the IP header, as a fragment; END: the last ones. Returns the frame's length. */
static uint32_t cut(const char *text, uint32_t from, uint32_t to, uint8_t *out)
{
	static uint8_t whole[PACKET_TEXT_MAX];
	uint32_t len = packet_text_make(text, whole);
	bool v6 = whole[L3] >> 4 == 6, more = to != END;
	uint32_t header = L3 + (v6 ? 40 : 20), size = (more ? to : len - header) - from;

	cr_assert_leq(header + from + size, len);
	memcpy(out, whole, L3);
	(v6 ? copy_ipv6 : copy_ipv4)(out, whole, from, size, more);
	return header + (v6 ? 8 : 0) + size;
}

static uint32_t told(const char *text, uint32_t from, uint32_t to, const struct ct_order *o)
{
	static uint8_t frame[PACKET_TEXT_MAX];

	return track_frame(frame, cut(text, from, to, frame), o);
}

static uint32_t told_whole(const char *text, const struct ct_order *o)
{
	static uint8_t frame[PACKET_TEXT_MAX];

	return track_frame(frame, packet_text_make(text, frame), o);
}

/* The same packet comes to the tracker again. */
static uint32_t again(const struct ct_order *o)
{
	parse_packet(&p, &key);
	track_packet(&w, &p, o, &facts);
	return facts.state & ~(uint32_t)CT_TRK;
}

static void expect_piece(const char *text, uint32_t from, uint32_t to)
{
	static uint8_t is[PACKET_TEXT_MAX], want[PACKET_TEXT_MAX];
	uint32_t len = cut(text, from, to, want);

	cr_assert_eq(p.len, len, "%s", text);
	packet_copy_out(&p, 0, len, is);
	expect_bytes(is, want, len, text);
}

static void check(const char *text, uint32_t from, uint32_t to, const struct ct_order *o, uint32_t state,
                  const char *becomes)
{
	uint32_t is = told(text, from, to, o);

	cr_assert_eq(is, state, "%s, %u+: %x, not %x", text, from, is, state);
	expect_piece(becomes, from, to);
}

/* In three pieces, the two later ones in any order. */
static void check_pieces(const char *text, const struct ct_order *o, uint32_t state, const char *becomes)
{
	ident++;
	check(text, 0, 24, o, state, becomes);
	check(text, 48, END, o, state, becomes);
	check(text, 24, 48, o, state, becomes);
}

/* ---- both directions, translated ---- */

Test(fragments, udp)
{
	check_translated(check_pieces, UDP, OUT4 "udp(src=3000,dst=53)" DATA,
	                 BACK4 "udp(src=53,dst=3000)" DATA, HOME4 "udp(src=53,dst=2000)" DATA, "9.0.0.1",
	                 3000);
	check_translated(check_pieces, IN4 "udp(src=2001,dst=53,zero=1)" DATA,
	                 OUT4 "udp(src=3001,dst=53,zero=1)" DATA, BACK4 "udp(src=53,dst=3001,zero=1)" DATA,
	                 HOME4 "udp(src=53,dst=2001,zero=1)" DATA, "9.0.0.1", 3001);
	check_translated(check_pieces, IN6 "udp(src=2000,dst=53)" DATA, OUT6 "udp(src=3000,dst=53)" DATA,
	                 BACK6 "udp(src=53,dst=3000)" DATA, HOME6 "udp(src=53,dst=2000)" DATA, "fd09::1",
	                 3000);
}

Test(fragments, pings)
{
	check_translated(check_pieces, IN4 "icmp(type=8,id=70,seq=1)" DATA,
	                 OUT4 "icmp(type=8,id=3000,seq=1)" DATA, BACK4 "icmp(type=0,id=3000,seq=1)" DATA,
	                 HOME4 "icmp(type=0,id=70,seq=1)" DATA, "9.0.0.1", 3000);
	check_translated(check_pieces, IN6 "icmpv6(type=128,id=70,seq=1)" DATA,
	                 OUT6 "icmpv6(type=128,id=70,seq=1)" DATA, BACK6 "icmpv6(type=129,id=70,seq=1)" DATA,
	                 HOME6 "icmpv6(type=129,id=70,seq=1)" DATA, "fd09::1", 0);
}

Test(fragments, other_protocols)
{
	check_translated(check_pieces, ETH "ipv4(src=10.0.0.1,dst=8.8.8.8,proto=47)" DATA,
	                 ETH "ipv4(src=9.0.0.1,dst=8.8.8.8,proto=47)" DATA,
	                 ETH "ipv4(src=8.8.8.8,dst=9.0.0.1,proto=47)" DATA,
	                 ETH "ipv4(src=8.8.8.8,dst=10.0.0.1,proto=47)" DATA, "9.0.0.1", 0);
}

Test(fragments, destination)
{
	struct ct_order o = translate(NAT_DST, "10.0.0.9", 8080);

	check_pieces(ETH "ipv4(src=1.2.3.4,dst=9.0.0.1)/udp(src=3000,dst=80)" DATA, &o, CT_NEW | CT_DNAT,
	             ETH "ipv4(src=1.2.3.4,dst=10.0.0.9)/udp(src=3000,dst=8080)" DATA);
	check_pieces(ETH "ipv4(src=10.0.0.9,dst=1.2.3.4)/udp(src=8080,dst=3000)" DATA, &nat,
	             CT_EST | CT_RPL | CT_SNAT,
	             ETH "ipv4(src=9.0.0.1,dst=1.2.3.4)/udp(src=80,dst=3000)" DATA);
}

/* Behind the fragment header another one: only the first fragment has it. */
Test(fragments, extension_headers_are_cut_as_well)
{
	struct ct_order o = translate(NAT_SRC, "fd09::1", 3000);

	check_pieces(IN6 "dstopts()/udp(src=2000,dst=53)" DATA, &o, CT_NEW | CT_SNAT,
	             OUT6 "dstopts()/udp(src=3000,dst=53)" DATA);
}

/* A segment's first fragment is judged by the bytes it has; what follows fits behind all of them. */
Test(fragments, tcp)
{
	struct ct_order o = translate(NAT_SRC, "9.0.0.1", 3000);

	told_whole(IN4 "tcp(src=2000,dst=80,flags=2,seq=100)", &o);
	told_whole(BACK4 "tcp(src=80,dst=3000,flags=0x12,seq=500,ack=101,window=1000)", &nat);
	check_pieces(IN4 "tcp(src=2000,dst=80,flags=0x10,seq=101,ack=501)/data(len=80)", &nat,
	             CT_EST | CT_SNAT, OUT4 "tcp(src=3000,dst=80,flags=0x10,seq=101,ack=501)/data(len=80)");
	cr_expect_eq(told_whole(BACK4 "tcp(src=80,dst=3000,flags=0x10,seq=501,ack=181,window=1000)", &nat),
	             CT_EST | CT_RPL | CT_DNAT);
	cr_expect_eq(told_whole(IN4 "tcp(src=2000,dst=80,flags=0x10,seq=181,ack=501)/data(len=9)", &nat),
	             CT_EST | CT_SNAT);
	check_pieces(IN4 "tcp(src=2000,dst=80,flags=0x10,seq=2000,ack=501)/data(len=80)", &nat, CT_INV,
	             IN4 "tcp(src=2000,dst=80,flags=0x10,seq=2000,ack=501)/data(len=80)");
}

/* Who changes its ports would have to read all of it, for the CRC. */
Test(fragments, sctp_is_not_translated)
{
	check_pieces(IN4 "sctp(src=2000,dst=53)" DATA, &commit, CT_NEW, IN4 "sctp(src=2000,dst=53)" DATA);
	check_pieces(HOME4 "sctp(src=53,dst=2000)" DATA, &look, CT_EST | CT_RPL,
	             HOME4 "sctp(src=53,dst=2000)" DATA);
	check_pieces(IN4 "sctp(src=2000,dst=53)" DATA, &nat, CT_INV, IN4 "sctp(src=2000,dst=53)" DATA);
}

/* ---- more than once to the tracker ---- */

static void expect_again(const struct ct_order *o, uint32_t state, const char *becomes, uint32_t from,
                         uint32_t to)
{
	uint32_t is = again(o);

	cr_assert_eq(is, state, "%u+: %x, not %x", from, is, state);
	expect_piece(becomes, from, to);
}

Test(fragments, two_zones)
{
	static const uint32_t at[] = {0, 24, 48, END};
	struct ct_order first = translate(NAT_DST, "10.0.0.9", 8080),
	                second = translate(NAT_SRC, "9.0.0.1", 0);
	struct ct_order back[] = {{.zone = 2, .flags = CT_NAT}, {.zone = 1, .flags = CT_NAT}};
	const char *asked = ETH "ipv4(src=1.2.3.4,dst=10.0.0.1)/udp(src=3000,dst=80)" DATA;

	first.zone = 1;
	second.zone = 2;
	second.nat.port_min = 6000;
	second.nat.port_max = 6000;
	for (unsigned i = 0; i < 3; i++) {
		check(asked, at[i], at[i + 1], &first, CT_NEW | CT_DNAT,
		      ETH "ipv4(src=1.2.3.4,dst=10.0.0.9)/udp(src=3000,dst=8080)" DATA);
		expect_again(&second, CT_NEW | CT_SNAT,
		             ETH "ipv4(src=9.0.0.1,dst=10.0.0.9)/udp(src=6000,dst=8080)" DATA, at[i],
		             at[i + 1]);
	}
	for (unsigned i = 0; i < 3; i++) {
		check(ETH "ipv4(src=10.0.0.9,dst=9.0.0.1)/udp(src=8080,dst=6000)" DATA, at[i], at[i + 1],
		      &back[0], CT_EST | CT_RPL | CT_DNAT,
		      ETH "ipv4(src=10.0.0.9,dst=1.2.3.4)/udp(src=8080,dst=3000)" DATA);
		expect_again(&back[1], CT_EST | CT_RPL | CT_SNAT,
		             ETH "ipv4(src=10.0.0.1,dst=1.2.3.4)/udp(src=80,dst=3000)" DATA, at[i],
		             at[i + 1]);
	}
	cr_expect_eq(told(asked, 24, 48, &look), CT_INV, "of another zone nothing is known");
}

/* First to know what it is, then to translate, then once more. */
Test(fragments, twice_in_a_zone)
{
	static const uint32_t at[] = {0, 24, 48, END};
	struct ct_order o = translate(NAT_SRC, "9.0.0.1", 3000);
	const char *out = OUT4 "udp(src=3000,dst=53)" DATA;

	for (unsigned i = 0; i < 3; i++) {
		check(UDP, at[i], at[i + 1], &look, CT_NEW, UDP);
		expect_again(&o, CT_NEW | CT_SNAT, out, at[i], at[i + 1]);
		expect_again(&look, CT_NEW | CT_SNAT, out, at[i], at[i + 1]);
	}
	cr_expect_eq(conntrack_count(dp.ct), 1);
}

Test(fragments, later_ones_see_what_became_of_the_connection)
{
	struct ct_order mark = {.flags = CT_COMMIT, .mark = 7, .mark_mask = 0xff};

	told(UDP, 0, 24, &look);
	cr_expect_eq(told(UDP, 24, 48, &look), CT_NEW);
	cr_expect_eq(facts.orig.tp_dst, htobe16(53), "the tuple, of no connection");
	again(&mark);
	cr_expect_eq(told(UDP, 48, END, &look), CT_NEW);
	cr_expect_eq(facts.mark, 7);
	cr_expect_eq(facts.orig.tp_dst, htobe16(53));
	conntrack_flush(dp.ct, NULL);
	cr_expect_eq(told(UDP, 48, END, &look), CT_NEW);
	cr_expect_eq(facts.mark, 0);
}

/* What was allowed to one packet is not committed for another with its id. */
Test(fragments, later_ones_go_with_one_first_one_only)
{
	const char *another = IN4 "udp(src=2000,dst=22)" DATA;
	struct ct_facts before;

	told(UDP, 0, 24, &look);
	cr_expect_eq(told(UDP, 24, 48, &look), CT_NEW);
	before = facts;
	cr_expect_eq(told(another, 0, 24, &look), CT_NEW);
	told(UDP, 24, 48, &look);
	facts = before;
	cr_expect_eq(again(&commit), CT_INV);
	cr_expect_eq(conntrack_count(dp.ct), 0);
	told(UDP, 0, 24, &look);
	told(UDP, 24, 48, &look);
	facts = before;
	cr_expect_eq(again(&commit), CT_NEW);
	cr_expect_eq(conntrack_count(dp.ct), 1);
}

Test(fragments, later_ones_of_tcp_begin_nothing)
{
	const char *syn = IN4 "tcp(src=2000,dst=80,flags=2,seq=100)/data(len=80)";

	cr_expect_eq(told(syn, 0, 24, &look), CT_NEW);
	cr_expect_eq(told(syn, 24, END, &commit), CT_INV);
	cr_expect_eq(conntrack_count(dp.ct), 0);
	cr_expect_eq(told(syn, 0, 24, &commit), CT_NEW);
	cr_expect_eq(told(syn, 24, END, &commit), CT_NEW);
	cr_expect_eq(conntrack_count(dp.ct), 1);
}

/* ---- whose first one is not known ---- */

Test(fragments, out_of_order_they_are_invalid)
{
	cr_expect_eq(told(UDP, 24, END, &commit), CT_INV);
	cr_expect_eq(stats().lost, 1);
	cr_expect_eq(told(UDP, 0, 24, &commit), CT_NEW);
	cr_expect_eq(told(UDP, 24, END, &commit), CT_NEW);
	cr_expect_eq(stats().lost, 1);
}

Test(fragments, they_belong_by_addresses_protocol_and_id)
{
	const char *other[] = {ETH "ipv4(src=10.0.0.2,dst=8.8.8.8)/udp(src=2000,dst=53)" DATA,
	                       ETH "ipv4(src=10.0.0.1,dst=8.8.8.9)/udp(src=2000,dst=53)" DATA,
	                       IN4 "icmp(type=8,id=70)" DATA, IN6 "udp(src=2000,dst=53)" DATA};

	told(UDP, 0, 24, &look);
	for (unsigned i = 0; i < 4; i++)
		cr_expect_eq(told(other[i], 24, END, &look), CT_INV, "%s", other[i]);
	cr_expect_eq(told(UDP, 24, END, &look), CT_NEW);
	ident++;
	cr_expect_eq(told(UDP, 24, END, &look), CT_INV);
	cr_expect_eq(stats().lost, 5);
}

Test(fragments, first_ones_are_forgotten)
{
	told(UDP, 0, 24, &commit);
	w.now += LIFE * CLOCK_SECOND - 1;
	cr_expect_eq(told(UDP, 24, END, &look), CT_NEW);
	w.now++;
	cr_expect_eq(told(UDP, 24, END, &look), CT_INV);
}

/* Of very many first ones the most recent are known, and connections do not suffer. */
Test(fragments, first_ones_are_bounded)
{
	unsigned known = 0;

	told_whole(IN4 "udp(src=9,dst=9)", &commit);
	for (ident = 0; ident < 3 * MOST; ident++) {
		told(UDP, 0, 24, &look);
		cr_assert_eq(told(UDP, 24, END, &look), CT_NEW);
	}
	for (ident = 0; ident < 3 * MOST; ident++)
		known += told(UDP, 24, END, &look) == CT_NEW;
	cr_expect_leq(known, MOST);
	cr_expect_geq(known, MOST * 9 / 10);
	cr_expect_eq(told_whole(HOME4 "udp(src=9,dst=9)", &look), CT_EST | CT_RPL);
}

/* Ids come round: the more recent first fragment is the one. */
Test(fragments, the_last_first_one_counts)
{
	struct ct_order o = translate(NAT_SRC, "9.0.0.1", 3000),
	                impossible = translate(NAT_SRC, "fd09::1", 0);
	const char *other = IN4 "udp(src=2000,dst=99)" DATA;

	told(UDP, 0, 24, &look);
	check(other, 0, 24, &o, CT_NEW | CT_SNAT, OUT4 "udp(src=3000,dst=99)" DATA);
	check(UDP, 24, 48, &nat, CT_NEW | CT_SNAT, OUT4 "udp(src=3000,dst=99)" DATA);
	cr_expect_eq(facts.orig.tp_dst, htobe16(99));
	/* an invalid one takes its later ones with it */
	cr_expect_eq(told(UDP, 0, 24, &impossible), CT_INV);
	cr_expect_eq(told(UDP, 24, END, &look), CT_INV);
	cr_expect_eq(stats().lost, 0, "it was seen");
}

/* ---- what is no honest fragment ---- */

/* RFC 1858, RFC 3128. */
Test(fragments, none_may_lie_over_the_first_one)
{
	const char *tcp = IN4 "tcp(src=2000,dst=80,flags=2,seq=100)/data(len=80)";

	told(tcp, 0, 40, &commit);
	for (uint32_t from = 8; from < 40; from += 8) {
		cr_expect_eq(told(tcp, from, END, &look), CT_INV, "%u", from);
		cr_expect_eq(told(tcp, from, from + 8, &look), CT_INV, "%u", from);
	}
	cr_expect_eq(told(tcp, 40, END, &look), CT_NEW);
	cr_expect_eq(told(tcp, 48, END, &look), CT_NEW, "a gap is no harm");
}

Test(fragments, the_first_one_has_all_of_the_header)
{
	const char *tcp = IN4 "tcp(src=2000,dst=80,flags=2,seq=100)/data(len=80)";

	cr_expect_eq(told(tcp, 0, 8, &look), CT_INV);
	cr_expect_eq(told(tcp, 0, 16, &look), CT_INV);
	cr_expect_eq(told(tcp, 16, END, &look), CT_INV);
	cr_expect_eq(told(tcp, 0, 24, &look), CT_NEW);
	cr_expect_eq(told(IN4 "sctp(src=2000,dst=53)" DATA, 0, 8, &look), CT_INV);
	cr_expect_eq(told(IN4 "sctp(src=2000,dst=53)" DATA, 0, 16, &look), CT_NEW);
	cr_expect_eq(told(UDP, 0, 8, &look), CT_NEW);
	cr_expect_eq(told(IN6 "dstopts()/udp(src=2000,dst=53)" DATA, 0, 8, &look), CT_INV);
	cr_expect_eq(told(IN6 "dstopts()/udp(src=2000,dst=53)" DATA, 0, 16, &look), CT_NEW);
}

Test(fragments, pieces_are_of_eights_and_fit_into_a_packet)
{
	const char *big4 = IN4 "udp(src=2000,dst=53)/data(len=1000)";
	const char *big6 = IN6 "udp(src=2000,dst=53)/data(len=1000)";
	static uint8_t frame[PACKET_TEXT_MAX];
	be16 last = htobe16(0x1fff);

	told(UDP, 0, 24, &look);
	cr_expect_eq(told(UDP, 24, 47, &look), CT_INV);
	cr_expect_eq(told(UDP, 24, 24, &look), CT_INV, "empty");
	cr_expect_eq(told(UDP, 0, 25, &look), CT_INV);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t len = cut(i ? big6 : big4, 24, END, frame);

		told(i ? big6 : big4, 0, 24, &look);
		if (i)
			memcpy(frame + L3 + 42, (uint8_t[]){0xff, 0xf8}, 2);
		else
			memcpy(frame + L3 + 6, &last, 2);
		cr_expect_eq(track_frame(frame, len, &look), CT_INV, "beyond 64 KiB");
	}
}

Test(fragments, one_fragment_header)
{
	told(IN6 "udp(src=2000,dst=53)" DATA, 0, 24, &look);
	cr_expect_eq(told_whole(IN6 "fragment(mf=1,id=5)/fragment(mf=1,id=6)/udp(src=2000,dst=53)" DATA
	                            "/data(len=4)",
	                        &look),
	             CT_INV);
	cr_expect_eq(told_whole(IN6 "fragment(id=5)/udp(src=2000,dst=53)" DATA, &look), CT_NEW,
	             "a whole one");
}

/* Whoever cut them again would make another packet of it. */
Test(fragments, none_is_to_be_segmented)
{
	static uint8_t frame[PACKET_TEXT_MAX];
	uint32_t len = cut(IN4 "tcp(src=2000,dst=80,flags=2)/data(len=80)", 0, 80, frame);

	cr_expect_eq(track_frame(frame, len, &look), CT_NEW);
	p.gso = GSO_TCP4;
	p.gso_size = 40;
	p.csum_start = p.l4;
	cr_expect_eq(again(&(struct ct_order){.zone = 1}), CT_INV);
}

/* ---- errors ---- */

Test(fragments, errors_are_whole)
{
	const char *error = ETH "ipv4(src=7.0.0.1,dst=10.0.0.1)/icmp(type=11)/ipv4(src=10.0.0.1,dst=8.8.8.8)/"
	                        "udp(src=2000,dst=53)" DATA;

	told_whole(UDP, &commit);
	cr_expect_eq(told_whole(error, &look), CT_REL | CT_RPL);
	cr_expect_eq(told(error, 0, 64, &look), CT_INV);
	cr_expect_eq(told(error, 64, END, &look), CT_INV);
}

/* A router quotes what it could not forward. */
Test(fragments, errors_quote_first_ones)
{
	told_whole(UDP, &commit);
	told_whole(IN6 "udp(src=2000,dst=53)" DATA, &commit);
	cr_expect_eq(told_whole(ETH "ipv4(src=7.0.0.1,dst=10.0.0.1)/icmp(type=11)/"
	                            "ipv4(src=10.0.0.1,dst=8.8.8.8,mf=1)/udp(src=2000,dst=53)" DATA,
	                        &look),
	             CT_REL | CT_RPL);
	cr_expect_eq(told_whole(ETH "ipv4(src=7.0.0.1,dst=10.0.0.1)/icmp(type=11)/"
	                            "ipv4(src=10.0.0.1,dst=8.8.8.8,offset=8)/udp(src=2000,dst=53)" DATA,
	                        &look),
	             CT_INV);
	cr_expect_eq(told_whole(ETH "ipv6(src=fd07::1,dst=fd00::1)/icmpv6(type=2)/"
	                            "ipv6(src=fd00::1,dst=fd00::8)/fragment(mf=1)/udp(src=2000,dst=53)" DATA,
	                        &look),
	             CT_REL | CT_RPL);
	cr_expect_eq(told_whole(ETH
	                        "ipv6(src=fd07::1,dst=fd00::1)/icmpv6(type=2)/"
	                        "ipv6(src=fd00::1,dst=fd00::8)/fragment(offset=8)/udp(src=2000,dst=53)" DATA,
	                        &look),
	             CT_INV);
}

/* ---- several threads ---- */

enum { ROUNDS = 5000, KEYS = 8 };

/* Rounds in which a first fragment was tracked, and in which a later one was. */
static unsigned noted, asked;

static uint32_t track_piece(uint32_t id, uint16_t port, struct ct_facts *f)
{
	bool first = port;
	struct ct_packet c = {.tuple = {.src = ip_from_v4(htobe32(0x0a000001)),
	                                .dst = ip_from_v4(htobe32(0x08080808)),
	                                .tp_src = htobe16(port),
	                                .tp_dst = first ? htobe16(port + 1) : 0,
	                                .proto = IP_PROTO_UDP},
	                      .flags = first ? CT_PACKET_FIRST : CT_PACKET_LATER,
	                      .fragment = {.id = id, .from = first ? 0 : 24, .to = first ? 24 : 100}};
	struct ct_rewrite rw;

	*f = (struct ct_facts){0};
	conntrack_track(dp.ct, w.now, &c, &look, f, &rw);
	return f->state;
}

/* With other ports again and again, until the other thread has asked. */
static void *first_ones(void *arg)
{
	uint16_t port = 1;

	for (unsigned i = 1; i <= ROUNDS; i++) {
		do {
			struct ct_facts f;

			port = port % 60000 + 1;
			track_piece(i % KEYS, port, &f);
			__atomic_store_n(&noted, i, __ATOMIC_RELEASE);
		} while (__atomic_load_n(&asked, __ATOMIC_ACQUIRE) < i);
	}
	return NULL;
}

/* A first fragment that was tracked by another worker is known, and is no mixture of two. */
Test(fragments, workers_share_them)
{
	pthread_t t;

	pthread_create(&t, NULL, first_ones, NULL);
	for (unsigned i = 1; i <= ROUNDS; i++) {
		struct ct_facts f;

		while (__atomic_load_n(&noted, __ATOMIC_ACQUIRE) < i)
			sched_yield();
		cr_assert_eq(track_piece(i % KEYS, 0, &f), CT_NEW | CT_TRK, "%u", i);
		cr_assert_eq(be16toh(f.orig.tp_dst), be16toh(f.orig.tp_src) + 1);
		__atomic_store_n(&asked, i, __ATOMIC_RELEASE);
	}
	pthread_join(t, NULL);
}
