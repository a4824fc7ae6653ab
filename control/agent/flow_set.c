/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of flows; see flow_set.h. Filled by the pipeline and by what the switch tells. */
#include "control/agent/flow_set.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flows/text.h"

void flow_set_take(struct flow_set *s, struct flow_mod *fm)
{
	if (s->n == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 256;
		struct flow_mod *flows = realloc(s->flows, capacity * sizeof(*flows));

		if (!flows) {
			flow_mod_free(fm);
			s->failed = true;
			return;
		}
		s->flows = flows;
		s->capacity = capacity;
	}
	fm->buffer_id = (uint32_t)s->n; /* the order of adding, until settled */
	s->flows[s->n++] = *fm;
}

void flow_set_add(struct flow_set *s, uint64_t cookie, const char *format, ...)
{
	struct flow_mod fm;
	struct error e = {""};
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0 || flow_mod_parse(text, FLOW_ADD, NULL, &fm, NULL, &e)) {
		log_error("flow '%s': %s", n < 0 ? "" : text, e.text);
		s->failed = true;
	} else {
		fm.cookie = cookie;
		flow_set_take(s, &fm);
	}
	free(n < 0 ? NULL : text);
}

static int by_place(const void *left, const void *right)
{
	const struct flow_mod *a = left, *b = right;

	if (a->table_id != b->table_id)
		return a->table_id < b->table_id ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return memcmp(&a->match, &b->match, sizeof(a->match));
}

static int by_place_and_age(const void *left, const void *right)
{
	const struct flow_mod *a = left, *b = right;
	int order = by_place(a, b);

	return order ? order : a->buffer_id < b->buffer_id ? -1 : 1;
}

void flow_set_settle(struct flow_set *s)
{
	size_t kept = 0;

	if (s->n)
		qsort(s->flows, s->n, sizeof(*s->flows), by_place_and_age);
	for (size_t i = 0; i < s->n; i++) {
		if (kept && !by_place(&s->flows[kept - 1], &s->flows[i]))
			flow_mod_free(&s->flows[--kept]);
		s->flows[kept++] = s->flows[i];
	}
	s->n = kept;
	for (size_t i = 0; i < s->n; i++)
		s->flows[i].buffer_id = 0xffffffff;
}

static bool same(const struct flow_mod *a, const struct flow_mod *b)
{
	return a->cookie == b->cookie && a->idle_timeout == b->idle_timeout &&
	       a->hard_timeout == b->hard_timeout && a->flags == b->flags &&
	       action_list_equal(&a->actions, &b->actions);
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
		                             : by_place(&has->flows[i], &wanted->flows[k]);

		if (order < 0) {
			rc = differ(&has->flows[i++], NULL, arg);
		} else if (order > 0) {
			rc = differ(NULL, &wanted->flows[k++], arg);
		} else {
			if (!same(&has->flows[i], &wanted->flows[k]))
				rc = differ(&has->flows[i], &wanted->flows[k], arg);
			i++;
			k++;
		}
	}
	return rc;
}

void flow_set_free(struct flow_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		flow_mod_free(&s->flows[i]);
	free(s->flows);
	*s = (struct flow_set){0};
}
