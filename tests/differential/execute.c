/* SPDX-License-Identifier: Apache-2.0 */
/* Action programs on keys; see execute.h. */
#include "tests/differential/execute.h"

#include <stdlib.h>
#include <string.h>

struct machine {
	struct flow_key key, saved[PROGRAM_SAVE_MAX];
	unsigned depth;
	struct model_event *events;
	unsigned nevents;
};

static void push_tag(struct flow_key *k, uint16_t tpid)
{
	if (k->vlan[1].tpid)
		k->eth_type = k->vlan[1].tpid;
	k->vlan[1] = k->vlan[0];
	k->vlan[0].tpid = htobe16(tpid);
	k->vlan[0].tci |= htobe16(VLAN_CFI);
}

static void leave(struct machine *m, enum model_event_kind kind, uint32_t port, uint64_t cookie)
{
	struct model_event *e = &m->events[m->nevents++];

	e->kind = kind;
	e->port = port;
	e->cookie = cookie;
	e->key = m->key;
	memset(&e->key, 0, offsetof(struct flow_key, tun_id));
}

static void set_field(struct machine *m, const struct program *p, const struct op *op)
{
	struct field_value value, mask;

	memcpy(value.b, program_data(p, op->arg16), 16);
	memcpy(mask.b, program_data(p, op->arg16 + 1u), 16);
	field_set_masked(&m->key, op->field, &value, &mask);
}

static uint64_t cookie_of(const struct program *p, const struct op *op)
{
	struct program_controller c;

	memcpy(&c, program_data(p, op->arg16), sizeof(c));
	return c.cookie;
}

/* The op after a drop: behind the OP_RESTORE of the innermost branch, with its packet. */
static unsigned end_branch(struct machine *m, const struct program *p, unsigned i)
{
	unsigned open = 1;

	if (!m->depth)
		return p->nops;
	while (open) {
		i++;
		open += program_ops(p)[i].type == OP_SAVE;
		open -= program_ops(p)[i].type == OP_RESTORE;
	}
	m->key = m->saved[--m->depth];
	return i + 1;
}

static unsigned step(struct machine *m, const struct program *p, unsigned i)
{
	const struct op *op = &program_ops(p)[i];

	switch (op->type) {
	case OP_OUTPUT:
		leave(m, MODEL_OUTPUT, op->arg32, 0);
		break;
	case OP_IN_PORT:
		leave(m, MODEL_IN_PORT, 0, 0);
		break;
	case OP_FLOOD:
		leave(m, MODEL_FLOOD, op->arg32, 0);
		break;
	case OP_ALL:
		leave(m, MODEL_ALL, op->arg32, 0);
		break;
	case OP_NORMAL:
		leave(m, MODEL_NORMAL, op->arg32, 0);
		break;
	case OP_CONTROLLER:
		leave(m, MODEL_CONTROLLER, 0, cookie_of(p, op));
		break;
	case OP_SET_FIELD:
		set_field(m, p, op);
		break;
	case OP_PUSH_VLAN:
		push_tag(&m->key, op->arg16);
		break;
	case OP_POP_VLAN:
		m->key.vlan[0] = m->key.vlan[1];
		memset(&m->key.vlan[1], 0, sizeof(m->key.vlan[1]));
		break;
	case OP_DEC_TTL:
		m->key.nw_ttl--;
		break;
	case OP_SAVE:
		m->saved[m->depth++] = m->key;
		break;
	case OP_RESTORE:
		m->key = m->saved[--m->depth];
		break;
	case OP_DROP:
		return end_branch(m, p, i);
	default:
		abort();
	}
	return i + 1;
}

unsigned execute_program(const struct program *p, const struct flow_key *key,
                         struct model_event events[MODEL_EVENTS_MAX])
{
	struct machine m = {.key = *key, .events = events};

	for (unsigned i = 0; i < p->nops && m.nevents < MODEL_EVENTS_MAX;)
		i = step(&m, p, i);
	return m.nevents;
}
