/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of dependencies, shared between cached flows; see deps.h. Called by cache_store.c and cache.c. */
#include "flows/dp/deps.h"

#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "flows/dp/translate.h"

enum { PER_WORD = 4 };

static unsigned block_bytes(unsigned n)
{
	return (unsigned)offsetof(struct shared_deps, dep) + n * 2u;
}

/* Each product stands alone, so that they overlap. */
static uint32_t hash_of(const struct translation *tr)
{
	uint64_t h = tr->ndeps;

	for (unsigned i = 0; i < tr->ndeps; i += PER_WORD) {
		unsigned n = tr->ndeps - i < PER_WORD ? tr->ndeps - i : PER_WORD;
		uint64_t word = 0;

		memcpy(&word, &tr->deps[i], n * 2u);
		h += hash_step(i, word);
	}
	return (uint32_t)hash_mix(h);
}

static uint32_t add(struct deps *d, const struct translation *tr, uint32_t hash)
{
	uint32_t block = arena_get(d->arena, block_bytes(tr->ndeps));
	struct shared_deps *s = arena_at(d->arena, block);

	if (!block)
		return 0;
	*s = (struct shared_deps){.users = 1, .hash = hash, .n = tr->ndeps};
	memcpy(s->dep, tr->deps, tr->ndeps * 2u);
	return block;
}

uint32_t deps_get(struct deps *d, const struct translation *tr)
{
	uint32_t hash = hash_of(tr), block;
	struct recent_deps *r = &d->recent[hash % DEPS_RECENT];

	if (r->block && r->hash == hash) {
		struct shared_deps *s = arena_at(d->arena, r->block);

		if (s->n == tr->ndeps && !memcmp(s->dep, tr->deps, tr->ndeps * 2u)) {
			s->users++;
			return r->block;
		}
	}
	block = add(d, tr, hash);
	if (block)
		*r = (struct recent_deps){.hash = hash, .block = block};
	return block;
}

void deps_put(struct deps *d, uint32_t block)
{
	struct shared_deps *s = arena_at(d->arena, block);
	struct recent_deps *r = &d->recent[s->hash % DEPS_RECENT];

	if (--s->users)
		return;
	if (r->block == block)
		r->block = 0;
	arena_put(d->arena, block, block_bytes(s->n));
}

uint64_t deps_newest(struct shared_deps *s, const struct tables *t, uint64_t version)
{
	s->newest = 0;
	s->checked = version;
	for (unsigned i = 0; i < s->n; i++) {
		uint64_t changed = rcu_read(t->changed[s->dep[i]]);

		if (changed > s->newest)
			s->newest = changed;
	}
	return s->newest;
}
