/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bits of a packet can matter to the tables: the mask that the cache ANDs keys with.
 *
 * Design: tenants share tables, so the question is asked for each ingress: a port, or a port and a tun_id.
 * From there constants are followed through the tables: what in_port and tun_id select sets metadata and
 * registers, those select in the next table, and so on. What all shapes (shape.h) on the way match and read
 * of the packet is the mask, one per class of packet (IPv4, IPv6, ARP, other). Priorities are not looked at,
 * values that depend on the packet are taken as unknown, and what gets too large falls back to the union over
 * everything: the mask may be wider than needed, never narrower. A port that no rule names shares the mask of
 * the "other" port.
 *
 * An ingress remembers which tables it meets in which state; a new shape is compared with that, and only the
 * masks it concerns are made again. The 100,000th rule of a known shape changes nothing. A mask has an epoch,
 * unique over time, which is part of the cached key: an entry made under a narrower mask never matches again.
 *
 * A mask is widened before the version that needs it is published; it is narrowed only after every worker has
 * passed the version that no longer needs it.
 *
 * Thread-safety: relevance_find: workers, under RCU. The rest: control thread.
 *
 * Life cycle: relevance_init -> shapes added (then widen, before the version is published) and removed (then
 * narrow, when every worker has passed it) -> relevance_exit. A mask that is replaced is freed after a grace
 * period.
 */
#ifndef FLOWS_DP_RELEVANCE_H
#define FLOWS_DP_RELEVANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/dp/rcu.h"
#include "flows/dp/mkey.h"
#include "flows/dp/shape.h"

struct action_list;
struct match;

struct relevance_mask { /* immutable once published */
	struct mkey mask[MKEY_CLASSES];
	struct lengths lengths;
	uint64_t epoch;
};

struct ingress;

struct ingress_map {   /* tunnel ports: immutable but for the masks inside the ingresses */
	uint64_t mask; /* slots - 1 */
	struct ingress *slots[];
};

struct ingress {
	/* worker: ro */
	uint64_t key;                   /* port << 32 | tun_id */
	struct relevance_mask *current; /* RCU */
	/* control */
	struct ingress *next;
	uint32_t users; /* shapes that name the port, and 1 for a tunnel port's */
	bool dirty, everything;
	unsigned nvisited;
	struct visited {
		uint32_t table;
		struct pstate value, known;
	} * visited;
};

enum { SHAPE_HEADS = 4096, RELEVANCE_TABLES = 256, RELEVANCE_SHAPES_MAX = 4096, INGRESS_PORTS = 65536 };

struct relevance {
	/* worker: ro */
	struct ingress *ports[INGRESS_PORTS]; /* RCU; NULL: other */
	struct ingress *other, *all;          /* `all`: the union over all shapes */
	struct ingress_map *tunnels;          /* RCU */
	uint32_t lengths;                     /* shapes that ask how long packets are */
	/* control */
	struct shape *shapes[SHAPE_HEADS];
	struct shape *tables[RELEVANCE_TABLES];
	uint32_t table_shapes[RELEVANCE_TABLES];
	struct ingress *list; /* all but `other` and `all` */
	uint64_t epoch;
	struct tunnel_id *tunnel_ids; /* those that some shape names */
	uint64_t tunnel_ports[INGRESS_PORTS / 64];
	bool wider;    /* a shape is new: masks may lack something */
	bool narrower; /* a shape is gone: masks may be wider than needed */
};

int relevance_init(struct relevance *r);
void relevance_exit(struct relevance *r);

/* The shape of a rule of `table`, or of a bucket (`match` NULL), with one more user; NULL: no memory.
 * `select`: the bucket is chosen by a hash of the headers. */
struct shape *relevance_add(struct relevance *r, uint32_t table, const struct match *match,
                            const struct action_list *actions, bool select);
/* When no worker can see the rule any more. */
void relevance_remove(struct relevance *r, struct shape *s);
/* Before a version is published: makes masks at least as wide as needed. 0 or -ENOMEM. */
int relevance_widen(struct relevance *r);
/* Makes them as narrow as possible if something was removed. */
void relevance_narrow(struct relevance *r);
void relevance_set_tunnel(struct relevance *r, uint16_t port, bool tunnel);

static inline const struct relevance_mask *relevance_find(const struct relevance *r, uint16_t port,
                                                          uint32_t tun_id)
{
	const struct ingress *in;
	uint64_t key = (uint64_t)port << 32 | tun_id;
	const struct ingress_map *map;

	if (!tun_id) {
		in = rcu_read(r->ports[port]);
		return rcu_read((in ? in : r->other)->current);
	}
	map = rcu_read(r->tunnels);
	for (uint64_t i = hash_mix(key) & map->mask; (in = rcu_read(map->slots[i])); i = (i + 1) & map->mask)
		if (in->key == key)
			return rcu_read(in->current);
	return rcu_read(r->all->current);
}

#endif
