/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes flows of the agent's into a set, one after the other. What weft-ofctl shows as
 * "table=10,priority=200,ip,in_port=7,nw_src=10.0.0.5,actions=goto_table:20" is
 *
 *	flow_begin(w, 10, 200);
 *	flow_match_family(w, true);
 *	flow_match(w, FIELD_IN_PORT_OXM, 7);
 *	flow_match_ip(w, FIELD_IPV4_SRC, &ip);
 *	flow_do_goto(w, 20);
 *	flow_end(w);
 *
 * and without a flow_do_... it drops. What fails marks the set. That what a field or an action needs is
 * matched too, and before it, is the caller's care: tests/unit/agent_test.c holds all flows against
 * action_list_check() and match_normalize().
 *
 * Thread-safety: none. Life cycle: zeroed, with `set` filled in -> flows -> flow_writer_free.
 */
#ifndef CONTROL_AGENT_FLOW_WRITER_H
#define CONTROL_AGENT_FLOW_WRITER_H

#include "control/agent/flow_set.h"
#include "control/tenancy/prefix.h"

/* Cookies of the agent's flows: the upper half marks them, the lower says what a punted packet is about. */
#define COOKIE_MARK ((uint64_t)0x57656674 << 32)
#define COOKIE_MASK ((uint64_t)0xffffffff << 32)

enum punt {
	PUNT_NONE,
	PUNT_DHCP4,
	PUNT_DHCP6,
	PUNT_ROUTER_SOLICIT,
	PUNT_ND,
	PUNT_ECHO,
	PUNT_TTL,
	PUNT_CLAIM
};

enum { AGENT_CONTROLLER_ID = 0x5745 }; /* packets are punted to the agent alone */

struct flow_writer {
	struct flow_set *set;
	struct flow_mod flow;  /* that is being written; the room for its actions serves the next one */
	struct action nowhere; /* is filled when there is no room */
};

void flow_begin(struct flow_writer *w, uint8_t table, unsigned priority);
void flow_end(struct flow_writer *w);
void flow_writer_free(struct flow_writer *w);

/* ---- what it matches ---- */

void flow_match(struct flow_writer *w, enum field_id field, uint64_t n);
void flow_match_masked(struct flow_writer *w, enum field_id field, uint64_t n, uint64_t mask);
void flow_match_mac(struct flow_writer *w, enum field_id field, struct mac mac);
/* `field` is IPv4's; of an IPv6 address its twin is meant: FIELD_IPV4_SRC, IPV4_DST, TUN_SRC, CT_NW_SRC,
 * CT_NW_DST. */
void flow_match_ip(struct flow_writer *w, enum field_id field, const struct ip_addr *ip);
void flow_match_prefix(struct flow_writer *w, enum field_id field, const struct prefix *prefix);
/* IPv4 or IPv6; and a protocol on it. */
void flow_match_family(struct flow_writer *w, bool v4);
void flow_match_proto(struct flow_writer *w, bool v4, uint8_t proto);
/* Of the connection that the tracker has told: these bits of its state (enum ct_state) are set, those not. */
void flow_match_connection(struct flow_writer *w, unsigned set, unsigned clear);
/* Is it for one, or for many? */
void flow_match_multicast(struct flow_writer *w, bool multicast);

/* ---- what it does, in this order ---- */

void flow_do_set(struct flow_writer *w, enum field_id field, uint64_t n);
void flow_do_set_mac(struct flow_writer *w, enum field_id field, struct mac mac);
void flow_do_set_ip(struct flow_writer *w, enum field_id field, const struct ip_addr *ip); /* as to match */
void flow_do_move(struct flow_writer *w, enum field_id from, enum field_id to);            /* all of it */
void flow_do_dec_ttl(struct flow_writer *w);
void flow_do_output(struct flow_writer *w, uint32_t port);
void flow_do_resubmit(struct flow_writer *w, uint8_t table);
/* Through the connection tracker, in the zone that the low half of reg4 says; the packet goes on in `table`.
 */
void flow_do_track(struct flow_writer *w, uint8_t table);
/* The tracker remembers the packet's connection in that zone. */
void flow_do_commit(struct flow_writer *w);
/* To the agent, which is told by the flow's cookie what it is about. */
void flow_do_punt(struct flow_writer *w, enum punt about);
void flow_do_goto(struct flow_writer *w, uint8_t table); /* the last one */

#endif
