/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes: what is left of a rule when one only asks which bits of packets matter. Rules that differ only in
 * the values of packet fields and in outputs have the same shape, so 100,000 rules make a few.
 *
 * A shape has the part of the match that is about the pipeline's state (metadata, registers, in_port, tun_id)
 * with values, the rest as a mask only, what its actions read of the packet, and what they do to the state,
 * as steps.
 *
 * Thread-safety: control thread.
 *
 * Life cycle: owned by relevance.h, from the first rule that has the shape to the last.
 */
#ifndef FLOWS_DP_SHAPE_H
#define FLOWS_DP_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "flows/dp/lengths.h"
#include "flows/key.h"

struct action_list;
struct match;

/* The pipeline's state, or which of its bits are meant. */
struct pstate {
	be64 metadata;
	uint32_t regs[FLOW_REGS];
	be64 tun_id;
	uint32_t in_port;
	uint32_t pad;
};

enum { PSTATE_WORDS = sizeof(struct pstate) / 8, SHAPE_STEPS_MAX = 24, SHAPE_ANY_TABLE = 0xff };

struct shape_step {
	enum shape_step_kind {
		STEP_SET,    /* bits of `mask` become those of `value` */
		STEP_FORGET, /* bits of `mask` become something that depends on the packet */
		STEP_CALL,   /* look up in `table`, then go on here */
		STEP_BRANCH, /* the next `length` steps are done on a copy */
	} kind;
	uint32_t length;
	uint32_t table;
	uint32_t in_port; /* STEP_CALL: for the lookup; PORT_IN_PORT: as it is */
	struct pstate mask, value;
};

struct shape {
	struct shape *next; /* of the same hash */
	struct shape *next_in_table, *prev_in_table;
	uint64_t hash;
	uint32_t users, unused;
	/* from here on compared whole */
	uint32_t table;   /* SHAPE_ANY_TABLE: counts wherever a packet goes (groups) */
	uint32_t classes; /* bits: which classes of packets can meet it */
	uint32_t mixes;   /* it can turn a packet of one class into another */
	uint32_t opaque;  /* where it leads is not known */
	uint32_t nsteps;
	uint32_t resizes;       /* it can make a frame longer or shorter */
	struct lengths lengths; /* that it tells apart */
	struct flow_key needs;  /* wide mask of packet fields */
	struct pstate mask, value;
	struct shape_step steps[]; /* nsteps */
};

/* Makes the shape of a rule of `table`, or of a bucket (`match` NULL). `select`: the bucket is chosen by a
 * hash of the headers. `coarse`: without values, so that it falls together with others. Valid until the next
 * call. */
const struct shape *shape_of(uint32_t table, const struct match *match, const struct action_list *actions,
                             bool select, bool coarse);
bool shape_equal(const struct shape *a, const struct shape *b);
unsigned shape_bytes(const struct shape *s);

#endif
