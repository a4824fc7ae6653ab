/* SPDX-License-Identifier: Apache-2.0 */
/* The tables as a whole: life, changes as one version, packet-out. Called by the control thread. */
#include "flows/dp/tables.h"

#include <stdlib.h>
#include <string.h>

#include "flows/dp/state.h"
#include "flows/dp/subtable.h"
#include "flows/dp/translate.h"

static int tables_init(struct tables *t)
{
	t->changed = calloc(DEP_COUNT, sizeof(*t->changed));
	t->meter_numbers = calloc(METER_NUMBERS, sizeof(*t->meter_numbers));
	if (!t->changed || !t->meter_numbers || relevance_init(&t->relevance))
		return -1;
	for (unsigned i = 0; i < TABLES_COUNT; i++)
		if (classifier_init(&t->tables[i].classifier, t->config.max_masks) ||
		    slots_get(&t->slots, &t->tables[i].miss))
			return -1;
	return 0;
}

struct tables *tables_create(const struct tables_config *config)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (config)
		t->config = *config;
	if (!t->config.max_rules)
		t->config.max_rules = 1000000;
	if (!t->config.max_masks)
		t->config.max_masks = 512;
	if (!t->config.max_groups)
		t->config.max_groups = 65536;
	if (!t->config.max_meters)
		t->config.max_meters = 65536;
	if (!t->config.max_learned)
		t->config.max_learned = t->config.max_rules / 4;
	t->version = 1;
	t->seed = hash_random_seed();
	slots_init(&t->slots);
	if (!tables_init(t))
		return t;
	tables_destroy(t);
	return NULL;
}

/* Everything goes; what flow_removed could tell is not told. */
static void remove_everything(struct tables *t)
{
	struct flow_filter all = {.table_id = TABLE_ALL, .out_port = PORT_ANY, .out_group = GROUP_ANY};
	struct group_mod groups = {.command = GROUP_DELETE, .group_id = GROUP_ALL};
	struct meter_mod meters = {.command = METER_DELETE, .meter_id = METER_ALL};
	struct flow_mod rules = {.command = FLOW_DELETE,
	                         .table_id = all.table_id,
	                         .out_port = all.out_port,
	                         .out_group = all.out_group};

	t->config.flow_removed = NULL;
	dying_finish_all(t, t->now);
	change_begin(t, t->now);
	flow_mod_apply(t, &rules);
	group_mod_apply(t, &groups);
	meter_mod_apply(t, &meters);
	change_commit(t);
	dying_finish_all(t, t->now);
}

void tables_destroy(struct tables *t)
{
	if (!t)
		return;
	if (t->changed && t->tables[TABLES_COUNT - 1].classifier.list)
		remove_everything(t);
	rcu_synchronize();
	for (unsigned i = 0; i < TABLES_COUNT; i++)
		classifier_exit(&t->tables[i].classifier);
	relevance_exit(&t->relevance);
	slots_exit(&t->slots);
	free(t->changed);
	free(t->meter_numbers);
	free(t->undo);
	free(t->group_ids.ids);
	free(t->meter_ids.ids);
	free(t);
}

static enum tables_error apply_one(struct tables *t, const struct tables_change *change)
{
	if (change->flow)
		return flow_mod_apply(t, change->flow);
	return change->group ? group_mod_apply(t, change->group) : meter_mod_apply(t, change->meter);
}

enum tables_error tables_apply(struct tables *t, const struct tables_change *changes, unsigned n,
                               uint64_t now, unsigned *failed)
{
	enum tables_error err;

	change_begin(t, now);
	for (unsigned i = 0; i < n; i++) {
		err = apply_one(t, &changes[i]);
		if (err) {
			change_rollback(t);
			if (failed)
				*failed = i;
			return err;
		}
	}
	err = change_commit(t);
	if (err && failed)
		*failed = n - 1;
	return err;
}

