/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers that a seed repeats. */
#ifndef TESTS_DIFFERENTIAL_RANDOM_H
#define TESTS_DIFFERENTIAL_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state; /* never 0 */
};

uint64_t random_next(struct random *r);
/* Below n. */
unsigned random_below(struct random *r, unsigned n);
bool random_chance(struct random *r, unsigned percent);

/* SEED from the environment, or `fallback`; printed. */
uint64_t random_seed(uint64_t fallback);

#endif
