/* SPDX-License-Identifier: Apache-2.0 */
/* control/agent without a switch: what a host watches, its flows towards other hosts, the answers to guests.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/agent/answer.h"
#include "control/agent/claim.h"
#include "control/tenancy/document.h"
#include "control/tenancy/edit.h"
#include "control/tenancy/tenancy_json.h"
#include "flows/text.h"
#include "tests/lib/frames.h"
#include "tests/pktgen/packet_text.h"

static const char three_hosts[] =
        "apiVersion: weft/v1\n"
        "hosts: {h1: {vtep: 192.0.2.1}, h2: {vtep: 192.0.2.2, mtu: 9000}, h3: {vtep: 192.0.2.3}}\n"
        "tenants:\n"
        "  acme:\n"
        "    networks:\n"
        "      web: {vni: 5001, subnets: [{cidr: 10.0.0.0/24}, {cidr: 'fd00:1::/64', dns: ['fd00::53']}]}\n"
        "      db: {vni: 5002, subnets: [{cidr: 10.0.1.0/24}]}\n"
        "      lone: {vni: 5003, subnets: [{cidr: 10.0.2.0/24}]}\n"
        "    routers: {r0: {interfaces: [web, db], routes: [{to: 0.0.0.0/0, via: 10.0.1.10}]}}\n"
        "    securityGroups: {web-sg: {}, db-sg: {ingress: [{proto: tcp, ports: 5432, from: {group: "
        "web-sg}}]}}\n"
        "    ports:\n"
        "      a1: {network: web, ips: [10.0.0.10, 'fd00:1::a'], mac: '02:00:00:00:00:01', host: h1, groups: "
        "[web-sg]}\n"
        "      a2: {network: web, ips: [10.0.0.11], mac: '02:00:00:00:00:02', host: h2}\n"
        "      a3: {network: web, ips: [10.0.0.12], mac: '02:00:00:00:00:03', host: h2}\n"
        "      d1: {network: db, ips: [10.0.1.10], mac: '02:00:00:00:00:0d', host: h2, groups: [db-sg]}\n"
        "      l1: {network: lone, ips: [10.0.2.10], mac: '02:00:00:00:00:11', host: h3}\n";

static struct store *store;

static void apply(const char *yaml)
{
	char path[] = "/tmp/weft-agent-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	struct tenancy_error e = {.kind = KINDS};
	struct tenancy wanted;
	struct document *d;
	struct edit c;

	fputs(yaml, f);
	fclose(f);
	d = document_read(path, &e.text);
	unlink(path);
	cr_assert(d && !tenancy_read(document_json(d), &wanted, &e), "%s", e.text.text);
	cr_assert_eq(edit_begin(&c, store, &e.text), 0);
	cr_assert_eq(edit_merge(&c, &wanted, "acme"), 0);
	cr_assert_eq(edit_plan(&c, &e), 0, "%s", e.text.text);
	cr_assert_eq(edit_commit(&c, &e.text), 0, "%s", e.text.text);
	edit_end(&c);
	tenancy_free(&wanted);
	document_free(d);
}

static void open_store(void)
{
	struct error e;

	cr_assert_eq(store_open_sqlite(":memory:", &store, &e), 0);
	apply(three_hosts);
}

static struct view *views[16]; /* of see() */
static unsigned n_views;

static void close_store(void)
{
	while (n_views)
		view_destroy(views[--n_views]);
	store_close(store);
}

/* The scene of a host; local ports get numbers from 1 on, the tunnel is 99. */
static struct view *look(const char *host, struct scene *s)
{
	struct view *v = view_create(store, host);
	struct error e = {""};
	uint32_t next = 1;

	cr_assert_eq(view_refresh(v, &e), 1, "%s", e.text);
	*s = (struct scene){0};
	cr_assert_eq(scene_update(s, v, host, "/run", &e), 0, "%s", e.text);
	for (unsigned i = 0; i < s->n_local; i++)
		s->local[i]->ofport = next++;
	s->tunnel = 99;
	return v;
}

static int has_key(const struct view_key *k, void *arg)
{
	return strstr(k->key, arg) != NULL;
}

