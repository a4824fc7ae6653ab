/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blocking JSON-RPC 2.0 client for commands and the agent: a request and its answer are one line each.
 *
 * Thread-safety: one thread per client. Every wait is bounded by the timeout given at connect.
 * Life cycle: connect -> calls -> close. After -ECOMM the connection is unusable.
 */
#ifndef CONTROL_RPC_CLIENT_H
#define CONTROL_RPC_CLIENT_H

#include <jansson.h>

struct error;
struct rpc_client;

enum { RPC_ANSWER_MAX = 128 << 20 }; /* a longer answer (bytes) is refused */

/* `path`: a unix socket. `timeout_ms`: bound of each wait. 0 or -errno with `e` filled. */
int rpc_client_connect(struct rpc_client **out, const char *path, int timeout_ms, struct error *e);
void rpc_client_close(struct rpc_client *client); /* NULL is legal */

/* Calls `method`; `params` (an object or NULL) is borrowed. 0 with `*result` owned by the caller.
 * What the switch refused keeps its text: -EINVAL (the request, or a field of it), -ENOENT (no such thing),
 * -EEXIST (a conflict with what is there), -EREMOTEIO (it tried and failed). -ECOMM: the connection broke,
 * timed out, or what came was no answer. */
int rpc_client_call(struct rpc_client *client, const char *method, json_t *params, json_t **result,
                    struct error *e);

#endif
