/* SPDX-License-Identifier: Apache-2.0 */
/* grant -> put -> keep alive, and from the start when something is lost; see lease.h. */
#include "control/etcd/lease.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/etcd/etcd.pb-c.h"

struct lease {
	struct etcd_part part; /* first */
	struct etcd *client;
	struct grpc *grpc; /* NULL: down */
	char *key, *value;
	unsigned seconds;
	int64_t id;                 /* 0: none */
	bool put;                   /* the key is under it */
	struct call call;           /* the grant, or the put */
	struct grpc_stream *stream; /* of signs of life */
	uint64_t due;               /* the next step or sign of life */
};

static void later(struct lease *l)
{
	l->due = clock_now() + l->seconds * CLOCK_SECOND / 3;
}

/* ---- grant, put ---- */

static void on_put(struct call *c)
{
	struct lease *l = c->arg;

	l->put = c->status == GRPC_OK;
	if (l->put) {
		later(l);
	} else if (l->grpc) {
		log_warn("etcd: %s: %s", l->key, c->text);
		l->id = 0; /* perhaps it was too old */
	}
	call_free(c);
}

static int put(struct lease *l)
{
	Etcd__PutRequest request = ETCD__PUT_REQUEST__INIT;

	request.key = (ProtobufCBinaryData){strlen(l->key), (uint8_t *)l->key};
	request.value = (ProtobufCBinaryData){strlen(l->value), (uint8_t *)l->value};
	request.lease = l->id;
	l->call = (struct call){.done = on_put, .arg = l, .kind = &etcd__put_response__descriptor};
	return call_start(&l->call, l->grpc, "/etcdserverpb.KV/Put", &request.base);
}

static void on_grant(struct call *c)
{
	struct lease *l = c->arg;

	if (c->status == GRPC_OK) {
		l->id = ((Etcd__LeaseGrantResponse *)c->answer)->id;
		l->due = 0; /* the put */
	} else if (l->grpc) {
		log_warn("etcd: no lease: %s", c->text);
	}
	call_free(c);
}

static int grant(struct lease *l)
{
	Etcd__LeaseGrantRequest request = ETCD__LEASE_GRANT_REQUEST__INIT;

	request.ttl = l->seconds;
	l->put = false;
	l->call = (struct call){.done = on_grant, .arg = l, .kind = &etcd__lease_grant_response__descriptor};
	return call_start(&l->call, l->grpc, "/etcdserverpb.Lease/LeaseGrant", &request.base);
}

/* ---- keep alive ---- */

static void on_message(void *arg, const uint8_t *bytes, size_t n)
{
	struct lease *l = arg;
	Etcd__LeaseKeepAliveResponse *r = etcd__lease_keep_alive_response__unpack(NULL, n, bytes);

	if (r && r->id == l->id && r->ttl <= 0) { /* it is over */
		l->id = 0;
		l->due = 0;
	}
	if (r)
		etcd__lease_keep_alive_response__free_unpacked(r, NULL);
}

static void on_end(void *arg, enum grpc_status status, const char *text)
{
	struct lease *l = arg;

	l->stream = NULL;
	etcd_give_up(l->client, text);
}

static int keep_alive(struct lease *l)
{
	static const struct grpc_events events = {on_message, on_end};
	Etcd__LeaseKeepAliveRequest request = ETCD__LEASE_KEEP_ALIVE_REQUEST__INIT;

	if (!l->stream)
		l->stream = grpc_open(l->grpc, "/etcdserverpb.Lease/LeaseKeepAlive", &events, l);
	request.id = l->id;
	return l->stream ? message_send(l->stream, &request.base, false) : -ENOMEM;
}

/* ---- as a part of the client ---- */

static uint64_t tick(struct etcd_part *part, uint64_t now)
{
	struct lease *l = (struct lease *)part;
	int rc;

	if (!l->grpc || l->call.stream)
		return UINT64_MAX;
	if (now < l->due)
		return l->due;
	later(l);
	rc = !l->id ? grant(l) : !l->put ? put(l) : keep_alive(l);
	if (rc)
		log_warn("etcd: %s: out of memory", l->key);
	return l->due;
}

static void up(struct etcd_part *part, struct grpc *g)
{
	struct lease *l = (struct lease *)part;

	l->grpc = g;
	l->due = 0;
}

static void down(struct etcd_part *part)
{
	struct lease *l = (struct lease *)part;

	l->grpc = NULL;
	l->stream = NULL;
}

static void lost(struct etcd_part *part)
{
	((struct lease *)part)->id = 0;
}

/* ---- for the owner ---- */

struct lease *lease_create(struct etcd *c, const char *key, const char *value, unsigned seconds)
{
	struct lease *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->part = (struct etcd_part){.up = up, .down = down, .lost = lost, .tick = tick};
	l->client = c;
	l->seconds = seconds;
	l->key = strdup(key);
	l->value = strdup(value);
	if (!l->key || !l->value) {
		lease_destroy(l);
		return NULL;
	}
	etcd_attach(c, &l->part);
	return l;
}

void lease_destroy(struct lease *l)
{
	if (!l)
		return;
	call_cancel(&l->call);
	if (l->stream)
		grpc_cancel(l->stream);
	free(l->key);
	free(l->value);
	free(l);
}
