/* SPDX-License-Identifier: Apache-2.0 */
/* The switch behind the OpenFlow endpoint: struct ofp_switch_ops over the tables and the datapath. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/switchd/flow_ops.h"
#include "control/switchd/switchd.h"
#include "datapath/ct/conntrack.h"
#include "datapath/parse.h"
#include "flows/flow_mod.h"
#include "flows/group.h"
#include "flows/key.h"
#include "flows/meter.h"

enum { STATE_LINK_DOWN = 1, STATE_LIVE = 4, SWITCH_GROUPS_MAX = 65536 };

static uint64_t op_datapath_id(void *ctx)
{
	struct switchd *s = ctx;

	return s->datapath_id;
}

static const struct ofp_switch_desc *op_desc(void *ctx)
{
	static const struct ofp_switch_desc desc = {"Weft", "vhost-user switch", WEFT_VERSION, "None",
	                                            "None"};

	return &desc;
}

/* OFPPF_*: the nominal speeds, full duplex, "copper" for want of a better word, as Open vSwitch says. */
static void put_speed(uint32_t mbps, struct ofp_port *out)
{
	static const struct {
		uint32_t mbps, bit;
	} nominal[] = {{10, 1 << 1},    {100, 1 << 3},    {1000, 1 << 5},   {10000, 1 << 6},
	               {40000, 1 << 7}, {100000, 1 << 8}, {1000000, 1 << 9}};
	enum { OTHER = 1 << 10, COPPER = 1 << 11 };

	if (!mbps)
		return;
	out->curr = OTHER | COPPER;
	for (unsigned i = 0; i < sizeof(nominal) / sizeof(nominal[0]); i++) {
		if (nominal[i].mbps == mbps)
			out->curr = nominal[i].bit | COPPER;
	}
	out->curr_speed = mbps * 1000;
}

void of_switch_port(const struct switchd *s, const struct port *port, struct ofp_port *out)
{
	*out = (struct ofp_port){.port_no = OFPP_LOCAL, .config = s->local_config, .state = STATE_LINK_DOWN};
	if (!port || port->ofport == OFPP_LOCAL)
		snprintf(out->name, sizeof(out->name), "%s", s->options->bridge);
	else
		snprintf(out->name, sizeof(out->name), "%s", port->name);
	if (!port) {
		uint64_t id = htobe64(s->datapath_id);

		memcpy(out->hw_addr.b, (uint8_t *)&id + 2, 6);
		return;
	}
	out->port_no = port->ofport;
	out->hw_addr = port->mac;
	out->config = port->config;
	put_speed(port->speed, out);
	out->state = port->carrier && !(port->config & PORT_CONFIG_DOWN) ? STATE_LIVE : STATE_LINK_DOWN;
}

static void port_stats(struct switchd *s, const struct port *port, struct ofp_port_stats *out)
{
	struct port_counters c;

	memset(out, 0, sizeof(*out));
	if (!port)
		return;
	datapath_port_counters(s->datapath, port, &c);
	out->rx_packets = c.rx_packets;
	out->rx_bytes = c.rx_bytes;
	out->tx_packets = c.tx_packets;
	out->tx_bytes = c.tx_bytes;
	out->rx_errors = c.drops[DROP_RX_RUNT] + c.drops[DROP_RX_BAD_DESC] + c.drops[DROP_RX_BAD_OFFLOAD] +
	                 c.drops[DROP_RX_TOO_MANY_SEGS];
	out->tx_dropped = c.drops[DROP_RING_FULL] + c.drops[DROP_NO_CARRIER] + c.drops[DROP_TOO_BIG];
	out->tx_errors = c.drops[DROP_TX_ERROR] + c.drops[DROP_SEGMENT_FAILED];
	out->duration_ns = clock_now() - datapath_port_added(s->datapath, port);
}

static bool op_port_next(void *ctx, bool first, uint32_t after, struct ofp_port *out,
                         struct ofp_port_stats *stats)
{
	struct switchd *s = ctx;
	struct port *port;

	if (!first && after == OFPP_LOCAL)
		return false;
	port = datapath_port_next(s->datapath, first, after);
	of_switch_port(s, port, out);
	if (stats)
		port_stats(s, port, stats);
	return true; /* without a port of its own the bridge is still listed, as LOCAL */
}

static enum ofp_error op_port_mod(void *ctx, const struct ofp_port_mod *mod)
{
	struct switchd *s = ctx;
	struct port *port = datapath_port_by_number(s->datapath, mod->port_no);
	struct ofp_port now;
	uint32_t config;

