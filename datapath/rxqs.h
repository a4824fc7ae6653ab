/* SPDX-License-Identifier: Apache-2.0 */
/* Which worker polls which receive queue. Control thread; private to datapath/ and its tests. */
#ifndef DATAPATH_RXQS_H
#define DATAPATH_RXQS_H

#include "datapath/worker.h"

/* A new port's queues go to the workers that have least to do. */
void rxqs_assign(const struct datapath *dp, struct port *port);
/* datapath_balance() after `elapsed` cycles. */
bool rxqs_balance(struct datapath *dp, uint64_t elapsed);

#endif