const char *tables_error_text(enum tables_error e)
{
	static const char *const texts[] = {
	        [TABLES_OK] = "no error",
	        [TABLES_NO_MEMORY] = "out of memory",
	        [TABLES_FULL] = "table full: too many flows, or too many different masks in one table",
	        [TABLES_BAD_TABLE] = "no such table",
	        [TABLES_BAD_GOTO] = "goes to a table that does not exist",
	        [TABLES_OVERLAP] = "overlaps a flow of the same priority",
	        [TABLES_BAD_COMMAND] = "unknown command",
	        [TABLES_BAD_OUT_GROUP] = "an action names a group that does not exist",
	        [TABLES_UNSUPPORTED] = "an action is not supported",
	        [TABLES_GROUP_EXISTS] = "the group exists already",
	        [TABLES_GROUP_UNKNOWN] = "no such group",
	        [TABLES_GROUP_LOOP] = "groups would form a loop",
	        [TABLES_GROUP_CHAINED] = "another group uses this group",
	        [TABLES_GROUP_INVALID] = "the group's type does not allow these buckets",
	        [TABLES_OUT_OF_GROUPS] = "too many groups",
	        [TABLES_METER_EXISTS] = "the meter exists already",
	        [TABLES_METER_UNKNOWN] = "no such meter",
	        [TABLES_METER_INVALID] = "no such meter, or a meter cannot have this number",
	        [TABLES_METER_FLAGS] = "flags that a meter cannot have together",
	        [TABLES_METER_RATE] = "a band needs a rate above zero",
	        [TABLES_METER_BAND] = "unknown type of band",
	        [TABLES_OUT_OF_METERS] = "too many meters",
	        [TABLES_OUT_OF_BANDS] = "too many bands",
	};

	return e < sizeof(texts) / sizeof(texts[0]) ? texts[e] : "unknown error";
}

uint64_t tables_version(const struct tables *t)
{
	return t->version;
}

uint32_t tables_max_rules(const struct tables *t)
{
	return t->config.max_rules;
}

uint32_t tables_max_meters(const struct tables *t)
{
	return t->config.max_meters;
}

void tables_set_port_live(struct tables *t, uint32_t port, bool live)
{
	uint16_t p = mkey_port(port);
	uint64_t bit = 1ull << (p % 64), word = t->port_live[p / 64];

	if (live == !!(word & bit))
		return;
	__atomic_store_n(&t->port_live[p / 64], word ^ bit, __ATOMIC_RELEASE);
	rcu_assign(t->changed[DEP_PORTS], t->version + 1);
	rcu_assign(t->version, t->version + 1);
}

/* What every walk asks: all programs are made anew. */
static void set_mode(struct tables *t, bool *mode, bool on)
{
	if (*mode == on)
		return;
	__atomic_store_n(mode, on, __ATOMIC_RELEASE);
	rcu_assign(t->changed[0], t->version + 1);
	rcu_assign(t->version, t->version + 1);
}

void tables_bypass(struct tables *t, bool on)
{
	set_mode(t, &t->bypassed, on);
}

void tables_tell_misses(struct tables *t, bool on)
{
	set_mode(t, &t->misses_told, on);
}

void tables_set_port_tunnel(struct tables *t, uint32_t port, bool tunnel)
{
	relevance_set_tunnel(&t->relevance, mkey_port(port), tunnel);
}

/* One packet is counted for all that it met. */
static void pack_counted(struct tables *t, const struct translation *tr, uint32_t len, uint64_t now,
                         struct program *out)
{
	for (unsigned i = 0; i < tr->nrefs; i++)
		slots_credit(&t->slots, WORKERS_MAX, tr->refs[i], 1, len, now);
	translation_pack(tr, out);
}

void tables_packet_out(struct tables *t, const struct flow_key *key, const struct action_list *actions,
                       uint32_t len, uint64_t now, struct program *out)
{
	struct translation tr;

	translate_actions(t, t->version, key, actions, &tr);
	pack_counted(t, &tr, len, now, out);
}

void tables_resume(struct tables *t, const struct flow_key *key, const struct flow_key *told,
                   const struct continuation *c, uint32_t len, uint64_t now, struct program *out)
{
	struct translation tr;

	translate_continuation(t, t->version, key, told, c, &tr);
	pack_counted(t, &tr, len, now, out);
}
