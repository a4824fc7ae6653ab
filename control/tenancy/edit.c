/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, editing and writing the desired state; see edit.h. Called by the tenant commands of weft. */
#include "control/tenancy/edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GENERATIONS_MAX = 16 }; /* tenants in one transaction */

/* ---- begin, edit ---- */

static int copy_one(void *object, void *arg)
{
	void *copy = object_copy(object);

	return copy ? tenancy_put(arg, copy) : -ENOMEM;
}

int edit_begin(struct edit *c, struct store *store, struct error *e)
{
	static const char *const prefixes[] = {
	        KEYS_ROOT "alloc/", KEYS_ROOT "gen/", KEYS_ROOT "h/",  KEYS_ROOT "host/", KEYS_ROOT "loc/",
	        KEYS_ROOT "n/",     KEYS_ROOT "r/",   KEYS_ROOT "sg/", KEYS_ROOT "t/"}; /* ascending */
	int rc;

	memset(c, 0, sizeof(*c));
	c->store = store;
	rc = store_range(store, prefixes, sizeof(prefixes) / sizeof(prefixes[0]), &c->snapshot, e);
	if (!rc)
		rc = keys_read(&c->snapshot, &c->before, e);
	for (int k = 0; k < KINDS && !rc; k++)
		rc = tenancy_each(&c->before, (enum object_kind)k, copy_one, &c->after);
	return rc;
}

void edit_end(struct edit *c)
{
	store_snapshot_free(&c->snapshot);
	tenancy_free(&c->before);
	tenancy_free(&c->after);
	keys_free(&c->old_keys);
	keys_free(&c->new_keys);
	free(c->ops);
	free(c->steps);
}

int edit_put(struct edit *c, void *object)
{
	const struct object *o = object, *old = tenancy_get(&c->after, o->kind, o->tenant, o->name);

	if (old)
		object_adopt(object, old);
	return tenancy_put(&c->after, object);
}

static int put_copy(void *object, void *arg)
{
	void *copy = object_copy(object);

	return copy ? edit_put(arg, copy) : -ENOMEM;
}

int edit_merge(struct edit *c, const struct tenancy *wanted, const char *prune)
{
	int rc = 0;

	for (int k = KIND_TENANT; k < KINDS && prune; k++) {
		void **list = tenancy_list(&c->after, (enum object_kind)k);

		for (void **at = list; at && *at; at++) {
			struct object o = *(struct object *)*at;

			if (!strcmp(o.tenant, prune) && !tenancy_get(wanted, o.kind, o.tenant, o.name))
				tenancy_remove(&c->after, o.kind, o.tenant, o.name);
		}
		free(list);
	}
	for (int k = 0; k < KINDS && !rc; k++)
		rc = tenancy_each(wanted, (enum object_kind)k, put_copy, c);
	return rc;
}

/* ---- plan ---- */

