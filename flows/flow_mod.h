/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of flows, and what is told about a flow. Both own their action lists: flow_mod_free() /
 * flow_stats_free().
 */
#ifndef FLOWS_FLOW_MOD_H
#define FLOWS_FLOW_MOD_H

#include "flows/action.h"
#include "flows/match.h"

/* Numbers of the wire (OFPFC_*). */
enum flow_command { FLOW_ADD, FLOW_MODIFY, FLOW_MODIFY_STRICT, FLOW_DELETE, FLOW_DELETE_STRICT };

/* Numbers of the wire (OFPFF_*). */
enum flow_flags {
	FLOW_SEND_REM = 1,
	FLOW_CHECK_OVERLAP = 2,
	FLOW_RESET_COUNTS = 4,
	FLOW_NO_PACKET_COUNTS = 8,
	FLOW_NO_BYTE_COUNTS = 16,
};

enum { TABLE_ALL = 0xff, GROUP_ANY = 0xffffffff, PRIORITY_DEFAULT = 0x8000 };

struct flow_mod {
	enum flow_command command;
	uint8_t table_id; /* TABLE_ALL: every table (delete, modify), table 0 (add) */
	uint16_t priority;
	uint64_t cookie;       /* of the new flow */
	uint64_t match_cookie; /* which flows a modify or delete is about: those with (cookie & cookie_mask)
	                          == match_cookie. */
	uint64_t cookie_mask;  /* On the wire one field serves both; the codec fills what applies. */
	bool modify_cookie;    /* OpenFlow 1.0 and text: a modify changes the cookie, and adds when nothing is
	                          there */
	uint16_t idle_timeout, hard_timeout; /* seconds, 0: never */
	uint16_t importance;
	uint16_t flags;     /* enum flow_flags */
	uint32_t buffer_id; /* 0xffffffff: none */
	uint32_t out_port;  /* PORT_ANY: any */
	uint32_t out_group; /* GROUP_ANY: any */
	struct match match;
	struct action_list actions;
};

/* Everything zero or "any", FLOW_ADD, TABLE_ALL, PRIORITY_DEFAULT. */
void flow_mod_init(struct flow_mod *fm);
void flow_mod_free(struct flow_mod *fm);
int flow_mod_copy(struct flow_mod *to, const struct flow_mod *from);

/* One line of dump-flows. */
struct flow_stats {
	uint8_t table_id;
	uint16_t priority;
	uint64_t cookie;
	uint64_t duration_ns;
	uint16_t idle_timeout, hard_timeout, importance, flags;
	int idle_age, hard_age; /* seconds, -1: not known (OpenFlow 1.3 does not send them) */
	uint64_t born,
	        changed; /* numbers of the add and of the last change, rising over all flows; 0: not known */
	uint64_t n_packets, n_bytes;
	struct match match;
	struct action_list actions;
};

void flow_stats_free(struct flow_stats *fs);

/* Which flows a dump, an aggregate or a loose change is about. */
struct flow_filter {
	uint8_t table_id; /* or TABLE_ALL */
	uint32_t out_port, out_group;
	uint64_t cookie, cookie_mask;
	struct match match;
};

#endif
