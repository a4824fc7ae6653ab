/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of weft-ofctl as JSON (-o json). Called by the commands that dump. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "control/cli/ofctl.h"
#include "control/cli/ofctl_print.h"

struct dump {
	struct ofctl *ctl;
	json_t *array; /* of entries, or NULL */
	json_t *object;
};

static void set_text(json_t *object, const char *key, struct text *t)
{
	json_object_set_new(object, key, json_string(text_get(t)));
	text_free(t);
}

static json_t *flow_to_json(struct ofctl *ctl, const struct flow_stats *fs)
{
	struct text match = {0}, actions = {0};
	json_t *o = json_object();
	char cookie[24];

	snprintf(cookie, sizeof(cookie), "0x%llx", (unsigned long long)fs->cookie);
	json_object_set_new(o, "table", json_integer(fs->table_id));
	json_object_set_new(o, "priority", json_integer(fs->priority));
	json_object_set_new(o, "cookie", json_string(cookie));
	json_object_set_new(o, "idle_timeout", json_integer(fs->idle_timeout));
	json_object_set_new(o, "hard_timeout", json_integer(fs->hard_timeout));
	json_object_set_new(o, "flags", json_integer(fs->flags));
	if (ctl->show_stats) {
		json_object_set_new(o, "duration", json_real((double)fs->duration_ns / 1e9));
		json_object_set_new(o, "n_packets", json_integer((json_int_t)fs->n_packets));
		json_object_set_new(o, "n_bytes", json_integer((json_int_t)fs->n_bytes));
	}
	match_format(&match, &fs->match, PRIORITY_DEFAULT, ofctl_print_names(ctl));
	actions_format(&actions, &fs->actions, ofctl_print_names(ctl));
	set_text(o, "match", &match);
	set_text(o, "actions", &actions);
	return o;
}

static int add_flows(struct ofp_reader *r, void *arg, struct error *e)
{
	struct dump *d = arg;
	struct flow_stats fs;
	int rc;

	while ((rc = reply_flow(r, &fs, e)) > 0) {
		json_array_append_new(d->array, flow_to_json(d->ctl, &fs));
		flow_stats_free(&fs);
	}
	return rc;
}

static int add_aggregate(struct ofp_reader *r, void *arg, struct error *e)
{
	struct ofp_aggregate sum;
	struct dump *d = arg;
	int rc = reply_aggregate(r, &sum, e);

	if (rc > 0)
		d->object = json_pack("{s:I,s:I,s:I}", "n_packets", (json_int_t)sum.packets, "n_bytes",
		                      (json_int_t)sum.bytes, "n_flows", (json_int_t)sum.flows);
	return rc < 0 ? rc : 0;
}

static json_t *group_to_json(struct ofctl *ctl, const struct group_mod *gm)
{
	static const char *const types[] = {"all", "select", "indirect", "ff"};
	json_t *buckets = json_array();

	for (unsigned i = 0; i < gm->n_buckets; i++) {
		struct text actions = {0};

		actions_format(&actions, &gm->buckets[i].actions, ofctl_print_names(ctl));
		json_array_append_new(buckets,
		                      json_pack("{s:I,s:s}", "weight", (json_int_t)gm->buckets[i].weight,
		                                "actions", text_get(&actions)));
		text_free(&actions);
	}
	return json_pack("{s:I,s:s,s:o}", "group_id", (json_int_t)gm->group_id, "type", types[gm->type],
	                 "buckets", buckets);
}

static int add_groups(struct ofp_reader *r, void *arg, struct error *e)
{
	struct dump *d = arg;
	struct group_mod gm;
	int rc;

	while ((rc = reply_group(r, &gm, e)) > 0) {
		if (d->ctl->only == OFPG_ANY || d->ctl->only == gm.group_id)
			json_array_append_new(d->array, group_to_json(d->ctl, &gm));
		group_mod_free(&gm);
	}
	return rc;
}

static json_t *group_stats_to_json(const struct group_stats *gs)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < gs->n_buckets; i++)
		json_array_append_new(buckets, json_pack("{s:I,s:I}", "n_packets",
		                                         (json_int_t)gs->buckets[i].n_packets, "n_bytes",
		                                         (json_int_t)gs->buckets[i].n_bytes));
	return json_pack("{s:I,s:f,s:I,s:I,s:I,s:o}", "group_id", (json_int_t)gs->group_id, "duration",
	                 (double)gs->duration_ns / 1e9, "ref_count", (json_int_t)gs->ref_count, "n_packets",
	                 (json_int_t)gs->n_packets, "n_bytes", (json_int_t)gs->n_bytes, "buckets", buckets);
}

