/* SPDX-License-Identifier: Apache-2.0 */
/* Who the cluster is; see identity.h. Called by client.c. */
#include "control/etcd/identity.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "control/etcd/etcd.pb-c.h"

static ProtobufCBinaryData bytes_of(const char *text)
{
	return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

static void finish(struct identity *i, const Etcd__Header *header, const Etcd__KeyValue *kv)
{
	if (!header || kv->value.len == 0 || kv->value.len >= sizeof(i->uuid)) {
		i->failed(i, "the cluster's uuid cannot be read");
		return;
	}
	memcpy(i->uuid, kv->value.data, kv->value.len);
	i->uuid[kv->value.len] = '\0';
	i->revision = header->revision;
	i->known(i);
}

/* The uuid is the one that we proposed, or somebody was faster and its range has it. */
static void on_txn(struct call *c)
{
	struct identity *i = c->arg;
	Etcd__KeyValue ours = {.value = bytes_of(i->uuid)};
	Etcd__TxnResponse *t;
	Etcd__ResponseOp *op;

	if (c->status == GRPC_PERMISSION_DENIED) {
		i->failed(i, "the store is new: the operator has to write to it first");
		return;
	}
	if (c->status != GRPC_OK) {
		i->failed(i, c->text);
		return;
	}
	t = (Etcd__TxnResponse *)c->answer;
	op = t->n_responses ? t->responses[0] : NULL;
	if (t->succeeded)
		finish(i, t->header, &ours);
	else if (op && op->response_case == ETCD__RESPONSE_OP__RESPONSE_RANGE && op->range->n_kvs)
		finish(i, t->header, op->range->kvs[0]);
	else
		i->failed(i, "the cluster's uuid cannot be read");
	call_free(c);
}

static void propose(struct identity *i, struct grpc *g)
{
	Etcd__Compare absent = ETCD__COMPARE__INIT, *compare = &absent;
	Etcd__RequestOp put_op = ETCD__REQUEST_OP__INIT, range_op = ETCD__REQUEST_OP__INIT,
	                *success = &put_op, *failure = &range_op;
	Etcd__PutRequest put = ETCD__PUT_REQUEST__INIT;
	Etcd__RangeRequest range = ETCD__RANGE_REQUEST__INIT;
	Etcd__TxnRequest txn = ETCD__TXN_REQUEST__INIT;

	snprintf(i->uuid, sizeof(i->uuid), "%016llx%016llx", (unsigned long long)hash_random_seed(),
	         (unsigned long long)hash_random_seed());
	absent.target = ETCD__COMPARE__TARGET__MOD;
	absent.key = range.key = put.key = bytes_of(i->key);
	absent.value_case = ETCD__COMPARE__VALUE_MOD_REVISION;
	put.value = bytes_of(i->uuid);
	put_op.request_case = ETCD__REQUEST_OP__REQUEST_PUT;
	put_op.put = &put;
	range_op.request_case = ETCD__REQUEST_OP__REQUEST_RANGE;
	range_op.range = &range;
	txn.n_compare = txn.n_success = txn.n_failure = 1;
	txn.compare = &compare;
	txn.success = &success;
	txn.failure = &failure;
	i->call.done = on_txn;
	i->call.kind = &etcd__txn_response__descriptor;
	if (call_start(&i->call, g, "/etcdserverpb.KV/Txn", &txn.base))
		i->failed(i, "out of memory");
}

static void on_range(struct call *c)
{
	struct identity *i = c->arg;
	Etcd__RangeResponse *r;

	if (c->status != GRPC_OK) {
		i->failed(i, c->text);
		return;
	}
	r = (Etcd__RangeResponse *)c->answer;
	if (r->n_kvs) {
		finish(i, r->header, r->kvs[0]);
		call_free(c);
	} else {
		call_free(c);
		propose(i, i->connection);
	}
}

int identity_ask(struct identity *i, struct grpc *g)
{
	Etcd__RangeRequest range = ETCD__RANGE_REQUEST__INIT;

	i->connection = g;
	i->call = (struct call){.done = on_range, .arg = i, .kind = &etcd__range_response__descriptor};
	range.key = bytes_of(i->key);
	return call_start(&i->call, g, "/etcdserverpb.KV/Range", &range.base);
}

void identity_cancel(struct identity *i)
{
	call_cancel(&i->call);
}
