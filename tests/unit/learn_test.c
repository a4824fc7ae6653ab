/* SPDX-License-Identifier: Apache-2.0 */
/* learn and fin_timeout: what is installed, when it is installed again, its limits, its end. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "flows/text.h"
#include "tests/lib/tables_rig.h"

static void start(void)
{
	rig_start(NULL);
}

static void add(const char *text)
{
	cr_assert_eq(rig_flow(FLOW_ADD, text), TABLES_OK, "%s", text);
}

/* The flows of a table, as dump-flows --no-stats has them, one to a line. */
static const char *flows(const char *filter)
{
	static struct text out;
	struct tables_dump *d;
	struct flow_filter f;
	struct flow_stats fs;
	struct error err;

	text_free(&out);
	cr_assert_eq(flow_filter_parse(filter, NULL, &f, &err), 0, "%s", err.text);
	d = tables_dump_open(rig.tables, &f);
	while (tables_dump_next(d, clock_now(), &fs)) {
		flow_stats_format(&out, &fs, false, NULL);
		text_add(&out, "\n");
	}
	tables_dump_close(d);
	return text_get(&out);
}

static void wait_seconds(unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		clock_set(clock_now() + CLOCK_SECOND);
		rig_fold();
		tables_expire(rig.tables, clock_now());
	}
}

#define expect_flows(filter, lines) cr_expect_str_eq(flows(filter), lines, "%s", flows(filter))

static const char mac_learning[] = "table=0,actions=learn(table=1,hard_timeout=10,NXM_OF_VLAN_TCI[0..11],NXM_"
                                   "OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
                                   "output:NXM_OF_IN_PORT[]),resubmit(,1)";

TestSuite(learn, .init = start, .fini = rig_stop);

Test(learn, a_mac_learning_switch)
{
	add(mac_learning);
	add("table=1,priority=0,actions=FLOOD");
	rig_expect("in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02", "learn flood");
	cr_expect_eq(rig_drain(NULL), 1);
	expect_flows("table=1,vlan_tci=0/0xfff",
	             " table=1, hard_timeout=10, vlan_tci=0x0000/0x0fff,dl_dst=02:00:00:00:00:01 "
	             "actions=output:1\n");
	rig_expect("in_port=2,dl_src=02:00:00:00:00:02,dl_dst=02:00:00:00:00:01", "learn output:1");
	rig_drain(NULL);
	rig_expect("in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02", "learn output:2");
}

Test(learn, a_station_that_moves_is_followed)
{
	add(mac_learning);
	for (unsigned i = 0; i < 3; i++) {
		rig_send("in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02");
		rig_drain(NULL);
		rig_expect("in_port=2,dl_src=02:00:00:00:00:02,dl_dst=02:00:00:00:00:01", "learn output:1");
		rig_send("in_port=3,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02");
		rig_drain(NULL);
		rig_expect("in_port=2,dl_src=02:00:00:00:00:02,dl_dst=02:00:00:00:00:01", "learn output:3");
		rig_drain(NULL);
	}
}

Test(learn, steady_packets_report_only_to_put_the_timeout_off)
{
	const char *packet = "in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02";
	unsigned reports = 0;

	add(mac_learning);
	for (unsigned i = 0; i < 3; i++) { /* learned; the flow that came made the program anew; steady */
		rig_send(packet);
		rig_drain(NULL);
	}
	for (unsigned i = 0; i < 1000; i++) {
		rig_send(packet);
		reports += rig_drain(NULL);
		clock_set(clock_now() + CLOCK_SECOND / 1000);
	}
	cr_expect_eq(reports, 4 - 1);
	for (unsigned i = 0; i < 30; i++) {
		wait_seconds(1);
		rig_send(packet);
		rig_drain(NULL);
	}
	cr_expect_eq(rig_totals("table=1").flows, 1, "it is refreshed as long as packets come");
	wait_seconds(11);
	cr_expect_eq(rig_totals("table=1").flows, 0);
	rig_send(packet);
	cr_expect_eq(rig_drain(NULL), 1, "a flow that has gone is learned again");
	cr_expect_eq(rig_totals("table=1").flows, 1);
}

Test(learn, every_kind_of_spec)
{
	add("table=0,tcp,actions=load:0x1234->NXM_NX_REG0[],learn(table=7,priority=9,idle_timeout=5,"
	    "fin_idle_timeout=1,cookie=0xab,send_flow_rem,eth_type=0x800,nw_proto=6,"
	    "NXM_OF_IP_SRC[]=NXM_OF_IP_DST[],NXM_OF_TCP_SRC[0..7]=NXM_OF_TCP_DST[0..7],"
	    "load:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31],load:5->NXM_NX_REG2[],output:NXM_NX_REG0[])");
	rig_expect("in_port=1,tcp,nw_dst=10.0.0.1,tp_dst=513", "learn drop:action_drop");
	rig_drain(NULL);
	expect_flows("table=7", " cookie=0xab, table=7, idle_timeout=5, send_flow_rem priority=9,tcp,nw_src="
	                        "10.0.0.1,tp_src=0x1/0xff actions=fin_timeout(idle_timeout=1),"
	                        "load:0x1234->NXM_NX_REG1[16..31],load:0x5->NXM_NX_REG2[],output:4660\n");
}

