/* SPDX-License-Identifier: Apache-2.0 */
/* The reference that judges flows/dp: slow and plain on purpose. Used by the differential tests. */
#include "tests/differential/model.h"

#include <stdlib.h>
#include <string.h>

struct run {
	struct model *m;
	struct model_result *out;
	struct flow_key key;
	unsigned choice;
	uint64_t cookie;
	uint8_t table_id;
	bool stop; /* nothing more happens on this branch */
	const struct action *set[256];
	unsigned nset;
	struct field_value stack[64];
	unsigned nstack;
};

static void run_table(struct run *r, unsigned table_id, bool by_goto);
static void run_set(struct run *r);

/* ---- tables ---- */

void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
}

static void drop_rule(struct model *m, unsigned i)
{
	action_list_free(&m->rules[i].actions);
	memmove(&m->rules[i], &m->rules[i + 1], (m->n - i - 1) * sizeof(m->rules[0]));
	m->n--;
}

void model_free(struct model *m)
{
	while (m->n)
		drop_rule(m, m->n - 1);
	while (m->ngroups)
		group_mod_free(&m->groups[--m->ngroups]);
	free(m->rules);
}

static bool selected(const struct model_rule *r, const struct flow_mod *fm)
{
	bool strict = fm->command == FLOW_MODIFY_STRICT || fm->command == FLOW_DELETE_STRICT;
	bool deletes = fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT;

	if (fm->table_id != TABLE_ALL && fm->table_id != r->table_id)
		return false;
	if (strict && (r->priority != fm->priority || !match_equal(&r->match, &fm->match)))
		return false;
	if (!strict && !match_covers(&fm->match, &r->match))
		return false;
	return !deletes || fm->out_port == PORT_ANY || action_list_outputs_to(&r->actions, fm->out_port);
}

static void add(struct model *m, const struct flow_mod *fm)
{
	struct model_rule new = {
	        .table_id = fm->table_id, .priority = fm->priority, .cookie = fm->cookie, .match = fm->match};

	action_list_copy(&new.actions, &fm->actions);
	for (unsigned i = 0; i < m->n; i++) {
		struct model_rule *old = &m->rules[i];

		if (old->table_id != new.table_id || old->priority != new.priority ||
		    !match_equal(&old->match, &new.match))
			continue;
		if (!(fm->flags & FLOW_RESET_COUNTS)) {
			new.packets = old->packets;
			new.bytes = old->bytes;
		}
		drop_rule(m, i);
		break;
	}
	if (m->n == m->capacity) {
		m->capacity = m->capacity * 2 + 16;
		m->rules = realloc(m->rules, m->capacity * sizeof(*m->rules));
	}
	m->rules[m->n++] = new;
}

void model_flow_mod(struct model *m, const struct flow_mod *fm)
{
	if (fm->command == FLOW_ADD) {
		add(m, fm);
		return;
	}
	for (unsigned i = m->n; i--;) {
		if (!selected(&m->rules[i], fm))
			continue;
		if (fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT) {
			drop_rule(m, i);
			continue;
		}
		action_list_free(&m->rules[i].actions);
		action_list_copy(&m->rules[i].actions, &fm->actions);
	}
}

static struct group_mod *find_group(struct model *m, uint32_t id)
{
	for (unsigned i = 0; i < m->ngroups; i++)
		if (m->groups[i].group_id == id)
			return &m->groups[i];
	return NULL;
}

void model_group_mod(struct model *m, const struct group_mod *gm)
{
	struct group_mod *old = find_group(m, gm->group_id);

	if (old) {
		group_mod_free(old);
		*old = m->groups[--m->ngroups];
	}
	if (gm->command != GROUP_DELETE) {
		group_mod_copy(&m->groups[m->ngroups++], gm);
		return;
	}
	for (unsigned i = m->n; i--;)
		if (action_list_uses_group(&m->rules[i].actions, gm->group_id))
			drop_rule(m, i);
}

bool model_has_priority(const struct model *m, uint8_t table_id, uint16_t priority)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->rules[i].table_id == table_id && m->rules[i].priority == priority)
			return true;
	return false;
}

static struct model_rule *best_rule(struct model *m, unsigned table_id, const struct flow_key *key)
{
	struct model_rule *best = NULL;

	for (unsigned i = 0; i < m->n; i++) {
		struct model_rule *r = &m->rules[i];

		if (r->table_id == table_id && (!best || r->priority > best->priority) &&
		    match_packet(&r->match, key))
			best = r;
	}
	return best;
}

