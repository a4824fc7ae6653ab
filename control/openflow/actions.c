/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of the standard actions of OpenFlow 1.3 and 1.4, and the way to those of 1.0 and Nicira. Called by
 * the codecs of flows, groups and packet-out. */
#include "control/openflow/actions.h"

#include "control/openflow/of10.h"
#include "control/openflow/oxm.h"

enum { /* OFPAT_* */
       AT_OUTPUT = 0,
       AT_COPY_TTL_OUT = 11,
       AT_COPY_TTL_IN = 12,
       AT_SET_MPLS_TTL = 15,
       AT_DEC_MPLS_TTL = 16,
       AT_PUSH_VLAN = 17,
       AT_POP_VLAN = 18,
       AT_PUSH_MPLS = 19,
       AT_POP_MPLS = 20,
       AT_SET_QUEUE = 21,
       AT_GROUP = 22,
       AT_SET_NW_TTL = 23,
       AT_DEC_NW_TTL = 24,
       AT_SET_FIELD = 25,
       AT_PUSH_PBB = 26,
       AT_POP_PBB = 27,
       AT_EXPERIMENTER = 0xffff,
};

/* Actions that are a type and at most one number. */
static const struct simple {
	uint16_t wire;
	enum action_type type;
	enum { NO_ARGUMENT, NUMBER_U8, NUMBER_U32, ETHERTYPE } argument;
} simple[] = {
        {AT_COPY_TTL_OUT, ACTION_COPY_TTL_OUT, NO_ARGUMENT},
        {AT_COPY_TTL_IN, ACTION_COPY_TTL_IN, NO_ARGUMENT},
        {AT_SET_MPLS_TTL, ACTION_SET_MPLS_TTL, NUMBER_U8},
        {AT_DEC_MPLS_TTL, ACTION_DEC_MPLS_TTL, NO_ARGUMENT},
        {AT_PUSH_VLAN, ACTION_PUSH_VLAN, ETHERTYPE},
        {AT_POP_VLAN, ACTION_POP_VLAN, NO_ARGUMENT},
        {AT_PUSH_MPLS, ACTION_PUSH_MPLS, ETHERTYPE},
        {AT_POP_MPLS, ACTION_POP_MPLS, ETHERTYPE},
        {AT_SET_QUEUE, ACTION_SET_QUEUE, NUMBER_U32},
        {AT_GROUP, ACTION_GROUP, NUMBER_U32},
        {AT_SET_NW_TTL, ACTION_SET_TTL, NUMBER_U8},
        {AT_DEC_NW_TTL, ACTION_DEC_TTL, NO_ARGUMENT},
        {AT_PUSH_PBB, ACTION_PUSH_PBB, ETHERTYPE},
        {AT_POP_PBB, ACTION_POP_PBB, NO_ARGUMENT},
};
enum { N_SIMPLE = sizeof(simple) / sizeof(simple[0]) };

static enum ofp_error read_output(struct ofp_reader *r, struct action_list *out)
{
	struct action *a;

	if (ofp_left(r) != 12)
		return OFPBAC_BAD_LEN;
	a = action_list_append(out, ACTION_OUTPUT);
	if (!a)
		return OFPFMFC_UNKNOWN;
	a->output.port = ofp_get_u32(r);
	a->output.max_len = ofp_get_u16(r);
	return OFP_OK;
}

static enum ofp_error read_set_field(struct ofp_reader *r, struct action_list *out)
{
	struct field_value value, mask;
	struct action *a;
	enum field_id id;
	bool masked;
	enum ofp_error error = oxm_read(r, &id, &value, &mask, &masked);

