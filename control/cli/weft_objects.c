/* SPDX-License-Identifier: Apache-2.0 */
/* add, del, list and show of every kind of object: words become the same JSON that a file has. Called by
 * weft.c's table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/weft_tenancy.h"
#include "control/tenancy/tenancy_json.h"

/* ---- options into fields ---- */

/* Each --subnet CIDR; --gateway, --dns and --no-dhcp are about all of one family, or of all. */
static void take_subnets(const struct weft *w, json_t *to)
{
	json_t *subnets = json_array(), *one;
	const char *gateway = weft_option(w, "gateway");
	size_t i;

	json_array_foreach(weft_option_list(w, "subnet"), i, one)
	{
		json_t *s = json_pack("{s:O}", "cidr", one);

		if (gateway && !strchr(gateway, ':') == !strchr(json_string_value(one), ':'))
			json_object_set_new(s, "gateway", json_string(gateway));
		if (weft_option_list(w, "no-dhcp"))
			json_object_set_new(s, "dhcp", json_false());
		weft_take_list(w, "dns", s, "dns");
		json_array_append_new(subnets, s);
	}
	json_object_set_new(to, "subnets", subnets);
}

static json_t *fields_of(const struct weft *w, enum object_kind kind)
{
	json_t *o = json_object();

	if (kind == KIND_HOST) {
		weft_take_list(w, "vtep", o, "vtep");
		weft_take(w, "mtu", o, "mtu");
	} else if (kind == KIND_NETWORK) {
		weft_take(w, "vni", o, "vni");
		weft_take(w, "mtu", o, "mtu");
		take_subnets(w, o);
	} else if (kind == KIND_PORT) {
		weft_take(w, "network", o, "network");
		weft_take_list(w, "ip", o, "ips");
		weft_take(w, "mac", o, "mac");
		weft_take(w, "host", o, "host");
		weft_take(w, "socket", o, "socket");
		weft_take(w, "queues", o, "queues");
		weft_take_list(w, "sg", o, "groups");
	}
	return o;
}

/* ---- add, del ---- */

struct editing {
	const struct weft *w;
	struct object name;
};

static int refuse(struct tenancy_error *e, const struct object *o, int code, const char *why)
{
	return tenancy_fail(e, o, "", code, "%s", why);
}

static int add(struct edit *c, void *arg, struct tenancy_error *e)
{
	const struct editing *x = arg;
	const struct object *o = &x->name;
	json_t *fields;
	void *object;
	int rc;

	if (tenancy_get(&c->after, o->kind, o->tenant, o->name))
		return refuse(e, o, EEXIST, "exists");
	fields = fields_of(x->w, o->kind);
	rc = object_read(o->kind, o->tenant, o->name, fields, &object, e);
	json_decref(fields);
	if (!rc && edit_put(c, object))
		rc = refuse(e, o, ENOMEM, "out of memory");
	return rc;
}

/* An object that others mention stays: the check that follows finds them. */
static int del(struct edit *c, void *arg, struct tenancy_error *e)
{
	const struct object *o = &((const struct editing *)arg)->name;

	if (!tenancy_remove(&c->after, o->kind, o->tenant, o->name))
		return refuse(e, o, ENOENT, "there is none");
	if (tenancy_check(&c->after, e) == -ENOENT)
		return refuse(e, o, EEXIST, "is still in use");
	return 0;
}

static enum weft_exit edit(const struct weft *w, enum object_kind kind, const char *name, weft_edit_fn *how)
{
	struct editing x = {.w = w};
	struct tenancy_error e;
	int rc = weft_name(kind, name, &x.name, &e);

	return rc ? weft_report(rc, &e.text) : weft_edit(w, how, &x, NULL);
}

/* ---- list, show ---- */

static json_t *row_of(const struct object *o)
{
	json_t *row = json_object(), *fields = object_write(o);

	if (o->kind > KIND_TENANT)
		json_object_set_new(row, "tenant", json_string(o->tenant));
	json_object_set_new(row, "name", json_string(o->name));
	json_object_update(row, fields);
	json_decref(fields);
	return row;
}

static int append(void *object, void *arg)
{
	json_array_append_new(arg, row_of(object));
	return 0;
}

static enum weft_exit list(const struct weft *w, const struct tenancy *t, void *arg)
{
	json_t *rows = json_array();

	tenancy_each(t, *(enum object_kind *)arg, append, rows);
	weft_print(w, rows, NULL);
	json_decref(rows);
	return WEFT_OK;
}

static enum weft_exit show(const struct weft *w, const struct tenancy *t, void *arg)
{
	const struct object *name = arg, *o = tenancy_get(t, name->kind, name->tenant, name->name);
	struct tenancy_error e;
	json_t *row;

	if (!o)
		return weft_report(refuse(&e, name, ENOENT, "there is none"), &e.text);
	row = row_of(o);
	weft_print(w, row, NULL);
	json_decref(row);
	return WEFT_OK;
}

static enum weft_exit show_one(const struct weft *w, enum object_kind kind, const char *text)
{
	struct tenancy_error e;
	struct object name;
	int rc = weft_name(kind, text, &name, &e);

	return rc ? weft_report(rc, &e.text) : weft_with_state(w, show, &name);
}

/* A row of weft.c's table each: KIND add, del, list, show. */
#define COMMANDS(word, KIND)                                                                                 \
	enum weft_exit weft_##word##_add(const struct weft *w, int n, char **words)                          \
	{                                                                                                    \
		return edit(w, KIND, words[0], add);                                                         \
	}                                                                                                    \
	enum weft_exit weft_##word##_del(const struct weft *w, int n, char **words)                          \
	{                                                                                                    \
		return edit(w, KIND, words[0], del);                                                         \
	}                                                                                                    \
	enum weft_exit weft_##word##_list(const struct weft *w, int n, char **words)                         \
	{                                                                                                    \
		enum object_kind kind = KIND;                                                                \
		return weft_with_state(w, list, &kind);                                                      \
	}                                                                                                    \
	enum weft_exit weft_##word##_show(const struct weft *w, int n, char **words)                         \
	{                                                                                                    \
		return show_one(w, KIND, words[0]);                                                          \
	}

COMMANDS(host, KIND_HOST)
COMMANDS(tenant, KIND_TENANT)
COMMANDS(network, KIND_NETWORK)
COMMANDS(router, KIND_ROUTER)
COMMANDS(sg, KIND_GROUP)
COMMANDS(port, KIND_PORT)
