/* SPDX-License-Identifier: Apache-2.0 */
/* A switch without a datapath. See the header. */
#include "tests/lib/plain_switch.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/error.h"
#include "control/openflow/server.h"
#include "flows/flow_mod.h"
#include "flows/group.h"

enum { FLOWS_MAX = 200000, GROUPS_MAX = 64 };

struct plain_switch {
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t stop;
	struct ofp_server *server;
	struct flow_mod *flows;
	size_t n_flows;
	struct group_mod groups[GROUPS_MAX];
	unsigned n_groups;
	size_t last_packet;
};

struct ofp_dump {
	struct flow_filter filter;
	size_t next;
};

/* ---- flows ---- */

static bool same_place(const struct flow_mod *a, const struct flow_mod *b)
{
	return a->table_id == b->table_id && a->priority == b->priority && match_equal(&a->match, &b->match);
}

static bool selected(const struct flow_filter *f, const struct flow_mod *fm)
{
	return (f->table_id == TABLE_ALL || f->table_id == fm->table_id) &&
	       (fm->cookie & f->cookie_mask) == (f->cookie & f->cookie_mask) &&
	       match_covers(&f->match, &fm->match) &&
	       (f->out_port == PORT_ANY || action_list_outputs_to(&fm->actions, f->out_port)) &&
	       (f->out_group == GROUP_ANY || action_list_uses_group(&fm->actions, f->out_group));
}

static void add_flow(struct plain_switch *s, const struct flow_mod *fm)
{
	struct flow_mod copy;

	cr_assert_eq(flow_mod_copy(&copy, fm), 0);
	if (copy.table_id == TABLE_ALL)
		copy.table_id = 0;
	for (size_t i = 0; i < s->n_flows && s->n_flows < 1000; i++) {
		if (same_place(&s->flows[i], &copy)) {
			flow_mod_free(&s->flows[i]);
			s->flows[i] = copy;
			return;
		}
	}
	cr_assert_lt(s->n_flows, FLOWS_MAX);
	s->flows[s->n_flows++] = copy;
}

static void change_flows(struct plain_switch *s, const struct flow_mod *fm)
{
	bool strict = fm->command == FLOW_MODIFY_STRICT || fm->command == FLOW_DELETE_STRICT;
	bool deletes = fm->command >= FLOW_DELETE;
	struct flow_filter f = {.table_id = fm->table_id,
	                        .out_port = fm->out_port,
	                        .out_group = fm->out_group,
	                        .cookie = fm->match_cookie,
	                        .cookie_mask = fm->cookie_mask,
	                        .match = fm->match};
	size_t kept = 0;

	for (size_t i = 0; i < s->n_flows; i++) {
		struct flow_mod *here = &s->flows[i];
		bool hit = selected(&f, here) && (!strict || (here->priority == fm->priority &&
		                                              match_equal(&here->match, &fm->match)));

		if (hit) {
			action_list_free(&here->actions);
			if (deletes)
				continue;
			cr_assert_eq(action_list_copy(&here->actions, &fm->actions), 0);
		}
		s->flows[kept++] = *here;
	}
	s->n_flows = kept;
}

static struct ofp_dump *dump_open(void *ctx, const struct flow_filter *filter)
{
	struct ofp_dump *d = calloc(1, sizeof(*d));

	cr_assert_not_null(d);
	d->filter = *filter;
	return d;
}

static int dump_next(void *ctx, struct ofp_dump *d, struct flow_stats *out)
{
	struct plain_switch *s = ctx;

	while (d->next < s->n_flows) {
		const struct flow_mod *fm = &s->flows[d->next++];

		if (!selected(&d->filter, fm))
			continue;
		*out = (struct flow_stats){.table_id = fm->table_id,
		                           .priority = fm->priority,
		                           .cookie = fm->cookie,
		                           .duration_ns = 1500000000,
		                           .idle_timeout = fm->idle_timeout,
		                           .hard_timeout = fm->hard_timeout,
		                           .flags = fm->flags,
		                           .idle_age = -1,
		                           .hard_age = -1,
		                           .n_packets = 3,
		                           .n_bytes = 180,
		                           .match = fm->match,
		                           .actions = fm->actions};
		return 1;
	}
	return 0;
}

