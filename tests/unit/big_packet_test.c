/* SPDX-License-Identifier: Apache-2.0 */
/* Packets larger than a port takes: passed whole, cut, fragmented, answered or dropped. Over memory ports. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/wire.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"

static struct test_switch s;
static struct frame in;

static void setup(void)
{
	test_switch_init(&s, NULL, NULL);
	for (uint32_t i = 1; i <= 4; i++)
		test_switch_port(&s, i, "{}");
}

static void teardown(void)
{
	test_switch_free(&s);
}

TestSuite(big_packet, .init = setup, .fini = teardown, .timeout = 60);

static void expect_nothing(uint32_t port)
{
	cr_assert_eq(test_switch_count(&s, port), 0, "port %u sent something", port);
}

static void inject_tso(uint32_t port, uint32_t payload, uint16_t mss)
{
	frame_make(&in, &(struct frame_spec){.proto = IP_PROTO_TCP, .payload = payload, .partial = true});
	test_switch_inject_tso(&s, port, &in, mss);
}

Test(big_packet, gso_passes_whole_or_is_cut)
{
	struct memory_frame *f;
	uint32_t total = 0;

	test_switch_add(&s, "capable", "memory", 10, "{\"caps\": 3, \"mtu\": 1500}");
	test_switch_flow(&s, "tcp,actions=output:10,output:2");
	inject_tso(1, 60000, 1448);
	test_switch_run(&s);
	f = test_switch_take(&s, 10);
	cr_assert_not_null(f);
	cr_assert_eq(f->gso, GSO_TCP4);
	cr_assert_eq(f->len, in.len);
	cr_assert_eq(memcmp(f->data, in.data, in.len), 0);
	free(f);
	while ((f = test_switch_take(&s, 2))) {
		cr_assert_leq(f->len, 54 + 1448);
		cr_assert(frame_checksums_right(f->data, f->len));
		cr_assert_eq(memcmp(f->data + 54, in.data + 54 + total, f->len - 54), 0);
		total += f->len - 54;
		free(f);
	}
	cr_assert_eq(total, 60000);
}

/* Nobody looks for TCP behind a label: what a port could do for plain TCP is done here. */
Test(big_packet, gso_behind_a_label_is_cut)
{
	uint32_t total = 0, n = 0;
	struct memory_frame *f;

	test_switch_add(&s, "capable", "memory", 10, "{\"caps\": 3, \"mtu\": 1500}");
	test_switch_flow(&s, "in_port=1,tcp,actions=push_mpls:0x8847,output:10");
	test_switch_flow(&s, "in_port=2,tcp,actions=push_mpls:0x8847,pop_mpls:0x0800,output:10");
	inject_tso(1, 20000, 1000);
	test_switch_run(&s);
	while ((f = test_switch_take(&s, 10))) {
		cr_assert_eq(f->gso, GSO_NONE);
		cr_assert_eq(f->data[12] << 8 | f->data[13], ETH_TYPE_MPLS);
		memmove(f->data + 14, f->data + 18, f->len - 18);
		f->data[12] = 8;
		f->data[13] = 0;
		cr_assert(frame_checksums_right(f->data, f->len - 4));
		total += f->len - 58;
		n++;
		free(f);
	}
	cr_assert_eq(total, 20000);
	cr_assert_eq(n, 20);
	inject_tso(2, 20000, 1000);
	test_switch_run(&s);
	f = test_switch_take(&s, 10);
	cr_assert_not_null(f);
	cr_assert_eq(f->gso, GSO_TCP4, "nothing is in front of it any more");
	free(f);
}

Test(big_packet, a_packet_over_the_mtu_is_answered)
{
	struct memory_frame *f;

	test_switch_add(&s, "small", "memory", 10, "{\"mtu\": 1000}");
	test_switch_flow(&s, "actions=output:10");
	frame_make(&in, &(struct frame_spec){.payload = 1100, .frag = 0x4000, .vlan = 3});
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(10);
	f = test_switch_take(&s, 1);
	cr_assert_not_null(f);
	cr_assert_eq(memcmp(f->data, in.data + 6, 6), 0);
	cr_assert_eq(memcmp(f->data + 12, in.data + 12, 6), 0, "the same tag");
	cr_assert(frame_checksums_right(f->data, f->len));
	cr_assert_eq(f->data[18 + 20], 3);
	cr_assert_eq(f->data[18 + 21], 4);
	cr_assert_eq(f->data[18 + 26] << 8 | f->data[18 + 27], 1000);
	cr_assert_eq(memcmp(f->data + 18 + 12, in.data + 18 + 16, 4), 0, "from whom it was meant for");
	cr_assert_eq(memcmp(f->data + 18 + 28, in.data + 18, 28), 0, "quotes the packet");
	cr_assert_eq(test_switch_drops(&s, DROP_TOO_BIG), 1);
	free(f);

	frame_make(&in, &(struct frame_spec){.src = "fd00::1", .dst = "fd00::2", .payload = 1100});
	test_switch_send(&s, 1, in.data, in.len);
	f = test_switch_take(&s, 1);
	cr_assert_not_null(f);
	cr_assert(frame_checksums_right(f->data, f->len));
	cr_assert_eq(f->data[54], 2);
	cr_assert_eq(f->data[60] << 8 | f->data[61], 1280);
	free(f);

	/* Segments count, not the chain. */
	inject_tso(1, 20000, 900);
	test_switch_run(&s);
	expect_nothing(1);
	cr_assert_gt(test_switch_count(&s, 10), 20);
}

