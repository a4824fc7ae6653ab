/* SPDX-License-Identifier: Apache-2.0 */
/* Random flows, groups, meters and ports, random frames: what the datapath makes of them is what the naive
 * model says, cold, cached and after changes: the bytes that leave each port and their order, packet-ins,
 * what is learned, all counters. DIFF_PACKETS sets how many frames, SEED where to start. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "flows/dp/fdb.h"
#include "tests/differential/turn.h"
#include "tests/differential/world.h"

enum {
	SAMPLES = 300, /* frames that are sent again and again */
	PACKETS_PER_ROUND = 10000,
	COST_MAX = 40, /* what takes a longer program is not sent: there are limits, tested elsewhere */
	DEPTH_MAX = 6,
};

static struct {
	struct world world;
	struct turn turn;
	struct sample samples[SAMPLES];
	uint64_t sent, hits, skipped, solo,
	        learned; /* frames that left, rules met; not sent; select groups */
} test;

static struct model_result result;

static uint64_t env_number(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : fallback;
}

/* Nothing that is sent is too much for the switch. */
static void check_limits(void)
{
	uint64_t drops[DROP_REASON_COUNT];

	datapath_drops(test.world.subject.dp, drops);
	cr_assert_eq(drops[DROP_PROGRAM_LIMIT] + drops[DROP_RESUBMIT_LIMIT] + drops[DROP_OUTPUT_LIMIT], 0,
	             "a limit was met before packet %lu", test.world.packets);
}

static void inject(const struct sample *s)
{
	uint16_t head = 0, piece = 0;

	if (random_chance(&test.world.random, 20)) {
		head = (uint16_t)(14 + random_below(&test.world.random, 60));
		piece = (uint16_t)(32 + random_below(&test.world.random, 100));
	}
	subject_inject(&test.world.subject, s->port, &s->frame, head, piece);
	test.world.packets++;
}

static void account(const struct sample *s)
{
	model_commit(&test.world.model, s->port, s->frame.len, &result);
	test.hits += result.nrules;
	test.sent += result.nevents;
	test.learned += result.nlearned;
}

static void fail(const char *wrong, unsigned where)
{
	turn_explain(&test.turn, &test.world.subject, &test.world.model, where);
	world_explain(&test.world);
	cr_assert_fail("packet %lu: %s", test.world.packets, wrong);
}

/* Everything injected goes its way, and all that left is what had to. */
static void finish_turn(void)
{
	const char *wrong;
	unsigned where;

	subject_turn(&test.world.subject);
	turn_collect(&test.turn, &test.world.subject, &test.world.model);
	wrong = turn_judge(&test.turn, &test.world.subject, &test.world.model, &where);
	if (wrong)
		fail(wrong, where);
	turn_clear(&test.turn);
	model_turn(&test.world.model);
}

/* Has the bucket counted the packet? */
static bool bucket_counted(const struct model_choice *c)
{
	const struct model_count *bucket = &model_group(&test.world.model, c->group_id)->buckets[c->bucket];
	uint64_t want = bucket->packets;
	struct group_stats gs;
	bool right;

	for (unsigned k = 0; k < result.nothers; k++)
		want += result.others[k] == bucket;
	tables_group_next(test.world.subject.tables, c->group_id, clock_now(), &gs);
	right = gs.buckets[c->bucket].n_packets == want;
	group_stats_free(&gs);
	return right;
}

static bool is_flow(const struct flow_stats *fs, uint8_t table_id, uint16_t priority, const struct match *m)
{
	return fs->table_id == table_id && fs->priority == priority && match_equal(m, &fs->match);
}

/* The flow in the model; NULL: it has just been learned. */
static const struct model_rule *rule_of(const struct flow_stats *fs)
{
	const struct model *m = &test.world.model;

	for (unsigned i = 0; i < m->n; i++)
		if (is_flow(fs, m->rules[i].table_id, m->rules[i].priority, &m->rules[i].match))
			return &m->rules[i];
	return NULL;
}

