/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Survives a memory file that its owner truncated.
 *
 * Design: the SIGBUS handler looks the address up among the watched mappings, puts a zero page there so that
 * the access goes on, marks the mapping and wakes its owner, who takes the port down. Any other SIGBUS goes
 * where it went before.
 *
 * Thread-safety: watch and unwatch in the control thread; the handler in any thread, without locks.
 *
 * Life cycle: fault_watch_add after mmap -> fault_watch_remove before munmap, when no worker uses the
 * mapping. The handler is installed by the first and stays.
 */
#ifndef PORTS_VHOST_FAULT_H
#define PORTS_VHOST_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct fault_watch {
	uint8_t *base; /* control: wo; handler: ro */
	size_t len;
	size_t page; /* of the file: 4 KiB or a huge page's size */
	uv_async_t *wake;
	bool faulted; /* handler: wo */
};

/* 0 or -errno. The watch must not move until fault_watch_remove(), which must come before munmap and before
 * `wake` is closed. */
int fault_watch_add(struct fault_watch *w);
void fault_watch_remove(struct fault_watch *w);

#endif
