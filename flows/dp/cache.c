/* SPDX-License-Identifier: Apache-2.0 */
/* The microflow cache's lookup, in stages over a batch; see cache.h. Called by the worker's pipeline. */
#include "flows/dp/cache.h"

#include <string.h>

#include <immintrin.h>

#include <rte_branch_prediction.h>

#include "flows/dp/cache_hash.h"
#include "flows/dp/cache_state.h"

/* ---- stage 1: mask, hash ---- */

/* Line 0 of a key as one value: the compiler makes the best of it that the machine has. */
typedef uint64_t key_line __attribute__((vector_size(64)));

static inline key_line read_line(const void *at)
{
	key_line line;

	memcpy(&line, at, sizeof(line));
	return line;
}

static inline bool lines_differ(key_line a, key_line b)
{
#ifdef __AVX512F__
	return _mm512_cmpneq_epi64_mask((__m512i)a, (__m512i)b);
#else
	key_line diff = a ^ b;
	uint64_t any = 0;

	for (unsigned i = 0; i < MKEY_WORDS; i++)
		any |= diff[i];
	return any;
#endif
}

/* Returns line 0 of what is in `to` then. */
static inline key_line mask_key(struct mkey *to, const struct mkey *key, const struct mkey *mask)
{
	uint64_t *t = (uint64_t *)to;
	const uint64_t *k = (const uint64_t *)key, *m = (const uint64_t *)mask;
	key_line line = read_line(k) & read_line(m);

	memcpy(t, &line, sizeof(line));
	if (key->flags & mask->flags & MKEY_EXT)
		for (unsigned i = MKEY_WORDS; i < MKEY_WORDS + MKEY_EXT_WORDS; i++)
			t[i] = k[i] & m[i];
	if (unlikely(key->flags & MKEY_RESUMED))
		for (unsigned i = MKEY_RESUMED_AT; i < MKEY_RESUMED_AT + MKEY_RESUMED_WORDS; i++)
			t[i] = k[i] & m[i];
	return line;
}

/* The length is no part of what the parser reads; where it matters its class becomes part of the masked key.
 */
static void add_length(struct mkey *masked, const struct mkey *key, const struct lengths *lengths,
                       uint32_t length)
{
	uint32_t tag = key->vlan_tci ? sizeof(struct vlan_header) : 0; /* does not count */

	if (!(masked->flags & MKEY_EXT))
		memset((uint64_t *)masked + MKEY_WORDS, 0, CACHE_EXT_BYTES);
	masked->flags |= MKEY_EXT;
	masked->pkt_len = lengths_class(lengths, length - tag) + tag;
}

/* Behind line 0, which is the same. */
static bool same_rest(const struct mkey *a, const struct mkey *b)
{
	const uint64_t *x = (const uint64_t *)a, *y = (const uint64_t *)b;

	return (!(a->flags & MKEY_EXT) || !memcmp(x + MKEY_WORDS, y + MKEY_WORDS, CACHE_EXT_BYTES)) &&
	       (!(a->flags & MKEY_RESUMED) ||
	        !memcmp(x + MKEY_RESUMED_AT, y + MKEY_RESUMED_AT, CACHE_RESUMED_BYTES));
}

/* Packets in a row that are of one flow are a run, which is looked up once: senders come in trains.
 * `lengths`: somebody asks for them, and `frames` has them. The number of runs. */
