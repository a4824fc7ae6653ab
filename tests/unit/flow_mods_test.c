/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of flow_mod keeps, changes, selects and tells (OpenFlow 1.3 section 6.4, Open vSwitch where
 * that is silent). */
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

/* The only flow that the filter selects. Its actions are borrowed. */
static struct flow_stats the_flow(const char *filter)
{
	struct flow_stats fs, more;
	struct tables_dump *d;
	struct flow_filter f;
	struct error err;

	rig_fold();
	cr_assert_eq(flow_filter_parse(filter, NULL, &f, &err), 0, "%s", err.text);
	d = tables_dump_open(rig.tables, &f);
	cr_assert(tables_dump_next(d, clock_now(), &fs), "%s: none", filter);
	cr_assert_not(tables_dump_next(d, clock_now(), &more), "%s: more than one", filter);
	tables_dump_close(d);
	return fs;
}

static void wait_seconds(unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		clock_set(clock_now() + CLOCK_SECOND);
		rig_fold();
		tables_expire(rig.tables, clock_now());
	}
	rig_fold();
}

static uint32_t flows(const char *filter)
{
	return rig_totals(filter).flows;
}

TestSuite(flow_mods, .init = start, .fini = rig_stop);

Test(flow_mods, adding_again_keeps_the_count_and_restarts_the_clock)
{
	struct flow_stats fs;

	add("cookie=1,ip,hard_timeout=9,actions=output:1");
	rig_send("in_port=5,ip");
	clock_set(clock_now() + 2 * CLOCK_SECOND);
	add("cookie=2,ip,idle_timeout=7,actions=output:2");
	fs = the_flow("ip");
	cr_expect_eq(fs.n_packets, 1);
	cr_expect_eq(fs.cookie, 2);
	cr_expect_eq(fs.duration_ns, 0);
	cr_expect(fs.idle_timeout == 7 && fs.hard_timeout == 0);
	add("cookie=2,ip,reset_counts,actions=output:2");
	fs = the_flow("ip");
	cr_expect_eq(fs.n_packets, 0);
	cr_expect_eq(fs.flags, FLOW_RESET_COUNTS, "a flow is told as it was added");
}

Test(flow_mods, modifying_keeps_all_but_the_actions)
{
	struct flow_stats fs;

	add("cookie=1,ip,priority=5,idle_timeout=60,importance=3,send_flow_rem,actions=output:1");
	rig_send("in_port=5,ip");
	clock_set(clock_now() + 2 * CLOCK_SECOND);
	cr_expect_eq(rig_flow(FLOW_MODIFY, "cookie=9,ip,idle_timeout=1,actions=output:2"), TABLES_OK);
	fs = the_flow("ip");
	cr_expect_eq(fs.n_packets, 1);
	cr_expect_eq(fs.cookie, 1);
	cr_expect_eq(fs.priority, 5);
	cr_expect_eq(fs.idle_timeout, 60);
	cr_expect_eq(fs.importance, 3);
	cr_expect_eq(fs.flags, FLOW_SEND_REM);
	cr_expect_eq(fs.duration_ns, 2 * CLOCK_SECOND);
	rig_expect("in_port=5,ip", "output:2");
	cr_expect_eq(rig_flow(FLOW_MODIFY, "ip,reset_counts,actions=output:3"), TABLES_OK);
	cr_expect_eq(the_flow("ip").n_packets, 0);
}

Test(flow_mods, strict_and_loose_select_different_flows)
{
	add("table=1,priority=5,ip,actions=output:1");
	add("table=1,priority=6,ip,actions=output:1");
	add("table=1,priority=5,tcp,actions=output:1");
	add("table=2,priority=5,tcp,actions=output:1");
	cr_expect_eq(rig_flow(FLOW_MODIFY_STRICT, "table=1,priority=5,ip,actions=output:2"), TABLES_OK);
	cr_expect_eq(flows("out_port=2"), 1);
	cr_expect_eq(rig_flow(FLOW_MODIFY, "table=1,ip,actions=output:3"), TABLES_OK);
	cr_expect_eq(flows("out_port=3"), 3);
	cr_expect_eq(rig_flow(FLOW_DELETE_STRICT, "table=1,ip"), TABLES_OK);
	cr_expect_eq(flows(""), 4, "there is none of that priority");
	cr_expect_eq(rig_flow(FLOW_DELETE, "tcp"), TABLES_OK);
	cr_expect_eq(flows(""), 2, "all tables");
}

Test(flow_mods, over_1_3_nothing_is_added_by_modifying)
{
	struct tables_change change = {0};
	struct flow_mod fm;
	struct error err;

	cr_expect_eq(rig_flow(FLOW_MODIFY, "ip,actions=output:2"), TABLES_OK);
	cr_expect_eq(rig_flow(FLOW_MODIFY_STRICT, "ip,actions=output:2"), TABLES_OK);
	cr_expect_eq(flows(""), 0);
	/* over 1.0, where a cookie comes along, it is */
	cr_assert_eq(flow_mod_parse("cookie=4,ip,actions=output:2", FLOW_MODIFY, NULL, &fm, NULL, &err), 0);
	fm.modify_cookie = true;
	change.flow = &fm;
	cr_expect_eq(tables_apply(rig.tables, &change, 1, clock_now(), NULL), TABLES_OK);
	flow_mod_free(&fm);
	cr_expect_eq(the_flow("ip").cookie, 4);
}

