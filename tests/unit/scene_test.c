/* SPDX-License-Identifier: Apache-2.0 */
/* A scene that follows its view: what a change makes anew, and that it comes to what a fresh one is. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/agent/host_flows.h"
#include "control/agent/switch_zones.h"
#include "flows/ct.h"
#include "tests/lib/fake_switch.h"

enum { ALL = -1, NONE = 0, WEB = 5001, DB = 5002, TUNNEL = 99 };

static struct store *store;
static struct view *view;
static struct scene scene;
static struct host_flows flows;

/* `value` NULL: it goes. */
static void put(const char *key, const char *value)
{
	char path[STORE_KEY_MAX];
	struct store_op op = {path, value};
	struct store_txn txn = {.ops = &op, .n_ops = 1};
	struct error e;

	snprintf(path, sizeof(path), KEYS_ROOT "%s", key);
	cr_assert_eq(store_txn(store, &txn, NULL, &e), 0, "%s", e.text);
}

#define PORT(name, network, ip, mac, more)                                                                   \
	"{\"name\":\"" name "\",\"tenant\":\"acme\",\"network\":\"" network "\",\"ips\":[\"" ip              \
	"\"],\"mac\":\"02:00:00:00:00:" mac "\"" more "}"
#define NETWORK(name, vni, cidr)                                                                             \
	"{\"name\":\"" name "\",\"tenant\":\"acme\",\"vni\":" vni ",\"subnets\":[{\"cidr\":\"" cidr "\"}]}"
#define ROUTER(more) "{\"name\":\"r\",\"tenant\":\"acme\",\"interfaces\":[\"web\",\"db\"]" more "}"
#define GROUP(name, rule) "{\"name\":\"" name "\",\"tenant\":\"acme\",\"ingress\":[" rule "]}"

/* Two networks that a router connects; h1 has web's a1, whose group lets those of "web" in. */
static const char *const world[][2] = {
        {"host/h1", "{\"name\":\"h1\",\"vtep\":\"192.0.2.1\"}"},
        {"host/h2", "{\"name\":\"h2\",\"vtep\":\"192.0.2.2\"}"},
        {"host/h3", "{\"name\":\"h3\",\"vtep\":\"192.0.2.3\"}"},
        {"n/5001/net", NETWORK("web", "5001", "10.0.0.0/24")},
        {"n/5002/net", NETWORK("db", "5002", "10.0.1.0/24")},
        {"r/acme.r/def", ROUTER("")},
        {"r/acme.r/if/5001", "\"web\""},
        {"r/acme.r/if/5002", "\"db\""},
        {"n/5001/router", "\"acme.r\""},
        {"n/5002/router", "\"acme.r\""},
        {"sg/acme.web/def", GROUP("web", "{\"proto\":\"tcp\",\"ports\":[80]}")},
        {"sg/acme.web-in/def", GROUP("web-in", "{\"from\":{\"group\":\"web\"}}")},
        {"sg/acme.web/m/acme.a2", "{\"ips\":[\"10.0.0.11\"]}"},
        {"n/5001/p/acme.a1",
         PORT("a1", "web", "10.0.0.10", "01", ",\"host\":\"h1\",\"groups\":[\"web-in\"]")},
        {"n/5001/p/acme.a2", PORT("a2", "web", "10.0.0.11", "02", "")},
        {"n/5002/p/acme.d1", PORT("d1", "db", "10.0.1.10", "0d", "")},
        {"n/5002/p/acme.d3", PORT("d3", "db", "10.0.1.13", "0f", "")},
        {"n/5002/p/acme.d4", PORT("d4", "db", "10.0.1.14", "10", "")},
        {"loc/5001/acme.a1", "\"h1\""},
        {"loc/5001/acme.a2", "\"h2\""},
        {"loc/5002/acme.d1", "\"h2\""},
        {"loc/5002/acme.d3", "\"h3\""},
        {"loc/5002/acme.d4", "\"h2\""},
        {"h/h1/bind/acme.a1", "{\"vni\":5001}"},
};

