/* SPDX-License-Identifier: Apache-2.0 */
/* How actions change the model's packet. */
#include <stdlib.h>

#include "tests/differential/model_run.h"

static bool in_frame(enum field_id id)
{
	return fields[id].offset >= offsetof(struct flow_key, eth_dst);
}

static void set_bits(struct run *r, enum field_id id, const struct field_value *value,
                     const struct field_value *mask)
{
	struct flow_key k = run_key(r);

	r->out->cost++;
	if (!in_frame(id)) {
		field_set_masked(&r->state, id, value, mask);
		return;
	}
	if ((id == FIELD_DL_VLAN || id == FIELD_DL_VLAN_PCP) && !k.vlan[0].tci)
		model_push_vlan(&r->frame, ETH_TYPE_VLAN);
	else if (id != FIELD_DL_VLAN && id != FIELD_DL_VLAN_PCP && !field_present(&k, id))
		return;
	if (fields[id].prereq >= FIELD_NEEDS_TCP && k.nw_frag)
		return; /* not looked for in a fragment */
	if (!model_set(&r->frame, id, value, mask))
		r->out->strange = true;
}

static void set_number(struct run *r, enum field_id id, uint64_t number)
{
	struct field_value value = value_from_u64(number), mask;

	field_full_mask(id, &mask);
	set_bits(r, id, &value, &mask);
}

static void move(struct run *r, const struct subfield *src, const struct subfield *dst)
{
	struct field_value from, to = {{0}}, mask = value_ones(dst->offset, dst->bits);
	struct flow_key k = run_key(r);

	r->out->strange |= r->remarked;
	if (!field_present(&k, src->field))
		return;
	field_get(&k, src->field, &from);
	value_copy_bits(&to, dst->offset, &from, src->offset, dst->bits);
	set_bits(r, dst->field, &to, &mask);
}

struct field_value run_read(const struct run *r, const struct subfield *s)
{
	struct field_value from, value = {{0}};
	struct flow_key k = run_key(r);

	if (!field_present(&k, s->field))
		return value;
	field_get(&k, s->field, &from);
	value_copy_bits(&value, 0, &from, s->offset, s->bits);
	return value;
}

static void push(struct run *r, const struct subfield *s)
{
	r->out->strange |= r->remarked;
	if (r->nstack == RUN_STACK_MAX)
		abort(); /* the generator pushes too much */
	r->stack[r->nstack++] = run_read(r, s);
}

static void write_bits(struct run *r, const struct subfield *s, const struct field_value *from)
{
	struct field_value to = {{0}}, mask = value_ones(s->offset, s->bits);

	value_copy_bits(&to, s->offset, from, 0, s->bits);
	set_bits(r, s->field, &to, &mask);
}

static void pop(struct run *r, const struct subfield *s)
{
	if (r->nstack)
		write_bits(r, s, &r->stack[--r->nstack]);
}

void run_load(struct run *r, const struct subfield *dst, uint64_t number)
{
	struct field_value from = value_from_u64(number);

	write_bits(r, dst, &from);
}

/* The outermost tag does not count. */
void run_check_pkt_larger(struct run *r, const struct action *a)
{
	struct flow_key k = run_key(r);
	uint32_t len = r->frame.len - (k.vlan[0].tci ? 4 : 0);

	r->out->strange |= r->frame.snap_lost; /* the switch does not know that it became shorter */
	run_load(r, &a->check_pkt_larger.dst, len > a->check_pkt_larger.len);
}

/* ---- TTLs ---- */

static void dec_ttl(struct run *r, const struct action *a)
{
	struct flow_key k = run_key(r);

	if (k.eth_type != htobe16(ETH_TYPE_IPV4) && k.eth_type != htobe16(ETH_TYPE_IPV6))
		return;
	if (k.nw_ttl <= 1)
		run_ttl_expired(r, a->dec_ttl.ids, a->dec_ttl.n);
	else
		set_number(r, FIELD_NW_TTL, k.nw_ttl - 1u);
}

static void dec_mpls_ttl(struct run *r)
{
	struct flow_key k = run_key(r);
	uint32_t ttl = be32toh(k.mpls[0]) & 0xff;

	if (!field_present(&k, FIELD_MPLS_TTL))
		return;
	if (ttl <= 1)
		run_ttl_expired(r, NULL, 0);
	else
		set_number(r, FIELD_MPLS_TTL, ttl - 1);
}

/* ---- actions ---- */

static bool is_mpls(uint16_t type)
{
	return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MC;
}

