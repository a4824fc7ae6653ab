/* SPDX-License-Identifier: Apache-2.0 */
/* From keys to one network of a scene, with its ports; see scene_build.h. Called by scene_build.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "control/agent/scene_build.h"

enum { MTU_DEFAULT = 1500, VXLAN_ROOM_V4 = 50, VXLAN_ROOM_V6 = 70 };

struct reading {
	struct building *b;
	struct scene_network *net;
	const struct view_key **places; /* of its ports, ascending as those */
	unsigned n_places, next_place;
	const struct view_key *attached; /* to a router; NULL: to none */
};

/* ---- ports ---- */

/* The binding of a port of this host, or NULL. */
static const struct view_key *binding_of(const struct scene *s, const char *id)
{
	unsigned low = 0, high = s->n_bindings;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		int order = strcmp(view_key_step(s->bindings[mid], 3), id);

		if (!order)
			return s->bindings[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void bind_port(struct building *b, struct scene_port *p, const struct view_key *k)
{
	const char *socket = json_string_value(json_object_get(k->json, "socket"));
	json_int_t queues = json_integer_value(json_object_get(k->json, "queues"));

	p->local = true;
	p->zone = p->port->n_groups ? ZONE_FOUND : ZONE_STALE;
	p->version = k->version;
	p->queues = queues > 0 && queues <= 64 ? (uint16_t)queues : 1;
	port_interface(&p->port->object, p->interface);
	if (socket)
		p->socket = strdup(socket);
	else if (asprintf(&p->socket, "%s/%s.%s.sock", b->socket_dir, p->port->object.tenant,
	                  p->port->object.name) < 0)
		p->socket = NULL;
	b->failed |= !p->socket;
}

static int read_place(const struct view_key *k, void *arg)
{
	struct reading *r = arg;
	const struct view_key **places = scene_grow(r->b, r->places, r->n_places, sizeof(*places));

	if (!places)
		return 1;
	r->places = places;
	places[r->n_places++] = k;
	return 0;
}

/* Where the port with this id is active. */
static void place(struct reading *r, struct scene_port *p, const char *id)
{
	const char *host;
	int order = -1;

	while (r->next_place < r->n_places &&
	       (order = strcmp(view_key_step(r->places[r->next_place], 2), id)) < 0)
		r->next_place++;
	if (order)
		return;
	host = json_string_value(r->places[r->next_place]->json);
	p->at = host ? scene_host(r->b->s, host) : NULL;
	p->active = host && !strcmp(host, r->b->host);
}

static void read_port(struct reading *r, const struct view_key *k)
{
	struct scene_network *net = r->net;
	struct scene_port *ports = k->object ? scene_grow(r->b, net->ports, net->n_ports, sizeof(*ports))
	                                     : NULL,
	                  *p;
	const char *id = view_key_step(k, 3);
	const struct view_key *binding = binding_of(r->b->s, id);

	if (!ports)
		return;
	net->ports = ports;
	p = &ports[net->n_ports++];
	*p = (struct scene_port){.port = k->object, .network = net};
	if (binding)
		bind_port(r->b, p, binding);
	net->n_local += p->local;
	place(r, p, id);
	net->places = hash_step(net->places, p->local | 2u * p->active);
	net->places = hash_step(net->places, p->at ? p->at->version : 0);
}

static void find_local(struct building *b, struct scene_network *net)
{
	net->local = net->n_local ? malloc(net->n_local * sizeof(struct scene_port *)) : NULL;
	b->failed |= net->n_local && !net->local;
	net->n_local = 0;
	for (unsigned i = 0; i < net->n_ports && net->local; i++)
		if (net->ports[i].local)
			net->local[net->n_local++] = &net->ports[i];
}

/* ---- the network ---- */

static int read_key(const struct view_key *k, void *arg)
{
	struct reading *r = arg;
	struct scene_network *net = r->net;
	const char *tail = view_key_step(k, 2);

	net->version = hash_step(net->version, k->version);
	if (!strncmp(tail, "p/", 2)) {
		read_port(r, k);
		return r->b->failed;
	}
	net->own_version = hash_step(net->own_version, k->version);
	if (!strcmp(tail, "net"))
		net->network = k->object;
	else if (!strcmp(tail, "router"))
		r->attached = k;
	return 0;
}

static const struct scene_router *router_named(const struct scene *s, const char *id)
{
	size_t len = strlen(id);

	for (unsigned i = 0; i < s->n_routers; i++)
		if (!strncmp(s->routers[i].id, id, len) && s->routers[i].id[len] == '/')
			return &s->routers[i];
	return NULL;
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

void scene_network_note_lives(struct scene_network *net)
{
	net->lives = 0;
	for (unsigned i = 0; i < net->n_ports; i++)
		net->lives = hash_step(net->lives, net->ports[i].at && net->ports[i].at->lives);
}

void scene_network_read(struct building *b, struct scene_network *net)
{
	struct reading r = {.b = b, .net = net};
	char prefix[STORE_KEY_MAX];

	*net = (struct scene_network){.vni = net->vni};
	snprintf(prefix, sizeof(prefix), KEYS_ROOT "loc/%u/", net->vni);
	view_each_under(b->v, prefix, read_place, &r);
	snprintf(prefix, sizeof(prefix), KEYS_ROOT "n/%u/", net->vni);
	view_each_under(b->v, prefix, read_key, &r);
	free(r.places);
	net->router = r.attached ? router_named(b->s, json_string_value(r.attached->json) ?: "") : NULL;
	net->mtu = net->network ? guest_mtu(b->s, net->network) : 0;
	scene_network_note_lives(net);
	find_local(b, net);
}

/* `moved`: from another network, where addresses may be the same. */
static void adopt_port(struct scene_port *p, const struct scene_port *old, bool moved)
{
	p->ofport = old->ofport;
	p->claimed = old->claimed;
	if (p->zone == ZONE_FOUND) /* it is in a group */
		p->zone = moved || (old->active && !p->active) ? ZONE_STALE : old->zone;
}

void scene_network_adopt(struct scene_network *net, const struct scene_network *old)
{
	for (unsigned i = 0; i < net->n_local; i++)
		for (unsigned k = 0; k < old->n_local; k++)
			if (!strcmp(net->local[i]->interface, old->local[k]->interface))
				adopt_port(net->local[i], old->local[k], net->vni != old->vni);
}

void scene_network_free(struct scene_network *net)
{
	for (unsigned i = 0; i < net->n_ports; i++)
		free(net->ports[i].socket);
	free(net->ports);
	free(net->local);
}
