/* SPDX-License-Identifier: Apache-2.0 */
/* The store in a SQLite file; see store.h. Table kv is the state, table log its history: what watches read.
 * Opened by weft-agent. */
#include <errno.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/hash.h"
#include "control/store/store_ops.h"

enum statement {
	S_BEGIN,
	S_COMMIT,
	S_ROLLBACK,
	S_META,
	S_SET_META,
	S_RANGE,
	S_MOD_REV,
	S_PUT,
	S_DELETE,
	S_LOG,
	S_NEXT,
	S_FORGET,
	STATEMENTS,
};

static const char *const statements[STATEMENTS] = {
        [S_BEGIN] = "BEGIN IMMEDIATE",
        [S_COMMIT] = "COMMIT",
        [S_ROLLBACK] = "ROLLBACK",
        [S_META] = "SELECT v FROM meta WHERE k = ?1",
        [S_SET_META] = "INSERT OR REPLACE INTO meta VALUES(?1, ?2)",
        [S_RANGE] = "SELECT k, v, mod_rev FROM kv WHERE k >= ?1 AND k < ?2 ORDER BY k",
        [S_MOD_REV] = "SELECT mod_rev FROM kv WHERE k = ?1",
        [S_PUT] = "INSERT INTO kv VALUES(?1, ?2, ?3, ?3) ON CONFLICT(k) DO UPDATE SET v = ?2, mod_rev = ?3",
        [S_DELETE] = "DELETE FROM kv WHERE k = ?1",
        [S_LOG] = "INSERT INTO log VALUES(?3, ?1, ?2)",
        [S_NEXT] = ("SELECT rev, k, v FROM log WHERE (rev, k) > (?3, ?4) AND k >= ?1 AND k < ?2"
                    " ORDER BY rev, k LIMIT 1"),
        [S_FORGET] = "DELETE FROM log WHERE rev < ?1",
};

static const char schema[] =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE;"
        "CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v);"
        "CREATE TABLE IF NOT EXISTS kv(k TEXT PRIMARY KEY, v TEXT NOT NULL,"
        " create_rev INTEGER NOT NULL, mod_rev INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS log(rev INTEGER, k TEXT, v TEXT, PRIMARY KEY(rev, k))"
        " WITHOUT ROWID;";

struct watch {
	struct watch *next;
	uint64_t id;
	char prefix[STORE_KEY_MAX], end[STORE_KEY_MAX];
	int64_t rev; /* (rev, key): all changes up to here were told */
	char key[STORE_KEY_MAX];
	bool idle; /* nothing new since the last look */
};

struct sqlite_store {
	struct store store;
	sqlite3 *db;
	sqlite3_stmt *prepared[STATEMENTS];
	int64_t rev, compacted;
	int fd; /* eventfd: readable while a watch is not idle */
	struct watch *watches;
	uint64_t last_watch;
	char *value; /* of the last event */
	char uuid[40];
};

static struct sqlite_store *of(struct store *s)
{
	return (struct sqlite_store *)s;
}

/* ---- statements ---- */

static int broken(struct sqlite_store *s, struct error *e)
{
	return error_set(e, EIO, "the store's file: %s", sqlite3_errmsg(s->db));
}

static sqlite3_stmt *start(struct sqlite_store *s, enum statement which)
{
	sqlite3_reset(s->prepared[which]);
	sqlite3_clear_bindings(s->prepared[which]);
	return s->prepared[which];
}

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	if (text)
		sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

/* 1: a row, 0: no more. */
static int step(struct sqlite_store *s, sqlite3_stmt *st, struct error *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE) {
		sqlite3_reset(st);
		return 0;
	}
	return broken(s, e);
}

/* Runs a statement that gives no rows: ?1 is `k`, ?2 `v` (NULL: SQL's NULL), ?3 `n`, as far as it has them.
 */
static int run(struct sqlite_store *s, enum statement which, const char *k, const char *v, int64_t n,
               struct error *e)
{
	sqlite3_stmt *st = start(s, which);
	int parameters = sqlite3_bind_parameter_count(st);

	if (parameters >= 1)
		bind_text(st, 1, k);
	if (parameters >= 2)
		bind_text(st, 2, v);
	if (parameters >= 3)
		sqlite3_bind_int64(st, 3, n);
	return step(s, st, e);
}

static int set_number(struct sqlite_store *s, const char *key, int64_t n, struct error *e)
{
	sqlite3_stmt *st = start(s, S_SET_META);

	bind_text(st, 1, key);
	sqlite3_bind_int64(st, 2, n);
	return step(s, st, e);
}

/* ---- reading ---- */

static int sqlite_range(struct store *store, const char *const *prefixes, size_t n,
                        struct store_snapshot *out, struct error *e)
{
	struct sqlite_store *s = of(store);
	char end[STORE_KEY_MAX];

	out->rev = s->rev;
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = start(s, S_RANGE);
		int rc;

