/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a load stream: built once in each buffer, then changed in a few bytes for every packet.
 *
 * Flow f of a stream has IPv4 source 10.0.0.0 + f, destination 172.16.0.1, UDP or TCP ports 1024 + f % 32768
 * to 2000; a switch's rules can thus be written for any f. The first 16 bytes behind the transport header are
 * struct load_mark; the rest of the payload depends on the tenant and the place.
 */
#ifndef TESTS_PKTGEN_LOAD_FRAME_H
#define TESTS_PKTGEN_LOAD_FRAME_H

#include <string.h>

#include "base/wire.h"
#include "ports/vnet.h"
#include "tests/pktgen/load.h"

#define LOAD_MAGIC 0x77656674u

struct load_mark {
	uint32_t magic;
	uint32_t tenant;
	uint64_t sequence;
} __attribute__((packed)); /* at any offset of a frame */
static_assert(sizeof(struct load_mark) == 16, "fits a 64-byte frame");

/* Where things are in a stream's frames; offsets from the Ethernet header. */
struct load_frame {
	unsigned ip, l4, mark; /* of the innermost headers */
	unsigned outer_l4;     /* VXLAN's UDP header, 0: none */
	unsigned tcp_csum;     /* 0: none */
	uint32_t tcp_sum;      /* of the pseudo-header without the source */
};

enum { LOAD_OUTER = 50 }; /* bytes of VXLAN's outer headers over IPv4 */

/* Whether a frame of `len` bytes has the outer headers that the switch must give the stream's packets:
 * addresses of the tunnel, lengths, header checksum, I flag, VNI. */
bool load_outer_good(const struct load_stream_options *o, const uint8_t *frame, uint32_t len);
static inline uint16_t load_outer_port(const uint8_t *frame)
{
	return (uint16_t)(frame[34] << 8 | frame[35]);
}

/* Fills the tenant's payload pattern, of which every frame carries the beginning. */
void load_payload_make(uint32_t tenant, uint8_t payload[LOAD_SIZE_MAX]);

/* Most flows that have different addresses. */
enum { LOAD_FLOWS_MAX = 1 << 24 };

/* Lays the stream's frame of `size` bytes (without outer headers) at `to`, all but what load_frame_stamp()
 * sets. Returns the length with outer headers; *sum is what load_frame_stamp() wants. */
unsigned load_frame_build(const struct load_stream_options *o, const uint8_t *payload, unsigned size,
                          uint8_t *to, struct load_frame *where, uint32_t *sum);
/* The virtio-net header that the frame is sent with. */
void load_frame_header(const struct load_stream_options *o, unsigned len, const struct load_frame *where,
                       struct vnet_header *h);
/* Addresses of flow `f` and sequence number into a frame. `sum`: of the IPv4 header without source and
 * checksum. */
static inline void load_frame_stamp(uint8_t *frame, const struct load_frame *at, uint32_t sum, uint32_t f,
                                    uint64_t sequence)
{
	be32 src = htobe32(0x0a000000u | (f & (LOAD_FLOWS_MAX - 1)));
	be16 port = htobe16((uint16_t)(1024 + (f & 0x7fff)));
	struct load_mark *mark = (struct load_mark *)(frame + at->mark);
	be16 csum;

	sum += (src & 0xffff) + (src >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	csum = (be16)~sum;
	memcpy(frame + at->ip + offsetof(struct ipv4_header, csum), &csum, 2);
	memcpy(frame + at->ip + offsetof(struct ipv4_header, src), &src, 4);
	memcpy(frame + at->l4, &port, 2);
	if (at->tcp_csum) {
		uint32_t pseudo = at->tcp_sum + (src & 0xffff) + (src >> 16);

		pseudo = (pseudo & 0xffff) + (pseudo >> 16);
		csum = (be16)(pseudo + (pseudo >> 16));
		memcpy(frame + at->tcp_csum, &csum, 2);
	}
	if (at->outer_l4) {
		port = htobe16((uint16_t)(49152 + (f & 0x3fff)));
		memcpy(frame + at->outer_l4, &port, 2);
	}
	memcpy(&mark->sequence, &sequence, sizeof(sequence));
}

/* Random addresses and ports instead, from 64 random bits. */
static inline void load_frame_scan(uint8_t *frame, const struct load_frame *at, uint32_t sum, uint64_t random,
                                   uint64_t sequence)
{
	be32 dst = (be32)(random * 0x9e3779b97f4a7c15ull >> 32);
	be32 ports = (be32)random;

	load_frame_stamp(frame, at, sum + (dst & 0xffff) + (dst >> 16), (uint32_t)(random >> 32), sequence);
	memcpy(frame + at->ip + offsetof(struct ipv4_header, dst), &dst, 4);
	memcpy(frame + at->l4, &ports, 4);
	memcpy(frame + 6 + 2, &ports, 4); /* the source MAC's last bytes */
}

#endif
