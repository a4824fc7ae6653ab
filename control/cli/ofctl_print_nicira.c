/* SPDX-License-Identifier: Apache-2.0 */
/* Nicira's messages about connections and options of tunnels as text. Called by ofctl_print_experimenter.c.
 */
#include "control/cli/ofctl_print.h"

static void print_tuple(const struct printer *p, const struct ct_tuple *t, bool ipv4)
{
	char src[IP_TEXT_MAX], dst[IP_TEXT_MAX];
	const char *family = ipv4 ? "nw" : "ipv6";
	uint16_t type_code = be16toh(t->tp_dst);

	text_add(p->out, "ct_%s_src=%s,ct_%s_dst=%s", family, ip_format(&t->src, src), family,
	         ip_format(&t->dst, dst));
	if (t->proto == IP_PROTO_ICMP || t->proto == IP_PROTO_ICMPV6)
		text_add(p->out, ",icmp_id=%u,icmp_type=%u,icmp_code=%u", be16toh(t->tp_src), type_code >> 8,
		         type_code & 0xff);
	else
		text_add(p->out, ",ct_tp_src=%u,ct_tp_dst=%u", be16toh(t->tp_src), type_code);
}

static bool any_v4(const struct ct_tuple *t)
{
	return ip_is_v4(&t->src) || ip_is_v4(&t->dst);
}

bool print_ct_flush(const struct printer *p, struct ofp_reader *r, bool zone_only)
{
	struct ct_flush f;
	bool ipv4;

	*p->why = zone_only ? nx_read_ct_flush_zone(r, &f) : nx_read_ct_flush(r, &f);
	if (*p->why)
		return false;
	if (zone_only) {
		text_add(p->out, " zone_id=%u\n", f.zone);
		return true;
	}
	ipv4 = any_v4(&f.orig) || any_v4(&f.reply);
	text_add(p->out, " zone=%u '", f.zone);
	print_tuple(p, &f.orig, ipv4);
	text_add(p->out, ",ct_nw_proto=%u' '", f.orig.proto);
	print_tuple(p, &f.reply, ipv4);
	text_add(p->out, "'\n");
	return true;
}

/* What `r` holds to its end. */
static bool print_table(const struct printer *p, struct ofp_reader *r, unsigned max_fields)
{
	struct nx_option option;

	text_add(p->out, " mapping table:\n  class  type  length  match field\n"
	                 " ------  ----  ------  --------------\n");
	while (!*p->why && ofp_left(r)) {
		*p->why = nx_read_option(r, max_fields, &option);
		if (!*p->why)
			text_add(p->out, " %#6x  %#4x  %6u  tun_metadata%u\n", option.option_class,
			         option.type, option.len, option.index);
	}
	return !*p->why;
}

bool print_options_mod(const struct printer *p, struct ofp_reader *r)
{
	static const char *const commands[] = {"ADD", "DEL", "CLEAR"};
	enum nx_options_command command = NX_OPTIONS_CLEAR;

	*p->why = nx_read_options_mod(r, &command);
	if (*p->why)
		return false;
	text_add(p->out, "\n %s", commands[command]);
	if (command != NX_OPTIONS_CLEAR)
		return print_table(p, r, NX_OPTION_FIELDS);
	text_add(p->out, "\n");
	return true;
}

bool print_options(const struct printer *p, struct ofp_reader *r)
{
	uint32_t space = ofp_get_u32(r);
	uint16_t max_fields = ofp_get_u16(r);
	unsigned used = 0;
	struct ofp_reader look;

	ofp_skip(r, 10);
	if (r->failed || ofp_left(r) % 8)
		return false;
	for (look = *r; ofp_left(&look);) {
		struct nx_option option = {.len = 0};

		nx_read_option(&look, max_fields, &option); /* what is wrong is told with the table */
		used += option.len;
	}
	text_add(p->out, "\n max option space=%u max fields=%u\n allocated option space=%u\n\n", space,
	         max_fields, used);
	return print_table(p, r, max_fields);
}