/* What `result` has taught of this flow last; NULL: nothing. */
static const struct flow_mod *learned_of(const struct flow_stats *fs)
{
	for (unsigned i = result.nlearned; i--;)
		if (is_flow(fs, result.learned[i].table_id, result.learned[i].priority,
		            &result.learned[i].match))
			return &result.learned[i];
	return NULL;
}

/* How many flows `result` has taught. */
static unsigned flows_learned(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < result.nlearned; i++) {
		const struct flow_mod *fm = &result.learned[i];
		struct flow_stats fs = {
		        .table_id = fm->table_id, .priority = fm->priority, .match = fm->match};

		n += learned_of(&fs) == fm;
	}
	return n;
}

/* Have the flows of `result`, and no others, counted the packet, and has it taught what is there now? */
static bool flows_right(void)
{
	struct flow_filter all = {.table_id = TABLE_ALL, .out_port = PORT_ANY, .out_group = GROUP_ANY};
	struct tables_dump *d = tables_dump_open(test.world.subject.tables, &all);
	struct flow_stats fs;
	unsigned learned = 0;
	bool right = true;

	while (tables_dump_next(d, clock_now(), &fs)) {
		const struct model_rule *r = rule_of(&fs);
		const struct flow_mod *fm = learned_of(&fs);
		uint64_t want = r ? r->count.packets : 0;

		for (unsigned k = 0; k < result.nrules; k++)
			want += result.rules[k] == r;
		learned += fm != NULL;
		right &= fs.n_packets == want && (r || fm) &&
		         action_list_equal(fm ? &fm->actions : &r->actions, &fs.actions);
	}
	tables_dump_close(d);
	return right && learned == flows_learned();
}

/* The port that `result` has taught of an address last, or that was known before; PORT_ANY: neither. */
static uint32_t mac_port(uint16_t vlan, struct mac mac)
{
	for (unsigned i = result.nnews; i--;)
		if (result.news[i].vlan == vlan && mac_equal(result.news[i].mac, mac))
			return result.news[i].port;
	return model_mac_port(&test.world.model, vlan, mac);
}

/* Has NORMAL learned the addresses of `result`, and no others? */
static bool macs_right(void)
{
	const struct fdb *f = datapath_fdb(test.world.subject.dp);
	unsigned known = 0, want = test.world.model.nmacs;
	struct fdb_entry e;
	uint32_t cursor = 0;
	bool right = true;

	while (fdb_next(f, &cursor, &e)) {
		known++;
		right &= mac_port(e.vlan, e.mac) == e.port;
	}
	for (unsigned i = 0; i < result.nnews; i++) {
		const struct model_mac *m = &result.news[i];
		bool first = model_mac_port(&test.world.model, m->vlan, m->mac) == PORT_ANY;

		for (unsigned k = 0; k < i; k++)
			first &= result.news[k].vlan != m->vlan || !mac_equal(result.news[k].mac, m->mac);
		want += first;
	}
	return right && known == want;
}

/* Have the buckets and flows that were chosen counted the packet? They tell choices apart that send the same.
 */
static bool choices_counted(void)
{
	bool all = true, links = false;

	for (unsigned i = 0; i < result.nchoices && all; i++)
		if (result.choices[i].group_id == GROUP_NONE)
			links = true;
		else
			all = bucket_counted(&result.choices[i]);
	return all && (!links || (flows_right() && macs_right()));
}

/* Does the model explain what left with this guess? */
static bool explains(const struct sample *s, const struct model_guess *guess)
{
	unsigned where;

	turn_forget_expected(&test.turn);
	model_run(&test.world.model, s->port, &s->frame, guess, &result);
	turn_add(&test.turn, s, &result);
	return !turn_judge(&test.turn, &test.world.subject, &test.world.model, &where) && choices_counted();
}

/* Leaves in `result` what explains what left. */
static void find_choices(const struct sample *s)
{
	struct model_guess guess = {.n = 0}, right = guess;
	unsigned n = 0;

	do
		if (explains(s, &guess)) {
			right = guess;
			n++;
		}
	while (n < 2 && model_guess_next(&guess, &result));
	if (!n)
		fail("no choice of buckets explains it", 0);
	explains(s, &right);
	if (n > 1)
		result.nchoices = 0; /* which of them took which bucket is known another time */
}

