/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs of one cache, in its arena. Flows whose programs are the same share one: a new flow then
 * writes and later gives up nothing but its entry, and what packets execute stays near the core.
 *
 * Design: a program knows how many entries use it. A table of the last programs of each hash finds the one to
 * share; what falls out of it stays as it is, and is merely not found any more. So the cost is bounded, and
 * programs that are all different (a rule for each flow) pay for a look into a table that stays in L2.
 * Programs with state of their own (PROGRAM_OWN) are not shared.
 *
 * Thread-safety: one worker.
 */
#ifndef FLOWS_DP_PROGRAMS_H
#define FLOWS_DP_PROGRAMS_H

#include "flows/dp/arena.h"
#include "flows/dp/program.h"

struct translation;

enum { PROGRAMS_RECENT = 2048 };

struct shared_program {
	uint32_t users;
	uint32_t hash;
	uint64_t pad;
	struct program program;
};
static_assert(sizeof(struct shared_program) == 16 + sizeof(struct program), "program stays aligned");

struct programs {
	struct arena *arena;
	uint32_t n;
	struct recent_program {
		uint32_t hash, block; /* block 0: none */
	} recent[PROGRAMS_RECENT];
};

/* The program of `tr` with one more user: an arena block; 0: no room. */
uint32_t programs_get(struct programs *ps, const struct translation *tr);
/* One user less. */
void programs_put(struct programs *ps, uint32_t block);

static inline struct program *programs_at(const struct programs *ps, uint32_t block)
{
	struct shared_program *s = arena_at(ps->arena, block);

	return &s->program;
}

#endif
