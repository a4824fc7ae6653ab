/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store for others, through a JSON-RPC socket: the methods that store_open_remote() calls.
 *
 * Thread-safety: the loop's thread. Life cycle: store_serve -> the rpc server runs with its methods -> the
 * rpc server is closed -> store_serve_end.
 */
#ifndef CONTROL_STORE_SERVE_H
#define CONTROL_STORE_SERVE_H

#include <uv.h>

#include "control/rpc/server.h"
#include "control/store/store.h"

struct store_service;

/* `store` outlives it. NULL: no memory. */
struct store_service *store_serve(uv_loop_t *loop, struct store *store);
void store_serve_end(struct store_service *service);
/* To be called when the store may have changed by another way than these methods. */
void store_serve_changed(struct store_service *service);

/* The service's methods, ended by a NULL name; their context is the service. */
extern const struct rpc_method store_methods[];

#endif
