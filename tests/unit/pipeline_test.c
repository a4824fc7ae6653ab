/* SPDX-License-Identifier: Apache-2.0 */
/* The whole way of a packet over memory ports: what goes in here comes out there, changed like this. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/wire.h"
#include "flows/text.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"

static struct test_switch s;
static struct frame in, want;

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

TestSuite(pipeline, .init = setup, .fini = teardown, .timeout = 60);

static void expect(uint32_t port, const void *data, uint32_t len)
{
	test_switch_expect(&s, port, data, len, "pipeline");
}

static void expect_nothing(uint32_t port)
{
	cr_assert_eq(test_switch_count(&s, port), 0, "port %u sent something", port);
}

Test(pipeline, a_flow_forwards_and_everything_else_is_dropped)
{
	test_switch_flow(&s, "in_port=1,udp,tp_dst=53,actions=output:2");
	frame_make(&in, &(struct frame_spec){.dport = 53, .payload = 1000});
	test_switch_send(&s, 1, in.data, in.len);
	expect(2, in.data, in.len);
	frame_make(&in, &(struct frame_spec){.dport = 54, .payload = 10});
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(2);
	cr_assert_eq(test_switch_drops(&s, DROP_TABLE_MISS), 1);
}

Test(pipeline, a_frame_in_many_pieces_comes_out_whole)
{
	struct memory_frame *f;

	test_switch_flow(&s, "tcp,actions=output:2");
	frame_make(&in, &(struct frame_spec){.proto = IP_PROTO_TCP, .payload = 1400});
	f = memory_frame_alloc(in.len);
	memcpy(f->data, in.data, in.len);
	f->head_len = 16; /* all else must be pulled */
	f->piece_len = 33;
	cr_assert_eq(memory_inject(datapath_port_by_number(s.dp, 1), 0, f), 0);
	test_switch_run(&s);
	expect(2, in.data, in.len);
}

/* Whoever receives it may say so; a plain packet goes the short way through the parser. */
Test(pipeline, a_packet_out_of_a_tunnel_is_matched_on_it)
{
	struct memory_frame *f;

	test_switch_flow(&s, "in_port=1,udp,tun_id=7,tun_src=192.0.2.1,actions=output:2");
	frame_make(&in, &(struct frame_spec){.payload = 100});
	f = memory_frame_alloc(in.len);
	memcpy(f->data, in.data, in.len);
	f->tunnel = (struct packet_tunnel){
	        .id = 7, .src = ip_from_v4(htobe32(0xc0000201)), .dst = ip_from_v4(htobe32(0xc0000202))};
	cr_assert_eq(memory_inject(datapath_port_by_number(s.dp, 1), 0, f), 0);
	test_switch_run(&s);
	expect(2, in.data, in.len);
}

/* A flow's actions turn the first frame into the second. */
static void check_rewrite(const char *actions, const struct frame_spec *from, const struct frame_spec *to)
{
	char flow[256];

	snprintf(flow, sizeof(flow), "in_port=1,%s", actions);
	test_switch_flow(&s, flow);
	frame_make(&in, from);
	frame_make(&want, to);
	test_switch_send(&s, 1, in.data, in.len);
	expect(2, want.data, want.len);
}

Test(pipeline, rewrites_keep_checksums_right)
{
	check_rewrite("ip,actions=mod_dl_dst:02:00:00:00:00:99,mod_dl_src:02:00:00:00:00:98,output:2",
	              &(struct frame_spec){.payload = 20},
	              &(struct frame_spec){
	                      .payload = 20, .dst_mac = "02:00:00:00:00:99", .src_mac = "02:00:00:00:00:98"});
	check_rewrite("priority=40000,udp,actions=mod_nw_src:192.168.7.9,mod_tp_dst:77,output:2",
	              &(struct frame_spec){.sport = 5, .dport = 6, .payload = 33},
	              &(struct frame_spec){.src = "192.168.7.9", .sport = 5, .dport = 77, .payload = 33});
}

