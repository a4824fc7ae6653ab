/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a hash to connections: buckets of one line, read without a lock. Called for every packet.
 *
 * There are as many buckets as entries need (linear hashing): one commit in three splits one of them, so no
 * commit waits until all have moved. A reader that finds nothing looks whether its bucket has changed
 * meanwhile, or was split, and then reads again.
 */
#include <errno.h>
#include <sys/mman.h>

#include <rte_pause.h>

#include "datapath/ct/state.h"

enum { ZONES = 1 << 16 };

static void *reserve(size_t bytes)
{
	void *p =
	        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static size_t buckets_bytes(const struct conntrack *ct)
{
	return ((size_t)ct->buckets_max + ct->extra_max) * sizeof(struct ct_bucket);
}

int ct_table_init(struct conntrack *ct)
{
	ct->buckets_max = ct->max / CT_LOAD * 2 + CT_FIRST_BUCKETS; /* all may be translated: two entries */
	ct->extra_max = ct->buckets_max / 4 + CT_FIRST_BUCKETS;
	ct->nbuckets = CT_FIRST_BUCKETS;
	ct->buckets = reserve(buckets_bytes(ct));
	ct->conns = reserve((size_t)ct->max * sizeof(struct ct_conn));
	ct->zone_count = reserve(ZONES * sizeof(*ct->zone_count));
	ct->fragments = reserve(CT_FRAGMENT_BUCKETS * sizeof(*ct->fragments));
	if (ct->buckets && ct->conns && ct->zone_count && ct->fragments)
		return 0;
	ct_table_exit(ct);
	return -ENOMEM;
}

void ct_table_exit(struct conntrack *ct)
{
	if (ct->buckets)
		munmap(ct->buckets, buckets_bytes(ct));
	if (ct->conns)
		munmap(ct->conns, (size_t)ct->max * sizeof(struct ct_conn));
	if (ct->zone_count)
		munmap(ct->zone_count, ZONES * sizeof(*ct->zone_count));
	if (ct->fragments)
		munmap(ct->fragments, CT_FRAGMENT_BUCKETS * sizeof(*ct->fragments));
}

static uint32_t index_of(uint32_t hash, uint32_t n)
{
	uint32_t mask = ~0u >> __builtin_clz(n - 1), i = hash & mask; /* n > 1 */

	return i < n ? i : i & (mask >> 1);
}

static uint32_t home_of(const struct conntrack *ct, uint32_t hash)
{
	return index_of(hash, __atomic_load_n(&ct->nbuckets, __ATOMIC_ACQUIRE));
}

struct ct_bucket *ct_table_bucket(const struct conntrack *ct, uint32_t hash)
{
	return &ct->buckets[home_of(ct, hash)];
}

/* Is this locked connection the one? */
static bool is_it(const struct ct_conn *c, const struct ct_key *key, bool *reply)
{
	struct ct_key back;

	if (!c->alive)
		return false;
	*reply = false;
	if (ct_key_equal(&c->orig, key))
		return true;
	*reply = true;
	if (c->nat)
		return ct_key_equal(&c->reply, key);
	back = ct_key_reversed(key);
	return ct_key_equal(&c->orig, &back);
}

/* The entry may be of another connection by now. */
static struct ct_conn *try_entry(struct conntrack *ct, uint64_t entry, const struct ct_key *key, uint64_t now,
                                 bool *reply)
{
	struct ct_conn *c = &ct->conns[(uint32_t)entry - 1];

	rte_spinlock_lock(&c->lock);
	if (is_it(c, key, reply)) {
		if (!ct_is_expired(c, now))
			return c;
		ct_bury(ct, c, CT_EXPIRED);
	} else {
		rte_spinlock_unlock(&c->lock);
	}
	return NULL;
}

static struct ct_conn *search(struct conntrack *ct, const struct ct_bucket *b, const struct ct_key *key,
                              uint32_t hash, uint64_t now, bool *reply)
{
	for (;;) {
		uint32_t more = __atomic_load_n(&b->more, __ATOMIC_RELAXED);

		for (unsigned i = 0; i < CT_WAYS; i++) {
			uint64_t entry = __atomic_load_n(&b->entry[i], __ATOMIC_RELAXED);
			struct ct_conn *c;

			if (entry >> 32 != hash || !(uint32_t)entry)
				continue;
			c = try_entry(ct, entry, key, now, reply);
			if (c)
				return c;
		}
		if (!more)
			return NULL;
		b = &ct->buckets[more];
	}
}

struct ct_conn *ct_table_find(struct conntrack *ct, const struct ct_key *key, uint32_t hash, uint64_t now,
                              bool *reply)
{
	for (;;) {
		uint32_t home = home_of(ct, hash);
		struct ct_bucket *b = &ct->buckets[home];
		uint32_t version = __atomic_load_n(&b->version, __ATOMIC_ACQUIRE);
		struct ct_conn *c = search(ct, b, key, hash, now, reply);

		if (c)
			return c;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(version & 1) && __atomic_load_n(&b->version, __ATOMIC_RELAXED) == version &&
		    home_of(ct, hash) == home)
			return NULL;
		rte_pause();
	}
}

