/* SPDX-License-Identifier: Apache-2.0 */
/* check_pkt_larger with real frames over memory ports: what counts as the length, as actions change it, of
 * packets that are cut into segments, and that only those who ask for it pay. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/wire.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"
#include "tests/lib/tables_rig.h"

enum { HEADERS = 14 + 20 + 8 }; /* of a UDP frame */

static struct test_switch s;
static struct frame in;

static void setup(void)
{
	test_switch_init(&s, NULL, NULL);
	for (uint32_t i = 1; i <= 4; i++)
		test_switch_port(&s, i, "{}");
	test_switch_flow(&s, "table=1,reg0=0,actions=output:2");
	test_switch_flow(&s, "table=1,reg0=1,actions=output:3");
}

static void teardown(void)
{
	test_switch_free(&s);
}

TestSuite(length, .init = setup, .fini = teardown, .timeout = 60);

/* Does a frame that comes in on port 1 count as larger? */
static bool is_larger(void)
{
	unsigned smaller, larger;

	test_switch_send(&s, 1, in.data, in.len);
	smaller = test_switch_count(&s, 2);
	larger = test_switch_count(&s, 3);
	cr_assert_eq(smaller + larger, 1);
	return larger;
}

static bool of_length_is_larger(uint32_t len, uint16_t vlan)
{
	frame_make(&in, &(struct frame_spec){.payload = len - HEADERS, .vlan = vlan});
	cr_assert_eq(in.len, len + (vlan ? 4 : 0));
	return is_larger();
}

static void check(const char *before, unsigned limit)
{
	char flow[256];

	snprintf(flow, sizeof(flow), "in_port=1,actions=%scheck_pkt_larger(%u)->NXM_NX_REG0[0],resubmit(,1)",
	         before, limit);
	test_switch_flow(&s, flow);
}

Test(length, a_frame_is_larger_or_not)
{
	check("", 500);
	for (unsigned i = 0; i < 2; i++) { /* the second time they are cached */
		cr_expect_not(of_length_is_larger(60, 0));
		cr_expect_not(of_length_is_larger(500, 0));
		cr_expect(of_length_is_larger(501, 0));
		cr_expect(of_length_is_larger(1500, 0));
		cr_expect_not(of_length_is_larger(499, 0));
	}
	check("", 1499);
	cr_expect_not(of_length_is_larger(501, 0));
	cr_expect(of_length_is_larger(1500, 0));
}

Test(length, the_outermost_tag_does_not_count)
{
	check("", 500);
	cr_expect_not(of_length_is_larger(500, 7));
	cr_expect(of_length_is_larger(501, 7));
	check("push_vlan:0x8100,", 500);
	cr_expect_not(of_length_is_larger(500, 0));
	cr_expect_not(of_length_is_larger(496, 7)); /* two tags */
	cr_expect(of_length_is_larger(497, 7));
	check("strip_vlan,", 500);
	cr_expect_not(of_length_is_larger(500, 7));
	cr_expect(of_length_is_larger(501, 7));
	check("mod_vlan_vid:9,", 500);
	cr_expect_not(of_length_is_larger(500, 0)); /* it comes of "push if there is no tag", which pushes */
	cr_expect(of_length_is_larger(497, 7));
}

Test(length, what_actions_add_counts)
{
	check("push_mpls:0x8847,", 500);
	cr_expect_not(of_length_is_larger(496, 0));
	cr_expect(of_length_is_larger(497, 0));
	check("push_mpls:0x8847,pop_mpls:0x0800,", 500);
	cr_expect_not(of_length_is_larger(500, 0));
	cr_expect(of_length_is_larger(501, 0));
	check("push_pbb:0x88e7,", 500);
	cr_expect_not(of_length_is_larger(482, 0));
	cr_expect(of_length_is_larger(483, 0));
	cr_expect_not(of_length_is_larger(478, 7)); /* the tag is the customer's now */
	cr_expect(of_length_is_larger(479, 7));
	check("push_pbb:0x88e7,push_vlan:0x88a8,pop_pbb,", 500);
	cr_expect_not(of_length_is_larger(500, 7));
	cr_expect(of_length_is_larger(501, 7));
	/* A frame of 60 bytes is filled up when it loses its tag. */
	check("strip_vlan,push_vlan:0x8100,push_vlan:0x8100,", 63);
	cr_expect(of_length_is_larger(60, 7));
	cr_expect(of_length_is_larger(56, 7));
}

static void inject_tso(uint32_t payload, uint16_t mss)
{
	frame_make(&in, &(struct frame_spec){.proto = IP_PROTO_TCP, .payload = payload, .partial = true});
	test_switch_inject_tso(&s, 1, &in, mss);
	test_switch_run(&s);
}

/* What is cut later is as long as its segments. */
Test(length, segments_count)
{
	check("", 14 + 20 + 20 + 1000);
	inject_tso(20000, 1000);
	cr_expect_eq(test_switch_count(&s, 2), 20);
	inject_tso(20020, 1001);
	cr_expect_eq(test_switch_count(&s, 3), 20);
	inject_tso(900, 1001); /* a single segment, which is shorter */
	cr_expect_eq(test_switch_count(&s, 2), 1);
}

