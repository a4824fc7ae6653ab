/* SPDX-License-Identifier: Apache-2.0 */
/* What a vhost-user port itself costs: cycles per packet for rx, tx and release of bursts of 32, guest memory
 * in this core's cache. Prints one line per case: bytes, cycles per packet (median of rounds). The guest's
 * part is not counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "tests/lib/vhost_switch.h"

enum { ROUNDS = 3001, BURST = 32 };

static uint8_t bytes[FRONTEND_PACKET_MAX], got[FRONTEND_PACKET_MAX];

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t one_round(struct test_switch *s, struct frontend *f, uint32_t len, unsigned burst)
{
	uint64_t start, end;
	unsigned n;

	for (unsigned i = 0; i < burst; i++)
		if (!frontend_send(f, 0, bytes, len, NULL))
			return 0;
	start = rte_rdtsc();
	n = switch_rx(s, 0);
	s->port->ops->tx(s->port, 0, s->packets, n);
	switch_release(s, 0);
	end = rte_rdtsc();
	for (unsigned i = 0; i < n; i++)
		if (frontend_receive(f, 0, got, sizeof(got), NULL) != len)
			return 0;
	return n == burst ? (end - start) / burst : 0;
}

static int run(struct test_switch *s, struct frontend *f, uint32_t len, unsigned burst)
{
	static uint64_t cycles[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		cycles[i] = one_round(s, f, len, burst);
		if (!cycles[i]) {
			fprintf(stderr, "vhost_bench: packets of %u bytes were lost\n", len);
			return 1;
		}
	}
	qsort(cycles, ROUNDS, sizeof(cycles[0]), by_value);
	printf("vhost in and out  %5u bytes  %6llu cycles/packet\n", len,
	       (unsigned long long)cycles[ROUNDS / 2]);
	return 0;
}

int main(void)
{
	struct test_switch *s = switch_new("role=server mtu=65535");
	struct frontend_options o;
	struct frontend *f;
	int rc = 1;

	if (!s)
		return 1;
	o = switch_peer(s);
	o.size = 1024;
	f = frontend_open(&o);
	if (f && switch_until(s, switch_up))
		rc = run(s, f, 64, BURST) || run(s, f, 512, BURST) || run(s, f, 1500, BURST) ||
		     run(s, f, 60000, 4);
	frontend_close(f);
	switch_free(s);
	return rc;
}