static inline __attribute__((always_inline)) unsigned mask_keys(struct cache *c, const struct mkey *keys,
                                                                const uint32_t *lens, const uint32_t *frames,
                                                                bool lengths, unsigned n)
{
	static const key_line no_line = {-1, -1, -1, -1, -1, -1, -1, -1}; /* with MKEY_EXT */
	const struct relevance_mask *r = NULL;
	uint64_t ingress = 0;
	key_line before = no_line;
	unsigned run = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t from = (uint64_t)keys[i].in_port << 32 | keys[i].tun_id;
		const struct mkey *mask;
		key_line line;

		if (!r || from != ingress) {
			ingress = from;
			r = relevance_find(&c->t->relevance, keys[i].in_port, keys[i].tun_id);
			before = no_line;
		}
		mask = &r->mask[mkey_class_of(keys[i].eth_type)];
		line = mask_key(&c->keys[run], &keys[i], mask);
		if (lengths && mask->pkt_len)
			add_length(&c->keys[run], &keys[i], &r->lengths, frames[i]);
		if (!lines_differ(line, before) && (likely(!(c->keys[run].flags & CACHE_KEY_REST)) ||
		                                    same_rest(&c->keys[run], &c->keys[run - 1]))) {
			c->packets[run - 1]++;
			c->bytes[run - 1] += lens[i];
			continue;
		}
		before = line;
		c->packets[run] = 1;
		c->bytes[run] = lens[i];
		c->epochs[run] = r->epoch;
		run++;
	}
	return run;
}

static unsigned mask_keys_and_lengths(struct cache *c, const struct mkey *keys, const uint32_t *lens,
                                      unsigned n)
{
	return mask_keys(c, keys, lens, c->frames ? c->frames(c->frames_arg, n) : lens, true, n);
}

static void hash_keys(struct cache *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		c->hashes[i] = cache_hash(&c->keys[i], c->epochs[i], c->seeds);
		__builtin_prefetch(cache_bucket(c, c->hashes[i], 0), 1);
	}
}

/* ---- stage 2: signatures ---- */

static inline unsigned sig_matches(const struct cache_bucket *b, uint16_t sig)
{
	__m128i have = _mm_load_si128((const __m128i *)b->sig);
	__m128i equal = _mm_cmpeq_epi16(have, _mm_set1_epi16((short)sig));

	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
}

static void touch(struct cache *c, struct cache_bucket *b, unsigned way)
{
	uint16_t stamp = (uint16_t)(c->batch >> CACHE_STAMP_SHIFT);

	if (b->stamp[way] != stamp)
		b->stamp[way] = stamp;
}

static void find_candidates(struct cache *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t hash = c->hashes[i];

		c->found[i] = CACHE_NONE;
		for (unsigned which = 0; which < 2; which++) {
			struct cache_bucket *b = cache_bucket(c, hash, which);
			unsigned ways = sig_matches(b, cache_sig(hash)), way;

			if (!ways)
				continue;
			way = (unsigned)__builtin_ctz(ways);
			touch(c, b, way);
			c->found[i] = b->entry[way];
			__builtin_prefetch(&c->entries[c->found[i]]);
			__builtin_prefetch(&c->entries[c->found[i]].epoch, 1);
			break;
		}
	}
}

/* ---- stage 3: compare ---- */

static bool rest_is(const struct cache *c, const struct cache_entry *e, const struct mkey *key)
{
	const uint64_t *k = (const uint64_t *)key;
	const uint8_t *rest = arena_at(&c->arena, e->rest);

	if (key->flags & MKEY_EXT) {
		if (memcmp(rest, k + MKEY_WORDS, CACHE_EXT_BYTES))
			return false;
		rest += CACHE_EXT_BYTES;
	}
	return !(key->flags & MKEY_RESUMED) || !memcmp(rest, k + MKEY_RESUMED_AT, CACHE_RESUMED_BYTES);
}

static inline bool entry_is(const struct cache *c, const struct cache_entry *e, const struct mkey *key,
                            uint64_t epoch)
{
	const uint64_t *k = (const uint64_t *)key;

	if (e->epoch != epoch || lines_differ(read_line(e->key), read_line(k)))
		return false;
	return likely(!(key->flags & CACHE_KEY_REST)) || rest_is(c, e, key);
}

/* The candidate was not it, or an earlier packet of the batch has just made the entry. What is found is in
 * use: without its stamp a later packet of the batch could take its place, and its program's. */
static uint32_t find_slowly(struct cache *c, unsigned i)
{
	uint64_t hash = c->hashes[i];

	for (unsigned which = 0; which < 2; which++) {
		struct cache_bucket *b = cache_bucket(c, hash, which);

		for (unsigned ways = sig_matches(b, cache_sig(hash)); ways; ways &= ways - 1) {
			unsigned way = (unsigned)__builtin_ctz(ways);
			uint32_t number = b->entry[way];

			if (!entry_is(c, &c->entries[number], &c->keys[i], c->epochs[i]))
				continue;
			touch(c, b, way);
			return number;
		}
	}
	return CACHE_NONE;
}

