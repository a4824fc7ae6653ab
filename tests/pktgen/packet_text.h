/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets as readable text:
 *
 *	eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01)/ipv4(src=10.0.0.1,dst=10.0.0.2)/udp(src=1,dst=2)/data(len=64)
 *
 * Layers: eth(dst,src,type) vlan(vid,pcp,tpid) arp(op,sha,spa,tha,tpa) ipv4(src,dst,proto,ttl,tos,id,df)
 * ipv6(src,dst,next,hops,tc) udp(src,dst,zero) tcp(src,dst,seq,ack,flags,window) icmp(type,code,id,seq)
 * icmpv6(type,code,id,seq) vxlan(vni) data(len,fill,text) hex(...). Types, protocols, lengths and checksums
 *are worked out from what follows; udp(zero=1) leaves the checksum 0.
 */
#ifndef TESTS_PKTGEN_PACKET_TEXT_H
#define TESTS_PKTGEN_PACKET_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { PACKET_TEXT_MAX = 65536 };

/* Writes the frame to `out` (PACKET_TEXT_MAX bytes) and returns its length, or -EINVAL with the column in
 * `e`. */
int packet_text_parse(const char *text, uint8_t *out, struct error *e);

#endif