Test(pipeline, rewrites_of_tcp_sctp_and_icmp)
{
	check_rewrite("tcp,actions=mod_nw_dst:1.2.3.4,mod_tp_src:1000,dec_ttl,output:2",
	              &(struct frame_spec){.proto = IP_PROTO_TCP, .sport = 1, .dport = 2, .payload = 501},
	              &(struct frame_spec){.proto = IP_PROTO_TCP,
	                                   .sport = 1000,
	                                   .dport = 2,
	                                   .payload = 501,
	                                   .dst = "1.2.3.4",
	                                   .ttl = 63});
	check_rewrite(
	        "sctp,actions=set_field:4242->sctp_src,set_field:7->sctp_dst,output:2",
	        &(struct frame_spec){.proto = IP_PROTO_SCTP, .sport = 1, .dport = 2, .payload = 777},
	        &(struct frame_spec){.proto = IP_PROTO_SCTP, .sport = 4242, .dport = 7, .payload = 777});
	check_rewrite("icmp,actions=set_field:0->icmp_type,output:2",
	              &(struct frame_spec){.proto = IP_PROTO_ICMP, .sport = 8, .payload = 56},
	              &(struct frame_spec){.proto = IP_PROTO_ICMP, .sport = 0, .payload = 56});
}

Test(pipeline, rewrites_of_ipv6)
{
	check_rewrite("udp6,actions=set_field:fd00::77->ipv6_src,set_field:fd00::78->ipv6_dst,"
	              "set_field:9->udp_src,dec_ttl,output:2",
	              &(struct frame_spec){.src = "fd00::1", .dst = "fd00::2", .sport = 1, .payload = 99},
	              &(struct frame_spec){
	                      .src = "fd00::77", .dst = "fd00::78", .sport = 9, .payload = 99, .ttl = 63});
	check_rewrite("icmp6,actions=set_field:fd00::77->ipv6_src,set_field:129->icmpv6_type,output:2",
	              &(struct frame_spec){.src = "fd00::1",
	                                   .dst = "fd00::2",
	                                   .proto = IP_PROTO_ICMPV6,
	                                   .sport = 128,
	                                   .payload = 32},
	              &(struct frame_spec){.src = "fd00::77",
	                                   .dst = "fd00::2",
	                                   .proto = IP_PROTO_ICMPV6,
	                                   .sport = 129,
	                                   .payload = 32});
}

Test(pipeline, a_udp_checksum_of_zero_stays_zero)
{
	test_switch_flow(&s, "udp,actions=mod_nw_src:9.9.9.9,mod_tp_src:9,output:2");
	frame_make(&in, &(struct frame_spec){.payload = 20});
	memset(in.data + in.l4 + 6, 0, 2);
	test_switch_send(&s, 1, in.data, in.len);
	frame_make(&want, &(struct frame_spec){.payload = 20, .src = "9.9.9.9", .sport = 9});
	memset(want.data + want.l4 + 6, 0, 2);
	expect(2, want.data, want.len);
}

Test(pipeline, a_partial_checksum_stays_partial_or_is_finished)
{
	struct memory_frame *f;

	test_switch_add(&s, "capable", "memory", 10, "{\"caps\": 1}");
	test_switch_flow(&s, "tcp,actions=mod_nw_dst:1.2.3.4,mod_tp_src:1000,output:10,output:2");
	frame_make(&in, &(struct frame_spec){.proto = IP_PROTO_TCP, .payload = 300, .partial = true});
	f = memory_frame_alloc(in.len);
	memcpy(f->data, in.data, in.len);
	f->flags = PACKET_NEEDS_CSUM;
	f->csum_start = (uint16_t)in.l4;
	f->csum_offset = 16;
	memory_inject(datapath_port_by_number(s.dp, 1), 0, f);
	test_switch_run(&s);
	frame_make(&want, &(struct frame_spec){.proto = IP_PROTO_TCP,
	                                       .payload = 300,
	                                       .partial = true,
	                                       .dst = "1.2.3.4",
	                                       .sport = 1000});
	expect(10, want.data, want.len);
	frame_make(&want, &(struct frame_spec){
	                          .proto = IP_PROTO_TCP, .payload = 300, .dst = "1.2.3.4", .sport = 1000});
	expect(2, want.data, want.len);
}

Test(pipeline, vlan_tags_come_and_go)
{
	check_rewrite("priority=9,ip,vlan_tci=0,actions=push_vlan:0x8100,set_field:0x1005->vlan_vid,output:2",
	              &(struct frame_spec){.payload = 20}, &(struct frame_spec){.payload = 20, .vlan = 5});
	check_rewrite("priority=10,ip,dl_vlan=7,actions=strip_vlan,dec_ttl,output:2",
	              &(struct frame_spec){.payload = 20, .vlan = 7},
	              &(struct frame_spec){.payload = 20, .ttl = 63});
	check_rewrite(
	        "priority=10,ip,dl_vlan=8,actions=mod_vlan_vid:9,mod_vlan_pcp:3,mod_nw_src:4.4.4.4,output:2",
	        &(struct frame_spec){.payload = 20, .vlan = 8},
	        &(struct frame_spec){.payload = 20, .vlan = 9 | 3 << 13, .src = "4.4.4.4"});
}

