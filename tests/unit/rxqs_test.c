/* SPDX-License-Identifier: Apache-2.0 */
/* Receive queues over two workers: who gets a new one, who is relieved, pinning, and that nothing is lost or
 * overtaken when a queue moves under traffic. The balancing tests tell the queues' load themselves; the
 * moving ones run both workers in threads. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "datapath/rxqs.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"

enum { SECOND = 1000000 }; /* "cycles" */

static struct test_switch s;

static struct port_rxq *queue(uint32_t port)
{
	return &datapath_port_by_number(s.dp, port)->rxq[0];
}

/* Every queue is busy for so many thousandths of the next second. */
static bool balance(const unsigned *loads, unsigned n)
{
	bool moves;

	for (unsigned i = 0; i < n; i++)
		queue(i + 1)->busy_cycles += (uint64_t)loads[i] * SECOND / 1000;
	moves = rxqs_balance(s.dp, SECOND);
	rcu_synchronize();
	return moves;
}

static unsigned load_of(unsigned worker, unsigned nports)
{
	unsigned sum = 0;

	for (unsigned i = 1; i <= nports; i++)
		sum += queue(i)->worker == worker ? queue(i)->load : 0;
	return sum;
}

static bool polled_once(const struct port_rxq *q)
{
	unsigned n = 0;

	for (unsigned w = 0; w < 2; w++)
		for (unsigned i = 0; i < s.dp->topology->poll[w].n; i++)
			n += s.dp->topology->poll[w].q[i] == q;
	return n == 1;
}

static void setup(void)
{
	test_switch_init_workers(&s, NULL, NULL, 2);
}

static void teardown(void)
{
	test_switch_free(&s);
}

TestSuite(rxqs, .init = setup, .fini = teardown, .timeout = 60);

Test(rxqs, new_ones_go_where_least_is_to_do)
{
	test_switch_port(&s, 1, "{}");
	test_switch_port(&s, 2, "{}");
	cr_assert_neq(queue(1)->worker, queue(2)->worker);
	balance((const unsigned[]){200, 100}, 2);
	test_switch_port(&s, 3, "{}");
	cr_assert_eq(queue(3)->worker, queue(2)->worker);
	test_switch_port(&s, 4, "{\"queues\": 4}");
	balance((const unsigned[]){200, 100, 0, 0}, 4);
	for (unsigned i = 0; i < 4; i++)
		cr_assert(polled_once(&datapath_port_by_number(s.dp, 4)->rxq[i]));
}

Test(rxqs, the_busiest_worker_is_relieved_until_both_are_alike)
{
	static const unsigned loads[] = {300, 50, 300, 50, 200, 50};
	unsigned moves = 0, a, b;

	for (uint32_t i = 1; i <= 6; i++)
		test_switch_port(&s, i, "{}");
	while (balance(loads, 6))
		cr_assert_leq(++moves, 6);
	a = load_of(0, 6);
	b = load_of(1, 6);
	cr_assert_eq(a + b, 950);
	cr_assert_leq(a > b ? a - b : b - a, 250, "%u and %u", a, b);
	for (uint32_t i = 1; i <= 6; i++)
		cr_assert(polled_once(queue(i)));
	/* And then it stays. */
	for (unsigned i = 0; i < 10; i++)
		cr_assert_not(balance(loads, 6));
}

Test(rxqs, one_heavy_queue_does_not_wander)
{
	test_switch_port(&s, 1, "{}");
	test_switch_port(&s, 2, "{}");
	for (unsigned i = 0; i < 10; i++)
		cr_assert_not(balance((const unsigned[]){1000, 0}, 2));
	/* What is little stays together. */
	cr_assert_eq(datapath_rxq_pin(s.dp, queue(2)->port, 0, queue(1)->worker, NULL), 0);
	rcu_synchronize();
	datapath_rxq_pin(s.dp, queue(2)->port, 0, -1, NULL);
	cr_assert_not(balance((const unsigned[]){140, 140}, 2));
	cr_assert(balance((const unsigned[]){500, 500}, 2));
	cr_assert_neq(queue(1)->worker, queue(2)->worker);
}

Test(rxqs, pinned_ones_stay)
{
	struct error e = {""};
	struct rxq_stats stats;

	test_switch_port(&s, 1, "{}");
	test_switch_port(&s, 2, "{}");
	for (uint32_t i = 1; i <= 2; i++)
		cr_assert_eq(datapath_rxq_pin(s.dp, queue(i)->port, 0, 1, &e), 0);
	rcu_synchronize();
	for (unsigned i = 0; i < 5; i++)
		cr_assert_not(balance((const unsigned[]){500, 500}, 2));
	datapath_rxq_stats(queue(1)->port, 0, &stats);
	cr_assert(stats.pinned && stats.worker == 1 && stats.load == 500);
	cr_assert_eq(datapath_rxq_pin(s.dp, queue(1)->port, 0, 2, &e), -EINVAL);
	cr_assert_eq(datapath_rxq_pin(s.dp, queue(1)->port, 1, 0, &e), -EINVAL);
	cr_assert_eq(datapath_rxq_pin(s.dp, queue(1)->port, 0, -1, &e), 0);
	cr_assert(balance((const unsigned[]){500, 500}, 2));
	cr_assert_eq(queue(1)->worker, 0);
}

