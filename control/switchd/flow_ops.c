/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and groups as the OpenFlow endpoint wants them; see flow_ops.h. Called through
 * control/switchd/of_switch.c. */
#include "control/switchd/flow_ops.h"

#include <stdlib.h>

#include "base/clock.h"
#include "flows/flow_mod.h"
#include "flows/group.h"

static enum ofp_error error_of(enum tables_error e)
{
	static const enum ofp_error map[] = {
	        [TABLES_OK] = OFP_OK,
	        [TABLES_NO_MEMORY] = OFPFMFC_TABLE_FULL,
	        [TABLES_FULL] = OFPFMFC_TABLE_FULL,
	        [TABLES_BAD_TABLE] = OFPFMFC_BAD_TABLE_ID,
	        [TABLES_OVERLAP] = OFPFMFC_OVERLAP,
	        [TABLES_BAD_COMMAND] = OFPFMFC_BAD_COMMAND,
	        [TABLES_BAD_OUT_GROUP] = OFPBAC_BAD_OUT_GROUP,
	        [TABLES_UNSUPPORTED] = OFPBAC_BAD_TYPE,
	        [TABLES_GROUP_EXISTS] = OFPGMFC_GROUP_EXISTS,
	        [TABLES_GROUP_UNKNOWN] = OFPGMFC_UNKNOWN_GROUP,
	        [TABLES_GROUP_LOOP] = OFPGMFC_LOOP,
	        [TABLES_GROUP_CHAINED] = OFPGMFC_CHAINED_GROUP,
	        [TABLES_GROUP_INVALID] = OFPGMFC_INVALID_GROUP,
	        [TABLES_OUT_OF_GROUPS] = OFPGMFC_OUT_OF_GROUPS,
	};

	return e < sizeof(map) / sizeof(map[0]) ? map[e] : OFPFMFC_UNKNOWN;
}

enum ofp_error flow_ops_apply(struct tables *t, const struct ofp_change *changes, unsigned n,
                              unsigned *failed)
{
	struct tables_change *list = calloc(n, sizeof(*list));
	enum tables_error rc;

	if (!list)
		return OFPFMFC_TABLE_FULL;
	for (unsigned i = 0; i < n; i++) {
		if (changes[i].kind == OFP_CHANGE_METER) {
			*failed = i;
			free(list);
			return OFPMMFC_OUT_OF_METERS;
		}
		if (changes[i].kind == OFP_CHANGE_FLOW)
			list[i].flow = changes[i].flow;
		else
			list[i].group = changes[i].group;
	}
	rc = tables_apply(t, list, n, clock_now(), failed);
	free(list);
	return error_of(rc);
}

static void filter_from(const struct ofp_flow_filter *from, struct flow_filter *to)
{
	*to = (struct flow_filter){
	        .table_id = from->table_id,
	        .out_port = from->out_port,
	        .out_group = from->out_group,
	        .cookie = from->cookie,
	        .cookie_mask = from->cookie_mask,
	        .match = *from->match,
	};
}

/* A cursor over flows or over groups. */
struct ofp_dump {
	struct tables *tables;
	struct tables_dump *flows;
	uint32_t next_group, last_group;
	struct group_stats group;
	struct ofp_bucket_stats *buckets;
};

struct ofp_dump *flow_ops_dump_open(struct tables *t, const struct ofp_flow_filter *filter)
{
	struct ofp_dump *d = calloc(1, sizeof(*d));
	struct flow_filter f;

	if (!d)
		return NULL;
	filter_from(filter, &f);
	d->flows = tables_dump_open(t, &f);
	if (d->flows)
		return d;
	free(d);
	return NULL;
}

int flow_ops_dump_next(struct ofp_dump *dump, struct flow_stats *out)
{
	return tables_dump_next(dump->flows, clock_now(), out);
}

void flow_ops_aggregate(struct tables *t, const struct ofp_flow_filter *filter, struct ofp_aggregate *out)
{
	struct tables_totals totals;
	struct flow_filter f;

	filter_from(filter, &f);
	tables_aggregate(t, &f, &totals);
	*out = (struct ofp_aggregate){
	        .packets = totals.packets, .bytes = totals.bytes, .flows = totals.flows};
}

struct ofp_dump *flow_ops_group_open(struct tables *t, uint32_t group_id)
{
	struct ofp_dump *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->tables = t;
	d->next_group = group_id == OFPG_ALL ? 0 : group_id;
	d->last_group = group_id == OFPG_ALL ? OFPG_MAX : group_id;
	return d;
}

static void forget_group(struct ofp_dump *d)
{
	group_stats_free(&d->group);
	d->group = (struct group_stats){0};
	free(d->buckets);
	d->buckets = NULL;
}

static void fill_group_stats(struct ofp_dump *d, struct ofp_group_stats *out)
{
	const struct group_stats *g = &d->group;

	d->buckets = calloc(g->n_buckets ? g->n_buckets : 1, sizeof(d->buckets[0]));
	for (unsigned i = 0; d->buckets && i < g->n_buckets; i++)
		d->buckets[i] = (struct ofp_bucket_stats){g->buckets[i].n_packets, g->buckets[i].n_bytes};
	*out = (struct ofp_group_stats){
	        .group_id = g->group_id,
	        .ref_count = g->ref_count,
	        .packets = g->n_packets,
	        .bytes = g->n_bytes,
	        .duration_ns = g->duration_ns,
	        .n_buckets = d->buckets ? g->n_buckets : 0,
	        .buckets = d->buckets,
	};
}

int flow_ops_group_next(struct ofp_dump *d, const struct group_mod **desc, struct ofp_group_stats *stats)
{
	const struct group_mod *g;

	forget_group(d);
	if (d->next_group > d->last_group)
		return 0;
	g = tables_group_next(d->tables, d->next_group, clock_now(), &d->group);
	if (!g || g->group_id > d->last_group)
		return 0;
	d->next_group = g->group_id + 1;
	if (desc)
		*desc = g;
	if (stats)
		fill_group_stats(d, stats);
	return 1;
}

void flow_ops_group_features(struct ofp_group_features *out)
{
	*out = (struct ofp_group_features){.types = 0xf, .capabilities = 1 | 2 | 4 | 8};
	for (int type = 0; type < 4; type++)
		out->max_groups[type] = SWITCH_GROUPS_MAX;
}

void flow_ops_dump_close(struct ofp_dump *d)
{
	if (!d)
		return;
	if (d->flows)
		tables_dump_close(d->flows);
	forget_group(d);
	free(d);
}
