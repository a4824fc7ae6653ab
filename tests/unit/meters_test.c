/* SPDX-License-Identifier: Apache-2.0 */
/* Meters as objects: changes, who uses them, what they let pass. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "flows/dp/meter.h"
#include "tests/lib/tables_rig.h"

static void start(void)
{
	rig_start(NULL);
}

static enum tables_error change(enum meter_command command, uint32_t id, uint16_t flags,
                                struct meter_band band)
{
	struct meter_mod mm = {
	        .command = command, .meter_id = id, .flags = flags, .n_bands = 1, .bands = {band}};

	return rig_meter(&mm);
}

static struct meter_stats stats_of(uint32_t id)
{
	struct meter_stats s;

	rig_fold();
	cr_assert(tables_meter_next(rig.tables, id, clock_now(), &s));
	cr_assert_eq(s.meter_id, id);
	return s;
}

/* The slot that the program of a packet names. */
static uint32_t slot_for(const char *text)
{
	struct mkey key = rig_packet(text);
	const struct program *p;
	uint32_t len = 100;

	cache_lookup(rig.cache, clock_now(), &key, &len, 1, &p);
	cr_assert(p->nops && program_ops(p)[0].type == OP_METER);
	return program_ops(p)[0].arg32;
}

/* How many of `n` packets of `bytes` pass, one every `gap` ns. */
static unsigned passed(const char *text, unsigned n, uint32_t bytes, uint64_t gap)
{
	uint32_t slot = slot_for(text);
	unsigned count = 0;
	uint8_t level;

	for (unsigned i = 0; i < n; i++) {
		count += meter_run(rig.tables, slot, 0, 1, bytes, clock_now(), &level) == METER_PASS;
		clock_set(clock_now() + gap);
	}
	return count;
}

static const struct meter_band drop_100 = {.type = METER_DROP, .rate = 100};

TestSuite(meters, .init = start, .fini = rig_stop);

Test(meters, stand_first_in_the_program)
{
	cr_expect_eq(rig_flow(FLOW_ADD, "in_port=1,actions=meter:1,output:2"), TABLES_METER_INVALID);
	cr_expect_eq(change(METER_ADD, 1, METER_PKTPS, drop_100), TABLES_OK);
	cr_expect_eq(rig_flow(FLOW_ADD, "in_port=1,actions=meter:1,output:2"), TABLES_OK);
	rig_expect("in_port=1", "meter output:2");
	cr_expect_eq(rig_flow(FLOW_ADD, "in_port=2,actions=meter:1"), TABLES_OK);
	rig_expect("in_port=2", "meter drop:action_drop");
	cr_expect_eq(stats_of(1).flow_count, 2);
}

Test(meters, each_mistake_has_its_error)
{
	struct meter_band bad = {.type = METER_DROP};

	cr_expect_eq(change(METER_MODIFY, 1, METER_PKTPS, drop_100), TABLES_METER_UNKNOWN);
	cr_expect_eq(change(METER_DELETE, 1, METER_PKTPS, drop_100), TABLES_OK);
	cr_expect_eq(change(METER_ADD, 1, METER_PKTPS, drop_100), TABLES_OK);
	cr_expect_eq(change(METER_ADD, 1, METER_PKTPS, drop_100), TABLES_METER_EXISTS);
	cr_expect_eq(change(METER_ADD, 0, METER_PKTPS, drop_100), TABLES_METER_INVALID);
	cr_expect_eq(change(METER_ADD, METER_MAX + 1, METER_PKTPS, drop_100), TABLES_METER_INVALID);
	cr_expect_eq(change(METER_ADD, 2, METER_PKTPS | METER_KBPS, drop_100), TABLES_METER_FLAGS);
	cr_expect_eq(change(METER_ADD, 2, METER_PKTPS, bad), TABLES_METER_RATE);
	bad = (struct meter_band){.type = 3, .rate = 1};
	cr_expect_eq(change(METER_ADD, 2, METER_PKTPS, bad), TABLES_METER_BAND);
}

Test(meters, more_than_the_limit_are_refused)
{
	rig_stop();
	rig_start(&(struct tables_config){.max_meters = 2});
	cr_expect_eq(change(METER_ADD, 1, 0, drop_100), TABLES_OK);
	cr_expect_eq(change(METER_ADD, 2, 0, drop_100), TABLES_OK);
	cr_expect_eq(change(METER_ADD, 3, 0, drop_100), TABLES_OUT_OF_METERS);
	cr_expect_eq(change(METER_DELETE, 1, 0, drop_100), TABLES_OK);
	cr_expect_eq(change(METER_ADD, 3, 0, drop_100), TABLES_OK);
}

Test(meters, deleting_one_deletes_its_flows)
{
	change(METER_ADD, 1, METER_PKTPS, drop_100);
	change(METER_ADD, 2, METER_PKTPS, drop_100);
	rig_flow(FLOW_ADD, "in_port=1,send_flow_rem,cookie=7,actions=meter:1,output:2");
	rig_flow(FLOW_ADD, "in_port=2,actions=meter:2,output:3");
	rig_expect("in_port=1", "meter output:2");
	change(METER_DELETE, 1, 0, drop_100);
	rig_expect("in_port=1", "drop(table_miss)");
	rig_expect("in_port=2", "meter output:3");
	rig_fold();
	cr_expect_eq(rig.removed.n, 1);
	cr_expect_eq(rig.removed.cookie, 7);
	cr_expect_eq(rig.removed.reason, TABLES_DELETED);
	change(METER_DELETE, METER_ALL, 0, drop_100);
	rig_expect("in_port=2", "drop(table_miss)");
	cr_expect_null(tables_meter_next(rig.tables, 0, clock_now(), NULL));
}

