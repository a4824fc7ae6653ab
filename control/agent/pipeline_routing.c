/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 50 to 54: between the networks of a router, done where the sender is. Called by pipeline.c. */
#include "control/agent/pipeline.h"

enum { ROUTER_ECHO = 230, ROUTER_ADDRESS = 220, TTL_OVER = 210, ROUTED = 100 };

/* The longest prefix first; of two alike the network itself before a static route. */
static unsigned priority_of(const struct prefix *to, bool is_static)
{
	return 1000 + 2 * prefix_length(to) + !is_static;
}

/* ---- entering the router ---- */

/* The router answers pings to its addresses, all else to them ends. */
static void own_address(struct flow_writer *w, uint32_t vni, const struct ip_addr *ip)
{
	bool v4 = ip_is_v4(ip);

	flow_begin(w, 50, ROUTER_ECHO);
	flow_match(w, FIELD_REG0, vni);
	flow_match_proto(w, v4, v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6);
	flow_match(w, v4 ? FIELD_ICMP_TYPE : FIELD_ICMPV6_TYPE, v4 ? 8 : 128);
	flow_match_ip(w, FIELD_IPV4_DST, ip);
	flow_do_punt(w, PUNT_ECHO);
	flow_end(w);
	flow_begin(w, 50, ROUTER_ADDRESS);
	flow_match(w, FIELD_REG0, vni);
	flow_match_family(w, v4);
	flow_match_ip(w, FIELD_IPV4_DST, ip);
	flow_end(w);
}

static void time_exceeded(struct flow_writer *w, uint32_t vni, bool v4, unsigned ttl)
{
	flow_begin(w, 50, TTL_OVER);
	flow_match(w, FIELD_REG0, vni);
	flow_match_family(w, v4);
	flow_match(w, FIELD_NW_TTL, ttl);
	flow_do_punt(w, PUNT_TTL);
	flow_end(w);
}

static bool has_family(const struct scene_network *net, bool v4)
{
	for (unsigned i = 0; i < net->network->n_subnets; i++)
		if (prefix_is_v4(&net->network->subnets[i].cidr) == v4)
			return true;
	return false;
}

/* Addresses that guests of this network can reach: those of a family that it has. */
static void own_addresses(const struct scene_network *net, struct flow_writer *w)
{
	struct ip_addr local = link_local(router_mac(net->vni));

	for (unsigned i = 0; i < net->router->router->n_networks; i++) {
		const struct scene_network *other = net->router->networks[i];

		for (unsigned k = 0; other && k < other->network->n_subnets; k++) {
			const struct ip_addr *gateway = &other->network->subnets[k].gateway;

			if (has_family(net, ip_is_v4(gateway)))
				own_address(w, net->vni, gateway);
		}
	}
	if (has_family(net, false))
		own_address(w, net->vni, &local);
}

/* Table 50: how packets of its guests enter the router. */
static void entrance(const struct scene_network *net, unsigned id, struct flow_writer *w)
{
	uint32_t vni = net->vni;

	own_addresses(net, w);
	for (unsigned ttl = 0; ttl <= 1; ttl++) {
		time_exceeded(w, vni, true, ttl);
		time_exceeded(w, vni, false, ttl);
	}
	flow_begin(w, 50, ROUTED);
	flow_match(w, FIELD_REG0, vni);
	flow_do_set(w, FIELD_REG5, id);
	flow_do_goto(w, 51);
	flow_end(w);
}

/* ---- leaving it ---- */

/* Table 51: what begins the flow for a prefix. */
static void begin_route(struct flow_writer *w, unsigned id, const struct prefix *to, bool is_static)
{
	flow_begin(w, 51, priority_of(to, is_static));
	flow_match(w, FIELD_REG5, id);
	flow_match_family(w, prefix_is_v4(to));
	flow_match_prefix(w, FIELD_IPV4_DST, to);
}

/* The last routed step, to `p`. */
static void do_next_hop(struct flow_writer *w, const struct scene_port *p)
{
	flow_do_dec_ttl(w);
	flow_do_set_mac(w, FIELD_ETH_SRC, router_mac(p->network->vni));
	flow_do_set_mac(w, FIELD_ETH_DST, p->port->mac);
	pipeline_do_send(w, p);
}

/* A static route ends at a port of one of the router's networks. */
static void static_route(const struct scene *s, const struct scene_router *r, unsigned id,
                         const struct route *route, struct flow_writer *w)
{
	for (unsigned k = 0; k < r->router->n_networks; k++) {
		const struct scene_network *net = r->networks[k];
		const struct scene_port *via = net ? scene_port_by_ip(net, &route->via) : NULL;

		if (!via || !pipeline_reaches(s, via))
			continue;
		begin_route(w, id, &route->to, true);
		flow_do_set(w, FIELD_REG0, net->vni);
		do_next_hop(w, via);
		flow_end(w);
	}
}

/* Table 54. */
static void neighbours(const struct scene *s, const struct scene_port *p, struct flow_writer *w)
{
	for (unsigned k = 0; k < p->port->n_ips && pipeline_reaches(s, p); k++) {
		flow_begin(w, 54, 100);
		flow_match(w, FIELD_REG0, p->network->vni);
		flow_match_family(w, ip_is_v4(&p->port->ips[k]));
		flow_match_ip(w, FIELD_IPV4_DST, &p->port->ips[k]);
		do_next_hop(w, p);
		flow_end(w);
	}
}

/* The lowest VNI of a router's networks names it in the flows. */
static unsigned number_of(const struct scene_router *r)
{
	unsigned lowest = 0;

	for (unsigned i = 0; i < r->router->n_networks; i++) {
		const struct scene_network *net = r->networks[i];

		if (net && (!lowest || net->vni < lowest))
			lowest = net->vni;
	}
	return lowest;
}

/* The tables of one network: how packets enter the router from it, and how they leave into it. */
void pipeline_routing(const struct scene *s, const struct scene_network *net, struct flow_writer *w)
{
	const struct scene_router *r = net->router;
	unsigned id = number_of(r);

	if (net->n_local)
		entrance(net, id, w);
	for (unsigned i = 0; i < net->network->n_subnets; i++) {
		begin_route(w, id, &net->network->subnets[i].cidr, false);
		flow_do_set(w, FIELD_REG0, net->vni);
		flow_do_goto(w, 54);
		flow_end(w);
	}
	for (unsigned i = 0; i < r->router->n_routes && net->vni == id; i++)
		static_route(s, r, id, &r->router->routes[i], w);
	for (unsigned i = 0; i < net->n_ports; i++)
		neighbours(s, &net->ports[i], w);
}
