/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection tracking: what an action asks for and what is known of a packet's connection, as plain data.
 * Text, wire and tables (flows/, control/openflow) make an order of it, datapath/ct carries it out.
 * Numbers and meanings are those of Open vSwitch's ct action and ct_state field (ovs-actions(7),
 * ovs-fields(7)).
 */
#ifndef FLOWS_CT_H
#define FLOWS_CT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/wire.h"

enum ct_state {                   /* bits of the field ct_state */
	        CT_NEW = 1 << 0,  /* would begin a connection that is not committed yet */
	        CT_EST = 1 << 1,  /* of a connection that both sides have sent packets of */
	        CT_REL = 1 << 2,  /* related to a committed one: an ICMP error, a data connection of FTP */
	        CT_RPL = 1 << 3,  /* in the direction opposite to the first packet */
	        CT_INV = 1 << 4,  /* cannot be told which one it belongs to, or does not fit into it */
	        CT_TRK = 1 << 5,  /* was tracked; without it all others are zero */
	        CT_SNAT = 1 << 6, /* the connection's source is translated */
	        CT_DNAT = 1 << 7, /* its destination */
};

enum ct_flag { /* NX_CT_F_*, and those of an order alone */
	       CT_COMMIT = 1 << 0,
	       CT_FORCE = 1 << 1,
	       CT_NAT = 1 << 2, /* order: translate as the connection says; with addresses: as the range says,
	                           when it is committed */
	       CT_NEXT = 1 << 3,   /* order: the packet goes on in another table */
	       CT_AFRESH = 1 << 4, /* order: what is known of the packet was cleared */
};

enum nat_flag { /* NX_NAT_F_* */
	        NAT_SRC = 1 << 0,
	        NAT_DST = 1 << 1,
	        NAT_PERSISTENT = 1 << 2,
	        NAT_HASH = 1 << 3,
	        NAT_RANDOM = 1 << 4,
	        NAT_FLAGS = (1 << 5) - 1,
};

enum ct_alg { CT_ALG_NONE = 0, CT_ALG_FTP = 21, CT_ALG_TFTP = 69 };

/* To what addresses and ports; both ends are in the range, and of one address or port they are the same. */
struct nat_range {
	struct ip_addr addr_min, addr_max; /* none: as the packet has it */
	uint16_t port_min, port_max;       /* host order; 0: not said */
	uint16_t flags;                    /* enum nat_flag; 0: only undo and redo what the connection has */
	uint16_t pad;
};

/* Are flags and ranges such as one may ask for: to one side, both ends of one family and in order, ports only
 * with addresses? */
bool nat_range_is_valid(const struct nat_range *nat);

/* One packet's ct(...), all fields read. Part of an action program: no pointers, no padding. */
struct ct_order {
	uint16_t zone;
	uint16_t flags; /* enum ct_flag */
	uint16_t alg;   /* enum ct_alg */
	uint16_t pad;
	uint32_t mark, mark_mask; /* host order; written on commit; no bit outside the mask */
	uint8_t label[16], label_mask[16];
	struct nat_range nat; /* with CT_NAT */
	uint64_t pad2;
};
static_assert(sizeof(struct ct_order) == 96, "six data units of a program");

/* Both ends of a connection, as one packet has them. */
struct ct_tuple {
	struct ip_addr src, dst; /* none: not IP */
	be16 tp_src, tp_dst;     /* ICMP: id and type/code are up to who tracks it */
	uint8_t proto;           /* IP protocol */
	uint8_t pad[3];          /* zero */
};

/* Which connections are to be forgotten: those for which every condition that is set holds; with none, all.
 */
struct ct_flush {
	bool by_zone;
	uint8_t pad; /* zero */
	uint16_t zone;
	/* Of either direction, after NAT where there is some. Zero addresses, ports and protocol are not
	 * looked at. ICMP: tp_src is the id, tp_dst type and code. Both have the same protocol. */
	struct ct_tuple orig, reply;
};

/* What later tables see: the fields ct_*. */
struct ct_facts {
	uint32_t state; /* enum ct_state */
	uint32_t mark;  /* host order */
	uint8_t label[16];
	struct ct_tuple orig; /* of the connection's first direction, before NAT; zeros without one (ICMP:
	                         type and code in tp_src and tp_dst) */
	uint16_t zone;
	uint8_t pad[6];
};

#endif
