/* SPDX-License-Identifier: Apache-2.0 */
/* DHCPv4 (RFC 2131, options of RFC 2132 and 3442): each port has the addresses that the store says, so there
 * is nothing to lease and nothing to remember. Called by answer.c. */
#include <string.h>

#include "control/agent/answer.h"

enum {
	OPTION_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_HOST_NAME = 12,
	OPTION_MTU = 26,
	OPTION_REQUESTED = 50,
	OPTION_LEASE = 51,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_ROUTES = 121,
	OPTION_END = 255,
};
enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };
enum { LEASE_SECONDS = 86400, BOOTP_MIN = 300, ROUTES_MAX = 16, BROADCAST = 0x8000 };

struct dhcp_header { /* RFC 2131, figure 1, with the magic cookie */
	uint8_t op, htype, hlen, hops;
	be32 xid;
	be16 secs, flags;
	be32 ciaddr, yiaddr, siaddr, giaddr;
	struct mac chaddr;
	uint8_t pad[10], sname[64], file[128];
	be32 magic;
} WIRE;
static_assert(sizeof(struct dhcp_header) == 240, "RFC 2131 section 2");

#define DHCP_MAGIC 0x63825363u

/* The value of an option of at least `n` bytes, or NULL. */
static const uint8_t *find_option(const uint8_t *at, size_t len, uint8_t code, size_t n)
{
	const uint8_t *end = at + len;

	while (at < end && *at != OPTION_END) {
		if (!*at) {
			at++;
			continue;
		}
		if (end - at < 2 || end - at < 2 + at[1])
			return NULL;
		if (*at == code)
			return at[1] >= n ? at + 2 : NULL;
		at += 2 + at[1];
	}
	return NULL;
}

struct options {
	uint8_t *at;
};

static void put(struct options *o, uint8_t code, const void *value, size_t n)
{
	*o->at++ = code;
	*o->at++ = (uint8_t)n;
	memcpy(o->at, value, n);
	o->at += n;
}

static void put_number(struct options *o, uint8_t code, uint32_t value)
{
	be32 be = htobe32(value);

	put(o, code, &be, sizeof(be));
}

static uint8_t *put_route(uint8_t *at, const struct prefix *to, be32 via)
{
	unsigned len = prefix_length(to), n = (len + 7) / 8;

	*at++ = (uint8_t)len;
	memcpy(at, to->addr.b + 12, n);
	memcpy(at + n, &via, 4);
	return at + n + 4;
}

/* Every way through the router, the default among them: who takes option 121 ignores option 3 (RFC 3442).
 * Without a default route of the router the gateway is still offered: it answers pings and says what it
 * cannot reach. */
static void put_routes(struct options *o, const struct scene_network *net, be32 gateway)
{
	static const struct prefix all = {.addr = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, .len = 96};
	uint8_t routes[9 * ROUTES_MAX], *at = put_route(routes, &all, gateway);
	unsigned n = 1;

	for (unsigned i = 0; i < net->router->router->n_routes && n < ROUTES_MAX; i++) {
		const struct prefix *to = &net->router->router->routes[i].to;

		if (prefix_is_v4(to) && prefix_length(to)) {
			at = put_route(at, to, gateway);
			n++;
		}
	}
	put(o, OPTION_ROUTES, routes, (size_t)(at - routes));
}

static void put_network(struct options *o, const struct scene_port *p, const struct subnet *s)
{
	be32 mask = prefix_mask_v4(&s->cidr), gateway = ip_to_v4(&s->gateway), dns[SUBNET_DNS_MAX];
	be16 mtu = htobe16(p->network->mtu);
	unsigned n = 0;

	put(o, OPTION_MASK, &mask, sizeof(mask));
	put(o, OPTION_MTU, &mtu, sizeof(mtu));
	put(o, OPTION_HOST_NAME, p->port->object.name, strlen(p->port->object.name));
	for (unsigned i = 0; i < s->n_dns; i++)
		if (ip_is_v4(&s->dns[i]))
			dns[n++] = ip_to_v4(&s->dns[i]);
	if (n)
		put(o, OPTION_DNS, dns, n * sizeof(be32));
	if (!p->network->router)
		return;
	put(o, OPTION_ROUTER, &gateway, sizeof(gateway));
	put_routes(o, p->network, gateway);
}

