/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of the desired state: read all, edit a copy, see what would become of it, write it.
 *
 * Design: what is written is the difference between the keys of both states, object by object: hosts first,
 * ports last, and what goes away in the other order. Each transaction has whole objects (but for one too
 * large for any), compares what it replaces and counts up the generation of the tenants it touches, so a
 * writer who was overtaken is told (-EAGAIN) and starts over.
 *
 * Thread-safety: none. Life cycle: edit_begin -> edit `after` -> edit_plan -> look at the steps, perhaps
 * edit_commit -> edit_end.
 */
#ifndef CONTROL_TENANCY_EDIT_H
#define CONTROL_TENANCY_EDIT_H

#include "control/tenancy/keys.h"

enum edit_action { EDIT_CREATE, EDIT_CHANGE, EDIT_DELETE };

struct edit_step { /* one object */
	enum edit_action action;
	struct object object;
	size_t first, n; /* of `ops` */
	bool done;
	int64_t rev; /* that wrote it */
};

struct edit_op {
	struct store_op op; /* borrowed from the lists */
	int64_t mod_rev;
	struct object owner;
	enum edit_action action;
};

struct edit {
	struct store *store;
	struct store_snapshot snapshot;
	struct tenancy before, after;
	struct key_list old_keys, new_keys;
	struct edit_op *ops;
	size_t n_ops;
	struct edit_step *steps;
	size_t n_steps;
	int64_t rev; /* of the last transaction */
};

/* 0 or -errno; edit_end() is always to be called. */
int edit_begin(struct edit *c, struct store *store, struct error *e);
void edit_end(struct edit *c);

/* Puts the objects of `wanted` into `after`: what says "auto" keeps what it has. Objects of the tenant
 * `prune` (NULL: none) that `wanted` lacks go. 0 or -ENOMEM. */
int edit_merge(struct edit *c, const struct tenancy *wanted, const char *prune);
/* Takes ownership of `o`. As edit_merge for one object. */
int edit_put(struct edit *c, void *o);

/* Resolves and checks `after` and fills `steps`. */
int edit_plan(struct edit *c, struct tenancy_error *e);
/* Writes the steps in order; after an error, `done` says which were written. -EAGAIN: somebody was faster. */
int edit_commit(struct edit *c, struct error *e);

const char *edit_action_name(enum edit_action action); /* "created" */

#endif
