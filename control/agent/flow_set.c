/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of flows; see flow_set.h. Filled by the pipeline and by what the switch tells. */
#include "control/agent/flow_set.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "flows/text.h"

static void drop(struct flow *f)
{
	if (--f->users)
		return;
	flow_mod_free(&f->mod);
	free(f);
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

static void take(struct flow_set *s, struct flow_mod *fm, uint64_t text)
{
	struct flow *f = calloc(1, sizeof(*f));

	if (!f) {
		flow_mod_free(fm);
		s->failed = true;
		return;
	}
	*f = (struct flow){.mod = *fm, .users = 1, .text = text};
	append(s, f);
}

void flow_set_take(struct flow_set *s, struct flow_mod *fm)
{
	take(s, fm, 0);
}

void flow_set_share(struct flow_set *s, struct flow *f)
{
	f->users++;
	append(s, f);
}

/* ---- texts ---- */

static uint64_t hash_text(const char *text, size_t len, uint64_t cookie)
{
	uint64_t h = cookie, word;

	for (size_t at = 0; at < len; at += sizeof(word)) {
		word = 0;
		memcpy(&word, text + at, len - at < sizeof(word) ? len - at : sizeof(word));
		h = hash_step(h, word) + at;
	}
	return hash_mix(h) | 1;
}

static struct flow *find_text(const struct flow_set *s, uint64_t text)
{
	for (size_t at = text; s && s->n_index; at++) {
		uint32_t i = s->index[at & (s->n_index - 1)];

		if (!i)
			return NULL;
		if (s->flows[i - 1]->text == text)
			return s->flows[i - 1];
	}
	return NULL;
}

/* Half of it stays free, 0 is free. */
static void make_index(struct flow_set *s)
{
	s->n_index = 2;
	while (s->n_index < 2 * s->n)
		s->n_index *= 2;
	s->index = calloc(s->n_index, sizeof(*s->index));
	if (!s->index) {
		s->n_index = 0; /* all is parsed then */
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		size_t at = s->flows[i]->text;

		while (s->index[at & (s->n_index - 1)])
			at++;
		s->index[at & (s->n_index - 1)] = (uint32_t)i + 1;
	}
}

static void add_text(struct flow_set *s, uint64_t cookie, const char *text, size_t len)
{
	uint64_t hash = hash_text(text, len, cookie);
	struct flow *f = find_text(s->known, hash);
	struct flow_mod fm;
	struct error e;

	if (f) {
		flow_set_share(s, f);
		return;
	}
	if (flow_mod_parse(text, FLOW_ADD, NULL, &fm, NULL, &e)) {
		log_error("flow '%s': %s", text, e.text);
		s->failed = true;
		return;
	}
	fm.cookie = cookie;
	take(s, &fm, hash);
}

void flow_set_add(struct flow_set *s, uint64_t cookie, const char *format, ...)
{
	char shortly[512], *text = shortly;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(shortly, sizeof(shortly), format, args);
	va_end(args);
	if (n >= (int)sizeof(shortly)) {
		va_start(args, format);
		n = vasprintf(&text, format, args);
		va_end(args);
	}
	if (n < 0) {
		s->failed = true;
		return;
	}
	add_text(s, cookie, text, (size_t)n);
	if (text != shortly)
		free(text);
}

/* ---- order ---- */

static int by_place(const struct flow_mod *a, const struct flow_mod *b)
{
	if (a->table_id != b->table_id)
		return a->table_id < b->table_id ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return memcmp(&a->match, &b->match, sizeof(a->match));
}

static int by_place_and_age(const void *left, const void *right)
{
	const struct flow *a = *(struct flow *const *)left, *b = *(struct flow *const *)right;
	int order = by_place(&a->mod, &b->mod);

	return order ? order : a->age < b->age ? -1 : 1;
}

void flow_set_settle(struct flow_set *s)
{
	size_t kept = 0;

	if (s->n)
		qsort(s->flows, s->n, sizeof(*s->flows), by_place_and_age);
	for (size_t i = 0; i < s->n; i++) {
		if (kept && !by_place(&s->flows[kept - 1]->mod, &s->flows[i]->mod))
			drop(s->flows[--kept]);
		s->flows[kept++] = s->flows[i];
	}
	s->n = kept;
	s->known = NULL;
	free(s->index);
	s->index = NULL;
	s->n_index = 0;
	if (s->n)
		make_index(s);
}

/* ---- comparing ---- */

static bool same(const struct flow *left, const struct flow *right)
{
	const struct flow_mod *a = &left->mod, *b = &right->mod;

	return left == right || (a->cookie == b->cookie && a->idle_timeout == b->idle_timeout &&
	                         a->hard_timeout == b->hard_timeout && a->flags == b->flags &&
	                         action_list_equal(&a->actions, &b->actions));
}

int flow_set_compare(const struct flow_set *has, const struct flow_set *wanted,
                     int (*differ)(const struct flow_mod *has, const struct flow_mod *wanted, void *arg),
                     void *arg)
{
	size_t i = 0, k = 0;
	int rc = 0;

	while (!rc && (i < has->n || k < wanted->n)) {
		int order = i == has->n      ? 1
		            : k == wanted->n ? -1
		                             : by_place(&has->flows[i]->mod, &wanted->flows[k]->mod);

		if (order < 0) {
			rc = differ(&has->flows[i++]->mod, NULL, arg);
		} else if (order > 0) {
			rc = differ(NULL, &wanted->flows[k++]->mod, arg);
		} else {
			if (!same(has->flows[i], wanted->flows[k]))
				rc = differ(&has->flows[i]->mod, &wanted->flows[k]->mod, arg);
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
	free(s->index);
	*s = (struct flow_set){0};
}
