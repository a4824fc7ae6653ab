/* SPDX-License-Identifier: Apache-2.0 */
/* Builds programs op by op, trims them, packs them. Used by translate.c and rewrite.c; cache.c packs. */
#include <string.h>

#include "flows/dp/walk.h"

struct op *emit(struct walk *w, enum op_type type, uint16_t arg16, uint32_t arg32)
{
	struct translation *tr = w->out;
	struct op *op;

	if (tr->nops == PROGRAM_OPS_MAX) {
		w->error = DROP_PROGRAM_LIMIT;
		return NULL;
	}
	op = &tr->ops[tr->nops++];
	*op = (struct op){.type = (uint8_t)type, .arg16 = arg16, .arg32 = arg32};
	return op;
}

/* Room for `units` of data; the index of the first, or -1. */
static int data_units(struct walk *w, unsigned units)
{
	struct translation *tr = w->out;
	int first = tr->ndata;

	if (tr->ndata + units > PROGRAM_DATA_MAX) {
		w->error = DROP_PROGRAM_LIMIT;
		return -1;
	}
	tr->ndata += units;
	return first;
}

void emit_set_field(struct walk *w, enum field_id field, const struct field_value *value,
                    const struct field_value *mask)
{
	int unit = data_units(w, 2);
	struct op *op;

	if (unit < 0)
		return;
	memcpy(w->out->data[unit], value->b, 16);
	memcpy(w->out->data[unit + 1], mask->b, 16);
	op = emit(w, OP_SET_FIELD, (uint16_t)unit, 0);
	if (op)
		op->field = (uint8_t)field;
}

static bool any_register(const struct flow_key *key)
{
	uint32_t any = 0;

	for (unsigned i = 0; i < FLOW_REGS; i++)
		any |= key->regs[i];
	return any;
}

void *emit_controller(struct walk *w, uint16_t max_len, uint16_t controller_id, uint8_t reason,
                      const struct action_bytes *userdata, size_t resume_len)
{
	unsigned len = userdata ? userdata->len : 0;
	unsigned regs = any_register(&w->key) ? sizeof(w->key.regs) / 16 : 0;
	struct program_controller c = {
	        .cookie = w->cookie,
	        .metadata = be64toh(w->key.metadata),
	        .tun_id = w->key.tun_id,
	        .pkt_mark = w->key.pkt_mark,
	        .in_port = w->key.in_port,
	        .tracked = w->key.ct_state != 0,
	        .in_port_set = w->key.in_port != w->key.in_phy_port,
	        .max_len = max_len,
	        .controller_id = controller_id,
	        .resume_len = (uint16_t)resume_len,
	        .table_id = w->table_id,
	        .reason = reason,
	        .userdata_len = (uint8_t)len,
	        .regs_len = (uint8_t)(regs * 16),
	};
	unsigned resume = (unsigned)resume_len / 16;
	int unit = data_units(w, 3 + regs + resume + (len + 15) / 16);
	uint8_t(*to)[16];

	if (unit < 0)
		return NULL;
	to = &w->out->data[unit];
	memcpy(to[0], &c, sizeof(c));
	if (regs)
		memcpy(to[3], w->key.regs, sizeof(w->key.regs));
	if (len)
		memcpy(to[3 + regs + resume], userdata->data, len);
	emit(w, OP_CONTROLLER, (uint16_t)unit, 0);
	return to[3 + regs];
}

void *emit_report(struct walk *w, enum op_type type, unsigned units)
{
	int unit = data_units(w, units);
	struct program_report *r;

	if (unit < 0 || !emit(w, type, (uint16_t)unit, 0))
		return NULL;
	r = memset(w->out->data[unit], 0, units * 16);
	r->units = (uint16_t)units;
	r->op = (uint8_t)type;
	w->out->flags |= PROGRAM_OWN;
	return r;
}

void emit_ct(struct walk *w, const struct ct_order *order, const struct program_next *next, const void *more)
{
	enum { ORDER_UNITS = sizeof(*order) / 16, NEXT_UNITS = sizeof(*next) / 16 };
	int unit = data_units(w, ORDER_UNITS + (next ? NEXT_UNITS + next->more / 16u : 0));
	uint8_t *to;

	if (unit < 0)
		return;
	to = w->out->data[unit];
	memcpy(to, order, sizeof(*order));
	if (next) {
		memcpy(to + sizeof(*order), next, sizeof(*next));
		memcpy(to + sizeof(*order) + sizeof(*next), more, next->more);
	}
	emit(w, OP_CT, (uint16_t)unit, order->flags);
}

void emit_ref(struct walk *w, struct slot_ref ref)
{
	if (w->out->nrefs == PROGRAM_REFS_MAX)
		w->error = DROP_RESUBMIT_LIMIT;
	else
		w->out->refs[w->out->nrefs++] = ref;
}

