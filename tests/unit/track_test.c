/* SPDX-License-Identifier: Apache-2.0 */
/* Frames through the connection tracker: what is told of them, and what translation makes of them. Frames are
 * written as in weft-pktgen, which works checksums out from all bytes. */
#include <stdlib.h>

#include "base/checksum.h"
#include "tests/lib/frames.h"
#include "tests/lib/track_rig.h"
#include "tests/pktgen/packet_text.h"

#define ETH "eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01)/"
#define IN4 "ipv4(src=10.0.0.1,dst=8.8.8.8)/"
#define OUT4 "ipv4(src=9.0.0.1,dst=8.8.8.8)/"
#define BACK4 "ipv4(src=8.8.8.8,dst=9.0.0.1)/"
#define HOME4 "ipv4(src=8.8.8.8,dst=10.0.0.1)/"
#define IN6 "ipv6(src=fd00::1,dst=fd00::8)/"
#define OUT6 "ipv6(src=fd09::1,dst=fd00::8)/"
#define BACK6 "ipv6(src=fd00::8,dst=fd09::1)/"
#define HOME6 "ipv6(src=fd00::8,dst=fd00::1)/"
#define DATA "/data(len=33,fill=7)"

static uint8_t in[PACKET_TEXT_MAX], out[PACKET_TEXT_MAX], want[PACKET_TEXT_MAX];

TestSuite(track, .init = setup, .fini = teardown, .timeout = 60);

static uint32_t state_of(uint32_t len, const struct ct_order *o)
{
	uint32_t state = track_frame(in, len, o);

	cr_assert_eq(p.len, len);
	return state;
}

static uint32_t told(const char *frame, const struct ct_order *o)
{
	return state_of(packet_text_make(frame, in), o);
}

static void expect_frame(const char *frame)
{
	uint32_t len = packet_text_make(frame, want);

	cr_assert_eq(p.len, len, "%s", frame);
	packet_copy_out(&p, 0, len, out);
	expect_bytes(out, want, len, frame);
	cr_expect(frame_checksums_right(out, len), "%s", frame);
}

static void check(const char *frame, const struct ct_order *o, uint32_t state, const char *becomes)
{
	uint32_t is = told(frame, o);

	cr_assert_eq(is, state, "%s: %x, not %x", frame, is, state);
	expect_frame(becomes);
}

Test(track, udp)
{
	check_translated(check, ETH IN4 "udp(src=2000,dst=53)" DATA, ETH OUT4 "udp(src=3000,dst=53)" DATA,
	                 ETH BACK4 "udp(src=53,dst=3000)" DATA, ETH HOME4 "udp(src=53,dst=2000)" DATA,
	                 "9.0.0.1", 3000);
	check_translated(check, ETH IN6 "udp(src=2000,dst=53)" DATA, ETH OUT6 "udp(src=3000,dst=53)" DATA,
	                 ETH BACK6 "udp(src=53,dst=3000)" DATA, ETH HOME6 "udp(src=53,dst=2000)" DATA,
	                 "fd09::1", 3000);
	check_translated(check, ETH "vlan(vid=5)/" IN4 "udp(src=2001,dst=53,zero=1)" DATA,
	                 ETH "vlan(vid=5)/" OUT4 "udp(src=3001,dst=53,zero=1)" DATA,
	                 ETH BACK4 "udp(src=53,dst=3001,zero=1)" DATA,
	                 ETH HOME4 "udp(src=53,dst=2001,zero=1)" DATA, "9.0.0.1", 3001);
}

