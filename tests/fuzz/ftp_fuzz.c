/* SPDX-License-Identifier: Apache-2.0 */
/* Any text on an FTP control connection that is translated: lengths fit and checksums are right afterwards,
 * and what comes back is numbered as its receiver has sent. */
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "base/wire.h"
#include "datapath/ct/conntrack.h"
#include "datapath/parse.h"
#include "datapath/track.h"
#include "datapath/worker.h"
#include "tests/lib/frames.h"
#include "tests/lib/pieces.h"

/* The first bytes choose how packets are cut, and the connection. */
struct choice {
	uint8_t head, piece, way;
};

enum { WAY_V6 = 1, WAY_DST = 2, WAY_ANSWER = 4 };
enum { SYN = 2, ACK = 16, FIRST = 1000, ANSWER = 5000 };

static struct datapath dp;
static struct worker w;
static struct packet p;

static const struct ct_order nat = {.flags = CT_NAT};

static void track(const struct frame *f, const struct choice *c, const struct ct_order *o)
{
	struct ct_facts facts = {0};
	struct mkey key;

	packet_cut(&p, f->data, f->len, c->head, c->piece);
	parse_packet(&p, &key);
	track_packet(&w, &p, o, &facts);
}

static uint64_t pseudo(const struct frame *f, bool v6)
{
	const uint8_t *ip = f->data + f->l3;
	be32 src, dst;

	if (v6)
		return csum_pseudo6(ip + 8, ip + 24, IP_PROTO_TCP, f->len - f->l4);
	memcpy(&src, ip + 12, 4);
	memcpy(&dst, ip + 16, 4);
	return csum_pseudo4(src, dst, IP_PROTO_TCP, (uint16_t)(f->len - f->l4));
}

/* A segment with that text; `answer`: of the server, to the client as it is translated. */
static void make(struct frame *f, const struct choice *c, bool answer, uint16_t flags, uint32_t seq,
                 uint32_t ack, const uint8_t *text, uint32_t len)
{
	bool v6 = c->way & WAY_V6, dst = c->way & WAY_DST;
	const char *client = v6 ? "fd00::1" : "10.0.0.1", *server = v6 ? "fd00::8" : "8.8.8.8";
	struct tcp_header *tcp;

	if (answer && dst)
		server = v6 ? "fd00::9" : "10.0.0.9";
	if (answer && !dst)
		client = v6 ? "fd00:1:2:3:4:5:6:7" : "192.168.100.200";
	frame_make(f, &(struct frame_spec){.src = answer ? server : client,
	                                   .dst = answer ? client : server,
	                                   .proto = IP_PROTO_TCP,
	                                   .sport = answer ? 21 : 2000,
	                                   .dport = answer ? 2000 : 21,
	                                   .payload = len});
	tcp = (struct tcp_header *)(f->data + f->l4);
	tcp->seq = htobe32(seq);
	tcp->ack = htobe32(ack);
	tcp->offset_flags = htobe16((uint16_t)(5 << 12 | flags));
	tcp->window = 0xffff;
	tcp->csum = 0;
	if (len)
		memcpy(tcp + 1, text, len);
	tcp->csum = csum_finish(csum_add(pseudo(f, v6), csum_bytes(tcp, sizeof(*tcp) + len)));
}

/* The numbers in what has become of the packet, which must be whole. */
static struct tcp_header result(const struct frame *f)
{
	static uint8_t whole[FRAME_MAX];
	uint32_t length_at = f->l3 + (f->l4 - f->l3 == 20 ? 2 : 4);
	uint32_t covered = (uint32_t)(f->l4 - f->l3 == 20 ? f->l3 : f->l4);
	struct tcp_header tcp;

	packet_copy_out(&p, 0, p.len, whole);
	if ((uint32_t)(whole[length_at] << 8 | whole[length_at + 1]) != p.len - covered ||
	    !frame_checksums_right(whole, p.len))
		abort();
	memcpy(&tcp, whole + f->l4, sizeof(tcp));
	return tcp;
}

static void begin(struct frame *f, const struct choice *c)
{
	struct ct_order o = {.flags = CT_COMMIT | CT_NAT,
	                     .alg = CT_ALG_FTP,
	                     .nat.flags = c->way & WAY_DST ? NAT_DST : NAT_SRC};

	ip_parse(c->way & WAY_V6 ? (c->way & WAY_DST ? "fd00::9" : "fd00:1:2:3:4:5:6:7")
	                         : (c->way & WAY_DST ? "10.0.0.9" : "192.168.100.200"),
	         &o.nat.addr_min);
	o.nat.addr_max = o.nat.addr_min;
	make(f, c, false, SYN, FIRST - 1, 0, NULL, 0);
	track(f, c, &o);
	make(f, c, true, SYN | ACK, ANSWER - 1, FIRST, NULL, 0);
	track(f, c, &nat);
}

static void speak(struct frame *f, const struct choice *c, const uint8_t *text, uint32_t len)
{
	bool answer = c->way & WAY_ANSWER;
	uint32_t mine = answer ? ANSWER : FIRST, other = answer ? FIRST : ANSWER, longer;

	make(f, c, answer, ACK, mine, other, text, len);
	track(f, c, &nat);
	longer = p.len - f->len;
	if (be32toh(result(f).seq) != mine)
		abort();
	make(f, c, answer, ACK, mine + len, other, text, 1);
	track(f, c, &nat);
	if (be32toh(result(f).seq) != mine + len + longer)
		abort();
	make(f, c, !answer, ACK, other, mine + len + longer, NULL, 0);
	track(f, c, &nat);
	if (be32toh(result(f).ack) != mine + len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frame f;
	struct choice c;

	if (size <= sizeof(c) || size > 1000)
		return 0;
	if (!dp.ct) {
		dp.ct = conntrack_create(&(struct conntrack_config){.max = 16});
		w.dp = &dp;
		w.now = CLOCK_SECOND;
	}
	memcpy(&c, data, sizeof(c));
	begin(&f, &c);
	speak(&f, &c, data + sizeof(c), (uint32_t)(size - sizeof(c)));
	conntrack_flush(dp.ct, NULL);
	return 0;
}
