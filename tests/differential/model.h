/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive twin of the switch: what OpenFlow says should happen to a frame, without caches, hashes or
 * programs. Rules lie in one array that every lookup walks from end to end; actions are done one by one on
 * the bytes of the frame. It shares the plain types of flows/ with the real thing, and no code of flows/dp or
 * datapath.
 *
 * model_run() says what happens and changes nothing; model_commit() makes it have happened (counters, what
 * was learned). What packets of one turn of the switch teach is known from the next turn on: model_turn().
 */
#ifndef TESTS_DIFFERENTIAL_MODEL_H
#define TESTS_DIFFERENTIAL_MODEL_H

#include "flows/flow_mod.h"
#include "flows/group.h"
#include "flows/meter.h"
#include "tests/differential/model_frame.h"

enum {
	MODEL_EVENTS_MAX = 256,
	MODEL_HITS_MAX = 512,
	MODEL_GROUPS_MAX = 64,
	MODEL_PORTS_MAX = 16,
	MODEL_MACS_MAX = 4096,
	MODEL_CHOICES_MAX = 16, /* of buckets, for one packet */
	MODEL_BUCKETS_MAX = 8,
	MODEL_TABLES = 16,
	MODEL_LEARNED_MAX = 8,
	MODEL_PENDING_MAX = 4096,
	MODEL_METERS_MAX = 8,
};

struct model_count {
	uint64_t packets, bytes;
};

struct model_rule {
	uint8_t table_id;
	uint16_t priority, flags;
	uint64_t cookie;
	struct match match;
	struct action_list actions;
	struct model_count count;
};

struct model_group {
	struct group_mod mod;
	struct model_count count, buckets[MODEL_BUCKETS_MAX];
};

struct model_port {
	uint32_t number, config; /* OFPPC_* */
	bool makes_checksums;    /* sends no partial ones */
	struct model_count rx, tx;
};

struct model_mac {
	uint16_t vlan;
	struct mac mac;
	uint32_t port;
};

struct model_meter {
	struct meter_mod mod;
	struct model_count count, bands[METER_BANDS_MAX];
	int64_t tokens[METER_BANDS_MAX];
	uint64_t filled; /* when */
};

/* Which bucket a flow took in a select group, or which link by a multipath: any live one, but always the
 * same.
 */
struct model_choice {
	uint32_t group_id; /* GROUP_NONE: a link */
	unsigned bucket;
	unsigned live; /* of how many */
	uint8_t flow[144];
};

/* Which of the live buckets to take where the choice is not known, in the order they are met; then the first.
 */
struct model_guess {
	unsigned n, take[MODEL_CHOICES_MAX];
};

struct model {
	struct model_rule *rules; /* by table, falling priority */
	unsigned n, capacity;
	struct model_group groups[MODEL_GROUPS_MAX];
	unsigned ngroups;
	struct model_port ports[MODEL_PORTS_MAX]; /* ascending numbers */
	unsigned nports;
	struct model_mac macs[MODEL_MACS_MAX], news[MODEL_MACS_MAX]; /* known; reported in this turn */
	unsigned nmacs, nnews;
	struct model_choice *choices;
	unsigned nchoices, choices_capacity;
	struct model_meter meters[MODEL_METERS_MAX];
	unsigned nmeters;
	struct flow_mod learned[MODEL_PENDING_MAX]; /* in this turn */
	unsigned nlearned;
	uint64_t lookups[MODEL_TABLES], matched[MODEL_TABLES];
	uint64_t now; /* ns */
};

struct model_place { /* where a packet-in was sent from */
	uint64_t cookie;
	struct flow_key state; /* the pipeline's fields and the tunnel's, as actions have left them */
	uint16_t max_len, controller_id;
	uint8_t table_id, reason;
};

struct model_event { /* a frame leaves */
	bool to_controller;
	uint32_t port;
	struct model_place place;
	struct model_frame frame;
};

struct model_hit {
	struct model_count *count; /* of a rule, group, bucket */
};

struct model_result {
	struct model_event events[MODEL_EVENTS_MAX];
	unsigned nevents;
	struct model_rule *rules[MODEL_HITS_MAX]; /* one for each time a rule matched */
	unsigned nrules;
	struct model_count *others[MODEL_HITS_MAX]; /* groups and buckets */
	unsigned nothers;
	struct model_mac news[MODEL_HITS_MAX]; /* addresses seen by NORMAL */
	unsigned nnews;
	struct flow_mod learned[MODEL_LEARNED_MAX];
	unsigned nlearned;
	struct model_meter meters[MODEL_METERS_MAX]; /* as they are behind the packet */
	unsigned lookups[MODEL_TABLES];
	unsigned cost, depth; /* how long a program it takes; how deep its branches nest */
	bool strange;         /* see model_rewrite.c: not to be judged */
	struct model_choice choices[MODEL_CHOICES_MAX]; /* the guesses */
	unsigned nchoices;
};

void model_init(struct model *m);
void model_free(struct model *m);

/* ---- changes (model_tables.c) ---- */

void model_flow_mod(struct model *m, const struct flow_mod *fm);
void model_group_mod(struct model *m, const struct group_mod *gm);
struct model_group *model_group(struct model *m, uint32_t id);
bool model_has_priority(const struct model *m, uint8_t table_id, uint16_t priority);
void model_learn(struct model *m, const struct flow_mod *fm);
/* NULL: none. */
struct model_rule *model_lookup(struct model *m, unsigned table_id, const struct flow_key *key);

/* ---- meters (model_meters.c) ---- */

/* Added or modified. */
void model_meter_mod(struct model *m, const struct meter_mod *mm, uint64_t now);
struct model_meter *model_meter(struct model *m, uint32_t id);

/* ---- what packets teach (model_learn.c) ---- */

/* Frees the flows in the result. */
void model_forget_learned(struct model_result *r);
/* Has a packet of this turn taught another flow of the same match? */
bool model_learned_otherwise(const struct model *m, const struct model_result *r);

/* ---- ports (model_ports.c) ---- */

void model_port_add(struct model *m, uint32_t number, bool makes_checksums);
struct model_port *model_port(struct model *m, uint32_t number);
bool model_port_live(struct model *m, uint32_t number);
/* What was reported is known from now on. */
void model_learn_macs(struct model *m);
/* PORT_ANY: not known. */
uint32_t model_mac_port(const struct model *m, uint16_t vlan, struct mac mac);

/* ---- packets (model_run.c) ---- */

/* What happens to `f`, coming in on `in_port`. `guess` may be NULL. */
void model_run(struct model *m, uint32_t in_port, const struct model_frame *f,
               const struct model_guess *guess, struct model_result *out);
/* Another guess than the one that led to `r`, until all were made: false. */
bool model_guess_next(struct model_guess *guess, const struct model_result *r);
/* It has happened, with these guesses. */
void model_commit(struct model *m, uint32_t in_port, uint32_t len, const struct model_result *r);
/* The turn is over: what was reported is learned. */
void model_turn(struct model *m);

#endif
