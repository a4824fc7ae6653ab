/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of Nicira's learn and controller actions with their variable parts. Called by nx_actions.c. */
#include <stdlib.h>

#include "control/openflow/nx_actions.h"
#include "control/openflow/oxm.h"

/* ---- learn: a header of 16 bits for each part: width, destination, source ---- */

enum { SPEC_BITS = 0x7ff, SPEC_DST_SHIFT = 11, SPEC_IMMEDIATE = 0x2000, SPECS_MAX = 256 };

static enum ofp_error read_bits_of(struct ofp_reader *r, uint16_t bits, struct subfield *out)
{
	enum field_id id = oxm_read_header(r);
	uint16_t offset = ofp_get_u16(r);

	if (r->failed)
		return OFPBAC_BAD_LEN;
	if (id == FIELD_NONE)
		return OFPBAC_BAD_SET_TYPE;
	if (offset + bits > fields[id].bits)
		return OFPBAC_BAD_SET_ARGUMENT;
	*out = (struct subfield){id, offset, bits};
	return OFP_OK;
}

static enum ofp_error read_spec(struct ofp_reader *r, uint16_t header, struct learn_spec *spec)
{
	unsigned dst = (header >> SPEC_DST_SHIFT) & 3, bytes;
	enum ofp_error error;
	const uint8_t *p;

	spec->bits = header & SPEC_BITS;
	spec->kind = (enum learn_kind)dst;
	spec->immediate = header & SPEC_IMMEDIATE;
	if (dst > LEARN_OUTPUT || header & 0xc000 || !spec->bits || spec->bits > 128 ||
	    (dst == LEARN_OUTPUT && spec->immediate))
		return OFPBAC_BAD_ARGUMENT;
	if (spec->immediate) {
		bytes = (spec->bits + 15u) / 16 * 2;
		p = ofp_get(r, bytes);
		if (!p)
			return OFPBAC_BAD_LEN;
		spec->value = value_from_bytes(p, bytes);
		if (!value_fits(&spec->value, spec->bits))
			return OFPBAC_BAD_ARGUMENT;
	} else {
		error = read_bits_of(r, spec->bits, &spec->src);
		if (error)
			return error;
	}
	return dst == LEARN_OUTPUT ? OFP_OK : read_bits_of(r, spec->bits, &spec->dst);
}

static enum ofp_error read_specs(struct ofp_reader *r, struct action_learn *learn)
{
	while (ofp_left(r) >= 2) {
		uint16_t header = ofp_get_u16(r);
		struct learn_spec *specs;
		enum ofp_error error;

		if (!header)
			break;
		if (learn->n_specs == SPECS_MAX)
			return OFPBAC_TOO_MANY;
		specs = realloc(learn->specs, (learn->n_specs + 1) * sizeof(*specs));
		if (!specs)
			return OFPFMFC_UNKNOWN;
		learn->specs = specs;
		memset(&specs[learn->n_specs], 0, sizeof(*specs));
		error = read_spec(r, header, &specs[learn->n_specs++]);
		if (error)
			return error;
	}
	return OFP_OK;
}

static enum ofp_error read_second(struct ofp_reader *r, struct action_learn *learn)
{
	uint16_t offset;
	enum field_id id;

	learn->limit = ofp_get_u32(r);
	offset = ofp_get_u16(r);
	ofp_skip(r, 2);
	if (!(learn->flags & LEARN_WRITE_RESULT))
		return OFP_OK;
	id = oxm_read_header(r);
	if (id == FIELD_NONE || offset >= fields[id].bits)
		return OFPBAC_BAD_SET_ARGUMENT;
	learn->result = (struct subfield){id, offset, 1};
	return OFP_OK;
}

enum ofp_error nx_read_learn(struct ofp_reader *r, bool second, struct action_list *out)
{
	struct action *a = action_list_append(out, ACTION_LEARN);
	struct action_learn *learn = a ? calloc(1, sizeof(*learn)) : NULL;
	uint16_t flags;
	enum ofp_error error;

	if (!learn) {
		out->n -= a != NULL;
		return OFPFMFC_UNKNOWN;
	}
	a->learn = learn;
	learn->idle_timeout = ofp_get_u16(r);
	learn->hard_timeout = ofp_get_u16(r);
	learn->priority = ofp_get_u16(r);
	learn->cookie = ofp_get_u64(r);
	flags = ofp_get_u16(r);
	learn->flags = (uint8_t)flags;
	learn->table_id = ofp_get_u8(r);
	ofp_skip(r, 1);
	learn->fin_idle_timeout = ofp_get_u16(r);
	learn->fin_hard_timeout = ofp_get_u16(r);
	if (flags & ~(second ? 7 : 3) || learn->table_id == 0xff)
		return OFPBAC_BAD_ARGUMENT;
	error = second ? read_second(r, learn) : OFP_OK;
	if (!error)
		error = read_specs(r, learn);
	return error ? error : r->failed ? OFPBAC_BAD_LEN : OFP_OK;
}

