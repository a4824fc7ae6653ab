/* SPDX-License-Identifier: Apache-2.0 */
/* Table 10: a guest speaks with its own addresses only, and is no server of addresses. Called by pipeline.c.
 */
#include <stdio.h>
#include <string.h>

#include "control/agent/pipeline.h"

enum { FORBIDDEN = 300, DHCP = 250, NEIGHBOUR = 240, NEIGHBOUR_REST = 230, ADDRESS = 200 };

/* What no guest may send, whatever its addresses. */
void pipeline_security_common(const struct scene *s, struct flow_set *out)
{
	static const char *const forbidden[] = {
	        "vlan_tci=0x1000/0x1000", /* networks are untagged */
	        "udp,tp_src=67",          /* DHCP server */
	        "udp6,tp_src=547",        /* DHCPv6 server */
	        "icmp6,icmp_type=134",    /* router advertisement */
	        "icmp6,icmp_type=137",    /* redirect */
	        NULL,
	};
	char ip[IP_TEXT_MAX];

	for (const char *const *f = forbidden; *f; f++)
		flow_set_add(out, COOKIE_MARK, "table=10,priority=%d,%s,actions=drop", FORBIDDEN, *f);
	for (unsigned k = 0; k < s->n_hosts; k++) {
		const struct host *h = s->hosts[k];

		for (unsigned i = 0; i < h->n_vteps; i++)
			flow_set_add(out, COOKIE_MARK, "table=10,priority=%d,%s=%s,tp_dst=4789,actions=drop",
			             FORBIDDEN, ip_is_v4(&h->vteps[i]) ? "udp,nw_dst" : "udp6,ipv6_dst",
			             ip_format(&h->vteps[i], ip));
	}
	flow_set_add(out, COOKIE_MARK, "table=10,priority=%d,icmp6,icmp_type=135,actions=drop",
	             NEIGHBOUR_REST);
	flow_set_add(out, COOKIE_MARK, "table=10,priority=%d,icmp6,icmp_type=136,actions=drop",
	             NEIGHBOUR_REST);
}

static void allow_v4(struct flow_set *out, uint32_t port, const char *mac, const char *ip)
{
	flow_set_add(
	        out, COOKIE_MARK,
	        "table=10,priority=%d,in_port=%u,arp,dl_src=%s,arp_sha=%s,arp_spa=%s,actions=goto_table:30",
	        NEIGHBOUR, port, mac, mac, ip);
	flow_set_add(out, COOKIE_MARK,
	             "table=10,priority=%d,in_port=%u,ip,dl_src=%s,nw_src=%s,actions=goto_table:20", ADDRESS,
	             port, mac, ip);
	flow_set_add(out, COOKIE_MARK,
	             "table=10,priority=%d,in_port=%u,udp,dl_src=%s,nw_src=%s,tp_src=68,tp_dst=67,"
	             "actions=goto_table:31",
	             DHCP, port, mac, ip);
}

static void allow_v6(struct flow_set *out, uint32_t port, const char *mac, const char *ip)
{
	flow_set_add(out, COOKIE_MARK,
	             "table=10,priority=%d,in_port=%u,icmp6,icmp_type=135,dl_src=%s,ipv6_src=%s,nd_sll=%s,"
	             "actions=goto_table:30",
	             NEIGHBOUR, port, mac, ip, mac);
	flow_set_add(out, COOKIE_MARK,
	             "table=10,priority=%d,in_port=%u,icmp6,icmp_type=135,dl_src=%s,ipv6_src=::,nd_target=%s,"
	             "nd_sll=00:00:00:00:00:00,actions=goto_table:30",
	             NEIGHBOUR, port, mac, ip);
	flow_set_add(out, COOKIE_MARK,
	             "table=10,priority=%d,in_port=%u,ipv6,dl_src=%s,ipv6_src=%s,actions=goto_table:20",
	             ADDRESS, port, mac, ip);
}

void pipeline_security(const struct scene *s, const struct scene_port *p, struct flow_set *out)
{
	struct ip_addr own = link_local(p->port->mac);
	char mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX];
	bool v4 = false, v6 = false;

	mac_format(p->port->mac, mac);
	for (unsigned i = 0; i < p->port->n_ips; i++) {
		bool is_v4 = ip_is_v4(&p->port->ips[i]);

		ip_format(&p->port->ips[i], ip);
		(is_v4 ? allow_v4 : allow_v6)(out, p->ofport, mac, ip);
		v4 |= is_v4;
		v6 |= !is_v4;
	}
	if (v4) { /* before it knows its address: DHCP, and the question whether somebody has it (RFC 5227) */
		flow_set_add(
		        out, COOKIE_MARK,
		        "table=10,priority=%d,in_port=%u,udp,dl_src=%s,nw_src=0.0.0.0,tp_src=68,tp_dst=67,"
		        "actions=goto_table:31",
		        DHCP, p->ofport, mac);
		flow_set_add(
		        out, COOKIE_MARK,
		        "table=10,priority=%d,in_port=%u,arp,arp_op=1,dl_src=%s,arp_sha=%s,arp_spa=0.0.0.0,"
		        "actions=goto_table:30",
		        NEIGHBOUR, p->ofport, mac, mac);
	}
	if (!v6)
		return;
	ip_format(&own, ip);
	allow_v6(out, p->ofport, mac, ip);
	flow_set_add(out, COOKIE_MARK,
	             "table=10,priority=%d,in_port=%u,udp6,dl_src=%s,ipv6_src=%s,tp_src=546,tp_dst=547,"
	             "actions=goto_table:31",
	             DHCP, p->ofport, mac, ip);
	flow_set_add(out, COOKIE_MARK,
	             "table=10,priority=%d,in_port=%u,icmp6,icmp_type=133,dl_src=%s,ipv6_src=%s,actions=goto_"
	             "table:31",
	             DHCP, p->ofport, mac, ip);
}
