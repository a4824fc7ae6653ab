/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with a frame in them as text. Called by ofctl_print.c. */
#include <string.h>

#include "control/cli/ofctl_print.h"
#include "control/openflow/nx_packet_in.h"
#include "control/openflow/oxm.h"
#include "flows/lex.h"

static void print_data(const struct printer *p, const uint8_t *frame, size_t len)
{
	if (p->verbosity > 0)
		print_frame(p, frame, len);
	if (p->verbosity > 2)
		print_hex_dump(p->out, frame, len);
}

struct packet_in {
	uint8_t table, reason;
	uint64_t cookie;
	uint32_t total_len, buffer;
	struct match metadata;
	const uint8_t *frame, *userdata;
	size_t len, userdata_len;
	bool paused;
	struct nx_bridge bridge;
	struct continuation continuation;
};

static void print_bridge(struct text *out, const struct nx_bridge *bridge)
{
	static const struct nx_bridge none;

	if (!memcmp(bridge, &none, sizeof(none)))
		return;
	text_add(out, " continuation.bridge=");
	for (unsigned i = 0; i < sizeof(bridge->uuid); i++)
		text_add(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bridge->uuid[i]);
	text_add(out, "\n");
}

static void print_stack(struct text *out, const struct continuation *c)
{
	if (!c->nstack)
		return;
	text_add(out, " continuation.stack=(top)");
	for (unsigned i = c->nstack; i--;) {
		text_add(out, " ");
		value_format_hex(out, &c->stack[i]);
	}
	text_add(out, " (bottom)\n");
}

static void print_list(const struct printer *p, const char *name, const struct action_list *list)
{
	if (!list->n)
		return;
	text_add(p->out, " continuation.%s=", name);
	actions_format(p->out, list, p->names);
	text_add(p->out, "\n");
}

static void print_continuation(const struct printer *p, const struct packet_in *in)
{
	print_bridge(p->out, &in->bridge);
	print_stack(p->out, &in->continuation);
	print_list(p, "actions", &in->continuation.actions);
	print_list(p, "action_set", &in->continuation.set);
	if (in->continuation.port)
		text_add(p->out, " continuation.odp_port=%u\n", in->continuation.port);
}

static void print_in(const struct printer *p, const struct packet_in *in)
{
	static const char *const reasons[] = {"no_match",   "action", "invalid_ttl",
	                                      "action_set", "group",  "packet_out"};

	if (in->table)
		text_add(p->out, " table_id=%u", in->table);
	if (in->cookie != UINT64_MAX)
		text_add(p->out, " cookie=0x%llx", (unsigned long long)in->cookie);
	text_add(p->out, " total_len=%u ", in->total_len);
	match_format(p->out, &in->metadata, PRIORITY_DEFAULT, p->names);
	if (in->reason < sizeof(reasons) / sizeof(reasons[0]))
		text_add(p->out, " (via %s)", reasons[in->reason]);
	else
		text_add(p->out, " (via %u)", in->reason);
	text_add(p->out, " data_len=%zu", in->len);
	if (in->buffer != OFP_NO_BUFFER)
		text_add(p->out, " buffer=0x%08x", in->buffer);
	else
		text_add(p->out, " (unbuffered)%s",
		         in->total_len == in->len ? "" : " (***total_len != data_len***)");
	text_add(p->out, "\n");
	if (in->userdata_len) {
		text_add(p->out, " userdata=");
		for (size_t i = 0; i < in->userdata_len; i++)
			text_add(p->out, i ? ".%02x" : "%02x", in->userdata[i]);
		text_add(p->out, "\n");
	}
	if (in->paused)
		print_continuation(p, in);
	print_data(p, in->frame, in->len);
}

