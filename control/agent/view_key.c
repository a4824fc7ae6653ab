/* SPDX-License-Identifier: Apache-2.0 */
/* One key, and what it makes an agent follow; see view_key.h. Called by view_parts.c. */
#include "control/agent/view_key.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/tenancy/keys.h"

static void find_steps(struct view_key *k)
{
	size_t root = strlen(KEYS_ROOT), end = strlen(k->key), at = end < root ? end : root;

	for (unsigned i = 0; i < KEY_STEPS; i++) {
		k->steps[i] = (uint16_t)at;
		at += strcspn(k->key + at, "/");
		at += at < end;
	}
}

struct view_key *view_key_create(const char *key, const char *value)
{
	size_t n = strlen(key) + 1, size = strlen(value) + 1;
	struct view_key *k = malloc(sizeof(*k) + n + size);
	struct error e;

	if (!k)
		return NULL;
	*k = (struct view_key){.key = k->text, .value = k->text + n};
	memcpy(k->text, key, n);
	memcpy(k->text + n, value, size);
	find_steps(k);
	if (key_object(key, value, &k->object, &e))
		log_warn("store: left out: %s", e.text);
	else if (!k->object)
		k->json = json_loads(value, JSON_DECODE_ANY, NULL);
	return k;
}

void view_key_free(void *entry)
{
	struct view_key *k = entry;

	if (!k)
		return;
	free(k->object);
	free(k->wants);
	json_decref(k->json);
	free(k);
}

struct wanting {
	int (*want)(const char *prefix, void *arg);
	void *arg;
};

__attribute__((format(printf, 2, 3))) static int want(const struct wanting *w, const char *format, ...)
{
	char prefix[STORE_KEY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	return w->want(prefix, w->arg);
}

/* A port that this host carries: its groups. */
static int want_groups(const struct wanting *w, const struct tenant_port *p, const char *host)
{
	bool here = false;
	int rc = 0;

	for (unsigned i = 0; i < p->n_hosts; i++)
		here |= !strcmp(p->hosts[i], host);
	for (unsigned i = 0; here && i < p->n_groups && !rc; i++)
		rc = want(w, KEYS_ROOT "sg/%s.%s/", p->object.tenant, p->groups[i]);
	return rc;
}

/* The groups whose members a rule of this group speaks of. */
static int want_peers(const struct wanting *w, const struct group *g)
{
	int rc = 0;

	for (unsigned i = 0; i < g->n_rules && !rc; i++)
		if (*g->rules[i].group)
			rc = want(w, KEYS_ROOT "sg/%s.%s/", g->object.tenant, g->rules[i].group);
	return rc;
}

static int want_network(const struct wanting *w, unsigned vni)
{
	int rc = want(w, KEYS_ROOT "n/%u/", vni);

	return rc ? rc : want(w, KEYS_ROOT "loc/%u/", vni);
}

static int want_of_text(const struct wanting *w, const struct view_key *k)
{
	const char *rest = k->key + strlen(KEYS_ROOT), *text = json_string_value(k->json);
	char tail[8] = "";
	unsigned vni;
	int rc;

	if (sscanf(rest, "h/%*[^/]/%7[a-z]", tail) == 1 && !strcmp(tail, "bind"))
		return want_network(w, (unsigned)json_integer_value(json_object_get(k->json, "vni")));
	if (sscanf(rest, "r/%*[^/]/if/%u", &vni) == 1)
		return want_network(w, vni);
	if (text && sscanf(rest, "n/%*u/%7[a-z]", tail) == 1 && !strcmp(tail, "router"))
		return want(w, KEYS_ROOT "r/%s/", text);
	if (!text || strncmp(rest, "loc/", 4) != 0)
		return 0;
	rc = want(w, KEYS_ROOT "host/%s", text);
	return rc ? rc : want(w, KEYS_ROOT "live/%s", text);
}

int view_key_wants(const struct view_key *k, const char *host, int (*each)(const char *prefix, void *arg),
                   void *arg)
{
	const struct wanting w = {each, arg};
	const struct object *o = k->object;

	if (!o)
		return want_of_text(&w, k);
	if (o->kind == KIND_PORT)
		return want_groups(&w, k->object, host);
	return o->kind == KIND_GROUP ? want_peers(&w, k->object) : 0;
}
