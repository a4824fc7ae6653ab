/* SPDX-License-Identifier: Apache-2.0 */
/* The store in etcd: the contract (tests/lib/store_contract.h) on one member and on three, with TLS and
 * roles; what happens when members die, freeze or lose their quorum, and when history is compacted. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tests/lib/etcd_fixture.h"
#include "tests/lib/store_contract.h"

static void wipe(struct store *s)
{
	struct store_snapshot snap;
	const char *all = "/t/";
	struct error e = {""};

	cr_assert_eq(store_range(s, &all, 1, &snap, &e), 0, "%s", e.text);
	for (size_t i = 0; i < snap.n; i++)
		cr_assert_eq(store_put(s, snap.kvs[i].key, NULL, NULL), 0);
	store_snapshot_free(&snap);
}

static void run_contract(struct store *s)
{
	for (int i = 0; store_contract[i]; i++) {
		store_contract[i](s);
		wipe(s);
	}
	for (int i = 0; store_watch_contract[i]; i++) {
		store_watch_contract[i](s);
		wipe(s);
	}
}

Test(store_etcd, contract_on_one_member, .init = cluster_start_one, .fini = cluster_stop)
{
	struct store *s = etcd_store(&cluster, "", CALL_MS);

	run_contract(s);
	cr_assert(store_ready(s));
	cr_assert_str_neq(store_uuid(s), "");
	store_close(s);
}

Test(store_etcd, contract_on_three_members, .init = cluster_start_three, .fini = cluster_stop)
{
	struct store *s = etcd_store(&cluster, "operator", CALL_MS);

	run_contract(s);
	store_close(s);
}

/* ---- much at once ---- */

static void put_many(struct store *s, int first, int n)
{
	static char keys[STORE_TXN_OPS_MAX][32];
	struct store_op ops[STORE_TXN_OPS_MAX];
	struct store_txn txn = {.ops = ops};
	struct error e = {""};

	for (int i = first; i < first + n; i++) {
		snprintf(keys[txn.n_ops], sizeof(keys[0]), "/t/%06d", i);
		ops[txn.n_ops] = (struct store_op){keys[txn.n_ops], "v"};
		if (++txn.n_ops < STORE_TXN_OPS_MAX && i + 1 < first + n)
			continue;
		cr_assert_eq(store_txn(s, &txn, NULL, &e), 0, "%s", e.text);
		txn.n_ops = 0;
	}
}

Test(store_etcd, ranges_of_many_pages, .init = cluster_start_one, .fini = cluster_stop)
{
	enum { KEYS = 10500 };
	struct store *s = etcd_store(&cluster, "", CALL_MS);
	struct store_snapshot snap;
	const char *all = "/t/";
	struct error e = {""};
	char key[32];

	put_many(s, 0, KEYS);
	cr_assert_eq(store_range(s, &all, 1, &snap, &e), 0, "%s", e.text);
	cr_assert_eq(snap.n, KEYS);
	for (size_t i = 0; i < snap.n; i++) {
		snprintf(key, sizeof(key), "/t/%06zu", i);
		cr_assert_str_eq(snap.kvs[i].key, key);
	}
	store_snapshot_free(&snap);
	store_close(s);
}

/* More than a message may have: pages and events are cut. */
Test(store_etcd, large_values, .init = cluster_start_one, .fini = cluster_stop)
{
	enum { VALUES = 40, SIZE = 500000 };
	struct store *s = etcd_store(&cluster, "", CALL_MS);
	char *large = malloc(SIZE + 1), key[32];
	uint64_t watch, until = clock_now() + CALL_MS * CLOCK_MS;
	struct store_snapshot snap;
	const char *all = "/t/";
	struct store_event ev;
	struct error e = {""};
	int64_t first = 0;
	int seen = 0, rc;

	memset(large, 'x', SIZE);
	large[SIZE] = 0;
	for (int i = 0; i < VALUES; i++) {
		snprintf(key, sizeof(key), "/t/%02d", i);
		large[0] = (char)('A' + i);
		cr_assert_eq(store_put(s, key, large, i ? NULL : &first), 0);
	}
	cr_assert_eq(store_range(s, &all, 1, &snap, &e), 0, "%s", e.text);
	cr_assert_eq(snap.n, VALUES);
	for (int i = 0; i < VALUES; i++)
		cr_assert(snap.kvs[i].value[0] == 'A' + i && strlen(snap.kvs[i].value) == SIZE);
	store_snapshot_free(&snap);
	cr_assert_eq(store_watch(s, "/t/", first, &watch, &e), 0);
	while (seen < VALUES && clock_now() < until) {
		rc = store_next(s, &ev, &e);
		cr_assert_geq(rc, 0, "%s", e.text);
		if (!rc || ev.type == STORE_PROGRESS)
			continue;
		cr_assert_eq(ev.rev, first + seen);
		cr_assert(ev.value[0] == 'A' + seen && strlen(ev.value) == SIZE);
		seen++;
	}
	cr_assert_eq(seen, VALUES);
	free(large);
	store_close(s);
}