static void put_spec(struct ofp_writer *w, const struct learn_spec *spec)
{
	unsigned bytes = (spec->bits + 15u) / 16 * 2;

	ofp_put_u16(w, (uint16_t)(spec->bits | spec->kind << SPEC_DST_SHIFT |
	                          (spec->immediate ? SPEC_IMMEDIATE : 0)));
	if (spec->immediate) {
		ofp_put_bytes(w, spec->value.b + 16 - bytes, bytes);
	} else {
		oxm_put_header(w, spec->src.field);
		ofp_put_u16(w, spec->src.offset);
	}
	if (spec->kind != LEARN_OUTPUT) {
		oxm_put_header(w, spec->dst.field);
		ofp_put_u16(w, spec->dst.offset);
	}
}

void nx_put_learn(struct ofp_writer *w, const struct action_learn *learn)
{
	ofp_put_u16(w, learn->idle_timeout);
	ofp_put_u16(w, learn->hard_timeout);
	ofp_put_u16(w, learn->priority);
	ofp_put_u64(w, learn->cookie);
	ofp_put_u16(w, learn->flags);
	ofp_put_u8(w, learn->table_id);
	ofp_put_zero(w, 1);
	ofp_put_u16(w, learn->fin_idle_timeout);
	ofp_put_u16(w, learn->fin_hard_timeout);
	if (learn->limit || learn->flags & LEARN_WRITE_RESULT) {
		ofp_put_u32(w, learn->limit);
		ofp_put_u16(w, learn->result.offset);
		ofp_put_zero(w, 2);
		if (learn->flags & LEARN_WRITE_RESULT)
			oxm_put_header(w, learn->result.field);
	}
	for (unsigned i = 0; i < learn->n_specs; i++)
		put_spec(w, &learn->specs[i]);
}

/* ---- controller with userdata: properties of type, length and value, each padded to 8 bytes ---- */

enum { PROP_MAX_LEN, PROP_CONTROLLER_ID, PROP_REASON, PROP_USERDATA, PROP_PAUSE, PROP_METER_ID };

static enum ofp_error read_userdata(struct ofp_reader *r, struct action_bytes *out)
{
	size_t n = ofp_left(r);

	if (out->data || !n)
		return OFPBAC_BAD_ARGUMENT;
	out->data = malloc(n);
	if (!out->data)
		return OFPFMFC_UNKNOWN;
	memcpy(out->data, ofp_get(r, n), n);
	out->len = (uint16_t)n;
	return OFP_OK;
}

enum ofp_error nx_read_controller2(struct ofp_reader *r, struct action_list *out)
{
	struct action *a = action_list_append(out, ACTION_CONTROLLER);

	if (!a)
		return OFPFMFC_UNKNOWN;
	a->controller.max_len = 0xffff;
	a->controller.reason = 1;
	ofp_skip(r, 6);
	while (ofp_left(r) >= 4) {
		uint16_t type = ofp_get_u16(r), len = ofp_get_u16(r);
		struct ofp_reader body;
		enum ofp_error error = OFP_OK;

		if (len < 4)
			return OFPBAC_BAD_LEN;
		body = ofp_get_part(r, len - 4u);
		ofp_skip(r, -len & 7u);
		if (type == PROP_MAX_LEN)
			a->controller.max_len = ofp_get_u16(&body);
		else if (type == PROP_CONTROLLER_ID)
			a->controller.controller_id = ofp_get_u16(&body);
		else if (type == PROP_REASON)
			a->controller.reason = ofp_get_u8(&body);
		else if (type == PROP_USERDATA)
			error = read_userdata(&body, &a->controller.userdata);
		else if (type == PROP_PAUSE)
			a->controller.pause = true;
		else if (type == PROP_METER_ID)
			a->controller.meter_id = ofp_get_u32(&body);
		else
			error = OFPBAC_BAD_ARGUMENT;
		if (error || body.failed)
			return error ? error : OFPBAC_BAD_LEN;
	}
	return r->failed ? OFPBAC_BAD_LEN : OFP_OK;
}

/* The length counts the padding of numbers, but not that of userdata: Open vSwitch's way. */
static void put_property(struct ofp_writer *w, uint16_t type, const void *bytes, size_t n)
{
	size_t start = w->len;

	ofp_put_u16(w, type);
	ofp_put_u16(w, (uint16_t)(n && type != PROP_USERDATA ? 8 : 4 + n));
	ofp_put_bytes(w, bytes, n);
	ofp_put_align(w, start);
}

void nx_put_controller2(struct ofp_writer *w, const struct action_controller *c)
{
	uint16_t max_len = htobe16(c->max_len), id = htobe16(c->controller_id);
	uint32_t meter_id = htobe32(c->meter_id);

	ofp_put_zero(w, 6);
	if (c->max_len != 0xffff)
		put_property(w, PROP_MAX_LEN, &max_len, 2);
	if (c->controller_id)
		put_property(w, PROP_CONTROLLER_ID, &id, 2);
	if (c->reason != 1)
		put_property(w, PROP_REASON, &c->reason, 1);
	if (c->userdata.len)
		put_property(w, PROP_USERDATA, c->userdata.data, c->userdata.len);
	if (c->pause)
		put_property(w, PROP_PAUSE, NULL, 0);
	if (c->meter_id)
		put_property(w, PROP_METER_ID, &meter_id, 4);
}
