/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of the desired state: read all, edit a copy, see what would become of it, write it.
 *
 * Design: what is written is the difference between the keys of both states, object by object: hosts first,
 * ports last, and what goes away in the other order. Each transaction compares what it replaces and counts up
 * the generation of the tenants it touches, so a writer who was overtaken is told (-EAGAIN) and starts over.
 *
 * Thread-safety: none. Life cycle: change_begin -> edit `after` -> change_plan -> look at the steps, perhaps
 * change_commit -> change_end.
 */
#ifndef CONTROL_TENANCY_CHANGE_H
#define CONTROL_TENANCY_CHANGE_H

#include "control/tenancy/keys.h"

enum change_action { CHANGE_CREATE, CHANGE_CHANGE, CHANGE_DELETE };

struct change_step { /* one object */
	enum change_action action;
	struct object object;
	size_t first, n; /* of `ops` */
	bool done;
	int64_t rev; /* that wrote it */
};

struct change_op {
	struct store_op op; /* borrowed from the lists */
	int64_t mod_rev;
	struct object owner;
	enum change_action action;
};

struct change {
	struct store *store;
	struct store_snapshot snapshot;
	struct tenancy before, after;
	struct key_list old_keys, new_keys;
	struct change_op *ops;
	size_t n_ops;
	struct change_step *steps;
	size_t n_steps;
	int64_t rev; /* of the last transaction */
};

/* 0 or -errno; change_end() is always to be called. */
int change_begin(struct change *c, struct store *store, struct error *e);
void change_end(struct change *c);

/* Puts the objects of `wanted` into `after`: what says "auto" keeps what it has. Objects of the tenant
 * `prune` (NULL: none) that `wanted` lacks go. 0 or -ENOMEM. */
int change_merge(struct change *c, const struct tenancy *wanted, const char *prune);
/* Takes ownership of `o`. As change_merge for one object. */
int change_put(struct change *c, void *o);

/* Resolves and checks `after` and fills `steps`. */
int change_plan(struct change *c, struct tenancy_error *e);
/* Writes the steps in order; after an error, `done` says which were written. -EAGAIN: somebody was faster. */
int change_commit(struct change *c, struct error *e);

const char *change_action_name(enum change_action action); /* "created" */

#endif
