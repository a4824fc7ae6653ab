/* SPDX-License-Identifier: Apache-2.0 */
/* Tuple search over subtables in order of priority; see classifier.h. Workers call classifier_lookup. */
#include "flows/dp/classifier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "flows/dp/conjunction.h"
#include "flows/dp/subtable.h"
#include "flows/match.h"

enum {
	LANES = 8,
	FEW_SUBTABLES = 3, /* up to here one after the other is faster than eight at once */
};

typedef uint64_t lanes __attribute__((vector_size(LANES * 8)));

static const lanes lanes_one = {1, 1, 1, 1, 1, 1, 1, 1};

struct subtable_group { /* eight subtables side by side */
	struct subtable *subtable[LANES];
	uint32_t max_priority[LANES]; /* falling */
	uint32_t n, nwords;
	uint64_t salts_product; /* what the salts alone add up to */
	uint8_t word[FLOW_KEY_WORDS];
	lanes mask[FLOW_KEY_WORDS]; /* [i]: of word[i] of the key */
	uint64_t salt[FLOW_KEY_WORDS];
	uint64_t filter[LANES]; /* copies; follow subtable->filter */
} __attribute__((aligned(64)));

struct subtable_order {
	struct subtable *subtable;
	uint32_t max_priority;
};

struct subtable_list { /* but for the filters, immutable once published */
	uint32_t n, ngroups;
	struct subtable_order *orders; /* control */
	struct subtable_group groups[];
};

static inline lanes lanes_half_product(lanes x)
{
#ifdef __AVX512F__
	return (lanes)_mm512_mul_epu32((__m512i)x, (__m512i)(x >> 32));
#else
	return (x & 0xffffffff) * (x >> 32);
#endif
}

/* ---- lookup ---- */

static bool words_match(const struct subtable *s, const struct rule *r, const uint64_t *key)
{
	uint64_t diff = 0;

	for (uint32_t i = 0; i < s->nwords; i++)
		diff |= (key[s->word[i]] & s->mask[i]) ^ r->words[i];
	return !diff;
}

static const struct rule *chain_visible(const struct rule *r, uint64_t version)
{
	while (r && !rule_visible(r, version))
		r = rcu_read(r->next);
	return r;
}

/* The rules whose words `key` has. */
static const struct rule *subtable_chain(const struct subtable *s, const uint64_t *key, uint64_t hash)
{
	const struct rule_hash *h = rcu_read(s->hash);
	uint8_t sig = (uint8_t)(hash >> 56);

	for (uint64_t i = hash & h->mask, n = 0; n <= h->mask; n++, i = (i + 1) & h->mask) {
		const struct rule_bucket *b = &h->buckets[i];

		for (unsigned w = 0; w < BUCKET_WAYS; w++) {
			const struct rule *r;

			if (b->sig[w] != sig)
				continue;
			r = rcu_read(b->heads[w]);
			if (r && words_match(s, r, key))
				return r;
		}
		if (!rcu_read(b->overflowed))
			break;
	}
	return NULL;
}

/* In a hash table of one bucket: without a hash. */
static const struct rule *bucket_chain(const struct subtable *s, const struct rule_bucket *b,
                                       const uint64_t *key)
{
	for (unsigned w = 0; w < BUCKET_WAYS; w++) {
		const struct rule *r = rcu_read(b->heads[w]);

		if (r && words_match(s, r, key))
			return r;
	}
	return NULL;
}

static const struct rule *subtable_search(const struct subtable *s, const uint64_t *key)
{
	const struct rule_hash *h = rcu_read(s->hash);
	uint64_t hash;

	if (!h->mask)
		return bucket_chain(s, &h->buckets[0], key);
	hash = subtable_hash(s, key);
	if (filter_bits(hash) & ~*filter_word(rcu_read(s->filter), hash))
		return NULL;
	return subtable_chain(s, key, hash);
}

