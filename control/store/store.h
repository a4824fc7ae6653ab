/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the desired state lives: an ordered map of keys to texts, whose every change has a revision.
 *
 * What: the subset of etcd's contract that Weft needs. range() reads a state as it was at one revision, txn()
 * compares and changes at once or not at all, watch() tells every change from a revision on, in order and
 * once.
 *
 * Design: one struct of functions for each implementation: sqlite (a file, inside weft-agent), remote (the
 * same file through the agent's socket, for `weft`), etcd (a cluster, for both). tests/unit/store_test.c is
 * run against each. No hidden threads: who watches polls store_fd() and calls store_next() until it gives
 * nothing; that also keeps the connection to a cluster.
 *
 * Thread-safety: one thread per store. Life cycle: open -> calls -> store_close. After -ECOMM the store is
 * away: calls may be tried again.
 */
#ifndef CONTROL_STORE_STORE_H
#define CONTROL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
	STORE_KEY_MAX = 512,          /* bytes of a key, with its NUL */
	STORE_TXN_OPS_MAX = 128,      /* compares and operations each, as in etcd */
	STORE_TXN_SIZE_MAX = 1 << 20, /* bytes of keys and values in a transaction */
	STORE_PREFIXES_MAX = 64,      /* of one range() */
};

struct store_kv {
	char *key, *value;
	int64_t mod_rev; /* the revision that wrote the value */
};

struct store_snapshot {
	int64_t rev; /* all is as it was at this revision */
	struct store_kv *kvs;
	size_t n; /* ascending by key within each prefix, prefixes in the order asked */
};

struct store_compare {
	const char *key;
	int64_t mod_rev; /* 0: there is no such key */
};

struct store_op {
	const char *key;
	const char *value; /* NULL: the key goes (and may be absent) */
};

struct store_txn {
	const struct store_compare *compares;
	size_t n_compares;
	const struct store_op *ops; /* no key twice */
	size_t n_ops;
};

enum store_event_type {
	STORE_PUT,
	STORE_DELETE,
	STORE_PROGRESS,  /* the watch has told every change up to `rev` */
	STORE_COMPACTED, /* the watch is over: changes since its revision are forgotten. Read all again. */
	STORE_LOST, /* all watches are over: another store, or an older state of it, has taken its place */
};

/* Of a store that many hosts share; its value is store_uuid(). */
#define STORE_UUID_KEY "/weft/v1/store_uuid"

struct store_event {
	enum store_event_type type;
	uint64_t watch;
	int64_t rev;
	char key[STORE_KEY_MAX]; /* of a PUT or DELETE */
	char *value;             /* of a PUT; freed by the next store_next() */
};

struct store;
struct tls_files;

/* Every function: 0 or -errno with `e` filled. */

/* All keys that start with one of the prefixes. The caller frees the result. */
int store_range(struct store *s, const char *const *prefixes, size_t n, struct store_snapshot *out,
                struct error *e);
void store_snapshot_free(struct store_snapshot *snapshot);
/* Puts a copy of a key in front of number `at`. 0 or -ENOMEM. */
int store_snapshot_insert(struct store_snapshot *snapshot, size_t at, const char *key, const char *value,
                          int64_t mod_rev);

/* -EAGAIN: a compare failed, nothing was done; `e` names the key. `rev` (may be NULL): the new revision. */
int store_txn(struct store *s, const struct store_txn *txn, int64_t *rev, struct error *e);

/* Tells changes of keys under `prefix` with a revision of `from` or more. */
int store_watch(struct store *s, const char *prefix, int64_t from, uint64_t *watch, struct error *e);
void store_unwatch(struct store *s, uint64_t watch);
/* Readable when store_next() may have something. */
int store_fd(const struct store *s);
/* 1: an event; 0: nothing now. */
int store_next(struct store *s, struct store_event *out, struct error *e);

/* Waits until something under `prefix` has a revision above `after`, at most `timeout_ms`; -ETIMEDOUT. */
int store_wait(struct store *s, const char *prefix, int64_t after, int timeout_ms, struct error *e);

/* Keeps `key` = `value` there as long as this store is open and progresses (store_next()): `seconds` after
 * its end the key goes. Done in the background, again whenever it was lost; one key a store. -ENOTSUP: the
 * store belongs to one host, nobody else could miss it. */
int store_keep(struct store *s, const char *key, const char *value, unsigned seconds, struct error *e);

/* Forgets the history before `rev`. */
int store_compact(struct store *s, int64_t rev, struct error *e);
/* Can it be asked now? False: calls would wait for it, until their time is over. */
bool store_ready(const struct store *s);
/* A text that tells this store from every other: revisions of two stores cannot be compared. "" while a store
 * was never reached. */
const char *store_uuid(struct store *s);

void store_close(struct store *s); /* NULL is legal */

/* ---- implementations ---- */

/* "sqlite:FILE" or "etcd://HOST[:PORT],...". `tls` is for etcd: all three files, or none (all NULL or empty).
 */
int store_open(const char *place, const struct tls_files *tls, int timeout_ms, struct store **out,
               struct error *e);

/* The file at `path`, made when it is not there; ":memory:" for tests. One process at a time. */
int store_open_sqlite(const char *path, struct store **out, struct error *e);
/* Through the agent's socket; `timeout_ms` bounds each call. Cannot watch, only wait (-ENOTSUP). */
int store_open_remote(const char *socket, int timeout_ms, struct store **out, struct error *e);
/* "HOST:PORT,..." of an etcd cluster; `tls`: NULL for plain TCP; `timeout_ms` bounds each call. Needs no etcd
 * yet: it is connected to in the background. A call that etcd's loss cuts short fails with -ECOMM; a
 * transaction may then have been done. */
int store_open_etcd(const char *endpoints, const struct tls_files *tls, int timeout_ms, struct store **out,
                    struct error *e);

#endif
