/* SPDX-License-Identifier: Apache-2.0 */
/* Following the store; see view.h. Called by agent.c. */
#include "control/agent/view.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/view_late.h"
#include "control/tenancy/keys.h"

struct view_part { /* a prefix that is watched; without a '/' at its end it is a key alone */
	char *prefix;
	uint64_t watch;          /* 0: has to be read */
	int64_t from;            /* a watch from here on misses nothing, but may repeat a revision */
	int64_t read;            /* it was read as it was then: what a watch tells of before is old */
	void *keys;              /* <search.h>, of struct view_key */
	struct view_part *next;  /* of all parts */
	struct view_part *queue; /* of those that are to be looked through */
	unsigned users;          /* keys that want it */
	bool wanted;
};

struct view {
	struct store *store;
	char host[OBJECT_NAME_MAX + 1];
	void *tree; /* of struct view_part, by prefix */
	struct view_part *parts;
	bool open;     /* something may be wanted that is not there, or there and not wanted */
	bool known;    /* it was not once */
	char uuid[64]; /* of the store that all this is from; "" while nothing is */
	int64_t rev;
	uint64_t versions;
	unsigned loads;
	struct view_late late;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct view_key *)a)->key, ((const struct view_key *)b)->key);
}

static int by_prefix(const void *a, const void *b)
{
	return strcmp(((const struct view_part *)a)->prefix, ((const struct view_part *)b)->prefix);
}

/* ---- parts ---- */

static struct view_part *part_find(const struct view *v, const char *prefix)
{
	struct view_part probe = {.prefix = (char *)prefix}, **node = tfind(&probe, &v->tree, by_prefix);

	return node ? *node : NULL;
}

/* The part that a key belongs to: the key itself, or two steps below the root. */
static struct view_part *part_of(const struct view *v, const char *key)
{
	char prefix[STORE_KEY_MAX];
	const char *end = strncmp(key, KEYS_ROOT, strlen(KEYS_ROOT)) ? NULL : key + strlen(KEYS_ROOT);

	for (int i = 0; i < 2 && end; i++) {
		end = strchr(end, '/');
		end += end ? 1 : 0;
	}
	if (!end)
		return part_find(v, key);
	memcpy(prefix, key, (size_t)(end - key));
	prefix[end - key] = '\0';
	return part_find(v, prefix);
}

static struct view_part *part_get(struct view *v, const char *prefix)
{
	struct view_part *p = part_find(v, prefix);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (p)
		p->prefix = strdup(prefix);
	if (!p || !p->prefix || !tsearch(p, &v->tree, by_prefix)) {
		free(p ? p->prefix : NULL);
		free(p);
		return NULL;
	}
	p->next = v->parts;
	v->parts = p;
	return p;
}

static void part_free(struct view *v, struct view_part *p)
{
	if (p->watch)
		store_unwatch(v->store, p->watch);
	tdelete(p, &v->tree, by_prefix);
	tdestroy(p->keys, view_key_free);
	free(p->prefix);
	free(p);
}

/* ---- keys ---- */

struct following {
	struct view *v;
	struct view_key *k;
};

static int add_want(const char *prefix, void *arg)
{
	struct following *f = arg;
	struct view_part *p = part_get(f->v, prefix),
	                 **wants = realloc(f->k->wants, (f->k->n_wants + 1) * sizeof(*wants));

	if (wants)
		f->k->wants = wants;
	if (!p || !wants)
		return -ENOMEM;
	wants[f->k->n_wants++] = p;
	return 0;
}

static bool same_wants(const struct view_key *a, const struct view_key *b)
{
	return a->n_wants == b->n_wants &&
	       (!a->n_wants || !memcmp(a->wants, b->wants, a->n_wants * sizeof(*a->wants)));
}

/* What it wants has to be there. */
static void use_wants(struct view *v, const struct view_key *k)
{
	for (unsigned i = 0; i < k->n_wants; i++) {
		k->wants[i]->users++;
		v->open |= !k->wants[i]->watch;
	}
}

static int forget_wants(const struct view_key *k, void *arg)
{
	for (unsigned i = 0; i < k->n_wants; i++)
		k->wants[i]->users--;
	return 0;
}

/* A key alone, which wants nothing itself, stays as long as another one wants it; of a prefix only the whole
 * tells, as networks and routers want each other. */
static void leave_wants(struct view *v, const struct view_key *k)
{
	forget_wants(k, NULL);
	for (unsigned i = 0; i < k->n_wants; i++)
		v->open |= !k->wants[i]->users || k->wants[i]->prefix[strlen(k->wants[i]->prefix) - 1] == '/';
}