static int add_group_stats(struct ofp_reader *r, void *arg, struct error *e)
{
	struct dump *d = arg;
	struct group_stats gs;
	int rc;

	while ((rc = reply_group_stats(r, &gs, e)) > 0) {
		json_array_append_new(d->array, group_stats_to_json(&gs));
		group_stats_free(&gs);
	}
	return rc;
}

static json_t *bits_to_json(uint32_t bits, const struct bit_name *names)
{
	json_t *a = json_array();

	for (; names->name; names++) {
		if (bits & names->bit)
			json_array_append_new(a, json_string(names->name));
	}
	return a;
}

static json_t *port_to_json(const struct ofp_port *p)
{
	char mac[MAC_TEXT_MAX];

	return json_pack("{s:I,s:s,s:s,s:o,s:o,s:I,s:I}", "port", (json_int_t)p->port_no, "name", p->name,
	                 "mac", mac_format(p->hw_addr, mac), "config",
	                 bits_to_json(p->config, port_config_names), "state",
	                 bits_to_json(p->state, port_state_names), "speed_kbps", (json_int_t)p->curr_speed,
	                 "max_speed_kbps", (json_int_t)p->max_speed);
}

static int add_ports(struct ofp_reader *r, void *arg, struct error *e)
{
	struct dump *d = arg;
	struct ofp_port port;
	int rc;

	while ((rc = reply_port(r, &port, e)) > 0) {
		if (d->ctl->only == OFPP_ANY || d->ctl->only == port.port_no)
			json_array_append_new(d->array, port_to_json(&port));
	}
	return rc;
}

static json_t *port_stats_to_json(uint32_t port, const struct ofp_port_stats *s)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f}", "port", (json_int_t)port, "rx_packets",
	                 (json_int_t)s->rx_packets, "rx_bytes", (json_int_t)s->rx_bytes, "rx_dropped",
	                 (json_int_t)s->rx_dropped, "rx_errors", (json_int_t)s->rx_errors, "tx_packets",
	                 (json_int_t)s->tx_packets, "tx_bytes", (json_int_t)s->tx_bytes, "tx_dropped",
	                 (json_int_t)s->tx_dropped, "tx_errors", (json_int_t)s->tx_errors, "duration",
	                 (double)s->duration_ns / 1e9);
}

static int add_port_stats(struct ofp_reader *r, void *arg, struct error *e)
{
	struct dump *d = arg;
	struct ofp_port_stats s;
	uint32_t port;
	int rc;

	while ((rc = reply_port_stats(r, &port, &s, e)) > 0)
		json_array_append_new(d->array, port_stats_to_json(port, &s));
	return rc;
}

static int add_tables(struct ofp_reader *r, void *arg, struct error *e)
{
	struct dump *d = arg;
	struct ofp_table_stats s;
	uint8_t id;
	int rc;

	while ((rc = reply_table_stats(r, &id, &s, e)) > 0)
		json_array_append_new(d->array, json_pack("{s:I,s:I,s:I,s:I}", "table", (json_int_t)id,
		                                          "active", (json_int_t)s.active_count, "lookup",
		                                          (json_int_t)s.lookup_count, "matched",
		                                          (json_int_t)s.matched_count));
	return rc;
}

int ofctl_dump_json(struct ofctl *ctl, enum ofp_multipart type, struct ofp_writer *w)
{
	static int (*const kinds[])(struct ofp_reader * r, void *arg, struct error *e) = {
	        [OFPMP_FLOW] = add_flows,        [OFPMP_AGGREGATE] = add_aggregate,
	        [OFPMP_TABLE] = add_tables,      [OFPMP_PORT_STATS] = add_port_stats,
	        [OFPMP_GROUP] = add_group_stats, [OFPMP_GROUP_DESC] = add_groups,
	        [OFPMP_PORT_DESC] = add_ports,
	};
	struct dump d = {.ctl = ctl};
	json_t *value;
	int rc;

	if (type >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[type]) {
		ofp_writer_free(w);
		return ofctl_fail("-o json: this command prints text only");
	}
	d.array = json_array();
	rc = ofctl_multipart(ctl, w, kinds[type], &d);
	value = d.object ? d.object : d.array;
	if (!rc && json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER))
		rc = ofctl_fail("writing JSON failed");
	if (!rc)
		putchar('\n');
	json_decref(d.array);
	json_decref(d.object);
	return rc;
}
