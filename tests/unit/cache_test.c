/* SPDX-License-Identifier: Apache-2.0 */
/* The microflow cache as a store: programs that flows share, and flows that make way for others. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/clock.h"
#include "flows/dp/cache_state.h"
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

enum { FLOWS = 6000, BATCH = 64 };

/* Flow `n` of those that all have a program of their own: it is sent to port `n`. */
static struct mkey own_flow(unsigned n)
{
	char text[100];

	snprintf(text, sizeof(text), "in_port=1,ip,nw_src=10.0.%u.%u", n / 256, n % 256);
	return rig_packet(text);
}

/* Looks flows up as one batch. Where the first one is sent to. */
static uint32_t look_up(struct cache *c, const unsigned *flows, unsigned n)
{
	const struct program *programs[BATCH];
	struct mkey keys[BATCH];
	uint32_t lens[BATCH];

	for (unsigned i = 0; i < n; i++) {
		keys[i] = own_flow(flows[i]);
		lens[i] = 100;
	}
	cache_lookup(c, clock_now(), keys, lens, n, programs);
	return program_ops(programs[0])[0].arg32;
}

/* Does a search for the signature of `hash` meet the entry of another flow first? */
static bool is_hidden(const struct cache *c, uint64_t hash, unsigned flow)
{
	struct mkey key = own_flow(flow);

	for (unsigned which = 0; which < 2; which++) {
		const struct cache_bucket *b = cache_bucket(c, hash, which);

		for (unsigned w = 0; w < CACHE_WAYS; w++)
			if (b->sig[w] == cache_sig(hash))
				return c->entries[b->entry[w]].key[0] != ((const uint64_t *)&key)[0] ||
				       memcmp(c->entries[b->entry[w]].key, &key,
				              sizeof(uint64_t) * MKEY_WORDS);
	}
	return false;
}

/* Two flows with one signature in one place: whoever is found second is in use as well. */
Test(cache, a_batch_keeps_what_it_uses_whatever_the_signatures)
{
	static uint64_t hashes[FLOWS];
	struct cache *c = cache_create(rig.tables, 1, 64);
	unsigned tried = 0;

	cr_assert(c);
	rig_flow(FLOW_ADD, "ip,actions=move:NXM_OF_IP_SRC[0..15]->NXM_NX_REG0[0..15],output:NXM_NX_REG0[]");
	for (unsigned i = 2; i < FLOWS; i++) { /* port 1 is where they come from */
		cr_assert_eq(look_up(c, &i, 1), i);
		hashes[i] = c->hashes[0];
		for (unsigned k = 2; k < i; k++) {
			unsigned pair[2] = {k, i}, batch[BATCH], hidden;

			if (cache_sig(hashes[i]) != cache_sig(hashes[k]) ||
			    ((uint32_t)(hashes[i] ^ hashes[k]) & c->bucket_mask & ~1u))
				continue;
			look_up(c, pair, 2);
			hidden = is_hidden(c, hashes[k], k) ? k : i;
			for (unsigned n = 0; n < 40 * BATCH;
			     n++) /* the one in front only, until the other is old */
				look_up(c, hidden == k ? &i : &k, 1);
			batch[0] = hidden;
			for (unsigned n = 1; n < BATCH; n++)
				batch[n] = FLOWS + tried * BATCH + n;
			cr_expect_eq(look_up(c, batch, BATCH), hidden);
			tried++;
		}
	}
	cr_expect_gt(tried, 0);
	cache_destroy(c);
}
