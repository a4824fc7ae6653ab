/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the store that concerns one host, kept up to date.
 *
 * Design: starts from the host's bindings and follows what they mention: networks, their routers, the
 * networks of those, security groups and the groups of their rules. Each prefix is read once and watched from
 * the next revision on; when nothing mentions it any more it is dropped. A host's memory therefore grows with
 * its own networks only.
 *
 * Thread-safety: one thread. Life cycle: view_create -> view_refresh when store_fd() is readable ->
 * view_destroy.
 */
#ifndef CONTROL_AGENT_VIEW_H
#define CONTROL_AGENT_VIEW_H

#include "control/store/store.h"

struct view;

/* `store` outlives it. NULL: no memory. */
struct view *view_create(struct store *store, const char *host);
void view_destroy(struct view *v); /* NULL is legal */

/* Takes over what has changed. 1: something has, 0: nothing, or -errno: the store is away and the view stays
 * as it was. */
int view_refresh(struct view *v, struct error *e);

/* Every key, ascending, until `each` returns non-zero, which is returned. */
int view_each(const struct view *v, int (*each)(const char *key, const char *value, void *arg), void *arg);
/* The revision up to which the view has followed. */
int64_t view_rev(const struct view *v);

#endif
