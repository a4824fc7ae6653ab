/* SPDX-License-Identifier: Apache-2.0 */
/* The words `NAME KEY=VALUE...` of `weft if add` and `weft if set` as the parameters of a request. */
#ifndef CONTROL_CLI_WEFT_ARGUMENTS_H
#define CONTROL_CLI_WEFT_ARGUMENTS_H

#include <jansson.h>

struct error;

enum { INTERFACE_NAME_MAX = 15 }; /* bytes, as for a netdev */

/* 0, or -EINVAL saying what an interface name is. */
int arguments_name(const char *text, struct error *e);

/* {"name", "type", "ofport", "options"} of an interface to add; `words[0]` is its name. NULL with `e`, which
 * names the field, when a word is wrong. The caller owns the result. */
json_t *arguments_add(int n, char **words, struct error *e);

/* {"name", "options"} of an interface to change, the same way. */
json_t *arguments_set(int n, char **words, struct error *e);

#endif