static int put(struct view *v, struct view_part *p, const char *key, const char *value)
{
	struct view_key probe = {.key = (char *)key}, *k, **node = tfind(&probe, &p->keys, by_key);
	struct following f = {v, NULL};

	if (node && !strcmp((*node)->value, value)) {
		(*node)->load = v->loads;
		return 0;
	}
	f.k = k = view_key_create(key, value);
	if (!k || view_key_wants(k, v->host, add_want, &f))
		node = NULL;
	else if (!node)
		node = tsearch(k, &p->keys, by_key);
	if (!node) {
		view_key_free(k);
		return -ENOMEM;
	}
	if (*node == k) {
		use_wants(v, k);
	} else {
		if (!same_wants(*node, k)) {
			use_wants(v, k);
			leave_wants(v, *node);
		}
		view_key_free(*node);
		*node = k;
	}
	k->version = ++v->versions;
	k->load = v->loads;
	return 0;
}

static void del(struct view *v, struct view_part *p, const char *key)
{
	struct view_key probe = {.key = (char *)key}, **node = tfind(&probe, &p->keys, by_key), *k;

	if (!node)
		return;
	k = *node;
	v->versions++;
	leave_wants(v, k);
	tdelete(k, &p->keys, by_key);
	view_key_free(k);
}

/* ---- walking ---- */

struct walk {
	int (*each)(const struct view_key *k, void *arg);
	void *arg;
	int rc;
};

static void step(const void *node, VISIT visit, void *arg)
{
	struct walk *w = arg;

	if ((visit == postorder || visit == leaf) && !w->rc)
		w->rc = w->each(*(const struct view_key *const *)node, w->arg);
}

static int each_of(const struct view_part *p, int (*each)(const struct view_key *k, void *arg), void *arg)
{
	struct walk w = {each, arg, 0};

	twalk_r(p->keys, step, &w);
	return w.rc;
}

static void step_part(const void *node, VISIT visit, void *arg)
{
	struct walk *w = arg;

	if ((visit == postorder || visit == leaf) && !w->rc)
		w->rc = each_of(*(const struct view_part *const *)node, w->each, w->arg);
}

int view_each(const struct view *v, int (*each)(const struct view_key *k, void *arg), void *arg)
{
	struct walk w = {each, arg, 0};

	twalk_r(v->tree, step_part, &w);
	return w.rc;
}

int64_t view_rev(const struct view *v)
{
	return v->rev;
}

/* ---- reading ---- */

struct leftovers {
	unsigned load;
	const char **keys;
	size_t n;
};

static int collect(const struct view_key *k, void *arg)
{
	struct leftovers *l = arg;
	const char **keys = k->load == l->load ? NULL : realloc(l->keys, (l->n + 1) * sizeof(*keys));

	if (k->load == l->load)
		return 0;
	if (!keys)
		return -ENOMEM;
	l->keys = keys;
	l->keys[l->n++] = k->key;
	return 0;
}

/* Drops what a part had before it was read again and has no more. */
static int drop_leftovers(struct view *v, struct view_part *p)
{
	struct leftovers l = {.load = v->loads};
	int rc = each_of(p, collect, &l);

	for (size_t i = 0; i < l.n; i++)
		del(v, p, l.keys[i]);
	free(l.keys);
	return rc;
}

static int take_snapshot(struct view *v, const struct store_snapshot *snap, struct view_part **parts,
                         size_t n)
{
	int rc = 0;

	v->loads++;
	for (size_t i = 0; i < snap->n && !rc; i++) {
		struct view_part *p = part_of(v, snap->kvs[i].key); /* NULL: "h10" beside "h1" */

		if (p)
			rc = put(v, p, snap->kvs[i].key, snap->kvs[i].value);
	}
	for (size_t i = 0; i < n && !rc; i++)
		rc = drop_leftovers(v, parts[i]);
	return rc;
}

static int watch(struct view *v, struct view_part *p, int64_t from, struct error *e)
{
	p->from = from;
	return store_watch(v->store, p->prefix, from, &p->watch, e);
}

