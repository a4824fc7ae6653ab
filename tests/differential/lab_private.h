/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the lab share: a frame in words. */
#ifndef TESTS_DIFFERENTIAL_LAB_PRIVATE_H
#define TESTS_DIFFERENTIAL_LAB_PRIVATE_H

#include "tests/differential/lab.h"

enum probe_kind { PROBE_IP, PROBE_ARP, PROBE_ND, PROBE_JUNK };
enum { UDP = 17, TCP = 6, ICMP = 1, ICMP6 = 58, SYN = 2, ACK = 16, SYN_ACK = 18 };
enum { PING = 8, PONG = 0, PING6 = 128, PONG6 = 129, UNREACHABLE = 3, UNREACHABLE6 = 1 };

struct probe { /* a frame in words */
	enum probe_kind kind;
	bool v6, tagged;
	uint8_t src[6], dst[6];
	uint8_t from[16], to[16]; /* 4 bytes of them for IPv4 */
	uint8_t proto, ttl, type; /* type: ICMP's; the flags of TCP */
	uint16_t sport, dport;
	uint8_t sha[6]; /* ARP's sender, ND's link-layer option */
	unsigned id;
	bool is_answer, quotes; /* quotes: an ICMP error about the packet `about` */
	struct lab_tuple about;
};

/* A number below `n`. */
unsigned lab_pick(struct lab *lab, unsigned n);
const struct lab_network *lab_network_of(const struct lab *lab, const struct lab_guest *g);
void lab_router_mac(const struct lab_network *net, uint8_t mac[6]);
void lab_link_local(const uint8_t mac[6], uint8_t ip[16]);

/* lab_frame.c: the frame's bytes (LAB_FRAME there are); their number. */
uint32_t lab_put_frame(const struct probe *p, uint8_t *out);

/* lab_groups.c: do the guest's security groups let it send this, or get it? They remember what they let. */
bool lab_may_leave(struct lab *lab, int guest, const struct probe *p);
bool lab_may_enter(struct lab *lab, int guest, const struct probe *p);
struct lab_tuple lab_tuple_of(const struct probe *p);

/* lab_judge.c: fills the zeroed verdict on a probe of guest `from`. */
void lab_judge(struct lab *lab, int from, const struct probe *p, struct lab_verdict *v);

#endif
