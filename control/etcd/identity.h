/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a fresh connection who the cluster is, through a key that holds a uuid. Who is first makes it. The
 * read needs a leader, and its answer tells the revision that the cluster has reached.
 */
#ifndef CONTROL_ETCD_IDENTITY_H
#define CONTROL_ETCD_IDENTITY_H

#include "control/etcd/call.h"
#include "control/etcd/client.h"

struct identity {
	const char *key;
	struct etcd *owner;
	void (*known)(struct identity *i); /* uuid and revision are there */
	void (*failed)(struct identity *i, const char *why);
	struct grpc *connection;
	struct call call;
	char uuid[ETCD_UUID_MAX];
	int64_t revision;
};

/* 0 or -ENOMEM; then `known` or `failed` is called once, unless it is cancelled. */
int identity_ask(struct identity *i, struct grpc *g);
void identity_cancel(struct identity *i);

#endif
