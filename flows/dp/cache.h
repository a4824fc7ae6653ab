/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The microflow cache of one worker: masked exact-match keys to action programs.
 *
 * Design: a key is ANDed with the mask of what can matter to it (flows/dp/relevance.h), hashed, and looked
 * for in two neighbouring buckets of one cache line each (8 signatures of 16 bits, 8 entry numbers). A batch
 * goes through in stages, each prefetching for the next. A miss is translated at once and takes the place of
 * the oldest when there is no room. An entry that was made under an older version asks whether anything it
 * depended on has changed since, and is translated again in place if so. Counters stay in the entry and are
 * credited to rules when it is evicted, made anew, or folded.
 *
 * Thread-safety: lookup and fold belong to the worker; create, destroy and stats to the control thread.
 *
 * Life cycle: cache_create before the worker starts -> cache_lookup/cache_fold -> worker stops ->
 * cache_destroy, which credits what is left.
 */
#ifndef FLOWS_DP_CACHE_H
#define FLOWS_DP_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "flows/dp/mkey.h"
#include "flows/dp/program.h"

enum { CACHE_ENTRIES_DEFAULT = 1048576, CACHE_ENTRIES_MAX = 4194304 };

struct cache;
struct continuation;
struct tables;

struct cache_stats {
	uint64_t hits, misses;
	uint64_t stale;     /* hits that were translated again */
	uint64_t refreshed; /* hits of an older version that nothing had changed for */
	uint64_t evictions;
	uint64_t uncached; /* misses without room for their program */
	uint32_t entries, capacity;
	uint32_t programs; /* different ones, more or less: see programs.h */
};

/* Memory is reserved now and touched as entries are used: 128 bytes per cached flow and 64 or more per
 * different program, plus 16 bytes per entry of capacity. `entries` 0: the default; rounded up to a power of
 * two. NULL: no memory. */
struct cache *cache_create(struct tables *t, unsigned worker, uint32_t entries);
void cache_destroy(struct cache *c);

/* How long the n packets of the batch are as frames (segments of a GSO packet), for check_pkt_larger. Asked
 * for only while some flow has that action; before it is set, `lens` is taken. Called by cache_lookup. */
typedef const uint32_t *(*cache_frames)(void *arg, unsigned n);
void cache_set_frames(struct cache *c, cache_frames frames, void *arg);

/* For packets 0..n-1 (n <= BATCH_MAX): the program of keys[i], counted with lens[i] bytes. Reads one version
 * for the whole batch. `out` is valid until the next cache_lookup. `now`: clock_now() of the batch. */
void cache_lookup(struct cache *c, uint64_t now, const struct mkey *keys, const uint32_t *lens, unsigned n,
                  const struct program **out);

/* The program of one resumed packet that has more to remember than a key has room for (a stack, an action
 * set), or of which no mask says what matters (MKEY_INJECTED): it is made for this packet and not kept.
 * `frame`: as cache_frames. Valid until the next call of this or of cache_lookup. */
const struct program *cache_continue(struct cache *c, uint64_t now, const struct mkey *key, uint32_t len,
                                     uint32_t frame, const struct continuation *more);

/* For the packets of the last cache_lookup: the port number when the program is nothing but one output of the
 * whole packet to a port, else 0. Most programs are: who asks here need not touch them. */
const uint32_t *cache_outputs(const struct cache *c);

/* Credits the counters of at most `budget` entries when the control thread has asked for it; to be called in
 * every round of the worker, also when there are no packets, and before it sleeps. True: there is more to do
 * now. */
bool cache_fold(struct cache *c, unsigned budget);
/* Has the control thread asked for a fold that this worker has not finished? For the decision to sleep. */
bool cache_fold_pending(const struct cache *c);

/* How many packets were translated so far. Worker. */
uint64_t cache_misses(const struct cache *c);
void cache_get_stats(const struct cache *c, struct cache_stats *out);

#endif
