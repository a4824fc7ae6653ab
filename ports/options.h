/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the options of an interface: a JSON object whose values are strings (from the command line) or
 * numbers. Control thread. */
#ifndef PORTS_OPTIONS_H
#define PORTS_OPTIONS_H

#include <stdint.h>
#include <jansson.h>

#include "base/error.h"

/* -EINVAL, naming the key and those that are expected, unless every key is in the NULL-terminated list. */
int options_known(const json_t *options, const char *const *known, struct error *e);

/* The text of `key`, owned by `options`; `missing` when it is absent (NULL: absence is an error). NULL with
 * `e` set on error. */
const char *options_text(const json_t *options, const char *key, const char *missing, struct error *e);

/* A whole number between min and max; `missing` when absent. 0 or -EINVAL with `e` set. */
int options_number(const json_t *options, const char *key, uint64_t min, uint64_t max, uint64_t missing,
                   uint64_t *out, struct error *e);

#endif
