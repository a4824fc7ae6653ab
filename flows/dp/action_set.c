/* SPDX-License-Identifier: Apache-2.0 */
/* The action set: what is written to it, where that leads, and doing it. Called by translate.c. */
#include "flows/dp/walk.h"

void set_clear(struct walk *w)
{
	w->set.n = 0;
	w->key.actset_output = PORT_UNSET;
}

static const struct action *last_of(const struct action_set *set, enum action_type type)
{
	for (unsigned i = set->n; i--;)
		if (set->items[i]->type == type)
			return set->items[i];
	return NULL;
}

/* Where the set sends the packet: a group is no port. */
static uint32_t set_output(const struct action_set *set)
{
	const struct action *last = last_of(set, ACTION_OUTPUT);

	return last && !last_of(set, ACTION_GROUP) ? last->output.port : PORT_UNSET;
}

void set_write(struct walk *w, const struct action_list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		if (w->set.n == ACTION_SET_MAX) {
			w->error = DROP_PROGRAM_LIMIT;
			return;
		}
		w->set.items[w->set.n++] = &l->items[i];
	}
	w->key.actset_output = set_output(&w->set);
}

static bool is_set(enum action_type type)
{
	return type == ACTION_SET_FIELD || type == ACTION_MOVE || type == ACTION_SET_TTL ||
	       type == ACTION_SET_MPLS_TTL;
}

/* In the order of OpenFlow 1.3 section 5.10: one of each kind, the last that was written; sets as they were
 * written; a group, or else an output, or one of Nicira's that send it further, in Open vSwitch's order. */
void set_execute(struct walk *w, const struct action_set *set)
{
	static const enum action_type before[] = {
	        ACTION_COPY_TTL_IN, ACTION_POP_VLAN,     ACTION_POP_MPLS,  ACTION_POP_PBB,
	        ACTION_PUSH_MPLS,   ACTION_PUSH_PBB,     ACTION_PUSH_VLAN, ACTION_COPY_TTL_OUT,
	        ACTION_DEC_TTL,     ACTION_DEC_MPLS_TTL,
	};
	static const enum action_type last[] = {
	        ACTION_GROUP,   ACTION_OUTPUT,   ACTION_OUTPUT_TRUNC, ACTION_OUTPUT_REG, ACTION_CONTROLLER,
	        ACTION_ENQUEUE, ACTION_RESUBMIT, ACTION_CT_CLEAR,     ACTION_CT,
	};
	struct action_set copy = *set; /* what it does may write a new one */
	const struct action *a;

	w->set.n = 0;
	for (unsigned i = 0; i < sizeof(before) / sizeof(before[0]) && !walk_over(w); i++)
		if ((a = last_of(&copy, before[i])))
			walk_action(w, a);
	for (unsigned i = 0; i < copy.n && !walk_over(w); i++)
		if (is_set(copy.items[i]->type))
			walk_action(w, copy.items[i]);
	for (unsigned i = 0; i < sizeof(last) / sizeof(last[0]) && !walk_over(w); i++)
		if ((a = last_of(&copy, last[i]))) {
			walk_action(w, a);
			break;
		}
}
