/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of experimenters as text: Nicira's, ONF's bundles. Called by ofctl_print.c. */
#include "control/cli/ofctl_print.h"

enum { ONF_BUNDLE_CONTROL = 2300, ONF_BUNDLE_ADD = 2301 };

static bool print_bundle(const struct printer *p, struct ofp_reader *r, uint32_t subtype)
{
	static const char *const types[] = {"OPEN_REQUEST",    "OPEN_REPLY",     "CLOSE_REQUEST",
	                                    "CLOSE_REPLY",     "COMMIT_REQUEST", "COMMIT_REPLY",
	                                    "DISCARD_REQUEST", "DISCARD_REPLY"};
	static const struct bit_name flags[] = {{1, "atomic"}, {2, "ordered"}, {0, NULL}};
	uint32_t id = ofp_get_u32(r);
	uint16_t type;

	text_add(p->out, "\n bundle_id=%#x ", id);
	if (subtype == ONF_BUNDLE_CONTROL) {
		type = ofp_get_u16(r);
		text_add(p->out, "type=%s flags=", type < 8 ? types[type] : "?");
		print_bits(p->out, ofp_get_u16(r), flags, ' ');
		text_add(p->out, "\n");
		return !r->failed;
	}
	ofp_skip(r, 2);
	text_add(p->out, "flags=");
	print_bits(p->out, ofp_get_u16(r), flags, ' ');
	text_add(p->out, "\n");
	if (r->failed || ofp_left(r) < OFP_HEADER_LEN)
		return false;
	message_print(p, r->at, ofp_left(r));
	return true;
}

static bool print_packet_in_format(const struct printer *p, struct ofp_reader *r)
{
	static const char *const formats[] = {"standard", "nxt_packet_in", "nxt_packet_in2"};
	uint32_t format = ofp_get_u32(r);

	text_add(p->out, " format=%s\n", format < 3 ? formats[format] : "unknown");
	return !r->failed;
}

static bool print_flush_zone(const struct printer *p, struct ofp_reader *r)
{
	return print_ct_flush(p, r, true);
}

static bool print_flush(const struct printer *p, struct ofp_reader *r)
{
	return print_ct_flush(p, r, false);
}

static bool print_nothing(const struct printer *p, struct ofp_reader *r)
{
	text_add(p->out, "\n");
	return !ofp_left(r);
}

static const struct nicira {
	uint32_t subtype;
	const char *name;
	bool (*print)(const struct printer *p, struct ofp_reader *r);
} nicira[] = {
        {NXT_PACKET_IN, "PACKET_IN", print_nx_packet_in},
        {NXT_PACKET_IN2, "PACKET_IN2", print_packet_in2},
        {NXT_RESUME, "RESUME", print_packet_in2},
        {NXT_SET_PACKET_IN_FORMAT, "SET_PACKET_IN_FORMAT", print_packet_in_format},
        {NXT_TLV_TABLE_MOD, "TLV_TABLE_MOD", print_options_mod},
        {NXT_TLV_TABLE_REQUEST, "TLV_TABLE_REQUEST", print_nothing},
        {NXT_TLV_TABLE_REPLY, "TLV_TABLE_REPLY", print_options},
        {NXT_CT_FLUSH_ZONE, "CT_FLUSH_ZONE", print_flush_zone},
        {NXT_CT_FLUSH, "CT_FLUSH", print_flush},
};

bool print_experimenter(const struct printer *p, const struct ofp_header *h, struct ofp_reader *r)
{
	uint32_t experimenter = ofp_get_u32(r), subtype = ofp_get_u32(r);

	for (unsigned i = 0; i < sizeof(nicira) / sizeof(nicira[0]); i++) {
		if (experimenter == NX_EXPERIMENTER && subtype == nicira[i].subtype) {
			print_name(p, "NXT_", nicira[i].name, h);
			return nicira[i].print(p, r);
		}
	}
	if (experimenter == ONF_EXPERIMENTER &&
	    (subtype == ONF_BUNDLE_CONTROL || subtype == ONF_BUNDLE_ADD)) {
		print_name(p, "ONFT_", subtype == ONF_BUNDLE_ADD ? "BUNDLE_ADD_MESSAGE" : "BUNDLE_CONTROL",
		           h);
		return print_bundle(p, r, subtype);
	}
	print_name(p, "OFPT_", "EXPERIMENTER", h);
	text_add(p->out, " 0x%08x:%u\n", experimenter, subtype);
	return true;
}
