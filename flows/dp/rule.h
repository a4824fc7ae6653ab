/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One flow as the tables hold it. What a lookup reads comes first; the match is kept as the masked non-zero
 * words of the wide key, in the order of its subtable's mask.
 *
 * Thread-safety: written by the control thread before it is published; afterwards only `next`, `added` and
 * `removed` change, atomically. Workers read it under RCU.
 *
 * Life cycle: made and inserted by a change (change.c), visible from version `added` up to `removed`; then it
 * is dying (dying.c) until workers have credited what they counted for it, and is freed.
 */
#ifndef FLOWS_DP_RULE_H
#define FLOWS_DP_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dp/rcu.h"
#include "flows/action.h"
#include "flows/dp/program.h"

#define VERSION_NEVER UINT64_MAX

struct shape;
struct subtable;

struct rule {
	/* worker: ro */
	struct rule *next;       /* the same words, falling priority */
	uint64_t added, removed; /* visible in versions [added, removed) */
	uint64_t hash;
	struct slot_ref slot;
	uint16_t priority;
	uint8_t table_id;
	bool soft; /* a clause of conjunctions */
	struct action_list actions;
	uint64_t cookie;
	/* control */
	struct subtable *subtable;
	struct shape *shape;
	struct rule *prev_of_table, *next_of_table;
	struct rule *prev_timed, *next_timed; /* rules with a timeout */
	struct rule *next_dying;
	uint64_t sequence;          /* of the add: equal priorities are listed by age */
	uint64_t created, modified; /* ns */
	uint64_t born, changed;     /* numbers of the add and of the last change among all of them */
	uint16_t idle_timeout, hard_timeout, importance, flags;
	uint16_t dep;     /* dependency slot inside its table */
	uint8_t reason;   /* enum tables_removed */
	bool learned;     /* by a packet, not by a controller */
	bool learns;      /* some action of it does */
	bool names;       /* a group or a meter: counted as its user */
	bool tell;        /* flow_removed is wanted when it is gone */
	bool stands_in;   /* there was a flow in its place before the change that added it */
	uint64_t words[]; /* worker: ro */
};

static inline bool rule_visible(const struct rule *r, uint64_t version)
{
	return rcu_read(r->added) <= version && version < rcu_read(r->removed);
}

#endif
