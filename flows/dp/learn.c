/* SPDX-License-Identifier: Apache-2.0 */
/* learn and fin_timeout: what a program carries of them, and what the control thread does about it; see
 * learn.h. Called by translate.c and, through tables_report, by whoever drains what workers report. */
#include "flows/dp/learn.h"

#include <stdlib.h>
#include <string.h>

#include "flows/dp/subtable.h"
#include "flows/match.h"

enum { REFRESH_MS = 250 };

/* ---- what is learned ---- */

static void learned_match(const struct program_learn *l, struct match *m)
{
	match_init(m);
	for (uint32_t i = 0; i < l->nspecs; i++) {
		const struct learn_spec_value *s = &l->specs[i];
		struct field_value value = {{0}}, mask = value_ones(s->offset, s->bits);

		if (s->kind != LEARN_MATCH)
			continue;
		value_copy_bits(&value, s->offset, &s->value, 0, s->bits);
		field_set_masked(&m->key, s->field, &value, &mask);
		field_set_masked(&m->mask, s->field, &mask, &mask);
	}
	/* OpenFlow 1.0's 16 bits stand for a whole port number. */
	if ((m->mask.in_port & 0xffff) == 0xffff) {
		m->mask.in_port = UINT32_MAX;
		m->key.in_port = mkey_ofport((uint16_t)m->key.in_port);
	}
}

/* A port that may be learned, or PORT_ANY. */
static uint32_t learned_port(const struct learn_spec_value *s)
{
	uint64_t n = value_to_u64(&s->value);
	uint32_t port = n > UINT16_MAX ? (uint32_t)n : mkey_ofport((uint16_t)n);

	if (port < PORT_MAX || port == PORT_IN_PORT || port == PORT_FLOOD || port == PORT_ALL ||
	    port == PORT_LOCAL)
		return port;
	return PORT_ANY;
}

/* The action that a spec makes. False: none. */
static bool learned_action(const struct learn_spec_value *s, struct action *a)
{
	memset(a, 0, sizeof(*a));
	if (s->kind == LEARN_OUTPUT) {
		a->type = ACTION_OUTPUT;
		a->output.port = learned_port(s);
		return a->output.port != PORT_ANY;
	}
	if (s->kind != LEARN_LOAD)
		return false;
	a->type = ACTION_SET_FIELD;
	a->set_field.field = s->field;
	a->set_field.load = true;
	a->set_field.mask = value_ones(s->offset, s->bits);
	value_copy_bits(&a->set_field.value, s->offset, &s->value, 0, s->bits);
	return true;
}

/* All of them, next to each other in `out`, which has room for nspecs + 1. */
static unsigned learned_actions(const struct program_learn *l, struct action *out)
{
	unsigned n = 0;

	if (l->fin_idle_timeout || l->fin_hard_timeout) {
		memset(out, 0, sizeof(*out));
		out[n].type = ACTION_FIN_TIMEOUT;
		out[n].fin_timeout.idle = l->fin_idle_timeout;
		out[n++].fin_timeout.hard = l->fin_hard_timeout;
	}
	for (uint32_t i = 0; i < l->nspecs; i++)
		n += learned_action(&l->specs[i], &out[n]);
	return n;
}

/* Is `r` what would be learned? */
static bool is_learned(const struct program_learn *l, const struct rule *r)
{
	struct action actions[PROGRAM_DATA_MAX / 2 + 1];
	struct action_list list = {.items = actions};

	if (r->idle_timeout != l->idle_timeout || r->hard_timeout != l->hard_timeout || r->importance ||
	    (l->cookie != UINT64_MAX && r->cookie != l->cookie) ||
	    r->flags != (l->flags & LEARN_SEND_FLOW_REM ? FLOW_SEND_REM : 0))
		return false;
	list.n = learned_actions(l, actions);
	return action_list_equal(&list, &r->actions);
}

/* ---- in a program ---- */

static void fill_spec(const struct walk *w, const struct learn_spec *from, struct learn_spec_value *to)
{
	*to = (struct learn_spec_value){
	        .kind = (uint8_t)from->kind,
	        .field = (uint8_t)from->dst.field,
	        .offset = from->dst.offset,
	        .bits = from->bits,
	};
	to->value = from->immediate ? from->value : walk_read(w, &from->src);
}

/* On the flow that is learned: its going or changing makes the program anew, which learns again. */
static void depend(struct walk *w, const struct program_learn *l, const struct match *m)
{
	emit_dep(w, (uint16_t)(l->table_id * DEP_PER_TABLE + dep_of_match(m, NULL)));
	if (l->limit)
		emit_dep(w, (uint16_t)DEP_LEARNED);
}

/* As far as is known now: will there be the flow? */
static bool succeeds(const struct walk *w, const struct program_learn *l, const struct match *m)
{
	const struct table *table = &w->t->tables[l->table_id];
	const struct learn_group *g;
	const struct rule *r;

	if (!l->limit)
		return true;
	r = classifier_find_visible(&table->classifier, m, l->priority, w->version);
	if (r && is_learned(l, r))
		return true;
	g = learn_group_find(w->t, l->table_id, l->cookie);
	return !g || __atomic_load_n(&g->flows, __ATOMIC_RELAXED) < l->limit;
}

