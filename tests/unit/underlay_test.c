/* SPDX-License-Identifier: Apache-2.0 */
/* The underlay follows the kernel: routes, neighbours, links, lost events, bounds. Two namespaces joined by
 * veth. */
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/dp/rcu.h"
#include "overlay/vxlan/underlay.h"
#include "tests/lib/eal.h"
#include "tests/lib/netns.h"

static uv_loop_t loop;
static struct underlay *underlay;
static pid_t peer;
static struct ip_addr local, remote;

static struct ip_addr addr(const char *text)
{
	struct ip_addr ip;

	cr_assert_eq(ip_parse(text, &ip), 0);
	return ip;
}

static void setup(void)
{
	struct error e = {""};

	peer = netns_two_hosts();
	cr_assert_gt(peer, 0, "needs root");
	test_eal_init();
	rcu_init();
	uv_loop_init(&loop);
	cr_assert_eq(underlay_create(&loop, &underlay, &e), 0, "%s", e.text);
	local = addr("172.31.0.1");
	remote = addr("172.31.0.2");
}

static void on_destroyed(void *arg)
{
	*(bool *)arg = true;
}

static void teardown(void)
{
	bool gone = false;

	clock_release();
	underlay_destroy(underlay, on_destroyed, &gone);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert(gone);
	cr_assert_eq(uv_loop_close(&loop), 0);
	rcu_synchronize();
	netns_end(peer);
}

TestSuite(underlay, .init = setup, .fini = teardown, .timeout = 60);

static const struct underlay_path *look(const char *to)
{
	struct ip_addr r = addr(to), l = ip_is_v4(&r) ? local : addr("fd00::1");

	return underlay_lookup(underlay, 0, &l, &r);
}

static void turn(void)
{
	uv_run(&loop, UV_RUN_NOWAIT);
	rcu_poll();
	poll(NULL, 0, 5);
}

/* Turns the loop until the path to `to` has this drop reason (-1: usable), for at most 10 s. */
static const struct underlay_path *until(const char *to, int drop)
{
	const struct underlay_path *p = look(to);

	for (int i = 0; i < 2000 && p->drop != drop; i++) {
		turn();
		p = look(to);
	}
	cr_assert_eq(p->drop, drop, "%s: %d", to, p->drop);
	return p;
}

static void until_mac(const char *to, uint8_t last)
{
	for (int i = 0; i < 2000 && (look(to)->drop >= 0 || look(to)->header[5] != last); i++)
		turn();
	cr_assert_eq(look(to)->header[5], last);
}

Test(underlay, resolves_at_the_first_packet)
{
	const struct underlay_path *p = look("172.31.0.2");
	static const uint8_t eth[14] = {2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 8, 0};

	cr_expect_eq(p->drop, DROP_TUNNEL_NO_NEIGH);
	p = until("172.31.0.2", -1);
	cr_expect_eq(p->ifindex, (int)if_nametoindex("a0"));
	cr_expect_eq(p->mtu, 1600);
	cr_expect_eq(p->len, 50);
	cr_expect_arr_eq(p->header, eth, 14);
	p = until("fd00::2", -1);
	cr_expect_eq(p->len, 70);
	cr_expect_eq(p->l4, 54);
	cr_expect(underlay_is_local(underlay, &local));
	cr_expect_not(underlay_is_local(underlay, &remote));
}

Test(underlay, tells_what_it_knows)
{
	const char *state, *dev, *next_hop, *mac;
	struct ip_addr local6;
	json_t *info;
	int mtu, inner;

	until("172.31.0.2", -1);
	until("fd00::2", -1);
	info = underlay_info(underlay, &local, 10);
	cr_assert_eq(json_array_size(info), 1); /* the other one is another address's */
	cr_assert_eq(json_unpack(json_array_get(info, 0), "{s:s, s:s, s:s, s:s, s:i, s:i}", "state", &state,
	                         "dev", &dev, "next_hop", &next_hop, "mac", &mac, "mtu", &mtu, "inner_mtu",
	                         &inner),
	             0);
	cr_expect_str_eq(state, "resolved");
	cr_expect_str_eq(dev, "a0");
	cr_expect_str_eq(next_hop, "172.31.0.2");
	cr_expect_str_eq(mac, "02:00:00:00:00:0b");
	cr_expect_eq(mtu, 1600);
	cr_expect_eq(inner, 1550);
	json_decref(info);
	local6 = addr("fd00::1");
	info = underlay_info(underlay, &local6, 10);
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(info, 0), "inner_mtu")), 1530);
	json_decref(info);
	cr_expect_eq(underlay_known(underlay, &local6), 1);
}

Test(underlay, has_no_way_to_odd_places)
{
	until("203.0.113.1", DROP_TUNNEL_NO_ROUTE);
	until("172.31.0.1", DROP_TUNNEL_NO_ROUTE);
	until("127.0.0.1", DROP_TUNNEL_NO_ROUTE);
	until("224.0.0.1", DROP_TUNNEL_NO_ROUTE);
	until("172.31.0.255", DROP_TUNNEL_NO_ROUTE);
	until("ff02::1", DROP_TUNNEL_NO_ROUTE);
	local = addr("172.31.0.77"); /* not an address of ours */
	until("172.31.0.2", DROP_TUNNEL_NO_ROUTE);
}

