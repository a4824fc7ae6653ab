/* SPDX-License-Identifier: Apache-2.0 */
/* conjunction(id, k/n): clauses, priorities, what is cached, limits. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/lib/tables_rig.h"

static void start(void)
{
	rig_start(NULL);
}

static void add(const char *text)
{
	cr_assert_eq(rig_flow(FLOW_ADD, text), TABLES_OK, "%s", text);
}

TestSuite(conjunction, .init = start, .fini = rig_stop);

Test(conjunction, one_clause_of_each_dimension_is_needed)
{
	add("ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)");
	add("ip,nw_src=10.0.0.2,actions=conjunction(7,1/2)");
	add("ip,nw_dst=10.0.1.1,actions=conjunction(7,2/2)");
	add("ip,nw_dst=10.0.1.2,actions=conjunction(7,2/2)");
	add("conj_id=7,ip,actions=output:3");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "output:3");
	rig_expect("ip,nw_src=10.0.0.2,nw_dst=10.0.1.1", "output:3");
	rig_expect("ip,nw_src=10.0.0.2,nw_dst=10.0.1.2", "output:3");
	rig_expect("ip,nw_src=10.0.0.3,nw_dst=10.0.1.2", "drop(table_miss)");
	rig_expect("ip,nw_src=10.0.0.2,nw_dst=10.0.1.3", "drop(table_miss)");
	cr_expect_eq(rig_totals("ip").packets, 3, "the flow of the id counts, clauses do not");
}

Test(conjunction, a_clause_may_serve_several_ids)
{
	add("in_port=1,tcp,tp_dst=80,actions=conjunction(1,1/3),conjunction(2,2/2)");
	add("ip,nw_src=10.0.0.0/8,actions=conjunction(1,2/3),conjunction(2,1/2)");
	add("ip,nw_dst=10.0.0.0/8,actions=conjunction(1,3/3)");
	add("conj_id=1,actions=output:5");
	rig_expect("in_port=1,tcp,tp_dst=80,nw_src=10.1.1.1,nw_dst=10.2.2.2", "output:5");
	/* 2 is complete, but has no flow */
	rig_expect("in_port=1,tcp,tp_dst=80,nw_src=10.1.1.1,nw_dst=11.2.2.2", "drop(table_miss)");
	add("conj_id=2,in_port=1,actions=output:6");
	rig_expect("in_port=1,tcp,tp_dst=80,nw_src=10.1.1.1,nw_dst=11.2.2.2", "output:6");
}

Test(conjunction, clauses_must_have_the_same_priority)
{
	add("priority=5,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)");
	add("priority=6,ip,nw_dst=10.0.1.1,actions=conjunction(7,2/2)");
	add("conj_id=7,actions=output:3");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "drop(table_miss)");
	add("priority=6,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "output:3");
}

Test(conjunction, other_flows_win_by_priority)
{
	add("priority=10,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)");
	add("priority=10,ip,nw_dst=10.0.1.1,actions=conjunction(7,2/2)");
	add("priority=1,conj_id=7,actions=output:3");
	add("priority=9,ip,actions=output:9");
	rig_expect("ip,nw_src=10.0.0.2,nw_dst=10.0.1.1", "output:9");
	/* the search with the id sees all that is no clause: the best of it wins */
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "output:9");
	rig_flow(FLOW_DELETE, "ip");
	add("priority=10,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)");
	add("priority=10,ip,nw_dst=10.0.1.1,actions=conjunction(7,2/2)");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "output:3");
	add("priority=11,ip,tp_dst=1,udp,actions=output:11");
	rig_expect("udp,nw_src=10.0.0.1,nw_dst=10.0.1.1,tp_dst=1", "output:11");
	rig_expect("udp,nw_src=10.0.0.1,nw_dst=10.0.1.1,tp_dst=2", "output:3");
}

Test(conjunction, a_clause_gives_way_to_lower_flows_of_its_match)
{
	add("priority=10,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)");
	add("priority=8,ip,nw_src=10.0.0.1,actions=conjunction(8,1/2)");
	add("priority=6,ip,nw_src=10.0.0.1,actions=output:6");
	add("priority=8,ip,nw_dst=10.0.1.1,actions=conjunction(8,2/2)");
	add("priority=3,conj_id=8,actions=output:8");
	add("priority=2,ip,actions=output:2");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "output:8");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.2", "output:6");
	rig_flow(FLOW_DELETE_STRICT, "priority=6,ip,nw_src=10.0.0.1");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.2", "output:2");
}

Test(conjunction, comes_into_effect_and_goes_at_once)
{
	add("priority=1,actions=output:1");
	add("ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)");
	add("ip,nw_dst=10.0.1.1,actions=conjunction(7,2/2)");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "output:1");
	add("conj_id=7,actions=output:3");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "output:3");
	rig_flow(FLOW_MODIFY_STRICT, "ip,nw_dst=10.0.1.1,actions=output:4");
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "output:4");
	rig_flow(FLOW_DELETE_STRICT, "ip,nw_dst=10.0.1.1");
	rig_fold();
	rig_expect("ip,nw_src=10.0.0.1,nw_dst=10.0.1.1", "output:1");
}

Test(conjunction, of_64_dimensions)
{
	char text[128];

	for (unsigned i = 0; i < 64; i++) {
		snprintf(text, sizeof(text),
		         "table=1,ip,nw_src=0.0.0.0/0.0.0.%u,actions=conjunction(9,%u/64)", i, i + 1);
		add(text);
	}
	add("table=1,conj_id=9,actions=output:3");
	add("actions=goto_table:1");
	rig_expect("in_port=1,ip,nw_src=10.0.0.0", "output:3");
	rig_expect("in_port=1,ip,nw_src=10.0.0.1", "drop(action_drop)");
	rig_expect("in_port=1,ip,nw_src=10.0.0.32", "drop(action_drop)");
}

Test(conjunction, beyond_the_limits_a_packet_is_dropped)
{
	char text[128];

	add("priority=1,actions=output:1");
	for (unsigned i = 0; i < 70; i++) {
		snprintf(text, sizeof(text), "priority=%u,ip,nw_src=10.0.0.1,actions=conjunction(9,1/2)",
		         10 + i);
		add(text);
	}
	rig_expect("ip,nw_src=10.0.0.1", "drop(conjunction_limit)");
	rig_expect("ip,nw_src=10.0.0.2", "output:1");
}

/* The mask of the port's packets has the clauses' fields and nothing else. */
Test(conjunction, is_cached_by_what_it_looked_at)
{
	struct cache_stats stats;
	char text[128];

	add("ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)");
	add("ip,nw_dst=10.0.1.1,actions=conjunction(7,2/2)");
	add("conj_id=7,actions=output:3");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "tcp,nw_src=10.0.0.1,nw_dst=10.0.1.1,tp_src=%u", i);
		rig_expect(text, "output:3");
	}
	cache_get_stats(rig.cache, &stats);
	cr_expect_eq(stats.misses, 1);
}