Test(pipeline, mpls_and_pbb_and_back)
{
	uint8_t label[4];

	test_switch_flow(&s, "in_port=1,ip,actions=push_mpls:0x8847,set_field:77->mpls_label,output:2");
	test_switch_flow(&s, "in_port=2,mpls,actions=dec_mpls_ttl,copy_ttl_in,pop_mpls:0x0800,output:3");
	frame_make(&in, &(struct frame_spec){.payload = 64});
	test_switch_send(&s, 1, in.data, in.len);
	memcpy(want.data, in.data, 12);
	memcpy(want.data + 12, "\x88\x47", 2);
	memcpy(label, (uint8_t[]){0, 4, 0xd1, 64}, 4);
	memcpy(want.data + 14, label, 4);
	memcpy(want.data + 18, in.data + 14, in.len - 14);
	expect(2, want.data, in.len + 4);
	test_switch_send(&s, 2, want.data, in.len + 4);
	frame_make(&want, &(struct frame_spec){.payload = 64, .ttl = 63});
	expect(3, want.data, want.len);

	test_switch_flow(&s, "in_port=4,ip,actions=push_pbb:0x88e7,set_field:0x123456->pbb_isid,output:2");
	test_switch_flow(&s, "in_port=2,dl_type=0x88e7,pbb_isid=0x123456,actions=pop_pbb,output:3");
	test_switch_send(&s, 4, in.data, in.len);
	memcpy(want.data, in.data, 12);
	memcpy(want.data + 12, (uint8_t[]){0x88, 0xe7, 0, 0x12, 0x34, 0x56}, 6);
	memcpy(want.data + 18, in.data, in.len);
	expect(2, want.data, in.len + 18);
	test_switch_send(&s, 2, want.data, in.len + 18);
	expect(3, in.data, in.len);
}

Test(pipeline, an_output_is_not_changed_by_what_comes_after)
{
	test_switch_flow(&s, "udp,actions=output:2,mod_nw_src:7.7.7.7,output:3,mod_tp_dst:9,output:4");
	frame_make(&in, &(struct frame_spec){.payload = 1200});
	test_switch_send(&s, 1, in.data, in.len);
	expect(2, in.data, in.len);
	frame_make(&want, &(struct frame_spec){.payload = 1200, .src = "7.7.7.7"});
	expect(3, want.data, want.len);
	frame_make(&want, &(struct frame_spec){.payload = 1200, .src = "7.7.7.7", .dport = 9});
	expect(4, want.data, want.len);
}

Test(pipeline, branches_of_a_group_start_from_the_same_packet)
{
	test_switch_group(&s, "group_id=1,type=all,bucket=actions=mod_nw_src:5.5.5.5,output:2,"
	                      "bucket=actions=dec_ttl,output:3");
	test_switch_flow(&s, "ip,actions=group:1,output:4");
	frame_make(&in, &(struct frame_spec){.payload = 10});
	test_switch_send(&s, 1, in.data, in.len);
	frame_make(&want, &(struct frame_spec){.payload = 10, .src = "5.5.5.5"});
	expect(2, want.data, want.len);
	frame_make(&want, &(struct frame_spec){.payload = 10, .ttl = 63});
	expect(3, want.data, want.len);
	expect(4, in.data, in.len);
}

Test(pipeline, clones_do_not_run_out)
{
	test_switch_group(&s, "group_id=1,type=all,bucket=actions=mod_nw_src:5.5.5.5,output:2,"
	                      "bucket=actions=mod_nw_src:5.5.5.6,output:2,output:3,dec_ttl,"
	                      "bucket=actions=dec_ttl,mod_nw_src:5.5.5.7,output:4");
	test_switch_flow(&s, "ip,actions=group:1,output:4,output:3,mod_nw_src:6.6.6.6,group:1,FLOOD");
	frame_make(&in, &(struct frame_spec){.payload = 10});
	for (unsigned i = 0; i < 64 * 20; i++)
		test_switch_inject(&s, 1, in.data, in.len);
	for (unsigned i = 0; i < 10; i++)
		test_switch_send(&s, 1, in.data, in.len);
	cr_assert_eq(test_switch_drops(&s, DROP_OUTPUT_LIMIT), 0);
	cr_assert_gt(test_switch_count(&s, 2), 3 * 1000);
	cr_assert_gt(test_switch_count(&s, 4), 3 * 1000);
}

