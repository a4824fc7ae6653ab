/* SPDX-License-Identifier: Apache-2.0 */
/* Whole messages as text: header, and the bodies of all that is not a multipart and carries no frame. */
#include "control/cli/ofctl_print.h"
#include "control/openflow/actions.h"
#include "control/openflow/oxm.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void print_bits(struct text *out, uint32_t bits, const struct bit_name *names, char between)
{
	size_t before = out->len;

	for (; names->name; names++) {
		if (bits & names->bit)
			text_add(out, "%s%c", names->name, between);
		bits &= ~names->bit;
	}
	if (bits)
		text_add(out, "0x%x", bits);
	if (out->len == before)
		text_add(out, "0");
	else
		text_chomp(out, between);
}

void print_hex_dump(struct text *out, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n; at += 16) {
		text_add(out, "%08zx  ", at);
		for (size_t i = 0; i < 16; i++) {
			if (at + i < n)
				text_add(out, "%02x%c", bytes[at + i], i == 7 ? '-' : ' ');
			else
				text_add(out, "   ");
		}
		text_add(out, "|");
		for (size_t i = at; i < at + 16; i++)
			text_add(out, "%c", i >= n ? ' ' : isprint(bytes[i]) ? bytes[i] : '.');
		text_add(out, "|\n");
	}
}

/* ---- names of messages ---- */

static const char *const names[] = {
        [OFPT_HELLO] = "HELLO",
        [OFPT_ERROR] = "ERROR",
        [OFPT_ECHO_REQUEST] = "ECHO_REQUEST",
        [OFPT_ECHO_REPLY] = "ECHO_REPLY",
        [OFPT_FEATURES_REQUEST] = "FEATURES_REQUEST",
        [OFPT_FEATURES_REPLY] = "FEATURES_REPLY",
        [OFPT_GET_CONFIG_REQUEST] = "GET_CONFIG_REQUEST",
        [OFPT_GET_CONFIG_REPLY] = "GET_CONFIG_REPLY",
        [OFPT_SET_CONFIG] = "SET_CONFIG",
        [OFPT_PACKET_IN] = "PACKET_IN",
        [OFPT_FLOW_REMOVED] = "FLOW_REMOVED",
        [OFPT_PORT_STATUS] = "PORT_STATUS",
        [OFPT_PACKET_OUT] = "PACKET_OUT",
        [OFPT_FLOW_MOD] = "FLOW_MOD",
        [OFPT_GROUP_MOD] = "GROUP_MOD",
        [OFPT_PORT_MOD] = "PORT_MOD",
        [OFPT_TABLE_MOD] = "TABLE_MOD",
        [OFPT_BARRIER_REQUEST] = "BARRIER_REQUEST",
        [OFPT_BARRIER_REPLY] = "BARRIER_REPLY",
        [OFPT_QUEUE_GET_CONFIG_REQUEST] = "QUEUE_GET_CONFIG_REQUEST",
        [OFPT_QUEUE_GET_CONFIG_REPLY] = "QUEUE_GET_CONFIG_REPLY",
        [OFPT_ROLE_REQUEST] = "ROLE_REQUEST",
        [OFPT_ROLE_REPLY] = "ROLE_REPLY",
        [OFPT_GET_ASYNC_REQUEST] = "GET_ASYNC_REQUEST",
        [OFPT_GET_ASYNC_REPLY] = "GET_ASYNC_REPLY",
        [OFPT_SET_ASYNC] = "SET_ASYNC",
        [OFPT_METER_MOD] = "METER_MOD",
};
static const char *const multipart_names[] = {
        [OFPMP_DESC] = "DESC",
        [OFPMP_FLOW] = "FLOW",
        [OFPMP_AGGREGATE] = "AGGREGATE",
        [OFPMP_TABLE] = "TABLE",
        [OFPMP_PORT_STATS] = "PORT",
        [OFPMP_QUEUE] = "QUEUE",
        [OFPMP_GROUP] = "GROUP",
        [OFPMP_GROUP_DESC] = "GROUP_DESC",
        [OFPMP_GROUP_FEATURES] = "GROUP_FEATURES",
        [OFPMP_METER] = "METER",
        [OFPMP_METER_CONFIG] = "METER_CONFIG",
        [OFPMP_METER_FEATURES] = "METER_FEATURES",
        [OFPMP_TABLE_FEATURES] = "TABLE_FEATURES",
        [OFPMP_PORT_DESC] = "PORT_DESC",
};
enum { ONFST_FLOW_MONITOR = 1870, MULTIPART_EXPERIMENTER = 0xffff };

