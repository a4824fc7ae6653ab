/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packed microflow key: what a worker reads off a packet, hashes and compares.
 *
 * Line 0 is enough for TCP, UDP, SCTP, ICMP and ARP over IPv4 and IPv6, with one VLAN tag and a VNI. The rest
 * (ext) is for what is rare to match on; it is valid only with MKEY_EXT set in flags and counts as zero
 * otherwise (it need not be initialised then). Every byte of line 0 is always written: the parser zeroes it
 * first. The third part is of packets that come back from the connection tracker, valid with MKEY_RESUMED.
 *
 * A mask has the same shape. MKEY_EXT in a mask means that some bit of its ext is set; MKEY_RESUMED always
 * is.
 */
#ifndef FLOWS_DP_MKEY_H
#define FLOWS_DP_MKEY_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "flows/key.h"

enum mkey_flag {
	MKEY_FRAG = 3, /* enum flow_frag: the two lowest bits */
	MKEY_INNER =
	        12, /* 1 + enum mkey_class of the headers behind MPLS labels or an I-TAG; 0: none known */
	MKEY_INJECTED =
	        1 << 5, /* resumed: it was a controller's, so its ingress says nothing of where it is */
	MKEY_RESUMED = 1 << 6, /* the packet goes on in table_id: what stands there is valid */
	MKEY_EXT = 1 << 7,     /* ext is valid */
};

struct mkey {
	/* line 0 */
	struct mac eth_dst, eth_src;
	be16 eth_type; /* innermost, as in struct flow_key: 0x05ff for 802.3 without SNAP */
	be16 vlan_tci; /* outermost tag with VLAN_CFI (0x1000) set; 0: none */
	/* IPv6: the address. IPv4: 4 bytes of address, the rest 0. ARP and RARP: spa (tpa), then sha (tha) in
	 * bytes 4..9 */
	uint8_t ip_src[16], ip_dst[16];
	uint16_t in_port; /* host order, mkey_port() */
	uint8_t flags;    /* enum mkey_flag */
	uint8_t proto;    /* IP protocol (the last of an IPv6 chain) or the low byte of the ARP op */
	uint8_t tos, ttl;
	be16 tcp_flags;      /* low 12 bits */
	be16 tp_src, tp_dst; /* ICMP: type, code, as numbers; 0 in every fragment */
	uint32_t tun_id;     /* VNI, host order; 0 outside tunnels */
	/* ext */
	be32 tun_src, tun_dst;
	uint8_t tun_ipv6_src[16], tun_ipv6_dst[16];
	be16 tun_flags;
	uint8_t tun_tos, tun_ttl;
	be16 vlan_tpid;  /* of the outermost tag when it is not 0x8100, else 0 */
	be16 vlan2_tci;  /* second tag, like vlan_tci */
	be16 vlan2_tpid; /* of the second tag; 0: none */
	be16 ipv6_exthdr;
	be32 ipv6_label; /* low 20 bits */
	be32 mpls[FLOW_MPLS];
	be32 pbb_isid; /* low 24 bits */
	uint8_t nd_target[16];
	struct mac nd_sll, nd_tll;
	struct mac inner_dst, inner_src; /* behind an I-TAG, as in struct flow_key */
	be16 inner_tci, inner_tpid, inner2_tci, inner2_tpid;
	be16 inner_type;
	uint8_t pad[2];   /* zero */
	uint32_t pkt_len; /* as in struct flow_key; the parser leaves it 0, the cache fills it in (cache.h) */
	/* resumed: as actions and the tracker have left it. in_port and tun_id above, and the tunnel's
	 * addresses where no action has set them, still tell how the packet came in. */
	be64 metadata, set_tun_id;
	uint32_t regs[FLOW_REGS], set_in_port, pkt_mark; /* as in struct flow_key */
	uint32_t ct_state, ct_mark;
	uint8_t ct_label[16];
	uint8_t ct_src[16], ct_dst[16]; /* IPv4: as ip_src */
	be16 ct_tp_src, ct_tp_dst, ct_zone;
	uint8_t ct_proto;
	uint8_t table_id;
	uint8_t pad_resumed[8]; /* of no meaning: no mask has it */
} __attribute__((aligned(64)));
static_assert(offsetof(struct mkey, tun_src) == 64, "line 0 is one cache line");
static_assert(offsetof(struct mkey, metadata) == 192, "and ext two more");

enum {
	MKEY_WORDS = 8,
	MKEY_EXT_WORDS = 16,
	MKEY_RESUMED_AT = MKEY_WORDS + MKEY_EXT_WORDS,
	MKEY_RESUMED_WORDS = 20,
	MKEY_INNER_SHIFT = 2,
};
static_assert(offsetof(struct mkey, pad_resumed) + 8 == (MKEY_RESUMED_AT + MKEY_RESUMED_WORDS) * 8,
              "no padding inside");

/* Classes of packets that have masks of their own: what matters to ARP does not widen IPv4's mask. */
enum mkey_class { MKEY_IPV4, MKEY_IPV6, MKEY_ARP, MKEY_OTHER, MKEY_CLASSES };

static inline enum mkey_class mkey_class_of(be16 eth_type)
{
	if (eth_type == htobe16(ETH_TYPE_IPV4))
		return MKEY_IPV4;
	if (eth_type == htobe16(ETH_TYPE_IPV6))
		return MKEY_IPV6;
	if (eth_type == htobe16(ETH_TYPE_ARP) || eth_type == htobe16(ETH_TYPE_RARP))
		return MKEY_ARP;
	return MKEY_OTHER;
}

/* OpenFlow 1.3 port number to the 16 bits of a key and back: the reserved ports move to 0xfff7..0xffff. */
static inline uint16_t mkey_port(uint32_t ofport)
{
	return (uint16_t)ofport;
}

static inline uint32_t mkey_ofport(uint16_t port)
{
	return port >= 0xff00 ? 0xffff0000u | port : port;
}

/* The wide key of a packet; pipeline state is zero but for that of a resumed one. */
void mkey_expand(const struct mkey *key, struct flow_key *wide);

/* The packed key of a wide one, not resumed. */
void mkey_pack(const struct flow_key *wide, struct mkey *key);

/* Adds to `mask` the bits of a packet of class `class` that the bits of the wide `mask` look at. What lies
 * behind labels or an I-TAG (class OTHER) may be laid out in each of the ways. */
void mkey_mask_add(struct mkey *mask, const struct flow_key *wide, enum mkey_class class);

#endif
