/* SPDX-License-Identifier: Apache-2.0 */
/* How weft shows an answer: for people as tables and `key: value` lines, for scripts as JSON. */
#ifndef CONTROL_CLI_WEFT_OUTPUT_H
#define CONTROL_CLI_WEFT_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

/* An array of objects becomes a table with the columns in `columns` (keys, ended by NULL; one that no row has
 * is left out; NULL: every key in the order of its first appearance), numbers to the right; an object becomes
 * lines, what is nested in it indented. */
void output_table(FILE *f, const json_t *value, const char *const *columns);

void output_json(FILE *f, const json_t *value);

/* The rows of `now` with every counter replaced by its rate per second since `before`, `seconds` ago; rows
 * are matched by "name", and a row without a predecessor is left out. Members named in `keep` (NULL-ended)
 * stay as they are. The caller owns the result. */
json_t *output_rates(const json_t *before, const json_t *now, double seconds, const char *const *keep);

#endif
