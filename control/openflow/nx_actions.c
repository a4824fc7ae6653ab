/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Nicira's actions: registers, resubmit, stack and the like, and for 1.0 those that stand in for
 * standard ones. A row of a table each. Called by actions.c. */
#include "control/openflow/nx_actions.h"

#include <stdlib.h>

#include "control/openflow/oxm.h"

uint32_t nx_port_from_16(uint16_t port)
{
	return port >= 0xff00 ? port | 0xffff0000u : port;
}

uint16_t nx_port_to_16(uint32_t port)
{
	return (uint16_t)port;
}

/* ---- reading ---- */

static enum ofp_error read_subfield(struct ofp_reader *r, uint16_t offset, uint16_t bits,
                                    struct subfield *out)
{
	enum field_id id = oxm_read_header(r);

	if (id == FIELD_NONE)
		return OFPBAC_BAD_SET_TYPE;
	if (!bits || offset + bits > fields[id].bits)
		return OFPBAC_BAD_SET_ARGUMENT;
	*out = (struct subfield){id, offset, bits};
	return OFP_OK;
}

static enum ofp_error read_move(struct ofp_reader *r, struct action *a)
{
	uint16_t bits = ofp_get_u16(r), src = ofp_get_u16(r), dst = ofp_get_u16(r);
	enum ofp_error error = read_subfield(r, src, bits, &a->move.src);

	return error ? error : read_subfield(r, dst, bits, &a->move.dst);
}

static enum ofp_error read_load(struct ofp_reader *r, struct action *a)
{
	uint16_t ofs_nbits = ofp_get_u16(r);
	struct subfield dst;
	enum ofp_error error = read_subfield(r, ofs_nbits >> 6, (ofs_nbits & 63) + 1, &dst);
	struct field_value v = value_from_u64(ofp_get_u64(r));

	if (error)
		return error;
	if (!value_fits(&v, dst.bits))
		return OFPBAC_BAD_SET_ARGUMENT;
	a->set_field.field = dst.field;
	a->set_field.load = true;
	a->set_field.mask = value_ones(dst.offset, dst.bits);
	value_copy_bits(&a->set_field.value, dst.offset, &v, 0, dst.bits);
	return OFP_OK;
}

static enum ofp_error read_load2(struct ofp_reader *r, struct action *a)
{
	enum field_id id;
	bool masked;

	ofp_skip(r, 6);
	if (oxm_read(r, &id, &a->set_field.value, &a->set_field.mask, &masked))
		return OFPBAC_BAD_SET_ARGUMENT;
	a->set_field.field = id;
	a->set_field.load = true;
	return OFP_OK;
}

static enum ofp_error read_output_reg(struct ofp_reader *r, struct action *a)
{
	uint16_t ofs_nbits = ofp_get_u16(r);
	enum ofp_error error = read_subfield(r, ofs_nbits >> 6, (ofs_nbits & 63) + 1, &a->output_reg.src);

	a->output_reg.max_len = ofp_get_u16(r);
	return error;
}

static enum ofp_error read_output_reg2(struct ofp_reader *r, struct action *a)
{
	uint16_t ofs_nbits = ofp_get_u16(r);

	a->output_reg.max_len = ofp_get_u16(r);
	return read_subfield(r, ofs_nbits >> 6, (ofs_nbits & 63) + 1, &a->output_reg.src);
}

static enum ofp_error read_stack(struct ofp_reader *r, struct action *a)
{
	uint16_t offset = ofp_get_u16(r);
	enum field_id id = oxm_read_header(r);
	uint16_t bits = ofp_get_u16(r);

	if (id == FIELD_NONE)
		return OFPBAC_BAD_SET_TYPE;
	if (!bits || offset + bits > fields[id].bits)
		return OFPBAC_BAD_SET_ARGUMENT;
	a->subfield = (struct subfield){id, offset, bits};
	return OFP_OK;
}

static enum ofp_error read_note(struct ofp_reader *r, struct action *a)
{
	size_t n = ofp_left(r);

	a->bytes.data = malloc(n ? n : 1);
	if (!a->bytes.data)
		return OFPFMFC_UNKNOWN;
	a->bytes.len = (uint16_t)n;
	if (n)
		memcpy(a->bytes.data, ofp_get(r, n), n);
	return OFP_OK;
}

static enum ofp_error read_ttl_ids(struct ofp_reader *r, struct action *a)
{
	unsigned n = ofp_get_u16(r);

	ofp_skip(r, 4);
	if (!n || ofp_left(r) < n * 2u)
		return OFPBAC_BAD_LEN;
	a->dec_ttl.ids = calloc(n, sizeof(*a->dec_ttl.ids));
	if (!a->dec_ttl.ids)
		return OFPFMFC_UNKNOWN;
	a->dec_ttl.n = n;
	for (unsigned i = 0; i < n; i++)
		a->dec_ttl.ids[i] = ofp_get_u16(r);
	return OFP_OK;
}

