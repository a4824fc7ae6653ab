/* SPDX-License-Identifier: Apache-2.0 */
/* Random changes, made to the switch and to its twin; see world.h. */
#include "tests/differential/world.h"

#include <criterion/criterion.h>

#include "base/clock.h"

enum { BUNDLE_MAX = 32 };

/* Changes that become one version. The twin has them at once, as no packet comes in between. */
static struct bundle {
	unsigned n;
	struct tables_change changes[BUNDLE_MAX];
	struct flow_mod flows[BUNDLE_MAX];
	struct group_mod groups[BUNDLE_MAX];
	struct meter_mod meters[BUNDLE_MAX];
} bundle;

static enum tables_error apply(struct world *w)
{
	enum tables_error rc = tables_apply(w->subject.tables, bundle.changes, bundle.n, clock_now(), NULL);

	for (unsigned i = 0; i < bundle.n; i++) {
		if (bundle.changes[i].flow)
			flow_mod_free(&bundle.flows[i]);
		if (bundle.changes[i].group)
			group_mod_free(&bundle.groups[i]);
	}
	bundle.n = 0;
	return rc;
}

/* Takes `fm` over. */
static void put_flow(const struct flow_mod *fm)
{
	bundle.flows[bundle.n] = *fm;
	bundle.changes[bundle.n] = (struct tables_change){.flow = &bundle.flows[bundle.n]};
	bundle.n++;
}

static void put_group(struct world *w, uint32_t id, enum group_command command)
{
	struct group_mod *gm = &bundle.groups[bundle.n];

	generate_group(&w->random, id, GENERATE_GROUPS, gm);
	gm->command = command;
	model_group_mod(&w->model, gm);
	bundle.changes[bundle.n++] = (struct tables_change){.group = gm};
}

static void put_meter(struct world *w, uint32_t id, enum meter_command command)
{
	struct meter_mod *mm = &bundle.meters[bundle.n];

	generate_meter(&w->random, id, mm);
	mm->command = command;
	model_meter_mod(&w->model, mm, clock_now());
	bundle.changes[bundle.n++] = (struct tables_change){.meter = mm};
}

/* Equal priorities would leave it open which flow wins. */
static void unique_priority(struct world *w, struct flow_mod *fm)
{
	while (model_has_priority(&w->model, fm->table_id, fm->priority))
		fm->priority = (uint16_t)random_below(&w->random, 65536);
}

static void add_flow(struct world *w)
{
	struct flow_mod fm;

	generate_flow(&w->random, GENERATE_GROUPS, &fm);
	unique_priority(w, &fm);
	fm.cookie = ++w->cookies;
	model_flow_mod(&w->model, &fm);
	put_flow(&fm);
}

static void add_conjunction(struct world *w)
{
	struct flow_mod fm[GENERATE_CONJUNCTION_MAX];
	struct flow_mod any = {.table_id = GENERATE_CONJUNCTION_TABLE};
	unsigned n;

	unique_priority(w, &any);
	n = generate_conjunction(&w->random, ++w->conjunctions, any.priority, GENERATE_GROUPS, fm);
	for (unsigned i = 0; i < n; i++) {
		if (i + 1 == n)
			unique_priority(w, &fm[i]);
		fm[i].cookie = ++w->cookies;
		model_flow_mod(&w->model, &fm[i]);
		put_flow(&fm[i]);
	}
}

static bool deletes(enum flow_command c)
{
	return c == FLOW_DELETE || c == FLOW_DELETE_STRICT;
}

/* Clauses are not made ordinary flows: others have their priority. */
static enum flow_command command_for(struct world *w, const struct model_rule *r)
{
	static const enum flow_command commands[] = {FLOW_DELETE_STRICT, FLOW_DELETE, FLOW_ADD,
	                                             FLOW_MODIFY_STRICT, FLOW_MODIFY};
	bool clause = r->actions.n && r->actions.items[0].type == ACTION_CONJUNCTION;

	return commands[random_below(&w->random, clause                                      ? 2
	                                         : r->table_id == GENERATE_CONJUNCTION_TABLE ? 4
	                                                                                     : 5)];
}

