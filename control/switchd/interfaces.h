/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interfaces that the user has defined: which ports there should be.
 *
 * Design: a definition outlives its port. It is written to the state file when it is made or changed; at
 * start every definition gets its port again with the same number, and one that cannot be made now (a netdev
 * is missing) is tried again every second and shown with its error.
 *
 * Thread-safety: the control thread. Life cycle: interfaces_create -> restore -> ... -> interfaces_destroy
 * (definitions stay on disk).
 */
#ifndef CONTROL_SWITCHD_INTERFACES_H
#define CONTROL_SWITCHD_INTERFACES_H

#include <jansson.h>

#include "base/error.h"
#include "control/switchd/switchd.h"

enum { INTERFACES_MAX = 4096 };

struct interfaces *interfaces_create(struct switchd *s);
/* Removes all ports; their memory goes with the datapath's grace periods. */
void interfaces_destroy(struct interfaces *list);

/* Makes the ports that the state file names. 0 or -errno. */
int interfaces_restore(struct interfaces *list, struct error *e);
/* Tries the definitions again that have no port. Every second. */
void interfaces_retry(struct interfaces *list);

/* `options` is borrowed. ofport 0: any. -EEXIST, -EINVAL, -ENOSPC ... with `e` naming the field. */
int interfaces_add(struct interfaces *list, const char *name, const char *type, uint32_t ofport,
                   json_t *options, struct error *e);
/* Changes options of a living interface: storm-broadcast, storm-multicast, storm-unknown (packets/s) of any
 * type, the rest as the type allows. -ENOENT, -EINVAL, -ENOTSUP. */
int interfaces_set(struct interfaces *list, const char *name, json_t *options, struct error *e);
int interfaces_del(struct interfaces *list, const char *name, struct error *e);

/* Is `port` the finished port of an interface? */
bool interfaces_has(const struct interfaces *list, const struct port *port);

/* One interface, or all (NULL) as an array: {name, type, ofport, carrier, mtu, mac, options, error, info}.
 * New reference; NULL and `e` when there is none of that name. */
json_t *interfaces_show(struct interfaces *list, const char *name, struct error *e);

#endif