/* Reads parts as they are at one revision. */
static int read_parts(struct view *v, struct view_part **parts, size_t n, int64_t *rev, struct error *e)
{
	const char *prefixes[STORE_PREFIXES_MAX];
	struct store_snapshot snap;
	int rc;

	if (!store_ready(v->store)) /* it tells when it is, there is no need to wait */
		return error_set(e, ECOMM, "it is away");
	for (size_t i = 0; i < n; i++)
		prefixes[i] = parts[i]->prefix;
	rc = store_range(v->store, prefixes, n, &snap, e);
	if (rc)
		return rc;
	if (take_snapshot(v, &snap, parts, n))
		rc = error_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < n && !rc; i++)
		parts[i]->read = snap.rev;
	*rev = snap.rev;
	store_snapshot_free(&snap);
	return rc;
}

/* And watches them from the next one on. */
static int load(struct view *v, struct view_part **parts, size_t n, struct error *e)
{
	int64_t rev = 0;
	int rc = read_parts(v, parts, n, &rev, e);

	for (size_t i = 0; i < n && !rc; i++)
		rc = watch(v, parts[i], rev + 1, e);
	if (rev > v->rev)
		v->rev = rev;
	if (rev)
		snprintf(v->uuid, sizeof(v->uuid), "%s", store_uuid(v->store));
	return rc;
}

static int load_queue(struct view *v, struct view_part *queue, bool *changed, struct error *e)
{
	struct view_part *parts[STORE_PREFIXES_MAX];
	size_t n = 0;
	int rc = 0;

	for (struct view_part *p = queue; p && !rc; p = p->queue) {
		if (!p->watch)
			parts[n++] = p;
		if (n && (n == STORE_PREFIXES_MAX || !p->queue)) {
			rc = load(v, parts, n, e);
			*changed = true;
			n = 0;
		}
	}
	return rc;
}

/* ---- what is wanted ---- */

static void enqueue(struct view_part *p, struct view_part **queue)
{
	if (p->wanted)
		return;
	p->wanted = true;
	p->queue = *queue;
	*queue = p;
}

static int enqueue_wants(const struct view_key *k, void *arg)
{
	for (unsigned i = 0; i < k->n_wants; i++)
		enqueue(k->wants[i], arg);
	return 0;
}

static int enqueue_roots(struct view *v, struct view_part **queue)
{
	static const char *const roots[] = {KEYS_ROOT "h/%s/", KEYS_ROOT "host/%s", KEYS_ROOT "live/%s"};

	for (int i = 0; i < 3; i++) {
		char prefix[STORE_KEY_MAX];
		struct view_part *p;

		snprintf(prefix, sizeof(prefix), roots[i], v->host);
		p = part_get(v, prefix);
		if (!p)
			return -ENOMEM;
		enqueue(p, queue);
	}
	return 0;
}

static void drop_unwanted(struct view *v, bool *changed)
{
	for (const struct view_part *p = v->parts; p; p = p->next)
		if (!p->wanted)
			each_of(p, forget_wants, NULL);
	for (struct view_part **at = &v->parts; *at;) {
		struct view_part *p = *at;

		if (p->wanted) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		part_free(v, p);
		*changed = true;
	}
}

/* Goes from the roots through what keys mention, step by step, and reads what is not there yet; then drops
 * the rest. */
static int close_over(struct view *v, bool *changed, struct error *e)
{
	struct view_part *queue = NULL, *next;
	int rc = 0;

	for (struct view_part *p = v->parts; p; p = p->next)
		p->wanted = false;
	if (enqueue_roots(v, &queue))
		return error_set(e, ENOMEM, "out of memory");
	for (; queue && !rc; queue = next) {
		next = NULL;
		rc = load_queue(v, queue, changed, e);
		for (struct view_part *p = queue; p && !rc; p = p->queue)
			each_of(p, enqueue_wants, &next);
	}
	if (rc)
		return rc;
	drop_unwanted(v, changed);
	v->open = false;
	v->known = true;
	return 0;
}

/* ---- changes ---- */

static void over(struct view *v, const struct store_event *ev)
{
	for (struct view_part *p = v->parts; p; p = p->next)
		if (ev->type == STORE_LOST || p->watch == ev->watch)
			p->watch = 0;
	v->open = true;
}

static struct view_part *part_watched(const struct view *v, uint64_t watch)
{
	struct view_part *p = v->parts;

	while (p && p->watch != watch)
		p = p->next;
	return p;
}

