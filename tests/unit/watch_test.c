/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables tell beside counters: each change of a flow to who watches, and packets that no flow
 * matches. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "flows/text.h"
#include "tests/lib/tables_rig.h"

static char told[4096]; /* "+5" added with priority 5, "-5" removed, "*5" modified, "." the end of a change */
static uint64_t last_number;

static void flow_changed(void *arg, enum tables_event event, const struct flow_stats *flow,
                         const struct action_list *old, enum tables_removed reason)
{
	static const char signs[] = {
	        [TABLES_FLOW_ADDED] = '+', [TABLES_FLOW_REMOVED] = '-', [TABLES_FLOW_MODIFIED] = '*'};
	size_t n = strlen(told);

	snprintf(told + n, sizeof(told) - n, "%c%u", signs[event], flow->priority);
	cr_expect(flow->born && flow->born <= flow->changed);
	cr_expect(event == TABLES_FLOW_REMOVED || flow->changed > last_number, "numbers rise");
	cr_expect(event != TABLES_FLOW_MODIFIED || (old && flow->born < flow->changed));
	if (event != TABLES_FLOW_REMOVED)
		last_number = flow->changed;
}

static void change_done(void *arg)
{
	strcat(told, ".");
}

static void expect_told(const char *wanted)
{
	cr_expect_str_eq(told, wanted);
	told[0] = 0;
}

static void start(void)
{
	rig_start(&(struct tables_config){.flow_changed = flow_changed, .change_done = change_done});
	tables_watch(rig.tables, true);
}

TestSuite(watch, .init = start, .fini = rig_stop);

Test(watch, each_change_is_told_once)
{
	rig_flow(FLOW_ADD, "priority=5,ip,actions=output:1");
	expect_told("+5.");
	rig_flow(FLOW_ADD, "priority=5,ip,actions=output:2");
	expect_told("+5.");
	rig_flow(FLOW_MODIFY, "ip,actions=output:3");
	expect_told("*5.");
	rig_flow(FLOW_MODIFY, "arp,actions=output:3");
	expect_told("");
	rig_flow(FLOW_DELETE, "ip");
	expect_told("-5.");
	rig_group(GROUP_ADD, "group_id=1,type=all,bucket=output:1");
	told[0] = 0;
	rig_flow(FLOW_ADD, "priority=6,ip,actions=group:1");
	expect_told("+6.");
	rig_group(GROUP_DELETE, "group_id=1");
	expect_told("-6.");
	tables_watch(rig.tables, false);
	rig_flow(FLOW_ADD, "priority=7,actions=drop");
	expect_told("");
}

/* Steps as "+TEXT" (add), "*TEXT" (modify), "-TEXT" (delete), all as one version. */
static void apply(const char *const steps[], unsigned n)
{
	struct tables_change changes[8] = {{0}};
	struct flow_mod mods[8];
	unsigned failed;

	for (unsigned i = 0; i < n; i++) {
		enum flow_command command = steps[i][0] == '+'   ? FLOW_ADD
		                            : steps[i][0] == '*' ? FLOW_MODIFY
		                                                 : FLOW_DELETE;
		struct error e;

		cr_assert_eq(flow_mod_parse(steps[i] + 1, command, NULL, &mods[i], NULL, &e), 0, "%s",
		             e.text);
		changes[i].flow = &mods[i];
	}
	cr_assert_eq(tables_apply(rig.tables, changes, n, clock_now(), &failed), TABLES_OK);
	for (unsigned i = 0; i < n; i++)
		flow_mod_free(&mods[i]);
}

Test(watch, what_comes_and_goes_within_a_change_is_not_told)
{
	static const char *const added_and_gone[] = {"+priority=5,ip,actions=1", "-ip"};
	static const char *const added_and_modified[] = {"+priority=5,ip,actions=1", "*ip,actions=2"};
	static const char *const modified_and_gone[] = {"*ip,actions=3", "-ip"};
	static const char *const replaced_twice[] = {"+priority=5,ip,actions=1", "+priority=5,ip,actions=2",
	                                             "*ip,actions=3"};

	apply(added_and_gone, 2);
	expect_told(".");
	apply(added_and_modified, 2);
	expect_told("+5.");
	apply(modified_and_gone, 2);
	expect_told("-5.");
	rig_flow(FLOW_ADD, "priority=5,ip,actions=9");
	told[0] = 0;
	apply(replaced_twice, 3);
	expect_told("*5.");
}

Test(watch, misses_are_told_while_asked_for)
{
	rig_flow(FLOW_ADD, "ip,actions=output:1,goto_table:5");
	rig_flow(FLOW_ADD, "arp,actions=resubmit(,6),output:2");
	rig_expect("in_port=7,dl_type=0x1234", "drop(table_miss)");
	rig_expect("in_port=7,ip", "output:1");
	tables_tell_misses(rig.tables, true);
	rig_expect("in_port=7,dl_type=0x1234", "controller");
	rig_expect("in_port=7,ip", "output:1 controller");
	rig_expect("in_port=7,arp", "output:2"); /* a resubmit that misses does nothing */
	tables_tell_misses(rig.tables, false);
	rig_expect("in_port=7,dl_type=0x1234", "drop(table_miss)");
}