Test(track, tcp)
{
	struct ct_order o = translate(NAT_SRC, "9.0.0.1", 3000);

	check(ETH IN4 "tcp(src=2000,dst=80,flags=2,seq=100)", &o, CT_NEW | CT_SNAT,
	      ETH OUT4 "tcp(src=3000,dst=80,flags=2,seq=100)");
	check(ETH BACK4 "tcp(src=80,dst=3000,flags=0x12,seq=500,ack=101,window=50)", &nat,
	      CT_EST | CT_RPL | CT_DNAT,
	      ETH HOME4 "tcp(src=80,dst=2000,flags=0x12,seq=500,ack=101,window=50)");
	check(ETH IN4 "tcp(src=2000,dst=80,flags=0x10,seq=101,ack=501)" DATA, &nat, CT_EST | CT_SNAT,
	      ETH OUT4 "tcp(src=3000,dst=80,flags=0x10,seq=101,ack=501)" DATA);
	check(ETH IN4 "tcp(src=2000,dst=80,flags=0x10,seq=134,ack=501)" DATA, &nat, CT_INV,
	      ETH IN4 "tcp(src=2000,dst=80,flags=0x10,seq=134,ack=501)" DATA);
	check(ETH IN4 "tcp(src=2000,dst=80,flags=0x10,seq=134,ack=501)/data(len=17)", &nat, CT_EST | CT_SNAT,
	      ETH OUT4 "tcp(src=3000,dst=80,flags=0x10,seq=134,ack=501)/data(len=17)");
}

/* A frame longer than its IP packet: what the link pads is no payload. */
Test(track, padding_is_no_payload)
{
	told(ETH IN4 "tcp(src=2000,dst=80,flags=2,seq=100)", &commit);
	told(ETH HOME4 "tcp(src=80,dst=2000,flags=0x12,seq=500,ack=101,window=1)", &look);
	cr_expect_eq(told(ETH IN4 "tcp(src=2000,dst=80,flags=0x10,seq=102,ack=501)/pad(len=6)", &look),
	             CT_EST);
}

Test(track, sctp)
{
	check_translated(check, ETH IN4 "sctp(src=2000,dst=53)" DATA, ETH OUT4 "sctp(src=3000,dst=53)" DATA,
	                 ETH BACK4 "sctp(src=53,dst=3000)" DATA, ETH HOME4 "sctp(src=53,dst=2000)" DATA,
	                 "9.0.0.1", 3000);
}

Test(track, other_protocols)
{
	check_translated(check, ETH "ipv4(src=10.0.0.1,dst=8.8.8.8,proto=47)" DATA,
	                 ETH "ipv4(src=9.0.0.1,dst=8.8.8.8,proto=47)" DATA,
	                 ETH "ipv4(src=8.8.8.8,dst=9.0.0.1,proto=47)" DATA,
	                 ETH "ipv4(src=8.8.8.8,dst=10.0.0.1,proto=47)" DATA, "9.0.0.1", 0);
}

Test(track, pings)
{
	check_translated(check, ETH IN4 "icmp(type=8,id=70,seq=1)" DATA,
	                 ETH OUT4 "icmp(type=8,id=3000,seq=1)" DATA,
	                 ETH BACK4 "icmp(type=0,id=3000,seq=1)" DATA,
	                 ETH HOME4 "icmp(type=0,id=70,seq=1)" DATA, "9.0.0.1", 3000);
	check_translated(check, ETH IN6 "icmpv6(type=128,id=70,seq=1)" DATA,
	                 ETH OUT6 "icmpv6(type=128,id=70,seq=1)" DATA,
	                 ETH BACK6 "icmpv6(type=129,id=70,seq=1)" DATA,
	                 ETH HOME6 "icmpv6(type=129,id=70,seq=1)" DATA, "fd09::1", 0);
}

Test(track, destination)
{
	struct ct_order o = translate(NAT_DST, "10.0.0.9", 8080);

	check(ETH "ipv4(src=1.2.3.4,dst=9.0.0.1)/udp(src=3000,dst=80)" DATA, &o, CT_NEW | CT_DNAT,
	      ETH "ipv4(src=1.2.3.4,dst=10.0.0.9)/udp(src=3000,dst=8080)" DATA);
	check(ETH "ipv4(src=10.0.0.9,dst=1.2.3.4)/udp(src=8080,dst=3000)" DATA, &nat,
	      CT_EST | CT_RPL | CT_SNAT, ETH "ipv4(src=9.0.0.1,dst=1.2.3.4)/udp(src=80,dst=3000)" DATA);
}

/* ---- ICMP errors ---- */

