/* SPDX-License-Identifier: Apache-2.0 */
/* Everything the switch counts and knows, against the model. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "flows/dp/fdb.h"
#include "flows/text.h"
#include "tests/differential/world.h"

static void print_flow(const char *whose, uint64_t cookie, unsigned table_id, unsigned priority,
                       const struct match *match, const struct action_list *actions)
{
	struct text text = {0};

	match_format(&text, match, (uint16_t)priority, NULL);
	text_add(&text, " actions=");
	actions_format(&text, actions, NULL);
	printf("%s flow %lu: table=%u,%s\n", whose, cookie, table_id, text_get(&text));
	text_free(&text);
}

static bool same_flow(const struct flow_stats *fs, const struct model_rule *r)
{
	return fs->table_id == r->table_id && fs->priority == r->priority && fs->cookie == r->cookie &&
	       !memcmp(&r->match, &fs->match, sizeof(fs->match)) &&
	       action_list_equal(&r->actions, &fs->actions);
}

static void compare_flows(struct world *w)
{
	struct flow_filter all = {.table_id = TABLE_ALL, .out_port = PORT_ANY, .out_group = GROUP_ANY};
	struct tables_dump *d = tables_dump_open(w->subject.tables, &all);
	struct flow_stats fs;
	unsigned n = 0;

	while (tables_dump_next(d, clock_now(), &fs)) {
		const struct model_rule *r = &w->model.rules[n++];

		cr_assert_leq(n, w->model.n);
		if (!same_flow(&fs, r)) {
			print_flow("the model's", r->cookie, r->table_id, r->priority, &r->match,
			           &r->actions);
			print_flow("the switch's", fs.cookie, fs.table_id, fs.priority, &fs.match,
			           &fs.actions);
			fflush(stdout);
			cr_assert_fail("another flow after %lu packets", w->packets);
		}
		cr_assert_eq(fs.n_packets, r->count.packets, "flow %lu: %lu packets, not %lu", fs.cookie,
		             fs.n_packets, r->count.packets);
		cr_assert_eq(fs.n_bytes, r->count.bytes);
	}
	tables_dump_close(d);
	cr_assert_eq(n, w->model.n);
}

void world_explain(struct world *w)
{
	struct flow_filter all = {.table_id = TABLE_ALL, .out_port = PORT_ANY, .out_group = GROUP_ANY};
	struct tables_dump *d;
	struct flow_stats fs;

	subject_fold(&w->subject);
	d = tables_dump_open(w->subject.tables, &all);
	for (unsigned n = 0; n < w->model.n && tables_dump_next(d, clock_now(), &fs); n++) {
		const struct model_rule *r = &w->model.rules[n];

		if (fs.cookie == r->cookie && fs.n_packets == r->count.packets)
			continue;
		printf("%lu packets, not %lu: ", fs.n_packets, r->count.packets);
		print_flow("the switch's", fs.cookie, fs.table_id, fs.priority, &fs.match, &fs.actions);
	}
	tables_dump_close(d);
	fflush(stdout);
}

static void compare_groups(struct world *w)
{
	for (uint32_t id = 1; id <= GENERATE_GROUPS; id++) {
		const struct model_group *g = model_group(&w->model, id);
		struct group_stats gs;

		tables_group_next(w->subject.tables, id, clock_now(), &gs);
		cr_assert_eq(gs.group_id, id);
		cr_assert_eq(gs.n_packets, g->count.packets, "group %u: %lu packets, not %lu", id,
		             gs.n_packets, g->count.packets);
		cr_assert_eq(gs.n_bytes, g->count.bytes);
		cr_assert_eq(gs.n_buckets, g->mod.n_buckets);
		for (unsigned i = 0; i < gs.n_buckets; i++) {
			cr_assert_eq(gs.buckets[i].n_packets, g->buckets[i].packets);
			cr_assert_eq(gs.buckets[i].n_bytes, g->buckets[i].bytes);
		}
		group_stats_free(&gs);
	}
}

static void compare_tables(struct world *w)
{
	for (unsigned i = 0; i < MODEL_TABLES; i++) {
		struct tables_stats ts;

		tables_table_stats(w->subject.tables, (uint8_t)i, &ts);
		cr_assert_eq(ts.lookups, w->model.lookups[i], "table %u: %lu lookups, not %lu", i, ts.lookups,
		             w->model.lookups[i]);
		cr_assert_eq(ts.matched, w->model.matched[i]);
	}
}

static void compare_ports(struct world *w)
{
	for (unsigned i = 0; i < w->model.nports; i++) {
		const struct model_port *p = &w->model.ports[i];
		struct port_counters c;

		datapath_port_counters(w->subject.dp, datapath_port_by_number(w->subject.dp, p->number), &c);
		cr_assert_eq(c.rx_packets, p->rx.packets);
		cr_assert_eq(c.rx_bytes, p->rx.bytes);
		cr_assert_eq(c.tx_packets, p->tx.packets);
		cr_assert_eq(c.tx_bytes, p->tx.bytes);
	}
}

static void compare_macs(struct world *w)
{
	const struct fdb *f = datapath_fdb(w->subject.dp);
	struct fdb_entry e;
	uint32_t cursor = 0;
	unsigned n = 0;

	while (fdb_next(f, &cursor, &e)) {
		cr_assert_eq(model_mac_port(&w->model, e.vlan, e.mac), e.port);
		n++;
	}
	cr_assert_eq(n, w->model.nmacs);
}

static void compare_meters(struct world *w)
{
	for (uint32_t id = 1; id <= GENERATE_METERS; id++) {
		const struct model_meter *m = model_meter(&w->model, id);
		struct meter_stats ms;

		tables_meter_next(w->subject.tables, id, clock_now(), &ms);
		cr_assert_eq(ms.meter_id, id);
		cr_assert_eq(ms.n_packets, m->count.packets, "meter %u: %lu packets, not %lu", id,
		             ms.n_packets, m->count.packets);
		cr_assert_eq(ms.n_bytes, m->count.bytes);
		for (unsigned i = 0; i < m->mod.n_bands; i++) {
			cr_assert_eq(ms.bands[i].n_packets, m->bands[i].packets);
			cr_assert_eq(ms.bands[i].n_bytes, m->bands[i].bytes);
		}
	}
}

void world_compare(struct world *w)
{
	subject_fold(&w->subject);
	compare_flows(w);
	compare_groups(w);
	compare_tables(w);
	compare_ports(w);
	compare_macs(w);
	compare_meters(w);
}
