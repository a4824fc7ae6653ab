/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks for cached programs; see arena.h. */
#include "flows/dp/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "flows/dp/program.h"

enum { SLAB_UNITS = 1024 };

static const uint16_t class_units[ARENA_CLASSES] = {1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 96, 160};
static_assert(PROGRAM_BYTES_MAX <= 160 * ARENA_UNIT, "the longest program has a size");

int arena_init(struct arena *a, size_t bytes)
{
	size_t slab = (size_t)SLAB_UNITS * ARENA_UNIT, size = (bytes + slab - 1) / slab * slab;

	memset(a, 0, sizeof(*a));
	a->base =
	        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->base == MAP_FAILED) {
		a->base = NULL;
		return -ENOMEM;
	}
	madvise(a->base, size, MADV_HUGEPAGE); /* may be refused: then it is slower */
	a->units = (uint32_t)(size / ARENA_UNIT);
	return 0;
}

void arena_exit(struct arena *a)
{
	if (a->base)
		munmap(a->base, (size_t)a->units * ARENA_UNIT);
}

unsigned arena_class(unsigned bytes)
{
	unsigned units = (bytes + ARENA_UNIT - 1) / ARENA_UNIT, c = 0;

	while (class_units[c] < units)
		c++;
	return c;
}

uint32_t arena_get(struct arena *a, unsigned bytes)
{
	unsigned c = arena_class(bytes);
	uint32_t block = a->free[c];

	if (block) {
		memcpy(&a->free[c], arena_at(a, block), sizeof(block));
		return block;
	}
	if (a->slab_next[c] + class_units[c] > a->slab_end[c]) {
		if (a->used + SLAB_UNITS > a->units)
			return 0;
		/* Unit 0 is left out, since 0 says "none". */
		a->slab_next[c] = a->used ? a->used : 1;
		a->used += SLAB_UNITS;
		a->slab_end[c] = a->used;
	}
	block = a->slab_next[c];
	a->slab_next[c] += class_units[c];
	return block;
}

void arena_put(struct arena *a, uint32_t block, unsigned bytes)
{
	unsigned c = arena_class(bytes);

	memcpy(arena_at(a, block), &a->free[c], sizeof(block));
	a->free[c] = block;
}
