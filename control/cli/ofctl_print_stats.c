/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart requests and replies as text: flows, groups, meters, queues. Called by ofctl_print.c. */
#include <stdio.h>

#include "control/cli/ofctl_print.h"
#include "control/openflow/actions.h"
#include "control/openflow/oxm.h"

/* ---- requests ---- */

static bool print_flow_request(const struct printer *p, struct ofp_reader *r)
{
	struct flow_filter f;
	size_t before;

	if (ofp_read_flow_filter(r, &f))
		return false;
	if (f.table_id != TABLE_ALL)
		text_add(p->out, " table=%u", f.table_id);
	if (f.out_port != PORT_ANY) {
		text_add(p->out, " out_port=");
		port_format(p->out, f.out_port, p->names);
	}
	text_add(p->out, " ");
	before = p->out->len;
	match_format(p->out, &f.match, PRIORITY_DEFAULT, p->names);
	if (before == p->out->len)
		text_chomp(p->out, ' ');
	text_add(p->out, "\n");
	return true;
}

static bool print_request(const struct printer *p, enum ofp_multipart type, struct ofp_reader *r)
{
	uint32_t id = 0, queue = 0;

	switch (type) {
	case OFPMP_FLOW:
	case OFPMP_AGGREGATE:
		return print_flow_request(p, r);
	case OFPMP_PORT_STATS:
	case OFPMP_QUEUE:
		id = ofp_get_u32(r);
		queue = ofp_get_u32(r);
		text_add(p->out, type == OFPMP_QUEUE ? " port=" : " port_no=");
		if (id == OFPP_ANY)
			text_add(p->out, type == OFPMP_QUEUE ? "ALL" : "ANY");
		else
			port_format(p->out, id, p->names);
		if (type == OFPMP_QUEUE && queue == OFPQ_ALL)
			text_add(p->out, " queue=ALL");
		else if (type == OFPMP_QUEUE)
			text_add(p->out, " queue=%u", queue);
		break;
	case OFPMP_GROUP:
		id = ofp_get_u32(r);
		text_add(p->out, id == OFPG_ALL ? " group_id=ALL" : " group_id=%u", id);
		break;
	case OFPMP_METER:
	case OFPMP_METER_CONFIG:
		id = ofp_get_u32(r);
		text_add(p->out, id == OFPM_ALL ? " meter=all" : " meter=%u", id);
		break;
	default:
		break;
	}
	text_add(p->out, "\n");
	return !r->failed;
}

/* ---- replies ---- */

static bool print_desc(const struct printer *p, struct ofp_reader *r)
{
	static const struct {
		const char *label;
		int size;
	} lines[] = {{"Manufacturer", 256},
	             {"Hardware", 256},
	             {"Software", 256},
	             {"Serial Num", 32},
	             {"DP Description", 256}};

	text_add(p->out, "\n");
	for (unsigned i = 0; i < 5; i++) {
		const char *text = (const char *)ofp_get(r, (size_t)lines[i].size);

		if (!text)
			return false;
		text_add(p->out, "%s: %.*s\n", lines[i].label, lines[i].size, text);
	}
	return true;
}

static bool print_flows(const struct printer *p, struct ofp_reader *r)
{
	text_add(p->out, "\n");
	while (ofp_left(r)) {
		struct flow_stats fs;

		if (ofp_read_flow_stats(r, &fs))
			return false;
		flow_stats_format(p->out, &fs, true, p->names);
		text_add(p->out, "\n");
		flow_stats_free(&fs);
	}
	return true;
}

static bool print_aggregate(const struct printer *p, struct ofp_reader *r)
{
	unsigned long long packets = ofp_get_u64(r), bytes = ofp_get_u64(r);

	text_add(p->out, " packet_count=%llu byte_count=%llu flow_count=%u\n", packets, bytes,
	         ofp_get_u32(r));
	return !r->failed;
}

static bool print_queues(const struct printer *p, struct ofp_reader *r)
{
	text_add(p->out, " %zu queues\n", ofp_left(r) / 40);
	while (ofp_left(r)) {
		uint32_t port = ofp_get_u32(r), queue = ofp_get_u32(r);
		unsigned long long bytes = ofp_get_u64(r), packets = ofp_get_u64(r), errors = ofp_get_u64(r);
		uint64_t ns = ofp_get_u32(r) * 1000000000ull;

		ns += ofp_get_u32(r);
		if (r->failed)
			return false;
		text_add(p->out, "  port ");
		port_format(p->out, port, p->names);
		text_add(p->out, " queue %u: bytes=%llu, pkts=%llu, errors=%llu, duration=", queue, bytes,
		         packets, errors);
		duration_format(p->out, ns);
		text_add(p->out, "\n");
	}
	return true;
}

