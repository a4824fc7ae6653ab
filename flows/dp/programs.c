/* SPDX-License-Identifier: Apache-2.0 */
/* Sharing of programs between cached flows; see programs.h. Called by cache_store.c. */
#include "flows/dp/programs.h"

#include <string.h>

#include "base/hash.h"
#include "flows/dp/translate.h"

/* Each product stands alone, so that they overlap; who makes some collide only shares less. */
static uint64_t sum_words(uint64_t salt, const void *from, unsigned bytes)
{
	const uint64_t *words = from;
	uint64_t h = 0;

	for (unsigned i = 0; i < bytes / 8; i++)
		h += hash_step(salt + i, words[i]);
	return h;
}

static uint32_t hash_of(const struct translation *tr)
{
	uint64_t h = (uint64_t)tr->drop_reason << 32;

	h += sum_words(1 << 16, tr->ops, tr->nops * 8u);
	h += sum_words(2 << 16, tr->refs, tr->nrefs * 8u);
	h += sum_words(3 << 16, tr->data, tr->ndata * 16u);
	return (uint32_t)hash_mix(h);
}

static bool is_same(const struct program *p, const struct translation *tr)
{
	return p->nops == tr->nops && p->ndata == tr->ndata && p->nrefs == tr->nrefs &&
	       p->drop_reason == tr->drop_reason && p->flags == tr->flags &&
	       !memcmp(program_data(p, 0), tr->data, p->ndata * 16u) &&
	       !memcmp(program_refs(p), tr->refs, p->nrefs * 8u) &&
	       !memcmp(program_ops(p), tr->ops, p->nops * 8u);
}

static unsigned block_bytes(unsigned program_bytes)
{
	return (unsigned)offsetof(struct shared_program, program) + program_bytes;
}

static uint32_t add(struct programs *ps, const struct translation *tr, uint32_t hash)
{
	uint32_t block = arena_get(ps->arena, block_bytes(translation_bytes(tr)));
	struct shared_program *s = arena_at(ps->arena, block);

	if (!block)
		return 0;
	ps->n++;
	s->users = 1;
	s->hash = hash;
	translation_pack(tr, &s->program);
	return block;
}

uint32_t programs_get(struct programs *ps, const struct translation *tr)
{
	uint32_t hash = hash_of(tr), block;
	struct recent_program *r = &ps->recent[hash % PROGRAMS_RECENT];

	if (tr->flags & PROGRAM_OWN)
		return add(ps, tr, hash);
	if (r->block && r->hash == hash) {
		struct shared_program *s = arena_at(ps->arena, r->block);

		if (is_same(&s->program, tr)) {
			s->users++;
			return r->block;
		}
	}
	block = add(ps, tr, hash);
	if (block)
		*r = (struct recent_program){.hash = hash, .block = block};
	return block;
}

void programs_put(struct programs *ps, uint32_t block)
{
	struct shared_program *s = arena_at(ps->arena, block);
	struct recent_program *r = &ps->recent[s->hash % PROGRAMS_RECENT];

	if (--s->users)
		return;
	ps->n--;
	if (r->block == block)
		r->block = 0;
	arena_put(ps->arena, block, block_bytes(s->program.bytes));
}
