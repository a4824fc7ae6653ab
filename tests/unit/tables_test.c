/* SPDX-License-Identifier: Apache-2.0 */
/* Flow tables, groups, translation, the microflow cache and its counters, through the public headers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/dp/rcu.h"
#include "flows/text.h"
#include "tests/lib/tables_rig.h"

static void start(void)
{
	rig_start(NULL);
}

static enum tables_error add(const char *text)
{
	return rig_flow(FLOW_ADD, text);
}

TestSuite(tables, .init = start, .fini = rig_stop);
TestSuite(tables_limits);

Test(tables, highest_priority_wins_and_a_miss_drops)
{
	rig_expect("in_port=1", "drop(table_miss)");
	add("priority=1,actions=output:1");
	add("priority=9,ip,nw_dst=10.0.0.0/8,actions=output:2");
	add("priority=10,tcp,tp_dst=80,actions=drop");
	rig_expect("in_port=5,dl_type=0x88cc", "output:1");
	rig_expect("in_port=5,tcp,nw_dst=10.1.1.1,tp_dst=22", "output:2");
	rig_expect("in_port=5,tcp,nw_dst=10.1.1.1,tp_dst=80", "drop(action_drop)");
	rig_expect("in_port=1,dl_type=0x88cc", "drop(same_port)");
}

Test(tables, a_change_is_obeyed_by_the_next_packet)
{
	add("in_port=1,actions=output:2");
	rig_expect("in_port=1", "output:2");
	rig_flow(FLOW_MODIFY, "in_port=1,actions=output:3");
	rig_expect("in_port=1", "output:3");
	rig_flow(FLOW_DELETE, "in_port=1");
	rig_expect("in_port=1", "drop(table_miss)");
}

Test(tables, counters_survive_modify_and_readd_but_not_reset_counts)
{
	add("in_port=1,actions=output:2");
	rig_send("in_port=1");
	rig_flow(FLOW_MODIFY, "in_port=1,actions=output:3");
	rig_send("in_port=1");
	add("in_port=1,actions=output:4");
	rig_send("in_port=1");
	cr_expect_eq(rig_totals("").packets, 3);
	cr_expect_eq(rig_totals("").bytes, 300);
	cr_expect_eq(rig_totals("").flows, 1);
	add("reset_counts,in_port=1,actions=output:4");
	rig_send("in_port=1");
	cr_expect_eq(rig_totals("").packets, 1);
}

Test(tables, flow_removed_comes_once_with_final_counters)
{
	add("send_flow_rem,cookie=7,in_port=1,actions=output:2");
	rig_send("in_port=1");
	rig_send("in_port=1");
	rig_flow(FLOW_DELETE, "");
	cr_expect_eq(rig.removed.n, 0, "not before the worker has folded");
	cr_expect(tables_poll(rig.tables, clock_now()));
	rig_fold();
	cr_expect_eq(rig.removed.n, 1);
	cr_expect_eq(rig.removed.packets, 2);
	cr_expect_eq(rig.removed.cookie, 7);
	cr_expect_eq(rig.removed.reason, TABLES_DELETED);
	cr_expect_not(tables_poll(rig.tables, clock_now()));
}

Test(tables, timeouts)
{
	add("send_flow_rem,idle_timeout=10,in_port=1,actions=output:2");
	add("send_flow_rem,hard_timeout=15,in_port=2,actions=output:2");
	clock_set(1009 * CLOCK_SECOND);
	rig_send("in_port=1");
	rig_send("in_port=2");
	clock_set(1011 * CLOCK_SECOND);
	rig_fold();
	cr_expect_eq(tables_expire(rig.tables, clock_now()), 0);
	clock_set(1015 * CLOCK_SECOND);
	cr_expect_eq(tables_expire(rig.tables, clock_now()), 1);
	rig_fold();
	cr_expect_eq(rig.removed.reason, TABLES_HARD_TIMEOUT);
	clock_set(1019 * CLOCK_SECOND);
	cr_expect_eq(tables_expire(rig.tables, clock_now()), 1);
	rig_fold();
	cr_expect_eq(rig.removed.reason, TABLES_IDLE_TIMEOUT);
	cr_expect_not(tables_has_timeouts(rig.tables));
}

Test(tables, a_refused_change_leaves_nothing_behind)
{
	struct flow_mod good, bad;
	struct tables_change changes[] = {{.flow = &good}, {.flow = &bad}};
	unsigned failed = 99;
	struct error err;

	add("in_port=1,actions=output:2");
	cr_assert_eq(flow_mod_parse("in_port=1,actions=output:3", FLOW_ADD, NULL, &good, NULL, &err), 0);
	cr_assert_eq(flow_mod_parse("in_port=2,actions=group:9", FLOW_ADD, NULL, &bad, NULL, &err), 0);
	cr_expect_eq(tables_apply(rig.tables, changes, 2, clock_now(), &failed), TABLES_BAD_OUT_GROUP);
	cr_expect_eq(failed, 1);
	rig_expect("in_port=1", "output:2");
	cr_expect_eq(rig_totals("").flows, 1);
	flow_mod_free(&good);
	flow_mod_free(&bad);
}

Test(tables, strict_and_loose_selection)
{
	add("priority=5,tcp,actions=output:1");
	add("priority=5,tcp,tp_dst=80,actions=output:1");
	add("priority=6,tcp,tp_dst=80,actions=output:2");
	rig_flow(FLOW_DELETE_STRICT, "priority=5,tcp");
	cr_expect_eq(rig_totals("").flows, 2);
	rig_flow(FLOW_DELETE, "tcp,out_port=2");
	cr_expect_eq(rig_totals("").flows, 1);
	rig_flow(FLOW_MODIFY_STRICT, "priority=6,tcp,tp_dst=80,actions=output:9");
	cr_expect_eq(rig_totals("out_port=9").flows, 0);
	cr_expect_eq(add("check_overlap,priority=5,ip,nw_src=1.2.3.4,actions=drop"), TABLES_OVERLAP);
	cr_expect_eq(add("check_overlap,priority=4,ip,nw_src=1.2.3.4,actions=drop"), TABLES_OK);
}

Test(tables, the_key_follows_the_actions)
{
	add("table=0,priority=5,ip,actions=mod_nw_dst:9.9.9.9,load:7->NXM_NX_REG0[],resubmit(,1),output:8");
	add("table=1,ip,reg0=7,nw_dst=9.9.9.9,actions=output:3");
	rig_expect("in_port=1,ip,nw_dst=1.1.1.1", "set:ip_dst output:3 output:8");
	add("table=0,priority=6,arp,actions=push_vlan:0x8100,set_field:4101->vlan_vid,goto_table:2");
	add("table=2,dl_vlan=5,actions=pop_vlan,output:4");
	rig_expect("in_port=1,arp", "push_vlan set:vlan_vid pop_vlan output:4");
}

Test(tables, action_sets_run_at_the_end_in_their_own_order)
{
	add("ip,actions=write_actions(output:3,pop_vlan,dec_ttl),goto_table:1");
	add("arp,actions=write_actions(output:3),goto_table:1");
	add("table=1,ip,actions=output:9,write_actions(output:4)");
	add("table=1,arp,actions=clear_actions");
	rig_expect("in_port=1,ip,nw_ttl=9,dl_vlan=3", "output:9 pop_vlan dec_ttl output:4");
	rig_expect("in_port=1,arp", "drop(action_drop)");
	rig_expect("in_port=1,dl_type=0x88cc", "drop(table_miss)");
}

Test(tables, where_the_action_set_leads_can_be_matched)
{
	add("ip,actions=write_actions(output:3),goto_table:1");
	add("arp,actions=write_actions(output:3),goto_table:1");
	add("ipv6,actions=write_actions(output:3),goto_table:1");
	add("table=1,priority=1,actset_output=3,actions=output:8");
	add("table=1,priority=2,arp,actset_output=3,actions=write_actions(output:4),goto_table:2");
	add("table=1,priority=2,ipv6,actset_output=3,actions=clear_actions,goto_table:2");
	add("table=1,actset_output=UNSET,actions=output:9");
	add("table=2,actset_output=UNSET,actions=output:6");
	add("table=2,actset_output=4,actions=move:ONFOXM_ET_ACTSET_OUTPUT[]->NXM_NX_REG0[],resubmit(,3)");
	add("table=3,reg0=4,actions=output:7");
	rig_expect("in_port=1,ip", "output:8 output:3");
	rig_expect("in_port=1,arp", "output:7 output:4");
	rig_expect("in_port=1,ipv6", "output:6");
	cr_expect_eq(rig_group(GROUP_ADD, "group_id=1,type=indirect,bucket=output:5"), TABLES_OK);
	add("ip,actions=write_actions(output:3,group:1),goto_table:1");
	rig_expect("in_port=1,ip", "output:9 output:5");
}

Test(tables, the_physical_port_stays_when_in_port_changes)
{
	add("in_port=1,actions=load:7->NXM_OF_IN_PORT[],resubmit(,1)");
	add("table=1,in_port=7,in_phy_port=1,actions=output:3");
	add("table=1,in_port=7,in_phy_port=7,actions=output:4");
	rig_expect("in_port=1", "output:3");
}

Test(tables, expired_ttl_ends_the_branch)
{
	add("ip,actions=output:1,clone(dec_ttl,output:2),output:3");
	rig_expect("in_port=7,ip,nw_ttl=64", "output:1 save dec_ttl output:2 restore output:3");
	rig_expect("in_port=7,ip,nw_ttl=1", "output:1 save controller drop:ttl_expired restore output:3");
}

Test(tables, groups)
{
	cr_expect_eq(add("in_port=1,actions=group:1"), TABLES_BAD_OUT_GROUP);
	cr_expect_eq(add("in_port=1,actions=goto_table:254"), TABLES_BAD_GOTO);
	cr_expect_eq(add("in_port=1,actions=goto_table:253"), TABLES_OK);
	rig_group(
	        GROUP_ADD,
	        "group_id=1,type=all,bucket=output:1,bucket=output:2,bucket=mod_dl_src:2:2:2:2:2:2,output:3");
	add("in_port=9,actions=group:1,output:4");
	rig_expect("in_port=9", "output:1 output:2 save set:eth_src output:3 restore output:4");
	cr_expect_eq(rig_group(GROUP_ADD, "group_id=1,type=all,bucket=output:1"), TABLES_GROUP_EXISTS);
	rig_group(GROUP_MODIFY, "group_id=1,type=indirect,bucket=output:7");
	rig_expect("in_port=9", "output:7 output:4");
	cr_expect_eq(rig_group(GROUP_MODIFY, "group_id=1,type=indirect,bucket=group:1"), TABLES_GROUP_LOOP);
	rig_group(GROUP_DELETE, "group_id=1");
	rig_expect("in_port=9", "drop(table_miss)");
}

Test(tables, fast_failover_follows_liveness)
{
	rig_group(GROUP_ADD, "group_id=2,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:2,output:2");
	add("in_port=9,actions=group:2");
	rig_expect("in_port=9", "drop(group_empty)"); /* there are no such ports */
	tables_set_port_live(rig.tables, 1, true);
	tables_set_port_live(rig.tables, 2, true);
	rig_expect("in_port=9", "output:1");
	tables_set_port_live(rig.tables, 1, false);
	rig_expect("in_port=9", "output:2");
	tables_set_port_live(rig.tables, 2, false);
	rig_expect("in_port=9", "drop(group_empty)");
	tables_set_port_live(rig.tables, 1, true);
	rig_expect("in_port=9", "output:1");
}

