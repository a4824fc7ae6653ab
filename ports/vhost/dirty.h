/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of dirtied pages for live migration: one bit for 4 KiB of guest-physical memory, in a file of the
 * front end's.
 *
 * Design: the file is mapped as memory is (file.h, fault.h). A bit is set after the bytes were written and
 * before the guest is told, so that who clears it copies what was written.
 *
 * Thread-safety: bits are set by workers, atomically; the front end reads and clears them meanwhile. Made and
 * released by the control thread; a ring's description holds a reference.
 *
 * Life cycle: dirty_create -> references by the session and by rings -> the last dirty_put unmaps.
 */
#ifndef PORTS_VHOST_DIRTY_H
#define PORTS_VHOST_DIRTY_H

#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "ports/vhost/fault.h"

enum { DIRTY_PAGE_SHIFT = 12 };

struct vhost_log {
	uint8_t *bits;
	uint64_t size; /* bytes */
	unsigned refs;
	int fd;
	uint8_t *base; /* of the mapping */
	size_t len;
	struct fault_watch watch;
};

/* Maps `size` bytes at `offset` of the file, which must be as long; owns `fd` when it succeeds. 0 or -errno.
 */
int dirty_create(int fd, uint64_t size, uint64_t offset, uv_async_t *fault, struct vhost_log **out,
                 struct error *e);
struct vhost_log *dirty_get(struct vhost_log *log);
void dirty_put(struct vhost_log *log);

/* Marks the pages of [gpa, gpa + len). Pages beyond the log are ignored. Called after the bytes were written.
 */
void dirty_mark(struct vhost_log *log, uint64_t gpa, uint64_t len);

#endif
