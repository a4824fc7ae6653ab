/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection tracking of packets: headers are read for datapath/ct/, and rewritten as it says, checksums kept
 * right. Called by actions.c.
 *
 * Only headers are looked at: lengths must fit, checksums are believed. Fragments are tracked one by one: the
 * later ones belong to where the first one did, if that has come before them (ct/README.md).
 */
#ifndef DATAPATH_TRACK_H
#define DATAPATH_TRACK_H

#include "base/dp/packet.h"
#include "flows/ct.h"
#include "flows/dp/mkey.h"

struct worker;

/*
 * Tracks the packet in w->dp->ct as the order says, and translates it if the order and its connection say so.
 * The packet's offsets are those of parse_packet(); they stay as they are. `facts`: in, what the last order
 * told of this packet, zeros if there was none; out, what is known now. What is not IP, is truncated, is a
 * fragment of nothing known or lies behind MPLS labels or an I-TAG is CT_INV. Of a later fragment only
 * addresses are translated.
 */
void track_packet(struct worker *w, struct packet *p, const struct ct_order *o, struct ct_facts *facts);

/*
 * Fetches what track_packet() will need of a packet with this key: to be called for all packets of a batch;
 * then conntrack_prefetch_found() with the number returned. Changes nothing; of a packet that was changed
 * after parsing it fetches the wrong thing.
 */
uint32_t track_prefetch(const struct worker *w, const struct mkey *key, uint16_t zone);

#endif