static enum ofp_error read_resubmit(struct ofp_reader *r, struct action *a)
{
	a->resubmit.in_port = nx_port_from_16(ofp_get_u16(r));
	a->resubmit.table_id = 0xff;
	return OFP_OK;
}

static enum ofp_error read_resubmit_table(struct ofp_reader *r, struct action *a)
{
	a->resubmit.in_port = nx_port_from_16(ofp_get_u16(r));
	a->resubmit.table_id = ofp_get_u8(r);
	return OFP_OK;
}

static enum ofp_error read_resubmit_original(struct ofp_reader *r, struct action *a)
{
	a->resubmit.original = true;
	return read_resubmit_table(r, a);
}

/* The whole of a field by one number. */
static enum ofp_error set(struct action *a, enum field_id id, uint64_t n)
{
	a->set_field.field = id;
	a->set_field.mask = value_ones(0, fields[id].bits);
	a->set_field.value = value_from_u64(n);
	return value_fits(&a->set_field.value, fields[id].bits) ? OFP_OK : OFPBAC_BAD_ARGUMENT;
}

static enum ofp_error read_set_tunnel(struct ofp_reader *r, struct action *a)
{
	ofp_skip(r, 2);
	return set(a, FIELD_TUN_ID, ofp_get_u32(r));
}

static enum ofp_error read_set_tunnel64(struct ofp_reader *r, struct action *a)
{
	ofp_skip(r, 6);
	return set(a, FIELD_TUN_ID, ofp_get_u64(r));
}

static enum ofp_error read_mpls_label(struct ofp_reader *r, struct action *a)
{
	ofp_skip(r, 2);
	return set(a, FIELD_MPLS_LABEL, ofp_get_u32(r));
}

static enum ofp_error read_mpls_tc(struct ofp_reader *r, struct action *a)
{
	return set(a, FIELD_MPLS_TC, ofp_get_u8(r));
}

static enum ofp_error read_ethertype(struct ofp_reader *r, struct action *a)
{
	a->ethertype = ofp_get_u16(r);
	return OFP_OK;
}

static enum ofp_error read_u8(struct ofp_reader *r, struct action *a)
{
	a->number = ofp_get_u8(r);
	return OFP_OK;
}

static enum ofp_error read_u32(struct ofp_reader *r, struct action *a)
{
	ofp_skip(r, 2);
	a->number = ofp_get_u32(r);
	return OFP_OK;
}

static enum ofp_error read_metadata(struct ofp_reader *r, struct action *a)
{
	ofp_skip(r, 6);
	a->metadata.value = ofp_get_u64(r);
	a->metadata.mask = ofp_get_u64(r);
	return OFP_OK;
}

static enum ofp_error read_nothing(struct ofp_reader *r, struct action *a)
{
	return OFP_OK;
}

static enum ofp_error read_controller(struct ofp_reader *r, struct action *a)
{
	a->controller.max_len = ofp_get_u16(r);
	a->controller.controller_id = ofp_get_u16(r);
	a->controller.reason = ofp_get_u8(r);
	return OFP_OK;
}

static enum ofp_error read_conjunction(struct ofp_reader *r, struct action *a)
{
	a->conjunction.clause = ofp_get_u8(r);
	a->conjunction.n_clauses = ofp_get_u8(r);
	a->conjunction.id = ofp_get_u32(r);
	return OFP_OK;
}

static enum ofp_error read_fin_timeout(struct ofp_reader *r, struct action *a)
{
	a->fin_timeout.idle = ofp_get_u16(r);
	a->fin_timeout.hard = ofp_get_u16(r);
	return OFP_OK;
}

static enum ofp_error read_output_trunc(struct ofp_reader *r, struct action *a)
{
	a->output.port = nx_port_from_16(ofp_get_u16(r));
	a->output.max_len = ofp_get_u32(r);
	return OFP_OK;
}

static enum ofp_error read_check_pkt_larger(struct ofp_reader *r, struct action *a)
{
	uint16_t offset;
	enum field_id id;

	a->check_pkt_larger.len = ofp_get_u16(r);
	offset = ofp_get_u16(r);
	id = oxm_read_header(r);
	if (r->failed)
		return OFPBAC_BAD_LEN;
	if (id == FIELD_NONE)
		return OFPBAC_BAD_SET_TYPE;
	if (offset >= fields[id].bits)
		return OFPBAC_BAD_SET_LEN;
	while (ofp_left(r))
		if (ofp_get_u8(r))
			return NXBRC_MUST_BE_ZERO;
	a->check_pkt_larger.dst = (struct subfield){id, offset, 1};
	return OFP_OK;
}

static enum ofp_error read_clone(struct ofp_reader *r, struct action_list *out, unsigned depth)
{
	struct action *a = action_list_append(out, ACTION_CLONE);

