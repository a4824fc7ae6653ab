/* SPDX-License-Identifier: Apache-2.0 */
/* An agent's view of etcd when its watches are behind each other: etcd sends what a new watch has missed a
 * while after what the others tell. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "control/agent/view.h"
#include "control/tenancy/keys.h"
#include "tests/lib/etcd_fixture.h"
#include "tests/lib/store_contract.h"

static struct store *mine, *theirs;
static struct view *view;

static void start(void)
{
	cluster_start_one();
	mine = etcd_store(&cluster, "", CALL_MS);
	theirs = etcd_store(&cluster, "", CALL_MS);
	view = view_create(mine, "h1");
}

static void stop(void)
{
	view_destroy(view);
	store_close(mine);
	store_close(theirs);
	cluster_stop();
}

struct wanted {
	const char *key, *value; /* value NULL: any */
};

static int is_wanted(const struct view_key *k, void *arg)
{
	const struct wanted *w = arg;

	return !strcmp(k->key, w->key) && (!w->value || !strcmp(k->value, w->value));
}

static bool knows(const char *key, const char *value)
{
	return view_each(view, is_wanted, &(struct wanted){key, value});
}

static void refresh(int wait_ms)
{
	struct pollfd fd = {.fd = store_fd(mine), .events = POLLIN};
	struct error e = {""};

	poll(&fd, 1, wait_ms);
	cr_assert(view_refresh(view, &e) >= 0 || !store_ready(mine), "%s", e.text);
}

static void refresh_until(const char *key)
{
	uint64_t until = clock_now() + 60 * CLOCK_SECOND;

	while (!knows(key, NULL)) {
		cr_assert_lt(clock_now(), until, "%s is not told", key);
		refresh(100);
	}
}

Test(view_etcd, who_is_asked_knows_all_that_was_before, .init = start, .fini = stop)
{
	static const char place[] = KEYS_ROOT "loc/5002/t.p2";
	uint64_t until;
	struct error e = {""};
	int64_t changed = 0, rev;

	cr_assert_eq(store_put(theirs, KEYS_ROOT "h/h1/bind/t.p1", "{\"vni\":5001}", NULL), 0);
	refresh_until(KEYS_ROOT "h/h1/bind/t.p1");
	cr_assert_eq(store_put(theirs, KEYS_ROOT "h/h1/bind/t.p2", "{\"vni\":5002}", NULL), 0);
	refresh_until(KEYS_ROOT "h/h1/bind/t.p2");
	/* The network has been read, but its watches have not been sent yet. */
	cr_assert_eq(store_put(theirs, place, "\"h1\"", NULL), 0);
	cr_assert_eq(store_put(theirs, place, "\"h2\"", &changed), 0);
	cr_assert_eq(store_put(theirs, KEYS_ROOT "h/h1/wait", "1", NULL), 0);
	refresh_until(KEYS_ROOT "h/h1/wait");
	cr_assert_not(knows(place, NULL), "etcd sends in order now: is the care needed?");
	cr_assert_eq(view_catch_up(view, &rev, &e), VIEW_CHANGED, "%s", e.text);
	cr_assert_geq(rev, changed);
	cr_assert(knows(place, "\"h2\""));
	for (until = clock_now() + CLOCK_SECOND; clock_now() < until;) {
		refresh(50);
		cr_assert(knows(place, "\"h2\""), "what is told late is older than what was read");
	}
	cr_assert_eq(view_catch_up(view, &rev, &e), VIEW_SAME, "%s", e.text);
	cr_assert_eq(store_put(theirs, place, "\"h3\"", NULL), 0);
	while (!knows(place, "\"h3\"")) {
		cr_assert_lt(clock_now(), until + 60 * CLOCK_SECOND, "it is not followed any more");
		refresh(100);
	}
}
