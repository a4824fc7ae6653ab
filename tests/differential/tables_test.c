/* SPDX-License-Identifier: Apache-2.0 */
/* Random flows and groups, random packets: what the tables and the cache make of them is what the naive model
 * says, cold, cached and after changes; all counters agree. DIFF_PACKETS sets how many packets, SEED where to
 * start. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/dp/packet.h"
#include "base/dp/rcu.h"
#include "flows/dp/cache.h"
#include "flows/dp/tables.h"
#include "flows/text.h"
#include "tests/differential/execute.h"
#include "tests/differential/generate.h"
#include "tests/differential/model.h"

enum { FLOWS = 150, PACKETS_PER_ROUND = 20000 };

static struct {
	struct random random;
	struct tables *tables;
	struct cache *cache;
	struct model model;
	struct flow_key flows[FLOWS];
	unsigned ngroups;
	uint64_t cookies, packets;
	uint64_t sent, hits, limited; /* packets that left, rules met, programs too long */
} test;

static struct model_result expected;
static struct model_event seen[MODEL_EVENTS_MAX];

static uint64_t env_number(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : fallback;
}

/* ---- changes, made to both ---- */

static enum tables_error apply(const struct flow_mod *fm, const struct group_mod *gm)
{
	struct tables_change change = {.flow = fm, .group = gm};

	return tables_apply(test.tables, &change, 1, clock_now(), NULL);
}

static void add_group(void)
{
	struct group_mod gm;

	generate_group(&test.random, ++test.ngroups, &gm);
	cr_assert_eq(apply(NULL, &gm), TABLES_OK);
	model_group_mod(&test.model, &gm);
	group_mod_free(&gm);
}

static void change_group(void)
{
	struct group_mod gm;

	generate_group(&test.random, 1 + random_below(&test.random, test.ngroups), &gm);
	gm.command = GROUP_MODIFY;
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

/* Replaces, modifies or deletes by the match of a flow that is there, or by a random one. */
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
	if (random_below(&test.random, 2))
		fm.flags = FLOW_RESET_COUNTS;
	if (fm.command == FLOW_MODIFY || fm.command == FLOW_MODIFY_STRICT)
		fm.flags = 0;
	if (fm.command != FLOW_DELETE && fm.command != FLOW_DELETE_STRICT)
		generate_actions(&test.random, &fm.match, fm.table_id, test.ngroups, &fm.actions);
	cr_assert_eq(apply(&fm, NULL), TABLES_OK);
	model_flow_mod(&test.model, &fm);
	flow_mod_free(&fm);
}

static void random_change(void)
{
	unsigned kind = random_below(&test.random, 10);

	if (kind < 5)
		add_flow();
	else if (kind < 9)
		change_flow();
	else
		change_group();
}

/* ---- packets ---- */

static bool same_events(unsigned n)
{
	if (n != expected.nevents)
		return false;
	for (unsigned i = 0; i < n; i++) {
		const struct model_event *a = &seen[i], *b = &expected.events[i];

		if (a->kind != b->kind || a->port != b->port || a->cookie != b->cookie ||
		    memcmp(&a->key, &b->key, sizeof(a->key)))
			return false;
	}
	return true;
}

static void explain(const struct flow_key *key, const struct program *p, unsigned n)
{
	struct text text = {0};
	struct match m = {.key = *key};

	memset(&m.mask, 0xff, sizeof(m.mask));
	match_format(&text, &m, PRIORITY_DEFAULT, NULL);
	printf("packet %s\nprogram: %u ops, drop reason %s\n", text_get(&text), p->nops,
	       drop_reason_name(p->drop_reason));
	for (unsigned i = 0; i < n; i++)
		printf("  seen %u port %u cookie %lu\n", seen[i].kind, seen[i].port, seen[i].cookie);
	for (unsigned i = 0; i < expected.nevents; i++)
		printf("  want %u port %u cookie %lu\n", expected.events[i].kind, expected.events[i].port,
		       expected.events[i].cookie);
	for (unsigned i = 0; i < n && i < expected.nevents; i++)
		for (unsigned id = 0; id < FIELD_COUNT; id++) {
			struct field_value a, b;

			field_get(&seen[i].key, id, &a);
			field_get(&expected.events[i].key, id, &b);
			if (memcmp(&a, &b, sizeof(a)))
				printf("  copy %u: %s is %lx, not %lx\n", i, fields[id].name,
				       value_to_u64(&a), value_to_u64(&b));
		}
	for (unsigned i = 0; i < test.model.ngroups; i++) {
		text_free(&text);
		text = (struct text){0};
		group_format(&text, &test.model.groups[i], NULL);
		printf("  %s\n", text_get(&text));
	}
	for (unsigned i = 0; i < expected.nhits; i++) {
		const struct model_rule *r = expected.hits[i];

		text_free(&text);
		text = (struct text){0};
		match_format(&text, &r->match, r->priority, NULL);
		text_add(&text, " actions=");
		actions_format(&text, &r->actions, NULL);
		printf("  rule %lu: table %u %s\n", r->cookie, r->table_id, text_get(&text));
	}
	text_free(&text);
	fflush(stdout);
}

