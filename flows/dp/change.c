/* SPDX-License-Identifier: Apache-2.0 */
/* One change of the tables: steps are made in place under the next version, then published or taken back.
 * Called by tables.c, flow_mods.c, groups.c and expire.c. */
#include <stdlib.h>

#include "flows/dp/learn.h"
#include "flows/dp/state.h"
#include "flows/dp/subtable.h"

static enum tables_error note(struct tables *t, struct undo undo)
{
	if (t->nundo == t->undo_capacity) {
		uint32_t capacity = t->undo_capacity ? t->undo_capacity * 2 : 64;
		struct undo *u = realloc(t->undo, capacity * sizeof(*u));

		if (!u)
			return TABLES_NO_MEMORY;
		t->undo = u;
		t->undo_capacity = capacity;
	}
	t->undo[t->nundo++] = undo;
	return TABLES_OK;
}

void change_begin(struct tables *t, uint64_t now)
{
	t->next_version = t->version + 1;
	t->now = now;
	t->nundo = 0;
	t->learn_limit_passed = false;
}

/* ---- lists of the rules that are there ---- */

static void link_timed(struct tables *t, struct rule *r)
{
	r->prev_timed = NULL;
	r->next_timed = t->timed;
	if (t->timed)
		t->timed->prev_timed = r;
	t->timed = r;
}

static void link_rule(struct tables *t, struct rule *r)
{
	struct table *table = &t->tables[r->table_id];

	r->prev_of_table = NULL;
	r->next_of_table = table->rules;
	if (table->rules)
		table->rules->prev_of_table = r;
	table->rules = r;
	table->active++;
	t->nrules++;
	slots_owner(&t->slots, r->slot)->rule = r;
	if (r->names)
		users_count(t, r, 1);
	t->nlearned += r->learned;
	learn_groups_count(t, r, 1);
	if (r->idle_timeout || r->hard_timeout)
		link_timed(t, r);
}

static void unlink_rule(struct tables *t, struct rule *r)
{
	struct table *table = &t->tables[r->table_id];

	if (r->prev_of_table)
		r->prev_of_table->next_of_table = r->next_of_table;
	else
		table->rules = r->next_of_table;
	if (r->next_of_table)
		r->next_of_table->prev_of_table = r->prev_of_table;
	table->active--;
	t->nrules--;
	if (r->names)
		users_count(t, r, -1);
	t->nlearned -= r->learned;
	learn_groups_count(t, r, -1);
	if (!r->idle_timeout && !r->hard_timeout)
		return;
	if (r->prev_timed)
		r->prev_timed->next_timed = r->next_timed;
	else
		t->timed = r->next_timed;
	if (r->next_timed)
		r->next_timed->prev_timed = r->prev_timed;
}

void change_timeouts(struct tables *t, struct rule *r, uint16_t idle, uint16_t hard)
{
	bool timed = r->idle_timeout || r->hard_timeout;

	r->idle_timeout = idle;
	r->hard_timeout = hard;
	if (!timed && (idle || hard))
		link_timed(t, r);
}

/* ---- steps ---- */

uint16_t dep_of_match(const struct match *m, uint8_t *field_bit)
{
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	uint8_t ignored, *bit = field_bit ? field_bit : &ignored;

	*bit = 0;
	if (m->mask.metadata == UINT64_MAX) {
		*bit = 1 << DEP_METADATA;
		return dep_of_field(DEP_METADATA, m->key.metadata);
	}
	if (m->mask.in_port == UINT32_MAX) {
		*bit = 1 << DEP_IN_PORT;
		return dep_of_field(DEP_IN_PORT, m->key.in_port);
	}
	if (m->mask.tun_id == UINT64_MAX) {
		*bit = 1 << DEP_TUN_ID;
		return dep_of_field(DEP_TUN_ID, m->key.tun_id);
	}
	if (mac_equal(m->mask.eth_dst, all)) {
		*bit = 1 << DEP_ETH_DST;
		return dep_of_field(DEP_ETH_DST, dep_mac(&m->key.eth_dst));
	}
	return 0;
}

enum tables_error change_add_rule(struct tables *t, struct rule *r)
{
	r->added = t->next_version;
	r->removed = VERSION_NEVER;
	if (note(t, (struct undo){.kind = RULE_ADDED, .rule = r}))
		goto err_note;
	if (classifier_insert(&t->tables[r->table_id].classifier, r))
		goto err_insert;
	link_rule(t, r);
	return TABLES_OK;

err_insert:
	t->nundo--;
err_note:
	classifier_tidy(&t->tables[r->table_id].classifier, r->subtable);
	rule_discard(t, r);
	return TABLES_NO_MEMORY;
}

enum tables_error change_remove_rule(struct tables *t, struct rule *r, enum tables_removed reason, bool tell)
{
	enum tables_error err = note(t, (struct undo){.kind = RULE_REMOVED, .rule = r});

	if (err)
		return err;
	rcu_assign(r->removed, t->next_version);
	r->reason = reason;
	r->tell = tell;
	unlink_rule(t, r);
	return TABLES_OK;
}

enum tables_error change_replace_rule(struct tables *t, struct rule *old, struct rule *r, bool modified)
{
	enum tables_error err = change_remove_rule(t, old, TABLES_DELETED, false);

	if (err) {
		rule_discard(t, r);
		return err;
	}
	t->undo[t->nundo - 1].replaced = true;
	r->stands_in = old->added != t->next_version || old->stands_in;
	err = change_add_rule(t, r);
	if (err)
		return err;
	t->undo[t->nundo - 1].old = old;
	t->undo[t->nundo - 1].modified = modified;
	return TABLES_OK;
}

