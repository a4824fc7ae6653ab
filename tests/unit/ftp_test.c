/* SPDX-License-Identifier: Apache-2.0 */
/* FTP control connections: what their text says, and how packets with it are translated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "datapath/ftp.h"
#include "tests/lib/frames.h"
#include "tests/lib/pieces.h"
#include "tests/lib/track_rig.h"
#include "tests/pktgen/packet_text.h"

/* ---- text ---- */

/* What was read: "ADDRESS PORT @AT+LEN", "other" or "broken". */
static const char *text_of(const char *text, uint32_t len, bool ipv4)
{
	static char out[100];
	char address[IP_TEXT_MAX];
	uint8_t *copy = malloc(len ? len : 1); /* so that a read past it is seen */
	struct ftp_text t;
	enum ftp_kind kind;

	memcpy(copy, text, len);
	kind = ftp_read(copy, len, ipv4, &t);
	free(copy);
	if (kind != FTP_ANNOUNCES)
		return kind == FTP_OTHER ? "other" : "broken";
	snprintf(out, sizeof(out), "%s %u @%u+%u", t.len ? ip_format(&t.addr, address) : "-", be16toh(t.port),
	         t.at, t.len);
	return out;
}

#define TEXT4(text, want) cr_expect_str_eq(text_of(text, sizeof(text) - 1, true), want, "%s", text)
#define TEXT6(text, want) cr_expect_str_eq(text_of(text, sizeof(text) - 1, false), want, "%s", text)

Test(ftp, port)
{
	TEXT4("PORT 10,0,0,1,4,1\r\n", "10.0.0.1 1025 @5+8");
	TEXT4("port 192,168,100,200,255,255\r\n", "192.168.100.200 65535 @5+15");
	TEXT4("PORT  10,0,0,1,0,21\n", "10.0.0.1 21 @6+8");
	TEXT4("PORT 10,0,0,1,4,1", "broken"); /* there may be more */
	TEXT4("PORT 10,0,0,1,4,\r\n", "broken");
	TEXT4("PORT 10,0,0,1,0,0\r\n", "broken");
	TEXT4("PORT 10,0,0,1,4\r\n", "broken");
	TEXT4("PORT 10,0,0,256,4,1\r\n", "broken");
	TEXT4("PORT 10,0,0,1,4,256\r\n", "broken");
	TEXT4("PORT 10,0,0,4294967297,4,1\r\n", "broken");
	TEXT4("PORT 10.0.0.1,4,1\r\n", "broken");
	TEXT4("PORT\r\n", "broken");
	TEXT4("PORT", "broken");
	TEXT4("POR", "other");
	TEXT4("", "other");
	TEXT4("NOOP\r\nPORT 10,0,0,1,4,1\r\n", "other");
	TEXT6("PORT 10,0,0,1,4,1\r\n", "other");
}

Test(ftp, pasv)
{
	TEXT4("227 Entering Passive Mode (10,0,0,1,4,1).\r\n", "10.0.0.1 1025 @27+8");
	TEXT4("227 10,0,0,1,4,1\r\n", "10.0.0.1 1025 @4+8");
	TEXT4("227 Entering Passive Mode.\r\n", "broken");
	TEXT4("2270 10,0,0,1,4,1\r\n", "other");
	TEXT4("220 10,0,0,1,4,1\r\n", "other");
	TEXT6("227 Entering Passive Mode (10,0,0,1,4,1).\r\n", "other");
}

Test(ftp, eprt)
{
	TEXT4("EPRT |1|132.235.1.2|6275|\r\n", "132.235.1.2 6275 @8+11");
	TEXT6("EPRT |2|1080::8:800:200C:417A|5282|\r\n", "1080::8:800:200c:417a 5282 @8+21");
	TEXT6("eprt !2!fd00::1!1!\r\n", "fd00::1 1 @8+7");
	TEXT4("EPRT |2|1080::8|5282|\r\n", "broken");
	TEXT6("EPRT |1|132.235.1.2|6275|\r\n", "broken");
	TEXT6("EPRT |2|::ffff:1.2.3.4|6275|\r\n", "broken");
	TEXT6("EPRT |2|::|6275|\r\n", "broken");
	TEXT6("EPRT |2|fd00::1|65536|\r\n", "broken");
	TEXT6("EPRT |2|fd00::1|0|\r\n", "broken");
	TEXT6("EPRT |2|fd00::1||\r\n", "broken");
	TEXT6("EPRT |2|fd00::1|1\r\n", "broken");
	TEXT6("EPRT |2|fd00::1!1|\r\n", "broken");
	TEXT6("EPRT 2|fd00::1|1|\r\n", "broken");
	TEXT6("EPRT |2|0000:0000:0000:0000:0000:0000:0000:0000:0000:0000|1|\r\n", "broken");
}

