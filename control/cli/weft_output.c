/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, lines, JSON and rates; see weft_output.h. Called by the commands of weft. */
#include "control/cli/weft_output.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { CELL_MAX = 1024, COLUMNS_MAX = 32 };
static const json_int_t OFPP_LOCAL = 0xfffffffe; /* OpenFlow 1.3, 7.2.1 */

/* Text of the outside must not reach the terminal as control characters. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

static void format_scalar(const json_t *v, char *out, size_t size)
{
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_STRING:
		snprintf(out, size, "%s", json_string_value(v));
		break;
	case JSON_INTEGER:
		snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL:
		snprintf(out, size, "%.1f", json_real_value(v));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(out, size, "%s", json_is_true(v) ? "yes" : "no");
		break;
	default:
		snprintf(out, size, "-");
	}
	if (!*out)
		snprintf(out, size, "-");
	make_printable(out);
}

/* What is nested becomes "key=value,key=value" or "a,b": one word, so that columns can be cut by scripts. */
static void format_cell(const json_t *v, char *out, size_t size)
{
	char item[CELL_MAX];
	size_t used = 0;
	const char *key;
	json_t *member, *o;
	size_t i;

	if (!json_is_object(v) && !json_is_array(v)) {
		format_scalar(v, out, size);
		return;
	}
	snprintf(out, size, "-");
	o = (json_t *)v;
	json_object_foreach(o, key, member)
	{
		format_scalar(member, item, sizeof(item));
		if (used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s=%s", used ? "," : "", key,
			                         item);
	}
	json_array_foreach(v, i, member)
	{
		format_scalar(member, item, sizeof(item));
		if (used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "", item);
	}
	make_printable(out);
}

static void format_member(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);

	if (!strcmp(key, "ofport") && json_integer_value(v) == OFPP_LOCAL)
		snprintf(out, size, "LOCAL");
	else
		format_cell(v, out, size);
}

static unsigned find_columns(const json_t *rows, const char **columns)
{
	unsigned n = 0, c;
	json_t *row, *v;
	const char *key;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_object_foreach(row, key, v)
		{
			for (c = 0; c < n && strcmp(columns[c], key) != 0;)
				c++;
			if (c == n && n < COLUMNS_MAX)
				columns[n++] = key;
		}
	}
	return n;
}

static bool is_anywhere(const json_t *rows, const char *key)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (json_object_get(row, key))
			return true;
	}
	return false;
}

static void print_padded(FILE *f, const char *text, int width, bool right, bool last)
{
	if (right)
		fprintf(f, "%*s", width, text);
	else if (last)
		fputs(text, f);
	else
		fprintf(f, "%-*s", width, text);
	fputs(last ? "\n" : "  ", f);
}

static void print_rows(FILE *f, const json_t *rows, const char *const *columns, unsigned n)
{
	int width[COLUMNS_MAX];
	bool right[COLUMNS_MAX];
	char cell[CELL_MAX];
	json_t *row;
	size_t i;

	for (unsigned c = 0; c < n; c++) {
		width[c] = (int)strlen(columns[c]);
		right[c] = false;
		json_array_foreach(rows, i, row)
		{
			format_member(row, columns[c], cell, sizeof(cell));
			if ((int)strlen(cell) > width[c])
				width[c] = (int)strlen(cell);
			right[c] |= json_is_number(json_object_get(row, columns[c]));
		}
		print_padded(f, columns[c], width[c], right[c], c + 1 == n);
	}
	json_array_foreach(rows, i, row)
	{
		for (unsigned c = 0; c < n; c++) {
			format_member(row, columns[c], cell, sizeof(cell));
			print_padded(f, cell, width[c], right[c], c + 1 == n);
		}
	}
}

static bool is_rows(const json_t *v)
{
	return json_array_size(v) && json_is_object(json_array_get(v, 0));
}

static void print_lines(FILE *f, const json_t *object, int indent)
{
	char cell[CELL_MAX];
	const char *key;
	json_t *v, *o = (json_t *)object, *row;
	size_t i;

	json_object_foreach(o, key, v)
	{
		fprintf(f, "%*s%s:", indent, "", key);
		if (json_is_object(v) && json_object_size(v)) {
			fputc('\n', f);
			print_lines(f, v, indent + 2);
		} else if (is_rows(v)) {
			fputc('\n', f);
			json_array_foreach(v, i, row)
			{
				format_cell(row, cell, sizeof(cell));
				fprintf(f, "%*s%s\n", indent + 2, "", cell);
			}
		} else {
			format_member(object, key, cell, sizeof(cell));
			fprintf(f, " %s\n", cell);
		}
	}
}

void output_table(FILE *f, const json_t *value, const char *const *columns)
{
	const char *found[COLUMNS_MAX];
	unsigned n = 0;

	if (!json_is_array(value)) {
		print_lines(f, value, 0);
		return;
	}
	if (!columns)
		n = find_columns(value, found);
	for (; columns && *columns && n < COLUMNS_MAX; columns++)
		if (!json_array_size(value) || is_anywhere(value, *columns))
			found[n++] = *columns;
	print_rows(f, value, found, n);
}

void output_json(FILE *f, const json_t *value)
{
	json_dumpf(value, f, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', f);
}

static const json_t *find_row(const json_t *rows, const json_t *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (json_equal(json_object_get(row, "name"), name))
			return row;
	}
	return NULL;
}

static bool is_kept(const char *key, const char *const *keep)
{
	for (; *keep; keep++)
		if (!strcmp(*keep, key))
			return true;
	return false;
}

/* A counter that went back belongs to an interface made anew: its rate counts from zero. */
static json_t *rates_of(const json_t *before, const json_t *now, double seconds, const char *const *keep)
{
	json_t *out = json_object(), *v, *row = (json_t *)now;
	const char *key;

	json_object_foreach(row, key, v)
	{
		const json_t *old = json_object_get(before, key);
		json_int_t n = json_integer_value(v), was = json_integer_value(old);

		if (json_is_object(v))
			json_object_set_new(out, key, rates_of(old, v, seconds, keep));
		else if (json_is_integer(v) && !is_kept(key, keep))
			json_object_set_new(out, key, json_real((double)(n < was ? n : n - was) / seconds));
		else
			json_object_set(out, key, v);
	}
	return out;
}

json_t *output_rates(const json_t *before, const json_t *now, double seconds, const char *const *keep)
{
	json_t *out = json_array(), *row;
	size_t i;

	json_array_foreach(now, i, row)
	{
		const json_t *old = find_row(before, json_object_get(row, "name"));

		if (old)
			json_array_append_new(out, rates_of(old, row, seconds, keep));
	}
	return out;
}
