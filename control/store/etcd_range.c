/* SPDX-License-Identifier: Apache-2.0 */
/* Reading from etcd: pages of one revision, as large as messages allow; see store.h. Called through etcd.c's
 * ops. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/store/etcd_store.h"

enum {
	PAGE = 2000,     /* keys of one answer; fewer when they are large */
	RANGE_TRIES = 3, /* when a revision was compacted while it was read */
};

char *etcd_text(const ProtobufCBinaryData *b, size_t max, bool *bad)
{
	*bad = b->len >= max || (b->len && memchr(b->data, 0, b->len));
	return *bad ? NULL : strndup(b->len ? (const char *)b->data : "", b->len);
}

/* Keys that are no texts are nobody's of ours. */
static int add_kv(struct store_snapshot *out, const Etcd__KeyValue *kv, struct error *e)
{
	bool bad_key, bad_value;
	char *key = etcd_text(&kv->key, STORE_KEY_MAX, &bad_key),
	     *value = etcd_text(&kv->value, STORE_TXN_SIZE_MAX + 1, &bad_value);
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
	int rc = 0;

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

/* Of an answer; or -EIO. */
static int64_t revision_of(const Etcd__Header *header, struct error *e)
{
	return header ? header->revision : error_set(e, EIO, "etcd: an answer without a header");
}

/* All keys of one prefix at out->rev (0: now, which is noted there), from `first` on. -ERANGE: the revision
 * is gone. */
static int range_one(struct etcd_store *s, const char *prefix, ProtobufCBinaryData first,
                     struct store_snapshot *out, struct error *e)
{
	char end[STORE_KEY_MAX], next[STORE_KEY_MAX + 1];
	Etcd__RangeRequest request = ETCD__RANGE_REQUEST__INIT;
	bool more = true;
	int rc = 0;

	store_prefix_end(prefix, end);
	request.key = first;
	request.range_end = etcd_bytes(end);
	request.limit = PAGE;
	while (more && !rc) {
		ProtobufCMessage *answer = NULL;
		Etcd__RangeResponse *r;
		int64_t rev;

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
		rev = revision_of(r->header, e);
		rc = rev < 0 ? (int)rev : take_page(out, r, &more, next, e);
		if (!rc && !out->rev)
			out->rev = rev;
		if (more)
			request.key = (ProtobufCBinaryData){strlen(next) + 1, (uint8_t *)next};
		protobuf_c_message_free_unpacked(answer, NULL);
	}
	return rc;
}

/* The first page of each prefix in one answer, the rest page by page. */
static int take_pages(struct etcd_store *s, const char *const *prefixes, size_t n, const Etcd__TxnResponse *t,
                      struct store_snapshot *out, struct error *e)
{
	int64_t rev = revision_of(t->header, e);
	int rc = rev < 0 ? (int)rev : 0;

	if (!rc && t->n_responses != n)
		rc = error_set(e, EIO, "etcd: an answer to another question");
	if (!rc)
		out->rev = rev;
	for (size_t i = 0; i < n && !rc; i++) {
		const Etcd__ResponseOp *op = t->responses[i];
		char next[STORE_KEY_MAX + 1];
		bool more = false;

		if (op->response_case == ETCD__RESPONSE_OP__RESPONSE_RANGE)
			rc = take_page(out, op->range, &more, next, e);
		if (!rc && more)
			rc = range_one(s, prefixes[i],
			               (ProtobufCBinaryData){strlen(next) + 1, (uint8_t *)next}, out, e);
	}
	return rc;
}

struct looks { /* a transaction that only reads */
	Etcd__TxnRequest txn;
	Etcd__RequestOp ops[STORE_PREFIXES_MAX], *op_list[STORE_PREFIXES_MAX];
	Etcd__RangeRequest ranges[STORE_PREFIXES_MAX];
	char ends[STORE_PREFIXES_MAX][STORE_KEY_MAX];
};

/* Many prefixes cost one question. -EMSGSIZE: too much for one answer. */
static int range_together(struct etcd_store *s, const char *const *prefixes, size_t n,
                          struct store_snapshot *out, struct error *e)
{
	struct looks *l = malloc(sizeof(*l));
	ProtobufCMessage *answer = NULL;
	int rc;

	if (!l)
		return error_set(e, ENOMEM, "out of memory");
	etcd__txn_request__init(&l->txn);
	l->txn.success = l->op_list;
	l->txn.n_success = n;
	for (size_t i = 0; i < n; i++) {
		store_prefix_end(prefixes[i], l->ends[i]);
		etcd__range_request__init(&l->ranges[i]);
		l->ranges[i].key = etcd_bytes(prefixes[i]);
		l->ranges[i].range_end = etcd_bytes(l->ends[i]);
		l->ranges[i].limit = PAGE;
		etcd__request_op__init(&l->ops[i]);
		l->ops[i].request_case = ETCD__REQUEST_OP__REQUEST_RANGE;
		l->ops[i].range = &l->ranges[i];
		l->op_list[i] = &l->ops[i];
	}
	rc = etcd_call(s->etcd, "/etcdserverpb.KV/Txn", &l->txn.base, &etcd__txn_response__descriptor,
	               ETCD_AGAIN, &answer, e);
	free(l);
	if (rc)
		return rc;
	rc = take_pages(s, prefixes, n, (Etcd__TxnResponse *)answer, out, e);
	protobuf_c_message_free_unpacked(answer, NULL);
	return rc;
}

static int range_all(struct etcd_store *s, const char *const *prefixes, size_t n, struct store_snapshot *out,
                     struct error *e)
{
	int rc = n > 1 ? range_together(s, prefixes, n, out, e) : -EMSGSIZE;

	if (rc != -EMSGSIZE)
		return rc;
	rc = 0;
	for (size_t k = 0; k < n && !rc; k++)
		rc = range_one(s, prefixes[k], etcd_bytes(prefixes[k]), out, e);
	return rc;
}

int etcd_range(struct store *store, const char *const *prefixes, size_t n, struct store_snapshot *out,
               struct error *e)
{
	struct etcd_store *s = etcd_store_of(store);
	int rc = -ERANGE;

	for (int i = 0; i < RANGE_TRIES && rc == -ERANGE; i++) {
		store_snapshot_free(out);
		rc = range_all(s, prefixes, n, out, e);
	}
	if (!rc)
		etcd_saw(s->etcd, out->rev);
	return rc;
}
