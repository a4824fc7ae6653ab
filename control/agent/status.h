/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host tells of its ports: whether the guest is there (`weft show`, `weft wait --up`). Only what
 * differs from what was told is written.
 *
 * Thread-safety: one thread. Life cycle: status_create -> status_tell whenever something may have changed ->
 * status_destroy.
 */
#ifndef CONTROL_AGENT_STATUS_H
#define CONTROL_AGENT_STATUS_H

#include <jansson.h>

#include "control/agent/scene.h"

struct status;

/* `store` outlives it. NULL: no memory. */
struct status *status_create(struct store *store, const char *host);
void status_destroy(struct status *st); /* NULL is legal */

/* `interfaces`: those of the switch, as if.list gives them. 0 or -errno: to be told again. */
int status_tell(struct status *st, const struct scene *s, const json_t *interfaces, struct error *e);

#endif