Test(meters, packets_per_second)
{
	change(METER_ADD, 1, METER_PKTPS, drop_100);
	rig_flow(FLOW_ADD, "actions=meter:1,output:2");
	cr_expect_eq(passed("in_port=1", 150, 100, 0), 10, "what a tenth of a second yields passes at once");
	cr_expect_eq(passed("in_port=1", 1000, 100, CLOCK_SECOND / 1000), 99, "then one in 10 ms");
	cr_expect_eq(stats_of(1).n_packets, 1150);
	cr_expect_eq(stats_of(1).n_bytes, 115000);
	cr_expect_eq(stats_of(1).bands[0].n_packets, 1150 - 109);
}

Test(meters, kilobits_per_second_with_a_burst)
{
	struct meter_band band = {.type = METER_DROP, .rate = 1000, .burst = 8};

	change(METER_ADD, 1, METER_KBPS | METER_BURST, band);
	rig_flow(FLOW_ADD, "actions=meter:1,output:2");
	cr_expect_eq(passed("in_port=1", 5, 500, 0), 2, "8 kb are 1000 bytes");
	clock_set(clock_now() + CLOCK_SECOND);
	cr_expect_eq(passed("in_port=1", 1000, 500, CLOCK_SECOND / 1000), 251, "125,000 bytes a second");
}

/* 64 KB of segments at 100 kb/s: they pass, and are paid for afterwards. */
Test(meters, what_is_larger_than_the_bucket_passes_when_it_is_full)
{
	struct meter_band band = {.type = METER_DROP, .rate = 100};

	change(METER_ADD, 1, METER_KBPS, band);
	rig_flow(FLOW_ADD, "actions=meter:1,output:2");
	cr_expect_eq(passed("in_port=1", 1, 62500, 0), 1);
	cr_expect_eq(passed("in_port=1", 49, 62500, CLOCK_SECOND / 10), 0, "five seconds' worth");
	clock_set(clock_now() + CLOCK_SECOND / 5);
	cr_expect_eq(passed("in_port=1", 1, 62500, 0), 1);
}

Test(meters, the_band_of_the_highest_rate_that_is_exceeded_acts)
{
	struct meter_mod mm = {
	        .command = METER_ADD,
	        .meter_id = 1,
	        .flags = METER_PKTPS | METER_BURST,
	        .n_bands = 2,
	        .bands = {{.type = METER_DSCP_REMARK, .rate = 10, .burst = 2, .prec_level = 1},
	                  {.type = METER_DROP, .rate = 20, .burst = 4}},
	};
	unsigned remarked = 0, dropped = 0;
	uint8_t level = 0;
	uint32_t slot;

	cr_assert_eq(rig_meter(&mm), TABLES_OK);
	rig_flow(FLOW_ADD, "actions=meter:1,output:2");
	slot = slot_for("in_port=1");
	for (unsigned i = 0; i < 10; i++) {
		enum meter_verdict v = meter_run(rig.tables, slot, 0, 1, 100, clock_now(), &level);

		remarked += v == METER_REMARK;
		dropped += v == METER_REFUSE;
	}
	cr_expect_eq(remarked, 2);
	cr_expect_eq(level, 1);
	cr_expect_eq(dropped, 6);
	cr_expect_eq(stats_of(1).bands[0].n_packets, 2);
	cr_expect_eq(stats_of(1).bands[1].n_packets, 6);
}

Test(meters, modifying_one_keeps_flows_and_count)
{
	struct meter_band slower = {.type = METER_DROP, .rate = 1};

	change(METER_ADD, 1, METER_PKTPS, drop_100);
	rig_flow(FLOW_ADD, "actions=meter:1,output:2");
	cr_expect_eq(passed("in_port=1", 10, 100, 0), 10);
	change(METER_MODIFY, 1, METER_PKTPS, slower);
	cr_expect_eq(passed("in_port=1", 10, 100, 0), 1);
	cr_expect_eq(stats_of(1).n_packets, 20);
	cr_expect_eq(stats_of(1).bands[0].n_packets, 9);
	cr_expect_eq(stats_of(1).flow_count, 1);
	cr_expect_eq(tables_meter_next(rig.tables, 1, clock_now(), NULL)->bands[0].rate, 1);
}

Test(meters, a_refused_change_takes_meters_back)
{
	struct meter_mod mm = {.command = METER_ADD, .meter_id = 1, .n_bands = 1, .bands = {drop_100}};
	struct meter_mod gone = {.command = METER_DELETE, .meter_id = 2};
	struct tables_change changes[3] = {{.meter = &mm}, {.meter = &gone}, {.meter = &mm}};
	unsigned failed;

	change(METER_ADD, 2, METER_PKTPS, drop_100);
	rig_flow(FLOW_ADD, "in_port=2,actions=meter:2,output:3");
	cr_expect_eq(tables_apply(rig.tables, changes, 3, clock_now(), &failed), TABLES_METER_EXISTS);
	cr_expect_eq(failed, 2);
	cr_expect_eq(stats_of(2).flow_count, 1);
	rig_expect("in_port=2", "meter output:3");
	cr_expect_eq(tables_apply(rig.tables, changes, 2, clock_now(), &failed), TABLES_OK);
	rig_expect("in_port=2", "drop(table_miss)");
	cr_expect_eq(stats_of(1).flow_count, 0);
}

Test(meters, a_controller_action_has_one_of_its_own)
{
	cr_expect_eq(rig_flow(FLOW_ADD, "actions=controller(meter_id=1),output:2"), TABLES_METER_INVALID);
	change(METER_ADD, 1, METER_PKTPS, drop_100);
	cr_expect_eq(rig_flow(FLOW_ADD, "actions=controller(meter_id=1),output:2"), TABLES_OK);
	rig_expect("in_port=1", "save meter controller restore output:2");
}
