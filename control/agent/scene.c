/* SPDX-License-Identifier: Apache-2.0 */
/* Looking things up in a scene; see scene.h. Called by the pipeline and the answers. */
#include "control/agent/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scene_free(struct scene *s)
{
	for (unsigned i = 0; i < s->n_ports; i++)
		free(s->ports[i].socket);
	for (unsigned i = 0; i < s->n_groups; i++)
		free(s->groups[i].members);
	free(s->hosts);
	free(s->live);
	free(s->groups);
	free(s->networks);
	free(s->ports);
	free(s->local);
	*s = (struct scene){0};
}

void scene_adopt(struct scene *s, const struct scene *old)
{
	s->tunnel = old->tunnel;
	for (unsigned i = 0; i < s->n_local; i++)
		for (unsigned k = 0; k < old->n_local; k++)
			if (!strcmp(s->local[i]->interface, old->local[k]->interface)) {
				s->local[i]->ofport = old->local[k]->ofport;
				s->local[i]->claimed = old->local[k]->claimed;
			}
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

struct scene_network *scene_router_network(const struct scene *s, const struct router *r, unsigned i)
{
	for (unsigned k = 0; k < s->n_networks; k++) {
		const struct object *o = &s->networks[k].network->object;

		if (!strcmp(o->name, r->networks[i]) && !strcmp(o->tenant, r->object.tenant))
			return &s->networks[k];
	}
	return NULL;
}

const struct scene_group *scene_group(const struct scene *s, const char *tenant, const char *group)
{
	unsigned low = 0, high = s->n_groups;
	char id[ID_MAX];

	snprintf(id, sizeof(id), "%s.%s", tenant, group);
	while (low < high) {
		unsigned mid = (low + high) / 2;
		int order = strcmp(s->groups[mid].id, id);

		if (!order)
			return &s->groups[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct scene_port *scene_port_by_number(const struct scene *s, uint32_t ofport)
{
	for (unsigned i = 0; i < s->n_local; i++)
		if (s->local[i]->ofport == ofport)
			return s->local[i];
	return NULL;
}

struct scene_port *scene_port_by_ip(const struct scene_network *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->n_ports; i++)
		for (unsigned k = 0; k < net->ports[i].port->n_ips; k++)
			if (ip_equal(&net->ports[i].port->ips[k], ip))
				return &net->ports[i];
	return NULL;
}

const struct subnet *scene_subnet(const struct scene_network *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->network->n_subnets; i++)
		if (prefix_has(&net->network->subnets[i].cidr, ip))
			return &net->network->subnets[i];
	return NULL;
}
