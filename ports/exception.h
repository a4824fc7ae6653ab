/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel side of an uplink: `exception=TAP`.
 *
 * What: makes a port an uplink whose addresses, routes and neighbours belong to the kernel, which sees the
 * tap of that name as if it were the NIC. What comes in and is no VXLAN of ours goes to the tap; what the
 * kernel sends to the tap leaves through the port.
 *
 * Design: the datapath says what is not ours, since its decap looks at the outer headers anyway
 * (port_ops.to_kernel). The other way the tap is one more receive queue of the port: a worker polls it and
 * sleeps on it like on any other, but its packets leave at once through the port's tx and never reach the
 * tables. The tap costs a system call to ask, so a busy worker asks seldom while it is quiet.
 *
 * Thread-safety: create, destroy, set_mtu: control thread. exception_to_kernel(): any worker.
 *
 * Life cycle: exception_create() in the port's create -> exception_destroy() in its destroy.
 */
#ifndef PORTS_EXCEPTION_H
#define PORTS_EXCEPTION_H

#include "ports/port.h"

struct exception;

/* Reads the option `exception`; without it *out is NULL. Else makes the tap with the owner's MTU and MAC
 * (when the owner has no MAC it gets the tap's) and makes the owner an uplink with one more queue: the
 * owner's own ones are set already. 0 or -errno with the reason in `e`. */
int exception_create(const struct port_env *env, struct port *owner, const json_t *options,
                     struct exception **out, struct error *e);
/* Legal on NULL. */
void exception_destroy(struct exception *x);

/* The tap follows the port's MTU. Legal on NULL. */
void exception_set_mtu(struct exception *x, uint32_t mtu);
/* For `weft if show`: name of the tap, packets to and from the kernel, dropped ones. New reference; NULL for
 * NULL. */
json_t *exception_info(const struct exception *x);

/* Gives a packet to the kernel, or counts its drop. `x` is not NULL. Worker. */
void exception_to_kernel(struct exception *x, unsigned worker, struct packet *p);

#endif
