/* SPDX-License-Identifier: Apache-2.0 */
/* The AF_XDP port on a veth in a network namespace of the test process' own:
 *
 *	port -- AF_XDP -- a0 (172.31.0.1) ==== b0 -- packet socket of the test
 */
#include <criterion/criterion.h>
#include <linux/if_packet.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <bpf/libbpf.h>

#include "base/checksum.h"
#include "base/dp/rcu.h"
#include "base/wire.h"
#include "ports/xdp/xdp.h"
#include "tests/lib/eal.h"

static uv_loop_t loop;
static struct port_env env = {.loop = &loop, .nworkers = 1};
static struct port *port;
static int peer; /* packet socket on b0 */
static struct packet packets[BATCH_MAX], *batch[BATCH_MAX];

static void run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static void make_veth(void)
{
	run("ip link add a0 numrxqueues 2 numtxqueues 2 address 02:00:00:00:00:0a type veth"
	    " peer name b0 numrxqueues 1 numtxqueues 1 &&"
	    "sysctl -qw net.ipv6.conf.a0.disable_ipv6=1 net.ipv6.conf.b0.disable_ipv6=1 &&"
	    "ip link set a0 mtu 1600 up && ip link set b0 mtu 1600 up && ip addr add 172.31.0.1/24 dev a0");
}

static int open_peer(void)
{
	struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_protocol = htons(0x0003)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(0x0003));

	addr.sll_ifindex = (int)if_nametoindex("b0");
	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (void *)&addr, sizeof(addr)), 0);
	return fd;
}

static void setup(void)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0, "needs root");
	run("ip link set lo up");
	make_veth();
	test_eal_init();
	rcu_init();
	uv_loop_init(&loop);
	for (unsigned i = 0; i < BATCH_MAX; i++)
		batch[i] = &packets[i];
	peer = open_peer();
}

static void on_destroyed(void *arg)
{
	*(bool *)arg = true;
}

static void teardown(void)
{
	bool gone = false;

	if (port) {
		port->ops->destroy(port, on_destroyed, &gone);
		uv_run(&loop, UV_RUN_DEFAULT);
		cr_assert(gone);
	}
	rcu_synchronize();
	cr_assert_eq(uv_loop_close(&loop), 0);
}

TestSuite(xdp, .init = setup, .fini = teardown, .timeout = 60);

static void open_port(const char *steer)
{
	json_t *o = json_pack("{s:s, s:s}", "dev", "a0", "steer", steer);
	struct error e = {""};
	struct ip_addr vtep;

	ip_parse("172.31.0.1", &vtep);
	cr_assert_eq(port_type_afxdp.create(&env, "up0", 7, o, &port, &e), 0, "%s", e.text);
	port->options = o;
	port->ops->set_vteps(port, &vtep, 1);
}