Test(agent, a_host_watches_what_concerns_it, .init = open_store, .fini = close_store)
{
	struct error e = {""};
	struct scene s;
	struct view *v = look("h1", &s);

	cr_assert_eq(s.n_networks, 2, "its own, and what its router reaches");
	cr_assert_eq(s.networks[0].n_ports + s.networks[1].n_ports, 4);
	cr_assert(view_each(v, has_key, "n/5002/p/acme.d1"));
	cr_assert_not(view_each(v, has_key, "5003"), "a network of other hosts only");
	cr_assert_not(view_each(v, has_key, "alloc/"));
	cr_assert_eq(s.networks[0].mtu, 1450, "1500 without the tunnel's headers");
	scene_free(&s);
	cr_assert_eq(view_refresh(v, &e), 0, "nothing is new");
	apply("apiVersion: weft/v1\ntenants: {acme: {networks: {lone: {vni: 5003, subnets: [{cidr: "
	      "10.0.2.0/24}]}},"
	      " ports: {l1: {network: lone, ips: [10.0.2.10], mac: '02:00:00:00:00:11', host: h1}}}}\n");
	cr_assert_eq(view_refresh(v, &e), 1, "%s", e.text);
	cr_assert(view_each(v, has_key, "n/5003/p/acme.l1"));
	cr_assert_not(view_each(v, has_key, "n/5001/"), "what is not mentioned any more goes");
	view_destroy(v);
}

/* Is there a flow with this text (without cookie and counters)? What is before it is sound. */
static bool has_flow(const struct flow_set *set, const char *match, const char *actions)
{
	struct error e = {""};
	bool found = false;

	for (size_t i = 0; i < set->n && !found; i++) {
		struct text m = {0}, a = {0};
		struct flow_mod f;

		flow_get(set->flows[i], &f);
		text_add(&m, "table=%u ", f.table_id);
		match_format(&m, &f.match, f.priority, NULL);
		actions_format(&a, &f.actions, NULL);
		cr_assert_eq(match_normalize(&f.match), FIELD_NONE, "%s", text_get(&m));
		cr_assert_eq(action_list_check(&f.actions, &f.match, f.table_id, NULL, &e), 0, "%s: %s",
		             text_get(&m), e.text);
		found = !strcmp(text_get(&m), match) && !strcmp(text_get(&a), actions);
		text_free(&m);
		text_free(&a);
	}
	return found;
}

Test(agent, flows_towards_other_hosts, .init = open_store, .fini = close_store)
{
	struct flow_set flows = {0}, again = {0};
	struct scene s;
	struct view *v = look("h1", &s);

	cr_assert_eq(pipeline_flows(&s, &flows), 0);
	cr_assert(has_flow(&flows, "table=0 priority=60000,tun_src=192.0.2.2,in_port=99", "goto_table:1"));
	cr_assert_not(has_flow(&flows, "table=0 priority=60000,tun_src=192.0.2.1,in_port=99", "goto_table:1"),
	              "nobody else has our address");
	cr_assert(has_flow(&flows, "table=1 priority=100,tun_id=0x1389",
	                   "set_field:0x1389->reg0,set_field:0x1->reg2,goto_table:40"));
	cr_assert_not(has_flow(&flows, "table=1 priority=100,tun_id=0x138a",
	                       "set_field:0x138a->reg0,set_field:0x1->reg2,goto_table:40"),
	              "a VNI without a port here is taken in");
	cr_assert(has_flow(&flows, "table=40 priority=100,reg0=0x1389,reg2=0,dl_dst=02:00:00:00:00:02",
	                   "set_field:192.0.2.2->tun_dst,goto_table:70"));
	cr_assert(has_flow(&flows, "table=60 priority=100,reg0=0x1389,reg2=0",
	                   "set_field:0x1->reg3,resubmit(,80),set_field:0x1389->tun_id,set_field:192.0.2.2->"
	                   "tun_dst,"
	                   "output:99"),
	          "one copy to a host with two ports, none to a host without");
	cr_assert(has_flow(&flows, "table=60 priority=100,reg0=0x1389,reg2=0x1",
	                   "set_field:0x1->reg3,resubmit(,80)"),
	          "what came through a tunnel goes into none");
	cr_assert(
	        has_flow(&flows, "table=54 priority=100,ip,reg0=0x138a,nw_dst=10.0.1.10",
	                 "dec_ttl,set_field:0e:57:00:00:13:8a->eth_src,set_field:02:00:00:00:00:0d->eth_dst,"
	                 "set_field:192.0.2.2->tun_dst,goto_table:70"));
	cr_assert(has_flow(&flows, "table=51 priority=1000,ip,reg5=0x1389",
	                   "set_field:0x138a->reg0,dec_ttl,set_field:0e:57:00:00:13:8a->eth_src,"
	                   "set_field:02:00:00:00:00:0d->eth_dst,set_field:192.0.2.2->tun_dst,goto_table:70"),
	          "a static route ends at its port");
	cr_assert_eq(pipeline_flows(&s, &again), 0);
	cr_assert_eq(again.n, flows.n);
	flow_set_free(&flows);
	flow_set_free(&again);
	scene_free(&s);
	view_destroy(v);
	v = look("h2", &s);
	cr_assert_eq(pipeline_flows(&s, &flows), 0);
	cr_assert(has_flow(&flows,
	                   "table=24 priority=100,ct_state=-inv+trk,ct_nw_src=10.0.0.10,ct_nw_proto=6,"
	                   "ct_tp_dst=5432,ip,reg4=0x3",
	                   "set_field:0x1->reg6"),
	          "a group's members on another host");
	cr_assert_eq(s.networks[0].mtu, 8950);
	flow_set_free(&flows);
	scene_free(&s);
	view_destroy(v);
}

