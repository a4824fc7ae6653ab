/* SPDX-License-Identifier: Apache-2.0 */
/* Groups among groups: liveness, chains, loops, users; their order in a dump. */
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
	cr_assert_eq(rig_group(GROUP_ADD, text), TABLES_OK, "%s", text);
}

static uint32_t users_of(uint32_t id)
{
	struct group_stats s;
	uint32_t n;

	cr_assert(tables_group_next(rig.tables, id, clock_now(), &s));
	n = s.ref_count;
	group_stats_free(&s);
	return n;
}

TestSuite(groups, .init = start, .fini = rig_stop);

Test(groups, a_bucket_lives_by_a_port_or_a_group)
{
	add("group_id=2,type=ff,bucket=watch_port:5,actions=output:5,bucket=watch_port:6,actions=output:6");
	add("group_id=1,type=ff,bucket=watch_group:2,actions=group:2,bucket=watch_port:9,actions=output:9");
	rig_flow(FLOW_ADD, "actions=group:1");
	for (uint32_t port = 5; port < 10; port++)
		tables_set_port_live(rig.tables, port, true);
	rig_expect("in_port=1", "output:5");
	tables_set_port_live(rig.tables, 5, false);
	rig_expect("in_port=1", "output:6");
	tables_set_port_live(rig.tables, 6, false);
	rig_expect("in_port=1", "output:9");
	tables_set_port_live(rig.tables, 9, false);
	rig_expect("in_port=1", "drop(group_empty)");
	/* The group that is watched changes; the ports stay. */
	rig_group(GROUP_MODIFY, "group_id=2,type=ff,bucket=watch_port:7,actions=output:7");
	rig_expect("in_port=1", "output:7");
}

Test(groups, no_port_is_live_before_it_is_said_to_be)
{
	add("group_id=1,type=ff,bucket=watch_port:5,actions=output:5,bucket=watch_port:6,actions=output:6");
	rig_flow(FLOW_ADD, "actions=group:1");
	rig_expect("in_port=1", "drop(group_empty)");
	tables_set_port_live(rig.tables, 6, true);
	rig_expect("in_port=1", "output:6");
	tables_set_port_live(rig.tables, 5, true);
	rig_expect("in_port=1", "output:5");
}

Test(groups, may_not_lead_to_themselves)
{
	add("group_id=1,type=all,bucket=actions=output:1");
	add("group_id=2,type=all,bucket=actions=group:1");
	add("group_id=3,type=all,bucket=actions=group:2");
	cr_expect_eq(rig_group(GROUP_MODIFY, "group_id=1,type=all,bucket=actions=group:1"),
	             TABLES_GROUP_LOOP);
	cr_expect_eq(rig_group(GROUP_MODIFY, "group_id=1,type=all,bucket=actions=group:3"),
	             TABLES_GROUP_LOOP);
	cr_expect_eq(rig_group(GROUP_ADD, "group_id=4,type=all,bucket=actions=group:4"), TABLES_GROUP_LOOP);
	cr_expect_eq(rig_group(GROUP_ADD, "group_id=4,type=all,bucket=actions=group:9"),
	             TABLES_BAD_OUT_GROUP);
}

/* Each of 30 groups leads to the one below twice: 2^30 ways. */
Test(groups, a_tangle_is_refused_in_time)
{
	enum tables_error err = TABLES_OK;
	char text[128];

	add("group_id=0,type=all,bucket=actions=output:1");
	for (unsigned i = 1; i < 30 && !err; i++) {
		snprintf(text, sizeof(text),
		         "group_id=%u,type=all,bucket=actions=group:%u,bucket=actions=group:%u", i, i - 1,
		         i - 1);
		err = rig_group(GROUP_ADD, text);
	}
	cr_expect_eq(err, TABLES_GROUP_LOOP);
}

Test(groups, one_that_others_lead_to_cannot_be_deleted)
{
	add("group_id=1,type=all,bucket=actions=output:1");
	add("group_id=2,type=all,bucket=actions=group:1,bucket=actions=group:1");
	cr_expect_eq(rig_group(GROUP_DELETE, "group_id=1"), TABLES_GROUP_CHAINED);
	rig_group(GROUP_MODIFY, "group_id=2,type=all,bucket=actions=group:1");
	cr_expect_eq(rig_group(GROUP_DELETE, "group_id=1"), TABLES_GROUP_CHAINED);
	rig_group(GROUP_MODIFY, "group_id=2,type=all,bucket=actions=output:3");
	cr_expect_eq(rig_group(GROUP_DELETE, "group_id=1"), TABLES_OK);
	add("group_id=1,type=all,bucket=actions=group:2");
	cr_expect_eq(rig_group(GROUP_DELETE, "group_id=all"), TABLES_OK);
	cr_expect_null(tables_group_next(rig.tables, 0, clock_now(), NULL));
}

Test(groups, count_their_users_and_take_them_along)
{
	add("group_id=1,type=all,bucket=actions=output:1");
	rig_flow(FLOW_ADD, "in_port=1,actions=group:1");
	rig_flow(FLOW_ADD, "in_port=2,actions=write_actions(group:1)");
	rig_flow(FLOW_ADD, "in_port=3,send_flow_rem,cookie=3,actions=clone(group:1)");
	rig_flow(FLOW_ADD, "in_port=4,actions=output:1");
	cr_expect_eq(users_of(1), 3);
	rig_flow(FLOW_MODIFY, "in_port=2,actions=output:2");
	rig_group(GROUP_MODIFY, "group_id=1,type=all,bucket=actions=output:9");
	cr_expect_eq(users_of(1), 2);
	rig_group(GROUP_DELETE, "group_id=1");
	rig_fold();
	cr_expect_eq(rig.removed.n, 1);
	cr_expect_eq(rig.removed.reason, TABLES_GROUP_DELETED);
	cr_expect_eq(rig_totals("table=0").flows, 2);
}

Test(groups, are_listed_in_order)
{
	static const uint32_t ids[] = {7, 4096 + 7, 3, 0xffffff00, 0};
	const struct group_mod *gm;
	uint32_t from = 0, last = 0;
	char text[64];
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(text, sizeof(text), "group_id=%u,type=all,bucket=actions=output:1", ids[i]);
		add(text);
	}
	for (; (gm = tables_group_next(rig.tables, from, clock_now(), NULL)); from = gm->group_id + 1) {
		cr_expect(!n || gm->group_id > last);
		last = gm->group_id;
		n++;
	}
	cr_expect_eq(n, sizeof(ids) / sizeof(ids[0]));
}
