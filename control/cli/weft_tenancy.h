/* SPDX-License-Identifier: Apache-2.0 */
/* What the tenant commands of weft share: the store, one way to change it, one way to show objects. */
#ifndef CONTROL_CLI_WEFT_TENANCY_H
#define CONTROL_CLI_WEFT_TENANCY_H

#include "control/cli/weft_command.h"
#include "control/tenancy/edit.h"

struct document;

/* An edit of the desired state: fills c->after. It may run more than once, each time on a fresh state. */
typedef int weft_edit_fn(struct edit *c, void *arg, struct tenancy_error *e);

/* Reads the state, lets `edit` change it, checks and writes it; again when another writer was faster. Prints
 * what was done with each object, waits when --wait was given, only tells with --dry-run. `file` (may be
 * NULL) gives errors their line. */
enum weft_exit weft_edit(const struct weft *w, weft_edit_fn *edit, void *arg, const struct document *file);

/* Opens the store for `act`; its status. */
enum weft_exit weft_with_store(const struct weft *w,
                               enum weft_exit (*act)(const struct weft *w, struct store *store, void *arg),
                               void *arg);
/* Reads the state and gives it to `show`; its status. */
enum weft_exit
weft_with_state(const struct weft *w,
                enum weft_exit (*show)(const struct weft *w, const struct tenancy *t, void *arg), void *arg);

/* Prints in the format that was asked for. */
void weft_print(const struct weft *w, const json_t *value, const char *const *columns);

/* The option's text (the last one given), or NULL. */
const char *weft_option(const struct weft *w, const char *name);
/* All of them: an array, or NULL. */
json_t *weft_option_list(const struct weft *w, const char *name);

/* Sets `field` to the option's text when it was given; a list: every part of "a,b" of every one given. */
void weft_take(const struct weft *w, const char *option, json_t *to, const char *field);
void weft_take_list(const struct weft *w, const char *option, json_t *to, const char *field);

/* "acme/web1" into its parts; a host or tenant is one part. -EINVAL with `e`. */
int weft_name(enum object_kind kind, const char *text, struct object *out, struct tenancy_error *e);

#endif
