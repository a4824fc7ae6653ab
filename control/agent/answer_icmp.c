/* SPDX-License-Identifier: Apache-2.0 */
/* The router's echo replies and "time exceeded", and neighbour advertisements. Called by answer.c. */
#include <string.h>

#include "control/agent/answer.h"

enum {
	ICMP_ECHO_REPLY = 0,
	ICMP_TIME_EXCEEDED = 11,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_NA = 136
};
enum { QUOTE_V4 = 576 - 20 - 8, QUOTE_V6 = 1280 - 40 - 8 }; /* RFC 1812 4.3.2.3, RFC 4443 2.4 */
enum { NA_ROUTER = 0x80, NA_SOLICITED = 0x40, NA_OVERRIDE = 0x20, ND_OPTION_TARGET = 2 };

static struct ip_addr v6(const uint8_t b[16])
{
	struct ip_addr a;

	memcpy(a.b, b, 16);
	return a;
}

/* The first gateway of the port's network of this family: what a traceroute shows. */
static const struct ip_addr *gateway(const struct scene_network *net, bool v4)
{
	for (unsigned i = 0; i < net->network->n_subnets; i++)
		if (ip_is_v4(&net->network->subnets[i].gateway) == v4)
			return &net->network->subnets[i].gateway;
	return NULL;
}

size_t answer_echo(const struct question *q, uint8_t *reply)
{
	const struct question_frame *f = q->frame;
	size_t head = sizeof(struct eth_header) +
	              (f->ip4 ? sizeof(struct ipv4_header) : sizeof(struct ipv6_header));
	struct mac router = router_mac(q->port->network->network->vni);
	struct ip_addr from, to;

	if ((!f->ip4 && !f->ip6) || f->l4_len < sizeof(struct icmp_header) || head + f->l4_len > ANSWER_MAX)
		return 0;
	memcpy(reply + head, f->l4, f->l4_len);
	reply[head] = f->ip4 ? ICMP_ECHO_REPLY : ICMP6_ECHO_REPLY;
	if (f->ip4)
		return put_icmp4(reply, router, f->eth->src, f->ip4->dst, f->ip4->src, f->l4_len);
	from = v6(f->ip6->dst);
	to = v6(f->ip6->src);
	return put_ip6(reply, router, f->eth->src, &from, &to, IP_PROTO_ICMPV6, 2, 64, f->l4_len);
}

/* No error about an error (RFC 1122, 3.2.2; RFC 4443, 2.4 e). */
static bool is_error(const struct question_frame *f)
{
	static const uint8_t errors_v4[] = {3, 4, 5, 11, 12};

	if (f->ip6)
		return f->proto == IP_PROTO_ICMPV6 && (!f->l4_len || f->l4[0] < 128);
	return f->proto == IP_PROTO_ICMP && (!f->l4_len || memchr(errors_v4, f->l4[0], sizeof(errors_v4)));
}

size_t answer_ttl(const struct question *q, uint8_t *reply)
{
	const struct question_frame *f = q->frame;
	bool v4 = f->ip4 != NULL;
	const struct ip_addr *from = gateway(q->port->network, v4);
	size_t head =
	        sizeof(struct eth_header) + (v4 ? sizeof(struct ipv4_header) : sizeof(struct ipv6_header));
	size_t quote = f->l3_len, most = v4 ? QUOTE_V4 : QUOTE_V6;
	struct mac router = router_mac(q->port->network->network->vni);
	struct icmp_header icmp = {.type = v4 ? ICMP_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED};
	struct ip_addr to;

	if ((!v4 && !f->ip6) || !from || is_error(f))
		return 0;
	if (quote > most)
		quote = most;
	memcpy(reply + head, &icmp, sizeof(icmp));
	memcpy(reply + head + sizeof(icmp), f->l3, quote);
	if (v4)
		return put_icmp4(reply, router, f->eth->src, ip_to_v4(from), f->ip4->src,
		                 sizeof(icmp) + quote);
	to = v6(f->ip6->src);
	return put_ip6(reply, router, f->eth->src, from, &to, IP_PROTO_ICMPV6, 2, 64, sizeof(icmp) + quote);
}

/* Whose address is it: a port's, or the router's? */
static bool find_target(const struct scene_network *net, const struct ip_addr *target, struct mac *mac,
                        bool *router)
{
	struct ip_addr local = link_local(router_mac(net->network->vni));

	*router = net->router && ip_equal(target, &local);
	for (unsigned i = 0; net->router && i < net->network->n_subnets; i++)
		*router |= ip_equal(target, &net->network->subnets[i].gateway);
	if (*router) {
		*mac = router_mac(net->network->vni);
		return true;
	}
	for (unsigned i = 0; i < net->n_ports; i++) {
		const struct tenant_port *p = net->ports[i].port;

		local = link_local(p->mac);
		*mac = p->mac;
		if (ip_equal(target, &local))
			return true;
		for (unsigned k = 0; k < p->n_ips; k++)
			if (ip_equal(target, &p->ips[k]))
				return true;
	}
	return false;
}

/* RFC 4861, 7.2.4. */
size_t answer_nd(const struct question *q, uint8_t *reply)
{
	struct {
		uint8_t type, code;
		be16 csum;
		uint8_t flags, reserved[3];
		uint8_t target[16];
		uint8_t option, option_len;
		struct mac mac;
	} WIRE na = {.type = ICMP6_NA, .option = ND_OPTION_TARGET, .option_len = 1};
	const struct question_frame *f = q->frame;
	struct ip_addr target, to;
	struct mac dst = f->eth->src;
	bool router, asked_by_nobody;

	if (!f->ip6 || f->ip6->hop_limit != 255 || f->l4_len < 24)
		return 0;
	target = v6(f->l4 + 8);
	if (!find_target(q->port->network, &target, &na.mac, &router))
		return 0;
	to = v6(f->ip6->src);
	asked_by_nobody = ip_is_none(&to); /* duplicate address detection: told to all nodes */
	if (asked_by_nobody) {
		ip_parse("ff02::1", &to);
		dst = (struct mac){{0x33, 0x33, 0, 0, 0, 1}};
	}
	na.flags = (uint8_t)(NA_OVERRIDE | (router ? NA_ROUTER : 0) | (asked_by_nobody ? 0 : NA_SOLICITED));
	memcpy(na.target, target.b, 16);
	memcpy(reply + sizeof(struct eth_header) + sizeof(struct ipv6_header), &na, sizeof(na));
	return put_ip6(reply, na.mac, dst, &target, &to, IP_PROTO_ICMPV6, 2, 255, sizeof(na));
}
