/* SPDX-License-Identifier: Apache-2.0 */
/* Router advertisements (RFC 4861) and DHCPv6 (RFC 8415). Guests get their address by DHCPv6 alone, since a
 * port may use no other: advertisements say "managed" and offer no prefix to make addresses from. Called by
 * answer.c. */
#include <string.h>

#include "control/agent/answer.h"

enum { RA = 134, RA_MANAGED = 0x80, RA_LIFETIME = 1800 };
enum { ND_SOURCE = 1, ND_PREFIX = 3, ND_MTU = 5, ND_DNS = 25, PREFIX_ON_LINK = 0x80 };
enum { SOLICIT = 1, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE, INFORMATION = 11 };
enum {
	OPT_CLIENT = 1,
	OPT_SERVER,
	OPT_IA_NA,
	OPT_IA_ADDR = 5,
	OPT_STATUS = 13,
	OPT_RAPID = 14,
	OPT_DNS = 23
};
enum { LIFETIME = 86400, DUID_LL = 3, CLIENT_ID_MAX = 130 };

static const size_t head = sizeof(struct eth_header) + sizeof(struct ipv6_header);

struct out {
	uint8_t *at;
};

static void put8(struct out *o, uint8_t v)
{
	*o->at++ = v;
}

static void put16(struct out *o, uint16_t v)
{
	put8(o, (uint8_t)(v >> 8));
	put8(o, (uint8_t)v);
}

static void put32(struct out *o, uint32_t v)
{
	put16(o, (uint16_t)(v >> 16));
	put16(o, (uint16_t)v);
}

static void put_bytes(struct out *o, const void *p, size_t n)
{
	memcpy(o->at, p, n);
	o->at += n;
}

/* ---- router advertisements ---- */

static void put_prefix(struct out *o, const struct prefix *p)
{
	put8(o, ND_PREFIX);
	put8(o, 4);
	put8(o, (uint8_t)prefix_length(p));
	put8(o, PREFIX_ON_LINK);
	put32(o, LIFETIME);
	put32(o, LIFETIME);
	put32(o, 0);
	put_bytes(o, p->addr.b, 16);
}

/* RFC 8106, section 5.1: the servers of all subnets. */
static void put_name_servers(struct out *o, const struct network *net)
{
	uint8_t *option = o->at;
	unsigned n = 0;

	put8(o, ND_DNS);
	put8(o, 0);
	put16(o, 0);
	put32(o, RA_LIFETIME);
	for (unsigned i = 0; i < net->n_subnets; i++)
		for (unsigned k = 0; k < net->subnets[i].n_dns; k++)
			if (!ip_is_v4(&net->subnets[i].dns[k])) {
				put_bytes(o, net->subnets[i].dns[k].b, 16);
				n++;
			}
	option[1] = (uint8_t)(1 + 2 * n);
	if (!n)
		o->at = option;
}

/* What the network has of IPv6; false: nothing. `*managed`: addresses are given by DHCPv6. */
static bool has_v6(const struct network *net, bool *managed)
{
	bool v6 = false;

	*managed = false;
	for (unsigned i = 0; i < net->n_subnets; i++) {
		bool is_v6 = !prefix_is_v4(&net->subnets[i].cidr);

		v6 |= is_v6;
		*managed |= is_v6 && net->subnets[i].dhcp;
	}
	return v6;
}

/* RFC 4861, section 4.2. */
static size_t put_advertisement(const struct scene_network *net, struct mac dst, const struct ip_addr *to,
                                uint8_t *reply)
{
	struct mac mac = router_mac(net->network->vni);
	struct ip_addr from = link_local(mac);
	struct out o = {reply + head};
	bool managed;

	if (!has_v6(net->network, &managed))
		return 0;
	put8(&o, RA);
	put8(&o, 0);
	put16(&o, 0);
	put8(&o, 64);
	put8(&o, managed ? RA_MANAGED : 0);
	put16(&o, net->router ? RA_LIFETIME : 0); /* 0: nobody's default router */
	put32(&o, 0);
	put32(&o, 0);
	put8(&o, ND_SOURCE);
	put8(&o, 1);
	put_bytes(&o, &mac, 6);
	put8(&o, ND_MTU);
	put8(&o, 1);
	put16(&o, 0);
	put32(&o, net->mtu);
	for (unsigned i = 0; i < net->network->n_subnets; i++)
		if (!prefix_is_v4(&net->network->subnets[i].cidr))
			put_prefix(&o, &net->network->subnets[i].cidr);
	put_name_servers(&o, net->network);
	return put_ip6(reply, mac, dst, &from, to, IP_PROTO_ICMPV6, 2, 255, (size_t)(o.at - (reply + head)));
}

size_t answer_router_solicit(const struct question *q, uint8_t *reply)
{
	struct ip_addr to;

	if (!q->frame->ip6 || q->frame->ip6->hop_limit != 255)
		return 0;
	memcpy(to.b, q->frame->ip6->src, 16);
	return put_advertisement(q->port->network, q->frame->eth->src, &to, reply);
}