Test(ftp, epsv)
{
	TEXT4("229 Entering Extended Passive Mode (|||6446|)\r\n", "- 6446 @0+0");
	TEXT6("229 Entering Extended Passive Mode (!!!6446!)\r\n", "- 6446 @0+0");
	TEXT6("229 Entering Extended Passive Mode (||6446|)\r\n", "broken");
	TEXT6("229 Entering Extended Passive Mode (|||6446)\r\n", "broken");
	TEXT6("229 Entering Extended Passive Mode (|||6446", "broken");
	TEXT6("229 Entering Extended Passive Mode (111644611)\r\n", "broken");
	TEXT6("229 Entering Extended Passive Mode\r\n", "broken");
}

/* Only so much is looked at. */
Test(ftp, text_is_bounded)
{
	char text[FTP_TEXT_MAX + 40];

	for (unsigned spaces = 100; spaces < FTP_TEXT_MAX; spaces++) {
		int len = snprintf(text, sizeof(text), "PORT%*s10,0,0,1,4,1\r\n", spaces, "");

		cr_expect_str_eq(text_of(text, (uint32_t)len, true),
		                 len - 1 > FTP_TEXT_MAX
		                         ? "broken"
		                         : (sprintf(text, "10.0.0.1 1025 @%u+8", spaces + 4), text));
	}
}

/* ---- packets ---- */

#define ETH "eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01)/"
#define FIRST 1000 /* number of the first byte that the client sends */
#define ANSWER 5000

/* A control connection from port 2000 to 21, and the addresses on both sides of the switch. */
struct ends {
	const char *ip, *client, *server;        /* as the client sees it */
	const char *client_there, *server_there; /* as the server sees it */
};

static const struct ends snat4 = {"ipv4", "10.0.0.1", "8.8.8.8", "192.168.100.200", "8.8.8.8"};
static const struct ends dnat4 = {"ipv4", "10.0.0.1", "8.8.8.8", "10.0.0.1", "192.168.100.200"};
static const struct ends snat6 = {"ipv6", "fd00::1", "fd00::8", "fd00:1:2:3:4:5:6:7", "fd00::8"};
static const struct ends plain4 = {"ipv4", "10.0.0.1", "8.8.8.8", "10.0.0.1", "8.8.8.8"};
static const struct ends plain6 = {"ipv6", "fd00::1", "fd00::8", "fd00::1", "fd00::8"};

static uint8_t in[PACKET_TEXT_MAX], out[PACKET_TEXT_MAX], want[PACKET_TEXT_MAX];

static const struct ct_order commit_nat = {.flags = CT_COMMIT | CT_NAT};

TestSuite(ftp_packets, .init = setup, .fini = teardown, .timeout = 120);

/* Where TCP's header is: there are no options and no tags. */
static uint32_t tcp_at(const uint8_t *frame)
{
	return frame[12] == 0x08 ? 34 : 54;
}

/* The frame with that text behind TCP's header. */
static uint32_t make(uint8_t *to, const char *headers, const char *text)
{
	size_t n = strlen(text);
	struct tcp_header *tcp;
	char frame[400];
	uint32_t len;
	uint64_t before;

	snprintf(frame, sizeof(frame), n ? "%s/data(len=%zu)" : "%s", headers, n);
	len = packet_text_make(frame, to);
	tcp = (struct tcp_header *)(to + tcp_at(to));
	before = csum_bytes(tcp + 1, n);
	memcpy(tcp + 1, text, n);
	tcp->csum = csum_change(tcp->csum, before, csum_bytes(text, n));
	return len;
}

