/* SPDX-License-Identifier: Apache-2.0 */
/* controller(pause): what the walk has not done yet is put into the program, so that a controller gets it as
 * a continuation; and the way back out of the program. Called by translate.c; program_resume_read() by
 * whoever tells the controller. */
#include <string.h>

#include "flows/dp/walk.h"

void pause_begin(struct walk *w, const struct action_controller *c)
{
	struct pause *p = &w->pause;

	p->at = c;
	p->cookie = w->cookie;
	p->table_id = w->table_id;
	p->has_origin = false;
	p->rest = (struct action_pack){.out = p->bytes, .room = sizeof(p->bytes)};
	w->ended = true;
}

/* ---- on the way out ---- */

/* Does it matter whose action it is? A packet-in tells it, and some look into the same table again. */
static bool asks_origin(const struct action *a)
{
	switch (a->type) {
	case ACTION_OUTPUT:
	case ACTION_OUTPUT_REG:
	case ACTION_OUTPUT_TRUNC:
	case ACTION_CONTROLLER:
	case ACTION_GROUP:
	case ACTION_DEC_TTL:
	case ACTION_DEC_MPLS_TTL:
		return true;
	case ACTION_RESUBMIT:
		return a->resubmit.table_id == TABLE_ALL;
	default:
		return false;
	}
}

static void add(struct walk *w, const struct action *a)
{
	if (!action_pack(&w->pause.rest, a))
		w->error = DROP_PROGRAM_LIMIT;
}

static void add_origin(struct walk *w)
{
	struct action origin = {.type = ACTION_ORIGIN,
	                        .origin = {.cookie = w->cookie, .table_id = w->table_id}};
	struct pause *p = &w->pause;

	if (p->has_origin && p->origin_cookie == w->cookie && p->origin_table == w->table_id)
		return;
	p->has_origin = true;
	p->origin_cookie = w->cookie;
	p->origin_table = w->table_id;
	add(w, &origin);
}

/* Instructions have no place in a list of actions on the wire: these two become the actions that do the same,
 * as in Open vSwitch. */
static void add_goto(struct walk *w, const struct action *a)
{
	struct action resubmit = {
	        .type = ACTION_RESUBMIT,
	        .resubmit = {.in_port = PORT_IN_PORT, .table_id = (uint8_t)a->number},
	};

	add(w, &resubmit);
}

static void add_metadata(struct walk *w, const struct action *a)
{
	struct action set = {
	        .type = ACTION_SET_FIELD,
	        .set_field = {.field = FIELD_METADATA,
	                      .value = value_from_u64(a->metadata.value & a->metadata.mask),
	                      .mask = value_from_u64(a->metadata.mask)},
	};

	add(w, &set);
}

void pause_rest(struct walk *w, const struct action *items, unsigned n)
{
	for (const struct action *a = items; a < items + n && !w->error; a++) {
		if (asks_origin(a))
			add_origin(w);
		if (a->type == ACTION_GOTO_TABLE)
			add_goto(w, a);
		else if (a->type == ACTION_WRITE_METADATA)
			add_metadata(w, a);
		else if (a->type != ACTION_NOTE && a->type != ACTION_CONJUNCTION)
			add(w, a);
	}
}

/* ---- into the program ---- */

static void emit_paused(struct walk *w, const struct program_resume *head)
{
	const struct pause *p = &w->pause;
	size_t stack = head->nstack * sizeof(w->hidden.stack[0]);
	uint8_t *to = walk_tell(w, p->at, sizeof(*head) + stack + p->rest.len);

	if (!to)
		return;
	memcpy(to, head, sizeof(*head));
	memcpy(to + sizeof(*head), w->hidden.stack, stack);
	memcpy(to + sizeof(*head) + stack, p->bytes, p->rest.len);
}

void pause_finish(struct walk *w, const struct action_set *set)
{
	struct pause *p = &w->pause;
	struct program_resume head = {.nstack = (uint8_t)w->hidden.nstack};
	uint64_t cookie = w->cookie;
	uint8_t table_id = w->table_id;

	if (!p->at)
		return;
	head.actions_len = (uint16_t)p->rest.len;
	for (unsigned i = 0; i < set->n && !w->error; i++)
		add(w, set->items[i]);
	head.set_len = (uint16_t)(p->rest.len - head.actions_len);
	w->cookie = p->cookie;
	w->table_id = p->table_id;
	if (!w->error)
		emit_paused(w, &head);
	w->cookie = cookie;
	w->table_id = table_id;
	p->at = NULL;
}

/* ---- and back ---- */

/* The frame comes back without a tunnel: what it had, or what an action had set, is set again. */
static void restore_tunnel(struct walk *w, const struct flow_key *told)
{
	static const uint8_t tunnel[] = {FIELD_TUN_ID, FIELD_TUN_SRC, FIELD_TUN_DST, FIELD_TUN_IPV6_SRC,
	                                 FIELD_TUN_IPV6_DST};

	for (unsigned i = 0; i < sizeof(tunnel); i++) {
		struct field_value value, all;

		field_get(told, tunnel[i], &value);
		field_full_mask(tunnel[i], &all);
		if (!value_is_zero(&value))
			rewrite_set_field(w, tunnel[i], &value, &all);
	}
}

void pause_restore(struct walk *w, const struct flow_key *told, const struct continuation *c)
{
	w->key.metadata = told->metadata;
	memcpy(w->key.regs, told->regs, sizeof(w->key.regs));
	w->key.in_port = told->in_port;
	w->key.pkt_mark = told->pkt_mark;
	flow_key_copy_connection(&w->key, told);
	restore_tunnel(w, told);
	walk_restore_stack(w, c);
}

int program_resume_read(const struct program_resume *r, struct continuation *out)
{
	const uint8_t *stack = (const uint8_t *)(r + 1);
	const uint8_t *actions = stack + r->nstack * sizeof(out->stack[0]);
	int rc;

	continuation_init(out);
	out->nstack = r->nstack;
	memcpy(out->stack, stack, r->nstack * sizeof(out->stack[0]));
	rc = action_unpack(actions, r->actions_len, &out->actions);
	if (!rc)
		rc = action_unpack(actions + r->actions_len, r->set_len, &out->set);
	if (rc)
		continuation_free(out);
	return rc;
}
