/* SPDX-License-Identifier: Apache-2.0 */
/* VXLAN encap and decap against bytes written by hand. The underlay is a veth pair in a network namespace of
 * the test process' own, so nothing is left behind. */
#include <criterion/criterion.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>

#include "base/checksum.h"
#include "base/dp/rcu.h"
#include "base/wire.h"
#include "datapath/parse.h"
#include "overlay/vxlan/underlay.h"
#include "overlay/vxlan/vxlan.h"
#include "tests/lib/eal.h"
#include "tests/pktgen/packet_text.h"

static const uint8_t inner_arp[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0,    0, 0,  1, 0x08, 0x06, /* Ethernet */
        0,    1,    8,    0,    6,    4,    0,    1, 0x02, 0, 0,  0, 0,    1,
        10,   0,    0,    1,    0,    0,    0,    0, 0,    0, 10, 0, 0,    2,
};

/* To 02:00:00:00:00:0a from ...:0b; 172.31.0.2 -> 172.31.0.1, UDP 50000 -> 4789, VNI 42. */
static const uint8_t outer4[] = {
        0x02, 0,    0,    0,    0, 0x0a, 0x02, 0, 0,    0,   0,  0x0b, 0x08, 0x00, 0x45, 0, 0,
        78,   0,    0,    0x40, 0, 64,   17,   0, 0,    172, 31, 0,    2,    172,  31,   0, 1,
        0xc3, 0x50, 0x12, 0xb5, 0, 58,   0,    0, 0x08, 0,   0,  0,    0,    0,    42,   0,
};

static uv_loop_t loop;
static struct underlay *underlay;

static void setup(void)
{
	struct error e;

	cr_assert_eq(unshare(CLONE_NEWNET), 0, "needs root");
	cr_assert_eq(
	        system("ip link set lo up; ip link add a0 address 02:00:00:00:00:0a type veth peer name b0;"
	               "sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.a0.accept_dad=0;"
	               "ip link set a0 mtu 1600 up; ip link set b0 mtu 1600 up;"
	               "ip addr add 172.31.0.1/24 dev a0; ip -6 addr add fd00::1/64 dev a0 nodad;"
	               "ip neigh add 172.31.0.2 lladdr 02:00:00:00:00:0b dev a0;"
	               "ip neigh add fd00::2 lladdr 02:00:00:00:00:0b dev a0"),
	        0);
	test_eal_init();
	rcu_init();
	uv_loop_init(&loop);
	cr_assert_eq(underlay_create(&loop, &underlay, &e), 0, "%s", e.text);
}

static void teardown(void)
{
	underlay_destroy(underlay, NULL, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0);
	rcu_synchronize();
}

TestSuite(vxlan, .init = setup, .fini = teardown, .timeout = 60);

static struct vxlan_vtep *make_vtep(const char *options)
{
	json_t *o = json_loads(options, 0, NULL);
	struct vxlan_vtep *v = NULL;
	struct error e = {""};

	cr_assert_eq(vxlan_vtep_create(underlay, o, &v, &e), 0, "%s", e.text);
	json_decref(o);
	return v;
}

static int encap(struct vxlan_vtep *v, struct packet *p, struct vxlan_out *out)
{
	struct vxlan_memory m = {0};

	return vxlan_encap(v, 0, &m, p, out);
}

static void make_packet(struct packet *p, const void *a, size_t a_len, const void *b, size_t b_len)
{
	packet_reset(p);
	memcpy(p->head, a, a_len);
	memcpy(p->head + a_len, b, b_len);
	p->head_len = (uint16_t)(a_len + b_len);
	p->len = p->head_len;
}

/* A good IPv4 VXLAN packet; change bytes of the result, then fix_ipv4(). */
static void make_outer4(struct packet *p)
{
	make_packet(p, outer4, sizeof(outer4), inner_arp, sizeof(inner_arp));
}

static void fix_ipv4(struct packet *p)
{
	struct ipv4_header *ip = (void *)(p->head + 14);

	ip->total_len = htobe16((uint16_t)(p->len - 14));
	((struct udp_header *)(p->head + 34))->len = htobe16((uint16_t)(p->len - 34));
	ip->csum = 0;
	ip->csum = csum_finish(csum_bytes(ip, 20));
}