Test(flow_mods, cookies_and_outputs_narrow_what_is_deleted)
{
	add("cookie=0x11,in_port=1,actions=output:1");
	add("cookie=0x12,in_port=2,actions=output:1,output:2");
	add("cookie=0x21,in_port=3,actions=write_actions(output:2)");
	cr_expect_eq(rig_flow(FLOW_DELETE, "cookie=0x10/0xf0,out_port=2"), TABLES_OK);
	cr_expect_eq(flows(""), 2);
	cr_expect_eq(rig_flow(FLOW_DELETE_STRICT, "cookie=0x20/-1,in_port=3"), TABLES_OK);
	cr_expect_eq(flows(""), 2);
	cr_expect_eq(rig_flow(FLOW_DELETE, "out_port=2"), TABLES_OK);
	cr_expect_eq(flows("in_port=1"), 1);
	cr_expect_eq(rig_flow(FLOW_MODIFY, "cookie=0x12/-1,actions=output:9"), TABLES_OK);
	cr_expect_eq(flows("out_port=9"), 0);
	cr_expect_eq(rig_flow(FLOW_MODIFY, "cookie=0x1/0xf,actions=output:9"), TABLES_OK);
	cr_expect_eq(flows("out_port=9"), 1);
}

Test(flow_mods, an_overlap_is_refused_when_asked_for)
{
	add("priority=5,ip,nw_src=10.0.0.0/8,actions=output:1");
	cr_expect_eq(rig_flow(FLOW_ADD, "check_overlap,priority=5,tcp,actions=drop"), TABLES_OVERLAP);
	cr_expect_eq(rig_flow(FLOW_ADD, "check_overlap,priority=6,tcp,actions=drop"), TABLES_OK);
	cr_expect_eq(rig_flow(FLOW_ADD, "check_overlap,priority=5,ip,nw_src=11.0.0.0/8,actions=drop"),
	             TABLES_OK);
	cr_expect_eq(rig_flow(FLOW_ADD, "check_overlap,priority=5,ip,nw_src=10.0.0.0/8,actions=drop"),
	             TABLES_OK, "the same match replaces");
}

Test(flow_mods, each_way_to_go_is_told_with_its_reason)
{
	add("cookie=1,in_port=1,send_flow_rem,idle_timeout=2,actions=output:2");
	rig_send("in_port=1");
	wait_seconds(3);
	cr_expect_eq(rig.removed.n, 1);
	cr_expect_eq(rig.removed.reason, TABLES_IDLE_TIMEOUT);
	cr_expect_eq(rig.removed.packets, 1);
	add("cookie=2,in_port=1,send_flow_rem,hard_timeout=2,actions=output:2");
	wait_seconds(3);
	cr_expect_eq(rig.removed.reason, TABLES_HARD_TIMEOUT);
	add("cookie=3,in_port=1,send_flow_rem,actions=output:2");
	rig_flow(FLOW_DELETE, "in_port=1");
	rig_fold();
	cr_expect_eq(rig.removed.reason, TABLES_DELETED);
	cr_expect_eq(rig.removed.cookie, 3);
	rig_group(GROUP_ADD, "group_id=1,type=all,bucket=output:1");
	add("cookie=4,in_port=1,send_flow_rem,actions=group:1");
	rig_group(GROUP_DELETE, "group_id=1");
	rig_fold();
	cr_expect_eq(rig.removed.reason, TABLES_GROUP_DELETED);
	cr_expect_eq(rig.removed.n, 4);
	/* one that takes its place is no removal; one that did not ask is not told of */
	add("in_port=1,send_flow_rem,actions=output:2");
	add("in_port=1,actions=output:3");
	rig_flow(FLOW_DELETE, "");
	rig_fold();
	cr_expect_eq(rig.removed.n, 4);
}

Test(flow_mods, a_hard_timeout_counts_from_the_last_change)
{
	add("in_port=1,hard_timeout=5,actions=output:2");
	wait_seconds(4);
	rig_flow(FLOW_MODIFY, "in_port=1,actions=output:3");
	wait_seconds(4);
	cr_expect_eq(flows(""), 1);
	wait_seconds(2);
	cr_expect_eq(flows(""), 0);
}

Test(flow_mods, the_last_place_is_taken_and_no_more)
{
	rig_stop();
	rig_start(&(struct tables_config){.max_rules = 2});
	add("in_port=1,actions=output:1");
	add("in_port=2,actions=output:1");
	cr_expect_eq(rig_flow(FLOW_ADD, "in_port=3,actions=output:1"), TABLES_FULL);
	cr_expect_eq(rig_flow(FLOW_ADD, "in_port=2,actions=output:3"), TABLES_OK,
	             "in place of one that is there");
	rig_flow(FLOW_DELETE, "in_port=1");
	cr_expect_eq(rig_flow(FLOW_ADD, "in_port=3,actions=output:1"), TABLES_OK);
	cr_expect_eq(rig_flow(FLOW_ADD, "table=254,actions=drop"), TABLES_BAD_TABLE);
}