/* Replaces, modifies or deletes by the match of a flow that is there, or by less than that. */
static void change_flow(struct world *w)
{
	const struct model_rule *r;
	struct flow_mod fm;

	if (!w->model.n)
		return;
	r = &w->model.rules[random_below(&w->random, w->model.n)];
	flow_mod_init(&fm);
	fm.command = command_for(w, r);
	fm.table_id = r->table_id;
	fm.priority = r->priority;
	fm.match = r->match;
	fm.cookie = ++w->cookies;
	if (random_chance(&w->random, 50))
		fm.flags = FLOW_RESET_COUNTS;
	if (!deletes(fm.command))
		generate_actions(&w->random, &fm.match, fm.table_id, GENERATE_GROUPS, &fm.actions);
	else if (random_chance(&w->random, 10))
		fm.out_port = 1 + random_below(&w->random, GENERATE_PORTS);
	else if (random_chance(&w->random, 5))
		fm.out_group = 1 + random_below(&w->random, GENERATE_GROUPS);
	if (fm.command != FLOW_ADD && random_chance(&w->random, 20)) {
		fm.cookie_mask = 3;
		fm.match_cookie = random_below(&w->random, 4);
	}
	model_flow_mod(&w->model, &fm);
	put_flow(&fm);
}

/* OFPPC_* of a port. */
static void change_port(struct world *w)
{
	static const uint32_t bits[] = {PORT_CONFIG_DOWN, PORT_CONFIG_NO_RECV, PORT_CONFIG_NO_FLOOD,
	                                PORT_CONFIG_NO_FWD, PORT_CONFIG_NO_PACKET_IN};
	struct model_port *p = &w->model.ports[random_below(&w->random, w->model.nports)];

	p->config = random_chance(&w->random, 50) ? 0 : bits[random_below(&w->random, 5)];
	datapath_port_set_config(w->subject.dp, datapath_port_by_number(w->subject.dp, p->number), p->config);
	w->model.nchoices = 0; /* liveness moves flows of select groups */
}

/* What ends in a mistake changes nothing, whatever came before it. */
static void refused_change(struct world *w)
{
	struct flow_mod fm;

	generate_flow(&w->random, GENERATE_GROUPS, &fm);
	put_flow(&fm);
	flow_mod_init(&fm);
	fm.command = FLOW_DELETE;
	put_flow(&fm);
	flow_mod_init(&fm);
	fm.table_id = 1;
	action_list_append(&fm.actions, ACTION_GROUP)->number = GENERATE_GROUPS + 1;
	put_flow(&fm);
	cr_assert_eq(apply(w), TABLES_BAD_OUT_GROUP);
}

static void one_change(struct world *w)
{
	unsigned kind = random_below(&w->random, 40);

	if (kind < 16)
		add_flow(w);
	else if (kind < 34)
		change_flow(w);
	else if (kind < 36)
		put_group(w, 1 + random_below(&w->random, GENERATE_GROUPS), GROUP_MODIFY);
	else if (kind < 37)
		put_meter(w, 1 + random_below(&w->random, GENERATE_METERS), METER_MODIFY);
	else
		add_conjunction(w);
}

void world_change(struct world *w)
{
	unsigned kind = random_below(&w->random, 40);

	if (kind < 2) {
		change_port(w);
	} else if (kind < 3) {
		refused_change(w);
	} else {
		unsigned n = kind < 8 ? 1 + random_below(&w->random, 4) : 1;

		while (n-- && bundle.n + GENERATE_CONJUNCTION_MAX < BUNDLE_MAX)
			one_change(w);
		cr_assert_eq(apply(w), TABLES_OK);
	}
}

static void add_port(struct world *w, uint32_t number)
{
	uint32_t caps = random_chance(&w->random, 50) ? PORT_TX_CSUM : 0;

	subject_port_add(&w->subject, number, caps);
	model_port_add(&w->model, number, !caps);
}

void world_create(struct world *w)
{
	static const unsigned cache_sizes[] = {64, 64, 1024, 65536};

	subject_create(&w->subject, cache_sizes[random_below(&w->random, 4)]);
	model_init(&w->model);
	for (uint32_t i = 1; i <= GENERATE_PORTS; i++)
		add_port(w, i);
	add_port(w, PORT_LOCAL);
	tables_set_port_tunnel(w->subject.tables, GENERATE_TUNNEL_PORT, random_chance(&w->random, 50));
	for (uint32_t i = GENERATE_GROUPS; i; i--)
		put_group(w, i, GROUP_ADD);
	for (uint32_t i = 1; i <= GENERATE_METERS; i++)
		put_meter(w, i, METER_ADD);
	cr_assert_eq(apply(w), TABLES_OK);
	for (unsigned n = random_below(&w->random, 200); n; n--) {
		add_flow(w);
		cr_assert_eq(apply(w), TABLES_OK);
	}
}

void world_destroy(struct world *w)
{
	world_compare(w);
	subject_destroy(&w->subject);
	model_free(&w->model);
}