/* The port's first IPv4 address and its subnet; false: none with DHCP. */
static bool find_address(const struct scene_port *p, be32 *ip, const struct subnet **subnet)
{
	for (unsigned i = 0; i < p->port->n_ips; i++) {
		*subnet = ip_is_v4(&p->port->ips[i]) ? scene_subnet(p->network, &p->port->ips[i]) : NULL;
		*ip = ip_to_v4(&p->port->ips[i]);
		if (*subnet && (*subnet)->dhcp)
			return true;
	}
	return false;
}

/* What a message of `type` is answered with; 0: nothing. */
static uint8_t reply_type(const struct dhcp_header *in, const uint8_t *options, size_t len, uint8_t type,
                          be32 ip, be32 server)
{
	const uint8_t *to = find_option(options, len, OPTION_SERVER, 4),
	              *wants = find_option(options, len, OPTION_REQUESTED, 4);
	be32 asked = in->ciaddr;

	if (type == DISCOVER)
		return OFFER;
	if (type == INFORM)
		return ACK;
	if (type != REQUEST || (to && memcmp(to, &server, 4) != 0))
		return 0;
	if (wants)
		memcpy(&asked, wants, 4);
	return asked == ip ? ACK : NAK;
}

size_t answer_dhcp4(const struct question *q, uint8_t *reply)
{
	const struct question_frame *f = q->frame;
	const struct dhcp_header *in = (const struct dhcp_header *)(f->l4 + sizeof(struct udp_header));
	size_t head = sizeof(struct eth_header) + sizeof(struct ipv4_header) + sizeof(struct udp_header), len;
	struct dhcp_header out = {.op = 2, .htype = 1, .hlen = 6, .magic = htobe32(DHCP_MAGIC)};
	struct options o = {reply + head + sizeof(out)};
	struct mac server_mac = router_mac(q->port->network->network->vni);
	const struct subnet *subnet;
	const uint8_t *type;
	be32 ip, server, to = 0xffffffff;
	uint8_t answer;

	if (!f->ip4 || f->proto != IP_PROTO_UDP || f->l4_len < sizeof(struct udp_header) + sizeof(*in) ||
	    in->op != 1 || in->htype != 1 || in->hlen != 6 || in->magic != out.magic ||
	    !mac_equal(in->chaddr, q->port->port->mac) || !find_address(q->port, &ip, &subnet))
		return 0;
	len = f->l4_len - sizeof(struct udp_header) - sizeof(*in);
	type = find_option((const uint8_t *)(in + 1), len, OPTION_TYPE, 1);
	server = ip_to_v4(&subnet->gateway);
	answer = type ? reply_type(in, (const uint8_t *)(in + 1), len, *type, ip, server) : 0;
	if (!answer)
		return 0;
	out.xid = in->xid;
	out.flags = in->flags;
	out.chaddr = in->chaddr;
	put(&o, OPTION_TYPE, &answer, 1);
	put(&o, OPTION_SERVER, &server, sizeof(server));
	if (answer != NAK) {
		out.ciaddr = in->ciaddr;
		out.yiaddr = *type == INFORM ? 0 : ip;
		if (*type != INFORM)
			put_number(&o, OPTION_LEASE, LEASE_SECONDS);
		put_network(&o, q->port, subnet);
		if (!(be16toh(in->flags) & BROADCAST)) /* RFC 2131, 4.1 */
			to = in->ciaddr ? in->ciaddr : ip;
	}
	*o.at++ = OPTION_END;
	memcpy(reply + head, &out, sizeof(out));
	len = (size_t)(o.at - (reply + head));
	if (len < BOOTP_MIN) {
		memset(o.at, 0, BOOTP_MIN - len);
		len = BOOTP_MIN;
	}
	return put_udp4(reply, server_mac,
	                to == 0xffffffff ? (struct mac){{255, 255, 255, 255, 255, 255}} : in->chaddr, server,
	                to, 67, 68, len);
}