/* When a batch is looked up. */
struct moment {
	uint64_t now, version;
	bool hurry; /* see versions_hurry() */
};

/* So many packets, of so many bytes. */
struct load {
	uint32_t packets, bytes;
};

static void count(struct cache *c, uint32_t number, struct cache_entry *e, struct load load, uint64_t now)
{
	e->packets += load.packets;
	e->bytes += load.bytes;
	e->used = now;
	e->batch = c->batch;
	if (e->dirty)
		return;
	e->dirty = 1;
	c->dirty[c->collecting][c->ndirty[c->collecting]++] = number;
}

/* ---- misses ---- */

/* Run `i`, whose first packet has the key `key`. */
static void translate(struct cache *c, unsigned i, const struct mkey *key, uint64_t version)
{
	struct flow_key wide;

	mkey_expand(key, &wide);
	if (c->keys[i].flags & MKEY_EXT)
		wide.pkt_len = c->keys[i].pkt_len;
	if (key->flags & MKEY_RESUMED)
		translate_resumed(c->t, version, &wide, key->table_id, NULL, &c->translation);
	else
		translate_packet(c->t, version, &wide, &c->translation);
}

/* The program has no place to stay: it serves this run and is counted at once. */
static const struct program *run_uncached(struct cache *c, unsigned i, struct load load, uint64_t now)
{
	struct program *p = (struct program *)(c->scratch + (size_t)i * PROGRAM_BYTES_MAX);

	translation_pack(&c->translation, p);
	for (unsigned r = 0; r < p->nrefs; r++)
		slots_credit(&c->t->slots, c->worker, program_refs(p)[r], load.packets, load.bytes, now);
	c->stats.uncached++;
	return p;
}

static bool store_rest(struct cache *c, struct cache_entry *e, const struct mkey *key)
{
	const uint64_t *k = (const uint64_t *)key;
	unsigned bytes = cache_rest_bytes(key->flags);
	uint8_t *to;

	if (!bytes)
		return true;
	e->rest = arena_get(&c->arena, bytes);
	if (!e->rest)
		return false;
	to = arena_at(&c->arena, e->rest);
	if (key->flags & MKEY_EXT) {
		memcpy(to, k + MKEY_WORDS, CACHE_EXT_BYTES);
		to += CACHE_EXT_BYTES;
	}
	if (key->flags & MKEY_RESUMED)
		memcpy(to, k + MKEY_RESUMED_AT, CACHE_RESUMED_BYTES);
	return true;
}

static const struct program *miss(struct cache *c, unsigned i, const struct mkey *key, struct load load,
                                  const struct moment *at)
{
	struct cache_entry *e;
	uint32_t number;

	c->stats.misses++;
	translate(c, i, key, at->version);
	number = cache_take(c, c->hashes[i]);
	if (number == CACHE_NONE)
		return run_uncached(c, i, load, at->now);
	e = &c->entries[number];
	e->batch = c->batch; /* not to be evicted for its own program */
	if (!cache_store_program(c, e) || !store_rest(c, e, &c->keys[i])) {
		cache_give_back(c, c->hashes[i], number);
		return run_uncached(c, i, load, at->now);
	}
	memcpy(e->key, &c->keys[i], sizeof(e->key));
	e->epoch = c->epochs[i];
	e->version = at->version;
	e->packets = e->bytes = 0;
	count(c, number, e, load, at->now);
	return cache_program(c, e);
}

/* ---- entries of an older version ---- */

/* Do versions come so fast that most packets meet a flow of an older one, or nearly as many as not? Then each
 * asks what its flow depends on: that costs less than a branch nobody can foresee. */
static bool versions_hurry(struct cache *c, uint64_t version)
{
	if (version != c->version) {
		c->version = version;
		c->calm_at = c->batch + CACHE_CALM_BATCHES;
	}
	return (int32_t)(c->calm_at - c->batch) > 0;
}

