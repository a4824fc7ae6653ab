/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of flows; see flow_set.h. Filled by the pipeline and by what the switch tells. */
#include "control/agent/flow_set.h"

#include <stdlib.h>
#include <string.h>

/* ---- flows ---- */

static void drop(struct flow *f)
{
	if (--f->users)
		return;
	action_list_free(&f->actions);
	free(f);
}

static uint64_t word_of(const struct flow_key *key, unsigned i)
{
	uint64_t word;

	memcpy(&word, (const uint8_t *)key + i * sizeof(word), sizeof(word));
	return word;
}

static unsigned words_of(uint64_t used)
{
	return (unsigned)__builtin_popcountll(used);
}

/* NULL: no memory. */
static struct flow *flow_create(const struct flow_mod *fm)
{
	uint64_t used = match_words(&fm->match), *word;
	unsigned n = words_of(used);
	struct flow *f;

	f = malloc(sizeof(*f) + 2 * n * sizeof(*word));
	if (!f)
		return NULL;
	*f = (struct flow){.users = 1,
	                   .cookie = fm->cookie,
	                   .used = used,
	                   .priority = fm->priority,
	                   .idle_timeout = fm->idle_timeout,
	                   .hard_timeout = fm->hard_timeout,
	                   .flags = fm->flags,
	                   .table_id = fm->table_id};
	word = f->words;
	for (uint64_t left = used; left; left &= left - 1, word++) {
		word[0] = word_of(&fm->match.mask, (unsigned)__builtin_ctzll(left));
		word[n] = word_of(&fm->match.key, (unsigned)__builtin_ctzll(left));
	}
	if (!action_list_copy(&f->actions, &fm->actions))
		return f;
	free(f);
	return NULL;
}

void flow_get(const struct flow *f, struct flow_mod *out)
{
	const uint64_t *word = f->words;
	unsigned n = words_of(f->used);

	flow_mod_init(out);
	out->table_id = f->table_id;
	out->priority = f->priority;
	out->cookie = f->cookie;
	out->idle_timeout = f->idle_timeout;
	out->hard_timeout = f->hard_timeout;
	out->flags = f->flags;
	out->actions = f->actions;
	for (uint64_t left = f->used; left; left &= left - 1, word++) {
		size_t at = (size_t)__builtin_ctzll(left) * sizeof(*word);

		memcpy((uint8_t *)&out->match.mask + at, &word[0], sizeof(*word));
		memcpy((uint8_t *)&out->match.key + at, &word[n], sizeof(*word));
	}
}

/* ---- adding ---- */

/* Takes over a use of `f`. */
static void append(struct flow_set *s, struct flow *f)
{
	if (s->n == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 16;
		struct flow **flows = realloc(s->flows, capacity * sizeof(*flows));

		if (!flows) {
			drop(f);
			s->failed = true;
			return;
		}
		s->flows = flows;
		s->capacity = capacity;
	}
	f->age = (unsigned)s->n;
	s->flows[s->n++] = f;
}

void flow_set_add(struct flow_set *s, const struct flow_mod *fm)
{
	struct flow *f = flow_create(fm);

	if (f)
		append(s, f);
	else
		s->failed = true;
}

void flow_set_share(struct flow_set *s, struct flow *f)
{
	f->users++;
	append(s, f);
}

/* ---- order ---- */

static int by_place(const struct flow *a, const struct flow *b)
{
	if (a->table_id != b->table_id)
		return a->table_id < b->table_id ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	if (a->used != b->used)
		return a->used < b->used ? -1 : 1;
	return memcmp(a->words, b->words, 2 * words_of(a->used) * sizeof(a->words[0]));
}

static int by_place_and_age(const void *left, const void *right)
{
	const struct flow *a = *(struct flow *const *)left, *b = *(struct flow *const *)right;
	int order = by_place(a, b);

	return order ? order : a->age < b->age ? -1 : 1;
}

void flow_set_settle(struct flow_set *s)
{
	size_t kept = 0;

	if (s->n)
		qsort(s->flows, s->n, sizeof(*s->flows), by_place_and_age);
	for (size_t i = 0; i < s->n; i++) {
		if (kept && !by_place(s->flows[kept - 1], s->flows[i]))
			drop(s->flows[--kept]);
		s->flows[kept++] = s->flows[i];
	}
	s->n = kept;
}

/* ---- comparing ---- */

static bool same(const struct flow *a, const struct flow *b)
{
	return a == b || (a->cookie == b->cookie && a->idle_timeout == b->idle_timeout &&
	                  a->hard_timeout == b->hard_timeout && a->flags == b->flags &&
	                  action_list_equal(&a->actions, &b->actions));
}

int flow_set_compare(const struct flow_set *has, const struct flow_set *wanted,
                     int (*differ)(struct flow *has, struct flow *wanted, void *arg), void *arg)
{
	size_t i = 0, k = 0;
	int rc = 0;

	while (!rc && (i < has->n || k < wanted->n)) {
		int order = i == has->n ? 1 : k == wanted->n ? -1 : by_place(has->flows[i], wanted->flows[k]);

		if (order < 0) {
			rc = differ(has->flows[i++], NULL, arg);
		} else if (order > 0) {
			rc = differ(NULL, wanted->flows[k++], arg);
		} else {
			if (!same(has->flows[i], wanted->flows[k]))
				rc = differ(has->flows[i], wanted->flows[k], arg);
			i++;
			k++;
		}
	}
	return rc;
}

void flow_set_free(struct flow_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		drop(s->flows[i]);
	free(s->flows);
	*s = (struct flow_set){0};
}
