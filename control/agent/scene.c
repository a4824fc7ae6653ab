/* SPDX-License-Identifier: Apache-2.0 */
/* From keys to what a host carries; see scene.h. Called by agent.c. */
#include "control/agent/scene.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { MTU_DEFAULT = 1500, VXLAN_ROOM_V4 = 50, VXLAN_ROOM_V6 = 70 };

struct building {
	struct scene *s;
	const char *host, *socket_dir;
};

/* ---- objects ---- */

static int read_object(const char *key, const char *value, void *arg)
{
	struct building *b = arg;
	struct error e;

	if (keys_read_one(key, value, &b->s->tenancy, &e) == -EINVAL)
		log_warn("store: left out: %s", e.text);
	return 0;
}

static int add_network(void *object, void *arg)
{
	struct scene *s = arg;

	s->networks[s->n_networks++].network = object;
	return 0;
}

static int by_vni(const void *a, const void *b)
{
	uint32_t x = ((const struct scene_network *)a)->network->vni,
	         y = ((const struct scene_network *)b)->network->vni;

	return x < y ? -1 : x > y;
}

struct scene_network *scene_network(const struct scene *s, uint32_t vni)
{
	unsigned low = 0, high = s->n_networks;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (s->networks[mid].network->vni == vni)
			return &s->networks[mid];
		if (s->networks[mid].network->vni < vni)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static struct scene_network *network_of(const struct scene *s, const char *tenant, const char *name)
{
	const struct network *net = tenancy_get(&s->tenancy, KIND_NETWORK, tenant, name);

	return net ? scene_network(s, net->vni) : NULL;
}

static int attach_router(void *object, void *arg)
{
	const struct router *r = object;

	for (unsigned i = 0; i < r->n_networks; i++) {
		struct scene_network *net = scene_router_network(arg, r, i);

		if (net)
			net->router = r;
	}
	return 0;
}

struct scene_network *scene_router_network(const struct scene *s, const struct router *r, unsigned i)
{
	return network_of(s, r->object.tenant, r->networks[i]);
}

/* ---- ports ---- */

static int add_port(void *object, void *arg)
{
	const struct tenant_port *p = object;
	struct scene *s = arg;
	struct scene_network *net = network_of(s, p->object.tenant, p->network);

	if (!net)
		return 0;
	s->ports[s->n_ports++] = (struct scene_port){.port = p, .network = net};
	net->n_ports++;
	return 0;
}

static struct scene_port *port_of(const struct scene *s, const char *id)
{
	unsigned low = 0, high = s->n_ports;
	struct object o;