static int64_t mod_rev_of(const struct edit *c, const char *key)
{
	size_t low = 0, high = c->snapshot.n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(c->snapshot.kvs[mid].key, key);

		if (!order)
			return c->snapshot.kvs[mid].mod_rev;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

static int add_op(struct edit *c, const struct owned_key *k, bool gone)
{
	bool was = tenancy_get(&c->before, k->owner.kind, k->owner.tenant, k->owner.name),
	     is = tenancy_get(&c->after, k->owner.kind, k->owner.tenant, k->owner.name);
	struct edit_op *ops = c->ops;

	if ((c->n_ops & (c->n_ops - 1)) == 0)
		ops = realloc(ops, (c->n_ops ? c->n_ops * 2 : 1) * sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	c->ops = ops;
	ops[c->n_ops++] = (struct edit_op){
	        .op = {k->key, gone ? NULL : k->value},
	        .mod_rev = mod_rev_of(c, k->key),
	        .owner = k->owner,
	        .action = !was ? EDIT_CREATE
	                  : is ? EDIT_CHANGE
	                       : EDIT_DELETE,
	};
	return 0;
}

/* Deletions first, in falling order of kind (what they free may be taken anew), then the rest in rising
 * order. */
static int by_object(const void *left, const void *right)
{
	const struct edit_op *a = left, *b = right;
	bool a_gone = a->action == EDIT_DELETE, b_gone = b->action == EDIT_DELETE;
	int order;

	if (a_gone != b_gone)
		return a_gone ? -1 : 1;
	if (a->owner.kind != b->owner.kind)
		return (a->owner.kind < b->owner.kind) == !a_gone ? -1 : 1;
	order = strcmp(a->owner.tenant, b->owner.tenant);
	if (!order)
		order = strcmp(a->owner.name, b->owner.name);
	return order ? order : strcmp(a->op.key, b->op.key);
}

static bool same_object(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && !strcmp(a->tenant, b->tenant) && !strcmp(a->name, b->name);
}

static int group_steps(struct edit *c)
{
	c->steps = calloc(c->n_ops + 1, sizeof(*c->steps));
	if (!c->steps)
		return -ENOMEM;
	if (c->n_ops)
		qsort(c->ops, c->n_ops, sizeof(*c->ops), by_object);
	for (size_t i = 0; i < c->n_ops; i++) {
		const struct edit_op *op = &c->ops[i];

		if (!i || !same_object(&op->owner, &c->ops[i - 1].owner))
			c->steps[c->n_steps++] =
			        (struct edit_step){.action = op->action, .object = op->owner, .first = i};
		c->steps[c->n_steps - 1].n++;
	}
	return 0;
}

/* Keys whose owner changed hands (an address moves from a port to another) are one change. */
static int find_differences(struct edit *c)
{
	const struct key_list *old = &c->old_keys, *new = &c->new_keys;
	size_t i = 0, k = 0;
	int rc = 0;

	while (!rc && (i < old->n || k < new->n)) {
		int order = i == old->n ? 1 : k == new->n ? -1 : strcmp(old->keys[i].key, new->keys[k].key);

		if (order < 0) {
			rc = add_op(c, &old->keys[i++], true);
		} else if (order > 0) {
			rc = add_op(c, &new->keys[k++], false);
		} else {
			if (strcmp(old->keys[i].value, new->keys[k].value))
				rc = add_op(c, &new->keys[k], false);
			i++;
			k++;
		}
	}
	return rc;
}

/* A port may stay on a drained host, but not come to it. */
static int check_drained(void *object, void *arg)
{
	const struct tenant_port *p = object;
	struct edit *c = ((void **)arg)[0];
	const struct tenant_port *was = tenancy_get(&c->before, KIND_PORT, p->object.tenant, p->object.name);

	for (unsigned i = 0; i < p->n_hosts; i++) {
		const struct host *h = tenancy_get(&c->after, KIND_HOST, "", p->hosts[i]);
		bool stays = false;

		for (unsigned k = 0; was && k < was->n_hosts; k++)
			stays |= !strcmp(was->hosts[k], p->hosts[i]);
		if (h->drained && !stays)
			return tenancy_fail(((void **)arg)[1], &p->object, "host", EEXIST, "%s is drained",
			                    p->hosts[i]);
	}
	return 0;
}

int edit_plan(struct edit *c, struct tenancy_error *e)
{
	int rc = tenancy_resolve(&c->after, e);

	if (!rc)
		rc = tenancy_check(&c->after, e);
	if (!rc)
		rc = tenancy_each(&c->after, KIND_PORT, check_drained, (void *[]){c, e});
	if (rc)
		return rc;
	rc = keys_of(&c->before, &c->old_keys);
	if (!rc)
		rc = keys_of(&c->after, &c->new_keys);
	if (!rc)
		rc = find_differences(c);
	if (!rc)
		rc = group_steps(c);
	return rc ? tenancy_fail(e, NULL, "", ENOMEM, "out of memory") : 0;
}

/* ---- commit ---- */

struct batch {
	struct store_compare compares[STORE_TXN_OPS_MAX];
	struct store_op ops[STORE_TXN_OPS_MAX];
	size_t n, bytes;
	char generations[GENERATIONS_MAX][STORE_KEY_MAX];
	unsigned n_generations;
};

static bool has_generation(const struct batch *b, const char *key)
{
	for (unsigned i = 0; i < b->n_generations; i++)
		if (!strcmp(b->generations[i], key))
			return true;
	return false;
}

static void generation_key(const struct object *o, char *key)
{
	snprintf(key, STORE_KEY_MAX, KEYS_ROOT "gen/%s", o->kind == KIND_HOST ? "hosts" : o->tenant);
}

/* False: does not fit any more. */
static bool batch_add(struct edit *c, struct batch *b, const struct edit_op *op)
{
	char gen[STORE_KEY_MAX];
	size_t bytes = strlen(op->op.key) + (op->op.value ? strlen(op->op.value) : 0);
	bool more;

	generation_key(&op->owner, gen);
	more = !has_generation(b, gen);
	if (b->n + 1 + more > STORE_TXN_OPS_MAX ||
	    b->bytes + bytes + more * STORE_KEY_MAX > STORE_TXN_SIZE_MAX ||
	    b->n_generations + more > GENERATIONS_MAX)
		return false;
	if (more) {
		memcpy(b->generations[b->n_generations], gen, sizeof(gen));
		b->compares[b->n] =
		        (struct store_compare){b->generations[b->n_generations], mod_rev_of(c, gen)};
		b->ops[b->n++] = (struct store_op){b->generations[b->n_generations++], "0"};
	}
	b->compares[b->n] = (struct store_compare){op->op.key, op->mod_rev};
	b->ops[b->n++] = op->op;
	b->bytes += bytes + more * STORE_KEY_MAX;
	return true;
}

/* Whole objects from operation `at` of step `step` on, as many as fit; of one that does not fit into any
 * transaction, a part. Where the next one begins. */
static size_t batch_fill(struct edit *c, struct batch *b, size_t at, size_t step)
{
	for (; step < c->n_steps; step++) {
		size_t begin = at, n = b->n, bytes = b->bytes, end = c->steps[step].first + c->steps[step].n;
		unsigned n_generations = b->n_generations;

		while (at < end && batch_add(c, b, &c->ops[at]))
			at++;
		if (at == end)
			continue;
		if (n) {
			b->n = n;
			b->bytes = bytes;
			b->n_generations = n_generations;
			at = begin;
		}
		break;
	}
	return at;
}

/* After our own transaction its generations have its revision. */
static int note_generations(struct edit *c, const struct batch *b)
{
	for (unsigned i = 0; i < b->n_generations; i++) {
		size_t at = 0;

		while (at < c->snapshot.n && strcmp(c->snapshot.kvs[at].key, b->generations[i]) < 0)
			at++;
		if (at < c->snapshot.n && !strcmp(c->snapshot.kvs[at].key, b->generations[i])) {
			c->snapshot.kvs[at].mod_rev = c->rev;
			continue;
		}
		if (store_snapshot_insert(&c->snapshot, at, b->generations[i], "0", c->rev))
			return -ENOMEM;
	}
	return 0;
}

static void finish_step(struct edit_step *s, int64_t rev)
{
	s->done = true;
	s->rev = rev;
}

int edit_commit(struct edit *c, struct error *e)
{
	struct batch *b = calloc(1, sizeof(*b));
	size_t at = 0, step = 0;
	int rc = b ? 0 : error_set(e, ENOMEM, "out of memory");

	while (!rc && b && at < c->n_ops) {
		struct store_txn txn;

		memset(b, 0, sizeof(*b));
		at = batch_fill(c, b, at, step);
		txn = (struct store_txn){b->compares, b->n, b->ops, b->n};
		rc = store_txn(c->store, &txn, &c->rev, e);
		if (!rc && note_generations(c, b))
			rc = error_set(e, ENOMEM, "out of memory");
		while (!rc && step < c->n_steps && c->steps[step].first + c->steps[step].n <= at)
			finish_step(&c->steps[step++], c->rev);
	}
	free(b);
	return rc;
}

const char *edit_action_name(enum edit_action action)
{
	static const char *const names[] = {"created", "changed", "deleted"};

	return names[action];
}
