/* SPDX-License-Identifier: Apache-2.0 */
/* The vhost-user port with an honest guest: every layout of packets, both roles, restarts, dirty log. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "tests/lib/vhost_switch.h"

static unsigned seed;
static uint8_t sent[FRONTEND_PACKET_MAX], got[FRONTEND_PACKET_MAX];
static struct packet out;

static uint32_t rnd(uint32_t below)
{
	return (uint32_t)rand_r(&seed) % below;
}

static void make_bytes(uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		sent[i] = (uint8_t)rnd(256);
	memset(sent, 2, 12);
	sent[12] = 0x88;
	sent[13] = 0xb5;
}

/* A packet of sent[0..len) as another port would have received it. */
static void view_sent(struct packet *p, uint32_t len)
{
	packet_reset(p);
	p->head_len = (uint16_t)(len < PACKET_HEAD_FIRST ? len : PACKET_HEAD_FIRST);
	memcpy(p->head, sent, p->head_len);
	p->len = len;
	for (uint32_t at = p->head_len; at < len; p->nsegs++) {
		uint32_t n = p->nsegs == PACKET_SEGS_MAX - 1 ? len - at : 1 + rnd(4000);

		n = n < len - at ? n : len - at;
		p->segs[p->nsegs] = (struct packet_seg){.data = sent + at, .len = n};
		at += n;
	}
}

static void send_sent(struct test_switch *s, uint32_t len)
{
	view_sent(&out, len);
	switch_tx(s, &out);
}

static void expect_rx(struct test_switch *s, unsigned q, uint32_t len)
{
	cr_assert_eq(switch_rx(s, q), 1);
	cr_assert_eq(s->packets[0]->len, len);
	cr_assert_eq(s->packets[0]->in_port, 7);
	packet_copy_out(s->packets[0], 0, len, got);
	cr_assert_eq(memcmp(got, sent, len), 0);
	switch_release(s, q);
}

static void expect_tx(struct test_switch *s, struct frontend *f, unsigned q, uint32_t len)
{
	send_sent(s, len);
	cr_assert_eq(frontend_receive(f, q, got, sizeof(got), NULL), len);
	cr_assert_eq(memcmp(got, sent, len), 0);
}

static struct frontend *open_up(struct test_switch *s, const struct frontend_options *o)
{
	struct frontend *f = frontend_open(o);

	cr_assert(f);
	cr_assert(switch_until(s, switch_up));
	return f;
}

static void close_both(struct test_switch *s, struct frontend *f)
{
	frontend_close(f);
	cr_assert(switch_until(s, switch_down));
	switch_free(s);
}

struct variant {
	const char *name;
	uint64_t without;
	bool indirect, no_protocol, split;
	unsigned size;
};

static void exchange(struct test_switch *s, struct frontend *f, const struct variant *v)
{
	bool mergeable = !(v->without & VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF));

	for (int i = 0; i < 2000; i++) {
		uint32_t len = 14 + rnd(i % 10 ? 1500 : mergeable ? 60000 : 1900);
		struct frontend_layout l = {
		        .pieces = 1 + rnd(4), .header_apart = rnd(2), .indirect = v->indirect && rnd(2)};

		make_bytes(len);
		cr_assert(frontend_send(f, 0, sent, len, &l), "%s: ring full at %d", v->name, i);
		expect_rx(s, 0, len);
		s->port->mtu = 65535;
		expect_tx(s, f, 0, len);
	}
	cr_assert_eq(frontend_reclaim(f, 0), 1);
	cr_assert_eq(switch_counters(s)->rx_packets, 2000);
}

static void run_variant(const struct variant *v)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	struct frontend *f;

	o.without = v->without;
	o.no_protocol = v->no_protocol;
	o.size = v->size;
	o.split = v->split;
	f = open_up(s, &o);
	exchange(s, f, v);
	close_both(s, f);
}

Test(vhost, moves_packets_in_every_layout)
{
	static const struct variant variants[] = {
	        {.name = "all", .indirect = true, .size = 256},
	        {.name = "two regions", .indirect = true, .size = 128, .split = true},
	        {.name = "no mergeable",
	         .without = VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF),
	         .indirect = true,
	         .size = 256},
	        {.name = "legacy header",
	         .without = VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF) | VHOST_BIT(VIRTIO_F_VERSION_1),
	         .size = 256},
	        {.name = "no event index", .without = VHOST_BIT(VIRTIO_RING_F_EVENT_IDX), .size = 64},
	        {.name = "no indirect", .without = VHOST_BIT(VIRTIO_RING_F_INDIRECT_DESC), .size = 256},
	        {.name = "no protocol features", .indirect = true, .no_protocol = true, .size = 256},
	};

	seed = 1;
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		run_variant(&variants[i]);
}