/* In `in` the checksum is left to do. */
static void leave_checksum(uint32_t len)
{
	uint32_t at = tcp_at(in);
	struct tcp_header *tcp = (struct tcp_header *)(in + at);
	be32 src, dst;

	memcpy(&src, in + 26, 4);
	memcpy(&dst, in + 30, 4);
	tcp->csum = csum_fold(at == 34 ? csum_pseudo4(src, dst, IP_PROTO_TCP, (uint16_t)(len - at))
	                               : csum_pseudo6(in + 22, in + 38, IP_PROTO_TCP, len - at));
}

static void finish_checksum(uint32_t len)
{
	uint32_t at = tcp_at(out);
	struct tcp_header *tcp = (struct tcp_header *)(out + at);

	tcp->csum = csum_finish(csum_bytes(out + at, len - at));
}

/* How the packet comes. */
static struct {
	uint8_t head, piece; /* see packet_cut() */
	bool partial;        /* with NEEDS_CSUM */
	uint8_t gso;
} manner = {.head = 255, .piece = 255};

static uint32_t tracked(uint32_t len, const struct ct_order *o)
{
	if (manner.partial)
		leave_checksum(len);
	packet_cut(&p, in, len, manner.head, manner.piece);
	if (manner.partial) {
		p.flags = PACKET_NEEDS_CSUM;
		p.csum_start = (uint16_t)tcp_at(in);
		p.csum_offset = offsetof(struct tcp_header, csum);
	}
	p.gso = manner.gso;
	return track_afresh(o);
}

/* A segment as its sender sends it, and as it is to arrive. */
struct segment {
	bool answer; /* of the server */
	unsigned flags;
	uint32_t seq, ack;
	const char *text;
};

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

/* `there`: on the server's side of the switch. */
static uint32_t make_segment(uint8_t *to, const struct ends *e, const struct segment *s, bool there)
{
	const char *client = there ? e->client_there : e->client,
	           *server = there ? e->server_there : e->server;
	char text[300];

	snprintf(text, sizeof(text), ETH "%s(src=%s,dst=%s)/tcp(src=%u,dst=%u,flags=%u,seq=%u,ack=%u)", e->ip,
	         s->answer ? server : client, s->answer ? client : server, s->answer ? 21 : 2000,
	         s->answer ? 2000 : 21, s->flags, s->seq, s->ack);
	return make(to, text, s->text ? s->text : "");
}

static void check(const struct ends *e, const struct ct_order *o, struct segment sent, uint32_t state,
                  struct segment arrives)
{
	uint32_t is = tracked(make_segment(in, e, &sent, sent.answer), o);
	uint32_t len = make_segment(want, e, &arrives, !sent.answer);

	cr_assert_eq(is & ~(uint32_t)(CT_SNAT | CT_DNAT), state, "%s: %x, not %x", sent.text ? sent.text : "",
	             is, state);
	cr_assert_eq(p.len, len, "%u bytes, not %u: %s", p.len, len, sent.text);
	packet_copy_out(&p, 0, len, out);
	if (manner.partial)
		finish_checksum(len);
	expect_bytes(out, want, len, sent.text);
	cr_assert(frame_checksums_right(out, len), "%s", sent.text);
}

/* It arrives as it is, but for the addresses of the headers. */
static void check_same(const struct ends *e, const struct ct_order *o, struct segment sent, uint32_t state)
{
	check(e, o, sent, state, sent);
}

/* With the translation that the ends want. */
static struct ct_order order_for(const struct ends *e, uint16_t alg)
{
	struct ct_order o = {.flags = CT_COMMIT, .alg = alg};
	bool source = strcmp(e->client, e->client_there) != 0;

	if (!source && !strcmp(e->server, e->server_there))
		return o;
	o.flags |= CT_NAT;
	o.nat.flags = source ? NAT_SRC : NAT_DST;
	ip_parse(source ? e->client_there : e->server_there, &o.nat.addr_min);
	o.nat.addr_max = o.nat.addr_min;
	return o;
}

