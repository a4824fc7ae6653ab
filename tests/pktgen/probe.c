/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine itself takes. How far two cores are from each other: a cache line goes to and fro; a
 * benchmark tells results of near and of far cores apart by it. And how long it takes until a thread that
 * waits for an eventfd runs: no switch that sleeps can be woken faster. Called by main.c. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/pktgen/load.h"

enum { ROUNDS = 101, TRIPS = 200, WAKES = 201 };

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

static double median(double *of, unsigned n)
{
	qsort(of, n, sizeof(of[0]), compare);
	return of[n / 2];
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
	return median(ns, ROUNDS);
}

struct sleeper {
	int fd;
	unsigned core;
	uint64_t woken[WAKES]; /* 0: not yet */
};

static void *sleep_and_tell(void *arg)
{
	struct sleeper *s = arg;
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	uint64_t count;

	pin_to(s->core);
	for (unsigned i = 0; i < WAKES; i++) {
		while (poll(&p, 1, -1) != 1)
			;
		__atomic_store_n(&s->woken[i], clock_now(), __ATOMIC_RELEASE);
		(void)!read(s->fd, &count, sizeof(count));
	}
	return NULL;
}

/* Long enough for the other core to be halted. */
static void let_sleep(void)
{
	struct timespec pause = {.tv_nsec = 2000000};

	nanosleep(&pause, NULL);
}

static void wake(struct sleeper *s, double ns[WAKES])
{
	uint64_t one = 1;

	for (unsigned i = 0; i < WAKES; i++) {
		uint64_t start, end;

		let_sleep();
		start = clock_now();
		(void)!write(s->fd, &one, sizeof(one));
		while (!(end = __atomic_load_n(&s->woken[i], __ATOMIC_ACQUIRE)))
			;
		ns[i] = (double)(end - start);
	}
}

double probe_wake(unsigned a, unsigned b)
{
	struct sleeper s = {.fd = eventfd(0, EFD_CLOEXEC), .core = b};
	double ns[WAKES] = {-1};
	pthread_t thread;

	if (s.fd < 0)
		return -1;
	if (a != b && pin_to(a) && !pthread_create(&thread, NULL, sleep_and_tell, &s)) {
		wake(&s, ns);
		pthread_join(thread, NULL);
	}
	close(s.fd);
	return ns[0] < 0 ? -1 : median(ns, WAKES);
}
