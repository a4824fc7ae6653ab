/* SPDX-License-Identifier: Apache-2.0 */
/* Two datapaths joined by their uplinks: a frame that goes into a port of one comes out of a port of the
 * other, having been VXLAN in between. The underlay is a veth of a network namespace of this process; no
 * packet goes through it. */
#include <criterion/criterion.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>

#include "base/wire.h"
#include "overlay/vxlan/underlay.h"
#include "overlay/vxlan/vxlan.h"
#include "tests/lib/eal.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"

enum { GUEST = 1, TUNNEL = 10, UPLINK = 20 };

static uv_loop_t loop;
static struct underlay *underlay;
static struct test_switch a, b;
static struct frame in;

/* Both ends live in one namespace: .1 is local for a, .2 for b; the neighbours are given by hand. */
static void setup(void)
{
	char options[128];
	struct error e = {""};

	cr_assert_eq(unshare(CLONE_NEWNET), 0, "needs root");
	cr_assert_eq(
	        system("ip link set lo up; ip link add a0 address 02:00:00:00:00:0a type veth peer name b0;"
	               "ip link set a0 mtu 1600 up; ip link set b0 mtu 1600 up;"
	               "sysctl -qw net.ipv6.conf.a0.accept_dad=0;"
	               "ip addr add 172.31.0.1/24 dev a0; ip addr add 172.31.0.2/24 dev b0;"
	               "ip -6 addr add fd00::1/64 dev a0 nodad;"
	               "ip neigh add 172.31.0.9 lladdr 02:00:00:00:00:0b dev a0;"
	               "ip neigh add fd00::9 lladdr 02:00:00:00:00:0b dev a0"),
	        0);
	test_eal_init();
	uv_loop_init(&loop);
	rcu_init();
	cr_assert_eq(underlay_create(&loop, &underlay, &e), 0, "%s", e.text);
	test_switch_init(&a, &loop, underlay);
	test_switch_init(&b, &loop, underlay);
	snprintf(options, sizeof(options), "{\"uplink\": 1, \"ifindex\": %u}", if_nametoindex("a0"));
	test_switch_add(&a, "up", "memory", UPLINK, options);
	test_switch_add(&b, "up", "memory", UPLINK, options);
	test_switch_port(&a, GUEST, "{}");
	test_switch_port(&b, GUEST, "{}");
}