static int take_event(struct view *v, const struct store_event *ev, bool *changed)
{
	struct view_part *p;

	if (ev->rev > v->rev)
		v->rev = ev->rev;
	if (ev->type == STORE_COMPACTED || ev->type == STORE_LOST) {
		over(v, ev);
		return 0;
	}
	p = ev->type == STORE_PROGRESS ? part_watched(v, ev->watch) : part_of(v, ev->key);
	if (!p || p->watch != ev->watch || ev->rev <= p->read)
		return 0;
	p->from = ev->type == STORE_PROGRESS ? ev->rev + 1 : ev->rev;
	*changed |= ev->type != STORE_PROGRESS;
	if (ev->type == STORE_PUT)
		return put(v, p, ev->key, ev->value);
	if (ev->type == STORE_DELETE)
		del(v, p, ev->key);
	return 0;
}

/* All that have waited, long enough or until something else has changed anyway. */
static int take_late(struct view *v, bool *changed)
{
	struct store_event ev;
	int rc = 0;

	if (!*changed && !view_late_due(&v->late))
		return 0;
	while (!rc && view_late_next(&v->late, &ev)) {
		rc = take_event(v, &ev, changed);
		free(ev.value);
	}
	return rc;
}

/* What is known of one store says nothing about another. */
static void know_store(struct view *v)
{
	if (!store_ready(v->store) || !*v->uuid || !strcmp(v->uuid, store_uuid(v->store)))
		return;
	for (struct view_part *p = v->parts; p; p = p->next) {
		if (p->watch)
			store_unwatch(v->store, p->watch);
		p->watch = 0;
	}
	*v->uuid = '\0';
	v->rev = 0;
	v->open = true;
}

int view_refresh(struct view *v, struct error *e)
{
	struct store_event ev;
	bool changed = false;
	int rc;

	while ((rc = store_next(v->store, &ev, e)) == 1)
		if (view_late_may_wait(&ev) ? view_late_put(&v->late, &ev) : take_event(v, &ev, &changed))
			return error_set(e, ENOMEM, "out of memory");
	know_store(v);
	if (!rc && v->open)
		rc = close_over(v, &changed, e);
	if (!rc && take_late(v, &changed))
		rc = error_set(e, ENOMEM, "out of memory");
	return rc < 0 ? rc : changed ? VIEW_CHANGED : v->late.first ? VIEW_CHANGES_SOON : VIEW_SAME;
}

int view_catch_up(struct view *v, int64_t *rev, struct error *e)
{
	struct view_part *parts[STORE_PREFIXES_MAX];
	uint64_t versions = v->versions;
	bool changed = false;
	size_t n = 0;
	int rc = 0;

	*rev = INT64_MAX;
	for (struct view_part *p = v->parts; p && !rc; p = p->next) {
		int64_t at = 0;

		parts[n++] = p;
		if (n < STORE_PREFIXES_MAX && p->next)
			continue;
		rc = read_parts(v, parts, n, &at, e);
		*rev = at < *rev ? at : *rev;
		n = 0;
	}
	if (!rc && v->open)
		rc = close_over(v, &changed, e);
	return rc < 0 ? rc : changed || v->versions != versions ? VIEW_CHANGED : VIEW_SAME;
}

/* ---- from one life to the next ---- */

const char *view_uuid(const struct view *v)
{
	return v->uuid;
}

int view_each_part(const struct view *v, int (*each)(const char *prefix, int64_t from, void *arg), void *arg)
{
	int rc = 0;

	for (const struct view_part *p = v->parts; p && !rc; p = p->next)
		rc = each(p->prefix, p->from, arg);
	return rc;
}

int view_restore_part(struct view *v, const char *prefix, int64_t from, struct error *e)
{
	struct view_part *p = part_get(v, prefix);

	return p ? watch(v, p, from, e) : error_set(e, ENOMEM, "out of memory");
}

int view_restore_key(struct view *v, const char *key, const char *value)
{
	struct view_part *p = part_of(v, key);

	return p ? put(v, p, key, value) : 0;
}

void view_restored(struct view *v, const char *uuid, int64_t rev)
{
	snprintf(v->uuid, sizeof(v->uuid), "%s", uuid);
	v->rev = rev;
	v->known = true;
}

bool view_known(const struct view *v)
{
	return v->known;
}

struct view *view_create(struct store *store, const char *host)
{
	struct view *v = calloc(1, sizeof(*v));

	if (v) {
		v->store = store;
		v->open = true;
		snprintf(v->host, sizeof(v->host), "%s", host);
	}
	return v;
}

void view_destroy(struct view *v)
{
	if (!v)
		return;
	view_late_free(&v->late);
	while (v->parts) {
		struct view_part *p = v->parts;

		v->parts = p->next;
		part_free(v, p);
	}
	free(v);
}
