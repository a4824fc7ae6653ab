/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds for hash.h. */
#include "base/hash.h"

#include <stdbool.h>
#include <sys/random.h>

#include "base/clock.h"

static struct {
	bool set;
	uint64_t next;
} fixed;

void hash_seeds_from(uint64_t start)
{
	fixed.set = true;
	fixed.next = start;
}

uint64_t hash_random_seed(void)
{
	uint64_t seed;

	if (fixed.set)
		return hash_mix(fixed.next += 0x9e3779b97f4a7c15ull);
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = hash_mix(clock_now() ^ (uint64_t)(uintptr_t)&seed);
	return seed;
}