/* ---- waiting ---- */

static uint64_t worked(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * CLOCK_SECOND + (uint64_t)t.tv_nsec;
}

/* Events that nobody can take meanwhile let a call sleep, and wake the owner afterwards. */
Test(store_etcd, call_beside_events, .init = cluster_start_one, .fini = cluster_stop)
{
	enum { WAIT_MS = 1000, WORK_MS = 50 };
	struct store *s = etcd_store(&cluster, "", CALL_MS);
	struct pollfd p = {.fd = store_fd(s), .events = POLLIN};
	struct error e = {""};
	struct store_event ev;
	int64_t first = 0;
	uint64_t watch, before;

	cr_assert_eq(store_put(s, "/t/a", "1", &first), 0);
	cr_assert_eq(store_watch(s, "/t/", first, &watch, &e), 0);
	before = worked();
	cr_assert_eq(store_wait(s, "/none/", first, WAIT_MS, &e), -ETIMEDOUT);
	cr_assert_lt(worked() - before, WORK_MS * CLOCK_MS);
	cr_assert_eq(poll(&p, 1, 0), 1);
	cr_assert_eq(store_next(s, &ev, &e), 1);
	cr_assert_str_eq(ev.key, "/t/a");
	store_close(s);
}

/* ---- the leased key ---- */

static bool has(struct store *s, const char *key)
{
	struct store_snapshot snap;
	struct error e = {""};
	bool there;

	cr_assert_eq(store_range(s, &key, 1, &snap, &e), 0, "%s", e.text);
	there = snap.n;
	store_snapshot_free(&snap);
	return there;
}

/* Until the key is (not) there; `alive` (may be NULL) is kept going. */
static void wait_for_key(struct store *s, struct store *alive, const char *key, bool there)
{
	uint64_t until = clock_now() + CALL_MS * CLOCK_MS;
	struct store_event ev;

	while (has(s, key) != there) {
		cr_assert_lt(clock_now(), until, "%s is%s there", key, there ? " not" : "");
		if (alive)
			store_next(alive, &ev, NULL);
	}
}

Test(store_etcd, a_leased_key, .init = cluster_start_one, .fini = cluster_stop)
{
	enum { TTL = 8 }; /* longer than a loaded machine stands still */
	struct store *s = etcd_store(&cluster, "", CALL_MS), *alive = etcd_store(&cluster, "", CALL_MS);
	uint64_t until;
	struct store_event ev;
	struct error e = {""};

	cr_assert_eq(store_keep(alive, "/t/live", "{}", TTL, &e), 0, "%s", e.text);
	cr_assert_eq(store_keep(alive, "/t/more", "{}", TTL, &e), -EEXIST);
	wait_for_key(s, alive, "/t/live", true);
	for (until = clock_now() + 3 * TTL / 2 * CLOCK_SECOND; clock_now() < until;) {
		store_next(alive, &ev, &e);
		cr_assert(has(s, "/t/live"), "it is kept alive");
	}
	/* lost: made again */
	cr_assert_eq(etcd_ctl(&cluster,
	                      "lease revoke $(ETCDCTL_API=3 etcdctl --endpoints %s lease list | tail -1)"
	                      " >/dev/null",
	                      cluster.endpoints),
	             0);
	cr_assert_not(has(s, "/t/live"));
	wait_for_key(s, alive, "/t/live", true);
	/* etcd dies and comes back */
	etcd_kill(&cluster, 0);
	etcd_run(&cluster, 0);
	wait_for_key(s, alive, "/t/live", true);
	store_close(alive);
	wait_for_key(s, NULL, "/t/live", false);
	store_close(s);
}

/* ---- who may not come in ---- */

static void expect_refusal(const char *endpoints, const struct tls_files *tls, const char *why)
{
	const char *all = "/t/";
	struct store_snapshot snap;
	struct error e = {""};
	struct store *s;

	cr_assert_eq(store_open_etcd(endpoints, tls, 2000, &s, &e), 0, "%s", e.text);
	cr_assert_eq(store_range(s, &all, 1, &snap, &e), -ECOMM, "%s: %s", endpoints, e.text);
	cr_assert(strstr(e.text, why), "expected '%s' in '%s'", why, e.text);
	cr_assert_not(store_ready(s));
	store_close(s);
}

