/* SPDX-License-Identifier: Apache-2.0 */
/* The stores in a file and behind a socket: the contract (tests/lib/store_contract.h), and what is special to
 * each. etcd: store_etcd_test.c. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/store/serve.h"
#include "tests/lib/store_contract.h"

static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[2][128];
	static unsigned turn;

	snprintf(path[turn ^= 1], sizeof(path[0]), "%s/%s", dir, name);
	return path[turn];
}

static void make_dir(void)
{
	strcpy(dir, "/tmp/weft-store-XXXXXX");
	cr_assert(mkdtemp(dir));
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
}

static struct store *open_sqlite(void)
{
	struct error e = {""};
	struct store *s = NULL;

	cr_assert_eq(store_open_sqlite(in_dir("db"), &s, &e), 0, "%s", e.text);
	return s;
}

/* ---- a service in a thread of its own ---- */

struct served {
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t stop;
	struct store *store;
	struct store_service *service;
	struct rpc_server *server;
};

static void on_stop(uv_async_t *async)
{
	struct served *d = async->data;

	rpc_close(d->server);
	store_serve_end(d->service);
	uv_close((uv_handle_t *)async, NULL);
}

static void *serve(void *arg)
{
	struct served *d = arg;

	uv_run(&d->loop, UV_RUN_DEFAULT);
	return NULL;
}

static void serve_start(struct served *d)
{
	struct error e = {""};

	d->store = open_sqlite();
	uv_loop_init(&d->loop);
	uv_async_init(&d->loop, &d->stop, on_stop);
	d->stop.data = d;
	d->service = store_serve(&d->loop, d->store);
	cr_assert_eq(rpc_listen(&d->loop, in_dir("s.sock"), store_methods, d->service, &d->server, &e), 0,
	             "%s", e.text);
	pthread_create(&d->thread, NULL, serve, d);
}

static void serve_stop(struct served *d)
{
	uv_async_send(&d->stop);
	pthread_join(d->thread, NULL);
	uv_loop_close(&d->loop);
	store_close(d->store);
}

/* ---- the contract ---- */

static void run_sqlite(void (*contract)(struct store *s))
{
	struct store *s;

	make_dir();
	s = open_sqlite();
	contract(s);
	store_close(s);
	remove_dir();
}

Test(store, contract_of_sqlite)
{
	for (int i = 0; store_contract[i]; i++)
		run_sqlite(store_contract[i]);
	for (int i = 0; store_watch_contract[i]; i++)
		run_sqlite(store_watch_contract[i]);
}

Test(store, contract_of_remote)
{
	for (int i = 0; store_contract[i]; i++) {
		struct error e = {""};
		struct served d;
		struct store *s;

		make_dir();
		serve_start(&d);
		cr_assert_eq(store_open_remote(in_dir("s.sock"), 5000, &s, &e), 0, "%s", e.text);
		store_contract[i](s);
		store_close(s);
		serve_stop(&d);
		remove_dir();
	}
}

/* ---- what is special ---- */

static void *put_later(void *arg)
{
	struct error e;
	struct store *s;

	cr_assert_eq(store_open_remote(in_dir("s.sock"), 5000, &s, &e), 0);
	store_put(s, "/w/1", "1", NULL);
	store_close(s);
	return NULL;
}

Test(store, a_remote_waiter_is_woken, .init = make_dir, .fini = remove_dir)
{
	struct error e = {""};
	struct served d;
	struct store *s;
	pthread_t t;
	int64_t rev;

	serve_start(&d);
	cr_assert_eq(store_open_remote(in_dir("s.sock"), 5000, &s, &e), 0, "%s", e.text);
	cr_assert_eq(store_put(s, "/w/1", "0", &rev), 0);
	pthread_create(&t, NULL, put_later, NULL);
	cr_assert_eq(store_wait(s, "/w/", rev, 20000, &e), 0, "%s", e.text);
	pthread_join(t, NULL);
	store_close(s);
	serve_stop(&d);
	cr_assert_eq(store_open_remote(in_dir("s.sock"), 100, &s, &e), -ECOMM);
}

Test(store, sqlite_keeps_all_over_a_restart, .init = make_dir, .fini = remove_dir)
{
	struct store *s = open_sqlite(), *other = NULL;
	struct error e = {""};
	uint64_t w = 0;
	int64_t base;
	char uuid[64];

	snprintf(uuid, sizeof(uuid), "%s", store_uuid(s));
	cr_assert_eq(store_put(s, "/a", "1", &base), 0);
	cr_assert_eq(store_put(s, "/a", "2", NULL), 0);
	store_close(s);
	s = open_sqlite();
	cr_assert_str_eq(store_uuid(s), uuid);
	cr_assert_eq(store_watch(s, "/", base, &w, &e), 0);
	store_expect_events(s, base, " +/a=1@0 +/a=2@1");
	cr_assert_eq(store_put(s, "/a", "3", NULL), 0);
	store_expect_range(s, PREFIXES("/"), base, "/a=3@2");
	cr_assert_eq(store_open_sqlite(in_dir("db"), &other, &e), -EIO, "two processes share a file");
	store_close(s);
}

/* What was acknowledged before a kill -9 is there: the child tells each revision through a pipe. */
Test(store, sqlite_survives_kill, .init = make_dir, .fini = remove_dir)
{
	int fds[2];
	int64_t rev = 0, last = 0;
	char text[32];
	struct store *s;
	pid_t child;

	cr_assert_eq(pipe(fds), 0);
	child = fork();
	if (!child) {
		s = open_sqlite();
		for (;;) {
			if (store_put(s, "/n", "v", &rev) || write(fds[1], &rev, sizeof(rev)) != sizeof(rev))
				_exit(1);
		}
	}
	for (int i = 0; i < 200; i++)
		cr_assert_eq(read(fds[0], &last, sizeof(last)), sizeof(last));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(fds[1]);
	while (read(fds[0], &last, sizeof(last)) == sizeof(last))
		;
	close(fds[0]);
	s = open_sqlite();
	cr_assert_eq(store_put(s, "/n", "v", &rev), 0);
	snprintf(text, sizeof(text), "%lld after %lld", (long long)rev, (long long)last);
	cr_assert(rev == last + 1 || rev == last + 2, "%s", text); /* one may have been done and not told */
	store_close(s);
}
