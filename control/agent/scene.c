/* SPDX-License-Identifier: Apache-2.0 */
/* Looking things up in a scene; see scene.h. Called by the pipeline and the answers. */
#include "control/agent/scene_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scene_free(struct scene *s)
{
	for (unsigned i = 0; i < s->n_networks; i++)
		scene_network_free(&s->networks[i]);
	for (unsigned i = 0; i < s->n_groups; i++)
		free(s->groups[i].members);
	free(s->hosts);
	free(s->networks);
	free(s->local);
	free(s->routers);
	free(s->groups);
	free(s->bindings);
	*s = (struct scene){0};
}

struct scene_network *scene_network(const struct scene *s, uint32_t vni)
{
	unsigned low = 0, high = s->n_networks;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (s->networks[mid].vni == vni)
			return &s->networks[mid];
		if (s->networks[mid].vni < vni)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct scene_host *scene_host(const struct scene *s, const char *name)
{
	unsigned low = 0, high = s->n_hosts;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		int order = strcmp(s->hosts[mid].host->object.name, name);

		if (!order)
			return &s->hosts[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* As strcmp() of `id` and the start of `text`, up to a '/'. */
static int id_order(const char *id, const char *text)
{
	size_t len = strcspn(text, "/");
	int order = strncmp(id, text, len);

	return order ? order : id[len] != '\0';
}

struct scene_group *scene_group_by_id(const struct scene *s, const char *id)
{
	unsigned low = 0, high = s->n_groups;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		int order = id_order(s->groups[mid].id, id);

		if (!order)
			return &s->groups[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct scene_group *scene_group(const struct scene *s, const char *tenant, const char *group)
{
	char id[ID_MAX];

	snprintf(id, sizeof(id), "%s.%s", tenant, group);
	return scene_group_by_id(s, id);
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
