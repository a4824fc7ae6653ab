/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A meter on its way past packets: what OP_METER executes.
 *
 * Design: each band has a token bucket that starts full. Its level is one number: the time at which it would
 * have been empty; a packet that fits moves that time forward by what it costs, by compare and swap, so that
 * the rate holds for all workers together and no packet is lost from the count. Of the bands a packet finds
 * without room the one of the highest rate takes it (OpenFlow 1.3 section 5.7.1).
 *
 * Thread-safety: meter_run: workers, under RCU, with a slot from a program that they hold.
 */
#ifndef FLOWS_DP_METER_H
#define FLOWS_DP_METER_H

#include <stdint.h>

struct tables;

enum meter_verdict {
	METER_PASS,   /* no band, or a meter that has gone meanwhile */
	METER_REFUSE, /* drop: DROP_METER, the branch ends */
	METER_REMARK, /* raise the drop precedence of the DSCP by *prec_level, then go on */
};

/* Counts `packets` (what a GSO packet stands for, else 1) of `bytes` in all (L2 header included) and takes
 * them out of the buckets. `slot`: arg32 of OP_METER. `worker`: who counts. `now`: clock_now() of the batch.
 */
enum meter_verdict meter_run(struct tables *t, uint32_t slot, unsigned worker, uint32_t packets,
                             uint32_t bytes, uint64_t now, uint8_t *prec_level);

#endif
