/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of actions as text. Called by whoever prints flows and groups. */
#include "flows/lex.h"

static void format_output(struct text *out, const struct action *a, const struct port_names *names)
{
	uint32_t port = a->output.port;

	if (a->type == ACTION_OUTPUT_TRUNC) {
		text_add(out, "output(port=");
		port_format(out, port, names);
		text_add(out, ",max_len=%u)", a->output.max_len);
		return;
	}
	if (port < PORT_MAX)
		text_add(out, "output:");
	port_format(out, port, names);
	if (port == PORT_CONTROLLER)
		text_add(out, ":%u", a->output.max_len);
}

static void format_bytes(struct text *out, const struct action_bytes *bytes)
{
	for (unsigned i = 0; i < bytes->len; i++)
		text_add(out, i ? ".%02x" : "%02x", bytes->data[i]);
}

static void format_controller(struct text *out, const struct action_controller *c)
{
	static const char *const reasons[] = {"no_match",   "action", "invalid_ttl",
	                                      "action_set", "group",  "packet_out"};

	text_add(out, "controller(");
	if (c->reason != 1 && c->reason < sizeof(reasons) / sizeof(reasons[0]))
		text_add(out, "reason=%s,", reasons[c->reason]);
	else if (c->reason != 1)
		text_add(out, "reason=%u,", c->reason);
	if (c->max_len != 0xffff)
		text_add(out, "max_len=%u,", c->max_len);
	if (c->controller_id)
		text_add(out, "id=%u,", c->controller_id);
	if (c->userdata.len) {
		text_add(out, "userdata=");
		format_bytes(out, &c->userdata);
		text_add(out, ",");
	}
	if (c->pause)
		text_add(out, "pause,");
	if (c->meter_id)
		text_add(out, "meter_id=%u,", c->meter_id);
	text_chomp(out, ',');
	text_add(out, ")");
}

/* The run of ones that the mask of a load is. */
static struct subfield run_of(enum field_id id, const struct field_value *mask)
{
	struct subfield s = {.field = id};
	unsigned bit = 0;

	while (bit < 128 && !(mask->b[15 - bit / 8] >> bit % 8 & 1))
		bit++;
	s.offset = (uint16_t)bit;
	while (bit < 128 && (mask->b[15 - bit / 8] >> bit % 8 & 1))
		bit++;
	s.bits = (uint16_t)(bit - s.offset);
	return s;
}

static void format_set_field(struct text *out, const struct action *a, const struct port_names *names)
{
	enum field_id id = a->set_field.field;

	if (a->set_field.load) {
		struct subfield dst = run_of(id, &a->set_field.mask);
		struct field_value v = {{0}};

		value_copy_bits(&v, 0, &a->set_field.value, dst.offset, dst.bits);
		text_add(out, "load:");
		value_format_hex(out, &v);
		text_add(out, "->");
		subfield_format(out, &dst);
		return;
	}
	text_add(out, "set_field:");
	if (id == FIELD_TUN_FLAGS)
		tun_flags_format(out, &a->set_field.value);
	else
		field_format(out, id, &a->set_field.value, &a->set_field.mask, names);
	text_add(out, "->%s", fields[id].name);
}

static void format_resubmit(struct text *out, const struct action *a, const struct port_names *names)
{
	bool own_table = a->resubmit.table_id == 0xff && !a->resubmit.original;

	if (a->resubmit.in_port != PORT_IN_PORT && own_table) {
		text_add(out, "resubmit:");
		port_format(out, a->resubmit.in_port, names);
		return;
	}
	text_add(out, "resubmit(");
	if (a->resubmit.in_port != PORT_IN_PORT)
		port_format(out, a->resubmit.in_port, names);
	text_add(out, ",");
	if (a->resubmit.table_id != 0xff)
		text_add(out, "%u", a->resubmit.table_id);
	if (a->resubmit.original)
		text_add(out, ",ct");
	text_add(out, ")");
}

static void format_dec_ttl(struct text *out, const struct action *a)
{
	text_add(out, "dec_ttl");
	if (!a->dec_ttl.n)
		return;
	text_add(out, "(");
	for (unsigned i = 0; i < a->dec_ttl.n; i++)
		text_add(out, i ? ",%u" : "%u", a->dec_ttl.ids[i]);
	text_add(out, ")");
}

