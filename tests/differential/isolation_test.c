/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tenants are apart: random tenants in YAML go through the agent's code into the real datapath; random
 * guests' frames, a third of them spoofed or malformed, must come out where the judge says and nowhere else,
 * while the configuration churns. And the judge sees: an agent that forgets any one drop is caught.
 *
 * SEED=n repeats a run, ISOLATION_PACKETS=n says how many frames.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/agent/host_flows.h"
#include "control/tenancy/edit.h"
#include "control/tenancy/document.h"
#include "control/tenancy/tenancy_json.h"
#include "flows/text.h"
#include "tests/differential/lab.h"
#include "tests/lib/eal.h"
#include "tests/lib/switch.h"

static struct test_switch sw;
static struct lab lab;
static struct store *store;
static struct view *view;
static struct host_flows flows;
static struct flow_set installed;

static long number(const char *name, long missing)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 0) : missing;
}

/* ---- from YAML to flows in the tables ---- */

static void write_store(void)
{
	char path[] = "/tmp/weft-isolation-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	struct tenancy_error e = {.kind = KINDS};
	struct document *d;
	struct tenancy wanted;
	struct edit c;

	lab_write_yaml(&lab, f);
	fclose(f);
	d = document_read(path, &e.text);
	unlink(path);
	cr_assert(d, "%s", e.text.text);
	cr_assert_eq(tenancy_read(document_json(d), &wanted, &e), 0, "%s", e.text.text);
	cr_assert_eq(edit_begin(&c, store, &e.text), 0, "%s", e.text.text);
	for (int k = 0; k < KINDS; k++) { /* what is not in the file goes */
		void **list = tenancy_list(&c.after, (enum object_kind)k);

		for (void **at = list; *at; at++) {
			struct object o = *(struct object *)*at;

			if (!tenancy_get(&wanted, o.kind, o.tenant, o.name))
				tenancy_remove(&c.after, o.kind, o.tenant, o.name);
		}
		free(list);
	}
	cr_assert_eq(edit_merge(&c, &wanted, NULL), 0);
	cr_assert_eq(edit_plan(&c, &e), 0, "%s", e.text.text);
	cr_assert_eq(edit_commit(&c, &e.text), 0, "%s", e.text.text);
	edit_end(&c);
	tenancy_free(&wanted);
	document_free(d);
}

struct bundle {
	struct flow_mod mods[16384];
	struct tables_change changes[16384];
	unsigned n;
};

static int add_change(const struct flow_mod *has, const struct flow_mod *wanted, void *arg)
{
	struct bundle *b = arg;
	struct flow_mod *fm = &b->mods[b->n];

	cr_assert(b->n < 16384);
	flow_mod_copy(fm, wanted ? wanted : has);
	fm->command = wanted ? FLOW_ADD : FLOW_DELETE_STRICT;
	b->changes[b->n++].flow = fm;
	return 0;
}

static int differs(const struct flow_mod *has, const struct flow_mod *wanted, void *arg)
{
	return 1;
}

/* What the agent does: changed parts only. It comes to the same as making all anew. */
static void install(const struct scene *scene)
{
	struct bundle *b = calloc(1, sizeof(*b));
	struct flow_set all = {0}, anew = {0};
	unsigned failed = 0;

	cr_assert_eq(host_flows_update(&flows, scene, add_change, b), 0);
	cr_assert_eq(host_flows_all(&flows, &all), 0);
	cr_assert_eq(pipeline_flows(scene, &anew), 0);
	cr_assert_eq(flow_set_compare(&all, &anew, differs, NULL), 0);
	flow_set_free(&anew);
	cr_assert_eq(tables_apply(sw.tables, b->changes, b->n, clock_now(), &failed), 0, "flow %u", failed);
	test_switch_run(&sw);
	for (unsigned i = 0; i < b->n; i++)
		flow_mod_free(&b->mods[i]);
	free(b);
	flow_set_free(&installed);
	installed = all;
}

static void update(void)
{
	struct error e = {""};
	struct scene scene;

	write_store();
	cr_assert_geq(view_refresh(view, &e), 0, "%s", e.text);
	cr_assert_eq(scene_build(view, "h", "/tmp", &scene, &e), 0, "%s", e.text);
	for (unsigned i = 0; i < scene.n_ports; i++)
		scene.ports[i].ofport = (uint32_t)strtoul(scene.ports[i].port->object.name + 1, NULL, 10) + 1;
	install(&scene);
	scene_free(&scene);
}

