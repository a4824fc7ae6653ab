/* SPDX-License-Identifier: Apache-2.0 */
/* The injectable clock; see clock.h. */
#include "base/clock.h"

#include <time.h>

static uint64_t injected; /* 0: real time */

uint64_t clock_now(void)
{
	uint64_t now = __atomic_load_n(&injected, __ATOMIC_RELAXED);
	struct timespec ts;

	if (now)
		return now;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_SECOND + (uint64_t)ts.tv_nsec;
}

void clock_set(uint64_t now)
{
	__atomic_store_n(&injected, now ? now : 1, __ATOMIC_RELAXED);
}

void clock_release(void)
{
	__atomic_store_n(&injected, 0, __ATOMIC_RELAXED);
}