/* The port may go, or be pinned elsewhere, while its queue is on the way. */
Test(rxqs, a_port_goes_while_its_queue_moves)
{
	test_switch_port(&s, 1, "{}");
	cr_assert_eq(datapath_rxq_pin(s.dp, queue(1)->port, 0, 1, NULL), 0);
	cr_assert_eq(datapath_rxq_pin(s.dp, queue(1)->port, 0, 0, NULL), 0);
	cr_assert(queue(1)->moving);
	rcu_synchronize();
	cr_assert_eq(queue(1)->worker, 0);
	cr_assert(polled_once(queue(1)));
	cr_assert_eq(datapath_rxq_pin(s.dp, queue(1)->port, 0, 1, NULL), 0);
	datapath_port_remove(s.dp, queue(1)->port, NULL, NULL);
	rcu_synchronize();
	cr_assert_eq(s.dp->topology->poll[1].n, 0);
}

/* ---- two workers ---- */

static pthread_t threads[2];
static struct frame in;

static void *run(void *worker)
{
	worker_main(worker);
	return NULL;
}

static void start_workers(void)
{
	setup();
	for (uint32_t i = 1; i <= 3; i++)
		test_switch_port(&s, i, "{}");
	frame_make(&in, &(struct frame_spec){.payload = 100});
	__atomic_store_n(&s.dp->running, true, __ATOMIC_SEQ_CST);
	for (unsigned w = 0; w < 2; w++)
		cr_assert_eq(pthread_create(&threads[w], NULL, run, datapath_worker(s.dp, w)), 0);
}

static void stop_workers(void)
{
	__atomic_store_n(&s.dp->running, false, __ATOMIC_SEQ_CST);
	datapath_wake(s.dp);
	for (unsigned w = 0; w < 2; w++)
		pthread_join(threads[w], NULL);
	teardown();
}

TestSuite(two_workers, .init = start_workers, .fini = stop_workers, .timeout = 120);

/* Frames carry their ingress port and a number behind the headers. */
static void inject(uint32_t port, uint32_t number)
{
	memcpy(in.data + 50, &port, 4);
	memcpy(in.data + 54, &number, 4);
	test_switch_inject(&s, port, in.data, in.len);
}

/* What came out of port 3: nothing twice, nothing missing, nothing overtaken. */
static unsigned take(uint32_t next[3])
{
	struct memory_frame *f;
	unsigned n = 0;

	for (; (f = test_switch_take(&s, 3)); n++) {
		uint32_t port, number;

		memcpy(&port, f->data + 50, 4);
		memcpy(&number, f->data + 54, 4);
		cr_assert(port == 1 || port == 2);
		cr_assert_eq(number, next[port]++, "port %u: %u came", port, number);
		free(f);
	}
	rcu_poll();
	datapath_poll(s.dp);
	sched_yield();
	return n;
}

Test(two_workers, both_send_to_one_port)
{
	uint32_t next[3] = {0};
	struct port_counters sum;

	test_switch_flow(&s, "in_port=1,actions=output:3");
	test_switch_flow(&s, "in_port=2,actions=output:3");
	cr_assert_neq(queue(1)->worker, queue(2)->worker);
	for (uint32_t i = 0; i < 20000; i++) {
		inject(1, i);
		inject(2, i);
		if (i % 64 == 63)
			take(next);
	}
	while (next[1] < 20000 || next[2] < 20000)
		take(next);
	datapath_port_counters(s.dp, datapath_port_by_number(s.dp, 3), &sum);
	cr_assert_eq(sum.tx_packets, 40000);
	for (unsigned w = 0; w < 2; w++)
		cr_assert_eq(datapath_port_by_number(s.dp, 3)->counters[w]->tx_packets, 20000);
}

Test(two_workers, a_queue_moves_without_loss)
{
	uint32_t next[3] = {0};
	unsigned moves = 0;

	test_switch_flow(&s, "in_port=1,actions=output:3");
	for (uint32_t i = 0; i < 50000; i++) {
		inject(1, i);
		if (i % 16 == 15)
			take(next);
		if (i % 100 == 99 && !queue(1)->moving) {
			cr_assert_eq(datapath_rxq_pin(s.dp, queue(1)->port, 0, !queue(1)->worker, NULL), 0);
			moves++;
		}
	}
	while (next[1] < 50000)
		take(next);
	cr_assert_gt(moves, 10);
	/* Both have worked, and the last owner wakes for it. */
	for (unsigned w = 0; w < 2; w++)
		cr_assert_gt(queue(1)->port->counters[w]->rx_packets, 0);
}