static int count(struct flow *had, struct flow *wanted, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

static int differs(struct flow *had, struct flow *wanted, void *arg)
{
	return 1;
}

static void update(struct scene *s)
{
	struct error e = {""};

	cr_assert_eq(scene_update(s, view, "h1", "/run", &e), 0, "%s", e.text);
	s->tunnel = TUNNEL;
	for (unsigned i = 0; i < s->n_local; i++) /* a1 is 1 */
		s->local[i]->ofport = (uint32_t)strtoul(s->local[i]->port->object.name + 1, NULL, 10);
}

/* Follows; `*n` flows have changed. */
static void follow(unsigned *n)
{
	struct flow_set kept = {0}, fresh = {0};
	struct scene anew = {0};
	struct error e = {""};

	*n = 0;
	cr_assert_geq(view_refresh(view, &e), 0, "%s", e.text);
	update(&scene);
	update(&anew);
	cr_assert_eq(host_flows_update(&flows, &scene, count, n), 0);
	cr_assert_eq(host_flows_all(&flows, &kept), 0);
	cr_assert_eq(pipeline_flows(&anew, &fresh), 0);
	cr_assert_eq(flow_set_compare(&kept, &fresh, differs, NULL), 0, "a fresh scene has other flows");
	cr_assert_eq(scene.interfaces_version, anew.interfaces_version);
	cr_assert_eq(scene.asked, anew.asked);
	flow_set_free(&kept);
	flow_set_free(&fresh);
	scene_free(&anew);
}

static void start(void)
{
	struct error e;
	unsigned n;

	cr_assert_eq(store_open_sqlite(":memory:", &store, &e), 0);
	for (size_t i = 0; i < sizeof(world) / sizeof(world[0]); i++)
		put(world[i][0], world[i][1]);
	view = view_create(store, "h1");
	follow(&n);
}

static void stop(void)
{
	host_flows_free(&flows);
	scene_free(&scene);
	view_destroy(view);
	store_close(store);
}

enum { MARK = 77 }; /* as many queues no port is given */

static void mark(void)
{
	for (unsigned i = 0; i < scene.n_networks; i++)
		scene.networks[i].ports[0].queues = MARK;
}

static bool is_marked(uint32_t vni)
{
	const struct scene_network *net = scene_network(&scene, vni);

	return net && net->ports[0].queues == MARK;
}

static const struct step {
	const char *key, *value;
	int makes; /* this network, or ALL, or NONE anew */
	bool flows;
} steps[] = {
        {"loc/5001/acme.a2", "\"h3\"", WEB, true},
        {"n/5002/p/acme.d2", PORT("d2", "db", "10.0.1.11", "0e", ""), DB, false}, /* it is nowhere */
        {"loc/5002/acme.d2", "\"h3\"", DB, true},
        {"loc/5002/acme.d2", "\"h9\"", ALL, true}, /* host/h9 is followed from now on */
        {"sg/acme.web/m/acme.a2", "{\"ips\":[\"10.0.0.12\"]}", NONE, true},
        {"sg/acme.web/def", GROUP("web", "{\"proto\":\"tcp\",\"ports\":[81]}"), NONE, false},
        {"sg/acme.web-in/def", GROUP("web-in", "{\"proto\":\"udp\"}"), ALL, true}, /* "web" is not any more */
        {"sg/acme.web-in/def", GROUP("web-in", "{\"proto\":\"tcp\"}"), NONE, true},
        {"h/h1/wait", "7", ALL, false},
        {"host/h3", "{\"name\":\"h3\",\"vtep\":\"192.0.2.33\"}", ALL, true},
        {"r/acme.r/def", ROUTER(",\"routes\":[{\"to\":\"0.0.0.0/0\",\"via\":\"10.0.1.10\"}]"), ALL, true},
        {"loc/5002/acme.d1", "\"h3\"", DB, true}, /* web's flows too: its router has a route to it */
        {"n/5002/net", NETWORK("db", "5002", "10.0.2.0/24"), ALL, true},
        {"n/5001/p/acme.a3", PORT("a3", "web", "10.0.0.13", "03", ""), WEB, true},
        {"h/h1/bind/acme.a3", "{\"vni\":5001}", ALL, true},
        {"loc/5001/acme.a3", "\"h1\"", WEB, true},
        {"h/h1/bind/acme.a3", NULL, ALL, true},
        {"n/5001/p/acme.a3", NULL, WEB, true},
        {"n/5002/router", NULL, ALL, true},
        {"n/5001/net", NULL, ALL, true},
        {"n/5001/net", NETWORK("web", "5001", "10.0.0.0/24"), ALL, true},
        {"h/h1/bind/acme.a1", NULL, ALL, true},
};

Test(scene, a_change_makes_anew_what_it_is_about, .init = start, .fini = stop)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct step *step = &steps[i];
		bool web = step->makes == ALL || step->makes == WEB,
		     db = step->makes == ALL || step->makes == DB;
		unsigned n;

		mark();
		put(step->key, step->value);
		follow(&n);
		cr_assert_eq(n != 0, step->flows, "%s: %u flows have changed", step->key, n);
		cr_assert_eq(is_marked(WEB), !web, "%s", step->key);
		cr_assert_eq(is_marked(DB), !db, "%s", step->key);
	}
	cr_assert_eq(scene.n_networks, 0);
}

