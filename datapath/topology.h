/* SPDX-License-Identifier: Apache-2.0 */
/* Builds what workers see of the ports. Control thread; private to datapath/. */
#ifndef DATAPATH_TOPOLOGY_H
#define DATAPATH_TOPOLOGY_H

#include "datapath/worker.h"

/* Makes the lists of dp->ports. NULL: no memory. Freed with free(). */
struct topology *topology_build(const struct datapath *dp);
/* Builds and publishes; the old one is freed after a grace period. 0 or -ENOMEM (then the old one stays). */
int topology_publish(struct datapath *dp);

#endif