/* Which of the group's masks may have a rule for this key: bits. The hashes go to `hashes`. */
static inline unsigned group_candidates(const struct subtable_group *g, const uint64_t *key, lanes *hashes)
{
	lanes h = {0}, bits, index, words;
	unsigned found = 0;

	for (uint32_t i = 0; i < g->nwords; i++)
		h += lanes_half_product((g->mask[i] & key[g->word[i]]) ^ g->salt[i]);
	h -= g->salts_product;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ull;
	h ^= h >> 29;
	*hashes = h;
	bits = (lanes_one << (h & 63)) | (lanes_one << (h >> 6 & 63)) | (lanes_one << (h >> 12 & 63));
	index = h >> 32;
	for (unsigned l = 0; l < LANES; l++) {
		uint64_t filter = rcu_read(g->filter[l]);
		const uint64_t *base = (const uint64_t *)(uintptr_t)(filter & ~63ull);

		words[l] = base[index[l] & ((1ull << (filter & 63)) - 1)];
	}
	words = ~words & bits;
	for (unsigned l = 0; l < LANES; l++)
		found |= (unsigned)!words[l] << l;
	return found;
}

/* The better of `best` and the first rule of a chain that is visible. */
static inline const struct rule *better(const struct rule *best, const struct rule *chain, uint64_t version,
                                        struct soft_matches *soft)
{
	const struct rule *r = chain_visible(chain, version);

	if (!r || (best && r->priority <= best->priority))
		return best;
	if (!r->soft)
		return r;
	if (soft)
		soft_add(soft, r);
	return best;
}

static inline const struct rule *few_lookup(const struct subtable_group *g, const uint64_t *key,
                                            uint64_t version, const struct rule *best,
                                            struct soft_matches *soft)
{
	for (unsigned l = 0; l < g->n && !(best && g->max_priority[l] <= best->priority); l++)
		best = better(best, subtable_search(g->subtable[l], key), version, soft);
	return best;
}

static const struct rule *group_lookup(const struct subtable_group *g, const uint64_t *key, uint64_t version,
                                       const struct rule *best, struct soft_matches *soft)
{
	lanes hashes;
	unsigned found = group_candidates(g, key, &hashes);

	for (; found; found &= found - 1) {
		unsigned l = (unsigned)__builtin_ctz(found);

		if (best && g->max_priority[l] <= best->priority)
			break;
		best = better(best, subtable_chain(g->subtable[l], key, hashes[l]), version, soft);
	}
	return best;
}

const struct rule *classifier_search(const struct classifier *c, const struct flow_key *wide,
                                     uint64_t version, struct soft_matches *soft)
{
	const struct subtable_list *list = rcu_read(c->list);
	const uint64_t *key = (const uint64_t *)wide;
	const struct rule *best = NULL;

	for (uint32_t i = 0; i < list->ngroups; i++) {
		const struct subtable_group *g = &list->groups[i];

		if (best && g->max_priority[0] <= best->priority)
			break;
		best = g->n <= FEW_SUBTABLES ? few_lookup(g, key, version, best, soft)
		                             : group_lookup(g, key, version, best, soft);
	}
	return best;
}

const struct rule *classifier_lookup(const struct classifier *c, struct flow_key *key, uint64_t version,
                                     bool *over)
{
	if (rcu_read(c->soft_rules))
		return conjunction_lookup(c, key, version, over);
	return classifier_search(c, key, version, NULL);
}

const struct rule *classifier_find_visible(const struct classifier *c, const struct match *m,
                                           uint16_t priority, uint64_t version)
{
	const struct subtable_list *list = rcu_read(c->list);
	const uint64_t *key = (const uint64_t *)&m->key;

	for (uint32_t i = 0; i < list->n; i++) {
		const struct subtable *s = list->groups[i / LANES].subtable[i % LANES];
		const struct rule *r;

		if (memcmp(&s->wide_mask, &m->mask, sizeof(m->mask)))
			continue;
		r = subtable_chain(s, key, subtable_hash(s, key));
		while (r && (r->priority != priority || !rule_visible(r, version)))
			r = rcu_read(r->next);
		return r;
	}
	return NULL;
}

/* ---- the list of subtables ---- */

/* An empty filter: lanes that are not used never match. */
static const uint64_t no_filter[8] __attribute__((aligned(64)));