/* ---- packets ---- */

static bool tagged(const struct flow_key *k)
{
	return k->vlan[0].tci & htobe16(VLAN_CFI);
}

static bool ip(const struct flow_key *k)
{
	return k->eth_type == htobe16(ETH_TYPE_IPV4) || k->eth_type == htobe16(ETH_TYPE_IPV6);
}

static void push_tag(struct flow_key *k, uint16_t tpid)
{
	be16 tci = tagged(k) ? k->vlan[0].tci : htobe16(VLAN_CFI);

	if (k->vlan[1].tpid)
		k->eth_type = k->vlan[1].tpid;
	k->vlan[1] = k->vlan[0];
	k->vlan[0].tpid = htobe16(tpid);
	k->vlan[0].tci = tci;
}

static void pop_tag(struct flow_key *k)
{
	if (!tagged(k))
		return;
	k->vlan[0] = k->vlan[1];
	memset(&k->vlan[1], 0, sizeof(k->vlan[1]));
}

static bool writable_here(struct run *r, enum field_id id)
{
	switch (id) {
	case FIELD_DL_VLAN:
	case FIELD_DL_VLAN_PCP:
		if (!tagged(&r->key))
			push_tag(&r->key, ETH_TYPE_VLAN);
		return true;
	case FIELD_VLAN_VID:
	case FIELD_VLAN_TCI:
		return tagged(&r->key);
	case FIELD_TCP_SRC:
	case FIELD_TCP_DST:
	case FIELD_UDP_SRC:
	case FIELD_UDP_DST:
		return !r->key.nw_frag && field_present(&r->key, id);
	default:
		return field_present(&r->key, id);
	}
}

static void set_bits(struct run *r, enum field_id id, const struct field_value *value,
                     const struct field_value *mask)
{
	struct field_value now;

	if (!writable_here(r, id))
		return;
	field_get(&r->key, id, &now);
	for (unsigned i = 0; i < 16; i++)
		now.b[i] = (uint8_t)((now.b[i] & ~mask->b[i]) | (value->b[i] & mask->b[i]));
	field_set(&r->key, id, &now);
}

static void copy_field(struct run *r, const struct subfield *src, const struct subfield *dst)
{
	struct field_value from, to = {{0}}, mask = value_ones(dst->offset, dst->bits);

	if (!field_present(&r->key, src->field))
		return;
	field_get(&r->key, src->field, &from);
	value_copy_bits(&to, dst->offset, &from, src->offset, dst->bits);
	set_bits(r, dst->field, &to, &mask);
}

static void leave(struct run *r, enum model_event_kind kind, uint32_t port)
{
	struct model_event *e;

	if (r->out->nevents == MODEL_EVENTS_MAX)
		return;
	e = &r->out->events[r->out->nevents++];
	e->kind = kind;
	e->port = port;
	e->cookie = kind == MODEL_CONTROLLER ? r->cookie : 0;
	e->key = r->key;
	memset(&e->key, 0, offsetof(struct flow_key, tun_id));
}

static void output(struct run *r, uint32_t port)
{
	if (port == PORT_IN_PORT)
		leave(r, MODEL_IN_PORT, 0);
	else if (port == PORT_FLOOD)
		leave(r, MODEL_FLOOD, r->key.in_port);
	else if (port == PORT_ALL)
		leave(r, MODEL_ALL, r->key.in_port);
	else if (port == PORT_NORMAL)
		leave(r, MODEL_NORMAL, r->key.in_port);
	else if (port == PORT_CONTROLLER)
		leave(r, MODEL_CONTROLLER, 0);
	else if (port != r->key.in_port)
		leave(r, MODEL_OUTPUT, port);
}

static void dec_ttl(struct run *r)
{
	if (!ip(&r->key))
		return;
	if (r->key.nw_ttl > 1) {
		r->key.nw_ttl--;
		return;
	}
	leave(r, MODEL_CONTROLLER, 0);
	r->stop = true;
}

/* ---- actions ---- */

static void do_one(struct run *r, const struct action *a);

static void do_all(struct run *r, const struct action_list *l)
{
	for (unsigned i = 0; i < l->n && !r->stop; i++)
		do_one(r, &l->items[i]);
}

/* Actions on a copy of the packet; what they wrote to the action set is done on that copy as well. */
static void do_copy(struct run *r, const struct action_list *l, bool as_set)
{
	struct run *copy = malloc(sizeof(*copy));

	*copy = *r;
	copy->nset = 0;
	if (as_set)
		for (unsigned i = 0; i < l->n; i++)
			copy->set[copy->nset++] = &l->items[i];
	else
		do_all(copy, l);
	if (!copy->stop)
		run_set(copy);
	free(copy);
}

