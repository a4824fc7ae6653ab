/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the command line into request parameters; see weft_arguments.h. Called by weft_interface.c. */
#include "control/cli/weft_arguments.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

enum { OFPORT_HIGHEST = 0xfeff }; /* OFPP_MAX is 0xff00 (OpenFlow 1.3, 7.2.1); numbers are 16 bits here */

int arguments_name(const char *text, struct error *e)
{
	size_t len = strlen(text);

	if (strchr(text, '='))
		return error_set(e, EINVAL, "NAME: expected an interface's name before '%s'", text);
	if (!len || len > INTERFACE_NAME_MAX)
		return error_set(e, EINVAL, "NAME: expected 1 to %d bytes, not %zu", INTERFACE_NAME_MAX, len);
	for (const char *p = text; *p; p++)
		if (!isgraph((unsigned char)*p) || *p == '/')
			return error_set(
			        e, EINVAL,
			        "NAME: column %d: expected printable characters without space or '/'",
			        (int)(p - text) + 1);
	return 0;
}

/* "7" as a number, "local" as text: what the switch expects. */
static json_t *ofport_value(const char *text, struct error *e)
{
	char *end;
	unsigned long n;

	if (!strcasecmp(text, "local"))
		return json_string("local");
	errno = 0;
	n = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || n < 1 || n > OFPORT_HIGHEST) {
		error_set(e, EINVAL, "ofport: expected 1 to %d or local, not '%s'", OFPORT_HIGHEST, text);
		return NULL;
	}
	return json_integer((json_int_t)n);
}

/* Adds one KEY=VALUE: to `params` when it is the interface's own, else to its options. */
static int add_word(json_t *params, json_t *options, const char *word, struct error *e)
{
	const char *value = strchr(word, '=');
	char key[64];
	json_t *to = options, *v;
	size_t n;

	if (!value || value == word)
		return error_set(e, EINVAL, "expected KEY=VALUE, not '%s'", word);
	n = (size_t)(value++ - word);
	if (n >= sizeof(key))
		return error_set(e, EINVAL, "expected a KEY of at most %zu bytes in '%s'", sizeof(key) - 1,
		                 word);
	memcpy(key, word, n);
	key[n] = 0;
	if (!*value)
		return error_set(e, EINVAL, "%s: expected a value after '='", key);
	if (!strcmp(key, "type") || !strcmp(key, "ofport"))
		to = params;
	if (json_object_get(to, key))
		return error_set(e, EINVAL, "%s: given twice", key);
	v = strcmp(key, "ofport") ? json_string(value) : ofport_value(value, e);
	if (!v && !strcmp(key, "ofport"))
		return -EINVAL;
	if (!v || json_object_set_new(to, key, v))
		return error_set(e, EINVAL, "%s: expected UTF-8 text", key);
	return 0;
}

static json_t *read_words(int n, char **words, struct error *e)
{
	json_t *params, *options;

	if (arguments_name(words[0], e))
		return NULL;
	options = json_object();
	params = json_pack("{s:s, s:o}", "name", words[0], "options", options);
	if (!params) {
		error_set(e, EINVAL, "NAME: expected UTF-8 text");
		return NULL;
	}
	for (int i = 1; i < n; i++) {
		if (add_word(params, options, words[i], e)) {
			json_decref(params);
			return NULL;
		}
	}
	return params;
}

json_t *arguments_add(int n, char **words, struct error *e)
{
	json_t *params = read_words(n, words, e);

	if (params && !json_object_get(params, "type")) {
		error_set(e, EINVAL, "type: missing; expected vhost-user, afxdp, ethdev, tap or vxlan");
		json_decref(params);
		return NULL;
	}
	return params;
}

json_t *arguments_set(int n, char **words, struct error *e)
{
	static const char *const fixed[] = {"type", "ofport"};
	json_t *params = read_words(n, words, e);

	for (int i = 0; params && i < 2; i++) {
		if (json_object_get(params, fixed[i])) {
			error_set(e, EINVAL, "%s: cannot be changed; delete the interface and add it again",
			          fixed[i]);
			json_decref(params);
			return NULL;
		}
	}
	return params;
}
