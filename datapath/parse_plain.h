/* SPDX-License-Identifier: Apache-2.0 */
/* The short way of most packets through the parser: untagged, IPv4 without options or fragments, TCP or UDP.
 * Whatever is different goes through parse_packet(), which gives the same key and offsets for these, too. */
#ifndef DATAPATH_PARSE_PLAIN_H
#define DATAPATH_PARSE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/wire.h"
#include "base/dp/packet.h"
#include "flows/dp/mkey.h"

struct plain_headers {
	struct eth_header eth;
	struct ipv4_header ip;
	struct tcp_header tcp;
} WIRE;

/* False: this packet is not one of those, and nothing was done. The tunnel it came out of is left to
 * parse_tunnel(). */
static inline bool parse_plain(struct packet *p, struct mkey *key)
{
	const struct plain_headers *h = (const struct plain_headers *)p->head;
	bool tcp = h->ip.proto == IP_PROTO_TCP;
	uint32_t total = be16toh(h->ip.total_len);

	if (p->head_len < sizeof(*h) || h->eth.type != htobe16(ETH_TYPE_IPV4) || h->ip.version_ihl != 0x45 ||
	    (h->ip.frag & htobe16(0x3fff)) || (!tcp && h->ip.proto != IP_PROTO_UDP) ||
	    total < sizeof(h->ip) + (tcp ? sizeof(struct tcp_header) : sizeof(struct udp_header)) ||
	    total > p->len - sizeof(h->eth) || p->gso != GSO_NONE)
		return false;
	memset(key, 0, offsetof(struct mkey, tun_src));
	memcpy(&key->eth_dst, &h->eth, sizeof(h->eth));
	memcpy(key->ip_src, &h->ip.src, 4);
	memcpy(key->ip_dst, &h->ip.dst, 4);
	key->in_port = mkey_port(p->in_port);
	key->proto = h->ip.proto;
	key->tos = h->ip.tos;
	key->ttl = h->ip.ttl;
	key->tcp_flags = tcp ? h->tcp.offset_flags & htobe16(0x0fff) : 0;
	memcpy(&key->tp_src, &h->tcp, 4);
	p->l3 = offsetof(struct plain_headers, ip);
	p->l4 = offsetof(struct plain_headers, tcp);
	p->l3_kind = L3_IPV4;
	p->l4_proto = h->ip.proto;
	return true;
}

static_assert(offsetof(struct mkey, eth_type) == 12, "the Ethernet header is copied as a whole");
static_assert(offsetof(struct mkey, tp_dst) == offsetof(struct mkey, tp_src) + 2, "so are the ports");

#endif
