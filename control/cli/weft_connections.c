/* SPDX-License-Identifier: Apache-2.0 */
/* `weft ct`: tracked connections. Called by weft.c's table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "control/cli/weft_command.h"
#include "control/cli/weft_output.h"
#include "control/cli/weft_tenancy.h"

static const char *const columns[] = {"proto",       "src",      "sport",     "dst",         "dport",
                                      "id",          "type",     "reply_src", "reply_sport", "reply_dst",
                                      "reply_dport", "reply_id", "zone",      "state",       "timeout",
                                      "mark",        "label",    "helper",    NULL};

/* Words KEY=N, each KEY one of `keys`, as an object. NULL with `e`. */
static json_t *numbers(int n, char **words, const char *const *keys, struct error *e)
{
	json_t *params = json_object();

	for (int i = 0; i < n; i++) {
		const char *equals = strchr(words[i], '=');
		unsigned k = 0;
		char *end = NULL;
		long long value;

		while (keys[k] && (!equals || strlen(keys[k]) != (size_t)(equals - words[i]) ||
		                   strncmp(words[i], keys[k], strlen(keys[k])) != 0))
			k++;
		value = equals ? strtoll(equals + 1, &end, 0) : 0;
		if (!keys[k] || end == equals + 1 || *end || value < 0) {
			error_set(e, EINVAL, "expected %s=NUMBER, not '%s'", keys[0], words[i]);
			json_decref(params);
			return NULL;
		}
		json_object_set_new(params, keys[k], json_integer(value));
	}
	return params;
}

enum weft_exit weft_ct_list(const struct weft *w, int n, char **words)
{
	static const char *const keys[] = {"zone", "limit", NULL};
	struct error e = {""};
	json_t *params = numbers(n, words, keys, &e), *result;
	enum weft_exit status;
	json_int_t more;

	if (!params)
		return weft_report(-EINVAL, &e);
	status = weft_call(w, "ct.list", params, &result);
	if (status)
		return status;
	weft_print(w, json_object_get(result, "connections"), columns);
	more = json_integer_value(json_object_get(result, "more"));
	if (more)
		fprintf(stderr, "weft: and %lld more: zone=N, limit=N\n", (long long)more);
	json_decref(result);
	return WEFT_OK;
}

enum weft_exit weft_ct_flush(const struct weft *w, int n, char **words)
{
	static const char *const keys[] = {"zone", NULL};
	struct error e = {""};
	json_t *params = numbers(n, words, keys, &e);

	return params ? weft_show(w, "ct.flush", params, NULL) : weft_report(-EINVAL, &e);
}

enum weft_exit weft_ct_stats(const struct weft *w, int n, char **words)
{
	return weft_show(w, "ct.stats", NULL, NULL);
}
