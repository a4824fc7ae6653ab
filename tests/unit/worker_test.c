/* SPDX-License-Identifier: Apache-2.0 */
/* Workers in threads of their own: they pass packets while ports come and go, fall asleep and wake up. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "datapath/worker.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"

static struct test_switch s;
static struct frame in;
static pthread_t thread;

/* What datapath_start() has EAL do; a test has one lcore only. */
static void *run(void *worker)
{
	worker_main(worker);
	return NULL;
}

static void setup(void)
{
	test_switch_init(&s, NULL, NULL);
	for (uint32_t i = 1; i <= 3; i++)
		test_switch_port(&s, i, "{}");
	test_switch_flow(&s, "in_port=1,actions=output:2");
	frame_make(&in, &(struct frame_spec){.payload = 500});
	__atomic_store_n(&s.dp->running, true, __ATOMIC_SEQ_CST);
	cr_assert_eq(pthread_create(&thread, NULL, run, datapath_worker(s.dp, 0)), 0);
}

static void teardown(void)
{
	__atomic_store_n(&s.dp->running, false, __ATOMIC_SEQ_CST);
	datapath_wake(s.dp);
	pthread_join(thread, NULL);
	test_switch_free(&s);
}

TestSuite(worker, .init = setup, .fini = teardown, .timeout = 60);

/* The next frame out of a port; the suite's timeout ends a wait in vain. */
static void await(uint32_t port)
{
	struct memory_frame *f;

	while (!(f = test_switch_take(&s, port))) {
		rcu_poll();
		datapath_poll(s.dp);
		sched_yield();
	}
	cr_assert_eq(f->len, in.len);
	cr_assert_eq(memcmp(f->data, in.data, in.len), 0);
	free(f);
}

static uint64_t sleeps(void)
{
	struct worker_stats stats;

	datapath_worker_stats(s.dp, 0, &stats, NULL);
	return __atomic_load_n(&datapath_worker(s.dp, 0)->stats.sleeps, __ATOMIC_RELAXED);
}

static void await_sleep(void)
{
	uint64_t before = sleeps();

	while (sleeps() == before)
		sched_yield();
}

Test(worker, sleeps_and_wakes_for_a_packet)
{
	for (unsigned i = 0; i < 3; i++) {
		await_sleep();
		test_switch_inject(&s, 1, in.data, in.len);
		await(2);
	}
}

Test(worker, wakes_for_a_packet_out)
{
	static uint8_t room[PROGRAM_BYTES_MAX] __attribute__((aligned(64)));
	struct program *program = (struct program *)room;

	program->nops = 1;
	program->bytes = sizeof(*program) + sizeof(struct op);
	*(struct op *)program->body = (struct op){.type = OP_OUTPUT, .arg32 = 3};
	await_sleep();
	cr_assert_eq(datapath_packet_out(s.dp, 1, program, in.data, in.len), 0);
	await(3);
}

static void on_removed(void *arg)
{
	*(bool *)arg = true;
}

Test(worker, ports_come_and_go_under_traffic)
{
	for (unsigned i = 0; i < 200; i++) {
		bool gone = false;

		test_switch_port(&s, 9, "{}");
		test_switch_flow(&s, i & 1 ? "in_port=1,actions=output:2,output:9"
		                           : "in_port=1,actions=output:9,output:2");
		for (unsigned k = 0; k < 10; k++)
			test_switch_inject(&s, 1, in.data, in.len);
		await(2);
		datapath_port_remove(s.dp, datapath_port_by_number(s.dp, 9), on_removed, &gone);
		while (!gone)
			rcu_poll();
		cr_assert_null(datapath_port_by_name(s.dp, "p9"));
	}
}

Test(worker, folds_counters_while_asleep)
{
	uint32_t fold;

	test_switch_inject(&s, 1, in.data, in.len);
	await(2);
	await_sleep();
	fold = tables_fold(s.tables);
	datapath_wake(s.dp);
	while (!tables_fold_done(s.tables, fold))
		sched_yield();
}
