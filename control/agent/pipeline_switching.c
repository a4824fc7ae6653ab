/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 40, 60 and 70: within a network. Every MAC is known, so nothing is learned and nothing unknown is
 * flooded. Called by pipeline.c. */
#include "control/agent/pipeline.h"

enum { UNICAST = 100, TRACKED_MULTICAST = 91, MULTICAST = 90 };

static void to_port(const struct scene *s, const struct scene_port *p, struct flow_writer *w)
{
	if (!pipeline_reaches(s, p))
		return;
	flow_begin(w, 40, UNICAST);
	flow_match(w, FIELD_REG0, p->network->vni);
	if (!p->active)
		flow_match(w, FIELD_REG2, 0);
	flow_match_mac(w, FIELD_ETH_DST, p->port->mac);
	pipeline_do_send(w, p);
	flow_end(w);
}

/* What is for many has no answers: it is told what it would begin, once for all copies, and not remembered.
 */
static void track_multicast(const struct scene_network *net, struct flow_writer *w)
{
	bool tracked = false;

	for (unsigned i = 0; i < net->n_local; i++)
		tracked |= pipeline_is_tracked(net->local[i]);
	for (int v4 = 0; v4 < 2 && tracked; v4++) {
		flow_begin(w, 40, TRACKED_MULTICAST);
		flow_match(w, FIELD_REG0, net->vni);
		flow_match_family(w, v4);
		flow_match_multicast(w, true);
		flow_do_set(w, FIELD_REG4, ZONE_UNKNOWN);
		flow_do_track(w, 60);
		flow_end(w);
	}
}

static void by_mac(const struct scene *s, const struct scene_network *net, struct flow_writer *w)
{
	uint32_t vni = net->vni;

	for (unsigned i = 0; i < net->n_ports; i++)
		to_port(s, &net->ports[i], w);
	if (net->router) {
		flow_begin(w, 40, UNICAST);
		flow_match(w, FIELD_REG0, vni);
		flow_match(w, FIELD_REG2, 0);
		flow_match_mac(w, FIELD_ETH_DST, router_mac(vni));
		flow_do_goto(w, 50);
		flow_end(w);
	}
	track_multicast(net, w);
	flow_begin(w, 40, MULTICAST);
	flow_match(w, FIELD_REG0, vni);
	flow_match_multicast(w, true);
	flow_do_goto(w, 60);
	flow_end(w);
}

/* Has another port of the network before number `n` the same host? */
static bool seen_before(const struct scene_network *net, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (net->ports[i].at == net->ports[n].at)
			return true;
	return false;
}

/* A host that does not live gets no copies; what is for its guests alone is still sent to it: perhaps it only
 * cannot reach the store. */
static void copy_to_hosts(const struct scene *s, const struct scene_network *net, struct flow_writer *w)
{
	flow_do_set(w, FIELD_TUN_ID, net->vni);
	for (unsigned i = 0; i < net->n_ports; i++) {
		const struct scene_host *at = net->ports[i].at;
		const struct host *h = at ? at->host : NULL;

		if (!h || h == s->self || !h->n_vteps || !at->lives || seen_before(net, i))
			continue;
		flow_do_set_ip(w, FIELD_TUN_DST, &h->vteps[0]);
		flow_do_output(w, s->tunnel);
	}
}

static void flood(const struct scene *s, const struct scene_network *net, bool from_tunnel,
                  struct flow_writer *w)
{
	flow_begin(w, 60, 100);
	flow_match(w, FIELD_REG0, net->vni);
	flow_match(w, FIELD_REG2, from_tunnel);
	for (unsigned i = 0; i < net->n_local; i++) {
		if (!net->local[i]->active)
			continue;
		flow_do_set(w, FIELD_REG3, net->local[i]->ofport);
		flow_do_resubmit(w, 80);
	}
	if (!from_tunnel && s->tunnel)
		copy_to_hosts(s, net, w);
	flow_end(w);
}

/* Local ports always; other hosts only for what comes from here: a copy goes through one tunnel at most. */
void pipeline_flood(const struct scene *s, const struct scene_network *net, struct flow_writer *w)
{
	bool any = false;

	for (unsigned i = 0; i < net->n_local; i++)
		any |= net->local[i]->active;
	if (!any)
		return;
	flood(s, net, true, w);
	flood(s, net, false, w);
}

void pipeline_switching(const struct scene *s, const struct scene_network *net, struct flow_writer *w)
{
	if (net->n_local)
		by_mac(s, net, w);
	if (!s->tunnel)
		return;
	flow_begin(w, 70, 100); /* from the router, other networks too */
	flow_match(w, FIELD_REG0, net->vni);
	flow_do_set(w, FIELD_TUN_ID, net->vni);
	flow_do_output(w, s->tunnel);
	flow_end(w);
}