Test(pipeline, ttl_runs_out)
{
	test_switch_flow(&s, "ip,actions=dec_ttl,output:2");
	frame_make(&in, &(struct frame_spec){.payload = 10, .ttl = 1});
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(2);
	cr_assert_eq(test_switch_drops(&s, DROP_TTL_EXPIRED), 1);
	cr_assert_eq(s.packet_ins, 1);
	cr_assert_eq(s.place.reason, 2);
	cr_assert_eq(s.packet_in_len, in.len);
	cr_assert_eq(s.packet_in_key.in_port, 1);
}

Test(pipeline, normal_learns_floods_and_forgets)
{
	struct frame_spec one = {.payload = 10};
	struct frame_spec two = {
	        .payload = 10, .src_mac = "02:00:00:00:00:02", .dst_mac = "02:00:00:00:00:01"};

	test_switch_flow(&s, "actions=NORMAL");
	frame_make(&in, &one);
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(1);
	for (uint32_t i = 2; i <= 4; i++)
		expect(i, in.data, in.len);
	frame_make(&in, &two);
	test_switch_send(&s, 2, in.data, in.len);
	expect(1, in.data, in.len);
	expect_nothing(3);
	expect_nothing(4);
	/* Another VLAN is another network. */
	two.vlan = 5;
	frame_make(&in, &two);
	test_switch_send(&s, 2, in.data, in.len);
	expect(1, in.data, in.len);
	expect(3, in.data, in.len);
	cr_assert_eq(test_switch_count(&s, 4), 1);
	/* The port goes, and with it what was learned on it. */
	datapath_port_remove(s.dp, datapath_port_by_number(s.dp, 1), NULL, NULL);
	two.vlan = 0;
	frame_make(&in, &two);
	test_switch_send(&s, 2, in.data, in.len);
	expect(3, in.data, in.len);
	expect(4, in.data, in.len);
	cr_assert_eq(test_switch_drops(&s, DROP_BAD_PORT), 0);
}

Test(pipeline, normal_keeps_link_local_multicast)
{
	test_switch_flow(&s, "actions=NORMAL");
	frame_make(&in, &(struct frame_spec){.payload = 10, .dst_mac = "01:80:c2:00:00:0e"});
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(2);
	cr_assert_eq(test_switch_drops(&s, DROP_LINK_LOCAL), 1);
}

/* A private port: no FLOOD, ALL or NORMAL reaches it or takes from it; a flow that names it does. */
Test(pipeline, private_ports_are_left_out)
{
	test_switch_add(&s, "secret", "memory", 10, "{\"private\": \"yes\"}");
	test_switch_flow(&s, "priority=1,actions=NORMAL");
	test_switch_flow(&s, "priority=2,in_port=2,actions=ALL");
	test_switch_flow(&s, "priority=2,in_port=3,actions=output:10");
	frame_make(&in, &(struct frame_spec){.payload = 10});
	test_switch_send(&s, 1, in.data, in.len);
	expect(2, in.data, in.len);
	expect_nothing(10);
	test_switch_send(&s, 2, in.data, in.len);
	expect(3, in.data, in.len);
	expect_nothing(10);
	test_switch_send(&s, 3, in.data, in.len);
	expect(10, in.data, in.len);
	test_switch_send(&s, 10, in.data, in.len);
	cr_assert_eq(test_switch_drops(&s, DROP_PRIVATE), 1);
}

