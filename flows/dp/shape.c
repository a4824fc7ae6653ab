/* SPDX-License-Identifier: Apache-2.0 */
/* Makes shapes of rules and buckets; see shape.h. Called by relevance.c. */
#include "flows/dp/shape.h"

#include <string.h>

#include "base/hash.h"
#include "flows/action.h"
#include "flows/dp/mkey.h"
#include "flows/match.h"

/* The one that is being made. Control thread only. */
static union {
	struct shape shape;
	uint8_t room[sizeof(struct shape) + SHAPE_STEPS_MAX * sizeof(struct shape_step)];
} work;

/* ---- what actions read ---- */

static void need_field(struct flow_key *needs, enum field_id id)
{
	struct field_value all;

	field_full_mask(id, &all);
	field_set_masked(needs, id, &all, &all);
}

static void need_vlans(struct flow_key *needs)
{
	memset(needs->vlan, 0xff, sizeof(needs->vlan));
}

/* Whether a field is there to be written depends on what the packet is. */
static void need_presence(struct flow_key *needs, enum field_id id)
{
	enum field_prereq prereq = fields[id].prereq;

	if (id == FIELD_VLAN_TCI) { /* comes and goes as a whole */
		need_vlans(needs);
		work.shape.resizes = true;
	} else if (fields[id].offset == offsetof(struct flow_key, vlan[0].tci)) {
		needs->vlan[0].tci |= htobe16(VLAN_CFI);
	}
	if (prereq >= FIELD_NEEDS_TCP)
		needs->nw_proto = needs->nw_frag = 0xff;
	if (prereq >= FIELD_NEEDS_ND)
		needs->tp_src = needs->tp_dst = 0xffff;
}

/* What is read is zero when it is not there. */
static void need_value(struct flow_key *needs, enum field_id id)
{
	need_field(needs, id);
	need_presence(needs, id);
}

/* A packet that becomes one of another kind is looked at by the rules for those. */
static void need_kinds(struct flow_key *needs, enum field_id id)
{
	if (id == FIELD_NW_PROTO)
		needs->nw_proto = 0xff;
	if (id == FIELD_MPLS_BOS)
		needs->mpls[0] |= htobe32(0x100);
	if (id == FIELD_ETH_TYPE || id == FIELD_MPLS_BOS)
		work.shape.mixes = true;
}

static void need_both(struct flow_key *needs, enum field_id ipv4, enum field_id ipv6)
{
	need_field(needs, ipv4);
	need_field(needs, ipv6);
}

/* What links.c makes a hash of; the type of the packet counts always. */
static void need_hashed(struct flow_key *needs, enum hash_fields hashed)
{
	if (hashed == HASH_ETH_SRC || hashed == HASH_SYMMETRIC_L4)
		need_field(needs, FIELD_ETH_SRC);
	if (hashed == HASH_SYMMETRIC_L4) {
		need_field(needs, FIELD_ETH_DST);
		need_vlans(needs);
	}
	if (hashed != HASH_ETH_SRC && hashed != HASH_NW_DST)
		need_both(needs, FIELD_IPV4_SRC, FIELD_IPV6_SRC);
	if (hashed != HASH_ETH_SRC && hashed != HASH_NW_SRC)
		need_both(needs, FIELD_IPV4_DST, FIELD_IPV6_DST);
	if (hashed == HASH_SYMMETRIC_L4 || hashed == HASH_SYMMETRIC_L3L4 ||
	    hashed == HASH_SYMMETRIC_L3L4_UDP) {
		needs->nw_proto = 0xff;
		needs->tp_src = needs->tp_dst = 0xffff;
	}
}

static void need_headers(struct flow_key *needs)
{
	memset(&needs->eth_dst, 0xff,
	       offsetof(struct flow_key, pbb_isid) - offsetof(struct flow_key, eth_dst));
	need_both(needs, FIELD_IPV4_SRC, FIELD_IPV6_SRC);
	need_both(needs, FIELD_IPV4_DST, FIELD_IPV6_DST);
	needs->nw_proto = needs->nw_frag = 0xff;
	needs->tp_src = needs->tp_dst = 0xffff;
}

