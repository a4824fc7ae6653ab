/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the classifier: the rules of one mask. See classifier.h for the design. */
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
	uint32_t nheads, nrules;           /* distinct keys, rules */
	uint32_t filtered;                 /* keys the filter has seen since it was made */
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

/* Words are mixed independently, so that the multiplications overlap. */
static inline uint64_t subtable_hash(const struct subtable *s, const uint64_t *key)
{
	uint64_t h = 0, salt = 0xa0761d6478bd642full;

	for (uint32_t i = 0; i < s->nwords; i++) {
		__uint128_t m = (__uint128_t)((key[s->word[i]] & s->mask[i]) ^ salt) * 0x9e3779b97f4a7c15ull;

		h ^= (uint64_t)m ^ (uint64_t)(m >> 64);
		salt = (salt << 11 | salt >> 53) + 0x8ebc6af09c88c6e3ull;
	}
	return hash_mix(h);
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
