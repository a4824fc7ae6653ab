/* SPDX-License-Identifier: Apache-2.0 */
/* An ethdev port's carrier and speed follow the device's link. Started and stopped by ethdev_setup.c. */
#include "ports/ethdev_private.h"

#include <rte_ethdev.h>

enum { LOOK_MS = 1000 };

/* A driver that cannot tell has a link that is always up. */
static void read_link(struct ethdev_port *d)
{
	struct rte_eth_link link = {.link_status = RTE_ETH_LINK_UP, .link_speed = RTE_ETH_SPEED_NUM_UNKNOWN};

	if (rte_eth_link_get_nowait(d->id, &link))
		link.link_status = RTE_ETH_LINK_UP;
	d->port.carrier = link.link_status == RTE_ETH_LINK_UP;
	d->port.speed = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
}

static void on_look(uv_timer_t *timer)
{
	struct ethdev_port *d = timer->data;
	bool carrier = d->port.carrier;
	uint32_t speed = d->port.speed;

	read_link(d);
	if ((d->port.carrier != carrier || d->port.speed != speed) && d->port.changed)
		d->port.changed(&d->port, d->port.changed_arg);
}

void ethdev_link_start(struct ethdev_port *d, uv_loop_t *loop)
{
	read_link(d);
	uv_timer_init(loop, &d->look);
	d->look.data = d;
	uv_timer_start(&d->look, on_look, LOOK_MS, LOOK_MS);
}

void ethdev_link_stop(struct ethdev_port *d, uv_close_cb closed)
{
	uv_close((uv_handle_t *)&d->look, closed);
}
