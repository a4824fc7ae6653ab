/* SPDX-License-Identifier: Apache-2.0 */
/* The fake switch behind the OpenFlow endpoint in its tests and fuzz target. */
#include "tests/lib/fake_switch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "control/openflow/server.h"
#include "flows/ct.h"
#include "flows/flow_mod.h"
#include "flows/group.h"

enum { FLOWS_MAX = 20000, GROUPS_MAX = 16, BARRIERS_MAX = 16, REFUSED_PRIORITY = 666 };

struct fake_switch {
	uv_loop_t own_loop, *loop;
	uv_thread_t thread;
	uv_async_t stop, packet_in;
	uv_idle_t later;
	struct ofp_server *server;
	struct flow_stats *flows;
	unsigned n_flows, flows_size;
	uint64_t changes;
	bool watched;
	struct group_mod groups[GROUPS_MAX];
	unsigned n_groups;
	struct {
		ofp_done done;
		void *arg;
	} barriers[BARRIERS_MAX];
	unsigned n_barriers;
	uint16_t frag_mode;
	uint64_t packets_out, resumed;
	uint32_t port_config[4];
	bool standalone;
	unsigned flushed;
	struct ct_flush last_flush;
};

/* ---- ports ---- */

static uint64_t datapath_id(void *ctx)
{
	return 0x1122334455667788;
}

static const struct ofp_switch_desc *desc(void *ctx)
{
	static const struct ofp_switch_desc d = {"Weft", "none", "fake", "0", "test"};

	return &d;
}

static bool port_next(void *ctx, bool first, uint32_t after, struct ofp_port *port,
                      struct ofp_port_stats *stats)
{
	static const uint32_t numbers[] = {1, 2, OFPP_LOCAL};
	static const char *const names[] = {"vm1", "vm2", "br0"};
	struct fake_switch *sw = ctx;

	for (unsigned i = 0; i < 3; i++) {
		if (!first && numbers[i] <= after)
			continue;
		memset(port, 0, sizeof(*port));
		port->port_no = numbers[i];
		port->hw_addr = (struct mac){{2, 0, 0, 0, 0, (uint8_t)i}};
		port->config = sw->port_config[i];
		snprintf(port->name, sizeof(port->name), "%s", names[i]);
		if (stats) {
			memset(stats, 0, sizeof(*stats));
			stats->rx_packets = 100 + i;
			stats->tx_packets = sw->packets_out;
			stats->duration_ns = 1500000000;
		}
		return true;
	}
	return false;
}

static enum ofp_error port_mod(void *ctx, const struct ofp_port_mod *mod)
{
	struct fake_switch *sw = ctx;

	if (mod->port_no != 1 && mod->port_no != 2)
		return OFPPMFC_BAD_PORT;
	sw->port_config[mod->port_no - 1] &= ~mod->mask;
	sw->port_config[mod->port_no - 1] |= mod->config;
	return OFP_OK;
}

/* ---- tables and flows ---- */

static unsigned table_count(void *ctx)
{
	return 254;
}

static uint32_t table_max_entries(void *ctx)
{
	return FLOWS_MAX;
}

static void table_name(void *ctx, uint8_t table_id, char name[OFP_TABLE_NAME_MAX])
{
	if (table_id == 0)
		snprintf(name, OFP_TABLE_NAME_MAX, "classify");
	else
		snprintf(name, OFP_TABLE_NAME_MAX, "table%u", table_id);
}

static void table_stats(void *ctx, uint8_t table_id, struct ofp_table_stats *stats)
{
	struct fake_switch *sw = ctx;

	for (unsigned i = 0; i < sw->n_flows; i++)
		stats->active_count += sw->flows[i].table_id == table_id;
}

static bool selected(const struct flow_stats *fs, const struct flow_filter *f)
{
	return (f->table_id == TABLE_ALL || f->table_id == fs->table_id) &&
	       (fs->cookie & f->cookie_mask) == f->cookie && match_covers(&f->match, &fs->match) &&
	       (f->out_port == PORT_ANY || action_list_outputs_to(&fs->actions, f->out_port)) &&
	       (f->out_group == GROUP_ANY || action_list_uses_group(&fs->actions, f->out_group));
}

static bool room_for_flow(struct fake_switch *sw)
{
	unsigned size = sw->flows_size ? sw->flows_size * 2 : 16;
	struct flow_stats *flows;

	if (sw->n_flows < sw->flows_size)
		return true;
	flows = realloc(sw->flows, size * sizeof(*flows));
	if (!flows)
		return false;
	sw->flows = flows;
	sw->flows_size = size;
	return true;
}

static void changed(struct fake_switch *sw, enum ofp_flow_event event, const struct flow_stats *flow)
{
	struct flow_stats borrowed = *flow;

	if (sw->watched && sw->server)
		ofp_server_flow_changed(sw->server, event, &borrowed, NULL, OFPRR_DELETE);
}