	if (error == OFPBMC_BAD_FIELD)
		return OFPBAC_BAD_SET_TYPE;
	if (error == OFPBMC_BAD_LEN)
		return OFPBAC_BAD_SET_LEN;
	if (error)
		return OFPBAC_BAD_SET_ARGUMENT;
	if (id == FIELD_IN_PORT_OXM) /* not a header's (7.2.5); Nicira's in_port and a load may */
		return OFPBAC_BAD_SET_TYPE;
	if (ofp_left(r) > 7)
		return OFPBAC_BAD_LEN;
	a = action_list_append(out, ACTION_SET_FIELD);
	if (!a)
		return OFPFMFC_UNKNOWN;
	a->set_field.field = id;
	a->set_field.value = value;
	a->set_field.mask = mask;
	return OFP_OK;
}

static enum ofp_error read_simple(uint16_t wire, struct ofp_reader *r, struct action_list *out)
{
	const struct simple *s = simple;
	struct action *a;

	while (s->wire != wire) {
		if (++s == simple + N_SIMPLE)
			return OFPBAC_BAD_TYPE;
	}
	if (ofp_left(r) != 4)
		return OFPBAC_BAD_LEN;
	a = action_list_append(out, s->type);
	if (!a)
		return OFPFMFC_UNKNOWN;
	if (s->argument == NUMBER_U8)
		a->number = ofp_get_u8(r);
	else if (s->argument == NUMBER_U32)
		a->number = ofp_get_u32(r);
	else if (s->argument == ETHERTYPE)
		a->ethertype = ofp_get_u16(r);
	return OFP_OK;
}

static enum ofp_error read_experimenter(struct ofp_reader *r, struct action_list *out, unsigned depth)
{
	if (ofp_left(r) < 4)
		return OFPBAC_BAD_LEN;
	if (ofp_get_u32(r) != NX_EXPERIMENTER)
		return OFPBAC_BAD_EXPERIMENTER;
	return nx_read_action(r, out, depth);
}

enum ofp_error ofp_read_nested_actions(struct ofp_reader *r, struct action_list *out, unsigned depth)
{
	if (depth > ACTION_NESTING_MAX)
		return OFPBAC_TOO_MANY;
	while (ofp_left(r)) {
		uint16_t type = ofp_get_u16(r), len = ofp_get_u16(r);
		struct ofp_reader body;
		enum ofp_error error;

		if (r->failed || len < 8 || len % 8)
			return OFPBAC_BAD_LEN;
		body = ofp_get_part(r, len - 4u);
		if (body.failed)
			return OFPBAC_BAD_LEN;
		if (out->n >= ACTIONS_MAX)
			return OFPBAC_TOO_MANY;
		if (type == AT_EXPERIMENTER)
			error = read_experimenter(&body, out, depth);
		else if (r->version == OFP_VERSION_10)
			error = of10_read_action(type, &body, out);
		else if (type == AT_OUTPUT)
			error = read_output(&body, out);
		else if (type == AT_SET_FIELD)
			error = read_set_field(&body, out);
		else
			error = read_simple(type, &body, out);
		if (error)
			return error;
	}
	return r->failed ? OFPBAC_BAD_LEN : OFP_OK;
}

enum ofp_error ofp_read_actions(struct ofp_reader *r, struct action_list *out)
{
	return ofp_read_nested_actions(r, out, 0);
}

static void put_output(struct ofp_writer *w, uint32_t port, uint16_t max_len)
{
	ofp_put_u16(w, AT_OUTPUT);
	ofp_put_u16(w, 16);
	ofp_put_u32(w, port);
	ofp_put_u16(w, max_len);
	ofp_put_zero(w, 6);
}

static void put_set_field(struct ofp_writer *w, const struct action *a)
{
	size_t start = w->len;

	ofp_put_u16(w, AT_SET_FIELD);
	ofp_put_u16(w, 0);
	oxm_put(w, a->set_field.field, &a->set_field.value,
	        action_set_is_masked(a) ? &a->set_field.mask : NULL);
	ofp_put_align(w, start);
	ofp_set_u16(w, start + 2, (uint16_t)(w->len - start));
}

