/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the classifier: the rules of one mask. Design and thread-safety stand in classifier.h. Life
 * cycle: from the first rule of the mask to the last, then until a grace period is over. */
#ifndef FLOWS_DP_SUBTABLE_H
#define FLOWS_DP_SUBTABLE_H

#include "base/hash.h"
#include "base/dp/rcu.h"
#include "flows/dp/rule.h"
#include "flows/key.h"

enum { BUCKET_WAYS = 7 };

struct rule_bucket {
	uint8_t sig[BUCKET_WAYS];
	uint8_t overflowed; /* some rule of this bucket went on to the next */
	struct rule *heads[BUCKET_WAYS];
} __attribute__((aligned(64)));
static_assert(sizeof(struct rule_bucket) == 64, "one probe, one cache line");

struct rule_hash {
	uint64_t mask;       /* buckets - 1 */
	uint64_t overflowed; /* control: how many of them */
	uint64_t pad[6];
	struct rule_bucket buckets[];
} __attribute__((aligned(64)));

struct priority_count {
	uint16_t priority;
	uint32_t rules;
};

struct subtable {
	/* worker: ro */
	uint64_t filter;        /* RCU: address of the words (64-byte aligned) | log2 of their number */
	struct rule_hash *hash; /* RCU */
	uint32_t nwords;
	uint8_t word[FLOW_KEY_WORDS];
	uint64_t mask[FLOW_KEY_WORDS]; /* of those words */
	/* control */
	struct flow_key wide_mask;
	uint32_t nheads, nrules; /* distinct keys, rules */
	uint32_t filtered;       /* keys the filter has seen since it was made */
	uint64_t *filter_place;  /* where the classifier's list keeps a copy of `filter` */
	uint64_t mask_hash;
	struct priority_count *priorities; /* falling */
	uint32_t npriorities, priorities_capacity;
} __attribute__((aligned(64)));

struct subtable *subtable_create(const struct flow_key *mask);
/* At once; nobody reads it. */
void subtable_free(void *subtable);
int subtable_insert(struct subtable *s, struct rule *r);
void subtable_remove(struct subtable *s, struct rule *r);
uint32_t subtable_max_priority(const struct subtable *s);
struct rule *subtable_find(const struct subtable *s, const uint64_t *words, uint64_t hash);

/* NH hashing (a product of the halves of each salted word), so that eight masks can be done at once with one
 * multiplication per word. A word that the mask leaves out adds nothing. Salts are secret and odd in both
 * halves. */
extern uint64_t subtable_salts[FLOW_KEY_WORDS];
void subtable_salts_init(void);

static inline uint64_t half_product(uint64_t word)
{
	return (word & 0xffffffff) * (word >> 32);
}

static inline uint64_t subtable_hash_finish(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ull;
	return h ^ h >> 29;
}

static inline uint64_t subtable_hash(const struct subtable *s, const uint64_t *key)
{
	uint64_t h = 0;

	for (uint32_t i = 0; i < s->nwords; i++) {
		uint64_t salt = subtable_salts[s->word[i]];

		h += half_product((key[s->word[i]] & s->mask[i]) ^ salt) - half_product(salt);
	}
	return subtable_hash_finish(h);
}

static inline uint64_t filter_bits(uint64_t hash)
{
	return 1ull << (hash & 63) | 1ull << (hash >> 6 & 63) | 1ull << (hash >> 12 & 63);
}

static inline uint64_t *filter_word(uint64_t filter, uint64_t hash)
{
	uint64_t *words = (uint64_t *)(uintptr_t)(filter & ~63ull);

	return &words[hash >> 32 & ((1ull << (filter & 63)) - 1)];
}

#endif