static enum ofp_error add_flow(struct fake_switch *sw, const struct flow_mod *fm)
{
	uint8_t table_id = fm->table_id == TABLE_ALL ? 0 : fm->table_id;
	struct flow_stats *fs = NULL;

	for (unsigned i = 0; i < sw->n_flows && !fs; i++) {
		if (sw->flows[i].table_id == table_id && sw->flows[i].priority == fm->priority &&
		    match_equal(&sw->flows[i].match, &fm->match))
			fs = &sw->flows[i];
	}
	if (fs)
		action_list_free(&fs->actions);
	else if (sw->n_flows == FLOWS_MAX || !room_for_flow(sw))
		return OFPFMFC_TABLE_FULL;
	else
		fs = &sw->flows[sw->n_flows++];
	*fs = (struct flow_stats){.table_id = table_id,
	                          .priority = fm->priority,
	                          .cookie = fm->cookie,
	                          .duration_ns = 1234000000,
	                          .idle_timeout = fm->idle_timeout,
	                          .hard_timeout = fm->hard_timeout,
	                          .importance = fm->importance,
	                          .flags = fm->flags,
	                          .born = sw->changes + 1,
	                          .changed = sw->changes + 1,
	                          .n_packets = 7,
	                          .n_bytes = 420,
	                          .match = fm->match};
	sw->changes++;
	action_list_copy(&fs->actions, &fm->actions);
	changed(sw, OFP_FLOW_ADDED, fs);
	return OFP_OK;
}

static void change_flows(struct fake_switch *sw, const struct flow_mod *fm)
{
	bool strict = fm->command == FLOW_MODIFY_STRICT || fm->command == FLOW_DELETE_STRICT;
	bool is_delete = fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT;
	struct flow_filter f = {fm->table_id,     fm->out_port,    fm->out_group,
	                        fm->match_cookie, fm->cookie_mask, fm->match};

	for (unsigned i = 0; i < sw->n_flows;) {
		struct flow_stats *fs = &sw->flows[i];

		if (!selected(fs, &f) ||
		    (strict && (fs->priority != fm->priority || !match_equal(&fs->match, &fm->match)))) {
			i++;
			continue;
		}
		if (is_delete)
			changed(sw, OFP_FLOW_REMOVED, fs);
		action_list_free(&fs->actions);
		if (!is_delete) {
			action_list_copy(&fs->actions, &fm->actions);
			fs->changed = ++sw->changes;
			changed(sw, OFP_FLOW_MODIFIED, fs);
			i++;
			continue;
		}
		if (fs->flags & FLOW_SEND_REM && sw->server) {
			struct flow_stats gone = *fs;

			ofp_server_flow_removed(sw->server, &gone, OFPRR_DELETE);
		}
		*fs = sw->flows[--sw->n_flows];
	}
}

static enum ofp_error change_group(struct fake_switch *sw, const struct group_mod *gm)
{
	unsigned i = 0;

	while (i < sw->n_groups && sw->groups[i].group_id != gm->group_id)
		i++;
	if (gm->command == GROUP_DELETE) {
		for (unsigned k = sw->n_groups; k-- > 0;) {
			if (gm->group_id != GROUP_ALL && k != i)
				continue;
			group_mod_free(&sw->groups[k]);
			sw->groups[k] = sw->groups[--sw->n_groups];
		}
		return OFP_OK;
	}
	if (gm->command == GROUP_ADD && i < sw->n_groups)
		return OFPGMFC_GROUP_EXISTS;
	if (gm->command == GROUP_MODIFY && i == sw->n_groups)
		return OFPGMFC_UNKNOWN_GROUP;
	if (i == GROUPS_MAX)
		return OFPGMFC_OUT_OF_GROUPS;
	if (i < sw->n_groups)
		group_mod_free(&sw->groups[i]);
	else
		sw->n_groups++;
	return group_mod_copy(&sw->groups[i], gm) ? OFPGMFC_OUT_OF_GROUPS : OFP_OK;
}

/* Priority 666 is refused, before anything of the same change is done. */
static enum ofp_error apply(void *ctx, const struct ofp_change *changes, unsigned n, unsigned *failed)
{
	struct fake_switch *sw = ctx;

