/* SPDX-License-Identifier: Apache-2.0 */
/* What the datapath itself costs: cycles per packet from rx to tx between ports that do nothing. Prints one
 * line per case: name, cycles per packet (median of rounds). BENCH_SECONDS bounds the whole. */
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "base/clock.h"
#include "datapath/worker.h"
#include "flows/text.h"
#include "overlay/vxlan/underlay.h"
#include "tests/lib/eal.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"

enum { ROUNDS = 2001, BURSTS = 20, LEN = 60 };

/* A port that always has a burst: frame i of `flows`, told apart by source MAC and UDP port. */
struct null_port {
	struct port port;
	struct frame frame;
	uint32_t flows, next;
};

static unsigned null_rx(struct port_rxq *q, struct packet **pkts, unsigned max)
{
	struct null_port *n = (struct null_port *)q->port;

	for (unsigned i = 0; i < max; i++) {
		struct packet *p = pkts[i];
		uint32_t flow = n->next;
		uint16_t sport = (uint16_t)(flow + 1);

		n->next = n->next + 1 < n->flows ? n->next + 1 : 0;
		packet_reset(p);
		memcpy(p->head, n->frame.data, LEN);
		memcpy(p->head + 8, &flow, 4);
		memcpy(p->head + 34, &sport, 2);
		p->head_len = LEN;
		p->len = LEN;
		p->in_port = n->port.ofport;
	}
	return max;
}

static void null_release(struct port_rxq *q)
{
}

static void null_tx(struct port *p, unsigned worker, struct packet **pkts, unsigned n)
{
	p->counters[worker]->tx_packets += n;
}

static void null_destroy(struct port *p, void (*done)(void *arg), void *arg)
{
	port_free(p);
	done(arg);
}

static const struct port_ops null_ops = {
        .rx = null_rx, .release = null_release, .tx = null_tx, .destroy = null_destroy};
static const struct port_type null_type = {.name = "null"};

static struct null_port *add_null(struct test_switch *s, const char *name, uint32_t number, bool source)
{
	struct port_env env = {.nworkers = 1};
	struct null_port *n =
	        (struct null_port *)port_alloc(&env, &null_type, &null_ops, name, number, sizeof(*n));
	struct error e;

	if (!n || datapath_port_attach(s->dp, &n->port, &e))
		abort();
	frame_make(&n->frame,
	           &(struct frame_spec){.payload = 18, .dport = 53, .src_mac = "02:01:00:00:00:00"});
	memset(n->frame.data + n->frame.l4 + 6, 0, 2);
	n->flows = 1;
	n->port.carrier = true;
	n->port.nrxq = source;
	n->port.changed(&n->port, n->port.changed_arg);
	return n;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, struct test_switch *s, struct null_port *from, struct port *to,
                    uint32_t flows, uint64_t until)
{
	struct worker *w = datapath_worker(s->dp, 0);
	static double cycles[ROUNDS];
	unsigned rounds = 0;
	uint64_t sent = to->counters[0]->tx_packets, received = w->stats.packets;

	from->flows = flows;
	for (unsigned i = 0; i < flows / BATCH_MAX + 100; i++)
		worker_poll_once(w);
	datapath_poll(s->dp);
	do {
		uint64_t before = w->stats.packets, start = rte_rdtsc();

		for (unsigned i = 0; i < BURSTS; i++)
			worker_poll_once(w);
		cycles[rounds++] = (double)(rte_rdtsc() - start) / (double)(w->stats.packets - before);
	} while (rounds < ROUNDS && clock_now() < until);
	qsort(cycles, rounds, sizeof(cycles[0]), compare);
	printf("datapath %-34s %7.1f cycles/packet\n", name, cycles[rounds / 2]);
	if (to->counters[0]->tx_packets - sent != w->stats.packets - received) {
		printf("datapath: %s lost packets\n", name);
		exit(1);
	}
}

/* A VTEP behind an uplink that does nothing; the ways are those of a network namespace of our own. */
static struct port *add_tunnel(struct test_switch *s, struct underlay *underlay)
{
	struct port *uplink = &add_null(s, "up", 3, false)->port;

	uplink->is_uplink = true;
	uplink->ifindex = (int)if_nametoindex("a0");
	uplink->mtu = 1600;
	uplink->changed(uplink, uplink->changed_arg);
	test_switch_add(s, "vx", "vxlan", 4,
	                "{\"local\": \"172.31.0.1\", \"remote\": \"172.31.0.9\", \"vni\": 77}");
	for (unsigned i = 0; i < 50; i++) {
		underlay_poll(underlay);
		uv_run(s->loop, UV_RUN_NOWAIT);
	}
	rcu_synchronize();
	return uplink;
}

