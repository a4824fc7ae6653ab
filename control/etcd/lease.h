/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One key that goes when its owner does not keep it alive: a lease, the key under it, and a sign of life each
 * third of its time. Whatever is lost (the connection, the lease) is made again as soon as etcd answers.
 * lease_destroy() lets the key be: it goes after its time, unless the owner's next life takes it over.
 *
 * Thread-safety: one thread. Life cycle: lease_create -> lease_destroy, before the client is destroyed.
 */
#ifndef CONTROL_ETCD_LEASE_H
#define CONTROL_ETCD_LEASE_H

#include "control/etcd/client.h"

struct lease;

/* NULL: no memory. */
struct lease *lease_create(struct etcd *c, const char *key, const char *value, unsigned seconds);
void lease_destroy(struct lease *l); /* NULL is legal */

#endif
