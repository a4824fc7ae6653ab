/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of flows/dp: learn and fin_timeout, what packets make of the tables.
 *
 * Design: what a learn action would install is a constant of the program, since all that it reads of the
 * packet is in the mask. So the program carries it whole (struct program_learn), the worker reports it as it
 * is, and the control thread compares it with the flow that there is: the same is refreshed, another is
 * modified, none is added. A program depends on the flow that it learns: when that changes or goes, the next
 * packet's program is made anew and is reported anew. Later packets report again only where a hard timeout
 * has to be put off, a few times a second.
 *
 * What flows of a cookie and table there are is counted (struct learn_group) where some rule's learn has a
 * limit, or deletes what it learned when it goes.
 *
 * Thread-safety: learn_emit, fin_timeout_emit: whoever translates. The rest: control thread.
 *
 * Life cycle: a struct learn_group from the first rule that asks for it (learn_groups_hold) to the last
 * (learn_groups_release), then until the next learn_groups_sweep.
 */
#ifndef FLOWS_DP_LEARN_H
#define FLOWS_DP_LEARN_H

#include "flows/dp/state.h"
#include "flows/dp/walk.h"

struct learn_spec_value {
	uint8_t kind;  /* enum learn_kind */
	uint8_t field; /* enum field_id */
	uint16_t offset, bits;
	uint8_t pad[10];
	struct field_value value; /* right-aligned */
};

struct program_learn {
	struct program_report head;
	uint64_t cookie;
	uint16_t idle_timeout, hard_timeout, priority, fin_idle_timeout, fin_hard_timeout;
	uint8_t flags, table_id; /* enum learn_flags */
	uint32_t limit;
	uint32_t nspecs;
	uint8_t pad[4];
	struct learn_spec_value specs[];
};
static_assert(sizeof(struct program_learn) % 16 == 0 && sizeof(struct learn_spec_value) == 32, "whole units");

struct program_fin_timeout {
	struct program_report head;
	struct slot_ref rule;
	uint16_t idle, hard;
	uint32_t pad;
};
static_assert(sizeof(struct program_fin_timeout) == 32, "two units");

/* Flows of one table and cookie. */
struct learn_group {
	struct learn_group *next; /* RCU */
	uint64_t cookie;
	uint8_t table_id;
	uint32_t flows; /* worker: ro */
	/* control */
	uint32_t limit_min, limit_max; /* of the actions; only what passes one makes programs anew */
	uint32_t users;                /* rules, present or not, whose actions count here */
	uint32_t deleters;             /* learn actions of present rules that delete what was learned */
	struct learn_group *next_orphaned;
	bool orphaned; /* in the list of those whose last deleter went in this change */
};

void learn_emit(struct walk *w, const struct action_learn *l);
void fin_timeout_emit(struct walk *w, uint16_t idle, uint16_t hard);

/* learn_groups.c */
const struct learn_group *learn_group_find(const struct tables *t, uint8_t table_id, uint64_t cookie);
/* Before a rule with these actions is made; false: no memory. And when it is discarded. */
bool learn_groups_hold(struct tables *t, const struct action_list *l);
void learn_groups_release(struct tables *t, const struct action_list *l);
/* A rule is there, or is not any more. */
void learn_groups_count(struct tables *t, const struct rule *r, int32_t add);
/* The end of a change: flows whose learners went with it go, too. */
enum tables_error learn_groups_sweep(struct tables *t);
/* The change was refused. */
void learn_groups_forget(struct tables *t);

#endif