/* Writes or deletes (NULL) a key as an agent would. */
static void write_key(const char *key, const char *value)
{
	struct store_op op = {key, value};
	struct store_txn txn = {.ops = &op, .n_ops = 1};
	struct error e;

	cr_assert_eq(store_txn(store, &txn, NULL, &e), 0, "%s", e.text);
}

Test(agent, a_host_that_is_gone_gets_no_copies, .init = open_store, .fini = close_store)
{
	static const char all[] = "set_field:0x1->reg3,resubmit(,80),set_field:0x1389->tun_id,"
	                          "set_field:192.0.2.2->tun_dst,output:99",
	                  none[] = "set_field:0x1->reg3,resubmit(,80),set_field:0x1389->tun_id";
	static const char to_a2[] = "table=40 priority=100,reg0=0x1389,reg2=0,dl_dst=02:00:00:00:00:02";
	static const char *const steps[][2] = {
	        {NULL, NULL}, {"live/h1", "{}"}, {"live/h2", "{}"}, {"live/h2", NULL}};
	const char *want[] = {all, none, all, none}; /* without leases nobody is known to be gone */

	for (int i = 0; i < 4; i++) {
		struct flow_set flows = {0};
		char key[64];
		struct scene s;
		struct view *v;

		snprintf(key, sizeof(key), KEYS_ROOT "%s", steps[i][0] ? steps[i][0] : "");
		if (steps[i][0])
			write_key(key, steps[i][1]);
		v = look("h1", &s);
		cr_assert_eq(pipeline_flows(&s, &flows), 0);
		cr_assert(has_flow(&flows, "table=60 priority=100,reg0=0x1389,reg2=0", want[i]), "step %d",
		          i);
		cr_assert(has_flow(&flows, to_a2, "set_field:192.0.2.2->tun_dst,goto_table:70"), "step %d",
		          i);
		flow_set_free(&flows);
		scene_free(&s);
		view_destroy(v);
	}
}

Test(agent, who_lives_is_gathered, .init = open_store, .fini = close_store)
{
	uint64_t until = clock_now() + 10 * CLOCK_SECOND;
	struct error e = {""};
	struct scene s;
	struct view *v = look("h1", &s);
	int rc;

	scene_free(&s);
	write_key(KEYS_ROOT "live/h2", "{}");
	cr_assert_eq(view_refresh(v, &e), VIEW_CHANGES_SOON, "%s", e.text);
	cr_assert_not(view_each(v, has_key, "live/h2"), "it is not urgent");
	write_key(KEYS_ROOT "host/h2", NULL);
	cr_assert_eq(view_refresh(v, &e), VIEW_CHANGED, "%s", e.text);
	cr_assert(view_each(v, has_key, "live/h2"), "with what is urgent it is taken");
	write_key(KEYS_ROOT "live/h2", NULL);
	do
		rc = view_refresh(v, &e);
	while (rc == VIEW_CHANGES_SOON && clock_now() < until);
	cr_assert_eq(rc, VIEW_CHANGED, "and by itself after a while");
	cr_assert_not(view_each(v, has_key, "live/h2"));
	cr_assert_eq(view_refresh(v, &e), VIEW_SAME);
	view_destroy(v);
}

