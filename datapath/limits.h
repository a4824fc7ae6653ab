/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates that one port may cause: what is flooded (storm limits) and what is answered with ICMP.
 *
 * Design: per worker and kind the time at which the next packet would be on schedule (GCRA); packets pass
 * while that is less than the burst ahead. The rate is shared out evenly over the workers that can see the
 * port's packets. A change of limits replaces the object under RCU.
 *
 * Thread-safety: limits_create: control thread. limits_pass: the worker whose number it names.
 *
 * Life cycle: limits_create -> published -> another one is published -> free() after a grace period.
 */
#ifndef DATAPATH_LIMITS_H
#define DATAPATH_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dp/rcu.h"
#include "datapath/datapath.h"

enum limit_kind { LIMIT_BROADCAST, LIMIT_MULTICAST, LIMIT_UNKNOWN, LIMIT_TOO_BIG, LIMIT_KINDS };

struct limits {
	uint64_t interval[LIMIT_KINDS]; /* ns between packets, 0: no limit */
	struct limits_worker {
		uint64_t due[LIMIT_KINDS]; /* worker: rw */
	} __attribute__((aligned(64))) worker[WORKERS_MAX];
};

enum { LIMIT_TOO_BIG_RATE = 1000 }; /* answers a second and port */

/* `share`: how many workers take from the rate. NULL: no memory. Freed with free(). Control thread. */
struct limits *limits_create(const struct storm_limits *storm, unsigned share);

/* May one more pass now? Worker `worker`. */
bool limits_pass(struct limits *l, unsigned worker, enum limit_kind kind, uint64_t now);

#endif
