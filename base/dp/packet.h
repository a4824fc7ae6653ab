/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The datapath's packet: a view.
 *
 * What: the first bytes of a packet in private memory (the head, with headroom for an encapsulation),
 * references to the rest where it still lies (guest memory, umem frame, mbuf), and what is known about it.
 *
 * Design: a guest can change its memory at any time, so headers are parsed and rewritten only in the head;
 * whoever needs more header bytes calls packet_pull(), which copies them once. Nobody but an output port
 * reads the segments, and it copies them exactly once. A short packet lies in the head as a whole and has no
 * segments.
 *
 * Thread-safety: a packet belongs to one worker.
 *
 * Life cycle: an rx burst fills packets of the worker's pool; the segments stay valid until the worker calls
 * the receiving queue's release(). packet_snapshot() makes a second view of the same payload for an output
 * whose packet is changed afterwards.
 */
#ifndef BASE_DP_PACKET_H
#define BASE_DP_PACKET_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

enum {
	BATCH_MAX = 64,
	PACKET_HEADROOM = 128,   /* room for outer Ethernet + VLAN + IPv6 + UDP + VXLAN (74) and more tags */
	PACKET_HEAD_FIRST = 128, /* bytes an rx burst copies at first (less when the packet is shorter) */
	PACKET_HEAD_MAX = 384,   /* most bytes that packet_pull() can make private */
	PACKET_SEGS_MAX = 64,    /* a chain with more pieces is refused by the port, counted */
	PACKET_LEN_MAX = 65536 + 64, /* largest GSO packet */
};

enum packet_gso {
	GSO_NONE = 0,
	GSO_TCP4,
	GSO_TCP6,
	GSO_UDP4, /* UDP segmentation (USO): equal datagrams, not IP fragments */
	GSO_UDP6,
};

enum packet_flag {
	/* The 16 bits at csum_start + csum_offset hold the pseudo-header sum (not inverted); the checksum is
	 * still to be computed from csum_start to the end of the packet. */
	PACKET_NEEDS_CSUM = 1 << 0,
	PACKET_CSUM_VALID = 1 << 1, /* somebody trustworthy has verified the L4 checksum */
	PACKET_ENCAP = 1 << 2, /* outer_l3/outer_l4 are valid: the head starts with VXLAN's outer headers */
	PACKET_OUTER_CSUM =
	        1 << 3, /* the outer UDP checksum is to be computed while copying (IPv6 underlay) */
	/* In front of l3 lie MPLS labels, an I-TAG or a wrong EtherType: no receiver finds the headers that
	 * an offload is about, so it is done before the packet leaves. */
	PACKET_COVERED = 1 << 4,
};

enum packet_l3 { L3_OTHER, L3_IPV4, L3_IPV6, L3_ARP };

struct packet_seg {
	const uint8_t *data;
	uint32_t len;
};

/* Tunnel metadata: set by decap (what the packet came in with) and by set_field tun_* (how to encapsulate).
 */
struct packet_tunnel {
	uint64_t id; /* VNI, host order */
	struct ip_addr src;
	struct ip_addr dst;
	uint8_t tos;
	uint8_t ttl;
	uint16_t flags;
};

struct packet {
	/* line 0: where the bytes are, what the pipeline asks most */
	uint8_t *head;     /* first byte, inside buf */
	uint32_t len;      /* whole packet: head_len + all segments */
	uint16_t head_len; /* private bytes */
	uint16_t nsegs;
	uint32_t in_port; /* OpenFlow number of the ingress port */
	uint32_t hash;    /* symmetric enough flow hash of the innermost headers, 0 = not computed */
	uint16_t l3;      /* offsets from head; 0 = absent. After encap: of the inner packet */
	uint16_t l4;
	uint16_t outer_l3; /* valid with PACKET_ENCAP */
	uint16_t outer_l4;
	uint16_t flags; /* enum packet_flag */
	uint16_t csum_start;
	uint16_t csum_offset; /* from csum_start */
	uint16_t gso_size;    /* payload bytes per segment */
	uint8_t gso;          /* enum packet_gso */
	uint8_t recirc;       /* times this packet was sent through the pipeline again */
	uint8_t l3_kind;      /* enum packet_l3: what is at l3 (innermost), set by the parser */
	uint8_t l4_proto;     /* IP protocol at l4; valid when l4 != 0 */

