/* SPDX-License-Identifier: Apache-2.0 */
/* From keys to what a host carries; see scene.h. Keys come in order: the host's bindings and the places of
 * ports before the networks. Called by agent.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "control/agent/scene.h"

enum { MTU_DEFAULT = 1500, VXLAN_ROOM_V4 = 50, VXLAN_ROOM_V6 = 70 };

struct keys { /* that were read and are looked up later, ascending */
	const struct view_key **keys;
	unsigned n;
};

struct building {
	struct scene *s;
	const char *host, *socket_dir;
	struct keys bindings, routers; /* of this host; definitions */
	struct keys places, attached;  /* of ports, by VNI and port; of each network, or NULL */
	unsigned next_place;
	bool *lives;  /* for each of the scene's hosts; made when the first port is placed */
	unsigned vni; /* of the network that is read, and what it was made of */
	uint64_t version;
	bool failed;
};

/* Room for one more behind `n`; NULL: no memory, `array` stays. */
static void *grow(struct building *b, void *array, unsigned n, size_t size)
{
	void *more = n & (n - 1) ? array : realloc(array, (n ? 2 * (size_t)n : 1) * size);

	b->failed |= !more;
	return more;
}

static void keep(struct building *b, struct keys *list, const struct view_key *k)
{
	const struct view_key **keys = grow(b, list->keys, list->n, sizeof(*keys));

	if (!keys)
		return;
	list->keys = keys;
	keys[list->n++] = k;
}

