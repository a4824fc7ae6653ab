/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one JSON value after another, inside control/tenancy: every function returns 0 or -errno, with an
 * error that names the object and the field. */
#ifndef CONTROL_TENANCY_READER_H
#define CONTROL_TENANCY_READER_H

#include "control/tenancy/tenancy_json.h"

struct reader {
	const struct object *object; /* NULL: the document */
	char path[100];              /* of the value that is read now */
	struct tenancy_error *e;
};

/* -EINVAL, with this text. */
int reader_fail(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A reader one step further down: a key, or an index when `key` is NULL. */
struct reader reader_down(const struct reader *r, const char *key, size_t index);
/* The reader and value of a member; false when it is not there. */
bool reader_member(const struct reader *r, const json_t *object, const char *key, struct reader *d,
                   const json_t **value);
/* Refuses what is no object or has keys that are not among `keys` (NULL-ended). */
int reader_only(struct reader *r, const json_t *value, const char *const *keys);
/* Calls `one` for each element, at most `max`; a single value counts as a list of one. */
int reader_each(struct reader *r, const json_t *value, unsigned max,
                int (*one)(struct reader *r, const json_t *value, void *arg), void *arg);

int reader_text(struct reader *r, const json_t *value, char *out, size_t size);
/* `dots`: they may be in it. `out` (OBJECT_NAME_MAX + 1 bytes) may be NULL. */
int reader_name(struct reader *r, const char *text, bool dots, char *out);
int reader_number(struct reader *r, const json_t *value, long low, long high, long *out);
int reader_bool(struct reader *r, const json_t *value, bool *out);
int reader_ip(struct reader *r, const json_t *value, struct ip_addr *out);
int reader_prefix(struct reader *r, const json_t *value, struct prefix *out);

#endif
