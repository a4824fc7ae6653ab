/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values of objects; see keys.h. Used by edit.c and by the agent. */
#include "control/tenancy/keys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tenancy/tenancy_json.h"

const char *id_format(const struct object *o, char text[ID_MAX])
{
	snprintf(text, ID_MAX, "%s.%s", o->tenant, o->name);
	return text;
}

bool id_parse(const char *id, struct object *out)
{
	const char *dot = strchr(id, '.');

	if (!dot || dot == id || !dot[1] || dot - id > OBJECT_NAME_MAX || strlen(dot + 1) > OBJECT_NAME_MAX)
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out->tenant, id, (size_t)(dot - id));
	memcpy(out->name, dot + 1, strlen(dot + 1));
	return true;
}

/* ---- writing ---- */

struct writing {
	const struct tenancy *t;
	struct key_list *list;
	const struct object *owner;
	bool failed;
};

/* Adds a key; consumes `value`. */
static void add(struct writing *w, json_t *value, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
static void add(struct writing *w, json_t *value, const char *format, ...)
{
	struct key_list *list = w->list;
	struct owned_key *k = list->keys;
	char key[STORE_KEY_MAX];
	va_list args;
	int n = snprintf(key, sizeof(key), "%s", KEYS_ROOT);

	va_start(args, format);
	vsnprintf(key + n, sizeof(key) - (size_t)n, format, args);
	va_end(args);
	if ((list->n & (list->n - 1)) == 0) /* grows at powers of two */
		k = realloc(k, (list->n ? list->n * 2 : 1) * sizeof(*k));
	if (k) {
		list->keys = k;
		k += list->n;
		k->key = strdup(key);
		k->value = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
		memcpy(&k->owner, w->owner, sizeof(k->owner));
		list->n++;
	}
	w->failed |= !k || !k->key || !k->value;
	json_decref(value);
}

static json_t *named(const struct object *o)
{
	json_t *value = object_write(o);

	json_object_set_new(value, "name", json_string(o->name));
	if (*o->tenant)
		json_object_set_new(value, "tenant", json_string(o->tenant));
	return value;
}

static json_t *ips_of(const struct tenant_port *p)
{
	json_t *ips = json_array();
	char text[IP_TEXT_MAX];

	for (unsigned i = 0; i < p->n_ips; i++)
		json_array_append_new(ips, json_string(ip_format(&p->ips[i], text)));
	return ips;
}

static void add_network(struct writing *w, const struct network *net)
{
	char id[ID_MAX];

	add(w, named(&net->object), "n/%u/net", net->vni);
	add(w, json_string(id_format(&net->object, id)), "alloc/vni/%u", net->vni);
}

static void add_router(struct writing *w, const struct router *r)
{
	char id[ID_MAX];

	id_format(&r->object, id);
	add(w, named(&r->object), "r/%s/def", id);
	for (unsigned i = 0; i < r->n_networks; i++) {
		const struct network *net = tenancy_get(w->t, KIND_NETWORK, r->object.tenant, r->networks[i]);

		add(w, json_string(r->networks[i]), "r/%s/if/%u", id, net->vni);
		add(w, json_string(id), "n/%u/router", net->vni);
	}
}

static void add_group(struct writing *w, const struct group *g)
{
	char id[ID_MAX];

	add(w, named(&g->object), "sg/%s/def", id_format(&g->object, id));
}

static void add_port(struct writing *w, const struct tenant_port *p)
{
	const struct network *net = tenancy_get(w->t, KIND_NETWORK, p->object.tenant, p->network);
	char id[ID_MAX], text[IP_TEXT_MAX];
	json_t *bind;

	id_format(&p->object, id);
	add(w, named(&p->object), "n/%u/p/%s", net->vni, id);
	add(w, json_string(id), "alloc/mac/%u/%s", net->vni, mac_format(p->mac, text));
	for (unsigned i = 0; i < p->n_ips; i++)
		add(w, json_string(id), "alloc/ip/%u/%s", net->vni, ip_format(&p->ips[i], text));
	for (unsigned i = 0; i < p->n_groups; i++)
		add(w, json_pack("{s:o}", "ips", ips_of(p)), "sg/%s.%s/m/%s", p->object.tenant, p->groups[i],
		    id);
	if (!p->n_hosts)
		return;
	bind = json_pack("{s:I}", "vni", (json_int_t)net->vni);
	if (*p->socket)
		json_object_set_new(bind, "socket", json_string(p->socket));
	if (p->queues)
		json_object_set_new(bind, "queues", json_integer(p->queues));
	for (unsigned i = 0; i < p->n_hosts; i++)
		add(w, json_incref(bind), "h/%s/bind/%s", p->hosts[i], id);
	json_decref(bind);
	add(w, json_string(p->hosts[0]), "loc/%u/%s", net->vni, id);
}

static int add_object(void *object, void *arg)
{
	struct object *o = object;
	struct writing *w = arg;

	w->owner = o;
	switch (o->kind) {
	case KIND_HOST:
		add(w, named(o), "host/%s", o->name);
		break;
	case KIND_TENANT:
		add(w, json_object(), "t/%s", o->name);
		break;
	case KIND_NETWORK:
		add_network(w, object);
		break;
	case KIND_ROUTER:
		add_router(w, object);
		break;
	case KIND_GROUP:
		add_group(w, object);
		break;
	default:
		add_port(w, object);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct owned_key *)a)->key, ((const struct owned_key *)b)->key);
}

