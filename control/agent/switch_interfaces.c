/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces of the agent; see switch_interfaces.h. Called by agent.c. */
#include "control/agent/switch_interfaces.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/rpc/client.h"

#define TUNNEL_NAME "t-vxlan"

enum { OFPORT_LAST = 0xfeff };

static bool is_ours(const char *name)
{
	return name && !strncmp(name, "t-", 2);
}

static json_t *row_of(const json_t *there, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(there, i, row)
	{
		const char *has = json_string_value(json_object_get(row, "name"));

		if (has && !strcmp(has, name))
			return row;
	}
	return NULL;
}

bool switch_interfaces_has(const json_t *there, const char *name)
{
	return row_of(there, name) != NULL;
}

/* "192.0.2.1,2001:db8::1" of this host; false: it has none. */
static bool tunnel_address(const struct scene *s, char text[2 * IP_TEXT_MAX + 2])
{
	char ip[IP_TEXT_MAX];

	*text = '\0';
	for (unsigned i = 0; s->self && i < s->self->n_vteps; i++)
		snprintf(text + strlen(text), 2 * IP_TEXT_MAX + 2 - strlen(text), "%s%s", i ? "," : "",
		         ip_format(&s->self->vteps[i], ip));
	return *text;
}

/* Options that cannot be changed on an interface: when they differ, it is made anew. */
static json_t *port_options(const struct scene_port *p)
{
	char queues[8];

	snprintf(queues, sizeof(queues), "%u", p->queues);
	return json_pack("{s:s, s:s, s:s, s:s}", "socket", p->socket, "role", "server", "queues", queues,
	                 "private", "yes");
}

static json_t *tunnel_options(const char *local)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "local", local, "remote", "flow", "vni", "flow",
	                 "allow", "any", "private", "yes");
}

/* What the scene wants under this name, or NULL. */
static json_t *wanted_options(const struct scene *s, const char *name)
{
	char local[2 * IP_TEXT_MAX + 2];

	if (!strcmp(name, TUNNEL_NAME))
		return tunnel_address(s, local) ? tunnel_options(local) : NULL;
	for (unsigned i = 0; i < s->n_local; i++)
		if (!strcmp(s->local[i]->interface, name))
			return port_options(s->local[i]);
	return NULL;
}

/* ---- numbers ---- */

static bool number_is_free(const struct scene *s, json_t *there, uint32_t n)
{
	json_t *row;
	size_t i;

	json_array_foreach(there, i,
	                   row) if (json_integer_value(json_object_get(row, "ofport")) == n) return false;
	for (unsigned k = 0; k < s->n_local; k++)
		if (s->local[k]->ofport == n)
			return false;
	return s->tunnel != n;
}

static uint32_t next_free(const struct scene *s, json_t *there)
{
	uint32_t n = OFPORT_FIRST;

	while (n <= OFPORT_LAST && !number_is_free(s, there, n))
		n++;
	return n <= OFPORT_LAST ? n : 0;
}

/* What is there has its number; what is new and has none from before gets one. */
static void number(const struct scene *s, json_t *there, const char *name, uint32_t *n)
{
	json_t *row = row_of(there, name);

	if (row)
		*n = (uint32_t)json_integer_value(json_object_get(row, "ofport"));
	else if (!*n)
		*n = next_free(s, there);
}

static int number_all(struct scene *s, json_t *there, struct error *e)
{
	char local[2 * IP_TEXT_MAX + 2];
	bool all = true;

	for (unsigned i = 0; i < s->n_local; i++) {
		number(s, there, s->local[i]->interface, &s->local[i]->ofport);
		all &= s->local[i]->ofport != 0;
	}
	if (tunnel_address(s, local))
		number(s, there, TUNNEL_NAME, &s->tunnel);
	else
		s->tunnel = 0;
	return all ? 0 : error_set(e, ENOSPC, "there are no port numbers left");
}

/* ---- calls ---- */

static int call(struct rpc_client *client, const char *method, json_t *params, struct error *e)
{
	json_t *result;
	int rc = rpc_client_call(client, method, params, &result, e);

	json_decref(params);
	if (!rc)
		json_decref(result);
	return rc;
}

/* Removes an interface of ours that nobody wants, or not like this; true: it is gone. */
static bool remove_row(struct rpc_client *client, const struct scene *s, json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	json_t *wanted = is_ours(name) ? wanted_options(s, name) : NULL;
	bool keep = !is_ours(name) || (wanted && json_equal(wanted, json_object_get(row, "options")));
	struct error e;

	json_decref(wanted);
	if (keep)
		return false;
	if (!call(client, "if.del", json_pack("{s:s}", "name", name), &e))
		return true;
	log_warn("interface %s: cannot be removed: %s", name, e.text);
	return false;
}

int switch_interfaces_list(const char *socket, int timeout_ms, json_t **rows, struct error *e)
{
	struct rpc_client *client;
	int rc = rpc_client_connect(&client, socket, timeout_ms, e);

	if (rc)
		return rc;
	rc = rpc_client_call(client, "if.list", NULL, rows, e);
	rpc_client_close(client);
	return rc;
}

int switch_interfaces_prepare(const char *socket, int timeout_ms, struct scene *s, json_t **there,
                              struct error *e)
{
	struct rpc_client *client;
	int rc = rpc_client_connect(&client, socket, timeout_ms, e);

	if (rc)
		return rc;
	rc = rpc_client_call(client, "if.list", NULL, there, e);
	for (size_t i = 0; !rc && i < json_array_size(*there);) {
		if (remove_row(client, s, json_array_get(*there, i)))
			json_array_remove(*there, i);
		else
			i++;
	}
	rpc_client_close(client);
	if (!rc)
		rc = number_all(s, *there, e);
	return rc;
}

static int add_one(struct rpc_client *client, json_t *there, const char *name, const char *type,
                   uint32_t ofport, json_t *options)
{
	struct error e;
	int rc = row_of(there, name) ? 0
	                             : call(client, "if.add",
	                                    json_pack("{s:s, s:s, s:I, s:O}", "name", name, "type", type,
	                                              "ofport", (json_int_t)ofport, "options", options),
	                                    &e);

	json_decref(options);
	if (rc)
		log_warn("interface %s: %s", name, e.text);
	return rc;
}

int switch_interfaces_add(const char *socket, int timeout_ms, const struct scene *s, json_t *there,
                          struct error *e)
{
	struct rpc_client *client;
	char local[2 * IP_TEXT_MAX + 2];
	bool refused = false;
	int rc = rpc_client_connect(&client, socket, timeout_ms, e);

	if (rc)
		return rc;
	for (unsigned i = 0; i < s->n_local && rc != -ECOMM; i++) {
		rc = add_one(client, there, s->local[i]->interface, "vhost-user", s->local[i]->ofport,
		             port_options(s->local[i]));
		refused |= rc != 0;
	}
	if (rc != -ECOMM && tunnel_address(s, local)) {
		rc = add_one(client, there, TUNNEL_NAME, "vxlan", s->tunnel, tunnel_options(local));
		refused |= rc != 0;
	}
	rpc_client_close(client);
	return rc == -ECOMM ? error_set(e, ECOMM, "the switch went away") : refused;
}