static void set_up(unsigned seed)
{
	struct error e;

	test_switch_init(&sw, NULL, NULL);
	test_switch_flow(&sw, "priority=0,actions=NORMAL");
	for (uint32_t i = 1; i <= LAB_GUESTS; i++)
		test_switch_port(&sw, i, "{\"private\": \"yes\"}");
	cr_assert_eq(store_open_sqlite(":memory:", &store, &e), 0);
	view = view_create(store, "h");
	lab_make(&lab, seed);
	update();
}

static void tear_down(void)
{
	flow_set_free(&installed);
	host_flows_free(&flows);
	view_destroy(view);
	store_close(store);
	test_switch_free(&sw);
}

/* ---- judging ---- */

/* One frame; false when something came out that should not, or not what should: `why` says what. */
static bool try_one(char *why, size_t size, struct lab_verdict *v)
{
	uint8_t frame[LAB_FRAME];
	unsigned before = sw.packet_ins;
	char what[160];
	bool good = true;
	uint32_t len;
	int from = lab_probe(&lab, frame, &len, v, what, sizeof(what));

	test_switch_send(&sw, (uint32_t)from + 1, frame, len);
	for (uint32_t i = 0; i < LAB_GUESTS; i++) {
		struct lab_delivery *d = &v->to[i];
		struct memory_frame *got;

		while ((got = test_switch_take(&sw, i + 1))) {
			if (good &&
			    (!d->expected || got->len != d->len || memcmp(got->data, d->bytes, d->len))) {
				good = false;
				snprintf(why, size, "%s: g%u got %s", what, i,
				         d->expected ? "other bytes" : "a frame");
			}
			d->expected = false;
			free(got);
		}
		if (good && d->expected) {
			good = false;
			snprintf(why, size, "%s: g%u got nothing", what, i);
		}
	}
	if (good && sw.packet_ins - before != v->punted) {
		good = false;
		snprintf(why, size, "%s: %u punted, expected %u", what, sw.packet_ins - before, v->punted);
	}
	return good;
}

Test(isolation, random_tenants, .init = test_eal_init, .timeout = 500)
{
	unsigned seed = (unsigned)number("SEED", (long)time(NULL));
	long packets = number("ISOLATION_PACKETS", 1000000), sent = 0, bad = 0, arrived = 0;
	struct lab_verdict v;
	char why[256];

	printf("SEED=%u\n", seed);
	for (unsigned round = 0; sent < packets; round++) {
		set_up(seed + round);
		for (long i = 0; i < 50000 && sent < packets; i++, sent++) {
			bool good;

			if (i % 5000 == 4999) {
				lab_churn(&lab);
				update();
			}
			good = try_one(why, sizeof(why), &v);
			cr_assert(good, "SEED=%u, round %u, frame %ld: %s", seed, round, i, why);
			bad += v.bad;
			arrived += !v.bad;
		}
		tear_down();
	}
	printf("%ld frames, %ld of them bad\n", sent, bad);
	cr_assert(bad > sent / 4 && arrived > sent / 4);
}

/* Every drop of the pipeline matters: without it the judge sees something. */
Test(isolation, a_forgotten_drop_is_caught, .init = test_eal_init, .timeout = 300)
{
	unsigned tried = 0;
	struct lab_verdict v;
	char why[256];

	set_up(20261123);
	for (size_t i = 0; i < installed.n; i++) {
		struct flow_mod forgotten = installed.flows[i]->mod;
		struct tables_change change = {.flow = &forgotten};
		unsigned failed;
		struct text text = {0};
		bool caught = false;

		if (forgotten.actions.n)
			continue;
		tried++;
		forgotten.command = FLOW_DELETE_STRICT;
		cr_assert_eq(tables_apply(sw.tables, &change, 1, clock_now(), &failed), 0);
		for (int n = 0; n < 300000 && !caught; n++)
			caught = !try_one(why, sizeof(why), &v);
		match_format(&text, &forgotten.match, forgotten.priority, NULL);
		cr_assert(caught, "can be forgotten: table=%u %s", forgotten.table_id, text_get(&text));
		text_free(&text);
		forgotten.command = FLOW_ADD;
		cr_assert_eq(tables_apply(sw.tables, &change, 1, clock_now(), &failed), 0);
		test_switch_run(&sw);
	}
	printf("%u drops\n", tried);
	cr_assert_gt(tried, 10);
	tear_down();
}
