/* SPDX-License-Identifier: Apache-2.0 */
/* Following the store; see view.h. Called by agent.c. */
#include "control/agent/view.h"

#include <errno.h>
#include <jansson.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/tenancy/keys.h"

struct pair {
	char *key, *value;
};

struct part { /* a prefix that is watched */
	struct part *next;
	char prefix[STORE_KEY_MAX];
	uint64_t watch; /* 0: has to be read */
	bool wanted;
};

struct view {
	struct store *store;
	char host[OBJECT_NAME_MAX + 1];
	void *tree; /* of struct pair, by key */
	struct part *parts;
	int64_t rev;
};

/* ---- keys ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static void pair_free(void *entry)
{
	struct pair *x = entry;

	free(x->key);
	free(x->value);
	free(x);
}

static int put(struct view *v, const char *key, const char *value)
{
	struct pair *x = calloc(1, sizeof(*x)), **node;

	if (!x)
		return -ENOMEM;
	x->key = strdup(key);
	x->value = strdup(value);
	node = x->key && x->value ? tsearch(x, &v->tree, compare) : NULL;
	if (!node) {
		pair_free(x);
		return -ENOMEM;
	}
	if (*node != x) {
		pair_free(*node);
		*node = x;
	}
	return 0;
}

static void del(struct view *v, const char *key)
{
	struct pair probe = {(char *)key, NULL}, **node = tfind(&probe, &v->tree, compare), *x;

	if (!node)
		return;
	x = *node;
	tdelete(x, &v->tree, compare);
	pair_free(x);
}

struct walk {
	int (*each)(const char *key, const char *value, void *arg);
	void *arg;
	int rc;
};

static void step(const void *node, VISIT visit, void *arg)
{
	const struct pair *x = *(struct pair *const *)node;
	struct walk *w = arg;

	if ((visit == postorder || visit == leaf) && !w->rc)
		w->rc = w->each(x->key, x->value, w->arg);
}

int view_each(const struct view *v, int (*each)(const char *key, const char *value, void *arg), void *arg)
{
	struct walk w = {each, arg, 0};

	twalk_r(v->tree, step, &w);
	return w.rc;
}

int64_t view_rev(const struct view *v)
{
	return v->rev;
}

/* ---- parts ---- */

struct doomed {
	const char *prefix;
	char **keys;
	size_t n;
};

static int doom(const char *key, const char *value, void *arg)
{
	struct doomed *d = arg;

	if (strncmp(key, d->prefix, strlen(d->prefix)) != 0)
		return 0;
	if ((d->n & (d->n - 1)) == 0) {
		char **keys = realloc(d->keys, (d->n ? d->n * 2 : 1) * sizeof(*keys));

		if (!keys)
			return -ENOMEM;
		d->keys = keys;
	}
	d->keys[d->n++] = (char *)key;
	return 0;
}

/* Drops every key of a part. */
static int forget(struct view *v, const char *prefix)
{
	struct doomed d = {.prefix = prefix};
	int rc = view_each(v, doom, &d);

	for (size_t i = 0; i < d.n; i++)
		del(v, d.keys[i]);
	free(d.keys);
	return rc;
}

static int load(struct view *v, struct part *p, struct error *e)
{
	const char *prefix = p->prefix;
	struct store_snapshot snap;
	int rc;

	if (!store_ready(v->store)) /* it tells when it is, there is no need to wait */
		return error_set(e, ECOMM, "it is away");
	rc = store_range(v->store, &prefix, 1, &snap, e);
	if (rc)
		return rc;
	rc = forget(v, prefix);
	for (size_t i = 0; i < snap.n && !rc; i++)
		rc = put(v, snap.kvs[i].key, snap.kvs[i].value);
	if (rc)
		error_set(e, ENOMEM, "out of memory");
	else
		rc = store_watch(v->store, prefix, snap.rev + 1, &p->watch, e);
	if (!rc && snap.rev > v->rev)
		v->rev = snap.rev;
	store_snapshot_free(&snap);
	return rc;
}

__attribute__((format(printf, 2, 3))) static int want(struct view *v, const char *format, ...)
{
	char prefix[STORE_KEY_MAX];
	struct part *p = v->parts;
	va_list args;

	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	while (p && strcmp(p->prefix, prefix))
		p = p->next;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		memcpy(p->prefix, prefix, sizeof(prefix));
		p->next = v->parts;
		v->parts = p;
	}
	p->wanted = true;
	return 0;
}

/* The groups whose members a rule of this group speaks of. */
static int want_peers(struct view *v, const char *id, const json_t *group)
{
	static const char *const directions[] = {"ingress", "egress"}, *const sides[] = {"from", "to"};
	struct object o;
	int rc = 0;

	if (!id_parse(id, &o))
		return 0;
	for (int d = 0; d < 2; d++) {
		json_t *rules = json_object_get(group, directions[d]), *rule;
		size_t i;

		json_array_foreach(rules, i, rule)
		{
			const char *peer =
			        json_string_value(json_object_get(json_object_get(rule, sides[d]), "group"));

			if (peer && !rc)
				rc = want(v, KEYS_ROOT "sg/%s.%s/", o.tenant, peer);
		}
	}
	return rc;
}

