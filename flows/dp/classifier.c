/* SPDX-License-Identifier: Apache-2.0 */
/* Tuple search over subtables in order of priority; see classifier.h. Workers call classifier_lookup. */
#include "flows/dp/classifier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flows/dp/subtable.h"
#include "flows/match.h"

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

static const struct rule *subtable_lookup(const struct subtable *s, const uint64_t *key, uint64_t hash,
                                          uint64_t version)
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
				return chain_visible(r, version);
		}
		if (!rcu_read(b->overflowed))
			break;
	}
	return NULL;
}

const struct rule *classifier_lookup(const struct classifier *c, const struct flow_key *wide,
                                     uint64_t version)
{
	const struct subtable_list *list = rcu_read(c->list);
	const uint64_t *key = (const uint64_t *)wide;
	const struct rule *best = NULL;

	for (uint32_t i = 0; i < list->n; i++) {
		const struct subtable *s = list->items[i].subtable;
		const struct rule *r;
		uint64_t hash, bits, filter;

		if (best && list->items[i].max_priority <= best->priority)
			break;
		hash = subtable_hash(s, key);
		bits = filter_bits(hash);
		filter = rcu_read(s->filter);
		if ((*filter_word(filter, hash) & bits) != bits)
			continue;
		r = subtable_lookup(s, key, hash, version);
		if (r && (!best || r->priority > best->priority))
			best = r;
	}
	return best;
}

/* ---- the list of subtables ---- */

static struct subtable_list *list_alloc(uint32_t n)
{
	struct subtable_list *l = malloc(sizeof(*l) + n * sizeof(l->items[0]));

	if (l)
		l->n = n;
	return l;
}

static void list_publish(struct classifier *c, struct subtable_list *l)
{
	struct subtable_list *old = c->list;

	rcu_assign(c->list, l);
	rcu_defer(free, old);
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
		if (old->items[i].subtable == s)
			continue;
		if (!placed && old->items[i].max_priority <= priority) {
			l->items[n++] = (struct subtable_order){s, priority};
			placed = true;
		}
		l->items[n++] = old->items[i];
	}
	if (!placed)
		l->items[n++] = (struct subtable_order){s, priority};
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
		if (old->items[i].subtable != s)
			l->items[n++] = old->items[i];
	l->n = n;
	list_publish(c, l);
	return 0;
}

static struct subtable_order *list_find(const struct classifier *c, const struct flow_key *mask)
{
	for (uint32_t i = 0; i < c->list->n; i++)
		if (!memcmp(&c->list->items[i].subtable->wide_mask, mask, sizeof(*mask)))
			return &c->list->items[i];
	return NULL;
}

int classifier_init(struct classifier *c, uint32_t max_masks)
{
	c->max_masks = max_masks;
	c->list = list_alloc(0);
	return c->list ? 0 : -ENOMEM;
}

void classifier_exit(struct classifier *c)
{
	if (!c->list)
		return;
	for (uint32_t i = 0; i < c->list->n; i++)
		subtable_free(c->list->items[i].subtable);
	free(c->list);
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
	struct subtable_order *o = list_find(c, &s->wide_mask);

	/* The higher place is published before the rule can be seen. */
	if (r->priority > o->max_priority && list_place(c, s, r->priority))
		return -ENOMEM;
	return subtable_insert(s, r);
}

void classifier_tidy(struct classifier *c, struct subtable *s)
{
	if (!s->nrules && !list_drop(c, s))
		rcu_defer(subtable_free, s);
}

void classifier_remove(struct classifier *c, struct rule *r)
{
	struct subtable *s = r->subtable;
	struct subtable_order *o = list_find(c, &s->wide_mask);

	subtable_remove(s, r);
	if (!s->nrules)
		classifier_tidy(c, s);
	else if (subtable_max_priority(s) < o->max_priority)
		/* Without memory the place stays too high, which costs time only. */
		list_place(c, s, subtable_max_priority(s));
}
