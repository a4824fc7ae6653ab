/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of NXT_TLV_TABLE_*: which options of a tunnel's header are which fields. Called by the server's
 * handlers and by clients. */
#include "control/openflow/messages.h"

enum { OPTION_LEN_MAX = 124 };

enum ofp_error nx_read_option(struct ofp_reader *r, unsigned max_fields, struct nx_option *out)
{
	out->option_class = ofp_get_u16(r);
	out->type = ofp_get_u8(r);
	out->len = ofp_get_u8(r);
	out->index = ofp_get_u16(r);
	ofp_skip(r, 2);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (out->len % 4 || out->len > OPTION_LEN_MAX)
		return NXTTMFC_BAD_OPT_LEN;
	return out->index < max_fields ? OFP_OK : NXTTMFC_BAD_FIELD_IDX;
}

enum ofp_error nx_read_options_mod(struct ofp_reader *r, enum nx_options_command *command)
{
	uint16_t number = ofp_get_u16(r);
	struct ofp_reader look;
	struct nx_option option;
	enum ofp_error error = OFP_OK;

	ofp_skip(r, 6);
	if (r->failed || ofp_left(r) % 8)
		return OFPBRC_BAD_LEN;
	if (number > NX_OPTIONS_CLEAR)
		return NXTTMFC_BAD_COMMAND;
	*command = (enum nx_options_command)number;
	look = *r;
	while (!error && ofp_left(&look))
		error = nx_read_option(&look, NX_OPTION_FIELDS, &option);
	return error;
}

void nx_put_option(struct ofp_writer *w, const struct nx_option *option)
{
	ofp_put_u16(w, option->option_class);
	ofp_put_u8(w, option->type);
	ofp_put_u8(w, option->len);
	ofp_put_u16(w, option->index);
	ofp_put_zero(w, 2);
}
