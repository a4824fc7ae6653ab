/* SPDX-License-Identifier: Apache-2.0 */
/* ct(table=N): what a packet still knows behind the connection tracker, what its copy does meanwhile, and
 * that neither caches nor limits get it wrong. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/wire.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"

enum { PORTS = 4, FLOWS = 200 };

static struct test_switch s;
static struct frame in;

static void setup(void)
{
	test_switch_init(&s, NULL, NULL);
	for (uint32_t i = 1; i <= PORTS; i++)
		test_switch_port(&s, i, "{}");
	frame_make(&in, &(struct frame_spec){.sport = 1000, .dport = 53, .payload = 20});
}

static void teardown(void)
{
	test_switch_free(&s);
}

TestSuite(resume, .init = setup, .fini = teardown, .timeout = 120);

static void flows(const char *const *lines)
{
	for (; *lines; lines++)
		test_switch_flow(&s, *lines);
}

static void send_from(uint32_t port)
{
	test_switch_send(&s, port, in.data, in.len);
}

/* How many frames each port has sent, as the digits of a number: 1 came out of port 2 and 2 of port 4: 102.
 */
static unsigned out(void)
{
	unsigned n = 0;

	for (uint32_t i = 1; i <= PORTS; i++)
		n = n * 10 + test_switch_count(&s, i);
	return n;
}

static void expect(unsigned want, const char *what)
{
	unsigned have = out();

	cr_assert_eq(have, want, "%s: %04u instead of %04u", what, have, want);
}

Test(resume, registers_metadata_and_marks_survive)
{
	flows((const char *const[]){"in_port=1,ip,actions=load:7->NXM_NX_REG3[],load:9->OXM_OF_METADATA[],"
	                            "load:5->NXM_NX_PKT_MARK[],"
	                            "set_field:77->tun_id,ct(table=1)",
	                            "table=1,ip,ct_state=+trk+new,reg3=7,metadata=9,pkt_mark=5,tun_id=77,in_"
	                            "port=1,actions=output:2",
	                            NULL});
	for (unsigned i = 0; i < 3; i++) {
		send_from(1);
		expect(100, "resumed");
	}
}

/* All of a batch look alike but for what the tracker tells: no table looks at ports. */
Test(resume, packets_in_a_row_are_of_one_flow_only_when_their_connections_say_the_same)
{
	flows((const char *const[]){
	        "in_port=1,udp,actions=ct(table=1)",
	        "in_port=2,udp,tp_src=1,actions=ct(commit,exec(load:5->NXM_NX_CT_MARK[]))",
	        "in_port=2,udp,tp_src=2,actions=ct(commit,exec(load:6->NXM_NX_CT_MARK[]))",
	        "table=1,udp,ct_state=+trk,ct_mark=5,actions=output:2",
	        "table=1,udp,ct_state=+trk,ct_mark=6,actions=output:3",
	        "table=1,udp,ct_state=+trk,ct_mark=0,actions=output:4", NULL});
	for (uint16_t sport = 1; sport <= 2; sport++) {
		frame_make(&in, &(struct frame_spec){.sport = sport, .dport = 53, .payload = 20});
		send_from(2);
	}
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 60; i++) {
			uint16_t sport = "112233122333"[i % 12] - '0';

			frame_make(&in, &(struct frame_spec){.sport = sport, .dport = 53, .payload = 20});
			test_switch_inject(&s, 1, in.data, in.len);
		}
		test_switch_run(&s);
		cr_expect_eq(test_switch_count(&s, 2), 15);
		cr_expect_eq(test_switch_count(&s, 3), 20);
		cr_expect_eq(test_switch_count(&s, 4), 25);
	}
}

