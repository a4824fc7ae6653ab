/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of flows/dp: what the tables consist of; design and life cycle stand in tables.h.
 *
 * Thread-safety: workers read it by way of translate.c and cache.c, under RCU; everything is written by the
 * control thread (tables.c and its neighbours). */
#ifndef FLOWS_DP_STATE_H
#define FLOWS_DP_STATE_H

#include "base/hash.h"
#include "base/dp/rcu.h"
#include "flows/dp/cache.h"
#include "flows/dp/classifier.h"
#include "flows/dp/relevance.h"
#include "flows/dp/slots.h"
#include "flows/dp/tables.h"
#include "flows/flow_mod.h"
#include "flows/group.h"
#include "flows/meter.h"

/* What a program depends on, as numbers: per table a slot for rules without a telling field (0) and 64 for
 * each of four fields that a rule may match exactly; per group and per meter one of 127; the liveness of
 * ports.
 */
enum {
	DEP_METADATA,
	DEP_IN_PORT,
	DEP_TUN_ID,
	DEP_ETH_DST,
	DEP_FIELDS,
	DEP_PER_FIELD = 64,
	DEP_PER_TABLE = 1 + DEP_FIELDS * DEP_PER_FIELD,
	DEP_GROUPS = TABLES_COUNT * DEP_PER_TABLE,
	DEP_GROUP_SLOTS = 127,
	DEP_METERS = DEP_GROUPS + DEP_GROUP_SLOTS,
	DEP_METER_SLOTS = 127,
	DEP_PORTS = DEP_METERS + DEP_METER_SLOTS,
	DEP_LEARNED, /* how many flows there are, where a learn action has a limit */
	DEP_COUNT,
};
static_assert(DEP_COUNT <= 65536, "a program keeps them in 16 bits");

static inline uint16_t dep_of_field(unsigned field, uint64_t value)
{
	return (uint16_t)(1 + field * DEP_PER_FIELD + hash_mix(value) % DEP_PER_FIELD);
}

static inline uint16_t dep_of_group(uint32_t id)
{
	return (uint16_t)(DEP_GROUPS + id % DEP_GROUP_SLOTS);
}

static inline uint16_t dep_of_meter(uint32_t id)
{
	return (uint16_t)(DEP_METERS + id % DEP_METER_SLOTS);
}

static inline uint64_t dep_mac(const struct mac *m)
{
	uint64_t v = 0;

	memcpy(&v, m->b, 6);
	return v;
}

struct table {
	struct classifier classifier;
	uint8_t dep_fields; /* bits: which of DEP_* some rule uses (never taken back) */
	struct slot_ref miss;
	/* control */
	struct rule *rules;
	uint32_t active;
	uint64_t gone_packets; /* counted by rules that are gone */
};

struct group {
	/* worker: ro */
	struct group *next; /* RCU; newer versions first */
	uint64_t added, removed;
	struct group_mod mod; /* as GROUP_ADD; owned */
	struct slot_ref slot;
	struct slot_ref *buckets;
	struct shape **shapes; /* control */
	/* control */
	struct group *next_dying;
	uint64_t created;
};

struct meter {
	/* worker: ro, but for the levels */
	struct meter *next; /* RCU; newer versions first */
	uint64_t added, removed;
	struct meter_mod mod; /* as METER_ADD */
	struct slot_ref slot;
	struct meter_level {
		uint64_t empty; /* when the bucket would have been empty: 1/16 ns since `created`; workers: rw
		                 */
		uint64_t burst; /* what a full one lasts, 1/16 ns */
		double cost;    /* of a packet or a byte, 1/16 ns */
		struct slot_ref slot;
	} levels[METER_BANDS_MAX];
	uint64_t started;
	uint32_t number; /* place in tables.meter_numbers: arg32 of OP_METER */
	/* control */
	struct meter *next_dying;
	uint64_t created;
};

enum { LEARN_GROUP_HEADS = 256, GROUP_HEADS = 4096, METER_HEADS = 4096, METER_NUMBERS = 131072 };

struct undo { /* one step of a change that is not published yet */
	enum undo_kind {
		RULE_ADDED,
		RULE_REMOVED,
		GROUP_ADDED,
		GROUP_REMOVED,
		METER_ADDED,
		METER_REMOVED,
	} kind;
	bool replaced; /* RULE_REMOVED: another took its place */
	bool modified; /* RULE_ADDED: `old` with other actions */
	union {
		struct rule *rule;
		struct group *group;
		struct meter *meter;
	};
	const struct rule *old; /* RULE_ADDED: in whose place */
};

struct id_list { /* rising; put together when it is asked for after a change */
	uint32_t *ids;
	uint32_t n;
	uint64_t version; /* of the tables, that it is right for; 0: none */
};

struct dying {
	struct rule *rules, **rules_end;
	struct group *groups;
	struct meter *meters;
	uint32_t n;
};

struct tables {
	/* worker: ro */
	uint64_t version;
	uint32_t fold_wanted;
	uint64_t *changed; /* [DEP_COUNT]: last version in which this changed */
	struct table tables[TABLES_COUNT];
	struct group *groups[GROUP_HEADS];
	struct meter *meters[METER_HEADS];
	struct meter **meter_numbers; /* [METER_NUMBERS], each RCU */
	struct learn_group *learn_groups[LEARN_GROUP_HEADS];
	uint64_t port_live[1024]; /* bit per mkey_port() */
	bool bypassed, misses_told;
	uint64_t seed;
	struct slots slots;
	struct relevance relevance;
	/* control */
	struct tables_config config;
	struct cache *caches[WORKERS_MAX];
	uint64_t sequence;
	uint32_t nrules, ngroups, nmeters;
	uint32_t nlearned; /* of the rules */
	uint32_t next_meter_number;
	uint32_t nlearn_groups;
	struct rule *timed;
	struct id_list group_ids, meter_ids;
	uint64_t changes; /* of rules, so far */
	bool watched;
	/* change under way */
	uint64_t next_version, now;
	bool learning;           /* the change is what packets learn */
	bool learn_limit_passed; /* of some learn group */
	struct learn_group *orphaned;
	struct undo *undo;
	uint32_t nundo, undo_capacity;
	/* removed: not yet asked workers to fold, and waiting for them to do it */
	struct dying dying, waiting;
	uint32_t waiting_fold;
	uint64_t folded_at; /* for the dying alone */
};