/* The binding of a port of this host, or NULL. */
static const struct view_key *binding_of(const struct building *b, const char *id)
{
	unsigned low = 0, high = b->bindings.n;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		int order = strcmp(view_key_step(b->bindings.keys[mid], 3), id);

		if (!order)
			return b->bindings.keys[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ---- hosts ---- */

static void read_host(struct building *b, const struct view_key *k)
{
	struct scene *s = b->s;
	const struct host *h = k->object, **hosts = h ? grow(b, s->hosts, s->n_hosts, sizeof(*hosts)) : NULL;

	if (!hosts)
		return;
	s->hosts = hosts;
	hosts[s->n_hosts++] = h;
	if (strcmp(h->object.name, b->host))
		return;
	s->self = h;
	s->interfaces_version = hash_step(s->interfaces_version, k->version);
}

static void read_live(struct building *b, const struct view_key *k)
{
	struct scene *s = b->s;
	const char **live = grow(b, s->live, s->n_live, sizeof(*live));

	if (!live)
		return;
	s->live = live;
	live[s->n_live++] = view_key_step(k, 1);
}

/* Its number, or -1. */
static int host_named(const struct scene *s, const char *name)
{
	unsigned low = 0, high = s->n_hosts;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		int order = strcmp(s->hosts[mid]->object.name, name);

		if (!order)
			return (int)mid;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

/* As far as the store knows: one without leases (this host's own is not there) knows nothing. Both lists
 * ascend. */
static void find_lives(struct building *b)
{
	struct scene *s = b->s;
	bool mine = false; /* is its own there? */

	b->lives = calloc(s->n_hosts + 1u, sizeof(*b->lives));
	b->failed |= !b->lives;
	for (unsigned i = 0; s->self && i < s->n_live; i++)
		mine |= !strcmp(s->live[i], b->host);
	for (unsigned i = 0, k = 0; b->lives && i < s->n_hosts; i++) {
		const char *name = s->hosts[i]->object.name;

		while (k < s->n_live && strcmp(s->live[k], name) < 0)
			k++;
		b->lives[i] = !mine || (k < s->n_live && !strcmp(s->live[k], name));
	}
}

/* ---- ports ---- */

static void read_binding(struct building *b, struct scene_port *p, const struct view_key *k)
{
	const char *socket = json_string_value(json_object_get(k->json, "socket"));
	json_int_t queues = json_integer_value(json_object_get(k->json, "queues"));

	p->local = true;
	p->queues = queues > 0 && queues <= 64 ? (uint16_t)queues : 1;
	port_interface(&p->port->object, p->interface);
	if (socket)
		p->socket = strdup(socket);
	else if (asprintf(&p->socket, "%s/%s.%s.sock", b->socket_dir, p->port->object.tenant,
	                  p->port->object.name) < 0)
		p->socket = NULL;
	b->failed |= !p->socket;
	b->s->interfaces_version = hash_step(b->s->interfaces_version, k->version);
}

/* Is the key loc/VNI/PORT before that of the port with the key n/VNI/p/PORT (negative), behind it, or its own
 * (0)? */
static int place_order(const struct view_key *loc, const struct view_key *port)
{
	const char *vni = view_key_step(port, 1);
	int order = strncmp(view_key_step(loc, 1), vni, (size_t)(view_key_step(port, 2) - vni));

	return order ? order : strcmp(view_key_step(loc, 2), view_key_step(port, 3));
}

static void place(struct building *b, struct scene_port *p, const struct view_key *port)
{
	const char *host;
	int number, order = -1;

	while (b->next_place < b->places.n && (order = place_order(b->places.keys[b->next_place], port)) < 0)
		b->next_place++;
	if (order)
		return;
	host = json_string_value(b->places.keys[b->next_place]->json);
	if (!b->lives)
		find_lives(b);
	number = host ? host_named(b->s, host) : -1;
	if (number >= 0 && b->lives) {
		p->host = b->s->hosts[number];
		p->host_lives = b->lives[number];
	}
	p->active = host && !strcmp(host, b->host);
}

static void read_port(struct building *b, struct scene_network *net, const struct view_key *k)
{
	struct scene *s = b->s;
	struct scene_port *ports = k->object ? grow(b, s->ports, s->n_ports, sizeof(*ports)) : NULL, *p;
	const char *id = view_key_step(k, 3);
	const struct view_key *binding = binding_of(b, id);

	if (!ports)
		return;
	s->ports = ports;
	p = &ports[s->n_ports++];
	*p = (struct scene_port){.port = k->object};
	net->n_ports++;
	if (binding) {
		read_binding(b, p, binding);
		net->here = true;
		s->n_local++;
	}
	place(b, p, k);
}

/* ---- networks ---- */

static void add_network(struct building *b, const struct view_key *k)
{
	struct scene *s = b->s;
	struct scene_network *networks =
	        k->object ? grow(b, s->networks, s->n_networks, sizeof(*networks)) : NULL;

	if (!networks)
		return;
	s->networks = networks;
	networks[s->n_networks++] = (struct scene_network){.network = k->object, .own_version = k->version};
	keep(b, &b->attached, NULL);
}

static void read_network(struct building *b, const struct view_key *k)
{
	unsigned vni = (unsigned)strtoul(view_key_step(k, 1), NULL, 10);
	struct scene_network *net;
	const char *tail = view_key_step(k, 2);

	if (vni != b->vni) {
		b->vni = vni;
		b->version = 0;
	}
	b->version = hash_step(b->version, k->version);
	if (!strcmp(tail, "net"))
		add_network(b, k);
	net = b->s->n_networks ? &b->s->networks[b->s->n_networks - 1] : NULL;
	if (!net || net->network->vni != vni)
		return;
	net->version = b->version;
	if (!strncmp(tail, "p/", 2))
		read_port(b, net, k);
	else if (!strcmp(tail, "router") && b->attached.n == b->s->n_networks)
		b->attached.keys[b->attached.n - 1] = k;
}

static void attach_router(struct building *b, struct scene_network *net, const struct view_key *attached)
{
	char id[ID_MAX];

	for (unsigned i = 0; attached && i < b->routers.n; i++) {
		const struct view_key *k = b->routers.keys[i];

		if (strcmp(id_format(k->object, id), json_string_value(attached->json) ?: ""))
			continue;
		net->router = k->object;
		net->router_version = k->version;
		net->own_version = hash_step(net->own_version, attached->version);
	}
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

/* ---- groups ---- */

static struct scene_group *group_of(struct building *b, const struct view_key *k)
{
	struct scene *s = b->s;
	const char *id = view_key_step(k, 1);
	size_t len = strcspn(id, "/");
	struct scene_group *groups = s->n_groups ? &s->groups[s->n_groups - 1] : NULL;

	if (groups && !strncmp(groups->id, id, len) && !groups->id[len])
		return groups;
	groups = len < ID_MAX ? grow(b, s->groups, s->n_groups, sizeof(*groups)) : NULL;
	if (!groups)
		return NULL;
	s->groups = groups;
	groups += s->n_groups++;
	*groups = (struct scene_group){0};
	memcpy(groups->id, id, len);
	return groups;
}

static void add_members(struct building *b, struct scene_group *g, const json_t *ips)
{
	const json_t *one;
	size_t i;

	json_array_foreach(ips, i, one)
	{
		struct ip_addr *members = grow(b, g->members, g->n_members, sizeof(*members));
		const char *text = json_string_value(one);

		if (!members)
			return;
		g->members = members;
		if (text && !ip_parse(text, &members[g->n_members]))
			g->n_members++;
	}
}

static void read_group(struct building *b, const struct view_key *k)
{
	struct scene_group *g = group_of(b, k);

	if (!g)
		return;
	g->version = hash_step(g->version, k->version);
	if (!strcmp(view_key_step(k, 2), "def"))
		g->group = k->object;
	else
		add_members(b, g, json_object_get(k->json, "ips"));
}

/* ---- the whole ---- */

static int read_key(const struct view_key *k, void *arg)
{
	struct building *b = arg;
	const char *kind = view_key_step(k, 0);

	if (!strncmp(kind, "h/", 2) && !strncmp(view_key_step(k, 2), "bind/", 5))
		keep(b, &b->bindings, k);
	else if (!strncmp(kind, "h/", 2) && !strcmp(view_key_step(k, 2), "wait"))
		b->s->asked = k->version;
	else if (!strncmp(kind, "host/", 5))
		read_host(b, k);
	else if (!strncmp(kind, "live/", 5))
		read_live(b, k);
	else if (!strncmp(kind, "loc/", 4))
		keep(b, &b->places, k);
	else if (!strncmp(kind, "n/", 2))
		read_network(b, k);
	else if (!strncmp(kind, "r/", 2) && k->object)
		keep(b, &b->routers, k);
	else if (!strncmp(kind, "sg/", 3))
		read_group(b, k);
	return b->failed;
}

static int by_vni(const void *a, const void *b)
{
	uint32_t x = ((const struct scene_network *)a)->network->vni,
	         y = ((const struct scene_network *)b)->network->vni;

	return x < y ? -1 : x > y;
}

/* Ports lie in the order in which networks were read; now they are told where. */
static void link_up(struct building *b)
{
	struct scene *s = b->s;
	struct scene_port *next = s->ports;

	for (unsigned i = 0; i < s->n_networks; i++) {
		attach_router(b, &s->networks[i], b->attached.keys[i]);
		s->networks[i].mtu = guest_mtu(s, s->networks[i].network);
		s->networks[i].ports = next;
		next += s->networks[i].n_ports;
	}
	if (s->n_networks)
		qsort(s->networks, s->n_networks, sizeof(*s->networks), by_vni);
	for (unsigned i = 0; i < s->n_networks; i++)
		for (unsigned k = 0; k < s->networks[i].n_ports; k++)
			s->networks[i].ports[k].network = &s->networks[i];
	s->local = calloc(s->n_local + 1u, sizeof(*s->local));
	b->failed |= !s->local;
	s->n_local = 0;
	for (unsigned i = 0; i < s->n_ports && s->local; i++)
		if (s->ports[i].local)
			s->local[s->n_local++] = &s->ports[i];
}

int scene_build(const struct view *v, const char *host, const char *socket_dir, struct scene *s,
                struct error *e)
{
	struct building b = {.s = s, .host = host, .socket_dir = socket_dir};

	*s = (struct scene){.rev = view_rev(v)};
	view_each(v, read_key, &b);
	if (!b.failed)
		link_up(&b);
	free(b.bindings.keys);
	free(b.places.keys);
	free(b.attached.keys);
	free(b.routers.keys);
	free(b.lives);
	if (!b.failed)
		return 0;
	scene_free(s);
	return error_set(e, ENOMEM, "out of memory");
}
