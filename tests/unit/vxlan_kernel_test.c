/* SPDX-License-Identifier: Apache-2.0 */
/* AF_XDP port, underlay, encap and decap together against the kernel's VXLAN device. A tiny host (ARP, ND,
 * ping) behind VNI 42 stands in for the datapath:
 *
 *	10.9.0.1 (this test) -- encap/decap -- AF_XDP a0 ==== b0 -- kernel vxlan42 10.9.0.2
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/checksum.h"
#include "base/dp/rcu.h"
#include "base/wire.h"
#include "overlay/vxlan/underlay.h"
#include "overlay/vxlan/vxlan.h"
#include "ports/xdp/xdp.h"
#include "tests/lib/eal.h"
#include "tests/lib/netns.h"

static uv_loop_t loop;
static struct port_env env = {.loop = &loop, .nworkers = 1};
static struct underlay *underlay;
static struct vxlan_vtep *vtep;
static struct port *port;
static pid_t peer;
static atomic_bool stop;
static unsigned refused[DROP_REASON_COUNT], answered;

static const struct mac our_mac = {{2, 0, 0, 0, 0, 0x42}};

static void setup(void)
{
	struct error e = {""};

	peer = netns_two_hosts();
	cr_assert_gt(peer, 0, "needs root");
	test_eal_init();
	rcu_init();
	uv_loop_init(&loop);
	cr_assert_eq(underlay_create(&loop, &underlay, &e), 0, "%s", e.text);
}

static void on_destroyed(void *arg)
{
	++*(int *)arg;
}

static void teardown(void)
{
	int gone = 0;

	vxlan_vtep_destroy(vtep);
	port->ops->destroy(port, on_destroyed, &gone);
	underlay_destroy(underlay, on_destroyed, &gone);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(gone, 2);
	rcu_synchronize();
	netns_end(peer);
}

TestSuite(vxlan_kernel, .init = setup, .fini = teardown, .timeout = 60);

static void until_resolved(void)
{
	const struct ip_addr *remote = &vtep->config.remote;
	const struct ip_addr *local = ip_is_v4(remote) ? &vtep->config.local4 : &vtep->config.local6;

	for (int i = 0; i < 2000 && underlay_lookup(underlay, 0, local, remote)->drop >= 0; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		poll(NULL, 0, 5);
	}
}

static void open_all(const char *local, const char *remote)
{
	json_t *dev = json_pack("{s:s}", "dev", "a0"), *vxlan;
	struct error e = {""};
	struct ip_addr ip;

	vxlan = json_pack("{s:s, s:s, s:i}", "local", local, "remote", remote, "vni", 42);
	ip_parse(local, &ip);
	cr_assert_eq(port_type_afxdp.create(&env, "up0", 1, dev, &port, &e), 0, "%s", e.text);
	port->options = dev;
	port->ops->set_vteps(port, &ip, 1);
	cr_assert_eq(vxlan_vtep_create(underlay, vxlan, &vtep, &e), 0, "%s", e.text);
	json_decref(vxlan);
	until_resolved();
}

static bool answer_arp(struct packet *p)
{
	struct eth_header *eth = (void *)p->head;
	struct arp_header *arp = (void *)(eth + 1);
	be32 asked;

	if (eth->type != htobe16(ETH_TYPE_ARP) || !packet_pull(p, 42) || arp->op != htobe16(1))
		return false;
	asked = arp->tpa;
	eth->dst = eth->src;
	eth->src = our_mac;
	arp->op = htobe16(2);
	arp->tha = arp->sha;
	arp->tpa = arp->spa;
	arp->sha = our_mac;
	arp->spa = asked;
	return true;
}

static bool answer_ping(struct packet *p)
{
	struct eth_header *eth = (void *)p->head;
	struct ipv4_header *ip = (void *)(eth + 1);
	struct icmp_header *icmp = (void *)(ip + 1);
	be32 src;

	if (eth->type != htobe16(ETH_TYPE_IPV4) || !packet_pull(p, 42) || ip->proto != IP_PROTO_ICMP ||
	    icmp->type != 8)
		return false;
	src = ip->src;
	ip->src = ip->dst;
	ip->dst = src;
	eth->dst = eth->src;
	eth->src = our_mac;
	icmp->csum = csum_update(icmp->csum, (uint8_t[]){8, 0}, (uint8_t[]){0, 0}, 2);
	icmp->type = 0;
	p->l3 = 14;
	p->l4 = 34;
	return true;
}

static void handle(struct packet *p)
{
	struct vxlan_memory memory = {0};
	struct vxlan_out out;
	unsigned which;
	int drop = vxlan_decap(&vtep, 1, &memory, p, &which);

	if (drop == VXLAN_OK && (answer_arp(p) || answer_ping(p))) {
		drop = vxlan_encap(vtep, 0, &memory, p, &out);
		if (drop == VXLAN_OK) {
			answered++;
			port->ops->tx(port, 0, &p, 1);
		}
	}
	if (drop != VXLAN_OK)
		refused[drop]++;
}

/* The test's worker: the kernel's ping runs in the main thread meanwhile. */
static void *work(void *arg)
{
	static struct packet packets[BATCH_MAX];
	struct packet *batch[BATCH_MAX];

	for (unsigned i = 0; i < BATCH_MAX; i++)
		batch[i] = &packets[i];
	while (!atomic_load(&stop)) {
		unsigned n = port->ops->rx(&port->rxq[0], batch, BATCH_MAX);

		for (unsigned i = 0; i < n; i++)
			handle(batch[i]);
		port->ops->release(&port->rxq[0]);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	return NULL;
}

static int with_worker(const char *command)
{
	pthread_t thread;
	int ret;

	atomic_store(&stop, false);
	cr_assert_eq(pthread_create(&thread, NULL, work, NULL), 0);
	ret = netns_there(peer, "%s", command);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	return ret;
}

static void start_kernel_vxlan(const char *local, const char *remote, const char *more)
{
	cr_assert_eq(
	        netns_there(
	                peer,
	                "ip link add vxlan42 type vxlan id 42 dstport 4789 local %s remote %s dev b0 %s &&"
	                " sysctl -qw net.ipv6.conf.vxlan42.disable_ipv6=1 &&"
	                " ethtool -K vxlan42 tx off >/dev/null && ip addr add 10.9.0.2/24 dev vxlan42 &&"
	                " ip link set vxlan42 mtu 1500 up",
	                local, remote, more),
	        0);
}

static void ping(void)
{
	cr_expect_eq(with_worker("ping -q -i 0.05 -c 5 -W 2 10.9.0.1 >/dev/null"), 0);
	cr_expect_eq(with_worker("ping -q -i 0.05 -c 5 -W 2 -M do -s 1472 10.9.0.1 >/dev/null"), 0);
	cr_expect_geq(answered, 11);
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		cr_expect_eq(refused[i], 0, "%s: %u", drop_reason_name(i), refused[i]);
}

Test(vxlan_kernel, pings_over_ipv4)
{
	start_kernel_vxlan("172.31.0.2", "172.31.0.1", "");
	open_all("172.31.0.1", "172.31.0.2");
	ping();
}

Test(vxlan_kernel, pings_over_ipv4_with_checksums)
{
	start_kernel_vxlan("172.31.0.2", "172.31.0.1", "udpcsum");
	open_all("172.31.0.1", "172.31.0.2");
	ping();
}

Test(vxlan_kernel, pings_over_ipv6)
{
	start_kernel_vxlan("fd00::2", "fd00::1", "");
	open_all("fd00::1", "fd00::2");
	ping();
}

Test(vxlan_kernel, refuses_a_source_that_is_not_allowed)
{
	start_kernel_vxlan("172.31.0.2", "172.31.0.1", "");
	cr_assert_eq(netns_here("ip neigh add 172.31.0.3 lladdr 02:00:00:00:00:0b dev a0"), 0);
	open_all("172.31.0.1", "172.31.0.3");
	cr_expect_neq(with_worker("ping -q -i 0.05 -c 2 -W 1 10.9.0.1 >/dev/null"), 0);
	cr_expect_gt(refused[DROP_TUNNEL_SOURCE], 0);
	cr_expect_eq(answered, 0);
}

/* ---- GSO towards the kernel: it counts what it takes and every checksum it does not like ---- */

enum { GSO_PAYLOAD = 4500, GSO_SEGMENT = 1000, GSO_FRAMES = 5 };

static long there_count(const char *counter)
{
	char command[200];
	long n = -1;
	FILE *f;

	snprintf(command, sizeof(command), "nsenter -t %d -n nstat -asz %s | awk \"/%s/{print \\$2}\"", peer,
	         counter, counter);
	f = popen(command, "r");
	cr_assert_not_null(f);
	cr_assert_eq(fscanf(f, "%ld", &n), 1, "%s", counter);
	pclose(f);
	return n;
}

static uint32_t put_ip(uint8_t *at, bool v6, uint8_t proto, uint16_t l4_len, uint64_t *pseudo)
{
	struct ip_addr src, dst;

	ip_parse(v6 ? "fd09::1" : "10.9.0.1", &src);
	ip_parse(v6 ? "fd09::2" : "10.9.0.2", &dst);
	if (v6) {
		struct ipv6_header ip = {
		        .version_tc_flow = htobe32(6u << 28), .next_header = proto, .hop_limit = 64};

		ip.payload_len = htobe16(l4_len);
		memcpy(ip.src, src.b, 16);
		memcpy(ip.dst, dst.b, 16);
		memcpy(at, &ip, sizeof(ip));
		*pseudo = csum_pseudo6(src.b, dst.b, proto, l4_len);
		return sizeof(ip);
	}
	struct ipv4_header ip = {.version_ihl = 0x45, .ttl = 64, .proto = proto, .frag = htobe16(0x4000)};

	ip.total_len = htobe16((uint16_t)(sizeof(ip) + l4_len));
	ip.src = ip_to_v4(&src);
	ip.dst = ip_to_v4(&dst);
	ip.csum = csum_finish(csum_bytes(&ip, sizeof(ip)));
	memcpy(at, &ip, sizeof(ip));
	*pseudo = csum_pseudo4(ip.src, ip.dst, proto, l4_len);
	return sizeof(ip);
}

static void make_gso(struct packet *p, bool v6, bool tcp)
{
	static uint8_t payload[GSO_PAYLOAD];
	struct eth_header eth = {.dst = {{2, 0, 0, 0, 0, 0x52}}, .src = our_mac};
	uint16_t header = tcp ? sizeof(struct tcp_header) : sizeof(struct udp_header);
	uint64_t pseudo;

	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	packet_reset(p);
	eth.type = htobe16(v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
	memcpy(p->head, &eth, sizeof(eth));
	p->l3 = sizeof(eth);
	p->l4 = (uint16_t)(p->l3 + put_ip(p->head + p->l3, v6, tcp ? IP_PROTO_TCP : IP_PROTO_UDP,
	                                  (uint16_t)(header + GSO_PAYLOAD), &pseudo));
	if (tcp) {
		struct tcp_header h = {
		        .src = htobe16(1000), .dst = htobe16(9), .offset_flags = htobe16(0x5010)};

		h.csum = csum_fold(pseudo);
		memcpy(p->head + p->l4, &h, sizeof(h));
	} else {
		struct udp_header h = {
		        .src = htobe16(1000), .dst = htobe16(9), .len = htobe16(header + GSO_PAYLOAD)};

		h.csum = csum_fold(pseudo);
		memcpy(p->head + p->l4, &h, sizeof(h));
	}
	p->head_len = (uint16_t)(p->l4 + header);
	p->segs[0] = (struct packet_seg){payload, GSO_PAYLOAD};
	p->nsegs = 1;
	p->len = p->head_len + GSO_PAYLOAD;
	p->flags = PACKET_NEEDS_CSUM;
	p->csum_start = p->l4;
	p->csum_offset = tcp ? 16 : 6;
	p->gso = tcp ? (v6 ? GSO_TCP6 : GSO_TCP4) : (v6 ? GSO_UDP6 : GSO_UDP4);
	p->gso_size = GSO_SEGMENT;
}

static void send_gso(bool v6, bool tcp)
{
	const char *counter = tcp ? "TcpInSegs" : v6 ? "Udp6NoPorts" : "UdpNoPorts";
	long before = there_count(counter), now = before;
	struct packet p, *batch = &p;
	struct vxlan_out out;

	make_gso(&p, v6, tcp);
	cr_assert_eq(vxlan_encap(vtep, 0, &(struct vxlan_memory){0}, &p, &out), VXLAN_OK);
	cr_expect_eq(out.ifindex, port->ifindex);
	port->ops->tx(port, 0, &batch, 1);
	for (int i = 0; i < 100 && now - before < GSO_FRAMES; i++) {
		poll(NULL, 0, 20);
		now = there_count(counter);
	}
	cr_expect_eq(now - before, GSO_FRAMES, "%s %s: %ld", v6 ? "IPv6" : "IPv4", counter, now - before);
}

static void send_every_gso(const char *local, const char *remote)
{
	static const char *const errors[] = {"UdpInCsumErrors", "Udp6InCsumErrors", "TcpInCsumErrors",
	                                     "IpInHdrErrors"};

	start_kernel_vxlan(remote, local, "");
	cr_assert_eq(netns_there(peer, "ip link set vxlan42 address 02:00:00:00:00:52 && sysctl -qw "
	                               "net.ipv6.conf.vxlan42.disable_ipv6=0 &&"
	                               " ip -6 addr add fd09::2/64 dev vxlan42 nodad"),
	             0);
	open_all(local, remote);
	for (int kind = 0; kind < 4; kind++)
		send_gso(kind & 1, kind & 2);
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		cr_expect_eq(there_count(errors[i]), 0, "%s", errors[i]);
	cr_expect_eq(port->counters[0]->tx_packets, 4 * GSO_FRAMES);
}

Test(vxlan_kernel, takes_our_segments_over_ipv4)
{
	send_every_gso("172.31.0.1", "172.31.0.2");
}

Test(vxlan_kernel, takes_our_segments_over_ipv6)
{
	send_every_gso("fd00::1", "fd00::2");
}
