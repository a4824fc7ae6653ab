/* SPDX-License-Identifier: Apache-2.0 */
/* A change of 10,000 flows, a group and a meter under traffic: no packet sees half of it. A worker of our own
 * looks packets up all the while, on a thread. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/dp/packet.h"
#include "base/dp/rcu.h"
#include "flows/text.h"
#include "tests/lib/tables_rig.h"

enum { FLOWS = 5000, CHANGES = 2 * FLOWS + 2, ROUNDS = 12 };

/* Table 0 says which edition a flow is of, table 1 and the group must be of the same. */
static const char *const table_0 =
        "table=0,ip,nw_src=10.0.%u.%u,actions=meter:%u,load:%u->NXM_NX_REG0[],goto_table:1";
static const char *const table_1 = "table=1,reg0=%u,ip,nw_src=10.0.%u.%u,actions=group:1";

struct edition {
	struct flow_mod flows[2 * FLOWS];
	struct group_mod group;
	struct meter_mod meter;
	struct tables_change changes[CHANGES];
};

static struct edition editions[2];
static bool stopping;
static struct { /* what the worker has seen */
	uint64_t batches, mixed, wrong, packets[3];
} seen;

static void parse(const char *text, struct flow_mod *fm)
{
	struct error err;

	cr_assert_eq(flow_mod_parse(text, FLOW_ADD, NULL, fm, NULL, &err), 0, "%s: %s", text, err.text);
}

/* Edition 1 outputs to port 1 and uses meter 1, edition 2 to 2 and meter 2. Flows of table 1 stand side by
 * side, those of table 0 are replaced, the group is modified, the other's meter deleted and made anew. */
static void prepare(struct edition *e, unsigned number)
{
	struct error err;
	char text[160];

	e->meter = (struct meter_mod){.command = METER_MODIFY,
	                              .meter_id = number,
	                              .n_bands = 1,
	                              .bands = {{.type = METER_DROP, .rate = 1000 + number}}};
	snprintf(text, sizeof(text), "group_id=1,type=all,bucket=actions=output:%u", number);
	cr_assert_eq(group_mod_parse(text, GROUP_MODIFY, NULL, &e->group, &err), 0, "%s", err.text);
	e->changes[0].group = &e->group;
	e->changes[1].meter = &e->meter;
	for (unsigned i = 0; i < FLOWS; i++) {
		snprintf(text, sizeof(text), table_0, i / 256, i % 256, number, number);
		parse(text, &e->flows[2 * i]);
		snprintf(text, sizeof(text), table_1, number, i / 256, i % 256);
		parse(text, &e->flows[2 * i + 1]);
	}
	for (unsigned i = 0; i < 2 * FLOWS; i++)
		e->changes[2 + i].flow = &e->flows[i];
}

/* The port that a program sends to, 0 if it does anything but that. */
static unsigned port_of(const struct program *p)
{
	const struct op *ops = program_ops(p);

	if (p->nops != 2 || ops[0].type != OP_METER || ops[1].type != OP_OUTPUT || ops[1].arg32 > 2)
		return 0;
	return ops[1].arg32;
}

static void look_up(const struct mkey *keys, unsigned first)
{
	const struct program *programs[BATCH_MAX];
	struct mkey batch[BATCH_MAX];
	uint32_t lens[BATCH_MAX];
	unsigned port;

	for (unsigned i = 0; i < BATCH_MAX; i++) {
		batch[i] = keys[(first + i * 79) % FLOWS];
		lens[i] = 100;
	}
	cache_lookup(rig.cache, clock_now(), batch, lens, BATCH_MAX, programs);
	port = port_of(programs[0]);
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		seen.mixed += port_of(programs[i]) != port;
		seen.wrong += !port_of(programs[i]);
		seen.packets[port_of(programs[i])]++;
	}
	__atomic_store_n(&seen.batches, seen.batches + 1, __ATOMIC_RELEASE);
}