static void lock_bucket(struct ct_bucket *b)
{
	for (;;) {
		uint32_t version = __atomic_load_n(&b->version, __ATOMIC_RELAXED) & ~1u;

		if (__atomic_compare_exchange_n(&b->version, &version, version + 1, false, __ATOMIC_ACQUIRE,
		                                __ATOMIC_RELAXED))
			break;
		rte_pause();
	}
	__atomic_thread_fence(__ATOMIC_RELEASE); /* what follows is not seen with the even version */
}

static void unlock_bucket(struct ct_bucket *b)
{
	__atomic_store_n(&b->version, b->version + 1, __ATOMIC_RELEASE);
}

static struct ct_bucket *lock_home(struct conntrack *ct, uint32_t hash)
{
	for (;;) {
		struct ct_bucket *b = ct_table_bucket(ct, hash);

		lock_bucket(b);
		if (ct_table_bucket(ct, hash) == b)
			return b;
		unlock_bucket(b);
	}
}

/* 0: none left. It is empty. */
static uint32_t take_extra(struct conntrack *ct)
{
	uint32_t i;

	rte_spinlock_lock(&ct->extra_lock);
	i = ct->free_extra;
	if (i)
		ct->free_extra = ct->buckets[i].more;
	else if (ct->extra_used < ct->extra_max)
		i = ct->buckets_max + ct->extra_used++;
	rte_spinlock_unlock(&ct->extra_lock);
	if (i)
		__atomic_store_n(&ct->buckets[i].more, 0, __ATOMIC_RELAXED);
	return i;
}

static void free_extra(struct conntrack *ct, uint32_t i)
{
	rte_spinlock_lock(&ct->extra_lock);
	__atomic_store_n(&ct->buckets[i].more, ct->free_extra, __ATOMIC_RELAXED);
	ct->free_extra = i;
	rte_spinlock_unlock(&ct->extra_lock);
}

/* The first free place of a locked bucket and those behind it; NULL: no room. */
static uint64_t *free_place(struct conntrack *ct, struct ct_bucket *b)
{
	for (;;) {
		for (unsigned i = 0; i < CT_WAYS; i++)
			if (!b->entry[i])
				return &b->entry[i];
		if (!b->more) {
			uint32_t extra = take_extra(ct);

			if (!extra)
				return NULL;
			__atomic_store_n(&b->more, extra, __ATOMIC_RELEASE);
		}
		b = &ct->buckets[b->more];
	}
}

static bool add(struct conntrack *ct, struct ct_bucket *b, uint64_t entry)
{
	uint64_t *place = free_place(ct, b);

	if (place)
		__atomic_store_n(place, entry, __ATOMIC_RELEASE);
	return place;
}

