/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets as readable text:
 *
 *	eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01)/ipv4(src=10.0.0.1,dst=10.0.0.2)/udp(src=1,dst=2)/data(len=64)
 *
 * Layers:
 *
 *	eth(dst,src,type) vlan(vid,pcp,cfi,tpid) mpls(label,tc,ttl,bos) pbb(isid,pcp)
 *	arp(op,sha,spa,tha,tpa)
 *	ipv4(src,dst,proto,ttl,tos,id,df,mf,offset,options)
 *	ipv6(src,dst,next,hops,tc,label)
 *	hopopts() dstopts() routing() fragment(offset,mf,id) auth() esp()
 *	udp(src,dst,zero,pseudo) tcp(src,dst,seq,ack,flags,window,pseudo)
 *	sctp(src,dst,tag) icmp(type,code,id,seq) icmpv6(type,code,id,seq)
 *	nd(target,sll,tll) vxlan(vni) data(len,fill,text) pad(len) hex(...)
 *
 * Types, protocols, lengths, checksums and the bottom of the label stack are worked out from what follows;
 * udp(zero=1) leaves the checksum 0, pseudo=N makes it with that protocol; pbb is followed by the eth of the
 * customer.
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
/* The same for texts that are right; aborts when one is not. */
uint32_t packet_text_make(const char *text, uint8_t *out);

#endif
