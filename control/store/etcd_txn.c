/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions in etcd; see store.h. Called through etcd.c's ops. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/store/etcd_store.h"

enum { SETTLE_KEYS = 500, SETTLE_S = 2 };

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
	r->compares[i].key = etcd_bytes(c->key);
	r->compares[i].value_case = ETCD__COMPARE__VALUE_MOD_REVISION;
	r->compares[i].mod_revision = c->mod_rev;
	r->compare_list[i] = &r->compares[i];
	etcd__range_request__init(&r->ranges[i]);
	r->ranges[i].key = etcd_bytes(c->key);
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
		r->puts[i].key = etcd_bytes(op->key);
		r->puts[i].value = etcd_bytes(op->value);
		r->ops[i].request_case = ETCD__REQUEST_OP__REQUEST_PUT;
		r->ops[i].put = &r->puts[i];
	} else {
		etcd__delete_request__init(&r->deletes[i]);
		r->deletes[i].key = etcd_bytes(op->key);
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

/* etcd 3.4 copies, at each read and for each new watch, the room that the keys of a tenth of a second took,
 * until there is such a tenth in which it writes something but no keys. A lease that ends by itself is that:
 * after many keys one is asked for. Without it reading is only slower. */
static void settle(struct etcd_store *s, size_t n_ops)
{
	Etcd__LeaseGrantRequest request = ETCD__LEASE_GRANT_REQUEST__INIT;
	ProtobufCMessage *answer = NULL;
	struct error e;

	s->written += n_ops;
	if (s->written < SETTLE_KEYS)
		return;
	s->written = 0;
	request.ttl = SETTLE_S;
	if (etcd_call(s->etcd, "/etcdserverpb.Lease/LeaseGrant", &request.base,
	              &etcd__lease_grant_response__descriptor, ETCD_ONCE, &answer, &e))
		log_debug("%s", e.text);
	else
		protobuf_c_message_free_unpacked(answer, NULL);
}

int etcd_txn(struct store *store, const struct store_txn *txn, int64_t *rev, struct error *e)
{
	struct etcd_store *s = etcd_store_of(store);
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
	if (!rc)
		settle(s, txn->n_ops);
	return rc;
}
