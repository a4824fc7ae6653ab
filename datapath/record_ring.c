/* SPDX-License-Identifier: Apache-2.0 */
/* The ring between a worker and the control thread; see record_ring.h. */
#include "datapath/record_ring.h"

#include <errno.h>
#include <stdlib.h>

struct record {
	uint32_t len;    /* of the body */
	uint32_t filler; /* 1: skip `len` bytes */
	uint8_t pad[56];
	uint8_t body[];
};

static uint64_t whole(uint32_t len)
{
	return (sizeof(struct record) + len + 63) & ~(uint64_t)63;
}

static struct record *record_at(struct record_ring *r, uint64_t at)
{
	return (struct record *)(r->bytes + (at & (r->size - 1)));
}

int record_ring_init(struct record_ring *r, uint32_t size)
{
	*r = (struct record_ring){.size = size, .bytes = aligned_alloc(64, size)};
	return r->bytes ? 0 : -ENOMEM;
}

void record_ring_free(struct record_ring *r)
{
	free(r->bytes);
	r->bytes = NULL;
}

static bool has_room(struct record_ring *r, uint64_t end)
{
	if (end - r->tail_seen <= r->size)
		return true;
	r->tail_seen = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
	return end - r->tail_seen <= r->size;
}

void *record_ring_reserve(struct record_ring *r, uint32_t len)
{
	uint64_t need = whole(len), at = r->head;
	uint64_t to_end = r->size - (at & (r->size - 1));

	if (need > r->size / 2)
		return NULL;
	if (to_end < need) {
		if (!has_room(r, at + to_end + need))
			return NULL;
		*record_at(r, at) = (struct record){.len = (uint32_t)to_end, .filler = 1};
		at += to_end;
	} else if (!has_room(r, at + need)) {
		return NULL;
	}
	r->reserved = at;
	return record_at(r, at)->body;
}

void record_ring_commit(struct record_ring *r, uint32_t len)
{
	struct record *rec = record_at(r, r->reserved);

	rec->len = len;
	rec->filler = 0;
	__atomic_store_n(&r->head, r->reserved + whole(len), __ATOMIC_RELEASE);
}

bool record_ring_empty(const struct record_ring *r)
{
	return __atomic_load_n(&r->head, __ATOMIC_ACQUIRE) == __atomic_load_n(&r->tail, __ATOMIC_RELAXED);
}

const void *record_ring_peek(struct record_ring *r, uint32_t *len)
{
	struct record *rec;

	if (record_ring_empty(r))
		return NULL;
	rec = record_at(r, r->tail);
	if (rec->filler) {
		__atomic_store_n(&r->tail, r->tail + rec->len, __ATOMIC_RELEASE);
		rec = record_at(r, r->tail);
	}
	*len = rec->len;
	return rec->body;
}

void record_ring_pop(struct record_ring *r)
{
	__atomic_store_n(&r->tail, r->tail + whole(record_at(r, r->tail)->len), __ATOMIC_RELEASE);
}