/* What was translated is looked up as it was before; then all is as it is again. */
Test(resume, a_table_is_asked_by_the_original_tuple)
{
	flows((const char *const[]){
	        "in_port=1,udp,actions=ct(commit,nat(dst=10.7.7.7:99),table=1)",
	        "in_port=2,udp,actions=ct(table=4)", "table=1,udp,ct_state=+trk+new,actions=resubmit(,2,ct)",
	        "table=2,priority=9,udp,nw_dst=10.7.7.7,actions=output:4",
	        "table=2,ct_state=+new,udp,tp_dst=53,ct_nw_dst=10.7.7.7,ct_nw_proto=17,"
	        "ct_tp_dst=99,actions=goto_table:3",
	        "table=2,udp,tp_dst=54,actions=resubmit(,3)",
	        "table=3,udp,nw_dst=10.7.7.7,tp_dst=99,actions=output:2",
	        "table=3,udp,tp_dst=53,actions=output:4",
	        "table=4,udp,ct_state=+trk+new,actions=ct_clear,resubmit(,2,ct),output:3", NULL});
	for (uint16_t i = 0; i < 6; i++) {
		uint16_t port = 53 + i % 3;

		frame_make(&in, &(struct frame_spec){.sport = 1000 + i, .dport = port, .payload = 20});
		send_from(1);
		expect(port < 55 ? 100 : 0, "through the translation");
		send_from(2);
		expect(10, "without a connection");
	}
}

Test(resume, what_the_port_has_set_is_told_apart)
{
	flows((const char *const[]){"in_port=1,ip,actions=load:1->NXM_NX_REG0[],ct(table=1)",
	                            "in_port=2,ip,actions=load:2->NXM_NX_REG0[],ct(table=1)",
	                            "table=1,reg0=1,actions=output:3", "table=1,reg0=2,actions=output:4",
	                            NULL});
	for (unsigned i = 0; i < 3; i++) {
		send_from(1);
		expect(10, "port 1");
		send_from(2);
		expect(1, "port 2");
	}
}

Test(resume, the_copy_goes_on_untracked)
{
	flows((const char *const[]){"in_port=1,ip,actions=ct(table=1),output:3,resubmit(,2)",
	                            "table=1,ip,ct_state=+trk,actions=output:2",
	                            "table=2,ip,ct_state=-trk,actions=output:4", NULL});
	send_from(1);
	expect(111, "both");
}

Test(resume, what_an_action_does_after_it_is_the_copys_own)
{
	struct memory_frame *f;

	flows((const char *const[]){"in_port=1,ip,actions=mod_nw_tos:32,ct(table=1),mod_nw_tos:64,output:3",
	                            "table=1,ip,nw_tos=32,actions=output:2", NULL});
	send_from(1);
	f = test_switch_take(&s, 2);
	cr_assert(f);
	cr_expect_eq(f->data[in.l3 + 1], 32);
	free(f);
	f = test_switch_take(&s, 3);
	cr_assert(f);
	cr_expect_eq(f->data[in.l3 + 1], 64);
	free(f);
}

Test(resume, stack_and_action_set_survive)
{
	flows((const char *const[]){
	        "in_port=1,ip,actions=load:6->NXM_NX_REG1[],push:NXM_NX_REG1[],load:0->"
	        "NXM_NX_REG1[],ct(table=1)",
	        "table=1,ip,actions=pop:NXM_NX_REG2[],resubmit(,2)", "table=2,reg1=0,reg2=6,actions=output:2",
	        "in_port=2,ip,actions=write_actions(output:3),goto_table:5", "table=5,ip,actions=ct(table=6)",
	        "table=6,ip,ct_state=+trk,actions=write_metadata:1", NULL});
	send_from(1);
	expect(100, "stack");
	send_from(2);
	expect(20, "the set of the packet and that of its copy");
}