void learn_emit(struct walk *w, const struct action_learn *l)
{
	unsigned units =
	        (unsigned)((sizeof(struct program_learn) + l->n_specs * sizeof(struct learn_spec_value)) /
	                   16);
	struct program_learn *p = emit_report(w, OP_LEARN, units);
	struct match m;

	if (!p || l->table_id >= TABLES_COUNT)
		return;
	p->head.every_ms = l->hard_timeout ? REFRESH_MS : 0;
	p->cookie = l->cookie;
	p->idle_timeout = l->idle_timeout;
	p->hard_timeout = l->hard_timeout;
	p->priority = l->priority;
	p->fin_idle_timeout = l->fin_idle_timeout;
	p->fin_hard_timeout = l->fin_hard_timeout;
	p->flags = l->flags;
	p->table_id = l->table_id;
	p->limit = l->limit;
	p->nspecs = l->n_specs;
	for (unsigned i = 0; i < l->n_specs; i++)
		fill_spec(w, &l->specs[i], &p->specs[i]);
	learned_match(p, &m);
	depend(w, p, &m);
	if (l->flags & LEARN_WRITE_RESULT) {
		struct field_value result = {{0}}, mask = value_ones(l->result.offset, l->result.bits);
		struct field_value success = value_from_u64(succeeds(w, p, &m));

		value_copy_bits(&result, l->result.offset, &success, 0, l->result.bits);
		rewrite_set_field(w, l->result.field, &result, &mask);
	}
}

void fin_timeout_emit(struct walk *w, uint16_t idle, uint16_t hard)
{
	static const uint16_t fin_or_rst = 0x005;
	struct program_fin_timeout *p;

	if (!w->rule || !(be16toh(w->key.tcp_flags) & fin_or_rst))
		return;
	p = emit_report(w, OP_FIN_TIMEOUT, sizeof(*p) / 16);
	if (!p)
		return;
	p->rule = w->rule->slot;
	p->idle = idle;
	p->hard = hard;
}

/* ---- the control thread ---- */

static struct rule *find_there(struct tables *t, const struct program_learn *l, const struct match *m)
{
	struct rule *r = classifier_find(&t->tables[l->table_id].classifier, m);

	while (r && (r->priority != l->priority || r->removed != VERSION_NEVER))
		r = r->next;
	return r;
}

static enum tables_error install(struct tables *t, const struct program_learn *l, const struct match *m,
                                 uint64_t now)
{
	struct action actions[PROGRAM_DATA_MAX / 2 + 1];
	struct flow_mod fm;
	enum tables_error err;

	flow_mod_init(&fm);
	fm.command = FLOW_MODIFY_STRICT;
	fm.table_id = l->table_id;
	fm.priority = l->priority;
	fm.cookie = l->cookie == UINT64_MAX ? 0 : l->cookie;
	fm.modify_cookie = l->cookie != UINT64_MAX;
	fm.idle_timeout = l->idle_timeout;
	fm.hard_timeout = l->hard_timeout;
	fm.flags = l->flags & LEARN_SEND_FLOW_REM ? FLOW_SEND_REM : 0;
	fm.match = *m;
	fm.actions.items = actions;
	fm.actions.n = learned_actions(l, actions);
	change_begin(t, now);
	t->learning = true;
	err = flow_mod_learn(t, &fm);
	t->learning = false;
	if (!err)
		return change_commit(t);
	change_rollback(t);
	return err;
}

static enum tables_error learn(struct tables *t, const struct program_learn *l, uint64_t now)
{
	const struct learn_group *g = learn_group_find(t, l->table_id, l->cookie);
	struct match m;
	struct rule *r;

	/* Who would have deleted it with itself has gone before it was learned. */
	if (l->flags & LEARN_DELETE_LEARNED && (!g || !g->deleters))
		return TABLES_OK;
	learned_match(l, &m);
	r = find_there(t, l, &m);
	if (r && is_learned(l, r)) {
		r->modified = now;
		return TABLES_OK;
	}
	if (l->limit && g && g->flows >= l->limit)
		return TABLES_FULL;
	if (!r && t->nlearned >= t->config.max_learned)
		return TABLES_FULL;
	return install(t, l, &m, now);
}

static uint16_t reduced(uint16_t timeout, uint16_t most)
{
	return most && (!timeout || timeout > most) ? most : timeout;
}

static enum tables_error reduce_timeouts(struct tables *t, const struct program_fin_timeout *f)
{
	const struct slot_owner *o = slots_owner(&t->slots, f->rule);

	if (o->generation == f->rule.generation && o->users && o->rule && o->rule->removed == VERSION_NEVER)
		change_timeouts(t, o->rule, reduced(o->rule->idle_timeout, f->idle),
		                reduced(o->rule->hard_timeout, f->hard));
	return TABLES_OK;
}

enum tables_error tables_report(struct tables *t, const struct program_report *r, uint64_t now)
{
	if (r->op == OP_FIN_TIMEOUT)
		return reduce_timeouts(t, (const struct program_fin_timeout *)(const void *)r);
	return learn(t, (const struct program_learn *)(const void *)r, now);
}