/* "hv1", or a list of them. */
static bool names_host(const json_t *host, const char *name)
{
	const json_t *one;
	size_t i;

	if (json_is_string(host))
		return !strcmp(json_string_value(host), name);
	json_array_foreach(host, i, one) if (names_host(one, name)) return true;
	return false;
}

/* A port of this host: its groups, and the generation of its tenant, which tells how far we have followed. */
static int want_port(struct view *v, const char *id, const json_t *port)
{
	json_t *groups = json_object_get(port, "groups"), *group;
	struct object o;
	size_t i;
	int rc;

	if (!id_parse(id, &o))
		return 0;
	rc = want(v, KEYS_ROOT "gen/%s", o.tenant);
	json_array_foreach(groups, i, group) if (!rc) rc =
	        want(v, KEYS_ROOT "sg/%s.%s/", o.tenant, json_string_value(group));
	return rc;
}

/* What one key makes us want. */
static int follow(const char *key, const char *value, void *arg)
{
	struct view *v = arg;
	const char *k = key + strlen(KEYS_ROOT);
	char id[ID_MAX + 8] = "", tail[8] = "";
	json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);
	unsigned vni;
	int rc = 0;

	if (!strncmp(k, "h/", 2))
		rc = want(v, KEYS_ROOT "n/%u/", (unsigned)json_integer_value(json_object_get(json, "vni")));
	else if (sscanf(k, "n/%u/%7[a-z]", &vni, tail) == 2 && !strcmp(tail, "router"))
		rc = want(v, KEYS_ROOT "r/%s/", json_string_value(json));
	else if (sscanf(k, "r/%*[^/]/if/%u", &vni) == 1)
		rc = want(v, KEYS_ROOT "n/%u/", vni);
	else if (sscanf(k, "n/%u/p/%130s", &vni, id) == 2 &&
	         names_host(json_object_get(json, "host"), v->host))
		rc = want_port(v, id, json);
	else if (sscanf(k, "sg/%130[^/]/%7s", id, tail) == 2 && !strcmp(tail, "def"))
		rc = want_peers(v, id, json);
	json_decref(json);
	return rc;
}

/* Reads what is wanted and not there, until nothing new is wanted; then drops the rest. */
static int close_over(struct view *v, bool *changed, struct error *e)
{
	bool more = true;
	int rc = 0;

	for (struct part *p = v->parts; p; p = p->next)
		p->wanted = false;
	rc = want(v, KEYS_ROOT "host/");
	if (!rc)
		rc = want(v, KEYS_ROOT "h/%s/", v->host);
	while (!rc && more) {
		more = false;
		for (struct part *p = v->parts; p && !rc; p = p->next) {
			if (!p->wanted || p->watch)
				continue;
			rc = load(v, p, e);
			more = *changed = true;
		}
		if (!rc && view_each(v, follow, v))
			rc = error_set(e, ENOMEM, "out of memory");
		for (struct part *p = v->parts; p; p = p->next)
			more |= p->wanted && !p->watch;
	}
	for (struct part **at = &v->parts; *at && !rc;) {
		struct part *p = *at;

		if (p->wanted) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		store_unwatch(v->store, p->watch);
		forget(v, p->prefix);
		free(p);
		*changed = true;
	}
	return rc;
}

/* ---- changes ---- */

static void over(struct view *v, const struct store_event *ev)
{
	for (struct part *p = v->parts; p; p = p->next)
		if (ev->type == STORE_LOST || p->watch == ev->watch)
			p->watch = 0;
}

int view_refresh(struct view *v, struct error *e)
{
	struct store_event ev;
	bool changed = false;
	int rc;

	while ((rc = store_next(v->store, &ev, e)) == 1) {
		changed = true;
		if (ev.type == STORE_PUT && put(v, ev.key, ev.value))
			return error_set(e, ENOMEM, "out of memory");
		if (ev.type == STORE_DELETE)
			del(v, ev.key);
		if (ev.type == STORE_COMPACTED || ev.type == STORE_LOST)
			over(v, &ev);
		if (ev.rev > v->rev)
			v->rev = ev.rev;
	}
	if (!rc && (changed || !v->parts || v->parts->watch == 0))
		rc = close_over(v, &changed, e);
	return rc < 0 ? rc : changed;
}

struct view *view_create(struct store *store, const char *host)
{
	struct view *v = calloc(1, sizeof(*v));

	if (v) {
		v->store = store;
		snprintf(v->host, sizeof(v->host), "%s", host);
	}
	return v;
}

void view_destroy(struct view *v)
{
	if (!v)
		return;
	while (v->parts) {
		struct part *p = v->parts;

		v->parts = p->next;
		if (p->watch)
			store_unwatch(v->store, p->watch);
		free(p);
	}
	tdestroy(v->tree, pair_free);
	free(v);
}
