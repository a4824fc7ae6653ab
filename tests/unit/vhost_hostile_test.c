/* SPDX-License-Identifier: Apache-2.0 */
/* Guests and front ends that mean harm: each fault known from other vhost implementations, and its effect on
 * the port and on its neighbour. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wire.h"
#include "base/dp/rcu.h"
#include "tests/lib/vhost_switch.h"

struct pair {
	struct test_switch *s;
	struct frontend *f;
};

static uint8_t bytes[2000], got[2048];

static struct pair pair_new(void)
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

static void pair_free(struct pair p)
{
	frontend_close(p.f);
	cr_assert(switch_until(p.s, switch_down));
	switch_free(p.s);
}

/* Packets go both ways, none is lost. */
static void expect_traffic(struct pair p, int n)
{
	static struct packet out;

	for (int i = 0; i < n; i++) {
		cr_assert(frontend_send(p.f, 0, bytes, 100, NULL));
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
	expect_traffic(p, 10);
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

Test(vhost_hostile, a_call_fd_that_is_full_blocks_nobody)
{
	struct pair p = pair_new();
	uint64_t ring = 1, full = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC);

	cr_assert_eq(write(fd, &full, 8), 8);
	cr_assert_eq(frontend_ask(p.f, VHOST_SET_VRING_CALL, &ring, 8, &fd, 1), 0);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	expect_traffic(p, 10);
	close(fd);
	pair_free(p);
}

Test(vhost_hostile, a_call_fd_that_is_no_eventfd_is_refused)
{
	struct pair p = pair_new();
	uint64_t ring = 1;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_neq(frontend_ask(p.f, VHOST_SET_VRING_CALL, &ring, 8, &ends[1], 1), 0);
	cr_assert_str_eq(p.s->vhost->why.text, "the ring's fd is not an eventfd");
	expect_traffic(p, 10);
	close(ends[0]);
	close(ends[1]);
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

Test(vhost_hostile, truncated_memory_kills_that_port_only)
{
	struct pair victim = pair_new(), other = pair_new();
	static struct packet out;

	expect_traffic(victim, 10);
	cr_assert(frontend_send(victim.f, 0, bytes, 1500, NULL));
	cr_assert_eq(ftruncate(victim.f->memory_fd, 0), 0);
	/* Worker: rings and buffers are gone; control: used->idx is. */
	switch_rx(victim.s, 0);
	switch_release(victim.s, 0);
	packet_reset(&out);
	out.len = out.head_len = 100;
	switch_tx(victim.s, &out);
	expect_traffic(other, 1000);
	cr_assert(switch_until(victim.s, switch_down));
	cr_assert(strstr(victim.s->vhost->why.text, "shorter"));
	expect_traffic(other, 1000);
	pair_free(other);
	pair_free(victim);
}

static int raw(struct test_switch *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, s->path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	for (int i = 0; i < 10; i++)
		switch_pump(s);
	return fd;
}

static bool hung_up(struct test_switch *s, int fd)
{
	uint8_t b[4096];

	for (int i = 0; i < 200; i++)
		switch_pump(s);
	while (recv(fd, b, sizeof(b), MSG_DONTWAIT) > 0)
		;
	return recv(fd, b, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

Test(vhost_hostile, half_a_message_blocks_nobody)
{
	struct test_switch *s = switch_new("role=server");
	struct pair other = pair_new();
	struct vhost_header h = {VHOST_GET_FEATURES, VHOST_VERSION, 0};
	int fd = raw(s);
	uint64_t reply[3];

	cr_assert_eq(send(fd, &h, 5, 0), 5);
	for (int i = 0; i < 10; i++)
		switch_pump(s);
	expect_traffic(other, 100);
	cr_assert_eq(recv(fd, reply, sizeof(reply), MSG_DONTWAIT), -1);
	cr_assert_eq(send(fd, (uint8_t *)&h + 5, sizeof(h) - 5, 0), sizeof(h) - 5);
	for (int i = 0; i < 10; i++)
		switch_pump(s);
	cr_assert_eq(recv(fd, reply, sizeof(reply), MSG_DONTWAIT), 20);
	close(fd);
	pair_free(other);
	switch_free(s);
}

/* One turn of the event loop takes some of many messages: others have their turn as well. */
Test(vhost_hostile, a_flood_of_messages_blocks_nobody)
{
	struct test_switch *s = switch_new("role=server");
	struct {
		struct vhost_header h;
		uint8_t mtu[8];
	} all[1000] = {{{0, 0, 0}, {0}}};
	int fd = raw(s);

	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t mtu = 1000 + i;

		all[i].h = (struct vhost_header){VHOST_NET_SET_MTU, VHOST_VERSION, sizeof(mtu)};
		memcpy(all[i].mtu, &mtu, sizeof(mtu));
	}
	cr_assert_eq(send(fd, all, sizeof(all), 0), sizeof(all));
	switch_pump(s);
	cr_assert_geq(s->vhost->session.mtu, 1000);
	cr_assert_lt(s->vhost->session.mtu, 1100);
	for (int i = 0; i < 200 && s->vhost->session.mtu != 1999; i++)
		switch_pump(s);
	cr_assert_eq(s->vhost->session.mtu, 1999);
	close(fd);
	switch_free(s);
}

/* Ten connections a second at most, whatever the peer does. */
Test(vhost_hostile, a_peer_that_hangs_up_at_once_is_not_asked_all_the_time)
{
	struct test_switch *s = switch_new("role=client");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	uint64_t start;

	strcpy(a.sun_path, s->path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	cr_assert_eq(listen(fd, 4), 0);
	start = clock_now();
	while (s->vhost->link.connects < 4) {
		int peer = accept(fd, NULL, NULL);

		if (peer >= 0)
			close(peer);
		switch_pump(s);
	}
	cr_assert_geq(clock_now() - start, 290 * (CLOCK_SECOND / 1000));
	close(fd);
	unlink(s->path);
	switch_free(s);
}

Test(vhost_hostile, nonsense_ends_the_connection)
{
	static const struct vhost_header bad[] = {
	        {VHOST_GET_FEATURES, VHOST_VERSION, 100000}, /* longer than any */
	        {VHOST_GET_FEATURES, 2, 0},                  /* version */
	        {999, VHOST_VERSION, 0},
	        {0, VHOST_VERSION, 0},
	        {VHOST_SET_FEATURES, VHOST_VERSION, 0}, /* too short */
	        {VHOST_SET_LOG_BASE, VHOST_VERSION, 8},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct test_switch *s = switch_new("role=server");
		uint8_t m[64] = {0};
		int fd = raw(s);

		memcpy(m, &bad[i], sizeof(bad[i]));
		cr_assert_eq(send(fd, m, bad[i].size < 50 ? 12 + bad[i].size : 64, 0) > 0, 1);
		cr_assert(hung_up(s, fd), "%zu", i);
		close(fd);
		switch_free(s);
	}
}

Test(vhost_hostile, unread_replies_end_the_connection)
{
	struct test_switch *s = switch_new("role=server");
	struct vhost_header h = {VHOST_GET_FEATURES, VHOST_VERSION, 0};
	int fd = raw(s), small = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 100000 && s->vhost->link.channel.fd >= 0; i++) {
		send(fd, &h, sizeof(h), MSG_DONTWAIT | MSG_NOSIGNAL);
		switch_pump(s);
	}
	cr_assert_eq(s->vhost->link.connects, 1);
	cr_assert_eq(s->vhost->link.channel.fd, -1);
	close(fd);
	switch_free(s);
}

Test(vhost_hostile, absurd_memory_and_log_are_refused)
{
	struct pair p = pair_new();
	int fd = p.f->memory_fd, fds[2] = {fd, fd}, pipes[2], foreign;
	uint64_t size = p.f->memory_size;
	static const uint64_t far = UINT64_MAX - 4095;
	struct vhost_log_msg logs[] = {{0, 0},      {UINT64_MAX, 0}, {1ull << 40, 0},
	                               {4096, far}, {far, 4096},     {size, 1}};
	struct vhost_table_msg tables[] = {
	        {1, 0, {{0, size + 4096, 0, 0}}},                    /* longer than the file */
	        {1, 0, {{0, size, 0, 4096}}},                        /* the same by its offset */
	        {1, 0, {{0, 4096, 0, far}}},                         /* offset + size wraps */
	        {1, 0, {{far, 8192, 0, 0}}},                         /* guest address wraps */
	        {1, 0, {{0, 8192, far, 0}}},                         /* front end's address wraps */
	        {1, 0, {{0, 0, 0, 0}}},                              /* empty */
	        {2, 0, {{0, 8192, 0, 0}, {4096, 8192, 1 << 20, 0}}}, /* overlap */
	        {2, 0, {{0, 8192, 0, 0}, {8192, 8192, 4096, 0}}},
	};

	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		cr_assert_eq(frontend_ask(p.f, VHOST_SET_LOG_BASE, &logs[i], sizeof(logs[i]), &fd, 1), 1,
		             "log %zu", i);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		cr_assert_eq(frontend_ask(p.f, VHOST_SET_MEM_TABLE, &tables[i], 8 + 32 * tables[i].n, fds,
		                          tables[i].n),
		             1, "table %zu", i);
	/* Not a file. */
	cr_assert_eq(pipe(pipes), 0);
	tables[0].regions[0].size = 4096;
	cr_assert_eq(frontend_ask(p.f, VHOST_SET_MEM_TABLE, &tables[0], 40, pipes, 1), 1);
	/* Not on a file system whose pages come at once (/proc stands for FUSE). */
	foreign = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(foreign, 0);
	tables[0].regions[0].size = 1;
	cr_assert_eq(frontend_ask(p.f, VHOST_SET_MEM_TABLE, &tables[0], 40, &foreign, 1), 1);
	cr_assert(strstr(p.s->vhost->why.text, "lies on none of tmpfs"), "%s", p.s->vhost->why.text);
	logs[0].size = 1;
	cr_assert_eq(frontend_ask(p.f, VHOST_SET_LOG_BASE, &logs[0], sizeof(logs[0]), &foreign, 1), 1);
	cr_assert(strstr(p.s->vhost->why.text, "dirty log: its file lies on none of tmpfs"));
	close(foreign);
	/* More regions than fds, and than the message holds. */
	tables[0].n = 8;
	cr_assert_eq(frontend_ask(p.f, VHOST_SET_MEM_TABLE, &tables[0], 40, fds, 1), 1);
	cr_assert_not(p.s->port->carrier);
	close(pipes[0]);
	close(pipes[1]);
	/* A good table brings the rings back by itself. */
	cr_assert(frontend_set_mem_table(p.f) && switch_until(p.s, switch_up));
	expect_traffic(p, 10);
	pair_free(p);
}

Test(vhost_hostile, rings_outside_memory_do_not_start)
{
	struct pair p = pair_new();
	uint64_t end = FRONTEND_UVA + p.f->memory_size;
	struct vhost_ring_addr bad[] = {
	        {.index = 0, .desc = end - 64, .avail = FRONTEND_UVA, .used = FRONTEND_UVA},
	        {.index = 0, .desc = FRONTEND_UVA, .avail = end - 64, .used = FRONTEND_UVA},
	        {.index = 0, .desc = FRONTEND_UVA, .avail = FRONTEND_UVA, .used = end - 64},
	        {.index = 0, .desc = FRONTEND_UVA + 8, .avail = FRONTEND_UVA, .used = FRONTEND_UVA},
	        {.index = 0, .desc = FRONTEND_UVA, .avail = FRONTEND_UVA + 1, .used = FRONTEND_UVA},
	        {.index = 0, .desc = FRONTEND_UVA, .avail = FRONTEND_UVA, .used = FRONTEND_UVA + 2},
	        {.index = 0, .desc = 0, .avail = FRONTEND_UVA, .used = FRONTEND_UVA},
	        {.index = 0, .desc = UINT64_MAX, .avail = FRONTEND_UVA, .used = FRONTEND_UVA},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(frontend_ask(p.f, VHOST_SET_VRING_ADDR, &bad[i], sizeof(bad[i]), NULL, 0), 0);
		cr_assert_null(p.s->vhost->slots[0].ring, "%zu", i);
		cr_assert_geq(frontend_stop_ring(p.f, 0), 0);
		cr_assert(frontend_start_ring(p.f, 0) && switch_until(p.s, switch_up));
	}
	for (uint32_t num = 0; num < 70000; num += 32769)
		cr_assert_eq(
		        frontend_ask(p.f, VHOST_SET_VRING_NUM, &(struct vhost_ring_word){0, num}, 8, NULL, 0),
		        1);
	expect_traffic(p, 10);
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
