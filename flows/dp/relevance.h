/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bits of a packet can matter to the tables: the mask that the cache ANDs keys with.
 *
 * Design: per class of packet (IPv4, IPv6, ARP, other) the union of what every reachable rule matches and
 * what its actions read. Rules are summed up as shapes (mask, and what the actions need) with a count each,
 * so that the 100,000th rule of a known shape changes nothing. A mask has an epoch, unique over time, which
 * is part of the cached key: an entry made under a narrower mask never matches again.
 *
 * A mask is widened before the version that needs it is published; it is narrowed only after every worker has
 * passed the version that no longer needs it.
 *
 * Thread-safety: relevance_find: workers, under RCU. The rest: control thread.
 */
#ifndef FLOWS_DP_RELEVANCE_H
#define FLOWS_DP_RELEVANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dp/rcu.h"
#include "flows/dp/mkey.h"

struct action_list;
struct match;

struct relevance_mask { /* immutable once published */
	struct mkey mask[MKEY_CLASSES];
	uint64_t epoch;
};

struct shape {
	struct shape *next; /* of the same hash */
	uint64_t hash;
	uint32_t users;
	uint8_t classes;       /* bits: which classes of packets can meet it */
	bool mixes;            /* its actions can turn a packet of one class into another */
	struct flow_key needs; /* wide mask, pipeline state left out */
};

enum { SHAPE_HEADS = 4096 };

struct relevance {
	struct relevance_mask *current; /* RCU */
	/* control */
	struct shape *shapes[SHAPE_HEADS];
	uint32_t nshapes, nmixing;
	uint64_t epoch;
	bool wider;    /* a shape is new: the mask may lack something */
	bool narrower; /* a shape is gone: the mask may be wider than needed */
};

int relevance_init(struct relevance *r);
void relevance_exit(struct relevance *r);

/* The shape of a rule or a bucket, with one more user; NULL: no memory. `match` NULL: everything. `select`: a
 * bucket is chosen by a hash of the headers. */
struct shape *relevance_add(struct relevance *r, const struct match *match, const struct action_list *actions,
                            bool select);
/* When no worker can see the rule any more. */
void relevance_remove(struct relevance *r, struct shape *s);
/* Before a version is published: makes the mask at least as wide as needed. 0 or -ENOMEM. */
int relevance_widen(struct relevance *r);
/* Makes it as narrow as possible if something was removed. */
void relevance_narrow(struct relevance *r);

static inline const struct relevance_mask *relevance_find(const struct relevance *r)
{
	return rcu_read(r->current);
}

#endif
