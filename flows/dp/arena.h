/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one cache for programs and rare parts of keys: blocks of a few sizes out of one reserved range.
 *
 * Design: the range is cut into slabs; a slab belongs to one size once it was needed for it. Nothing is asked
 * of the system after creation but pages at first touch. Offsets count 64-byte units; 0 is never given out.
 *
 * Thread-safety: one worker. Life cycle: arena_init -> get/put -> arena_exit.
 */
#ifndef FLOWS_DP_ARENA_H
#define FLOWS_DP_ARENA_H

#include <stddef.h>
#include <stdint.h>

enum { ARENA_CLASSES = 12, ARENA_UNIT = 64 };

struct arena {
	uint8_t *base;
	uint32_t units, used; /* used: in slabs that belong to a size */
	uint32_t free[ARENA_CLASSES];
	uint32_t slab_next[ARENA_CLASSES], slab_end[ARENA_CLASSES]; /* the slab that is being handed out */
};

int arena_init(struct arena *a, size_t bytes);
void arena_exit(struct arena *a);
/* A block of at least `bytes` (<= PROGRAM_BYTES_MAX), 64-byte aligned; 0: none left of that size. */
uint32_t arena_get(struct arena *a, unsigned bytes);
void arena_put(struct arena *a, uint32_t block, unsigned bytes);
/* Do two lengths take the same size of block? */
unsigned arena_class(unsigned bytes);

static inline void *arena_at(const struct arena *a, uint32_t block)
{
	return a->base + (size_t)block * ARENA_UNIT;
}

#endif
