/* SPDX-License-Identifier: Apache-2.0 */
/* `weft store export|import`: all that the operator wrote, from one store to another; what agents tell of
 * themselves is theirs and stays. Called by weft.c's table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "control/cli/weft_output.h"
#include "control/cli/weft_store.h"
#include "control/cli/weft_tenancy.h"

static bool is_agents(const char *key)
{
	static const char *const theirs[] = {STORE_UUID_KEY, KEYS_ROOT "st/", KEYS_ROOT "live/"};

	for (int i = 0; i < 3; i++)
		if (!strncmp(key, theirs[i], strlen(theirs[i])))
			return true;
	return false;
}

static int read_all(const struct weft *w, struct store **store, struct store_snapshot *snap, struct error *e)
{
	const char *root = KEYS_ROOT;
	int rc = weft_open_store(w, store, e);

	if (rc)
		return rc;
	rc = store_range(*store, &root, 1, snap, e);
	if (rc)
		store_close(*store);
	return rc;
}

enum weft_exit weft_store_export(const struct weft *w, int n, char **words)
{
	struct store_snapshot snap;
	struct store *store;
	struct error e = {""};
	json_t *keys = json_object(), *document;
	int rc = read_all(w, &store, &snap, &e);

	if (rc) {
		json_decref(keys);
		return weft_report(rc, &e);
	}
	for (size_t i = 0; i < snap.n; i++)
		if (!is_agents(snap.kvs[i].key))
			json_object_set_new(keys, snap.kvs[i].key, json_string(snap.kvs[i].value));
	document = json_pack("{s:s, s:s, s:I, s:o}", "apiVersion", "weft/v1", "uuid", store_uuid(store),
	                     "revision", (json_int_t)snap.rev, "keys", keys);
	output_json(stdout, document);
	json_decref(document);
	store_snapshot_free(&snap);
	store_close(store);
	return WEFT_OK;
}

/* ---- import ---- */

struct importing {
	struct store *store;
	struct store_compare compares[STORE_TXN_OPS_MAX];
	struct store_op ops[STORE_TXN_OPS_MAX];
	size_t n, bytes, written;
};

static int flush(struct importing *x, struct error *e)
{
	struct store_txn txn = {x->compares, x->n, x->ops, x->n};
	int rc = x->n ? store_txn(x->store, &txn, NULL, e) : 0;

	if (!rc)
		x->written += x->n;
	x->n = x->bytes = 0;
	return rc == -EAGAIN ? -EEXIST : rc;
}

static int create(struct importing *x, const char *key, const char *value, struct error *e)
{
	size_t bytes = strlen(key) + strlen(value);
	int rc = 0;

	if (x->n == STORE_TXN_OPS_MAX || x->bytes + bytes > STORE_TXN_SIZE_MAX)
		rc = flush(x, e);
	x->compares[x->n] = (struct store_compare){key, 0};
	x->ops[x->n++] = (struct store_op){key, value};
	x->bytes += bytes;
	return rc;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct store_kv *)a)->key, ((const struct store_kv *)b)->key);
}

/* Everything is looked at before anything is written. A key that is there already with the same value is
 * fine: an import that broke off can be done again. */
static int check(const json_t *keys, const struct store_snapshot *there, struct error *e)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)keys, key, value)
	{
		struct store_kv probe = {.key = (char *)key}, *has;

		if (!json_is_string(value) || strncmp(key, KEYS_ROOT, strlen(KEYS_ROOT)) != 0 ||
		    is_agents(key))
			return error_set(e, EINVAL, "%.150s: not a key of `weft store export`", key);
		has = there->n ? bsearch(&probe, there->kvs, there->n, sizeof(probe), by_key) : NULL;
		if (has && strcmp(has->value, json_string_value(value)) != 0)
			return error_set(e, EEXIST, "%.150s: is there already, with another value", key);
	}
	return 0;
}

static int write_keys(struct importing *x, const json_t *keys, const struct store_snapshot *there,
                      struct error *e)
{
	const char *key;
	json_t *value;
	int rc = 0;

	json_object_foreach((json_t *)keys, key, value)
	{
		struct store_kv probe = {.key = (char *)key};

		if (!rc && (!there->n || !bsearch(&probe, there->kvs, there->n, sizeof(probe), by_key)))
			rc = create(x, key, json_string_value(value), e);
	}
	return rc ? rc : flush(x, e);
}

enum weft_exit weft_store_import(const struct weft *w, int n, char **words)
{
	const char *path = weft_option(w, "file");
	struct importing x = {0};
	struct store_snapshot snap;
	struct error e = {""};
	json_error_t why;
	json_t *document, *keys;
	int rc;

	if (!path)
		return weft_report(error_set(&e, EINVAL, "-f FILE: missing"), &e);
	document = strcmp(path, "-") ? json_load_file(path, 0, &why) : json_loadf(stdin, 0, &why);
	keys = json_object_get(document, "keys");
	if (!json_is_object(keys)) {
		rc = error_set(&e, EINVAL, "%.100s: line %d: %.100s", path, document ? 1 : why.line,
		               document ? "keys: expected what `weft store export` writes" : why.text);
	} else {
		rc = read_all(w, &x.store, &snap, &e);
		if (!rc) {
			rc = check(keys, &snap, &e);
			if (!rc)
				rc = write_keys(&x, keys, &snap, &e);
			store_snapshot_free(&snap);
			store_close(x.store);
			if (x.written || !rc)
				printf("%zu keys written, %zu were there\n", x.written,
				       rc ? 0 : json_object_size(keys) - x.written);
		}
	}
	json_decref(document);
	return rc ? weft_report(rc, &e) : WEFT_OK;
}