static void do_group(struct run *r, uint32_t id)
{
	struct group_mod *g = find_group(r->m, id);

	if (g->type == GROUP_TYPE_SELECT) {
		unsigned digits = r->choice;

		for (unsigned i = 0; i < r->out->nselects; i++)
			digits /= 3;
		r->out->nselects++;
		do_copy(r, &g->buckets[digits % 3 % g->n_buckets].actions, true);
		return;
	}
	for (unsigned i = 0; i < g->n_buckets; i++)
		do_copy(r, &g->buckets[i].actions, true);
}

static void do_one(struct run *r, const struct action *a)
{
	uint64_t number;

	switch (a->type) {
	case ACTION_OUTPUT:
		output(r, a->output.port);
		break;
	case ACTION_SET_FIELD:
		set_bits(r, a->set_field.field, &a->set_field.value, &a->set_field.mask);
		break;
	case ACTION_MOVE:
		copy_field(r, &a->move.src, &a->move.dst);
		break;
	case ACTION_PUSH_VLAN:
		push_tag(&r->key, a->ethertype);
		break;
	case ACTION_POP_VLAN:
		pop_tag(&r->key);
		break;
	case ACTION_DEC_TTL:
		dec_ttl(r);
		break;
	case ACTION_GROUP:
		do_group(r, a->number);
		break;
	case ACTION_CLONE:
		do_copy(r, &a->nested, false);
		break;
	case ACTION_RESUBMIT:
		run_table(r, a->resubmit.table_id, false);
		break;
	case ACTION_GOTO_TABLE:
		run_table(r, a->number, true);
		break;
	case ACTION_EXIT:
		r->stop = true;
		break;
	case ACTION_CLEAR_ACTIONS:
		r->nset = 0;
		break;
	case ACTION_WRITE_ACTIONS:
		for (unsigned i = 0; i < a->nested.n; i++)
			r->set[r->nset++] = &a->nested.items[i];
		break;
	case ACTION_WRITE_METADATA:
		number = be64toh(r->key.metadata);
		number = (number & ~a->metadata.mask) | (a->metadata.value & a->metadata.mask);
		r->key.metadata = htobe64(number);
		break;
	default:
		abort(); /* the generator made something the model does not know */
	}
}

static bool do_last(struct run *r, const struct action **set, unsigned n, enum action_type type)
{
	while (n--)
		if (set[n]->type == type) {
			if (!r->stop)
				do_one(r, set[n]);
			return true;
		}
	return false;
}

static void run_set(struct run *r)
{
	const struct action *set[256];
	unsigned n = r->nset;

	memcpy(set, r->set, sizeof(set));
	r->nset = 0;
	do_last(r, set, n, ACTION_POP_VLAN);
	do_last(r, set, n, ACTION_PUSH_VLAN);
	do_last(r, set, n, ACTION_DEC_TTL);
	for (unsigned i = 0; i < n && !r->stop; i++)
		if (set[i]->type == ACTION_SET_FIELD || set[i]->type == ACTION_MOVE)
			do_one(r, set[i]);
	if (!do_last(r, set, n, ACTION_GROUP))
		do_last(r, set, n, ACTION_OUTPUT);
}

static void run_table(struct run *r, unsigned table_id, bool by_goto)
{
	struct model_rule *rule = best_rule(r->m, table_id, &r->key);
	uint64_t cookie = r->cookie;

	if (!rule) {
		if (by_goto)
			r->nset = 0;
		return;
	}
	if (r->out->nhits < MODEL_HITS_MAX)
		r->out->hits[r->out->nhits++] = rule;
	r->cookie = rule->cookie;
	do_all(r, &rule->actions);
	r->cookie = cookie;
}

void model_run(struct model *m, const struct flow_key *key, unsigned choice, struct model_result *out)
{
	struct run *r = calloc(1, sizeof(*r));

	out->nevents = out->nhits = 0;
	out->nselects = 0;
	r->m = m;
	r->out = out;
	r->key = *key;
	r->choice = choice;
	r->cookie = UINT64_MAX;
	run_table(r, 0, true);
	if (!r->stop)
		run_set(r);
	free(r);
}

void model_count(const struct model_result *res, uint32_t len)
{
	for (unsigned i = 0; i < res->nhits; i++) {
		res->hits[i]->packets++;
		res->hits[i]->bytes += len;
	}
}
