/* SPDX-License-Identifier: Apache-2.0 */
/* The option `affinity=QUEUE:CORE,...|any` of an interface: which worker polls which of its receive queues.
 */
#ifndef CONTROL_SWITCHD_AFFINITY_H
#define CONTROL_SWITCHD_AFFINITY_H

#include "control/switchd/switchd.h"

/* For each queue of `port` the number of a worker, or -1: whichever has least to do. */
struct affinity {
	int worker[PORT_RXQ_MAX];
};

/* Reads the text (NULL: any). 0 or -EINVAL with what is wrong: no such queue, a core without a worker. */
int affinity_read(const struct switchd *s, const struct port *port, const char *text, struct affinity *out,
                  struct error *e);
/* Pins and unpins. 0 or -ENOMEM. */
int affinity_apply(struct switchd *s, struct port *port, const struct affinity *a, struct error *e);

#endif
