/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which lengths check_pkt_larger tells apart, so that a flow of packets of all lengths is cached once for
 * each answer and not once for each length. Inside of relevance.
 *
 * A few limits divide the lengths into classes; all of a class count as its longest. Where the actions on the
 * way may make a frame longer or shorter before it is held against a limit, or where limits are many, each
 * length counts by itself (`exact`).
 *
 * Thread-safety: a value; immutable once published in a struct relevance_mask.
 */
#ifndef FLOWS_DP_LENGTHS_H
#define FLOWS_DP_LENGTHS_H

#include <stdbool.h>
#include <stdint.h>

enum { LENGTH_LIMITS_MAX = 6, LENGTH_ABOVE = 0x1000000 }; /* longer than any packet and any limit */

struct lengths { /* no padding: compared whole */
	uint16_t n;
	uint16_t exact;                     /* then n is 0 */
	uint16_t limits[LENGTH_LIMITS_MAX]; /* rising; what a packet may be larger than. Zero from n on */
};

static inline bool lengths_matter(const struct lengths *l)
{
	return l->n || l->exact;
}

void lengths_make_exact(struct lengths *l);
/* One more limit, or all of another. */
void lengths_add(struct lengths *l, uint16_t limit);
void lengths_join(struct lengths *l, const struct lengths *other);

/* The length that stands for this one: every limit answers the same for both. */
static inline uint32_t lengths_class(const struct lengths *l, uint32_t length)
{
	if (l->exact)
		return length;
	for (unsigned i = 0; i < l->n; i++)
		if (length <= l->limits[i])
			return l->limits[i];
	return LENGTH_ABOVE;
}

#endif