Test(tables, only_what_matters_is_cached)
{
	struct cache_stats stats;
	char text[100];

	add("dl_dst=2:0:0:0:0:1,actions=output:2");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "in_port=1,tcp,dl_dst=2:0:0:0:0:1,tp_src=%u", i);
		rig_expect(text, "output:2");
	}
	cache_get_stats(rig.cache, &stats);
	cr_expect_eq(stats.misses, 1, "%lu", stats.misses);
	add("priority=65535,tcp,tp_src=50,actions=output:3");
	rig_expect("in_port=1,tcp,dl_dst=2:0:0:0:0:1,tp_src=49", "output:2");
	rig_expect("in_port=1,tcp,dl_dst=2:0:0:0:0:1,tp_src=50", "output:3");
}

static uint64_t misses(void)
{
	struct cache_stats stats;

	cache_get_stats(rig.cache, &stats);
	return stats.misses;
}

/* Sends packets that differ in their source port only; how many of them were misses. */
static uint64_t misses_of(const char *packet_but_port)
{
	uint64_t before = misses();
	char text[200];

	for (unsigned i = 1; i <= 50; i++) {
		snprintf(text, sizeof(text), "%s,tp_src=%u", packet_but_port, i);
		rig_send(text);
	}
	return misses() - before;
}