Test(vhost, client_role_connects_again_and_again)
{
	struct test_switch *s = switch_new("role=client");
	struct frontend_options o = switch_peer(s);

	seed = 2;
	for (int i = 0; i < 3; i++) {
		struct frontend *f = open_up(s, &o);

		make_bytes(100);
		expect_tx(s, f, 0, 100);
		frontend_close(f);
		cr_assert(switch_until(s, switch_down));
		send_sent(s, 100);
		cr_assert_eq(switch_counters(s)->drops[DROP_NO_CARRIER], (uint64_t)i + 1);
	}
	switch_free(s);
}

Test(vhost, server_role_replaces_a_stale_socket_and_guards_a_living_one)
{
	struct test_switch *s = switch_new("role=server");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	static struct vhost_link other;
	struct error e = {{0}};
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert_eq(stat(s->path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0660);
	cr_assert_eq(link_start(&other, &s->loop, &s->vhost->session, VHOST_SERVER, s->path, &e),
	             -EADDRINUSE);
	cr_assert_eq(link_start(&other, &s->loop, &s->vhost->session, VHOST_SERVER, "/tmp", &e), -EEXIST);
	/* As after kill -9: the socket's file is there, nobody listens. */
	snprintf(a.sun_path, sizeof(a.sun_path), "%s.stale", s->path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	cr_assert_eq(link_start(&other, &s->loop, &s->vhost->session, VHOST_SERVER, a.sun_path, &e), 0, "%s",
	             e.text);
	uv_close((uv_handle_t *)&other.accept, NULL);
	uv_close((uv_handle_t *)&other.retry, NULL);
	close(other.listen_fd);
	unlink(a.sun_path);
	switch_free(s);
}

Test(vhost, guest_continues_when_the_switch_was_killed)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	struct frontend *f = open_up(s, &o);

	seed = 3;
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 300; i++) {
			make_bytes(60);
			cr_assert(frontend_send(f, 0, sent, 60, NULL));
			expect_rx(s, 0, 60);
			expect_tx(s, f, 0, 60);
		}
		/* A packet that was taken but not given back when the switch died comes again. */
		make_bytes(60);
		cr_assert(frontend_send(f, 0, sent, 60, NULL));
		cr_assert_eq(switch_rx(s, 0), 1);
		frontend_disconnect(f);
		cr_assert(switch_until(s, switch_down));
		cr_assert(frontend_connect(f) && frontend_negotiate(f));
		cr_assert(switch_until(s, switch_up));
		expect_rx(s, 0, 60);
	}
	close_both(s, f);
}

/* QEMU before 8.1 adds each region once per queue pair. */
Test(vhost, a_region_may_be_added_again)
{
	struct test_switch *s = switch_new("role=server queues=2");
	struct frontend_options o = switch_peer(s);
	struct frontend *f = open_up(s, &o);
	struct vhost_slot_msg slot = {.region = {FRONTEND_GPA, f->memory_size, FRONTEND_UVA, 0}};
	int other = memfd_create("other", 0);

	seed = 14;
	cr_assert_eq(frontend_ask(f, VHOST_ADD_MEM_REG, &slot, sizeof(slot), &f->memory_fd, 1), 0);
	cr_assert_eq(ftruncate(other, (off_t)f->memory_size), 0);
	cr_assert_neq(frontend_ask(f, VHOST_ADD_MEM_REG, &slot, sizeof(slot), &other, 1), 0);
	make_bytes(200);
	cr_assert(frontend_send(f, 1, sent, 200, NULL));
	expect_rx(s, 1, 200);
	close(other);
	close_both(s, f);
}