static void open_control(const struct ends *e, uint16_t alg)
{
	struct ct_order o = order_for(e, alg);

	check_same(e, &o, (struct segment){.flags = SYN, .seq = FIRST - 1}, CT_NEW);
	check_same(e, &nat, (struct segment){true, SYN | ACK, ANSWER - 1, FIRST, NULL}, CT_EST | CT_RPL);
	check_same(e, &nat, (struct segment){.flags = ACK, .seq = FIRST, .ack = ANSWER}, CT_EST);
}

/* What is told of the first packet of a data connection. */
static uint32_t data_state(const char *ip, const char *src, unsigned sport, const char *dst, unsigned dport,
                           const struct ct_order *o)
{
	char text[300];

	snprintf(text, sizeof(text), ETH "%s(src=%s,dst=%s)/tcp(src=%u,dst=%u,flags=2,seq=7)", ip, src, dst,
	         sport, dport);
	return tracked(make(in, text, ""), o);
}

static void expect_translated(const char *ip, const char *src, unsigned sport, const char *dst,
                              unsigned dport)
{
	char text[300];
	uint32_t len;

	snprintf(text, sizeof(text), ETH "%s(src=%s,dst=%s)/tcp(src=%u,dst=%u,flags=2,seq=7)", ip, src, dst,
	         sport, dport);
	len = make(want, text, "");
	packet_copy_out(&p, 0, len, out);
	if (manner.partial)
		finish_checksum(len);
	cr_expect_arr_eq(out, want, len, "%s", text);
}

/* What the client says arrives like that; then both go on, with numbers that differ by `longer`. */
static void check_command(const struct ends *e, const char *command, const char *arrives)
{
	uint32_t n = (uint32_t)strlen(command), m = (uint32_t)strlen(arrives);
	struct segment sent = {.flags = ACK | PSH, .seq = FIRST, .ack = ANSWER, .text = command},
	               there = sent;

	there.text = arrives;
	check(e, &nat, sent, CT_EST, there);
	check(e, &nat, sent, CT_EST, there); /* sent again */
	check(e, &nat, (struct segment){true, ACK | PSH, ANSWER, FIRST + m, "200 ok\r\n"}, CT_EST | CT_RPL,
	      (struct segment){true, ACK | PSH, ANSWER, FIRST + n, "200 ok\r\n"});
	check(e, &nat, (struct segment){false, ACK, FIRST + n, ANSWER + 8, "RETR x\r\n"}, CT_EST,
	      (struct segment){false, ACK, FIRST + m, ANSWER + 8, "RETR x\r\n"});
	check(e, &nat, sent, CT_EST, there); /* once more, late */
	/* what acknowledges nothing of it yet */
	check_same(e, &nat, (struct segment){true, ACK, ANSWER + 8, FIRST, NULL}, CT_EST | CT_RPL);
	/* another one of the same kind */
	sent = there = (struct segment){false, ACK, FIRST + n + 8, ANSWER + 8, command};
	there.seq = FIRST + m + 8;
	there.text = arrives;
	check(e, &nat, sent, CT_EST, there);
	check(e, &nat, (struct segment){true, ACK, ANSWER + 8, FIRST + 2 * m + 8, NULL}, CT_EST | CT_RPL,
	      (struct segment){true, ACK, ANSWER + 8, FIRST + 2 * n + 8, NULL});
	check(e, &nat, (struct segment){false, ACK | FIN, FIRST + 2 * n + 8, ANSWER + 8, NULL}, CT_EST,
	      (struct segment){false, ACK | FIN, FIRST + 2 * m + 8, ANSWER + 8, NULL});
}

static void check_port_4(void)
{
	open_control(&snat4, CT_ALG_FTP);
	check_command(&snat4, "PORT 10,0,0,1,4,1\r\n", "PORT 192,168,100,200,4,1\r\n");
	cr_expect_eq(data_state("ipv4", "8.8.8.8", 20, "192.168.100.200", 1025, &commit_nat),
	             CT_NEW | CT_REL | CT_DNAT);
	expect_translated("ipv4", "8.8.8.8", 20, "10.0.0.1", 1025);
	cr_expect_eq(data_state("ipv4", "8.8.8.8", 20, "192.168.100.200", 1026, &look), CT_NEW);
	cr_expect_eq(data_state("ipv4", "8.8.8.9", 20, "192.168.100.200", 1025, &look), CT_NEW);
}

