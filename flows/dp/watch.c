/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what a change did to each flow, once its version is published. Called by change.c. */
#include "flows/dp/state.h"

void tables_watch(struct tables *t, bool on)
{
	t->watched = on;
}

static void tell(struct tables *t, enum tables_event event, const struct rule *r, const struct rule *old)
{
	struct flow_stats fs;

	if (!t->watched || !t->config.flow_changed)
		return;
	rule_stats(t, r, t->now, &fs);
	t->config.flow_changed(t->config.arg, event, &fs, old ? &old->actions : NULL,
	                       (enum tables_removed)r->reason);
}

/* What came and went within one change nobody ever saw. */
static void added(struct tables *t, const struct undo *u)
{
	bool modified = u->modified && u->rule->stands_in;
	struct rule *r = u->rule;

	r->changed = ++t->changes;
	r->born = modified ? u->old->born : r->changed;
	if (r->removed == VERSION_NEVER)
		tell(t, modified ? TABLES_FLOW_MODIFIED : TABLES_FLOW_ADDED, r, u->old);
}

static void removed(struct tables *t, const struct undo *u)
{
	const struct rule *r = u->rule;

	if (!u->replaced && (r->added != t->next_version || r->stands_in))
		tell(t, TABLES_FLOW_REMOVED, r, NULL);
}

void watch_changes(struct tables *t)
{
	for (uint32_t i = 0; i < t->nundo; i++) {
		const struct undo *u = &t->undo[i];

		if (u->kind == RULE_ADDED)
			added(t, u);
		else if (u->kind == RULE_REMOVED)
			removed(t, u);
	}
	if (t->watched && t->config.change_done)
		t->config.change_done(t->config.arg);
}