static uint32_t make_udp(uint8_t *frame, uint32_t dst, uint16_t dport, uint32_t payload)
{
	struct eth_header *eth = (void *)frame;
	struct ipv4_header *ip = (void *)(eth + 1);
	struct udp_header *udp = (void *)(ip + 1);

	memset(frame, 0x5a, 42 + payload);
	*eth = (struct eth_header){
	        .dst = {{2, 0, 0, 0, 0, 0xa}}, .src = {{2, 0, 0, 0, 0, 0xb}}, .type = htobe16(0x0800)};
	*ip = (struct ipv4_header){.version_ihl = 0x45, .ttl = 9, .proto = 17, .dst = htobe32(dst)};
	ip->src = htobe32(0xac1f0002);
	ip->total_len = htobe16((uint16_t)(28 + payload));
	ip->csum = csum_finish(csum_bytes(ip, 20));
	*udp = (struct udp_header){
	        .src = htobe16(50000), .dst = htobe16(dport), .len = htobe16((uint16_t)(8 + payload))};
	return 42 + payload;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

/* Polls all queues until a packet comes or there is nothing for `ms`. */
static unsigned receive(int ms)
{
	struct pollfd p[PORT_RXQ_MAX];

	for (unsigned i = 0; i < port->nrxq; i++)
		p[i] = (struct pollfd){.fd = port->ops->sleep_fd(&port->rxq[i]), .events = POLLIN};
	poll(p, port->nrxq, ms);
	for (unsigned i = 0; i < port->nrxq; i++) {
		unsigned n = port->ops->rx(&port->rxq[i], batch, BATCH_MAX);

		if (n)
			return n;
	}
	return 0;
}

static void release_all(void)
{
	for (unsigned i = 0; i < port->nrxq; i++)
		port->ops->release(&port->rxq[i]);
}

static bool xdp_attached(void)
{
	return system("ip -d link show a0 | grep -q 'prog/xdp'") == 0;
}

Test(xdp, takes_vxlan_for_its_vtep_and_leaves_the_rest)
{
	static uint8_t frame[2048], got[2048];
	struct sockaddr_in any = {.sin_family = AF_INET};
	int kernel = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t any_len = sizeof(any);
	uint32_t len;

	open_port("vxlan");
	cr_expect(port->is_uplink);
	cr_expect_eq(port->mtu, 1600);
	cr_expect_eq(port->nrxq, 2);
	cr_assert_eq(port->ifindex, (int)if_nametoindex("a0"));

	len = make_udp(frame, 0xac1f0001, 4789, 1000);
	cr_assert_eq(send(peer, frame, len, 0), (ssize_t)len);
	cr_assert_eq(receive(5000), 1);
	cr_expect_eq(packets[0].len, len);
	cr_expect_eq(packets[0].head_len, PACKET_HEAD_FIRST);
	cr_expect_eq(packets[0].in_port, 7);
	packet_copy_out(&packets[0], 0, len, got);
	cr_expect_arr_eq(got, frame, len);
	release_all();

	cr_assert_eq(bind(kernel, (void *)&any, sizeof(any)), 0);
	getsockname(kernel, (void *)&any, &any_len);
	len = make_udp(frame, 0xac1f0001, ntohs(any.sin_port), 10);
	send(peer, frame, len, 0);
	cr_expect(readable(kernel, 5000), "the kernel has what is not VXLAN");
	len = make_udp(frame, 0xac1f0009, 4789, 10);
	send(peer, frame, len, 0);
	frame[20] = 0x20; /* a fragment */
	send(peer, frame, len, 0);
	cr_expect_eq(receive(200), 0, "VXLAN for another address is not ours");
	port->ops->set_vteps(port, NULL, 0);
	len = make_udp(frame, 0xac1f0001, 4789, 10);
	send(peer, frame, len, 0);
	cr_expect_eq(receive(200), 0, "no longer a VTEP");
	close(kernel);
}

Test(xdp, gives_every_frame_back)
{
	static uint8_t frame[2048];
	uint32_t len, got = 0;
	json_t *info;

	open_port("all");
	cr_expect_not(port->is_uplink);
	len = make_udp(frame, 0xac1f0009, 53, 300);
	while (got < 3 * XDP_RX_FRAMES) {
		for (int i = 0; i < 32; i++)
			cr_assert_eq(send(peer, frame, len, 0), (ssize_t)len);
		for (unsigned n = 1, before = got; n || got == before; got += n) {
			n = receive(got == before ? 5000 : 0);
			release_all();
			cr_assert(n || got != before, "stopped after %u", got);
		}
	}
	cr_expect_eq(port->counters[0]->rx_packets, got);
	info = port->ops->info(port);
	cr_expect_str_eq(json_string_value(json_object_get(info, "xdp")), "native");
	cr_expect_eq(json_integer_value(json_object_get(info, "kernel_drops")), 0);
	json_decref(info);
}

static void make_packet(struct packet *p, uint32_t payload, const uint8_t *body)
{
	packet_reset(p);
	p->head_len = (uint16_t)make_udp(p->head, 0xac1f0002, 9, 0);
	((struct ipv4_header *)(p->head + 14))->total_len = htobe16((uint16_t)(28 + payload));
	((struct ipv4_header *)(p->head + 14))->csum = 0;
	((struct ipv4_header *)(p->head + 14))->csum = csum_finish(csum_bytes(p->head + 14, 20));
	((struct udp_header *)(p->head + 34))->len = htobe16((uint16_t)(8 + payload));
	p->len = p->head_len + payload;
	p->segs[0] = (struct packet_seg){body, payload};
	p->nsegs = payload ? 1 : 0;
	p->l3 = 14;
	p->l4 = 34;
}

static ssize_t peer_recv(uint8_t *frame, size_t size)
{
	struct sockaddr_ll from = {0};
	socklen_t len;
	ssize_t n;

	do {
		if (!readable(peer, 5000))
			return -1;
		len = sizeof(from);
		n = recvfrom(peer, frame, size, 0, (void *)&from, &len);
	} while (from.sll_pkttype == PACKET_OUTGOING);
	return n;
}

Test(xdp, sends_whole_packets_and_segments)
{
	static uint8_t body[60000], frame[4096];
	uint32_t sum = 0;

	open_port("all");
	memset(body, 7, sizeof(body));
	make_packet(&packets[0], 1500, body);
	make_packet(&packets[1], 1600, body); /* 1628 > 1600 */
	port->ops->tx(port, 0, batch, 2);
	cr_expect_eq(peer_recv(frame, sizeof(frame)), 1542);
	cr_expect_arr_eq(frame, packets[0].head, 42);
	cr_expect_eq(frame[1541], 7);
	cr_expect_eq(port->counters[0]->tx_packets, 1);
	cr_expect_eq(port->counters[0]->drops[DROP_TOO_BIG], 1);

	make_packet(&packets[0], 10000, body);
	packets[0].gso = GSO_UDP4;
	packets[0].gso_size = 1000;
	packets[0].flags = PACKET_NEEDS_CSUM;
	packets[0].csum_start = 34;
	packets[0].csum_offset = 6;
	port->ops->tx(port, 0, batch, 1);
	for (int i = 0; i < 10; i++)
		sum += (uint32_t)peer_recv(frame, sizeof(frame));
	cr_expect_eq(sum, 10 * 1042);
	cr_expect_eq(port->counters[0]->tx_packets, 11);
}

Test(xdp, sends_more_than_there_are_frames)
{
	static uint8_t frame[4096];
	uint64_t seen = 0;

	open_port("all");
	for (unsigned i = 0; i < BATCH_MAX; i++)
		make_packet(&packets[i], 0, NULL);
	for (unsigned round = 0; round < 2 * XDP_TX_FRAMES / BATCH_MAX; round++) {
		port->ops->tx(port, 0, batch, BATCH_MAX);
		while (seen < port->counters[0]->tx_packets) {
			cr_assert_eq(peer_recv(frame, sizeof(frame)), 42);
			seen++;
		}
	}
	cr_expect_eq(seen, 2 * XDP_TX_FRAMES);
}

Test(xdp, leaves_nothing_behind_when_killed)
{
	int ready[2];
	char c;
	pid_t child;

	cr_assert_eq(pipe(ready), 0);
	child = fork();
	if (!child) {
		open_port("vxlan");
		write(ready[1], "x", 1);
		pause();
	}
	cr_assert_eq(read(ready[0], &c, 1), 1);
	cr_expect(xdp_attached());
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 100 && xdp_attached(); i++)
		usleep(20000); /* the kernel detaches when it frees the last reference */
	cr_expect_not(xdp_attached());
	open_port("vxlan");
}

