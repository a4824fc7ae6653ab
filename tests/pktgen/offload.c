/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for segmentation offload; see offload.h. */
#include "tests/pktgen/offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"

enum { ETHER = 14, IP4_SRC = 12, IP6_SRC = 8, TCP_CSUM = 16, UDP_CSUM = 6, UDP_HEADER = 8 };

static uint16_t word(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

int offload_gso(uint8_t *frame, uint32_t len, uint16_t gso_size, struct vnet_header *h, struct error *e)
{
	const uint8_t *ip = frame + ETHER;
	bool six = len > ETHER && word(frame + 12) == ETH_TYPE_IPV6;
	uint32_t l4 = ETHER + (six ? 40 : 20);
	uint8_t proto;
	uint64_t sum;
	be16 csum;

	if (len < l4 + 20 || (!six && (word(frame + 12) != ETH_TYPE_IPV4 || ip[0] != 0x45)))
		return error_set(e, EINVAL, "gso=: expected eth/ipv4 or eth/ipv6 and 20 bytes behind it");
	proto = six ? ip[6] : ip[9];
	if (proto != IP_PROTO_TCP && proto != IP_PROTO_UDP)
		return error_set(e, EINVAL, "gso=: expected TCP or UDP");
	sum = csum_bytes(six ? ip + IP6_SRC : ip + IP4_SRC, six ? 32 : 8);
	sum = csum_add(sum, htons(proto));
	sum = csum_add(sum, htons((uint16_t)(len - l4)));
	csum = csum_fold(sum);
	*h = (struct vnet_header){
	        .flags = VNET_NEEDS_CSUM,
	        .gso_type = proto == IP_PROTO_UDP ? VNET_GSO_UDP_L4
	                    : six                 ? VNET_GSO_TCPV6
	                                          : VNET_GSO_TCPV4,
	        .hdr_len = (uint16_t)(l4 + (proto == IP_PROTO_UDP ? UDP_HEADER : frame[l4 + 12] >> 4 << 2)),
	        .gso_size = gso_size,
	        .csum_start = (uint16_t)l4,
	        .csum_offset = proto == IP_PROTO_UDP ? UDP_CSUM : TCP_CSUM,
	};
	memcpy(frame + l4 + h->csum_offset, &csum, 2);
	return 0;
}