static void dump_close(void *ctx, struct ofp_dump *d)
{
	free(d);
}

static void aggregate(void *ctx, const struct flow_filter *filter, struct ofp_aggregate *out)
{
	struct plain_switch *s = ctx;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < s->n_flows; i++)
		out->flows += selected(filter, &s->flows[i]);
	out->packets = out->flows * 3ull;
	out->bytes = out->flows * 180ull;
}

/* ---- groups ---- */

static enum ofp_error change_group(struct plain_switch *s, const struct group_mod *gm)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->n_groups; i++) {
		bool hit = gm->group_id == GROUP_ALL || s->groups[i].group_id == gm->group_id;

		if (hit && gm->command == GROUP_ADD)
			return OFPGMFC_GROUP_EXISTS;
		if (hit)
			group_mod_free(&s->groups[i]);
		else
			s->groups[kept++] = s->groups[i];
	}
	s->n_groups = kept;
	if (gm->command == GROUP_DELETE)
		return OFP_OK;
	if (s->n_groups == GROUPS_MAX)
		return OFPGMFC_OUT_OF_GROUPS;
	cr_assert_eq(group_mod_copy(&s->groups[s->n_groups++], gm), 0);
	return OFP_OK;
}

static const struct group_mod *group_next(void *ctx, uint32_t from, struct group_stats *stats)
{
	struct plain_switch *s = ctx;
	const struct group_mod *best = NULL;

	for (unsigned i = 0; i < s->n_groups; i++) {
		if (s->groups[i].group_id >= from && (!best || s->groups[i].group_id < best->group_id))
			best = &s->groups[i];
	}
	if (best && stats) {
		*stats = (struct group_stats){.group_id = best->group_id,
		                              .ref_count = 1,
		                              .n_packets = 5,
		                              .n_bytes = 300,
		                              .duration_ns = 2000000000,
		                              .n_buckets = best->n_buckets};
		stats->buckets = calloc(best->n_buckets + 1, sizeof(*stats->buckets));
		cr_assert_not_null(stats->buckets);
	}
	return best;
}

static void group_features(void *ctx, struct ofp_group_features *out)
{
	*out = (struct ofp_group_features){.types = 0xf, .max_groups = {64, 64, 64, 64}};
}

/* ---- the rest ---- */

static enum ofp_error apply(void *ctx, const struct ofp_change *changes, unsigned n, unsigned *failed)
{
	struct plain_switch *s = ctx;

	for (unsigned i = 0; i < n; i++) {
		enum ofp_error error = OFP_OK;

		if (changes[i].kind == OFP_CHANGE_GROUP)
			error = change_group(s, changes[i].group);
		else if (changes[i].flow->table_id == 99)
			error = OFPFMFC_EPERM;
		else if (changes[i].flow->command == FLOW_ADD)
			add_flow(s, changes[i].flow);
		else
			change_flows(s, changes[i].flow);
		*failed = i;
		if (error)
			return error;
	}
	return OFP_OK;
}

static uint64_t datapath_id(void *ctx)
{
	return 0x1234;
}

static const struct ofp_switch_desc *desc(void *ctx)
{
	static const struct ofp_switch_desc d = {"Weft", "test", "1", "none", "br0"};

	return &d;
}

static bool port_next(void *ctx, bool first, uint32_t after, struct ofp_port *port,
                      struct ofp_port_stats *stats)
{
	static const struct {
		uint32_t number;
		const char *name;
	} ports[] = {{1, "vm1"}, {2, "vm2"}, {OFPP_LOCAL, "br0"}};

	for (unsigned i = 0; i < 3; i++) {
		if (!first && ports[i].number <= after)
			continue;
		*port = (struct ofp_port){.port_no = ports[i].number, .state = 4};
		port->hw_addr.b[5] = (uint8_t)ports[i].number;
		snprintf(port->name, sizeof(port->name), "%s", ports[i].name);
		if (stats)
			*stats = (struct ofp_port_stats){
			        .rx_packets = i, .tx_bytes = UINT64_MAX, .duration_ns = 5000000000};
		return true;
	}
	return false;
}