static void format_fin_timeout(struct text *out, const struct action *a)
{
	text_add(out, "fin_timeout(");
	if (a->fin_timeout.idle)
		text_add(out, "idle_timeout=%u,", a->fin_timeout.idle);
	if (a->fin_timeout.hard)
		text_add(out, "hard_timeout=%u,", a->fin_timeout.hard);
	text_chomp(out, ',');
	text_add(out, ")");
}

static void format_one(struct text *out, const struct action *a, const struct port_names *names)
{
	switch (a->type) {
	case ACTION_OUTPUT:
	case ACTION_OUTPUT_TRUNC:
		format_output(out, a, names);
		break;
	case ACTION_OUTPUT_REG:
		text_add(out, "output:");
		subfield_format(out, &a->output_reg.src);
		break;
	case ACTION_CONTROLLER:
		format_controller(out, &a->controller);
		break;
	case ACTION_ENQUEUE:
		text_add(out, "enqueue:");
		port_format(out, a->enqueue.port, names);
		text_add(out, ":%u", a->enqueue.queue);
		break;
	case ACTION_SET_QUEUE:
	case ACTION_GROUP:
	case ACTION_SET_TTL:
	case ACTION_METER:
	case ACTION_GOTO_TABLE:
		text_add(out, "%s:%u", action_name(a->type), a->number);
		break;
	case ACTION_SET_MPLS_TTL:
		text_add(out, "set_mpls_ttl(%u)", a->number);
		break;
	case ACTION_SET_FIELD:
		format_set_field(out, a, names);
		break;
	case ACTION_MOVE:
		text_add(out, "move:");
		subfield_format(out, &a->move.src);
		text_add(out, "->");
		subfield_format(out, &a->move.dst);
		break;
	case ACTION_PUSH_VLAN:
	case ACTION_PUSH_MPLS:
	case ACTION_POP_MPLS:
	case ACTION_PUSH_PBB:
		text_add(out, "%s:0x%04x", action_name(a->type), a->ethertype);
		break;
	case ACTION_DEC_TTL:
		format_dec_ttl(out, a);
		break;
	case ACTION_PUSH:
	case ACTION_POP:
		text_add(out, "%s:", action_name(a->type));
		subfield_format(out, &a->subfield);
		break;
	case ACTION_RESUBMIT:
		format_resubmit(out, a, names);
		break;
	case ACTION_LEARN:
		learn_format(out, a->learn, names);
		break;
	case ACTION_CONJUNCTION:
		text_add(out, "conjunction(%u,%u/%u)", a->conjunction.id, a->conjunction.clause + 1,
		         a->conjunction.n_clauses);
		break;
	case ACTION_NOTE:
		text_add(out, "note:");
		format_bytes(out, &a->bytes);
		break;
	case ACTION_FIN_TIMEOUT:
		format_fin_timeout(out, a);
		break;
	case ACTION_MULTIPATH:
		multipath_format(out, &a->multipath);
		break;
	case ACTION_BUNDLE:
	case ACTION_BUNDLE_LOAD:
		bundle_format(out, a, names);
		break;
	case ACTION_CHECK_PKT_LARGER:
		text_add(out, "check_pkt_larger(%u)->", a->check_pkt_larger.len);
		subfield_format(out, &a->check_pkt_larger.dst);
		break;
	case ACTION_CT:
		ct_format(out, &a->ct, names);
		break;
	case ACTION_NAT:
		nat_format(out, &a->nat);
		break;
	case ACTION_CLONE:
	case ACTION_WRITE_ACTIONS:
		text_add(out, "%s(", action_name(a->type));
		actions_format(out, &a->nested, names);
		text_add(out, ")");
		break;
	case ACTION_ORIGIN: /* as Open vSwitch calls it */
		text_add(out, "unroll_xlate(table=%u, cookie=%llu)", a->origin.table_id,
		         (unsigned long long)a->origin.cookie);
		break;
	case ACTION_WRITE_METADATA:
		text_add(out, "write_metadata:0x%llx", (unsigned long long)a->metadata.value);
		if (a->metadata.mask != UINT64_MAX)
			text_add(out, "/0x%llx", (unsigned long long)a->metadata.mask);
		break;
	default:
		text_add(out, "%s", action_name(a->type));
		break;
	}
}

static void format_list(struct text *out, const struct action_list *l, const struct port_names *names)
{
	for (unsigned i = 0; i < l->n; i++) {
		if (i)
			text_add(out, ",");
		format_one(out, &l->items[i], names);
	}
}

void actions_format(struct text *out, const struct action_list *l, const struct port_names *names)
{
	if (!l->n)
		text_add(out, "drop");
	format_list(out, l, names);
}
