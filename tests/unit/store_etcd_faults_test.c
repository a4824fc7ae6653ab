/* SPDX-License-Identifier: Apache-2.0 */
/* The store in etcd when members die, freeze or lose their quorum, when history is compacted, and when
 * another cluster takes the place of the first: a watch neither loses nor repeats an event, or says that it
 * has to. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/lib/etcd_fixture.h"
#include "tests/lib/store_contract.h"

enum { ROUND = 60 };

/* ---- a writer that counts, a watcher that counts along ---- */

struct counting {
	struct store *writer, *watcher;
	int written, seen;
};

static void counting_start(struct counting *c)
{
	struct error e = {""};
	uint64_t watch;
	int64_t rev = 0;

	*c = (struct counting){etcd_store(&cluster, "operator", CALL_MS),
	                       etcd_store(&cluster, "hv1", CALL_MS), 0, 0};
	cr_assert_eq(store_put(c->writer, "/t/n", "0", &rev), 0);
	cr_assert_eq(store_watch(c->watcher, "/t/", rev + 1, &watch, &e), 0);
}

static void counting_end(struct counting *c)
{
	store_close(c->writer);
	store_close(c->watcher);
}

/* The next number, once: when it is not known whether a write was done, the key tells. */
static void write_next(struct counting *c)
{
	const char *key = "/t/n";
	struct store_snapshot snap;
	struct error e = {""};
	char value[16];
	int rc = -EAGAIN, now;

	snprintf(value, sizeof(value), "%d", c->written + 1);
	while (rc) {
		cr_assert_eq(store_range(c->writer, &key, 1, &snap, &e), 0, "%s", e.text);
		cr_assert_eq(snap.n, 1);
		now = atoi(snap.kvs[0].value);
		cr_assert(now == c->written || now == c->written + 1, "%d after %d", now, c->written);
		rc = now > c->written ? 0 : store_put_if(c->writer, key, snap.kvs[0].mod_rev, value, NULL);
		cr_assert(!rc || rc == -ECOMM || rc == -EAGAIN, "%d", rc);
		store_snapshot_free(&snap);
	}
	c->written++;
}

/* Takes what has come; it must be the next numbers. */
static void look(struct counting *c)
{
	struct store_event ev;
	struct error e = {""};
	int rc;

	while ((rc = store_next(c->watcher, &ev, &e)) == 1) {
		if (ev.type == STORE_PROGRESS)
			continue;
		cr_assert_eq(ev.type, STORE_PUT, "event %d after %d", ev.type, c->seen);
		cr_assert_eq(atoi(ev.value), c->seen + 1, "%s after %d", ev.value, c->seen);
		c->seen++;
	}
	cr_assert_eq(rc, 0, "%s", e.text);
}

static void count_on(struct counting *c, int n)
{
	for (int i = 0; i < n; i++) {
		write_next(c);
		look(c);
	}
}

static void catch_up(struct counting *c)
{
	uint64_t until = clock_now() + 2 * CALL_MS * CLOCK_MS;

	while (c->seen < c->written) {
		cr_assert_lt(clock_now(), until, "%d of %d", c->seen, c->written);
		look(c);
	}
}

Test(store_etcd_faults, leaders_die, .init = cluster_start_three, .fini = cluster_stop)
{
	struct counting c;

	counting_start(&c);
	count_on(&c, ROUND);
	for (int i = 0; i < 3; i++) {
		unsigned leader = etcd_leader(&cluster);

		etcd_kill(&cluster, leader);
		count_on(&c, ROUND);
		etcd_run(&cluster, leader);
		count_on(&c, ROUND);
	}
	catch_up(&c);
	counting_end(&c);
}

Test(store_etcd_faults, members_freeze, .init = cluster_start_three, .fini = cluster_stop, .timeout = 290)
{
	struct counting c;

	counting_start(&c);
	for (unsigned i = 0; i < 3; i++) {
		count_on(&c, 10);
		etcd_freeze(&cluster, i, true);
		count_on(&c, 10);
		catch_up(&c);
		etcd_freeze(&cluster, i, false);
	}
	counting_end(&c);
}

Test(store_etcd_faults, the_quorum_is_lost, .init = cluster_start_three, .fini = cluster_stop)
{
	struct store *quick = etcd_store(&cluster, "operator", 3000);
	struct counting c;

	counting_start(&c);
	count_on(&c, 10);
	catch_up(&c);
	etcd_kill(&cluster, 0);
	etcd_kill(&cluster, 1);
	cr_assert_eq(store_put(quick, "/u", "1", NULL), -ECOMM);
	cr_assert_eq(store_put(quick, "/u", "1", NULL), -ECOMM);
	cr_assert_not(store_ready(quick));
	look(&c);
	etcd_run(&cluster, 0);
	count_on(&c, 10);
	catch_up(&c);
	etcd_kill(&cluster, 0);
	etcd_kill(&cluster, 2); /* now nobody is there */
	look(&c);
	for (unsigned i = 0; i < 3; i++)
		etcd_run(&cluster, i);
	count_on(&c, 10);
	catch_up(&c);
	store_close(quick);
	counting_end(&c);
}

/* ---- history that is gone ---- */

static void restart(void)
{
	etcd_kill(&cluster, 0);
	etcd_run(&cluster, 0);
}

