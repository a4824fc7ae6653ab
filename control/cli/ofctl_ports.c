/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: ports, tables and what the switch says of itself. */
#include <stdio.h>
#include <string.h>

#include "control/cli/ofctl.h"
#include "control/cli/ofctl_json.h"

int ofctl_print_json(json_t *value, int rc)
{
	if (value && !rc) {
		if (json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER))
			rc = ofctl_fail("writing JSON failed");
		putchar('\n');
	}
	json_decref(value);
	return rc;
}

struct bit_name {
	uint32_t bit;
	const char *name;
};

static const struct bit_name config_names[] = {
        {1, "PORT_DOWN"}, {4, "NO_RECV"}, {0x20, "NO_FWD"}, {0x40, "NO_PACKET_IN"}, {0, NULL}};
static const struct bit_name state_names[] = {{1, "LINK_DOWN"}, {2, "BLOCKED"}, {4, "LIVE"}, {0, NULL}};
static const struct bit_name feature_names[] = {{1, "10MB-HD"},
                                                {2, "10MB-FD"},
                                                {4, "100MB-HD"},
                                                {8, "100MB-FD"},
                                                {0x10, "1GB-HD"},
                                                {0x20, "1GB-FD"},
                                                {0x40, "10GB-FD"},
                                                {0x80, "40GB-FD"},
                                                {0x100, "100GB-FD"},
                                                {0x200, "1TB-FD"},
                                                {0x400, "OTHER"},
                                                {0x800, "COPPER"},
                                                {0x1000, "FIBER"},
                                                {0x2000, "AUTO_NEG"},
                                                {0x4000, "AUTO_PAUSE"},
                                                {0x8000, "AUTO_PAUSE_ASYM"},
                                                {0, NULL}};
static const struct bit_name capability_names[] = {
        {1, "FLOW_STATS"},  {2, "TABLE_STATS"},    {4, "PORT_STATS"},       {8, "GROUP_STATS"},
        {0x20, "IP_REASM"}, {0x40, "QUEUE_STATS"}, {0x100, "PORT_BLOCKED"}, {0, NULL}};

static void add_bits(struct text *out, uint32_t bits, const struct bit_name *names)
{
	size_t before = out->len;

	for (; names->name; names++) {
		if (bits & names->bit)
			text_add(out, "%s ", names->name);
	}
	text_chomp(out, ' ');
	if (out->len == before)
		text_add(out, "0");
}

static void print_bits(const char *label, uint32_t bits, const struct bit_name *names)
{
	struct text out = {0};

	add_bits(&out, bits, names);
	printf("     %-12s%s\n", label, text_get(&out));
	text_free(&out);
}

/* ---- descriptions of ports ---- */

static void print_port(const struct ofp_port *p)
{
	char mac[MAC_TEXT_MAX];
	struct text number = {0};

	port_format(&number, p->port_no, NULL);
	printf(" %s(%s): addr:%s\n", text_get(&number), p->name, mac_format(p->hw_addr, mac));
	text_free(&number);
	print_bits("config:", p->config, config_names);
	print_bits("state:", p->state, state_names);
	if (p->curr)
		print_bits("current:", p->curr, feature_names);
	if (p->advertised)
		print_bits("advertised:", p->advertised, feature_names);
	if (p->supported)
		print_bits("supported:", p->supported, feature_names);
	if (p->peer)
		print_bits("peer:", p->peer, feature_names);
	printf("     speed: %u Mbps now, %u Mbps max\n", p->curr_speed / 1000, p->max_speed / 1000);
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
	                 "mac", mac_format(p->hw_addr, mac), "config", bits_to_json(p->config, config_names),
	                 "state", bits_to_json(p->state, state_names), "speed_kbps",
	                 (json_int_t)p->curr_speed, "max_speed_kbps", (json_int_t)p->max_speed);
}

/* OFPP_ANY for "all of them". */
static int choose_port(struct ofctl *ctl, int argc, char **argv, uint32_t *port)
{
	*port = OFPP_ANY;
	if (argc > 2 && (port_parse(argv[2], &ctl->names, port) || *port == OFPP_ANY))
		return ofctl_fail("%s: expected a port number or name", argv[2]);
	return 0;
}