bool print_packet_in(const struct printer *p, struct ofp_reader *r)
{
	struct packet_in in = {0};

	in.buffer = ofp_get_u32(r);
	in.total_len = ofp_get_u16(r);
	in.reason = ofp_get_u8(r);
	in.table = ofp_get_u8(r);
	in.cookie = ofp_get_u64(r);
	if (oxm_read_match(r, &in.metadata))
		return false;
	ofp_skip(r, 2);
	if (r->failed)
		return false;
	in.len = ofp_left(r);
	in.frame = r->at;
	print_in(p, &in);
	return true;
}

bool print_nx_packet_in(const struct printer *p, struct ofp_reader *r)
{
	uint64_t no_cookie = 0, no_mask = 0;
	struct packet_in in = {0};
	struct ofp_reader match;
	uint16_t match_len;

	in.buffer = ofp_get_u32(r);
	in.total_len = ofp_get_u16(r);
	in.reason = ofp_get_u8(r);
	in.table = ofp_get_u8(r);
	in.cookie = ofp_get_u64(r);
	match_len = ofp_get_u16(r);
	ofp_skip(r, 6);
	match = ofp_get_part(r, match_len);
	ofp_skip(r, (-match_len & 7u) + 2);
	if (r->failed || nxm_read_fields(&match, &in.metadata, &no_cookie, &no_mask))
		return false;
	in.len = ofp_left(r);
	in.frame = r->at;
	print_in(p, &in);
	return true;
}

static bool read_property(struct packet_in *in, uint16_t type, struct ofp_reader *r)
{
	uint64_t no_cookie = 0, no_mask = 0;

	switch (type) {
	case NX_PROP_PACKET:
		in->len = ofp_left(r);
		in->frame = ofp_get(r, in->len);
		break;
	case NX_PROP_FULL_LEN:
		in->total_len = ofp_get_u32(r);
		break;
	case NX_PROP_BUFFER_ID:
		in->buffer = ofp_get_u32(r);
		break;
	case NX_PROP_TABLE_ID:
		in->table = ofp_get_u8(r);
		break;
	case NX_PROP_COOKIE:
		ofp_skip(r, 4);
		in->cookie = ofp_get_u64(r);
		break;
	case NX_PROP_REASON:
		in->reason = ofp_get_u8(r);
		break;
	case NX_PROP_METADATA:
		return nxm_read_fields(r, &in->metadata, &no_cookie, &no_mask) == OFP_OK;
	case NX_PROP_USERDATA:
		in->userdata_len = ofp_left(r);
		in->userdata = ofp_get(r, in->userdata_len);
		break;
	case NX_PROP_CONTINUATION:
		in->paused = true;
		ofp_skip(r, 4);
		return nx_read_continuation(r, &in->continuation, &in->bridge) == OFP_OK;
	}
	return !r->failed;
}

static bool read_properties(struct packet_in *in, struct ofp_reader *r)
{
	while (ofp_left(r)) {
		struct ofp_reader body;
		uint16_t type;

		if (nx_get_property(r, &type, &body) || !read_property(in, type, &body))
			return false;
	}
	if (!in->total_len)
		in->total_len = (uint32_t)in->len;
	return !r->failed;
}

bool print_packet_in2(const struct printer *p, struct ofp_reader *r)
{
	struct packet_in in = {.buffer = OFP_NO_BUFFER, .cookie = UINT64_MAX};
	bool ok;

	match_init(&in.metadata);
	continuation_init(&in.continuation);
	ok = read_properties(&in, r);
	if (ok)
		print_in(p, &in);
	continuation_free(&in.continuation);
	return ok;
}

bool print_packet_out(const struct printer *p, struct ofp_reader *r)
{
	struct ofp_packet_out packet;
	struct action_list actions;

	if (ofp_read_packet_out(r, &packet, &actions))
		return false;
	text_add(p->out, " in_port=");
	port_format(p->out, packet.in_port, p->names);
	text_add(p->out, " actions=");
	actions_format(p->out, &actions, p->names);
	text_add(p->out, " data_len=%zu\n", packet.len);
	if (packet.len)
		print_data(p, packet.data, packet.len);
	action_list_free(&actions);
	return true;
}
