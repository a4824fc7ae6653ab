/* SPDX-License-Identifier: Apache-2.0 */
/* One flow_mod as a step of a change (OpenFlow 1.3 section 6.4). Called by tables_apply. */
#include <stdlib.h>
#include <string.h>

#include "flows/dp/conjunction.h"
#include "flows/dp/learn.h"
#include "flows/dp/state.h"
#include "flows/dp/subtable.h"

/* What a new rule keeps of the one it takes the place of. */
struct inherit {
	struct slot_ref slot;
	bool has_slot;
	uint64_t created;
};

enum tables_error actions_check(const struct tables *t, const struct action_list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];
		enum tables_error err;

		if (a->type == ACTION_CONTROLLER && a->controller.userdata.len > PROGRAM_USERDATA_MAX)
			return TABLES_UNSUPPORTED;
		if (a->type == ACTION_GOTO_TABLE && a->number >= TABLES_COUNT)
			return TABLES_BAD_GOTO;
		if (a->type == ACTION_GROUP && !group_find(t, a->number, t->next_version))
			return TABLES_BAD_OUT_GROUP;
		if (a->type == ACTION_METER && !meter_find(t, a->number, t->next_version))
			return TABLES_METER_INVALID;
		if (a->type == ACTION_CONTROLLER && a->controller.meter_id &&
		    !meter_find(t, a->controller.meter_id, t->next_version))
			return TABLES_METER_INVALID;
		if (a->type != ACTION_CLONE && a->type != ACTION_WRITE_ACTIONS)
			continue;
		err = actions_check(t, &a->nested);
		if (err)
			return err;
	}
	return TABLES_OK;
}

/* ---- making rules ---- */

static int rule_slot(struct tables *t, struct rule *r, const struct inherit *from)
{
	if (!from || !from->has_slot)
		return slots_get(&t->slots, &r->slot);
	r->slot = from->slot;
	slots_share(&t->slots, r->slot);
	return 0;
}

static bool learns(const struct action_list *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->items[i].type == ACTION_LEARN ||
		    (l->items[i].type == ACTION_CLONE && learns(&l->items[i].nested)))
			return true;
	return false;
}

/* A rule with the words of `key`, in `s`; the rest is the caller's. */
static struct rule *rule_make(struct tables *t, uint8_t table_id, struct subtable *s,
                              const struct flow_key *key, const struct action_list *actions,
                              const struct inherit *from)
{
	size_t words = s->nwords * sizeof(uint64_t);
	struct rule *r = calloc(1, sizeof(*r) + words);
	struct match m;

	if (!r)
		return NULL;
	r->learns = learns(actions);
	if (r->learns && !learn_groups_hold(t, actions))
		goto err_learn;
	r->subtable = s;
	r->names = users_named(actions);
	r->soft = conjunction_is_soft(actions);
	subtable_fill(s, key, r);
	if (action_list_copy(&r->actions, actions))
		goto err_actions;
	subtable_match(s, r, &m);
	r->shape = relevance_add(&t->relevance, table_id, &m, actions, false);
	if (!r->shape)
		goto err_shape;
	if (rule_slot(t, r, from))
		goto err_slot;
	r->created = from && from->created ? from->created : t->now;
	r->modified = t->now;
	return r;

err_slot:
	relevance_remove(&t->relevance, r->shape);
err_shape:
	action_list_free(&r->actions);
err_actions:
	if (r->learns)
		learn_groups_release(t, actions);
err_learn:
	free(r);
	return NULL;
}

static struct rule *find_strict(struct tables *t, uint8_t table_id, const struct match *m, uint16_t priority)
{
	struct rule *r = classifier_find(&t->tables[table_id].classifier, m);

	while (r && (r->priority != priority || r->removed != VERSION_NEVER))
		r = r->next;
	return r;
}

/* ---- add ---- */

static bool overlaps(const struct table *table, const struct flow_mod *fm)
{
	const uint64_t *mask = (const uint64_t *)&fm->match.mask, *key = (const uint64_t *)&fm->match.key;

	for (const struct rule *r = table->rules; r; r = r->next_of_table) {
		const struct subtable *s = r->subtable;
		uint64_t diff = 0;

		if (r->priority != fm->priority)
			continue;
		for (unsigned i = 0; i < s->nwords; i++)
			diff |= (r->words[i] ^ key[s->word[i]]) & s->mask[i] & mask[s->word[i]];
		if (!diff)
			return true;
	}
	return false;
}

static enum tables_error add(struct tables *t, const struct flow_mod *fm)
{
	uint8_t table_id = fm->table_id == TABLE_ALL ? 0 : fm->table_id;
	struct table *table = &t->tables[table_id];
	struct rule *old = find_strict(t, table_id, &fm->match, fm->priority), *r;
	struct inherit from = {.has_slot = false};
	struct subtable *s;
	bool full;

