/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC table; see fdb.h. Workers look up and refresh, the control thread learns and ages. */
#include "flows/dp/fdb.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/dp/rcu.h"

enum { FDB_WAYS = 4, FDB_STATIC = 1, FDB_PORTS = 65536 };

/* Key and port are one word each, so that a worker never sees half of a change: a way is emptied (key 0)
 * before it is used for another key, and a move stores the port alone. */
struct fdb_way {
	uint64_t key; /* present bit, VLAN, MAC */
	uint32_t port;
	uint32_t flags;
};

struct fdb_bucket {
	struct fdb_way ways[FDB_WAYS];
} __attribute__((aligned(64)));
static_assert(sizeof(struct fdb_bucket) == 64, "one probe, one cache line");

struct fdb {
	/* worker: ro, but for `used`, where any worker stores the time it saw the address */
	struct fdb_bucket *buckets;
	uint64_t *used; /* [bucket * FDB_WAYS + way], ns */
	uint64_t mask, seed;
	/* control */
	struct fdb_config config;
	struct fdb_stats stats;
	uint32_t *per_port; /* [OpenFlow port, 16 bits] */
};

static inline uint64_t key_of(uint16_t vlan, struct mac mac)
{
	uint64_t key = 0;

	memcpy(&key, mac.b, 6);
	return 1ull << 63 | (uint64_t)(vlan & 0xfff) << 48 | key;
}

/* The way of `key`, in one of two buckets; NULL: not there. */
static struct fdb_way *find(const struct fdb *f, uint64_t key, uint64_t *index)
{
	uint64_t hash = hash_words(&key, 1, f->seed);

	for (unsigned half = 0; half < 2; half++, hash >>= 32) {
		uint64_t b = hash & f->mask;

		for (unsigned w = 0; w < FDB_WAYS; w++)
			if (rcu_read(f->buckets[b].ways[w].key) == key) {
				*index = b * FDB_WAYS + w;
				return &f->buckets[b].ways[w];
			}
	}
	return NULL;
}

struct fdb *fdb_create(const struct fdb_config *config)
{
	struct fdb *f = calloc(1, sizeof(*f));
	uint64_t buckets = 16;

	if (!f)
		return NULL;
	if (config)
		f->config = *config;
	if (!f->config.capacity)
		f->config.capacity = FDB_CAPACITY_DEFAULT;
	if (!f->config.port_max)
		f->config.port_max = (f->config.capacity + 1) / 2;
	if (!f->config.age_seconds)
		f->config.age_seconds = FDB_AGE_DEFAULT_S;
	/* Four times the ways that are needed: with two buckets to choose from, there is always a place. */
	while (buckets * FDB_WAYS < 4ull * f->config.capacity)
		buckets *= 2;
	f->mask = buckets - 1;
	f->seed = hash_random_seed();
	f->stats.capacity = f->config.capacity;
	f->buckets = aligned_alloc(64, buckets * sizeof(*f->buckets));
	f->used = calloc(buckets * FDB_WAYS, sizeof(*f->used));
	f->per_port = calloc(FDB_PORTS, sizeof(*f->per_port));
	if (!f->buckets || !f->used || !f->per_port) {
		fdb_destroy(f);
		return NULL;
	}
	memset(f->buckets, 0, buckets * sizeof(*f->buckets));
	return f;
}

void fdb_destroy(struct fdb *f)
{
	if (!f)
		return;
	free(f->buckets);
	free(f->used);
	free(f->per_port);
	free(f);
}

/* A reader that meets a way while it changes hands may take the new port for the old key: the key is checked
 * again. */
uint32_t fdb_lookup(const struct fdb *f, uint16_t vlan, struct mac mac)
{
	uint64_t key = key_of(vlan, mac), index;
	const struct fdb_way *w = find(f, key, &index);
	uint32_t port;

	if (!w)
		return FDB_NONE;
	port = rcu_read(w->port);
	return rcu_read(w->key) == key ? port : FDB_NONE;
}

bool fdb_see(struct fdb *f, uint16_t vlan, struct mac mac, uint32_t port, uint64_t now)
{
	uint64_t index;
	struct fdb_way *w;

	if (mac_is_multicast(mac))
		return false;
	w = find(f, key_of(vlan, mac), &index);
	if (!w)
		return true;
	if (w->flags & FDB_STATIC)
		return false;
	if (rcu_read(w->port) != port)
		return true;
	if (now - __atomic_load_n(&f->used[index], __ATOMIC_RELAXED) > CLOCK_SECOND)
		__atomic_store_n(&f->used[index], now, __ATOMIC_RELAXED);
	return false;
}

/* ---- control ---- */

static uint32_t *count_of(struct fdb *f, uint32_t port)
{
	return &f->per_port[(uint16_t)port];
}

static void forget(struct fdb *f, struct fdb_way *w)
{
	rcu_assign(w->key, 0);
	--*count_of(f, w->port);
	f->stats.entries--;
}