void print_name(const struct printer *p, const char *prefix, const char *name, const struct ofp_header *h)
{
	text_add(p->out, "%s%s (OF1.3) (xid=0x%x):", prefix, name, h->xid);
}

/* ---- bodies ---- */

static bool print_error(const struct printer *p, struct ofp_reader *r)
{
	uint16_t type = ofp_get_u16(r), code = ofp_get_u16(r);
	const char *name = NULL;
	uint16_t listed = type;

	if (type == 0xffff)
		listed = ofp_get_u32(r) == NX_EXPERIMENTER ? OFP_ERROR_NX : OFP_ERROR_ONF;
	if (r->failed)
		return false;
	name = ofp_error_name((enum ofp_error)(((uint32_t)listed << 16 | code) + 1));
	if (name) /* the bundles' go by the name they got in OpenFlow 1.4 */
		text_add(p->out, " %s%s\n", strncmp(name, "ONFBFC", 6) ? "" : "OFPBFC",
		         name + (strncmp(name, "ONFBFC", 6) ? 0 : 6));
	else
		text_add(p->out, " type %u, code %u\n", type, code);
	if (ofp_left(r) >= OFP_HEADER_LEN && listed)
		message_print(p, r->at, ofp_left(r));
	else if (!listed)
		text_add(p->out, "%.*s\n", (int)ofp_left(r), (const char *)r->at);
	return true;
}

static bool print_features(const struct printer *p, struct ofp_reader *r)
{
	static const struct bit_name capabilities[] = {
	        {1, "FLOW_STATS"},  {2, "TABLE_STATS"},    {4, "PORT_STATS"},       {8, "GROUP_STATS"},
	        {0x20, "IP_REASM"}, {0x40, "QUEUE_STATS"}, {0x100, "PORT_BLOCKED"}, {0, NULL}};
	unsigned long long dpid = ofp_get_u64(r);
	uint32_t n_buffers = ofp_get_u32(r);
	uint8_t n_tables = ofp_get_u8(r), auxiliary = ofp_get_u8(r);

	ofp_skip(r, 2);
	text_add(p->out, " dpid:%016llx\nn_tables:%u, n_buffers:%u", dpid, n_tables, n_buffers);
	if (auxiliary)
		text_add(p->out, ", auxiliary_id:%u", auxiliary);
	text_add(p->out, "\ncapabilities: ");
	print_bits(p->out, ofp_get_u32(r), capabilities, ' ');
	text_add(p->out, "\n");
	return !r->failed;
}

static bool print_config(const struct printer *p, struct ofp_reader *r)
{
	static const char *const modes[] = {"normal", "drop", "reassemble", "nx-match"};
	uint16_t flags = ofp_get_u16(r), miss = ofp_get_u16(r);

	text_add(p->out, " frags=%s miss_send_len=%u\n", modes[flags & 3], miss);
	return !r->failed;
}

static bool print_flow_removed(const struct printer *p, struct ofp_reader *r)
{
	static const char *const reasons[] = {"idle", "hard", "delete", "group_delete"};
	uint64_t cookie = ofp_get_u64(r);
	uint16_t priority = ofp_get_u16(r);
	uint8_t reason = ofp_get_u8(r), table = ofp_get_u8(r);
	uint64_t ns = ofp_get_u32(r) * 1000000000ull;
	uint16_t idle, hard;
	unsigned long long packets, bytes;
	struct match m;

	ns += ofp_get_u32(r);
	idle = ofp_get_u16(r);
	hard = ofp_get_u16(r);
	packets = ofp_get_u64(r);
	bytes = ofp_get_u64(r);
	if (oxm_read_match(r, &m))
		return false;
	text_add(p->out, " ");
	match_format(p->out, &m, priority, p->names);
	if (reason < sizeof(reasons) / sizeof(reasons[0]))
		text_add(p->out, " reason=%s", reasons[reason]);
	else
		text_add(p->out, " reason=%u", reason);
	if (table != 0xff)
		text_add(p->out, " table_id=%u", table);
	if (cookie)
		text_add(p->out, " cookie:0x%llx", (unsigned long long)cookie);
	text_add(p->out, " duration");
	duration_format(p->out, ns);
	text_add(p->out, " idle%u", idle);
	if (hard)
		text_add(p->out, " hard%u", hard);
	text_add(p->out, " pkts%llu bytes%llu\n", packets, bytes);
	return true;
}

