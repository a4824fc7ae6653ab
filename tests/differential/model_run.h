/* SPDX-License-Identifier: Apache-2.0 */
/* One packet on its way through the model. Private to model_*.c. */
#ifndef TESTS_DIFFERENTIAL_MODEL_RUN_H
#define TESTS_DIFFERENTIAL_MODEL_RUN_H

#include "tests/differential/model.h"

enum { RUN_SET_MAX = 256, RUN_STACK_MAX = 16 };

struct run {
	struct model *m;
	struct model_result *out;
	struct model_frame frame;
	struct flow_key state;        /* what is in front of eth_dst: not in the frame */
	const struct model_frame *in; /* as it came in */
	struct flow_key first;
	uint32_t came_in;
	const struct model_guess *guess;
	unsigned depth;
	const struct model_rule
	        *rule; /* whose actions are done; the action set's count as those of the first */
	uint8_t table_id;
	bool muted;    /* a meter has refused the packet: flows are met and counted, nothing is done */
	bool remarked; /* by a meter: tables do not see that */
	bool over;     /* exit, or the packet of this branch is dropped */
	const struct action *set[RUN_SET_MAX];
	unsigned nset;
	struct field_value stack[RUN_STACK_MAX];
	unsigned nstack;
};

/* All fields of the packet as it is now. */
struct flow_key run_key(const struct run *r);
/* The bits of a field, lowest first; zero when the packet has no such field. */
struct field_value run_read(const struct run *r, const struct subfield *s);
/* Lookup and what it leads to. In a table that is reached by goto, a miss drops what was only written; a
 * resubmit that misses does nothing. */
void run_table(struct run *r, unsigned table_id, uint32_t in_port, bool by_goto);

/* Actions that send the packet (model_output.c) and that change it (model_rewrite.c). */
void run_output(struct run *r, const struct action *a);
void run_rewrite(struct run *r, const struct action *a);
void run_learn(struct run *r, const struct action_learn *l);
void run_meter(struct run *r, uint32_t id);
/* What the flow took before of `live`, of which there are n; else the guess, which is noted. `c` has the
 * group and the flow. */
unsigned run_choose(struct run *r, struct model_choice *c, const unsigned *live, unsigned n);
/* A field becomes this number (model_rewrite.c). */
void run_load(struct run *r, const struct subfield *dst, uint64_t number);
void run_check_pkt_larger(struct run *r, const struct action *a); /* model_rewrite.c */
/* model_links.c: multipath, and which member of a bundle it is; PORT_ANY: none is live. */
void run_multipath(struct run *r, const struct action_multipath *m);
uint32_t run_bundle(struct run *r, const struct action_bundle *b);
/* A TTL ran out: told to these controllers, or to all when there are none; the packet is gone. */
void run_ttl_expired(struct run *r, const uint16_t *ids, unsigned n);

#endif
