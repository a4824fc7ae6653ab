/* SPDX-License-Identifier: Apache-2.0 */
/* How a paused packet goes on, as properties inside of a packet-in and of NXT_RESUME. Nobody but the switch
 * has to understand them; they are those of Open vSwitch all the same, so that its tools can show them, and
 * two more. Called by nx_packet_in.c and nx_resume.c. */
#include <endian.h>
#include <string.h>

#include "control/openflow/actions.h"
#include "control/openflow/messages.h"
#include "control/openflow/nx_packet_in.h"
#include "control/openflow/of10.h"
#include "flows/match.h"

enum {
	PROP_BRIDGE = 0x8000,
	PROP_STACK,
	PROP_MIRRORS,
	PROP_CONNTRACKED,
	PROP_TABLE_ID,
	PROP_COOKIE,
	PROP_ACTIONS,
	PROP_ACTION_SET,
	PROP_ODP_PORT, /* where the packet came in; each switch has numbers of its own for that */
	/* instructions that stand between actions: Open vSwitch forgets them */
	PROP_CLEAR_ACTIONS = 0x8100,
	PROP_WRITE_ACTIONS,
};
/* ---- writing ---- */

struct nx_bridge nx_bridge_of(uint64_t datapath_id)
{
	struct nx_bridge bridge = {{0}};

	datapath_id = htobe64(datapath_id);
	memcpy(bridge.uuid + 8, &datapath_id, sizeof(datapath_id));
	return bridge;
}

static void put_port(struct ofp_writer *w, uint32_t port)
{
	size_t at;

	if (!port)
		return;
	at = nx_begin_property(w, PROP_ODP_PORT);
	ofp_put_u32(w, port);
	nx_end_property(w, at);
}

static void put_stack(struct ofp_writer *w, const struct continuation *c)
{
	for (unsigned i = c->nstack; i--;) {
		size_t at = nx_begin_property(w, PROP_STACK);

		ofp_put_bytes(w, &c->stack[i], sizeof(c->stack[i]));
		nx_end_property(w, at);
	}
}

/* Those of `l` from `from` up to `end`. */
static void put_actions(struct ofp_writer *w, uint16_t type, const struct action_list *l, unsigned from,
                        unsigned end)
{
	struct action_list list = {.n = end - from};
	size_t at;

	if (from == end)
		return;
	list.items = l->items + from;
	at = nx_begin_property(w, type);
	ofp_put_zero(w, 4);
	ofp_put_actions(w, &list);
	nx_end_property(w, at);
}

struct origin {
	uint64_t cookie;
	uint8_t table_id;
};

static void put_origin(struct ofp_writer *w, const struct action *a, struct origin *last)
{
	size_t at;

	if (a->origin.table_id != last->table_id) {
		at = nx_begin_property(w, PROP_TABLE_ID);
		ofp_put_u8(w, a->origin.table_id);
		nx_end_property(w, at);
	}
	if (a->origin.cookie != last->cookie) {
		at = nx_begin_property(w, PROP_COOKIE);
		ofp_put_zero(w, 4);
		ofp_put_u64(w, a->origin.cookie);
		nx_end_property(w, at);
	}
	*last = (struct origin){a->origin.cookie, a->origin.table_id};
}

/* What stands between runs of actions. */
static void put_separator(struct ofp_writer *w, const struct action *a, struct origin *last)
{
	switch (a->type) {
	case ACTION_ORIGIN:
		put_origin(w, a, last);
		break;
	case ACTION_CLEAR_ACTIONS:
		nx_end_property(w, nx_begin_property(w, PROP_CLEAR_ACTIONS));
		break;
	default:
		put_actions(w, PROP_WRITE_ACTIONS, &a->nested, 0, a->nested.n);
	}
}

static bool is_separator(const struct action *a)
{
	return a->type == ACTION_ORIGIN || a->type == ACTION_CLEAR_ACTIONS || a->type == ACTION_WRITE_ACTIONS;
}

void nx_put_continuation(struct ofp_writer *w, const struct continuation *c, const struct nx_bridge *bridge)
{
	struct origin last = {0, 0};
	unsigned from = 0;
	size_t at = nx_begin_property(w, PROP_BRIDGE);

	ofp_put_bytes(w, bridge, sizeof(*bridge));
	nx_end_property(w, at);
	put_stack(w, c);
	for (unsigned i = 0; i < c->actions.n; i++) {
		if (!is_separator(&c->actions.items[i]))
			continue;
		put_actions(w, PROP_ACTIONS, &c->actions, from, i);
		put_separator(w, &c->actions.items[i], &last);
		from = i + 1;
	}
	put_actions(w, PROP_ACTIONS, &c->actions, from, c->actions.n);
	put_actions(w, PROP_ACTION_SET, &c->set, 0, c->set.n);
	put_port(w, c->port);
}

/* ---- reading ---- */

