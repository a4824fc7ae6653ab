/* SPDX-License-Identifier: Apache-2.0 */
/* What would become of a packet: the method "trace" (control/README.md). Called by rpc. */
#include <errno.h>

#include "base/clock.h"
#include "control/switchd/switchd.h"
#include "flows/dp/tables.h"
#include "flows/text.h"

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

/* Where the packet goes on is another trace, of what the tracker may have found: "table" and ct_state=. */
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

static int read_table(json_t *params, uint8_t *table_id, struct error *e)
{
	json_t *table = json_object_get(params, "table");

	if (table && (!json_is_integer(table) || json_integer_value(table) < 0 ||
	              json_integer_value(table) >= TABLES_COUNT))
		return error_set(e, EINVAL, "table: expected a number from 0 to %d", TABLES_COUNT - 1);
	*table_id = (uint8_t)json_integer_value(table);
	return 0;
}

static const char *port_name(void *arg, uint32_t number)
{
	struct switchd *s = arg;
	const struct port *port = datapath_port_by_number(s->datapath, number);

	return port ? port->name : NULL;
}

struct tracing {
	struct port_names names;
	json_t *flows;
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

int switchd_trace(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	uint8_t bytes[PROGRAM_BYTES_MAX] __attribute__((aligned(16)));
	struct program *p = (struct program *)bytes;
	struct tracing x = {.names = {.arg = s, .name = port_name}, .flows = json_array()};
	struct action_list done;
	struct text text = {0};
	struct flow_key key;
	uint8_t table_id = 0;
	int rc = read_key(json_string_value(json_object_get(params, "flow")), &key, e);

	if (!rc)
		rc = read_table(params, &table_id, e);
	if (!rc && tables_trace(s->tables, &key, table_id, clock_now(), p, add_flow, &x))
		rc = error_set(e, ENOMEM, "out of memory");
	if (rc) {
		json_decref(x.flows);
		return rc;
	}
	action_list_init(&done);
	for (unsigned i = 0; i < p->nops; i++)
		add_op(&done, p, &program_ops(p)[i]);
	actions_format(&text, &done, &x.names);
	*result = json_pack("{s:o, s:s}", "flows", x.flows, "actions", text_get(&text));
	if (!p->nops)
		json_object_set_new(*result, "drop",
		                    json_string(drop_reason_name((enum drop_reason)p->drop_reason)));
	action_list_free(&done);
	text_free(&text);
	return 0;
}
