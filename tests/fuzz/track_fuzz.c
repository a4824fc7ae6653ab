/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as packets in any pieces, tracked and translated: their length stays, and checksums that were
 * right are right afterwards. */
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "datapath/ct/conntrack.h"
#include "datapath/parse.h"
#include "datapath/track.h"
#include "datapath/worker.h"
#include "tests/lib/frames.h"
#include "tests/lib/pieces.h"

/* In front of each packet: how it is cut, what is ordered, and its length, behind which the next one begins.
 * The payload is malloc'ed, so that a read past it is seen. */
struct choice {
	uint8_t head, piece, order, zone;
	uint16_t len;
};

enum { ORDER_COMMIT = 1, ORDER_FORCE = 2, ORDER_NAT = 4, ORDER_DST = 8, ORDER_RANGE = 16, ORDER_V6 = 32 };

static struct datapath dp;
static struct worker w;

static void make(struct packet *p, const struct choice *c, uint8_t *data, uint32_t len)
{
	packet_cut(p, data, len, c->head, c->piece);
}

static struct ct_order order_of(const struct choice *c)
{
	struct ct_order o = {.zone = c->zone % 4};

	if (c->order & (ORDER_COMMIT | ORDER_FORCE))
		o.flags |= CT_COMMIT;
	if (c->order & ORDER_FORCE)
		o.flags |= CT_FORCE;
	if (c->order & ORDER_NAT)
		o.flags |= CT_NAT;
	if (!(c->order & ORDER_RANGE) || !(c->order & ORDER_COMMIT))
		return o;
	o.nat.flags = c->order & ORDER_DST ? NAT_DST : NAT_SRC;
	o.nat.port_min = 3000;
	o.nat.port_max = 3003;
	ip_parse(c->order & ORDER_V6 ? "fd09::1" : "9.0.0.1", &o.nat.addr_min);
	o.nat.addr_max = o.nat.addr_min;
	return o;
}

/* Headers without options, all there: what frame_checksums_right() knows. */
static bool is_plain(const struct packet *p)
{
	return p->l4 && p->l4 == p->l3 + (p->l3_kind == L3_IPV4 ? sizeof(struct ipv4_header)
	                                                        : sizeof(struct ipv6_header));
}

static bool is_ipv4_right(const struct packet *p, const uint8_t *frame)
{
	return p->l3_kind == L3_IPV4 &&
	       csum_fold(csum_bytes(frame + p->l3, (frame[p->l3] & 15u) * 4)) == 0xffff;
}

static void track(struct packet *p, const struct choice *c, const uint8_t *data, uint32_t len)
{
	static uint8_t whole[65536];
	struct ct_order o = order_of(c);
	struct ct_facts facts = {0};
	struct mkey key;

	parse_packet(p, &key);
	conntrack_prefetch_found(dp.ct, track_prefetch(&w, &key, o.zone));
	for (unsigned i = 0; i < 2; i++) {
		track_packet(&w, p, &o, &facts);
		if (p->len != len || !(facts.state & CT_TRK) || facts.zone != o.zone)
			abort();
		packet_copy_out(p, 0, len, whole);
		if ((facts.state & CT_INV) && i == 0 && memcmp(whole, data, len) != 0)
			abort();
		if (!(facts.state & CT_INV) && is_plain(p) && frame_checksums_right(data, len) &&
		    !frame_checksums_right(whole, len))
			abort();
		if (!(facts.state & CT_INV) && is_ipv4_right(p, data) && !is_ipv4_right(p, whole))
			abort();
	}
}

/* Returns how many bytes it took; 0: no more packets. */
static size_t one(const uint8_t *data, size_t size)
{
	static struct packet p;
	struct choice c;
	uint8_t *copy;
	uint32_t len;

	if (size < sizeof(c) + sizeof(struct eth_header))
		return 0;
	memcpy(&c, data, sizeof(c));
	len = (uint32_t)(size - sizeof(c));
	if (c.len >= sizeof(struct eth_header) && c.len < len)
		len = c.len;
	copy = malloc(len);
	memcpy(copy, data + sizeof(c), len);
	make(&p, &c, copy, len);
	track(&p, &c, copy, len);
	free(copy);
	return sizeof(c) + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	if (!dp.ct) {
		dp.ct = conntrack_create(&(struct conntrack_config){.max = 512});
		w.dp = &dp;
	}
	w.now += CLOCK_SECOND;
	for (size_t n = one(data, size); n; n = one(data, size)) {
		data += n;
		size -= n;
	}
	return 0;
}