#define ROUTER4 "ipv4(src=7.0.0.1,dst=9.0.0.1)/icmp(type=11)/"
#define ROUTED4 "ipv4(src=7.0.0.1,dst=10.0.0.1)/icmp(type=11)/"
#define ROUTER6 "ipv6(src=fd07::1,dst=fd09::1)/icmpv6(type=1)/"
#define ROUTED6 "ipv6(src=fd07::1,dst=fd00::1)/icmpv6(type=1)/"

/* A packet has gone out; its error comes back. */
static void check_error(const char *frame, const char *addr, uint16_t port, const char *error,
                        const char *becomes)
{
	struct ct_order o = translate(NAT_SRC, addr, port);

	told(frame, &o);
	check(error, &nat, CT_REL | CT_RPL | CT_DNAT, becomes);
	check(error, &look, CT_REL | CT_RPL, error);
}

Test(track, errors_come_home)
{
	check_error(ETH IN4 "udp(src=2000,dst=53)" DATA, "9.0.0.1", 3000,
	            ETH ROUTER4 OUT4 "udp(src=3000,dst=53)" DATA,
	            ETH ROUTED4 IN4 "udp(src=2000,dst=53)" DATA);
	check_error(ETH IN4 "udp(src=2001,dst=53)" DATA, "9.0.0.1", 3001,
	            ETH ROUTER4 OUT4 "udp(src=3001,dst=53,zero=1)" DATA,
	            ETH ROUTED4 IN4 "udp(src=2001,dst=53,zero=1)" DATA);
	check_error(ETH IN4 "tcp(src=2000,dst=80,flags=2)", "9.0.0.1", 3000,
	            ETH ROUTER4 OUT4 "tcp(src=3000,dst=80,flags=2)",
	            ETH ROUTED4 IN4 "tcp(src=2000,dst=80,flags=2)");
	check_error(ETH IN4 "icmp(type=8,id=70)" DATA, "9.0.0.1", 3000,
	            ETH ROUTER4 OUT4 "icmp(type=8,id=3000)" DATA, ETH ROUTED4 IN4 "icmp(type=8,id=70)" DATA);
	check_error(ETH "ipv4(src=10.0.0.1,dst=8.8.8.8,proto=47)" DATA, "9.0.0.1", 0,
	            ETH ROUTER4 "ipv4(src=9.0.0.1,dst=8.8.8.8,proto=47)" DATA,
	            ETH ROUTED4 "ipv4(src=10.0.0.1,dst=8.8.8.8,proto=47)" DATA);
	check_error(ETH IN6 "udp(src=2000,dst=53)" DATA, "fd09::1", 3000,
	            ETH ROUTER6 OUT6 "udp(src=3000,dst=53)" DATA,
	            ETH ROUTED6 IN6 "udp(src=2000,dst=53)" DATA);
	check_error(ETH IN6 "tcp(src=2000,dst=80,flags=2)" DATA, "fd09::1", 3000,
	            ETH ROUTER6 OUT6 "hopopts()/tcp(src=3000,dst=80,flags=2)" DATA,
	            ETH ROUTED6 IN6 "hopopts()/tcp(src=2000,dst=80,flags=2)" DATA);
	check_error(ETH IN6 "icmpv6(type=128,id=70)" DATA, "fd09::1", 0,
	            ETH ROUTER6 OUT6 "icmpv6(type=128,id=70)" DATA,
	            ETH ROUTED6 IN6 "icmpv6(type=128,id=70)" DATA);
}

Test(track, errors_of_the_inside_go_out)
{
	struct ct_order o = translate(NAT_SRC, "9.0.0.1", 3000);

	told(ETH IN4 "udp(src=2000,dst=53)" DATA, &o);
	check(ETH IN4 "icmp(type=3,code=3)/" HOME4 "udp(src=53,dst=2000)" DATA, &nat, CT_REL | CT_SNAT,
	      ETH OUT4 "icmp(type=3,code=3)/" BACK4 "udp(src=53,dst=3000)" DATA);
}