Test(pipeline, port_config_is_obeyed)
{
	struct port *p2 = datapath_port_by_number(s.dp, 2), *p3 = datapath_port_by_number(s.dp, 3);

	test_switch_flow(&s, "in_port=1,actions=FLOOD");
	test_switch_flow(&s, "in_port=2,actions=output:3");
	test_switch_flow(&s, "in_port=4,actions=output:3,CONTROLLER");
	datapath_port_set_config(s.dp, p2, PORT_CONFIG_NO_FLOOD | PORT_CONFIG_NO_RECV);
	frame_make(&in, &(struct frame_spec){.payload = 10});
	test_switch_send(&s, 1, in.data, in.len);
	expect_nothing(2);
	expect(3, in.data, in.len);
	test_switch_send(&s, 2, in.data, in.len);
	expect_nothing(3);
	cr_assert_eq(test_switch_drops(&s, DROP_PORT_BLOCKED), 1);
	datapath_port_set_config(s.dp, p3, PORT_CONFIG_NO_FWD);
	datapath_port_set_config(s.dp, datapath_port_by_number(s.dp, 4), PORT_CONFIG_NO_PACKET_IN);
	test_switch_send(&s, 4, in.data, in.len);
	expect_nothing(3);
	cr_assert_eq(test_switch_drops(&s, DROP_PORT_BLOCKED), 3, "the output and the packet-in");
	cr_assert_eq(s.packet_ins, 0);
}

Test(pipeline, storm_limits_hold_per_kind)
{
	struct storm_limits limits = {.broadcast = 100};

	clock_set(CLOCK_SECOND);
	test_switch_flow(&s, "actions=NORMAL");
	cr_assert_eq(datapath_port_set_storm(s.dp, datapath_port_by_number(s.dp, 1), &limits), 0);
	frame_make(&in, &(struct frame_spec){.payload = 10, .dst_mac = "ff:ff:ff:ff:ff:ff"});
	for (unsigned i = 0; i < 60; i++)
		test_switch_send(&s, 1, in.data, in.len);
	/* A tenth of a second's worth, and the one that fills it. */
	cr_assert_eq(test_switch_count(&s, 2), 11);
	cr_assert_eq(test_switch_drops(&s, DROP_STORM), 49);
	clock_set(2 * CLOCK_SECOND);
	test_switch_send(&s, 1, in.data, in.len);
	cr_assert_eq(test_switch_count(&s, 2), 1);
	frame_make(&in, &(struct frame_spec){.payload = 10, .dst_mac = "01:00:5e:00:00:05"});
	for (unsigned i = 0; i < 60; i++)
		test_switch_send(&s, 1, in.data, in.len);
	cr_assert_eq(test_switch_count(&s, 2), 60);
	clock_release();
}

Test(pipeline, packet_in_and_packet_out)
{
	test_switch_flow(&s, "in_port=1,cookie=0x55,actions=controller(max_len=60)");
	frame_make(&in, &(struct frame_spec){.payload = 300});
	test_switch_send(&s, 1, in.data, in.len);
	cr_assert_eq(s.packet_ins, 1);
	cr_assert_eq(s.packet_in_len, in.len); /* nothing is buffered, so all of it goes */
	cr_assert_eq(s.packet_in_total, in.len);
	cr_assert_eq(s.place.cookie, 0x55);
	cr_assert_eq(memcmp(s.packet_in, in.data, in.len), 0);

	frame_make(&in, &(struct frame_spec){.payload = 1400});
	test_switch_packet_out(&s, PORT_CONTROLLER, "mod_nw_src:3.3.3.3,output:2", in.data, in.len);
	frame_make(&want, &(struct frame_spec){.payload = 1400, .src = "3.3.3.3"});
	expect(2, want.data, want.len);
	test_switch_flow(&s, "in_port=4,actions=output:3");
	test_switch_packet_out(&s, 4, "TABLE", in.data, in.len);
	expect(3, in.data, in.len);
}

Test(pipeline, a_checksum_is_finished_for_the_controller)
{
	struct memory_frame *f;

	test_switch_flow(&s, "actions=CONTROLLER:65535");
	frame_make(&in, &(struct frame_spec){.payload = 300, .partial = true});
	f = memory_frame_alloc(in.len);
	memcpy(f->data, in.data, in.len);
	f->flags = PACKET_NEEDS_CSUM;
	f->csum_start = (uint16_t)in.l4;
	f->csum_offset = 6;
	memory_inject(datapath_port_by_number(s.dp, 1), 0, f);
	test_switch_run(&s);
	cr_assert_eq(s.packet_in_len, in.len);
	cr_assert(frame_checksums_right(s.packet_in, s.packet_in_len));
}

Test(pipeline, an_output_can_be_cut_short)
{
	test_switch_flow(&s, "actions=output(port=2,max_len=100),output:3");
	frame_make(&in, &(struct frame_spec){.payload = 1300});
	test_switch_send(&s, 1, in.data, in.len);
	expect(2, in.data, 100);
	expect(3, in.data, in.len);
}

