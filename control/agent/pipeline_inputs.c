/* SPDX-License-Identifier: Apache-2.0 */
/* What the flows of a network depend on; see pipeline.h. Whatever another file of the pipeline looks at has
 * to be here. Called by host_flows.c. */
#include <string.h>

#include "base/hash.h"
#include "control/agent/pipeline.h"

static uint64_t mix_host(uint64_t h, const struct host *host)
{
	for (unsigned i = 0; host && i < host->n_vteps; i++) {
		uint64_t words[2];

		memcpy(words, host->vteps[i].b, sizeof(words));
		h = hash_step(hash_step(h, words[0]), words[1]);
	}
	return hash_step(h, host ? host->n_vteps : 99);
}

/* A group of a local port, and the groups that its rules speak of. */
static uint64_t mix_group(uint64_t h, const struct scene *s, const char *tenant, const char *name)
{
	const struct scene_group *g = scene_group(s, tenant, name), *peers;

	h = hash_step(h, g ? g->version : 0);
	for (unsigned i = 0; g && g->group && i < g->group->n_rules; i++) {
		if (!*g->group->rules[i].group)
			continue;
		peers = scene_group(s, tenant, g->group->rules[i].group);
		h = hash_step(h, peers ? peers->version : 0);
	}
	return h;
}

static uint64_t mix_port(uint64_t h, const struct scene *s, const struct scene_port *p)
{
	h = mix_host(h, p->host);
	h = hash_step(h, p->local | 2u * p->active | (uint64_t)p->ofport << 8);
	for (unsigned i = 0; p->local && i < p->port->n_groups; i++)
		h = mix_group(h, s, p->port->object.tenant, p->port->groups[i]);
	return h;
}

/* A static route ends at a port of one of the router's networks. */
static uint64_t mix_router(uint64_t h, const struct scene *s, const struct scene_network *net)
{
	h = hash_step(h, net->router_version);
	for (unsigned i = 0; i < net->router->n_networks; i++) {
		const struct scene_network *other = scene_router_network(s, net->router, i);

		h = hash_step(h, other ? other->own_version : 0);
		for (unsigned k = 0; other && other != net && net->router->n_routes && k < other->n_ports;
		     k++)
			h = mix_port(hash_step(h, other->version), s, &other->ports[k]);
	}
	return h;
}

/* Where copies go: local ports, and hosts that live. */
static uint64_t mix_flood(uint64_t h, const struct scene *s, const struct scene_network *net)
{
	h = hash_step(h, net->network->vni);
	for (unsigned i = 0; i < net->n_ports; i++) {
		const struct scene_port *p = &net->ports[i];

		h = mix_host(h, p->host);
		h = hash_step(h, p->host_lives | 2u * p->active | 4u * (p->host == s->self) |
		                         (uint64_t)p->ofport << 8);
	}
	return h;
}

uint64_t pipeline_inputs(const struct scene *s, const struct scene_network *net, enum pipeline_part part)
{
	uint64_t h = hash_step(1, s->tunnel);

	for (unsigned i = 0; !net && i < s->n_hosts; i++)
		h = mix_host(h, s->hosts[i]);
	if (!net)
		return h;
	if (part == PIPELINE_FLOOD)
		return mix_flood(h, s, net);
	h = hash_step(h, net->version);
	for (unsigned i = 0; i < net->n_ports; i++)
		h = mix_port(h, s, &net->ports[i]);
	return net->router ? mix_router(h, s, net) : h;
}
