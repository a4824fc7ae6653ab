/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tenants are apart: random tenants in YAML go through the agent's code into the real datapaths of one to
 * three hosts, tunnels between them; random guests' frames, a third of them spoofed or malformed, must come
 * out where the judge says and nowhere else, while the configuration churns; so must frames that come in
 * tunnels of nobody's. And the judge sees: an agent that forgets any one drop is caught.
 *
 * SEED=n starts elsewhere, ISOLATION_PACKETS=n says how many frames.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flows/text.h"
#include "tests/differential/lab_hosts.h"

static struct lab lab;

static long number(const char *name, long missing)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 0) : missing;
}

/* What came out of guest `i`'s port on host `h`: is it what the judge says? */
static bool right_frames(struct lab_host *h, uint32_t i, struct lab_delivery *d, bool is_there,
                         const char **what)
{
	struct memory_frame *got;
	bool good = true;

	while ((got = test_switch_take(&h->sw, i + 1))) {
		if (good && (!is_there || !d->expected || got->len != d->len ||
		             memcmp(got->data, d->bytes, d->len))) {
			good = false;
			*what = is_there && d->expected ? "other bytes" : "a frame";
		}
		if (is_there)
			d->expected = false;
		free(got);
	}
	return good;
}

struct counts { /* of a host, before a frame */
	unsigned punted;
	uint64_t private;
};

static void count(struct counts *c)
{
	for (int k = 0; k < lab.n_hosts; k++)
		c[k] = (struct counts){lab_hosts[k].sw.packet_ins,
		                       test_switch_drops(&lab_hosts[k].sw, DROP_PRIVATE)};
}

/* Has what came out everywhere been what the verdict says? `home`: where the guest is; NULL: on the fabric.
 * Nothing reaches NORMAL, nothing goes through two tunnels. */
static bool all_right(const struct counts *before, struct lab_host *home, struct lab_verdict *v, char *why,
                      size_t size)
{
	bool good = true;

	for (int k = 0; k < lab.n_hosts; k++) {
		struct lab_host *h = &lab_hosts[k];
		unsigned punted = h->sw.packet_ins - before[k].punted, may = h == home ? v->punted : 0,
		         tunnelled = test_switch_count(&h->sw, LAB_UPLINK);
		bool leaked = test_switch_drops(&h->sw, DROP_PRIVATE) != before[k].private;

		if (good && (tunnelled || leaked || punted != may)) {
			good = false;
			snprintf(why, size, "h%d: %u punted, expected %u; %u tunnelled to nobody or again%s",
			         k, punted, may, tunnelled, leaked ? "; NORMAL got it" : "");
		}
		for (uint32_t i = 0; i < LAB_GUESTS; i++) {
			const char *got = "";

			if (!right_frames(h, i, &v->to[i], lab.guests[i].host == k, &got) && good) {
				good = false;
				snprintf(why, size, "g%u on h%d got %s", i, k, got);
			}
		}
	}
	for (uint32_t i = 0; i < LAB_GUESTS; i++)
		if (good && v->to[i].expected) {
			good = false;
			snprintf(why, size, "g%u got nothing", i);
		}
	return good;
}

/* A frame of a guest. */
static bool try_guest(char *why, size_t size, struct lab_verdict *v)
{
	uint8_t frame[LAB_FRAME];
	struct counts before[LAB_HOSTS] = {0};
	struct lab_host *home;
	char what[160], wrong[80];
	uint32_t len;
	int from = lab_probe(&lab, frame, &len, v, what, sizeof(what));

	home = &lab_hosts[lab.guests[from].host];
	count(before);
	test_switch_send(&home->sw, (uint32_t)from + 1, frame, len);
	lab_hosts_carry(&lab, home);
	if (all_right(before, home, v, wrong, sizeof(wrong)))
		return true;
	snprintf(why, size, "%s: %s", what, wrong);
	return false;
}

/* A guest's frame comes in a tunnel that is none: from a host that nobody knows, or of a network that is not
 * there. */
static bool try_fabric(char *why, size_t size, struct lab_verdict *v)
{
	uint8_t frame[LAB_FRAME], outer[LAB_WRAPPED];
	struct counts before[LAB_HOSTS] = {0};
	char what[160], wrong[80];
	uint32_t len;
	int from = lab_probe(&lab, frame, &len, NULL, what, sizeof(what)),
	    to = (int)(len * 7u + frame[5] + frame[11]) % lab.n_hosts;
	bool stranger = lab.n_hosts == 1 || from % 2;
	struct lab_tunnel t = {.from = stranger ? 99 : (uint8_t)(11 + (to + 1) % lab.n_hosts),
	                       .to = (uint8_t)(11 + to),
	                       .vni = stranger ? lab.networks[lab.guests[from].network].vni : 4242};
	uint32_t n = lab_wrap(outer, &t, frame, len);

	memset(v, 0, sizeof(*v));
	v->bad = true;
	count(before);
	test_switch_send(&lab_hosts[to].sw, LAB_UPLINK, outer, n);
	if (all_right(before, NULL, v, wrong, sizeof(wrong)))
		return true;
	snprintf(why, size, "in a tunnel from .%u, VNI %u: %s: %s", t.from, t.vni, what, wrong);
	return false;
}

