/* SPDX-License-Identifier: Apache-2.0 */
/* The flows of a host, first and last tables; see pipeline.h. Called by agent.c. */
#include "control/agent/pipeline.h"

#include <errno.h>
#include <stdio.h>

struct ip_addr link_local(struct mac m)
{
	return (struct ip_addr){{0xfe, 0x80, 0, 0, 0, 0, 0, 0, m.b[0] ^ 2, m.b[1], m.b[2], 0xff, 0xfe, m.b[3],
	                         m.b[4], m.b[5]}};
}

/* What is told apart by nothing but its port or its look. */
static void host_flows(const struct scene *s, struct flow_set *out)
{
	char ip[IP_TEXT_MAX];

	pipeline_security_common(s, out);
	if (s->tunnel)
		flow_set_add(out, COOKIE_MARK, "table=0,priority=%d,in_port=%u,actions=drop",
		             PRIORITY_CLASSIFY - 1, s->tunnel);
	for (unsigned k = 0; s->tunnel && k < s->n_hosts; k++) {
		const struct host *h = s->hosts[k];

		for (unsigned i = 0; h != s->self && i < h->n_vteps; i++)
			flow_set_add(out, COOKIE_MARK,
			             "table=0,priority=%d,in_port=%u,%s=%s,actions=goto_table:1",
			             PRIORITY_CLASSIFY, s->tunnel,
			             ip_is_v4(&h->vteps[i]) ? "tun_src" : "tun_ipv6_src",
			             ip_format(&h->vteps[i], ip));
	}
	flow_set_add(out, COOKIE_MARK, "table=20,priority=0,actions=goto_table:21");
	flow_set_add(out, COOKIE_MARK, "table=80,priority=0,actions=goto_table:81");
}

static void port_flows(const struct scene *s, const struct scene_port *p, struct flow_set *out)
{
	flow_set_add(out, COOKIE_MARK | (p->active ? 0 : PUNT_CLAIM),
	             "table=0,priority=%d,in_port=%u,actions=%sset_field:0x%x->reg0,goto_table:10",
	             PRIORITY_CLASSIFY, p->ofport, p->active ? "" : PUNT_ACTIONS ",",
	             p->network->network->vni);
	pipeline_security(s, p, out);
	pipeline_groups(s, p, out);
	pipeline_answer_port(p, out);
	flow_set_add(out, COOKIE_MARK, "table=90,priority=100,reg3=%u,actions=output:%u", p->ofport,
	             p->ofport);
}

static void network_flows(const struct scene *s, const struct scene_network *net, struct flow_set *out)
{
	if (net->here && s->tunnel)
		flow_set_add(out, COOKIE_MARK,
		             "table=1,priority=100,tun_id=0x%x,"
		             "actions=set_field:0x%x->reg0,set_field:1->reg2,goto_table:40",
		             net->network->vni, net->network->vni);
	for (unsigned i = 0; i < net->n_ports; i++)
		if (net->ports[i].local)
			port_flows(s, &net->ports[i], out);
	if (net->here)
		pipeline_answer(net, out);
	pipeline_switching(s, net, out);
	if (net->router)
		pipeline_routing(s, net, out);
}

static int settle(struct flow_set *out)
{
	flow_set_settle(out);
	return out->failed ? -EINVAL : 0;
}

static void part_flows(const struct scene *s, const struct scene_network *net, enum pipeline_part part,
                       struct flow_set *out)
{
	if (!net)
		host_flows(s, out);
	else if (part == PIPELINE_FLOOD)
		pipeline_flood(s, net, out);
	else
		network_flows(s, net, out);
}

int pipeline_part(const struct scene *s, const struct scene_network *net, enum pipeline_part part,
                  struct flow_set *out)
{
	part_flows(s, net, part, out);
	return settle(out);
}

int pipeline_flows(const struct scene *s, struct flow_set *out)
{
	host_flows(s, out);
	for (unsigned i = 0; i < s->n_networks; i++)
		for (unsigned k = 0; k < PIPELINE_PARTS; k++)
			part_flows(s, &s->networks[i], (enum pipeline_part)k, out);
	return settle(out);
}

bool pipeline_to_port(const struct scene *s, const struct scene_port *p, char text[160])
{
	char ip[IP_TEXT_MAX];

	if (p->active) {
		snprintf(text, 160, "set_field:%u->reg3,goto_table:80", p->ofport);
		return true;
	}
	if (!p->host || !p->host->n_vteps || !s->tunnel)
		return false;
	ip_format(&p->host->vteps[0], ip);
	snprintf(text, 160, "set_field:%s->%s,goto_table:70", ip,
	         ip_is_v4(&p->host->vteps[0]) ? "tun_dst" : "tun_ipv6_dst");
	return true;
}
