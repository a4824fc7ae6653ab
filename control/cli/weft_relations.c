/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of objects that are there: ports on hosts, networks at routers, routes, rules. Each edits the
 * object's JSON, so that its reader checks what was written. Called by weft.c's table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/weft_tenancy.h"
#include "control/tenancy/tenancy_json.h"

struct editing {
	const struct weft *w;
	struct object name;
	int n;
	char **words; /* after the name */
	int (*change)(const struct editing *x, json_t *fields, struct tenancy_error *e);
};

static int wrong(const struct editing *x, struct tenancy_error *e, int code, const char *why)
{
	return tenancy_fail(e, &x->name, "", code, "%s", why);
}

static int edit(struct edit *c, void *arg, struct tenancy_error *e)
{
	const struct editing *x = arg;
	const struct object *o = tenancy_get(&c->after, x->name.kind, x->name.tenant, x->name.name);
	json_t *fields;
	void *object;
	int rc;

	if (!o)
		return wrong(x, e, ENOENT, "there is none");
	fields = object_write(o);
	rc = x->change(x, fields, e);
	if (!rc)
		rc = object_read(o->kind, o->tenant, o->name, fields, &object, e);
	json_decref(fields);
	if (!rc && edit_put(c, object))
		rc = wrong(x, e, ENOMEM, "out of memory");
	return rc;
}

static enum weft_exit run(const struct weft *w, enum object_kind kind, int n, char **words,
                          int (*change)(const struct editing *x, json_t *fields, struct tenancy_error *e))
{
	struct editing x = {.w = w, .n = n - 1, .words = words + 1, .change = change};
	struct tenancy_error e;
	int rc = weft_name(kind, words[0], &x.name, &e);

	return rc ? weft_report(rc, &e.text) : weft_edit(w, edit, &x, NULL);
}

/* The list `field`, made when it is not there. */
static json_t *list_of(json_t *fields, const char *field)
{
	json_t *list = json_object_get(fields, field);

	if (!list) {
		list = json_array();
		json_object_set_new(fields, field, list);
	}
	return list;
}

/* ---- ports ---- */

static int set_port(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	static const char *const options[][2] = {
	        {"mac", "mac"}, {"host", "host"}, {"socket", "socket"}, {"queues", "queues"}};
	static const char *const lists[][2] = {{"ip", "ips"}, {"sg", "groups"}};

	for (int i = 0; i < 4; i++) {
		const char *text = weft_option(x->w, options[i][0]);

		if (text)
			json_object_set_new(fields, options[i][1], json_string(text));
	}
	for (int i = 0; i < 2; i++) {
		json_t *list = weft_option_list(x->w, lists[i][0]);

		if (list)
			json_object_set(fields, lists[i][1], list);
	}
	return 0;
}

static int bind_port(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	const char *host = weft_option(x->w, "host");

	if (!host)
		return wrong(x, e, EINVAL, "--host: missing");
	return set_port(x, fields, e);
}

static int unbind_port(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	json_object_del(fields, "host");
	return 0;
}

enum weft_exit weft_port_set(const struct weft *w, int n, char **words)
{
	return run(w, KIND_PORT, n, words, set_port);
}

enum weft_exit weft_port_bind(const struct weft *w, int n, char **words)
{
	return run(w, KIND_PORT, n, words, bind_port);
}

enum weft_exit weft_port_unbind(const struct weft *w, int n, char **words)
{
	return run(w, KIND_PORT, n, words, unbind_port);
}

/* ---- routers ---- */

static int attach(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	json_array_append_new(list_of(fields, "interfaces"), json_string(x->words[0]));
	return 0;
}

static int detach(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	json_t *list = list_of(fields, "interfaces"), *one;
	size_t i;

	json_array_foreach(list, i, one) if (!strcmp(json_string_value(one),
	                                             x->words[0])) return json_array_remove(list, i);
	return wrong(x, e, ENOENT, "the network is not attached");
}

static int add_route(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	if (strcmp(x->words[1], "via") != 0)
		return wrong(x, e, EINVAL, "expected PREFIX via IP");
	json_array_append_new(list_of(fields, "routes"),
	                      json_pack("{s:s, s:s}", "to", x->words[0], "via", x->words[2]));
	return 0;
}

enum weft_exit weft_router_attach(const struct weft *w, int n, char **words)
{
	return run(w, KIND_ROUTER, n, words, attach);
}

enum weft_exit weft_router_detach(const struct weft *w, int n, char **words)
{
	return run(w, KIND_ROUTER, n, words, detach);
}

enum weft_exit weft_route_add(const struct weft *w, int n, char **words)
{
	if (n && !strcmp(words[0], "add"))
		return run(w, KIND_ROUTER, n - 1, words + 1, add_route);
	fputs("usage: weft router route add T/R PREFIX via IP\n", stderr);
	return WEFT_USAGE;
}

/* ---- rules: in|out [proto P] [ports P,P] [from|to CIDR|sg:G] ---- */

static int rule_word(const struct editing *x, json_t *rule, const char *word, const char *value,
                     struct tenancy_error *e)
{
	json_t *ports;
	char *text, *rest, *one;

	if (!strcmp(word, "proto"))
		return json_object_set_new(rule, "proto", json_string(value));
	if (!strcmp(word, "from") || !strcmp(word, "to"))
		return json_object_set_new(rule, word,
		                           strncmp(value, "sg:", 3) ? json_string(value)
		                                                    : json_pack("{s:s}", "group", value + 3));
	if (strcmp(word, "ports") != 0)
		return wrong(x, e, EINVAL, "expected proto, ports, from or to");
	ports = json_array();
	text = rest = strdup(value);
	while ((one = strsep(&rest, ",")))
		json_array_append_new(ports, json_string(one));
	free(text);
	return json_object_set_new(rule, "ports", ports);
}

static int add_rule(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	bool in = !strcmp(x->words[0], "in");
	json_t *rule = json_object();
	int rc = 0;

	if (!in && strcmp(x->words[0], "out") != 0)
		rc = wrong(x, e, EINVAL, "expected in or out");
	else if (x->n % 2 == 0)
		rc = wrong(x, e, EINVAL, "a word has no value");
	for (int i = 1; i < x->n && !rc; i += 2)
		rc = rule_word(x, rule, x->words[i], x->words[i + 1], e);
	if (!rc)
		json_array_append(list_of(fields, in ? "ingress" : "egress"), rule);
	json_decref(rule);
	return rc;
}

enum weft_exit weft_rule_add(const struct weft *w, int n, char **words)
{
	if (n && !strcmp(words[0], "add"))
		return run(w, KIND_GROUP, n - 1, words + 1, add_rule);
	fputs("usage: weft sg rule add T/G in|out [proto P] [ports P,...] [from|to CIDR|sg:G]\n", stderr);
	return WEFT_USAGE;
}
