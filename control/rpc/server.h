/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON-RPC 2.0 socket (weftd.sock, agent.sock): one request object per line, one reply per line.
 *
 * Design: each method is a row {name, function}. A function gets the params object and fills a result, or an
 * error with one of the codes below and a text that names the field. Requests are bounded (RPC_LINE_MAX),
 * clients too (RPC_CLIENTS_MAX); a client that does not read its replies is disconnected at RPC_QUEUE_MAX
 * bytes.
 *
 * Thread-safety: the loop's thread only. Life cycle: rpc_listen -> requests are served by the loop ->
 * rpc_close, then run the loop until its handles are closed.
 */
#ifndef CONTROL_RPC_SERVER_H
#define CONTROL_RPC_SERVER_H

#include <jansson.h>
#include <uv.h>

#include "base/error.h"
#include "control/rpc/codes.h"

enum { RPC_LINE_MAX = 1 << 20, RPC_CLIENTS_MAX = 64, RPC_QUEUE_MAX = 64 << 20 };

/* A request that is answered later. */
struct rpc_request {
	struct rpc_request *next; /* for whoever keeps it until the answer */
	struct rpc_request *next_of_client;
	struct client *client; /* NULL: it has gone */
	json_t *id;
};

/* One of `call` and `begin` is set. */
struct rpc_method {
	const char *name;
	/* 0 and a new reference in *result (never NULL), or -errno and the text in `e`: -EINVAL becomes
	 * RPC_INVALID_PARAMS, -ENOENT RPC_NOT_FOUND, -EEXIST and -EBUSY RPC_CONFLICT, others RPC_FAILED.
	 * `params` is an object, perhaps empty. */
	int (*call)(void *ctx, json_t *params, json_t **result, struct error *e);
	/* What takes its time: 0 means that rpc_answer(q, ...) comes, once, now or later. Else as above. */
	int (*begin)(void *ctx, json_t *params, struct rpc_request *q, struct error *e);
};

/* Ends a request that begin() took: sends `result` (the reference is taken) if the client is still there. */
void rpc_answer(struct rpc_request *q, json_t *result);

struct rpc_server;

/* Listens on the unix socket `path` (mode 0660; a stale one is replaced). `methods` ends with a NULL name. 0
 * or -errno. */
int rpc_listen(uv_loop_t *loop, const char *path, const struct rpc_method *methods, void *ctx,
               struct rpc_server **out, struct error *e);
/* Closes all clients and unlinks the socket. */
void rpc_close(struct rpc_server *s);

#endif
