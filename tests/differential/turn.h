/* SPDX-License-Identifier: Apache-2.0 */
/* One turn of the switch: which frames go in, what the model expects to leave, and whether that has left. */
#ifndef TESTS_DIFFERENTIAL_TURN_H
#define TESTS_DIFFERENTIAL_TURN_H

#include "tests/differential/model.h"
#include "tests/differential/subject.h"

struct sample { /* a frame, and the port it comes in on */
	uint32_t port;
	struct model_frame frame;
};

struct expected { /* something that has to leave */
	unsigned packet;
	struct model_event event;
};

struct turn {
	const struct sample *packets[MODEL_PORTS_MAX * SUBJECT_TURN_MAX];
	unsigned npackets;
	struct expected **expected;
	unsigned nexpected, capacity;
	/* what left, by the place of the port in the model; oldest first */
	struct memory_frame *seen[MODEL_PORTS_MAX];
};

/* Adds a packet and what the model says of it. */
void turn_add(struct turn *t, const struct sample *s, const struct model_result *r);
/* Takes what left the switch's ports. */
void turn_collect(struct turn *t, struct subject *s, const struct model *m);
/* What is wrong with what left; NULL: nothing. *where: which of the expected ones. */
const char *turn_judge(const struct turn *t, const struct subject *s, struct model *m, unsigned *where);
/* Says on stdout what was expected of the packet that expectation `where` belongs to, and by which flows. */
void turn_explain(const struct turn *t, const struct subject *s, struct model *m, unsigned where);
/* Forgets what was expected, and what left as well. */
void turn_forget_expected(struct turn *t);
void turn_clear(struct turn *t);

#endif
