/* SPDX-License-Identifier: Apache-2.0 */
/* From a packet's head to its key and header offsets. Used by the pipeline, and by actions after a header was
 * taken off. */
#ifndef DATAPATH_PARSE_H
#define DATAPATH_PARSE_H

#include "base/dp/packet.h"
#include "flows/dp/mkey.h"

/*
 * Fills `key` (line 0 always, ext when something is there) and p->l3, l4, l3_kind, l4_proto. Reads the head
 * only, pulling in more when headers go on behind it. What is truncated, contradictory or unknown reads as
 * zero, as in Open vSwitch. L4 fields of every fragment read as zero (but see
 * below), and l4 is set for the first one. Of a
 * GSO packet whose headers are not seen through (a tunnel of the guest's own), l3 and l4 stay as the port set
 * them. in_port and tunnel come from the packet.
 */
void parse_packet(struct packet *p, struct mkey *key);

/* The key's tunnel fields; line 0 of `key` is filled already. */
void parse_tunnel(const struct packet *p, struct mkey *key);

/* What is made of fragments, numbered as OFPC_FRAG_*: their L4 fields are zero; they are dropped; the first
 * one has its L4 fields (Nicira's mode). One mode for all workers; set by the control thread. */
enum fragments { FRAGMENTS_NORMAL = 0, FRAGMENTS_DROP = 1, FRAGMENTS_NX_MATCH = 3 };
void parse_set_fragments(enum fragments mode);
enum fragments parse_fragments(void);

/* The offsets only. */
void parse_offsets(struct packet *p);

/* Of a packet with IPv6 at l3: offset of the byte that names the upper layer, behind all extension headers.
 * 0: truncated. */
uint32_t parse_ipv6_proto_at(struct packet *p);

#endif