		store_prefix_end(prefixes[i], end);
		bind_text(st, 1, prefixes[i]);
		bind_text(st, 2, end);
		while ((rc = step(s, st, e)) == 1) {
			if (store_snapshot_add(out, (const char *)sqlite3_column_text(st, 0),
			                       (const char *)sqlite3_column_text(st, 1),
			                       sqlite3_column_int64(st, 2)))
				return error_set(e, ENOMEM, "out of memory");
		}
		if (rc)
			return rc;
	}
	return 0;
}

static const char *sqlite_uuid(struct store *store)
{
	return of(store)->uuid;
}

/* ---- changing ---- */

static void wake(struct sqlite_store *s)
{
	uint64_t one = 1;

	for (struct watch *w = s->watches; w; w = w->next)
		w->idle = false;
	if (s->watches && write(s->fd, &one, sizeof(one)) < 0)
		return; /* full: it is readable already */
}

static int compare(struct sqlite_store *s, const struct store_compare *c, struct error *e)
{
	sqlite3_stmt *st = start(s, S_MOD_REV);
	int64_t has = 0;
	int rc;

	bind_text(st, 1, c->key);
	rc = step(s, st, e);
	if (rc < 0)
		return rc;
	if (rc)
		has = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return has == c->mod_rev ? 0 : error_set(e, EAGAIN, "%.200s: was changed meanwhile", c->key);
}

/* A delete of what is not there is no change. */
static int apply(struct sqlite_store *s, const struct store_op *op, int64_t rev, unsigned *changes,
                 struct error *e)
{
	int rc = run(s, op->value ? S_PUT : S_DELETE, op->key, op->value, rev, e);

	if (rc || !sqlite3_changes(s->db))
		return rc;
	(*changes)++;
	return run(s, S_LOG, op->key, op->value, rev, e);
}

static int sqlite_txn(struct store *store, const struct store_txn *txn, int64_t *rev, struct error *e)
{
	struct sqlite_store *s = of(store);
	unsigned changes = 0;
	int rc = run(s, S_BEGIN, NULL, NULL, 0, e);

	if (rc)
		return rc;
	for (size_t i = 0; i < txn->n_compares && !rc; i++)
		rc = compare(s, &txn->compares[i], e);
	for (size_t i = 0; i < txn->n_ops && !rc; i++)
		rc = apply(s, &txn->ops[i], s->rev + 1, &changes, e);
	if (!rc && changes)
		rc = set_number(s, "rev", s->rev + 1, e);
	if (!rc)
		rc = run(s, S_COMMIT, NULL, NULL, 0, e);
	if (rc) {
		run(s, S_ROLLBACK, NULL, NULL, 0, NULL);
		return rc;
	}
	s->rev += changes > 0;
	*rev = s->rev;
	if (changes)
		wake(s);
	return 0;
}

static int sqlite_compact(struct store *store, int64_t rev, struct error *e)
{
	struct sqlite_store *s = of(store);
	sqlite3_stmt *st = start(s, S_FORGET);
	int rc;

	if (rev > s->rev)
		return error_set(e, EINVAL, "the store is at revision %lld only", (long long)s->rev);
	if (rev <= s->compacted)
		return 0;
	rc = set_number(s, "compacted", rev, e);
	if (rc)
		return rc;
	s->compacted = rev;
	sqlite3_bind_int64(st, 1, rev);
	rc = step(s, st, e);
	wake(s);
	return rc;
}

/* ---- watching ---- */

static int sqlite_watch(struct store *store, const char *prefix, int64_t from, uint64_t *watch,
                        struct error *e)
{
	struct sqlite_store *s = of(store);
	struct watch *w = calloc(1, sizeof(*w)), **at = &s->watches;

	if (!w)
		return error_set(e, ENOMEM, "out of memory");
	w->id = ++s->last_watch;
	snprintf(w->prefix, sizeof(w->prefix), "%s", prefix);
	store_prefix_end(prefix, w->end);
	w->rev = from;
	while (*at)
		at = &(*at)->next;
	*at = w;
	*watch = w->id;
	wake(s);
	return 0;
}

static void sqlite_unwatch(struct store *store, uint64_t watch)
{
	struct watch **at = &of(store)->watches, *w;

	while (*at && (*at)->id != watch)
		at = &(*at)->next;
	w = *at;
	if (w) {
		*at = w->next;
		free(w);
	}
}

static int sqlite_fd(const struct store *store)
{
	return ((const struct sqlite_store *)store)->fd;
}

/* The change after the last one told to `w`: 1, 0 or -errno. */
static int look(struct sqlite_store *s, struct watch *w, struct store_event *out, struct error *e)
{
	sqlite3_stmt *st = start(s, S_NEXT);
	int rc;

	bind_text(st, 1, w->prefix);
	bind_text(st, 2, w->end);
	sqlite3_bind_int64(st, 3, w->rev);
	bind_text(st, 4, w->key);
	rc = step(s, st, e);
	if (rc != 1)
		return rc;
	out->rev = w->rev = sqlite3_column_int64(st, 0);
	snprintf(w->key, sizeof(w->key), "%s", (const char *)sqlite3_column_text(st, 1));
	memcpy(out->key, w->key, sizeof(out->key));
	out->type = sqlite3_column_type(st, 2) == SQLITE_NULL ? STORE_DELETE : STORE_PUT;
	if (out->type == STORE_PUT) {
		out->value = s->value = strdup((const char *)sqlite3_column_text(st, 2));
		rc = s->value ? 1 : error_set(e, ENOMEM, "out of memory");
	}
	sqlite3_reset(st);
	return rc;
}

