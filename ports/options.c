/* SPDX-License-Identifier: Apache-2.0 */
/* Options of an interface; see options.h. Called by every port type's create. */
#include "ports/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int say_unknown(const char *key, const char *const *known, struct error *e)
{
	char list[160] = "";
	size_t used = 0;

	for (; *known && used < sizeof(list); known++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", *known);
	return error_set(e, EINVAL, "%s: unknown option; expected %s", key, list);
}

int options_known(const json_t *options, const char *const *known, struct error *e)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)options, key, value)
	{
		const char *const *k = known;

		while (*k && strcmp(*k, key))
			k++;
		if (!*k)
			return say_unknown(key, known, e);
	}
	return 0;
}

const char *options_text(const json_t *options, const char *key, const char *missing, struct error *e)
{
	const json_t *value = json_object_get(options, key);

	if (!value) {
		if (!missing)
			error_set(e, EINVAL, "%s: missing; expected %s=...", key, key);
		return missing;
	}
	if (!json_is_string(value) || !*json_string_value(value)) {
		error_set(e, EINVAL, "%s: expected a text", key);
		return NULL;
	}
	return json_string_value(value);
}

int options_number(const json_t *options, const char *key, uint64_t min, uint64_t max, uint64_t missing,
                   uint64_t *out, struct error *e)
{
	const json_t *value = json_object_get(options, key);
	uint64_t number;
	char *end;

	if (!value) {
		*out = missing;
		return 0;
	}
	if (json_is_integer(value)) {
		number = (uint64_t)json_integer_value(value);
	} else {
		const char *text = json_string_value(value);

		errno = 0;
		number = text ? strtoull(text, &end, 0) : 0;
		if (!text || *text < '0' || *text > '9' || *end || errno)
			return error_set(e, EINVAL, "%s: expected a number", key);
	}
	if (number < min || number > max)
		return error_set(e, EINVAL, "%s: expected %" PRIu64 " to %" PRIu64 ", not %" PRIu64, key, min,
		                 max, number);
	*out = number;
	return 0;
}
