/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers; see random.h. */
#include "tests/differential/random.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t random_next(struct random *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state * 0x2545f4914f6cdd1dull;
}

unsigned random_below(struct random *r, unsigned n)
{
	return (unsigned)((random_next(r) >> 33) % n);
}

bool random_chance(struct random *r, unsigned percent)
{
	return random_below(r, 100) < percent;
}

uint64_t random_seed(uint64_t fallback)
{
	const char *text = getenv("SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : fallback;

	printf("SEED=%lu\n", (unsigned long)seed);
	fflush(stdout);
	return seed ? seed : 1;
}
