/* SPDX-License-Identifier: Apache-2.0 */
/* The store in etcd: the contract (tests/lib/store_contract.h) on one member and on three, with TLS and
 * roles; what happens when members die, freeze or lose their quorum, and when history is compacted. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/lib/etcd.h"
#include "tests/lib/store_contract.h"

enum { CALL_MS = 60000 };

static struct etcd_cluster cluster;

static void stop(void)
{
	etcd_cluster_stop(&cluster);
}

static void start_one(void)
{
	etcd_cluster_start(&cluster, 1, false);
}

static void start_three(void)
{
	etcd_cluster_start(&cluster, 3, true);
}

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

Test(store_etcd, contract_on_one_member, .init = start_one, .fini = stop)
{
	struct store *s = etcd_store(&cluster, "", CALL_MS);

	run_contract(s);
	cr_assert(store_ready(s));
	cr_assert_str_neq(store_uuid(s), "");
	store_close(s);
}

Test(store_etcd, contract_on_three_members, .init = start_three, .fini = stop)
{
	struct store *s = etcd_store(&cluster, "operator", CALL_MS);

	run_contract(s);
	store_close(s);
}