Test(learn, keys_are_those_of_the_moment)
{
	add("actions=set_field:02:00:00:00:00:09->eth_src,learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
	    "output:NXM_OF_IN_PORT[])");
	rig_send("in_port=5,dl_src=02:00:00:00:00:01");
	rig_drain(NULL);
	expect_flows("table=1", " table=1, dl_dst=02:00:00:00:00:09 actions=output:5\n");
}

Test(learn, a_limit_and_what_came_of_it)
{
	enum tables_error last;

	add("actions=learn(table=1,cookie=7,limit=2,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],result_dst=NXM_NX_REG0["
	    "0]),"
	    "resubmit(,2)");
	add("table=2,priority=2,reg0=1,actions=output:8");
	add("table=2,priority=1,actions=output:9");
	rig_expect("dl_src=02:00:00:00:00:01", "learn output:8");
	rig_drain(&last);
	cr_expect_eq(last, TABLES_OK);
	rig_expect("dl_src=02:00:00:00:00:02", "learn output:8");
	rig_drain(&last);
	cr_expect_eq(last, TABLES_OK);
	rig_expect("dl_src=02:00:00:00:00:03", "learn output:9");
	rig_drain(&last);
	cr_expect_eq(last, TABLES_FULL);
	rig_expect("dl_src=02:00:00:00:00:02", "learn output:8");
	cr_expect_eq(rig_totals("table=1").flows, 2);
	rig_flow(FLOW_DELETE, "table=1,dl_dst=02:00:00:00:00:01");
	rig_expect("dl_src=02:00:00:00:00:03", "learn output:8");
	rig_drain(&last);
	cr_expect_eq(last, TABLES_OK);
	rig_expect("dl_src=02:00:00:00:00:01", "learn output:9");
}

Test(learn, the_tables_have_a_limit_for_all)
{
	enum tables_error last;

	rig_stop();
	rig_start(&(struct tables_config){.max_learned = 1});
	add("actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])");
	rig_send("dl_src=02:00:00:00:00:01");
	rig_send("dl_src=02:00:00:00:00:02");
	cr_expect_eq(rig_drain(&last), 2);
	cr_expect_eq(last, TABLES_FULL);
	add("table=1,dl_dst=02:00:00:00:00:03,actions=drop");
	cr_expect_eq(rig_totals("table=1").flows, 2);
}

Test(learn, what_was_learned_goes_with_its_last_learner)
{
	add("in_port=1,actions=learn(table=1,cookie=7,delete_learned,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])");
	add("in_port=2,actions=learn(table=1,cookie=7,delete_learned,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])");
	add("table=1,cookie=8,dl_dst=02:00:00:00:00:08,actions=drop");
	rig_send("in_port=1,dl_src=02:00:00:00:00:01");
	rig_send("in_port=2,dl_src=02:00:00:00:00:02");
	rig_drain(NULL);
	cr_expect_eq(rig_totals("table=1").flows, 3);
	rig_flow(FLOW_DELETE, "in_port=1");
	cr_expect_eq(rig_totals("table=1").flows, 3);
	rig_send("in_port=2,dl_src=02:00:00:00:00:03");
	rig_flow(FLOW_MODIFY, "in_port=2,actions=drop");
	cr_expect_eq(rig_totals("table=1").flows, 1);
	rig_drain(NULL);
	cr_expect_eq(rig_totals("table=1").flows, 1, "nor does it come afterwards");
}

Test(learn, a_flow_that_is_there_keeps_its_timeouts_and_counters)
{
	add("table=1,dl_dst=02:00:00:00:00:01,idle_timeout=99,actions=drop");
	rig_send("dl_src=02:00:00:00:00:03");
	add("actions=learn(table=1,idle_timeout=5,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]"
	    ")");
	rig_send("in_port=3,dl_src=02:00:00:00:00:01");
	rig_drain(NULL);
	expect_flows("table=1", " table=1, idle_timeout=99, dl_dst=02:00:00:00:00:01 actions=output:3\n");
}

Test(learn, the_end_of_a_connection_shortens_timeouts)
{
	add("tcp,idle_timeout=60,actions=fin_timeout(idle_timeout=2,hard_timeout=7),output:2");
	rig_expect("in_port=1,tcp,tcp_flags=0x010", "output:2");
	cr_expect_eq(rig_drain(NULL), 0);
	rig_expect("in_port=1,tcp,tcp_flags=0x011", "fin_timeout output:2");
	cr_expect_eq(rig_drain(NULL), 1);
	expect_flows("table=0", " idle_timeout=2, hard_timeout=7, tcp "
	                        "actions=fin_timeout(idle_timeout=2,hard_timeout=7),output:2\n");
	wait_seconds(3);
	cr_expect_eq(rig_totals("table=0").flows, 0);
}