static void teardown(void)
{
	test_switch_free(&a);
	test_switch_free(&b);
	underlay_destroy(underlay, NULL, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
}

TestSuite(tunnel, .init = setup, .fini = teardown, .timeout = 60);

/* Until the underlay has a way to what was asked for. */
static void resolve(void)
{
	for (unsigned i = 0; i < 50; i++) {
		underlay_poll(underlay);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	rcu_synchronize();
}

/* What left a's uplink comes in at b's. Returns how many there were. */
static unsigned carry(void)
{
	struct memory_frame *f;
	unsigned n = 0;

	for (; (f = test_switch_take(&a, UPLINK)); n++)
		cr_assert_eq(memory_inject(datapath_port_by_number(b.dp, UPLINK), 0, f), 0);
	test_switch_run(&b);
	return n;
}

static void expect(struct test_switch *s, uint32_t port, const struct frame *want)
{
	struct memory_frame *f = test_switch_take(s, port);

	cr_assert_not_null(f);
	cr_assert_eq(f->len, want->len);
	cr_assert_eq(memcmp(f->data, want->data, want->len), 0);
	free(f);
}

static void join_hosts(const char *local, const char *remote)
{
	char options[200];

	snprintf(options, sizeof(options), "{\"local\": \"%s\", \"remote\": \"%s\", \"vni\": \"flow\"}",
	         local, remote);
	test_switch_add(&a, "vx", "vxlan", TUNNEL, options);
	snprintf(options, sizeof(options),
	         "{\"local\": \"%s\", \"remote\": \"flow\", \"vni\": \"flow\", "
	         "\"allow\": \"%s\"}",
	         remote, local);
	test_switch_add(&b, "vx", "vxlan", TUNNEL, options);
	test_switch_flow(&a, "in_port=1,actions=set_field:77->tun_id,output:10");
	test_switch_flow(&b, "in_port=10,tun_id=77,actions=output:1");
	resolve();
}

Test(tunnel, there_over_ipv4)
{
	struct ip_addr vteps[4];
	struct port *uplink = datapath_port_by_number(b.dp, UPLINK);

	join_hosts("172.31.0.1", "172.31.0.9");
	cr_assert_eq(memory_vteps(uplink, vteps, 4), 1);
	cr_assert_eq(vteps[0].b[15], 9);
	frame_make(&in, &(struct frame_spec){.payload = 1300, .dport = 5});
	test_switch_send(&a, GUEST, in.data, in.len);
	cr_assert_eq(carry(), 1);
	expect(&b, GUEST, &in);
	/* Another network is not ours to see. */
	test_switch_flow(&a, "in_port=1,actions=set_field:78->tun_id,output:10");
	test_switch_send(&a, GUEST, in.data, in.len);
	cr_assert_eq(carry(), 1);
	cr_assert_eq(test_switch_count(&b, GUEST), 0);
	cr_assert_eq(test_switch_drops(&b, DROP_TABLE_MISS), 1);
}

Test(tunnel, there_over_ipv6)
{
	join_hosts("fd00::1", "fd00::9");
	frame_make(&in, &(struct frame_spec){.src = "fd77::1", .dst = "fd77::2", .payload = 700});
	test_switch_send(&a, GUEST, in.data, in.len);
	cr_assert_eq(carry(), 1);
	expect(&b, GUEST, &in);
}

Test(tunnel, gso_is_cut_on_the_way)
{
	struct memory_frame *f;
	uint32_t total = 0;

	join_hosts("172.31.0.1", "172.31.0.9");
	frame_make(&in, &(struct frame_spec){.proto = IP_PROTO_TCP, .payload = 30000, .partial = true});
	f = memory_frame_alloc(in.len);
	memcpy(f->data, in.data, in.len);
	f->flags = PACKET_NEEDS_CSUM;
	f->csum_start = (uint16_t)in.l4;
	f->csum_offset = 16;
	f->gso = GSO_TCP4;
	f->gso_size = 1400;
	memory_inject(datapath_port_by_number(a.dp, GUEST), 0, f);
	test_switch_run(&a);
	cr_assert_eq(carry(), 22);
	while ((f = test_switch_take(&b, GUEST))) {
		cr_assert(frame_checksums_right(f->data, f->len));
		cr_assert_eq(memcmp(f->data + 54, in.data + 54 + total, f->len - 54), 0);
		total += f->len - 54;
		free(f);
	}
	cr_assert_eq(total, 30000);
}

Test(tunnel, too_big_for_the_underlay_is_answered)
{
	struct memory_frame *f;

	join_hosts("172.31.0.1", "172.31.0.9");
	frame_make(&in, &(struct frame_spec){.payload = 1600, .frag = 0x4000});
	test_switch_send(&a, GUEST, in.data, in.len);
	cr_assert_eq(test_switch_count(&a, UPLINK), 0);
	cr_assert_eq(test_switch_drops(&a, DROP_TUNNEL_TOO_BIG), 1);
	f = test_switch_take(&a, GUEST);
	cr_assert_not_null(f);
	cr_assert(frame_checksums_right(f->data, f->len));
	cr_assert_eq(f->data[34], 3);
	cr_assert_eq(f->data[40] << 8 | f->data[41], 1600 - 50);
	free(f);
}

Test(tunnel, a_sender_that_is_not_allowed_is_counted)
{
	join_hosts("172.31.0.1", "172.31.0.9");
	datapath_port_remove(b.dp, datapath_port_by_number(b.dp, TUNNEL), NULL, NULL);
	test_switch_run(&b);
	test_switch_add(&b, "vx", "vxlan", TUNNEL,
	                "{\"local\": \"172.31.0.9\", \"remote\": \"flow\", \"vni\": \"flow\", "
	                "\"allow\": \"172.31.0.3\"}");
	frame_make(&in, &(struct frame_spec){.payload = 100});
	test_switch_send(&a, GUEST, in.data, in.len);
	cr_assert_eq(carry(), 1);
	cr_assert_eq(test_switch_count(&b, GUEST), 0);
	cr_assert_eq(test_switch_drops(&b, DROP_TUNNEL_SOURCE), 1);
	/* And what is for nobody here. */
	datapath_port_remove(b.dp, datapath_port_by_number(b.dp, TUNNEL), NULL, NULL);
	test_switch_send(&a, GUEST, in.data, in.len);
	cr_assert_eq(carry(), 1);
	cr_assert_eq(test_switch_drops(&b, DROP_TUNNEL_NOT_OURS), 1);
}

Test(tunnel, flood_reaches_the_tunnel_but_never_the_uplink)
{
	join_hosts("172.31.0.1", "172.31.0.9");
	test_switch_flow(&a, "priority=40000,in_port=1,actions=set_field:77->tun_id,FLOOD");
	frame_make(&in, &(struct frame_spec){.payload = 100, .dst_mac = "ff:ff:ff:ff:ff:ff"});
	test_switch_send(&a, GUEST, in.data, in.len);
	cr_assert_eq(carry(), 1);
	expect(&b, GUEST, &in);
}
