/* SPDX-License-Identifier: Apache-2.0 */
/* What the model learns from a packet that meets a learn action. */
#include <string.h>

#include "tests/differential/model_run.h"

/* To a port that there can be, or to one of these; nothing for other reserved ones, as in Open vSwitch. */
static void put_output(struct flow_mod *fm, uint32_t port)
{
	static const uint32_t reserved[] = {PORT_IN_PORT, PORT_FLOOD, PORT_ALL, PORT_LOCAL};
	bool known = port < PORT_MAX;

	for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		known |= port == reserved[i];
	if (known)
		action_list_append(&fm->actions, ACTION_OUTPUT)->output.port = port;
}

static void put(struct flow_mod *fm, const struct learn_spec *s, const struct field_value *value)
{
	struct field_value moved = {{0}}, mask = {{0}}, ones = value_ones(0, s->bits);
	struct action *a;
	uint32_t port;

	value_copy_bits(&moved, s->dst.offset, value, 0, s->bits);
	value_copy_bits(&mask, s->dst.offset, &ones, 0, s->bits);
	switch (s->kind) {
	case LEARN_MATCH:
		field_set_masked(&fm->match.key, s->dst.field, &moved, &mask);
		field_set_masked(&fm->match.mask, s->dst.field, &mask, &mask);
		break;
	case LEARN_LOAD:
		a = action_list_append(&fm->actions, ACTION_SET_FIELD);
		a->set_field.field = s->dst.field;
		a->set_field.load = true;
		a->set_field.value = moved;
		a->set_field.mask = mask;
		break;
	case LEARN_OUTPUT:
		port = (uint32_t)value_to_u64(value);
		put_output(fm, s->bits <= 16 && port >= 0xff00 ? port | 0xffff0000 : port);
		break;
	}
}

void run_learn(struct run *r, const struct action_learn *l)
{
	struct flow_mod *fm;

	r->out->cost += 5;
	if (r->muted || r->out->nlearned == MODEL_LEARNED_MAX)
		return;
	fm = &r->out->learned[r->out->nlearned++];
	flow_mod_init(fm);
	fm->table_id = l->table_id;
	fm->priority = l->priority;
	fm->cookie = l->cookie;
	for (unsigned i = 0; i < l->n_specs; i++) {
		const struct learn_spec *s = &l->specs[i];
		struct field_value value = s->immediate ? s->value : run_read(r, &s->src);

		put(fm, s, &value);
	}
}

void model_forget_learned(struct model_result *r)
{
	while (r->nlearned)
		flow_mod_free(&r->learned[--r->nlearned]);
}

bool model_learned_otherwise(const struct model *m, const struct model_result *r)
{
	for (unsigned i = 0; i < r->nlearned; i++)
		for (unsigned k = 0; k < m->nlearned; k++) {
			const struct flow_mod *a = &r->learned[i], *b = &m->learned[k];

			if (a->table_id == b->table_id && a->priority == b->priority &&
			    !memcmp(&a->match, &b->match, sizeof(a->match)) &&
			    !action_list_equal(&a->actions, &b->actions))
				return true;
		}
	return false;
}

void model_turn(struct model *m)
{
	model_learn_macs(m);
	for (unsigned i = 0; i < m->nlearned; i++) {
		model_learn(m, &m->learned[i]);
		flow_mod_free(&m->learned[i]);
	}
	m->nlearned = 0;
}