/* Gives the entry the program for `version`. False: it found no place; the entry is gone. */
static bool retranslate(struct cache *c, unsigned i, uint32_t number, const struct mkey *key,
                        uint64_t version)
{
	struct cache_entry *e = &c->entries[number];

	if (e->version == version) /* only a change that is about to be published has been marked */
		return true;
	c->stats.stale++;
	cache_credit(c, e);
	translate(c, i, key, version);
	e->batch = c->batch;
	if (!cache_store_program(c, e)) {
		cache_give_back(c, c->hashes[i], number);
		return false;
	}
	e->version = version;
	return true;
}

/* Makes the entry right for `version`; false as retranslate(). */
static inline bool renew(struct cache *c, unsigned i, uint32_t number, const struct mkey *key,
                         uint64_t version)
{
	struct cache_entry *e = &c->entries[number];

	if (unlikely(!deps_unchanged(&c->deps, e->deps, c->t, e->version, version)))
		return retranslate(c, i, number, key, version);
	c->stats.refreshed += e->version != version;
	e->version = version;
	return true;
}

/* The program of run `i`, whose first packet has the key `key`; *output as cache_outputs() tells. */
static inline const struct program *find_program(struct cache *c, unsigned i, const struct mkey *key,
                                                 struct load load, const struct moment *at, uint32_t *output)
{
	uint32_t number = c->found[i];
	const struct program *p;
	struct cache_entry *e;

	*output = 0;
	if (unlikely(number == CACHE_NONE) || !entry_is(c, &c->entries[number], &c->keys[i], c->epochs[i]))
		number = find_slowly(c, i);
	if (unlikely(number == CACHE_NONE)) {
		c->stats.hits += load.packets - 1;
		return miss(c, i, key, load, at);
	}
	e = &c->entries[number];
	if ((at->hurry || unlikely(e->version != at->version)) && !renew(c, i, number, key, at->version))
		return run_uncached(c, i, load, at->now);
	c->stats.hits += load.packets;
	count(c, number, e, load, at->now);
	p = cache_program(c, e);
	*output = e->output;
	if (!e->output)
		__builtin_prefetch(p);
	return p;
}

void cache_lookup(struct cache *c, uint64_t now, const struct mkey *keys, const uint32_t *lens, unsigned n,
                  const struct program **out)
{
	struct moment moment = {.now = now, .version = rcu_read(c->t->version)};
	unsigned runs;

	c->batch++;
	moment.hurry = versions_hurry(c, moment.version);
	if (unlikely(__atomic_load_n(&c->t->relevance.lengths, __ATOMIC_RELAXED)))
		runs = mask_keys_and_lengths(c, keys, lens, n);
	else
		runs = mask_keys(c, keys, lens, lens, false, n);
	hash_keys(c, runs);
	find_candidates(c, runs);
	for (unsigned i = 0, at = 0; i < runs; i++) {
		struct load load = {c->packets[i], c->bytes[i]};
		unsigned end = at + load.packets;
		uint32_t output;

		out[at] = find_program(c, i, &keys[at], load, &moment, &output);
		c->outputs[at] = output;
		for (at++; at < end; at++) {
			out[at] = out[at - 1];
			c->outputs[at] = output;
		}
	}
}

const struct program *cache_continue(struct cache *c, uint64_t now, const struct mkey *key, uint32_t len,
                                     uint32_t frame, const struct continuation *more)
{
	struct load load = {1, len};
	struct flow_key wide;

	mkey_expand(key, &wide);
	wide.pkt_len = frame;
	translate_resumed(c->t, rcu_read(c->t->version), &wide, key->table_id, more, &c->translation);
	c->stats.misses++;
	return run_uncached(c, 0, load, now);
}

void cache_set_frames(struct cache *c, cache_frames frames, void *arg)
{
	c->frames = frames;
	c->frames_arg = arg;
}

uint64_t cache_misses(const struct cache *c)
{
	return c->stats.misses + c->stats.stale;
}

const uint32_t *cache_outputs(const struct cache *c)
{
	return c->outputs;
}