static void turn_until(bool (*reached)(void))
{
	for (int i = 0; i < 500 && !reached(); i++) {
		poll(NULL, 0, 10);
		uv_run(&loop, UV_RUN_NOWAIT);
		rcu_poll();
	}
	cr_assert(reached());
}

static bool mtu_is_1700(void)
{
	return port->mtu == 1700;
}

static bool is_down(void)
{
	return !port->carrier;
}

static bool is_up(void)
{
	return port->carrier;
}

Test(xdp, follows_the_netdev)
{
	static uint8_t frame[2048];
	uint32_t len;

	open_port("all");
	turn_until(is_up);
	run("ip link set a0 mtu 1700");
	turn_until(mtu_is_1700);
	run("ip link set b0 down");
	turn_until(is_down);
	make_packet(&packets[0], 0, NULL);
	port->ops->tx(port, 0, batch, 1);
	cr_expect_eq(port->counters[0]->drops[DROP_NO_CARRIER], 1);
	run("ip link set b0 up");
	turn_until(is_up);

	run("ip link del a0");
	turn_until(is_down);
	cr_expect_eq(receive(0), 0);
	close(peer);
	make_veth();
	turn_until(is_up);
	peer = open_peer();
	len = make_udp(frame, 0xac1f0009, 53, 300);
	cr_assert_eq(send(peer, frame, len, 0), (ssize_t)len);
	cr_expect_eq(receive(5000), 1);
	release_all();
}

Test(xdp, refuses_options_it_does_not_know)
{
	static const char *const bad[][2] = {
	        {"{\"dev\":\"nosuch\"}", "nosuch"},
	        {"{\"dev\":\"a0\",\"steer\":\"some\"}", "steer"},
	        {"{\"dev\":\"a0\",\"queue\":1}", "queue"},
	        {"{\"dev\":\"a-name-that-is-too-long\"}", "dev"},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *o = json_loads(bad[i][0], 0, NULL);
		struct error e = {""};

		cr_expect_neq(port_type_afxdp.create(&env, "up0", 7, o, &port, &e), 0);
		cr_expect(strstr(e.text, bad[i][1]), "%s", e.text);
		json_decref(o);
	}
	cr_expect_not(xdp_attached());
}
