/* SPDX-License-Identifier: Apache-2.0 */
/* Front ends that mean harm: messages, fds and files, and what they do to the port and to its neighbours. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/vhost_pair.h"

static uint8_t bytes[2000];

Test(vhost_master, a_call_fd_that_is_full_blocks_nobody)
{
	struct pair p = pair_new();
	uint64_t ring = 1, full = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC);

	cr_assert_eq(write(fd, &full, 8), 8);
	cr_assert_eq(frontend_ask(p.f, VHOST_SET_VRING_CALL, &ring, 8, &fd, 1), 0);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	pair_expect_traffic(p, 10);
	close(fd);
	pair_free(p);
}

Test(vhost_master, a_call_fd_that_is_no_eventfd_is_refused)
{
	struct pair p = pair_new();
	uint64_t ring = 1;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_neq(frontend_ask(p.f, VHOST_SET_VRING_CALL, &ring, 8, &ends[1], 1), 0);
	cr_assert_str_eq(p.s->vhost->why.text, "the ring's fd is not an eventfd");
	pair_expect_traffic(p, 10);
	close(ends[0]);
	close(ends[1]);
	pair_free(p);
}

Test(vhost_master, truncated_memory_kills_that_port_only)
{
	struct pair victim = pair_new(), other = pair_new();
	static struct packet out;

	pair_expect_traffic(victim, 10);
	cr_assert(frontend_send(victim.f, 0, bytes, 1500, NULL));
	cr_assert_eq(ftruncate(victim.f->memory_fd, 0), 0);
	/* Worker: rings and buffers are gone; control: used->idx is. */
	switch_rx(victim.s, 0);
	switch_release(victim.s, 0);
	packet_reset(&out);
	out.len = out.head_len = 100;
	switch_tx(victim.s, &out);
	pair_expect_traffic(other, 1000);
	cr_assert(switch_until(victim.s, switch_down));
	cr_assert(strstr(victim.s->vhost->why.text, "shorter"));
	pair_expect_traffic(other, 1000);
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

Test(vhost_master, half_a_message_blocks_nobody)
{
	struct test_switch *s = switch_new("role=server");
	struct pair other = pair_new();
	struct vhost_header h = {VHOST_GET_FEATURES, VHOST_VERSION, 0};
	int fd = raw(s);
	uint64_t reply[3];

	cr_assert_eq(send(fd, &h, 5, 0), 5);
	for (int i = 0; i < 10; i++)
		switch_pump(s);
	pair_expect_traffic(other, 100);
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
Test(vhost_master, a_flood_of_messages_blocks_nobody)
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
Test(vhost_master, a_peer_that_hangs_up_at_once_is_not_asked_all_the_time)
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

Test(vhost_master, nonsense_ends_the_connection)
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

Test(vhost_master, unread_replies_end_the_connection)
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

Test(vhost_master, absurd_memory_and_log_are_refused)
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
	pair_expect_traffic(p, 10);
	pair_free(p);
}

Test(vhost_master, rings_outside_memory_do_not_start)
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
	pair_expect_traffic(p, 10);
	pair_free(p);
}
