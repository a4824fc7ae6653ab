/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of ports that workers read, rebuilt on every change. Called by datapath.c and ports.c. */
#include "datapath/topology.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/vxlan_port.h"

static unsigned count_ports(const struct datapath *dp)
{
	unsigned n = 0;

	for (const struct datapath_port *d = dp->ports; d; d = d->next)
		n++;
	return n;
}

static void fill_poll_lists(const struct datapath *dp, struct topology *t, struct port_rxq **room)
{
	for (unsigned worker = 0; worker < dp->config.nworkers; worker++) {
		struct poll_list *list = &t->poll[worker];

		list->q = room;
		for (const struct datapath_port *d = dp->ports; d; d = d->next)
			for (unsigned i = 0; i < d->port->nrxq; i++)
				if (d->port->rxq[i].worker == worker && !d->port->rxq[i].moving)
					list->q[list->n++] = &d->port->rxq[i];
		room += list->n;
	}
}

/* By the number of ports alone, so that a block is large enough for whatever remains of them. */
static size_t bytes_for(unsigned ports)
{
	return sizeof(struct topology) + ports * (3 + PORT_RXQ_MAX) * sizeof(void *);
}

static struct topology *get_block(struct datapath *dp, unsigned ports)
{
	size_t bytes = bytes_for(ports);
	struct topology *t = malloc(bytes);

	if (!t && dp->spare_topology && dp->spare_topology->bytes >= bytes) {
		t = dp->spare_topology;
		bytes = t->bytes;
		dp->spare_topology = NULL;
	}
	if (!t)
		return NULL;
	memset(t, 0, bytes);
	t->dp = dp;
	t->bytes = bytes;
	return t;
}

/* What no worker sees any more becomes the spare one when that is missing or smaller. */
static void put_block(void *topology)
{
	struct topology *t = topology, *spare = t->dp->spare_topology;

	if (spare && spare->bytes >= t->bytes) {
		free(t);
		return;
	}
	t->dp->spare_topology = t;
	free(spare);
}

int topology_reserve(struct datapath *dp, unsigned more)
{
	unsigned n = count_ports(dp) + more;
	struct topology *t;

	if (dp->spare_topology && dp->spare_topology->bytes >= bytes_for(n))
		return 0;
	t = malloc(bytes_for(n));
	if (!t)
		return -ENOMEM;
	t->dp = dp;
	t->bytes = bytes_for(n);
	put_block(t);
	return 0;
}

static struct topology *build(struct datapath *dp)
{
	unsigned n = count_ports(dp);
	struct topology *t = get_block(dp, n);
	void **room;

	if (!t)
		return NULL;
	room = (void **)(t + 1);
	t->vteps = (struct vxlan_vtep **)room;
	t->uplinks = (struct port **)(room + n);
	t->flood = (struct port **)(room + 2 * n);
	for (const struct datapath_port *d = dp->ports; d; d = d->next) {
		if (d->port->is_uplink) {
			t->uplinks[t->nuplinks++] = d->port;
			continue;
		}
		if (!d->port->is_private)
			t->flood[t->nflood++] = d->port;
		if (vxlan_port_is(d->port))
			t->vteps[t->nvteps++] = vxlan_port_vtep(d->port);
	}
	fill_poll_lists(dp, t, (struct port_rxq **)(room + 3 * n));
	return t;
}

/* Every uplink takes in VXLAN for every local address. */
static void tell_uplinks(const struct topology *t)
{
	struct ip_addr *all = calloc(2 * t->nvteps + 1, sizeof(*all));
	unsigned n = 0;

	if (!all)
		return;
	for (unsigned i = 0; i < t->nvteps; i++) {
		const struct vxlan_config *c = &t->vteps[i]->config;
		const struct ip_addr *both[2] = {&c->local4, &c->local6};

		for (unsigned k = 0; k < 2; k++) {
			bool known = ip_is_none(both[k]);

			for (unsigned j = 0; j < n; j++)
				known |= ip_equal(&all[j], both[k]);
			if (!known)
				all[n++] = *both[k];
		}
	}
	for (unsigned i = 0; i < t->nuplinks; i++)
		if (t->uplinks[i]->ops->set_vteps)
			t->uplinks[i]->ops->set_vteps(t->uplinks[i], all, n);
	free(all);
}

int topology_publish(struct datapath *dp)
{
	struct topology *t = build(dp), *old = dp->topology;

	if (!t)
		return -ENOMEM;
	tell_uplinks(t);
	rcu_assign(dp->topology, t);
	if (old)
		rcu_defer(put_block, old);
	datapath_wake(dp);
	return 0;
}
