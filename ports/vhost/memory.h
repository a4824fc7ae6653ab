/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's memory as the front end shared it.
 *
 * What: the table of mapped regions, and translation from guest-physical and front-end addresses.
 *
 * Design: a region is refused unless its file is what file.h asks for, its numbers don't wrap and it overlaps
 * no other. A file that is truncated later raises SIGBUS in whoever touches it: ports/vhost/fault.h then puts
 * an empty page there, and the table is marked faulty. A table never changes once rings use it: ADD_MEM_REG
 * makes a new one that shares the mappings.
 *
 * Thread-safety: made, referenced and released by the control thread; translation by any worker that holds it
 * through a published ring.
 *
 * Life cycle: memory_create -> memory_add... -> references by rings -> the last memory_put unmaps.
 */
#ifndef PORTS_VHOST_MEMORY_H
#define PORTS_VHOST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "ports/vhost/protocol.h"

struct vhost_mapping; /* one mmap, counted */

struct vhost_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t uva;
	uint8_t *host;
	struct vhost_mapping *mapping;
};

struct vhost_memory {
	unsigned n;
	unsigned refs; /* control only */
	struct vhost_region regions[VHOST_REGIONS_MAX];
};

struct vhost_memory *memory_create(void);
/* Maps one more region; `fd` stays the caller's on error and is the table's afterwards. `fault` is woken when
 * the file turns out to be shorter than promised. 0 or -errno. */
int memory_add(struct vhost_memory *m, const struct vhost_region_msg *region, int fd, uv_async_t *fault,
               struct error *e);
/* Whether exactly this region, of the same file, is there. */
bool memory_has(const struct vhost_memory *m, const struct vhost_region_msg *region, int fd);
/* A new table with the same regions, less the one at index `without` (>= n: none). NULL: no memory. */
struct vhost_memory *memory_copy(const struct vhost_memory *m, unsigned without);
struct vhost_memory *memory_get(struct vhost_memory *m);
void memory_put(struct vhost_memory *m);
/* A page of it was gone when somebody touched it. */
bool memory_faulted(const struct vhost_memory *m);

/* Host address of `gpa`; *len is cut to what is contiguous there. NULL when no region holds it. `hint`: index
 * of the region that held the last one, updated. */
static inline uint8_t *memory_at(const struct vhost_memory *m, uint64_t gpa, uint64_t *len, unsigned *hint)
{
	unsigned i = *hint;

	for (unsigned tried = 0; tried < m->n; tried++) {
		const struct vhost_region *r;
		uint64_t ofs;

		i = i < m->n ? i : 0;
		r = &m->regions[i];
		ofs = gpa - r->gpa;
		if (ofs < r->size) {
			if (*len > r->size - ofs)
				*len = r->size - ofs;
			*hint = i;
			return r->host + ofs;
		}
		i++;
	}
	return NULL;
}

/* The host address of `len` bytes at `gpa` that lie in one region, as nearly all do; else NULL, and
 * memory_at() knows more. */
static inline uint8_t *memory_whole(const struct vhost_memory *m, uint64_t gpa, uint32_t len, unsigned *hint)
{
	const struct vhost_region *r = &m->regions[*hint];
	uint64_t ofs = gpa - r->gpa, part = len;
	uint8_t *host;

	if (__builtin_expect(ofs < r->size && len <= r->size - ofs, 1))
		return r->host + ofs;
	host = memory_at(m, gpa, &part, hint);
	return part == len ? host : NULL;
}

/* The host address of `len` bytes at the front end's address `uva`, which must lie in one region and be
 * aligned to `align`. NULL if not. */
void *memory_at_uva(const struct vhost_memory *m, uint64_t uva, uint64_t len, unsigned align);
/* The guest-physical address of a byte that memory_at() returned. */
uint64_t memory_gpa(const struct vhost_memory *m, const void *host);

#endif
