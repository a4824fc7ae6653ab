/* SPDX-License-Identifier: Apache-2.0 */
/* Between track.c and track_ip.c, which read headers, and track_nat.c, which rewrites them. */
#ifndef DATAPATH_TRACK_VIEW_H
#define DATAPATH_TRACK_VIEW_H

#include "base/dp/packet.h"
#include "datapath/ct/conntrack.h"

struct worker;

/* A packet's headers; offsets from its head, and all that lies in front of l4 + `have` is private. */
struct track_view {
	uint32_t l3, l4, end; /* end: behind the last byte that belongs to the IP packet */
	struct ip_addr src, dst;
	uint8_t proto; /* later fragments: as their IP header, or IPv6's fragment header, says */
	bool is_fragment;
	struct ct_fragment fragment; /* valid when it is one */
};

/* What the packet holds, and what the packet inside an ICMP error holds. */
struct track_headers {
	struct ct_packet ct;
	struct track_view outer, inner;
};

/* `n` bytes at `at`, private now; NULL: they are not in front of v->end or cannot be. */
static inline const uint8_t *track_bytes(struct packet *p, const struct track_view *v, uint32_t at,
                                         uint32_t n)
{
	if (at > v->end || n > v->end - at || !packet_pull(p, at + n))
		return NULL;
	return p->head + at;
}

/* Reads the IP header at v->l3, of the kind that p->l3_kind says. `v`, in: `l3`, `end` behind the last byte
 * there is, and zeros. Of a later fragment l4 is where its bytes begin. `quoted`: it is that of a packet
 * inside an ICMP error, which may be cut off. False: it cannot be tracked. */
bool track_read_ip(struct packet *p, struct track_view *v, bool quoted);

/* Reads all there is to know for h->ct; h->ct.flags says when that is nothing. */
void track_read(struct packet *p, struct track_headers *h);
/* Headers alone; CT_REWRITE_TEXT is left to track_ftp(). */
void track_rewrite(struct packet *p, const struct track_headers *h, const struct ct_rewrite *rw);
/* The payload of an FTP control connection's packet, whose headers are rewritten. */
void track_ftp(struct worker *w, struct packet *p, const struct track_headers *h,
               const struct ct_control *control, struct ct_facts *facts);

#endif
