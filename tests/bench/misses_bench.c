/* SPDX-License-Identifier: Apache-2.0 */
/* What a new flow costs: cycles from key to cached program through the twelve tables of the row `new-flows`
 * of peers/rows.py (classify, port security, ACL, L2, L3, ACL, output), in batches as a worker takes them of
 * a port that sends nothing but new flows. While the cache has room, when each new flow takes another's
 * place, and the translation alone. Prints the median of chunks; BENCH_SECONDS (3) bounds the whole, and only
 * shows that it runs when it is given. Exit 1: a program is wrong, or a translation costs more than what is
 * around it by a factor that says that something has no bounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/dp/packet.h"
#include "base/dp/rcu.h"
#include "flows/dp/cache.h"
#include "flows/dp/tables.h"
#include "flows/dp/translate.h"
#include "flows/text.h"

enum { BATCH = 16, CHUNK = 64, CHUNKS_MAX = 1 << 16, REFUSED = 200, KNOWN = 8192 };

static const char *const twelve_tables[] = {
        "table=0,priority=10,in_port=1,actions=set_field:1->metadata,goto_table:1",
        "table=0,priority=10,in_port=2,actions=output:1",
        "table=1,priority=10,in_port=1,dl_src=02:00:00:00:00:01,actions=goto_table:2",
        "table=2,priority=10,in_port=1,ip,nw_src=10.0.0.0/8,actions=goto_table:3",
        "table=3,priority=20,tcp,tp_dst=22,actions=drop",
        "table=3,priority=20,udp,tp_dst=161,actions=drop",
        "table=3,priority=10,udp,actions=goto_table:4",
        "table=4,priority=10,metadata=1,actions=goto_table:5",
        "table=5,priority=10,dl_dst=02:00:00:00:00:02,actions=goto_table:6",
        "table=6,priority=20,ip,nw_dst=172.17.0.0/16,actions=drop",
        "table=6,priority=10,ip,nw_dst=172.16.0.0/16,actions=goto_table:7",
        "table=7,priority=10,ip,actions=dec_ttl,goto_table:8",
        "table=8,priority=20,udp,tp_src=53,actions=drop",
        "table=8,priority=10,ip,actions=goto_table:9",
        "table=9,priority=10,udp,tp_dst=2000,actions=goto_table:10",
        "table=10,priority=10,metadata=1,actions=goto_table:11",
        "table=11,priority=10,dl_dst=02:00:00:00:00:02,actions=output:2",
};

static struct tables *tables;
static uint64_t cycles[CHUNKS_MAX];
static uint32_t flow; /* the next that nobody has seen */

static void add_flow(const char *text)
{
	struct tables_change change = {0};
	struct flow_mod fm;
	struct error err;
	enum tables_error result;

	if (flow_mod_parse(text, FLOW_ADD, NULL, &fm, NULL, &err)) {
		fprintf(stderr, "%s: %s\n", text, err.text);
		exit(1);
	}
	change.flow = &fm;
	result = tables_apply(tables, &change, 1, clock_now(), NULL);
	if (result) {
		fprintf(stderr, "%s: %s\n", text, tables_error_text(result));
		exit(1);
	}
	flow_mod_free(&fm);
}

/* Hosts and ports that are refused: no two flows look alike to this table. */
static void add_refused(unsigned i)
{
	char text[128];

	snprintf(text, sizeof(text), "table=6,priority=%u,udp,nw_src=10.%u.%u.%u,tp_src=%u,actions=drop",
	         30 + i % 2, 128 + i * 7 % 128, i * 31 % 256, i * 57 % 256, 60000 + i);
	add_flow(text);
}

