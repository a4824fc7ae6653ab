/* SPDX-License-Identifier: Apache-2.0 */
/* Interface definitions and their ports; see interfaces.h. Called by control/switchd/methods.c and switchd.c.
 */
#include "control/switchd/interfaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/switchd/affinity.h"
#include "control/switchd/state.h"
#include "ports/options.h"

struct interface {
	struct interface *next;
	char name[PORT_NAME_MAX];
	char type[16];
	uint32_t ofport;
	json_t *options;
	struct port *port; /* NULL: could not be made, `why` says why */
	struct error why;
};

struct interfaces {
	struct switchd *switchd;
	struct interface *first;
	unsigned n;
};

struct interfaces *interfaces_create(struct switchd *s)
{
	struct interfaces *list = calloc(1, sizeof(*list));

	if (list)
		list->switchd = s;
	return list;
}

static void interface_free(struct interface *i)
{
	json_decref(i->options);
	free(i);
}

void interfaces_destroy(struct interfaces *list)
{
	if (!list)
		return;
	while (list->first) {
		struct interface *i = list->first;

		list->first = i->next;
		if (i->port)
			switchd_remove_port(list->switchd, i->port);
		interface_free(i);
	}
	free(list);
}

static struct interface **find(struct interfaces *list, const char *name)
{
	struct interface **at = &list->first;

	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	return at;
}

static int save(struct interfaces *list, struct error *e)
{
	json_t *all = json_array();

	for (struct interface *i = list->first; i; i = i->next)
		json_array_append_new(all, json_pack("{s:s, s:s, s:I, s:O}", "name", i->name, "type", i->type,
		                                     "ofport", (json_int_t)i->ofport, "options", i->options));
	return state_save(list->switchd->options->state, list->switchd->state, "interfaces", all, e);
}

/* What every interface has, whatever its type. */
static const char *const common_keys[] = {"storm-broadcast", "storm-multicast", "storm-unknown", "affinity",
                                          NULL};

/* `limits` as they are, changed by `options`. */
static int read_storm(const json_t *options, struct storm_limits *limits, struct error *e)
{
	uint32_t *limit[] = {&limits->broadcast, &limits->multicast, &limits->unknown};
	uint64_t value;
	int rc = options_known(options, common_keys, e);

	for (int k = 0; !rc && k < 3; k++) {
		rc = options_number(options, common_keys[k], 0, UINT32_MAX, *limit[k], &value, e);
		*limit[k] = (uint32_t)value;
	}
	return rc;
}

static bool is_common(const char *key)
{
	return !strncmp(key, "storm-", 6) || !strcmp(key, "affinity");
}

/* Splits the options that every interface has from those of its type; both are new references. */
static json_t *take_common(json_t *options, json_t **rest)
{
	json_t *common = json_object();
	const char *key;
	json_t *value;

	*rest = json_object();
	json_object_foreach(options, key, value) json_object_set(is_common(key) ? common : *rest, key, value);
	return common;
}

static int set_storm(struct interfaces *list, struct interface *i, const struct storm_limits *limits,
                     struct error *e)
{
	int rc = datapath_port_set_storm(list->switchd->datapath, i->port, limits);

	return rc ? error_set(e, -rc, "out of memory") : 0;
}

static int read_affinity(struct interfaces *list, struct interface *i, const json_t *common,
                         struct affinity *out, struct error *e)
{
	const char *text = options_text(common, "affinity", "any", e);

	return text ? affinity_read(list->switchd, i->port, text, out, e) : -EINVAL;
}

static int make_port(struct interfaces *list, struct interface *i, struct error *e)
{
	json_t *rest, *common = take_common(i->options, &rest);
	struct storm_limits limits = {0};
	struct affinity affinity;
	int rc = read_storm(common, &limits, e);

	if (!rc)
		rc = datapath_port_add(list->switchd->datapath, i->name, i->type, i->ofport, rest, &i->port,
		                       e);
	if (!rc) {
		i->ofport = i->port->ofport;
		switchd_tell_port(list->switchd, i->port, OFPPR_ADD);
		rc = set_storm(list, i, &limits, e);
		if (!rc)
			rc = read_affinity(list, i, common, &affinity, e);
		if (!rc)
			rc = affinity_apply(list->switchd, i->port, &affinity, e);
		if (rc) {
			switchd_remove_port(list->switchd, i->port);
			i->port = NULL;
		}
	}
	json_decref(rest);
	json_decref(common);
	return rc;
}

static struct interface *append(struct interfaces *list, const char *name, const char *type, uint32_t ofport,
                                json_t *options)
{
	struct interface *i = calloc(1, sizeof(*i)), **at = &list->first;

	if (!i)
		return NULL;
	memcpy(i->name, name, strlen(name) + 1);
	memcpy(i->type, type, strlen(type) + 1);
	i->ofport = ofport;
	i->options = json_deep_copy(options);
	while (*at)
		at = &(*at)->next;
	*at = i;
	list->n++;
	return i;
}

static void unlink_interface(struct interfaces *list, struct interface **at)
{
	struct interface *i = *at;

	*at = i->next;
	list->n--;
	interface_free(i);
}

static int check(struct interfaces *list, const char *name, const char *type, struct error *e)
{
	if (!*name || strlen(name) >= PORT_NAME_MAX || strpbrk(name, "/ \t\n,=:"))
		return error_set(e, EINVAL,
		                 "name: expected 1 to %d letters without blanks, '/', ',', '=' or ':'",
		                 PORT_NAME_MAX - 1);
	if (!*type || strlen(type) >= sizeof(((struct interface *)0)->type))
		return error_set(e, EINVAL, "type: expected vhost-user, afxdp, ethdev, tap or vxlan");
	if (*find(list, name))
		return error_set(e, EEXIST, "name: interface '%s' exists", name);
	if (list->n >= INTERFACES_MAX)
		return error_set(e, ENOSPC, "name: there are %d interfaces already", INTERFACES_MAX);
	return 0;
}

