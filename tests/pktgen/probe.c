/* SPDX-License-Identifier: Apache-2.0 */
/* How far two cores are from each other: a cache line goes to and fro. Called by main.c; a benchmark tells
 * results of near and of far cores apart by it. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/pktgen/load.h"

enum { ROUNDS = 101, TRIPS = 200 };

struct ball {
	_Alignas(64) uint64_t at; /* even: with the first, odd: with the second */
	unsigned core;
	uint64_t trips;
};

bool pin_to(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

static void wait_for(struct ball *b, uint64_t value)
{
	while (__atomic_load_n(&b->at, __ATOMIC_ACQUIRE) != value)
		;
}

static void *second(void *arg)
{
	struct ball *b = arg;

	pin_to(b->core);
	for (uint64_t i = 0; i < b->trips; i++) {
		wait_for(b, 2 * i + 1);
		__atomic_store_n(&b->at, 2 * i + 2, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double probe_cores(unsigned a, unsigned b)
{
	struct ball ball = {.core = b, .trips = (uint64_t)ROUNDS * TRIPS};
	double ns[ROUNDS];
	pthread_t thread;

	if (a == b || !pin_to(a) || pthread_create(&thread, NULL, second, &ball))
		return -1;
	for (unsigned r = 0; r < ROUNDS; r++) {
		uint64_t start = clock_now();

		for (uint64_t i = (uint64_t)r * TRIPS; i < (uint64_t)(r + 1) * TRIPS; i++) {
			__atomic_store_n(&ball.at, 2 * i + 1, __ATOMIC_RELEASE);
			wait_for(&ball, 2 * i + 2);
		}
		ns[r] = (double)(clock_now() - start) / TRIPS / 2;
	}
	pthread_join(thread, NULL);
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	return ns[ROUNDS / 2];
}