static void next_key(struct mkey *k)
{
	struct flow_key w;

	memset(&w, 0, sizeof(w));
	w.in_port = 1;
	w.eth_src = (struct mac){{2, 0, 0, 0, 0, 1}};
	w.eth_dst = (struct mac){{2, 0, 0, 0, 0, 2}};
	w.eth_type = htobe16(ETH_TYPE_IPV4);
	w.nw_proto = IP_PROTO_UDP;
	w.nw_ttl = 64;
	w.nw_src = htobe32(0x0a000000 + (flow & 0x7fffff));
	w.nw_dst = htobe32(0xac100001);
	w.tp_src = htobe16((uint16_t)(1024 + flow % 32768));
	w.tp_dst = htobe16(2000);
	flow++;
	mkey_pack(&w, k);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double report(const char *what, unsigned chunks, double packets)
{
	unsigned middle = chunks / 2;
	double median;

	qsort(cycles, chunks, sizeof(cycles[0]), by_size);
	median = (double)cycles[middle] / packets;
	printf("%-40s %6.0f cycles, least %6.0f\n", what, median, (double)cycles[0] / packets);
	return median;
}

static void check(const struct program *p)
{
	if (p->nops == 2 && program_ops(p)[1].type == OP_OUTPUT && program_ops(p)[1].arg32 == 2)
		return;
	fprintf(stderr, "a program is wrong: %u ops\n", p->nops);
	exit(1);
}

/* `flows` new ones, no longer than `until`. */
static double time_misses(struct cache *c, const char *what, unsigned flows, uint64_t until)
{
	static struct mkey keys[CHUNK][BATCH];
	const struct program *programs[BATCH];
	uint32_t lens[BATCH];
	unsigned chunks = 0;

	for (unsigned i = 0; i < BATCH; i++)
		lens[i] = 64;
	while (chunks < flows / CHUNK / BATCH && chunks < CHUNKS_MAX && (clock_now() < until || !chunks)) {
		uint64_t start;

		for (unsigned i = 0; i < CHUNK * BATCH; i++)
			next_key(&keys[i / BATCH][i % BATCH]);
		start = __rdtsc();
		for (unsigned b = 0; b < CHUNK; b++)
			cache_lookup(c, 1, keys[b], lens, BATCH, programs);
		cycles[chunks++] = __rdtsc() - start;
		check(programs[0]);
	}
	return report(what, chunks, CHUNK * BATCH);
}

static double time_translations(uint64_t until)
{
	static struct translation tr;
	static struct flow_key wide[CHUNK];
	unsigned chunks = 0;
	struct mkey k;

	while (chunks < CHUNKS_MAX && (clock_now() < until || !chunks)) {
		uint64_t start;

		for (unsigned i = 0; i < CHUNK; i++) {
			next_key(&k);
			mkey_expand(&k, &wide[i]);
		}
		start = __rdtsc();
		for (unsigned i = 0; i < CHUNK; i++)
			translate_packet(tables, 1000, &wide[i], &tr);
		cycles[chunks++] = __rdtsc() - start;
	}
	return report("translation of a flow that is not kept", chunks, CHUNK);
}

/* Packets of flows that are known, with or without a change that does not concern them before each round. */
static void time_hits(struct cache *c, const char *what, bool changes, uint64_t until)
{
	static struct mkey keys[KNOWN / BATCH_MAX][BATCH_MAX];
	const struct program *programs[BATCH_MAX];
	uint32_t lens[BATCH_MAX] = {64};
	unsigned chunks = 0;

	for (unsigned i = 0; i < KNOWN; i++)
		next_key(&keys[i / BATCH_MAX][i % BATCH_MAX]);
	while (chunks < CHUNKS_MAX && (clock_now() < until || chunks < 2)) {
		uint64_t start;

		if (changes)
			add_flow("table=6,in_port=9,actions=drop");
		rcu_poll();
		start = __rdtsc();
		for (unsigned b = 0; b < KNOWN / BATCH_MAX; b++)
			cache_lookup(c, 1, keys[b], lens, BATCH_MAX, programs);
		cycles[chunks++] = __rdtsc() - start;
	}
	report(what, chunks, KNOWN);
}

int main(void)
{
	double seconds = getenv("BENCH_SECONDS") ? atof(getenv("BENCH_SECONDS")) : 3;
	uint64_t part = (uint64_t)(seconds / 3 * CLOCK_SECOND);
	struct cache *small, *large;
	double alone, full;

	if (rcu_init())
		return 1;
	tables = tables_create(NULL);
	small = cache_create(tables, 0, 1 << 14);
	large = cache_create(tables, 1, 0);
	if (!tables || !small || !large)
		return 1;
	for (unsigned i = 0; i < sizeof(twelve_tables) / sizeof(twelve_tables[0]); i++)
		add_flow(twelve_tables[i]);
	for (unsigned i = 0; i < REFUSED; i++)
		add_refused(i);
	alone = time_translations(clock_now() + part);
	time_misses(small, "new flow, another makes way, near cache", 1 << 20, clock_now() + part);
	time_misses(large, "new flow, into room", 900000, clock_now() + 10 * part);
	time_misses(large, "(fill)", 400000, clock_now() + 10 * part);
	full = time_misses(large, "new flow, another makes way", 1 << 22, clock_now() + part);
	time_hits(large, "known flow", false, clock_now() + part / 2);
	time_hits(large, "known flow, after a change elsewhere", true, clock_now() + part / 2);
	cache_destroy(small);
	cache_destroy(large);
	tables_destroy(tables);
	rcu_exit();
	return full < 20 * alone || getenv("BENCH_SECONDS") ? 0 : 1;
}
