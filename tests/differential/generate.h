/* SPDX-License-Identifier: Apache-2.0 */
/* Random flows, groups and packets out of small sets of values, so that rules overlap and packets hit. The
 * same seed gives the same sequence. */
#ifndef TESTS_DIFFERENTIAL_GENERATE_H
#define TESTS_DIFFERENTIAL_GENERATE_H

#include "flows/flow_mod.h"
#include "flows/group.h"

enum { GENERATE_TABLES = 5, GENERATE_GROUPS = 6, GENERATE_PORTS = 6 };

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);
/* Below n. */
unsigned random_below(struct random *r, unsigned n);

/* SEED from the environment, or `fallback`; printed. */
uint64_t random_seed(uint64_t fallback);

void generate_packet(struct random *r, struct flow_key *key);
/* Fills match, table, priority and actions; the groups below `ngroups` exist. The caller frees it. */
void generate_flow(struct random *r, unsigned ngroups, struct flow_mod *fm);
void generate_match(struct random *r, struct match *m);
void generate_actions(struct random *r, const struct match *m, uint8_t table_id, unsigned ngroups,
                      struct action_list *out);
void generate_group(struct random *r, uint32_t id, struct group_mod *gm);

#endif
