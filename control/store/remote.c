/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's store through its socket; see store.h and serve.h. Opened by the tenant commands of weft. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/rpc/client.h"
#include "control/store/store_ops.h"

struct remote_store {
	struct store store;
	char path[108];
	int timeout_ms;
	char uuid[64];
};

/* One call on a connection of its own. Consumes `params`. */
static int call(struct store *s, const char *method, json_t *params, int extra_ms, json_t **result,
                struct error *e)
{
	struct remote_store *r = (struct remote_store *)s;
	struct rpc_client *client;
	int rc = rpc_client_connect(&client, r->path, r->timeout_ms + extra_ms, e);

	if (rc) {
		json_decref(params);
		return rc == -ENAMETOOLONG ? rc : -ECOMM;
	}
	rc = rpc_client_call(client, method, params, result, e);
	rpc_client_close(client);
	json_decref(params);
	return rc;
}

static int nonsense(struct error *e)
{
	return error_set(e, ECOMM, "the agent's answer is not what was asked for");
}

static int remote_range(struct store *s, const char *const *prefixes, size_t n, struct store_snapshot *out,
                        struct error *e)
{
	json_t *list = json_array(), *result, *one;
	size_t i;
	int rc;

	for (i = 0; i < n; i++)
		json_array_append_new(list, json_string(prefixes[i]));
	rc = call(s, "store.range", json_pack("{s:o}", "prefixes", list), 0, &result, e);
	if (rc)
		return rc;
	out->rev = json_integer_value(json_object_get(result, "rev"));
	json_array_foreach(json_object_get(result, "kvs"), i, one)
	{
		const char *key, *value;
		json_int_t mod_rev;

		if (json_unpack(one, "[s, s, I]", &key, &value, &mod_rev))
			rc = nonsense(e);
		else if (store_snapshot_add(out, key, value, mod_rev))
			rc = error_set(e, ENOMEM, "out of memory");
		if (rc)
			break;
	}
	json_decref(result);
	return rc;
}

static int remote_txn(struct store *s, const struct store_txn *txn, int64_t *rev, struct error *e)
{
	json_t *compares = json_array(), *ops = json_array(), *result, *conflict;
	int rc;

	for (size_t i = 0; i < txn->n_compares; i++)
		json_array_append_new(compares, json_pack("[s, I]", txn->compares[i].key,
		                                          (json_int_t)txn->compares[i].mod_rev));
	for (size_t i = 0; i < txn->n_ops; i++)
		json_array_append_new(ops, txn->ops[i].value
		                                   ? json_pack("[s, s]", txn->ops[i].key, txn->ops[i].value)
		                                   : json_pack("[s]", txn->ops[i].key));
	rc = call(s, "store.txn", json_pack("{s:o, s:o}", "compares", compares, "ops", ops), 0, &result, e);
	if (rc)
		return rc;
	conflict = json_object_get(result, "conflict");
	if (conflict)
		rc = error_set(e, EAGAIN, "%s", json_string_value(conflict));
	else
		*rev = json_integer_value(json_object_get(result, "rev"));
	json_decref(result);
	return rc;
}

static int remote_watch(struct store *s, const char *prefix, int64_t from, uint64_t *watch, struct error *e)
{
	return error_set(e, ENOTSUP, "a store behind the agent's socket cannot be watched");
}

static void remote_unwatch(struct store *s, uint64_t watch)
{
}

static int remote_fd(const struct store *s)
{
	return -1;
}

static int remote_next(struct store *s, struct store_event *out, struct error *e)
{
	return 0;
}

static int remote_wait(struct store *s, const char *prefix, int64_t after, int timeout_ms, struct error *e)
{
	json_t *result;
	bool changed;
	int rc = call(s, "store.wait",
	              json_pack("{s:s, s:I, s:i}", "prefix", prefix, "after", (json_int_t)after, "timeout_ms",
	                        timeout_ms),
	              timeout_ms, &result, e);

	if (rc)
		return rc;
	changed = json_is_true(json_object_get(result, "changed"));
	json_decref(result);
	return changed ? 0 : error_set(e, ETIMEDOUT, "nothing has changed");
}

static int remote_compact(struct store *s, int64_t rev, struct error *e)
{
	json_t *result;
	int rc = call(s, "store.compact", json_pack("{s:I}", "rev", (json_int_t)rev), 0, &result, e);

	if (!rc)
		json_decref(result);
	return rc;
}

static const char *remote_uuid(struct store *s)
{
	return ((struct remote_store *)s)->uuid;
}

static void remote_close(struct store *s)
{
	free(s);
}

static const struct store_ops ops = {
        .range = remote_range,
        .txn = remote_txn,
        .watch = remote_watch,
        .unwatch = remote_unwatch,
        .fd = remote_fd,
        .next = remote_next,
        .wait = remote_wait,
        .compact = remote_compact,
        .uuid = remote_uuid,
        .close = remote_close,
};

int store_open_remote(const char *socket, int timeout_ms, struct store **out, struct error *e)
{
	struct remote_store *r = calloc(1, sizeof(*r));
	json_t *result;
	int rc;

	if (!r)
		return error_set(e, ENOMEM, "out of memory");
	r->store.ops = &ops;
	r->timeout_ms = timeout_ms;
	snprintf(r->path, sizeof(r->path), "%s", socket);
	rc = call(&r->store, "store.uuid", NULL, 0, &result, e);
	if (rc) {
		free(r);
		return rc;
	}
	snprintf(r->uuid, sizeof(r->uuid), "%s", json_string_value(json_object_get(result, "uuid")));
	json_decref(result);
	*out = &r->store;
	return 0;
}
