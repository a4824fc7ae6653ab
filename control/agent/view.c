/* SPDX-License-Identifier: Apache-2.0 */
/* Following the store; see view.h. Called by agent.c. */
#include "control/agent/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/view_late.h"
#include "control/agent/view_parts.h"
#include "control/tenancy/keys.h"

struct view {
	struct store *store;
	char host[OBJECT_NAME_MAX + 1];
	struct view_parts parts;
	bool known;    /* all that is wanted was there, once */
	char uuid[64]; /* of the store that all this is from; "" while nothing is */
	int64_t rev;
	struct view_late late;
};

int view_each(const struct view *v, int (*each)(const struct view_key *k, void *arg), void *arg)
{
	return view_parts_each(&v->parts, each, arg);
}

int view_each_under(const struct view *v, const char *prefix,
                    int (*each)(const struct view_key *k, void *arg), void *arg)
{
	const struct view_part *p = view_parts_find(&v->parts, prefix);

	return p ? view_part_each(p, each, arg) : 0;
}

int64_t view_rev(const struct view *v)
{
	return v->rev;
}

uint64_t view_version(const struct view *v)
{
	return v->parts.versions;
}

int view_each_change(const struct view *v, uint64_t version, int (*each)(const char *prefix, void *arg),
                     void *arg)
{
	int rc = v->parts.dropped > version ? each("", arg) : 0;

	for (const struct view_part *p = v->parts.list; p && p->changed > version && !rc; p = p->next)
		rc = each(p->prefix, arg);
	return rc;
}

/* ---- reading ---- */

static int take_snapshot(struct view *v, const struct store_snapshot *snap, struct view_part **parts,
                         size_t n)
{
	int rc = 0;

	v->parts.loads++;
	for (size_t i = 0; i < snap->n && !rc; i++) {
		struct view_part *p =
		        view_parts_of(&v->parts, snap->kvs[i].key); /* NULL: "h10" beside "h1" */

		if (p)
			rc = view_parts_put(&v->parts, p, snap->kvs[i].key, snap->kvs[i].value);
	}
	for (size_t i = 0; i < n && !rc; i++)
		rc = view_parts_tidy(&v->parts, parts[i]);
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
		p = view_parts_get(&v->parts, prefix);
		if (!p)
			return -ENOMEM;
		enqueue(p, queue);
	}
	return 0;
}

static void drop(struct view *v, struct view_part *p)
{
	if (p->watch)
		store_unwatch(v->store, p->watch);
	view_parts_free(&v->parts, p);
}

static void drop_unwanted(struct view *v, bool *changed)
{
	for (const struct view_part *p = v->parts.list; p; p = p->next)
		if (!p->wanted)
			view_part_each(p, view_parts_forget, NULL);
	for (struct view_part *p = v->parts.list, *next; p; p = next) {
		next = p->next;
		if (p->wanted)
			continue;
		drop(v, p);
		*changed = true;
	}
}

/* Goes from the roots through what keys mention, step by step, and reads what is not there yet; then drops
 * the rest. */
static int close_over(struct view *v, bool *changed, struct error *e)
{
	struct view_part *queue = NULL, *next;
	int rc = 0;

	for (struct view_part *p = v->parts.list; p; p = p->next)
		p->wanted = false;
	if (enqueue_roots(v, &queue))
		return error_set(e, ENOMEM, "out of memory");
	for (; queue && !rc; queue = next) {
		next = NULL;
		rc = load_queue(v, queue, changed, e);
		for (struct view_part *p = queue; p && !rc; p = p->queue)
			view_part_each(p, enqueue_wants, &next);
	}
	if (rc)
		return rc;
	drop_unwanted(v, changed);
	v->parts.open = false;
	v->known = true;
	return 0;
}

/* ---- changes ---- */

static void over(struct view *v, const struct store_event *ev)
{
	for (struct view_part *p = v->parts.list; p; p = p->next)
		if (ev->type == STORE_LOST || p->watch == ev->watch)
			p->watch = 0;
	v->parts.open = true;
}

static struct view_part *part_watched(const struct view *v, uint64_t watch)
{
	struct view_part *p = v->parts.list;

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
	p = ev->type == STORE_PROGRESS ? part_watched(v, ev->watch) : view_parts_of(&v->parts, ev->key);
	if (!p || p->watch != ev->watch || ev->rev <= p->read)
		return 0;
	p->from = ev->type == STORE_PROGRESS ? ev->rev + 1 : ev->rev;
	*changed |= ev->type != STORE_PROGRESS;
	if (ev->type == STORE_PUT)
		return view_parts_put(&v->parts, p, ev->key, ev->value);
	if (ev->type == STORE_DELETE)
		view_parts_del(&v->parts, p, ev->key);
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
	for (struct view_part *p = v->parts.list; p; p = p->next) {
		if (p->watch)
			store_unwatch(v->store, p->watch);
		p->watch = 0;
	}
	*v->uuid = '\0';
	v->rev = 0;
	v->parts.open = true;
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
	if (!rc && v->parts.open)
		rc = close_over(v, &changed, e);
	if (!rc && take_late(v, &changed))
		rc = error_set(e, ENOMEM, "out of memory");
	return rc < 0 ? rc : changed ? VIEW_CHANGED : v->late.first ? VIEW_CHANGES_SOON : VIEW_SAME;
}

int view_catch_up(struct view *v, int64_t *rev, struct error *e)
{
	struct view_part *parts[STORE_PREFIXES_MAX];
	uint64_t versions = v->parts.versions;
	bool changed = false;
	size_t n = 0;
	int rc = 0;

	*rev = INT64_MAX;
	for (struct view_part *p = v->parts.list; p; p = p->next)
		p->queue = p->next; /* reading changes the order of the list */
	for (struct view_part *p = v->parts.list; p && !rc; p = p->queue) {
		int64_t at = 0;

		parts[n++] = p;
		if (n < STORE_PREFIXES_MAX && p->queue)
			continue;
		rc = read_parts(v, parts, n, &at, e);
		*rev = at < *rev ? at : *rev;
		n = 0;
	}
	if (!rc && v->parts.open)
		rc = close_over(v, &changed, e);
	return rc < 0 ? rc : changed || v->parts.versions != versions ? VIEW_CHANGED : VIEW_SAME;
}

/* ---- from one life to the next ---- */

const char *view_uuid(const struct view *v)
{
	return v->uuid;
}

int view_each_part(const struct view *v, int (*each)(const char *prefix, int64_t from, void *arg), void *arg)
{
	int rc = 0;

	for (const struct view_part *p = v->parts.list; p && !rc; p = p->next)
		rc = each(p->prefix, p->from, arg);
	return rc;
}

int view_restore_part(struct view *v, const char *prefix, int64_t from, struct error *e)
{
	struct view_part *p = view_parts_get(&v->parts, prefix);

	return p ? watch(v, p, from, e) : error_set(e, ENOMEM, "out of memory");
}

int view_restore_key(struct view *v, const char *key, const char *value)
{
	struct view_part *p = view_parts_of(&v->parts, key);

	return p ? view_parts_put(&v->parts, p, key, value) : 0;
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
		v->parts.open = true;
		snprintf(v->host, sizeof(v->host), "%s", host);
		v->parts.host = v->host;
	}
	return v;
}

void view_destroy(struct view *v)
{
	if (!v)
		return;
	view_late_free(&v->late);
	while (v->parts.list)
		drop(v, v->parts.list);
	free(v);
}
