/* SPDX-License-Identifier: Apache-2.0 */
/* The switch and its twin, and random changes made to both. Part of forward_test.c's test: what goes wrong
 * fails it. */
#ifndef TESTS_DIFFERENTIAL_WORLD_H
#define TESTS_DIFFERENTIAL_WORLD_H

#include "tests/differential/generate.h"
#include "tests/differential/model.h"
#include "tests/differential/subject.h"

struct world {
	struct random random;
	struct subject subject;
	struct model model;
	uint64_t cookies;
	uint32_t conjunctions; /* made so far */
	uint64_t now;          /* what the clock says */
	uint64_t packets;      /* sent so far, for messages */
};

/* New ones, with ports, groups, meters and flows. */
void world_create(struct world *w);
/* Compares for the last time. */
void world_destroy(struct world *w);
/* One version later. */
void world_change(struct world *w);
/* Says on stdout which flows the switch and its twin count otherwise. */
void world_explain(struct world *w);
/* All counters, flows and addresses are the same. */
void world_compare(struct world *w);

#endif