Test(track, errors_about_nothing_known)
{
	told(ETH IN4 "udp(src=2000,dst=53)" DATA, &commit);
	cr_expect_eq(told(ETH "ipv4(src=7.0.0.1,dst=10.0.0.1)/icmp(type=3)/" IN4 "udp(src=2000,dst=53)" DATA,
	                  &look),
	             CT_REL | CT_RPL);
	cr_expect_eq(told(ETH "ipv4(src=7.0.0.1,dst=10.0.0.1)/icmp(type=3)/" IN4 "udp(src=2000,dst=54)" DATA,
	                  &look),
	             CT_INV);
	cr_expect_eq(told(ETH "ipv4(src=7.0.0.1,dst=10.0.0.3)/icmp(type=3)/" IN4 "udp(src=2000,dst=53)" DATA,
	                  &look),
	             CT_INV, "not to who has sent it");
	cr_expect_eq(told(ETH "ipv4(src=7.0.0.1,dst=10.0.0.1)/icmp(type=3)/ipv4(src=10.0.0.1,dst=7.0.0.1)/"
	                      "icmp(type=3)/" IN4 "udp(src=2000,dst=53)" DATA,
	                  &look),
	             CT_INV, "about an error");
	cr_expect_eq(told(ETH IN4 "icmp(type=42)", &look), CT_INV);
	cr_expect_eq(told(ETH IN6 "icmpv6(type=135)/nd(target=fd00::5)", &look), CT_INV);
}

/* The frame in `in` again, its IPv4 packet cut to `len` bytes; lengths and checksums of IP and ICMP fit. */
static uint32_t cut_error(uint32_t len)
{
	struct ipv4_header *ip = (struct ipv4_header *)(in + 14);
	uint8_t *icmp = in + 34;
	be16 csum;

	ip->total_len = htobe16((uint16_t)len);
	ip->csum = 0;
	ip->csum = csum_finish(csum_bytes(ip, 20));
	memset(icmp + 2, 0, 2);
	csum = csum_finish(csum_bytes(icmp, len - 20));
	memcpy(icmp + 2, &csum, 2);
	return 14 + len;
}

Test(track, errors_quote_little)
{
	const char *const quoted[] = {"udp(src=3000,dst=53)", "tcp(src=3000,dst=53,flags=0x10,seq=1)",
	                              "icmp(type=8,id=3000)", "sctp(src=3000,dst=53)"};
	const char *const sent[] = {"udp(src=2000,dst=53)", "tcp(src=2000,dst=53,flags=0x10,seq=1)",
	                            "icmp(type=8,id=70)", "sctp(src=2000,dst=53)"};
	char text[400];

	for (unsigned i = 0; i < 4; i++) {
		struct ct_order o = translate(NAT_SRC, "9.0.0.1", 3000);

		snprintf(text, sizeof(text), ETH IN4 "%s" DATA, sent[i]);
		told(text, &o);
		snprintf(text, sizeof(text), ETH ROUTER4 OUT4 "%s" DATA, quoted[i]);
		for (uint32_t len = 28; len <= 20 + 8 + 20 + 8 + 33; len++) {
			packet_text_make(text, in);
			len = cut_error(len) - 14;
			cr_assert_eq(state_of(14 + len, &nat), len < 56 ? CT_INV : CT_REL | CT_RPL | CT_DNAT,
			             "%s: %u", text, len);
			packet_copy_out(&p, 0, p.len, out);
			cr_assert(frame_checksums_right(out, p.len), "%s: %u", text, len);
		}
	}
}

/* ---- what cannot be tracked ---- */

Test(track, what_is_not_ip_is_invalid)
{
	cr_expect_eq(told(ETH "arp(op=1,spa=10.0.0.1,tpa=10.0.0.2)", &commit), CT_INV);
	cr_expect_eq(
	        told("eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01,type=0x1234)/data(len=50)", &commit),
	        CT_INV);
	cr_expect_eq(told(ETH "mpls(label=5)/" IN4 "udp(src=2000,dst=53)" DATA, &commit), CT_INV);
}

Test(track, extension_headers_are_walked)
{
	check_translated(check, ETH IN6 "hopopts()/dstopts()/udp(src=2000,dst=53)" DATA,
	                 ETH OUT6 "hopopts()/dstopts()/udp(src=3000,dst=53)" DATA,
	                 ETH BACK6 "udp(src=53,dst=3000)" DATA, ETH HOME6 "udp(src=53,dst=2000)" DATA,
	                 "fd09::1", 3000);
}

