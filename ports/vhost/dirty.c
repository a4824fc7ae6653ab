/* SPDX-License-Identifier: Apache-2.0 */
/* The dirty-page log; see dirty.h. Marked by rx and tx of a ring while its guest is being migrated. */
#include "ports/vhost/dirty.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ports/vhost/file.h"

/* Guest-physical addresses have at most 52 bits, one log byte covers 15 of them. */
#define DIRTY_SIZE_MAX (1ull << 37)

int dirty_create(int fd, uint64_t size, uint64_t offset, uv_async_t *fault, struct vhost_log **out,
                 struct error *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct vhost_log *log;
	struct stat st;
	int rc = file_check(fd, offset, size, "dirty log", &st, e);

	if (!rc && size > DIRTY_SIZE_MAX)
		rc = error_set(e, EINVAL, "dirty log of %llu bytes", (unsigned long long)size);
	if (rc)
		return rc;
	log = calloc(1, sizeof(*log));
	if (!log)
		return error_set(e, ENOMEM, "dirty log: no memory");
	*log = (struct vhost_log){.refs = 1, .fd = fd, .size = size, .len = offset + size};
	log->base = mmap(NULL, log->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (log->base == MAP_FAILED) {
		rc = error_set(e, errno, "dirty log cannot be mapped");
		goto err_free;
	}
	log->bits = log->base + offset;
	log->watch = (struct fault_watch){.base = log->base, .len = log->len, .page = page, .wake = fault};
	rc = fault_watch_add(&log->watch);
	if (rc)
		goto err_unmap;
	*out = log;
	return 0;

err_unmap:
	munmap(log->base, log->len);
err_free:
	free(log);
	return rc;
}

struct vhost_log *dirty_get(struct vhost_log *log)
{
	if (log)
		log->refs++;
	return log;
}

void dirty_put(struct vhost_log *log)
{
	if (!log || --log->refs)
		return;
	fault_watch_remove(&log->watch);
	munmap(log->base, log->len);
	close(log->fd);
	free(log);
}

void dirty_mark(struct vhost_log *log, uint64_t gpa, uint64_t len)
{
	uint64_t page = gpa >> DIRTY_PAGE_SHIFT, last;

	if (!len || gpa + len < gpa)
		return;
	/* The bytes must be visible before the bit is: who clears the bit copies the page afterwards. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (last = (gpa + len - 1) >> DIRTY_PAGE_SHIFT; page <= last && page / 8 < log->size; page++)
		__atomic_fetch_or(&log->bits[page / 8], (uint8_t)(1u << (page % 8)), __ATOMIC_RELEASE);
}