	for (unsigned i = 0; i < n; i++) {
		if (changes[i].kind == OFP_CHANGE_FLOW && changes[i].flow->command == FLOW_ADD &&
		    changes[i].flow->priority == REFUSED_PRIORITY) {
			*failed = i;
			return OFPFMFC_EPERM;
		}
	}
	for (unsigned i = 0; i < n; i++) {
		enum ofp_error error = OFP_OK;

		if (changes[i].kind == OFP_CHANGE_GROUP)
			error = change_group(sw, changes[i].group);
		else if (changes[i].kind == OFP_CHANGE_FLOW && changes[i].flow->command == FLOW_ADD)
			error = add_flow(sw, changes[i].flow);
		else if (changes[i].kind == OFP_CHANGE_FLOW)
			change_flows(sw, changes[i].flow);
		*failed = i;
		if (error)
			return error;
	}
	if (sw->watched && sw->server)
		ofp_server_change_done(sw->server);
	return OFP_OK;
}

struct ofp_dump {
	struct flow_filter filter;
	unsigned at;
};

static struct ofp_dump *flow_dump_open(void *ctx, const struct flow_filter *filter)
{
	struct ofp_dump *d = calloc(1, sizeof(*d));

	if (d)
		d->filter = *filter;
	return d;
}

static int flow_dump_next(void *ctx, struct ofp_dump *d, struct flow_stats *out)
{
	struct fake_switch *sw = ctx;

	while (d->at < sw->n_flows && !selected(&sw->flows[d->at], &d->filter))
		d->at++;
	if (d->at >= sw->n_flows)
		return 0;
	*out = sw->flows[d->at++];
	return 1;
}

static void flow_dump_close(void *ctx, struct ofp_dump *d)
{
	free(d);
}

static void aggregate(void *ctx, const struct flow_filter *filter, struct ofp_aggregate *out)
{
	struct fake_switch *sw = ctx;

	for (unsigned i = 0; i < sw->n_flows; i++) {
		if (!selected(&sw->flows[i], filter))
			continue;
		out->flows++;
		out->packets += sw->flows[i].n_packets;
		out->bytes += sw->flows[i].n_bytes;
	}
}

/* ---- groups and the rest ---- */

static const struct group_mod *group_next(void *ctx, uint32_t from, struct group_stats *stats)
{
	struct fake_switch *sw = ctx;
	const struct group_mod *best = NULL;

	for (unsigned i = 0; i < sw->n_groups; i++) {
		if (sw->groups[i].group_id >= from && (!best || sw->groups[i].group_id < best->group_id))
			best = &sw->groups[i];
	}
	if (best && stats) {
		*stats = (struct group_stats){.group_id = best->group_id, .ref_count = 1, .n_packets = 5};
		stats->n_buckets = best->n_buckets;
		stats->buckets = calloc(best->n_buckets + 1, sizeof(*stats->buckets));
	}
	return best;
}

static void watch_flows(void *ctx, bool on)
{
	((struct fake_switch *)ctx)->watched = on;
}

static void group_features(void *ctx, struct ofp_group_features *out)
{
	*out = (struct ofp_group_features){.types = 15, .capabilities = 1, .max_groups = {16, 16, 16, 16}};
}

static void meter_features(void *ctx, struct ofp_meter_features *out)
{
	memset(out, 0, sizeof(*out));
}

static enum ofp_error packet_out(void *ctx, const struct ofp_packet_out *packet)
{
	struct fake_switch *sw = ctx;

	sw->packets_out++;
	return OFP_OK;
}

static enum ofp_error resume(void *ctx, const struct ofp_resume *packet)
{
	struct fake_switch *sw = ctx;

	sw->resumed++;
	return OFP_OK;
}

static enum ofp_error ct_flush(void *ctx, const struct ct_flush *what)
{
	struct fake_switch *sw = ctx;

	sw->last_flush = *what;
	sw->flushed++;
	return OFP_OK;
}

static void set_standalone(void *ctx, bool on)
{
	struct fake_switch *sw = ctx;

	sw->standalone = on;
}

static uint16_t frag_mode(void *ctx)
{
	return ((struct fake_switch *)ctx)->frag_mode;
}

static enum ofp_error set_frag_mode(void *ctx, uint16_t mode)
{
	((struct fake_switch *)ctx)->frag_mode = mode;
	return OFP_OK;
}

static void fold_stats(void *ctx, ofp_done done, void *arg)
{
	done(arg);
}

static void on_later(uv_idle_t *idle)
{
	struct fake_switch *sw = idle->data;
	unsigned n = sw->n_barriers;

	uv_idle_stop(idle);
	sw->n_barriers = 0;
	for (unsigned i = 0; i < n; i++)
		sw->barriers[i].done(sw->barriers[i].arg);
}

static void barrier(void *ctx, ofp_done done, void *arg)
{
	struct fake_switch *sw = ctx;

	if (sw->n_barriers == BARRIERS_MAX) {
		done(arg);
		return;
	}
	sw->barriers[sw->n_barriers].done = done;
	sw->barriers[sw->n_barriers++].arg = arg;
	uv_idle_start(&sw->later, on_later);
}

static void tell_misses(void *ctx, bool on)
{
}

