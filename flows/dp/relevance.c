/* SPDX-License-Identifier: Apache-2.0 */
/* Which bits of packets matter; see relevance.h. Called when rules and groups come and go. */
#include "flows/dp/relevance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flows/action.h"
#include "flows/match.h"

/* ---- what actions read ---- */

static void need_field(struct flow_key *needs, enum field_id id)
{
	struct field_value all;

	field_full_mask(id, &all);
	field_set_masked(needs, id, &all, &all);
}

/* Whether a field is there to be written depends on what the packet is. */
static void need_presence(struct flow_key *needs, enum field_id id)
{
	enum field_prereq prereq = fields[id].prereq;

	if (fields[id].offset == offsetof(struct flow_key, vlan))
		needs->vlan[0].tci |= htobe16(VLAN_CFI);
	if (prereq >= FIELD_NEEDS_TCP)
		needs->nw_proto = needs->nw_frag = 0xff;
	if (prereq >= FIELD_NEEDS_ND)
		needs->tp_src = needs->tp_dst = 0xffff;
}

static void need_vlans(struct flow_key *needs)
{
	memset(needs->vlan, 0xff, sizeof(needs->vlan));
}

static void need_headers(struct flow_key *needs)
{
	memset(&needs->eth_dst, 0xff,
	       offsetof(struct flow_key, pbb_isid) - offsetof(struct flow_key, eth_dst));
	need_field(needs, FIELD_IPV4_SRC);
	need_field(needs, FIELD_IPV4_DST);
	need_field(needs, FIELD_IPV6_SRC);
	need_field(needs, FIELD_IPV6_DST);
	needs->nw_proto = needs->nw_frag = 0xff;
	needs->tp_src = needs->tp_dst = 0xffff;
}

static void need_actions(struct shape *s, const struct action_list *l)
{
	struct flow_key *needs = &s->needs;

	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];

		switch (a->type) {
		case ACTION_SET_FIELD:
			need_presence(needs, a->set_field.field);
			break;
		case ACTION_MOVE:
			need_field(needs, a->move.src.field);
			need_presence(needs, a->move.src.field);
			need_presence(needs, a->move.dst.field);
			break;
		case ACTION_PUSH:
			need_field(needs, a->subfield.field);
			break;
		case ACTION_POP:
			need_presence(needs, a->subfield.field);
			break;
		case ACTION_OUTPUT_REG:
			need_field(needs, a->output_reg.src.field);
			break;
		case ACTION_PUSH_VLAN:
		case ACTION_POP_VLAN:
			need_vlans(needs);
			break;
		case ACTION_DEC_TTL:
			needs->nw_ttl = 0xff;
			break;
		case ACTION_PUSH_MPLS:
		case ACTION_POP_MPLS:
		case ACTION_DEC_MPLS_TTL:
		case ACTION_PUSH_PBB:
		case ACTION_POP_PBB:
			memset(needs->mpls, 0xff, sizeof(needs->mpls));
			needs->nw_ttl = 0xff;
			need_vlans(needs);
			s->mixes = true;
			break;
		case ACTION_CLONE:
		case ACTION_WRITE_ACTIONS:
			need_actions(s, &a->nested);
			break;
		default:
			break;
		}
	}
}

/* ---- shapes ---- */

static uint8_t classes_of(const struct match *m)
{
	if (!m || m->mask.eth_type != 0xffff)
		return (1 << MKEY_CLASSES) - 1;
	return (uint8_t)(1 << mkey_class_of(m->key.eth_type));
}

static uint64_t shape_hash(const struct shape *s)
{
	return hash_words((const uint64_t *)&s->needs, FLOW_KEY_WORDS, s->classes | s->mixes << 8);
}

struct shape *relevance_add(struct relevance *r, const struct match *match, const struct action_list *actions,
                            bool select)
{
	struct shape want = {.classes = classes_of(match)}, *s, **head;

	if (match)
		want.needs = match->mask;
	if (actions)
		need_actions(&want, actions);
	if (select)
		need_headers(&want.needs);
	memset(&want.needs, 0, offsetof(struct flow_key, tun_id));
	want.hash = shape_hash(&want);
	head = &r->shapes[want.hash % SHAPE_HEADS];
	for (s = *head; s; s = s->next)
		if (s->hash == want.hash && s->classes == want.classes && s->mixes == want.mixes &&
		    !memcmp(&s->needs, &want.needs, sizeof(want.needs))) {
			s->users++;
			return s;
		}
	s = malloc(sizeof(*s));
	if (!s)
		return NULL;
	*s = want;
	s->users = 1;
	s->next = *head;
	*head = s;
	r->nshapes++;
	r->wider = true;
	r->nmixing += s->mixes;
	return s;
}

void relevance_remove(struct relevance *r, struct shape *s)
{
	struct shape **link = &r->shapes[s->hash % SHAPE_HEADS];

	if (--s->users)
		return;
	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	r->nshapes--;
	r->nmixing -= s->mixes;
	r->narrower = true;
	free(s);
}

/* ---- masks ---- */

/* What always counts: where a packet comes from and what kind it is. */
static void mask_start(struct mkey mask[MKEY_CLASSES])
{
	memset(mask, 0, MKEY_CLASSES * sizeof(*mask));
	for (unsigned c = 0; c < MKEY_CLASSES; c++) {
		mask[c].in_port = 0xffff;
		mask[c].tun_id = 0xffffffff;
		mask[c].eth_type = 0xffff;
	}
}

static void mask_add_all(const struct relevance *r, struct mkey mask[MKEY_CLASSES])
{
	for (unsigned h = 0; h < SHAPE_HEADS; h++)
		for (const struct shape *s = r->shapes[h]; s; s = s->next)
			for (unsigned c = 0; c < MKEY_CLASSES; c++)
				if (r->nmixing || s->classes & 1 << c)
					mkey_mask_add(&mask[c], &s->needs, c);
}

static int publish(struct relevance *r, const struct mkey mask[MKEY_CLASSES])
{
	struct relevance_mask *old = r->current, *m;

	if (old && !memcmp(old->mask, mask, sizeof(old->mask)))
		return 0;
	m = aligned_alloc(64, (sizeof(*m) + 63) / 64 * 64);
	if (!m)
		return -ENOMEM;
	memcpy(m->mask, mask, sizeof(m->mask));
	m->epoch = ++r->epoch;
	rcu_assign(r->current, m);
	if (old)
		rcu_defer(free, old);
	return 0;
}

int relevance_init(struct relevance *r)
{
	struct mkey mask[MKEY_CLASSES];

	memset(r, 0, sizeof(*r));
	mask_start(mask);
	return publish(r, mask);
}

void relevance_exit(struct relevance *r)
{
	for (unsigned h = 0; h < SHAPE_HEADS; h++)
		while (r->shapes[h]) {
			struct shape *s = r->shapes[h];

			r->shapes[h] = s->next;
			free(s);
		}
	free(r->current);
}

int relevance_widen(struct relevance *r)
{
	struct mkey mask[MKEY_CLASSES];

	int err;

	if (!r->wider)
		return 0;
	memcpy(mask, r->current->mask, sizeof(mask));
	mask_add_all(r, mask);
	err = publish(r, mask);
	r->wider = err;
	return err;
}

void relevance_narrow(struct relevance *r)
{
	struct mkey mask[MKEY_CLASSES];

	if (!r->narrower)
		return;
	mask_start(mask);
	mask_add_all(r, mask);
	if (!publish(r, mask))
		r->narrower = false;
}
