/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action program of a packet: what flows/dp/translate makes of a walk through the tables, and what
 * datapath/actions.c executes. Bounded, position-independent, no pointers to rules or ports.
 *
 * A program is executed from op 0; a drop on the way (TTL, push without room) ends the current branch. OP_SAVE
 * snapshots the packet, OP_RESTORE goes back to the snapshot (branches of groups and clone; nesting is unrolled by
 * translation into at most PROGRAM_SAVE_MAX levels). A program without an output op is a drop, and says why.
 */
#ifndef FLOWS_DP_PROGRAM_H
#define FLOWS_DP_PROGRAM_H

#include <stdint.h>

#include "base/wire.h"
#include "base/dp/drops.h"
#include "flows/field.h"

enum { PROGRAM_OPS_MAX = 256, PROGRAM_SAVE_MAX = 8, PROGRAM_RULES_MAX = 64 };

enum op_type {
	OP_OUTPUT,     /* port: a real port number (IN_PORT, LOCAL etc. already resolved or special below) */
	OP_IN_PORT,    /* back where it came from */
	OP_FLOOD,      /* all but ingress and NO_FLOOD ports */
	OP_ALL,	       /* all but ingress */
	OP_NORMAL,     /* L2 learning switch: fdb lookup at run time */
	OP_CONTROLLER, /* max_len, reason, controller id; data: index of rule for cookie/table/metadata */
	OP_SET_FIELD,  /* field, value, mask: header rewrite (never for registers and metadata) or tunnel metadata */
	OP_PUSH_VLAN, OP_POP_VLAN,
	OP_PUSH_MPLS, OP_POP_MPLS,
	OP_PUSH_PBB, OP_POP_PBB,
	OP_DEC_TTL,    /* on 0 or 1: packet-in OFPR_INVALID_TTL to `controller` if max_len, and the branch ends */
	OP_DEC_MPLS_TTL, OP_COPY_TTL_IN, OP_COPY_TTL_OUT,
	OP_METER,      /* meter slot */
	OP_SAVE, OP_RESTORE,
	OP_LEARN,      /* report to the control thread, which installs the flow (slot of the rule) */
	OP_DROP,       /* reason */
};

struct op {
	uint8_t type;	/* enum op_type */
	uint8_t field;	/* OP_SET_FIELD: enum field_id */
	uint16_t arg16; /* max_len, ethertype, reason */
	uint32_t arg32; /* port, meter slot, rule slot */
	uint8_t value[16], mask[16]; /* OP_SET_FIELD: right-aligned big-endian, as wide as the field */
};

/* Which rule (and its table) counted this packet; generation-checked slot of flows/dp/rule.h. */
struct rule_ref {
	uint32_t slot;
	uint32_t generation;
};

struct program {
	uint16_t nops;
	uint16_t nrules;
	uint8_t drop_reason; /* when nops == 0 */
	struct rule_ref rules[PROGRAM_RULES_MAX];
	struct op ops[PROGRAM_OPS_MAX];
};

#endif
