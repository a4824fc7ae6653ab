/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counter slots: what rules, groups and buckets count packets in.
 *
 * Design: a slot is a number; each worker has its own array of counters, written by it alone, and the control
 * thread sums them up. A slot carries a generation, which grows when it is given back: a credit for an older
 * generation is dropped, so that a late one never reaches the next owner. Arrays grow in chunks that never
 * move.
 *
 * Thread-safety: slots_credit: the worker `worker` (WORKERS_MAX stands for the control thread itself). All
 * else: control thread.
 *
 * Life cycle of a slot: slots_get -> credits -> slots_put, when every worker has folded -> the next owner.
 */
#ifndef FLOWS_DP_SLOTS_H
#define FLOWS_DP_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dp/rcu.h"
#include "flows/dp/program.h"

enum { SLOT_CHUNK_BITS = 12, SLOT_CHUNK = 1 << SLOT_CHUNK_BITS, SLOT_CHUNKS = 1024, SLOT_NONE = 0xffffffff };

struct slot_count {
	uint64_t packets, bytes;
	uint64_t used; /* ns of the last packet */
	uint32_t generation;
	uint32_t pad;
};

struct slot_owner { /* control: who holds a slot */
	uint32_t generation;
	uint32_t users; /* versions of one rule share its slot */
	uint32_t next_free;
	uint32_t chained_by; /* buckets of other groups that lead to the group */
	uint32_t named_by;   /* rules that name the group or meter; see users.c */
	struct rule *rule;   /* the newest version, for cursors; NULL for groups and the like */
};

struct rule;

struct slots {
	struct slot_owner *owners[SLOT_CHUNKS];
	struct slot_count
	        *counts[WORKERS_MAX + 1][SLOT_CHUNKS]; /* published with release; NULL: not in use */
	bool worker[WORKERS_MAX + 1];
	uint32_t nchunks, used, free_head;
};

void slots_init(struct slots *s);
void slots_exit(struct slots *s);
/* From now on `worker` may credit. 0 or -ENOMEM. */
int slots_add_worker(struct slots *s, unsigned worker);

/* A fresh slot with one user and all counters zero. -ENOSPC, -ENOMEM or 0. */
int slots_get(struct slots *s, struct slot_ref *out);
struct slot_owner *slots_owner(const struct slots *s, struct slot_ref ref);
void slots_share(struct slots *s, struct slot_ref ref);
/* Gives up one use. The last one requires that every worker has folded: no credit may be under way. */
void slots_put(struct slots *s, struct slot_ref ref);

/* Sum over all workers. `used` is the latest; any of the three may be NULL. */
void slots_read(const struct slots *s, struct slot_ref ref, uint64_t *packets, uint64_t *bytes,
                uint64_t *used);

static inline void slots_credit(struct slots *s, unsigned worker, struct slot_ref ref, uint64_t packets,
                                uint64_t bytes, uint64_t used)
{
	struct slot_count *c =
	        &rcu_read(s->counts[worker][ref.slot >> SLOT_CHUNK_BITS])[ref.slot & (SLOT_CHUNK - 1)];

	if (c->generation != ref.generation) {
		if ((int32_t)(ref.generation - c->generation) < 0)
			return;
		c->packets = c->bytes = c->used = 0;
		__atomic_store_n(&c->generation, ref.generation, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&c->packets, c->packets + packets, __ATOMIC_RELAXED);
	__atomic_store_n(&c->bytes, c->bytes + bytes, __ATOMIC_RELAXED);
	if (used > c->used)
		__atomic_store_n(&c->used, used, __ATOMIC_RELAXED);
}

#endif
