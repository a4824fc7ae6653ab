/* SPDX-License-Identifier: Apache-2.0 */
/* Executes action programs. Worker only. */
#ifndef DATAPATH_ACTIONS_H
#define DATAPATH_ACTIONS_H

#include "datapath/worker.h"

/* Runs `program` on `p`, which came in as `key` says; what it outputs is queued. `p` belongs to the queues
 * until output_flush(), or to the list of resume.h. `depth`: how often it was resumed before. */
void actions_execute(struct worker *w, struct packet *p, const struct mkey *key,
                     const struct program *program, unsigned depth);

/* Runs the programs of the worker's batch, n packets, straight after cache_lookup(). */
void actions_execute_batch(struct worker *w, unsigned n);

/* datapath/meter.c: what a meter says about the packet, whose DSCP it may raise. DROP_REASON_COUNT, or
 * DROP_METER. Tables that the program has passed through already saw the DSCP as it was. */
enum drop_reason meter_packet(struct worker *w, struct packet *p, uint32_t slot);

#endif
