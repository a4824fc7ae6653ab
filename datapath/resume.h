/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that come back from the connection tracker and go on in another table. Private to datapath/.
 *
 * Design: what ct(table=N) has tracked waits in a list of the worker's until the batch is done, and is then
 * looked up and executed in batches of its own, with a key that has everything the first walk knew. What the
 * second pass sends to the tracker again joins the end of the list.
 *
 * Thread-safety: of one worker.
 *
 * Life cycle: ct_execute() while programs run -> resume_all() before the output is flushed, so that payload
 * is still there.
 */
#ifndef DATAPATH_RESUME_H
#define DATAPATH_RESUME_H

#include "datapath/output.h"

enum {
	RESUMED_MAX = CLONES_MAX,     /* packets of a worker that wait at a time */
	RESUME_DEPTH_MAX = 8,         /* times that one packet goes on */
	RESUMES_MAX = 16 * BATCH_MAX, /* times that packets of a batch go on, with all copies of theirs */
};

struct resumed {
	struct packet *p;
	struct mkey key;
	unsigned depth; /* times it has gone on, with this one */
	uint16_t more;  /* bytes of `rest` */
	uint8_t rest[PROGRAM_DATA_MAX * 16] __attribute__((aligned(16)));
};

/* Fetches the connections of a batch that was just looked up, as far as its programs begin with OP_CT. */
void ct_prefetch(struct worker *w, unsigned n);

/* OP_CT. `last`: nothing follows that needs x->p, so that it goes on itself and not a copy of it. */
void ct_execute(struct exec *x, const struct program *program, const struct op *op, bool last);

/* Until none waits. */
void resume_all(struct worker *w);

#endif