Test(vhost, queues_are_apart_and_follow_enable)
{
	struct test_switch *s = switch_new("role=server queues=3");
	struct frontend_options o = switch_peer(s);
	struct frontend *f = open_up(s, &o);
	struct vhost_ring_word off = {4, 0};
	union vhost_payload reply;

	seed = 4;
	cr_assert(frontend_request(f, VHOST_GET_QUEUE_NUM, NULL, 0, NULL, 0, &reply));
	cr_assert_eq(reply.u64, 3);
	for (unsigned q = 0; q < 3; q++) {
		make_bytes(200);
		cr_assert(frontend_send(f, q, sent, 200, NULL));
		cr_assert_eq(switch_rx(s, (q + 1) % 3), 0);
		expect_rx(s, q, 200);
	}
	cr_assert_eq(s->vhost->ntx, 3);
	cr_assert_eq(frontend_ask(f, VHOST_SET_VRING_ENABLE, &off, sizeof(off), NULL, 0), 0);
	cr_assert_eq(s->vhost->ntx, 2);
	/* What the guest sends through a disabled queue is taken and dropped, and the port stays up by the
	 * others. */
	off.index = 5;
	cr_assert_eq(frontend_ask(f, VHOST_SET_VRING_ENABLE, &off, sizeof(off), NULL, 0), 0);
	cr_assert(frontend_send(f, 2, sent, 200, NULL));
	cr_assert_eq(switch_rx(s, 2), 0);
	switch_release(s, 2);
	cr_assert_eq(switch_counters(s)->drops[DROP_RX_DISABLED], 1);
	cr_assert_eq(f->rings[5].used->idx, f->rings[5].avail->idx);
	cr_assert(s->port->carrier);
	/* Queues beyond the option are refused. */
	off.index = 6;
	cr_assert_eq(frontend_ask(f, VHOST_SET_VRING_ENABLE, &off, sizeof(off), NULL, 0), 1);
	close_both(s, f);
}

Test(vhost, full_ring_drops_and_counts)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	struct frontend *f;

	o.size = 64;
	f = open_up(s, &o);
	make_bytes(2000);
	for (int i = 0; i < 70; i++)
		send_sent(s, 100);
	cr_assert_eq(switch_counters(s)->tx_packets, 64);
	cr_assert_eq(switch_counters(s)->drops[DROP_RING_FULL], 6);
	cr_assert_eq(frontend_receive(f, 0, got, sizeof(got), NULL), 100);
	/* Room is seen at once: the index is read again when the ring looks full. */
	send_sent(s, 100);
	cr_assert_eq(switch_counters(s)->tx_packets, 65);
	send_sent(s, 1600);
	cr_assert_eq(switch_counters(s)->drops[DROP_TOO_BIG], 1);
	close_both(s, f);
}

static void poll_once(struct test_switch *s)
{
	switch_rx(s, 0);
	switch_release(s, 0);
}

static void check_calls(bool event_idx)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	struct frontend_ring *r;
	struct frontend *f;

	o.without = event_idx ? 0 : VHOST_BIT(VIRTIO_RING_F_EVENT_IDX);
	f = open_up(s, &o);
	poll_once(s);
	r = &f->rings[0];
	make_bytes(100);
	if (event_idx)
		r->avail->ring[r->size] = 3; /* used_event */
	else
		r->avail->flags = RING_NO_INTERRUPT;
	send_sent(s, 100);
	frontend_calls(f, 0); /* the first may come in any case */
	send_sent(s, 100);
	send_sent(s, 100);
	cr_assert_eq(frontend_calls(f, 0), 0);
	if (!event_idx)
		r->avail->flags = 0;
	send_sent(s, 100);
	cr_assert_eq(frontend_calls(f, 0), 1);
	/* The other way: the guest kicks only while the worker sleeps. */
	r = &f->rings[1];
	cr_assert_not(s->port->ops->arm(&s->port->rxq[0], true));
	cr_assert_eq(event_idx ? *(uint16_t *)&r->used->ring[r->size] : r->used->flags, 0);
	cr_assert_neq(s->port->ops->sleep_fd(&s->port->rxq[0]), -1);
	cr_assert(frontend_send(f, 0, sent, 100, NULL));
	cr_assert(s->port->ops->arm(&s->port->rxq[0], true));
	s->port->ops->arm(&s->port->rxq[0], false);
	cr_assert_eq(event_idx ? *(uint16_t *)&r->used->ring[r->size] : r->used->flags,
	             event_idx ? 0xffff : 1);
	close_both(s, f);
}

