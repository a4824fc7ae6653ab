/* SPDX-License-Identifier: Apache-2.0 */
/* Ports come, change and go: the control side. Part of datapath.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "datapath/limits.h"
#include "datapath/rxqs.h"
#include "datapath/topology.h"
#include "datapath/vxlan_port.h"
#include "flows/dp/tables.h"
#include "ports/options.h"

/* Place of a number in the order of datapath_port_next(). */
static uint32_t order_of(uint32_t ofport)
{
	return ofport;
}

struct port *datapath_port_by_number(const struct datapath *dp, uint32_t ofport)
{
	struct port *p = dp->by_number[mkey_port(ofport)];

	return p && p->ofport == ofport ? p : NULL;
}

struct port *datapath_port_by_name(const struct datapath *dp, const char *name)
{
	for (const struct datapath_port *d = dp->ports; d; d = d->next)
		if (strcmp(d->port->name, name) == 0)
			return d->port;
	return NULL;
}

struct port *datapath_port_next(const struct datapath *dp, bool first, uint32_t after)
{
	for (const struct datapath_port *d = dp->ports; d; d = d->next)
		if (first || d->port->ofport > after)
			return d->port;
	return NULL;
}

static struct datapath_port *entry_of(const struct datapath *dp, const struct port *port)
{
	struct datapath_port *d = dp->ports;

	while (d && d->port != port)
		d = d->next;
	return d;
}

uint64_t datapath_port_added(const struct datapath *dp, const struct port *port)
{
	const struct datapath_port *d = entry_of(dp, port);

	return d ? d->added : 0;
}

void datapath_port_counters(const struct datapath *dp, const struct port *port, struct port_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < dp->config.nworkers; i++) {
		const struct port_counters *c = port->counters[i];

		sum->rx_packets += c->rx_packets;
		sum->rx_bytes += c->rx_bytes;
		sum->tx_packets += c->tx_packets;
		sum->tx_bytes += c->tx_bytes;
		sum->rx_gso += c->rx_gso;
		sum->tx_gso += c->tx_gso;
		for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
			sum->drops[r] += c->drops[r];
	}
}

/* ---- limits ---- */

/* Packets of a vxlan port can come in on every worker. */
static unsigned share_of(const struct datapath *dp, const struct port *port)
{
	unsigned n = dp->config.nworkers;

	return port->nrxq && port->nrxq < n ? port->nrxq : n;
}

int datapath_port_set_storm(struct datapath *dp, struct port *port, const struct storm_limits *storm)
{
	struct limits **slot = &dp->limits[mkey_port(port->ofport)], *old = *slot;
	struct datapath_port *d = entry_of(dp, port);
	struct limits *l = limits_create(storm, share_of(dp, port));

	if (!l)
		return -ENOMEM;
	d->storm = *storm;
	rcu_assign(*slot, l);
	if (old)
		rcu_defer(free, old);
	return 0;
}

void datapath_port_get_storm(const struct datapath *dp, const struct port *port, struct storm_limits *storm)
{
	*storm = entry_of(dp, port)->storm;
}

/* ---- change ---- */

static void tell_change(struct datapath *dp, struct port *port)
{
	const struct datapath_events *ev = &dp->config.events;

	if (!port->is_uplink)
		tables_set_port_live(dp->config.tables, port->ofport,
		                     port->carrier && !(port->config & PORT_CONFIG_DOWN));
	if (ev->port_changed)
		ev->port_changed(ev->arg, port);
}

/* The port's own hook: carrier, caps, MTU or queues are different now. */
static void port_changed(struct port *port, void *arg)
{
	struct datapath *dp = arg;

	topology_publish(dp);
	tell_change(dp, port);
}

void datapath_port_set_config(struct datapath *dp, struct port *port, uint32_t config)
{
	__atomic_store_n(&port->config, config, __ATOMIC_RELAXED);
	tell_change(dp, port);
}

/* ---- add ---- */

static void link_entry(struct datapath *dp, struct datapath_port *d)
{
	struct datapath_port **at = &dp->ports;

	while (*at && order_of((*at)->port->ofport) < order_of(d->port->ofport))
		at = &(*at)->next;
	d->next = *at;
	*at = d;
}

static void unlink_entry(struct datapath *dp, struct datapath_port *d)
{
	struct datapath_port **at = &dp->ports;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
}

static int check_free(const struct datapath *dp, const char *name, uint32_t ofport, struct error *e)
{
	if (!*name || strlen(name) >= PORT_NAME_MAX)
		return error_set(e, EINVAL, "a name has 1 to %d characters", PORT_NAME_MAX - 1);
	if (datapath_port_by_name(dp, name))
		return error_set(e, EEXIST, "%s exists already", name);
	if (ofport != OFPORT_LOCAL && (ofport < 1 || ofport > OFPORT_MAX))
		return error_set(e, EINVAL, "%u is no port number (1 to %d)", ofport, OFPORT_MAX);
	if (dp->by_number[mkey_port(ofport)])
		return error_set(e, EEXIST, "ofport: %u is taken", ofport);
	return 0;
}