/* Who was away for too long is told to read all again; its next watch goes on. */
Test(store_etcd_faults, compacted_while_away, .init = cluster_start_one, .fini = cluster_stop)
{
	struct store *s = etcd_store(&cluster, "", CALL_MS), *away = etcd_store(&cluster, "", CALL_MS);
	struct error e = {""};
	uint64_t watch;
	int64_t base, rev = 0;

	cr_assert_eq(store_put(s, "/t/a", "1", &base), 0);
	cr_assert_eq(store_watch(away, "/t/", base, &watch, &e), 0);
	store_expect_events(away, base, " +/t/a=1@0");
	restart(); /* `away` does nothing until it is asked: it will have to resume */
	cr_assert_eq(store_put(s, "/t/a", "2", NULL), 0);
	cr_assert_eq(store_put(s, "/t/a", "3", &rev), 0);
	cr_assert_eq(store_compact(s, rev, &e), 0, "%s", e.text);
	store_expect_events(away, base, " compacted");
	cr_assert_eq(store_watch(away, "/t/", rev + 1, &watch, &e), 0);
	cr_assert_eq(store_put(s, "/t/a", "4", NULL), 0);
	store_expect_events(away, rev, " +/t/a=4@1");
	store_close(away);
	store_close(s);
}

/* A watch on which nothing happens learns how far it has come: a compaction of what it knows does not end it.
 */
Test(store_etcd_faults, progress_outlives_compaction, .init = cluster_start_one, .fini = cluster_stop)
{
	struct store *s = etcd_store(&cluster, "", CALL_MS), *quiet = etcd_store(&cluster, "", CALL_MS);
	uint64_t watch, until = clock_now() + CALL_MS * CLOCK_MS;
	struct store_event ev = {0};
	struct error e = {""};
	int64_t base, rev = 0;

	cr_assert_eq(store_put(s, "/t/quiet", "1", &base), 0);
	cr_assert_eq(store_watch(quiet, "/t/quiet", base + 1, &watch, &e), 0);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(store_put(s, "/t/busy", "x", &rev), 0);
	while (ev.type != STORE_PROGRESS || ev.rev < rev) {
		cr_assert_lt(clock_now(), until);
		cr_assert_geq(store_next(quiet, &ev, &e), 0);
	}
	cr_assert_eq(store_compact(s, rev, &e), 0, "%s", e.text);
	restart();
	cr_assert_eq(store_put(s, "/t/quiet", "2", NULL), 0);
	store_expect_events(quiet, rev, " +/t/quiet=2@1");
	store_close(quiet);
	store_close(s);
}

/* ---- another cluster ---- */

Test(store_etcd_faults, another_store_answers, .init = cluster_start_one, .fini = cluster_stop)
{
	struct store *s = etcd_store(&cluster, "", CALL_MS);
	struct error e = {""};
	uint64_t watch;
	int64_t base, rev = 0;
	char uuid[64];

	cr_assert_eq(store_put(s, "/t/a", "1", &base), 0);
	snprintf(uuid, sizeof(uuid), "%s", store_uuid(s));
	cr_assert_eq(store_watch(s, "/t/", base + 1, &watch, &e), 0);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(store_put(s, "/t/b", "x", &rev), 0);
	store_unwatch(s, watch);
	cr_assert_eq(store_watch(s, "/t/", rev + 1, &watch, &e), 0);
	etcd_kill(&cluster, 0);
	etcd_forget(&cluster, 0);
	etcd_run(&cluster, 0);
	store_expect_events(s, 0, " lost");
	cr_assert_str_neq(store_uuid(s), uuid);
	cr_assert_eq(store_put(s, "/t/a", "1", &rev), 0);
	cr_assert_leq(rev, base, "it is a new one");
	cr_assert_eq(store_watch(s, "/t/", rev, &watch, &e), 0);
	store_expect_events(s, rev, " +/t/a=1@0");
	store_close(s);
}

/* The same uuid, but restored from a backup: revisions went back, watches from the future would wait in
 * silence. */
Test(store_etcd_faults, an_older_state_answers, .init = cluster_start_one, .fini = cluster_stop)
{
	struct store *s = etcd_store(&cluster, "", CALL_MS);
	struct error e = {""};
	uint64_t watch;
	int64_t base, rev = 0;

	cr_assert_eq(store_put(s, "/t/a", "1", &base), 0);
	cr_assert_eq(etcd_ctl(&cluster, "snapshot save %s/backup >/dev/null 2>&1", cluster.dir), 0);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(store_put(s, "/t/a", "x", &rev), 0);
	cr_assert_eq(store_watch(s, "/t/", rev + 1, &watch, &e), 0);
	etcd_kill(&cluster, 0);
	etcd_forget(&cluster, 0);
	cr_assert_eq(etcd_ctl(&cluster,
	                      "snapshot restore %s/backup --name m0 --data-dir %s/m0 --initial-cluster "
	                      "m0=http://127.0.0.1:2479 --initial-advertise-peer-urls http://127.0.0.1:2479 "
	                      ">/dev/null 2>&1",
	                      cluster.dir, cluster.dir),
	             0);
	etcd_run(&cluster, 0);
	store_expect_events(s, 0, " lost");
	store_expect_range(s, PREFIXES("/t/"), base, "/t/a=1@0");
	store_close(s);
}
