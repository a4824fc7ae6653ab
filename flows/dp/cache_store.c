/* SPDX-License-Identifier: Apache-2.0 */
/* Where the cache keeps things: life, places for entries and programs, eviction, folding of counters. Called
 * by cache.c, the worker and the control thread. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "flows/dp/cache_fold.h"
#include "flows/dp/cache_state.h"

enum { EVICT_BATCH = 16, FOLD_AHEAD = 16 };

/* ---- life ---- */

static void *reserve(size_t bytes)
{
	void *p =
	        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, MADV_HUGEPAGE); /* may be refused: then it is slower */
	return p;
}

static size_t buckets_bytes(const struct cache *c)
{
	return ((size_t)c->bucket_mask + 1) * sizeof(struct cache_bucket);
}

static bool cache_reserve(struct cache *c)
{
	size_t lists = (size_t)c->capacity * sizeof(uint32_t);

	c->buckets = reserve(buckets_bytes(c));
	c->entries = reserve((size_t)c->capacity * sizeof(*c->entries));
	c->dirty[0] = reserve(lists);
	c->dirty[1] = reserve(lists);
	c->scratch = reserve((size_t)BATCH_MAX * PROGRAM_BYTES_MAX);
	return c->buckets && c->entries && c->dirty[0] && c->dirty[1] && c->scratch &&
	       !arena_init(&c->arena, (size_t)c->capacity * 256 + (1 << 20));
}

static void release(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}

static void cache_free(struct cache *c)
{
	size_t lists = (size_t)c->capacity * sizeof(uint32_t);

	release(c->buckets, buckets_bytes(c));
	release(c->entries, (size_t)c->capacity * sizeof(*c->entries));
	release(c->dirty[0], lists);
	release(c->dirty[1], lists);
	release(c->scratch, (size_t)BATCH_MAX * PROGRAM_BYTES_MAX);
	arena_exit(&c->arena);
	free(c);
}

struct cache *cache_create(struct tables *t, unsigned worker, uint32_t entries)
{
	struct cache *c = aligned_alloc(64, (sizeof(*c) + 63) / 64 * 64);

	if (!c)
		return NULL;
	memset(c, 0, sizeof(*c));
	if (!entries)
		entries = CACHE_ENTRIES_DEFAULT;
	c->capacity = 64;
	while (c->capacity < entries && c->capacity < CACHE_ENTRIES_MAX)
		c->capacity *= 2;
	c->bucket_mask = c->capacity / 4 - 1; /* half of the ways stay free */
	c->free_entry = CACHE_NONE;
	c->t = t;
	c->worker = worker;
	c->programs.arena = c->deps.arena = &c->arena;
	for (unsigned i = 0; i < sizeof(c->seeds) / sizeof(c->seeds[0]); i++)
		c->seeds[i] = hash_random_seed();
	if (!cache_reserve(c) || slots_add_worker(&t->slots, worker)) {
		cache_free(c);
		return NULL;
	}
	c->stats.capacity = c->capacity;
	c->fold_done = c->fold_seen = t->fold_wanted;
	t->caches[worker] = c;
	return c;
}

void cache_destroy(struct cache *c)
{
	if (!c)
		return;
	for (unsigned list = 0; list < 2; list++)
		for (uint32_t i = 0; i < c->ndirty[list]; i++)
			cache_credit(c, &c->entries[c->dirty[list][i]]);
	c->t->caches[c->worker] = NULL;
	cache_free(c);
}

/* ---- counters ---- */

void cache_credit(struct cache *c, struct cache_entry *e)
{
	const struct program *p;

	if (!e->packets)
		return;
	p = cache_program(c, e);
	for (unsigned i = 0; i < p->nrefs; i++)
		slots_credit(&c->t->slots, c->worker, program_refs(p)[i], e->packets, e->bytes, e->used);
	e->packets = e->bytes = 0;
}

