/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that change the packet or the pipeline's registers: the walk's key follows, and what touches the
 * packet becomes an op. Called by translate.c. */
#include <string.h>

#include "flows/dp/walk.h"
#include "flows/match.h"

enum place { PLACE_PIPELINE, PLACE_TUNNEL, PLACE_PACKET };

static enum place place_of(enum field_id id)
{
	uint16_t offset = fields[id].offset;

	if (offset >= offsetof(struct flow_key, eth_dst))
		return PLACE_PACKET;
	if (offset >= offsetof(struct flow_key, tun_id) && id != FIELD_CT_ZONE)
		return PLACE_TUNNEL;
	return PLACE_PIPELINE;
}

static bool has_vlan(const struct flow_key *k)
{
	return k->vlan[0].tci & htobe16(VLAN_CFI);
}

static bool is_ip(const struct flow_key *k)
{
	return k->eth_type == htobe16(ETH_TYPE_IPV4) || k->eth_type == htobe16(ETH_TYPE_IPV6);
}

static bool is_mpls(const struct flow_key *k)
{
	return k->eth_type == htobe16(ETH_TYPE_MPLS) || k->eth_type == htobe16(ETH_TYPE_MPLS_MC);
}

static void push_vlan(struct walk *w, uint16_t tpid)
{
	struct flow_key *k = &w->key;
	be16 tci = k->vlan[0].tci | htobe16(VLAN_CFI);

	if (k->vlan[1].tpid)
		k->eth_type = k->vlan[1].tpid; /* a third tag: not looked into */
	k->vlan[1] = k->vlan[0];
	k->vlan[0] = (struct flow_vlan){.tpid = htobe16(tpid), .tci = tci};
	emit(w, OP_PUSH_VLAN, tpid, 0);
}

static void pop_vlan(struct walk *w)
{
	if (!has_vlan(&w->key))
		return;
	w->key.vlan[0] = w->key.vlan[1];
	w->key.vlan[1] = (struct flow_vlan){0};
	emit(w, OP_POP_VLAN, 0, 0);
}

/* Is the field there to be written? OpenFlow 1.0's mod_vlan_* add the tag when there is none. */
static bool make_present(struct walk *w, enum field_id id)
{
	const struct flow_key *k = &w->key;

	if (id == FIELD_DL_VLAN || id == FIELD_DL_VLAN_PCP) {
		if (!has_vlan(k))
			push_vlan(w, ETH_TYPE_VLAN);
		return true;
	}
	if (id == FIELD_VLAN_VID || id == FIELD_VLAN_TCI)
		return has_vlan(k);
	/* No L4 header is looked for in a fragment. */
	if (fields[id].prereq >= FIELD_NEEDS_TCP && k->nw_frag)
		return false;
	return field_present(k, id);
}

void rewrite_set_field(struct walk *w, enum field_id id, const struct field_value *value,
                       const struct field_value *mask)
{
	enum place place = place_of(id);

	if (place == PLACE_PACKET && !make_present(w, id))
		return;
	field_set_masked(&w->key, id, value, mask);
	if (place != PLACE_PIPELINE)
		emit_set_field(w, id, value, mask);
}

static void move(struct walk *w, const struct subfield *src, const struct subfield *dst)
{
	struct field_value from, value = {{0}}, mask = value_ones(dst->offset, dst->bits);

	if (place_of(src->field) == PLACE_PACKET && !field_present(&w->key, src->field))
		return;
	field_get(&w->key, src->field, &from);
	value_copy_bits(&value, dst->offset, &from, src->offset, dst->bits);
	rewrite_set_field(w, dst->field, &value, &mask);
}

static void stack_push(struct walk *w, const struct subfield *s)
{
	struct field_value from, value = {{0}};

	if (w->nstack == WALK_STACK_MAX) {
		w->error = DROP_PROGRAM_LIMIT;
		return;
	}
	field_get(&w->key, s->field, &from);
	value_copy_bits(&value, 0, &from, s->offset, s->bits);
	w->stack[w->nstack++] = value;
}

/* A pop from an empty stack does nothing, as in Open vSwitch. */
static void stack_pop(struct walk *w, const struct subfield *s)
{
	struct field_value value = {{0}}, mask = value_ones(s->offset, s->bits);

	if (!w->nstack)
		return;
	value_copy_bits(&value, s->offset, &w->stack[--w->nstack], 0, s->bits);
	rewrite_set_field(w, s->field, &value, &mask);
}

/* What lies behind a label that was pushed or popped is not known to the key any more. */
static void forget_l3(struct flow_key *k)
{
	memset(&k->nw_src, 0, sizeof(*k) - offsetof(struct flow_key, nw_src));
}