int keys_of(const struct tenancy *t, struct key_list *out)
{
	struct writing w = {.t = t, .list = out};

	*out = (struct key_list){0};
	for (int k = 0; k < KINDS; k++)
		tenancy_each(t, (enum object_kind)k, add_object, &w);
	if (w.failed) {
		keys_free(out);
		return -ENOMEM;
	}
	if (out->n)
		qsort(out->keys, out->n, sizeof(*out->keys), compare);
	return 0;
}

void keys_free(struct key_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->keys[i].key);
		free(list->keys[i].value);
	}
	free(list->keys);
	*list = (struct key_list){0};
}

/* ---- reading ---- */

/* Which kind of object a key holds; KINDS: none. */
static enum object_kind kind_of(const char *key)
{
	char tail[8] = "";

	if (!strncmp(key, "host/", 5))
		return KIND_HOST;
	if (!strncmp(key, "t/", 2))
		return KIND_TENANT;
	if (sscanf(key, "n/%*u/%7[a-z]", tail) == 1)
		return !strcmp(tail, "net") ? KIND_NETWORK : !strcmp(tail, "p") ? KIND_PORT : KINDS;
	if (!strncmp(key, "r/", 2) && sscanf(key, "r/%*[^/]/%7s", tail) == 1 && !strcmp(tail, "def"))
		return KIND_ROUTER;
	if (!strncmp(key, "sg/", 3) && sscanf(key, "sg/%*[^/]/%7s", tail) == 1 && !strcmp(tail, "def"))
		return KIND_GROUP;
	return KINDS;
}

int key_object(const char *key, const char *value, void **out, struct error *e)
{
	size_t root = strlen(KEYS_ROOT);
	enum object_kind kind = strncmp(key, KEYS_ROOT, root) ? KINDS : kind_of(key + root);
	char name[OBJECT_NAME_MAX + 1] = "", tenant[OBJECT_NAME_MAX + 1] = "";
	struct tenancy_error te;
	json_t *json;
	int rc;

	*out = NULL;
	if (kind == KINDS)
		return 0;
	json = json_loads(value, 0, NULL);
	if (kind == KIND_TENANT) {
		snprintf(name, sizeof(name), "%s", key + root + 2);
		memcpy(tenant, name, sizeof(name));
	} else {
		const char *n = json_string_value(json_object_get(json, "name")),
		           *of = json_string_value(json_object_get(json, "tenant"));

		snprintf(name, sizeof(name), "%s", n ? n : "");
		snprintf(tenant, sizeof(tenant), "%s", of ? of : "");
		json_object_del(json, "name");
		json_object_del(json, "tenant");
	}
	rc = object_read(kind, tenant, name, json, out, &te);
	json_decref(json);
	if (rc)
		return error_set(e, EINVAL, "%.120s: %.120s", key, te.text.text);
	return 0;
}

/* An agent may have claimed the port since it was written (keys.h, loc/). */
static void read_location(const char *key, const char *value, const struct tenancy *t)
{
	struct tenant_port *p;
	char id[ID_MAX];
	struct object o;
	json_t *host;

	if (sscanf(key, KEYS_ROOT "loc/%*u/%127s", id) != 1 || !id_parse(id, &o))
		return;
	host = json_loads(value, JSON_DECODE_ANY, NULL);
	p = tenancy_get(t, KIND_PORT, o.tenant, o.name);
	if (p && json_is_string(host))
		port_activate(p, json_string_value(host));
	json_decref(host);
}

int keys_read(const struct store_snapshot *snapshot, struct tenancy *t, struct error *e)
{
	int rc = 0;

	tenancy_init(t);
	for (size_t i = 0; i < snapshot->n && !rc; i++) {
		void *o;

		rc = key_object(snapshot->kvs[i].key, snapshot->kvs[i].value, &o, e);
		if (!rc && o && tenancy_put(t, o))
			rc = error_set(e, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < snapshot->n && !rc; i++)
		read_location(snapshot->kvs[i].key, snapshot->kvs[i].value, t);
	if (rc)
		tenancy_free(t);
	return rc;
}