/* One frame; false when something came out that should not, or not what should: `why` says what. */
static bool try_one(char *why, size_t size, struct lab_verdict *v)
{
	static unsigned turn;

	return turn++ % 16 == 15 ? try_fabric(why, size, v) : try_guest(why, size, v);
}

Test(isolation, random_tenants, .init = lab_hosts_init, .timeout = 560)
{
	unsigned seed = (unsigned)number("SEED", 1);
	long packets = number("ISOLATION_PACKETS", 1000000), sent = 0, bad = 0, arrived = 0;
	struct lab_verdict v;
	char why[320];

	printf("SEED=%u\n", seed);
	for (unsigned round = 0; sent < packets; round++) {
		lab_hosts_make(&lab, seed + round);
		for (long i = 0; i < 50000 && sent < packets; i++, sent++) {
			bool good;

			if (i % 5000 == 4999) {
				lab_churn(&lab);
				lab_hosts_update(&lab);
			}
			good = try_one(why, sizeof(why), &v);
			cr_assert(good, "SEED=%u, round %u, frame %ld: %s", seed, round, i, why);
			bad += v.bad;
			arrived += !v.bad;
		}
		lab_hosts_free(&lab);
	}
	printf("%ld frames, %ld of them bad\n", sent, bad);
	cr_assert(bad > sent / 4 && arrived > sent / 4);
}

/* Without the flow the judge sees something, on that host alone. */
static bool is_missed(struct lab_host *h, const struct flow_mod *flow)
{
	struct flow_mod forgotten = *flow;
	struct tables_change change = {.flow = &forgotten};
	struct lab_verdict v;
	unsigned failed;
	char why[320];
	bool missed = false;

	forgotten.command = FLOW_DELETE_STRICT;
	cr_assert_eq(tables_apply(h->sw.tables, &change, 1, clock_now(), &failed), 0);
	for (int n = 0; n < 1000000 && !missed; n++)
		missed = !try_one(why, sizeof(why), &v);
	forgotten.command = FLOW_ADD;
	cr_assert_eq(tables_apply(h->sw.tables, &change, 1, clock_now(), &failed), 0);
	test_switch_run(&h->sw);
	lab_hosts_forget(&lab); /* they know of different packets now */
	return missed;
}

/* What a group holds back meets no other drop: of each network, one guest on every host is in none. */
static void free_some(void)
{
	for (int i = 0; i < LAB_GUESTS; i++) {
		struct lab_guest *g = &lab.guests[i];
		bool first = g->used;

		for (int k = 0; k < i; k++)
			first &= lab.guests[k].host != g->host || lab.guests[k].network != g->network;
		if (first)
			g->group = -1;
	}
	lab_hosts_update(&lab);
}

/* Every drop of the pipeline matters. */
Test(isolation, a_forgotten_drop_is_caught, .init = lab_hosts_init, .timeout = 560)
{
	unsigned tried = 0, found = 0, every = (unsigned)number("ISOLATION_EVERY", 1), seed = 20261123;
	struct lab_verdict v;
	char why[320];

	do
		lab_make(&lab, ++seed);
	while (lab.n_hosts < LAB_HOSTS || lab.n_tenants > 3);
	lab_hosts_make(&lab, seed);
	free_some();
	for (int i = 0; i < 20000; i++)
		cr_assert(try_one(why, sizeof(why), &v), "with all flows: %s", why);
	for (int k = 0; k < lab.n_hosts; k++) {
		for (size_t i = 0; i < lab_hosts[k].installed.n; i++) {
			struct text text = {0};
			struct flow_mod flow;

			flow_get(lab_hosts[k].installed.flows[i], &flow);
			if (flow.actions.n || found++ % every)
				continue;
			tried++;
			match_format(&text, &flow.match, flow.priority, NULL);
			cr_assert(is_missed(&lab_hosts[k], &flow), "h%d can forget table=%u %s", k,
			          flow.table_id, text_get(&text));
			text_free(&text);
		}
	}
	printf("%u of %u drops on %d hosts\n", tried, found, lab.n_hosts);
	cr_assert_gt(found, 30);
	lab_hosts_free(&lab);
}
