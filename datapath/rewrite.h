/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to the headers in a packet's head, checksums kept right. Called by actions.c; the packet's offsets
 * are those of parse_packet(). What is not there is left alone. */
#ifndef DATAPATH_REWRITE_H
#define DATAPATH_REWRITE_H

#include "base/dp/packet.h"
#include "flows/field.h"

/* Replaces the bits of `mask` in a header field or in the tunnel metadata; both right-aligned big-endian, as
 * wide as the field. */
void rewrite_field(struct packet *p, enum field_id id, const struct field_value *value,
                   const struct field_value *mask);

/* One off the IPv4 TTL or IPv6 hop limit. False when it is 0 or 1: nothing is changed then. */
bool rewrite_dec_ttl(struct packet *p);
bool rewrite_dec_mpls_ttl(struct packet *p);
/* OpenFlow 1.3 section 5.12: between the two outermost headers with a TTL. */
void rewrite_copy_ttl_in(struct packet *p);
void rewrite_copy_ttl_out(struct packet *p);

/* Tags (datapath/tags.c). Ethertypes are in host order. False: no room, or not there where that matters. A
 * frame of at least 60 bytes that loses a tag is padded to 60 with zeros, on the way to every kind of port
 * and to a controller. */
bool tags_push_vlan(struct packet *p, uint16_t tpid);
bool tags_pop_vlan(struct packet *p);
bool tags_push_mpls(struct packet *p, uint16_t ethertype);
bool tags_pop_mpls(struct packet *p, uint16_t ethertype);
bool tags_push_pbb(struct packet *p, uint16_t ethertype);
bool tags_pop_pbb(struct packet *p);
/* Offset behind the VLAN tags (at most two, as in the key), and the EtherType in front of it; 0 when the
 * packet is too short. */
uint16_t tags_end(struct packet *p, be16 *type);
/* Is the header that p->l3 says what the tags lead to, be it by way of SNAP (IEEE 802 section 10.3)? It is
 * not when a label or an I-TAG covers it. */
bool tags_show_l3(struct packet *p);

#endif