static void put_simple(struct ofp_writer *w, const struct action *a)
{
	for (const struct simple *s = simple; s < simple + N_SIMPLE; s++) {
		if (s->type != a->type)
			continue;
		ofp_put_u16(w, s->wire);
		ofp_put_u16(w, 8);
		ofp_put_u32(w, s->argument == NUMBER_U8    ? a->number << 24
		               : s->argument == NUMBER_U32 ? a->number
		               : s->argument == ETHERTYPE  ? (uint32_t)a->ethertype << 16
		                                           : 0);
	}
}

static void put_set_queue(struct ofp_writer *w, uint32_t queue)
{
	put_simple(w, &(struct action){.type = ACTION_SET_QUEUE, .number = queue});
}

/* 1.0's mod_vlan_* on a packet of which it is not known whether it has a tag. */
static void put_mod_vlan(struct ofp_writer *w, const struct action *a)
{
	struct action push = {.type = ACTION_PUSH_VLAN, .ethertype = ETH_TYPE_VLAN}, set = *a;

	if (a->set_field.field == FIELD_DL_VLAN) {
		set.set_field.field = FIELD_VLAN_VID;
		set.set_field.value = value_from_u64(value_to_u64(&a->set_field.value) | VLAN_CFI);
		set.set_field.mask = value_ones(0, 13);
	} else {
		set.set_field.field = FIELD_VLAN_PCP;
	}
	put_simple(w, &push);
	put_set_field(w, &set);
}

void ofp_put_actions(struct ofp_writer *w, const struct action_list *list)
{
	for (unsigned i = 0; i < list->n; i++) {
		const struct action *a = &list->items[i];

		if (w->version == OFP_VERSION_10) {
			if (!of10_is_second_port(list, i) && !of10_put_action(w, a))
				nx_put_action(w, a);
			continue;
		}
		if (action_is_instruction(a->type) || nx_put_action(w, a))
			continue;
		if (a->type == ACTION_OUTPUT) {
			put_output(w, a->output.port, (uint16_t)a->output.max_len);
		} else if (a->type == ACTION_SET_FIELD &&
		           (a->set_field.field == FIELD_DL_VLAN || a->set_field.field == FIELD_DL_VLAN_PCP)) {
			put_mod_vlan(w, a);
		} else if (a->type == ACTION_SET_FIELD) {
			put_set_field(w, a);
		} else if (a->type == ACTION_ENQUEUE) { /* 1.3 has no enqueue of its own */
			put_set_queue(w, a->enqueue.queue);
			put_output(w, a->enqueue.port, 0xffff);
			nx_put_action(w, &(struct action){.type = ACTION_POP_QUEUE});
		} else {
			put_simple(w, a);
		}
	}
}

enum ofp_error ofp_check_actions(const struct action_list *list, const struct match *match, uint8_t table_id)
{
	static const enum ofp_error errors[] = {
	        [ACTION_FAULT_NONE] = OFPBAC_BAD_ARGUMENT,
	        [ACTION_FAULT_PREREQ] = OFPBAC_MATCH_INCONSISTENT,
	        [ACTION_FAULT_READ_ONLY] = OFPBAC_BAD_SET_TYPE,
	        [ACTION_FAULT_VALUE] = OFPBAC_BAD_SET_ARGUMENT,
	        [ACTION_FAULT_ARGUMENT] = OFPBAC_BAD_ARGUMENT,
	        [ACTION_FAULT_PORT] = OFPBAC_BAD_OUT_PORT,
	        [ACTION_FAULT_ORDER] = OFPBAC_UNSUPPORTED_ORDER,
	        [ACTION_FAULT_GROUP] = OFPBAC_BAD_OUT_GROUP,
	        [ACTION_FAULT_TABLE] = OFPBIC_BAD_TABLE_ID,
	        [ACTION_FAULT_TOO_MANY] = OFPBAC_TOO_MANY,
	};
	enum action_fault fault = ACTION_FAULT_NONE;

	if (action_list_check(list, match, table_id, &fault, NULL) == 0)
		return OFP_OK;
	return errors[fault];
}