static int count_key(const struct view_key *k, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

static int count_part(const char *prefix, int64_t from, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

/* What an agent keeps depends on its own networks: not on how many others there are. */
Test(agent, foreign_networks_are_not_kept, .init = open_store, .fini = close_store)
{
	unsigned before[2] = {0}, after[2] = {0};
	struct text yaml = {0};
	struct error e = {""};
	struct scene s;
	struct view *v = look("h1", &s);

	scene_free(&s);
	view_each(v, count_key, &before[0]);
	view_each_part(v, count_part, &before[1]);
	text_add(&yaml, "%s", three_hosts);
	for (int i = 0; i < 50; i++)
		text_add(&yaml,
		         "  t%d: {networks: {n: {subnets: [{cidr: 10.0.0.0/24}]}}, routers: {r: {interfaces: "
		         "[n]}},"
		         " securityGroups: {g: {ingress: [{proto: tcp}]}},"
		         " ports: {p1: {network: n, host: h2, groups: [g]}, p2: {network: n, host: h2}}}\n",
		         i);
	apply(text_get(&yaml));
	text_free(&yaml);
	cr_assert_eq(view_refresh(v, &e), VIEW_SAME, "it is not even told of them");
	view_each(v, count_key, &after[0]);
	view_each_part(v, count_part, &after[1]);
	cr_assert_arr_eq(before, after, sizeof(before));
	view_destroy(v);
	v = look("h1", &s);
	scene_free(&s);
	after[0] = after[1] = 0;
	view_each(v, count_key, &after[0]);
	view_each_part(v, count_part, &after[1]);
	cr_assert_arr_eq(before, after, sizeof(before), "neither does one that starts now keep them");
	view_destroy(v);
}

/* ---- moving ---- */

static struct scene_port *port_named(const struct scene *s, const char *name)
{
	for (unsigned i = 0; i < s->n_local; i++)
		if (!strcmp(s->local[i]->port->object.name, name))
			return s->local[i];
	cr_assert(false, "no port %s", name);
	return NULL;
}

/* What a host carries now. */
static void see(const char *host, struct scene *s)
{
	scene_free(s);
	views[n_views++] = look(host, s);
}

static bool flow_of(const struct scene *s, const char *match, const char *actions)
{
	struct flow_set flows = {0};
	bool found;

	cr_assert_eq(pipeline_flows(s, &flows), 0);
	found = has_flow(&flows, match, actions);
	flow_set_free(&flows);
	return found;
}

/* a1 (on h1) is carried by h3 too; the other guests are on h2. */
static void bind_second(void)
{
	struct tenancy_error e;
	struct tenant_port *p;
	struct edit c;

	cr_assert_eq(edit_begin(&c, store, &e.text), 0);
	p = tenancy_get(&c.after, KIND_PORT, "acme", "a1");
	memcpy(p->hosts[p->n_hosts++], "h3", 3);
	cr_assert_eq(edit_plan(&c, &e), 0, "%s", e.text.text);
	cr_assert_eq(edit_commit(&c, &e.text), 0, "%s", e.text.text);
	edit_end(&c);
}

#define TO_A1 "table=40 priority=100,reg0=0x1389,reg2=0,dl_dst=02:00:00:00:00:01"

Test(agent, a_guest_moves, .init = open_store, .fini = close_store)
{
	struct scene s1 = {0}, s2 = {0}, s3 = {0};
	struct tenancy_error e;
	struct edit c;

	bind_second();
	see("h1", &s1);
	see("h3", &s3);
	cr_assert(port_named(&s1, "a1")->active && port_named(&s3, "a1")->local);
	cr_assert_not(port_named(&s3, "a1")->active);
	cr_assert(flow_of(&s3, "table=0 priority=60000,in_port=1",
	                  "controller(id=22341),set_field:0x1389->reg0,goto_table:10"),
	          "its first word is waited for");
	cr_assert(flow_of(&s3, TO_A1, "set_field:192.0.2.1->tun_dst,goto_table:70"), "still at h1");
	cr_assert_not(flow_of(&s3, "table=60 priority=100,reg0=0x1389,reg2=0x1",
	                      "set_field:0x1->reg3,resubmit(,80)"),
	              "a guest that is elsewhere gets no broadcast");

	claim_port(store, "h1", port_named(&s1, "a1")); /* it is there: nothing to do */
	cr_assert_eq(port_named(&s1, "a1")->claimed, 0);
	claim_port(store, "h3", port_named(&s3, "a1"));
	see("h1", &s1);
	see("h2", &s2);
	see("h3", &s3);
	cr_assert(port_named(&s3, "a1")->active && !port_named(&s1, "a1")->active);
	cr_assert(flow_of(&s1, TO_A1, "set_field:192.0.2.3->tun_dst,goto_table:70"));
	cr_assert(flow_of(&s2, TO_A1, "set_field:192.0.2.3->tun_dst,goto_table:70"));
	cr_assert(flow_of(&s3, "table=40 priority=100,reg0=0x1389,dl_dst=02:00:00:00:00:01",
	                  "set_field:0x1->reg3,goto_table:80"));
	cr_assert(flow_of(&s2, "table=60 priority=100,reg0=0x1389,reg2=0",
	                  "set_field:0x1->reg3,resubmit(,80),set_field:0x2->reg3,resubmit(,80),"
	                  "set_field:0x1389->tun_id,set_field:192.0.2.3->tun_dst,output:99"),
	          "one copy, to where it is");

	/* an editor takes it as it is, and what he does not change stays */
	cr_assert_eq(edit_begin(&c, store, &e.text), 0);
	cr_assert_str_eq(((struct tenant_port *)tenancy_get(&c.before, KIND_PORT, "acme", "a1"))->hosts[0],
	                 "h3");
	cr_assert_eq(edit_plan(&c, &e), 0);
	cr_assert_eq(c.n_steps, 0);
	edit_end(&c);
	apply(three_hosts); /* "host: h1": it is not carried by h3 any more */
	see("h3", &s3);
	see("h2", &s2);
	cr_assert_eq(s3.n_networks, 1, "h3 forgets the network");
	cr_assert(flow_of(&s2, TO_A1, "set_field:192.0.2.1->tun_dst,goto_table:70"));
	scene_free(&s1);
	scene_free(&s2);
	scene_free(&s3);
}

/* Who was overtaken changes nothing. */
Test(agent, a_late_claim_is_refused, .init = open_store, .fini = close_store)
{
	struct scene late = {0};
	struct error e;
	struct store_snapshot snap;
	const char *prefix = KEYS_ROOT "loc/5001/acme.a1";

	bind_second();
	see("h3", &late);
	apply(three_hosts); /* unbound meanwhile */
	claim_port(store, "h3", port_named(&late, "a1"));
	cr_assert_eq(store_range(store, &prefix, 1, &snap, &e), 0);
	cr_assert_str_eq(snap.kvs[0].value, "\"h1\"");
	store_snapshot_free(&snap);
	scene_free(&late);
}

/* ---- answers ---- */

static uint8_t frame[PACKET_TEXT_MAX], want[PACKET_TEXT_MAX], reply[ANSWER_MAX];

static size_t make(const char *text, uint8_t *out)
{
	struct error e = {""};
	int n = packet_text_parse(text, out, &e);

	cr_assert(n > 0, "%s: %s", text, e.text);
	return (size_t)n;
}

static void expect_answer(struct answerer *a, const struct scene *s, enum punt about, const char *asks,
                          const char *answer)
{
	size_t len = make(asks, frame), n = answer_packet(a, s, about, 1, frame, len, reply), wanted;

	if (!answer) {
		cr_assert_eq(n, 0, "%s: answered with %zu bytes", asks, n);
		return;
	}
	wanted = make(answer, want);
	cr_assert(frame_checksums_right(reply, (uint32_t)n), "%s: checksums", asks);
	for (size_t i = 0; i < n && i < wanted; i++)
		cr_assert_eq(reply[i], want[i], "%s: byte %zu is %02x, not %02x", asks, i, reply[i], want[i]);
	cr_assert_eq(n, wanted, "%s: %zu bytes, not %zu", asks, n, wanted);
}

#define GUEST "src=02:00:00:00:00:01"
#define ROUTER "0e:57:00:00:13:89"
#define LOCAL "fe80::ff:fe00:1"
#define ROUTER_LOCAL "fe80::c57:ff:fe00:1389"

Test(agent, answers_over_ipv6, .init = open_store, .fini = close_store)
{
	struct answerer *a = answerer_create();
	struct scene s;
	struct view *v = look("h1", &s);

	expect_answer(a, &s, PUNT_ROUTER_SOLICIT,
	              "eth(dst=33:33:00:00:00:02," GUEST ")/ipv6(src=" LOCAL
	              ",dst=ff02::2,hops=255)/icmpv6(type=133)",
	              "eth(dst=02:00:00:00:00:01,src=" ROUTER ")/ipv6(src=" ROUTER_LOCAL ",dst=" LOCAL
	              ",hops=255)/icmpv6(type=134,id=0x4080,seq=0x0708)/hex(x=0000000000000000)"
	              "/hex(x=01010e5700001389)/hex(x=05010000000005aa)"
	              "/hex(x=030440800001518000015180)/hex(x=00000000fd000001000000000000000000000000)"
	              "/hex(x=1903000000000708fd000000000000000000000000000053)");
	for (unsigned i = 0; i < s.n_local; i++) { /* the same, to all, without being asked */
		size_t n = answer_unasked(s.local[i], reply),
		       wanted = make("eth(dst=33:33:00:00:00:01,src=" ROUTER ")/ipv6(src=" ROUTER_LOCAL
		                     ",dst=ff02::1,hops=255)/icmpv6(type=134,id=0x4080,seq=0x0708)"
		                     "/hex(x=0000000000000000)/hex(x=01010e5700001389)"
		                     "/hex(x=05010000000005aa)/hex(x=030440800001518000015180)"
		                     "/hex(x=00000000fd000001000000000000000000000000)"
		                     "/hex(x=1903000000000708fd000000000000000000000000000053)",
		                     want);

		cr_assert(n == wanted && !memcmp(reply, want, n));
	}
	expect_answer(
	        a, &s, PUNT_DHCP6,
	        "eth(dst=33:33:00:01:00:02," GUEST ")/ipv6(src=" LOCAL ",dst=ff02::1:2)/udp(src=546,dst=547)"
	        "/hex(x=01abcdef0001000a00030001020000000001)/hex(x=0003000c0000000700000000)/"
	        "hex(x=00000000)",
	        "eth(dst=02:00:00:00:00:01,src=" ROUTER ")/ipv6(src=" ROUTER_LOCAL ",dst=" LOCAL
	        ",hops=64)/udp(src=547,dst=546)"
	        "/hex(x=02abcdef0002000a000300010e5700001389)/hex(x=0001000a00030001020000000001)"
	        "/hex(x=00030028000000070000a8c000010e00)/hex(x=00050018fd00000100000000000000000000000a)"
	        "/hex(x=0001518000015180)/hex(x=00170010fd000000000000000000000000000053)");
	expect_answer(a, &s, PUNT_ECHO,
	              "eth(dst=" ROUTER "," GUEST
	              ")/ipv6(src=fd00:1::a,dst=fd00:1::1)/icmpv6(type=128,id=7)/data(len=9,fill=3)",
	              "eth(dst=02:00:00:00:00:01,src=" ROUTER ")/ipv6(src=fd00:1::1,dst=fd00:1::a,hops=64)"
	              "/icmpv6(type=129,id=7)/data(len=9,fill=3)");
	expect_answer(a, &s, PUNT_TTL,
	              "eth(dst=" ROUTER "," GUEST
	              ")/ipv6(src=fd00:1::a,dst=fd00:2::1,hops=1)/udp(src=1,dst=2)/data(len=4)",
	              "eth(dst=02:00:00:00:00:01,src=" ROUTER
	              ")/ipv6(src=fd00:1::1,dst=fd00:1::a,hops=64)/icmpv6(type=3)"
	              "/ipv6(src=fd00:1::a,dst=fd00:2::1,hops=1)/udp(src=1,dst=2)/data(len=4)");
	expect_answer(a, &s, PUNT_TTL,
	              "eth(dst=" ROUTER "," GUEST
	              ")/ipv6(src=fd00:1::a,dst=fd00:2::1,hops=1)/icmpv6(type=3)/data(len=4)",
	              NULL); /* no error about an error */
	scene_free(&s);
	view_destroy(v);
	answerer_destroy(a);
}

Test(agent, answers_are_limited, .init = open_store, .fini = close_store)
{
	struct answerer *a = answerer_create();
	const char *ping = "eth(dst=" ROUTER "," GUEST ")/ipv4(src=10.0.0.10,dst=10.0.0.1)/icmp(type=8,id=7)";
	size_t len = make(ping, frame);
	unsigned answered = 0;
	struct scene s;
	struct view *v = look("h1", &s);

	clock_set(CLOCK_SECOND);
	for (int i = 0; i < 1000; i++)
		answered += answer_packet(a, &s, PUNT_ECHO, 1, frame, len, reply) > 0;
	cr_assert_eq(answered, ANSWER_BURST);
	clock_set(2 * CLOCK_SECOND);
	for (int i = 0; i < 1000; i++)
		answered += answer_packet(a, &s, PUNT_ECHO, 1, frame, len, reply) > 0;
	cr_assert_eq(answered, ANSWER_BURST + ANSWER_RATE);
	clock_release();
	cr_assert_eq(answer_packet(a, &s, PUNT_ECHO, 7, frame, len, reply), 0,
	             "from a port that is not ours");
	scene_free(&s);
	view_destroy(v);
	answerer_destroy(a);
}

/* Cut short and bent in every way, no question does harm, and no answer is longer than a frame. */
Test(agent, hostile_questions, .init = open_store, .fini = close_store)
{
	static const char *const questions[] = {
	        "eth(dst=ff:ff:ff:ff:ff:ff," GUEST
	        ")/ipv4(src=0.0.0.0,dst=255.255.255.255)/udp(src=68,dst=67)/hex(x=01010600)"
	        "/data(len=24,fill=0)/hex(x=020000000001)/data(len=202,fill=0)/hex(x=638253633501033204)/"
	        "data(len=40,fill=9)",
	        "eth(dst=33:33:00:01:00:02," GUEST ")/ipv6(src=" LOCAL ",dst=ff02::1:2)/udp(src=546,dst=547)"
	        "/hex(x=01abcdef0001000a00030001020000000001)/hex(x=0003000c0000000700000000)/"
	        "hex(x=00000000)",
	        "eth(dst=33:33:ff:00:00:0b," GUEST
	        ")/ipv6(src=fd00:1::a,dst=ff02::1:ff00:b,hops=255)/icmpv6(type=135)"
	        "/nd(target=fd00:1::1,sll=02:00:00:00:00:01)",
	        "eth(dst=" ROUTER "," GUEST
	        ")/ipv4(src=10.0.0.10,dst=10.0.0.1)/icmp(type=8,id=7)/data(len=1400,fill=1)",
	};
	struct answerer *a = answerer_create();
	unsigned seed = 20261123, answered = 0;
	uint64_t now = CLOCK_SECOND;
	struct scene s;
	struct view *v = look("h1", &s);

	for (int i = 0; i < 200000; i++) {
		size_t len = make(questions[i % 4], frame), n;
		uint8_t *exact;

		if (i >= 4)
			for (unsigned k = 0; k < 1 + i % 5u; k++)
				frame[14 + (unsigned)rand_r(&seed) % (len - 14)] = (uint8_t)rand_r(&seed);
		if (i % 3 == 2)
			len = (unsigned)rand_r(&seed) % (len + 1);
		exact = malloc(len + 1); /* so that a sanitizer sees what lies beyond */
		memcpy(exact, frame, len);
		clock_set(now += CLOCK_SECOND / 50);
		n = answer_packet(a, &s, (enum punt)(1 + i / 4 % 6), 1, exact, len, reply);
		cr_assert(n <= ANSWER_MAX);
		answered += n > 0;
		free(exact);
	}
	clock_release();
	cr_assert_gt(answered, 1000);
	scene_free(&s);
	view_destroy(v);
	answerer_destroy(a);
}
