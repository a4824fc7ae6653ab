/* SPDX-License-Identifier: Apache-2.0 */
/* The wide flow key: every field a flow can match, at a fixed place, in network order unless said. A mask has
 * the same shape. No padding: keys are compared and hashed whole, as 64-bit words. Shared fields follow the
 * habit of Open vSwitch: ICMP type/code lie in tp_src/tp_dst, ARP op in nw_proto, ARP spa/tpa in
 * nw_src/nw_dst, ND sll/tll in arp_sha/arp_tha. */
#ifndef FLOWS_KEY_H
#define FLOWS_KEY_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/wire.h"

enum { FLOW_REGS = 16, FLOW_VLANS = 2, FLOW_MPLS = 3 };

enum flow_frag { FLOW_FRAG_ANY = 1, FLOW_FRAG_LATER = 2 }; /* nw_frag bits, as NXM_NX_IP_FRAG */

struct flow_vlan {
	be16 tpid; /* 0: no tag */
	be16 tci;  /* with VLAN_CFI (0x1000) set when the tag is there */
};

struct flow_key {
	/* pipeline state: not from the packet */
	be64 metadata;
	uint32_t regs[FLOW_REGS]; /* host order; xreg0 = regs[0] << 32 | regs[1] */
	uint32_t in_port;         /* host order, OpenFlow 1.3 number */
	uint32_t in_phy_port; /* host order; the port that the packet came in on, whatever in_port says now */
	uint32_t actset_output; /* host order; where the action set would send the packet, or PORT_UNSET */
	uint32_t pkt_mark;      /* host order */
	uint32_t conj_id;       /* host order */
	uint32_t ct_state;      /* host order */
	uint32_t ct_mark;       /* host order */
	uint32_t pkt_len; /* host order; bytes of the frame, or of the largest one that a GSO packet becomes.
	                     0 where nobody asks for it; nothing matches on it */
	uint8_t ct_label[16];
	/* The first direction of the packet's connection, before NAT. */
	uint8_t ct_ipv6_src[16], ct_ipv6_dst[16];
	be32 ct_nw_src, ct_nw_dst;
	be16 ct_tp_src, ct_tp_dst; /* ICMP: type and code */
	uint8_t ct_nw_proto;
	uint8_t ct_pad[3]; /* zero */
	/* tunnel */
	be64 tun_id;
	be32 tun_src, tun_dst;
	uint8_t tun_ipv6_src[16], tun_ipv6_dst[16];
	be16 tun_flags;
	be16 ct_zone;
	uint8_t tun_tos, tun_ttl;
	/* L2 */
	struct mac eth_dst, eth_src;
	be16 eth_type; /* of the innermost, after the tags; < 0x600: OFP "no type" 0x05ff */
	struct flow_vlan vlan[FLOW_VLANS]; /* [0] outermost */
	be32 mpls[FLOW_MPLS];              /* label stack entries, [0] outermost; 0: none */
	be32 pbb_isid;                     /* low 24 bits */
	/* L3 */
	be32 nw_src, nw_dst;
	uint8_t ipv6_src[16], ipv6_dst[16];
	be32 ipv6_label; /* low 20 bits */
	uint8_t nw_frag, nw_proto, nw_tos, nw_ttl;
	be16 ipv6_exthdr; /* OFPIEH_* bits */
	/* L4 */
	be16 tp_src, tp_dst;
	be16 tcp_flags; /* low 12 bits */
	struct mac arp_sha, arp_tha;
	uint8_t nd_target[16];
	/* Behind an 802.1ah I-TAG (eth_type PBB): the customer's frame. Nothing matches on it; it becomes the
	 * fields above when the tag is taken off. */
	struct mac inner_dst, inner_src;
	struct flow_vlan inner_vlan[FLOW_VLANS];
	be16 inner_type;
	/* While eth_type is MPLS or PBB, what all L3 and L4 fields were read from: ETH_TYPE_IPV4, IPV6 or ARP
	 * behind the labels or the I-TAG. 0: from nothing, or from what eth_type says. */
	be16 l3_type;
};
static_assert(sizeof(struct flow_key) % 8 == 0, "hashed and masked in 64-bit words");

static inline bool flow_key_is_ip(const struct flow_key *k)
{
	return k->eth_type == htobe16(ETH_TYPE_IPV4) || k->eth_type == htobe16(ETH_TYPE_IPV6);
}

static inline void flow_key_copy_connection(struct flow_key *to, const struct flow_key *from)
{
	to->ct_state = from->ct_state;
	to->ct_mark = from->ct_mark;
	to->ct_zone = from->ct_zone;
	to->ct_nw_proto = from->ct_nw_proto;
	to->ct_nw_src = from->ct_nw_src;
	to->ct_nw_dst = from->ct_nw_dst;
	to->ct_tp_src = from->ct_tp_src;
	to->ct_tp_dst = from->ct_tp_dst;
	memcpy(to->ct_label, from->ct_label, sizeof(to->ct_label));
	memcpy(to->ct_ipv6_src, from->ct_ipv6_src, sizeof(to->ct_ipv6_src));
	memcpy(to->ct_ipv6_dst, from->ct_ipv6_dst, sizeof(to->ct_ipv6_dst));
}

/* As of a packet that nobody has tracked. */
static inline void flow_key_forget_connection(struct flow_key *k)
{
	static const struct flow_key none;

	flow_key_copy_connection(k, &none);
}

/* The packet's addresses and ports change places with those that its connection began with. */
static inline void flow_key_swap_connection(struct flow_key *k)
{
	const struct flow_key was = *k;

	k->nw_proto = was.ct_nw_proto;
	k->nw_src = was.ct_nw_src;
	k->nw_dst = was.ct_nw_dst;
	k->tp_src = was.ct_tp_src;
	k->tp_dst = was.ct_tp_dst;
	memcpy(k->ipv6_src, was.ct_ipv6_src, sizeof(k->ipv6_src));
	memcpy(k->ipv6_dst, was.ct_ipv6_dst, sizeof(k->ipv6_dst));
	k->ct_nw_proto = was.nw_proto;
	k->ct_nw_src = was.nw_src;
	k->ct_nw_dst = was.nw_dst;
	k->ct_tp_src = was.tp_src;
	k->ct_tp_dst = was.tp_dst;
	memcpy(k->ct_ipv6_src, was.ipv6_src, sizeof(k->ct_ipv6_src));
	memcpy(k->ct_ipv6_dst, was.ipv6_dst, sizeof(k->ct_ipv6_dst));
}

enum { FLOW_KEY_WORDS = sizeof(struct flow_key) / 8 };

#endif
