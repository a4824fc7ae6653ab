/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the cache: its entries and how they are stored. Design, thread-safety and life cycle stand in
 * cache.h. */
#ifndef FLOWS_DP_CACHE_STATE_H
#define FLOWS_DP_CACHE_STATE_H

#include "base/dp/packet.h"
#include "flows/dp/arena.h"
#include "flows/dp/cache.h"
#include "flows/dp/cache_hash.h"
#include "flows/dp/deps.h"
#include "flows/dp/programs.h"
#include "flows/dp/state.h"
#include "flows/dp/translate.h"

enum {
	CACHE_WAYS = 8,
	CACHE_EXT_BYTES = MKEY_EXT_WORDS * 8,
	CACHE_RESUMED_BYTES = MKEY_RESUMED_WORDS * 8,
	CACHE_KEY_REST = MKEY_EXT | MKEY_RESUMED, /* flags of keys with more than line 0 */
};

struct cache_bucket {
	uint16_t sig[CACHE_WAYS];   /* 0: free */
	uint16_t stamp[CACHE_WAYS]; /* when it was last used, in units of batches */
	uint32_t entry[CACHE_WAYS];
} __attribute__((aligned(64)));
static_assert(sizeof(struct cache_bucket) == 64, "one probe, one cache line");

struct cache_entry {
	uint64_t key[MKEY_WORDS];      /* masked line 0 */
	uint64_t epoch;                /* of the mask */
	uint64_t version;              /* the program is right for this version */
	uint64_t packets, bytes, used; /* not credited yet */
	uint32_t batch;                /* that last used it */
	uint32_t program;              /* of programs.h; 0: none yet. When the entry is free: the next one */
	uint32_t rest;                 /* arena block of what the masked key has behind line 0; 0: nothing */
	uint32_t output;               /* what cache_outputs() tells */
	uint32_t deps;                 /* of deps.h, when there is a program */
	uint8_t dirty;                 /* its number is in a list of what is to be folded */
	uint8_t pad[3];
} __attribute__((aligned(64)));
static_assert(sizeof(struct cache_entry) == 128, "key in one line, the rest in another");

struct cache {
	/* worker */
	struct tables *t;
	struct cache_bucket *buckets;
	struct cache_entry *entries;
	uint32_t bucket_mask;
	uint32_t worker;
	uint32_t batch;
	uint32_t calm_at;                            /* the batch since which versions have not come fast */
	uint64_t version;                            /* of the last batch */
	uint32_t capacity, used_entries, free_entry; /* free ones are chained by `program`; UINT32_MAX: end */
	uint32_t nentries;
	uint32_t hand; /* next bucket to look at when entries run out */
	uint64_t seeds[CACHE_SEEDS];
	struct arena arena;
	struct programs programs;
	struct deps deps;
	/* fold: numbers of entries with counts; two lists, one collects while the other is folded */
	uint32_t *dirty[2];
	uint32_t ndirty[2];
	uint8_t collecting;
	bool folding;
	uint32_t fold_seen, fold_done; /* the request that is being answered; answered (control: ro) */
	struct cache_stats stats;
	/* of the batch's runs: packets in a row that are of one flow */
	struct mkey keys[BATCH_MAX]; /* masked */
	uint64_t hashes[BATCH_MAX], epochs[BATCH_MAX];
	uint32_t found[BATCH_MAX];
	uint32_t packets[BATCH_MAX], bytes[BATCH_MAX];
	/* of the batch */
	uint32_t outputs[BATCH_MAX];
	struct translation translation;
	uint8_t *scratch;    /* BATCH_MAX programs that found no place */
	cache_frames frames; /* may be NULL */
	void *frames_arg;
};

enum { CACHE_NONE = 0xffffffff, CACHE_STAMP_SHIFT = 4, CACHE_CALM_BATCHES = 8192 };

/* A bucket's partner is its neighbour: the line that is fetched along. */
static inline struct cache_bucket *cache_bucket(const struct cache *c, uint64_t hash, unsigned which)
{
	return &c->buckets[((uint32_t)hash & c->bucket_mask) ^ which];
}

static inline uint16_t cache_sig(uint64_t hash)
{
	uint16_t sig = (uint16_t)(hash >> 48);

	return sig ? sig : 1;
}

/* How long the block of a masked key with these flags is. */
static inline unsigned cache_rest_bytes(uint8_t flags)
{
	return (flags & MKEY_EXT ? CACHE_EXT_BYTES : 0u) + (flags & MKEY_RESUMED ? CACHE_RESUMED_BYTES : 0u);
}

static inline struct program *cache_program(const struct cache *c, const struct cache_entry *e)
{
	return programs_at(&c->programs, e->program);
}

/* cache_store.c */
/* A place for a new key, with its bucket's signature set; the oldest makes way. CACHE_NONE: everything near
 * is in use by this batch. */
uint32_t cache_take(struct cache *c, uint64_t hash);
/* Gives the entry the program that c->translation is, for the one it had. False: no room. */
bool cache_store_program(struct cache *c, struct cache_entry *e);
/* Gives back a place that cache_take gave, before it was filled. */
void cache_give_back(struct cache *c, uint64_t hash, uint32_t number);
void cache_credit(struct cache *c, struct cache_entry *e);

#endif
