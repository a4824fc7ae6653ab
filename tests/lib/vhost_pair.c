/* SPDX-License-Identifier: Apache-2.0 */
/* Switch and front end together; see vhost_pair.h. */
#include "tests/lib/vhost_pair.h"

#include <criterion/criterion.h>

struct pair pair_new(void)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	struct pair p = {.s = s};

	o.timeout_ms = 2000;
	p.f = frontend_open(&o);
	cr_assert(p.f);
	cr_assert(switch_until(s, switch_up));
	return p;
}

void pair_free(struct pair p)
{
	frontend_close(p.f);
	cr_assert(switch_until(p.s, switch_down));
	switch_free(p.s);
}

void pair_expect_traffic(struct pair p, int n)
{
	static struct packet out;
	static uint8_t bytes[100], got[2048];

	for (int i = 0; i < n; i++) {
		cr_assert(frontend_send(p.f, 0, bytes, sizeof(bytes), NULL));
		cr_assert_eq(switch_rx(p.s, 0), 1);
		cr_assert_eq(p.s->packets[0]->len, 100);
		switch_release(p.s, 0);
		packet_reset(&out);
		out.head_len = 100;
		out.len = 100;
		switch_tx(p.s, &out);
		cr_assert_eq(frontend_receive(p.f, 0, got, sizeof(got), NULL), 100);
	}
}
