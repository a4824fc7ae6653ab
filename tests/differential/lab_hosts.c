/* SPDX-License-Identifier: Apache-2.0 */
/* From YAML to flows in tables, and the fabric; see lab_hosts.h. */
#include "tests/differential/lab_hosts.h"

#include <criterion/criterion.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/agent/switch_zones.h"
#include "control/tenancy/document.h"
#include "control/tenancy/edit.h"
#include "control/tenancy/tenancy_json.h"
#include "overlay/vxlan/underlay.h"
#include "tests/lib/eal.h"

struct lab_host lab_hosts[LAB_HOSTS];

static uv_loop_t loop;
static struct underlay *underlay;

/* ---- from YAML to flows in the tables ---- */

static void write_store(const struct lab *lab, struct lab_host *h)
{
	char path[] = "/tmp/weft-isolation-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	struct tenancy_error e = {.kind = KINDS};
	struct document *d;
	struct tenancy wanted;
	struct edit c;

	lab_write_yaml(lab, f);
	fclose(f);
	d = document_read(path, &e.text);
	unlink(path);
	cr_assert(d, "%s", e.text.text);
	cr_assert_eq(tenancy_read(document_json(d), &wanted, &e), 0, "%s", e.text.text);
	cr_assert_eq(edit_begin(&c, h->store, &e.text), 0, "%s", e.text.text);
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

static int add_change(struct flow *has, struct flow *wanted, void *arg)
{
	struct bundle *b = arg;
	struct flow_mod *fm = &b->mods[b->n], flow;

	cr_assert(b->n < 16384);
	flow_get(wanted ? wanted : has, &flow);
	flow_mod_copy(fm, &flow);
	fm->command = wanted ? FLOW_ADD : FLOW_DELETE_STRICT;
	b->changes[b->n++].flow = fm;
	return 0;
}

static int differs(struct flow *has, struct flow *wanted, void *arg)
{
	return 1;
}

static void see(const struct lab_host *h, struct scene *scene)
{
	struct error e = {""};

	cr_assert_eq(scene_update(scene, h->view, h->name, "/tmp", &e), 0, "%s", e.text);
	for (unsigned i = 0; i < scene->n_local; i++)
		scene->local[i]->ofport =
		        (uint32_t)strtoul(scene->local[i]->port->object.name + 1, NULL, 10) + 1;
	scene->tunnel = LAB_TUNNEL;
}

static void forget_zone(struct lab_host *h, uint32_t zone)
{
	const struct ct_filter filter = {.by_zone = true, .zone = (uint16_t)zone};

	conntrack_flush(datapath_ct(h->sw.dp), &filter);
}

/* As switch_zones.c over OpenFlow. */
static void clear_zones(struct lab_host *h)
{
	bool is_there[LAB_GUESTS] = {false};

	for (unsigned i = 0; i < h->scene.n_local; i++) {
		struct scene_port *p = h->scene.local[i];

		is_there[p->ofport - 1] = true;
		if (switch_zone_is_foreign(p, h->is_there[p->ofport - 1]))
			forget_zone(h, p->ofport);
		if (p->port->n_groups)
			p->zone = ZONE_OWN;
	}
	memcpy(h->is_there, is_there, sizeof(is_there));
}

/* What the agent does: changed parts only. It comes to the same as making all anew. */
static void install(struct lab_host *h)
{
	struct bundle *b = calloc(1, sizeof(*b));
	struct flow_set all = {0}, anew = {0};
	struct scene scene = {0};
	unsigned failed = 0;

	see(h, &h->scene);
	see(h, &scene);
	cr_assert_eq(host_flows_update(&h->flows, &h->scene, add_change, b), 0);
	cr_assert_eq(host_flows_all(&h->flows, &all), 0);
	cr_assert_eq(pipeline_flows(&scene, &anew), 0);
	cr_assert_eq(flow_set_compare(&all, &anew, differs, NULL), 0);
	flow_set_free(&anew);
	scene_free(&scene);
	cr_assert_eq(tables_apply(h->sw.tables, b->changes, b->n, clock_now(), &failed), 0, "flow %u",
	             failed);
	test_switch_run(&h->sw);
	clear_zones(h);
	for (unsigned i = 0; i < b->n; i++)
		flow_mod_free(&b->mods[i]);
	free(b);
	flow_set_free(&h->installed);
	h->installed = all;
}

static void update_host(const struct lab *lab, struct lab_host *h)
{
	struct error e = {""};

	write_store(lab, h);
	cr_assert_geq(view_refresh(h->view, &e), 0, "%s", e.text);
	install(h);
}

void lab_hosts_update(const struct lab *lab)
{
	for (int i = 0; i < lab->n_hosts; i++)
		update_host(lab, &lab_hosts[i]);
}

void lab_hosts_forget(struct lab *lab)
{
	for (int i = 0; i < lab->n_hosts; i++)
		conntrack_flush(datapath_ct(lab_hosts[i].sw.dp), NULL);
	lab_forget(lab);
}

/* ---- hosts ---- */

/* The underlay is a veth that no packet goes through: frames are carried from uplink to uplink by hand. */
void lab_hosts_init(void)
{
	struct error e = {""};

	cr_assert_eq(unshare(CLONE_NEWNET), 0, "needs root");
	/* Every tunnel address is this kernel's own, yet reached through the cable. */
	cr_assert_eq(
	        system("ip link set lo up; ip link add a0 address 02:00:00:00:00:0a type veth peer name b0;"
	               "ip link set a0 mtu 1600 up; ip link set b0 mtu 1600 up;"
	               "for i in 11 12 13; do ip addr add 172.31.0.$i/24 dev a0; done;"
	               "for i in 11 12 13; do ip route del table local local 172.31.0.$i dev a0;"
	               "ip neigh add 172.31.0.$i lladdr 02:00:00:00:00:0b dev a0; done"),
	        0);
	test_eal_init();
	uv_loop_init(&loop);
	rcu_init();
	cr_assert_eq(underlay_create(&loop, &underlay, &e), 0, "%s", e.text);
}

static void make_host(struct lab_host *h, int number)
{
	struct error e = {""};
	char options[160];

	memset(h, 0, sizeof(*h));
	snprintf(h->name, sizeof(h->name), "h%d", number);
	snprintf(options, sizeof(options), "172.31.0.%d", 11 + number);
	cr_assert_eq(ip_parse(options, &h->vtep), 0);
	test_switch_init(&h->sw, &loop, underlay);
	test_switch_flow(&h->sw, "priority=0,actions=NORMAL");
	for (uint32_t i = 1; i <= LAB_GUESTS; i++)
		test_switch_port(&h->sw, i, "{\"private\": \"yes\"}");
	snprintf(options, sizeof(options), "{\"uplink\": 1, \"ifindex\": %u}", if_nametoindex("a0"));
	test_switch_add(&h->sw, "up", "memory", LAB_UPLINK, options);
	snprintf(options, sizeof(options),
	         "{\"local\": \"172.31.0.%d\", \"remote\": \"flow\", \"vni\": \"flow\", \"allow\": \"any\", "
	         "\"private\": \"yes\"}",
	         11 + number);
	test_switch_add(&h->sw, "vx", "vxlan", LAB_TUNNEL, options);
	cr_assert_eq(store_open_sqlite(":memory:", &h->store, &e), 0);
	h->view = view_create(h->store, h->name);
}

void lab_hosts_make(struct lab *lab, unsigned seed)
{
	lab_make(lab, seed);
	for (int i = 0; i < lab->n_hosts; i++)
		make_host(&lab_hosts[i], i);
	for (int i = 0; i < lab->n_hosts; i++)
		for (int k = 0; k < lab->n_hosts; k++)
			if (i != k)
				cr_assert_eq(underlay_hold(underlay, &lab_hosts[i].vtep, &lab_hosts[k].vtep),
				             0);
	for (unsigned i = 0; i < 50; i++) {
		underlay_poll(underlay);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	rcu_synchronize();
	clock_set(clock_now()); /* connections never grow old */
	lab_hosts_update(lab);
}

void lab_hosts_free(const struct lab *lab)
{
	for (int i = 0; i < lab->n_hosts; i++) {
		for (int k = 0; k < lab->n_hosts; k++)
			if (i != k)
				underlay_release(underlay, &lab_hosts[i].vtep, &lab_hosts[k].vtep);
		flow_set_free(&lab_hosts[i].installed);
		host_flows_free(&lab_hosts[i].flows);
		scene_free(&lab_hosts[i].scene);
		view_destroy(lab_hosts[i].view);
		store_close(lab_hosts[i].store);
		test_switch_free(&lab_hosts[i].sw);
	}
}

/* What a host has sent into tunnels comes out at the others. */
void lab_hosts_carry(const struct lab *lab, struct lab_host *from)
{
	struct memory_frame *f;

	while ((f = test_switch_take(&from->sw, LAB_UPLINK))) {
		int to = f->len > 34 ? f->data[33] - 11 : -1; /* the last byte of the outer destination */

		cr_assert(to >= 0 && to < lab->n_hosts && &lab_hosts[to] != from, "tunnelled to nobody");
		cr_assert_eq(memory_inject(datapath_port_by_number(lab_hosts[to].sw.dp, LAB_UPLINK), 0, f),
		             0);
	}
	for (int i = 0; i < lab->n_hosts; i++)
		if (&lab_hosts[i] != from)
			test_switch_run(&lab_hosts[i].sw);
}
