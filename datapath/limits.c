/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets per port, worker and kind; see limits.h. */
#include "datapath/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BURST_NS (CLOCK_SECOND / 10)

static uint64_t interval_of(uint32_t rate, unsigned share)
{
	return rate ? CLOCK_SECOND * share / rate : 0;
}

struct limits *limits_create(const struct storm_limits *storm, unsigned share)
{
	struct limits *l = aligned_alloc(64, sizeof(*l));

	if (!l)
		return NULL;
	memset(l, 0, sizeof(*l));
	l->interval[LIMIT_BROADCAST] = interval_of(storm->broadcast, share);
	l->interval[LIMIT_MULTICAST] = interval_of(storm->multicast, share);
	l->interval[LIMIT_UNKNOWN] = interval_of(storm->unknown, share);
	l->interval[LIMIT_TOO_BIG] = interval_of(LIMIT_TOO_BIG_RATE, share);
	return l;
}

bool limits_pass(struct limits *l, unsigned worker, enum limit_kind kind, uint64_t now)
{
	uint64_t *due = &l->worker[worker].due[kind];

	if (!l->interval[kind])
		return true;
	if (*due > now + BURST_NS)
		return false;
	*due = (*due > now ? *due : now) + l->interval[kind];
	return true;
}
