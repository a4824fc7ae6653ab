/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping and checking guest memory; see memory.h. Used by the session (control thread). */
#include "ports/vhost/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ports/vhost/fault.h"
#include "ports/vhost/file.h"

struct vhost_mapping {
	unsigned refs;
	int fd; /* kept, so that another process can be given the memory */
	uint8_t *base;
	size_t len;
	struct fault_watch watch;
};

struct vhost_memory *memory_create(void)
{
	struct vhost_memory *m = calloc(1, sizeof(*m));

	if (m)
		m->refs = 1;
	return m;
}

static bool overlaps(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return a < b + blen && b < a + alen;
}

static int check(const struct vhost_memory *m, const struct vhost_region_msg *r, struct error *e)
{
	if (m->n == VHOST_REGIONS_MAX)
		return error_set(e, ENOSPC, "more than %d memory regions", VHOST_REGIONS_MAX);
	if (r->gpa + r->size < r->gpa || r->uva + r->size < r->uva)
		return error_set(e, EINVAL, "memory region with impossible numbers");
	for (unsigned i = 0; i < m->n; i++)
		if (overlaps(r->gpa, r->size, m->regions[i].gpa, m->regions[i].size) ||
		    overlaps(r->uva, r->size, m->regions[i].uva, m->regions[i].size))
			return error_set(e, EINVAL, "memory regions overlap");
	return 0;
}

static size_t page_of(const struct stat *st)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), block = (size_t)st->st_blksize;

	return block > page && !(block & (block - 1)) ? block : page; /* hugetlbfs tells its page size so */
}

static struct vhost_mapping *map(int fd, uint64_t end, const struct stat *st, uv_async_t *fault)
{
	struct vhost_mapping *map = calloc(1, sizeof(*map));
	size_t page = page_of(st);

	if (!map)
		return NULL;
	*map = (struct vhost_mapping){.refs = 1, .fd = fd, .len = (end + page - 1) & ~(page - 1)};
	map->base = mmap(NULL, map->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (map->base == MAP_FAILED)
		goto err_free;
	madvise(map->base, map->len, MADV_DONTDUMP); /* a core dump of the switch holds no guest's secrets */
	map->watch = (struct fault_watch){.base = map->base, .len = map->len, .page = page, .wake = fault};
	if (fault_watch_add(&map->watch))
		goto err_unmap;
	return map;

err_unmap:
	munmap(map->base, map->len);
err_free:
	free(map);
	return NULL;
}

int memory_add(struct vhost_memory *m, const struct vhost_region_msg *r, int fd, uv_async_t *fault,
               struct error *e)
{
	struct vhost_mapping *mapping;
	struct stat st;
	int rc = file_check(fd, r->offset, r->size, "memory region", &st, e);

	if (!rc)
		rc = check(m, r, e);
	if (rc)
		return rc;
	mapping = map(fd, r->offset + r->size, &st, fault);
	if (!mapping)
		return error_set(e, ENOMEM, "memory region cannot be mapped");
	m->regions[m->n++] = (struct vhost_region){.gpa = r->gpa,
	                                           .size = r->size,
	                                           .uva = r->uva,
	                                           .host = mapping->base + r->offset,
	                                           .mapping = mapping};
	return 0;
}

bool memory_has(const struct vhost_memory *m, const struct vhost_region_msg *r, int fd)
{
	struct stat ours, theirs;

	for (unsigned i = 0; i < m->n; i++) {
		const struct vhost_region *have = &m->regions[i];

		if (r->gpa == have->gpa && r->uva == have->uva && r->size == have->size &&
		    have->mapping->base + r->offset == have->host)
			return !fstat(have->mapping->fd, &ours) && !fstat(fd, &theirs) &&
			       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
	}
	return false;
}

struct vhost_memory *memory_copy(const struct vhost_memory *m, unsigned without)
{
	struct vhost_memory *copy = memory_create();

	for (unsigned i = 0; copy && i < m->n; i++) {
		if (i == without)
			continue;
		copy->regions[copy->n++] = m->regions[i];
		m->regions[i].mapping->refs++;
	}
	return copy;
}

struct vhost_memory *memory_get(struct vhost_memory *m)
{
	m->refs++;
	return m;
}

static void mapping_put(struct vhost_mapping *map)
{
	if (--map->refs)
		return;
	fault_watch_remove(&map->watch);
	munmap(map->base, map->len);
	close(map->fd);
	free(map);
}

void memory_put(struct vhost_memory *m)
{
	if (!m || --m->refs)
		return;
	for (unsigned i = 0; i < m->n; i++)
		mapping_put(m->regions[i].mapping);
	free(m);
}

bool memory_faulted(const struct vhost_memory *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (__atomic_load_n(&m->regions[i].mapping->watch.faulted, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

void *memory_at_uva(const struct vhost_memory *m, uint64_t uva, uint64_t len, unsigned align)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct vhost_region *r = &m->regions[i];
		uint64_t ofs = uva - r->uva;
		uint8_t *host;

		if (ofs >= r->size || len > r->size - ofs)
			continue;
		host = r->host + ofs;
		return (uintptr_t)host & (align - 1) ? NULL : host;
	}
	return NULL;
}

uint64_t memory_gpa(const struct vhost_memory *m, const void *host)
{
	for (unsigned i = 0; i < m->n; i++) {
		uint64_t ofs = (uintptr_t)host - (uintptr_t)m->regions[i].host;

		if (ofs < m->regions[i].size)
			return m->regions[i].gpa + ofs;
	}
	return UINT64_MAX;
}
