/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-net header (virtio 1.2 section 5.1.6) against our offload metadata, both ways. Used by the
 * vhost-user and the tap port, whose peers are trusted with nothing. */
#ifndef PORTS_VNET_H
#define PORTS_VNET_H

#include <assert.h>
#include <stdint.h>

#include "base/dp/packet.h"

enum {
	VNET_NEEDS_CSUM = 1,
	VNET_DATA_VALID = 2,

	VNET_GSO_NONE = 0,
	VNET_GSO_TCPV4 = 1,
	VNET_GSO_UDP = 3, /* UFO: fragments, never negotiated by us */
	VNET_GSO_TCPV6 = 4,
	VNET_GSO_UDP_L4 = 5,
	VNET_GSO_ECN = 0x80,
};

struct vnet_header { /* little-endian */
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len; /* of the headers; a hint */
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers; /* absent in the 10-byte form */
};
static_assert(sizeof(struct vnet_header) == 12, "virtio 1.2 section 5.1.6");

/* Sets the offload metadata of `p` (head, len, segs are set) from a peer's header, after checking it against
 * the packet: checksum field inside the packet and (pulled into) the head, GSO type and size matching the
 * headers. A GSO packet also gets l3 and l4. False: refuse it as DROP_RX_BAD_OFFLOAD. */
bool vnet_to_packet(const struct vnet_header *h, struct packet *p);

/* Whether a checksum over all from `start` on may be written `field` bytes behind it into a packet whose IP
 * protocol is `proto` at `l4` (offsets from its start): never over what flows were matched on, so it is the
 * L4 checksum itself or lies behind the L4 header of a tunnel. */
bool vnet_csum_place_ok(uint8_t proto, uint32_t l4, uint32_t start, uint32_t field);

/* The header for a packet that leaves whole (segment_passes). num_buffers = 1. `data_valid`: the peer
 * negotiated GUEST_CSUM, so that PACKET_CSUM_VALID may be told; `ecn`: it negotiated GUEST_ECN. */
void vnet_from_packet(const struct packet *p, bool data_valid, bool ecn, struct vnet_header *h);

#endif