static const struct port_ops *real_ops;
static unsigned releases;

static void count_release(struct port_rxq *q)
{
	releases++;
	real_ops->release(q);
}

Test(pipeline, a_burst_of_which_nothing_is_left_is_released)
{
	struct port *port = datapath_port_by_number(s.dp, 1);
	struct port_ops counting = *port->ops;

	real_ops = port->ops;
	counting.release = count_release;
	port->rxq[0].ops = &counting;
	test_switch_send(&s, 1, in.data, 13);
	cr_assert_eq(test_switch_drops(&s, DROP_RX_RUNT), 1);
	cr_assert_geq(releases, 1);
	port->rxq[0].ops = real_ops;
}

Test(pipeline, runts_and_unknown_ports)
{
	test_switch_flow(&s, "actions=output:99");
	test_switch_send(&s, 1, in.data, 13);
	cr_assert_eq(test_switch_drops(&s, DROP_RX_RUNT), 1);
	test_switch_send(&s, 1, in.data, 14);
	cr_assert_eq(test_switch_drops(&s, DROP_BAD_PORT), 1);
	test_switch_flow(&s, "actions=load:65538->NXM_NX_REG0[],output:NXM_NX_REG0[]"); /* not port 2 */
	test_switch_send(&s, 1, in.data, 14);
	cr_assert_eq(test_switch_drops(&s, DROP_BAD_PORT), 2);
	expect_nothing(2);
}

Test(pipeline, ports_by_name_and_number)
{
	struct error e;
	struct port *p;

	cr_assert_eq(datapath_port_add(s.dp, "p1", "memory", 0, NULL, &p, &e), -EEXIST);
	cr_assert_eq(datapath_port_add(s.dp, "x", "memory", 2, NULL, &p, &e), -EEXIST);
	cr_assert_eq(datapath_port_add(s.dp, "x", "nonsense", 0, NULL, &p, &e), -EINVAL);
	cr_assert_eq(datapath_port_add(s.dp, "x", "vxlan", 0, NULL, &p, &e), -ENOTSUP);
	cr_assert_eq(datapath_port_add(s.dp, "br0", "memory", OFPORT_LOCAL, NULL, &p, &e), 0);
	cr_assert_eq(datapath_port_add(s.dp, "x", "memory", 0, NULL, &p, &e), 0);
	cr_assert_eq(p->ofport, 5);
	cr_assert_eq(datapath_port_by_name(s.dp, "x"), p);
	cr_assert_eq(datapath_port_next(s.dp, false, 5)->ofport, OFPORT_LOCAL);
	test_switch_flow(&s, "actions=LOCAL");
	frame_make(&in, &(struct frame_spec){.payload = 1300});
	test_switch_send(&s, 1, in.data, in.len);
	expect(OFPORT_LOCAL, in.data, in.len);
}

/* 3000 packets that differ at byte `at` and the next: how many leave through port 2. */
static unsigned spread(uint32_t at)
{
	unsigned count[2] = {0};

	frame_make(&in, &(struct frame_spec){.payload = 10});
	for (unsigned i = 0; i < 3000; i++) {
		in.data[at] = (uint8_t)(i >> 8);
		in.data[at + 1] = (uint8_t)i;
		test_switch_inject(&s, 1, in.data, in.len);
		if (i % 50 != 49)
			continue;
		test_switch_run(&s);
		for (unsigned port = 0; port < 2; port++)
			count[port] += test_switch_count(&s, port + 2);
	}
	cr_assert_eq(count[0] + count[1], 3000);
	return count[0];
}

Test(pipeline, a_select_group_keeps_the_weights_over_addresses_and_ports)
{
	static const uint32_t differ[] = {4, 10, 28, 32, 34, 36}; /* MACs, IPv4 addresses, UDP ports */

	test_switch_group(&s, "group_id=1,type=select,bucket=weight=1,output:2,bucket=weight=2,output:3");
	test_switch_flow(&s, "in_port=1,actions=group:1");
	for (unsigned i = 0; i < sizeof(differ) / sizeof(differ[0]); i++) {
		unsigned n = spread(differ[i]);

		cr_assert(n > 850 && n < 1150, "bytes %u: %u of 3000 took the lighter bucket", differ[i], n);
	}
}
