/* SPDX-License-Identifier: Apache-2.0 */
/* FLOOD, ALL and NORMAL: one packet to many ports, and the learning switch. Called by actions.c. */
#include "datapath/limits.h"
#include "datapath/output.h"
#include "datapath/parse.h"

static bool may_flood(struct exec *x, enum limit_kind kind)
{
	struct worker *w = x->w;
	struct limits *l = rcu_read(w->dp->limits[mkey_port(x->p->in_port)]);

	if (!l || limits_pass(l, w->id, kind, w->now))
		return true;
	worker_drop(w, x->p, DROP_STORM);
	return false;
}

static enum limit_kind kind_of(struct mac dst)
{
	static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	if (!mac_is_multicast(dst))
		return LIMIT_UNKNOWN;
	return mac_equal(dst, broadcast) ? LIMIT_BROADCAST : LIMIT_MULTICAST;
}

static struct mac dst_of(const struct packet *p)
{
	return ((const struct eth_header *)p->head)->dst;
}

void output_flood(struct exec *x, uint32_t except, bool all, bool last)
{
	const struct topology *t = x->w->topology;
	uint32_t unwanted = PORT_CONFIG_DOWN | PORT_CONFIG_NO_FWD | (all ? 0 : PORT_CONFIG_NO_FLOOD);
	struct port *previous = NULL;

	if (!may_flood(x, kind_of(dst_of(x->p))))
		return;
	for (unsigned i = 0; i < t->nflood; i++) {
		struct port *port = t->flood[i];

		if (port->ofport == except || (port->config & unwanted))
			continue;
		if (previous)
			output_port(x, previous, 0, false);
		previous = port;
	}
	if (previous)
		output_port(x, previous, 0, last);
}

/* VLAN id of the packet as it is now; 0: untagged. */
static uint16_t vlan_of(const struct packet *p)
{
	const struct eth_header *eth = (const struct eth_header *)p->head;
	const struct vlan_header *tag = (const struct vlan_header *)(eth + 1);

	if (p->head_len < sizeof(*eth) + sizeof(*tag) ||
	    (eth->type != htobe16(ETH_TYPE_VLAN) && eth->type != htobe16(ETH_TYPE_QINQ)))
		return 0;
	return be16toh(tag->tci) & 0xfff;
}

/* 01:80:c2:00:00:0x stays on its link (IEEE 802.1Q table 8-1). */
static bool is_link_local(struct mac dst)
{
	static const uint8_t prefix[5] = {0x01, 0x80, 0xc2, 0, 0};

	return memcmp(dst.b, prefix, sizeof(prefix)) == 0 && dst.b[5] < 16;
}

static uint64_t station(uint16_t vlan, const struct mac *mac)
{
	uint32_t low;
	uint16_t high;

	memcpy(&low, mac->b, 4);
	memcpy(&high, mac->b + 4, 2);
	return UINT64_C(1) << 63 | (uint64_t)vlan << 48 | (uint64_t)high << 32 | low;
}

/* The source is on port `port`: tells the control thread when that is news. */
static void learn(struct worker *w, uint16_t vlan, struct mac src, uint32_t port)
{
	uint64_t source = station(vlan, &src);

	if (w->normal.source == source && w->normal.from == port)
		return;
	if (!worker_port(w, port))
		return;
	if (fdb_see(w->dp->fdb, vlan, src, port, w->now)) {
		report_learned(w, vlan, src, port);
		return;
	}
	w->normal.source = source;
	w->normal.from = port;
}

/* The port of an address, or FDB_NONE. */
static uint32_t find(struct worker *w, uint16_t vlan, struct mac dst)
{
	uint64_t destination = station(vlan, &dst);

	if (mac_is_multicast(dst))
		return FDB_NONE;
	if (w->normal.destination != destination) {
		w->normal.destination = destination;
		w->normal.to = fdb_lookup(w->dp->fdb, vlan, dst);
	}
	return w->normal.to;
}

void output_normal(struct exec *x, uint32_t except, bool last)
{
	struct worker *w = x->w;
	const struct packet *p = x->p;
	struct mac src = ((const struct eth_header *)p->head)->src, dst = dst_of(p);
	uint16_t vlan = vlan_of(p);
	const struct port *from = worker_port(w, p->in_port);
	uint32_t to;

	if (from && from->is_private) {
		worker_drop(w, p, DROP_PRIVATE);
		return;
	}
	learn(w, vlan, src, except);
	if (is_link_local(dst)) {
		worker_drop(w, p, DROP_LINK_LOCAL);
		return;
	}
	to = find(w, vlan, dst);
	if (to == FDB_NONE || !worker_port(w, to))
		output_flood(x, except, false, last);
	else if (to == except)
		worker_drop(w, p, DROP_SAME_PORT);
	else
		output_number(x, to, 0, last);
}