/* ---- what actions do to the pipeline's state ---- */

static bool in_state(enum field_id id)
{
	uint16_t offset = fields[id].offset;

	return offset <= offsetof(struct flow_key, in_port) || id == FIELD_TUN_ID;
}

static void pstate_from(const struct flow_key *key, struct pstate *out)
{
	memset(out, 0, sizeof(*out));
	out->metadata = key->metadata;
	memcpy(out->regs, key->regs, sizeof(out->regs));
	out->in_port = key->in_port;
	out->tun_id = key->tun_id;
}

static struct shape_step *add_step(enum shape_step_kind kind)
{
	struct shape_step *s;

	if (work.shape.nsteps == SHAPE_STEPS_MAX) {
		work.shape.opaque = true;
		work.shape.nsteps = 0;
	}
	s = &work.shape.steps[work.shape.nsteps++];
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	return s;
}

static void add_call(uint32_t table, uint32_t in_port)
{
	struct shape_step *s = add_step(STEP_CALL);

	s->table = table == 0xff ? work.shape.table : table;
	s->in_port = in_port;
}

/* `value` NULL: not known. */
static void add_write(enum field_id id, const struct field_value *value, const struct field_value *mask)
{
	struct flow_key key = {0};
	struct shape_step *s;

	if (!in_state(id))
		return;
	s = add_step(value ? STEP_SET : STEP_FORGET);
	field_set_masked(&key, id, mask, mask);
	pstate_from(&key, &s->mask);
	if (!value)
		return;
	field_set_masked(&key, id, value, mask);
	pstate_from(&key, &s->value);
}

static void add_forget(const struct subfield *dst)
{
	struct field_value mask = value_ones(dst->offset, dst->bits);

	add_write(dst->field, NULL, &mask);
}

static void add_metadata(uint64_t value, uint64_t mask, bool coarse)
{
	struct field_value v = value_from_u64(value), m = value_from_u64(mask);

	add_write(FIELD_METADATA, coarse ? NULL : &v, &m);
}

/* ---- actions ---- */

static void add_actions(const struct action_list *l, bool coarse);

static void add_branch(const struct action_list *l, bool coarse)
{
	uint32_t at = work.shape.nsteps;

	add_step(STEP_BRANCH);
	add_actions(l, coarse);
	work.shape.steps[at].length = work.shape.nsteps > at ? work.shape.nsteps - at - 1 : 0;
}

/* Done at the end of the walk: no table sees what it sets, unless it goes to one. */
static void add_written(const struct action_list *l, bool coarse)
{
	uint32_t steps = work.shape.nsteps;

	add_actions(l, coarse);
	for (unsigned i = 0; i < l->n; i++)
		work.shape.opaque |= l->items[i].type == ACTION_RESUBMIT ||
		                     l->items[i].type == ACTION_CLONE || l->items[i].type == ACTION_CT;
	work.shape.nsteps = steps;
}

static void add_relabel(struct flow_key *needs)
{
	memset(needs->mpls, 0xff, sizeof(needs->mpls));
	memset(&needs->inner_dst, 0xff, sizeof(*needs) - offsetof(struct flow_key, inner_dst));
	needs->nw_ttl = 0xff;
	needs->pbb_isid = htobe32(0xffffff);
	need_vlans(needs);
	work.shape.mixes = work.shape.resizes = true;
}

static void add_learn(const struct action_learn *l)
{
	for (unsigned i = 0; i < l->n_specs; i++)
		if (!l->specs[i].immediate)
			need_value(&work.shape.needs, l->specs[i].src.field);
	if (!(l->flags & LEARN_WRITE_RESULT))
		return;
	need_presence(&work.shape.needs, l->result.field);
	add_forget(&l->result);
}

