/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of instructions (OpenFlow 1.3 section 7.2.4) to and from the one list a flow has, and the check of
 * that list. Called by the codecs of flows. */
#include "control/openflow/actions.h"

enum { /* OFPIT_* */
       IT_GOTO_TABLE = 1,
       IT_WRITE_METADATA,
       IT_WRITE_ACTIONS,
       IT_APPLY_ACTIONS,
       IT_CLEAR_ACTIONS,
       IT_METER,
       IT_COUNT,
       IT_EXPERIMENTER = 0xffff,
};

/* The bodies found, by type; an empty reader whose `at` is NULL was not there. */
static enum ofp_error split(struct ofp_reader *r, struct ofp_reader found[IT_COUNT])
{
	while (ofp_left(r)) {
		uint16_t type = ofp_get_u16(r), len = ofp_get_u16(r);
		struct ofp_reader body;

		if (r->failed || len < 8 || len % 8)
			return OFPBIC_BAD_LEN;
		body = ofp_get_part(r, len - 4u);
		if (body.failed)
			return OFPBIC_BAD_LEN;
		if (type == IT_EXPERIMENTER)
			return OFPBIC_BAD_EXPERIMENTER;
		if (type == 0 || type >= IT_COUNT)
			return OFPBIC_UNKNOWN_INST;
		if (found[type].at)
			return OFPBIC_UNSUP_INST;
		found[type] = body;
	}
	return r->failed ? OFPBIC_BAD_LEN : OFP_OK;
}

static enum ofp_error read_one(unsigned type, struct ofp_reader *r, struct action_list *out)
{
	static const enum action_type types[IT_COUNT] = {
	        [IT_GOTO_TABLE] = ACTION_GOTO_TABLE,
	        [IT_WRITE_METADATA] = ACTION_WRITE_METADATA,
	        [IT_WRITE_ACTIONS] = ACTION_WRITE_ACTIONS,
	        [IT_CLEAR_ACTIONS] = ACTION_CLEAR_ACTIONS,
	        [IT_METER] = ACTION_METER,
	};
	struct action *a;

	if (type == IT_APPLY_ACTIONS) {
		ofp_skip(r, 4);
		return ofp_read_actions(r, out);
	}
	if (type != IT_WRITE_ACTIONS && ofp_left(r) != (type == IT_WRITE_METADATA ? 20 : 4))
		return OFPBIC_BAD_LEN;
	a = action_list_append(out, types[type]);
	if (!a)
		return OFPFMFC_UNKNOWN;
	if (type == IT_GOTO_TABLE) {
		a->number = ofp_get_u8(r);
	} else if (type == IT_METER) {
		a->number = ofp_get_u32(r);
	} else if (type == IT_WRITE_METADATA) {
		ofp_skip(r, 4);
		a->metadata.value = ofp_get_u64(r);
		a->metadata.mask = ofp_get_u64(r);
	} else if (type == IT_WRITE_ACTIONS) {
		ofp_skip(r, 4);
		return ofp_read_actions(r, &a->nested);
	}
	return OFP_OK;
}

enum ofp_error ofp_read_instructions(struct ofp_reader *r, struct action_list *out)
{
	static const uint8_t execution[] = {IT_METER,         IT_APPLY_ACTIONS,  IT_CLEAR_ACTIONS,
	                                    IT_WRITE_ACTIONS, IT_WRITE_METADATA, IT_GOTO_TABLE};
	struct ofp_reader found[IT_COUNT] = {{0}};
	enum ofp_error error = split(r, found);

	for (unsigned i = 0; !error && i < sizeof(execution); i++) {
		if (found[execution[i]].at)
			error = read_one(execution[i], &found[execution[i]], out);
	}
	return error;
}

static size_t begin(struct ofp_writer *w, uint16_t type)
{
	size_t start = w->len;

	ofp_put_u16(w, type);
	ofp_put_u16(w, 0);
	return start;
}

static void end(struct ofp_writer *w, size_t start)
{
	ofp_set_u16(w, start + 2, (uint16_t)(w->len - start));
}

static void put_one(struct ofp_writer *w, const struct action *a)
{
	size_t start = w->len;

	switch (a->type) {
	case ACTION_METER:
		start = begin(w, IT_METER);
		ofp_put_u32(w, a->number);
		break;
	case ACTION_CLEAR_ACTIONS:
		start = begin(w, IT_CLEAR_ACTIONS);
		ofp_put_zero(w, 4);
		break;
	case ACTION_WRITE_ACTIONS:
		start = begin(w, IT_WRITE_ACTIONS);
		ofp_put_zero(w, 4);
		ofp_put_actions(w, &a->nested);
		break;
	case ACTION_WRITE_METADATA:
		start = begin(w, IT_WRITE_METADATA);
		ofp_put_zero(w, 4);
		ofp_put_u64(w, a->metadata.value);
		ofp_put_u64(w, a->metadata.mask);
		break;
	case ACTION_GOTO_TABLE:
		start = begin(w, IT_GOTO_TABLE);
		ofp_put_u32(w, a->number << 24);
		break;
	default:
		return;
	}
	end(w, start);
}

static void put_apply(struct ofp_writer *w, const struct action_list *list)
{
	size_t start = begin(w, IT_APPLY_ACTIONS);

	ofp_put_zero(w, 4);
	ofp_put_actions(w, list);
	if (w->len == start + 8)
		ofp_writer_cut(w, start);
	else
		end(w, start);
}

void ofp_put_instructions(struct ofp_writer *w, const struct action_list *list)
{
	unsigned i = 0;

	if (list->n && list->items[0].type == ACTION_METER)
		put_one(w, &list->items[i++]);
	put_apply(w, list);
	for (; i < list->n; i++)
		put_one(w, &list->items[i]);
}