	if (!id_parse(id, &o))
		return NULL;
	while (low < high) {
		unsigned mid = (low + high) / 2;
		const struct object *at = &s->ports[mid].port->object;
		int order = strcmp(at->tenant, o.tenant);

		if (!order)
			order = strcmp(at->name, o.name);
		if (!order)
			return &s->ports[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void read_binding(struct building *b, struct scene_port *p, const json_t *binding)
{
	const char *socket = json_string_value(json_object_get(binding, "socket"));
	json_int_t queues = json_integer_value(json_object_get(binding, "queues"));

	p->local = true;
	p->queues = queues > 0 && queues <= 64 ? (uint16_t)queues : 1;
	port_interface(&p->port->object, p->interface);
	if (socket)
		snprintf(p->socket, sizeof(p->socket), "%s", socket);
	else
		snprintf(p->socket, sizeof(p->socket), "%s/%s.%s.sock", b->socket_dir, p->port->object.tenant,
		         p->port->object.name);
}

/* Where ports are, and who is in which group: keys that speak of objects. */
static int read_relation(const char *key, const char *value, void *arg)
{
	struct building *b = arg;
	const char *k = key + strlen(KEYS_ROOT);
	char id[ID_MAX + 8], host[OBJECT_NAME_MAX + 1];
	json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);
	struct scene_port *p;

	if (sscanf(k, "n/%*u/loc/%130s", id) == 1) {
		p = port_of(b->s, id);
		snprintf(host, sizeof(host), "%s", json_string_value(json) ?: "");
		if (p) {
			p->host = tenancy_get(&b->s->tenancy, KIND_HOST, "", host);
			p->active = !strcmp(host, b->host);
		}
	} else if (sscanf(k, "h/%63[^/]/bind/%130s", host, id) == 2 && !strcmp(host, b->host)) {
		p = port_of(b->s, id);
		if (p)
			read_binding(b, p, json);
	}
	json_decref(json);
	return 0;
}

/* ---- groups ---- */

static struct scene_members *members_of(struct scene *s, const char *id)
{
	struct scene_members *groups;

	if (s->n_groups && !strcmp(s->groups[s->n_groups - 1].id, id))
		return &s->groups[s->n_groups - 1]; /* keys come in order */
	groups = realloc(s->groups, (s->n_groups + 1) * sizeof(*groups));
	if (!groups)
		return NULL;
	s->groups = groups;
	groups += s->n_groups++;
	*groups = (struct scene_members){0};
	snprintf(groups->id, sizeof(groups->id), "%.127s", id);
	return groups;
}

static int read_member(const char *key, const char *value, void *arg)
{
	struct building *b = arg;
	char id[ID_MAX + 8], tail[4];
	struct scene_members *g;
	json_t *json, *one;
	size_t i;

	if (sscanf(key + strlen(KEYS_ROOT), "sg/%130[^/]/%3[a-z]", id, tail) != 2 || strcmp(tail, "m"))
		return 0;
	json = json_loads(value, 0, NULL);
	g = members_of(b->s, id);
	json_array_foreach(json_object_get(json, "ips"), i, one)
	{
		struct ip_addr *ips = g ? realloc(g->ips, (g->n + 1) * sizeof(*ips)) : NULL;
		const char *text = json_string_value(one);

		if (!ips)
			break;
		g->ips = ips;
		if (text && !ip_parse(text, &ips[g->n]))
			g->n++;
	}
	json_decref(json);
	return 0;
}

const struct scene_members *scene_members(const struct scene *s, const char *tenant, const char *group)
{
	char id[ID_MAX];

	snprintf(id, sizeof(id), "%s.%s", tenant, group);
	for (unsigned i = 0; i < s->n_groups; i++)
		if (!strcmp(s->groups[i].id, id))
			return &s->groups[i];
	return NULL;
}

/* ---- the whole ---- */

static int list_ports(struct scene *s)
{
	for (unsigned i = 0; i < s->n_networks; i++) {
		struct scene_network *net = &s->networks[i];

		net->ports = calloc(net->n_ports + 1u, sizeof(*net->ports));
		net->n_ports = 0;
		if (!net->ports)
			return -ENOMEM;
	}
	for (unsigned i = 0; i < s->n_ports; i++) {
		struct scene_network *net = s->ports[i].network;

		net->ports[net->n_ports++] = &s->ports[i];
	}
	return 0;
}

/* An MTU that the underlay of this host carries, unless the network says its own. */
static uint16_t guest_mtu(const struct scene *s, const struct network *net)
{
	unsigned underlay = s->self && s->self->mtu ? s->self->mtu : MTU_DEFAULT, room = 0;

	for (unsigned i = 0; s->self && i < s->self->n_vteps; i++)
		if (room < VXLAN_ROOM_V6)
			room = ip_is_v4(&s->self->vteps[i]) ? VXLAN_ROOM_V4 : VXLAN_ROOM_V6;
	return net->mtu ? net->mtu : (uint16_t)(underlay - room);
}

int scene_build(const struct view *v, const char *host, const char *socket_dir, struct scene *s,
                struct error *e)
{
	struct building b = {s, host, socket_dir};
	int rc = 0;

	*s = (struct scene){.rev = view_rev(v)};
	view_each(v, read_object, &b);
	s->self = tenancy_get(&s->tenancy, KIND_HOST, "", host);
	s->networks = calloc(s->tenancy.n[KIND_NETWORK] + 1u, sizeof(*s->networks));
	s->ports = calloc(s->tenancy.n[KIND_PORT] + 1u, sizeof(*s->ports));
	if (!s->networks || !s->ports) {
		scene_free(s);
		return error_set(e, ENOMEM, "out of memory");
	}
	tenancy_each(&s->tenancy, KIND_NETWORK, add_network, s);
	qsort(s->networks, s->n_networks, sizeof(*s->networks), by_vni);
	for (unsigned i = 0; i < s->n_networks; i++)
		s->networks[i].mtu = guest_mtu(s, s->networks[i].network);
	tenancy_each(&s->tenancy, KIND_ROUTER, attach_router, s);
	tenancy_each(&s->tenancy, KIND_PORT, add_port, s);
	rc = list_ports(s);
	view_each(v, read_relation, &b);
	view_each(v, read_member, &b);
	if (rc) {
		scene_free(s);
		return error_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

void scene_free(struct scene *s)
{
	for (unsigned i = 0; i < s->n_networks && s->networks; i++)
		free(s->networks[i].ports);
	for (unsigned i = 0; i < s->n_groups; i++)
		free(s->groups[i].ips);
	free(s->groups);
	free(s->networks);
	free(s->ports);
	tenancy_free(&s->tenancy);
	*s = (struct scene){0};
}

struct scene_port *scene_port_by_number(const struct scene *s, uint32_t ofport)
{
	for (unsigned i = 0; i < s->n_ports; i++)
		if (s->ports[i].local && s->ports[i].ofport == ofport)
			return &s->ports[i];
	return NULL;
}

struct scene_port *scene_port_by_ip(const struct scene_network *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->n_ports; i++)
		for (unsigned k = 0; k < net->ports[i]->port->n_ips; k++)
			if (ip_equal(&net->ports[i]->port->ips[k], ip))
				return net->ports[i];
	return NULL;
}

const struct subnet *scene_subnet(const struct scene_network *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->network->n_subnets; i++)
		if (prefix_has(&net->network->subnets[i].cidr, ip))
			return &net->network->subnets[i];
	return NULL;
}
