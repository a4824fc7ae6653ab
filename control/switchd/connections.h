/* SPDX-License-Identifier: Apache-2.0 */
/* The methods ct.*: what the connection tracker knows. For rpc.h, with a struct switchd as ctx. */
#ifndef CONTROL_SWITCHD_CONNECTIONS_H
#define CONTROL_SWITCHD_CONNECTIONS_H

#include <jansson.h>

#include "base/error.h"

int connections_rpc_list(void *ctx, json_t *params, json_t **result, struct error *e);
int connections_rpc_flush(void *ctx, json_t *params, json_t **result, struct error *e);
int connections_rpc_stats(void *ctx, json_t *params, json_t **result, struct error *e);

#endif