	struct packet_tunnel tunnel;             /* all zero when the packet has none */
	struct packet_seg segs[PACKET_SEGS_MAX]; /* the rest, nsegs of them */
	uint8_t buf[PACKET_HEADROOM + PACKET_HEAD_MAX] __attribute__((aligned(64)));
};

/* Makes an empty packet: head at its default place, no bytes, no offload, no tunnel. */
static inline void packet_reset(struct packet *p)
{
	memset(p, 0, offsetof(struct packet, segs));
	p->head = p->buf + PACKET_HEADROOM;
}

/* Whether the tunnel metadata says anything. */
static inline bool packet_has_tunnel(const struct packet *p)
{
	uint64_t w[5];

	static_assert(offsetof(struct packet_tunnel, tos) == sizeof(w), "id, src, dst");
	memcpy(w, &p->tunnel, sizeof(w));
	return w[0] | w[1] | w[2] | w[3] | w[4];
}

/* Makes `p` a view of the `len` bytes at `data`, which stay where they are: the first PACKET_HEAD_FIRST
 * become private. */
void packet_view(struct packet *p, uint32_t in_port, const uint8_t *data, uint32_t len);

/* Copies bytes from the segments until at least `n` (<= PACKET_HEAD_MAX less what was prepended) are private.
 * False when the packet is shorter than that or the head cannot hold it: nothing is changed then. */
bool packet_pull(struct packet *p, uint32_t n);

/* Makes `n` bytes of the `old` ones at `at`, all in the head; what they hold is undefined. Offsets stay: they
 * must be in front. False when there is no room: nothing is changed then. */
bool packet_stretch(struct packet *p, uint32_t at, uint32_t old, uint32_t n);

/* ---- inside of push and pop ---- */

static inline void packet_move_offset(uint16_t *ofs, int by)
{
	if (*ofs)
		*ofs = (uint16_t)(*ofs + by > 0 ? *ofs + by : 0);
}

static inline void packet_move_offsets(struct packet *p, int by)
{
	packet_move_offset(&p->l3, by);
	packet_move_offset(&p->l4, by);
	packet_move_offset(&p->outer_l3, by);
	packet_move_offset(&p->outer_l4, by);
	if (p->flags & PACKET_NEEDS_CSUM)
		packet_move_offset(&p->csum_start, by);
}

/* Moves the start of the packet: push opens n bytes in front (contents undefined), pop drops n bytes that are
 * in the head. All offsets (l3, l4, outer_*, csum_start) move along. False when there is no room / not so
 * many bytes. */
static inline bool packet_push(struct packet *p, uint16_t n)
{
	if (n > p->head - p->buf)
		return false;
	p->head -= n;
	p->head_len = (uint16_t)(p->head_len + n);
	p->len += n;
	packet_move_offsets(p, n);
	return true;
}

static inline bool packet_pop(struct packet *p, uint16_t n)
{
	if (n > p->head_len)
		return false;
	p->head += n;
	p->head_len = (uint16_t)(p->head_len - n);
	p->len -= n;
	packet_move_offsets(p, -(int)n);
	return true;
}

/* `to` becomes a second view of the same packet: its own head and segment list, the same payload. */
void packet_snapshot(struct packet *to, const struct packet *from);

/* Copies `n` bytes from offset `ofs` of the whole packet (head, then segments) to `to`. The caller has
 * checked the bounds against p->len. */
void packet_copy_out(const struct packet *p, uint32_t ofs, uint32_t n, void *to);

#endif
