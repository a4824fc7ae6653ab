/* SPDX-License-Identifier: Apache-2.0 */
/* What a view holds; see view_parts.h. Called by view.c. */
#include "control/agent/view_parts.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "control/store/store.h"
#include "control/tenancy/keys.h"

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct view_key *)a)->key, ((const struct view_key *)b)->key);
}

static int by_prefix(const void *a, const void *b)
{
	return strcmp(((const struct view_part *)a)->prefix, ((const struct view_part *)b)->prefix);
}

/* ---- parts ---- */

/* Puts it first, as what has changed last. */
static void enlist(struct view_parts *t, struct view_part *p)
{
	p->changed = ++t->versions;
	p->at = &t->list;
	p->next = t->list;
	if (p->next)
		p->next->at = &p->next;
	t->list = p;
}

static void delist(struct view_part *p)
{
	*p->at = p->next;
	if (p->next)
		p->next->at = p->at;
}

/* The number of a change in it. */
static uint64_t change(struct view_parts *t, struct view_part *p)
{
	delist(p);
	enlist(t, p);
	return p->changed;
}

struct view_part *view_parts_find(const struct view_parts *t, const char *prefix)
{
	struct view_part probe = {.prefix = (char *)prefix}, **node = tfind(&probe, &t->tree, by_prefix);

	return node ? *node : NULL;
}

struct view_part *view_parts_of(const struct view_parts *t, const char *key)
{
	char prefix[STORE_KEY_MAX];
	const char *end = strncmp(key, KEYS_ROOT, strlen(KEYS_ROOT)) ? NULL : key + strlen(KEYS_ROOT);

	for (int i = 0; i < 2 && end; i++) {
		end = strchr(end, '/');
		end += end ? 1 : 0;
	}
	if (!end)
		return view_parts_find(t, key);
	memcpy(prefix, key, (size_t)(end - key));
	prefix[end - key] = '\0';
	return view_parts_find(t, prefix);
}

struct view_part *view_parts_get(struct view_parts *t, const char *prefix)
{
	struct view_part *p = view_parts_find(t, prefix);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (p)
		p->prefix = strdup(prefix);
	if (!p || !p->prefix || !tsearch(p, &t->tree, by_prefix)) {
		free(p ? p->prefix : NULL);
		free(p);
		return NULL;
	}
	enlist(t, p);
	return p;
}

void view_parts_free(struct view_parts *t, struct view_part *p)
{
	t->dropped = ++t->versions;
	delist(p);
	tdelete(p, &t->tree, by_prefix);
	tdestroy(p->keys, view_key_free);
	free(p->prefix);
	free(p);
}

/* ---- keys ---- */

struct following {
	struct view_parts *t;
	struct view_key *k;
};

static int add_want(const char *prefix, void *arg)
{
	struct following *f = arg;
	struct view_part *p = view_parts_get(f->t, prefix),
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
static void use_wants(struct view_parts *t, const struct view_key *k)
{
	for (unsigned i = 0; i < k->n_wants; i++) {
		k->wants[i]->users++;
		t->open |= !k->wants[i]->watch;
	}
}

int view_parts_forget(const struct view_key *k, void *arg)
{
	for (unsigned i = 0; i < k->n_wants; i++)
		k->wants[i]->users--;
	return 0;
}

/* A key alone, which wants nothing itself, stays as long as another one wants it; of a prefix only the whole
 * tells, as networks and routers want each other. */
static void leave_wants(struct view_parts *t, const struct view_key *k)
{
	view_parts_forget(k, NULL);
	for (unsigned i = 0; i < k->n_wants; i++)
		t->open |= !k->wants[i]->users || k->wants[i]->prefix[strlen(k->wants[i]->prefix) - 1] == '/';
}

int view_parts_put(struct view_parts *t, struct view_part *p, const char *key, const char *value)
{
	struct view_key probe = {.key = (char *)key}, *k, **node = tfind(&probe, &p->keys, by_key);
	struct following f = {t, NULL};

	if (node && !strcmp((*node)->value, value)) {
		(*node)->load = t->loads;
		return 0;
	}
	f.k = k = view_key_create(key, value);
	if (!k || view_key_wants(k, t->host, add_want, &f))
		node = NULL;
	else if (!node)
		node = tsearch(k, &p->keys, by_key);
	if (!node) {
		view_key_free(k);
		return -ENOMEM;
	}
	if (*node == k) {
		use_wants(t, k);
	} else {
		if (!same_wants(*node, k)) {
			use_wants(t, k);
			leave_wants(t, *node);
		}
		view_key_free(*node);
		*node = k;
	}
	k->version = change(t, p);
	k->load = t->loads;
	return 0;
}

void view_parts_del(struct view_parts *t, struct view_part *p, const char *key)
{
	struct view_key probe = {.key = (char *)key}, **node = tfind(&probe, &p->keys, by_key), *k;

	if (!node)
		return;
	k = *node;
	change(t, p);
	leave_wants(t, k);
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

int view_part_each(const struct view_part *p, int (*each)(const struct view_key *k, void *arg), void *arg)
{
	struct walk w = {each, arg, 0};

	twalk_r(p->keys, step, &w);
	return w.rc;
}

static void step_part(const void *node, VISIT visit, void *arg)
{
	struct walk *w = arg;

	if ((visit == postorder || visit == leaf) && !w->rc)
		w->rc = view_part_each(*(const struct view_part *const *)node, w->each, w->arg);
}

int view_parts_each(const struct view_parts *t, int (*each)(const struct view_key *k, void *arg), void *arg)
{
	struct walk w = {each, arg, 0};

	twalk_r(t->tree, step_part, &w);
	return w.rc;
}

/* ---- after reading ---- */

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

int view_parts_tidy(struct view_parts *t, struct view_part *p)
{
	struct leftovers l = {.load = t->loads};
	int rc = view_part_each(p, collect, &l);

	for (size_t i = 0; i < l.n; i++)
		view_parts_del(t, p, l.keys[i]);
	free(l.keys);
	return rc;
}
