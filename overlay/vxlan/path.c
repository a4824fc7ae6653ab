/* SPDX-License-Identifier: Apache-2.0 */
/* The outer headers towards a remote, with everything that does not vary by packet; called by underlay.c when
 * something about the way there has changed. */
#include "base/checksum.h"
#include "overlay/vxlan/underlay_private.h"

static void fill_ipv4(struct underlay_path *path, const struct pair *pair)
{
	struct ipv4_header *ip = (void *)(path->header + path->l3);

	*ip = (struct ipv4_header){
	        .version_ihl = 0x45,
	        .frag = htobe16(0x4000), /* DF: the underlay's MTU is known */
	        .ttl = 64,
	        .proto = IP_PROTO_UDP,
	        .src = ip_to_v4(&pair->local),
	        .dst = ip_to_v4(&pair->remote),
	};
	path->csum = csum_fold(csum_bytes(ip, sizeof(*ip)));
	path->l4 = (uint8_t)(path->l3 + sizeof(*ip));
}

static void fill_ipv6(struct underlay_path *path, const struct pair *pair)
{
	struct ipv6_header *ip = (void *)(path->header + path->l3);

	*ip = (struct ipv6_header){
	        .version_tc_flow = htobe32(6u << 28),
	        .next_header = IP_PROTO_UDP,
	        .hop_limit = 64,
	};
	memcpy(ip->src, pair->local.b, 16);
	memcpy(ip->dst, pair->remote.b, 16);
	path->l4 = (uint8_t)(path->l3 + sizeof(*ip));
}

void path_fill(struct underlay_path *path, const struct remote *r)
{
	bool v4 = ip_is_v4(&r->pair.remote);
	struct eth_header *eth = (void *)path->header;
	struct udp_header *udp;
	struct vxlan_header *vxlan;

	path->drop = -1;
	path->ifindex = r->route.ifindex;
	path->mtu = r->route.mtu;
	eth->dst = r->mac;
	eth->src = r->route.device;
	eth->type = htobe16(v4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
	path->l3 = sizeof(*eth);
	if (v4)
		fill_ipv4(path, &r->pair);
	else
		fill_ipv6(path, &r->pair);
	udp = (void *)(path->header + path->l4);
	udp->dst = htobe16(VXLAN_PORT);
	vxlan = (void *)(udp + 1);
	vxlan->flags = htobe32(VXLAN_FLAG_I);
	path->len = (uint8_t)(path->l4 + sizeof(*udp) + sizeof(*vxlan));
}
