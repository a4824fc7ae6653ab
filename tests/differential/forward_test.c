/* SPDX-License-Identifier: Apache-2.0 */
/* Random flows, groups and ports, random frames: what the datapath makes of them is what the naive model
 * says, cold, cached and after changes: the bytes that leave each port and their order, packet-ins, what is
 * learned, all counters. DIFF_PACKETS sets how many frames, SEED where to start. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flows/dp/fdb.h"
#include "tests/differential/generate.h"
#include "tests/differential/turn.h"

enum {
	SAMPLES = 300, /* frames that are sent again and again */
	PACKETS_PER_ROUND = 20000,
	COST_MAX = 40, /* what takes a longer program is not sent: there are limits, tested elsewhere */
	DEPTH_MAX = 6,
};

static struct {
	struct random random;
	struct subject subject;
	struct model model;
	struct turn turn;
	struct sample samples[SAMPLES];
	unsigned ngroups;
	uint64_t cookies, packets;
	uint64_t sent, hits, skipped, solo; /* frames that left, rules met; not sent; select groups */
} test;

static struct model_result result;

static uint64_t env_number(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : fallback;
}

/* ---- changes, made to both ---- */

static enum tables_error apply(const struct flow_mod *fm, const struct group_mod *gm)
{
	struct tables_change change = {.flow = fm, .group = gm};

	return tables_apply(test.subject.tables, &change, 1, clock_now(), NULL);
}

static void put_group(uint32_t id, enum group_command command)
{
	struct group_mod gm;

	generate_group(&test.random, id, test.ngroups, &gm);
	gm.command = command;
	cr_assert_eq(apply(NULL, &gm), TABLES_OK);
	model_group_mod(&test.model, &gm);
	group_mod_free(&gm);
}

/* Equal priorities would leave it open which flow wins. */
static void add_flow(void)
{
	struct flow_mod fm;

	generate_flow(&test.random, test.ngroups, &fm);
	while (model_has_priority(&test.model, fm.table_id, fm.priority))
		fm.priority = (uint16_t)random_below(&test.random, 65536);
	fm.cookie = ++test.cookies;
	cr_assert_eq(apply(&fm, NULL), TABLES_OK);
	model_flow_mod(&test.model, &fm);
	flow_mod_free(&fm);
}

/* Replaces, modifies or deletes by the match of a flow that is there. */
static void change_flow(void)
{
	static const enum flow_command commands[] = {FLOW_ADD, FLOW_MODIFY, FLOW_MODIFY_STRICT,
	                                             FLOW_DELETE_STRICT, FLOW_DELETE};
	const struct model_rule *r;
	struct flow_mod fm;

	if (!test.model.n)
		return;
	r = &test.model.rules[random_below(&test.random, test.model.n)];
	flow_mod_init(&fm);
	fm.command = commands[random_below(&test.random, 5)];
	fm.table_id = r->table_id;
	fm.priority = r->priority;
	fm.match = r->match;
	fm.cookie = ++test.cookies;
	if (random_chance(&test.random, 50))
		fm.flags = FLOW_RESET_COUNTS;
	if (fm.command != FLOW_DELETE && fm.command != FLOW_DELETE_STRICT)
		generate_actions(&test.random, &fm.match, fm.table_id, test.ngroups, &fm.actions);
	else if (random_chance(&test.random, 10))
		fm.out_port = 1 + random_below(&test.random, GENERATE_PORTS);
	cr_assert_eq(apply(&fm, NULL), TABLES_OK);
	model_flow_mod(&test.model, &fm);
	flow_mod_free(&fm);
}

/* OFPPC_* of a port. */
static void change_port(void)
{
	static const uint32_t bits[] = {PORT_CONFIG_DOWN, PORT_CONFIG_NO_RECV, PORT_CONFIG_NO_FLOOD,
	                                PORT_CONFIG_NO_FWD, PORT_CONFIG_NO_PACKET_IN};
	struct model_port *p = &test.model.ports[random_below(&test.random, test.model.nports)];

	p->config = random_chance(&test.random, 50) ? 0 : bits[random_below(&test.random, 5)];
	datapath_port_set_config(test.subject.dp, datapath_port_by_number(test.subject.dp, p->number),
	                         p->config);
	test.model.nchoices = 0; /* liveness moves flows of select groups */
}

static void random_change(void)
{
	unsigned kind = random_below(&test.random, 20);

	if (kind < 9)
		add_flow();
	else if (kind < 17)
		change_flow();
	else if (kind < 19)
		put_group(1 + random_below(&test.random, test.ngroups), GROUP_MODIFY);
	else
		change_port();
}

/* ---- packets ---- */

/* Nothing that is sent is too much for the switch. */
static void check_limits(void)
{
	uint64_t drops[DROP_REASON_COUNT];

	datapath_drops(test.subject.dp, drops);
	cr_assert_eq(drops[DROP_PROGRAM_LIMIT] + drops[DROP_RESUBMIT_LIMIT] + drops[DROP_OUTPUT_LIMIT], 0,
	             "a limit was met before packet %lu", test.packets);
}

