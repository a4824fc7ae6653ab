/* SPDX-License-Identifier: Apache-2.0 */
/* Counter slots; see slots.h. Used by tables, groups and caches. */
#include "flows/dp/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void slots_init(struct slots *s)
{
	memset(s, 0, sizeof(*s));
	s->free_head = SLOT_NONE;
	s->worker[WORKERS_MAX] = true;
}

void slots_exit(struct slots *s)
{
	for (uint32_t i = 0; i < s->nchunks; i++) {
		free(s->owners[i]);
		for (unsigned w = 0; w <= WORKERS_MAX; w++)
			free(s->counts[w][i]);
	}
}

static int add_counts(struct slots *s, unsigned worker, uint32_t chunk)
{
	struct slot_count *c;

	if (s->counts[worker][chunk])
		return 0;
	c = calloc(SLOT_CHUNK, sizeof(*c));
	if (!c)
		return -ENOMEM;
	rcu_assign(s->counts[worker][chunk], c);
	return 0;
}

int slots_add_worker(struct slots *s, unsigned worker)
{
	for (uint32_t i = 0; i < s->nchunks; i++)
		if (add_counts(s, worker, i))
			return -ENOMEM;
	s->worker[worker] = true;
	return 0;
}

static int add_chunk(struct slots *s)
{
	uint32_t i = s->nchunks;

	if (i == SLOT_CHUNKS)
		return -ENOSPC;
	if (!s->owners[i])
		s->owners[i] = calloc(SLOT_CHUNK, sizeof(*s->owners[i]));
	if (!s->owners[i])
		return -ENOMEM;
	for (unsigned w = 0; w <= WORKERS_MAX; w++)
		if (s->worker[w] && add_counts(s, w, i))
			return -ENOMEM;
	s->nchunks++;
	return 0;
}

struct slot_owner *slots_owner(const struct slots *s, struct slot_ref ref)
{
	return &s->owners[ref.slot >> SLOT_CHUNK_BITS][ref.slot & (SLOT_CHUNK - 1)];
}

static struct slot_owner *owner_of(const struct slots *s, uint32_t slot)
{
	return &s->owners[slot >> SLOT_CHUNK_BITS][slot & (SLOT_CHUNK - 1)];
}

int slots_get(struct slots *s, struct slot_ref *out)
{
	struct slot_owner *o;
	uint32_t slot = s->free_head;
	int err;

	if (slot != SLOT_NONE) {
		s->free_head = owner_of(s, slot)->next_free;
	} else {
		slot = s->used;
		if (slot >> SLOT_CHUNK_BITS == s->nchunks) {
			err = add_chunk(s);
			if (err)
				return err;
		}
		s->used++;
	}
	o = owner_of(s, slot);
	o->generation++;
	o->users = 1;
	o->rule = NULL;
	o->named_by = o->chained_by = 0;
	*out = (struct slot_ref){.slot = slot, .generation = o->generation};
	return 0;
}

void slots_share(struct slots *s, struct slot_ref ref)
{
	owner_of(s, ref.slot)->users++;
}

void slots_put(struct slots *s, struct slot_ref ref)
{
	struct slot_owner *o = owner_of(s, ref.slot);

	if (--o->users)
		return;
	o->next_free = s->free_head;
	s->free_head = ref.slot;
}

void slots_read(const struct slots *s, struct slot_ref ref, uint64_t *packets, uint64_t *bytes,
                uint64_t *used)
{
	uint64_t p = 0, b = 0, u = 0, t;

	for (unsigned w = 0; w <= WORKERS_MAX; w++) {
		const struct slot_count *c = s->counts[w][ref.slot >> SLOT_CHUNK_BITS];

		if (!c)
			continue;
		c += ref.slot & (SLOT_CHUNK - 1);
		if (__atomic_load_n(&c->generation, __ATOMIC_ACQUIRE) != ref.generation)
			continue;
		p += __atomic_load_n(&c->packets, __ATOMIC_RELAXED);
		b += __atomic_load_n(&c->bytes, __ATOMIC_RELAXED);
		t = __atomic_load_n(&c->used, __ATOMIC_RELAXED);
		u = t > u ? t : u;
	}
	if (packets)
		*packets = p;
	if (bytes)
		*bytes = b;
	if (used)
		*used = u;
}