void emit_dep(struct walk *w, uint16_t dep)
{
	if (w->out->ndeps == TRANSLATE_DEPS_MAX)
		w->error = DROP_RESUBMIT_LIMIT;
	else
		w->out->deps[w->out->ndeps++] = dep;
}

static bool changes_packet(const struct op *op)
{
	switch (op->type) {
	case OP_OUTPUT:
	case OP_FLOOD:
	case OP_ALL:
	case OP_NORMAL:
	case OP_CONTROLLER:
	case OP_LEARN:
	case OP_FIN_TIMEOUT:
		return false;
	default: /* OP_DROP, OP_METER and OP_DEC_TTL may end the branch, which needs its bounds as well; OP_CT
	            translates addresses */
		return true;
	}
}

static bool has_effect(const struct op *op)
{
	return !changes_packet(op) || op->type == OP_DROP || op->type == OP_METER || op->type == OP_CT;
}

unsigned emit_branch_begin(struct walk *w)
{
	unsigned begin = w->out->nops;

	if (++w->saves > PROGRAM_SAVE_MAX)
		w->error = DROP_PROGRAM_LIMIT;
	emit(w, OP_SAVE, 0, 0);
	return begin;
}

void emit_branch_end(struct walk *w, unsigned begin)
{
	struct translation *tr = w->out;
	bool effect = false, changes = false;

	w->saves--;
	if (w->error)
		return;
	for (unsigned i = begin + 1; i < tr->nops; i++) {
		effect |= has_effect(&tr->ops[i]);
		changes |= changes_packet(&tr->ops[i]);
	}
	if (!effect) {
		tr->nops = (uint16_t)begin;
	} else if (changes) {
		emit(w, OP_RESTORE, 0, 0);
	} else {
		tr->nops--;
		memmove(&tr->ops[begin], &tr->ops[begin + 1], (tr->nops - begin) * sizeof(tr->ops[0]));
	}
}

/* Takes out the OP_SAVE that the last op, an OP_RESTORE, belongs to, and that op. */
static void trim_last_branch(struct translation *tr)
{
	unsigned i = --tr->nops, open = 1;

	while (open) {
		i--;
		if (tr->ops[i].type == OP_RESTORE)
			open++;
		else if (tr->ops[i].type == OP_SAVE)
			open--;
	}
	tr->nops--;
	memmove(&tr->ops[i], &tr->ops[i + 1], (tr->nops - i) * sizeof(tr->ops[0]));
}

static enum drop_reason why_nothing(const struct walk *w)
{
	return w->group_empty ? DROP_GROUP_EMPTY
	       : w->same_port ? DROP_SAME_PORT
	       : w->matched   ? DROP_ACTION_DROP
	                      : DROP_TABLE_MISS;
}

static void trim(struct translation *tr)
{
	while (tr->nops) {
		const struct op *last = &tr->ops[tr->nops - 1];

		if (last->type == OP_RESTORE)
			trim_last_branch(tr);
		else if (!has_effect(last))
			tr->nops--;
		else
			break;
	}
}

static bool is_delivery(const struct op *op)
{
	if (op->type == OP_CT)
		return op->arg32 & CT_NEXT;
	return !changes_packet(op) && op->type != OP_LEARN && op->type != OP_FIN_TIMEOUT;
}

/* Is there an op by which the packet, or word of why it ends, goes somewhere? */
static bool is_accounted_for(const struct translation *tr)
{
	for (unsigned i = 0; i < tr->nops; i++)
		if (is_delivery(&tr->ops[i]) || tr->ops[i].type == OP_DROP)
			return true;
	return false;
}

void emit_finish(struct walk *w)
{
	struct translation *tr = w->out;

	if (!w->error) {
		trim(tr);
		if (tr->nops && !is_accounted_for(tr))
			emit(w, OP_DROP, why_nothing(w), 0);
	}
	if (w->error) {
		tr->nops = tr->ndata = 0;
		tr->drop_reason = w->error;
	} else if (!tr->nops) {
		tr->ndata = 0;
		tr->drop_reason = why_nothing(w);
	}
}

unsigned translation_bytes(const struct translation *tr)
{
	return sizeof(struct program) + tr->ndata * 16u + tr->nrefs * 8u + tr->nops * 8u;
}

void translation_pack(const struct translation *tr, struct program *p)
{
	uint8_t *to = p->body;

	*p = (struct program){
	        .nops = tr->nops,
	        .ndata = tr->ndata,
	        .nrefs = tr->nrefs,
	        .bytes = (uint16_t)translation_bytes(tr),
	        .drop_reason = tr->drop_reason,
	        .flags = tr->flags,
	};
	memcpy(to, tr->data, tr->ndata * 16u);
	to += tr->ndata * 16u;
	memcpy(to, tr->refs, tr->nrefs * 8u);
	to += tr->nrefs * 8u;
	memcpy(to, tr->ops, tr->nops * 8u);
}
