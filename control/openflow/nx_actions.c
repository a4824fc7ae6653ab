/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of Nicira's actions: registers, resubmit, stack and the like. Called by actions.c. */
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

static enum ofp_error read_output_reg(struct ofp_reader *r, bool second, struct action *a)
{
	uint16_t ofs_nbits = ofp_get_u16(r);
	enum ofp_error error;

	if (second)
		a->output_reg.max_len = ofp_get_u16(r);
	error = read_subfield(r, ofs_nbits >> 6, (ofs_nbits & 63) + 1, &a->output_reg.src);
	if (!second)
		a->output_reg.max_len = ofp_get_u16(r);
	return error;
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

static enum ofp_error read_resubmit(struct ofp_reader *r, bool with_table, struct action *a)
{
	a->resubmit.in_port = nx_port_from_16(ofp_get_u16(r));
	a->resubmit.table_id = 0xff;
	if (with_table)
		a->resubmit.table_id = ofp_get_u8(r);
	return OFP_OK;
}

static enum ofp_error read_set_tunnel(struct ofp_reader *r, bool wide, struct action *a)
{
	ofp_skip(r, wide ? 6 : 2);
	a->set_field.field = FIELD_TUN_ID;
	a->set_field.mask = value_ones(0, 64);
	a->set_field.value = value_from_u64(wide ? ofp_get_u64(r) : ofp_get_u32(r));
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

static enum ofp_error read_clone(struct ofp_reader *r, struct action *a, unsigned depth)
{
	ofp_skip(r, 6);
	return ofp_read_nested_actions(r, &a->nested, depth + 1);
}

static int type_of(uint16_t subtype)
{
	switch (subtype) {
	case NX_RESUBMIT:
	case NX_RESUBMIT_TABLE:
		return ACTION_RESUBMIT;
	case NX_SET_TUNNEL:
	case NX_SET_TUNNEL64:
	case NX_REG_LOAD:
	case NX_REG_LOAD2:
		return ACTION_SET_FIELD;
	case NX_POP_QUEUE:
		return ACTION_POP_QUEUE;
	case NX_REG_MOVE:
		return ACTION_MOVE;
	case NX_NOTE:
		return ACTION_NOTE;
	case NX_OUTPUT_REG:
	case NX_OUTPUT_REG2:
		return ACTION_OUTPUT_REG;
	case NX_EXIT:
		return ACTION_EXIT;
	case NX_DEC_TTL:
	case NX_DEC_TTL_IDS:
		return ACTION_DEC_TTL;
	case NX_FIN_TIMEOUT:
		return ACTION_FIN_TIMEOUT;
	case NX_CONTROLLER:
		return ACTION_CONTROLLER;
	case NX_STACK_PUSH:
		return ACTION_PUSH;
	case NX_STACK_POP:
		return ACTION_POP;
	case NX_CONJUNCTION:
		return ACTION_CONJUNCTION;
	case NX_OUTPUT_TRUNC:
		return ACTION_OUTPUT_TRUNC;
	case NX_CLONE:
		return ACTION_CLONE;
	default:
		return -1;
	}
}

static enum ofp_error read_body(uint16_t subtype, struct ofp_reader *r, struct action *a, unsigned depth)
{
	switch (subtype) {
	case NX_RESUBMIT:
	case NX_RESUBMIT_TABLE:
		return read_resubmit(r, subtype == NX_RESUBMIT_TABLE, a);
	case NX_SET_TUNNEL:
	case NX_SET_TUNNEL64:
		return read_set_tunnel(r, subtype == NX_SET_TUNNEL64, a);
	case NX_REG_LOAD:
		return read_load(r, a);
	case NX_REG_LOAD2:
		return read_load2(r, a);
	case NX_REG_MOVE:
		return read_move(r, a);
	case NX_NOTE:
		return read_note(r, a);
	case NX_OUTPUT_REG:
	case NX_OUTPUT_REG2:
		return read_output_reg(r, subtype == NX_OUTPUT_REG2, a);
	case NX_DEC_TTL_IDS:
		return read_ttl_ids(r, a);
	case NX_FIN_TIMEOUT:
		return read_fin_timeout(r, a);
	case NX_CONTROLLER:
		return read_controller(r, a);
	case NX_STACK_PUSH:
	case NX_STACK_POP:
		return read_stack(r, a);
	case NX_CONJUNCTION:
		return read_conjunction(r, a);
	case NX_OUTPUT_TRUNC:
		return read_output_trunc(r, a);
	case NX_CLONE:
		return read_clone(r, a, depth);
	default: /* pop_queue, exit, dec_ttl: no arguments */
		return OFP_OK;
	}
}

enum ofp_error nx_read_action(struct ofp_reader *r, struct action_list *out, unsigned depth)
{
	uint16_t subtype = ofp_get_u16(r);
	struct action *a;
	enum ofp_error error;
	int type = type_of(subtype);

