/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of one mask: Bloom filter, hash table, chains by priority. Called by classifier.c. */
#include "flows/dp/subtable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILTER_MIN_LOG = 3, FILTER_BITS_PER_KEY = 16 };

uint64_t subtable_salts[FLOW_KEY_WORDS];

/* Once, before anything is hashed. */
void subtable_salts_init(void)
{
	for (unsigned i = 0; i < FLOW_KEY_WORDS && !subtable_salts[i]; i++)
		subtable_salts[i] = hash_random_seed() | 0x100000001ull;
}

static uint64_t filter_alloc(unsigned log)
{
	size_t bytes = sizeof(uint64_t) << log;
	void *words = aligned_alloc(64, bytes);

	if (!words)
		return 0;
	memset(words, 0, bytes);
	return (uint64_t)(uintptr_t)words | log;
}

static void filter_free(void *filter)
{
	free((void *)((uintptr_t)filter & ~63ull));
}

static struct rule_hash *hash_alloc(uint64_t buckets)
{
	size_t bytes = sizeof(struct rule_hash) + buckets * sizeof(struct rule_bucket);
	struct rule_hash *h = aligned_alloc(64, bytes);

	if (!h)
		return NULL;
	memset(h, 0, bytes);
	h->mask = buckets - 1;
	return h;
}

struct subtable *subtable_create(const struct flow_key *mask)
{
	struct subtable *s = aligned_alloc(64, sizeof(*s));
	uint64_t words[FLOW_KEY_WORDS];

	if (!s)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->wide_mask = *mask;
	s->mask_hash = hash_words((const uint64_t *)mask, FLOW_KEY_WORDS, 0);
	memcpy(words, mask, sizeof(words));
	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
		if (words[i]) {
			s->word[s->nwords] = (uint8_t)i;
			s->mask[s->nwords++] = words[i];
		}
	s->filter = filter_alloc(FILTER_MIN_LOG);
	s->hash = hash_alloc(1);
	if (s->filter && s->hash)
		return s;
	subtable_free(s);
	return NULL;
}

void subtable_free(void *subtable)
{
	struct subtable *s = subtable;

	if (s->filter)
		filter_free((void *)(uintptr_t)s->filter);
	free(s->hash);
	free(s->priorities);
	free(s);
}

/* ---- hash table ---- */

static uint8_t sig_of(uint64_t hash)
{
	return (uint8_t)(hash >> 56);
}

static struct rule **find_head(const struct rule_hash *h, const struct subtable *s, const uint64_t *words,
                               uint64_t hash)
{
	for (uint64_t i = hash & h->mask, n = 0; n <= h->mask; n++, i = (i + 1) & h->mask) {
		struct rule_bucket *b = (struct rule_bucket *)&h->buckets[i];

		for (unsigned w = 0; w < BUCKET_WAYS; w++) {
			struct rule *r = b->heads[w];

			if (r && b->sig[w] == sig_of(hash) && r->hash == hash &&
			    !memcmp(r->words, words, s->nwords * sizeof(*words)))
				return &b->heads[w];
		}
		if (!b->overflowed)
			break;
	}
	return NULL;
}

static void hash_put(struct rule_hash *h, struct rule *r)
{
	for (uint64_t i = r->hash & h->mask;; i = (i + 1) & h->mask) {
		struct rule_bucket *b = &h->buckets[i];

		for (unsigned w = 0; w < BUCKET_WAYS; w++) {
			if (b->heads[w])
				continue;
			__atomic_store_n(&b->sig[w], sig_of(r->hash), __ATOMIC_RELAXED);
			rcu_assign(b->heads[w], r);
			return;
		}
		h->overflowed += !b->overflowed;
		__atomic_store_n(&b->overflowed, 1, __ATOMIC_RELEASE);
	}
}

/* Three quarters full, or so many marks left by rules that are gone that probes get long. */
static bool hash_full(const struct subtable *s)
{
	uint64_t buckets = s->hash->mask + 1;

	return (s->nheads + 1) * 4ull > buckets * BUCKET_WAYS * 3 || s->hash->overflowed * 2 > buckets;
}

static int hash_renew(struct subtable *s)
{
	struct rule_hash *old = s->hash, *h;
	uint64_t buckets = 1;

	while (buckets * BUCKET_WAYS < (s->nheads + 1) * 2ull)
		buckets *= 2;
	h = hash_alloc(buckets);
	if (!h)
		return -ENOMEM;
	for (uint64_t i = 0; i <= old->mask; i++)
		for (unsigned w = 0; w < BUCKET_WAYS; w++)
			if (old->buckets[i].heads[w])
				hash_put(h, old->buckets[i].heads[w]);
	rcu_assign(s->hash, h);
	rcu_defer(free, old);
	return 0;
}