Test(vhost, calls_the_guest_only_when_it_wants)
{
	check_calls(false);
	check_calls(true);
}

Test(vhost, calls_again_when_an_earlier_call_may_be_lost)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	struct frontend *f = open_up(s, &o);
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	uint64_t ring = 0, count;

	/* A back end before this one may have been killed before it called. */
	poll_once(s);
	cr_assert_eq(frontend_calls(f, 0), 1);
	cr_assert_eq(frontend_calls(f, 1), 1);
	poll_once(s);
	cr_assert_eq(frontend_calls(f, 0), 0);
	/* A worker may have used the old fd after the front end looked at it for the last time. */
	cr_assert_eq(frontend_ask(f, VHOST_SET_VRING_CALL, &ring, 8, &fd, 1), 0);
	cr_assert_not(read(fd, &count, 8) == 8);
	poll_once(s);
	cr_assert_eq(read(fd, &count, 8), 8);
	cr_assert_eq(frontend_calls(f, 0), 0);
	close(fd);
	close_both(s, f);
}

/* A worker that sleeps looks at its ports again only when the datapath is told of something new. */
Test(vhost, tells_the_datapath_what_no_kick_tells)
{
	struct test_switch *s = switch_new("role=server queues=2");
	struct frontend_options o = switch_peer(s);
	struct frontend *f = open_up(s, &o);
	uint64_t mac = 0x030201005452, ring = 3, none = 3 | VHOST_RING_NOFD;
	struct port_rxq *q = &s->port->rxq[1];
	unsigned before = s->changes;
	int fd = eventfd(0, EFD_CLOEXEC), kick = s->port->ops->sleep_fd(q);

	cr_assert_geq(kick, 0);
	cr_assert_geq(frontend_stop_ring(f, 3), 0);
	cr_assert_gt(s->changes, before);
	cr_assert_eq(s->port->ops->sleep_fd(q), PORT_QUIET);
	before = s->changes;
	cr_assert(frontend_start_ring(f, 3));
	while (s->port->ops->sleep_fd(q) == PORT_QUIET)
		switch_pump(s);
	cr_assert_gt(s->changes, before);
	before = s->changes;
	cr_assert_eq(frontend_ask(f, VHOST_SET_VRING_KICK, &ring, sizeof(ring), &fd, 1), 0);
	cr_assert_gt(s->changes, before);
	cr_assert_geq(s->port->ops->sleep_fd(q), 0);
	before = s->changes;
	cr_assert_eq(frontend_ask(f, VHOST_SET_VRING_KICK, &none, sizeof(none), NULL, 0), 0);
	cr_assert_gt(s->changes, before);
	cr_assert_eq(s->port->ops->sleep_fd(q), PORT_MUST_POLL);
	before = s->changes;
	cr_assert_eq(frontend_ask(f, VHOST_SEND_RARP, &mac, sizeof(mac), NULL, 0), 0);
	cr_assert_gt(s->changes, before);
	cr_assert(s->port->ops->arm(&s->port->rxq[0], true));
	close(fd);
	close_both(s, f);
}

Test(vhost, log_may_start_while_rings_run)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	struct frontend *f = open_up(s, &o);
	struct frontend_ring *r = &f->rings[0];

	seed = 5;
	make_bytes(1500);
	expect_tx(s, f, 0, 500);
	cr_assert(frontend_log_start(f));
	cr_assert(s->port->carrier);
	cr_assert_not(frontend_log_has(f, r->buffers + 2 * FRONTEND_BUFFER));
	for (int i = 0; i < 10; i++)
		expect_tx(s, f, 0, 1500);
	for (int i = 1; i <= 10; i++)
		cr_assert(frontend_log_has(f, r->buffers + i * FRONTEND_BUFFER));
	cr_assert(frontend_log_has(f, r->used));
	cr_assert_not(frontend_log_has(f, r->buffers + 20 * FRONTEND_BUFFER));
	/* Reading from the guest dirties only the used ring. */
	cr_assert_not(frontend_log_has(f, f->rings[1].used));
	cr_assert(frontend_send(f, 0, sent, 300, NULL));
	expect_rx(s, 0, 300);
	cr_assert(frontend_log_has(f, f->rings[1].used));
	cr_assert_not(frontend_log_has(f, f->rings[1].buffers));
	close_both(s, f);
}