size_t answer_unasked(const struct scene_port *p, uint8_t *reply)
{
	static const struct mac all_nodes = {{0x33, 0x33, 0, 0, 0, 1}};
	struct ip_addr to;

	ip_parse("ff02::1", &to);
	return put_advertisement(p->network, all_nodes, &to, reply);
}

/* ---- DHCPv6 ---- */

/* The first option `code`: its value and length, or NULL. */
static const uint8_t *find_option(const uint8_t *at, size_t len, uint16_t code, size_t *n)
{
	while (len >= 4) {
		size_t size = (size_t)at[2] << 8 | at[3];

		if (size > len - 4)
			return NULL;
		if ((at[0] << 8 | at[1]) == code) {
			*n = size;
			return at + 4;
		}
		at += 4 + size;
		len -= 4 + size;
	}
	return NULL;
}

static void put_server(struct out *o, struct mac mac)
{
	put16(o, OPT_SERVER);
	put16(o, 10);
	put16(o, DUID_LL);
	put16(o, 1);
	put_bytes(o, &mac, 6);
}

static const struct ip_addr *address_of(const struct scene_port *p, const struct subnet **subnet)
{
	for (unsigned i = 0; i < p->port->n_ips; i++) {
		*subnet = ip_is_v4(&p->port->ips[i]) ? NULL : scene_subnet(p->network, &p->port->ips[i]);
		if (*subnet && (*subnet)->dhcp)
			return &p->port->ips[i];
	}
	return NULL;
}

static void put_address(struct out *o, const uint8_t *iaid, const struct ip_addr *ip)
{
	put16(o, OPT_IA_NA);
	put16(o, 12 + 4 + 24);
	put_bytes(o, iaid, 4);
	put32(o, LIFETIME / 2);
	put32(o, LIFETIME / 5 * 4);
	put16(o, OPT_IA_ADDR);
	put16(o, 24);
	put_bytes(o, ip->b, 16);
	put32(o, LIFETIME);
	put32(o, LIFETIME);
}

static void put_dns(struct out *o, const struct subnet *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_dns; i++)
		n += !ip_is_v4(&s->dns[i]);
	if (!n)
		return;
	put16(o, OPT_DNS);
	put16(o, (uint16_t)(16 * n));
	for (unsigned i = 0; i < s->n_dns; i++)
		if (!ip_is_v4(&s->dns[i]))
			put_bytes(o, s->dns[i].b, 16);
}

static uint8_t reply_type(uint8_t type, bool rapid)
{
	if (type == SOLICIT)
		return rapid ? REPLY : ADVERTISE;
	return type == REQUEST || type == CONFIRM || type == RENEW || type == REBIND || type == RELEASE ||
	                       type == DECLINE || type == INFORMATION
	               ? REPLY
	               : 0;
}

size_t answer_dhcp6(const struct question *q, uint8_t *reply)
{
	const struct question_frame *f = q->frame;
	const uint8_t *in = f->l4 + sizeof(struct udp_header), *client, *ia, *rapid;
	size_t len, n_client = 0, n_ia = 0, n, payload;
	struct mac mac = router_mac(q->port->network->network->vni);
	struct ip_addr from = link_local(mac), to;
	struct out o = {reply + head + sizeof(struct udp_header)};
	const struct subnet *subnet;
	const struct ip_addr *ip = address_of(q->port, &subnet);
	struct udp_header udp = {htobe16(547), htobe16(546), 0, 0};
	uint8_t type;

	if (!ip || !f->ip6 || f->proto != IP_PROTO_UDP || f->l4_len < sizeof(udp) + 4)
		return 0;
	len = f->l4_len - sizeof(udp) - 4;
	client = find_option(in + 4, len, OPT_CLIENT, &n_client);
	ia = find_option(in + 4, len, OPT_IA_NA, &n_ia);
	rapid = find_option(in + 4, len, OPT_RAPID, &n);
	type = reply_type(in[0], rapid);
	if (!type || (!client && in[0] != INFORMATION) || n_client > CLIENT_ID_MAX)
		return 0;
	put8(&o, type);
	put_bytes(&o, in + 1, 3);
	put_server(&o, mac);
	if (client) {
		put16(&o, OPT_CLIENT);
		put16(&o, (uint16_t)n_client);
		put_bytes(&o, client, n_client);
	}
	if (rapid && in[0] == SOLICIT) {
		put16(&o, OPT_RAPID);
		put16(&o, 0);
	}
	if (ia && n_ia >= 12 && in[0] != RELEASE && in[0] != DECLINE)
		put_address(&o, ia, ip);
	put_dns(&o, subnet);
	payload = (size_t)(o.at - (reply + head));
	udp.len = htobe16((uint16_t)payload);
	memcpy(reply + head, &udp, sizeof(udp));
	memcpy(to.b, f->ip6->src, 16);
	return put_ip6(reply, mac, f->eth->src, &from, &to, IP_PROTO_UDP, 6, 64, payload);
}
