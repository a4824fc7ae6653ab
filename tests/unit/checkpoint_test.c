/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent knows from one life to the next. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/agent/checkpoint.h"
#include "control/tenancy/keys.h"
#include "tests/lib/store_contract.h"

static struct store *store;
static char path[64];

static void put(struct store *s, const char *key, const char *value)
{
	char whole[STORE_KEY_MAX];

	snprintf(whole, sizeof(whole), KEYS_ROOT "%s", key);
	cr_assert_eq(store_put(s, whole, value, NULL), 0);
}

/* Network web with a1 on h1 and a2 on h2. */
static void fill(struct store *s)
{
	put(s, "host/h1", "{\"name\":\"h1\",\"vtep\":\"192.0.2.1\"}");
	put(s, "host/h2", "{\"name\":\"h2\",\"vtep\":\"192.0.2.2\"}");
	put(s, "h/h1/bind/acme.a1", "{\"vni\":5001}");
	put(s, "n/5001/net",
	    "{\"name\":\"web\",\"tenant\":\"acme\",\"vni\":5001,\"subnets\":[{\"cidr\":\"10.0.0.0/24\"}]}");
	put(s, "n/5001/p/acme.a1",
	    "{\"name\":\"a1\",\"tenant\":\"acme\",\"network\":\"web\",\"ips\":[\"10.0.0.10\"],"
	    "\"mac\":\"02:00:00:00:00:01\",\"host\":\"h1\"}");
	put(s, "n/5001/p/acme.a2",
	    "{\"name\":\"a2\",\"tenant\":\"acme\",\"network\":\"web\",\"ips\":[\"10.0.0.11\"],"
	    "\"mac\":\"02:00:00:00:00:02\",\"host\":\"h2\"}");
	put(s, "loc/5001/acme.a1", "\"h1\"");
	put(s, "loc/5001/acme.a2", "\"h2\"");
}

static struct store *open_memory(void)
{
	struct store *s = NULL;
	struct error e = {""};

	cr_assert_eq(store_open_sqlite(":memory:", &s, &e), 0, "%s", e.text);
	return s;
}

static void start(void)
{
	store = open_memory();
	fill(store);
	strcpy(path, "/tmp/weft-checkpoint-XXXXXX");
	close(mkstemp(path));
}

static void stop(void)
{
	store_close(store);
	unlink(path);
}

static int print_key(const struct view_key *k, void *arg)
{
	fprintf(arg, "%s=%s\n", k->key, k->value);
	return 0;
}

/* All keys as text; the caller frees it. */
static char *keys_of_view(const struct view *v)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	view_each(v, print_key, f);
	fclose(f);
	return text;
}

static void save(struct store *s)
{
	struct view *v = view_create(s, "h1");
	struct error e = {""};

	cr_assert_eq(view_refresh(v, &e), 1, "%s", e.text);
	cr_assert_eq(checkpoint_save(v, "h1", path, &e), 0, "%s", e.text);
	view_destroy(v);
}

/* The view of a next life must be that of one which has read all from `s`; `before`: what it has until it
 * looks. */
static void expect_next_life(struct store *s, const char *before)
{
	struct view *v = view_create(s, "h1"), *fresh = view_create(s, "h1");
	struct error e = {""};
	char *have, *want;

	cr_assert_eq(checkpoint_load(v, "h1", path, &e), 0, "%s", e.text);
	cr_assert(view_known(v));
	have = keys_of_view(v);
	cr_assert_str_eq(have, before);
	free(have);
	cr_assert_geq(view_refresh(v, &e), 0, "%s", e.text);
	cr_assert_eq(view_refresh(fresh, &e), 1, "%s", e.text);
	have = keys_of_view(v);
	want = keys_of_view(fresh);
	cr_assert_str_eq(have, want);
	cr_assert_eq(view_rev(v), view_rev(fresh));
	cr_assert_str_eq(view_uuid(v), store_uuid(s));
	free(have);
	free(want);
	view_destroy(v);
	view_destroy(fresh);
}

static char *all_keys(struct store *s)
{
	struct view *v = view_create(s, "h1");
	struct error e = {""};
	char *text;

	cr_assert_eq(view_refresh(v, &e), 1, "%s", e.text);
	text = keys_of_view(v);
	view_destroy(v);
	return text;
}

Test(checkpoint, goes_on_where_it_was, .init = start, .fini = stop)
{
	char *before = all_keys(store);

	cr_assert(strstr(before, "n/5001/p/acme.a2"));
	save(store);
	expect_next_life(store, before);
	put(store, "n/5001/p/acme.a2", NULL);
	put(store, "loc/5001/acme.a2", NULL);
	put(store, "h/h1/bind/acme.b1", "{\"vni\":5002}");
	put(store, "n/5002/net", "{\"name\":\"db\",\"tenant\":\"acme\",\"vni\":5002,\"subnets\":[]}");
	expect_next_life(store, before);
	free(before);
}

/* What was saved is of no use when the history since is gone, or when the store is another one. */
Test(checkpoint, reads_anew_when_it_must, .init = start, .fini = stop)
{
	char *before = all_keys(store);
	struct store *other = open_memory();
	struct error e = {""};
	int64_t rev;

	save(store);
	put(store, "n/5001/p/acme.a2", NULL);
	cr_assert_eq(store_put(store, KEYS_ROOT "loc/5001/acme.a2", NULL, &rev), 0);
	cr_assert_eq(store_compact(store, rev, &e), 0, "%s", e.text);
	expect_next_life(store, before);
	put(other, "h/h1/bind/acme.a1", "{\"vni\":5007}");
	for (int i = 0; i < 20; i++)
		put(other, "n/5007/net", i & 1 ? "{}" : "{\"x\":1}");
	expect_next_life(other, before);
	store_close(other);
	free(before);
}

Test(checkpoint, refuses_what_is_not_one, .init = start, .fini = stop)
{
	static const char *const bad[] = {
	        "",
	        "{",
	        "[]",
	        "{\"host\":\"h1\"}",
	        "{\"host\":\"h2\",\"uuid\":\"u\",\"rev\":1,\"parts\":{},\"keys\":{}}",
	        "{\"host\":\"h1\",\"uuid\":\"u\",\"rev\":1,\"parts\":{\"\":1},\"keys\":{}}",
	        "{\"host\":\"h1\",\"uuid\":\"u\",\"rev\":\"1\",\"parts\":{},\"keys\":{}}"};
	struct error e = {""};
	struct view *v;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *f = fopen(path, "w");

		fputs(bad[i], f);
		fclose(f);
		v = view_create(store, "h1");
		cr_assert_lt(checkpoint_load(v, "h1", path, &e), 0, "'%s' was taken", bad[i]);
		cr_assert_not(view_known(v));
		view_destroy(v);
	}
	v = view_create(store, "h1");
	unlink(path);
	cr_assert_eq(checkpoint_load(v, "h1", path, &e), -ENOENT);
	cr_assert_lt(checkpoint_save(v, "h1", "/none/agent.json", &e), 0);
	view_destroy(v);
	close(open(path, O_CREAT | O_WRONLY, 0600));
}