Test(vhost, stop_answers_where_to_continue)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	struct frontend *f = open_up(s, &o);

	make_bytes(100);
	for (int i = 0; i < 5; i++)
		expect_tx(s, f, 0, 100);
	cr_assert_eq(frontend_stop_ring(f, 0), 5);
	cr_assert_not(s->port->carrier);
	cr_assert(frontend_start_ring(f, 0) && switch_until(s, switch_up));
	expect_tx(s, f, 0, 100);
	cr_assert_eq(frontend_stop_ring(f, 0), 6);
	close_both(s, f);
}

Test(vhost, announces_a_migrated_guest_and_learns_its_mtu)
{
	struct test_switch *s = switch_new("role=server");
	struct frontend_options o = switch_peer(s);
	uint8_t mac[8] = {0x52, 0x54, 0, 1, 2, 3};
	struct frontend *f;

	o.mtu = 1400;
	f = open_up(s, &o);
	cr_assert_eq(s->port->mtu, 1400);
	cr_assert_eq(frontend_ask(f, VHOST_SEND_RARP, mac, 8, NULL, 0), 0);
	cr_assert_eq(switch_rx(s, 0), 1);
	cr_assert_eq(s->packets[0]->len, 60);
	cr_assert_eq(memcmp(s->packets[0]->head + 6, mac, 6), 0);
	cr_assert_eq(memcmp(s->packets[0]->head + 12, "\x80\x35", 2), 0);
	switch_release(s, 0);
	cr_assert_eq(switch_rx(s, 0), 0);
	close_both(s, f);
}

/* IPv4 and TCP headers in sent[], `payload` random bytes behind them, checksum field as the driver leaves it.
 */
static uint32_t make_tcp(uint32_t payload)
{
	struct ipv4_header *ip = (void *)(sent + 14);
	struct tcp_header *tcp = (void *)(sent + 34);

	make_bytes(54 + payload);
	memcpy(sent + 12, "\x08\x00", 2);
	ip->version_ihl = 0x45;
	ip->total_len = htobe16((uint16_t)(40 + payload));
	ip->proto = IP_PROTO_TCP;
	tcp->offset_flags = htobe16(0x5018);
	return 54 + payload;
}

Test(vhost, gso_passes_whole_or_is_cut_for_a_guest_that_did_not_ask)
{
	static const struct vnet_header tso = {.flags = VNET_NEEDS_CSUM,
	                                       .gso_type = VNET_GSO_TCPV4,
	                                       .gso_size = 1448,
	                                       .csum_start = 34,
	                                       .csum_offset = 16};

	for (int takes = 0; takes < 2; takes++) {
		struct test_switch *s = switch_new("role=server");
		struct frontend_options o = switch_peer(s);
		struct frontend_layout l = {.pieces = 5, .header = &tso};
		struct vnet_header h;
		struct frontend *f;
		uint32_t len = make_tcp(30000);

		o.without = takes ? 0 : VHOST_BIT(VIRTIO_NET_F_GUEST_TSO4);
		f = open_up(s, &o);
		cr_assert(frontend_send(f, 0, sent, len, &l));
		cr_assert_eq(switch_rx(s, 0), 1);
		cr_assert_eq(s->packets[0]->gso, GSO_TCP4);
		switch_tx(s, s->packets[0]);
		switch_release(s, 0);
		if (takes) {
			cr_assert_eq(frontend_receive(f, 0, got, sizeof(got), &h), len);
			cr_assert_eq(h.gso_size, 1448);
			cr_assert_eq(h.gso_type, VNET_GSO_TCPV4);
			cr_assert_eq(memcmp(got, sent, len), 0);
			cr_assert_eq(switch_counters(s)->tx_gso, 1);
		} else {
			for (uint32_t at = 54; at < len; at += 1448) {
				uint32_t n = len - at < 1448 ? len - at : 1448;

				cr_assert_eq(frontend_receive(f, 0, got, sizeof(got), &h), 54 + n);
				cr_assert_eq(h.flags, 0);
				cr_assert_eq(h.gso_type, 0);
				cr_assert_eq(memcmp(got + 54, sent + at, n), 0);
			}
			cr_assert_eq(switch_counters(s)->tx_gso, 0);
		}
		cr_assert_eq(frontend_receive(f, 0, got, sizeof(got), &h), 0);
		close_both(s, f);
	}
}
