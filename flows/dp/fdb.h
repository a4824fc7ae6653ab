/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MAC table of NORMAL: (vlan, mac) -> port.
 *
 * Design: fixed capacity; two buckets of one cache line (four entries each) to choose from for an address. A
 * port may hold only part of the table, so that a guest that floods source addresses pushes nobody else out;
 * a full pair of buckets or a full table refuses (counted).
 *
 * Thread-safety: fdb_lookup and fdb_see: workers, under RCU. Everything else: the control thread. A worker
 * reports what fdb_see says is news; the control thread learns it.
 *
 * Life cycle: fdb_create -> workers and control use it -> workers stop -> fdb_destroy.
 */
#ifndef FLOWS_DP_FDB_H
#define FLOWS_DP_FDB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum { FDB_CAPACITY_DEFAULT = 8192, FDB_AGE_DEFAULT_S = 300 };
#define FDB_NONE 0xffffffffu

struct fdb;

struct fdb_config {           /* zeros mean the defaults */
	uint32_t capacity;    /* 8192 */
	uint32_t port_max;    /* entries one port may hold; default half of the capacity */
	uint32_t age_seconds; /* 300 */
};

struct fdb_stats {
	uint32_t entries, capacity;
	uint64_t learned, moved, expired, refused;
};

struct fdb_entry {
	struct mac mac;
	uint16_t vlan; /* 0: untagged */
	bool is_static;
	uint32_t port;
	uint64_t used; /* ns */
};

struct fdb *fdb_create(const struct fdb_config *config);
void fdb_destroy(struct fdb *f);

/* Worker. The port, or FDB_NONE. */
uint32_t fdb_lookup(const struct fdb *f, uint16_t vlan, struct mac mac);
/* Worker: a packet from `mac` came in on `port`. True when the control thread should be told (not known, or
 * known on another port). Keeps the entry young otherwise. Multicast sources are never news. */
bool fdb_see(struct fdb *f, uint16_t vlan, struct mac mac, uint32_t port, uint64_t now);

/* 0 learned, refreshed or moved; -ENOSPC full or over the port's bound (counted); -EINVAL multicast; -EPERM:
 * static. */
int fdb_learn(struct fdb *f, uint16_t vlan, struct mac mac, uint32_t port, uint64_t now);
int fdb_add_static(struct fdb *f, uint16_t vlan, struct mac mac, uint32_t port);
/* Forgets what was not seen for the age. Returns how many. */
unsigned fdb_expire(struct fdb *f, uint64_t now);
/* Forgets the learned entries of a port, or of all ports (FDB_NONE). */
unsigned fdb_flush(struct fdb *f, uint32_t port);
/* Walks all entries: *cursor starts at 0. False at the end. */
bool fdb_next(const struct fdb *f, uint32_t *cursor, struct fdb_entry *out);
void fdb_get_stats(const struct fdb *f, struct fdb_stats *out);

#endif