/* By itself, and as one that follows a good packet of the same tunnel: the result is the same. */
static int decap(struct vxlan_vtep *v, struct packet *p)
{
	struct vxlan_memory fresh = {0}, primed = {0};
	struct packet again, good;
	unsigned which;
	int drop;

	packet_snapshot(&again, p);
	make_outer4(&good);
	fix_ipv4(&good);
	vxlan_decap(&v, 1, &primed, &good, &which);
	drop = vxlan_decap(&v, 1, &fresh, p, &which);
	cr_assert_eq(vxlan_decap(&v, 1, &primed, &again, &which), drop);
	if (drop == VXLAN_OK) {
		cr_assert_eq(again.len, p->len);
		cr_assert_eq(again.head_len, p->head_len);
		cr_assert_eq(again.flags, p->flags);
		cr_assert_eq(memcmp(again.head, p->head, p->head_len), 0);
		cr_assert_eq(memcmp(&again.tunnel, &p->tunnel, sizeof(p->tunnel)), 0);
	}
	return drop;
}

/* Any bits of the outer headers may be different from those of the good packet before. */
Test(vxlan, decap_does_not_take_one_packet_for_another)
{
	struct vxlan_vtep *v = make_vtep("{\"local\":\"172.31.0.1\",\"allow\":\"172.31.0.2\"}");
	unsigned seed = 1, good = 0, bad = 0;
	struct packet p;

	for (int i = 0; i < 200000; i++) {
		make_outer4(&p);
		for (int k = rand_r(&seed) % 3; k > 0; k--)
			p.head[12 + rand_r(&seed) % 40] ^= (uint8_t)(1 << rand_r(&seed) % 8);
		if (rand_r(&seed) % 8)
			fix_ipv4(&p);
		*(decap(v, &p) == VXLAN_OK ? &good : &bad) += 1;
	}
	cr_assert_gt(good, 10000);
	cr_assert_gt(bad, 10000);
	vxlan_vtep_destroy(v);
}

Test(vxlan, decap_strips_and_tells_the_tunnel)
{
	struct vxlan_vtep *v = make_vtep("{\"local\":\"172.31.0.1\",\"allow\":\"172.31.0.2\"}");
	struct ip_addr src = ip_from_v4(htobe32(0xac1f0002)), dst = ip_from_v4(htobe32(0xac1f0001));
	struct packet p;

	make_outer4(&p);
	fix_ipv4(&p);
	cr_assert_eq(decap(v, &p), VXLAN_OK);
	cr_assert_eq(p.len, sizeof(inner_arp));
	cr_assert_eq(memcmp(p.head, inner_arp, sizeof(inner_arp)), 0);
	cr_assert_eq(p.tunnel.id, 42);
	cr_assert(ip_equal(&p.tunnel.src, &src));
	cr_assert(ip_equal(&p.tunnel.dst, &dst));
	cr_assert_eq(p.tunnel.ttl, 64);
	vxlan_vtep_destroy(v);
}

Test(vxlan, decap_trims_padding_in_segments)
{
	struct vxlan_vtep *v = make_vtep("{\"local\":\"172.31.0.1\",\"allow\":\"any\"}");
	static const uint8_t padding[20];
	struct packet p;
	uint8_t tail[16];

	make_outer4(&p);
	fix_ipv4(&p);
	memcpy(tail, p.head + p.len - 16, 16);
	p.head_len = (uint16_t)(p.head_len - 16);
	p.segs[0] = (struct packet_seg){tail, 16};
	p.segs[1] = (struct packet_seg){padding, 20};
	p.nsegs = 2;
	p.len += 20;
	cr_assert_eq(decap(v, &p), VXLAN_OK);
	cr_assert_eq(p.len, sizeof(inner_arp));
	cr_assert_eq(p.nsegs, 1);
	cr_assert_eq(p.segs[0].len, 16);
	vxlan_vtep_destroy(v);
}

static int decap_changed(struct vxlan_vtep *v, unsigned ofs, uint8_t value)
{
	struct packet p;

	make_outer4(&p);
	fix_ipv4(&p);
	p.head[ofs] = value;
	((struct ipv4_header *)(p.head + 14))->csum = 0;
	((struct ipv4_header *)(p.head + 14))->csum = csum_finish(csum_bytes(p.head + 14, 20));
	return decap(v, &p);
}

