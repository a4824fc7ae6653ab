/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cached flows of one cache depend on: sets of the numbers in struct tables.changed, in its arena.
 *
 * Design: few sets serve many flows, whose programs may all be different. A set remembers in which version it
 * was looked at last, and which change to any of its members was the newest then. So a flow that meets a
 * newer version asks one number that is near, not each of its dependencies: under a stream of changes that do
 * not concern it, a packet costs little more than without them. Sets are shared as programs are (programs.h).
 *
 * Thread-safety: one worker.
 */
#ifndef FLOWS_DP_DEPS_H
#define FLOWS_DP_DEPS_H

#include <stdbool.h>

#include "flows/dp/arena.h"
#include "flows/dp/state.h"

struct translation;

enum { DEPS_RECENT = 1024 };

struct shared_deps {
	uint32_t users, hash;
	uint64_t checked; /* the version in which `newest` was found; 0: never */
	uint64_t newest;  /* version of the last change to any of them */
	uint16_t n;
	uint16_t dep[]; /* mostly in the same cache line */
};

struct deps {
	struct arena *arena;
	struct recent_deps {
		uint32_t hash, block; /* block 0: none */
	} recent[DEPS_RECENT];
};

/* What `tr` depends on, with one more user: an arena block; 0: no room. */
uint32_t deps_get(struct deps *d, const struct translation *tr);
/* One user less. */
void deps_put(struct deps *d, uint32_t block);
/* Looks at each member: when was the last change, as of `version`. */
uint64_t deps_newest(struct shared_deps *s, const struct tables *t, uint64_t version);

/* Is what was right in version `since` right in `version` as well, which is published? */
static inline bool deps_unchanged(const struct deps *d, uint32_t block, const struct tables *t,
                                  uint64_t since, uint64_t version)
{
	struct shared_deps *s = arena_at(d->arena, block);

	return (s->checked == version ? s->newest : deps_newest(s, t, version)) <= since;
}

#endif