static unsigned count_free(const struct fdb_bucket *b)
{
	unsigned n = 0;

	for (unsigned w = 0; w < FDB_WAYS; w++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): find()'s NULL is not b's */
		n += !b->ways[w].key;
	return n;
}

/* In the emptier of the two buckets. */
static struct fdb_way *free_way(struct fdb *f, uint64_t key, uint64_t *index)
{
	uint64_t hash = hash_words(&key, 1, f->seed), a = hash & f->mask, b = hash >> 32 & f->mask;

	if (count_free(&f->buckets[b]) > count_free(&f->buckets[a]))
		a = b;
	for (unsigned w = 0; w < FDB_WAYS; w++)
		if (!f->buckets[a].ways[w].key) {
			*index = a * FDB_WAYS + w;
			return &f->buckets[a].ways[w];
		}
	return NULL;
}

static int refuse(struct fdb *f)
{
	f->stats.refused++;
	return -ENOSPC;
}

static int put_new(struct fdb *f, uint64_t key, uint32_t port, uint32_t flags, uint64_t now)
{
	struct fdb_way *w;
	uint64_t index;

	if (f->stats.entries >= f->config.capacity)
		return refuse(f);
	if (!(flags & FDB_STATIC) && *count_of(f, port) >= f->config.port_max)
		return refuse(f);
	w = free_way(f, key, &index);
	if (!w)
		return refuse(f);
	rcu_assign(w->port, port);
	w->flags = flags;
	__atomic_store_n(&f->used[index], now, __ATOMIC_RELAXED);
	rcu_assign(w->key, key);
	++*count_of(f, port);
	f->stats.entries++;
	f->stats.learned++;
	return 0;
}

static int put(struct fdb *f, uint16_t vlan, struct mac mac, uint32_t port, uint32_t flags, uint64_t now)
{
	uint64_t key = key_of(vlan, mac), index;
	struct fdb_way *w;

	if (mac_is_multicast(mac))
		return -EINVAL;
	w = find(f, key, &index);
	if (!w)
		return put_new(f, key, port, flags, now);
	if (w->flags & FDB_STATIC && !(flags & FDB_STATIC))
		return -EPERM;
	if (w->port != port) {
		if (!(flags & FDB_STATIC) && *count_of(f, port) >= f->config.port_max)
			return refuse(f);
		--*count_of(f, w->port);
		++*count_of(f, port);
		rcu_assign(w->port, port);
		f->stats.moved++;
	}
	w->flags = flags;
	__atomic_store_n(&f->used[index], now, __ATOMIC_RELAXED);
	return 0;
}

int fdb_learn(struct fdb *f, uint16_t vlan, struct mac mac, uint32_t port, uint64_t now)
{
	return put(f, vlan, mac, port, 0, now);
}

int fdb_add_static(struct fdb *f, uint16_t vlan, struct mac mac, uint32_t port)
{
	return put(f, vlan, mac, port, FDB_STATIC, 0);
}

unsigned fdb_expire(struct fdb *f, uint64_t now)
{
	uint64_t age = f->config.age_seconds * CLOCK_SECOND;
	unsigned n = 0;

	for (uint64_t i = 0; i < (f->mask + 1) * FDB_WAYS; i++) {
		struct fdb_way *w = &f->buckets[i / FDB_WAYS].ways[i % FDB_WAYS];
		uint64_t used = __atomic_load_n(&f->used[i], __ATOMIC_RELAXED);

		if (!w->key || w->flags & FDB_STATIC || now < used + age)
			continue;
		forget(f, w);
		n++;
	}
	f->stats.expired += n;
	return n;
}

unsigned fdb_flush(struct fdb *f, uint32_t port)
{
	unsigned n = 0;

	for (uint64_t i = 0; i < (f->mask + 1) * FDB_WAYS; i++) {
		struct fdb_way *w = &f->buckets[i / FDB_WAYS].ways[i % FDB_WAYS];

		if (!w->key || w->flags & FDB_STATIC || (port != FDB_NONE && w->port != port))
			continue;
		forget(f, w);
		n++;
	}
	return n;
}

bool fdb_next(const struct fdb *f, uint32_t *cursor, struct fdb_entry *out)
{
	while (*cursor < (f->mask + 1) * FDB_WAYS) {
		uint32_t i = (*cursor)++;
		const struct fdb_way *w = &f->buckets[i / FDB_WAYS].ways[i % FDB_WAYS];

		if (!w->key)
			continue;
		*out = (struct fdb_entry){
		        .vlan = w->key >> 48 & 0xfff,
		        .is_static = w->flags & FDB_STATIC,
		        .port = w->port,
		        .used = __atomic_load_n(&f->used[i], __ATOMIC_RELAXED),
		};
		memcpy(out->mac.b, &w->key, 6);
		return true;
	}
	return false;
}

void fdb_get_stats(const struct fdb *f, struct fdb_stats *out)
{
	*out = f->stats;
}
