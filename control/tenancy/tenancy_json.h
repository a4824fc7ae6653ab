/* SPDX-License-Identifier: Apache-2.0 */
/* Objects as JSON, both ways: in documents (the file of `weft apply`, the words of a command) and as values
 * of the store. The grammar is in README.md. */
#ifndef CONTROL_TENANCY_TENANCY_JSON_H
#define CONTROL_TENANCY_TENANCY_JSON_H

#include <jansson.h>

#include "control/tenancy/tenancy.h"

/* Reads a whole document into `m` (initialised here, empty after an error). Strict: unknown fields, wrong
 * types and values that cannot be are refused. Names that an object mentions are not looked up here. */
int tenancy_read(const json_t *document, struct tenancy *m, struct tenancy_error *e);
/* One object; `*out` is freed with free(). */
int object_read(enum object_kind kind, const char *tenant, const char *name, const json_t *value, void **out,
                struct tenancy_error *e);

/* The document, of one tenant (without hosts) or of all (NULL). NULL: no memory. */
json_t *tenancy_write(const struct tenancy *m, const char *tenant);
json_t *object_write(const void *object);

/* One rule of a group: `value` is an element of ingress or egress. */
json_t *rule_write(const struct group_rule *rule);
/* A protocol by name or number as rules write it. */
int proto_parse(const char *text, int *out);
void proto_format(int proto, char *text, size_t size);

#endif
