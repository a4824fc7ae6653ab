/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of flows/dp: what the tables consist of. Workers read it by way of translate.c and cache.c;
 * everything is written by the control thread (tables.c and its neighbours). */
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

/* What a program depends on, as numbers: per table a slot for rules without a telling field (0) and 64 for
 * each of four fields that a rule may match exactly; per group one of 255; the liveness of ports. */
enum {
	DEP_METADATA,
	DEP_IN_PORT,
	DEP_TUN_ID,
	DEP_ETH_DST,
	DEP_FIELDS,
	DEP_PER_FIELD = 64,
	DEP_PER_TABLE = 1 + DEP_FIELDS * DEP_PER_FIELD,
	DEP_GROUPS = TABLES_COUNT * DEP_PER_TABLE,
	DEP_GROUP_SLOTS = 255,
	DEP_PORTS = DEP_GROUPS + DEP_GROUP_SLOTS,
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

enum { GROUP_HEADS = 4096 };

struct undo { /* one step of a change that is not published yet */
	enum undo_kind { RULE_ADDED, RULE_REMOVED, GROUP_ADDED, GROUP_REMOVED } kind;
	union {
		struct rule *rule;
		struct group *group;
	};
};

struct dying {
	struct rule *rules, **rules_end;
	struct group *groups;
};

struct tables {
	/* worker: ro */
	uint64_t version;
	uint32_t fold_wanted;
	uint64_t *changed; /* [DEP_COUNT]: last version in which this changed */
	struct table tables[TABLES_COUNT];
	struct group *groups[GROUP_HEADS];
	uint64_t port_down[1024]; /* bit per mkey_port() */
	uint64_t seed;
	struct slots slots;
	struct relevance relevance;
	/* control */
	struct tables_config config;
	struct cache *caches[WORKERS_MAX];
	uint64_t sequence;
	uint32_t nrules, ngroups, ntimed;
	struct rule *timed;
	/* change under way */
	uint64_t next_version, now;
	struct undo *undo;
	uint32_t nundo, undo_capacity;
	/* removed: not yet asked workers to fold, and waiting for them to do it */
	struct dying dying, waiting;
	uint32_t waiting_fold;
};

static inline bool port_is_down(const struct tables *t, uint32_t port)
{
	uint16_t p = (uint16_t)port;

	return __atomic_load_n(&t->port_down[p / 64], __ATOMIC_RELAXED) >> (p % 64) & 1;
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

/* change.c: the steps that flow_mods and group_mods are made of, each undone when the change is refused. The
 * rule or group is the tables' from then on, also when it fails. */
void change_begin(struct tables *t, uint64_t now);
enum tables_error change_add_rule(struct tables *t, struct rule *r);
enum tables_error change_remove_rule(struct tables *t, struct rule *r, enum tables_removed reason, bool tell);
enum tables_error change_add_group(struct tables *t, struct group *g);
enum tables_error change_remove_group(struct tables *t, struct group *g);
enum tables_error change_commit(struct tables *t);
void change_rollback(struct tables *t);

/* dying.c: what was removed and waits for the workers. */
void dying_add_rule(struct tables *t, struct rule *r);
void dying_add_group(struct tables *t, struct group *g);
/* Asks for a fold when something waits and none is under way. */
void dying_start(struct tables *t);
void dying_finish_all(struct tables *t, uint64_t now);

/* flow_mods.c, groups.c: one step of tables_apply. */
enum tables_error flow_mod_apply(struct tables *t, const struct flow_mod *fm);
enum tables_error group_mod_apply(struct tables *t, const struct group_mod *gm);
enum tables_error flow_mods_remove_by_group(struct tables *t, uint32_t group_id);
/* Do the actions make sense to the tables: known groups, nothing that Weft cannot do? */
enum tables_error actions_check(const struct tables *t, const struct action_list *l);

/* Frees what no worker can see any more, memory after a grace period. */
void rule_discard(struct tables *t, struct rule *r);
void group_discard(struct tables *t, struct group *g);
void rule_stats(struct tables *t, const struct rule *r, uint64_t now, struct flow_stats *out);

/* filter.c: which rules a loose change, an aggregate or a dump is about. */
struct rule_filter;
typedef enum tables_error (*rule_visit)(struct tables *t, struct rule *r, void *arg);
/* Calls visit for every present rule that the filter selects (it may remove the rule), until one fails. */
enum tables_error rules_select(struct tables *t, const struct flow_filter *filter, rule_visit visit,
                               void *arg);

#endif
