/* SPDX-License-Identifier: Apache-2.0 */
/* Random learn actions; see generate.h. */
#include <stdlib.h>

#include "tests/differential/generate.h"

static struct learn_spec *add_spec(struct action_learn *l, enum learn_kind kind, enum field_id dst,
                                   unsigned bits)
{
	struct learn_spec *s;

	l->specs = realloc(l->specs, (l->n_specs + 1) * sizeof(*l->specs));
	s = &l->specs[l->n_specs++];
	*s = (struct learn_spec){.kind = kind, .bits = (uint16_t)bits};
	if (kind != LEARN_OUTPUT)
		s->dst = (struct subfield){dst, 0, (uint16_t)bits};
	return s;
}

static void from_field(struct learn_spec *s, enum field_id src)
{
	s->src = (struct subfield){src, 0, s->bits};
}

static void from_number(struct learn_spec *s, uint64_t number)
{
	s->immediate = true;
	s->value = value_from_u64(number);
}

void generate_learn(struct random *r, struct action_list *list)
{
	static uint16_t priority;
	struct action_learn *l = calloc(1, sizeof(*l));

	action_list_append(list, ACTION_LEARN)->learn = l;
	l->table_id = GENERATE_LEARNED_TABLE;
	l->priority = ++priority;
	l->cookie = 1000000 + l->priority;
	from_field(add_spec(l, LEARN_MATCH, FIELD_ETH_DST, 48), FIELD_ETH_SRC);
	if (random_chance(r, 50))
		from_field(add_spec(l, LEARN_MATCH, FIELD_VLAN_TCI, 12), FIELD_VLAN_TCI);
	if (random_chance(r, 30))
		from_number(add_spec(l, LEARN_MATCH, FIELD_ETH_TYPE, 16),
		            random_chance(r, 50) ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
	if (random_chance(r, 20))
		from_field(add_spec(l, LEARN_MATCH, FIELD_REG1, 4), FIELD_REG0);
	if (random_chance(r, 40))
		from_field(add_spec(l, LEARN_LOAD, FIELD_REG0, 16), FIELD_IN_PORT);
	if (random_chance(r, 30))
		from_number(add_spec(l, LEARN_LOAD, FIELD_REG1, 8), random_below(r, 3));
	if (random_chance(r, 20))
		from_field(add_spec(l, LEARN_LOAD, FIELD_ETH_SRC, 24), FIELD_ETH_DST);
	if (random_chance(r, 70))
		from_field(add_spec(l, LEARN_OUTPUT, FIELD_NONE, 16), FIELD_IN_PORT);
}
