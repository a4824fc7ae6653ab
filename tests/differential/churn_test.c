/* SPDX-License-Identifier: Apache-2.0 */
/* Two workers look packets up while flows change: every verdict is that of the state before or after a
 * change, never a mixture, and never the old one once the barrier is over; counters add up to what was sent.
 * CHURN sets how many changes. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/dp/packet.h"
#include "base/dp/rcu.h"
#include "flows/dp/cache.h"
#include "flows/dp/tables.h"
#include "flows/match.h"
#include "flows/text.h"
#include "tests/differential/random.h"

enum { WORKERS = 2, KEYS = 500, BASE_PORT = 100 };

static struct {
	struct tables *tables;
	struct cache *caches[WORKERS];
	/* The verdict is output:BASE_PORT + n with oldest <= n <= newest. */
	uint32_t oldest, newest;
	bool stop;
	uint64_t sent[WORKERS], wrong[WORKERS];
	uint32_t example[WORKERS];
} test;

static void *worker(void *arg)
{
	unsigned id = (unsigned)(uintptr_t)arg;
	struct random random = {.state = 77 + id};
	const struct program *programs[BATCH_MAX];
	uint32_t lens[BATCH_MAX];
	struct mkey *keys = aligned_alloc(64, BATCH_MAX * sizeof(*keys));

	rcu_worker_register(id);
	while (!__atomic_load_n(&test.stop, __ATOMIC_ACQUIRE)) {
		unsigned n = 1 + random_below(&random, BATCH_MAX);
		uint32_t oldest, newest;

		for (unsigned i = 0; i < n; i++) {
			struct flow_key wide = {.in_port = 1 + random_below(&random, 4),
			                        .eth_type = htobe16(ETH_TYPE_IPV4),
			                        .nw_proto = IP_PROTO_UDP,
			                        .nw_ttl = 9,
			                        .tp_src = htobe16((uint16_t)random_below(&random, KEYS))};

			mkey_pack(&wide, &keys[i]);
			lens[i] = 100;
		}
		oldest = __atomic_load_n(&test.oldest, __ATOMIC_ACQUIRE);
		cache_lookup(test.caches[id], clock_now(), keys, lens, n, programs);
		newest = __atomic_load_n(&test.newest, __ATOMIC_ACQUIRE);
		for (unsigned i = 0; i < n; i++) {
			const struct op *op = program_ops(programs[i]);
			uint32_t got = programs[i]->nops == 1 && op->type == OP_OUTPUT ? op->arg32 : 0;

			if (got >= BASE_PORT + oldest && got <= BASE_PORT + newest)
				continue;
			test.wrong[id]++;
			test.example[id] = got;
		}
		test.sent[id] += n;
		cache_fold(test.caches[id], 64);
		rcu_quiescent(id);
	}
	while (cache_fold(test.caches[id], 64))
		;
	rcu_worker_unregister(id);
	free(keys);
	return NULL;
}

static void parse(const char *text, enum flow_command command, struct flow_mod *fm)
{
	struct error err;

	cr_assert_eq(flow_mod_parse(text, command, NULL, fm, NULL, &err), 0, "%s: %s", text, err.text);
}

static void apply(struct flow_mod *fm, unsigned n)
{
	struct tables_change changes[8] = {{0}};

	for (unsigned i = 0; i < n; i++)
		changes[i].flow = &fm[i];
	cr_assert_eq(tables_apply(test.tables, changes, n, clock_now(), NULL), TABLES_OK);
	for (unsigned i = 0; i < n; i++)
		flow_mod_free(&fm[i]);
}

static void barrier_done(void *arg)
{
	*(bool *)arg = true;
}

static void barrier(void)
{
	bool done = false;

	rcu_defer(barrier_done, &done);
	while (!done)
		if (!rcu_poll())
			sched_yield();
}

/* State n. A change replaces two or three flows at once: done one by one, packets would be dropped between.
 * With the third flow come and go the fields that matter. */
static void go_to(uint32_t n)
{
	struct flow_mod fm[4];
	char text[200];

	__atomic_store_n(&test.newest, n, __ATOMIC_RELEASE);
	snprintf(text, sizeof(text), "table=0,priority=1,actions=load:%u->NXM_NX_REG0[],resubmit(,1)", n);
	parse(text, FLOW_ADD, &fm[0]);
	snprintf(text, sizeof(text), "table=1,reg0=%u,actions=output:%u", n, BASE_PORT + n);
	parse(text, FLOW_ADD, &fm[1]);
	snprintf(text, sizeof(text), "table=1,priority=40000,udp,reg0=%u,tp_src=%u,actions=output:%u", n,
	         n % KEYS, BASE_PORT + n);
	if (n % 3)
		parse(text, FLOW_ADD, &fm[2]);
	apply(fm, n % 3 ? 3 : 2);
	barrier();
	__atomic_store_n(&test.oldest, n, __ATOMIC_RELEASE);
	snprintf(text, sizeof(text), "table=1,reg0=%u", n - 1);
	parse(text, FLOW_DELETE, &fm[0]);
	apply(fm, 1);
	tables_poll(test.tables, clock_now());
	rcu_poll();
}

static uint64_t counted(void)
{
	struct flow_filter f = {.table_id = 0, .out_port = PORT_ANY, .out_group = GROUP_ANY};
	struct tables_totals sum;
	uint32_t fold = tables_fold(test.tables);

	while (!tables_fold_done(test.tables, fold))
		for (unsigned i = 0; i < WORKERS; i++)
			cache_fold(test.caches[i], 1000);
	tables_aggregate(test.tables, &f, &sum);
	return sum.packets;
}

Test(differential, verdicts_while_flows_change, .timeout = 120)
{
	const char *text = getenv("CHURN");
	uint32_t n = 1, last = text ? (uint32_t)atoi(text) : 150;
	pthread_t threads[WORKERS];

	cr_assert_eq(rcu_init(), 0);
	test.tables = tables_create(NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		test.caches[i] = cache_create(test.tables, i, i ? 256 : 4096);
	test.oldest = test.newest = n;
	go_to(n);
	for (unsigned i = 0; i < WORKERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, worker, (void *)(uintptr_t)i), 0);
	while (n < last)
		go_to(++n);
	__atomic_store_n(&test.stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	printf("%u changes, %lu packets\n", n, test.sent[0] + test.sent[1]);
	for (unsigned i = 0; i < WORKERS; i++)
		cr_expect_eq(test.wrong[i], 0, "worker %u: %lu wrong, for example %u", i, test.wrong[i],
		             test.example[i]);
	cr_expect_eq(counted(), test.sent[0] + test.sent[1]);
	for (unsigned i = 0; i < WORKERS; i++)
		cache_destroy(test.caches[i]);
	tables_destroy(test.tables);
	rcu_exit();
}
