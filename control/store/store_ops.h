/* SPDX-License-Identifier: Apache-2.0 */
/* What an implementation of store.h provides. Its own struct starts with a struct store. Arguments were
 * checked by store.c. */
#ifndef CONTROL_STORE_STORE_OPS_H
#define CONTROL_STORE_STORE_OPS_H

#include "control/store/store.h"

struct store_ops {
	int (*range)(
	        struct store *s, const char *const *prefixes, size_t n, struct store_snapshot *out,
	        struct error *e); /* `out` is empty; what is in it after an error is freed by the caller */
	int (*txn)(struct store *s, const struct store_txn *txn, int64_t *rev, struct error *e);
	int (*watch)(struct store *s, const char *prefix, int64_t from, uint64_t *watch, struct error *e);
	void (*unwatch)(struct store *s, uint64_t watch);
	int (*fd)(const struct store *s);
	int (*next)(struct store *s, struct store_event *out, struct error *e);
	int (*wait)(struct store *s, const char *prefix, int64_t after, int timeout_ms, struct error *e);
	int (*keep)(struct store *s, const char *key, const char *value, unsigned seconds,
	            struct error *e); /* NULL: -ENOTSUP */
	int (*compact)(struct store *s, int64_t rev, struct error *e);
	bool (*ready)(const struct store *s); /* NULL: always */
	const char *(*uuid)(struct store *s);
	void (*close)(struct store *s);
};

struct store {
	const struct store_ops *ops;
};

/* Appends copies; 0 or -ENOMEM. */
int store_snapshot_add(struct store_snapshot *snapshot, const char *key, const char *value, int64_t mod_rev);
/* The first text after all that start with `prefix` (bytes are below 0xff in UTF-8). */
void store_prefix_end(const char *prefix, char end[STORE_KEY_MAX]);

#endif
