/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the store that concerns one host, kept up to date.
 *
 * Design: starts from the host's bindings and follows what they mention: networks, their routers, the
 * networks of those, the hosts of their ports, security groups and the groups of their rules. Each prefix is
 * read once and watched from the next revision on; when nothing mentions it any more it is dropped. A host's
 * memory therefore grows with its own networks only, and a change costs what it touches: a key is parsed
 * once, and what it mentions is looked up once.
 *
 * Thread-safety: one thread. Life cycle: view_create -> view_refresh when store_fd() is readable ->
 * view_destroy.
 */
#ifndef CONTROL_AGENT_VIEW_H
#define CONTROL_AGENT_VIEW_H

#include "control/agent/view_key.h"
#include "control/store/store.h"

struct view;

/* `store` outlives it. NULL: no memory. */
struct view *view_create(struct store *store, const char *host);
void view_destroy(struct view *v); /* NULL is legal */

enum view_change {
	VIEW_SAME,
	VIEW_CHANGED,
	VIEW_CHANGES_SOON, /* nothing yet, but after VIEW_LATE_MS it has to be asked again */
};

enum { VIEW_LATE_MS = 1000 }; /* which hosts live is gathered that long: often many start at one time */

/* Takes over what has changed: enum view_change; or -errno: the store is away and the view holds what it had,
 * perhaps with some of the changes. Keys that view_each() told may be gone after any call. */
int view_refresh(struct view *v, struct error *e);

/* Reads all again: of one etcd, watches may be behind each other, so that a change is known and an older one
 * is not. `*rev`: all is as it was then, or later. As view_refresh(). */
int view_catch_up(struct view *v, int64_t *rev, struct error *e);

/* Was all there once? Until then nothing should be done because of what lacks. */
bool view_known(const struct view *v);

/* Every key, ascending, until `each` returns non-zero, which is returned. */
int view_each(const struct view *v, int (*each)(const struct view_key *k, void *arg), void *arg);
/* Those of one prefix that is followed as a whole; of another one there are none. */
int view_each_under(const struct view *v, const char *prefix,
                    int (*each)(const struct view_key *k, void *arg), void *arg);
/* The revision up to which the view has followed. */
int64_t view_rev(const struct view *v);

/* Another number whenever a key has changed, come or gone; the first one is 0. */
uint64_t view_version(const struct view *v);
/* Every prefix that is followed and under which one has since `version`, until `each` returns non-zero, which
 * is returned. "": perhaps anywhere, as something is not followed any more. */
int view_each_change(const struct view *v, uint64_t version, int (*each)(const char *prefix, void *arg),
                     void *arg);

/* ---- from one life to the next (checkpoint.h) ---- */

/* Of the store that it follows; "" while nothing was read. */
const char *view_uuid(const struct view *v);
/* Every prefix that is followed, and the revision to go on from. */
int view_each_part(const struct view *v, int (*each)(const char *prefix, int64_t from, void *arg), void *arg);
/* Into a fresh view: first the parts, then their keys, then what they were of. From there on it goes on
 * watching; if another store is there by then, all is read anew. 0 or -errno. */
int view_restore_part(struct view *v, const char *prefix, int64_t from, struct error *e);
int view_restore_key(struct view *v, const char *key, const char *value);
void view_restored(struct view *v, const char *uuid, int64_t rev);

#endif