static void *work(void *arg)
{
	const struct mkey *keys = arg;

	rcu_worker_register(0);
	for (unsigned n = 0; !__atomic_load_n(&stopping, __ATOMIC_ACQUIRE); n++) {
		look_up(keys, n * BATCH_MAX);
		cache_fold(rig.cache, 64);
		rcu_quiescent(0);
	}
	rcu_worker_unregister(0);
	return NULL;
}

/* Until the worker has done `n` batches more. */
static void traffic(unsigned n)
{
	uint64_t until = __atomic_load_n(&seen.batches, __ATOMIC_ACQUIRE) + n;

	while (__atomic_load_n(&seen.batches, __ATOMIC_ACQUIRE) < until) {
		rcu_poll();
		tables_poll(rig.tables, clock_now());
	}
}

static void apply(const struct edition *e)
{
	unsigned failed = 0;
	enum tables_error err = tables_apply(rig.tables, e->changes, CHANGES, clock_now(), &failed);

	cr_assert_eq(err, TABLES_OK, "change %u: %s", failed, tables_error_text(err));
}

static struct mkey *start(pthread_t *worker)
{
	static const struct meter_band band = {.type = METER_DROP, .rate = 1};
	struct mkey *keys = aligned_alloc(64, FLOWS * sizeof(*keys));
	char text[64];

	rig_start(&(struct tables_config){0});
	for (unsigned id = 1; id < 3; id++) {
		struct meter_mod mm = {.meter_id = id, .n_bands = 1, .bands = {band}};

		cr_assert_eq(rig_meter(&mm), TABLES_OK);
		prepare(&editions[id - 1], id);
	}
	cr_assert_eq(rig_group(GROUP_ADD, "group_id=1,type=all,bucket=actions=output:9"), TABLES_OK);
	apply(&editions[0]);
	for (unsigned i = 0; i < FLOWS; i++) {
		snprintf(text, sizeof(text), "in_port=3,ip,nw_src=10.0.%u.%u", i / 256, i % 256);
		keys[i] = rig_packet(text);
	}
	cr_assert_eq(pthread_create(worker, NULL, work, keys), 0);
	return keys;
}

static void stop(pthread_t worker, struct mkey *keys)
{
	__atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
	pthread_join(worker, NULL);
	rig_stop();
	free(keys);
	for (unsigned i = 0; i < 2; i++) {
		group_mod_free(&editions[i].group);
		for (unsigned f = 0; f < 2 * FLOWS; f++)
			flow_mod_free(&editions[i].flows[f]);
	}
}

Test(bundle, no_packet_sees_half, .timeout = 60)
{
	pthread_t worker;
	struct mkey *keys = start(&worker);

	for (unsigned round = 1; round <= ROUNDS; round++) {
		traffic(200);
		apply(&editions[round % 2]);
	}
	traffic(200);
	cr_expect_eq(seen.wrong, 0, "%lu packets met one edition in table 0 and another later",
	             (unsigned long)seen.wrong);
	cr_expect_eq(seen.mixed, 0, "%lu batches saw two versions", (unsigned long)seen.mixed);
	cr_expect_gt(seen.packets[1], 0);
	cr_expect_gt(seen.packets[2], 0);
	stop(worker, keys);
}

Test(bundle, one_that_is_refused_was_never_there, .timeout = 60)
{
	static const struct flow_mod bad = {
	        .command = FLOW_ADD, .table_id = 254, .out_port = PORT_ANY, .out_group = GROUP_ANY};
	pthread_t worker;
	struct mkey *keys = start(&worker);
	unsigned failed;

	editions[1].changes[CHANGES - 1].flow = &bad;
	for (unsigned round = 0; round < ROUNDS / 2; round++) {
		traffic(100);
		cr_expect_eq(tables_apply(rig.tables, editions[1].changes, CHANGES, clock_now(), &failed),
		             TABLES_BAD_TABLE);
		cr_expect_eq(failed, CHANGES - 1);
	}
	traffic(100);
	cr_expect_eq(seen.wrong, 0);
	cr_expect_eq(seen.packets[2], 0);
	stop(worker, keys);
}