Test(store_etcd, connections_that_fail, .init = cluster_start_three, .fini = cluster_stop)
{
	char key[128], certificate[128], ca[128], other[128];
	struct tls_files files = {key, certificate, ca}, stranger = {key, certificate, other};
	struct store *s;
	struct error e = {""};

	snprintf(key, sizeof(key), "%s/hv1.key", cluster.dir);
	snprintf(certificate, sizeof(certificate), "%s/hv1.pem", cluster.dir);
	snprintf(ca, sizeof(ca), "%s/ca.pem", cluster.dir);
	snprintf(other, sizeof(other), "%s/hv2.pem", cluster.dir);
	expect_refusal("127.0.0.1:9", &files, "refused");
	expect_refusal("127.0.0.1:2379", &stranger, "certificate");
	expect_refusal("localhost:2379", &files, "mismatch"); /* the certificate names the address only */
	expect_refusal("127.0.0.1:2379", NULL, "");           /* plain TCP towards TLS */
	cr_assert_eq(store_open("etcd://", &(struct tls_files){0}, 100, &s, &e), -EINVAL);
	cr_assert_eq(store_open("etcd://a:b", &(struct tls_files){0}, 100, &s, &e), -EINVAL);
	cr_assert_eq(store_open("etcd://fd00::1:2379", &(struct tls_files){0}, 100, &s, &e), -EINVAL);
	cr_assert_eq(store_open("etcd://a,b", &(struct tls_files){.ca = ca}, 100, &s, &e), -EINVAL);
	cr_assert_eq(store_open("redis://a", &(struct tls_files){0}, 100, &s, &e), -EINVAL);
}

/* An agent reads everything of ours and writes what is its own; a stranger with a certificate may nothing. */
Test(store_etcd, roles, .init = cluster_start_three, .fini = cluster_stop)
{
	static const struct {
		const char *key;
		int rc;
	} puts[] = {{"/weft/v1/st/hv1/agent", 0},
	            {"/weft/v1/live/hv1", 0},
	            {"/weft/v1/loc/5001/acme.a1", 0},
	            {"/weft/v1/st/hv2/agent", -EACCES},
	            {"/weft/v1/live/hv10", -EACCES},
	            {"/weft/v1/h/hv1/bind/acme.a1", -EACCES},
	            {"/weft/v1/n/5001/net", -EACCES},
	            {STORE_UUID_KEY, -EACCES},
	            {"/other", -EACCES}};
	struct store *operator= etcd_store(&cluster, "operator", CALL_MS), *hv1, *hv2;
	const char *all = "/weft/v1/", *other = "/other";
	struct store_snapshot snap;
	struct error e = {""};
	uint64_t watch;
	int64_t rev = 0;

	cr_assert_eq(etcd_roles(&cluster, "host hv1"), 0);
	cr_assert_eq(etcd_roles(&cluster, "init operator"), 0);
	cr_assert_eq(etcd_roles(&cluster, "host hv1"), 0, "it can be run again");
	hv1 = etcd_store(&cluster, "hv1", 3000);
	/* the store is new: an agent cannot give it its uuid, and waits */
	cr_assert_eq(store_range(hv1, &all, 1, &snap, &e), -ECOMM);
	cr_assert(strstr(e.text, "operator"), "%s", e.text);
	cr_assert_eq(store_put(operator, "/weft/v1/n/5001/net", "{}", &rev), 0);
	store_close(hv1);
	hv1 = etcd_store(&cluster, "hv1", CALL_MS);
	for (size_t i = 0; i < sizeof(puts) / sizeof(puts[0]); i++)
		cr_expect_eq(store_put(hv1, puts[i].key, "{}", NULL), puts[i].rc, "%s", puts[i].key);
	cr_assert_eq(store_range(hv1, &all, 1, &snap, &e), 0, "%s", e.text);
	cr_assert_eq(snap.n, 5);
	store_snapshot_free(&snap);
	cr_assert_eq(store_range(hv1, &other, 1, &snap, &e), -EACCES);
	cr_assert_eq(store_watch(hv1, "/weft/v1/n/", rev, &watch, &e), 0);
	store_expect_events(hv1, rev, " +/weft/v1/n/5001/net={}@0");
	cr_assert_eq(store_put(operator, "/other", "{}", NULL), -EACCES);
	hv2 = etcd_store(&cluster, "hv2", 3000);
	cr_assert_eq(store_range(hv2, &all, 1, &snap, &e), -ECOMM);
	store_close(hv2);
	store_close(hv1);
	store_close(operator);
}
