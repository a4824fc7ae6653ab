/* SPDX-License-Identifier: Apache-2.0 */
/* The common part of all stores: limits, snapshots, and the way to the implementation. */
#include "control/store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/net/tls_context.h"
#include "control/store/store_ops.h"

static bool given(const char *file)
{
	return file && *file;
}

int store_open(const char *place, const struct tls_files *tls, int timeout_ms, struct store **out,
               struct error *e)
{
	bool secured = given(tls->certificate);

	if (given(tls->private_key) != secured || given(tls->ca) != secured)
		return error_set(e, EINVAL, "a certificate, its key and the CA go together");
	if (!strncmp(place, "etcd://", 7))
		return store_open_etcd(place + 7, secured ? tls : NULL, timeout_ms, out, e);
	if (!strncmp(place, "sqlite:", 7))
		return store_open_sqlite(place + 7, out, e);
	return error_set(e, EINVAL, "expected sqlite:FILE or etcd://HOST[:PORT],..., not '%.150s'", place);
}

static int check_key(const char *key, struct error *e)
{
	if (!*key || strlen(key) >= STORE_KEY_MAX)
		return error_set(e, EINVAL, "a key of the store has 1 to %d bytes", STORE_KEY_MAX - 1);
	return 0;
}

int store_range(struct store *s, const char *const *prefixes, size_t n, struct store_snapshot *out,
                struct error *e)
{
	int rc = n > STORE_PREFIXES_MAX
	                 ? error_set(e, EINVAL, "at most %d ranges at once", STORE_PREFIXES_MAX)
	                 : 0;

	*out = (struct store_snapshot){0};
	for (size_t i = 0; i < n && !rc; i++)
		rc = check_key(prefixes[i], e);
	if (!rc)
		rc = s->ops->range(s, prefixes, n, out, e);
	if (rc)
		store_snapshot_free(out);
	return rc;
}

int store_snapshot_add(struct store_snapshot *snap, const char *key, const char *value, int64_t mod_rev)
{
	struct store_kv kv = {strdup(key), strdup(value), mod_rev}, *kvs = snap->kvs;

	if ((snap->n & (snap->n - 1)) == 0) /* grows at powers of two */
		kvs = realloc(kvs, (snap->n ? snap->n * 2 : 1) * sizeof(*kvs));
	if (kvs)
		snap->kvs = kvs;
	if (!kvs || !kv.key || !kv.value) {
		free(kv.key);
		free(kv.value);
		return -ENOMEM;
	}
	kvs[snap->n++] = kv;
	return 0;
}

int store_snapshot_insert(struct store_snapshot *snap, size_t at, const char *key, const char *value,
                          int64_t mod_rev)
{
	struct store_kv kv;
	int rc = store_snapshot_add(snap, key, value, mod_rev);

	if (rc)
		return rc;
	kv = snap->kvs[snap->n - 1];
	memmove(&snap->kvs[at + 1], &snap->kvs[at], (snap->n - 1 - at) * sizeof(kv));
	snap->kvs[at] = kv;
	return 0;
}

void store_prefix_end(const char *prefix, char end[STORE_KEY_MAX])
{
	size_t n = strlen(prefix);

	memcpy(end, prefix, n + 1);
	end[n - 1]++;
}

void store_snapshot_free(struct store_snapshot *snap)
{
	for (size_t i = 0; i < snap->n; i++) {
		free(snap->kvs[i].key);
		free(snap->kvs[i].value);
	}
	free(snap->kvs);
	*snap = (struct store_snapshot){0};
}

int store_txn(struct store *s, const struct store_txn *txn, int64_t *rev, struct error *e)
{
	size_t bytes = 0;
	int64_t ignored;
	int rc = 0;

	if (txn->n_ops > STORE_TXN_OPS_MAX || txn->n_compares > STORE_TXN_OPS_MAX)
		return error_set(e, E2BIG, "a transaction has at most %d operations", STORE_TXN_OPS_MAX);
	for (size_t i = 0; i < txn->n_compares && !rc; i++)
		rc = check_key(txn->compares[i].key, e);
	for (size_t i = 0; i < txn->n_ops && !rc; i++) {
		rc = check_key(txn->ops[i].key, e);
		bytes += strlen(txn->ops[i].key) + (txn->ops[i].value ? strlen(txn->ops[i].value) : 0);
	}
	if (rc)
		return rc;
	if (bytes > STORE_TXN_SIZE_MAX)
		return error_set(e, E2BIG, "a transaction has at most %d bytes", STORE_TXN_SIZE_MAX);
	return s->ops->txn(s, txn, rev ? rev : &ignored, e);
}

int store_watch(struct store *s, const char *prefix, int64_t from, uint64_t *watch, struct error *e)
{
	int rc = check_key(prefix, e);

	return rc ? rc : s->ops->watch(s, prefix, from, watch, e);
}

void store_unwatch(struct store *s, uint64_t watch)
{
	s->ops->unwatch(s, watch);
}

int store_fd(const struct store *s)
{
	return s->ops->fd(s);
}

int store_next(struct store *s, struct store_event *out, struct error *e)
{
	return s->ops->next(s, out, e);
}

int store_wait(struct store *s, const char *prefix, int64_t after, int timeout_ms, struct error *e)
{
	int rc = check_key(prefix, e);

	return rc ? rc : s->ops->wait(s, prefix, after, timeout_ms, e);
}

int store_keep(struct store *s, const char *key, const char *value, unsigned seconds, struct error *e)
{
	int rc = check_key(key, e);

	if (rc)
		return rc;
	return s->ops->keep ? s->ops->keep(s, key, value, seconds, e)
	                    : error_set(e, ENOTSUP, "this store has no leases");
}

int store_compact(struct store *s, int64_t rev, struct error *e)
{
	return s->ops->compact(s, rev, e);
}

bool store_ready(const struct store *s)
{
	return !s->ops->ready || s->ops->ready(s);
}

const char *store_uuid(struct store *s)
{
	return s->ops->uuid(s);
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}