static void judge(const struct flow_key *key, const struct program *p, uint32_t len)
{
	unsigned n = execute_program(p, key, seen), choices = 1;

	for (unsigned choice = 0; choice < choices; choice++) {
		model_run(&test.model, key, choice, &expected);
		if (same_events(n)) {
			model_count(&expected, len);
			test.sent += n;
			test.hits += expected.nhits;
			return;
		}
		if (expected.nselects)
			choices = expected.nselects > 3 ? 81 : 27;
	}
	if (p->drop_reason == DROP_PROGRAM_LIMIT && expected.nevents > 8) {
		test.limited++;
		model_count(&expected, len); /* too long for a program: refused as a whole, yet counted */
		return;
	}
	explain(key, p, n);
	cr_assert_fail("packet %lu", test.packets);
}

static void send_batch(void)
{
	unsigned n = 1 + random_below(&test.random, BATCH_MAX);
	const struct program *programs[BATCH_MAX];
	const struct flow_key *wide[BATCH_MAX];
	static struct mkey keys[BATCH_MAX];
	uint32_t lens[BATCH_MAX];

	for (unsigned i = 0; i < n; i++) {
		unsigned flow = random_below(&test.random, FLOWS);

		if (!random_below(&test.random, 20))
			generate_packet(&test.random, &test.flows[flow]);
		wide[i] = &test.flows[flow];
		mkey_pack(wide[i], &keys[i]);
		lens[i] = 60 + random_below(&test.random, 1000);
	}
	cache_lookup(test.cache, clock_now(), keys, lens, n, programs);
	for (unsigned i = 0; i < n; i++) {
		struct flow_key now;

		mkey_expand(&keys[i], &now);
		judge(&now, programs[i], lens[i]);
		test.packets++;
	}
}

/* ---- counters ---- */

static void fold(void)
{
	uint32_t id = tables_fold(test.tables);

	while (!tables_fold_done(test.tables, id))
		cache_fold(test.cache, 1 + random_below(&test.random, 50));
	while (tables_poll(test.tables, clock_now()))
		cache_fold(test.cache, 50);
	rcu_poll();
}

static void compare_counters(void)
{
	struct flow_filter all = {.table_id = TABLE_ALL, .out_port = PORT_ANY, .out_group = GROUP_ANY};
	struct tables_dump *d;
	struct flow_stats fs;
	unsigned n = 0;

	fold();
	d = tables_dump_open(test.tables, &all);
	while (tables_dump_next(d, clock_now(), &fs)) {
		const struct model_rule *r = NULL;

		for (unsigned i = 0; i < test.model.n; i++)
			if (test.model.rules[i].table_id == fs.table_id &&
			    test.model.rules[i].priority == fs.priority)
				r = &test.model.rules[i];
		cr_assert(r);
		cr_assert(match_equal(&r->match, &fs.match));
		cr_assert(action_list_equal(&r->actions, &fs.actions));
		cr_assert_eq(fs.cookie, r->cookie);
		cr_assert_eq(fs.n_packets, r->packets, "flow %lu: %lu packets, not %lu", fs.cookie,
		             fs.n_packets, r->packets);
		cr_assert_eq(fs.n_bytes, r->bytes);
		n++;
	}
	tables_dump_close(d);
	cr_assert_eq(n, test.model.n);
}

/* ---- rounds ---- */

static void round_begin(void)
{
	static const unsigned cache_sizes[] = {64, 64, 1024, 65536};

	test.tables = tables_create(NULL);
	test.cache = cache_create(test.tables, 0, cache_sizes[random_below(&test.random, 4)]);
	cr_assert(test.tables && test.cache);
	tables_set_port_tunnel(test.tables, 1, random_below(&test.random, 2));
	model_init(&test.model);
	test.ngroups = 0;
	for (unsigned i = 0; i < GENERATE_GROUPS; i++)
		add_group();
	for (unsigned n = random_below(&test.random, 200); n; n--)
		add_flow();
	for (unsigned i = 0; i < FLOWS; i++)
		generate_packet(&test.random, &test.flows[i]);
}

static void round_end(void)
{
	compare_counters();
	cache_destroy(test.cache);
	tables_destroy(test.tables);
	model_free(&test.model);
}

Test(differential, tables_do_what_the_model_says, .timeout = 600)
{
	uint64_t packets = env_number("DIFF_PACKETS", 1000000);

	test.random.state = random_seed(1);
	cr_assert_eq(rcu_init(), 0);
	while (test.packets < packets) {
		uint64_t until = test.packets + PACKETS_PER_ROUND;

		round_begin();
		while (test.packets < until) {
			send_batch();
			if (!random_below(&test.random, 4))
				random_change();
			if (!random_below(&test.random, 50))
				compare_counters();
			if (!random_below(&test.random, 10))
				cache_fold(test.cache, 10);
			rcu_poll();
		}
		round_end();
	}
	rcu_exit();
	printf("%lu packets, %lu flows met, %lu copies sent, %lu too long\n", test.packets, test.hits,
	       test.sent, test.limited);
	/* A test of nothing would pass as well. */
	cr_assert_gt(test.hits, test.packets);
	cr_assert_gt(test.sent, test.packets);
	cr_assert_lt(test.limited, test.packets / 100);
}