static enum ofp_error port_mod(void *ctx, const struct ofp_port_mod *mod)
{
	return OFPPMFC_BAD_PORT;
}

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
	snprintf(name, OFP_TABLE_NAME_MAX, "table%u", table_id);
}

static void table_stats(void *ctx, uint8_t table_id, struct ofp_table_stats *stats)
{
	struct plain_switch *s = ctx;

	memset(stats, 0, sizeof(*stats));
	for (size_t i = 0; i < s->n_flows; i++)
		stats->active_count += s->flows[i].table_id == table_id;
}

static void at_once(void *ctx, ofp_done done, void *arg)
{
	done(arg);
}

/* Nobody monitors the flows of this switch: its tests are about other things. */
static void watch_flows(void *ctx, bool on)
{
}

static void meter_features(void *ctx, struct ofp_meter_features *out)
{
	memset(out, 0, sizeof(*out));
}

static enum ofp_error packet_out(void *ctx, const struct ofp_packet_out *packet)
{
	struct plain_switch *s = ctx;

	__atomic_store_n(&s->last_packet, packet->len, __ATOMIC_RELEASE);
	return OFP_OK;
}

static void set_standalone(void *ctx, bool on)
{
}

static uint16_t frag_mode(void *ctx)
{
	return 0;
}

static enum ofp_error set_frag_mode(void *ctx, uint16_t mode)
{
	return OFP_OK;
}

static void tell_misses(void *ctx, bool on)
{
}

static const struct ofp_switch_ops ops = {
        .datapath_id = datapath_id,
        .desc = desc,
        .port_next = port_next,
        .port_mod = port_mod,
        .table_count = table_count,
        .table_max_entries = table_max_entries,
        .table_name = table_name,
        .table_stats = table_stats,
        .apply = apply,
        .barrier = at_once,
        .fold_stats = at_once,
        .flow_dump_open = dump_open,
        .flow_dump_next = dump_next,
        .flow_dump_close = dump_close,
        .aggregate = aggregate,
        .watch_flows = watch_flows,
        .tell_misses = tell_misses,
        .group_next = group_next,
        .group_features = group_features,
        .meter_features = meter_features,
        .packet_out = packet_out,
        .set_standalone = set_standalone,
        .frag_mode = frag_mode,
        .set_frag_mode = set_frag_mode,
};

static void on_stop(uv_async_t *stop)
{
	struct plain_switch *s = stop->data;

	ofp_server_close(s->server, NULL, NULL);
	uv_close((uv_handle_t *)stop, NULL);
}

static void *run(void *arg)
{
	struct plain_switch *s = arg;

	uv_run(&s->loop, UV_RUN_DEFAULT);
	return NULL;
}

struct plain_switch *plain_switch_start(const char *path)
{
	struct plain_switch *s = calloc(1, sizeof(*s));
	struct error e;

	cr_assert_not_null(s);
	s->flows = calloc(FLOWS_MAX, sizeof(*s->flows));
	cr_assert_not_null(s->flows);
	cr_assert_eq(uv_loop_init(&s->loop), 0);
	cr_assert_eq(uv_async_init(&s->loop, &s->stop, on_stop), 0);
	s->stop.data = s;
	s->server = ofp_server_create(&s->loop, &ops, s);
	cr_assert_not_null(s->server);
	cr_assert_eq(ofp_server_listen_unix(s->server, path, &e), 0, "%s", e.text);
	cr_assert_eq(pthread_create(&s->thread, NULL, run, s), 0);
	return s;
}

void plain_switch_stop(struct plain_switch *s)
{
	uv_async_send(&s->stop);
	pthread_join(s->thread, NULL);
	cr_assert_eq(uv_loop_close(&s->loop), 0);
	for (size_t i = 0; i < s->n_flows; i++)
		flow_mod_free(&s->flows[i]);
	for (unsigned i = 0; i < s->n_groups; i++)
		group_mod_free(&s->groups[i]);
	free(s->flows);
	free(s);
}

size_t plain_switch_last_packet(struct plain_switch *s)
{
	return __atomic_load_n(&s->last_packet, __ATOMIC_ACQUIRE);
}