static struct subtable_list *list_alloc(uint32_t n)
{
	uint32_t ngroups = (n + LANES - 1) / LANES;
	struct subtable_list *l =
	        aligned_alloc(64, (sizeof(*l) + ngroups * sizeof(l->groups[0]) + 63) / 64 * 64);

	if (!l)
		return NULL;
	l->orders = malloc((n + 1) * sizeof(*l->orders));
	if (!l->orders) {
		free(l);
		return NULL;
	}
	l->n = n;
	return l;
}

static void list_free(void *list)
{
	struct subtable_list *l = list;

	free(l->orders);
	free(l);
}

static void group_build(struct subtable_group *g, const struct subtable_order *orders, unsigned n)
{
	g->n = n;
	g->nwords = 0;
	g->salts_product = 0;
	for (unsigned l = 0; l < LANES; l++) {
		struct subtable *s = l < n ? orders[l].subtable : NULL;

		g->subtable[l] = s;
		g->max_priority[l] = s ? orders[l].max_priority : 0;
		g->filter[l] = s ? s->filter : (uint64_t)(uintptr_t)no_filter;
	}
	for (unsigned w = 0; w < FLOW_KEY_WORDS; w++) {
		lanes mask = {0};
		uint64_t any = 0;

		for (unsigned l = 0; l < n; l++) {
			mask[l] = ((const uint64_t *)&orders[l].subtable->wide_mask)[w];
			any |= mask[l];
		}
		if (!any)
			continue;
		g->word[g->nwords] = (uint8_t)w;
		g->salt[g->nwords] = subtable_salts[w];
		g->mask[g->nwords++] = mask;
		g->salts_product += half_product(subtable_salts[w]);
	}
}

/* Makes the groups from l->orders and publishes the list. */
static void list_publish(struct classifier *c, struct subtable_list *l)
{
	struct subtable_list *old = c->list;

	l->ngroups = (l->n + LANES - 1) / LANES;
	for (uint32_t i = 0; i < l->ngroups; i++) {
		unsigned n = l->n - i * LANES < LANES ? l->n - i * LANES : LANES;

		group_build(&l->groups[i], &l->orders[i * LANES], n);
		for (unsigned lane = 0; lane < n; lane++)
			l->orders[i * LANES + lane].subtable->filter_place = &l->groups[i].filter[lane];
	}
	rcu_assign(c->list, l);
	if (old)
		rcu_defer(list_free, old);
}

/* A copy of the list with `s` at the place its `priority` asks for; `s` may be in it already. */
static int list_place(struct classifier *c, struct subtable *s, uint32_t priority)
{
	struct subtable_list *old = c->list, *l = list_alloc(old->n + 1);
	bool placed = false;
	uint32_t n = 0;

	if (!l)
		return -ENOMEM;
	for (uint32_t i = 0; i < old->n; i++) {
		if (old->orders[i].subtable == s)
			continue;
		if (!placed && old->orders[i].max_priority <= priority) {
			l->orders[n++] = (struct subtable_order){s, priority};
			placed = true;
		}
		l->orders[n++] = old->orders[i];
	}
	if (!placed)
		l->orders[n++] = (struct subtable_order){s, priority};
	l->n = n;
	list_publish(c, l);
	return 0;
}

static int list_drop(struct classifier *c, struct subtable *s)
{
	struct subtable_list *old = c->list, *l = list_alloc(old->n);
	uint32_t n = 0;

	if (!l)
		return -ENOMEM;
	for (uint32_t i = 0; i < old->n; i++)
		if (old->orders[i].subtable != s)
			l->orders[n++] = old->orders[i];
	l->n = n;
	list_publish(c, l);
	return 0;
}

static struct subtable_order *list_find(const struct classifier *c, const struct flow_key *mask)
{
	uint64_t hash = hash_words((const uint64_t *)mask, FLOW_KEY_WORDS, 0);

	for (uint32_t i = 0; i < c->list->n; i++) {
		const struct subtable *s = c->list->orders[i].subtable;

		if (s->mask_hash == hash && !memcmp(&s->wide_mask, mask, sizeof(*mask)))
			return &c->list->orders[i];
	}
	return NULL;
}

