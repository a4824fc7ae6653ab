/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds for hash.h. */
#include "base/hash.h"

#include <sys/random.h>

#include "base/clock.h"

uint64_t hash_random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = hash_mix(clock_now() ^ (uint64_t)(uintptr_t)&seed);
	return seed;
}
