/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenFlow controllers that the user has set: the methods controller.* and their section of the state
 * file, {"targets": [...], "fail_mode": "standalone"|"secure", "probe": seconds, "max_backoff": seconds,
 * "packet_in_rate": per second}.
 *
 * A bridge that gets its first controller loses its flows, and one that loses its last controller starts
 * again with NORMAL, as in Open vSwitch: flows of another owner are nobody's business.
 */
#ifndef CONTROL_SWITCHD_CONTROLLERS_H
#define CONTROL_SWITCHD_CONTROLLERS_H

#include <jansson.h>

#include "base/error.h"

struct switchd;

/* Connects to the controllers of the state file. 0 or -errno. */
int controllers_restore(struct switchd *s, struct error *e);

/* Methods for rpc.h, with a struct switchd as ctx. */
int controllers_rpc_set(void *ctx, json_t *params, json_t **result, struct error *e);
int controllers_rpc_del(void *ctx, json_t *params, json_t **result, struct error *e);
int controllers_rpc_show(void *ctx, json_t *params, json_t **result, struct error *e);

#endif
