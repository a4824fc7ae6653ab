/* SPDX-License-Identifier: Apache-2.0 */
/* Packets through meters: what is dropped, what is remarked, what is counted. The clock is the test's. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "flows/meter.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"
#include "tests/pktgen/packet_text.h"

#define ETH "eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01)/"

static struct test_switch s;
static uint8_t in[PACKET_TEXT_MAX], want[PACKET_TEXT_MAX];

static void setup(void)
{
	clock_set(1000 * CLOCK_SECOND);
	test_switch_init(&s, NULL, NULL);
	for (uint32_t i = 1; i <= 3; i++)
		test_switch_port(&s, i, "{}");
}

static void teardown(void)
{
	test_switch_free(&s);
}

TestSuite(metered, .init = setup, .fini = teardown, .timeout = 60);

static void meter(uint32_t id, uint16_t flags, struct meter_band band)
{
	struct meter_mod mm = {
	        .command = METER_ADD, .meter_id = id, .flags = flags, .n_bands = 1, .bands = {band}};

	test_switch_meter(&s, &mm);
}

/* How many of `n` packets, one every `gap` ns, leave through port 2. */
static unsigned passed(const char *packet, unsigned n, uint64_t gap)
{
	uint32_t len = packet_text_make(packet, in);
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++) {
		test_switch_send(&s, 1, in, len);
		count += test_switch_count(&s, 2);
		clock_set(clock_now() + gap);
	}
	return count;
}

static void expect(const char *from, const char *to)
{
	uint32_t len = packet_text_make(from, in);

	test_switch_send(&s, 1, in, len);
	len = packet_text_make(to, want);
	test_switch_expect(&s, 2, want, len, from);
}

Test(metered, packets_over_the_rate_are_dropped_and_counted)
{
	meter(1, METER_PKTPS | METER_BURST,
	      (struct meter_band){.type = METER_DROP, .rate = 100, .burst = 10});
	test_switch_flow(&s, "in_port=1,actions=meter:1,output:2");
	/* ten at once; then, at twice the rate, every second one */
	cr_assert_eq(passed(ETH "ipv4()/udp()", 20, 0), 10);
	cr_assert_eq(test_switch_drops(&s, DROP_METER), 10);
	clock_set(clock_now() + CLOCK_SECOND);
	cr_assert_eq(passed(ETH "ipv4()/udp()", 10, 0), 10);
	cr_assert_eq(passed(ETH "ipv4()/udp()", 1000, 5 * CLOCK_MS), 499);
}

Test(metered, kilobits_count_whole_frames)
{
	/* 1 Mb/s and frames of 1000 bytes: 125 a second, 25 of them as burst */
	meter(1, METER_KBPS | METER_BURST,
	      (struct meter_band){.type = METER_DROP, .rate = 1000, .burst = 200});
	test_switch_flow(&s, "in_port=1,actions=meter:1,output:2");
	cr_assert_eq(passed(ETH "ipv4()/udp()/data(len=958)", 100, 0), 25);
	cr_assert_eq(passed(ETH "ipv4()/udp()/data(len=958)", 1000, 4 * CLOCK_MS), 499);
}

Test(metered, remarking_raises_the_drop_precedence_of_af)
{
	meter(1, METER_PKTPS | METER_BURST,
	      (struct meter_band){.type = METER_DSCP_REMARK, .rate = 1, .burst = 1, .prec_level = 1});
	test_switch_flow(&s, "in_port=1,actions=meter:1,output:2");
	expect(ETH "ipv4(tos=0x48)/udp()", ETH "ipv4(tos=0x48)/udp()"); /* within the rate */
	expect(ETH "ipv4(tos=0x48)/udp()/data(len=9)",
	       ETH "ipv4(tos=0x50)/udp()/data(len=9)");                 /* AF21, AF22 */
	expect(ETH "ipv4(tos=0x4b)/udp()", ETH "ipv4(tos=0x53)/udp()"); /* ECN stays */
	expect(ETH "ipv4(tos=0x58)/udp()", ETH "ipv4(tos=0x58)/udp()"); /* AF23 is the top */
	expect(ETH "ipv4(tos=0xb8)/udp()", ETH "ipv4(tos=0xb8)/udp()"); /* EF has no drop precedence */
	expect(ETH "ipv4()/udp()", ETH "ipv4()/udp()");
	expect(ETH "vlan(vid=3)/ipv6(tc=0x28)/tcp()", ETH "vlan(vid=3)/ipv6(tc=0x30)/tcp()"); /* AF11, AF12 */
	expect(ETH "arp()/data(len=18)", ETH "arp()/data(len=18)");
	cr_assert_eq(test_switch_drops(&s, DROP_METER), 0);
}

Test(metered, two_flows_share_a_meter_and_others_do_not)
{
	meter(1, METER_PKTPS | METER_BURST, (struct meter_band){.type = METER_DROP, .rate = 1, .burst = 4});
	test_switch_flow(&s, "in_port=1,udp,actions=meter:1,output:2");
	test_switch_flow(&s, "in_port=1,tcp,actions=meter:1,output:2");
	test_switch_flow(&s, "in_port=1,icmp,actions=output:2");
	cr_assert_eq(passed(ETH "ipv4()/udp()", 3, 0), 3);
	cr_assert_eq(passed(ETH "ipv4()/tcp()", 3, 0), 1);
	cr_assert_eq(passed(ETH "ipv4()/icmp()", 3, 0), 3);
}
