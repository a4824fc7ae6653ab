/* SPDX-License-Identifier: Apache-2.0 */
/* A host's own keys, st/HOST/; see status.h. Called by agent.c. */
#include "control/agent/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct status {
	struct store *store;
	char prefix[STORE_KEY_MAX]; /* "/weft/v1/st/HOST/" */
	json_t *told; /* {key behind the prefix: text}, as the store has it; NULL: not read yet */
};

struct status *status_create(struct store *store, const char *host)
{
	struct status *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->store = store;
	snprintf(st->prefix, sizeof(st->prefix), KEYS_ROOT "st/%s/", host);
	return st;
}

void status_destroy(struct status *st)
{
	if (!st)
		return;
	json_decref(st->told);
	free(st);
}

/* What an agent before us has left counts as told. The key of those who wait for the host is not ours. */
static int read_told(struct status *st, struct error *e)
{
	const char *prefix = st->prefix;
	struct store_snapshot snap;
	int rc = st->told ? 0 : store_range(st->store, &prefix, 1, &snap, e);

	if (st->told || rc)
		return rc;
	st->told = json_object();
	for (size_t i = 0; i < snap.n; i++)
		json_object_set_new(st->told, snap.kvs[i].key + strlen(prefix),
		                    json_string(snap.kvs[i].value));
	store_snapshot_free(&snap);
	return 0;
}

/* {name: up} of the interfaces that are up. */
static json_t *interfaces_up(const json_t *interfaces)
{
	json_t *up = json_object(), *row;
	size_t i;

	json_array_foreach(interfaces, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));

		if (name && json_is_true(json_object_get(row, "up")))
			json_object_set_new(up, name, json_true());
	}
	return up;
}

static json_t *all_that_holds(const struct scene *s, const json_t *interfaces)
{
	json_t *now = json_object(), *up = interfaces_up(interfaces);
	char id[ID_MAX];

	for (unsigned i = 0; i < s->n_local; i++) {
		bool is_up = json_object_get(up, s->local[i]->interface);

		json_object_set_new(now, id_format(&s->local[i]->port->object, id),
		                    json_string(is_up ? "{\"up\":true}" : "{\"up\":false}"));
	}
	json_decref(up);
	return now;
}

/* ---- writing ---- */

struct batch {
	char keys[STORE_TXN_OPS_MAX][STORE_KEY_MAX];
	struct store_op ops[STORE_TXN_OPS_MAX];
	size_t n;
};

static int flush(struct status *st, struct batch *b, struct error *e)
{
	struct store_txn txn = {.ops = b->ops, .n_ops = b->n};
	int rc = b->n ? store_txn(st->store, &txn, NULL, e) : 0;

	for (size_t i = 0; i < b->n && !rc; i++) {
		const char *key = b->keys[i] + strlen(st->prefix);

		if (b->ops[i].value)
			json_object_set_new(st->told, key, json_string(b->ops[i].value));
		else
			json_object_del(st->told, key);
	}
	b->n = 0;
	return rc;
}

/* `value` NULL: the key goes. */
static int put(struct status *st, struct batch *b, const char *key, const char *value, struct error *e)
{
	int rc = b->n == STORE_TXN_OPS_MAX ? flush(st, b, e) : 0;

	snprintf(b->keys[b->n], sizeof(b->keys[0]), "%.190s%.190s", st->prefix, key);
	b->ops[b->n] = (struct store_op){b->keys[b->n], value};
	b->n++;
	return rc;
}

static int write_differences(struct status *st, json_t *now, struct batch *b, struct error *e)
{
	const char *key;
	json_t *value, *gone = json_array();
	size_t i;
	int rc = 0;

	json_object_foreach(st->told, key, value) if (!json_object_get(now, key))
	        json_array_append_new(gone, json_string(key));
	json_array_foreach(gone, i, value) if (!rc) rc = put(st, b, json_string_value(value), NULL, e);
	json_object_foreach(now, key, value) if (!rc && !json_equal(value, json_object_get(st->told, key)))
	        rc = put(st, b, key, json_string_value(value), e);
	if (!rc)
		rc = flush(st, b, e);
	json_decref(gone);
	return rc;
}

int status_tell(struct status *st, const struct scene *s, const json_t *interfaces, struct error *e)
{
	struct batch *b = calloc(1, sizeof(*b));
	json_t *now = all_that_holds(s, interfaces);
	int rc = b ? read_told(st, e) : error_set(e, ENOMEM, "out of memory");

	if (!rc)
		rc = write_differences(st, now, b, e);
	json_decref(now);
	free(b);
	return rc;
}