static void add_bundle(const struct action *a)
{
	const struct action_bundle *b = &a->bundle;

	if (b->algorithm == BUNDLE_HRW)
		need_hashed(&work.shape.needs, (enum hash_fields)b->fields);
	if (a->type == ACTION_BUNDLE_LOAD) {
		need_presence(&work.shape.needs, b->dst.field);
		add_forget(&b->dst);
		return;
	}
	for (unsigned i = 0; i < b->n_members; i++)
		work.shape.opaque |= b->members[i] == PORT_TABLE;
}

static void add_check(const struct action *a, bool coarse)
{
	struct flow_key *needs = &work.shape.needs;

	if (coarse)
		lengths_make_exact(&work.shape.lengths);
	else
		lengths_add(&work.shape.lengths, a->check_pkt_larger.len);
	needs->vlan[0].tci |= htobe16(VLAN_CFI); /* the tag does not count */
	need_presence(needs, a->check_pkt_larger.dst.field);
	add_forget(&a->check_pkt_larger.dst);
}

static void add_ct(const struct action_ct *a)
{
	uint32_t at = work.shape.nsteps;

	if (a->zone_src.bits)
		need_value(&work.shape.needs, a->zone_src.field);
	for (unsigned i = 0; i < a->exec.n; i++)
		if (a->exec.items[i].type == ACTION_MOVE)
			need_value(&work.shape.needs, a->exec.items[i].move.src.field);
	if (a->table_id == 0xff)
		return;
	add_step(STEP_BRANCH);
	add_call(a->table_id, PORT_IN_PORT);
	work.shape.steps[at].length = work.shape.nsteps > at ? work.shape.nsteps - at - 1 : 0;
}

/* The rules of the table ask the one for what they need of the other. */
static void add_resubmit(const struct action *a)
{
	struct flow_key *needs = &work.shape.needs;

	add_call(a->resubmit.table_id, a->resubmit.in_port);
	if (!a->resubmit.original)
		return;
	need_both(needs, FIELD_IPV4_SRC, FIELD_IPV6_SRC);
	need_both(needs, FIELD_IPV4_DST, FIELD_IPV6_DST);
	need_both(needs, FIELD_CT_NW_SRC, FIELD_CT_IPV6_SRC);
	need_both(needs, FIELD_CT_NW_DST, FIELD_CT_IPV6_DST);
	needs->nw_proto = needs->nw_frag = needs->ct_nw_proto = 0xff;
	needs->tp_src = needs->tp_dst = needs->ct_tp_src = needs->ct_tp_dst = 0xffff;
}