Test(big_packet, a_packet_over_the_mtu_is_fragmented_without_df)
{
	struct memory_frame *f;
	uint32_t total = 0;

	test_switch_add(&s, "small", "memory", 10, "{\"mtu\": 600}");
	test_switch_flow(&s, "actions=output:10");
	frame_make(&in, &(struct frame_spec){.payload = 1400});
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(1);
	while ((f = test_switch_take(&s, 10))) {
		uint16_t frag = (uint16_t)(f->data[20] << 8 | f->data[21]);
		bool more = frag & 0x2000;

		cr_assert_leq(f->len, 614);
		cr_assert(frame_checksums_right(f->data, f->len));
		cr_assert_eq((frag & 0x1fff) * 8u, total);
		cr_assert_eq(memcmp(f->data + 34, in.data + 34 + total, f->len - 34), 0);
		total += f->len - 34;
		cr_assert_eq(more, total < 1408);
		free(f);
	}
	cr_assert_eq(total, 1408);
}

Test(big_packet, padding_over_the_mtu_is_cut_off)
{
	uint8_t padded[200] = {0};
	struct memory_frame *f;

	test_switch_add(&s, "small", "memory", 10, "{\"mtu\": 100}");
	test_switch_flow(&s, "actions=output:10");
	frame_make(&in, &(struct frame_spec){.proto = IP_PROTO_UDP});
	memcpy(padded, in.data, in.len);
	/* an IPv4 header alone: nothing of it may be lost, and nothing of it is payload */
	padded[16] = 0;
	padded[17] = 20;
	padded[24] = padded[25] = 0;
	test_switch_send(&s, 1, padded, sizeof(padded));
	f = test_switch_take(&s, 10);
	cr_assert_not_null(f);
	cr_assert_eq(f->len, 34);
	cr_assert_eq(f->data[20] << 8 | f->data[21], 0, "no more to come");
	free(f);
	cr_assert_eq(test_switch_drops(&s, DROP_TOO_BIG), 0);
}

Test(big_packet, ipv4_options_are_not_fragmented)
{
	uint8_t frame[400] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x46, 0, 386 >> 8, 386 & 255};

	test_switch_add(&s, "small", "memory", 10, "{\"mtu\": 100}");
	test_switch_flow(&s, "actions=output:10");
	frame[22] = 64;
	frame[23] = IP_PROTO_UDP;
	test_switch_send(&s, 1, frame, sizeof(frame));
	expect_nothing(10);
	expect_nothing(1);
	cr_assert_eq(test_switch_drops(&s, DROP_FRAG_OPTIONS), 1);
}

Test(big_packet, a_port_that_must_not_send_is_sent_no_answer)
{
	test_switch_add(&s, "small", "memory", 10, "{\"mtu\": 1000}");
	test_switch_flow(&s, "actions=output:10");
	datapath_port_set_config(s.dp, datapath_port_by_number(s.dp, 1), PORT_CONFIG_NO_FWD);
	frame_make(&in, &(struct frame_spec){.payload = 1100, .frag = 0x4000});
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(1);
	cr_assert_eq(test_switch_drops(&s, DROP_TOO_BIG), 1);
}

Test(big_packet, a_packet_that_was_cut_short_is_not_fragmented)
{
	test_switch_add(&s, "small", "memory", 10, "{\"mtu\": 600}");
	test_switch_flow(&s, "actions=output(port=10,max_len=1000)");
	frame_make(&in, &(struct frame_spec){.payload = 1400});
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(10);
	cr_assert_eq(test_switch_drops(&s, DROP_TOO_BIG), 1);
}

Test(big_packet, errors_and_multicast_are_never_answered)
{
	test_switch_add(&s, "small", "memory", 10, "{\"mtu\": 100}");
	test_switch_flow(&s, "actions=output:10");
	frame_make(&in,
	           &(struct frame_spec){.payload = 300, .frag = 0x4000, .proto = IP_PROTO_ICMP, .sport = 3});
	test_switch_send(&s, 1, in.data, in.len);
	frame_make(&in, &(struct frame_spec){.payload = 300,
	                                     .frag = 0x4000,
	                                     .dst_mac = "01:00:5e:01:01:01",
	                                     .dst = "224.1.1.1"});
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(1);
	cr_assert_eq(test_switch_drops(&s, DROP_TOO_BIG), 2);
}
