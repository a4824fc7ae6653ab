/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Nicira's actions, and for 1.0 those that stand in for standard ones. Called by actions.c. */
#include "control/openflow/nx_actions.h"
#include "control/openflow/oxm.h"

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

bool action_set_is_masked(const struct action *a)
{
	struct field_value full =
	        value_ones(0, a->set_field.field == FIELD_VLAN_VID ? 13 : fields[a->set_field.field].bits);

	return memcmp(&full, &a->set_field.mask, sizeof(full)) != 0;
}

static void put_load_run(struct ofp_writer *w, const struct action *a, unsigned offset, unsigned n)
{
	size_t start = begin(w, NX_REG_LOAD);
	struct field_value v = {{0}};

	value_copy_bits(&v, 0, &a->set_field.value, offset, n);
	ofp_put_u16(w, (uint16_t)(offset << 6 | (n - 1)));
	oxm_put_header(w, a->set_field.field);
	ofp_put_u64(w, value_to_u64(&v));
	end(w, start);
}

static void put_load(struct ofp_writer *w, const struct action *a)
{
	unsigned offset, n;
	size_t start;

	if (w->version == OFP_VERSION_10 && !a->set_field.load && !action_set_is_masked(a)) {
		for (offset = 0; offset < fields[a->set_field.field].bits; offset += n) {
			n = fields[a->set_field.field].bits - offset;
			n = n < 64 ? n : 64;
			put_load_run(w, a, offset, n);
		}
	} else if (mask_run(&a->set_field.mask, &offset, &n)) {
		put_load_run(w, a, offset, n);
	} else {
		start = begin(w, NX_REG_LOAD2);
		ofp_put_zero(w, 6);
		oxm_put(w, a->set_field.field, &a->set_field.value, &a->set_field.mask);
		end(w, start);
	}
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
	case ACTION_MULTIPATH:
		nx_put_multipath(w, &a->multipath);
		break;
	case ACTION_BUNDLE:
	case ACTION_BUNDLE_LOAD:
		nx_put_bundle(w, a);
		break;
	case ACTION_OUTPUT_TRUNC:
		ofp_put_u16(w, nx_port_to_16(a->output.port));
		ofp_put_u32(w, a->output.max_len);
		break;
	case ACTION_CHECK_PKT_LARGER:
		ofp_put_u16(w, a->check_pkt_larger.len);
		ofp_put_u16(w, a->check_pkt_larger.dst.offset);
		oxm_put_header(w, a->check_pkt_larger.dst.field);
		break;
	case ACTION_CT:
		nx_put_ct(w, &a->ct);
		break;
	case ACTION_NAT:
		nx_put_nat(w, &a->nat);
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
		return a->resubmit.original ? NX_RESUBMIT_TABLE_CT : NX_RESUBMIT_TABLE;
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
	case ACTION_MULTIPATH:
		return NX_MULTIPATH;
	case ACTION_BUNDLE:
		return NX_BUNDLE;
	case ACTION_BUNDLE_LOAD:
		return NX_BUNDLE_LOAD;
	case ACTION_EXIT:
		return NX_EXIT;
	case ACTION_OUTPUT_TRUNC:
		return NX_OUTPUT_TRUNC;
	case ACTION_CHECK_PKT_LARGER:
		return NX_CHECK_PKT_LARGER;
	case ACTION_CT:
		return NX_CT;
	case ACTION_NAT:
		return NX_NAT;
	case ACTION_CT_CLEAR:
		return NX_CT_CLEAR;
	case ACTION_CLONE:
		return NX_CLONE;
	default:
		return -1;
	}
}