const struct ofp_switch_ops fake_switch_ops = {
        .datapath_id = datapath_id,
        .desc = desc,
        .port_next = port_next,
        .port_mod = port_mod,
        .table_count = table_count,
        .table_max_entries = table_max_entries,
        .table_name = table_name,
        .table_stats = table_stats,
        .apply = apply,
        .barrier = barrier,
        .fold_stats = fold_stats,
        .flow_dump_open = flow_dump_open,
        .flow_dump_next = flow_dump_next,
        .flow_dump_close = flow_dump_close,
        .aggregate = aggregate,
        .watch_flows = watch_flows,
        .tell_misses = tell_misses,
        .group_next = group_next,
        .group_features = group_features,
        .meter_features = meter_features,
        .packet_out = packet_out,
        .resume = resume,
        .ct_flush = ct_flush,
        .set_standalone = set_standalone,
        .frag_mode = frag_mode,
        .set_frag_mode = set_frag_mode,
};

struct fake_switch *fake_switch_new(uv_loop_t *loop)
{
	struct fake_switch *sw = calloc(1, sizeof(*sw));

	if (!sw)
		abort();
	sw->loop = loop;
	uv_idle_init(loop, &sw->later);
	sw->later.data = sw;
	return sw;
}

void fake_switch_tell(struct fake_switch *sw, struct ofp_server *server)
{
	sw->server = server;
}

static void on_freed(uv_handle_t *handle)
{
	struct fake_switch *sw = handle->data;

	for (unsigned i = 0; i < sw->n_flows; i++)
		action_list_free(&sw->flows[i].actions);
	for (unsigned i = 0; i < sw->n_groups; i++)
		group_mod_free(&sw->groups[i]);
	free(sw->flows);
	free(sw);
}

void fake_switch_free(struct fake_switch *sw)
{
	on_later(&sw->later);
	uv_close((uv_handle_t *)&sw->later, on_freed);
}

/* ---- the thread ---- */

static void on_stop(uv_async_t *async)
{
	struct fake_switch *sw = async->data;

	on_later(&sw->later);
	uv_close((uv_handle_t *)&sw->stop, NULL);
	uv_close((uv_handle_t *)&sw->packet_in, NULL);
	uv_close((uv_handle_t *)&sw->later, NULL);
	ofp_server_close(sw->server, NULL, NULL);
}

void fake_switch_report(struct ofp_server *server)
{
	static const uint8_t frame[100] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
	struct flow_key key = {.in_port = 1, .metadata = htobe64(5), .regs = {[3] = 9}};
	struct ofp_packet_in in = {
	        .reason = OFPR_ACTION,
	        .table_id = 3,
	        .cookie = 0x77,
	        .key = &key,
	        .data = frame,
	        .len = sizeof(frame),
	        .total_len = sizeof(frame),
	        .userdata = (const uint8_t *)"weft",
	        .userdata_len = 4,
	};

	ofp_server_packet_in(server, &in);
}

static void on_packet_in(uv_async_t *async)
{
	struct fake_switch *sw = async->data;

	fake_switch_report(sw->server);
}

static void run(void *arg)
{
	struct fake_switch *sw = arg;

	uv_run(sw->loop, UV_RUN_DEFAULT);
}

struct fake_switch *fake_switch_start(const char *path)
{
	struct fake_switch *sw = calloc(1, sizeof(*sw));
	struct error e;

	signal(SIGPIPE, SIG_IGN); /* as every user of libuv must */
	if (!sw || uv_loop_init(&sw->own_loop))
		abort();
	sw->loop = &sw->own_loop;
	uv_idle_init(sw->loop, &sw->later);
	uv_async_init(sw->loop, &sw->stop, on_stop);
	uv_async_init(sw->loop, &sw->packet_in, on_packet_in);
	sw->later.data = sw->stop.data = sw->packet_in.data = sw;
	sw->server = ofp_server_create(sw->loop, &fake_switch_ops, sw);
	if (!sw->server || ofp_server_listen_unix(sw->server, path, &e) ||
	    uv_thread_create(&sw->thread, run, sw))
		abort();
	return sw;
}

void fake_switch_stop(struct fake_switch *sw)
{
	uv_async_send(&sw->stop);
	uv_thread_join(&sw->thread);
	if (uv_loop_close(&sw->own_loop))
		abort();
	on_freed(&(uv_handle_t){.data = sw});
}

void fake_switch_packet_in(struct fake_switch *sw)
{
	uv_async_send(&sw->packet_in);
}

unsigned fake_switch_flushed(const struct fake_switch *sw, struct ct_flush *last)
{
	*last = sw->last_flush;
	return sw->flushed;
}

bool fake_switch_is_standalone(const struct fake_switch *sw)
{
	return sw->standalone;
}
