/* SPDX-License-Identifier: Apache-2.0 */
/* What every store must do; see store_contract.h. */
#include "tests/lib/store_contract.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* ---- what it is made of ---- */

int store_put(struct store *s, const char *key, const char *value, int64_t *rev)
{
	struct store_op op = {key, value};
	struct store_txn txn = {.ops = &op, .n_ops = 1};
	struct error e;

	return store_txn(s, &txn, rev, &e);
}

int store_put_if(struct store *s, const char *key, int64_t mod_rev, const char *value, int64_t *rev)
{
	struct store_compare compare = {key, mod_rev};
	struct store_op op = {key, value};
	struct store_txn txn = {&compare, 1, &op, 1};
	struct error e = {""};
	int rc = store_txn(s, &txn, rev, &e);

	if (rc == -EAGAIN)
		cr_assert(strstr(e.text, key), "no key in '%s'", e.text);
	return rc;
}

void store_expect_range(struct store *s, const char *const *prefixes, size_t n, int64_t base,
                        const char *want)
{
	struct store_snapshot snap;
	struct error e = {""};
	char got[4096] = "";

	cr_assert_eq(store_range(s, prefixes, n, &snap, &e), 0, "%s", e.text);
	for (size_t i = 0; i < snap.n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s=%s@%lld", i ? " " : "",
		         snap.kvs[i].key, snap.kvs[i].value, (long long)(snap.kvs[i].mod_rev - base));
	cr_assert_str_eq(got, want);
	store_snapshot_free(&snap);
}

static void show(const struct store_event *ev, int64_t base, char *at, size_t left)
{
	long long rev = (long long)(ev->rev - base);

	if (ev->type == STORE_PUT)
		snprintf(at, left, " +%s=%s@%lld", ev->key, ev->value, rev);
	else if (ev->type == STORE_DELETE)
		snprintf(at, left, " -%s@%lld", ev->key, rev);
	else if (ev->type != STORE_PROGRESS)
		snprintf(at, left, ev->type == STORE_LOST ? " lost" : " compacted");
}

void store_expect_events(struct store *s, int64_t base, const char *want)
{
	struct pollfd p = {.fd = store_fd(s), .events = POLLIN};
	uint64_t until = clock_now() + CONTRACT_WAIT_MS * CLOCK_MS;
	struct store_event ev;
	struct error e = {""};
	char got[4096] = "";
	bool quiet = false;

	while ((strcmp(got, want) != 0 || !quiet) && clock_now() < until) {
		int rc = store_next(s, &ev, &e);

		cr_assert_geq(rc, 0, "%s", e.text);
		if (rc)
			show(&ev, base, got + strlen(got), sizeof(got) - strlen(got));
		else /* all is told: the fd must not stay readable */
			quiet = !poll(&p, 1, strcmp(got, want) ? 1000 : 0);
	}
	cr_assert_str_eq(got, want);
	cr_assert(quiet, "the fd stays readable");
}

/* ---- state ---- */

static void contract_state(struct store *s)
{
	int64_t base, rev = 0;

	cr_assert_eq(store_put(s, "/t/a/1", "x", &base), 0);
	cr_assert_gt(base, 0);
	cr_assert_eq(store_put(s, "/t/a/2", "y", &rev), 0);
	cr_assert_eq(rev, base + 1, "one revision a transaction");
	cr_assert_eq(store_put(s, "/t/ab", "not under /a/", &rev), 0);
	cr_assert_eq(store_put(s, "/t/b/1", "z", &rev), 0);
	cr_assert_eq(store_put(s, "/t/a/1", "\xc3\xa4\n\"", &rev), 0);
	store_expect_range(s, PREFIXES("/t/a/"), base, "/t/a/1=\xc3\xa4\n\"@4 /t/a/2=y@1");
	store_expect_range(s, PREFIXES("/t/b/", "/t/a/2"), base, "/t/b/1=z@3 /t/a/2=y@1");
	store_expect_range(s, PREFIXES("/t/c"), base, "");
	cr_assert_eq(store_put(s, "/t/a/1", NULL, &rev), 0);
	cr_assert_eq(rev, base + 5);
	cr_assert_eq(store_put(s, "/t/a/1", NULL, &rev), 0, "deleting what is not there");
	cr_assert_eq(rev, base + 5, "is no change");
	store_expect_range(s, PREFIXES("/t/a"), base, "/t/a/2=y@1 /t/ab=not under /a/@2");
}

static void contract_compare(struct store *s)
{
	int64_t first, rev = 0;

	cr_assert_eq(store_put_if(s, "/t/k", 0, "1", &first), 0);
	cr_assert_eq(store_put_if(s, "/t/k", 0, "2", &rev), -EAGAIN, "it is there");
	cr_assert_eq(store_put_if(s, "/t/k", first + 1, "2", &rev), -EAGAIN);
	cr_assert_eq(store_put_if(s, "/t/k", first, "2", &rev), 0);
	cr_assert_eq(store_put_if(s, "/t/k", first, "3", &rev), -EAGAIN, "it was changed");
	cr_assert_eq(store_put_if(s, "/t/none", first, "3", &rev), -EAGAIN, "it is not there");
	store_expect_range(s, PREFIXES("/t/"), first, "/t/k=2@1");
}