static void add_action(const struct action *a, bool coarse)
{
	struct flow_key *needs = &work.shape.needs;

	switch (a->type) {
	case ACTION_SET_FIELD:
		need_presence(needs, a->set_field.field);
		need_kinds(needs, a->set_field.field);
		add_write(a->set_field.field, coarse ? NULL : &a->set_field.value, &a->set_field.mask);
		break;
	case ACTION_MOVE:
		need_value(needs, a->move.src.field);
		need_presence(needs, a->move.dst.field);
		add_forget(&a->move.dst);
		break;
	case ACTION_PUSH:
		need_value(needs, a->subfield.field);
		break;
	case ACTION_POP:
		need_presence(needs, a->subfield.field);
		add_forget(&a->subfield);
		break;
	case ACTION_LEARN:
		add_learn(a->learn);
		break;
	case ACTION_FIN_TIMEOUT:
		need_presence(needs, FIELD_TCP_FLAGS);
		needs->tcp_flags |= htobe16(0x005);
		break;
	case ACTION_MULTIPATH:
		need_hashed(needs, (enum hash_fields)a->multipath.fields);
		need_presence(needs, a->multipath.dst.field);
		add_forget(&a->multipath.dst);
		break;
	case ACTION_BUNDLE:
	case ACTION_BUNDLE_LOAD:
		add_bundle(a);
		break;
	case ACTION_CHECK_PKT_LARGER:
		add_check(a, coarse);
		break;
	case ACTION_OUTPUT_REG:
		need_value(needs, a->output_reg.src.field);
		break;
	case ACTION_OUTPUT:
		work.shape.opaque |= a->output.port == PORT_TABLE;
		break;
	case ACTION_PUSH_VLAN:
	case ACTION_POP_VLAN:
		need_vlans(needs);
		work.shape.resizes = true;
		break;
	case ACTION_DEC_TTL:
		needs->nw_ttl = 0xff;
		break;
	case ACTION_PUSH_MPLS:
	case ACTION_POP_MPLS:
	case ACTION_DEC_MPLS_TTL:
	case ACTION_COPY_TTL_IN:
	case ACTION_COPY_TTL_OUT:
	case ACTION_PUSH_PBB:
	case ACTION_POP_PBB:
		add_relabel(needs);
		break;
	case ACTION_RESUBMIT:
		add_resubmit(a);
		break;
	case ACTION_GOTO_TABLE:
		add_call(a->number, PORT_IN_PORT);
		break;
	case ACTION_WRITE_METADATA:
		add_metadata(a->metadata.value & a->metadata.mask, a->metadata.mask, coarse);
		break;
	case ACTION_CT:
		add_ct(&a->ct);
		break;
	case ACTION_CLONE:
		add_branch(&a->nested, coarse);
		break;
	case ACTION_WRITE_ACTIONS:
		add_written(&a->nested, coarse);
		break;
	default:
		break;
	}
}

static void add_actions(const struct action_list *l, bool coarse)
{
	for (unsigned i = 0; i < l->n; i++)
		add_action(&l->items[i], coarse);
}

/* ---- shapes ---- */

static uint8_t classes_of(const struct match *m)
{
	if (!m || m->mask.eth_type != 0xffff)
		return (1 << MKEY_CLASSES) - 1;
	return (uint8_t)(1 << mkey_class_of(m->key.eth_type));
}

unsigned shape_bytes(const struct shape *s)
{
	return (unsigned)(sizeof(*s) + s->nsteps * sizeof(s->steps[0]));
}

static unsigned compared(const struct shape *s)
{
	return shape_bytes(s) - (unsigned)offsetof(struct shape, table);
}

bool shape_equal(const struct shape *a, const struct shape *b)
{
	return a->hash == b->hash && a->nsteps == b->nsteps && !memcmp(&a->table, &b->table, compared(a));
}

const struct shape *shape_of(uint32_t table, const struct match *match, const struct action_list *actions,
                             bool select, bool coarse)
{
	struct shape *s = &work.shape;

	memset(s, 0, sizeof(*s));
	s->table = table;
	s->classes = classes_of(match);
	if (match)
		s->needs = match->mask;
	if (match && !coarse) {
		pstate_from(&match->key, &s->value);
		pstate_from(&match->mask, &s->mask);
	}
	add_actions(actions, coarse);
	if (select)
		need_headers(&s->needs);
	/* A bucket's steps are not followed: whoever gets there may go anywhere. */
	for (uint32_t i = 0; i < s->nsteps && !match; i++)
		s->opaque |= s->steps[i].kind == STEP_CALL;
	if (!match || s->opaque)
		s->nsteps = 0;
	/* Pipeline state is no part of a packet; in_port and tun_id count for every packet anyway, and what
	 * the tracker tells for every one that it has seen, but for the addresses and ports. */
	memset(&s->needs, 0, offsetof(struct flow_key, ct_ipv6_src));
	s->needs.tun_id = 0;
	s->needs.pkt_len = lengths_matter(&s->lengths) ? UINT32_MAX : 0;
	static_assert((sizeof(*s) - offsetof(struct shape, table)) % 8 == 0, "hashed as words");
	s->hash = hash_words((const uint64_t *)(const void *)&s->table, compared(s) / 8, 0);
	return s;
}