/* No length makes it read what is not there; what is translated has right checksums. */
Test(track, frames_of_every_length)
{
	const char *const frames[] = {
	        ETH IN4 "udp(src=2000,dst=53)" DATA,
	        ETH IN4 "tcp(src=2000,dst=80,flags=2)" DATA,
	        ETH IN6 "hopopts()/tcp(src=2000,dst=80,flags=2)" DATA,
	        ETH IN4 "icmp(type=8,id=70)" DATA,
	        ETH ROUTER4 OUT4 "udp(src=3000,dst=53)" DATA,
	        ETH ROUTER6 OUT6 "dstopts()/tcp(src=3000,dst=53)" DATA,
	        ETH IN4 "sctp(src=2000,dst=53)" DATA,
	        ETH "vlan(vid=3)/" IN6 "icmpv6(type=128,id=70)" DATA,
	};

	for (unsigned i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct ct_order o = translate(NAT_SRC, strstr(frames[i], "ipv6") ? "fd09::1" : "9.0.0.1", 0);
		static uint8_t whole[PACKET_TEXT_MAX];
		uint32_t len = packet_text_make(frames[i], whole);

		for (uint32_t n = sizeof(struct eth_header); n < len; n++) {
			uint8_t *cut = malloc(n);

			memcpy(cut, whole, n);
			packet_view(&p, 1, cut, n);
			parse_packet(&p, &key);
			facts = (struct ct_facts){0};
			track_packet(&w, &p, &o, &facts);
			cr_assert_eq(facts.state, CT_INV | CT_TRK, "%s: %u", frames[i], n);
			free(cut);
		}
	}
}

/* ---- offloads ---- */

Test(track, open_checksums_stay_open)
{
	static struct frame before, after;
	struct ct_order o = translate(NAT_SRC, "9.0.0.1", 3000);
	struct frame_spec spec = {.src = "10.0.0.1",
	                          .dst = "8.8.8.8",
	                          .proto = IP_PROTO_TCP,
	                          .sport = 2000,
	                          .dport = 80,
	                          .payload = 3000,
	                          .partial = true};

	frame_make(&before, &spec);
	spec.src = "9.0.0.1";
	spec.sport = 3000;
	frame_make(&after, &spec);
	packet_view(&p, 1, before.data, before.len);
	p.flags = PACKET_NEEDS_CSUM;
	p.csum_start = (uint16_t)before.l4;
	p.csum_offset = offsetof(struct tcp_header, csum);
	p.gso = GSO_TCP4;
	p.gso_size = 1460;
	p.l3 = (uint16_t)before.l3;
	p.l4 = (uint16_t)before.l4;
	parse_packet(&p, &key);
	facts = (struct ct_facts){0};
	track_packet(&w, &p, &o, &facts);
	cr_assert_eq(facts.state, CT_NEW | CT_SNAT | CT_TRK);
	packet_copy_out(&p, 0, p.len, out);
	cr_assert_arr_eq(out, after.data, after.len);
	/* The next one fits behind all 3000 bytes, and not in front. */
	cr_expect_eq(told(ETH BACK4 "tcp(src=80,dst=3000,flags=0x10,seq=0,ack=3000,window=10)", &look),
	             CT_EST | CT_RPL);
	cr_expect_eq(told(ETH IN4 "tcp(src=2000,dst=80,flags=0x10,seq=3000,ack=0)/data(len=10)", &look),
	             CT_EST);
}

Test(track, prefetching_finds_what_tracking_finds)
{
	told(ETH IN4 "udp(src=2000,dst=53)" DATA, &commit);
	conntrack_prefetch_found(w.dp->ct, track_prefetch(&w, &key, 0));
	told(ETH IN6 "udp(src=2000,dst=53)" DATA, &commit);
	conntrack_prefetch_found(w.dp->ct, track_prefetch(&w, &key, 0));
	told(ETH "arp(op=1,spa=10.0.0.1,tpa=10.0.0.2)", &commit);
	conntrack_prefetch_found(w.dp->ct, track_prefetch(&w, &key, 0));
	cr_expect_eq(told(ETH HOME4 "udp(src=53,dst=2000)" DATA, &look), CT_EST | CT_RPL);
}
