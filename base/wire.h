/* SPDX-License-Identifier: Apache-2.0 */
/* Headers as they lie on the wire. All multi-byte fields are in network order; all structs are packed, so a
 * pointer into a packet may be unaligned. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <assert.h>
#include <endian.h>
#include <stdint.h>

#include "base/addr.h"

typedef uint16_t be16; /* network order; the names tell readers, the compiler does not check */
typedef uint32_t be32;
typedef uint64_t be64;

#define WIRE __attribute__((packed, aligned(1)))

enum {
	ETH_TYPE_IPV4 = 0x0800,
	ETH_TYPE_ARP = 0x0806,
	ETH_TYPE_VLAN = 0x8100,
	ETH_TYPE_QINQ = 0x88a8,
	ETH_TYPE_IPV6 = 0x86dd,
	ETH_TYPE_MPLS = 0x8847,
	ETH_TYPE_MPLS_MC = 0x8848,
	ETH_TYPE_PBB = 0x88e7,
	ETH_TYPE_RARP = 0x8035,
	ETH_TYPE_MIN = 0x0600, /* smaller values are an 802.3 length */

	IP_PROTO_ICMP = 1,
	IP_PROTO_TCP = 6,
	IP_PROTO_UDP = 17,
	IP_PROTO_ICMPV6 = 58,
	IP_PROTO_SCTP = 132,

	VXLAN_PORT = 4789, /* RFC 7348 section 8 */
};

struct eth_header {
	struct mac dst;
	struct mac src;
	be16 type;
} WIRE;
static_assert(sizeof(struct eth_header) == 14, "IEEE 802.3 MAC header");

struct vlan_header { /* what follows the TPID */
	be16 tci;
	be16 type;
} WIRE;
static_assert(sizeof(struct vlan_header) == 4, "IEEE 802.1Q tag");

struct ipv4_header {
	uint8_t version_ihl;
	uint8_t tos;
	be16 total_len;
	be16 id;
	be16 frag;
	uint8_t ttl;
	uint8_t proto;
	be16 csum;
	be32 src;
	be32 dst;
} WIRE;
static_assert(sizeof(struct ipv4_header) == 20, "RFC 791 without options");

struct ipv6_header {
	be32 version_tc_flow;
	be16 payload_len;
	uint8_t next_header;
	uint8_t hop_limit;
	uint8_t src[16];
	uint8_t dst[16];
} WIRE;
static_assert(sizeof(struct ipv6_header) == 40, "RFC 8200 fixed header");

struct arp_header {
	be16 hw_type;
	be16 proto_type;
	uint8_t hw_len;
	uint8_t proto_len;
	be16 op;
	struct mac sha;
	be32 spa;
	struct mac tha;
	be32 tpa;
} WIRE;
static_assert(sizeof(struct arp_header) == 28, "RFC 826 for Ethernet and IPv4");

struct tcp_header {
	be16 src;
	be16 dst;
	be32 seq;
	be32 ack;
	be16 offset_flags; /* data offset in 32-bit words (4 bits), reserved (4), 8 flags: RFC 9293 */
	be16 window;
	be16 csum;
	be16 urgent;
} WIRE;
static_assert(sizeof(struct tcp_header) == 20, "RFC 9293 without options");

struct udp_header {
	be16 src;
	be16 dst;
	be16 len;
	be16 csum;
} WIRE;
static_assert(sizeof(struct udp_header) == 8, "RFC 768");

struct sctp_header {
	be16 src;
	be16 dst;
	be32 tag;
	be32 csum;
} WIRE;
static_assert(sizeof(struct sctp_header) == 12, "RFC 9260 common header");

struct icmp_header {
	uint8_t type;
	uint8_t code;
	be16 csum;
	be32 rest;
} WIRE;
static_assert(sizeof(struct icmp_header) == 8, "RFC 792 and RFC 4443");

struct vxlan_header {
	be32 flags;    /* VXLAN_FLAG_I must be set, all else reserved */
	be32 vni_rsvd; /* VNI in the upper 24 bits */
} WIRE;
static_assert(sizeof(struct vxlan_header) == 8, "RFC 7348 section 5");

#define VXLAN_FLAG_I 0x08000000u /* host order */

#endif
