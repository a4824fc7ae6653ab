/* SPDX-License-Identifier: Apache-2.0 */
/* The microflow cache as a store: programs that flows share, and flows that make way for others. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "flows/text.h"
#include "tests/lib/tables_rig.h"

enum { CAPACITY = 1024 /* of the rig's cache */ };

static void start(void)
{
	rig_start(NULL);
}

TestSuite(cache, .init = start, .fini = rig_stop);

static struct cache_stats stats(void)
{
	struct cache_stats s;

	cache_get_stats(rig.cache, &s);
	return s;
}

/* One packet of each of `n` flows, which differ in their source address; all must end in `result`. */
static void send_flows(unsigned first, unsigned n, const char *result)
{
	char text[100];

	for (unsigned i = first; i < first + n; i++) {
		snprintf(text, sizeof(text), "in_port=1,ip,nw_src=10.0.%u.%u", i / 256, i % 256);
		rig_expect(text, result);
	}
}

Test(cache, flows_of_one_program_share_it)
{
	rig_flow(FLOW_ADD, "priority=1,ip,nw_src=10.0.0.0/16,actions=output:2");
	rig_flow(FLOW_ADD, "priority=2,ip,nw_src=10.0.1.0/24,actions=output:3");
	rig_flow(FLOW_ADD, "priority=3,ip,nw_src=10.0.2.99,actions=drop");
	send_flows(0, 256, "output:2");
	cr_expect_eq(stats().entries, 256);
	cr_expect_eq(stats().programs, 1);
	send_flows(256, 256, "output:3");
	cr_expect_eq(stats().programs, 2);
	rig_flow(FLOW_MODIFY, "ip,nw_src=10.0.0.0/16,actions=output:9");
	send_flows(0, 256, "output:9");
	cr_expect_eq(stats().programs, 1 + 1, "the old one goes with its last flow");
	send_flows(256, 256, "output:9");
	cr_expect_eq(stats().programs, 2);
	rig_fold();
	cr_expect_eq(rig_totals("").packets, 4 * 256);
	cr_expect_eq(rig_totals("ip,nw_src=10.0.1.0/24").packets, 2 * 256);
}

Test(cache, programs_that_remember_something_are_not_shared)
{
	rig_flow(FLOW_ADD, "ip,actions=learn(table=1,idle_timeout=10,reg0=1),output:2");
	rig_flow(FLOW_ADD, "ip,nw_src=10.0.0.1,actions=output:3");
	send_flows(2, 6, "learn output:2");
	cr_expect_eq(stats().programs, 6);
}

Test(cache, flows_make_way_and_no_packet_is_lost_from_a_counter)
{
	unsigned n = 4 * CAPACITY;

	rig_flow(FLOW_ADD, "priority=1,ip,nw_src=10.0.0.0/17,actions=output:2");
	rig_flow(FLOW_ADD, "priority=2,ip,nw_src=10.0.0.5,actions=output:3");
	for (unsigned round = 0; round < 3; round++) {
		send_flows(6, n, "output:2");
		send_flows(5, 1, "output:3");
	}
	cr_expect_leq(stats().entries, CAPACITY);
	cr_expect_gt(stats().entries, CAPACITY / 2);
	cr_expect_geq(stats().evictions, 3 * n - CAPACITY);
	cr_expect_leq(stats().programs, 2);
	rig_fold();
	cr_expect_eq(rig_totals("").packets, 3 * n + 3);
	cr_expect_eq(rig_totals("ip,nw_src=10.0.0.5").packets, 3);
	rig_flow(FLOW_DELETE, "");
	send_flows(0, n, "drop(table_miss)");
	cr_expect_eq(stats().programs, 1);
}
