/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 40, 60 and 70: within a network. Every MAC is known, so nothing is learned and nothing unknown is
 * flooded. Called by pipeline.c. */
#include <stdlib.h>
#include <string.h>

#include "control/agent/pipeline.h"
#include "flows/text.h"

enum { UNICAST = 100, MULTICAST = 90 };

static void by_mac(const struct scene *s, const struct scene_network *net, struct flow_set *out)
{
	char mac[MAC_TEXT_MAX], way[160];
	uint32_t vni = net->network->vni;

	for (unsigned i = 0; i < net->n_ports; i++) {
		const struct scene_port *p = &net->ports[i];

		if (!pipeline_to_port(s, p, way))
			continue;
		flow_set_add(out, COOKIE_MARK, "table=40,priority=%d,reg0=0x%x,%sdl_dst=%s,actions=%s",
		             UNICAST, vni, p->active ? "" : "reg2=0,", mac_format(p->port->mac, mac), way);
	}
	if (net->router)
		flow_set_add(out, COOKIE_MARK,
		             "table=40,priority=%d,reg0=0x%x,reg2=0,dl_dst=%s,actions=goto_table:50", UNICAST,
		             vni, mac_format(router_mac(vni), mac));
	flow_set_add(out, COOKIE_MARK,
	             "table=40,priority=%d,reg0=0x%x,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,"
	             "actions=goto_table:60",
	             MULTICAST, vni);
}

/* Has another port of the network before number `n` the same host? */
static bool seen_before(const struct scene_network *net, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (net->ports[i].host == net->ports[n].host)
			return true;
	return false;
}

/* A host that does not live gets no copies; what is for its guests alone is still sent to it: perhaps it only
 * cannot reach the store. */
static void add_remote_hosts(const struct scene *s, const struct scene_network *net, struct text *actions)
{
	char ip[IP_TEXT_MAX];

	if (!s->tunnel)
		return;
	text_add(actions, ",set_field:0x%x->tun_id", net->network->vni);
	for (unsigned i = 0; i < net->n_ports; i++) {
		const struct host *h = net->ports[i].host;

		if (!h || h == s->self || !h->n_vteps || seen_before(net, i) || !net->ports[i].host_lives)
			continue;
		text_add(actions, ",set_field:%s->%s,output:%u", ip_format(&h->vteps[0], ip),
		         ip_is_v4(&h->vteps[0]) ? "tun_dst" : "tun_ipv6_dst", s->tunnel);
	}
}

/* Local ports always; other hosts only for what comes from here: a copy goes through one tunnel at most. */
void pipeline_flood(const struct scene *s, const struct scene_network *net, struct flow_set *out)
{
	struct text local = {0}, all = {0};

	for (unsigned i = 0; i < net->n_ports; i++)
		if (net->ports[i].active)
			text_add(&local, ",set_field:%u->reg3,resubmit(,80)", net->ports[i].ofport);
	text_add(&all, "%s", text_get(&local));
	add_remote_hosts(s, net, &all);
	if (local.len) {
		flow_set_add(out, COOKIE_MARK, "table=60,priority=100,reg0=0x%x,reg2=1,actions=%s",
		             net->network->vni, text_get(&local) + 1);
		flow_set_add(out, COOKIE_MARK, "table=60,priority=100,reg0=0x%x,reg2=0,actions=%s",
		             net->network->vni, text_get(&all) + 1);
	}
	text_free(&local);
	text_free(&all);
}

void pipeline_switching(const struct scene *s, const struct scene_network *net, struct flow_set *out)
{
	if (net->here)
		by_mac(s, net, out);
	if (s->tunnel) /* from the router, other networks too */
		flow_set_add(out, COOKIE_MARK,
		             "table=70,priority=100,reg0=0x%x,actions=set_field:0x%x->tun_id,output:%u",
		             net->network->vni, net->network->vni, s->tunnel);
}
