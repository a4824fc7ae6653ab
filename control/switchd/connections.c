/* SPDX-License-Identifier: Apache-2.0 */
/* Tracked connections as JSON. Called by methods.c. */
#include "control/switchd/connections.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "control/switchd/switchd.h"

enum { LIST_DEFAULT = 10000, LIST_MAX = 100000, LABEL_TEXT_MAX = 2 + 32 + 1 };

/* 0, or -EINVAL. `value` stays when the member is not there. */
static int number_param(json_t *params, const char *key, json_int_t max, json_int_t *value, struct error *e)
{
	json_t *number = json_object_get(params, key);

	if (!number)
		return 0;
	if (!json_is_integer(number) || json_integer_value(number) < 0 || json_integer_value(number) > max)
		return error_set(e, EINVAL, "%s: expected 0 to %lld", key, (long long)max);
	*value = json_integer_value(number);
	return 0;
}

static int read_filter(json_t *params, struct ct_filter *filter, struct error *e)
{
	json_int_t zone = -1;
	int rc = number_param(params, "zone", UINT16_MAX, &zone, e);

	*filter = (struct ct_filter){.by_zone = zone >= 0, .zone = (uint16_t)zone};
	return rc;
}

static const char *proto_name(const struct ct_tuple *t, char text[4])
{
	switch (t->proto) {
	case IP_PROTO_TCP:
		return "tcp";
	case IP_PROTO_UDP:
		return "udp";
	case IP_PROTO_SCTP:
		return "sctp";
	case IP_PROTO_ICMP:
		return "icmp";
	case IP_PROTO_ICMPV6:
		return "icmpv6";
	default:
		snprintf(text, 4, "%u", t->proto);
		return text;
	}
}

/* The addresses and what tells connections of the protocol apart, under names that begin with `prefix`. */
static void add_tuple(json_t *row, const char *prefix, const struct ct_tuple *t)
{
	bool icmp = t->proto == IP_PROTO_ICMP || t->proto == IP_PROTO_ICMPV6;
	char name[32], text[IP_TEXT_MAX];

	snprintf(name, sizeof(name), "%ssrc", prefix);
	json_object_set_new(row, name, json_string(ip_format(&t->src, text)));
	snprintf(name, sizeof(name), "%sdst", prefix);
	json_object_set_new(row, name, json_string(ip_format(&t->dst, text)));
	if (!t->tp_src && !t->tp_dst)
		return;
	snprintf(name, sizeof(name), "%s%s", prefix, icmp ? "id" : "sport");
	json_object_set_new(row, name, json_integer(be16toh(t->tp_src)));
	snprintf(name, sizeof(name), "%s%s", prefix, icmp ? "type" : "dport");
	json_object_set_new(row, name, json_integer(icmp ? be16toh(t->tp_dst) >> 8 : be16toh(t->tp_dst)));
}

static json_t *entry_json(const struct ct_entry *c)
{
	char proto[4], label[LABEL_TEXT_MAX] = "0x";
	json_t *row = json_pack("{s:s}", "proto", proto_name(&c->orig, proto));
	bool labelled = false;

	add_tuple(row, "", &c->orig);
	add_tuple(row, "reply_", &c->reply);
	for (unsigned i = 0; i < sizeof(c->label); i++) {
		snprintf(label + 2 + 2 * i, 3, "%02x", c->label[i]);
		labelled |= c->label[i] != 0;
	}
	json_object_set_new(row, "zone", json_integer(c->zone));
	json_object_set_new(row, "state", json_string(c->state));
	json_object_set_new(row, "timeout", json_integer(c->timeout));
	if (c->mark)
		json_object_set_new(row, "mark", json_integer(c->mark));
	if (labelled)
		json_object_set_new(row, "label", json_string(label));
	if (c->helper)
		json_object_set_new(row, "helper", json_string(c->helper));
	return row;
}

struct listing {
	json_t *rows;
	size_t max;
	json_int_t more;
};

static bool list_one(void *arg, const struct ct_entry *entry)
{
	struct listing *l = arg;

	if (json_array_size(l->rows) < l->max)
		json_array_append_new(l->rows, entry_json(entry));
	else
		l->more++;
	return true;
}

int connections_rpc_list(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	json_int_t limit = LIST_DEFAULT;
	struct ct_filter filter;
	struct listing l = {0};
	int rc = read_filter(params, &filter, e);

	if (!rc)
		rc = number_param(params, "limit", LIST_MAX, &limit, e);
	if (rc)
		return rc;
	l.rows = json_array();
	l.max = (size_t)limit;
	conntrack_dump(datapath_ct(s->datapath), clock_now(), &filter, list_one, &l);
	*result = json_pack("{s:o, s:I}", "connections", l.rows, "more", l.more);
	return 0;
}

int connections_rpc_flush(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	struct ct_filter filter;
	int rc = read_filter(params, &filter, e);

	if (!rc)
		*result = json_pack("{s:I}", "flushed",
		                    (json_int_t)conntrack_flush(datapath_ct(s->datapath), &filter));
	return rc;
}

int connections_rpc_stats(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	struct conntrack_stats st;

	conntrack_get_stats(datapath_ct(s->datapath), &st);
	*result = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	                    "connections", (json_int_t)st.connections, "max", (json_int_t)st.max, "commits",
	                    (json_int_t)st.commits, "expired", (json_int_t)st.expired, "replaced",
	                    (json_int_t)st.replaced, "flushed", (json_int_t)st.flushed, "evicted",
	                    (json_int_t)st.evicted, "full", (json_int_t)st.full, "zone_full",
	                    (json_int_t)st.zone_full, "nat_exhausted", (json_int_t)st.nat_exhausted,
	                    "invalid", (json_int_t)st.invalid, "lost", (json_int_t)st.lost, "expected",
	                    (json_int_t)st.expected, "announced", (json_int_t)st.announced, "displaced",
	                    (json_int_t)st.displaced, "unread", (json_int_t)st.unread);
	return 0;
}