	if (subtype == NX_LEARN || subtype == NX_LEARN2)
		return nx_read_learn(r, subtype == NX_LEARN2, out);
	if (subtype == NX_CONTROLLER2)
		return nx_read_controller2(r, out);
	if (type < 0)
		return OFPBAC_BAD_EXP_TYPE;
	a = action_list_append(out, (enum action_type)type);
	if (!a)
		return OFPFMFC_UNKNOWN;
	error = read_body(subtype, r, a, depth);
	return error ? error : r->failed ? OFPBAC_BAD_LEN : OFP_OK;
}

/* ---- writing ---- */

static size_t begin(struct ofp_writer *w, enum nx_action subtype)
{
	size_t start = w->len;

	ofp_put_u16(w, 0xffff);
	ofp_put_u16(w, 0);
	ofp_put_u32(w, NX_EXPERIMENTER);
	ofp_put_u16(w, subtype);
	return start;
}

static void end(struct ofp_writer *w, size_t start)
{
	ofp_put_align(w, start);
	ofp_set_u16(w, start + 2, (uint16_t)(w->len - start));
}

/* The run of ones of a mask: load needs it contiguous and at most 64 bits wide. */
static bool mask_run(const struct field_value *mask, unsigned *offset, unsigned *n)
{
	unsigned low = 0, high = 128;
	struct field_value run;

	while (low < 128 && !(mask->b[15 - low / 8] & 1 << low % 8))
		low++;
	while (high > low && !(mask->b[15 - (high - 1) / 8] & 1 << (high - 1) % 8))
		high--;
	*offset = low;
	*n = high - low;
	run = value_ones(*offset, *n);
	return *n && *n <= 64 && !memcmp(&run, mask, sizeof(run));
}

/* OpenFlow 1.3's own SET_FIELD has no mask. */
static bool is_masked(const struct action *a)
{
	struct field_value full =
	        value_ones(0, a->set_field.field == FIELD_VLAN_VID ? 13 : fields[a->set_field.field].bits);

	return memcmp(&full, &a->set_field.mask, sizeof(full)) != 0;
}

static void put_load(struct ofp_writer *w, const struct action *a)
{
	struct field_value v = {{0}};
	unsigned offset, n;
	size_t start;

	if (!mask_run(&a->set_field.mask, &offset, &n)) {
		start = begin(w, NX_REG_LOAD2);
		ofp_put_zero(w, 6);
		oxm_put(w, a->set_field.field, &a->set_field.value, &a->set_field.mask);
	} else {
		start = begin(w, NX_REG_LOAD);
		value_copy_bits(&v, 0, &a->set_field.value, offset, n);
		ofp_put_u16(w, (uint16_t)(offset << 6 | (n - 1)));
		oxm_put_header(w, a->set_field.field);
		ofp_put_u64(w, value_to_u64(&v));
	}
	end(w, start);
}

static void put_move(struct ofp_writer *w, const struct action *a)
{
	ofp_put_u16(w, a->move.src.bits);
	ofp_put_u16(w, a->move.src.offset);
	ofp_put_u16(w, a->move.dst.offset);
	oxm_put_header(w, a->move.src.field);
	oxm_put_header(w, a->move.dst.field);
}

static void put_output_reg(struct ofp_writer *w, const struct action *a)
{
	const struct subfield *src = &a->output_reg.src;
	bool second = oxm_header(src->field, false, true) >> 16 == FIELD_ONF;
	size_t start = begin(w, second ? NX_OUTPUT_REG2 : NX_OUTPUT_REG);

	ofp_put_u16(w, (uint16_t)(src->offset << 6 | (src->bits - 1)));
	if (second)
		ofp_put_u16(w, a->output_reg.max_len);
	oxm_put_header(w, src->field);
	if (!second)
		ofp_put_u16(w, a->output_reg.max_len);
	ofp_put_zero(w, second ? 0 : 6);
	end(w, start);
}

static void put_ttl_ids(struct ofp_writer *w, const struct action *a)
{
	size_t start = begin(w, NX_DEC_TTL_IDS);

	ofp_put_u16(w, (uint16_t)a->dec_ttl.n);
	ofp_put_zero(w, 4);
	for (unsigned i = 0; i < a->dec_ttl.n; i++)
		ofp_put_u16(w, a->dec_ttl.ids[i]);
	end(w, start);
}

static void put_controller(struct ofp_writer *w, const struct action_controller *c)
{
	size_t start;

	if (c->pause || c->meter_id || c->userdata.len) {
		start = begin(w, NX_CONTROLLER2);
		nx_put_controller2(w, c);
	} else {
		start = begin(w, NX_CONTROLLER);
		ofp_put_u16(w, c->max_len);
		ofp_put_u16(w, c->controller_id);
		ofp_put_u8(w, c->reason);
	}
	end(w, start);
}

static void put_note(struct ofp_writer *w, const struct action *a)
{
	size_t start = begin(w, NX_NOTE);

	ofp_put_bytes(w, a->bytes.data, a->bytes.len);
	end(w, start);
}

static void put_body(struct ofp_writer *w, const struct action *a)
{
	switch (a->type) {
	case ACTION_RESUBMIT:
		ofp_put_u16(w, nx_port_to_16(a->resubmit.in_port));
		ofp_put_u8(w, a->resubmit.table_id);
		break;
	case ACTION_MOVE:
		put_move(w, a);
		break;
	case ACTION_PUSH:
	case ACTION_POP:
		ofp_put_u16(w, a->subfield.offset);
		oxm_put_header(w, a->subfield.field);
		ofp_put_u16(w, a->subfield.bits);
		break;
	case ACTION_CONJUNCTION:
		ofp_put_u8(w, a->conjunction.clause);
		ofp_put_u8(w, a->conjunction.n_clauses);
		ofp_put_u32(w, a->conjunction.id);
		break;
	case ACTION_FIN_TIMEOUT:
		ofp_put_u16(w, a->fin_timeout.idle);
		ofp_put_u16(w, a->fin_timeout.hard);
		break;
	case ACTION_OUTPUT_TRUNC:
		ofp_put_u16(w, nx_port_to_16(a->output.port));
		ofp_put_u32(w, a->output.max_len);
		break;
	case ACTION_CLONE:
		ofp_put_zero(w, 6);
		ofp_put_actions(w, &a->nested);
		break;
	default:
		break;
	}
}

static int subtype_of(const struct action *a)
{
	switch (a->type) {
	case ACTION_RESUBMIT:
		return a->resubmit.table_id == 0xff ? NX_RESUBMIT : NX_RESUBMIT_TABLE;
	case ACTION_MOVE:
		return NX_REG_MOVE;
	case ACTION_POP_QUEUE:
		return NX_POP_QUEUE;
	case ACTION_PUSH:
		return NX_STACK_PUSH;
	case ACTION_POP:
		return NX_STACK_POP;
	case ACTION_CONJUNCTION:
		return NX_CONJUNCTION;
	case ACTION_FIN_TIMEOUT:
		return NX_FIN_TIMEOUT;
	case ACTION_EXIT:
		return NX_EXIT;
	case ACTION_OUTPUT_TRUNC:
		return NX_OUTPUT_TRUNC;
	case ACTION_CLONE:
		return NX_CLONE;
	default:
		return -1;
	}
}

bool nx_put_action(struct ofp_writer *w, const struct action *a)
{
	int subtype = subtype_of(a);
	size_t start;

	if (a->type == ACTION_SET_FIELD && (a->set_field.load || is_masked(a))) {
		put_load(w, a);
	} else if (a->type == ACTION_OUTPUT_REG) {
		put_output_reg(w, a);
	} else if (a->type == ACTION_DEC_TTL && a->dec_ttl.n) {
		put_ttl_ids(w, a);
	} else if (a->type == ACTION_CONTROLLER) {
		put_controller(w, &a->controller);
	} else if (a->type == ACTION_NOTE) {
		put_note(w, a);
	} else if (a->type == ACTION_LEARN) {
		start = begin(w,
		              a->learn->limit || a->learn->flags & LEARN_WRITE_RESULT ? NX_LEARN2 : NX_LEARN);
		nx_put_learn(w, a->learn);
		end(w, start);
	} else if (subtype >= 0) {
		start = begin(w, (enum nx_action)subtype);
		put_body(w, a);
		end(w, start);
	} else {
		return false;
	}
	return true;
}
