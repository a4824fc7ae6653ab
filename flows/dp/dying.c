/* SPDX-License-Identifier: Apache-2.0 */
/* What was removed from the tables: kept until every worker has passed the version and folded its counters,
 * then told about and freed. Called by change.c and, whenever the event loop wakes, through tables_poll. */
#include <stdlib.h>

#include "base/clock.h"
#include "flows/dp/cache_fold.h"
#include "flows/dp/learn.h"
#include "flows/dp/state.h"

/* A fold visits every flow that has met a packet since the last one. When removals come without end it is not
 * theirs to fold each millisecond: they wait for each other, as long as this or as many as these. */
#define GATHER_NS (100 * CLOCK_MS)
#define GATHER_MOST 4096

void dying_add_rule(struct tables *t, struct rule *r)
{
	if (!t->dying.rules)
		t->dying.rules_end = &t->dying.rules;
	r->next_dying = NULL;
	*t->dying.rules_end = r;
	t->dying.n++;
	t->dying.rules_end = &r->next_dying;
}

void dying_add_group(struct tables *t, struct group *g)
{
	g->next_dying = t->dying.groups;
	t->dying.groups = g;
	t->dying.n++;
}

void dying_add_meter(struct tables *t, struct meter *m)
{
	m->next_dying = t->dying.meters;
	t->dying.meters = m;
	t->dying.n++;
}

static void rule_free(void *rule)
{
	struct rule *r = rule;

	action_list_free(&r->actions);
	free(r);
}

void rule_discard(struct tables *t, struct rule *r)
{
	slots_put(&t->slots, r->slot);
	relevance_remove(&t->relevance, r->shape);
	if (r->learns)
		learn_groups_release(t, &r->actions);
	rcu_defer(rule_free, r);
}

static void group_free(void *group)
{
	struct group *g = group;

	group_mod_free(&g->mod);
	free(g->buckets);
	free(g->shapes);
	free(g);
}

void group_discard(struct tables *t, struct group *g)
{
	slots_put(&t->slots, g->slot);
	for (unsigned i = 0; i < g->mod.n_buckets; i++) {
		slots_put(&t->slots, g->buckets[i]);
		relevance_remove(&t->relevance, g->shapes[i]);
	}
	rcu_defer(group_free, g);
}

static void finish_rule(struct tables *t, struct rule *r, uint64_t now)
{
	struct table *table = &t->tables[r->table_id];
	struct flow_stats fs;
	uint64_t packets;

	if (r->tell && t->config.flow_removed) {
		rule_stats(t, r, now, &fs);
		t->config.flow_removed(t->config.arg, &fs, r->reason);
	}
	if (slots_owner(&t->slots, r->slot)->users == 1) {
		slots_read(&t->slots, r->slot, &packets, NULL, NULL);
		table->gone_packets += packets;
	}
	classifier_remove(&table->classifier, r);
	rule_discard(t, r);
}

static void finish_group(struct tables *t, struct group *g)
{
	struct group **link = &t->groups[g->mod.group_id % GROUP_HEADS];

	while (*link != g)
		link = &(*link)->next;
	rcu_assign(*link, g->next);
	group_discard(t, g);
}

void meter_discard(struct tables *t, struct meter *m)
{
	rcu_assign(t->meter_numbers[m->number], NULL);
	slots_put(&t->slots, m->slot);
	for (unsigned i = 0; i < m->mod.n_bands; i++)
		slots_put(&t->slots, m->levels[i].slot);
	rcu_defer(free, m);
}

static void finish_meter(struct tables *t, struct meter *m)
{
	struct meter **link = &t->meters[m->mod.meter_id % METER_HEADS];

	while (*link != m)
		link = &(*link)->next;
	rcu_assign(*link, m->next);
	meter_discard(t, m);
}

static void finish(struct tables *t, struct dying *d, uint64_t now)
{
	while (d->rules) {
		struct rule *r = d->rules;

		d->rules = r->next_dying;
		finish_rule(t, r, now);
	}
	while (d->groups) {
		struct group *g = d->groups;

		d->groups = g->next_dying;
		finish_group(t, g);
	}
	while (d->meters) {
		struct meter *m = d->meters;

		d->meters = m->next_dying;
		finish_meter(t, m);
	}
}

/* Asks for a fold when something waits and none is under way. */
static void gather(struct tables *t, uint64_t now)
{
	if (t->waiting.n || !t->dying.n)
		return;
	if (t->dying.n < GATHER_MOST && now - t->folded_at < GATHER_NS)
		return;
	t->folded_at = now;
	tables_fold(t);
}

bool tables_poll(struct tables *t, uint64_t now)
{
	if (t->waiting.n && tables_fold_done(t, t->waiting_fold)) {
		struct dying done = t->waiting;

		t->waiting = (struct dying){0};
		finish(t, &done, now);
		relevance_narrow(&t->relevance);
	}
	gather(t, now);
	return t->waiting.n || t->dying.n;
}

void dying_finish_all(struct tables *t, uint64_t now)
{
	finish(t, &t->waiting, now);
	finish(t, &t->dying, now);
}

uint32_t tables_fold(struct tables *t)
{
	uint32_t fold = __atomic_add_fetch(&t->fold_wanted, 1, __ATOMIC_RELEASE);

	if (!t->waiting.n && t->dying.n) {
		t->waiting = t->dying;
		t->dying = (struct dying){0};
		t->waiting_fold = fold;
	}
	return fold;
}

bool tables_fold_done(const struct tables *t, uint32_t fold)
{
	for (unsigned w = 0; w < WORKERS_MAX; w++)
		if (t->caches[w] && (int32_t)(cache_fold_id(t->caches[w]) - fold) < 0)
			return false;
	return true;
}
