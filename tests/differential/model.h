/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive twin of flows/dp: what OpenFlow says should happen to a packet, without caches, hashes or
 * programs. Rules lie in one array that every lookup walks from end to end; actions are done one by one on
 * the wide key. It shares the plain types of flows/ with the real thing, and no code of flows/dp or datapath.
 */
#ifndef TESTS_DIFFERENTIAL_MODEL_H
#define TESTS_DIFFERENTIAL_MODEL_H

#include "flows/flow_mod.h"
#include "flows/group.h"

enum { MODEL_EVENTS_MAX = 512, MODEL_HITS_MAX = 512, MODEL_GROUPS_MAX = 64 };

struct model_rule {
	uint8_t table_id;
	uint16_t priority;
	uint64_t cookie;
	struct match match;
	struct action_list actions;
	uint64_t packets, bytes;
};

struct model {
	struct model_rule *rules;
	unsigned n, capacity;
	struct group_mod groups[MODEL_GROUPS_MAX]; /* present ones */
	unsigned ngroups;
};

enum model_event_kind { MODEL_OUTPUT, MODEL_IN_PORT, MODEL_FLOOD, MODEL_ALL, MODEL_NORMAL, MODEL_CONTROLLER };

struct model_event { /* a packet leaves */
	enum model_event_kind kind;
	uint32_t port;
	uint64_t cookie;     /* of the rule, for a packet-in */
	struct flow_key key; /* what it looks like then; pipeline state zero */
};

struct model_result {
	struct model_event events[MODEL_EVENTS_MAX];
	unsigned nevents;
	struct model_rule *hits[MODEL_HITS_MAX]; /* one for each time a rule matched */
	unsigned nhits;
	unsigned nselects; /* times a select group was met */
};

void model_init(struct model *m);
void model_free(struct model *m);
void model_flow_mod(struct model *m, const struct flow_mod *fm);
void model_group_mod(struct model *m, const struct group_mod *gm);
bool model_has_priority(const struct model *m, uint8_t table_id, uint16_t priority);

/* What happens to a packet with this key. The n-th select group that is met takes the bucket of the
 * n-th digit of `choice` to the base of 3 (modulo its buckets). */
void model_run(struct model *m, const struct flow_key *key, unsigned choice, struct model_result *out);
/* Counts it. */
void model_count(const struct model_result *r, uint32_t len);

#endif