/* Standard actions of later versions that are Nicira's in 1.0. False when `a` is none of them. */
static bool put_stand_in(struct ofp_writer *w, const struct action *a)
{
	static const struct stand_in {
		uint8_t type;
		uint16_t subtype;
		enum { NOTHING, U8, U16, U32 } argument;
	} stand_ins[] = {
	        {ACTION_SET_QUEUE, NX_SET_QUEUE, U32},      {ACTION_GROUP, NX_GROUP, U32},
	        {ACTION_PUSH_MPLS, NX_PUSH_MPLS, U16},      {ACTION_POP_MPLS, NX_POP_MPLS, U16},
	        {ACTION_SET_MPLS_TTL, NX_SET_MPLS_TTL, U8}, {ACTION_DEC_MPLS_TTL, NX_DEC_MPLS_TTL, NOTHING},
	        {ACTION_DEC_TTL, NX_DEC_TTL, NOTHING},
	};
	const struct stand_in *s = stand_ins;
	size_t start;

	while (s->type != a->type) {
		if (++s == stand_ins + sizeof(stand_ins) / sizeof(*s))
			return false;
	}
	start = begin(w, (enum nx_action)s->subtype);
	if (s->argument == U8) {
		ofp_put_u8(w, (uint8_t)a->number);
	} else if (s->argument == U16) {
		ofp_put_u16(w, a->ethertype);
	} else if (s->argument == U32) {
		ofp_put_zero(w, 2);
		ofp_put_u32(w, a->number);
	}
	end(w, start);
	return true;
}

/* A field that 1.0 sets with an action of its own; false when it takes a load. */
static bool put_setter_10(struct ofp_writer *w, const struct action *a)
{
	uint64_t n = value_to_u64(&a->set_field.value);
	enum field_id id = a->set_field.field;
	bool wide = n > UINT32_MAX;
	size_t start;

	if (id != FIELD_TUN_ID && id != FIELD_MPLS_LABEL && id != FIELD_MPLS_TC)
		return false;
	start = begin(w, id == FIELD_TUN_ID       ? (wide ? NX_SET_TUNNEL64 : NX_SET_TUNNEL)
	                 : id == FIELD_MPLS_LABEL ? NX_SET_MPLS_LABEL
	                                          : NX_SET_MPLS_TC);
	ofp_put_zero(w, id == FIELD_MPLS_TC ? 0 : wide ? 6 : 2);
	if (id == FIELD_MPLS_TC)
		ofp_put_u8(w, (uint8_t)n);
	else if (wide)
		ofp_put_u64(w, n);
	else
		ofp_put_u32(w, (uint32_t)n);
	end(w, start);
	return true;
}

static void put_ttl_as_load(struct ofp_writer *w, const struct action *a)
{
	struct action load = {.type = ACTION_SET_FIELD,
	                      .set_field = {.field = FIELD_NW_TTL,
	                                    .load = true,
	                                    .value = value_from_u64(a->number),
	                                    .mask = value_ones(0, 8)}};

	put_load(w, &load);
}

static void put_metadata(struct ofp_writer *w, const struct action *a)
{
	size_t start = begin(w, NX_WRITE_METADATA);

	ofp_put_zero(w, 6);
	ofp_put_u64(w, a->metadata.value);
	ofp_put_u64(w, a->metadata.mask);
	end(w, start);
}

/* What 1.0 has Nicira's actions for, and later versions not. */
static bool put_10(struct ofp_writer *w, const struct action *a)
{
	switch (a->type) {
	case ACTION_SET_FIELD:
		if (a->set_field.load || action_set_is_masked(a) || !put_setter_10(w, a))
			put_load(w, a);
		return true;
	case ACTION_SET_TTL:
		put_ttl_as_load(w, a);
		return true;
	case ACTION_WRITE_METADATA:
		put_metadata(w, a);
		return true;
	default:
		return put_stand_in(w, a);
	}
}

bool nx_put_action(struct ofp_writer *w, const struct action *a)
{
	int subtype = subtype_of(a);
	size_t start;

	if (a->type == ACTION_SET_FIELD && w->version != OFP_VERSION_10 &&
	    (a->set_field.load || action_set_is_masked(a))) { /* 1.3's own SET_FIELD has no mask */
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
		return w->version == OFP_VERSION_10 && put_10(w, a);
	}
	return true;
}