void print_group_mod(const struct printer *p, const struct group_mod *gm)
{
	static const char *const commands[] = {"ADD", "MOD", "DEL"};

	if (gm->command == GROUP_ADD_OR_MODIFY)
		text_add(p->out, "\n ADD_OR_MOD ");
	else
		text_add(p->out, "\n %s ", gm->command <= GROUP_DELETE ? commands[gm->command] : "?");
	group_format(p->out, gm, p->names);
}

static bool print_groups(const struct printer *p, struct ofp_reader *r)
{
	text_add(p->out, "\n");
	while (ofp_left(r)) {
		struct group_mod gm;

		if (ofp_read_group_desc(r, &gm))
			return false;
		text_add(p->out, " ");
		group_format(p->out, &gm, p->names);
		text_add(p->out, "\n");
		group_mod_free(&gm);
	}
	return true;
}

static bool print_group_stats(const struct printer *p, struct ofp_reader *r)
{
	text_add(p->out, "\n");
	while (ofp_left(r)) {
		struct group_stats gs;

		if (ofp_read_group_stats(r, &gs))
			return false;
		text_add(p->out, " ");
		group_stats_format(p->out, &gs);
		text_add(p->out, "\n");
		group_stats_free(&gs);
	}
	return true;
}

/* OFPAT_* as ovs-ofctl names them, in its order. */
static const struct bit_name action_names[] = {{1u << 0, "output"},
                                               {1u << 22, "group"},
                                               {1u << 25, "set_field"},
                                               {1u << 18, "strip_vlan"},
                                               {1u << 17, "push_vlan"},
                                               {1u << 23, "mod_nw_ttl"},
                                               {1u << 24, "dec_ttl"},
                                               {1u << 15, "set_mpls_ttl"},
                                               {1u << 16, "dec_mpls_ttl"},
                                               {1u << 19, "push_mpls"},
                                               {1u << 20, "pop_mpls"},
                                               {1u << 21, "set_queue"},
                                               {0, NULL}};

static bool print_group_features(const struct printer *p, struct ofp_reader *r)
{
	static const char *const types[] = {"all", "select", "indirect", "fast failover"};
	enum { SHOWN = 0x3fff801 & ~(1 << 11) & ~(1 << 12) }; /* copies of the TTL are not named */
	uint32_t bits = ofp_get_u32(r), capabilities = ofp_get_u32(r), max[4];

	for (unsigned i = 0; i < 4; i++)
		max[i] = ofp_get_u32(r);
	text_add(p->out, "\n Group table:\n    Types:  0x%x\n    Capabilities:  0x%x\n", bits, capabilities);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t actions = ofp_get_u32(r);

		if (!(bits & 1u << i))
			continue;
		text_add(p->out, "    %s group:\n       max_groups=0x%x\n       actions: ", types[i], max[i]);
		print_bits(p->out, actions & SHOWN, action_names, ' ');
		text_add(p->out, "\n");
	}
	return !r->failed;
}

static bool print_meter_configs(const struct printer *p, struct ofp_reader *r)
{
	bool first = true;

	text_add(p->out, "\n");
	while (ofp_left(r)) {
		struct meter_mod mm;

		if (ofp_read_meter_config(r, &mm))
			return false;
		if (!first)
			text_add(p->out, "\n");
		first = false;
		meter_format(p->out, &mm);
	}
	return true;
}

static bool print_meter_stats(const struct printer *p, struct ofp_reader *r)
{
	bool first = true;

	text_add(p->out, "\n");
	while (ofp_left(r)) {
		struct meter_stats ms;

		if (ofp_read_meter_stats(r, &ms))
			return false;
		if (!first)
			text_add(p->out, "\n");
		first = false;
		meter_stats_format(p->out, &ms);
	}
	return true;
}

static bool print_meter_features(const struct printer *p, struct ofp_reader *r)
{
	static const struct bit_name bands[] = {{1u << 1, "drop"}, {1u << 2, "dscp_remark"}, {0, NULL}};
	static const struct bit_name flags[] = {
	        {1, "kbps"}, {2, "pktps"}, {4, "burst"}, {8, "stats"}, {0, NULL}};
	uint32_t max = ofp_get_u32(r), types = ofp_get_u32(r), capabilities = ofp_get_u32(r);
	uint8_t max_bands = ofp_get_u8(r), max_color = ofp_get_u8(r);

	text_add(p->out, "\nmax_meter:%u max_bands:%u max_color:%u\nband_types: ", max, max_bands, max_color);
	print_bits(p->out, types, bands, ' ');
	text_add(p->out, "\ncapabilities: ");
	print_bits(p->out, capabilities, flags, ' ');
	text_add(p->out, "\n");
	return !r->failed;
}

