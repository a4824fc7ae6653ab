/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of values (ns) in buckets of 1/32 of their size, for percentiles. One thread. */
#ifndef TESTS_PKTGEN_LOAD_HISTOGRAM_H
#define TESTS_PKTGEN_LOAD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SUB = 32, HISTOGRAM_BUCKETS = 60 * HISTOGRAM_SUB };

struct histogram {
	uint64_t n, max;
	uint64_t count[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_bucket(uint64_t v)
{
	unsigned shift;

	if (v < 2 * HISTOGRAM_SUB)
		return (unsigned)v;
	shift = 63u - (unsigned)__builtin_clzll(v) - 5u;
	return (shift + 1) * HISTOGRAM_SUB + (unsigned)(v >> shift) - HISTOGRAM_SUB;
}

static inline void histogram_add(struct histogram *h, uint64_t v)
{
	unsigned b = histogram_bucket(v);

	h->count[b < HISTOGRAM_BUCKETS ? b : HISTOGRAM_BUCKETS - 1]++;
	h->n++;
	h->max = v > h->max ? v : h->max;
}

/* The value that `part` (0..1) of all values are not above, within 1/32; 0 when there are none. */
static inline uint64_t histogram_at(const struct histogram *h, double part)
{
	uint64_t want = (uint64_t)(part * (double)h->n), seen = 0;

	for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
		seen += h->count[b];
		if (!h->count[b] || seen <= want)
			continue;
		if (b < 2 * HISTOGRAM_SUB)
			return b;
		return (uint64_t)(b % HISTOGRAM_SUB + HISTOGRAM_SUB) << (b / HISTOGRAM_SUB - 1);
	}
	return h->max;
}

#endif
