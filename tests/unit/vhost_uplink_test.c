/* SPDX-License-Identifier: Apache-2.0 */
/* A vhost-user port as uplink. The test plays the fabric behind it, byte by byte; the kernel's side is a tap
 * in a network namespace of this process, so addresses and ARP are the kernel's own. */
#include <criterion/criterion.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wire.h"
#include "overlay/vxlan/underlay.h"
#include "tests/lib/eal.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"
#include "tests/lib/vhost_frontend.h"
#include "tests/pktgen/packet_text.h"

enum { GUEST = 1, TUNNEL = 10, UPLINK = 20, OUTER = 50 };

#define FABRIC_MAC "02:00:00:00:00:0f"

static uv_loop_t loop;
static struct underlay *underlay;
static struct test_switch s;
static struct port *uplink;
static struct frontend *fabric;
static char path[64], tap_mac[MAC_TEXT_MAX];
static uint8_t sent[PACKET_TEXT_MAX], got[FRONTEND_PACKET_MAX];

static void pump(void *arg)
{
	underlay_poll(underlay);
	uv_run(&loop, UV_RUN_NOWAIT);
	rcu_poll();
	test_switch_run(&s);
}

static uint32_t make(const char *format, ...) __attribute__((format(printf, 1, 2)));
static uint32_t make(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return packet_text_make(text, sent);
}

static void send_fabric(uint32_t len, const struct vnet_header *header)
{
	struct frontend_layout layout = {.header = header};

	cr_assert(frontend_send(fabric, 0, sent, len, &layout));
	pump(NULL);
	frontend_reclaim(fabric, 0);
}

static bool is_arp(uint16_t op)
{
	const struct arp_header *arp = (const void *)(got + sizeof(struct eth_header));

	return ((const struct eth_header *)got)->type == htobe16(ETH_TYPE_ARP) && arp->op == htobe16(op);
}

/* What a host of the fabric does on its own. */
static void answer_arp(void)
{
	const struct arp_header *arp = (const void *)(got + sizeof(struct eth_header));

	if (is_arp(1) && arp->tpa == htobe32(0xac1f0002))
		send_fabric(make("eth(dst=%s,src=" FABRIC_MAC ")/arp(op=2,sha=" FABRIC_MAC
		                 ",spa=172.31.0.2,tha=%s,"
		                 "tpa=172.31.0.1)",
		                 tap_mac, tap_mac),
		            NULL);
}

/* The next frame at the fabric that `wanted` takes; its length. What the kernel says meanwhile is passed
 * over. */
static uint32_t until(bool (*wanted)(void), void (*prod)(void))
{
	uint64_t end = clock_now() + 20 * CLOCK_SECOND;
	uint32_t len;

	while (clock_now() < end) {
		if (prod)
			prod();
		pump(NULL);
		while ((len = frontend_receive(fabric, 0, got, sizeof(got), NULL))) {
			if (wanted())
				return len;
			answer_arp();
		}
	}
	cr_assert_fail("nothing came");
	return 0;
}

static bool is_arp_reply(void)
{
	return is_arp(2);
}

static bool is_echo_reply(void)
{
	return got[23] == IP_PROTO_ICMP && got[34] == 0;
}

static bool is_vxlan(void)
{
	return got[23] == IP_PROTO_UDP && (got[36] << 8 | got[37]) == VXLAN_PORT;
}

static void setup(void)
{
	char options[256];
	struct error e = {""};

	cr_assert_eq(unshare(CLONE_NEWNET), 0, "needs root");
	test_eal_init();
	uv_loop_init(&loop);
	rcu_init();
	cr_assert_eq(underlay_create(&loop, &underlay, &e), 0, "%s", e.text);
	test_switch_init(&s, &loop, underlay);
	snprintf(path, sizeof(path), "/tmp/weft-test-%d.sock", getpid());
	snprintf(options, sizeof(options),
	         "{\"socket\": \"%s\", \"role\": \"server\", \"mtu\": 1600, \"exception\": \"up0k\"}", path);
	uplink = test_switch_add(&s, "up0", "vhost-user", UPLINK, options);
	test_switch_port(&s, GUEST, "{}");
	test_switch_add(&s, "vx", "vxlan", TUNNEL,
	                "{\"local\": \"172.31.0.1\", \"remote\": \"flow\", \"vni\": \"42\", \"allow\": "
	                "\"172.31.0.2\"}");
	test_switch_flow(&s, "in_port=1,actions=set_field:172.31.0.2->tun_dst,output:10");
	test_switch_flow(&s, "in_port=10,actions=output:1");
	cr_assert_eq(system("ip link set lo up; sysctl -qw net.ipv6.conf.up0k.disable_ipv6=1;"
	                    "ip link set up0k up; ip addr add 172.31.0.1/24 dev up0k"),
	             0);
	fabric = frontend_open(&(struct frontend_options){.path = path, .pump = pump});
	cr_assert(fabric);
	mac_format(uplink->mac, tap_mac);
}

