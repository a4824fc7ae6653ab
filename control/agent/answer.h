/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent answers a guest: addresses (DHCPv4, DHCPv6, router advertisements), neighbours (ND), the
 * router's echo and "time exceeded".
 *
 * Every byte of a frame comes from a guest: it is read through struct question_frame only, whose parser
 * checks lengths. Each port may ask ANSWER_RATE times a second, with ANSWER_BURST at once; the rest is not
 * answered.
 *
 * Thread-safety: one thread. Life cycle: answerer_create -> answer_packet ... -> answerer_destroy.
 */
#ifndef CONTROL_AGENT_ANSWER_H
#define CONTROL_AGENT_ANSWER_H

#include "base/wire.h"
#include "control/agent/pipeline.h"

enum { ANSWER_MAX = 1500 + 14, ANSWER_RATE = 100, ANSWER_BURST = 200 };

struct answerer;

struct answerer *answerer_create(void);
void answerer_destroy(struct answerer *a); /* NULL is legal */

/* Writes the answer to a punted frame into `reply` (ANSWER_MAX bytes): its length, 0: none. */
size_t answer_packet(struct answerer *a, const struct scene *s, enum punt about, uint32_t in_port,
                     const uint8_t *frame, size_t len, uint8_t *reply);

/* The router advertisement that a port gets each ADVERTISE_SECONDS, since guests ask only once and what they
 * were told ends (RFC 4861, section 6.2.4); 0: its network has no IPv6. */
enum { ADVERTISE_SECONDS = 300 };
size_t answer_unasked(const struct scene_port *p, uint8_t *reply);

/* ---- for the files of the answers ---- */

struct question_frame { /* a frame that was parsed: pointers into it, NULL when the layer is not there */
	const struct eth_header *eth;
	const struct ipv4_header *ip4;
	const struct ipv6_header *ip6;
	uint8_t proto;
	const uint8_t *l4; /* behind IP; `l4_len` bytes of it are in the frame */
	size_t l4_len;
	const uint8_t *l3;
	size_t l3_len; /* from the IP header on, as its length field says */
};

/* False: not a whole, untagged IP packet. */
bool frame_parse(const uint8_t *bytes, size_t len, struct question_frame *f);

struct question {
	const struct scene *scene;
	const struct scene_port *port;
	const struct question_frame *frame;
};

/* Each returns the length of what it wrote into `reply`, 0: nothing to say. */
size_t answer_dhcp4(const struct question *q, uint8_t *reply);
size_t answer_dhcp6(const struct question *q, uint8_t *reply);
size_t answer_router_solicit(const struct question *q, uint8_t *reply);
size_t answer_nd(const struct question *q, uint8_t *reply);
size_t answer_echo(const struct question *q, uint8_t *reply);
size_t answer_ttl(const struct question *q, uint8_t *reply);

/* Headers before `len` bytes of payload that lie at their place already; checksums are filled. Each returns
 * the whole length of the frame. */
size_t put_udp4(uint8_t *reply, struct mac src, struct mac dst, be32 from, be32 to, uint16_t sport,
                uint16_t dport, size_t len);
size_t put_icmp4(uint8_t *reply, struct mac src, struct mac dst, be32 from, be32 to, size_t len);
/* `proto`: ICMPv6 or UDP; the checksum lies at `csum_at` of the payload. */
size_t put_ip6(uint8_t *reply, struct mac src, struct mac dst, const struct ip_addr *from,
               const struct ip_addr *to, uint8_t proto, size_t csum_at, uint8_t hops, size_t len);

#endif
