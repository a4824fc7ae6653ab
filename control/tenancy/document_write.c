/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as YAML in block style, lists of plain values in one line; see document.h. Called by `weft export` and
 * `-o yaml`. */
#include <string.h>

#include "control/tenancy/document.h"

/* Can the text stand without quotes and be read as a text again? */
static bool is_plain(const char *text)
{
	if (!*text || strspn(text, "0123456789-") == strlen(text) || !strcmp(text, "true") ||
	    !strcmp(text, "false") || !strcmp(text, "null") || *text == '-' || text[strlen(text) - 1] == ':')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") ==
	       strlen(text);
}

static bool is_flat(const json_t *value)
{
	size_t i;
	json_t *one;

	if (json_is_object(value))
		return json_object_size(value) == 0;
	json_array_foreach((json_t *)value, i,
	                   one) if (json_is_object(one) || json_is_array(one)) return false;
	return true;
}

static void write_flat(FILE *out, const json_t *value)
{
	size_t i;
	json_t *one;

	if (json_is_object(value)) {
		fputs("{}", out);
	} else if (json_is_array(value)) {
		fputc('[', out);
		json_array_foreach((json_t *)value, i, one)
		{
			fputs(i ? ", " : "", out);
			write_flat(out, one);
		}
		fputc(']', out);
	} else if (json_is_string(value) && is_plain(json_string_value(value))) {
		fputs(json_string_value(value), out);
	} else {
		json_dumpf(value, out, JSON_ENCODE_ANY);
	}
}

static void write_block(FILE *out, const json_t *value, int indent, bool inside_item)
{
	const char *key;
	json_t *one;
	size_t i;

	json_object_foreach((json_t *)value, key, one)
	{
		fprintf(out, "%*s%s:", inside_item ? 0 : indent, "", key);
		inside_item = false;
		fputs(is_flat(one) ? " " : "\n", out);
		if (is_flat(one)) {
			write_flat(out, one);
			fputc('\n', out);
		} else {
			write_block(out, one, indent + 2, false);
		}
	}
	if (json_is_array(value))
		json_array_foreach((json_t *)value, i, one)
		{
			fprintf(out, "%*s- ", indent, "");
			if (is_flat(one)) {
				write_flat(out, one);
				fputc('\n', out);
			} else {
				write_block(out, one, indent + 2, true);
			}
		}
}

void document_write(FILE *out, const json_t *value)
{
	if (is_flat(value)) {
		write_flat(out, value);
		fputc('\n', out);
	} else {
		write_block(out, value, 0, false);
	}
}
