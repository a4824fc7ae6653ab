/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of records of any length between one producer and one consumer.
 *
 * Design: a power of two of bytes; a record lies in one piece, so what does not fit before the end is skipped
 * with a filler. The writer fills the record in place.
 *
 * Thread-safety: reserve/commit: the producer; peek/pop: the consumer.
 *
 * Life cycle: record_ring_init -> ... -> record_ring_free when both have ended.
 */
#ifndef DATAPATH_RECORD_RING_H
#define DATAPATH_RECORD_RING_H

#include <stdbool.h>
#include <stdint.h>

struct record_ring {
	uint8_t *bytes;
	uint32_t size;
	/* producer */
	uint64_t head __attribute__((aligned(64)));
	uint64_t tail_seen;
	uint64_t reserved; /* where the record being written starts */
	/* consumer */
	uint64_t tail __attribute__((aligned(64)));
};

/* `size`: bytes, a power of two. 0 or -ENOMEM. */
int record_ring_init(struct record_ring *r, uint32_t size);
void record_ring_free(struct record_ring *r);

/* Room for a record of `len` bytes, 64-byte aligned; NULL when there is none. Nothing is seen by the consumer
 * before record_ring_commit(), which may make it shorter. */
void *record_ring_reserve(struct record_ring *r, uint32_t len);
void record_ring_commit(struct record_ring *r, uint32_t len);

/* The oldest record and its length, or NULL; stays valid until record_ring_pop(). */
const void *record_ring_peek(struct record_ring *r, uint32_t *len);
void record_ring_pop(struct record_ring *r);

bool record_ring_empty(const struct record_ring *r);

#endif