	if (!old && t->nrules >= t->config.max_rules)
		return TABLES_FULL;
	if (!old && fm->flags & FLOW_CHECK_OVERLAP && overlaps(table, fm))
		return TABLES_OVERLAP;
	s = classifier_subtable(&table->classifier, &fm->match.mask, &full);
	if (!s)
		return full ? TABLES_FULL : TABLES_NO_MEMORY;
	if (old && !(fm->flags & FLOW_RESET_COUNTS))
		from = (struct inherit){.slot = old->slot, .has_slot = true};
	r = rule_make(t, table_id, s, &fm->match.key, &fm->actions, &from);
	if (!r) {
		classifier_tidy(&table->classifier, s);
		return TABLES_NO_MEMORY;
	}
	r->table_id = table_id;
	r->priority = fm->priority;
	r->cookie = fm->cookie;
	r->idle_timeout = fm->idle_timeout;
	r->hard_timeout = fm->hard_timeout;
	r->importance = fm->importance;
	r->flags = fm->flags;
	r->sequence = old ? old->sequence : ++t->sequence;
	r->learned = t->learning;
	return old ? change_replace_rule(t, old, r, false) : change_add_rule(t, r);
}

/* ---- modify ---- */

struct modification {
	const struct flow_mod *fm;
	unsigned n; /* flows that it was about */
};

static enum tables_error modify_one(struct tables *t, struct rule *old, void *arg)
{
	struct modification *modification = arg;
	const struct flow_mod *fm = modification->fm;
	struct inherit from = {.slot = old->slot, .has_slot = true, .created = old->created};
	struct match m;
	struct rule *r;

	modification->n++;
	if (fm->flags & FLOW_RESET_COUNTS)
		from.has_slot = false;
	subtable_match(old->subtable, old, &m);
	r = rule_make(t, old->table_id, old->subtable, &m.key, &fm->actions, &from);
	if (!r)
		return TABLES_NO_MEMORY;
	r->table_id = old->table_id;
	r->priority = old->priority;
	r->cookie = fm->modify_cookie ? fm->cookie : old->cookie;
	r->idle_timeout = old->idle_timeout;
	r->hard_timeout = old->hard_timeout;
	r->importance = old->importance;
	r->flags = old->flags;
	r->sequence = old->sequence;
	r->learned = old->learned;
	return change_replace_rule(t, old, r, true);
}

static enum tables_error delete_one(struct tables *t, struct rule *r, void *arg)
{
	const enum tables_removed *reason = arg;

	return change_remove_rule(t, r, *reason, r->flags & FLOW_SEND_REM);
}

/* ---- which ones ---- */

static void filter_of(const struct flow_mod *fm, bool deleting, struct flow_filter *f)
{
	*f = (struct flow_filter){
	        .table_id = fm->table_id,
	        .out_port = deleting ? fm->out_port : PORT_ANY,
	        .out_group = deleting ? fm->out_group : GROUP_ANY,
	        .cookie = fm->match_cookie,
	        .cookie_mask = fm->cookie_mask,
	        .match = fm->match,
	};
}

static bool strictly_selected(const struct rule *r, const struct flow_filter *f)
{
	return (r->cookie & f->cookie_mask) == (f->cookie & f->cookie_mask) &&
	       (f->out_port == PORT_ANY || action_list_outputs_to(&r->actions, f->out_port)) &&
	       (f->out_group == GROUP_ANY || action_list_uses_group(&r->actions, f->out_group));
}

static enum tables_error select_strict(struct tables *t, const struct flow_mod *fm,
                                       const struct flow_filter *f, rule_visit visit, void *arg)
{
	for (unsigned i = 0; i < TABLES_COUNT; i++) {
		enum tables_error err;
		struct rule *r;

		if (fm->table_id != TABLE_ALL && fm->table_id != i)
			continue;
		r = find_strict(t, (uint8_t)i, &fm->match, fm->priority);
		if (!r || !strictly_selected(r, f))
			continue;
		err = visit(t, r, arg);
		if (err)
			return err;
	}
	return TABLES_OK;
}

/* What is not there to be modified is added when a cookie comes with it and none is asked for: OpenFlow 1.0,
 * where every modify does, and what is learned. */
static enum tables_error modify(struct tables *t, const struct flow_mod *fm, const struct flow_filter *f)
{
	struct modification m = {.fm = fm};
	enum tables_error err = fm->command == FLOW_MODIFY ? rules_select(t, f, modify_one, &m)
	                                                   : select_strict(t, fm, f, modify_one, &m);

	if (err || m.n || !fm->modify_cookie || fm->cookie_mask)
		return err;
	return add(t, fm);
}

enum tables_error flow_mod_learn(struct tables *t, const struct flow_mod *fm)
{
	struct flow_filter f;

	filter_of(fm, false, &f);
	return modify(t, fm, &f);
}

enum tables_error flow_mod_apply(struct tables *t, const struct flow_mod *fm)
{
	enum tables_removed deleted = TABLES_DELETED;
	struct flow_filter f;
	enum tables_error err;

	if (fm->table_id >= TABLES_COUNT && fm->table_id != TABLE_ALL)
		return TABLES_BAD_TABLE;
	if (fm->command == FLOW_ADD || fm->command == FLOW_MODIFY || fm->command == FLOW_MODIFY_STRICT) {
		err = actions_check(t, &fm->actions);
		if (err)
			return err;
	}
	filter_of(fm, fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT, &f);
	switch (fm->command) {
	case FLOW_ADD:
		return add(t, fm);
	case FLOW_MODIFY:
	case FLOW_MODIFY_STRICT:
		return modify(t, fm, &f);
	case FLOW_DELETE:
		return rules_select(t, &f, delete_one, &deleted);
	case FLOW_DELETE_STRICT:
		return select_strict(t, fm, &f, delete_one, &deleted);
	}
	return TABLES_BAD_COMMAND;
}