static void print_ports(const struct ofctl *ctl, uint32_t only)
{
	for (unsigned i = 0; i < ctl->n_ports; i++) {
		if (only == OFPP_ANY || ctl->ports[i].port_no == only)
			print_port(&ctl->ports[i]);
	}
}

int ofctl_dump_ports_desc(struct ofctl *ctl, int argc, char **argv)
{
	json_t *array = NULL;
	uint32_t only;
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc)
		rc = choose_port(ctl, argc, argv, &only);
	if (rc)
		return rc;
	if (!ctl->json) {
		printf("OFPST_PORT_DESC reply (OF1.3) (xid=0x2):\n");
		print_ports(ctl, only);
		return 0;
	}
	array = json_array();
	for (unsigned i = 0; i < ctl->n_ports; i++) {
		if (only == OFPP_ANY || ctl->ports[i].port_no == only)
			json_array_append_new(array, port_to_json(&ctl->ports[i]));
	}
	return ofctl_print_json(array, 0);
}

/* ---- the switch ---- */

int ofctl_show(struct ofctl *ctl, int argc, char **argv)
{
	static const char *const frags[] = {"normal", "drop", "reassemble", "nx-match"};
	struct text capabilities = {0};
	struct ofp_writer w = {0};
	struct ofp_reader r;
	unsigned long long dpid;
	uint32_t n_buffers;
	uint16_t flags, miss;
	uint8_t n_tables;
	int rc = ofctl_connect(ctl, argv[1]);

	if (rc)
		return rc;
	request_empty(&w, OFPT_FEATURES_REQUEST);
	rc = ofctl_transact(ctl, &w, &r);
	if (rc)
		return rc;
	dpid = ofp_get_u64(&r);
	n_buffers = ofp_get_u32(&r);
	n_tables = ofp_get_u8(&r);
	ofp_skip(&r, 3);
	add_bits(&capabilities, ofp_get_u32(&r), capability_names);
	printf("OFPT_FEATURES_REPLY (OF1.3) (xid=0x2): dpid:%016llx\nn_tables:%u, "
	       "n_buffers:%u\ncapabilities: %s\n",
	       dpid, n_tables, n_buffers, text_get(&capabilities));
	text_free(&capabilities);
	printf("OFPST_PORT_DESC reply (OF1.3) (xid=0x3):\n");
	print_ports(ctl, OFPP_ANY);
	w = (struct ofp_writer){0};
	request_empty(&w, OFPT_GET_CONFIG_REQUEST);
	rc = ofctl_transact(ctl, &w, &r);
	if (rc)
		return rc;
	flags = ofp_get_u16(&r);
	miss = ofp_get_u16(&r);
	printf("OFPT_GET_CONFIG_REPLY (OF1.3) (xid=0x4): frags=%s miss_send_len=%u\n", frags[flags & 3],
	       miss);
	return 0;
}

/* ---- counters ---- */

struct counters {
	struct ofctl *ctl;
	json_t *array;
	struct text out;
	unsigned n;
};

static void add_counter(struct text *out, const char *label, uint64_t n, const char *after)
{
	if (n == UINT64_MAX)
		text_add(out, "%s=?%s", label, after);
	else
		text_add(out, "%s=%llu%s", label, (unsigned long long)n, after);
}

