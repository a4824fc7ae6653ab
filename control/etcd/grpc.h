/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC over one HTTP/2 connection, by nghttp2: calls are streams on which messages go both ways.
 *
 * Design: nothing waits. Who owns the connection polls grpc_fd() for grpc_wants() and calls grpc_progress(),
 * from which the streams' functions are called. A stream ends once: with the status that the server gave, or
 * with GRPC_UNAVAILABLE when the connection breaks.
 * Limits: a message has at most GRPC_MESSAGE_MAX bytes; a stream on hold is sent at most GRPC_WINDOW bytes
 * more.
 *
 * Thread-safety: one thread. Life cycle: grpc_connect -> grpc_progress gives 1 -> grpc_open ... ->
 * grpc_close, which ends all streams; never from within a stream's functions.
 */
#ifndef CONTROL_ETCD_GRPC_H
#define CONTROL_ETCD_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct grpc;
struct grpc_stream;
struct tls_context;

enum { GRPC_MESSAGE_MAX = 16 << 20, GRPC_WINDOW = 4 << 20 };

enum grpc_status { /* of grpc/doc/statuscodes.md; those that are asked for */
	           GRPC_OK = 0,
	           GRPC_UNKNOWN = 2,
	           GRPC_INVALID_ARGUMENT = 3,
	           GRPC_DEADLINE_EXCEEDED = 4,
	           GRPC_PERMISSION_DENIED = 7,
	           GRPC_RESOURCE_EXHAUSTED = 8,
	           GRPC_OUT_OF_RANGE = 11,
	           GRPC_UNAVAILABLE = 14,
	           GRPC_UNAUTHENTICATED = 16,
};

struct grpc_events {
	void (*message)(void *ctx, const uint8_t *bytes, size_t n);        /* valid during the call */
	void (*end)(void *ctx, enum grpc_status status, const char *text); /* the stream is gone */
};

/* As socket_connect(). */
int grpc_connect(const char *host, const char *port, unsigned turn, struct tls_context *tls,
                 struct grpc **out, struct error *e);
/* `why` is what the open streams are told. NULL is legal. */
void grpc_close(struct grpc *g, const char *why);

int grpc_fd(const struct grpc *g);
short grpc_wants(const struct grpc *g); /* POLLIN, POLLOUT or both */
/* Does what can be done now: 1 the connection is up, 0 not yet, -errno with `e`: it is broken. */
int grpc_progress(struct grpc *g, struct error *e);
/* Only sends what is queued: nothing is told. 0 or -errno with `e`. */
int grpc_flush(struct grpc *g, struct error *e);
/* When the last byte came; clock_now(). */
uint64_t grpc_heard(const struct grpc *g);
/* Asks the peer for a sign of life. */
void grpc_ping(struct grpc *g);

/* Starts a call of `path` ("/package.Service/Method"). NULL: no memory or no more streams. */
struct grpc_stream *grpc_open(struct grpc *g, const char *path, const struct grpc_events *events, void *ctx);
/* Queues a message; `last`: no more will come. 0 or -ENOMEM. */
int grpc_send(struct grpc_stream *s, const void *bytes, size_t n, bool last);
/* Gives the stream up: nothing of it is told any more, not even its end. */
void grpc_cancel(struct grpc_stream *s);
/* On hold the server may send no more than the window. */
void grpc_hold(struct grpc_stream *s, bool hold);

#endif