Test(resume, later_tables_look_at_what_earlier_ones_do_not)
{
	flows((const char *const[]){"in_port=1,ip,actions=ct(table=1)",
	                            "table=1,priority=2,udp,tp_dst=53,ct_state=+new,actions=output:2",
	                            "table=1,priority=1,udp,actions=output:3", NULL});
	for (unsigned i = 0; i < 3; i++) {
		send_from(1);
		expect(100, "port 53");
		frame_make(&in,
		           &(struct frame_spec){.sport = 1000, .dport = 54 + (uint16_t)i, .payload = 20});
		send_from(1);
		expect(10, "another port");
		frame_make(&in, &(struct frame_spec){.sport = 1000, .dport = 53, .payload = 20});
	}
}

Test(resume, the_state_of_a_connection_is_no_constant)
{
	flows((const char *const[]){
	        "in_port=1,ip,actions=ct(table=1)", "in_port=2,ip,actions=ct(table=2)",
	        "table=1,ct_state=+trk+new,ip,actions=ct(commit,exec(load:5->NXM_NX_CT_MARK[])),output:2",
	        "table=1,ct_state=+trk+est,ct_mark=5,actions=output:3",
	        "table=2,ct_state=+trk+est+rpl,ct_mark=5,actions=output:1",
	        "table=2,ct_state=+trk+new,actions=output:4", NULL});
	send_from(2);
	expect(1, "nobody knows it");
	send_from(1);
	expect(100, "new");
	frame_make(&in,
	           &(struct frame_spec){
	                   .src = "10.0.0.2", .dst = "10.0.0.1", .sport = 53, .dport = 1000, .payload = 20});
	send_from(2);
	expect(1000, "the answer");
	frame_make(&in, &(struct frame_spec){.sport = 1000, .dport = 53, .payload = 20});
	send_from(1);
	expect(10, "established");
}

Test(resume, translated_addresses_are_what_later_tables_see)
{
	flows((const char *const[]){
	        "in_port=1,ip,actions=ct(commit,nat(src=192.0.2.7:4000),table=1)",
	        "table=1,udp,nw_src=192.0.2.7,tp_src=4000,ct_state=+new,actions=output:2",
	        "table=1,udp,nw_src=192.0.2.7,ct_state=+est,ct_nw_src=10.0.0.1,ct_nw_proto=17,ct_tp_src=1000,"
	        "actions=output:3",
	        "in_port=2,ip,actions=ct(nat,table=2)",
	        "table=2,udp,nw_dst=10.0.0.1,tp_dst=1000,actions=output:1", NULL});
	send_from(1);
	expect(100, "translated");
	frame_make(&in,
	           &(struct frame_spec){
	                   .src = "10.0.0.2", .dst = "192.0.2.7", .sport = 53, .dport = 4000, .payload = 20});
	send_from(2);
	expect(1000, "and back");
	frame_make(&in, &(struct frame_spec){.sport = 1000, .dport = 53, .payload = 20});
	send_from(1);
	expect(10, "and again");
}

Test(resume, a_flow_that_changes_behind_it_counts)
{
	flows((const char *const[]){"in_port=1,ip,actions=ct(table=1)", "table=1,ip,actions=output:2", NULL});
	send_from(1);
	expect(100, "before");
	test_switch_flow(&s, "table=1,ip,actions=output:3");
	send_from(1);
	expect(10, "after");
}

Test(resume, commit_alone_sends_nothing)
{
	test_switch_flow(&s, "in_port=1,ip,actions=ct(commit)");
	send_from(1);
	expect(0, "committed and dropped");
	cr_expect_eq(test_switch_drops(&s, DROP_ACTION_DROP), 1);
}

