/* SPDX-License-Identifier: Apache-2.0 */
/* YAML files as JSON, with the line of every value, and JSON as YAML. */
#ifndef CONTROL_TENANCY_DOCUMENT_H
#define CONTROL_TENANCY_DOCUMENT_H

#include <jansson.h>
#include <stdio.h>

#include "control/tenancy/tenancy.h"

enum { DOCUMENT_SIZE_MAX = 64 << 20, DOCUMENT_DEPTH_MAX = 32 };

struct document;

/* Reads one document. Plain scalars that look like numbers, true, false and null are those; keys are texts.
 * Refused, with "FILE:LINE: why": what is no YAML, keys given twice, aliases, more than DOCUMENT_SIZE_MAX
 * bytes. NULL then; the path "-" is standard input. */
struct document *document_read(const char *path, struct error *e);
void document_free(struct document *f); /* NULL is legal */
const json_t *document_json(const struct document *f);

/* Puts "FILE:LINE: " in front of an error of tenancy_read or tenancy_check: of the field that it names, or of
 * the closest thing around it that is in the file. */
void document_locate(const struct document *f, struct tenancy_error *e);

void document_write(FILE *out, const json_t *value);

#endif