Test(underlay, says_when_nobody_answers)
{
	look("172.31.0.50");
	for (int i = 0; i < 100; i++)
		turn();
	cr_expect_eq(look("172.31.0.50")->drop, DROP_TUNNEL_NO_NEIGH);
	cr_assert_eq(netns_there(peer, "ip addr add 172.31.0.50/24 dev b0"), 0);
	until("172.31.0.50", -1);
}

Test(underlay, follows_changes)
{
	cr_assert_eq(underlay_hold(underlay, &local, &remote), 0);
	until("172.31.0.2", -1);
	cr_assert_eq(netns_here("ip neigh replace 172.31.0.2 lladdr 02:00:00:00:00:77 dev a0"), 0);
	until_mac("172.31.0.2", 0x77);
	cr_assert_eq(netns_here("ip neigh del 172.31.0.2 dev a0"), 0);
	until_mac("172.31.0.2", 0x0b); /* gone, and asked for again */

	cr_assert_eq(netns_here("ip link set a0 mtu 1500"), 0);
	for (int i = 0; i < 2000 && look("172.31.0.2")->mtu != 1500; i++)
		turn();
	cr_expect_eq(look("172.31.0.2")->mtu, 1500);
	cr_assert_eq(netns_here("ip route add 172.31.0.2/32 dev a0 mtu 1400"), 0);
	for (int i = 0; i < 2000 && look("172.31.0.2")->mtu != 1400; i++)
		turn();
	cr_expect_eq(look("172.31.0.2")->mtu, 1400);

	cr_assert_eq(netns_here("ip link set a0 down"), 0);
	until("172.31.0.2", DROP_TUNNEL_NO_ROUTE);
	cr_assert_eq(netns_here("ip link set a0 up"), 0);
	until("172.31.0.2", -1);
	underlay_release(underlay, &local, &remote);
}

Test(underlay, goes_through_a_gateway)
{
	const struct underlay_path *p;

	until("10.7.7.7", DROP_TUNNEL_NO_ROUTE);
	cr_assert_eq(netns_here("ip route add 10.0.0.0/8 via 172.31.0.2"), 0);
	p = until("10.7.7.7", -1);
	cr_expect_eq(p->header[5], 0x0b);
	cr_expect_eq(p->header[14 + 16], 10);
	cr_assert_eq(netns_here("ip route del 10.0.0.0/8 && ip route add blackhole 10.0.0.0/8"), 0);
	until("10.7.7.7", DROP_TUNNEL_NO_ROUTE);
}

Test(underlay, survives_lost_events)
{
	until("172.31.0.2", -1);
	cr_assert_eq(netns_here("for i in $(seq 0 255); do for j in $(seq 1 100); do"
	                        " echo route add 10.0.$i.$j/32 dev a0; done; done | ip -batch -"),
	             0);
	cr_assert_eq(netns_here("ip link set a0 mtu 1450"), 0);
	for (int i = 0; i < 2000 && look("172.31.0.2")->mtu != 1450; i++)
		turn();
	cr_expect_eq(look("172.31.0.2")->mtu, 1450);
}

Test(underlay, knows_no_more_than_its_bound)
{
	struct ip_addr one = addr("11.0.0.0");
	unsigned n = 0;

	cr_assert_eq(netns_here("ip route add 11.0.0.0/8 via 172.31.0.2"), 0);
	turn();
	for (; n < UNDERLAY_REMOTES_MAX; n++) {
		one.b[14] = (uint8_t)(n >> 8);
		one.b[15] = (uint8_t)n;
		cr_assert_eq(underlay_hold(underlay, &local, &one), 0);
	}
	one.b[13] = 9;
	cr_expect_eq(underlay_hold(underlay, &local, &one), -ENOSPC);
	until("11.0.0.9", -1);
	until("11.0.63.255", -1);
	cr_expect_eq(underlay_known(underlay, &local), UNDERLAY_REMOTES_MAX);
}

Test(underlay, forgets_what_nobody_uses)
{
	struct ip_addr held = addr("172.31.0.3");

	until("172.31.0.2", -1);
	cr_assert_eq(underlay_hold(underlay, &local, &held), 0);
	cr_expect_eq(underlay_known(underlay, &local), 2);
	for (int i = 0; i < 250; i++) /* more than one round of ageing: the use is noticed */
		turn();
	clock_set(clock_now() + 301 * CLOCK_SECOND);
	for (int i = 0; i < 600 && underlay_known(underlay, &local) == 2; i++)
		turn();
	cr_expect_eq(underlay_known(underlay, &local), 1);
	cr_expect_eq(look("172.31.0.2")->drop, DROP_TUNNEL_NO_NEIGH);
}