static void add_port_stats(struct counters *c, uint32_t port, const struct ofp_port_stats *s)
{
	struct text *out = &c->out, name = {0};

	port_format(&name, port, ofctl_print_names(c->ctl));
	text_add(out, "  port %2s: rx ", text_get(&name));
	text_free(&name);
	add_counter(out, "pkts", s->rx_packets, ", ");
	add_counter(out, "bytes", s->rx_bytes, ", ");
	add_counter(out, "drop", s->rx_dropped, ", ");
	add_counter(out, "errs", s->rx_errors, ", ");
	add_counter(out, "frame", s->rx_frame_errors, ", ");
	add_counter(out, "over", s->rx_over_errors, ", ");
	add_counter(out, "crc", s->rx_crc_errors, "\n           tx ");
	add_counter(out, "pkts", s->tx_packets, ", ");
	add_counter(out, "bytes", s->tx_bytes, ", ");
	add_counter(out, "drop", s->tx_dropped, ", ");
	add_counter(out, "errs", s->tx_errors, ", ");
	add_counter(out, "coll", s->collisions, "\n           duration=");
	duration_format(out, s->duration_ns);
	text_add(out, "\n");
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

static int take_port_stats(struct ofp_reader *r, void *arg, struct error *e)
{
	struct counters *c = arg;
	struct ofp_port_stats s;
	uint32_t port;
	int rc;

	while ((rc = reply_port_stats(r, &port, &s, e)) > 0) {
		c->n++;
		if (c->array)
			json_array_append_new(c->array, port_stats_to_json(port, &s));
		else
			add_port_stats(c, port, &s);
	}
	return rc;
}

int ofctl_dump_ports(struct ofctl *ctl, int argc, char **argv)
{
	struct counters c = {.ctl = ctl, .array = ctl->json ? json_array() : NULL};
	struct ofp_writer w = {0};
	uint32_t port;
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc)
		rc = choose_port(ctl, argc, argv, &port);
	if (!rc) {
		request_stats(&w, OFPMP_PORT_STATS, port);
		rc = ofctl_multipart(ctl, &w, take_port_stats, &c);
	}
	if (!rc && !c.array)
		printf("OFPST_PORT reply (OF1.3) (xid=0x2): %u ports\n%s", c.n, text_get(&c.out));
	text_free(&c.out);
	return ofctl_print_json(c.array, rc);
}

/* ---- tables ---- */

struct tables {
	json_t *array;
	struct ofp_table_stats last;
	unsigned first, end; /* tables [first, end) are as `last` */
	bool any, blank;
};

/* Tables that say the same are told in one line. */
static void flush_ditto(struct tables *t)
{
	if (t->any && t->end - t->first > 2)
		printf("\n  tables %u...%u: ditto\n", t->first + 1, t->end - 1);
	else if (t->any && t->end - t->first == 2)
		printf("\n  table %u: ditto\n", t->first + 1);
	t->any = false;
}

static void print_table(struct tables *t, uint8_t id, const struct ofp_table_stats *s)
{
	if (t->any && s->active_count == t->last.active_count && s->lookup_count == t->last.lookup_count &&
	    s->matched_count == t->last.matched_count) {
		t->end = id + 1u;
		return;
	}
	flush_ditto(t);
	printf("%s  table %u:\n    active=%u, lookup=%llu, matched=%llu\n", t->blank ? "\n" : "", id,
	       s->active_count, (unsigned long long)s->lookup_count, (unsigned long long)s->matched_count);
	t->blank = true;
	t->last = *s;
	t->first = id;
	t->end = id + 1u;
	t->any = true;
}

static int take_tables(struct ofp_reader *r, void *arg, struct error *e)
{
	struct tables *t = arg;
	struct ofp_table_stats s;
	uint8_t id;
	int rc;

	while ((rc = reply_table_stats(r, &id, &s, e)) > 0) {
		if (t->array)
			json_array_append_new(t->array,
			                      json_pack("{s:I,s:I,s:I,s:I}", "table", (json_int_t)id,
			                                "active", (json_int_t)s.active_count, "lookup",
			                                (json_int_t)s.lookup_count, "matched",
			                                (json_int_t)s.matched_count));
		else
			print_table(t, id, &s);
	}
	return rc;
}

int ofctl_dump_tables(struct ofctl *ctl, int argc, char **argv)
{
	struct tables t = {.array = ctl->json ? json_array() : NULL};
	struct ofp_writer w = {0};
	int rc = ofctl_connect(ctl, argv[1]);

	if (rc)
		return ofctl_print_json(t.array, rc);
	if (!t.array)
		printf("OFPST_TABLE reply (OF1.3) (xid=0x2):\n");
	request_multipart(&w, OFPMP_TABLE);
	rc = ofctl_multipart(ctl, &w, take_tables, &t);
	if (!t.array)
		flush_ditto(&t);
	return ofctl_print_json(t.array, rc);
}
