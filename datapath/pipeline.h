/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a packet. Worker only. */
#ifndef DATAPATH_PIPELINE_H
#define DATAPATH_PIPELINE_H

#include "datapath/worker.h"

/* Takes one burst from `q` and sends every packet of it where it goes; returns how many there were. */
unsigned pipeline_run(struct worker *w, struct port_rxq *q);

/* How long the packets of the worker's batch are: a cache_frames of flows/dp/cache.h. */
const uint32_t *pipeline_frames(void *worker, unsigned n);

/* Frames that the control thread wants sent out (packet-out); returns how many there were. */
unsigned pipeline_inject(struct worker *w);

#endif