/* ---- filter ---- */

static void filter_add(uint64_t filter, uint64_t hash)
{
	uint64_t *w = filter_word(filter, hash);

	__atomic_store_n(w, *w | filter_bits(hash), __ATOMIC_RELAXED);
}

/* A new filter with room for twice the keys there are. */
static int filter_renew(struct subtable *s)
{
	unsigned log = FILTER_MIN_LOG;
	uint64_t filter, old = s->filter;

	while (64ull << log < 2ull * FILTER_BITS_PER_KEY * (s->nheads + 1))
		log++;
	filter = filter_alloc(log);
	if (!filter)
		return -ENOMEM;
	for (uint64_t i = 0; i <= s->hash->mask; i++)
		for (unsigned w = 0; w < BUCKET_WAYS; w++)
			if (s->hash->buckets[i].heads[w])
				filter_add(filter, s->hash->buckets[i].heads[w]->hash);
	s->filtered = s->nheads;
	rcu_assign(s->filter, filter);
	if (s->filter_place)
		rcu_assign(*s->filter_place, filter);
	rcu_defer(filter_free, (void *)(uintptr_t)old);
	return 0;
}

static bool filter_full(const struct subtable *s)
{
	return 64ull << (s->filter & 63) < (uint64_t)FILTER_BITS_PER_KEY * (s->filtered + 1);
}

/* ---- priorities ---- */

static uint32_t priority_place(const struct subtable *s, uint16_t priority)
{
	uint32_t lo = 0, hi = s->npriorities;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (s->priorities[mid].priority > priority)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int priority_add(struct subtable *s, uint16_t priority)
{
	uint32_t i = priority_place(s, priority);

	if (i < s->npriorities && s->priorities[i].priority == priority) {
		s->priorities[i].rules++;
		return 0;
	}
	if (s->npriorities == s->priorities_capacity) {
		uint32_t capacity = s->priorities_capacity ? s->priorities_capacity * 2 : 4;
		struct priority_count *p = realloc(s->priorities, capacity * sizeof(*p));

		if (!p)
			return -ENOMEM;
		s->priorities = p;
		s->priorities_capacity = capacity;
	}
	memmove(&s->priorities[i + 1], &s->priorities[i], (s->npriorities - i) * sizeof(*s->priorities));
	s->priorities[i] = (struct priority_count){.priority = priority, .rules = 1};
	s->npriorities++;
	return 0;
}

static void priority_remove(struct subtable *s, uint16_t priority)
{
	uint32_t i = priority_place(s, priority);

	if (--s->priorities[i].rules)
		return;
	s->npriorities--;
	memmove(&s->priorities[i], &s->priorities[i + 1], (s->npriorities - i) * sizeof(*s->priorities));
}

uint32_t subtable_max_priority(const struct subtable *s)
{
	return s->npriorities ? s->priorities[0].priority : 0;
}

/* ---- rules ---- */

struct rule *subtable_find(const struct subtable *s, const uint64_t *words, uint64_t hash)
{
	struct rule **head = find_head(s->hash, s, words, hash);

	return head ? *head : NULL;
}

/* Newer versions of a rule stand in front of older ones of the same priority. */
static void chain_insert(struct rule **link, struct rule *r)
{
	while (*link && (*link)->priority > r->priority)
		link = &(*link)->next;
	r->next = *link;
	rcu_assign(*link, r);
}

int subtable_insert(struct subtable *s, struct rule *r)
{
	struct rule **head = find_head(s->hash, s, r->words, r->hash);
	int err;

	if (!head && hash_full(s)) {
		err = hash_renew(s);
		if (err)
			return err;
	}
	if (!head && filter_full(s)) {
		err = filter_renew(s);
		if (err)
			return err;
	}
	err = priority_add(s, r->priority);
	if (err)
		return err;
	s->nrules++;
	if (head) {
		chain_insert(head, r);
		return 0;
	}
	r->next = NULL;
	hash_put(s->hash, r);
	filter_add(s->filter, r->hash);
	s->filtered++;
	s->nheads++;
	return 0;
}

void subtable_remove(struct subtable *s, struct rule *r)
{
	struct rule **head = find_head(s->hash, s, r->words, r->hash), **link = head;

	while (*link != r)
		link = &(*link)->next;
	rcu_assign(*link, r->next);
	s->nrules--;
	priority_remove(s, r->priority);
	if (*head)
		return;
	s->nheads--;
	/* A filter that mostly knows what is gone lets too much pass. Without memory it stays as it is. */
	if (s->filtered > 64 && s->nheads < s->filtered / 2)
		filter_renew(s);
}
