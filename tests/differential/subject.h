/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switch that is judged: a real datapath with one worker, run by the test's own thread, and memory ports.
 *
 * A turn: what was injected goes the whole way, what the worker reported is drained, and the grace periods
 * end (the barrier): all that the packets of the turn changed is known when it is over.
 */
#ifndef TESTS_DIFFERENTIAL_SUBJECT_H
#define TESTS_DIFFERENTIAL_SUBJECT_H

#include "datapath/datapath.h"
#include "flows/dp/tables.h"
#include "flows/flow_mod.h"
#include "ports/memory.h"
#include "tests/differential/model_frame.h"

enum { SUBJECT_PACKET_INS = 16384, SUBJECT_TURN_MAX = 64 }; /* frames of one port in a turn */

struct subject_packet_in {
	struct program_controller place;
	struct flow_key key;
	uint32_t len, total_len;
	uint8_t data[MODEL_FRAME_MAX];
};

struct subject {
	struct tables *tables;
	struct datapath *dp;
	struct subject_packet_in *packet_ins; /* of the turn, in order */
	unsigned npacket_ins;
	/* of flows that went, told with their last counters */
	void (*flow_removed)(void *arg, const struct flow_stats *flow, enum tables_removed reason);
	void *arg;
};

/* Aborts when it cannot. `s` is zeroed but for flow_removed and arg. */
void subject_create(struct subject *s, uint32_t cache_entries);
void subject_destroy(struct subject *s);

struct port *subject_port_add(struct subject *s, uint32_t number, uint32_t caps);
/* At most SUBJECT_TURN_MAX of one port in a turn. `head`, `piece`: how the frame lies in memory, see
 * ports/memory.h. */
void subject_inject(struct subject *s, uint32_t port, const struct model_frame *f, uint16_t head,
                    uint16_t piece);
void subject_turn(struct subject *s);
/* All counters are where they can be read. */
void subject_fold(struct subject *s);

#endif
