/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 50 to 54: between the networks of a router, done where the sender is. Called by pipeline.c. */
#include <stdio.h>

#include "base/log.h"
#include "control/agent/pipeline.h"

enum { ROUTER_ECHO = 230, ROUTER_ADDRESS = 220, TTL_OVER = 210, ROUTED = 100 };

/* The longest prefix first; of two alike the network itself before a static route. */
static unsigned priority_of(const struct prefix *to, bool is_static)
{
	return 1000 + 2 * prefix_length(to) + !is_static;
}

static const char *dst_field(bool v4)
{
	return v4 ? "ip,nw_dst" : "ipv6,ipv6_dst";
}

/* The router answers pings to its addresses, all else to them ends. */
static void own_address(struct flow_set *out, uint32_t vni, const struct ip_addr *ip)
{
	char text[IP_TEXT_MAX];
	bool v4 = ip_is_v4(ip);

	ip_format(ip, text);
	flow_set_add(out, COOKIE_MARK | PUNT_ECHO,
	             "table=50,priority=%d,reg0=0x%x,%s=%s,actions=" PUNT_ACTIONS, ROUTER_ECHO, vni,
	             v4 ? "icmp,icmp_type=8,nw_dst" : "icmp6,icmp_type=128,ipv6_dst", text);
	flow_set_add(out, COOKIE_MARK, "table=50,priority=%d,reg0=0x%x,%s=%s,actions=drop", ROUTER_ADDRESS,
	             vni, dst_field(v4), text);
}

static void time_exceeded(struct flow_set *out, uint32_t vni)
{
	for (int ttl = 0; ttl <= 1; ttl++) {
		flow_set_add(out, COOKIE_MARK | PUNT_TTL,
		             "table=50,priority=%d,reg0=0x%x,ip,nw_ttl=%d,actions=" PUNT_ACTIONS, TTL_OVER,
		             vni, ttl);
		flow_set_add(out, COOKIE_MARK | PUNT_TTL,
		             "table=50,priority=%d,reg0=0x%x,ipv6,nw_ttl=%d,actions=" PUNT_ACTIONS, TTL_OVER,
		             vni, ttl);
	}
}

/* What a packet to `p` becomes on its last routed step. */
static bool next_hop(const struct scene *s, const struct scene_port *p, char text[320])
{
	char way[160], mac[MAC_TEXT_MAX], gateway[MAC_TEXT_MAX];

	if (!pipeline_to_port(s, p, way))
		return false;
	mac_format(p->port->mac, mac);
	mac_format(router_mac(p->network->network->vni), gateway);
	snprintf(text, 320, "dec_ttl,set_field:%s->eth_src,set_field:%s->eth_dst,%s", gateway, mac, way);
	return true;
}

/* Table 51: a static route ends at a port of one of the router's networks. */
static void static_routes(const struct scene *s, const struct router *r, unsigned id, struct flow_set *out)
{
	char to[PREFIX_TEXT_MAX], actions[320];

	for (unsigned i = 0; i < r->n_routes; i++) {
		const struct route *route = &r->routes[i];

		for (unsigned k = 0; k < r->n_networks; k++) {
			const struct scene_network *net = scene_router_network(s, r, k);
			const struct scene_port *via = net ? scene_port_by_ip(net, &route->via) : NULL;

			if (via && next_hop(s, via, actions))
				flow_set_add(out, COOKIE_MARK,
				             "table=51,priority=%u,reg5=0x%x,%s=%s,actions=set_field:0x%x->"
				             "reg0,%s",
				             priority_of(&route->to, true), id,
				             dst_field(prefix_is_v4(&route->to)),
				             prefix_format(&route->to, to), net->network->vni, actions);
		}
	}
}

/* The lowest VNI of a router's networks names it in the flows. */
static unsigned number_of(const struct scene *s, const struct router *r)
{
	unsigned lowest = 0;

	for (unsigned i = 0; i < r->n_networks; i++) {
		const struct scene_network *net = scene_router_network(s, r, i);

		if (net && (!lowest || net->network->vni < lowest))
			lowest = net->network->vni;
	}
	return lowest;
}

static bool has_family(const struct scene_network *net, bool v4)
{
	for (unsigned i = 0; i < net->network->n_subnets; i++)
		if (prefix_is_v4(&net->network->subnets[i].cidr) == v4)
			return true;
	return false;
}

/* Addresses that guests of this network can reach: those of a family that it has. */
static void own_addresses(const struct scene *s, const struct scene_network *net, struct flow_set *out)
{
	struct ip_addr local = link_local(router_mac(net->network->vni));

	for (unsigned i = 0; i < net->router->n_networks; i++) {
		const struct scene_network *other = scene_router_network(s, net->router, i);

		for (unsigned k = 0; other && k < other->network->n_subnets; k++) {
			const struct ip_addr *gateway = &other->network->subnets[k].gateway;

			if (has_family(net, ip_is_v4(gateway)))
				own_address(out, net->network->vni, gateway);
		}
	}
	if (has_family(net, false))
		own_address(out, net->network->vni, &local);
}

/* Table 50: how packets of its guests enter the router. */
static void entrance(const struct scene *s, const struct scene_network *net, unsigned id,
                     struct flow_set *out)
{
	own_addresses(s, net, out);
	time_exceeded(out, net->network->vni);
	flow_set_add(out, COOKIE_MARK,
	             "table=50,priority=%d,reg0=0x%x,actions=set_field:0x%x->reg5,goto_table:51", ROUTED,
	             net->network->vni, id);
}

/* The tables of one network: how packets enter the router from it, and how they leave into it. */
void pipeline_routing(const struct scene *s, const struct scene_network *net, struct flow_set *out)
{
	const struct router *r = net->router;
	unsigned id = number_of(s, r);
	uint32_t vni = net->network->vni;
	char text[PREFIX_TEXT_MAX], actions[320];

	if (net->here)
		entrance(s, net, id, out);
	for (unsigned i = 0; i < net->network->n_subnets; i++) {
		const struct prefix *cidr = &net->network->subnets[i].cidr;

		flow_set_add(
		        out, COOKIE_MARK,
		        "table=51,priority=%u,reg5=0x%x,%s=%s,actions=set_field:0x%x->reg0,goto_table:54",
		        priority_of(cidr, false), id, dst_field(prefix_is_v4(cidr)),
		        prefix_format(cidr, text), vni);
	}
	if (vni == id)
		static_routes(s, r, id, out);
	for (unsigned i = 0; i < net->n_ports; i++) {
		const struct tenant_port *p = net->ports[i].port;

		for (unsigned k = 0; k < p->n_ips && next_hop(s, &net->ports[i], actions); k++)
			flow_set_add(out, COOKIE_MARK, "table=54,priority=100,reg0=0x%x,%s=%s,actions=%s",
			             vni, dst_field(ip_is_v4(&p->ips[k])), ip_format(&p->ips[k], text),
			             actions);
	}
}