static int sqlite_next(struct store *store, struct store_event *out, struct error *e)
{
	struct sqlite_store *s = of(store);
	uint64_t count;

	free(s->value);
	s->value = out->value = NULL;
	for (struct watch *w = s->watches; w; w = w->next) {
		int rc;

		if (w->idle)
			continue;
		out->watch = w->id;
		if (w->rev < s->compacted) {
			out->type = STORE_COMPACTED;
			out->rev = s->compacted;
			sqlite_unwatch(store, w->id);
			return 1;
		}
		rc = look(s, w, out, e);
		if (rc)
			return rc;
		w->rev = s->rev + 1; /* where the next look starts */
		*w->key = '\0';
		w->idle = true;
	}
	if (read(s->fd, &count, sizeof(count)) < 0)
		return 0; /* was not readable */
	return 0;
}

/* Within one process nothing can change while we wait: either it has, or it will not. */
static int sqlite_wait(struct store *store, const char *prefix, int64_t after, int timeout_ms,
                       struct error *e)
{
	struct sqlite_store *s = of(store);
	sqlite3_stmt *st = start(s, S_NEXT);
	char end[STORE_KEY_MAX];
	int rc;

	store_prefix_end(prefix, end);
	bind_text(st, 1, prefix);
	bind_text(st, 2, end);
	sqlite3_bind_int64(st, 3, after + 1);
	bind_text(st, 4, "");
	rc = step(s, st, e);
	sqlite3_reset(st);
	if (rc < 0)
		return rc;
	return rc || after < s->compacted - 1 ? 0 : error_set(e, ETIMEDOUT, "nothing has changed");
}

/* ---- opening ---- */

static void sqlite_close(struct store *store)
{
	struct sqlite_store *s = of(store);

	while (s->watches)
		sqlite_unwatch(store, s->watches->id);
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->prepared[i]);
	sqlite3_close(s->db);
	if (s->fd >= 0)
		close(s->fd);
	free(s->value);
	free(s);
}

static const struct store_ops ops = {
        .range = sqlite_range,
        .txn = sqlite_txn,
        .watch = sqlite_watch,
        .unwatch = sqlite_unwatch,
        .fd = sqlite_fd,
        .next = sqlite_next,
        .wait = sqlite_wait,
        .compact = sqlite_compact,
        .uuid = sqlite_uuid,
        .close = sqlite_close,
};

static int read_meta(struct sqlite_store *s, const char *key, int64_t *n, char *text, size_t size,
                     struct error *e)
{
	sqlite3_stmt *st = start(s, S_META);
	int rc;

	bind_text(st, 1, key);
	rc = step(s, st, e);
	if (rc == 1 && n)
		*n = sqlite3_column_int64(st, 0);
	if (rc == 1 && text)
		snprintf(text, size, "%s", (const char *)sqlite3_column_text(st, 0));
	sqlite3_reset(st);
	return rc;
}

/* Revisions start at 1, as etcd's do: 0 means "never". */
static int load_meta(struct sqlite_store *s, struct error *e)
{
	int rc;

	s->rev = 1;
	rc = read_meta(s, "rev", &s->rev, NULL, 0, e);
	if (rc >= 0)
		rc = read_meta(s, "compacted", &s->compacted, NULL, 0, e);
	if (rc >= 0)
		rc = read_meta(s, "uuid", NULL, s->uuid, sizeof(s->uuid), e);
	if (rc)
		return rc < 0 ? rc : 0;
	snprintf(s->uuid, sizeof(s->uuid), "%016llx%016llx", (unsigned long long)hash_random_seed(),
	         (unsigned long long)hash_random_seed());
	return run(s, S_SET_META, "uuid", s->uuid, 0, e);
}

int store_open_sqlite(const char *path, struct store **out, struct error *e)
{
	struct sqlite_store *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	s->store.ops = &ops;
	s->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->fd < 0)
		rc = error_set(e, errno, "eventfd: %s", strerror(errno));
	else if (sqlite3_open(path, &s->db) || sqlite3_exec(s->db, schema, NULL, NULL, NULL))
		rc = error_set(e, EIO, "%s: %s", path, sqlite3_errmsg(s->db));
	for (int i = 0; i < STATEMENTS && !rc; i++)
		if (sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &s->prepared[i],
		                       NULL))
			rc = broken(s, e);
	if (!rc)
		rc = load_meta(s, e);
	if (rc) {
		sqlite_close(&s->store);
		return rc;
	}
	*out = &s->store;
	return 0;
}