	if (!port && mod->port_no != OFPP_LOCAL)
		return OFPPMFC_BAD_PORT;
	of_switch_port(s, port, &now);
	if (!mac_equal(now.hw_addr, mod->hw_addr))
		return OFPPMFC_BAD_HW_ADDR;
	if (mod->mask & ~(uint32_t)PORT_CONFIG_ALL)
		return OFPPMFC_BAD_CONFIG;
	config = (now.config & ~mod->mask) | (mod->config & mod->mask);
	if (!port)
		s->local_config = config;
	else if (config != port->config)
		datapath_port_set_config(s->datapath, port, config);
	return OFP_OK;
}

static unsigned op_table_count(void *ctx)
{
	return TABLES_COUNT;
}

static uint32_t op_table_max_entries(void *ctx)
{
	struct switchd *s = ctx;

	return tables_max_rules(s->tables);
}

static void op_table_name(void *ctx, uint8_t table_id, char name[OFP_TABLE_NAME_MAX])
{
	name[0] = '\0'; /* tables are known by their numbers */
}

static void op_table_stats(void *ctx, uint8_t table_id, struct ofp_table_stats *out)
{
	struct switchd *s = ctx;
	struct tables_stats stats;

	tables_table_stats(s->tables, table_id, &stats);
	*out = (struct ofp_table_stats){stats.active, stats.lookups, stats.matched};
}

static enum ofp_error op_apply(void *ctx, const struct ofp_change *changes, unsigned n, unsigned *failed)
{
	struct switchd *s = ctx;

	return flow_ops_apply(s->tables, changes, n, failed);
}

struct barrier {
	struct switchd *s;
	uint64_t packets; /* sent out before it */
	ofp_done done;
	void *arg;
};

/* No worker forwards by an older version; what was sent out may still lie in its queue. */
static void pass_barrier(void *arg)
{
	struct barrier *b = arg;

	switchd_await_packets_out(b->s, b->packets, b->done, b->arg);
	free(b);
}

static void op_barrier(void *ctx, ofp_done done, void *arg)
{
	struct barrier *b = malloc(sizeof(*b));
	struct switchd *s = ctx;

	if (!b) {
		rcu_defer(done, arg);
		return;
	}
	*b = (struct barrier){s, datapath_packets_out(s->datapath), done, arg};
	rcu_defer(pass_barrier, b);
}

static void op_fold_stats(void *ctx, ofp_done done, void *arg)
{
	switchd_fold(ctx, done, arg);
}

/* A cursor of the tables is the endpoint's cursor. */
static struct ofp_dump *op_flow_dump_open(void *ctx, const struct flow_filter *filter)
{
	struct switchd *s = ctx;

	return (struct ofp_dump *)tables_dump_open(s->tables, filter);
}

static int op_flow_dump_next(void *ctx, struct ofp_dump *dump, struct flow_stats *out)
{
	return tables_dump_next((struct tables_dump *)dump, clock_now(), out);
}

static void op_dump_close(void *ctx, struct ofp_dump *dump)
{
	tables_dump_close((struct tables_dump *)dump);
}

static void op_aggregate(void *ctx, const struct flow_filter *filter, struct ofp_aggregate *out)
{
	struct switchd *s = ctx;
	struct tables_totals totals;

	tables_aggregate(s->tables, filter, &totals);
	*out = (struct ofp_aggregate){
	        .packets = totals.packets, .bytes = totals.bytes, .flows = totals.flows};
}

static void op_watch_flows(void *ctx, bool on)
{
	struct switchd *s = ctx;

	tables_watch(s->tables, on);
}

static const struct group_mod *op_group_next(void *ctx, uint32_t from, struct group_stats *stats)
{
	struct switchd *s = ctx;

	return tables_group_next(s->tables, from, clock_now(), stats);
}

static void op_group_features(void *ctx, struct ofp_group_features *out)
{
	*out = (struct ofp_group_features){.types = 0xf, .capabilities = 0xf};
	for (int type = 0; type < 4; type++)
		out->max_groups[type] = SWITCH_GROUPS_MAX;
}

static void op_meter_features(void *ctx, struct ofp_meter_features *out)
{
	struct switchd *s = ctx;

	*out = (struct ofp_meter_features){
	        .max_meters = tables_max_meters(s->tables),
	        .band_types = 1 << METER_DROP | 1 << METER_DSCP_REMARK,
	        .capabilities = METER_KBPS | METER_PKTPS | METER_BURST | METER_STATS,
	        .max_bands = METER_BANDS_MAX,
	};
}

static const struct meter_mod *op_meter_next(void *ctx, uint32_t from, struct meter_stats *stats)
{
	struct switchd *s = ctx;

	return tables_meter_next(s->tables, from, clock_now(), stats);
}

