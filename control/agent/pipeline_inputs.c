/* SPDX-License-Identifier: Apache-2.0 */
/* What the flows of a network depend on; see pipeline.h. Whatever another file of the pipeline looks at has
 * to be here, by itself or in a version of the scene's. Called by host_flows.c. */
#include "base/hash.h"
#include "control/agent/pipeline.h"

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

static uint64_t mix_groups(uint64_t h, const struct scene *s, const struct scene_network *net)
{
	for (unsigned i = 0; i < net->n_local; i++) {
		const struct tenant_port *p = net->local[i]->port;

		for (unsigned k = 0; k < p->n_groups; k++)
			h = mix_group(h, s, p->object.tenant, p->groups[k]);
	}
	return h;
}

/* Where ports are, and by which numbers one comes to those here. */
static uint64_t mix_places(uint64_t h, const struct scene_network *net)
{
	h = hash_step(h, net->places);
	for (unsigned i = 0; i < net->n_local; i++)
		h = hash_step(h, net->local[i]->ofport);
	return h;
}

/* A static route ends at a port of one of the router's networks. */
static uint64_t mix_router(uint64_t h, const struct scene_router *r)
{
	h = hash_step(h, r->version);
	for (unsigned i = 0; i < r->router->n_networks; i++) {
		const struct scene_network *net = r->networks[i];

		h = hash_step(h, net ? net->own_version : 0);
		if (net && r->router->n_routes)
			h = mix_places(hash_step(h, net->version), net);
	}
	return h;
}

uint64_t pipeline_inputs(const struct scene *s, const struct scene_network *net, enum pipeline_part part)
{
	uint64_t h = hash_step(1, s->tunnel);

	if (!net)
		return hash_step(h, s->hosts_version);
	h = mix_places(h, net);
	if (part == PIPELINE_FLOOD)
		return hash_step(hash_step(h, net->vni), net->lives);
	h = mix_groups(hash_step(h, net->version), s, net);
	return net->router ? mix_router(h, net->router) : h;
}