Test(vxlan, decap_refuses_with_a_reason)
{
	struct vxlan_vtep *v =
	        make_vtep("{\"local\":\"172.31.0.1\",\"allow\":\"172.31.0.2\",\"vni\":\"42\"}");
	struct packet p;

	cr_expect_eq(decap_changed(v, 0, 2), VXLAN_OK);
	cr_expect_eq(decap_changed(v, 12, 0x07), DROP_UNDERLAY_OTHER);
	cr_expect_eq(decap_changed(v, 14, 0x44), DROP_TUNNEL_BAD_LENGTH);
	cr_expect_eq(decap_changed(v, 17, 200), DROP_TUNNEL_BAD_LENGTH);
	cr_expect_eq(decap_changed(v, 17, 77), DROP_TUNNEL_BAD_LENGTH);
	cr_expect_eq(decap_changed(v, 20, 0x20), DROP_TUNNEL_FRAGMENT);
	cr_expect_eq(decap_changed(v, 21, 1), DROP_TUNNEL_FRAGMENT);
	cr_expect_eq(decap_changed(v, 23, 6), DROP_UNDERLAY_OTHER);
	cr_expect_eq(decap_changed(v, 29, 3), DROP_TUNNEL_SOURCE);
	cr_expect_eq(decap_changed(v, 33, 3), DROP_TUNNEL_NOT_OURS);
	cr_expect_eq(decap_changed(v, 37, 0xb6), DROP_UNDERLAY_OTHER);
	cr_expect_eq(decap_changed(v, 39, 59), DROP_TUNNEL_BAD_LENGTH);
	cr_expect_eq(decap_changed(v, 40, 1), DROP_TUNNEL_BAD_CSUM);
	cr_expect_eq(decap_changed(v, 42, 0), DROP_TUNNEL_NO_FLAG_I);
	cr_expect_eq(decap_changed(v, 48, 43), DROP_TUNNEL_VNI);
	make_outer4(&p);
	cr_expect_eq(decap(v, &p), DROP_TUNNEL_BAD_CSUM, "the IPv4 header checksum counts");
	for (uint32_t n = 0; n < sizeof(outer4) + 14; n++) {
		make_outer4(&p);
		p.len = p.head_len = (uint16_t)n;
		fix_ipv4(&p);
		cr_expect_neq(decap(v, &p), VXLAN_OK, "%u bytes", n);
	}
	vxlan_vtep_destroy(v);
}

Test(vxlan, allow_list_changes_at_run_time)
{
	struct vxlan_vtep *v = make_vtep("{\"local\":\"172.31.0.1\"}");
	struct error e;

	cr_expect_eq(decap_changed(v, 0, 2), DROP_TUNNEL_SOURCE);
	cr_assert_eq(vxlan_vtep_set_allow(v, "10.0.0.1,172.31.0.2,fd00::2", &e), 0);
	cr_expect_eq(decap_changed(v, 0, 2), VXLAN_OK);
	cr_assert_neq(vxlan_vtep_set_allow(v, "10.0.0.1,banana", &e), 0);
	cr_expect_eq(decap_changed(v, 0, 2), VXLAN_OK, "a refused change changes nothing");
	cr_assert_eq(vxlan_vtep_set_allow(v, "", &e), 0);
	cr_expect_eq(decap_changed(v, 0, 2), DROP_TUNNEL_SOURCE);
	vxlan_vtep_destroy(v);
}

Test(vxlan, decap_prefers_the_most_specific)
{
	struct vxlan_vtep *v[3] = {
	        make_vtep("{\"local\":\"172.31.0.1\",\"allow\":\"any\"}"),
	        make_vtep("{\"local\":\"172.31.0.1\",\"remote\":\"172.31.0.2\"}"),
	        make_vtep("{\"local\":\"172.31.0.1\",\"allow\":\"any\",\"vni\":42}"),
	};
	struct vxlan_memory m = {0};
	struct packet p;

	for (int again = 0; again < 2; again++) {
		unsigned which = 9;

		make_outer4(&p);
		fix_ipv4(&p);
		cr_assert_eq(vxlan_decap(v, 3, &m, &p, &which), VXLAN_OK);
		cr_assert_eq(which, 1);
	}
	for (int i = 0; i < 3; i++)
		vxlan_vtep_destroy(v[i]);
}

static void make_inner_ipv4(struct packet *p, uint8_t tos)
{
	uint8_t inner[14 + 20 + 8] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
	struct ipv4_header *ip = (void *)(inner + 14);

	*ip = (struct ipv4_header){
	        .version_ihl = 0x45, .tos = tos, .total_len = htobe16(28), .ttl = 9, .proto = 17};
	ip->csum = csum_finish(csum_bytes(ip, 20));
	make_packet(p, inner, sizeof(inner), "", 0);
	p->l3 = 14;
	p->l4 = 34;
}

