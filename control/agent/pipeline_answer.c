/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 30 and 31: questions that never leave the host. ARP is answered by flows, the rest by the agent, to
 * whom it is punted. Called by pipeline.c. */
#include "control/agent/pipeline.h"

enum { OWN = 110, KNOWN = 100 };

static void answer_v4(struct flow_writer *w, uint32_t vni, const struct ip_addr *ip, struct mac mac)
{
	flow_begin(w, 30, KNOWN);
	flow_match(w, FIELD_REG0, vni);
	flow_match(w, FIELD_ETH_TYPE, ETH_TYPE_ARP);
	flow_match(w, FIELD_ARP_OP, 1);
	flow_match_ip(w, FIELD_ARP_TPA, ip);
	flow_do_move(w, FIELD_ETH_SRC, FIELD_ETH_DST);
	flow_do_set_mac(w, FIELD_ETH_SRC, mac);
	flow_do_set(w, FIELD_ARP_OP, 2);
	flow_do_move(w, FIELD_ARP_SHA, FIELD_ARP_THA);
	flow_do_move(w, FIELD_ARP_SPA, FIELD_ARP_TPA);
	flow_do_set_mac(w, FIELD_ARP_SHA, mac);
	flow_do_set_ip(w, FIELD_ARP_SPA, ip);
	flow_do_output(w, PORT_IN_PORT);
	flow_end(w);
}

static void match_solicitation(struct flow_writer *w, const struct ip_addr *target)
{
	flow_match_proto(w, false, IP_PROTO_ICMPV6);
	flow_match(w, FIELD_ICMPV6_TYPE, 135);
	flow_match_ip(w, FIELD_ND_TARGET, target);
}

static void answer_v6(struct flow_writer *w, uint32_t vni, const struct ip_addr *ip)
{
	flow_begin(w, 30, KNOWN);
	flow_match(w, FIELD_REG0, vni);
	match_solicitation(w, ip);
	flow_do_punt(w, PUNT_ND);
	flow_end(w);
}

static void answer(struct flow_writer *w, uint32_t vni, const struct ip_addr *ip, struct mac mac)
{
	if (ip_is_v4(ip))
		answer_v4(w, vni, ip, mac);
	else
		answer_v6(w, vni, ip);
}

/* To a server of addresses. */
static void punt_dhcp(struct flow_writer *w, uint32_t vni, bool v4)
{
	flow_begin(w, 31, KNOWN);
	flow_match(w, FIELD_REG0, vni);
	flow_match_proto(w, v4, IP_PROTO_UDP);
	flow_match(w, FIELD_UDP_DST, v4 ? 67 : 547);
	flow_do_punt(w, v4 ? PUNT_DHCP4 : PUNT_DHCP6);
	flow_end(w);
}

static void punt_router_solicit(struct flow_writer *w, uint32_t vni)
{
	flow_begin(w, 31, KNOWN);
	flow_match(w, FIELD_REG0, vni);
	flow_match_proto(w, false, IP_PROTO_ICMPV6);
	flow_match(w, FIELD_ICMPV6_TYPE, 133);
	flow_do_punt(w, PUNT_ROUTER_SOLICIT);
	flow_end(w);
}

void pipeline_answer(const struct scene_network *net, struct flow_writer *w)
{
	uint32_t vni = net->vni;
	struct ip_addr local;
	bool v6 = false;

	for (unsigned i = 0; i < net->network->n_subnets; i++) {
		const struct subnet *s = &net->network->subnets[i];

		if (net->router)
			answer(w, vni, &s->gateway, router_mac(vni));
		if (s->dhcp)
			punt_dhcp(w, vni, prefix_is_v4(&s->cidr));
		v6 |= !prefix_is_v4(&s->cidr);
	}
	for (unsigned i = 0; i < net->n_ports; i++) {
		const struct tenant_port *p = net->ports[i].port;

		for (unsigned k = 0; k < p->n_ips; k++)
			answer(w, vni, &p->ips[k], p->mac);
		local = link_local(p->mac);
		if (v6)
			answer(w, vni, &local, p->mac);
	}
	if (!v6)
		return;
	punt_router_solicit(w, vni);
	local = link_local(router_mac(vni));
	if (net->router)
		answer(w, vni, &local, router_mac(vni));
}

static void no_answer(const struct scene_port *p, const struct ip_addr *own, struct flow_writer *w)
{
	flow_begin(w, 30, OWN);
	flow_match(w, FIELD_IN_PORT_OXM, p->ofport);
	if (ip_is_v4(own)) {
		flow_match(w, FIELD_ETH_TYPE, ETH_TYPE_ARP);
		flow_match_ip(w, FIELD_ARP_TPA, own);
	} else {
		match_solicitation(w, own);
	}
	flow_end(w);
}

/* A guest that asks for its own address (to see whether somebody has it) gets no answer. */
void pipeline_answer_port(const struct scene_port *p, struct flow_writer *w)
{
	struct ip_addr local = link_local(p->port->mac);
	bool v6 = false;

	for (unsigned i = 0; i < p->port->n_ips; i++) {
		no_answer(p, &p->port->ips[i], w);
		v6 |= !ip_is_v4(&p->port->ips[i]);
	}
	if (v6)
		no_answer(p, &local, w);
}