/* The last entry takes the place of this one, so that there are no gaps. */
static void take_out(struct conntrack *ct, struct ct_bucket *b, uint64_t entry)
{
	uint64_t *place = NULL, *last = NULL;
	struct ct_bucket *previous = NULL;

	for (;; previous = b, b = &ct->buckets[b->more]) {
		for (unsigned i = 0; i < CT_WAYS && b->entry[i]; i++) {
			last = &b->entry[i];
			if (*last == entry)
				place = last;
		}
		if (!b->more)
			break;
	}
	if (!place)
		return;
	__atomic_store_n(place, *last, __ATOMIC_RELAXED);
	__atomic_store_n(last, 0, __ATOMIC_RELAXED);
	if (previous && !b->entry[0]) {
		uint32_t empty = previous->more;

		__atomic_store_n(&previous->more, 0, __ATOMIC_RELAXED);
		free_extra(ct, empty);
	}
}

/* Copies what belongs to bucket `n` of `n` + 1 there. False: no room, nothing has moved. */
static bool copy_half(struct conntrack *ct, const struct ct_bucket *from, uint32_t n)
{
	struct ct_bucket *to = &ct->buckets[n];

	for (const struct ct_bucket *b = from;; b = &ct->buckets[b->more]) {
		for (unsigned i = 0; i < CT_WAYS && b->entry[i]; i++)
			if (index_of((uint32_t)(b->entry[i] >> 32), n + 1) == n && !add(ct, to, b->entry[i]))
				return false;
		if (!b->more)
			return true;
	}
}

/* One bucket more, that takes its share from the one that had it. The caller has the grow lock. */
static void split_one(struct conntrack *ct)
{
	uint32_t n = ct->nbuckets;
	struct ct_bucket *from = &ct->buckets[index_of(n, n)], *to = &ct->buckets[n];

	lock_bucket(from);
	lock_bucket(to);
	if (copy_half(ct, from, n)) {
		__atomic_store_n(&ct->nbuckets, n + 1, __ATOMIC_RELEASE);
		for (const struct ct_bucket *b = to;; b = &ct->buckets[b->more]) {
			for (unsigned i = 0; i < CT_WAYS && b->entry[i]; i++)
				take_out(ct, from, b->entry[i]);
			if (!b->more)
				break;
		}
	} else {
		while (to->entry[0])
			take_out(ct, to, to->entry[0]);
	}
	unlock_bucket(to);
	unlock_bucket(from);
}

static void grow(struct conntrack *ct)
{
	uint32_t n = __atomic_load_n(&ct->nbuckets, __ATOMIC_RELAXED);

	if (__atomic_load_n(&ct->entries, __ATOMIC_RELAXED) <= n * CT_LOAD || n == ct->buckets_max ||
	    !rte_spinlock_trylock(&ct->grow_lock))
		return; /* or somebody else splits one */
	if (ct->nbuckets == n)
		split_one(ct);
	rte_spinlock_unlock(&ct->grow_lock);
}

static uint64_t entry_of(const struct conntrack *ct, const struct ct_conn *c, uint32_t hash)
{
	return (uint64_t)hash << 32 | (uint32_t)(c - ct->conns + 1);
}

static bool link_one(struct conntrack *ct, const struct ct_conn *c, uint32_t hash)
{
	struct ct_bucket *b = lock_home(ct, hash);
	bool ok = add(ct, b, entry_of(ct, c, hash));

	unlock_bucket(b);
	if (ok)
		__atomic_add_fetch(&ct->entries, 1, __ATOMIC_RELAXED);
	return ok;
}

static void unlink_one(struct conntrack *ct, const struct ct_conn *c, uint32_t hash)
{
	struct ct_bucket *b = lock_home(ct, hash);

	take_out(ct, b, entry_of(ct, c, hash));
	unlock_bucket(b);
	__atomic_sub_fetch(&ct->entries, 1, __ATOMIC_RELAXED);
}

bool ct_table_link(struct conntrack *ct, struct ct_conn *c)
{
	if (!link_one(ct, c, c->hash))
		return false;
	if (c->reply_hash != c->hash && !link_one(ct, c, c->reply_hash)) {
		unlink_one(ct, c, c->hash);
		return false;
	}
	grow(ct);
	return true;
}

void ct_table_unlink(struct conntrack *ct, const struct ct_conn *c)
{
	unlink_one(ct, c, c->hash);
	if (c->reply_hash != c->hash)
		unlink_one(ct, c, c->reply_hash);
}