static bool print_port_status(const struct printer *p, struct ofp_reader *r)
{
	static const char *const reasons[] = {"ADD", "DEL", "MOD"};
	uint8_t reason = ofp_get_u8(r);

	ofp_skip(r, 7);
	if (reason < 3)
		text_add(p->out, " %s:", reasons[reason]);
	else
		text_add(p->out, " %u:", reason);
	return print_port(p, r);
}

static bool print_flow_mod(const struct printer *p, struct ofp_reader *r)
{
	struct flow_mod fm;

	*p->why = ofp_read_flow_mod(r, &fm);
	if (*p->why)
		return false;
	text_add(p->out, " ");
	flow_mod_format(p->out, &fm, p->names);
	text_add(p->out, "\n");
	flow_mod_free(&fm);
	return true;
}

static bool print_group(const struct printer *p, struct ofp_reader *r)
{
	struct group_mod gm;

	*p->why = ofp_read_group_mod(r, &gm);
	if (*p->why)
		return false;
	print_group_mod(p, &gm);
	text_add(p->out, "\n");
	group_mod_free(&gm);
	return true;
}

static bool print_meter(const struct printer *p, struct ofp_reader *r)
{
	static const char *const commands[] = {"ADD", "MOD", "DEL"};
	struct meter_mod mm;

	*p->why = ofp_read_meter_mod(r, &mm);
	if (*p->why)
		return false;
	text_add(p->out, " %s ", commands[mm.command]);
	meter_format(p->out, &mm);
	return true;
}

static bool print_role(const struct printer *p, struct ofp_reader *r)
{
	static const char *const roles[] = {"nochange", "equal", "primary", "secondary"};
	uint32_t role = ofp_get_u32(r);
	unsigned long long generation;

	ofp_skip(r, 4);
	generation = ofp_get_u64(r);
	text_add(p->out, " role=%s", role < 4 ? roles[role] : "unknown");
	if (generation != UINT64_MAX)
		text_add(p->out, " generation_id=%llu", generation);
	text_add(p->out, "\n");
	return !r->failed;
}

static bool print_queue_config(const struct printer *p, struct ofp_reader *r, bool request)
{
	uint32_t port = ofp_get_u32(r);

	if (request) {
		text_add(p->out, " port=");
		port_format(p->out, port, p->names);
	}
	text_add(p->out, "\n");
	return !r->failed;
}

static bool print_table_mod(const struct printer *p, struct ofp_reader *r)
{
	text_add(p->out, " table_id=%u\n", ofp_get_u8(r));
	return !r->failed;
}

static bool print_hello(const struct printer *p, const struct ofp_header *h, struct ofp_reader *r)
{
	uint32_t versions = (2u << h->version) - 2; /* the old form has no list and means all up to its own */

	if (ofp_get_u16(r) == 1 && ofp_get_u16(r) >= 8)
		versions = ofp_get_u32(r);
	text_add(p->out, "\n version bitmap: ");
	for (unsigned v = 0; v < 31; v++) {
		if (versions & 1u << v)
			text_add(p->out, "0x%02x, ", v);
	}
	text_chomp(p->out, ' ');
	text_chomp(p->out, ',');
	text_add(p->out, "\n");
	return true;
}

