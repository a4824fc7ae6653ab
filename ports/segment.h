/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet on its way out through a port that cannot take it as it is.
 *
 * What: cuts a GSO packet (TCP or UDP, IPv4 or IPv6, plain or inside VXLAN) into frames and finishes partial
 * checksums (inner L4, outer UDP) in the one pass that copies the payload. Every output port uses it.
 *
 * Design: segment_passes() says whether the packet can leave untouched: then segment_copy_whole() copies it.
 * Else segment_begin() prepares, segment_next() tells each frame's length so that the port can find room, and
 * segment_copy() writes the frame. A packet without GSO gives one frame. Head and payload are only read.
 *
 *	if (segment_passes(pkt, port->caps)) {
 *		segment_copy_whole(pkt, iov, n);
 *	} else if (segment_begin(&s, pkt, port->caps)) {
 *		drop(DROP_SEGMENT_FAILED);
 *	} else {
 *		while ((len = segment_next(&s)))
 *			segment_copy(&s, iov_of_len_bytes, n);
 *	}
 *
 * A frame that is not wanted (ring full) is skipped by calling segment_next() again without segment_copy().
 * Headers come from the packet's l3 (outer_l3, outer_l4 with PACKET_ENCAP) and csum_start, which is the inner
 * L4 header of a GSO packet.
 *
 * Thread-safety and life cycle: a struct segmenter lives on the stack of one worker; the packet must stay as
 * it is until the last frame.
 */
#ifndef PORTS_SEGMENT_H
#define PORTS_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/dp/packet.h"
#include "ports/port.h"

/* A place in the packet's bytes. */
struct segment_cursor {
	const uint8_t *at;
	uint32_t left; /* bytes of the current piece */
	uint32_t seg;  /* next piece */
};

struct segmenter {
	const struct packet *p;
	struct segment_cursor cursor;                    /* next payload byte */
	uint32_t payload_left;                           /* behind this frame */
	uint32_t payload;                                /* of this frame */
	uint32_t index;                                  /* of this frame, from 0 */
	uint16_t headers;                                /* bytes in head, repeated in front of each frame */
	uint16_t l3, l4;                                 /* inner; valid when cutting */
	uint32_t frame_max;                              /* payload bytes of a full frame */
	bool cut;                                        /* GSO: headers are rewritten for each frame */
	bool copied;                                     /* this frame's payload was consumed */
	bool finish_inner;                               /* the inner checksum is still to be computed */
	uint8_t head[PACKET_HEADROOM + PACKET_HEAD_MAX]; /* the original headers */
	uint8_t work[PACKET_HEADROOM + PACKET_HEAD_MAX]; /* this frame's */
};

/* True when a port with `caps` (enum port_cap) can take the packet as it is. Nothing takes a packet whose
 * encapsulated or covered part or outer checksum is unfinished. */
static inline bool segment_passes(const struct packet *p, uint32_t caps)
{
	static const uint32_t gso_caps[] = {
	        [GSO_NONE] = PORT_TX_CSUM,
	        [GSO_TCP4] = PORT_TX_CSUM | PORT_TX_TSO4,
	        [GSO_TCP6] = PORT_TX_CSUM | PORT_TX_TSO6,
	        [GSO_UDP4] = PORT_TX_CSUM | PORT_TX_USO4,
	        [GSO_UDP6] = PORT_TX_CSUM | PORT_TX_USO6,
	};

	if (!(p->flags & (PACKET_NEEDS_CSUM | PACKET_OUTER_CSUM)) && p->gso == GSO_NONE)
		return true;
	if (p->flags & (PACKET_ENCAP | PACKET_OUTER_CSUM | PACKET_COVERED))
		return false;
	return (gso_caps[p->gso] & ~caps) == 0;
}

/* Length of the largest frame that the packet becomes, from its head on. */
uint32_t segment_frame_len(const struct packet *p);

/* Length at L3 of the largest frame that the packet becomes: what is held against an MTU. The outer packet's
 * with PACKET_ENCAP. Needs l3 (else an untagged Ethernet header is assumed). */
uint32_t segment_l3_len(const struct packet *p);

/* Number of frames segment_next() will give, 1 without GSO. */
uint32_t segment_count(const struct packet *p);

/* 0, or -EINVAL when the headers don't fit the offload metadata: the caller drops it as DROP_SEGMENT_FAILED.
 */
int segment_begin(struct segmenter *s, const struct packet *p, uint32_t caps);

/* Makes the next frame and returns its length in bytes; 0 after the last. */
uint32_t segment_next(struct segmenter *s);

/* Writes the current frame to the first bytes of `iov`, which holds at least as much as segment_next() said.
 * At most once per frame. */
void segment_copy(struct segmenter *s, const struct iovec *iov, unsigned n);

/* Copies the whole packet unchanged to the first p->len bytes of `iov`. */
void segment_copy_whole(const struct packet *p, const struct iovec *iov, unsigned n);

#endif
