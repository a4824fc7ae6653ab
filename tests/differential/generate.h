/* SPDX-License-Identifier: Apache-2.0 */
/* Random flows, groups and frames out of small sets of values, so that rules overlap and packets hit. The
 * same seed gives the same sequence. */
#ifndef TESTS_DIFFERENTIAL_GENERATE_H
#define TESTS_DIFFERENTIAL_GENERATE_H

#include "flows/flow_mod.h"
#include "flows/group.h"
#include "flows/meter.h"
#include "tests/differential/model_frame.h"
#include "tests/differential/random.h"

enum {
	GENERATE_TABLES = 5,            /* 0 to 4 */
	GENERATE_LEARNED_TABLE = 5,     /* what learn actions fill */
	GENERATE_CONJUNCTION_TABLE = 6, /* with clauses among its flows */
	GENERATE_GROUPS = 6,
	GENERATE_METERS = 4,
	GENERATE_PORTS = 6,
	GENERATE_TUNNEL_PORT = 1,      /* whose packets come out of tunnels */
	GENERATE_CONJUNCTION_MAX = 16, /* flows of one conjunction */
};

/* What a round is mostly about, so that rare things meet each other. */
enum generate_theme { THEME_ALL, THEME_LABELS, THEME_IPV6, THEME_TAGS, THEMES };

/* ---- generate_frame.c ---- */

/* From now on. */
void generate_about(enum generate_theme theme);
enum generate_theme generate_theme(void);

/* Header fields that fit each other, and the port the packet comes in on. */
void generate_key(struct random *r, struct flow_key *key);
/* A frame that has them, with a payload, sometimes padding, options, a checksum that is wrong or still to be
 * made. */
void generate_frame(struct random *r, const struct flow_key *key, struct model_frame *f);

/* ---- generate_match.c ---- */

void generate_match(struct random *r, struct match *m);
/* Adds what `packet` has in this field. */
void generate_match_on(struct match *m, const struct flow_key *packet, enum field_id id);

/* ---- generate_learn.c ---- */

/* A learning switch and the like. Flows of one action are all of its priority and have the same mask, so that
 * they do not overlap. */
void generate_learn(struct random *r, struct action_list *list);

/* ---- generate_flow.c ---- */

/* Fills match, table, priority and actions; the groups below `ngroups` exist. The caller frees it. */
void generate_flow(struct random *r, unsigned ngroups, struct flow_mod *fm);
void generate_actions(struct random *r, const struct match *m, uint8_t table_id, unsigned ngroups,
                      struct action_list *out);
/* The clauses of conjunction `id`, all of this priority, and the flow that it leads to; returns how many. The
 * caller frees them. */
unsigned generate_conjunction(struct random *r, uint32_t id, uint16_t priority, unsigned ngroups,
                              struct flow_mod fm[GENERATE_CONJUNCTION_MAX]);
void generate_meter(struct random *r, uint32_t id, struct meter_mod *mm);
/* Chained to groups above `id` only. */
void generate_group(struct random *r, uint32_t id, unsigned ngroups, struct group_mod *gm);

#endif
