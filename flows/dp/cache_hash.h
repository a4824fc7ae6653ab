/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the cache: keyed hashes of masked keys, so that nobody outside can choose packets that share
 * buckets. Two rounds of AES are between what goes into a lane and what comes after it; without AES, products
 * of 64 bits.
 */
#ifndef FLOWS_DP_CACHE_HASH_H
#define FLOWS_DP_CACHE_HASH_H

#include <immintrin.h>

#include <rte_branch_prediction.h>

#include "flows/dp/mkey.h"

enum { CACHE_SEEDS = 10 };

#ifdef __AES__
typedef __m128i cache_lanes[4];

static inline __m128i cache_hash_key(const uint64_t *seeds, unsigned i)
{
	return _mm_loadu_si128((const __m128i *)seeds + (i & 3));
}

static inline void cache_hash_stir(cache_lanes q, unsigned i, const uint64_t *seeds)
{
	q[i] = _mm_aesenc_si128(q[i], cache_hash_key(seeds, i + 1));
	q[i] = _mm_aesenc_si128(q[i], cache_hash_key(seeds, i));
}

static inline uint64_t cache_hash_sum(cache_lanes q, const uint64_t *seeds)
{
	__m128i sum = _mm_xor_si128(_mm_xor_si128(q[0], q[1]), _mm_xor_si128(q[2], q[3]));

	sum = _mm_aesenc_si128(sum, cache_hash_key(seeds, 2));
	sum = _mm_aesenclast_si128(sum, cache_hash_key(seeds, 1));
	return (uint64_t)_mm_cvtsi128_si64(sum);
}

static inline uint64_t cache_hash_line(const uint64_t *k, const uint64_t *seeds)
{
	cache_lanes q;

	for (unsigned i = 0; i < 4; i++) {
		q[i] = _mm_xor_si128(_mm_load_si128((const __m128i *)k + i), cache_hash_key(seeds, i));
		cache_hash_stir(q, i, seeds);
	}
	return cache_hash_sum(q, seeds);
}

/* `words` is even; `own`: the seed that tells it from others. */
static inline uint64_t cache_hash_words(const uint64_t *k, unsigned words, const uint64_t *seeds,
                                        unsigned own)
{
	__m128i begin = _mm_set1_epi64x((long long)seeds[own]);
	cache_lanes q;

	for (unsigned i = 0; i < 4; i++)
		q[i] = _mm_xor_si128(begin, cache_hash_key(seeds, i));
	for (unsigned i = 0; i < words / 2; i++) {
		q[i & 3] = _mm_xor_si128(q[i & 3], _mm_load_si128((const __m128i *)k + i));
		cache_hash_stir(q, i & 3, seeds);
	}
	return cache_hash_sum(q, seeds);
}
#else
static inline uint64_t cache_hash_mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t cache_hash_line(const uint64_t *k, const uint64_t *s)
{
	return cache_hash_mix(k[0] ^ s[0], k[1] ^ s[1]) ^ cache_hash_mix(k[2] ^ s[2], k[3] ^ s[3]) ^
	       cache_hash_mix(k[4] ^ s[4], k[5] ^ s[5]) ^ cache_hash_mix(k[6] ^ s[6], k[7] ^ s[7]);
}

static inline uint64_t cache_hash_words(const uint64_t *k, unsigned words, const uint64_t *seeds,
                                        unsigned own)
{
	return hash_words(k, words, seeds[own]);
}
#endif

/* Of a masked key; `epoch`: of its mask. */
static inline uint64_t cache_hash(const struct mkey *key, uint64_t epoch, const uint64_t seeds[CACHE_SEEDS])
{
	const uint64_t *k = (const uint64_t *)key;
	uint64_t h = cache_hash_line(k, seeds);

	if (unlikely(key->flags & MKEY_EXT))
		h ^= cache_hash_words(k + MKEY_WORDS, MKEY_EXT_WORDS, seeds, 8);
	if (unlikely(key->flags & MKEY_RESUMED))
		h ^= cache_hash_words(k + MKEY_RESUMED_AT, MKEY_RESUMED_WORDS, seeds, 9);
	return hash_mix(h ^ epoch * 0x9e3779b97f4a7c15ull);
}

#endif
