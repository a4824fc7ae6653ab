/* SPDX-License-Identifier: Apache-2.0 */
/* The store in an etcd cluster, through control/etcd; see store.h. Opened by weft-agent and by the tenant
 * commands of weft. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/etcd/client.h"
#include "control/etcd/etcd.pb-c.h"
#include "control/etcd/lease.h"
#include "control/etcd/watch.h"
#include "control/store/store_ops.h"

enum {
	PAGE = 2000,     /* keys of one answer; fewer when they are large */
	RANGE_TRIES = 3, /* when a revision was compacted while it was read */
};

struct etcd_store {
	struct store store;
	struct etcd *etcd;
	struct watches *watches;
	struct lease *lease;
	char *value; /* of the last event */
};

static struct etcd_store *of(const struct store *s)
{
	return (struct etcd_store *)s;
}

static ProtobufCBinaryData bytes_of(const char *text)
{
	return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

/* A copy with a NUL; NULL: no memory, or (`*bad`) it is not a text of less than `max` bytes. */
static char *text_of(const ProtobufCBinaryData *b, size_t max, bool *bad)
{
	*bad = b->len >= max || (b->len && memchr(b->data, 0, b->len));
	return *bad ? NULL : strndup(b->len ? (const char *)b->data : "", b->len);
}

/* The first text after all that start with `prefix` (bytes are below 0xff in UTF-8). */
static void prefix_end(const char *prefix, char end[STORE_KEY_MAX])
{
	size_t n = strlen(prefix);

	memcpy(end, prefix, n + 1);
	end[n - 1]++;
}

/* ---- range ---- */

/* Keys that are no texts are nobody's of ours. */
static int add_kv(struct store_snapshot *out, const Etcd__KeyValue *kv, struct error *e)
{
	bool bad_key, bad_value;
	char *key = text_of(&kv->key, STORE_KEY_MAX, &bad_key),
	     *value = text_of(&kv->value, STORE_TXN_SIZE_MAX + 1, &bad_value);
	int rc = 0;

	if (bad_key || bad_value)
		log_warn("etcd: key %.*s is left out: not a text",
		         (int)(kv->key.len < 200 ? kv->key.len : 200), (const char *)kv->key.data);
	else if (!key || !value || store_snapshot_add(out, key, value, kv->mod_revision))
		rc = error_set(e, ENOMEM, "out of memory");
	free(key);
	free(value);
	return rc;
}

/* Adds the page to `out`; `*more`: there are keys behind, from `next` on. */
static int take_page(struct store_snapshot *out, const Etcd__RangeResponse *r, bool *more,
                     char next[STORE_KEY_MAX + 1], struct error *e)
{
	const Etcd__KeyValue *last = r->n_kvs ? r->kvs[r->n_kvs - 1] : NULL;
	int rc = r->header ? 0 : error_set(e, EIO, "etcd: an answer without a header");

	for (size_t i = 0; i < r->n_kvs && !rc; i++)
		rc = add_kv(out, r->kvs[i], e);
	*more = !rc && r->more && last;
	if (*more && last->key.len >= STORE_KEY_MAX)
		return error_set(e, EIO, "etcd: a key of %zu bytes", last->key.len);
	if (*more) {
		memcpy(next, last->key.data, last->key.len);
		next[last->key.len] = '\0'; /* with its NUL it is the first text behind the last one */
	}
	return rc;
}

/* All keys of one prefix at out->rev (0: now, which is noted there). -ERANGE: the revision is gone. */
static int range_one(struct etcd_store *s, const char *prefix, struct store_snapshot *out, struct error *e)
{
	char end[STORE_KEY_MAX], next[STORE_KEY_MAX + 1];
	Etcd__RangeRequest request = ETCD__RANGE_REQUEST__INIT;
	bool more = true;
	int rc = 0;

	prefix_end(prefix, end);
	request.key = bytes_of(prefix);
	request.range_end = bytes_of(end);
	request.limit = PAGE;
	while (more && !rc) {
		ProtobufCMessage *answer = NULL;
		Etcd__RangeResponse *r;

		request.revision = out->rev;
		rc = etcd_call(s->etcd, "/etcdserverpb.KV/Range", &request.base,
		               &etcd__range_response__descriptor, ETCD_AGAIN, &answer, e);
		if (rc == -EMSGSIZE && request.limit > 1) {
			request.limit = (request.limit + 7) / 8;
			rc = 0;
			continue;
		}
		if (rc)
			return rc;
		r = (Etcd__RangeResponse *)answer;
		rc = take_page(out, r, &more, next, e);
		if (!rc && !out->rev)
			out->rev = r->header->revision;
		if (more)
			request.key = (ProtobufCBinaryData){strlen(next) + 1, (uint8_t *)next};
		protobuf_c_message_free_unpacked(answer, NULL);
	}
	return rc;
}

static int etcd_range(struct store *store, const char *const *prefixes, size_t n, struct store_snapshot *out,
                      struct error *e)
{
	struct etcd_store *s = of(store);
	int rc = -ERANGE;

	for (int i = 0; i < RANGE_TRIES && rc == -ERANGE; i++) {
		store_snapshot_free(out);
		rc = 0;
		for (size_t k = 0; k < n && !rc; k++)
			rc = range_one(s, prefixes[k], out, e);
	}
	if (!rc)
		etcd_saw(s->etcd, out->rev);
	return rc;
}

/* ---- transactions ---- */

/* A transaction as etcd's messages; pointers go into it, so it stays where it is. */
struct request {
	Etcd__TxnRequest txn;
	Etcd__Compare compares[STORE_TXN_OPS_MAX], *compare_list[STORE_TXN_OPS_MAX];
	Etcd__RequestOp ops[STORE_TXN_OPS_MAX], *op_list[STORE_TXN_OPS_MAX];
	Etcd__RequestOp looks[STORE_TXN_OPS_MAX], *look_list[STORE_TXN_OPS_MAX];
	Etcd__PutRequest puts[STORE_TXN_OPS_MAX];
	Etcd__DeleteRequest deletes[STORE_TXN_OPS_MAX];
	Etcd__RangeRequest ranges[STORE_TXN_OPS_MAX];
};

/* If it fails, its key is looked at, to tell which one it was. */
static void add_compare(struct request *r, size_t i, const struct store_compare *c)
{
	etcd__compare__init(&r->compares[i]);
	r->compares[i].target = ETCD__COMPARE__TARGET__MOD;
	r->compares[i].key = bytes_of(c->key);
	r->compares[i].value_case = ETCD__COMPARE__VALUE_MOD_REVISION;
	r->compares[i].mod_revision = c->mod_rev;
	r->compare_list[i] = &r->compares[i];
	etcd__range_request__init(&r->ranges[i]);
	r->ranges[i].key = bytes_of(c->key);
	r->ranges[i].keys_only = true;
	etcd__request_op__init(&r->looks[i]);
	r->looks[i].request_case = ETCD__REQUEST_OP__REQUEST_RANGE;
	r->looks[i].range = &r->ranges[i];
	r->look_list[i] = &r->looks[i];
}

static void add_op(struct request *r, size_t i, const struct store_op *op)
{
	etcd__request_op__init(&r->ops[i]);
	if (op->value) {
		etcd__put_request__init(&r->puts[i]);
		r->puts[i].key = bytes_of(op->key);
		r->puts[i].value = bytes_of(op->value);
		r->ops[i].request_case = ETCD__REQUEST_OP__REQUEST_PUT;
		r->ops[i].put = &r->puts[i];
	} else {
		etcd__delete_request__init(&r->deletes[i]);
		r->deletes[i].key = bytes_of(op->key);
		r->ops[i].request_case = ETCD__REQUEST_OP__REQUEST_DELETE;
		r->ops[i].delete_ = &r->deletes[i];
	}
	r->op_list[i] = &r->ops[i];
}

static struct request *make_request(const struct store_txn *txn)
{
	struct request *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	for (size_t i = 0; i < txn->n_compares; i++)
		add_compare(r, i, &txn->compares[i]);
	for (size_t i = 0; i < txn->n_ops; i++)
		add_op(r, i, &txn->ops[i]);
	etcd__txn_request__init(&r->txn);
	r->txn.compare = r->compare_list;
	r->txn.success = r->op_list;
	r->txn.failure = r->look_list;
	r->txn.n_compare = r->txn.n_failure = txn->n_compares;
	r->txn.n_success = txn->n_ops;
	return r;
}

/* Which compare was wrong. */
static int conflict(const struct store_txn *txn, const Etcd__TxnResponse *t, struct error *e)
{
	for (size_t i = 0; i < txn->n_compares && i < t->n_responses; i++) {
		const Etcd__ResponseOp *op = t->responses[i];
		bool there = op->response_case == ETCD__RESPONSE_OP__RESPONSE_RANGE && op->range->n_kvs;

		if ((there ? op->range->kvs[0]->mod_revision : 0) != txn->compares[i].mod_rev)
			return error_set(e, EAGAIN, "%.200s: was changed meanwhile", txn->compares[i].key);
	}
	return error_set(e, EAGAIN, "a key was changed meanwhile");
}

static int etcd_txn(struct store *store, const struct store_txn *txn, int64_t *rev, struct error *e)
{
	struct etcd_store *s = of(store);
	struct request *request = make_request(txn);
	ProtobufCMessage *answer = NULL;
	Etcd__TxnResponse *t;
	int rc;

	if (!request)
		return error_set(e, ENOMEM, "out of memory");
	rc = etcd_call(s->etcd, "/etcdserverpb.KV/Txn", &request->txn.base, &etcd__txn_response__descriptor,
	               ETCD_ONCE, &answer, e);
	free(request);
	if (rc)
		return rc;
	t = (Etcd__TxnResponse *)answer;
	if (!t->succeeded) {
		rc = conflict(txn, t, e);
	} else if (!t->header) {
		rc = error_set(e, EIO, "etcd: an answer without a header");
	} else {
		*rev = t->header->revision;
		etcd_saw(s->etcd, *rev);
	}
	protobuf_c_message_free_unpacked(answer, NULL);
	return rc;
}

static int etcd_compact(struct store *store, int64_t rev, struct error *e)
{
	struct etcd_store *s = of(store);
	Etcd__CompactionRequest request = ETCD__COMPACTION_REQUEST__INIT;
	ProtobufCMessage *answer = NULL;
	int rc;

	request.revision = rev;
	rc = etcd_call(s->etcd, "/etcdserverpb.KV/Compact", &request.base,
	               &etcd__compaction_response__descriptor, ETCD_AGAIN, &answer, e);
	if (rc == -ERANGE)
		return strstr(e->text, "future") ? -EINVAL : 0; /* or it was compacted already */
	if (!rc)
		protobuf_c_message_free_unpacked(answer, NULL);
	return rc;
}

/* ---- watches ---- */

static int etcd_watch(struct store *store, const char *prefix, int64_t from, uint64_t *watch, struct error *e)
{
	char end[STORE_KEY_MAX];
	int64_t id;

	prefix_end(prefix, end);
	etcd_saw(of(store)->etcd, from - 1);
	id = watch_add(of(store)->watches, prefix, end, from);
	if (id < 0)
		return error_set(e, ENOMEM, "out of memory");
	*watch = (uint64_t)id;
	return 0;
}

static void etcd_unwatch(struct store *store, uint64_t watch)
{
	watch_remove(of(store)->watches, (int64_t)watch);
}

static int etcd_store_fd(const struct store *store)
{
	return etcd_fd(of(store)->etcd);
}

/* 1: told; 0: not a text, passed over; or -ENOMEM. */
static int tell(struct etcd_store *s, const struct watch_event *ev, struct store_event *out)
{
	static const enum store_event_type types[] = {[WATCH_PROGRESS] = STORE_PROGRESS,
	                                              [WATCH_COMPACTED] = STORE_COMPACTED,
	                                              [WATCH_LOST] = STORE_LOST};
	const Etcd__KeyValue *kv = ev->event ? ev->event->kv : NULL;
	bool bad = false;

	out->key[0] = '\0';
	out->watch = (uint64_t)ev->watch;
	out->rev = ev->revision;
	if (!kv) {
		out->type = types[ev->type];
		return 1;
	}
	etcd_saw(s->etcd, ev->revision);
	if (kv->key.len >= sizeof(out->key) || memchr(kv->key.data, 0, kv->key.len))
		return 0;
	memcpy(out->key, kv->key.data, kv->key.len);
	out->key[kv->key.len] = '\0';
	out->type = ev->event->type == ETCD__EVENT__TYPE__DELETE ? STORE_DELETE : STORE_PUT;
	if (out->type == STORE_DELETE)
		return 1;
	out->value = s->value = text_of(&kv->value, STORE_TXN_SIZE_MAX + 1, &bad);
	return out->value ? 1 : bad ? 0 : -ENOMEM;
}

static int etcd_next(struct store *store, struct store_event *out, struct error *e)
{
	struct etcd_store *s = of(store);
	struct watch_event ev;
	int rc = 0;

	free(s->value);
	s->value = out->value = NULL;
	while (!rc) {
		if (!watches_next(s->watches, &ev)) {
			etcd_progress(s->etcd);
			if (!watches_next(s->watches, &ev))
				return 0;
		}
		rc = tell(s, &ev, out);
	}
	return rc < 0 ? error_set(e, ENOMEM, "out of memory") : rc;
}

static int etcd_wait_for_change(struct store *store, const char *prefix, int64_t after, int timeout_ms,
                                struct error *e)
{
	struct etcd_store *s = of(store);
	uint64_t until = clock_now() + (uint64_t)timeout_ms * CLOCK_MS, watch = 0;
	bool any = false;
	int rc = etcd_watch(store, prefix, after + 1, &watch, e);

	if (rc)
		return rc;
	watch_only_notice(s->watches, (int64_t)watch, &any);
	etcd_progress(s->etcd);
	while (!any && clock_now() < until)
		etcd_wait(s->etcd, until);
	watch_remove(s->watches, (int64_t)watch);
	return any ? 0 : error_set(e, ETIMEDOUT, "nothing has changed");
}

/* ---- the rest ---- */

static int etcd_keep(struct store *store, const char *key, const char *value, unsigned seconds,
                     struct error *e)
{
	struct etcd_store *s = of(store);

	if (s->lease)
		return error_set(e, EEXIST, "there is a leased key already");
	s->lease = lease_create(s->etcd, key, value, seconds);
	return s->lease ? 0 : error_set(e, ENOMEM, "out of memory");
}

static bool etcd_store_ready(const struct store *store)
{
	return etcd_ready(of(store)->etcd);
}

static const char *etcd_store_uuid(struct store *store)
{
	return etcd_uuid(of(store)->etcd);
}

static void etcd_close(struct store *store)
{
	struct etcd_store *s = of(store);

	lease_destroy(s->lease);
	watches_destroy(s->watches);
	etcd_destroy(s->etcd);
	free(s->value);
	free(s);
}

static const struct store_ops ops = {
        .range = etcd_range,
        .txn = etcd_txn,
        .watch = etcd_watch,
        .unwatch = etcd_unwatch,
        .fd = etcd_store_fd,
        .next = etcd_next,
        .wait = etcd_wait_for_change,
        .keep = etcd_keep,
        .compact = etcd_compact,
        .ready = etcd_store_ready,
        .uuid = etcd_store_uuid,
        .close = etcd_close,
};

int store_open_etcd(const char *endpoints, const struct tls_files *tls, int timeout_ms, struct store **out,
                    struct error *e)
{
	struct etcd_store *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	s->store.ops = &ops;
	rc = etcd_create(endpoints, tls, timeout_ms, STORE_UUID_KEY, &s->etcd, e);
	if (rc) {
		free(s);
		return rc;
	}
	s->watches = watches_create(s->etcd);
	if (!s->watches) {
		etcd_close(&s->store);
		return error_set(e, ENOMEM, "out of memory");
	}
	*out = &s->store;
	return 0;
}
