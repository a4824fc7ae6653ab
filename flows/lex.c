/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting flow text into keys and values. Called by the parsers of flows, actions, groups and meters. */
#include "flows/lex.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

/* Words are looked up in lists: most differ in their first letter, which is seen without a call. */
bool slice_is(struct slice s, const char *text)
{
	if (!s.len || *s.p != *text)
		return !s.len && !*text;
	return !strncmp(s.p, text, s.len) && !text[s.len];
}

bool slice_is_nocase(struct slice s, const char *text)
{
	if (!s.len || (*s.p ^ *text) & ~0x20)
		return !s.len && !*text;
	return !strncasecmp(s.p, text, s.len) && !text[s.len];
}

bool slice_split(struct slice s, char c, struct slice *left, struct slice *right)
{
	const char *at = memchr(s.p, c, s.len);

	if (!at)
		return false;
	*left = (struct slice){s.p, (size_t)(at - s.p)};
	*right = (struct slice){at + 1, (size_t)(s.p + s.len - at - 1)};
	return true;
}

bool slice_split_arrow(struct slice s, struct slice *left, struct slice *right)
{
	for (size_t i = s.len; i >= 2; i--) {
		if (s.p[i - 2] == '-' && s.p[i - 1] == '>') {
			*left = slice_trim((struct slice){s.p, i - 2});
			*right = slice_trim((struct slice){s.p + i, s.len - i});
			return true;
		}
	}
	return false;
}

struct slice slice_trim(struct slice s)
{
	while (s.len && isspace((unsigned char)*s.p)) {
		s.p++;
		s.len--;
	}
	while (s.len && isspace((unsigned char)s.p[s.len - 1]))
		s.len--;
	return s;
}

bool slice_copy(struct slice s, char *buffer, size_t size)
{
	if (s.len >= size)
		return false;
	memcpy(buffer, s.p, s.len);
	buffer[s.len] = '\0';
	return true;
}

int lex_error(struct lex *lex, struct slice where, const char *format, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	return error_set(lex->err, EINVAL, "column %zu: %s, got \"%.*s\"", (size_t)(where.p - lex->start) + 1,
	                 what, (int)(where.len < 60 ? where.len : 60), where.p);
}

static bool is_separator(char c)
{
	return c == ',' || isspace((unsigned char)c);
}

/* Length of a value that ends at a separator outside brackets. */
static size_t value_length(struct slice s)
{
	unsigned depth = 0;
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && depth)
			depth--;
		else if (!depth && is_separator(s.p[i]))
			break;
	}
	return i;
}

/* Length of what stands in brackets that are already open; false when they never close. */
static bool bracket_length(struct slice s, size_t *len)
{
	unsigned depth = 1;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '(') {
			depth++;
		} else if (s.p[i] == ')' && --depth == 0) {
			*len = i;
			return true;
		}
	}
	return false;
}

static void skip(struct slice *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

static int take_brackets(struct lex *lex, struct slice *rest, struct item *item)
{
	size_t len;

	if (!bracket_length(*rest, &len))
		return lex_error(lex, item->key, "expected a closing bracket");
	item->value = (struct slice){rest->p, len};
	skip(rest, len + 1);
	if (rest->len && rest->p[0] == '=')
		skip(rest, 1);
	else if (rest->len >= 2 && rest->p[0] == '-' && rest->p[1] == '>')
		skip(rest, 2);
	else
		return 1;
	item->arrow = true;
	item->tail = (struct slice){rest->p, value_length(*rest)};
	skip(rest, item->tail.len);
	return 1;
}

int lex_next(struct lex *lex, struct slice *rest, struct item *item)
{
	size_t len = 0;

	memset(item, 0, sizeof(*item));
	while (rest->len && is_separator(*rest->p))
		skip(rest, 1);
	if (!rest->len)
		return 0;
	while (len < rest->len && !is_separator(rest->p[len]) && !strchr("=:(", rest->p[len]))
		len++;
	item->key = (struct slice){rest->p, len};
	skip(rest, len);
	item->value = (struct slice){rest->p, 0};
	if (!rest->len || is_separator(*rest->p))
		return 1;
	item->delimiter = *rest->p;
	skip(rest, 1);
	if (item->delimiter == '(')
		return take_brackets(lex, rest, item);
	item->value = (struct slice){rest->p, value_length(*rest)};
	skip(rest, item->value.len);
	return 1;
}

bool slice_number(struct slice s, uint64_t *out)
{
	char buffer[32], *end;

	if (!s.len || !isdigit((unsigned char)*s.p) || !slice_copy(s, buffer, sizeof(buffer)))
		return false;
	errno = 0;
	*out = strtoull(buffer, &end, 0);
	return !errno && !*end;
}

int lex_number(struct lex *lex, struct slice s, const char *what, uint64_t max, uint64_t *out)
{
	if (slice_number(s, out) && *out <= max)
		return 0;
	return lex_error(lex, s, "%s: expected a number from 0 to %llu", what, (unsigned long long)max);
}
