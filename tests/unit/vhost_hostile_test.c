/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that mean harm: rings and descriptors that are impossible, change, or cost much, and what that does
 * to the port and to its neighbours. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/wire.h"
#include "base/dp/rcu.h"
#include "tests/lib/vhost_pair.h"

static uint8_t bytes[2000], got[2048];

/* The guest's transmit ring gets descriptors 0..n-1 as they are and makes descriptor 0 available. */
static void offer(struct pair p, const struct ring_desc *d, unsigned n)
{
	struct frontend_ring *r = &p.f->rings[1];

	memcpy(r->desc, d, n * sizeof(*d));
	r->avail->ring[r->next_avail++ % r->size] = 0;
	__atomic_store_n(&r->avail->idx, r->next_avail, __ATOMIC_RELEASE);
}

static struct ring_desc piece(struct pair p, uint32_t len, uint16_t flags, uint16_t next)
{
	return (struct ring_desc){
	        .addr = frontend_gpa(p.f, p.f->rings[1].buffers), .len = len, .flags = flags, .next = next};
}

/* The port went down with a reason; a reset of the device brings it back. */
static void expect_fault(struct pair p, const char *why)
{
	cr_assert_eq(switch_rx(p.s, 0), 0);
	switch_release(p.s, 0);
	cr_assert(switch_until(p.s, switch_down), "%s", why);
	cr_assert(strstr(p.s->vhost->why.text, why), "'%s' is not '%s'", p.s->vhost->why.text, why);
	cr_assert_eq(p.s->vhost->faults, 1);
	cr_assert_eq(switch_rx(p.s, 0), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct frontend_ring *r = &p.f->rings[i];

		cr_assert_geq(frontend_stop_ring(p.f, i), 0);
		if (i % 2)
			r->next_avail = r->avail->idx = r->used->idx;
		cr_assert(frontend_start_ring(p.f, i));
	}
	cr_assert(switch_until(p.s, switch_up));
	p.s->vhost->faults = 0;
	pair_expect_traffic(p, 10);
}

Test(vhost_hostile, bad_chains_take_the_port_down_until_reset)
{
	struct pair p = pair_new();
	struct ring_desc d[4];
	struct frontend_ring *r = &p.f->rings[1];

	d[0] = piece(p, 50, RING_DESC_NEXT, 1);
	d[1] = piece(p, 50, RING_DESC_NEXT, 0);
	offer(p, d, 2);
	expect_fault(p, "looping");

	d[0] = piece(p, 50, RING_DESC_NEXT, 9999);
	offer(p, d, 1);
	expect_fault(p, "index outside");

	d[0] = piece(p, 100, RING_DESC_WRITE, 0);
	offer(p, d, 1);
	expect_fault(p, "writable");

	d[0] = piece(p, 100, 0, 0);
	d[0].addr = 0x1000;
	offer(p, d, 1);
	expect_fault(p, "outside the guest's memory");

	d[0].addr = FRONTEND_GPA + p.f->memory_size - 50;
	offer(p, d, 1);
	expect_fault(p, "outside the guest's memory");

	d[0] = piece(p, UINT32_MAX, 0, 0);
	d[0].addr = UINT64_MAX - 10;
	offer(p, d, 1);
	expect_fault(p, "outside the guest's memory");

	offer(p, d, 0);
	r->avail->ring[(r->next_avail - 1) % r->size] = 777;
	expect_fault(p, "index outside");

	r->avail->idx = (uint16_t)(r->used->idx + r->size + 1);
	expect_fault(p, "runs ahead");
	pair_free(p);
}

Test(vhost_hostile, bad_indirect_tables_take_the_port_down_until_reset)
{
	struct pair p = pair_new();
	struct ring_desc *table = (void *)p.f->rings[1].indirect;
	struct ring_desc d = {.addr = frontend_gpa(p.f, table), .len = 32, .flags = RING_DESC_INDIRECT};

	d.len = 33;
	offer(p, &d, 1);
	expect_fault(p, "indirect");
	d.len = 0;
	offer(p, &d, 1);
	expect_fault(p, "indirect");
	d.len = 32;
	d.flags |= RING_DESC_NEXT;
	offer(p, &d, 1);
	expect_fault(p, "nested");
	d.flags = RING_DESC_INDIRECT;
	table[0] = d; /* a table in a table */
	offer(p, &d, 1);
	expect_fault(p, "nested");
	table[0] = piece(p, 100, RING_DESC_NEXT, 2); /* behind its end */
	offer(p, &d, 1);
	expect_fault(p, "chain");
	d.addr = FRONTEND_GPA + p.f->memory_size - 16; /* sticks out of memory */
	offer(p, &d, 1);
	expect_fault(p, "outside the guest's memory");
	pair_free(p);
}

/* The reset of a broken device comes while a worker may still be at the old ring: the new one waits for it.
 */