static void push_mpls(struct walk *w, uint16_t ethertype)
{
	struct flow_key *k = &w->key;
	uint32_t lse;

	if (is_mpls(k))
		lse = be32toh(k->mpls[0]) & ~0x100u;
	else
		lse = 0x100u | (is_ip(k) ? k->nw_ttl : 64);
	k->mpls[2] = k->mpls[1];
	k->mpls[1] = k->mpls[0];
	k->mpls[0] = htobe32(lse);
	k->eth_type = htobe16(ethertype);
	forget_l3(k);
	emit(w, OP_PUSH_MPLS, ethertype, 0);
}

static void pop_mpls(struct walk *w, uint16_t ethertype)
{
	struct flow_key *k = &w->key;

	if (!is_mpls(k))
		return;
	k->mpls[0] = k->mpls[1];
	k->mpls[1] = k->mpls[2];
	k->mpls[2] = 0;
	k->eth_type = htobe16(ethertype);
	forget_l3(k);
	emit(w, OP_POP_MPLS, ethertype, 0);
}

/* A TTL that runs out ends the branch and is told to the controllers that asked (OpenFlow 1.3 section 5.12).
 */
static void ttl_expired(struct walk *w, const uint16_t *ids, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		emit_controller(w, UINT16_MAX, ids[i], 2 /* OFPR_INVALID_TTL */, NULL);
	emit(w, OP_DROP, DROP_TTL_EXPIRED, 0);
	w->ended = true;
}

static void dec_ttl(struct walk *w, const struct action *a)
{
	static const uint16_t everybody = 0;

	if (!is_ip(&w->key))
		return;
	if (w->key.nw_ttl <= 1) {
		ttl_expired(w, a->dec_ttl.n ? a->dec_ttl.ids : &everybody, a->dec_ttl.n ? a->dec_ttl.n : 1);
		return;
	}
	w->key.nw_ttl--;
	emit(w, OP_DEC_TTL, 0, 0);
}

static void dec_mpls_ttl(struct walk *w)
{
	static const uint16_t everybody = 0;
	uint32_t lse = be32toh(w->key.mpls[0]);

	if (!is_mpls(&w->key))
		return;
	if ((lse & 0xff) <= 1) {
		ttl_expired(w, &everybody, 1);
		return;
	}
	w->key.mpls[0] = htobe32(lse - 1);
	emit(w, OP_DEC_MPLS_TTL, 0, 0);
}

static void set_number(struct walk *w, enum field_id field, uint32_t number)
{
	struct field_value value = value_from_u64(number), mask;

	field_full_mask(field, &mask);
	rewrite_set_field(w, field, &value, &mask);
}

static void push_pbb(struct walk *w, uint16_t ethertype)
{
	w->key.eth_type = htobe16(ethertype);
	w->key.vlan[0] = w->key.vlan[1] = (struct flow_vlan){0};
	forget_l3(&w->key);
	emit(w, OP_PUSH_PBB, ethertype, 0);
}

void rewrite(struct walk *w, const struct action *a)
{
	switch (a->type) {
	case ACTION_SET_FIELD:
		rewrite_set_field(w, a->set_field.field, &a->set_field.value, &a->set_field.mask);
		break;
	case ACTION_MOVE:
		move(w, &a->move.src, &a->move.dst);
		break;
	case ACTION_PUSH:
		stack_push(w, &a->subfield);
		break;
	case ACTION_POP:
		stack_pop(w, &a->subfield);
		break;
	case ACTION_PUSH_VLAN:
		push_vlan(w, a->ethertype);
		break;
	case ACTION_POP_VLAN:
		pop_vlan(w);
		break;
	case ACTION_PUSH_MPLS:
		push_mpls(w, a->ethertype);
		break;
	case ACTION_POP_MPLS:
		pop_mpls(w, a->ethertype);
		break;
	case ACTION_PUSH_PBB:
		push_pbb(w, a->ethertype);
		break;
	case ACTION_POP_PBB:
		forget_l3(&w->key);
		emit(w, OP_POP_PBB, 0, 0);
		break;
	case ACTION_DEC_TTL:
		dec_ttl(w, a);
		break;
	case ACTION_SET_TTL:
		set_number(w, FIELD_NW_TTL, a->number);
		break;
	case ACTION_DEC_MPLS_TTL:
		dec_mpls_ttl(w);
		break;
	case ACTION_SET_MPLS_TTL:
		set_number(w, FIELD_MPLS_TTL, a->number);
		break;
	case ACTION_COPY_TTL_IN:
		emit(w, OP_COPY_TTL_IN, 0, 0);
		break;
	case ACTION_COPY_TTL_OUT:
		emit(w, OP_COPY_TTL_OUT, 0, 0);
		break;
	default:
		break;
	}
}
