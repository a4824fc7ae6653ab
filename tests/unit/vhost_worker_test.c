/* SPDX-License-Identifier: Apache-2.0 */
/* A worker in a thread of its own with vhost-user ports: it sleeps beside queues that are not in use, and a
 * front end that holds it up in its call eventfd loses its connection. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "datapath/worker.h"
#include "ports/vhost/vhost.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"
#include "tests/lib/vhost_frontend.h"

static struct test_switch s;
static uv_loop_t loop;
static pthread_t thread;

static void *run(void *worker)
{
	worker_main(worker);
	return NULL;
}

static void pump(void *arg)
{
	rcu_poll();
	uv_run(&loop, UV_RUN_NOWAIT);
	datapath_poll(s.dp);
	rcu_poll();
}

static struct vhost_port *add_guest(uint32_t number, struct frontend **f, char *path, size_t size)
{
	struct frontend_options o = {.path = path, .pump = pump};
	char options[128], name[8];
	struct port *p;

	snprintf(path, size, "/tmp/weft-vhost-worker-%d-%u.sock", getpid(), number);
	snprintf(options, sizeof(options), "{\"socket\": \"%s\", \"role\": \"server\", \"queues\": 2}", path);
	snprintf(name, sizeof(name), "vm%u", number);
	p = test_switch_add(&s, name, "vhost-user", number, options);
	*f = frontend_open(&o);
	cr_assert(*f);
	while (!p->carrier)
		pump(NULL);
	return (struct vhost_port *)p;
}

/* The eventfd of the guest's receive ring will block whoever writes to it. */
static void set_trap(struct frontend *f)
{
	uint64_t ring = 0, full = UINT64_MAX - 1, count;
	int fd = eventfd(0, EFD_CLOEXEC);

	cr_assert_eq(frontend_ask(f, VHOST_SET_VRING_CALL, &ring, sizeof(ring), &fd, 1), 0);
	while (write(fd, &full, sizeof(full)) != sizeof(full)) /* the worker has called by it */
		cr_assert_eq(read(fd, &count, sizeof(count)), sizeof(count));
	cr_assert_eq(fcntl(fd, F_SETFL, 0), 0);
	close(fd);
}

/* As weftd does: every 100 ms. */
static void await_end(const struct vhost_port *v)
{
	for (uint64_t next = clock_now(); v->link.connected || v->port.carrier;) {
		pump(NULL);
		if (clock_now() < next)
			continue;
		next = clock_now() + CLOCK_SECOND / 10;
		datapath_free_stuck(s.dp);
	}
}

static void await_sleep(void)
{
	const uint64_t *sleeps = &datapath_worker(s.dp, 0)->stats.sleeps;
	uint64_t before = __atomic_load_n(sleeps, __ATOMIC_RELAXED);

	while (__atomic_load_n(sleeps, __ATOMIC_RELAXED) == before)
		pump(NULL);
}

static void settle(void *arg)
{
	*(bool *)arg = true;
}

static void remove_all(void)
{
	for (struct port *p; (p = datapath_port_next(s.dp, true, 0));) {
		bool gone = false;

		datapath_port_remove(s.dp, p, settle, &gone);
		while (!gone)
			pump(NULL);
	}
}

Test(vhost_worker, a_call_fd_that_blocks_is_interrupted, .timeout = 120)
{
	struct frontend *bad, *good;
	char paths[2][64];
	struct vhost_port *v;
	static struct frame in;
	static uint8_t got[2048];

	uv_loop_init(&loop);
	test_switch_init(&s, &loop, NULL);
	test_switch_port(&s, 3, "{}");
	test_switch_flow(&s, "in_port=3,actions=output:1,output:2");
	__atomic_store_n(&s.dp->running, true, __ATOMIC_SEQ_CST);
	cr_assert_eq(pthread_create(&thread, NULL, run, datapath_worker(s.dp, 0)), 0);
	v = add_guest(1, &bad, paths[0], sizeof(paths[0]));
	add_guest(2, &good, paths[1], sizeof(paths[1]));
	await_sleep(); /* although one queue of each guest is not in use */

	set_trap(bad);
	frame_make(&in, &(struct frame_spec){.payload = 100});
	test_switch_inject(&s, 3, in.data, in.len);
	await_end(v);
	cr_assert(strstr(v->why.text, "made to block"), "%s", v->why.text);
	cr_assert_eq(v->faults, 1);
	cr_assert(v->link.bad_peer);
	while (!frontend_receive(good, 0, got, sizeof(got), NULL))
		pump(NULL);
	cr_assert_eq(memcmp(got, in.data, in.len), 0);

	frontend_close(bad);
	frontend_close(good);
	remove_all();
	__atomic_store_n(&s.dp->running, false, __ATOMIC_SEQ_CST);
	datapath_wake(s.dp);
	pthread_join(thread, NULL);
	test_switch_free(&s);
}