Test(vhost_hostile, a_reset_waits_for_workers_at_the_broken_ring)
{
	enum { OTHER_WORKER = 1 };
	struct pair p = pair_new();
	struct vhost_ring_word which = {1, 0};
	struct ring_desc d = piece(p, 100, RING_DESC_WRITE, 0);
	uint8_t reply[20];

	rcu_worker_register(OTHER_WORKER);
	offer(p, &d, 1);
	cr_assert_eq(switch_rx(p.s, 0), 0);
	switch_release(p.s, 0);
	cr_assert(switch_until(p.s, switch_down));
	cr_assert(frontend_request(p.f, VHOST_GET_VRING_BASE, &which, sizeof(which), NULL, 0, NULL));
	cr_assert(frontend_start_ring(p.f, 1));
	for (int i = 0; i < 50; i++)
		switch_pump(p.s);
	cr_assert_null(p.s->vhost->slots[1].ring);
	cr_assert_eq(recv(p.f->fd, reply, sizeof(reply), MSG_DONTWAIT), -1);
	rcu_worker_unregister(OTHER_WORKER);
	while (!p.s->vhost->slots[1].ring)
		switch_pump(p.s);
	cr_assert_eq(recv(p.f->fd, reply, sizeof(reply), MSG_DONTWAIT), sizeof(reply));
	pair_free(p);
}

Test(vhost_hostile, runts_are_dropped)
{
	struct pair p = pair_new();
	uint64_t *drops = switch_counters(p.s)->drops;
	struct ring_desc d[3];

	/* First descriptor shorter than the virtio-net header, second shorter still. */
	d[0] = piece(p, 5, RING_DESC_NEXT, 1);
	d[1] = piece(p, 3, 0, 0);
	offer(p, d, 2);
	cr_assert_eq(switch_rx(p.s, 0), 0);
	switch_release(p.s, 0);
	cr_assert_eq(drops[DROP_RX_RUNT], 1);
	/* No bytes at all. */
	d[0] = piece(p, 0, 0, 0);
	offer(p, d, 1);
	cr_assert_eq(switch_rx(p.s, 0), 0);
	switch_release(p.s, 0);
	cr_assert_eq(drops[DROP_RX_RUNT], 2);
	/* The header in three pieces is odd, but right. */
	memset(p.f->rings[1].buffers, 0, 12);
	d[0] = piece(p, 1, RING_DESC_NEXT, 1);
	d[1] = piece(p, 2, RING_DESC_NEXT, 2);
	d[2] = piece(p, 9 + 60, 0, 0);
	offer(p, d, 3);
	cr_assert_eq(switch_rx(p.s, 0), 1);
	cr_assert_eq(p.s->packets[0]->len, 60);
	switch_release(p.s, 0);
	/* More than any packet. */
	d[0] = piece(p, 70000, 0, 0);
	offer(p, d, 1);
	cr_assert_eq(switch_rx(p.s, 0), 0);
	switch_release(p.s, 0);
	cr_assert_eq(drops[DROP_RX_BAD_DESC], 1);
	cr_assert_eq(p.f->rings[1].used->idx, p.f->rings[1].avail->idx);
	cr_assert(p.s->port->carrier);
	pair_free(p);
}

/* Each buffer is a long chain of nothing: looking for room must end. */
Test(vhost_hostile, empty_receive_buffers_take_the_port_down)
{
	struct pair p = pair_new();
	struct frontend_ring *r = &p.f->rings[0];
	static struct packet out;

	for (unsigned i = 0; i < r->size; i++) {
		r->desc[i].len = 0;
		r->desc[i].flags = RING_DESC_WRITE | (i % 128 == 127 ? 0 : RING_DESC_NEXT);
		r->desc[i].next = (uint16_t)(i + 1);
		r->avail->ring[i] = 0;
	}
	packet_reset(&out);
	out.head_len = out.len = 100;
	switch_tx(p.s, &out);
	cr_assert_eq(p.s->vhost->slots[0].state.fault, RING_BAD_CHAIN);
	cr_assert(switch_until(p.s, switch_down));
	pair_free(p);
}

/* Packets in chains of nearly nothing: a batch ends when it has cost enough, and no packet is lost by that.
 */
Test(vhost_hostile, long_chains_end_a_batch_early)
{
	struct pair p = pair_new();
	struct ring_desc d[200];
	unsigned n, all = 0;

	for (unsigned i = 0; i < 200; i++)
		d[i] = piece(p, i < 199 ? 0 : 100, i < 199 ? RING_DESC_NEXT : 0, (uint16_t)(i + 1));
	for (unsigned i = 0; i < 64; i++)
		offer(p, d, 200);
	while ((n = switch_rx(p.s, 0))) {
		cr_assert_eq(n, all < 60 ? 6 : 4); /* 6 * 200 descriptors */
		switch_release(p.s, 0);
		all += n;
	}
	cr_assert_eq(all, 64);
	cr_assert_eq(switch_counters(p.s)->rx_packets, 64);
	pair_free(p);
}