static bool print_any_multipart(const struct printer *p, const struct ofp_header *h, struct ofp_reader *r)
{
	bool request = h->type == OFPT_MULTIPART_REQUEST;
	const char *what = request ? "request" : "reply";
	uint16_t type = ofp_get_u16(r), flags = ofp_get_u16(r);
	bool monitor = false;
	char name[40];

	ofp_skip(r, 4);
	if (type == MULTIPART_EXPERIMENTER)
		monitor = ofp_get_u32(r) == ONF_EXPERIMENTER && ofp_get_u32(r) == ONFST_FLOW_MONITOR;
	if (r->failed || (!monitor && type >= sizeof(multipart_names) / sizeof(multipart_names[0])))
		return false;
	snprintf(name, sizeof(name), "%s %s", monitor ? "FLOW_MONITOR" : multipart_names[type], what);
	print_name(p, monitor ? "ONFST_" : "OFPST_", name, h);
	if (flags & OFPMPF_MORE)
		text_add(p->out, " flags=[more]");
	if (monitor)
		return request ? print_monitor_request(p, r) : print_monitor_updates(p, r);
	return print_multipart(p, (enum ofp_multipart)type, request, r);
}

static bool print_body(const struct printer *p, const struct ofp_header *h, struct ofp_reader *r)
{
	if (h->type == OFPT_EXPERIMENTER)
		return print_experimenter(p, h, r);
	if (h->type == OFPT_MULTIPART_REQUEST || h->type == OFPT_MULTIPART_REPLY)
		return print_any_multipart(p, h, r);
	if (h->type >= sizeof(names) / sizeof(names[0]))
		return false;
	print_name(p, "OFPT_", names[h->type], h);
	switch (h->type) {
	case OFPT_HELLO:
		return print_hello(p, h, r);
	case OFPT_ERROR:
		return print_error(p, r);
	case OFPT_ECHO_REQUEST:
	case OFPT_ECHO_REPLY:
		text_add(p->out, " %zu bytes of payload\n", ofp_left(r));
		if (p->verbosity > 1)
			print_hex_dump(p->out, r->at, ofp_left(r));
		return true;
	case OFPT_FEATURES_REPLY:
		return print_features(p, r);
	case OFPT_GET_CONFIG_REPLY:
	case OFPT_SET_CONFIG:
		return print_config(p, r);
	case OFPT_PACKET_IN:
		return print_packet_in(p, r);
	case OFPT_FLOW_REMOVED:
		return print_flow_removed(p, r);
	case OFPT_PORT_STATUS:
		return print_port_status(p, r);
	case OFPT_PACKET_OUT:
		return print_packet_out(p, r);
	case OFPT_FLOW_MOD:
		return print_flow_mod(p, r);
	case OFPT_GROUP_MOD:
		return print_group(p, r);
	case OFPT_PORT_MOD:
		return print_port_mod(p, r);
	case OFPT_TABLE_MOD:
		return print_table_mod(p, r);
	case OFPT_QUEUE_GET_CONFIG_REQUEST:
	case OFPT_QUEUE_GET_CONFIG_REPLY:
		return print_queue_config(p, r, h->type == OFPT_QUEUE_GET_CONFIG_REQUEST);
	case OFPT_ROLE_REQUEST:
	case OFPT_ROLE_REPLY:
		return print_role(p, r);
	case OFPT_METER_MOD:
		return print_meter(p, r);
	default:
		text_add(p->out, "\n");
		return true;
	}
}

enum { DEPTH_MAX = 4 }; /* an error about a bundle with a message in it needs three */

void message_print(const struct printer *printer, const uint8_t *message, size_t len)
{
	struct ofp_header h = ofp_read_header(message);
	struct ofp_reader r = ofp_reader_of(message + OFP_HEADER_LEN, len - OFP_HEADER_LEN);
	enum ofp_error why = OFP_OK;
	struct printer p = *printer;
	bool deep = p.depth++ >= DEPTH_MAX;
	size_t before = p.out->len;
	const char *end;

	p.why = &why;
	if (h.version == OFP_VERSION_13 && h.length <= len && !deep && print_body(&p, &h, &r))
		return;
	end = p.out->len > before ? strstr(p.out->data + before, "):") : NULL;
	if (end) { /* the name may stay */
		p.out->len = (size_t)(end - p.out->data) + 2;
	} else {
		p.out->len = before;
		text_add(p.out, "OpenFlow message of version 0x%02x, type %u, (xid=0x%x):", h.version, h.type,
		         h.xid);
	}
	if (h.length > len)
		text_add(p.out, " ***truncated to %zu bytes from %u***\n", len, h.length);
	else
		text_add(p.out, " ***decode error: %s***\n", ofp_error_name(why ? why : OFPBRC_BAD_LEN));
	print_hex_dump(p.out, message, len);
}