/* Of a subtable that is in the list. */
static uint32_t list_priority(const struct classifier *c, const struct subtable *s)
{
	const struct subtable_group *g;
	size_t offset = (size_t)((const char *)s->filter_place - (const char *)c->list->groups);

	g = &c->list->groups[offset / sizeof(*g)];
	return g->max_priority[s->filter_place - g->filter];
}

uint32_t classifier_masks(const struct classifier *c)
{
	return c->list->n;
}

int classifier_init(struct classifier *c, uint32_t max_masks)
{
	struct subtable_list *l = list_alloc(0);

	if (!l)
		return -ENOMEM;
	subtable_salts_init();
	c->max_masks = max_masks;
	c->soft_rules = 0;
	c->list = NULL;
	list_publish(c, l);
	return 0;
}

void classifier_exit(struct classifier *c)
{
	if (!c->list)
		return;
	for (uint32_t i = 0; i < c->list->n; i++)
		subtable_free(c->list->orders[i].subtable);
	list_free(c->list);
}

/* ---- changes ---- */

struct subtable *classifier_subtable(struct classifier *c, const struct flow_key *mask, bool *full)
{
	struct subtable_order *o = list_find(c, mask);
	struct subtable *s;

	*full = false;
	if (o)
		return o->subtable;
	if (c->list->n >= c->max_masks) {
		*full = true;
		return NULL;
	}
	s = subtable_create(mask);
	if (!s)
		return NULL;
	if (!list_place(c, s, 0))
		return s;
	subtable_free(s);
	return NULL;
}

unsigned subtable_words(const struct subtable *s)
{
	return s->nwords;
}

const struct flow_key *subtable_mask(const struct subtable *s)
{
	return &s->wide_mask;
}

void subtable_fill(const struct subtable *s, const struct flow_key *key, struct rule *r)
{
	const uint64_t *words = (const uint64_t *)key;

	for (uint32_t i = 0; i < s->nwords; i++)
		r->words[i] = words[s->word[i]] & s->mask[i];
	r->hash = subtable_hash(s, words);
}

void subtable_match(const struct subtable *s, const struct rule *r, struct match *out)
{
	uint64_t *words = (uint64_t *)&out->key;

	memset(&out->key, 0, sizeof(out->key));
	out->mask = s->wide_mask;
	for (uint32_t i = 0; i < s->nwords; i++)
		words[s->word[i]] = r->words[i];
}

struct rule *classifier_find(const struct classifier *c, const struct match *m)
{
	const struct subtable_order *o = list_find(c, &m->mask);
	uint64_t words[FLOW_KEY_WORDS];
	const uint64_t *key = (const uint64_t *)&m->key;

	if (!o)
		return NULL;
	for (uint32_t i = 0; i < o->subtable->nwords; i++)
		words[i] = key[o->subtable->word[i]] & o->subtable->mask[i];
	return subtable_find(o->subtable, words, subtable_hash(o->subtable, key));
}

int classifier_insert(struct classifier *c, struct rule *r)
{
	struct subtable *s = r->subtable;

	/* The higher place is published before the rule can be seen. */
	if (r->priority > list_priority(c, s) && list_place(c, s, r->priority))
		return -ENOMEM;
	if (subtable_insert(s, r))
		return -ENOMEM;
	/* Before the version that sees it. */
	if (r->soft)
		rcu_assign(c->soft_rules, c->soft_rules + 1);
	return 0;
}

void classifier_tidy(struct classifier *c, struct subtable *s)
{
	if (!s->nrules && !list_drop(c, s))
		rcu_defer(subtable_free, s);
}

void classifier_remove(struct classifier *c, struct rule *r)
{
	struct subtable *s = r->subtable;

	subtable_remove(s, r);
	if (r->soft)
		rcu_assign(c->soft_rules, c->soft_rules - 1);
	if (!s->nrules)
		classifier_tidy(c, s);
	else if (subtable_max_priority(s) < list_priority(c, s))
		/* Without memory the place stays too high, which costs time only. */
		list_place(c, s, subtable_max_priority(s));
}
