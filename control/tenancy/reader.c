/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values, each checked; see reader.h. Called by object_read.c and tenancy_read.c. */
#include "control/tenancy/reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int reader_fail(struct reader *r, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return tenancy_fail(r->e, r->object, r->path, EINVAL, "%s", text);
}

struct reader reader_down(const struct reader *r, const char *key, size_t index)
{
	struct reader d = *r;

	if (key)
		snprintf(d.path, sizeof(d.path), "%.60s%s%.32s", r->path, *r->path ? "." : "", key);
	else
		snprintf(d.path, sizeof(d.path), "%.60s[%zu]", r->path, index);
	return d;
}

int reader_only(struct reader *r, const json_t *value, const char *const *keys)
{
	const char *key;
	json_t *member;

	if (!json_is_object(value))
		return reader_fail(r, "expected fields (key: value)");
	json_object_foreach((json_t *)value, key, member)
	{
		const char *const *k = keys;
		struct reader d = reader_down(r, key, 0);

		while (*k && strcmp(*k, key))
			k++;
		if (!*k)
			return reader_fail(&d, "unknown field");
	}
	return 0;
}

int reader_text(struct reader *r, const json_t *value, char *out, size_t size)
{
	const char *text = json_string_value(value);

	if (!text || !*text || strlen(text) >= size)
		return reader_fail(r, "expected a text of 1 to %zu bytes", size - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

int reader_name(struct reader *r, const char *text, bool dots, char *out)
{
	size_t n = text ? strlen(text) : 0;
	bool good = n && n <= OBJECT_NAME_MAX && isalnum((unsigned char)*text);

	for (size_t i = 0; good && i < n; i++)
		good = isalnum((unsigned char)text[i]) || strchr(dots ? "-_." : "-_", text[i]);
	if (!good)
		return reader_fail(r, "expected a name: 1 to %d letters, digits, '-' or '_'",
		                   OBJECT_NAME_MAX);
	if (out)
		memcpy(out, text, n + 1);
	return 0;
}

int reader_number(struct reader *r, const json_t *value, long low, long high, long *out)
{
	const char *text = json_string_value(value);
	char *end;

	if (text && isdigit((unsigned char)*text) && strlen(text) < 10) {
		*out = strtol(text, &end, 10);
		if (*end)
			*out = low - 1;
	} else {
		*out = json_is_integer(value) ? (long)json_integer_value(value) : low - 1;
	}
	return *out < low || *out > high ? reader_fail(r, "expected %ld to %ld", low, high) : 0;
}

int reader_ip(struct reader *r, const json_t *value, struct ip_addr *out)
{
	const char *text = json_string_value(value);

	if (!text || ip_parse(text, out))
		return reader_fail(r, "expected an IPv4 or IPv6 address");
	return 0;
}

int reader_prefix(struct reader *r, const json_t *value, struct prefix *out)
{
	const char *text = json_string_value(value);

	if (!text || prefix_parse(text, out))
		return reader_fail(r, "expected a prefix such as 10.0.0.0/24, with no bit beyond its length");
	return 0;
}

int reader_bool(struct reader *r, const json_t *value, bool *out)
{
	if (!json_is_boolean(value))
		return reader_fail(r, "expected true or false");
	*out = json_is_true(value);
	return 0;
}

int reader_each(struct reader *r, const json_t *value, unsigned max,
                int (*one)(struct reader *r, const json_t *value, void *arg), void *arg)
{
	int rc = 0;

	if (!json_is_array(value) && value && max)
		return one(r, value, arg);
	if (!json_is_array(value) || json_array_size(value) > max)
		return reader_fail(r, "at most %u are possible", max);
	for (size_t i = 0; i < json_array_size(value) && !rc; i++) {
		struct reader d = reader_down(r, NULL, i);

		rc = one(&d, json_array_get(value, i), arg);
	}
	return rc;
}

bool reader_member(const struct reader *r, const json_t *object, const char *key, struct reader *d,
                   const json_t **value)
{
	*value = json_object_get(object, key);
	*d = reader_down(r, key, 0);
	return *value != NULL;
}