static void on_destroyed(void *arg)
{
	*(bool *)arg = true;
}

static void teardown(void)
{
	bool gone = false;

	frontend_close(fabric);
	datapath_port_remove(s.dp, uplink, on_destroyed, &gone);
	while (!gone)
		pump(NULL);
	test_switch_free(&s);
	underlay_destroy(underlay, NULL, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	cr_assert_eq(access(path, F_OK), -1);
}

TestSuite(vhost_uplink, .init = setup, .fini = teardown, .timeout = 60);

static void ask_arp(void)
{
	send_fabric(make("eth(dst=ff:ff:ff:ff:ff:ff,src=" FABRIC_MAC ")/arp(op=1,sha=" FABRIC_MAC
	                 ",spa=172.31.0.2,"
	                 "tpa=172.31.0.1)"),
	            NULL);
}

static void ask_echo(void)
{
	send_fabric(make("eth(dst=%s,src=" FABRIC_MAC ")/ipv4(src=172.31.0.2,dst=172.31.0.1)/"
	                 "icmp(type=8,id=7,seq=1)/data(len=1500)",
	                 tap_mac),
	            NULL);
}

Test(vhost_uplink, the_kernel_answers_arp_and_ping)
{
	const struct arp_header *arp = (const void *)(got + sizeof(struct eth_header));
	char text[MAC_TEXT_MAX];

	cr_assert_eq(uplink->nrxq, 2);
	cr_assert(uplink->is_uplink);
	until(is_arp_reply, ask_arp);
	cr_assert_str_eq(mac_format(arp->sha, text), tap_mac);
	/* 1542 bytes: the tap got the uplink's MTU. */
	cr_assert_eq(until(is_echo_reply, ask_echo), 14 + 20 + 8 + 1500);
	cr_assert(frame_checksums_right(got, 14 + 20 + 8 + 1500));
}

/* Fragments are the kernel's to put together, and VXLAN for somebody else is not ours. */
Test(vhost_uplink, what_is_not_ours_goes_to_the_kernel)
{
	json_t *before = uplink->ops->info(uplink), *after;
	const char *const key = "to_kernel";

	send_fabric(make("eth(dst=%s,src=" FABRIC_MAC
	                 ")/ipv4(src=172.31.0.2,dst=172.31.0.1,mf=1)/udp(dst=4789)/"
	                 "data(len=80)",
	                 tap_mac),
	            NULL);
	send_fabric(make("eth(dst=%s,src=" FABRIC_MAC
	                 ")/ipv4(src=172.31.0.2,dst=172.31.0.7)/udp(dst=4789)/vxlan(vni=42)"
	                 "/eth(dst=02:00:00:00:00:02)/ipv4()/udp()",
	                 tap_mac),
	            NULL);
	after = uplink->ops->info(uplink);
	cr_assert_eq(json_integer_value(json_object_get(json_object_get(after, "exception"), key)) -
	                     json_integer_value(json_object_get(json_object_get(before, "exception"), key)),
	             2);
	cr_assert_eq(test_switch_count(&s, GUEST), 0);
	json_decref(before);
	json_decref(after);
}

static struct frame inner;

static void send_guest(void)
{
	test_switch_send(&s, GUEST, inner.data, inner.len);
}

/* The neighbour is not known before: the kernel asks for it through the tap, and the fabric answers. */
Test(vhost_uplink, tunnels_both_ways)
{
	struct vxlan_header *vxlan = (void *)(got + 42);
	uint32_t len;

	frame_make(&inner, &(struct frame_spec){.payload = 1400});
	len = until(is_vxlan, send_guest);
	cr_assert_eq(len, OUTER + inner.len);
	cr_assert_eq(memcmp(got + OUTER, inner.data, inner.len), 0);
	cr_assert_eq(be32toh(vxlan->vni_rsvd), 42 << 8);
	cr_assert_eq(memcmp(got, "\2\0\0\0\0\xf", 6), 0);
	cr_assert_eq(memcmp(got + 26, "\xac\x1f\0\1\xac\x1f\0\2", 8), 0);
	/* And back: the same with the outer addresses changed over. */
	memcpy(sent, got, len);
	memcpy(sent, got + 6, 6);
	memcpy(sent + 6, got, 6);
	memcpy(sent + 26, got + 30, 4);
	memcpy(sent + 30, got + 26, 4);
	test_switch_count(&s, GUEST);
	send_fabric(len, NULL);
	test_switch_expect(&s, GUEST, inner.data, inner.len, "out of the tunnel");
}

/* The fabric may leave the inner packet's checksum open, as a host with a virtio NIC does with any. */
Test(vhost_uplink, an_open_inner_checksum_is_finished)
{
	struct vnet_header h = {.flags = VNET_NEEDS_CSUM, .csum_start = OUTER + 34, .csum_offset = 6};
	struct memory_frame *f;
	uint32_t len;

	frame_make(&inner, &(struct frame_spec){.payload = 200, .partial = true});
	len = make("eth(dst=%s,src=" FABRIC_MAC
	           ")/ipv4(src=172.31.0.2,dst=172.31.0.1)/udp(dst=4789,zero=1)/vxlan(vni=42)"
	           "/eth()/data(len=%u)",
	           tap_mac, inner.len - 14);
	memcpy(sent + OUTER, inner.data, inner.len);
	send_fabric(len, &h);
	f = test_switch_take(&s, GUEST);
	cr_assert_not_null(f);
	cr_assert_eq(f->len, inner.len);
	cr_assert(frame_checksums_right(f->data, f->len));
	free(f);
	/* One that would lie behind the datagram, in what trails it, is refused. */
	h.csum_offset = (uint16_t)(inner.len - 34 - 1);
	send_fabric(len + 8, &h);
	cr_assert_eq(test_switch_drops(&s, DROP_TUNNEL_BAD_LENGTH), 1);
	cr_assert_eq(test_switch_count(&s, GUEST), 0);
	/* So is one that would become another source address after the flows have had their look. */
	h.csum_start = OUTER + 14;
	h.csum_offset = 12;
	send_fabric(len, &h);
	cr_assert_eq(test_switch_drops(&s, DROP_RX_BAD_OFFLOAD), 1);
	cr_assert_eq(test_switch_count(&s, GUEST), 0);
}

/* A worker that sleeps must wake for what the kernel sends. */
Test(vhost_uplink, the_tap_wakes_a_sleeper)
{
	struct port_rxq *q = &uplink->rxq[1];
	struct pollfd fd = {.fd = q->ops->sleep_fd(q), .events = POLLIN};

	while (poll(&fd, 1, 0) > 0)
		pump(NULL);
	cr_assert_eq(system("ping -q -c 1 -W 1 172.31.0.9 >/dev/null &"), 0);
	cr_assert_eq(poll(&fd, 1, 20000), 1);
	cr_assert_not(q->ops->arm(q, true));
}

Test(vhost_uplink, options_are_checked)
{
	struct port_env env = {.loop = &loop, .nworkers = 1};
	json_t *o = json_pack("{s:s, s:i, s:s}", "socket", path, "queues", 16, "exception", "up1k");
	struct port *p;
	struct error e = {""};

	cr_assert_lt(uplink->type->create(&env, "x", 5, o, &p, &e), 0);
	cr_assert(strstr(e.text, "queues"), "%s", e.text);
	json_object_set_new(o, "queues", json_integer(1));
	json_object_set_new(o, "exception", json_string("up0k"));
	cr_assert_lt(uplink->type->create(&env, "x", 5, o, &p, &e), 0);
	cr_assert(strstr(e.text, "exception"), "%s", e.text);
	json_object_set_new(o, "exception", json_string("a-name-that-is-too-long"));
	cr_assert_lt(uplink->type->create(&env, "x", 5, o, &p, &e), 0);
	json_decref(o);
}