static void inject(const struct sample *s)
{
	uint16_t head = 0, piece = 0;

	if (random_chance(&test.random, 20)) {
		head = (uint16_t)(14 + random_below(&test.random, 60));
		piece = (uint16_t)(32 + random_below(&test.random, 100));
	}
	subject_inject(&test.subject, s->port, &s->frame, head, piece);
	test.packets++;
}

static void account(const struct sample *s)
{
	model_commit(&test.model, s->port, s->frame.len, &result);
	test.hits += result.nrules;
	test.sent += result.nevents;
}

static void fail(const char *wrong, unsigned where)
{
	turn_explain(&test.turn, &test.subject, &test.model, where);
	cr_assert_fail("packet %lu: %s", test.packets, wrong);
}

/* Everything injected goes its way, and all that left is what had to. */
static void finish_turn(void)
{
	const char *wrong;
	unsigned where;

	subject_turn(&test.subject);
	turn_collect(&test.turn, &test.subject, &test.model);
	wrong = turn_judge(&test.turn, &test.subject, &test.model, &where);
	if (wrong)
		fail(wrong, where);
	turn_clear(&test.turn);
	model_turn(&test.model);
}

/* Have the buckets of `result` counted the packet? They tell choices apart that send the same. */
static bool buckets_counted(void)
{
	bool all = true;

	for (unsigned i = 0; i < result.nchoices; i++) {
		const struct model_choice *c = &result.choices[i];
		const struct model_count *bucket = &model_group(&test.model, c->group_id)->buckets[c->bucket];
		uint64_t want = bucket->packets;
		struct group_stats gs;

		for (unsigned k = 0; k < result.nothers; k++)
			want += result.others[k] == bucket;
		tables_group_next(test.subject.tables, c->group_id, clock_now(), &gs);
		all &= gs.buckets[c->bucket].n_packets == want;
		group_stats_free(&gs);
	}
	return all;
}

/* Does the model explain what left with this guess? */
static bool explains(const struct sample *s, unsigned guess)
{
	unsigned where;

	turn_forget_expected(&test.turn);
	model_run(&test.model, s->port, &s->frame, guess, &result);
	turn_add(&test.turn, s, &result);
	return !turn_judge(&test.turn, &test.subject, &test.model, &where) && buckets_counted();
}

/* A packet of which the model cannot know which buckets it takes: any will do, if all that leaves and what is
 * counted agrees. */
static void send_alone(const struct sample *s)
{
	unsigned guess = 0;

	if (test.turn.npackets)
		finish_turn();
	inject(s);
	subject_turn(&test.subject);
	subject_fold(&test.subject);
	turn_collect(&test.turn, &test.subject, &test.model);
	while (guess < MODEL_GUESSES && !explains(s, guess))
		guess++;
	if (guess == MODEL_GUESSES)
		fail("no choice of buckets explains it", 0);
	account(s);
	turn_clear(&test.turn);
	model_turn(&test.model);
	test.solo++;
}

static void send_sample(const struct sample *s)
{
	model_run(&test.model, s->port, &s->frame, 0, &result);
	if (result.cost > COST_MAX || result.depth > DEPTH_MAX || result.strange) {
		test.skipped++;
		return;
	}
	if (result.nchoices) {
		send_alone(s);
		return;
	}
	turn_add(&test.turn, s, &result);
	inject(s);
	account(s);
}

static void new_sample(struct sample *s)
{
	struct flow_key key;

	generate_key(&test.random, &key);
	generate_frame(&test.random, &key, &s->frame);
	s->port = key.in_port;
}

/* The worker takes the ports in the order of their numbers. */
static void send_batch(void)
{
	for (unsigned i = 0; i < test.model.nports; i++) {
		unsigned n = random_chance(&test.random, 30) ? random_below(&test.random, 65) : 0;

		while (n--) {
			struct sample *s = &test.samples[random_below(&test.random, SAMPLES)];

			if (s->port == test.model.ports[i].number)
				send_sample(s);
		}
	}
	finish_turn();
	check_limits();
	for (unsigned i = 0; i < SAMPLES / 20; i++)
		if (random_chance(&test.random, 5))
			new_sample(&test.samples[random_below(&test.random, SAMPLES)]);
}

/* ---- counters ---- */

static void compare_flows(void)
{
	struct flow_filter all = {.table_id = TABLE_ALL, .out_port = PORT_ANY, .out_group = GROUP_ANY};
	struct tables_dump *d = tables_dump_open(test.subject.tables, &all);
	struct flow_stats fs;
	unsigned n = 0;

	while (tables_dump_next(d, clock_now(), &fs)) {
		const struct model_rule *r = &test.model.rules[n++];

		cr_assert_leq(n, test.model.n);
		cr_assert_eq(fs.table_id, r->table_id);
		cr_assert_eq(fs.priority, r->priority);
		cr_assert(memcmp(&r->match, &fs.match, sizeof(fs.match)) == 0);
		cr_assert(action_list_equal(&r->actions, &fs.actions));
		cr_assert_eq(fs.cookie, r->cookie);
		cr_assert_eq(fs.n_packets, r->count.packets, "flow %lu: %lu packets, not %lu", fs.cookie,
		             fs.n_packets, r->count.packets);
		cr_assert_eq(fs.n_bytes, r->count.bytes);
	}
	tables_dump_close(d);
	cr_assert_eq(n, test.model.n);
}

