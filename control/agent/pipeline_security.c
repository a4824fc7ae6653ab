/* SPDX-License-Identifier: Apache-2.0 */
/* Table 10: a guest speaks with its own addresses only, and is no server of addresses. Called by pipeline.c.
 */
#include "control/agent/pipeline.h"

enum { FORBIDDEN = 300, DHCP = 250, NEIGHBOUR = 240, NEIGHBOUR_REST = 230, ADDRESS = 200 };

/* ---- what no guest may send, whatever its addresses ---- */

static void forbid_server(struct flow_writer *w, bool v4, unsigned port)
{
	flow_begin(w, 10, FORBIDDEN);
	flow_match_proto(w, v4, IP_PROTO_UDP);
	flow_match(w, FIELD_UDP_SRC, port);
	flow_end(w);
}

static void forbid_icmp6(struct flow_writer *w, unsigned priority, unsigned type)
{
	flow_begin(w, 10, priority);
	flow_match_proto(w, false, IP_PROTO_ICMPV6);
	flow_match(w, FIELD_ICMPV6_TYPE, type);
	flow_end(w);
}

static void forbid_vxlan(struct flow_writer *w, const struct ip_addr *vtep)
{
	flow_begin(w, 10, FORBIDDEN);
	flow_match_proto(w, ip_is_v4(vtep), IP_PROTO_UDP);
	flow_match_ip(w, FIELD_IPV4_DST, vtep);
	flow_match(w, FIELD_UDP_DST, 4789);
	flow_end(w);
}

void pipeline_security_common(const struct scene *s, struct flow_writer *w)
{
	flow_begin(w, 10, FORBIDDEN); /* networks are untagged */
	flow_match_masked(w, FIELD_VLAN_TCI, VLAN_CFI, VLAN_CFI);
	flow_end(w);
	forbid_server(w, true, 67);      /* DHCP */
	forbid_server(w, false, 547);    /* DHCPv6 */
	forbid_icmp6(w, FORBIDDEN, 134); /* router advertisement */
	forbid_icmp6(w, FORBIDDEN, 137); /* redirect */
	for (unsigned k = 0; k < s->n_hosts; k++)
		for (unsigned i = 0; i < s->hosts[k].host->n_vteps; i++)
			forbid_vxlan(w, &s->hosts[k].host->vteps[i]);
	forbid_icmp6(w, NEIGHBOUR_REST, 135);
	forbid_icmp6(w, NEIGHBOUR_REST, 136);
}

/* ---- what a port may ---- */

struct sender { /* of whom packets from the port may be */
	struct flow_writer *w;
	uint32_t port;
	struct mac mac;
};

static void begin(const struct sender *s, unsigned priority)
{
	flow_begin(s->w, 10, priority);
	flow_match(s->w, FIELD_IN_PORT_OXM, s->port);
	flow_match_mac(s->w, FIELD_ETH_SRC, s->mac);
}

static void end(const struct sender *s, uint8_t next)
{
	flow_do_goto(s->w, next);
	flow_end(s->w);
}

/* All that is not said more exactly elsewhere. */
static void allow_address(const struct sender *s, const struct ip_addr *ip)
{
	begin(s, ADDRESS);
	flow_match_family(s->w, ip_is_v4(ip));
	flow_match_ip(s->w, FIELD_IPV4_SRC, ip);
	end(s, 20);
}

static void allow_arp(const struct sender *s, const struct ip_addr *ip, bool asks_only)
{
	begin(s, NEIGHBOUR);
	flow_match(s->w, FIELD_ETH_TYPE, ETH_TYPE_ARP);
	if (asks_only)
		flow_match(s->w, FIELD_ARP_OP, 1);
	flow_match_mac(s->w, FIELD_ARP_SHA, s->mac);
	flow_match_ip(s->w, FIELD_ARP_SPA, ip);
	end(s, 30);
}

/* To a server of addresses. */
static void allow_dhcp(const struct sender *s, const struct ip_addr *ip)
{
	bool v4 = ip_is_v4(ip);

	begin(s, DHCP);
	flow_match_proto(s->w, v4, IP_PROTO_UDP);
	flow_match_ip(s->w, FIELD_IPV4_SRC, ip);
	flow_match(s->w, FIELD_UDP_SRC, v4 ? 68 : 546);
	flow_match(s->w, FIELD_UDP_DST, v4 ? 67 : 547);
	end(s, 31);
}

static void begin_icmp6(const struct sender *s, unsigned priority, unsigned type, const struct ip_addr *ip)
{
	begin(s, priority);
	flow_match_proto(s->w, false, IP_PROTO_ICMPV6);
	flow_match(s->w, FIELD_ICMPV6_TYPE, type);
	flow_match_ip(s->w, FIELD_IPV4_SRC, ip);
}

/* Asking for others, and whether somebody has `ip` (RFC 4862, section 5.4). */
static void allow_solicitations(const struct sender *s, const struct ip_addr *ip)
{
	static const struct ip_addr unspecified;
	static const struct mac none;

	begin_icmp6(s, NEIGHBOUR, 135, ip);
	flow_match_mac(s->w, FIELD_ND_SLL, s->mac);
	end(s, 30);
	begin_icmp6(s, NEIGHBOUR, 135, &unspecified);
	flow_match_ip(s->w, FIELD_ND_TARGET, ip);
	flow_match_mac(s->w, FIELD_ND_SLL, none);
	end(s, 30);
}

static void allow_v4(const struct sender *s, const struct ip_addr *ip)
{
	allow_arp(s, ip, false);
	allow_address(s, ip);
	allow_dhcp(s, ip);
}

static void allow_v6(const struct sender *s, const struct ip_addr *ip)
{
	allow_solicitations(s, ip);
	allow_address(s, ip);
}

void pipeline_security(const struct scene_port *p, struct flow_writer *w)
{
	const struct sender s = {w, p->ofport, p->port->mac};
	struct ip_addr none = ip_from_v4(0), own = link_local(s.mac);
	bool v4 = false, v6 = false;

	for (unsigned i = 0; i < p->port->n_ips; i++) {
		const struct ip_addr *ip = &p->port->ips[i];

		(ip_is_v4(ip) ? allow_v4 : allow_v6)(&s, ip);
		v4 |= ip_is_v4(ip);
		v6 |= !ip_is_v4(ip);
	}
	if (v4) { /* before it knows its address: DHCP, and the question whether somebody has it (RFC 5227) */
		allow_dhcp(&s, &none);
		allow_arp(&s, &none, true);
	}
	if (!v6)
		return;
	allow_v6(&s, &own);
	allow_dhcp(&s, &own);
	begin_icmp6(&s, DHCP, 133, &own);
	end(&s, 31);
}