/* A packet of which the model cannot know which buckets it takes: any will do, if all that leaves and what is
 * counted agrees. */
static void send_alone(const struct sample *s)
{
	inject(s);
	subject_turn(&test.world.subject);
	subject_fold(&test.world.subject);
	turn_collect(&test.turn, &test.world.subject, &test.world.model);
	find_choices(s);
	account(s);
	turn_clear(&test.turn);
	model_turn(&test.world.model);
	test.solo++;
}

/* Whatever buckets it takes, there is nothing about it that is not to be judged. Leaves in `result` what the
 * first ones do. */
static bool is_fit(const struct sample *s)
{
	struct model_guess guess = {.n = 0};

	do {
		model_run(&test.world.model, s->port, &s->frame, &guess, &result);
		if (result.cost > COST_MAX || result.depth > DEPTH_MAX || result.strange)
			return false;
	} while (model_guess_next(&guess, &result));
	if (guess.n)
		model_run(&test.world.model, s->port, &s->frame, NULL, &result);
	return true;
}

/* Has it to know what the packets of this turn teach? Which of two different flows would be the last that is
 * taught depends on what is cached. */
static bool needs_turn(void)
{
	return test.turn.npackets && (result.nchoices || model_learned_otherwise(&test.world.model, &result));
}

static void send_sample(const struct sample *s)
{
	bool fit = is_fit(s);

	if (fit && needs_turn()) {
		finish_turn();
		fit = is_fit(s);
	}
	if (!fit) {
		test.skipped++;
	} else if (result.nchoices) {
		send_alone(s);
	} else {
		turn_add(&test.turn, s, &result);
		inject(s);
		account(s);
	}
}

static void new_sample(struct sample *s)
{
	struct flow_key key;

	generate_key(&test.world.random, &key);
	generate_frame(&test.world.random, &key, &s->frame);
	s->port = key.in_port;
}

/* The worker takes the ports in the order of their numbers. */
static void send_batch(void)
{
	for (unsigned i = 0; i < test.world.model.nports; i++) {
		unsigned n = random_chance(&test.world.random, 30) ? random_below(&test.world.random, 65) : 0;

		while (n--) {
			struct sample *s = &test.samples[random_below(&test.world.random, SAMPLES)];

			if (s->port == test.world.model.ports[i].number)
				send_sample(s);
		}
	}
	finish_turn();
	check_limits();
	for (unsigned i = 0; i < SAMPLES / 20; i++)
		if (random_chance(&test.world.random, 5))
			new_sample(&test.samples[random_below(&test.world.random, SAMPLES)]);
}

/* ---- rounds ---- */

static void round_begin(void)
{
	generate_about(random_below(&test.world.random, THEMES));
	world_create(&test.world);
	for (unsigned i = 0; i < SAMPLES; i++)
		new_sample(&test.samples[i]);
}

static void time_passes(void)
{
	test.world.now += CLOCK_MS;
	clock_set(test.world.now);
	test.world.model.now = test.world.now;
}

Test(differential, the_datapath_does_what_the_model_says, .timeout = 600)
{
	uint64_t packets = env_number("DIFF_PACKETS", 1000000);

	test.world.random.state = random_seed(1);
	hash_seeds_from(test.world.random.state);
	test.world.now = 1000 * CLOCK_SECOND;
	clock_set(test.world.now);
	while (test.world.packets < packets) {
		uint64_t until = test.world.packets + PACKETS_PER_ROUND;

		round_begin();
		while (test.world.packets < until) {
			time_passes();
			send_batch();
			if (random_chance(&test.world.random, 25))
				world_change(&test.world);
			if (random_chance(&test.world.random, 2))
				world_compare(&test.world);
		}
		world_destroy(&test.world);
	}
	printf("%lu packets, %lu flows met, %lu copies sent, %lu alone, %lu flows taught, %lu not sent\n",
	       test.world.packets, test.hits, test.sent, test.solo, test.learned, test.skipped);
	/* A test of nothing would pass as well. */
	cr_assert_gt(test.hits, test.world.packets);
	cr_assert_gt(test.sent, test.world.packets);
	cr_assert_lt(test.skipped, test.world.packets / 10);
}