/* Labels up to the bottom of the stack. */
static unsigned labels(const struct flow_key *k)
{
	unsigned n = 0;

	while (n < FLOW_MPLS && k->mpls[n] && !(n && k->mpls[n - 1] & htobe32(0x100)))
		n++;
	return n;
}

/* Is it called IP or ARP and has no such header? */
static bool lacks_header(const struct model_frame *f)
{
	struct model_layout at;
	struct flow_key k;

	model_parse(f, &k, &at);
	return at.is == MODEL_L3_NONE && (at.type == ETH_TYPE_IPV4 || at.type == ETH_TYPE_IPV6 ||
	                                  at.type == ETH_TYPE_ARP || at.type == ETH_TYPE_RARP);
}

/* What nobody does on purpose and the switch answers for only in part: labels or an I-TAG among more than two
 * VLAN tags or in front of what is called IP or ARP and is not, more labels than can be seen through, a last
 * label in front of a label. (Fields that such a packet is said to have are not set either: set_bits.) */
static bool is_strange(const struct flow_key *k, const struct action *a, const struct model_frame *f)
{
	bool tags = k->eth_type == htobe16(ETH_TYPE_VLAN) || k->eth_type == htobe16(ETH_TYPE_QINQ);

	if ((a->type == ACTION_PUSH_MPLS || a->type == ACTION_PUSH_PBB) && lacks_header(f))
		return true;
	switch (a->type) {
	case ACTION_PUSH_MPLS:
		return tags || labels(k) == FLOW_MPLS || (field_present(k, FIELD_MPLS_LABEL) && !labels(k));
	case ACTION_POP_MPLS:
		return tags || !(k->mpls[0] & htobe32(0x100)) != is_mpls(a->ethertype);
	case ACTION_PUSH_PBB:
		return tags || k->eth_type == htobe16(ETH_TYPE_PBB);
	default:
		return false;
	}
}

/* Is the header that was uncovered one only with the padding that was added? */
static bool is_made_of_padding(const struct model_frame *f)
{
	struct model_layout at;
	struct flow_key k;

	model_parse(f, &k, &at);
	return at.end > f->len - f->padding;
}

static void do_frame(struct run *r, const struct action *a)
{
	struct flow_key k = run_key(r);
	bool mpls = field_present(&k, FIELD_MPLS_LABEL);

	r->out->cost++;
	if (a->type == ACTION_POP_MPLS && !mpls)
		return;
	r->out->strange |= is_strange(&k, a, &r->frame);
	switch (a->type) {
	case ACTION_PUSH_VLAN:
		model_push_vlan(&r->frame, a->ethertype);
		break;
	case ACTION_POP_VLAN:
		model_pop_vlan(&r->frame);
		break;
	case ACTION_PUSH_MPLS:
		model_push_mpls(&r->frame, a->ethertype);
		break;
	case ACTION_POP_MPLS:
		model_pop_mpls(&r->frame, a->ethertype);
		r->out->strange |= is_made_of_padding(&r->frame);
		break;
	case ACTION_PUSH_PBB:
		model_push_pbb(&r->frame, a->ethertype);
		break;
	case ACTION_POP_PBB:
		model_pop_pbb(&r->frame);
		r->out->strange |= is_made_of_padding(&r->frame);
		break;
	case ACTION_COPY_TTL_IN:
	case ACTION_COPY_TTL_OUT:
		model_copy_ttl(&r->frame, a->type == ACTION_COPY_TTL_IN);
		break;
	default:
		abort(); /* the generator made something the model does not know */
	}
}

void run_rewrite(struct run *r, const struct action *a)
{
	switch (a->type) {
	case ACTION_SET_FIELD:
		set_bits(r, a->set_field.field, &a->set_field.value, &a->set_field.mask);
		break;
	case ACTION_MOVE:
		move(r, &a->move.src, &a->move.dst);
		break;
	case ACTION_PUSH:
		push(r, &a->subfield);
		break;
	case ACTION_POP:
		pop(r, &a->subfield);
		break;
	case ACTION_SET_TTL:
		set_number(r, FIELD_NW_TTL, a->number);
		break;
	case ACTION_DEC_TTL:
		dec_ttl(r, a);
		break;
	case ACTION_SET_MPLS_TTL:
		set_number(r, FIELD_MPLS_TTL, a->number);
		break;
	case ACTION_DEC_MPLS_TTL:
		dec_mpls_ttl(r);
		break;
	default:
		do_frame(r, a);
	}
}