Test(ftp_packets, active)
{
	check_port_4();
}

Test(ftp_packets, active_6)
{
	open_control(&snat6, CT_ALG_FTP);
	check_command(&snat6, "EPRT |2|fd00::1|1025|\r\n", "EPRT |2|fd00:1:2:3:4:5:6:7|1025|\r\n");
	cr_expect_eq(data_state("ipv6", "fd00::8", 20, "fd00:1:2:3:4:5:6:7", 1025, &commit_nat),
	             CT_NEW | CT_REL | CT_DNAT);
	expect_translated("ipv6", "fd00::8", 20, "fd00::1", 1025);
}

Test(ftp_packets, active_extended)
{
	open_control(&snat4, CT_ALG_FTP);
	check_command(&snat4, "EPRT |1|10.0.0.1|1025|\r\n", "EPRT |1|192.168.100.200|1025|\r\n");
	cr_expect_eq(data_state("ipv4", "8.8.8.8", 20, "192.168.100.200", 1025, &look), CT_NEW | CT_REL);
}

/* However it comes. */
Test(ftp_packets, pieces)
{
	for (unsigned i = 0; i < 64; i++) {
		manner.head = (uint8_t)(i * 4);
		manner.piece = (uint8_t)(i * 37);
		manner.partial = i & 1;
		check_port_4();
		conntrack_flush(dp.ct, NULL);
	}
}

static void check_reply(const struct ends *e, const char *reply, const char *arrives)
{
	uint32_t n = (uint32_t)strlen(reply), m = (uint32_t)strlen(arrives);
	struct segment sent = {true, ACK | PSH, ANSWER, FIRST + 6, reply}, there = sent;

	there.text = arrives;
	check_same(e, &nat, (struct segment){false, ACK | PSH, FIRST, ANSWER, "PASV\r\n"}, CT_EST);
	check(e, &nat, sent, CT_EST | CT_RPL, there);
	check(e, &nat, (struct segment){false, ACK, FIRST + 6, ANSWER + m, "LIST\r\n"}, CT_EST,
	      (struct segment){false, ACK, FIRST + 6, ANSWER + n, "LIST\r\n"});
	check(e, &nat, (struct segment){true, ACK, ANSWER + n, FIRST + 12, "150 here\r\n"}, CT_EST | CT_RPL,
	      (struct segment){true, ACK, ANSWER + m, FIRST + 12, "150 here\r\n"});
}

Test(ftp_packets, passive)
{
	open_control(&dnat4, CT_ALG_FTP);
	check_reply(&dnat4, "227 Entering Passive Mode (192,168,100,200,200,1).\r\n",
	            "227 Entering Passive Mode (8,8,8,8,200,1).\r\n");
	cr_expect_eq(data_state("ipv4", "10.0.0.1", 3000, "8.8.8.8", 51201, &commit_nat),
	             CT_NEW | CT_REL | CT_DNAT);
	expect_translated("ipv4", "10.0.0.1", 3000, "192.168.100.200", 51201);
}

/* The server is behind nothing: its address stays, and so does the client's that is translated. */
Test(ftp_packets, passive_behind_source_translation)
{
	open_control(&snat4, CT_ALG_FTP);
	check_reply(&snat4, "227 Entering Passive Mode (8,8,8,8,200,1).\r\n",
	            "227 Entering Passive Mode (8,8,8,8,200,1).\r\n");
	cr_expect_eq(data_state("ipv4", "10.0.0.1", 3000, "8.8.8.8", 51201, &commit_nat),
	             CT_NEW | CT_REL | CT_SNAT);
	expect_translated("ipv4", "192.168.100.200", 3000, "8.8.8.8", 51201);
}

Test(ftp_packets, active_behind_destination_translation)
{
	open_control(&dnat4, CT_ALG_FTP);
	check_command(&dnat4, "PORT 10,0,0,1,4,1\r\n", "PORT 10,0,0,1,4,1\r\n");
	cr_expect_eq(data_state("ipv4", "192.168.100.200", 20, "10.0.0.1", 1025, &commit_nat),
	             CT_NEW | CT_REL | CT_SNAT);
	expect_translated("ipv4", "8.8.8.8", 20, "10.0.0.1", 1025);
}