bool cache_fold_pending(const struct cache *c)
{
	return c->folding || rcu_read(c->t->fold_wanted) != c->fold_seen;
}

bool cache_fold(struct cache *c, unsigned budget)
{
	uint32_t wanted = rcu_read(c->t->fold_wanted);
	unsigned list = !c->collecting;

	if (!c->folding) {
		if (wanted == c->fold_seen)
			return false;
		c->fold_seen = wanted;
		c->folding = true;
		c->collecting = !c->collecting;
		list = !c->collecting;
	}
	while (c->ndirty[list] && budget--) {
		uint32_t i = --c->ndirty[list];
		struct cache_entry *e = &c->entries[c->dirty[list][i]];

		if (i >= FOLD_AHEAD)
			__builtin_prefetch(&c->entries[c->dirty[list][i - FOLD_AHEAD]].epoch, 1);
		cache_credit(c, e);
		e->dirty = 0;
	}
	if (c->ndirty[list])
		return true;
	c->folding = false;
	__atomic_store_n(&c->fold_done, c->fold_seen, __ATOMIC_RELEASE);
	return false;
}

uint32_t cache_fold_id(const struct cache *c)
{
	return __atomic_load_n(&c->fold_done, __ATOMIC_ACQUIRE);
}

void cache_get_stats(const struct cache *c, struct cache_stats *out)
{
	*out = c->stats;
	out->entries = c->nentries;
	out->programs = c->programs.n;
}

/* ---- places ---- */

static void forget_entry(struct cache *c, uint32_t number)
{
	struct cache_entry *e = &c->entries[number];

	e->epoch = 0; /* matches no key: a later packet of the batch may still point here */
	e->rest = 0;
	e->packets = e->bytes = 0;
	e->program = c->free_entry;
	c->free_entry = number;
	c->nentries--;
}

static void drop_program(struct cache *c, struct cache_entry *e)
{
	if (!e->program)
		return;
	programs_put(&c->programs, e->program);
	deps_put(&c->deps, e->deps);
}

static void empty_entry(struct cache *c, uint32_t number)
{
	struct cache_entry *e = &c->entries[number];

	cache_credit(c, e);
	drop_program(c, e);
	if (e->rest)
		arena_put(&c->arena, e->rest,
		          cache_rest_bytes(((const struct mkey *)(const void *)e->key)->flags));
	forget_entry(c, number);
}

/* The way of the bucket that was not used for longest, and is not in use by this batch; -1: none. */
static int oldest_way(const struct cache *c, const struct cache_bucket *b, uint16_t *age)
{
	uint16_t now = (uint16_t)(c->batch >> CACHE_STAMP_SHIFT);
	int oldest = -1;

	for (int w = 0; w < CACHE_WAYS; w++) {
		uint16_t a = (uint16_t)(now - b->stamp[w]);

		if (!b->sig[w] || (oldest >= 0 && a <= *age))
			continue;
		/* What this batch uses has the newest stamp: only then is it worth a cache miss to ask. */
		if (!a && c->entries[b->entry[w]].batch == c->batch)
			continue;
		oldest = w;
		*age = a;
	}
	return oldest;
}

static void evict(struct cache *c, struct cache_bucket *b, int way)
{
	empty_entry(c, b->entry[way]);
	b->sig[way] = 0;
	c->stats.evictions++;
}

/* Frees a few entries wherever the hand points: all of them are fetched before the first is needed. */
static void evict_some(struct cache *c)
{
	struct cache_bucket *victims[EVICT_BATCH];
	uint32_t most = c->bucket_mask < 1024 ? c->bucket_mask : 1024; /* no bucket comes twice */
	int ways[EVICT_BATCH];
	unsigned n = 0;

	for (uint32_t tries = 0; n < EVICT_BATCH && tries <= most; tries++) {
		struct cache_bucket *b = &c->buckets[c->hand++ & c->bucket_mask];
		uint16_t age = 0;
		int way = oldest_way(c, b, &age);

		if (way < 0)
			continue;
		__builtin_prefetch(&c->entries[b->entry[way]].epoch, 1);
		__builtin_prefetch(c->entries[b->entry[way]].key, 1);
		victims[n] = b;
		ways[n++] = way;
	}
	for (unsigned i = 0; i < n; i++)
		evict(c, victims[i], ways[i]);
}

