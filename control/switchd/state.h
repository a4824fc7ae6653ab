/* SPDX-License-Identifier: Apache-2.0 */
/* The small file that lets what the user has set survive a restart: a JSON object {"version": 1,
 * "interfaces": [{name, type, ofport, options}], "controllers": {...}}. Written whole, to a temporary file
 * that is synced and renamed, so that a crash leaves the old or the new one. Control thread. */
#ifndef CONTROL_SWITCHD_STATE_H
#define CONTROL_SWITCHD_STATE_H

#include <jansson.h>

#include "base/error.h"

/* Takes the exclusive lock of a rundir, making the directory (0750) if needed. Returns the fd that holds it
 * until it is closed or the process ends, or -errno: -EBUSY when another weftd has it. */
int state_lock_rundir(const char *rundir, struct error *e);

/* The object (new reference); one without sections when there is no file. NULL and `e` when the file is there
 * but cannot be used. */
json_t *state_load(const char *path, struct error *e);

/* Replaces one section of `state` ("interfaces") and writes the file. Consumes `section`. 0, or -errno with
 * `e`: then the file is as it was, and `state` has the new section. */
int state_save(const char *path, json_t *state, const char *name, json_t *section, struct error *e);

#endif
