/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to etcd and its answer, as protobuf messages.
 *
 * Thread-safety: one thread. Life cycle: call_start -> `done` (from grpc_progress) or call_cancel, which may
 * both come at any time -> call_free for the answer. The struct stays in place meanwhile.
 */
#ifndef CONTROL_ETCD_CALL_H
#define CONTROL_ETCD_CALL_H

#include <protobuf-c/protobuf-c.h>

#include "control/etcd/grpc.h"

struct call {
	void (*done)(struct call *c); /* NULL: nobody waits */
	void *arg;
	struct grpc_stream *stream;             /* NULL: over */
	const ProtobufCMessageDescriptor *kind; /* of the answer */
	ProtobufCMessage *answer;               /* when `status` is GRPC_OK */
	enum grpc_status status;
	char text[200]; /* of the status */
};

/* `done`, `arg` and `kind` are set already. 0 or -ENOMEM. */
int call_start(struct call *c, struct grpc *g, const char *path, const ProtobufCMessage *request);
void call_cancel(struct call *c); /* of one that is over: nothing */
void call_free(struct call *c);   /* the answer */

/* Packs and queues a message. 0 or -ENOMEM. */
int message_send(struct grpc_stream *s, const ProtobufCMessage *message, bool last);

#endif