Test(resume, a_controller_is_told_the_connection)
{
	flows((const char *const[]){"in_port=1,ip,actions=load:3->NXM_NX_REG0[],ct(zone=9,table=1)",
	                            "table=1,ip,actions=load:0->NXM_NX_REG0[],controller",
	                            "in_port=2,ip,actions=ct(zone=9,table=2)",
	                            "table=2,ip,actions=ct_clear,controller", NULL});
	send_from(1);
	cr_expect_eq(s.packet_ins, 1);
	cr_expect_eq(s.packet_in_key.ct_state, CT_TRK | CT_NEW);
	cr_expect_eq(be16toh(s.packet_in_key.ct_zone), 9);
	cr_expect_eq(s.packet_in_key.regs[0], 0);
	send_from(2);
	cr_expect_eq(s.packet_ins, 2);
	cr_expect_eq(s.packet_in_key.ct_state, 0);
	cr_expect_eq(s.packet_in_key.ct_zone, 0);
}

Test(resume, groups_and_clones_reach_it)
{
	test_switch_group(&s, "group_id=1,type=all,bucket=ct(table=1),bucket=output:3");
	flows((const char *const[]){"in_port=1,ip,actions=group:1",
	                            "in_port=2,ip,actions=clone(load:4->NXM_NX_REG0[],ct(table=1)),output:4",
	                            "table=1,priority=40000,reg0=4,actions=output:3",
	                            "table=1,actions=output:2", NULL});
	send_from(1);
	expect(110, "group");
	send_from(2);
	expect(11, "clone");
}

Test(resume, loops_end)
{
	test_switch_flow(&s, "in_port=1,ip,actions=ct(table=0)");
	send_from(1);
	expect(0, "nowhere");
	cr_expect_eq(test_switch_drops(&s, DROP_RESUBMIT_LIMIT), 1);
}

Test(resume, a_packet_cannot_multiply_without_end)
{
	test_switch_flow(&s,
	                 "in_port=1,ip,actions=ct(table=0),ct(table=0),ct(table=0),ct(table=0),ct(table=0)");
	test_switch_flow(&s, "in_port=2,ip,actions=output:3");
	send_from(1);
	cr_expect_gt(test_switch_drops(&s, DROP_OUTPUT_LIMIT), 0);
	send_from(2);
	expect(10, "others go on, with all copies back in their pool");
}

/* No table leads from the port to where they go on, so nothing of the port says what matters there. */
Test(resume, packets_of_a_controller_are_told_apart)
{
	static const char actions[] = "load:5->NXM_NX_REG0[],ct(table=20)";

	flows((const char *const[]){"in_port=1,ip,actions=load:6->NXM_NX_REG0[],ct(table=20)",
	                            "table=20,priority=2,reg0=5,udp,tp_dst=53,actions=ct(table=21)",
	                            "table=20,priority=1,reg0=5,udp,actions=output:3",
	                            "table=20,reg0=6,actions=output:4",
	                            "table=21,priority=2,reg0=5,udp,tp_src=1000,actions=output:2",
	                            "table=21,priority=1,reg0=5,udp,actions=output:4", NULL});
	for (unsigned i = 0; i < 2; i++) {
		frame_make(&in, &(struct frame_spec){.sport = 1000, .dport = 53, .payload = 20});
		test_switch_packet_out(&s, 1, actions, in.data, in.len);
		expect(100, "port 53");
		frame_make(&in, &(struct frame_spec){.sport = 1001, .dport = 53, .payload = 20});
		test_switch_packet_out(&s, 1, actions, in.data, in.len);
		expect(1, "from another port");
		frame_make(&in, &(struct frame_spec){.sport = 1000, .dport = 54, .payload = 20});
		test_switch_packet_out(&s, 1, actions, in.data, in.len);
		expect(10, "to another port");
		send_from(1);
		expect(1, "not of a controller");
	}
}

Test(resume, what_a_branch_is_told_its_successor_still_knows)
{
	flows((const char *const[]){
	        "in_port=1,ip,actions=ct(commit,zone=1,nat(src=192.0.2.7:4000)),"
	        "clone(ct(zone=2,table=3)),ct(zone=1,nat,table=1)",
	        "table=1,ct_state=+trk-inv,udp,nw_src=192.0.2.7,ct_nw_src=10.0.0.1,actions=output:2",
	        "table=1,priority=1,actions=output:4", "table=3,ct_state=+new,actions=output:3", NULL});
	for (unsigned i = 0; i < 2; i++) {
		send_from(1);
		expect(110, "in zone 1 it is the same packet");
	}
}

