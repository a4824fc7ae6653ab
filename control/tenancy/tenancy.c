/* SPDX-License-Identifier: Apache-2.0 */
/* The set of objects; see tenancy.h. Used by the agent and by the tenant commands of weft. */
#include "control/tenancy/tenancy.h"

#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static const struct {
	const char *name, *plural;
	size_t size;
} kinds[KINDS] = {
        [KIND_HOST] = {"host", "hosts", sizeof(struct host)},
        [KIND_TENANT] = {"tenant", "tenants", sizeof(struct tenant)},
        [KIND_NETWORK] = {"network", "networks", sizeof(struct network)},
        [KIND_ROUTER] = {"router", "routers", sizeof(struct router)},
        [KIND_GROUP] = {"security group", "securityGroups", sizeof(struct group)},
        [KIND_PORT] = {"port", "ports", sizeof(struct tenant_port)},
};

const char *kind_name(enum object_kind kind)
{
	return kinds[kind].name;
}

const char *kind_plural(enum object_kind kind)
{
	return kinds[kind].plural;
}

static int compare(const void *left, const void *right)
{
	const struct object *a = left, *b = right;
	int order = strcmp(a->tenant, b->tenant);

	return order ? order : strcmp(a->name, b->name);
}

static void key_fill(struct object *o, enum object_kind kind, const char *tenant, const char *name)
{
	o->kind = kind;
	snprintf(o->tenant, sizeof(o->tenant), "%s", kind == KIND_HOST ? "" : tenant);
	snprintf(o->name, sizeof(o->name), "%s", name);
}

void tenancy_init(struct tenancy *m)
{
	memset(m, 0, sizeof(*m));
}

void tenancy_free(struct tenancy *m)
{
	for (int k = 0; k < KINDS; k++)
		tdestroy(m->tree[k], free);
	tenancy_init(m);
}

void *object_create(enum object_kind kind, const char *tenant, const char *name)
{
	struct object *o = calloc(1, kinds[kind].size);

	if (o)
		key_fill(o, kind, tenant, name);
	return o;
}

void *object_copy(const struct object *o)
{
	void *copy = malloc(kinds[o->kind].size);

	return copy ? memcpy(copy, o, kinds[o->kind].size) : NULL;
}

bool object_equal(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && !memcmp(a, b, kinds[a->kind].size);
}

void *tenancy_get(const struct tenancy *m, enum object_kind kind, const char *tenant, const char *name)
{
	struct object key, **node;

	key_fill(&key, kind, tenant, name);
	node = tfind(&key, &m->tree[kind], compare);
	return node ? *node : NULL;
}

int tenancy_put(struct tenancy *m, void *object)
{
	struct object *o = object, **node = tsearch(o, &m->tree[o->kind], compare);

	if (!node) {
		free(o);
		return -ENOMEM;
	}
	if (*node == o) {
		m->n[o->kind]++;
	} else {
		free(*node);
		*node = o;
	}
	return 0;
}

bool tenancy_remove(struct tenancy *m, enum object_kind kind, const char *tenant, const char *name)
{
	struct object *o = tenancy_get(m, kind, tenant, name);

	if (!o)
		return false;
	tdelete(o, &m->tree[kind], compare);
	m->n[kind]--;
	free(o);
	return true;
}

struct walk {
	int (*each)(void *object, void *arg);
	void *arg;
	int rc;
};

static void step(const void *node, VISIT visit, void *arg)
{
	struct walk *w = arg;

	if ((visit == postorder || visit == leaf) && !w->rc)
		w->rc = w->each(*(void *const *)node, w->arg);
}

int tenancy_each(const struct tenancy *m, enum object_kind kind, int (*each)(void *object, void *arg),
                 void *arg)
{
	struct walk w = {each, arg, 0};

	twalk_r(m->tree[kind], step, &w);
	return w.rc;
}

static int append(void *object, void *arg)
{
	void ***at = arg;

	*(*at)++ = object;
	return 0;
}

void **tenancy_list(const struct tenancy *m, enum object_kind kind)
{
	void **list = calloc(m->n[kind] + 1u, sizeof(*list)), **at = list;

	if (list)
		tenancy_each(m, kind, append, &at);
	return list;
}

int tenancy_fail(struct tenancy_error *e, const struct object *o, const char *field, int code,
                 const char *format, ...)
{
	char text[sizeof(e->text.text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	e->kind = o ? o->kind : KINDS;
	snprintf(e->tenant, sizeof(e->tenant), "%s", o ? o->tenant : "");
	snprintf(e->name, sizeof(e->name), "%s", o ? o->name : "");
	snprintf(e->field, sizeof(e->field), "%s", field);
	e->by = (struct object){.kind = KINDS};
	error_set(&e->text, code, "%s", text);
	if (*field)
		error_prefix(&e->text, "%s", field);
	if (o && (o->kind == KIND_HOST || o->kind == KIND_TENANT))
		error_prefix(&e->text, "%s %s", kind_name(o->kind), o->name);
	else if (o)
		error_prefix(&e->text, "%s %s/%s", kind_name(o->kind), o->tenant, o->name);
	return -code;
}

bool port_activate(struct tenant_port *p, const char *host)
{
	char was[OBJECT_NAME_MAX + 1];

	for (unsigned i = 0; i < p->n_hosts; i++) {
		if (strcmp(p->hosts[i], host) != 0)
			continue;
		memcpy(was, p->hosts[0], sizeof(was));
		memmove(p->hosts[0], p->hosts[i], sizeof(was));
		memmove(p->hosts[i], was, sizeof(was));
		return true;
	}
	return false;
}

const char *port_interface(const struct object *o, char text[INTERFACE_NAME_SIZE])
{
	uint64_t words[2 * (OBJECT_NAME_MAX + 1) / 8];

	memcpy(words, o->tenant, OBJECT_NAME_MAX + 1);
	memcpy((char *)words + OBJECT_NAME_MAX + 1, o->name, OBJECT_NAME_MAX + 1);
	snprintf(text, INTERFACE_NAME_SIZE, "t-%012llx",
	         (unsigned long long)(hash_words(words, sizeof(words) / 8, 1) & 0xffffffffffffull));
	return text;
}

struct mac router_mac(uint32_t vni)
{
	return (struct mac){{0x0e, 0x57, 0x00, (uint8_t)(vni >> 16), (uint8_t)(vni >> 8), (uint8_t)vni}};
}

bool mac_is_router(struct mac m)
{
	return m.b[0] == 0x0e && m.b[1] == 0x57 && m.b[2] == 0;
}
