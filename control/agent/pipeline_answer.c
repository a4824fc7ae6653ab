/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 30 and 31: questions that never leave the host. ARP is answered by flows, the rest by the agent, to
 * whom it is punted. Called by pipeline.c. */
#include "control/agent/pipeline.h"

enum { OWN = 110, KNOWN = 100 };

static void answer_v4(struct flow_set *out, uint32_t vni, const char *ip, const char *mac)
{
	flow_set_add(out, COOKIE_MARK,
	             "table=30,priority=%d,reg0=0x%x,arp,arp_op=1,arp_tpa=%s,actions="
	             "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:%s->eth_src,set_field:2->arp_op,"
	             "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],"
	             "set_field:%s->arp_sha,set_field:%s->arp_spa,in_port",
	             KNOWN, vni, ip, mac, mac, ip);
}

static void answer_v6(struct flow_set *out, uint32_t vni, const char *ip)
{
	flow_set_add(out, COOKIE_MARK | PUNT_ND,
	             "table=30,priority=%d,reg0=0x%x,icmp6,icmp_type=135,nd_target=%s,actions=" PUNT_ACTIONS,
	             KNOWN, vni, ip);
}

static void answer(struct flow_set *out, uint32_t vni, const struct ip_addr *ip, struct mac mac)
{
	char ip_text[IP_TEXT_MAX], mac_text[MAC_TEXT_MAX];

	ip_format(ip, ip_text);
	if (ip_is_v4(ip))
		answer_v4(out, vni, ip_text, mac_format(mac, mac_text));
	else
		answer_v6(out, vni, ip_text);
}

static void punt(struct flow_set *out, uint32_t vni, const char *match, enum punt about)
{
	flow_set_add(out, COOKIE_MARK | about, "table=31,priority=%d,reg0=0x%x,%s,actions=" PUNT_ACTIONS,
	             KNOWN, vni, match);
}

void pipeline_answer(const struct scene_network *net, struct flow_set *out)
{
	uint32_t vni = net->network->vni;
	struct ip_addr local;
	bool v6 = false;

	for (unsigned i = 0; i < net->network->n_subnets; i++) {
		const struct subnet *s = &net->network->subnets[i];

		if (net->router)
			answer(out, vni, &s->gateway, router_mac(vni));
		if (s->dhcp)
			punt(out, vni, prefix_is_v4(&s->cidr) ? "udp,tp_dst=67" : "udp6,tp_dst=547",
			     prefix_is_v4(&s->cidr) ? PUNT_DHCP4 : PUNT_DHCP6);
		v6 |= !prefix_is_v4(&s->cidr);
	}
	for (unsigned i = 0; i < net->n_ports; i++) {
		const struct tenant_port *p = net->ports[i].port;

		for (unsigned k = 0; k < p->n_ips; k++)
			answer(out, vni, &p->ips[k], p->mac);
		local = link_local(p->mac);
		if (v6)
			answer(out, vni, &local, p->mac);
	}
	if (!v6)
		return;
	punt(out, vni, "icmp6,icmp_type=133", PUNT_ROUTER_SOLICIT);
	local = link_local(router_mac(vni));
	if (net->router)
		answer(out, vni, &local, router_mac(vni));
}

static void no_answer(const struct scene_port *p, const struct ip_addr *own, struct flow_set *out)
{
	char ip[IP_TEXT_MAX];

	flow_set_add(out, COOKIE_MARK, "table=30,priority=%d,in_port=%u,%s=%s,actions=drop", OWN, p->ofport,
	             ip_is_v4(own) ? "arp,arp_tpa" : "icmp6,icmp_type=135,nd_target", ip_format(own, ip));
}

/* A guest that asks for its own address (to see whether somebody has it) gets no answer. */
void pipeline_answer_port(const struct scene_port *p, struct flow_set *out)
{
	struct ip_addr local = link_local(p->port->mac);
	bool v6 = false;

	for (unsigned i = 0; i < p->port->n_ips; i++) {
		no_answer(p, &p->port->ips[i], out);
		v6 |= !ip_is_v4(&p->port->ips[i]);
	}
	if (v6)
		no_answer(p, &local, out);
}
