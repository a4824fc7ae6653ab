/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that change the packet or the pipeline's registers: the walk's key follows, and what touches the
 * packet becomes an op. Called by translate.c. */
#include <string.h>

#include "flows/dp/mkey.h"
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

static bool is_mpls(const struct flow_key *k)
{
	return k->eth_type == htobe16(ETH_TYPE_MPLS) || k->eth_type == htobe16(ETH_TYPE_MPLS_MC);
}

static bool is_pbb(const struct flow_key *k)
{
	return k->eth_type == htobe16(ETH_TYPE_PBB);
}

static void push_vlan(struct walk *w, uint16_t tpid)
{
	struct flow_key *k = &w->key;
	struct hidden *h = &w->hidden;
	be16 tci = k->vlan[0].tci | htobe16(VLAN_CFI);

	if (k->vlan[1].tpid) { /* the third tag: its TPID is the type that the key sees */
		if (h->ntags == WALK_TAGS_MAX) {
			w->error = DROP_PROGRAM_LIMIT;
			return;
		}
		if (!h->ntags)
			h->type = k->eth_type;
		h->tags[h->ntags++] = k->vlan[1];
		k->eth_type = k->vlan[1].tpid;
	}
	k->vlan[1] = k->vlan[0];
	k->vlan[0] = (struct flow_vlan){.tpid = htobe16(tpid), .tci = tci};
	length_grow(w, 4);
	emit(w, OP_PUSH_VLAN, tpid, 0);
}

static void pop_vlan(struct walk *w)
{
	struct flow_key *k = &w->key;
	struct hidden *h = &w->hidden;

	if (!has_vlan(k))
		return;
	k->vlan[0] = k->vlan[1];
	k->vlan[1] = (struct flow_vlan){0};
	if (h->ntags) {
		k->vlan[1] = h->tags[--h->ntags];
		k->eth_type = h->ntags ? h->tags[h->ntags - 1].tpid : h->type;
	}
	length_shrink(w, 4);
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
	if (id == FIELD_VLAN_VID)
		return has_vlan(k);
	/* No L4 header is looked for in a fragment. */
	if (fields[id].prereq >= FIELD_NEEDS_TCP && k->nw_frag)
		return false;
	return field_present(k, id);
}

/* What lies behind is not known to the key any more. */
static void forget_l3(struct flow_key *k)
{
	memset(&k->nw_src, 0, offsetof(struct flow_key, inner_dst) - offsetof(struct flow_key, nw_src));
	k->l3_type = 0;
}

static void forget_inner(struct flow_key *k)
{
	memset(&k->inner_dst, 0, offsetof(struct flow_key, l3_type) - offsetof(struct flow_key, inner_dst));
}

static void forget_l4(struct flow_key *k)
{
	memset(&k->tp_src, 0, offsetof(struct flow_key, inner_dst) - offsetof(struct flow_key, tp_src));
}

/* A field that says what comes behind it was changed: that is now called something it is not, and is not read
 * again. */
static void forget_behind(struct walk *w, enum field_id id, const struct field_value *before)
{
	struct flow_key *k = &w->key;
	struct field_value now;

	if (id != FIELD_ETH_TYPE && id != FIELD_NW_PROTO && id != FIELD_MPLS_BOS)
		return;
	field_get(k, id, &now);
	if (!memcmp(&now, before, sizeof(now)))
		return;
	if (id == FIELD_NW_PROTO) {
		forget_l4(k);
		return;
	}
	if (id == FIELD_ETH_TYPE) {
		k->mpls[0] = 0;
		k->pbb_isid = 0;
		forget_inner(k);
	}
	k->mpls[1] = k->mpls[2] = 0;
	forget_l3(k);
}

/* The presence bit of the whole TCI takes the tag off or adds one, as in Open vSwitch. */
static void set_tci(struct walk *w, uint16_t tci, uint16_t mask)
{
	struct flow_vlan *outermost = &w->key.vlan[0];
	struct field_value value, all = value_from_u64(0xffff);

	tci = (uint16_t)((be16toh(outermost->tci) & ~mask) | (tci & mask));
	if (!(tci & VLAN_CFI)) {
		pop_vlan(w);
		return;
	}
	if (!has_vlan(&w->key))
		push_vlan(w, ETH_TYPE_VLAN);
	outermost->tci = htobe16(tci);
	value = value_from_u64(tci);
	emit_set_field(w, FIELD_VLAN_TCI, &value, &all);
}

