/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of translate: the state of one walk through the tables, which lives on the stack of whoever
 * translates, and how ops are emitted. Design and thread-safety stand in translate.h. */
#ifndef FLOWS_DP_WALK_H
#define FLOWS_DP_WALK_H

#include <string.h>

#include "flows/action_pack.h"
#include "flows/continuation.h"
#include "flows/dp/state.h"
#include "flows/dp/translate.h"

enum { ACTION_SET_MAX = 64, WALK_STACK_MAX = CONTINUATION_STACK_MAX, WALK_TAGS_MAX = 8 };

struct action_set {
	const struct action *items[ACTION_SET_MAX];
	unsigned n;
};

/* What actions have moved out of the key's sight, and what lies on their stack. */
struct hidden {
	struct flow_vlan tags[WALK_TAGS_MAX]; /* below the two of the key, the outermost last */
	unsigned ntags;
	be16 type;    /* behind all of them, while there are any */
	bool cleared; /* by ct_clear, and not tracked since */
	unsigned nstack;
	struct field_value stack[WALK_STACK_MAX];
};

/* controller(pause): the branch has ended, and what it would have done is gathered on the way out of it. */
struct pause {
	const struct action_controller *at; /* NULL: not paused */
	uint64_t cookie;                    /* of the flow that pauses, and its table */
	uint8_t table_id;
	bool has_origin; /* the last ACTION_ORIGIN among `rest` */
	uint8_t origin_table;
	uint64_t origin_cookie;
	struct action_pack rest; /* in `bytes` */
	uint8_t bytes[PROGRAM_DATA_MAX * 16] __attribute__((aligned(16)));
};

struct walk {
	const struct tables *t;
	uint64_t version;
	struct flow_key key;
	const struct flow_key *came; /* the key that the walk began with */
	struct translation *out;
	const struct rule *rule; /* whose actions are done; NULL: those of a packet-out or a continuation */
	uint64_t cookie;         /* of that rule, or UINT64_MAX */
	uint8_t table_id;
	const struct rule *first; /* the one found in table 0; the action set counts as its actions */
	unsigned lookups, depth, saves;
	bool ended;    /* exit, or a drop: the branch is over */
	uint8_t error; /* enum drop_reason when a limit was hit: the packet is dropped; else 0 */
	bool matched, same_port, group_empty;
	struct action_set set; /* key.actset_output says where it leads */
	struct hidden hidden;
	struct pause pause; /* its `bytes` serve ct.c as well, which never pauses */
};

static inline bool walk_over(const struct walk *w)
{
	return w->ended || w->error;
}

static inline void walk_restore_stack(struct walk *w, const struct continuation *c)
{
	w->hidden.nstack = c->nstack;
	memcpy(w->hidden.stack, c->stack, c->nstack * sizeof(c->stack[0]));
}

/* emit.c */
struct op *emit(struct walk *w, enum op_type type, uint16_t arg16, uint32_t arg32);
void emit_set_field(struct walk *w, enum field_id field, const struct field_value *value,
                    const struct field_value *mask);
/* Returns where the `resume_len` bytes (whole units) of a struct program_resume go; NULL: no room. */
void *emit_controller(struct walk *w, uint16_t max_len, uint16_t controller_id, uint8_t reason,
                      const struct action_bytes *userdata, size_t resume_len);
/* An op of this type with `units` data units that start with a struct program_report; NULL: no room. */
void *emit_report(struct walk *w, enum op_type type, unsigned units);
/* `next` NULL: the packet goes on nowhere; else next->more bytes (whole units) of `more` come with it. */
void emit_ct(struct walk *w, const struct ct_order *order, const struct program_next *next, const void *more);
void emit_ref(struct walk *w, struct slot_ref ref);
void emit_dep(struct walk *w, uint16_t dep);
/* A branch: what the ops between the two do to the packet is taken back at the end. */
unsigned emit_branch_begin(struct walk *w);
void emit_branch_end(struct walk *w, unsigned begin);
/* Cuts off what has no effect, or everything when the walk failed; says why nothing is left. */
void emit_finish(struct walk *w);

/* translate.c: any action but goto_table. */
void walk_action(struct walk *w, const struct action *a);
/* translate.c: the packet-in of a controller action, by its meter; returns what emit_controller does. */
void *walk_tell(struct walk *w, const struct action_controller *c, size_t resume_len);

/* action_set.c: empties w->set; adds to it; does what is in `set`, in the order of OpenFlow. */
void set_clear(struct walk *w);
void set_write(struct walk *w, const struct action_list *l);
void set_execute(struct walk *w, const struct action_set *set);

/* pause.c: controller(pause) ends the branch; each list on the way out adds what it has not done yet; then
 * the packet-in is emitted, with all that is needed to go on, the action set among it. */
void pause_begin(struct walk *w, const struct action_controller *c);
void pause_rest(struct walk *w, const struct action *items, unsigned n);
void pause_finish(struct walk *w, const struct action_set *set);
/* The registers, tunnel and stack that a paused packet had. */
void pause_restore(struct walk *w, const struct flow_key *told, const struct continuation *c);

/* ct.c */
void ct_track(struct walk *w, const struct action_ct *a);

/* buckets.c: which bucket of a select or fast failover group takes the packet; -1: none is live. */
int bucket_choose(struct walk *w, const struct group *g);

/* links.c */
void link_multipath(struct walk *w, const struct action_multipath *m);
/* The live member that takes the packet; PORT_ANY: none is. */
uint32_t link_bundle(struct walk *w, const struct action_bundle *b);
void link_bundle_load(struct walk *w, const struct action_bundle *b);

/* length.c: how long the frame is after n bytes came or went, and check_pkt_larger. */
void length_grow(struct walk *w, uint32_t n);
void length_shrink(struct walk *w, uint32_t n);
void length_check(struct walk *w, const struct action *a);

/* rewrite.c: actions that change the packet: the key follows, ops are emitted. */
/* The bits of a subfield, lowest first. Zero: the packet has no such field, or it lies behind tags. */
struct field_value walk_read(const struct walk *w, const struct subfield *s);
void rewrite_set_field(struct walk *w, enum field_id field, const struct field_value *value,
                       const struct field_value *mask);
void rewrite(struct walk *w, const struct action *a);

#endif
