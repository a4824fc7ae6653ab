/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: showing flows. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"
#include "control/cli/ofctl_json.h"

struct dump {
	struct ofctl *ctl;
	json_t *array; /* NULL: text */
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

static int show_flows(struct ofp_reader *r, void *arg, struct error *e)
{
	struct dump *d = arg;
	struct flow_stats fs;
	int rc;

	while ((rc = reply_flow(r, &fs, e)) > 0) {
		if (d->array) {
			json_array_append_new(d->array, flow_to_json(d->ctl, &fs));
		} else {
			struct text out = {0};

			flow_stats_format(&out, &fs, d->ctl->show_stats, ofctl_print_names(d->ctl));
			puts(text_get(&out));
			text_free(&out);
		}
		flow_stats_free(&fs);
	}
	return rc;
}

static int filtered(struct ofctl *ctl, int argc, char **argv, enum ofp_multipart type, struct ofp_writer *w)
{
	struct flow_filter filter;
	int rc = ofctl_connect(ctl, argv[1]);

	if (rc)
		return rc;
	if (flow_filter_parse(argc > 2 ? argv[2] : "", &ctl->names, &filter, &ctl->err))
		return ofctl_fail("flow: %s", ctl->err.text);
	request_flows(w, type, &filter);
	return 0;
}

int ofctl_dump_flows(struct ofctl *ctl, int argc, char **argv)
{
	struct dump d = {.ctl = ctl, .array = ctl->json ? json_array() : NULL};
	struct ofp_writer w = {0};
	int rc = filtered(ctl, argc, argv, OFPMP_FLOW, &w);

	if (!rc)
		rc = ofctl_multipart(ctl, &w, show_flows, &d);
	return ofctl_print_json(d.array, rc);
}

static int take_aggregate(struct ofp_reader *r, void *arg, struct error *e)
{
	int rc = reply_aggregate(r, arg, e);

	return rc < 0 ? rc : 0;
}

int ofctl_dump_aggregate(struct ofctl *ctl, int argc, char **argv)
{
	struct ofp_aggregate sum = {0};
	struct ofp_writer w = {0};
	json_t *o = NULL;
	int rc = filtered(ctl, argc, argv, OFPMP_AGGREGATE, &w);

	if (!rc)
		rc = ofctl_multipart(ctl, &w, take_aggregate, &sum);
	if (rc)
		return rc;
	if (ctl->json)
		o = json_pack("{s:I,s:I,s:I}", "n_packets", (json_int_t)sum.packets, "n_bytes",
		              (json_int_t)sum.bytes, "n_flows", (json_int_t)sum.flows);
	else
		printf("OFPST_AGGREGATE reply (OF1.3) (xid=0x2): packet_count=%llu byte_count=%llu "
		       "flow_count=%u\n",
		       (unsigned long long)sum.packets, (unsigned long long)sum.bytes, sum.flows);
	return ofctl_print_json(o, rc);
}