static inline bool port_is_live(const struct tables *t, uint32_t port)
{
	uint16_t p = (uint16_t)port;

	return __atomic_load_n(&t->port_live[p / 64], __ATOMIC_RELAXED) >> (p % 64) & 1;
}

/* The group as of `version`; NULL: none. */
static inline const struct group *group_find(const struct tables *t, uint32_t id, uint64_t version)
{
	const struct group *g = rcu_read(t->groups[id % GROUP_HEADS]);

	while (g &&
	       !(g->mod.group_id == id && rcu_read(g->added) <= version && version < rcu_read(g->removed)))
		g = rcu_read(g->next);
	return g;
}

/* The meter as of `version`; NULL: none. */
static inline const struct meter *meter_find(const struct tables *t, uint32_t id, uint64_t version)
{
	const struct meter *m = rcu_read(t->meters[id % METER_HEADS]);

	while (m &&
	       !(m->mod.meter_id == id && rcu_read(m->added) <= version && version < rcu_read(m->removed)))
		m = rcu_read(m->next);
	return m;
}

/* change.c: the steps that flow_mods and group_mods are made of, each undone when the change is refused. The
 * rule or group is the tables' from then on, also when it fails. */
void change_begin(struct tables *t, uint64_t now);
/* At once, without a version: workers don't know timeouts. */
void change_timeouts(struct tables *t, struct rule *r, uint16_t idle, uint16_t hard);
/* The dependency slot, inside its table, of a rule with this match: by the first field of DEP_* that it
 * matches exactly, whose bit goes to *field_bit (may be NULL). */
uint16_t dep_of_match(const struct match *m, uint8_t *field_bit);
enum tables_error change_add_rule(struct tables *t, struct rule *r);
enum tables_error change_remove_rule(struct tables *t, struct rule *r, enum tables_removed reason, bool tell);
/* `r` for `old`; `modified` says that the old one was changed rather than added again. */
enum tables_error change_replace_rule(struct tables *t, struct rule *old, struct rule *r, bool modified);
enum tables_error change_add_group(struct tables *t, struct group *g);
enum tables_error change_remove_group(struct tables *t, struct group *g);
enum tables_error change_add_meter(struct tables *t, struct meter *m);
enum tables_error change_remove_meter(struct tables *t, struct meter *m);
enum tables_error change_commit(struct tables *t);
void change_rollback(struct tables *t);

/* watch.c: numbers the changes of the version just published, and tells them when somebody watches. */
void watch_changes(struct tables *t);

/* dying.c: what was removed and waits for the workers. */
void dying_add_rule(struct tables *t, struct rule *r);
void dying_add_group(struct tables *t, struct group *g);
void dying_add_meter(struct tables *t, struct meter *m);
void dying_finish_all(struct tables *t, uint64_t now);

/* flow_mods.c, groups.c, meters.c: one step of tables_apply. */
enum tables_error flow_mod_apply(struct tables *t, const struct flow_mod *fm);
/* Modifies strictly, or adds. */
enum tables_error flow_mod_learn(struct tables *t, const struct flow_mod *fm);
enum tables_error group_mod_apply(struct tables *t, const struct group_mod *gm);
enum tables_error meter_mod_apply(struct tables *t, const struct meter_mod *mm);
/* Do the actions make sense to the tables: known groups and meters, nothing that Weft cannot do? */
enum tables_error actions_check(const struct tables *t, const struct action_list *l);

/* Frees what no worker can see any more, memory after a grace period. */
void rule_discard(struct tables *t, struct rule *r);
void group_discard(struct tables *t, struct group *g);
void meter_discard(struct tables *t, struct meter *m);
void rule_stats(struct tables *t, const struct rule *r, uint64_t now, struct flow_stats *out);

/* users.c: the rules that name a group or a meter are counted in its slot's owner, so that nobody looks for
 * what is not there. */
bool users_named(const struct action_list *l);
/* A rule that names some is there, or is not any more. */
void users_count(struct tables *t, const struct rule *r, int32_t add);
/* The same for what the buckets of a group lead to. */
void users_count_chained(struct tables *t, const struct group *g, int32_t add);
/* Removes the flows that use it: `type` is ACTION_GROUP or ACTION_METER. */
enum tables_error users_remove(struct tables *t, enum action_type type, uint32_t id, struct slot_ref slot,
                               enum tables_removed reason);

/* ids.c: the lowest group (meter) id >= from. False: none, or no memory. */
bool ids_next_group(struct tables *t, uint32_t from, uint32_t *id);
bool ids_next_meter(struct tables *t, uint32_t from, uint32_t *id);

/* filter.c: which rules a loose change, an aggregate or a dump is about. */
struct rule_filter;
typedef enum tables_error (*rule_visit)(struct tables *t, struct rule *r, void *arg);
/* Calls visit for every present rule that the filter selects (it may remove the rule), until one fails. */
enum tables_error rules_select(struct tables *t, const struct flow_filter *filter, rule_visit visit,
                               void *arg);

#endif
