/* SPDX-License-Identifier: Apache-2.0 */
/* Builds what workers see of the ports. Control thread; private to datapath/. */
#ifndef DATAPATH_TOPOLOGY_H
#define DATAPATH_TOPOLOGY_H

#include "datapath/worker.h"

/* Builds the lists of dp->ports and publishes them; the old ones are freed after a grace period. 0 or -ENOMEM
 * (then the old ones stay). Without memory there is the spare block, or after rcu_synchronize() the one that
 * was published before: publishing fewer ports then works. */
int topology_publish(struct datapath *dp);
/* Makes the spare block large enough for `more` ports than there are. 0 or -ENOMEM. */
int topology_reserve(struct datapath *dp, unsigned more);

#endif