	if (!a)
		return OFPFMFC_UNKNOWN;
	ofp_skip(r, 6);
	if (r->failed)
		return OFPBAC_BAD_LEN;
	return ofp_read_nested_actions(r, &a->nested, depth + 1);
}

static const struct row {
	uint16_t subtype;
	uint8_t type; /* enum action_type */
	bool only_10; /* later versions have a standard action */
	enum ofp_error (*read)(struct ofp_reader *r, struct action *a);
} rows[] = {
        {NX_RESUBMIT, ACTION_RESUBMIT, false, read_resubmit},
        {NX_RESUBMIT_TABLE, ACTION_RESUBMIT, false, read_resubmit_table},
        {NX_RESUBMIT_TABLE_CT, ACTION_RESUBMIT, false, read_resubmit_original},
        {NX_SET_TUNNEL, ACTION_SET_FIELD, false, read_set_tunnel},
        {NX_SET_TUNNEL64, ACTION_SET_FIELD, false, read_set_tunnel64},
        {NX_REG_LOAD, ACTION_SET_FIELD, false, read_load},
        {NX_REG_LOAD2, ACTION_SET_FIELD, false, read_load2},
        {NX_REG_MOVE, ACTION_MOVE, false, read_move},
        {NX_SET_QUEUE, ACTION_SET_QUEUE, true, read_u32},
        {NX_POP_QUEUE, ACTION_POP_QUEUE, false, read_nothing},
        {NX_NOTE, ACTION_NOTE, false, read_note},
        {NX_OUTPUT_REG, ACTION_OUTPUT_REG, false, read_output_reg},
        {NX_OUTPUT_REG2, ACTION_OUTPUT_REG, false, read_output_reg2},
        {NX_EXIT, ACTION_EXIT, false, read_nothing},
        {NX_DEC_TTL, ACTION_DEC_TTL, false, read_nothing},
        {NX_DEC_TTL_IDS, ACTION_DEC_TTL, false, read_ttl_ids},
        {NX_FIN_TIMEOUT, ACTION_FIN_TIMEOUT, false, read_fin_timeout},
        {NX_CONTROLLER, ACTION_CONTROLLER, false, read_controller},
        {NX_MULTIPATH, ACTION_MULTIPATH, false, nx_read_multipath},
        {NX_BUNDLE, ACTION_BUNDLE, false, nx_read_bundle},
        {NX_BUNDLE_LOAD, ACTION_BUNDLE_LOAD, false, nx_read_bundle},
        {NX_WRITE_METADATA, ACTION_WRITE_METADATA, true, read_metadata},
        {NX_PUSH_MPLS, ACTION_PUSH_MPLS, true, read_ethertype},
        {NX_POP_MPLS, ACTION_POP_MPLS, true, read_ethertype},
        {NX_SET_MPLS_TTL, ACTION_SET_MPLS_TTL, true, read_u8},
        {NX_DEC_MPLS_TTL, ACTION_DEC_MPLS_TTL, true, read_nothing},
        {NX_SET_MPLS_LABEL, ACTION_SET_FIELD, true, read_mpls_label},
        {NX_SET_MPLS_TC, ACTION_SET_FIELD, true, read_mpls_tc},
        {NX_STACK_PUSH, ACTION_PUSH, false, read_stack},
        {NX_STACK_POP, ACTION_POP, false, read_stack},
        {NX_CONJUNCTION, ACTION_CONJUNCTION, false, read_conjunction},
        {NX_NAT, ACTION_NAT, false, nx_read_nat},
        {NX_CT_CLEAR, ACTION_CT_CLEAR, false, read_nothing},
        {NX_OUTPUT_TRUNC, ACTION_OUTPUT_TRUNC, false, read_output_trunc},
        {NX_CHECK_PKT_LARGER, ACTION_CHECK_PKT_LARGER, false, read_check_pkt_larger},
        {NX_GROUP, ACTION_GROUP, true, read_u32},
};

enum ofp_error nx_read_action(struct ofp_reader *r, struct action_list *out, unsigned depth)
{
	uint16_t subtype = ofp_get_u16(r);
	const struct row *row = rows;
	enum ofp_error error;
	struct action *a;

	if (subtype == NX_LEARN || subtype == NX_LEARN2)
		return nx_read_learn(r, subtype == NX_LEARN2, out);
	if (subtype == NX_CONTROLLER2)
		return nx_read_controller2(r, out);
	if (subtype == NX_CT)
		return nx_read_ct(r, out, depth);
	if (subtype == NX_CLONE)
		return read_clone(r, out, depth);
	while (row->subtype != subtype || (row->only_10 && r->version != OFP_VERSION_10)) {
		if (++row == rows + sizeof(rows) / sizeof(rows[0]))
			return OFPBAC_BAD_EXP_TYPE;
	}
	a = action_list_append(out, (enum action_type)row->type);
	if (!a)
		return OFPFMFC_UNKNOWN;
	error = row->read(r, a);
	return error ? error : r->failed ? OFPBAC_BAD_LEN : OFP_OK;
}