/* All of a transaction or nothing. */
static void contract_atomic(struct store *s)
{
	struct store_compare compares[] = {{"/t/x", 0}, {"/t/y", 99}};
	struct store_op ops[] = {{"/t/x", "1"}, {"/t/z", "1"}, {"/t/w", NULL}};
	struct store_txn txn = {compares, 2, ops, 3};
	struct error e = {""};
	int64_t rev, before;

	cr_assert_eq(store_put(s, "/t/w", "w", &before), 0);
	cr_assert_eq(store_txn(s, &txn, &rev, &e), -EAGAIN);
	store_expect_range(s, PREFIXES("/t/"), before, "/t/w=w@0");
	txn.n_compares = 1;
	cr_assert_eq(store_txn(s, &txn, &rev, &e), 0, "%s", e.text);
	cr_assert_eq(rev, before + 1);
	store_expect_range(s, PREFIXES("/t/"), before, "/t/x=1@1 /t/z=1@1");
}

static void contract_limits(struct store *s)
{
	static struct store_op ops[STORE_TXN_OPS_MAX + 1];
	static char keys[STORE_TXN_OPS_MAX + 1][16];
	struct store_txn txn = {.ops = ops, .n_ops = STORE_TXN_OPS_MAX + 1};
	char *large = malloc(STORE_TXN_SIZE_MAX + 1), key[STORE_KEY_MAX + 1];
	struct error e = {""};
	int64_t rev;

	for (int i = 0; i <= STORE_TXN_OPS_MAX; i++) {
		snprintf(keys[i], sizeof(keys[i]), "/t/%d", i);
		ops[i] = (struct store_op){keys[i], "v"};
	}
	cr_assert_eq(store_txn(s, &txn, &rev, &e), -E2BIG);
	txn.n_ops--;
	cr_assert_eq(store_txn(s, &txn, &rev, &e), 0, "%s", e.text);
	memset(large, 'x', STORE_TXN_SIZE_MAX);
	large[STORE_TXN_SIZE_MAX] = '\0';
	cr_assert_eq(store_put(s, "/t/l", large, &rev), -E2BIG);
	large[STORE_TXN_SIZE_MAX / 2] = '\0';
	cr_assert_eq(store_put(s, "/t/l", large, &rev), 0);
	memset(key, 'k', STORE_KEY_MAX);
	key[STORE_KEY_MAX] = '\0';
	cr_assert_eq(store_put(s, key, "v", &rev), -EINVAL);
	cr_assert_eq(store_put(s, "", "v", &rev), -EINVAL);
	free(large);
}

static void contract_wait(struct store *s)
{
	struct error e = {""};
	int64_t rev;

	cr_assert_eq(store_put(s, "/t/w/1", "1", &rev), 0);
	cr_assert_eq(store_wait(s, "/t/w/", rev - 1, CONTRACT_WAIT_MS, &e), 0, "it has changed already: %s",
	             e.text);
	cr_assert_eq(store_wait(s, "/t/w/", rev, 20, &e), -ETIMEDOUT);
	cr_assert_eq(store_put(s, "/t/v/1", "1", NULL), 0);
	cr_assert_eq(store_wait(s, "/t/w/", rev, 20, &e), -ETIMEDOUT, "something else has");
}

void (*const store_contract[])(struct store *s) = {contract_state,  contract_compare, contract_atomic,
                                                   contract_limits, contract_wait,    NULL};

/* ---- watches ---- */

static void contract_watch(struct store *s)
{
	uint64_t a = 0, ab = 0;
	struct error e = {""};
	int64_t base;

	cr_assert_eq(store_put(s, "/t/a/1", "old", &base), 0);
	cr_assert_eq(store_put(s, "/t/a/2", "v", NULL), 0);
	cr_assert_eq(store_watch(s, "/t/a/", base + 1, &a, &e), 0);
	store_expect_events(s, base, " +/t/a/2=v@1");
	cr_assert_eq(store_put(s, "/t/b/1", "v", NULL), 0);
	cr_assert_eq(store_put(s, "/t/a/1", "new", NULL), 0);
	cr_assert_eq(store_put(s, "/t/a/2", NULL, NULL), 0);
	store_expect_events(s, base, " +/t/a/1=new@3 -/t/a/2@4");
	cr_assert_eq(store_watch(s, "/t/", base, &ab, &e), 0);
	store_expect_events(s, base, " +/t/a/1=old@0 +/t/a/2=v@1 +/t/b/1=v@2 +/t/a/1=new@3 -/t/a/2@4");
	store_unwatch(s, ab);
	cr_assert_eq(store_put(s, "/t/b/1", NULL, NULL), 0);
	cr_assert_eq(store_put(s, "/t/a/3", "v", NULL), 0);
	store_expect_events(s, base, " +/t/a/3=v@6");
	store_unwatch(s, a);
}

static void contract_compaction(struct store *s)
{
	struct error e = {""};
	uint64_t w = 0;
	int64_t base;

	cr_assert_eq(store_put(s, "/t/a", "1", &base), 0);
	cr_assert_eq(store_put(s, "/t/a", "2", NULL), 0);
	cr_assert_eq(store_put(s, "/t/a", "3", NULL), 0);
	cr_assert_eq(store_compact(s, base + 2, &e), 0, "%s", e.text);
	cr_assert_eq(store_compact(s, base + 9, &e), -EINVAL);
	cr_assert_eq(store_watch(s, "/t/a", base, &w, &e), 0);
	store_expect_events(s, base, " compacted");
	cr_assert_eq(store_watch(s, "/t/a", base + 2, &w, &e), 0);
	store_expect_events(s, base, " +/t/a=3@2");
	store_expect_range(s, PREFIXES("/t/"), base, "/t/a=3@2");
	store_unwatch(s, w);
}

void (*const store_watch_contract[])(struct store *s) = {contract_watch, contract_compaction, NULL};