Test(ftp_packets, passive_6)
{
	open_control(&snat6, CT_ALG_FTP);
	check_reply(&snat6, "229 Entering Extended Passive Mode (|||6446|)\r\n",
	            "229 Entering Extended Passive Mode (|||6446|)\r\n");
	cr_expect_eq(data_state("ipv6", "fd00::1", 3000, "fd00::8", 6446, &commit_nat),
	             CT_NEW | CT_REL | CT_SNAT);
	expect_translated("ipv6", "fd00:1:2:3:4:5:6:7", 3000, "fd00::8", 6446);
}

Test(ftp_packets, without_translation)
{
	open_control(&plain4, CT_ALG_FTP);
	check_command(&plain4, "PORT 10,0,0,1,4,1\r\n", "PORT 10,0,0,1,4,1\r\n");
	cr_expect_eq(data_state("ipv4", "8.8.8.8", 20, "10.0.0.1", 1025, &look), CT_NEW | CT_REL);
	open_control(&plain6, CT_ALG_FTP);
	check_command(&plain6, "EPRT |2|fd00::1|1025|\r\n", "EPRT |2|fd00::1|1025|\r\n");
	cr_expect_eq(data_state("ipv6", "fd00::8", 20, "fd00::1", 1025, &look), CT_NEW | CT_REL);
	cr_expect_eq(stats().announced, 2);
}

Test(ftp_packets, without_a_helper)
{
	open_control(&snat4, CT_ALG_NONE);
	check_command(&snat4, "PORT 10,0,0,1,4,1\r\n", "PORT 10,0,0,1,4,1\r\n");
	cr_expect_eq(stats().announced, 0);
}

/* Without nat an order leaves the text as it is, and reads it. */
Test(ftp_packets, untranslated_packet)
{
	struct segment port = {false, ACK, FIRST, ANSWER, "PORT 10,0,0,1,4,1\r\n"};
	uint32_t len;

	open_control(&snat4, CT_ALG_FTP);
	len = make_segment(in, &snat4, &port, false);
	cr_expect_eq(tracked(len, &look), CT_EST);
	packet_copy_out(&p, 0, len, out);
	cr_expect_eq(p.len, len);
	cr_expect_arr_eq(out, in, len);
	cr_expect_eq(data_state("ipv4", "8.8.8.8", 20, "192.168.100.200", 1025, &look), CT_NEW | CT_REL);
}

static void check_broken(const char *text, bool answer)
{
	open_control(&snat4, CT_ALG_FTP);
	check_same(&snat4, &nat,
	           (struct segment){answer, ACK, answer ? ANSWER : FIRST, answer ? FIRST : ANSWER, text},
	           CT_EST | CT_INV | (answer ? CT_RPL : 0));
	cr_expect_eq(stats().expected, 0);
	conntrack_flush(dp.ct, NULL);
}

Test(ftp_packets, broken)
{
	check_broken("PORT 1,2,3,4,4,1\r\n", false); /* somebody else */
	check_broken("PORT 8,8,8,8,4,1\r\n", false);
	check_broken("EPRT |1|1.2.3.4|1025|\r\n", false);
	check_broken("227 Entering Passive Mode (10,0,0,1,4,1)\r\n", true);
	check_broken("PORT nowhere\r\n", false);
	cr_expect_eq(stats().announced, 0);
	cr_expect_eq(stats().invalid, 5);
}

/* What does not fit into the head, and what is to be cut, passes as it is. */
Test(ftp_packets, what_cannot_be_translated)
{
	char text[600];
	struct segment port = {false, ACK, FIRST, ANSWER, text};

	open_control(&snat4, CT_ALG_FTP);
	snprintf(text, sizeof(text), "PORT 10,0,0,1,4,1\r\n%0400u\r\n", 0);
	check_same(&snat4, &nat, port, CT_EST);
	cr_expect_eq(stats().unread, 1);
	port.seq += (uint32_t)strlen(text);
	snprintf(text, sizeof(text), "PORT 10,0,0,1,4,1\r\n");
	manner.gso = GSO_TCP4;
	check_same(&snat4, &nat, port, CT_EST);
	cr_expect_eq(stats().unread, 2);
	cr_expect_eq(stats().expected, 0);
	manner.gso = GSO_NONE;
	check_same(&snat4, &nat, (struct segment){false, ACK, port.seq + 19, ANSWER, "NOOP\r\n"}, CT_EST);
}