Test(tables, one_tenants_flows_do_not_widen_anothers_mask)
{
	tables_set_port_tunnel(rig.tables, 9, true);
	add("in_port=1,actions=write_metadata:1,goto_table:1");
	add("in_port=2,actions=write_metadata:2,goto_table:1");
	add("in_port=9,tun_id=5,actions=write_metadata:1,goto_table:1");
	add("in_port=9,tun_id=6,actions=write_metadata:2,goto_table:1");
	add("table=1,metadata=1,dl_dst=2:0:0:0:0:1,actions=load:7->NXM_NX_REG0[],resubmit(,2),resubmit(,3)");
	add("table=1,metadata=2,dl_dst=2:0:0:0:0:1,actions=load:8->NXM_NX_REG0[],resubmit(,2),resubmit(,3)");
	add("table=2,reg0=7,actions=output:3");
	add("table=2,reg0=8,tcp,tp_src=7,actions=output:4");
	add("table=3,reg0=8,tcp,tp_src=9,actions=output:5");
	cr_expect_eq(misses_of("in_port=1,tcp,dl_dst=2:0:0:0:0:1"), 1);
	cr_expect_eq(misses_of("in_port=2,tcp,dl_dst=2:0:0:0:0:1"), 50);
	cr_expect_eq(misses_of("in_port=9,tun_id=5,tcp,dl_dst=2:0:0:0:0:1"), 1);
	cr_expect_eq(misses_of("in_port=9,tun_id=6,tcp,dl_dst=2:0:0:0:0:1"), 50);
	cr_expect_eq(misses_of("in_port=3,tcp,dl_dst=2:0:0:0:0:1"), 1, "a port that no flow names");
	rig_expect("in_port=2,tcp,dl_dst=2:0:0:0:0:1,tp_src=7", "output:4");
	/* The first tenant starts to look at ports, and stops again. */
	add("table=2,priority=50000,reg0=7,tcp,tp_src=3,actions=drop");
	cr_expect_eq(misses_of("in_port=1,tcp,dl_dst=2:0:0:0:0:1"), 50);
	rig_flow(FLOW_DELETE, "table=2,reg0=7,tcp,tp_src=3");
	rig_fold();
	cr_expect_eq(misses_of("in_port=1,tcp,dl_dst=2:0:0:0:0:1"), 1);
	cr_expect_eq(misses_of("in_port=9,tun_id=5,tcp,dl_dst=2:0:0:0:0:1"), 1);
	rig_flow(FLOW_DELETE, "tun_id=6");
	rig_fold();
	rig_expect("in_port=9,tun_id=6,tcp,dl_dst=2:0:0:0:0:1,tp_src=7", "drop(table_miss)");
}

