/* SPDX-License-Identifier: Apache-2.0 */
/* Between track.c, which reads headers, and track_nat.c, which rewrites them. */
#ifndef DATAPATH_TRACK_VIEW_H
#define DATAPATH_TRACK_VIEW_H

#include "base/dp/packet.h"
#include "datapath/ct/conntrack.h"

/* A packet's headers; offsets from its head, and all that lies in front of l4 + `have` is private. */
struct track_view {
	uint32_t l3, l4, end; /* end: behind the last byte that belongs to the IP packet */
	struct ip_addr src, dst;
	uint8_t proto;
};

/* What the packet holds, and what the packet inside an ICMP error holds. */
struct track_headers {
	struct ct_packet ct;
	struct track_view outer, inner;
};

/* Reads all there is to know for h->ct; h->ct.flags says when that is nothing. */
void track_read(struct packet *p, struct track_headers *h);
void track_rewrite(struct packet *p, const struct track_headers *h, const struct ct_rewrite *rw);

#endif