static int decap_ecn(struct vxlan_vtep *v, uint8_t outer_tos, uint8_t inner_tos, uint8_t *result)
{
	struct packet inner, p;
	int drop;

	make_inner_ipv4(&inner, inner_tos);
	make_packet(&p, outer4, sizeof(outer4), inner.head, inner.head_len);
	p.head[15] = outer_tos;
	fix_ipv4(&p);
	drop = decap(v, &p);
	if (drop == VXLAN_OK) {
		*result = p.head[15];
		cr_expect_eq(csum_fold(csum_bytes(p.head + 14, 20)), 0xffff);
	}
	return drop;
}

Test(vxlan, ecn_combines_as_in_rfc_6040)
{
	struct vxlan_vtep *v = make_vtep("{\"local\":\"172.31.0.1\",\"allow\":\"any\"}");
	static const int expected[4][4] = {
	        {0, 0, 0, -1}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}}; /* [inner][outer] */

	for (uint8_t inner = 0; inner < 4; inner++)
		for (uint8_t outer = 0; outer < 4; outer++) {
			uint8_t tos = 0xff;
			int drop = decap_ecn(v, outer, 0x40 | inner, &tos);

			if (expected[inner][outer] < 0)
				cr_expect_eq(drop, DROP_TUNNEL_ECN);
			else
				cr_expect_eq(tos, 0x40 | expected[inner][outer], "inner %d outer %d: %x",
				             inner, outer, tos);
		}
	vxlan_vtep_destroy(v);
}

Test(vxlan, encap_writes_the_outer_headers)
{
	struct vxlan_vtep *v = make_vtep("{\"local\":\"172.31.0.1\"}");
	uint8_t expected[sizeof(outer4)];
	struct ip_addr remote = ip_from_v4(htobe32(0xac1f0002));
	struct vxlan_out out = {0};
	struct packet p;
	uint16_t sport;

	make_inner_ipv4(&p, 2);
	cr_expect_eq(encap(v, &p, &out), DROP_TUNNEL_NO_DST);
	p.tunnel.dst = remote;
	p.tunnel.id = 42;
	cr_expect_eq(encap(v, &p, &out), DROP_TUNNEL_NO_NEIGH, "the first packet makes the remote known");
	underlay_poll(underlay);
	cr_assert_eq(encap(v, &p, &out), VXLAN_OK);
	cr_expect_eq(out.ifindex, (int)if_nametoindex("a0"));
	cr_expect_eq(out.inner_mtu, 1600 - 50);
	cr_expect_eq(p.len, 42 + 50);
	cr_expect_eq(p.flags, PACKET_ENCAP);
	cr_expect_eq(p.outer_l3, 14);
	cr_expect_eq(p.outer_l4, 34);
	cr_expect_eq(p.l3, 14 + 50);
	cr_expect_eq(p.l4, 34 + 50);

	memcpy(expected, outer4, sizeof(expected));
	memcpy(expected, (uint8_t[]){2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa}, 12);
	memcpy(expected + 26, (uint8_t[]){172, 31, 0, 1, 172, 31, 0, 2}, 8);
	expected[15] = 2; /* ECN of the inner packet */
	expected[17] = 42 + 36;
	expected[39] = 42 + 16;
	memcpy(&sport, p.head + 34, 2);
	cr_expect_geq(be16toh(sport), 49152);
	memcpy(expected + 34, &sport, 2);
	memcpy(expected + 24, p.head + 24, 2);
	cr_expect_eq(csum_fold(csum_bytes(p.head + 14, 20)), 0xffff);
	cr_expect_arr_eq(p.head, expected, sizeof(expected));
	vxlan_vtep_destroy(v);
}

/* An inner packet over IPv4 of some length, behind a tag or not, with or without something at L4. */
static void make_some_inner(struct packet *p)
{
	uint16_t l3 = rand() % 2 ? 14 : 18, more = (uint16_t)(rand() % 60);
	struct ipv4_header *ip;

	make_inner_ipv4(p, (uint8_t)rand());
	memmove(p->head + l3, p->head + 14, 20);
	ip = (struct ipv4_header *)(p->head + l3);
	memcpy(p->head + l3 - 2, (uint8_t[]){8, 0}, 2);
	ip->src = (be32)rand();
	p->l3 = l3;
	p->l4 = rand() % 4 ? (uint16_t)(l3 + 20) : 0;
	p->head_len = (uint16_t)(l3 + 20 + more);
	for (unsigned i = l3 + 20; i < p->head_len; i++)
		p->head[i] = (uint8_t)rand();
	p->len = p->head_len + (uint32_t)(rand() % 2 ? rand() % 1600 : 0);
	p->flags = rand() % 4 ? 0 : PACKET_CSUM_VALID;
	p->tunnel.tos = (uint8_t)rand();
	p->tunnel.id = (uint32_t)rand();
}