/* As with a flow that has these actions. */
static enum ofp_error refuse(struct tables *t, const struct action_list *l)
{
	enum ofp_error error = OFP_OK;

	for (unsigned i = 0; i < l->n && !error; i++) {
		const struct action *a = &l->items[i];
		const struct group_mod *gm;

		if (a->type == ACTION_CLONE)
			error = refuse(t, &a->nested);
		if (a->type != ACTION_GROUP)
			continue;
		gm = tables_group_next(t, a->number, clock_now(), NULL);
		if (!gm || gm->group_id != a->number)
			error = OFPBAC_BAD_OUT_GROUP;
	}
	return error;
}

/* One program at a time, by the control thread. */
static struct program *program_room(void)
{
	static uint8_t buffer[PROGRAM_BYTES_MAX] __attribute__((aligned(16)));

	return (struct program *)buffer;
}

static enum ofp_error send_out(struct switchd *s, uint32_t in_port, const struct program *program,
                               const uint8_t *data, size_t len)
{
	switch (datapath_packet_out(s->datapath, in_port, program, data, (uint32_t)len)) {
	case 0:
	case -ENOBUFS: /* counted by the datapath, like any packet that finds a queue full */
		return OFP_OK;
	default:
		return OFPBRC_BAD_PACKET;
	}
}

static enum ofp_error op_packet_out(void *ctx, const struct ofp_packet_out *p)
{
	struct program *program = program_room();
	struct switchd *s = ctx;
	struct flow_key key;
	enum ofp_error error;

	if (p->len > PACKET_IN_MAX)
		return OFPBRC_BAD_LEN;
	if (!p->len) /* nothing to send: no mistake in OVS, nor here */
		return OFP_OK;
	error = refuse(s->tables, p->actions);
	if (error)
		return error;
	datapath_packet_key(p->in_port, p->data, (uint32_t)p->len, &key);
	tables_packet_out(s->tables, &key, p->actions, (uint32_t)p->len, clock_now(), program);
	return send_out(s, p->in_port, program, p->data, p->len);
}

static enum ofp_error op_resume(void *ctx, const struct ofp_resume *p)
{
	struct program *program = program_room();
	struct switchd *s = ctx;
	struct flow_key key;

	if (p->len > PACKET_IN_MAX)
		return OFPBRC_BAD_LEN;
	datapath_packet_key(p->continuation.port, p->data, (uint32_t)p->len, &key);
	tables_resume(s->tables, &key, &p->key, &p->continuation, (uint32_t)p->len, clock_now(), program);
	return send_out(s, p->continuation.port, program, p->data, p->len);
}

static void op_tell_misses(void *ctx, bool on)
{
	struct switchd *s = ctx;

	tables_tell_misses(s->tables, on);
}

static enum ofp_error op_ct_flush(void *ctx, const struct ct_flush *what)
{
	const struct ct_filter filter = {
	        .by_zone = what->by_zone, .zone = what->zone, .orig = what->orig, .reply = what->reply};
	struct switchd *s = ctx;

	conntrack_flush(datapath_ct(s->datapath), &filter);
	return OFP_OK;
}

static void op_set_standalone(void *ctx, bool on)
{
	struct switchd *s = ctx;

	tables_bypass(s->tables, on);
}

static uint16_t op_frag_mode(void *ctx)
{
	return (uint16_t)parse_fragments();
}

static enum ofp_error op_set_frag_mode(void *ctx, uint16_t mode)
{
	parse_set_fragments((enum fragments)mode);
	return OFP_OK;
}

const struct ofp_switch_ops of_switch_ops = {
        .datapath_id = op_datapath_id,
        .desc = op_desc,
        .port_next = op_port_next,
        .port_mod = op_port_mod,
        .table_count = op_table_count,
        .table_max_entries = op_table_max_entries,
        .table_name = op_table_name,
        .table_stats = op_table_stats,
        .apply = op_apply,
        .barrier = op_barrier,
        .fold_stats = op_fold_stats,
        .flow_dump_open = op_flow_dump_open,
        .flow_dump_next = op_flow_dump_next,
        .flow_dump_close = op_dump_close,
        .aggregate = op_aggregate,
        .watch_flows = op_watch_flows,
        .group_next = op_group_next,
        .group_features = op_group_features,
        .meter_features = op_meter_features,
        .meter_next = op_meter_next,
        .packet_out = op_packet_out,
        .resume = op_resume,
        .ct_flush = op_ct_flush,
        .set_standalone = op_set_standalone,
        .tell_misses = op_tell_misses,
        .frag_mode = op_frag_mode,
        .set_frag_mode = op_set_frag_mode,
};
