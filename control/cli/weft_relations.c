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
	bool del;     /* the word before the name was "del" */
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
	if (!rc && weft_option_list(x->w, "activate"))
		port_activate(tenancy_get(&c->after, KIND_PORT, x->name.tenant, x->name.name),
		              weft_option(x->w, "host"));
	return rc;
}

static enum weft_exit run(const struct weft *w, enum object_kind kind, int n, char **words,
                          int (*change)(const struct editing *x, json_t *fields, struct tenancy_error *e))
{
	struct editing x = {
	        .w = w, .n = n - 1, .words = words + 1, .del = !strcmp(words[-1], "del"), .change = change};
	struct tenancy_error e;
	int rc = weft_name(kind, words[0], &x.name, &e);

	return rc ? weft_report(rc, &e.text) : weft_edit(w, edit, &x, NULL);
}

/* The list `field`, made of what is there. */
static json_t *list_of(json_t *fields, const char *field)
{
	json_t *was = json_object_get(fields, field), *list = json_is_array(was) ? was : json_array();

	if (list == was)
		return list;
	if (was)
		json_array_append(list, was);
	json_object_set_new(fields, field, list);
	return list;
}

/* Where `text` is in a list of texts; behind its end: nowhere. */
static size_t find(const json_t *list, const char *text)
{
	size_t i = 0;

	while (i < json_array_size(list) && strcmp(json_string_value(json_array_get(list, i)), text) != 0)
		i++;
	return i;
}

/* ---- ports ---- */

static int set_port(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	static const char *const options[] = {"mac", "host", "socket", "queues"};

	for (int i = 0; i < 4; i++)
		weft_take(x->w, options[i], fields, options[i]);
	weft_take_list(x->w, "ip", fields, "ips");
	weft_take_list(x->w, "sg", fields, "groups");
	return 0;
}

/* One host more, to which the guest moves; how much a port can have says its reader. */
static int bind_port(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	const char *host = weft_option(x->w, "host"), *socket = weft_option(x->w, "socket");
	json_t *hosts = list_of(fields, "host");

	if (!host)
		return wrong(x, e, EINVAL, "--host: missing");
	if (socket)
		json_object_set_new(fields, "socket", json_string(socket));
	if (find(hosts, host) < json_array_size(hosts))
		return 0;
	if (json_array_size(hosts) == PORT_HOSTS_MAX)
		return wrong(x, e, EEXIST, "moves between two hosts already; unbind one of them");
	return json_array_append_new(hosts, json_string(host));
}

/* Without --host: from all. */
static int unbind_port(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	const char *host = weft_option(x->w, "host");
	json_t *hosts = list_of(fields, "host");
	size_t at = host ? find(hosts, host) : 0;

	if (host && at == json_array_size(hosts))
		return wrong(x, e, ENOENT, "that host does not carry it");
	if (!host)
		json_array_clear(hosts);
	return host ? json_array_remove(hosts, at) : 0;
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
	json_t *list = list_of(fields, "interfaces");

	if (find(list, x->words[0]) == json_array_size(list))
		return wrong(x, e, ENOENT, "the network is not attached");
	return json_array_remove(list, find(list, x->words[0]));
}

/* `add` or `del` of an element of a list, that one must be there for. */
static int change_list(const struct editing *x, json_t *list, json_t *element, struct tenancy_error *e)
{
	size_t i = 0;

	if (!x->del)
		return json_array_append_new(list, element);
	while (i < json_array_size(list) && !json_equal(json_array_get(list, i), element))
		i++;
	json_decref(element);
	return i < json_array_size(list) ? json_array_remove(list, i)
	                                 : wrong(x, e, ENOENT, "there is no such one");
}

static int change_route(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	if (strcmp(x->words[1], "via") != 0)
		return wrong(x, e, EINVAL, "expected PREFIX via IP");
	return change_list(x, list_of(fields, "routes"),
	                   json_pack("{s:s, s:s}", "to", x->words[0], "via", x->words[2]), e);
}

enum weft_exit weft_router_attach(const struct weft *w, int n, char **words)
{
	return run(w, KIND_ROUTER, n, words, attach);
}

enum weft_exit weft_router_detach(const struct weft *w, int n, char **words)
{
	return run(w, KIND_ROUTER, n, words, detach);
}

/* "add" or "del", then what `run` takes. */
static enum weft_exit
run_list(const struct weft *w, enum object_kind kind, int n, char **words, const char *usage,
         int (*change)(const struct editing *x, json_t *fields, struct tenancy_error *e))
{
	if (!strcmp(words[0], "add") || !strcmp(words[0], "del"))
		return run(w, kind, n - 1, words + 1, change);
	fprintf(stderr, "usage: weft %s\n", usage);
	return WEFT_USAGE;
}

enum weft_exit weft_route(const struct weft *w, int n, char **words)
{
	return run_list(w, KIND_ROUTER, n, words, "router route add|del T/R PREFIX via IP", change_route);
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

/* The rule as the group would have it, so that it is found among its own. */
static json_t *normal_rule(const struct editing *x, bool in, json_t *rule, struct tenancy_error *e)
{
	json_t *group = json_pack("{s:[O]}", in ? "ingress" : "egress", rule), *normal = NULL;
	void *object;

	if (!object_read(KIND_GROUP, x->name.tenant, x->name.name, group, &object, e)) {
		normal = rule_write(&((struct group *)object)->rules[0]);
		free(object);
	}
	json_decref(group);
	return normal;
}

static int change_rule(const struct editing *x, json_t *fields, struct tenancy_error *e)
{
	bool in = !strcmp(x->words[0], "in");
	json_t *rule = json_object(), *normal = NULL;
	int rc = 0;

	if (!in && strcmp(x->words[0], "out") != 0)
		rc = wrong(x, e, EINVAL, "expected in or out");
	else if (x->n % 2 == 0)
		rc = wrong(x, e, EINVAL, "a word has no value");
	for (int i = 1; i < x->n && !rc; i += 2)
		rc = rule_word(x, rule, x->words[i], x->words[i + 1], e);
	if (!rc)
		normal = normal_rule(x, in, rule, e);
	json_decref(rule);
	if (rc || !normal)
		return rc ? rc : -EINVAL;
	return change_list(x, list_of(fields, in ? "ingress" : "egress"), normal, e);
}

enum weft_exit weft_rule(const struct weft *w, int n, char **words)
{
	return run_list(w, KIND_GROUP, n, words,
	                "sg rule add|del T/G in|out [proto P] [ports P,...] [from|to CIDR|sg:G]",
	                change_rule);
}