/* A TTL of its own takes a packet the long way; 64 is what it would have had. */
Test(vxlan, encap_makes_the_same_of_packets_that_need_little)
{
	struct vxlan_vtep *v =
	        make_vtep("{\"local\":\"172.31.0.1\",\"remote\":\"172.31.0.2\",\"vni\":\"flow\"}");
	unsigned passed = 0;

	for (unsigned i = 0; i < 20000; i++) {
		struct vxlan_out out, out_long;
		struct packet p, p_long;
		int rc;

		make_some_inner(&p);
		packet_snapshot(&p_long, &p);
		p_long.tunnel.ttl = 64;
		rc = encap(v, &p, &out);
		cr_assert_eq(encap(v, &p_long, &out_long), rc);
		p_long.tunnel.ttl = 0;
		cr_assert_eq(out.inner_mtu, out_long.inner_mtu);
		cr_assert_eq(p.head - p.buf, p_long.head - p_long.buf);
		p_long.head = p.head;
		cr_assert_arr_eq((uint8_t *)&p, (uint8_t *)&p_long, offsetof(struct packet, segs));
		cr_assert_arr_eq(p.head, p_long.buf + (p.head - p.buf), p.head_len);
		passed += rc == VXLAN_OK;
	}
	cr_expect_gt(passed, 10000);
	vxlan_vtep_destroy(v);
}

Test(vxlan, encap_over_ipv6_wants_a_checksum)
{
	struct vxlan_vtep *v =
	        make_vtep("{\"local\":\"172.31.0.1,fd00::1\",\"remote\":\"fd00::2\",\"vni\":7}");
	struct vxlan_out out;
	struct packet p;

	make_inner_ipv4(&p, 0);
	p.tunnel.tos = 0xb8;
	p.tunnel.ttl = 5;
	cr_assert_eq(encap(v, &p, &out), VXLAN_OK);
	cr_expect_eq(p.len, 42 + 70);
	cr_expect_eq(p.flags, PACKET_ENCAP | PACKET_OUTER_CSUM);
	cr_expect_arr_eq(p.head + 14, ((uint8_t[]){0x6b, 0x80, 0, 0, 0, 58, 17, 5}), 8);
	cr_expect_eq(p.head[14 + 40 + 8 + 6], 7);
	cr_expect_eq(out.inner_mtu, 1600 - 70);
	vxlan_vtep_destroy(v);
}

Test(vxlan, what_was_encapped_is_decapped)
{
	struct vxlan_vtep *here =
	        make_vtep("{\"local\":\"fd00::1\",\"remote\":\"fd00::2\",\"vni\":7,\"csum6\":\"zero\"}");
	struct vxlan_vtep *there = make_vtep("{\"local\":\"fd00::2\",\"remote\":\"fd00::1\",\"vni\":7}");
	struct vxlan_out out;
	struct packet p, copy;

	make_inner_ipv4(&p, 0);
	packet_snapshot(&copy, &p);
	cr_assert_eq(encap(here, &p, &out), VXLAN_OK);
	cr_expect_eq(p.flags, PACKET_ENCAP);
	cr_assert_eq(decap(there, &p), VXLAN_OK);
	cr_expect_eq(p.flags, 0);
	cr_expect_eq(p.tunnel.id, 7);
	cr_expect_eq(p.len, copy.len);
	cr_expect_arr_eq(p.head, copy.head, copy.len);
	vxlan_vtep_destroy(here);
	vxlan_vtep_destroy(there);
}

