/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing of keys made of 64-bit words: one multiply per word, well mixed at the end. Not for hostile-proof
 * tables by itself: callers that face attackers pass a random seed (hash_random_seed). */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t hash_mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ull;
	h ^= h >> 32;
	return h;
}

/* Folded 64x64 -> 128 bit multiply: both halves of the product matter. */
static inline uint64_t hash_step(uint64_t h, uint64_t word)
{
	__uint128_t m = (__uint128_t)(h ^ word) * 0x9e3779b97f4a7c15ull;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t hash_words(const uint64_t *words, size_t n, uint64_t seed)
{
	uint64_t h = seed ^ 0xa0761d6478bd642full;

	for (size_t i = 0; i < n; i++)
		h = hash_step(h, words[i]) + i;
	return hash_mix(h);
}

/* A seed nobody outside can guess, from the kernel. */
uint64_t hash_random_seed(void);

/* From now on seeds are made of `start`: for tests, which repeat what they did. Before other threads run. */
void hash_seeds_from(uint64_t start);

#endif
