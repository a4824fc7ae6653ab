/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent knows, in a file: one that starts while the store is away goes on with it, one that starts
 * while the store is there reads only what has changed since.
 */
#ifndef CONTROL_AGENT_CHECKPOINT_H
#define CONTROL_AGENT_CHECKPOINT_H

#include "control/agent/view.h"

/* Writes the file anew, whole or not at all. 0 or -errno with `e`. */
int checkpoint_save(const struct view *v, const char *host, const char *path, struct error *e);
/* Into a fresh view. -ENOENT: there is no such file; other errors in `e`: it is not one of this host's. */
int checkpoint_load(struct view *v, const char *host, const char *path, struct error *e);

#endif
