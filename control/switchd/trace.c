/* SPDX-License-Identifier: Apache-2.0 */
/* What would become of a packet: the method "trace" (control/README.md). Called by rpc. */
#include <errno.h>

#include "base/clock.h"
#include "control/switchd/switchd.h"
#include "flows/dp/tables.h"
#include "flows/text.h"

enum {
	TRACE_WALKS_MAX = 32
}; /* ways of the packet and its copies, from one visit of the tracker to the next */

/* ---- from a match to a packet's key ---- */

static int read_key(const char *text, struct flow_key *key, struct error *e)
{
	struct flow_filter filter = {0};
	int rc = text ? flow_filter_parse(text, NULL, &filter, e)
	              : error_set(e, EINVAL, "flow: missing, or not a text");

	if (rc)
		return rc;
	*key = filter.match.key;
	if (!key->in_port)
		return error_set(e, EINVAL, "flow: in_port: missing");
	key->in_phy_port = key->in_port;
	if (!filter.match.mask.nw_ttl)
		key->nw_ttl = 64;
	return 0;
}

/* ---- from a program to text ---- */

static void add_output(struct action_list *list, uint32_t port)
{
	struct action *a = action_list_append(list, ACTION_OUTPUT);

	if (a)
		a->output.port = port;
}

static void add_controller(struct action_list *list, const struct program *p, const struct op *op)
{
	const struct program_controller *c = (const void *)program_data(p, op->arg16);
	struct action *a = action_list_append(list, ACTION_CONTROLLER);

	if (!a)
		return;
	a->controller.controller_id = c->controller_id;
	a->controller.max_len = c->max_len;
	a->controller.reason = c->reason;
}

static void add_set_field(struct action_list *list, const struct program *p, const struct op *op)
{
	struct action *a = action_list_append(list, ACTION_SET_FIELD);

	if (!a)
		return;
	a->set_field.field = (enum field_id)op->field;
	memcpy(&a->set_field.value, program_data(p, op->arg16), 16);
	memcpy(&a->set_field.mask, program_data(p, op->arg16 + 1u), 16);
}

/* Where the packet goes on is another trace, of what the tracker may have found: "begins", or "table" and
 * ct_state= of the next one. */
static void add_ct(struct action_list *list, const struct program *p, const struct op *op)
{
	const struct ct_order *order = (const void *)program_data(p, op->arg16);
	const struct program_next *next = (const void *)(order + 1);
	struct action *a = action_list_append(list, ACTION_CT);

	if (!a)
		return;
	a->ct.flags = order->flags & (CT_COMMIT | CT_FORCE);
	a->ct.zone = order->zone;
	a->ct.alg = order->alg;
	a->ct.table_id = order->flags & CT_NEXT ? next->table_id : 0xff;
}

/* The ops that an operator asks about; the rest is in the flows that were met. */
static void add_op(struct action_list *list, const struct program *p, const struct op *op)
{
	switch (op->type) {
	case OP_OUTPUT:
		add_output(list, op->arg32);
		break;
	case OP_FLOOD:
		add_output(list, PORT_FLOOD);
		break;
	case OP_ALL:
		add_output(list, PORT_ALL);
		break;
	case OP_NORMAL:
		add_output(list, PORT_NORMAL);
		break;
	case OP_CONTROLLER:
		add_controller(list, p, op);
		break;
	case OP_SET_FIELD:
		add_set_field(list, p, op);
		break;
	case OP_CT:
		add_ct(list, p, op);
		break;
	case OP_DEC_TTL:
		action_list_append(list, ACTION_DEC_TTL);
		break;
	default:
		break;
	}
}

static const char *port_name(void *arg, uint32_t number)
{
	struct switchd *s = arg;
	const struct port *port = datapath_port_by_number(s->datapath, number);

	return port ? port->name : NULL;
}

struct tracing {
	struct switchd *s;
	struct port_names names;
	json_t *flows;
	struct action_list done;
	enum drop_reason drop; /* DROP_REASON_COUNT: something is done with it */
	unsigned walks;
	bool begins; /* the tracker is taken to tell a new connection, and the way behind it followed */
};

static int add_flow(const struct flow_stats *flow, void *arg)
{
	struct tracing *x = arg;
	struct text match = {0}, actions = {0};

	match_format(&match, &flow->match, flow->priority, &x->names);
	actions_format(&actions, &flow->actions, &x->names);
	json_array_append_new(x->flows, json_pack("{s:i, s:s, s:s}", "table", flow->table_id, "match",
	                                          text_get(&match), "actions", text_get(&actions)));
	text_free(&match);
	text_free(&actions);
	return 0;
}