Test(resume, a_cleared_packet_is_looked_up_anew)
{
	flows((const char *const[]){
	        "in_port=1,ip,actions=ct(commit,zone=1,nat(src=192.0.2.7:4000),table=1)",
	        "table=1,udp,actions=clone(ct_clear,ct(zone=1,table=2)),ct(zone=1,table=3)",
	        "table=2,ct_state=+new+rpl,actions=output:4", "table=2,ct_state=+new-snat,actions=output:2",
	        "table=3,ip,ct_state=+new+snat,ct_nw_src=10.0.0.1,actions=output:3", NULL});
	send_from(1);
	expect(110, "cleared, and not");
}

Test(resume, behind_a_label_there_is_no_connection)
{
	test_switch_group(&s, "group_id=1,type=all,bucket=push_mpls:0x8847,ct(table=1)");
	flows((const char *const[]){"in_port=1,ip,actions=group:1",
	                            "table=1,ct_state=+trk+inv,actions=output:2",
	                            "table=1,priority=1,actions=output:3", NULL});
	send_from(1);
	expect(100, "as if it had come with the label");
}

static void send_piece(uint16_t frag)
{
	frame_make(&in, &(struct frame_spec){.sport = 1000, .dport = 53, .payload = 24, .frag = frag});
	send_from(1);
}

/* They and whole packets differ in what matters behind the tracker, and later ones have no port to be set. */
Test(resume, fragments_go_on_with_their_first_one)
{
	enum { FIRST = 0x2000, LATER = 4 };
	struct memory_frame *f;

	flows((const char *const[]){
	        "in_port=1,ip,actions=ct(commit,nat(src=192.0.2.7),table=1)",
	        "table=1,priority=3,ct_state=+inv,actions=output:4",
	        "table=1,priority=2,udp,nw_frag=later,ct_state=+new+snat,nw_src=192.0.2.7,ct_tp_dst=53,"
	        "actions=set_field:99->udp_dst,output:3",
	        "table=1,priority=1,udp,ct_state=+new+snat,actions=output:2", NULL});
	send_piece(LATER);
	expect(1, "the first one has not come");
	for (unsigned i = 0; i < 3; i++) {
		send_piece(0);
		expect(100, "whole");
		send_piece(FIRST);
		expect(100, "first");
		send_piece(LATER);
		f = test_switch_take(&s, 3);
		cr_assert(f);
		cr_expect_arr_eq(f->data + in.l4, in.data + in.l4, in.len - in.l4);
		free(f);
		expect(0, "and nowhere else");
	}
}

Test(resume, many_flows_in_one_batch)
{
	flows((const char *const[]){
	        "in_port=1,udp,actions=move:NXM_OF_UDP_SRC[]->NXM_NX_REG0[0..15],ct(table=1)",
	        "table=1,udp,actions=move:NXM_NX_REG0[0..15]->NXM_OF_UDP_DST[],output:2", NULL});
	for (uint16_t round = 0; round < 2; round++) {
		for (uint16_t i = 0; i < FLOWS; i++) {
			frame_make(&in, &(struct frame_spec){.sport = 1000 + i, .dport = 53, .payload = 20});
			test_switch_inject(&s, 1, in.data, in.len);
		}
		test_switch_run(&s);
		for (uint16_t i = 0; i < FLOWS; i++) {
			struct memory_frame *f = test_switch_take(&s, 2);

			cr_assert(f);
			cr_assert_eq(f->data[in.l4 + 3] | f->data[in.l4 + 2] << 8, 1000 + i, "packet %u", i);
			cr_assert(frame_checksums_right(f->data, f->len));
			free(f);
		}
	}
}