static uint32_t free_number(struct cache *c)
{
	uint32_t number = c->free_entry;

	if (number == CACHE_NONE && c->used_entries == c->capacity) {
		evict_some(c);
		number = c->free_entry;
	}
	if (number != CACHE_NONE) {
		c->free_entry = c->entries[number].program;
		return number;
	}
	return c->used_entries < c->capacity ? c->used_entries++ : CACHE_NONE;
}

static int free_way(const struct cache_bucket *b)
{
	for (int w = 0; w < CACHE_WAYS; w++)
		if (!b->sig[w])
			return w;
	return -1;
}

/* A free way in one of the two buckets, made free if need be. */
static struct cache_bucket *make_way(struct cache *c, uint64_t hash, int *way)
{
	struct cache_bucket *b[2] = {cache_bucket(c, hash, 0), cache_bucket(c, hash, 1)};
	uint16_t age[2] = {0, 0};
	int oldest[2];

	for (unsigned i = 0; i < 2; i++) {
		*way = free_way(b[i]);
		if (*way >= 0)
			return b[i];
	}
	oldest[0] = oldest_way(c, b[0], &age[0]);
	oldest[1] = oldest_way(c, b[1], &age[1]);
	for (unsigned i = 0; i < 2; i++) {
		if (oldest[i] < 0 || (oldest[!i] >= 0 && age[!i] > age[i]))
			continue;
		evict(c, b[i], oldest[i]);
		*way = oldest[i];
		return b[i];
	}
	return NULL;
}

uint32_t cache_take(struct cache *c, uint64_t hash)
{
	struct cache_bucket *b;
	uint32_t number;
	int way;

	b = make_way(c, hash, &way);
	if (!b)
		return CACHE_NONE;
	number = free_number(c);
	if (number == CACHE_NONE)
		return CACHE_NONE;
	b->sig[way] = cache_sig(hash);
	b->stamp[way] = (uint16_t)(c->batch >> CACHE_STAMP_SHIFT);
	b->entry[way] = number;
	c->nentries++;
	c->entries[number].rest = 0;
	c->entries[number].program = 0;
	return number;
}

void cache_give_back(struct cache *c, uint64_t hash, uint32_t number)
{
	for (unsigned i = 0; i < 2; i++) {
		struct cache_bucket *b = cache_bucket(c, hash, i);

		for (unsigned w = 0; w < CACHE_WAYS; w++)
			if (b->sig[w] && b->entry[w] == number)
				b->sig[w] = 0;
	}
	empty_entry(c, number);
}

static uint32_t only_output(const struct program *p)
{
	const struct op *op = program_ops(p);

	return p->nops == 1 && op->type == OP_OUTPUT && !op->arg16 ? op->arg32 : 0;
}

/* The program and its dependencies as blocks, both or none. */
static bool get_blocks(struct cache *c, uint32_t *program, uint32_t *deps)
{
	*program = programs_get(&c->programs, &c->translation);
	if (!*program)
		return false;
	*deps = deps_get(&c->deps, &c->translation);
	if (*deps)
		return true;
	programs_put(&c->programs, *program);
	return false;
}

bool cache_store_program(struct cache *c, struct cache_entry *e)
{
	uint32_t program, deps;

	if (!get_blocks(c, &program, &deps)) {
		evict_some(c);
		if (!get_blocks(c, &program, &deps))
			return false;
	}
	drop_program(c, e);
	e->program = program;
	e->deps = deps;
	e->output = only_output(cache_program(c, e));
	return true;
}