/* Numbers are right in what has a header; text that goes on in another packet is left alone. */
Test(ftp_packets, fragments)
{
	const struct ipv4_header *ip = (const struct ipv4_header *)(out + 14);
	const char *port = "PORT 10,0,0,1,4,10\r\n";
	struct segment sent = {false, ACK, FIRST, ANSWER, "PORT 10,0,0,1,4,1\r\n"}, there = sent;
	uint32_t len;
	be32 seq;

	there.text = "PORT 192,168,100,200,4,1\r\n";
	open_control(&snat4, CT_ALG_FTP);
	check(&snat4, &nat, sent, CT_EST, there);
	len = make(in,
	           ETH "ipv4(src=10.0.0.1,dst=8.8.8.8,mf=1,id=7)/"
	               "tcp(src=2000,dst=21,flags=16,seq=1019,ack=5000)",
	           port);
	cr_expect_eq(tracked(len, &nat), CT_EST | CT_SNAT);
	cr_assert_eq(p.len, len);
	packet_copy_out(&p, 0, len, out);
	memcpy(&seq, out + 34 + offsetof(struct tcp_header, seq), sizeof(seq));
	cr_expect_eq(be32toh(seq), 1019 + 7);
	cr_expect_arr_eq(out + 54, port, strlen(port));
	cr_expect_eq(stats().unread, 1);
	cr_expect_eq(stats().announced, 1);
	len = packet_text_make(
	        ETH "ipv4(src=10.0.0.1,dst=8.8.8.8,offset=40,proto=6,id=7)/data(len=40,fill=80)", in);
	cr_expect_eq(tracked(len, &nat), CT_EST | CT_SNAT);
	cr_assert_eq(p.len, len);
	packet_copy_out(&p, 0, len, out);
	cr_expect_arr_eq(out + 34, in + 34, len - 34);
	cr_expect_eq(ip->src, htobe32(0xc0a864c8));
	cr_expect_eq(stats().unread, 1);
}

/* Text as long as fits, up to the last byte of the head. */
Test(ftp_packets, long_text)
{
	enum { FITS = PACKET_HEAD_MAX - 54 };
	char text[600], longer[600];

	for (uint32_t n = FITS - 12; n < FITS + 3; n++) {
		struct segment port = {false, ACK, FIRST, ANSWER, text}, there = port;
		bool fits = n + 7 <= FITS;

		snprintf(text, sizeof(text), "PORT 10,0,0,1,4,1\r\n%0*u", (int)n - 19, 7);
		snprintf(longer, sizeof(longer), "PORT 192,168,100,200,4,1\r\n%0*u", (int)n - 19, 7);
		there.text = fits ? longer : text;
		open_control(&snat4, CT_ALG_FTP);
		check(&snat4, &nat, port, CT_EST, there);
		cr_expect_eq(stats().expected, fits);
		conntrack_flush(dp.ct, NULL);
	}
}

/* One control connection has a few places, and takes the oldest of them. */
Test(ftp_packets, few_of_one_connection)
{
	uint32_t seq = FIRST;
	char text[40];

	open_control(&plain4, CT_ALG_FTP);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "PORT 10,0,0,1,4,%u\r\n", i);
		check_same(&plain4, &nat, (struct segment){false, ACK, seq, ANSWER, text}, CT_EST);
		seq += (uint32_t)strlen(text);
	}
	cr_expect_eq(stats().expected, 8);
	cr_expect_eq(stats().displaced, 12);
	for (unsigned i = 0; i < 20; i++)
		cr_expect_eq(data_state("ipv4", "8.8.8.8", 20, "10.0.0.1", 1024 + i, &look),
		             i < 12 ? CT_NEW : CT_NEW | CT_REL, "%u", i);
	cr_expect_eq(conntrack_flush(dp.ct, NULL), 1);
	cr_expect_eq(stats().expected, 0);
}