enum tables_error change_add_group(struct tables *t, struct group *g)
{
	struct group **head = &t->groups[g->mod.group_id % GROUP_HEADS];

	g->added = t->next_version;
	g->removed = VERSION_NEVER;
	if (note(t, (struct undo){.kind = GROUP_ADDED, .group = g})) {
		group_discard(t, g);
		return TABLES_NO_MEMORY;
	}
	g->next = *head;
	rcu_assign(*head, g);
	t->ngroups++;
	users_count_chained(t, g, 1);
	return TABLES_OK;
}

enum tables_error change_remove_group(struct tables *t, struct group *g)
{
	enum tables_error err = note(t, (struct undo){.kind = GROUP_REMOVED, .group = g});

	if (err)
		return err;
	users_count_chained(t, g, -1);
	rcu_assign(g->removed, t->next_version);
	t->ngroups--;
	return TABLES_OK;
}

enum tables_error change_add_meter(struct tables *t, struct meter *m)
{
	struct meter **head = &t->meters[m->mod.meter_id % METER_HEADS];

	m->added = t->next_version;
	m->removed = VERSION_NEVER;
	if (note(t, (struct undo){.kind = METER_ADDED, .meter = m})) {
		meter_discard(t, m);
		return TABLES_NO_MEMORY;
	}
	m->next = *head;
	rcu_assign(*head, m);
	t->nmeters++;
	return TABLES_OK;
}

enum tables_error change_remove_meter(struct tables *t, struct meter *m)
{
	enum tables_error err = note(t, (struct undo){.kind = METER_REMOVED, .meter = m});

	if (err)
		return err;
	rcu_assign(m->removed, t->next_version);
	t->nmeters--;
	return TABLES_OK;
}

/* ---- the end of a change ---- */

static void mark_rule(struct tables *t, const struct rule *r)
{
	struct table *table = &t->tables[r->table_id];
	uint32_t base = r->table_id * DEP_PER_TABLE;
	struct match m;
	uint16_t dep;
	uint8_t bit;

	subtable_match(r->subtable, r, &m);
	dep = dep_of_match(&m, &bit);

	rcu_assign(t->changed[base + dep], t->next_version);
	if (!(bit & ~table->dep_fields))
		return;
	/* Programs made so far don't look at this field's slots: all of the table's must be made anew. */
	rcu_assign(t->changed[base], t->next_version);
	rcu_assign(table->dep_fields, table->dep_fields | bit);
}

static void mark(struct tables *t, const struct undo *u)
{
	if (u->kind == RULE_ADDED || u->kind == RULE_REMOVED)
		mark_rule(t, u->rule);
	else if (u->kind == GROUP_ADDED || u->kind == GROUP_REMOVED)
		rcu_assign(t->changed[dep_of_group(u->group->mod.group_id)], t->next_version);
	else
		rcu_assign(t->changed[dep_of_meter(u->meter->mod.meter_id)], t->next_version);
}

enum tables_error change_commit(struct tables *t)
{
	if (!t->nundo)
		return TABLES_OK;
	if (learn_groups_sweep(t) || relevance_widen(&t->relevance)) {
		change_rollback(t);
		return TABLES_NO_MEMORY;
	}
	if (t->learn_limit_passed)
		rcu_assign(t->changed[DEP_LEARNED], t->next_version);
	for (uint32_t i = 0; i < t->nundo; i++)
		mark(t, &t->undo[i]);
	rcu_assign(t->version, t->next_version);
	watch_changes(t);
	for (uint32_t i = 0; i < t->nundo; i++) {
		const struct undo *u = &t->undo[i];

		if (u->kind == RULE_REMOVED)
			dying_add_rule(t, u->rule);
		else if (u->kind == GROUP_REMOVED)
			dying_add_group(t, u->group);
		else if (u->kind == METER_REMOVED)
			dying_add_meter(t, u->meter);
	}
	t->nundo = 0;
	return TABLES_OK;
}

static void take_back(struct tables *t, const struct undo *u)
{
	struct group **link;
	struct meter **at;

	switch (u->kind) {
	case RULE_ADDED:
		unlink_rule(t, u->rule);
		classifier_remove(&t->tables[u->rule->table_id].classifier, u->rule);
		rule_discard(t, u->rule);
		break;
	case RULE_REMOVED:
		rcu_assign(u->rule->removed, VERSION_NEVER);
		link_rule(t, u->rule);
		break;
	case GROUP_ADDED:
		users_count_chained(t, u->group, -1);
		for (link = &t->groups[u->group->mod.group_id % GROUP_HEADS]; *link != u->group;)
			link = &(*link)->next;
		rcu_assign(*link, u->group->next);
		t->ngroups--;
		group_discard(t, u->group);
		break;
	case GROUP_REMOVED:
		rcu_assign(u->group->removed, VERSION_NEVER);
		t->ngroups++;
		users_count_chained(t, u->group, 1);
		break;
	case METER_ADDED:
		for (at = &t->meters[u->meter->mod.meter_id % METER_HEADS]; *at != u->meter;)
			at = &(*at)->next;
		rcu_assign(*at, u->meter->next);
		t->nmeters--;
		meter_discard(t, u->meter);
		break;
	case METER_REMOVED:
		rcu_assign(u->meter->removed, VERSION_NEVER);
		t->nmeters++;
		break;
	}
}

void change_rollback(struct tables *t)
{
	while (t->nundo)
		take_back(t, &t->undo[--t->nundo]);
	learn_groups_forget(t);
}