static void measure_tunnel(struct test_switch *s, struct null_port *from, struct underlay *underlay,
                           uint64_t share)
{
	struct port *uplink = add_tunnel(s, underlay);

	test_switch_flow(s, "priority=60000,in_port=1,udp,tp_dst=53,actions=output:4");
	measure("into VXLAN, 1 flow", s, from, uplink, 1, clock_now() + share);
	test_switch_flow(s, "priority=60001,in_port=1,udp,tp_src=1,tp_dst=1,actions=drop");
	measure("into VXLAN, 1k flows", s, from, uplink, 1000, clock_now() + share);
}

static void measure_tracked(struct test_switch *s, struct null_port *from, struct port *to, uint64_t share)
{
	test_switch_flow(s, "priority=55000,in_port=1,udp,actions=ct(commit,table=100,zone=7)");
	test_switch_flow(s, "table=100,udp,ct_state=+trk-inv,actions=output:2");
	measure("tracked, 1 connection", s, from, to, 1, clock_now() + share);
	measure("tracked, 250 connections", s, from, to, 250, clock_now() + share);
	test_switch_flow(s, "table=100,udp,ct_state=+trk-inv,actions=ct(commit,table=101,zone=8)");
	test_switch_flow(s, "table=101,udp,ct_state=+trk-inv,actions=output:2");
	measure("tracked twice, 1 connection", s, from, to, 1, clock_now() + share);
}

int main(void)
{
	const char *seconds = getenv("BENCH_SECONDS");
	uint64_t share = (seconds ? (uint64_t)atoi(seconds) : 5) * CLOCK_SECOND / 10;
	static struct test_switch s;
	struct underlay *underlay;
	struct null_port *from;
	struct port *to;
	struct error e;
	uv_loop_t loop;

	if (unshare(CLONE_NEWNET) || system("ip link set lo up; ip link add a0 type veth peer name b0;"
	                                    "ip link set a0 mtu 1600 up; ip link set b0 up;"
	                                    "ip addr add 172.31.0.1/24 dev a0;"
	                                    "ip neigh add 172.31.0.9 lladdr 02:00:00:00:00:0b dev a0")) {
		printf("datapath: needs root\n");
		return 77;
	}
	test_eal_init();
	uv_loop_init(&loop);
	rcu_init();
	if (underlay_create(&loop, &underlay, &e))
		abort();
	test_switch_init(&s, &loop, underlay);
	from = add_null(&s, "from", 1, true);
	to = &add_null(&s, "to", 2, false)->port;
	test_switch_flow(&s, "in_port=1,actions=output:2");
	measure("output, 1 flow", &s, from, to, 1, clock_now() + share);
	test_switch_flow(&s, "in_port=1,udp,tp_dst=53,actions=output:2");
	measure("output by UDP port, 1 flow", &s, from, to, 1, clock_now() + share);
	test_switch_flow(&s,
	                 "in_port=1,udp,tp_dst=53,actions=mod_dl_dst:02:00:00:00:00:09,mod_nw_src:1.2.3.4,"
	                 "dec_ttl,output:2");
	measure("rewrite MAC and IP, 1 flow", &s, from, to, 1, clock_now() + share);
	test_switch_flow(&s, "in_port=1,udp,tp_dst=53,actions=output:2");
	test_switch_flow(&s, "priority=40000,in_port=1,udp,tp_src=1,tp_dst=1,actions=drop");
	measure("output by UDP ports, 1k flows", &s, from, to, 1000, clock_now() + share);
	fdb_learn(datapath_fdb(s.dp), 0, (struct mac){{2, 0, 0, 0, 0, 2}}, 2, clock_now());
	fdb_learn(datapath_fdb(s.dp), 0, (struct mac){{2, 1, 0, 0, 0, 0}}, 1, clock_now());
	test_switch_flow(&s, "priority=50000,in_port=1,actions=NORMAL");
	measure("NORMAL, 1 flow", &s, from, to, 1, clock_now() + share);
	measure_tracked(&s, from, to, share);
	measure_tunnel(&s, from, underlay, share);
	test_switch_free(&s);
	underlay_destroy(underlay, NULL, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return 0;
}
