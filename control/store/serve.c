/* SPDX-License-Identifier: Apache-2.0 */
/* store.range, store.txn, store.wait, store.compact, store.uuid; see serve.h. Run by weft-agent. */
#include "control/store/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { WAITS_MAX = 1024, WAIT_MS_MAX = 3600 * 1000 };

struct wait {
	struct wait *next;
	struct rpc_request *request;
	char prefix[STORE_KEY_MAX];
	int64_t after;
	uint64_t until; /* clock_now() */
};

struct store_service {
	struct store *store;
	uv_timer_t timer; /* at the first wait's end */
	struct wait *waits;
	unsigned n_waits;
};

/* ---- range, txn ---- */

static int range(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct store_service *service = ctx;
	const char *prefixes[STORE_PREFIXES_MAX];
	json_t *list = json_object_get(params, "prefixes"), *kvs, *one;
	struct store_snapshot snap;
	size_t i;
	int rc;

	if (!json_is_array(list) || json_array_size(list) > STORE_PREFIXES_MAX)
		return error_set(e, EINVAL, "prefixes: expected a list of at most %d", STORE_PREFIXES_MAX);
	json_array_foreach(list, i, one)
	{
		prefixes[i] = json_string_value(one);
		if (!prefixes[i])
			return error_set(e, EINVAL, "prefixes[%zu]: expected a text", i);
	}
	rc = store_range(service->store, prefixes, json_array_size(list), &snap, e);
	if (rc)
		return rc;
	kvs = json_array();
	for (i = 0; i < snap.n; i++)
		json_array_append_new(kvs, json_pack("[s, s, I]", snap.kvs[i].key, snap.kvs[i].value,
		                                     (json_int_t)snap.kvs[i].mod_rev));
	*result = json_pack("{s:I, s:o}", "rev", (json_int_t)snap.rev, "kvs", kvs);
	store_snapshot_free(&snap);
	return 0;
}

static int read_txn(json_t *params, struct store_compare *compares, struct store_op *ops,
                    struct store_txn *txn, struct error *e)
{
	json_t *list = json_object_get(params, "compares"), *changes = json_object_get(params, "ops"), *one;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > STORE_TXN_OPS_MAX || !json_is_array(changes) ||
	    json_array_size(changes) > STORE_TXN_OPS_MAX)
		return error_set(e, EINVAL, "expected compares and ops: lists of at most %d",
		                 STORE_TXN_OPS_MAX);
	json_array_foreach(list, i, one)
	{
		json_int_t rev;

		if (json_unpack(one, "[s, I!]", &compares[i].key, &rev))
			return error_set(e, EINVAL, "compares[%zu]: expected [key, revision]", i);
		compares[i].mod_rev = rev;
	}
	json_array_foreach(changes, i, one)
	{
		ops[i].key = json_string_value(json_array_get(one, 0));
		ops[i].value = json_string_value(json_array_get(one, 1));
		if (!ops[i].key || json_array_size(one) > 2)
			return error_set(e, EINVAL, "ops[%zu]: expected [key, value] or [key]", i);
	}
	*txn = (struct store_txn){compares, json_array_size(list), ops, json_array_size(changes)};
	return 0;
}

static int txn(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct store_service *service = ctx;
	struct store_compare compares[STORE_TXN_OPS_MAX];
	struct store_op ops[STORE_TXN_OPS_MAX];
	struct store_txn t;
	int64_t rev = 0;
	int rc = read_txn(params, compares, ops, &t, e);

	if (!rc)
		rc = store_txn(service->store, &t, &rev, e);
	if (rc && rc != -EAGAIN)
		return rc;
	/* a compare that failed is an answer, not a failure of the call */
	*result = rc ? json_pack("{s:s}", "conflict", e->text) : json_pack("{s:I}", "rev", (json_int_t)rev);
	store_serve_changed(service);
	return 0;
}

static int compact(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct store_service *service = ctx;
	int rc = store_compact(service->store, json_integer_value(json_object_get(params, "rev")), e);

	if (!rc)
		*result = json_object();
	return rc;
}

static int uuid(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct store_service *service = ctx;

	*result = json_pack("{s:s}", "uuid", store_uuid(service->store));
	return 0;
}

/* ---- wait ---- */

static void on_timer(uv_timer_t *timer)
{
	store_serve_changed(timer->data);
}

static void finish(struct store_service *service, struct wait **at, bool changed)
{
	struct wait *w = *at;

	*at = w->next;
	service->n_waits--;
	rpc_answer(w->request, json_pack("{s:b}", "changed", changed));
	free(w);
}

void store_serve_changed(struct store_service *service)
{
	uint64_t now = clock_now(), first = UINT64_MAX;
	struct wait **at = &service->waits;

	while (*at) {
		struct wait *w = *at;
		bool changed = store_wait(service->store, w->prefix, w->after, 0, NULL) == 0;

		if (changed || now >= w->until) {
			finish(service, at, changed);
			continue;
		}
		if (w->until < first)
			first = w->until;
		at = &w->next;
	}
	if (service->waits)
		uv_timer_start(&service->timer, on_timer, (first - now) / CLOCK_MS + 1, 0);
	else
		uv_timer_stop(&service->timer);
}

static int begin_wait(void *ctx, json_t *params, struct rpc_request *request, struct error *e)
{
	struct store_service *service = ctx;
	const char *prefix = json_string_value(json_object_get(params, "prefix"));
	json_int_t after = json_integer_value(json_object_get(params, "after")),
	           ms = json_integer_value(json_object_get(params, "timeout_ms"));
	struct wait *w;

	if (!prefix || !*prefix || strlen(prefix) >= STORE_KEY_MAX)
		return error_set(e, EINVAL, "prefix: expected a text");
	if (ms < 0 || ms > WAIT_MS_MAX)
		return error_set(e, EINVAL, "timeout_ms: expected 0 to %d", WAIT_MS_MAX);
	if (service->n_waits >= WAITS_MAX)
		return error_set(e, EAGAIN, "%d requests wait already", WAITS_MAX);
	w = calloc(1, sizeof(*w));
	if (!w)
		return error_set(e, ENOMEM, "out of memory");
	memcpy(w->prefix, prefix, strlen(prefix) + 1);
	w->request = request;
	w->after = after;
	w->until = clock_now() + (uint64_t)ms * CLOCK_MS;
	w->next = service->waits;
	service->waits = w;
	service->n_waits++;
	store_serve_changed(service);
	return 0;
}

const struct rpc_method store_methods[] = {
        {.name = "store.range", .call = range},      {.name = "store.txn", .call = txn},
        {.name = "store.wait", .begin = begin_wait}, {.name = "store.compact", .call = compact},
        {.name = "store.uuid", .call = uuid},        {0},
};

struct store_service *store_serve(uv_loop_t *loop, struct store *store)
{
	struct store_service *service = calloc(1, sizeof(*service));

	if (!service)
		return NULL;
	service->store = store;
	uv_timer_init(loop, &service->timer);
	service->timer.data = service;
	return service;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void store_serve_end(struct store_service *service)
{
	while (service->waits)
		finish(service, &service->waits, false);
	uv_close((uv_handle_t *)&service->timer, on_closed);
}