void rewrite_set_field(struct walk *w, enum field_id id, const struct field_value *value,
                       const struct field_value *mask)
{
	enum place place = place_of(id);
	struct field_value before;

	if (id == FIELD_VLAN_TCI) {
		set_tci(w, (uint16_t)value_to_u64(value), (uint16_t)value_to_u64(mask));
		return;
	}
	if (place == PLACE_PACKET && !make_present(w, id))
		return;
	field_get(&w->key, id, &before);
	field_set_masked(&w->key, id, value, mask);
	forget_behind(w, id, &before);
	if (place != PLACE_PIPELINE)
		emit_set_field(w, id, value, mask);
}

struct field_value walk_read(const struct walk *w, const struct subfield *s)
{
	struct field_value from, value = {{0}};

	if (!field_present(&w->key, s->field))
		return value;
	field_get(&w->key, s->field, &from);
	value_copy_bits(&value, 0, &from, s->offset, s->bits);
	return value;
}

static void move(struct walk *w, const struct subfield *src, const struct subfield *dst)
{
	struct field_value from, value = {{0}}, mask = value_ones(dst->offset, dst->bits);

	if (place_of(src->field) == PLACE_PACKET && !field_present(&w->key, src->field))
		return;
	from = walk_read(w, src);
	value_copy_bits(&value, dst->offset, &from, 0, dst->bits);
	rewrite_set_field(w, dst->field, &value, &mask);
}

static void stack_push(struct walk *w, const struct subfield *s)
{
	if (w->hidden.nstack == WALK_STACK_MAX)
		w->error = DROP_PROGRAM_LIMIT;
	else
		w->hidden.stack[w->hidden.nstack++] = walk_read(w, s);
}

/* A pop from an empty stack does nothing, as in Open vSwitch. */
static void stack_pop(struct walk *w, const struct subfield *s)
{
	struct field_value value = {{0}}, mask = value_ones(s->offset, s->bits);

	if (!w->hidden.nstack)
		return;
	value_copy_bits(&value, s->offset, &w->hidden.stack[--w->hidden.nstack], 0, s->bits);
	rewrite_set_field(w, s->field, &value, &mask);
}

/* EtherTypes whose headers the key has fields for; RARP is ARP. */
static be16 l3_type_of(be16 type)
{
	switch (mkey_class_of(type)) {
	case MKEY_IPV4:
		return htobe16(ETH_TYPE_IPV4);
	case MKEY_IPV6:
		return htobe16(ETH_TYPE_IPV6);
	case MKEY_ARP:
		return htobe16(ETH_TYPE_ARP);
	default:
		return 0;
	}
}

/* The packet is now one of `type`, what lies behind stays as it is. */
static void cover(struct flow_key *k, uint16_t type)
{
	if (l3_type_of(k->eth_type))
		k->l3_type = l3_type_of(k->eth_type);
	k->eth_type = htobe16(type);
}

/* What lies behind shows itself as `type`, which may not be what it is. */
static void uncover(struct flow_key *k, be16 type)
{
	be16 l3 = l3_type_of(type);

	k->eth_type = type;
	if (l3 && l3 == k->l3_type)
		k->l3_type = 0;
	else if (!is_mpls(k))
		forget_l3(k);
}

static void push_mpls(struct walk *w, uint16_t ethertype)
{
	struct flow_key *k = &w->key;
	uint32_t lse;

	if (is_mpls(k))
		lse = be32toh(k->mpls[0]) & ~0x100u;
	else
		lse = 0x100u | (flow_key_is_ip(k) ? k->nw_ttl : 0);
	if (is_pbb(k))
		forget_l3(k); /* what lies behind the I-TAG is not what lies behind the label */
	k->mpls[2] = k->mpls[1];
	k->mpls[1] = k->mpls[0];
	k->mpls[0] = htobe32(lse);
	cover(k, ethertype);
	length_grow(w, 4);
	emit(w, OP_PUSH_MPLS, ethertype, 0);
}