/* Workers may look at them for a packet-out that names the port. */
static void forget_limits(struct datapath *dp, uint32_t ofport)
{
	struct limits *limits = dp->limits[mkey_port(ofport)];

	rcu_assign(dp->limits[mkey_port(ofport)], NULL);
	if (limits)
		rcu_defer(free, limits);
}

int datapath_port_attach(struct datapath *dp, struct port *port, struct error *e)
{
	struct storm_limits none = {0};
	struct datapath_port *d;
	int rc = check_free(dp, port->name, port->ofport, e);

	if (rc)
		return rc;
	d = calloc(1, sizeof(*d));
	if (!d)
		return error_set(e, ENOMEM, "out of memory");
	*d = (struct datapath_port){.dp = dp, .port = port, .added = clock_now()};
	rxqs_assign(dp, port);
	link_entry(dp, d);
	if (topology_reserve(dp, 0) || datapath_port_set_storm(dp, port, &none) || topology_publish(dp)) {
		forget_limits(dp, port->ofport);
		unlink_entry(dp, d);
		free(d);
		return error_set(e, ENOMEM, "out of memory");
	}
	rcu_assign(dp->by_number[mkey_port(port->ofport)], port);
	port->changed = port_changed;
	port->changed_arg = dp;
	tell_change(dp, port);
	return 0;
}

static uint32_t lowest_free(const struct datapath *dp)
{
	uint32_t n = 1;

	while (n <= OFPORT_MAX && dp->by_number[n])
		n++;
	return n;
}

static void ignore(void *arg)
{
}

/* Takes "private=yes|no", which every type has, out of the options. */
static int take_private(json_t *options, bool *is_private, struct error *e)
{
	const char *text = options_text(options, "private", "no", e);

	if (!text)
		return -EINVAL;
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return error_set(e, EINVAL, "private: expected yes or no, not '%s'", text);
	*is_private = *text == 'y';
	json_object_del(options, "private");
	return 0;
}

int datapath_port_add(struct datapath *dp, const char *name, const char *type, uint32_t ofport,
                      json_t *options, struct port **out, struct error *e)
{
	const struct port_type *t = port_type_find(type);
	bool vxlan = strcmp(type, "vxlan") == 0;
	bool is_private = false;
	struct port *port;
	json_t *own;
	int rc;

	if (!t && !vxlan)
		return error_set(e, EINVAL,
		                 "type: expected vhost-user, afxdp, ethdev, tap or vxlan, not '%s'", type);
	if (!ofport)
		ofport = lowest_free(dp);
	rc = check_free(dp, name, ofport, e);
	if (rc)
		return rc;
	own = options ? json_deep_copy(options) : json_object();
	if (!own)
		return error_set(e, ENOMEM, "out of memory");
	rc = take_private(own, &is_private, e);
	if (rc) {
		json_decref(own);
		return rc;
	}
	rc = vxlan ? vxlan_port_create(&dp->env, dp->config.underlay, name, ofport, own, &port, e)
	           : t->create(&dp->env, name, ofport, own, &port, e);
	if (rc) {
		json_decref(own);
		return rc;
	}
	port->options = own;
	port->is_private = is_private;
	rc = datapath_port_attach(dp, port, e);
	if (rc) {
		port->ops->destroy(port, ignore, NULL);
		return rc;
	}
	if (vxlan)
		tables_set_port_tunnel(dp->config.tables, port->ofport, true);
	*out = port;
	return 0;
}

/* ---- remove ---- */

static void destroyed(void *arg)
{
	struct datapath_port *d = arg;

	if (d->done)
		d->done(d->done_arg);
	free(d);
}

/* No worker sees the port any more. */
static void unused(void *arg)
{
	struct datapath_port *d = arg;
	struct port_counters sum;

	datapath_port_counters(d->dp, d->port, &sum);
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		d->dp->gone_drops[r] += sum.drops[r];
	d->port->ops->destroy(d->port, destroyed, d);
}

void datapath_port_remove(struct datapath *dp, struct port *port, void (*done)(void *arg), void *arg)
{
	struct datapath_port *d = entry_of(dp, port);
	uint16_t slot = mkey_port(port->ofport);

	port->changed = NULL;
	d->done = done;
	d->done_arg = arg;
	unlink_entry(dp, d);
	rcu_assign(dp->by_number[slot], NULL);
	if (topology_publish(dp)) {
		rcu_synchronize(); /* brings back the lists before these, which are long enough */
		if (topology_publish(dp))
			abort(); /* cannot be */
	}
	tables_set_port_live(dp->config.tables, port->ofport, false);
	tables_set_port_tunnel(dp->config.tables, port->ofport, false);
	fdb_flush(dp->fdb, port->ofport);
	forget_limits(dp, port->ofport);
	rcu_defer(unused, d);
}