bool print_multipart(const struct printer *p, enum ofp_multipart type, bool request, struct ofp_reader *r)
{
	static bool (*const replies[])(const struct printer *, struct ofp_reader *) = {
	        [OFPMP_DESC] = print_desc,
	        [OFPMP_FLOW] = print_flows,
	        [OFPMP_AGGREGATE] = print_aggregate,
	        [OFPMP_TABLE] = print_table_stats,
	        [OFPMP_PORT_STATS] = print_port_stats,
	        [OFPMP_QUEUE] = print_queues,
	        [OFPMP_GROUP] = print_group_stats,
	        [OFPMP_GROUP_DESC] = print_groups,
	        [OFPMP_GROUP_FEATURES] = print_group_features,
	        [OFPMP_METER] = print_meter_stats,
	        [OFPMP_METER_CONFIG] = print_meter_configs,
	        [OFPMP_METER_FEATURES] = print_meter_features,
	        [OFPMP_TABLE_FEATURES] = print_table_features,
	        [OFPMP_PORT_DESC] = print_ports,
	};

	if (request)
		return print_request(p, type, r);
	return replies[type](p, r);
}

/* ---- flow monitors ---- */

bool print_monitor_request(const struct printer *p, struct ofp_reader *r)
{
	static const struct bit_name flags[] = {{1, "initial"},  {2, "add"},  {4, "delete"}, {8, "modify"},
	                                        {16, "actions"}, {32, "own"}, {0, NULL}};
	struct match m;

	while (ofp_left(r)) {
		uint32_t id = ofp_get_u32(r), port, bits;
		uint8_t table;
		size_t before;

		bits = ofp_get_u16(r);
		ofp_skip(r, 2); /* length of the match */
		port = ofp_get_u32(r);
		table = ofp_get_u8(r);
		ofp_skip(r, 3);
		if (oxm_read_match(r, &m))
			return false;
		text_add(p->out, "\n id=%u flags=", id);
		print_bits(p->out, bits, flags, ',');
		if (port != PORT_ANY) {
			text_add(p->out, " out_port=");
			port_format(p->out, port, p->names);
		}
		if (table != TABLE_ALL)
			text_add(p->out, " table=%u", table);
		text_add(p->out, " ");
		before = p->out->len;
		match_format(p->out, &m, PRIORITY_DEFAULT, p->names);
		if (before == p->out->len)
			text_chomp(p->out, ' ');
	}
	text_add(p->out, "\n");
	return true;
}

static bool print_full_update(const struct printer *p, struct ofp_reader *r, uint16_t event)
{
	static const char *const reasons[] = {"idle", "hard", "delete", "group_delete"};
	uint16_t reason = ofp_get_u16(r), idle, hard;
	struct action_list actions;
	uint64_t cookie;
	struct match m;
	uint8_t table;
	bool ok;

	ofp_skip(r, 2); /* priority: not shown */
	idle = ofp_get_u16(r);
	hard = ofp_get_u16(r);
	ofp_skip(r, 2); /* length of the match, which says it itself */
	table = ofp_get_u8(r);
	ofp_skip(r, 1);
	cookie = ofp_get_u64(r);
	if (oxm_read_match(r, &m))
		return false;
	action_list_init(&actions);
	ok = !ofp_read_instructions(r, &actions);
	if (event == 1)
		text_add(p->out, "DELETED reason=%s", reason < 4 ? reasons[reason] : "?");
	else
		text_add(p->out, event ? "MODIFIED" : "ADDED");
	text_add(p->out, " table=%u", table);
	if (idle)
		text_add(p->out, " idle_timeout=%u", idle);
	if (hard)
		text_add(p->out, " hard_timeout=%u", hard);
	text_add(p->out, cookie ? " cookie=0x%llx " : " cookie=%llu ", (unsigned long long)cookie);
	match_format(p->out, &m, PRIORITY_DEFAULT, p->names);
	if (actions.n) {
		text_chomp(p->out, ' ');
		text_add(p->out, " actions=");
		actions_format(p->out, &actions, p->names);
	}
	action_list_free(&actions);
	return ok;
}

bool print_monitor_updates(const struct printer *p, struct ofp_reader *r)
{
	while (ofp_left(r)) {
		uint16_t len = ofp_get_u16(r), event = ofp_get_u16(r);
		struct ofp_reader body;

		if (len < 8)
			return false;
		body = ofp_get_part(r, len - 4u);
		text_add(p->out, "\n event=");
		if (event == 3)
			text_add(p->out, "ABBREV xid=0x%x", ofp_get_u32(&body));
		else if (event > 2)
			text_add(p->out, "%u", event);
		else if (!print_full_update(p, &body, event))
			return false;
	}
	text_add(p->out, "\n");
	return !r->failed;
}