int interfaces_add(struct interfaces *list, const char *name, const char *type, uint32_t ofport,
                   json_t *options, struct error *e)
{
	struct interface *i;
	int rc = check(list, name, type, e);

	if (rc)
		return rc;
	i = append(list, name, type, ofport, options);
	if (!i)
		return error_set(e, ENOMEM, "out of memory");
	rc = make_port(list, i, e);
	if (!rc)
		rc = save(list, e);
	if (rc) {
		if (i->port)
			switchd_remove_port(list->switchd, i->port);
		unlink_interface(list, find(list, name));
		return rc;
	}
	return 0;
}

int interfaces_set(struct interfaces *list, const char *name, json_t *options, struct error *e)
{
	struct interface *i = *find(list, name);
	struct storm_limits limits;
	struct affinity affinity;
	json_t *rest, *common;
	int rc;

	if (!i)
		return error_set(e, ENOENT, "name: no interface '%s'", name);
	if (!i->port)
		return error_set(e, EAGAIN, "name: interface '%s' is not up: %s", name, i->why.text);
	common = take_common(options, &rest);
	datapath_port_get_storm(list->switchd->datapath, i->port, &limits);
	rc = read_storm(common, &limits, e); /* all that can be wrong here, before anything is changed */
	if (!rc)
		rc = read_affinity(list, i, common, &affinity, e);
	if (!rc && json_object_size(rest) && !i->port->ops->set)
		rc = error_set(e, ENOTSUP, "%s: cannot be changed on an interface of type %s",
		               json_object_iter_key(json_object_iter(rest)), i->type);
	else if (!rc && json_object_size(rest))
		rc = i->port->ops->set(i->port, rest, e);
	if (!rc && json_object_size(common))
		rc = set_storm(list, i, &limits, e);
	if (!rc && json_object_get(common, "affinity"))
		rc = affinity_apply(list->switchd, i->port, &affinity, e);
	json_decref(rest);
	json_decref(common);
	if (rc)
		return rc;
	json_object_update(i->options, options);
	return save(list, e);
}

int interfaces_del(struct interfaces *list, const char *name, struct error *e)
{
	struct interface **at = find(list, name);

	if (!*at)
		return error_set(e, ENOENT, "name: no interface '%s'", name);
	if ((*at)->port)
		switchd_remove_port(list->switchd, (*at)->port);
	unlink_interface(list, at);
	return save(list, e);
}

static void try_port(struct interfaces *list, struct interface *i)
{
	struct error before = i->why;

	if (make_port(list, i, &i->why) == 0)
		log_info("interface %s: up", i->name);
	else if (strcmp(before.text, i->why.text))
		log_warn("interface %s: %s (tried again every second)", i->name, i->why.text);
}

int interfaces_restore(struct interfaces *list, struct error *e)
{
	json_t *all = json_object_get(list->switchd->state, "interfaces"), *one;
	size_t index;

	if (all && !json_is_array(all))
		return error_set(e, EINVAL, "state: %s: interfaces: expected a list",
		                 list->switchd->options->state);
	json_array_foreach(all, index, one)
	{
		const char *name, *type;
		json_t *options;
		json_int_t ofport;

		if (json_unpack(one, "{s:s, s:s, s:I, s:o}", "name", &name, "type", &type, "ofport", &ofport,
		                "options", &options) ||
		    check(list, name, type, e)) {
			log_error("state: %s: interface %zu is not usable", list->switchd->options->state,
			          index);
			continue;
		}
		if (append(list, name, type, (uint32_t)ofport, options))
			try_port(list, *find(list, name));
	}
	return 0;
}

void interfaces_retry(struct interfaces *list)
{
	for (struct interface *i = list->first; i; i = i->next)
		if (!i->port)
			try_port(list, i);
}

static json_t *show(const struct interface *i)
{
	json_t *o =
	        json_pack("{s:s, s:s, s:I, s:O, s:b}", "name", i->name, "type", i->type, "ofport",
	                  (json_int_t)i->ofport, "options", i->options, "up", i->port && i->port->carrier);
	char mac[MAC_TEXT_MAX];

	if (!i->port) {
		json_object_set_new(o, "error", json_string(i->why.text));
		return o;
	}
	json_object_set_new(o, "mtu", json_integer(i->port->mtu));
	json_object_set_new(o, "mac", json_string(mac_format(i->port->mac, mac)));
	json_object_set_new(o, "queues", json_integer(i->port->nrxq));
	if (i->port->ops->info)
		json_object_set_new(o, "info", i->port->ops->info(i->port));
	return o;
}

bool interfaces_has(const struct interfaces *list, const struct port *port)
{
	for (const struct interface *i = list->first; i; i = i->next)
		if (i->port == port)
			return true;
	return false;
}

json_t *interfaces_show(struct interfaces *list, const char *name, struct error *e)
{
	json_t *all;

	if (name) {
		struct interface *i = *find(list, name);

		if (i)
			return show(i);
		error_set(e, ENOENT, "name: no interface '%s'", name);
		return NULL;
	}
	all = json_array();
	for (struct interface *i = list->first; i; i = i->next)
		json_array_append_new(all, show(i));
	return all;
}