static void compare_groups(void)
{
	for (uint32_t id = 1; id <= test.ngroups; id++) {
		const struct model_group *g = model_group(&test.model, id);
		struct group_stats gs;

		tables_group_next(test.subject.tables, id, clock_now(), &gs);
		cr_assert_eq(gs.group_id, id);
		cr_assert_eq(gs.n_packets, g->count.packets, "group %u: %lu packets, not %lu", id,
		             gs.n_packets, g->count.packets);
		cr_assert_eq(gs.n_bytes, g->count.bytes);
		cr_assert_eq(gs.n_buckets, g->mod.n_buckets);
		for (unsigned i = 0; i < gs.n_buckets; i++) {
			cr_assert_eq(gs.buckets[i].n_packets, g->buckets[i].packets);
			cr_assert_eq(gs.buckets[i].n_bytes, g->buckets[i].bytes);
		}
		group_stats_free(&gs);
	}
}

static void compare_tables(void)
{
	for (unsigned i = 0; i < MODEL_TABLES; i++) {
		struct tables_stats ts;

		tables_table_stats(test.subject.tables, (uint8_t)i, &ts);
		cr_assert_eq(ts.lookups, test.model.lookups[i], "table %u: %lu lookups, not %lu", i,
		             ts.lookups, test.model.lookups[i]);
		cr_assert_eq(ts.matched, test.model.matched[i]);
	}
}

static void compare_ports(void)
{
	for (unsigned i = 0; i < test.model.nports; i++) {
		const struct model_port *p = &test.model.ports[i];
		struct port_counters c;

		datapath_port_counters(test.subject.dp, datapath_port_by_number(test.subject.dp, p->number),
		                       &c);
		cr_assert_eq(c.rx_packets, p->rx.packets);
		cr_assert_eq(c.rx_bytes, p->rx.bytes);
		cr_assert_eq(c.tx_packets, p->tx.packets);
		cr_assert_eq(c.tx_bytes, p->tx.bytes);
	}
}

static void compare_macs(void)
{
	const struct fdb *f = datapath_fdb(test.subject.dp);
	struct fdb_entry e;
	uint32_t cursor = 0;
	unsigned n = 0;

	while (fdb_next(f, &cursor, &e)) {
		cr_assert_eq(model_mac_port(&test.model, e.vlan, e.mac), e.port);
		n++;
	}
	cr_assert_eq(n, test.model.nmacs);
}

static void compare_counters(void)
{
	subject_fold(&test.subject);
	compare_flows();
	compare_groups();
	compare_tables();
	compare_ports();
	compare_macs();
}

/* ---- rounds ---- */

static void add_port(uint32_t number)
{
	uint32_t caps = random_chance(&test.random, 50) ? PORT_TX_CSUM : 0;

	subject_port_add(&test.subject, number, caps);
	model_port_add(&test.model, number, !caps);
}

static void round_begin(void)
{
	static const unsigned cache_sizes[] = {64, 64, 1024, 65536};

	generate_about(random_below(&test.random, THEMES));
	subject_create(&test.subject, cache_sizes[random_below(&test.random, 4)]);
	model_init(&test.model);
	for (uint32_t i = 1; i <= GENERATE_PORTS; i++)
		add_port(i);
	add_port(PORT_LOCAL);
	test.ngroups = GENERATE_GROUPS;
	for (uint32_t i = GENERATE_GROUPS; i; i--)
		put_group(i, GROUP_ADD);
	for (unsigned n = random_below(&test.random, 200); n; n--)
		add_flow();
	for (unsigned i = 0; i < SAMPLES; i++)
		new_sample(&test.samples[i]);
}

static void round_end(void)
{
	compare_counters();
	subject_destroy(&test.subject);
	model_free(&test.model);
}

Test(differential, the_datapath_does_what_the_model_says, .timeout = 600)
{
	uint64_t packets = env_number("DIFF_PACKETS", 1000000), now = CLOCK_SECOND;

	test.random.state = random_seed(1);
	while (test.packets < packets) {
		uint64_t until = test.packets + PACKETS_PER_ROUND;

		round_begin();
		while (test.packets < until) {
			clock_set(now += CLOCK_MS);
			send_batch();
			if (random_chance(&test.random, 25))
				random_change();
			if (random_chance(&test.random, 2))
				compare_counters();
		}
		round_end();
	}
	printf("%lu packets, %lu flows met, %lu copies sent, %lu alone, %lu too long to send\n", test.packets,
	       test.hits, test.sent, test.solo, test.skipped);
	/* A test of nothing would pass as well. */
	cr_assert_gt(test.hits, test.packets);
	cr_assert_gt(test.sent, test.packets);
	cr_assert_lt(test.skipped, test.packets / 20);
}
