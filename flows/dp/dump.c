/* SPDX-License-Identifier: Apache-2.0 */
/* What flows there are and what they have counted; expiry by those counters. Called by the control thread. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flows/dp/state.h"
#include "flows/dp/subtable.h"

struct dump_item {
	struct slot_ref ref;
	uint64_t sequence;
	uint16_t priority;
	uint8_t table_id;
};

struct tables_dump {
	struct tables *t;
	struct dump_item *items;
	uint32_t n, capacity, next;
};

static enum tables_error collect(struct tables *t, struct rule *r, void *arg)
{
	struct tables_dump *d = arg;

	if (d->n == d->capacity) {
		uint32_t capacity = d->capacity ? d->capacity * 2 : 64;
		struct dump_item *items = realloc(d->items, capacity * sizeof(*items));

		if (!items)
			return TABLES_NO_MEMORY;
		d->items = items;
		d->capacity = capacity;
	}
	d->items[d->n++] = (struct dump_item){r->slot, r->sequence, r->priority, r->table_id};
	return TABLES_OK;
}

static int compare(const void *a, const void *b)
{
	const struct dump_item *x = a, *y = b;

	if (x->table_id != y->table_id)
		return x->table_id < y->table_id ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

struct tables_dump *tables_dump_open(struct tables *t, const struct flow_filter *filter)
{
	struct tables_dump *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->t = t;
	if (rules_select(t, filter, collect, d)) {
		tables_dump_close(d);
		return NULL;
	}
	if (d->n)
		qsort(d->items, d->n, sizeof(*d->items), compare);
	return d;
}

void rule_stats(struct tables *t, const struct rule *r, uint64_t now, struct flow_stats *out)
{
	uint64_t used;

	*out = (struct flow_stats){
	        .table_id = r->table_id,
	        .priority = r->priority,
	        .cookie = r->cookie,
	        .duration_ns = now - r->created,
	        .idle_timeout = r->idle_timeout,
	        .hard_timeout = r->hard_timeout,
	        .importance = r->importance,
	        .flags = r->flags,
	        .hard_age = (int)((now - r->modified) / CLOCK_SECOND),
	        .born = r->born,
	        .changed = r->changed,
	        .actions = r->actions,
	};
	slots_read(&t->slots, r->slot, &out->n_packets, &out->n_bytes, &used);
	used = used > r->created ? used : r->created;
	out->idle_age = now > used ? (int)((now - used) / CLOCK_SECOND) : 0;
	subtable_match(r->subtable, r, &out->match);
}

bool tables_dump_next(struct tables_dump *d, uint64_t now, struct flow_stats *out)
{
	while (d->next < d->n) {
		const struct dump_item *item = &d->items[d->next++];
		const struct slot_owner *o = slots_owner(&d->t->slots, item->ref);

		if (o->generation != item->ref.generation || !o->users || !o->rule ||
		    o->rule->removed != VERSION_NEVER)
			continue;
		rule_stats(d->t, o->rule, now, out);
		return true;
	}
	return false;
}

void tables_dump_close(struct tables_dump *d)
{
	if (!d)
		return;
	free(d->items);
	free(d);
}

static enum tables_error add_up(struct tables *t, struct rule *r, void *arg)
{
	struct tables_totals *sum = arg;
	uint64_t packets, bytes;

	slots_read(&t->slots, r->slot, &packets, &bytes, NULL);
	sum->packets += packets;
	sum->bytes += bytes;
	sum->flows++;
	return TABLES_OK;
}

void tables_aggregate(struct tables *t, const struct flow_filter *filter, struct tables_totals *out)
{
	*out = (struct tables_totals){0};
	rules_select(t, filter, add_up, out);
}

void tables_table_stats(struct tables *t, uint8_t table_id, struct tables_stats *out)
{
	struct table *table = &t->tables[table_id];
	uint64_t packets;

	*out = (struct tables_stats){.active = table->active,
	                             .masks = classifier_masks(&table->classifier),
	                             .matched = table->gone_packets};
	for (const struct rule *r = table->rules; r; r = r->next_of_table) {
		slots_read(&t->slots, r->slot, &packets, NULL, NULL);
		out->matched += packets;
	}
	slots_read(&t->slots, table->miss, &packets, NULL, NULL);
	out->lookups = out->matched + packets;
}

bool tables_has_timeouts(const struct tables *t)
{
	return t->timed;
}

static bool is_over(uint64_t since, uint16_t seconds, uint64_t now)
{
	return seconds && now >= since + seconds * CLOCK_SECOND;
}

unsigned tables_expire(struct tables *t, uint64_t now)
{
	unsigned removed = 0;
	struct rule *next;

	change_begin(t, now);
	for (struct rule *r = t->timed; r; r = next) {
		enum tables_removed reason = TABLES_HARD_TIMEOUT;
		uint64_t used;

		next = r->next_timed;
		if (!is_over(r->modified, r->hard_timeout, now)) {
			slots_read(&t->slots, r->slot, NULL, NULL, &used);
			if (!is_over(used > r->created ? used : r->created, r->idle_timeout, now))
				continue;
			reason = TABLES_IDLE_TIMEOUT;
		}
		if (change_remove_rule(t, r, reason, r->flags & FLOW_SEND_REM))
			break;
		removed++;
	}
	change_commit(t);
	return removed;
}