struct reading {
	struct continuation *c;
	struct nx_bridge *bridge;
	struct origin origin;
};

static enum ofp_error read_list(struct ofp_reader *r, struct action_list *out)
{
	struct match anything;
	enum ofp_error error;

	match_init(&anything);
	action_list_init(out);
	ofp_skip(r, 4);
	error = ofp_read_actions(r, out);
	if (!error && r->version == OFP_VERSION_10)
		error = of10_resolve_actions(out, &anything);
	if (!error)
		error = ofp_check_actions(out, NULL, TABLE_ALL);
	if (error)
		action_list_free(out);
	return error;
}

/* Appends them to `to`, which owns them then. */
static enum ofp_error move_actions(struct action_list *from, struct action_list *to)
{
	unsigned i;

	for (i = 0; i < from->n; i++) {
		struct action *a = action_list_append(to, ACTION_TYPES);

		if (!a)
			break;
		*a = from->items[i];
	}
	from->n -= i;
	if (!from->n)
		return OFP_OK;
	memmove(from->items, from->items + i, from->n * sizeof(from->items[0]));
	return OFPFMFC_UNKNOWN;
}

static enum ofp_error read_actions(struct reading *in, struct ofp_reader *r)
{
	struct action *origin = action_list_append(&in->c->actions, ACTION_ORIGIN);
	struct action_list list;
	enum ofp_error error;

	if (!origin)
		return OFPFMFC_UNKNOWN;
	origin->origin.cookie = in->origin.cookie;
	origin->origin.table_id = in->origin.table_id;
	error = read_list(r, &list);
	if (error)
		return error;
	error = move_actions(&list, &in->c->actions);
	action_list_free(&list);
	return error;
}

static enum ofp_error read_set(struct reading *in, struct ofp_reader *r)
{
	if (in->c->set.n)
		return OFPBRC_BAD_LEN;
	return read_list(r, &in->c->set);
}

static enum ofp_error read_instruction(struct reading *in, enum action_type type, struct ofp_reader *r)
{
	struct action *a = action_list_append(&in->c->actions, type);

	if (!a)
		return OFPFMFC_UNKNOWN;
	return type == ACTION_WRITE_ACTIONS ? read_list(r, &a->nested) : OFP_OK;
}

/* From the top down. */
static enum ofp_error read_stack(struct reading *in, struct ofp_reader *r)
{
	struct continuation *c = in->c;
	size_t n = ofp_left(r);

	if (n > sizeof(c->stack[0]) || c->nstack == CONTINUATION_STACK_MAX)
		return OFPBRC_BAD_LEN;
	memmove(c->stack + 1, c->stack, c->nstack++ * sizeof(c->stack[0]));
	memset(&c->stack[0], 0, sizeof(c->stack[0]));
	if (n)
		memcpy(c->stack[0].b + sizeof(c->stack[0].b) - n, ofp_get(r, n), n);
	return OFP_OK;
}

static enum ofp_error read_property(struct reading *in, uint16_t type, struct ofp_reader *r)
{
	switch (type) {
	case PROP_BRIDGE:
		if (ofp_left(r) != sizeof(*in->bridge))
			return OFPBRC_BAD_LEN;
		memcpy(in->bridge, ofp_get(r, sizeof(*in->bridge)), sizeof(*in->bridge));
		return OFP_OK;
	case PROP_MIRRORS: /* what this switch does not have */
	case PROP_CONNTRACKED:
		return OFP_OK;
	case PROP_ODP_PORT:
		in->c->port = ofp_get_u32(r);
		return OFP_OK;
	case PROP_STACK:
		return read_stack(in, r);
	case PROP_TABLE_ID:
		in->origin.table_id = ofp_get_u8(r);
		return OFP_OK;
	case PROP_COOKIE:
		ofp_skip(r, 4);
		in->origin.cookie = ofp_get_u64(r);
		return OFP_OK;
	case PROP_ACTIONS:
		return read_actions(in, r);
	case PROP_ACTION_SET:
		return read_set(in, r);
	case PROP_CLEAR_ACTIONS:
		return read_instruction(in, ACTION_CLEAR_ACTIONS, r);
	case PROP_WRITE_ACTIONS:
		return read_instruction(in, ACTION_WRITE_ACTIONS, r);
	default:
		return OFPTFFC_BAD_TYPE;
	}
}

enum ofp_error nx_read_continuation(struct ofp_reader *r, struct continuation *out, struct nx_bridge *bridge)
{
	struct reading in = {.c = out, .bridge = bridge};
	enum ofp_error error = OFP_OK;

	while (!error && ofp_left(r)) {
		struct ofp_reader body;
		uint16_t type;

		error = nx_get_property(r, &type, &body);
		if (!error)
			error = read_property(&in, type, &body);
		if (!error && body.failed)
			error = OFPBRC_BAD_LEN;
	}
	return error;
}
