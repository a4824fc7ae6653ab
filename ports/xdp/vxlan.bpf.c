/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The XDP program of an AF_XDP port: VXLAN for our VTEPs (or everything, when `steer_all`) goes to the
 * queue's socket, the rest to the kernel. Loaded by ports/xdp/attach.c. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VXLAN_PORT 4789
#define QUEUES_MAX 64
#define VTEPS_MAX 256

const volatile __u32 steer_all;

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, QUEUES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

/* Addresses of local VTEPs; IPv4 as ::ffff:a.b.c.d. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VTEPS_MAX);
	__type(key, struct in6_addr);
	__type(value, __u8);
} vteps SEC(".maps");

/* True for an unfragmented UDP datagram without IP options; then *dst and *udp say whither. */
static __always_inline int parse(void *data, void *end, struct in6_addr *dst, struct udphdr **udp)
{
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(eth + 1) > end)
		return 0;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		if ((void *)(ip + 1) > end || ip->ihl != 5 || ip->protocol != IPPROTO_UDP ||
		    ip->frag_off & bpf_htons(0x3fff))
			return 0;
		dst->s6_addr32[0] = 0;
		dst->s6_addr32[1] = 0;
		dst->s6_addr32[2] = bpf_htonl(0xffff);
		dst->s6_addr32[3] = ip->daddr;
		*udp = (void *)(ip + 1);
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		if ((void *)(ip6 + 1) > end || ip6->nexthdr != IPPROTO_UDP)
			return 0;
		*dst = ip6->daddr;
		*udp = (void *)(ip6 + 1);
	} else {
		return 0;
	}
	return (void *)(*udp + 1) <= end;
}

SEC("xdp")
int steer(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct in6_addr dst;
	struct udphdr *udp;

	if (steer_all)
		return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
	if (!parse(data, end, &dst, &udp) || udp->dest != bpf_htons(VXLAN_PORT) ||
	    !bpf_map_lookup_elem(&vteps, &dst))
		return XDP_PASS;
	return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
}

char _license[] SEC("license") = "Dual BSD/GPL";
