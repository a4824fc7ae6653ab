/* SPDX-License-Identifier: Apache-2.0 */
/* The one clock of Weft: monotonic nanoseconds. A test can take it over and move it by hand, so that ageing,
 * timeouts and meters are tested without waiting. Workers read it once per batch. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_MS 1000000ull
#define CLOCK_SECOND 1000000000ull

/* Nanoseconds since an arbitrary start; never goes back. Any thread. */
uint64_t clock_now(void);

/* From now on clock_now() returns `now` until clock_set() is called again; clock_release() gives real time
 * back. For tests and replay. Any thread may call it, the others see it soon. */
void clock_set(uint64_t now);
void clock_release(void);

#endif