/* ---- behind the tracker ---- */

/* What changed the headers until here. */
static void apply_op(struct flow_key *key, const struct program *p, const struct op *op)
{
	struct field_value value, mask;

	if (op->type == OP_DEC_TTL)
		key->nw_ttl--;
	if (op->type != OP_SET_FIELD)
		return;
	memcpy(&value, program_data(p, op->arg16), sizeof(value));
	memcpy(&mask, program_data(p, op->arg16 + 1u), sizeof(mask));
	field_set_masked(key, (enum field_id)op->field, &value, &mask);
}

/* As the first packet of a connection comes back from the tracker. */
static void key_behind(struct flow_key *key, const struct ct_order *order, const struct program_next *next)
{
	key->metadata = next->metadata;
	key->tun_id = next->tun_id;
	memcpy(key->regs, next->regs, sizeof(key->regs));
	key->in_port = next->in_port;
	key->pkt_mark = next->pkt_mark;
	key->ct_state = CT_TRK | CT_NEW;
	key->ct_zone = htobe16(order->zone);
	key->ct_nw_proto = key->nw_proto;
	key->ct_nw_src = key->nw_src;
	key->ct_nw_dst = key->nw_dst;
	memcpy(key->ct_ipv6_src, key->ipv6_src, sizeof(key->ct_ipv6_src));
	memcpy(key->ct_ipv6_dst, key->ipv6_dst, sizeof(key->ct_ipv6_dst));
	key->ct_tp_src = key->tp_src;
	key->ct_tp_dst = key->tp_dst;
}

static int walk(struct tracing *x, const struct flow_key *key, uint8_t table_id);

static int go_on(struct tracing *x, const struct program *p, const struct op *op, const struct flow_key *key)
{
	const struct ct_order *order = (const void *)program_data(p, op->arg16);
	const struct program_next *next = (const void *)(order + 1);
	struct flow_key behind = *key;

	key_behind(&behind, order, next);
	return walk(x, &behind, next->table_id);
}

/* All that the program does; `key` is changed on the way. */
static int run(struct tracing *x, const struct program *p, struct flow_key *key)
{
	int rc = 0;

	for (unsigned i = 0; i < p->nops && !rc; i++) {
		const struct op *op = &program_ops(p)[i];

		add_op(&x->done, p, op);
		apply_op(key, p, op);
		if (x->begins && op->type == OP_CT && (op->arg32 & CT_NEXT) && x->walks < TRACE_WALKS_MAX)
			rc = go_on(x, p, op, key);
	}
	return rc;
}

static int walk(struct tracing *x, const struct flow_key *key, uint8_t table_id)
{
	uint8_t bytes[PROGRAM_BYTES_MAX] __attribute__((aligned(16)));
	struct program *p = (struct program *)bytes;
	struct flow_key own = *key;

	x->walks++;
	if (tables_trace(x->s->tables, key, table_id, clock_now(), p, add_flow, x))
		return -ENOMEM;
	x->drop = p->nops ? DROP_REASON_COUNT : (enum drop_reason)p->drop_reason;
	return run(x, p, &own);
}

/* ---- the method ---- */

static int read_table(json_t *params, uint8_t *table_id, struct error *e)
{
	json_t *table = json_object_get(params, "table");

	if (table && (!json_is_integer(table) || json_integer_value(table) < 0 ||
	              json_integer_value(table) >= TABLES_COUNT))
		return error_set(e, EINVAL, "table: expected a number from 0 to %d", TABLES_COUNT - 1);
	*table_id = (uint8_t)json_integer_value(table);
	return 0;
}

int switchd_trace(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct tracing x = {.s = ctx,
	                    .names = {.arg = ctx, .name = port_name},
	                    .flows = json_array(),
	                    .begins = json_is_true(json_object_get(params, "begins"))};
	struct text text = {0};
	struct flow_key key;
	uint8_t table_id = 0;
	int rc = read_key(json_string_value(json_object_get(params, "flow")), &key, e);

	action_list_init(&x.done);
	if (!rc)
		rc = read_table(params, &table_id, e);
	if (!rc && walk(&x, &key, table_id))
		rc = error_set(e, ENOMEM, "out of memory");
	if (rc) {
		json_decref(x.flows);
		action_list_free(&x.done);
		return rc;
	}
	actions_format(&text, &x.done, &x.names);
	*result = json_pack("{s:o, s:s}", "flows", x.flows, "actions", text_get(&text));
	if (x.drop != DROP_REASON_COUNT)
		json_object_set_new(*result, "drop", json_string(drop_reason_name(x.drop)));
	action_list_free(&x.done);
	text_free(&text);
	return 0;
}