/* With what else a change of a network makes anew; numbers that were given stay. */
Test(scene, who_lives_and_numbers, .init = start, .fini = stop)
{
	struct error e;
	unsigned n;

	put("live/h1", "{}");
	put("live/h2", "{}");
	put("h/h1/wait", "1"); /* what is gathered is taken with it */
	follow(&n);
	cr_assert(scene_host(&scene, "h2")->lives && !scene_host(&scene, "h3")->lives);
	put("live/h2", NULL);
	put("loc/5001/acme.a1", "\"h2\"");
	mark();
	scene.local[0]->ofport = 7;
	scene.local[0]->claimed = 8;
	cr_assert_geq(view_refresh(view, &e), 0);
	cr_assert_eq(scene_update(&scene, view, "h1", "/run", &e), 0);
	cr_assert_not(scene_host(&scene, "h2")->lives);
	cr_assert(is_marked(DB) && !is_marked(WEB));
	cr_assert(scene.n_local == 1 && scene.local[0]->ofport == 7 && scene.local[0]->claimed == 8);
	cr_assert_eq(scene.tunnel, TUNNEL);
	put("h/h1/bind/acme.d1", "{\"vni\":5002}");
	cr_assert_geq(view_refresh(view, &e), 0);
	cr_assert_eq(scene_update(&scene, view, "h1", "/run", &e), 0);
	cr_assert(scene.n_local == 2 && scene.local[0]->ofport == 7 && scene.local[0]->claimed == 8);
	cr_assert_eq(scene.local[1]->ofport, 0);
}

/* Their keys are in another order than their names: "acme.web-in/" comes before "acme.web/". */
Test(scene, a_group_with_the_beginning_of_anothers_name, .init = start, .fini = stop)
{
	cr_assert(scene_group(&scene, "acme", "web"));
	cr_assert(scene_group(&scene, "acme", "web-in"));
	cr_assert_eq(scene_group(&scene, "acme", "web")->n_members, 1);
	cr_assert_null(scene_group(&scene, "acme", "we"));
	cr_assert_null(scene_group(&scene, "acme", "web-"));
}

/* ---- zones ---- */

/* Clears what is foreign; that must be a1's zone, `n` times. `there`: has the switch a1's interface? */
static void expect_cleared(struct fake_switch *sw, const char *socket, bool there, unsigned n,
                           const char *why)
{
	json_t *rows = there ? json_pack("[{s:s}]", "name", scene.local[0]->interface) : json_array();
	struct ct_flush last;
	unsigned before = fake_switch_flushed(sw, &last);
	struct error e = {""};

	cr_assert_eq(switch_zones_clear(socket, 5000, &scene, rows, &e), 0, "%s", e.text);
	cr_assert_eq(fake_switch_flushed(sw, &last) - before, n, "%s", why);
	cr_assert(!n || (last.by_zone && last.zone == 1), "%s", why);
	json_decref(rows);
}

#define A1(more) PORT("a1", "web", "10.0.0.10", "01", ",\"host\":\"h1\"" more)

/* What of its past a zone must not remember. */
Test(scene, zones_that_are_cleared, .init = start, .fini = stop)
{
	static const struct {
		const char *key, *value;
		bool there;
		unsigned cleared;
		const char *why;
	} moves[] = {
	        {"h/h1/wait", "1", true, 0, "an agent that starts leaves them alone"},
	        {"h/h1/wait", "2", false, 1, "the number may have been somebody else's"},
	        {"h/h1/wait", "3", true, 0, "once is enough"},
	        {"loc/5001/acme.a1", "\"h2\"", true, 1, "its guest has left"},
	        {"loc/5001/acme.a1", "\"h1\"", true, 0, "it comes back, what it says first counts"},
	        {"n/5001/p/acme.a1", A1(""), true, 0, "in no group nothing is tracked"},
	        {"n/5001/p/acme.a2", PORT("a2", "web", "10.0.0.12", "02", ""), true, 0, "nor later"},
	        {"n/5001/p/acme.a1", A1(",\"groups\":[\"web\"]"), true, 1, "in one again"},
	        {"n/5001/p/acme.a1", A1(",\"groups\":[\"web-in\"]"), true, 0, "in another one"},
	        {"n/5001/p/acme.a1", A1(""), false, 1, "nobody's connections are left to who has no groups"},
	};
	char dir[] = "/tmp/weft-zones-XXXXXX", socket[64];
	struct fake_switch *sw;
	unsigned n;

	cr_assert(mkdtemp(dir));
	snprintf(socket, sizeof(socket), "%s/s", dir);
	sw = fake_switch_start(socket);
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		put(moves[i].key, moves[i].value);
		follow(&n);
		expect_cleared(sw, socket, moves[i].there, moves[i].cleared, moves[i].why);
	}
	put("n/5001/p/acme.a1", A1(",\"groups\":[\"web\"]"));
	follow(&n);
	expect_cleared(sw, socket, true, 1, "in a group again");
	put("n/5001/p/acme.a1", NULL);
	put("loc/5001/acme.a1", NULL);
	put("n/5002/p/acme.a1", PORT("a1", "db", "10.0.0.10", "01", ",\"host\":\"h1\",\"groups\":[\"web\"]"));
	put("loc/5002/acme.a1", "\"h1\"");
	put("h/h1/bind/acme.a1", "{\"vni\":5002}");
	follow(&n);
	expect_cleared(sw, socket, true, 1, "in another network the same addresses are somebody else's");
	fake_switch_stop(sw);
	unlink(socket);
	rmdir(dir);
}