Test(tables, programs_too_long_are_dropped_and_counted)
{
	add("actions=resubmit(,0)");
	rig_expect("in_port=1", "drop(resubmit_limit)");
	cr_expect_gt(rig_totals("").packets, 0);
}

Test(tables, more_flows_than_the_cache_holds)
{
	char text[100];

	add("udp,tp_src=0x0/0x8000,actions=move:NXM_OF_UDP_SRC[]->NXM_OF_UDP_DST[],output:2");
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "in_port=1,udp,tp_src=%u", i);
		rig_expect(text, "set:udp_dst output:2");
	}
	cr_expect_eq(rig_totals("").packets, 5000);
}

Test(tables_limits, masks_and_rules)
{
	rig_start(&(struct tables_config){.max_rules = 3, .max_masks = 2});
	cr_expect_eq(add("tcp,tp_dst=1,actions=drop"), TABLES_OK);
	cr_expect_eq(add("ip,nw_dst=1.1.1.1,actions=drop"), TABLES_OK);
	cr_expect_eq(add("ip,nw_dst=1.1.1.0/24,actions=drop"), TABLES_FULL, "a third mask");
	cr_expect_eq(add("tcp,tp_dst=2,actions=drop"), TABLES_OK);
	cr_expect_eq(add("tcp,tp_dst=3,actions=drop"), TABLES_FULL, "a fourth rule");
	cr_expect_eq(add("tcp,tp_dst=2,actions=output:1"), TABLES_OK, "takes the place of one");
	rig_stop();
}