static void pop_mpls(struct walk *w, uint16_t ethertype)
{
	struct flow_key *k = &w->key;

	if (!is_mpls(k))
		return;
	if (!(k->mpls[0] & htobe32(0x100)) == !(ethertype == ETH_TYPE_MPLS || ethertype == ETH_TYPE_MPLS_MC))
		forget_l3(k); /* the type is not that of what comes now */
	k->mpls[0] = k->mpls[1];
	k->mpls[1] = k->mpls[2];
	k->mpls[2] = 0;
	uncover(k, htobe16(ethertype));
	length_shrink(w, 4);
	emit(w, OP_POP_MPLS, ethertype, 0);
}

/* A TTL that runs out ends the branch and is told to the controllers that asked (OpenFlow 1.3 section 5.12).
 */
static void ttl_expired(struct walk *w, const uint16_t *ids, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		emit_controller(w, UINT16_MAX, ids[i], 2 /* OFPR_INVALID_TTL */, NULL, 0);
	emit(w, OP_DROP, DROP_TTL_EXPIRED, 0);
	w->ended = true;
}

static void dec_ttl(struct walk *w, const struct action *a)
{
	static const uint16_t everybody = 0;

	if (!flow_key_is_ip(&w->key))
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

/* One I-TAG is looked behind: of two, what lies behind the second is not known. */
static void push_pbb(struct walk *w, uint16_t ethertype)
{
	struct flow_key *k = &w->key;

	if (is_pbb(k)) {
		forget_l3(k);
		memset(k->mpls, 0, sizeof(k->mpls));
	}
	k->inner_dst = k->eth_dst;
	k->inner_src = k->eth_src;
	memcpy(k->inner_vlan, k->vlan, sizeof(k->inner_vlan));
	k->inner_type = k->eth_type;
	cover(k, ethertype);
	memset(k->vlan, 0, sizeof(k->vlan));
	length_grow(w, 18);
	emit(w, OP_PUSH_PBB, ethertype, 0);
}

static void pop_pbb(struct walk *w)
{
	struct flow_key *k = &w->key;

	if (!is_pbb(k))
		return;
	length_shrink(w, 18 + 4 * (!!k->vlan[0].tpid + !!k->vlan[1].tpid));
	k->eth_dst = k->inner_dst;
	k->eth_src = k->inner_src;
	memcpy(k->vlan, k->inner_vlan, sizeof(k->vlan));
	k->pbb_isid = 0;
	uncover(k, k->inner_type);
	forget_inner(k);
	emit(w, OP_POP_PBB, 0, 0);
}

/* Behind the last label there is a TTL when IP lies there; between labels always. */
static bool ttl_behind_label(const struct flow_key *k, uint8_t *ttl)
{
	bool last = k->mpls[0] & htobe32(0x100);

	*ttl = last ? k->nw_ttl : (uint8_t)be32toh(k->mpls[1]);
	return is_mpls(k) &&
	       (!last || k->l3_type == htobe16(ETH_TYPE_IPV4) || k->l3_type == htobe16(ETH_TYPE_IPV6));
}

static void copy_ttl(struct walk *w, bool out)
{
	struct flow_key *k = &w->key;
	uint8_t behind;

	if (!ttl_behind_label(k, &behind))
		return;
	if (out)
		k->mpls[0] = (k->mpls[0] & htobe32(~0xffu)) | htobe32(behind);
	else if (k->mpls[0] & htobe32(0x100))
		k->nw_ttl = (uint8_t)be32toh(k->mpls[0]);
	else
		k->mpls[1] = (k->mpls[1] & htobe32(~0xffu)) | (k->mpls[0] & htobe32(0xff));
	emit(w, out ? OP_COPY_TTL_OUT : OP_COPY_TTL_IN, 0, 0);
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
		pop_pbb(w);
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
		copy_ttl(w, false);
		break;
	case ACTION_COPY_TTL_OUT:
		copy_ttl(w, true);
		break;
	default:
		break;
	}
}