Test(vxlan, too_big_is_told_and_leaves_the_packet_alone)
{
	struct vxlan_vtep *v = make_vtep("{\"local\":\"172.31.0.1\",\"remote\":\"172.31.0.2\",\"vni\":7}");
	static uint8_t payload[65000];
	struct vxlan_out out;
	struct packet p;

	make_inner_ipv4(&p, 0);
	p.segs[0] = (struct packet_seg){payload, 1550 - 28 + 1};
	p.nsegs = 1;
	p.len += p.segs[0].len;
	cr_expect_eq(encap(v, &p, &out), DROP_TUNNEL_TOO_BIG);
	cr_expect_eq(out.inner_mtu, 1550);
	cr_expect_eq(p.len, 14u + 1551);
	p.segs[0].len--;
	p.len--;
	cr_expect_eq(encap(v, &p, &out), VXLAN_OK);

	make_inner_ipv4(&p, 0); /* a GSO packet counts by its segments */
	p.segs[0] = (struct packet_seg){payload, 60000};
	p.nsegs = 1;
	p.len += 60000;
	p.gso = GSO_UDP4;
	p.gso_size = 1400;
	p.flags = PACKET_NEEDS_CSUM;
	p.csum_start = 34;
	p.csum_offset = 6;
	cr_expect_eq(encap(v, &p, &out), VXLAN_OK);
	cr_expect_eq(p.csum_start, 34 + 50);
	vxlan_vtep_destroy(v);
}

Test(vxlan, source_ports_spread_over_flows)
{
	struct vxlan_vtep *v = make_vtep("{\"local\":\"172.31.0.1\",\"remote\":\"172.31.0.2\",\"vni\":7}");
	static uint8_t seen[65536];
	unsigned distinct = 0;
	struct vxlan_out out;

	for (unsigned i = 0; i < 1000; i++) {
		struct packet p;
		uint16_t sport;

		make_inner_ipv4(&p, 0);
		memcpy(p.head + 34, &i, 2);
		cr_assert_eq(encap(v, &p, &out), VXLAN_OK);
		memcpy(&sport, p.head + 34, 2);
		distinct += !seen[sport]++;
	}
	cr_expect_gt(distinct, 900);
	vxlan_vtep_destroy(v);
}

static be16 source_port_of(struct vxlan_vtep *v, const char *frame)
{
	static uint8_t bytes[PACKET_TEXT_MAX];
	struct vxlan_out out;
	struct packet p;
	struct mkey key;
	be16 sport;

	packet_view(&p, 1, bytes, packet_text_make(frame, bytes));
	parse_packet(&p, &key);
	cr_assert_eq(encap(v, &p, &out), VXLAN_OK);
	memcpy(&sport, p.head + 34, 2);
	return sport;
}

/* Else they could overtake each other on the way. */
Test(vxlan, fragments_of_a_packet_have_one_source_port)
{
	static const char *const frames[][3] = {
	        {"eth()/ipv4(src=10.0.0.1,dst=10.0.0.2,mf=1)/udp(src=1000,dst=53)/data(len=64)",
	         "eth()/ipv4(src=10.0.0.1,dst=10.0.0.2,offset=72,mf=1,proto=17)/data(len=64)",
	         "eth()/ipv4(src=10.0.0.1,dst=10.0.0.2,offset=136,proto=17)/data(len=64)"},
	        {"eth()/ipv6(src=fd00::1,dst=fd00::2)/fragment(mf=1)/udp(src=1000,dst=53)/data(len=64)",
	         "eth()/ipv6(src=fd00::1,dst=fd00::2)/fragment(offset=72,mf=1)/data(len=64)",
	         "eth()/ipv6(src=fd00::1,dst=fd00::2)/fragment(offset=136)/data(len=64)"},
	};
	struct vxlan_vtep *v = make_vtep("{\"local\":\"172.31.0.1\",\"remote\":\"172.31.0.2\",\"vni\":7}");

	for (unsigned i = 0; i < 2; i++)
		for (unsigned n = 1; n < 3; n++)
			cr_expect_eq(source_port_of(v, frames[i][n]), source_port_of(v, frames[i][0]), "%s",
			             frames[i][n]);
	vxlan_vtep_destroy(v);
}

Test(vxlan, options_name_what_is_wrong)
{
	static const char *const bad[][2] = {
	        {"{}", "local"},
	        {"{\"local\":\"x\"}", "local"},
	        {"{\"local\":\"1.2.3.4\",\"remote\":\"fd00::2\"}", "remote"},
	        {"{\"local\":\"1.2.3.4\",\"vni\":\"16777216\"}", "vni"},
	        {"{\"local\":\"1.2.3.4\",\"allow\":\"1.2.3.4,\"}", "allow"},
	        {"{\"local\":\"1.2.3.4\",\"color\":\"red\"}", "color"},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *o = json_loads(bad[i][0], 0, NULL);
		struct vxlan_vtep *v;
		struct error e = {""};

		cr_expect_neq(vxlan_vtep_create(underlay, o, &v, &e), 0);
		cr_expect(strstr(e.text, bad[i][1]), "%s", e.text);
		json_decref(o);
	}
}