/* The same for those who send to such a guest: beyond a bound its ring counts as full. */
Test(vhost_hostile, long_receive_chains_cost_a_sender_little)
{
	struct pair p = pair_new();
	struct frontend_ring *r = &p.f->rings[0];
	static struct packet out[64];
	struct packet *batch[64];

	for (unsigned i = 0; i < 200; i++)
		r->desc[i] = (struct ring_desc){.addr = frontend_gpa(p.f, r->buffers),
		                                .len = i < 199 ? 0 : 2000,
		                                .flags = RING_DESC_WRITE | (i < 199 ? RING_DESC_NEXT : 0),
		                                .next = (uint16_t)(i + 1)};
	memset(r->avail->ring, 0, 2 * r->size);
	for (unsigned i = 0; i < 64; i++) {
		packet_reset(&out[i]);
		out[i].head_len = out[i].len = 100;
		batch[i] = &out[i];
	}
	p.s->port->ops->tx(p.s->port, 0, batch, 64);
	cr_assert_eq(switch_counters(p.s)->tx_packets, 21); /* 21 * 200 descriptors */
	cr_assert_eq(switch_counters(p.s)->drops[DROP_RING_FULL], 43);
	p.s->port->ops->tx(p.s->port, 0, batch, 1);
	cr_assert_eq(switch_counters(p.s)->tx_packets, 22);
	pair_free(p);
}

Test(vhost_hostile, offloads_that_were_not_negotiated_are_dropped)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	struct pair p = {.s = s};
	struct vnet_header h = {.flags = VNET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
	struct frontend_layout l = {.header = &h};

	o.without = VHOST_BIT(VIRTIO_NET_F_CSUM) | VHOST_BIT(VIRTIO_NET_F_HOST_TSO4);
	p.f = frontend_open(&o);
	cr_assert(p.f && switch_until(s, switch_up));
	cr_assert(frontend_send(p.f, 0, bytes, 100, &l));
	cr_assert_eq(switch_rx(s, 0), 0);
	h = (struct vnet_header){.gso_type = VNET_GSO_TCPV4, .gso_size = 100};
	cr_assert(frontend_send(p.f, 0, bytes, 100, &l));
	cr_assert_eq(switch_rx(s, 0), 0);
	switch_release(s, 0);
	cr_assert_eq(switch_counters(s)->drops[DROP_RX_BAD_OFFLOAD], 2);
	pair_free(p);
}

struct flipper {
	volatile uint32_t *at;
	uint32_t a, b;
	bool stop;
};

static void *flip(void *arg)
{
	struct flipper *f = arg;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		*f->at = f->a;
		*f->at = f->b;
	}
	return NULL;
}

Test(vhost_hostile, indirect_length_may_change_at_any_time)
{
	struct pair p = pair_new();
	struct ring_desc *table = (void *)p.f->rings[1].indirect;
	struct ring_desc d = {.addr = frontend_gpa(p.f, table), .len = 32, .flags = RING_DESC_INDIRECT};
	struct flipper fl = {.at = &p.f->rings[1].desc[0].len, .a = 16, .b = 0xfffffff0};
	pthread_t thread;

	table[0] = piece(p, 50, RING_DESC_NEXT, 1);
	table[1] = piece(p, 50, 0, 0);
	cr_assert_eq(pthread_create(&thread, NULL, flip, &fl), 0);
	for (int i = 0; i < 3000; i++) {
		offer(p, &d, 1);
		if (switch_rx(p.s, 0))
			cr_assert_eq(p.s->packets[0]->len, 88);
		switch_release(p.s, 0);
		if (p.s->vhost->slots[1].state.fault) {
			p.s->vhost->slots[1].state.fault = 0;
			p.f->rings[1].next_avail = p.s->vhost->slots[1].state.last_avail;
			p.s->vhost->slots[1].state.avail_seen = p.f->rings[1].next_avail;
		}
	}
	__atomic_store_n(&fl.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	pair_free(p);
}

Test(vhost_hostile, buffers_that_alias_are_the_guests_problem)
{
	struct pair p = pair_new();
	struct ring_desc *d = p.f->rings[0].desc;

	/* What is received is sent back into the very bytes it comes from, and shifted by some. */
	for (unsigned i = 0; i < 200; i++) {
		cr_assert(frontend_send(p.f, 0, bytes, 1500, NULL));
		cr_assert_eq(switch_rx(p.s, 0), 1);
		d[p.f->rings[0].avail->ring[i % 256]].addr =
		        p.f->rings[1].desc[(p.f->rings[1].free_head + 255) % 256].addr + i;
		switch_tx(p.s, p.s->packets[0]);
		switch_release(p.s, 0);
		cr_assert_eq(frontend_receive(p.f, 0, got, sizeof(got), NULL), 1500);
	}
	pair_free(p);
}
