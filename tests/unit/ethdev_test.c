/* SPDX-License-Identifier: Apache-2.0 */
/* The port type ethdev, with DPDK's net_tap as a device that has a link. */
#include <criterion/criterion.h>
#include <net/if.h>
#include <sched.h>

#include "ports/ethdev.h"
#include "ports/port.h"
#include "tests/lib/eal.h"
#include "tests/lib/netns.h"

static uv_loop_t loop;
static unsigned changes;

static void on_change(struct port *p, void *arg)
{
	changes++;
}

static void on_gone(void *arg)
{
	*(bool *)arg = true;
}

/* The test's timeout ends a wait in vain. */
static void await_carrier(const struct port *p, bool carrier)
{
	while (p->carrier != carrier)
		uv_run(&loop, UV_RUN_ONCE);
}

Test(ethdev, carrier_follows_the_link, .timeout = 60)
{
	struct port_env env = {.loop = &loop, .nworkers = 1};
	struct error e = {""};
	bool gone = false;
	struct port *p;
	json_t *o;

	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	test_eal_init();
	cr_assert_eq(rcu_init(), 0);
	uv_loop_init(&loop);
	o = json_pack("{s:s}", "devargs", "net_tap0,iface=link0");
	cr_assert_eq(port_type_ethdev.create(&env, "e", 1, o, &p, &e), 0, "%s", e.text);
	json_decref(o);
	p->changed = on_change;
	cr_assert(p->carrier);
	cr_assert_eq(netns_here("ip link set link0 down"), 0);
	await_carrier(p, false);
	cr_assert_eq(changes, 1);
	cr_assert_eq(netns_here("ip link set link0 up"), 0);
	await_carrier(p, true);
	cr_assert_eq(changes, 2);
	p->ops->destroy(p, on_gone, &gone);
	while (!gone)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_eq(if_nametoindex("link0"), 0);
	uv_loop_close(&loop);
}