Test(length, of_a_packet_out)
{
	frame_make(&in, &(struct frame_spec){.payload = 500 - HEADERS});
	test_switch_packet_out(&s, 1, "check_pkt_larger(499)->NXM_NX_REG0[0],resubmit(,1)", in.data, in.len);
	cr_expect_eq(test_switch_count(&s, 3), 1);
	test_switch_packet_out(&s, 1, "check_pkt_larger(500)->NXM_NX_REG0[0],resubmit(,1)", in.data, in.len);
	cr_expect_eq(test_switch_count(&s, 2), 1);
}

/* Nothing comes of it where the bit is not. */
Test(length, a_bit_of_a_field)
{
	test_switch_flow(&s, "in_port=1,actions=check_pkt_larger(100)->NXM_OF_TCP_DST[15],output:4");
	frame_make(&in, &(struct frame_spec){.payload = 200, .dport = 5});
	test_switch_send(&s, 1, in.data, in.len);
	test_switch_expect(&s, 4, in.data, in.len, "no TCP");
	frame_make(&in, &(struct frame_spec){.proto = IP_PROTO_TCP, .payload = 200, .dport = 5});
	test_switch_send(&s, 1, in.data, in.len);
	frame_make(&in, &(struct frame_spec){.proto = IP_PROTO_TCP, .payload = 200, .dport = 0x8005});
	test_switch_expect(&s, 4, in.data, in.len, "the highest bit of the port");
}

/* ---- what is cached ---- */

static void start(void)
{
	rig_start(NULL);
}

TestSuite(lengths, .init = start, .fini = rig_stop);

static void add(const char *text)
{
	cr_assert_eq(rig_flow(FLOW_ADD, text), TABLES_OK, "%s", text);
}

/* Sends packets of every length up to 2000 from `port`; larger than `limit` they must leave by port 3, else
 * by
 * 2. How many were misses. */
static uint64_t misses_of(unsigned port, unsigned limit)
{
	struct cache_stats before, after;
	char packet[64];

	snprintf(packet, sizeof(packet), "in_port=%u,udp", port);
	cache_get_stats(rig.cache, &before);
	for (uint32_t len = 60; len <= 2000; len++)
		cr_assert_str_eq(rig_send_long(packet, len), len > limit ? "output:3" : "output:2",
		                 "%u bytes: %s", len, rig_send_long(packet, len));
	cache_get_stats(rig.cache, &after);
	return after.misses - before.misses;
}

static void outputs(void)
{
	add("table=9,reg0=0,actions=output:2");
	add("table=9,reg0=1,actions=output:3");
}

Test(lengths, one_entry_for_each_answer)
{
	outputs();
	add("in_port=1,actions=check_pkt_larger(500)->NXM_NX_REG0[0],resubmit(,9)");
	cr_expect_eq(misses_of(1, 500), 2);
	add("in_port=5,actions=check_pkt_larger(500)->NXM_NX_REG0[0],check_pkt_larger(1000)->NXM_NX_REG0[0],"
	    "check_pkt_larger(700)->NXM_NX_REG0[0],resubmit(,9)");
	cr_expect_eq(misses_of(5, 700), 4);
	cr_expect_leq(misses_of(1, 500), 2, "what port 5 asks is nothing to port 1");
	add("in_port=1,actions=check_pkt_larger(501)->NXM_NX_REG0[0],resubmit(,9)");
	cr_expect_leq(misses_of(1, 501), 5);
	rig_fold();
	cr_expect_leq(misses_of(1, 501), 2);
}

Test(lengths, other_ports_do_not_care)
{
	outputs();
	add("in_port=1,actions=check_pkt_larger(500)->NXM_NX_REG0[0],resubmit(,9)");
	add("in_port=5,actions=output:2");
	cr_expect_eq(misses_of(5, 9999), 1);
	rig_flow(FLOW_DELETE, "in_port=1");
	rig_fold();
	add("in_port=1,actions=output:2");
	cr_expect_eq(misses_of(1, 9999), 1);
}

/* A tag more or less on the way: each length counts. */
Test(lengths, every_length_counts_where_frames_change_theirs)
{
	outputs();
	add("in_port=1,actions=push_vlan:0x8100,push_vlan:0x8100,resubmit(,8)");
	add("table=8,actions=check_pkt_larger(500)->NXM_NX_REG0[0],strip_vlan,strip_vlan,resubmit(,9)");
	add("table=9,priority=40000,reg0=0,actions=push_vlan:0x8100,strip_vlan,output:2");
	for (uint32_t len = 480; len < 520; len++) {
		const char *done = rig_send_long("in_port=1,udp", len);

		cr_expect_eq(strstr(done, "output:3") != NULL, len > 496, "%u bytes: %s", len, done);
	}
}

Test(lengths, every_length_counts_where_limits_are_many)
{
	outputs();
	for (unsigned i = 0; i < 8; i++) {
		char flow[200];

		snprintf(flow, sizeof(flow),
		         "in_port=1,udp,tp_dst=%u,actions=check_pkt_larger(%u)->NXM_NX_REG0[0],resubmit(,9)",
		         i, 500 + i);
		add(flow);
	}
	add("in_port=1,priority=1,actions=check_pkt_larger(600)->NXM_NX_REG0[0],resubmit(,9)");
	cr_expect_eq(misses_of(1, 500), 1941);
}
