/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of groups and meters in rising order, for dumps. Called by groups.c and meters.c. */
#include <stdlib.h>

#include "flows/dp/state.h"

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Room for `n` ids; false: no memory. */
static bool reset(struct tables *t, struct id_list *l, uint32_t n)
{
	uint32_t *ids = realloc(l->ids, (n + 1) * sizeof(*ids));

	if (!ids)
		return false;
	l->ids = ids;
	l->n = 0;
	l->version = t->version;
	return true;
}

static bool next(const struct id_list *l, uint32_t from, uint32_t *id)
{
	uint32_t low = 0, high = l->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (l->ids[middle] < from)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == l->n)
		return false;
	*id = l->ids[low];
	return true;
}

bool ids_next_group(struct tables *t, uint32_t from, uint32_t *id)
{
	struct id_list *l = &t->group_ids;

	if (l->version != t->version) {
		if (!reset(t, l, t->ngroups))
			return false;
		for (unsigned h = 0; h < GROUP_HEADS; h++)
			for (const struct group *g = t->groups[h]; g; g = g->next)
				if (g->removed == VERSION_NEVER)
					l->ids[l->n++] = g->mod.group_id;
		qsort(l->ids, l->n, sizeof(l->ids[0]), compare);
	}
	return next(l, from, id);
}

bool ids_next_meter(struct tables *t, uint32_t from, uint32_t *id)
{
	struct id_list *l = &t->meter_ids;

	if (l->version != t->version) {
		if (!reset(t, l, t->nmeters))
			return false;
		for (unsigned h = 0; h < METER_HEADS; h++)
			for (const struct meter *m = t->meters[h]; m; m = m->next)
				if (m->removed == VERSION_NEVER)
					l->ids[l->n++] = m->mod.meter_id;
		qsort(l->ids, l->n, sizeof(l->ids[0]), compare);
	}
	return next(l, from, id);
}
