/* SPDX-License-Identifier: Apache-2.0 */
/* Is a list of actions one that a switch may carry out? Called by the text parser and by the OpenFlow
 * endpoint before they accept a flow. Walks the list with what is known of the packet, as earlier actions
 * change it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "flows/action_checker.h"

int checker_fault(struct checker *c, enum action_fault code, const char *format, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	c->fault = code;
	return error_set(c->err, EINVAL, "%s", text);
}

static const char *needs(enum field_id id)
{
	static const char *const text[] = {
	        [FIELD_NEEDS_NONE] = "",
	        [FIELD_NEEDS_IN_PORT] = "in_port",
	        [FIELD_NEEDS_CT] = "a valid connection, as ct_state=+est",
	        [FIELD_NEEDS_VLAN] = "a VLAN tag",
	        [FIELD_NEEDS_MPLS] = "dl_type=0x8847 or 0x8848",
	        [FIELD_NEEDS_PBB] = "dl_type=0x88e7",
	        [FIELD_NEEDS_IPV4] = "ip",
	        [FIELD_NEEDS_IPV6] = "ipv6",
	        [FIELD_NEEDS_IP] = "ip or ipv6",
	        [FIELD_NEEDS_ARP] = "arp or rarp",
	        [FIELD_NEEDS_TCP] = "tcp or tcp6",
	        [FIELD_NEEDS_UDP] = "udp or udp6",
	        [FIELD_NEEDS_SCTP] = "sctp or sctp6",
	        [FIELD_NEEDS_ICMP] = "icmp",
	        [FIELD_NEEDS_ICMPV6] = "icmp6",
	        [FIELD_NEEDS_ND] = "icmp6 of type 135 or 136",
	        [FIELD_NEEDS_ND_SOLICIT] = "icmp6,icmp_type=135,icmp_code=0",
	        [FIELD_NEEDS_ND_ADVERT] = "icmp6,icmp_type=136,icmp_code=0",
	};

	return text[fields[id].prereq];
}

static int check_meets(struct checker *c, const char *who, enum field_id id)
{
	if (c->any || match_meets(&c->known, id))
		return 0;
	return checker_fault(c, ACTION_FAULT_PREREQ, "%s: %s expects a match on %s", who, fields[id].name,
	                     needs(id));
}

/* Of the fields that are not written everywhere. */
static int check_in_ct(struct checker *c, const char *who, enum field_id id)
{
	if (!fields[id].in_ct)
		return checker_fault(c, ACTION_FAULT_READ_ONLY, "%s: %s is read-only", who, fields[id].name);
	if (!c->in_ct)
		return checker_fault(c, ACTION_FAULT_VALUE, "%s: %s is written inside of ct(exec()) alone",
		                     who, fields[id].name);
	return 0;
}

int checker_subfield(struct checker *c, const char *who, const struct subfield *s, bool write)
{
	if ((unsigned)s->field >= FIELD_COUNT)
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "%s: unknown field", who);
	if (!s->bits || s->offset + s->bits > fields[s->field].bits)
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "%s: bits %u to %u of %s, which has %u bits",
		                     who, s->offset, s->offset + s->bits - 1, fields[s->field].name,
		                     fields[s->field].bits);
	if (write && !fields[s->field].writable && check_in_ct(c, who, s->field))
		return -EINVAL;
	return check_meets(c, who, s->field);
}

static void learn_tag(struct checker *c)
{
	c->known.key.vlan[0].tci |= htobe16(VLAN_CFI);
	c->known.mask.vlan[0].tci |= htobe16(VLAN_CFI);
}

static void know_type(struct checker *c, uint16_t type)
{
	c->known.key.eth_type = htobe16(type);
	c->known.mask.eth_type = 0xffff;
	c->known.mask.nw_proto = 0; /* of a header that lies deeper or nobody knows */
}

static void know_set(struct checker *c, enum field_id id, const struct field_value *value)
{
	if (id == FIELD_ETH_TYPE) {
		know_type(c, (uint16_t)value_to_u64(value));
	} else if (id == FIELD_NW_PROTO) {
		c->known.key.nw_proto = (uint8_t)value_to_u64(value);
		c->known.mask.nw_proto = 0xff;
	}
}

static int check_set_field(struct checker *c, const struct action *a)
{
	enum field_id id = a->set_field.field;
	const char *who = a->set_field.load ? "load" : "set_field";
	unsigned bits;

	if ((unsigned)id >= FIELD_COUNT)
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "%s: unknown field", who);
	if (!(a->set_field.load ? fields[id].writable : fields[id].settable) && check_in_ct(c, who, id))
		return -EINVAL;
	bits = id == FIELD_VLAN_VID ? 13 : fields[id].bits;
	if (!value_fits(&a->set_field.value, bits) || !value_fits(&a->set_field.mask, bits))
		return checker_fault(c, ACTION_FAULT_VALUE, "%s: value too large for %s (%u bits)", who,
		                     fields[id].name, bits);
	if (id == FIELD_DL_VLAN || id == FIELD_DL_VLAN_PCP) {
		learn_tag(c); /* OpenFlow 1.0's mod_vlan_*: make it where there is none */
		return 0;
	}
	if (id == FIELD_NW_TOS && !a->set_field.load && value_to_u64(&a->set_field.value) & 3)
		return checker_fault(c, ACTION_FAULT_VALUE, "set_field: nw_tos expects a multiple of 4");
	if (id == FIELD_VLAN_VID && !a->set_field.load && !(value_to_u64(&a->set_field.value) & VLAN_CFI))
		return checker_fault(c, ACTION_FAULT_VALUE, "%s: vlan_vid expects 0x1000 + the id", who);
	if (id == FIELD_VLAN_VID && !c->any && !(c->known.key.vlan[0].tci & htobe16(VLAN_CFI)))
		return checker_fault(c, ACTION_FAULT_PREREQ,
		                     "%s: vlan_vid expects a VLAN tag: match on one or push_vlan first", who);
	if (check_meets(c, who, id))
		return -EINVAL;
	know_set(c, id, &a->set_field.value);
	return 0;
}

static int check_port(struct checker *c, uint32_t port)
{
	if (port < PORT_MAX || (port >= PORT_IN_PORT && port != PORT_ANY))
		return 0;
	return checker_fault(c, ACTION_FAULT_PORT, "output: %u is not a port to send to", port);
}

static int check_push(struct checker *c, const struct action *a)
{
	uint16_t type = a->ethertype;

	switch (a->type) {
	case ACTION_PUSH_VLAN:
		if (type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ)
			return checker_fault(c, ACTION_FAULT_ARGUMENT,
			                     "push_vlan: 0x%04x, expected 0x8100 or 0x88a8", type);
		learn_tag(c);
		return 0;
	case ACTION_PUSH_MPLS:
		if (type != ETH_TYPE_MPLS && type != ETH_TYPE_MPLS_MC)
			return checker_fault(c, ACTION_FAULT_ARGUMENT,
			                     "push_mpls: 0x%04x, expected 0x8847 or 0x8848", type);
		know_type(c, type);
		return 0;
	case ACTION_PUSH_PBB:
		if (type != ETH_TYPE_PBB)
			return checker_fault(c, ACTION_FAULT_ARGUMENT, "push_pbb: 0x%04x, expected 0x88e7",
			                     type);
		know_type(c, type);
		return 0;
	default: { /* pop_mpls */
		int rc = check_meets(c, "pop_mpls", FIELD_MPLS_LABEL);

		if (!rc)
			know_type(c, type);
		return rc;
	}
	}
}

/* What a spec makes the learned flow match for certain. */
static void know_learned(struct match *learned, const struct learn_spec *s)
{
	struct field_value v = {{0}}, mask = value_ones(s->dst.offset, s->dst.bits);

	value_copy_bits(&v, s->dst.offset, &s->value, 0, s->dst.bits);
	match_set(learned, s->dst.field, &v, &mask);
}

static int check_learn(struct checker *c, const struct action_learn *learn)
{
	struct checker learned = {.err = c->err}; /* what the learned flow knows of its packets */

	match_init(&learned.known);
	if (learn->table_id == 0xff)
		return checker_fault(c, ACTION_FAULT_TABLE, "learn: table 255 is not a table");
	for (unsigned i = 0; i < learn->n_specs; i++) {
		const struct learn_spec *s = &learn->specs[i];
		int rc = s->immediate ? 0 : checker_subfield(c, "learn", &s->src, false);

		if (!rc && s->kind != LEARN_OUTPUT) {
			rc = checker_subfield(&learned, "learn", &s->dst, s->kind == LEARN_LOAD);
			c->fault = rc ? learned.fault : c->fault;
		}
		if (rc)
			return rc;
		if (s->kind == LEARN_MATCH && s->immediate)
			know_learned(&learned.known, s);
	}
	if (learn->flags & LEARN_WRITE_RESULT)
		return checker_subfield(c, "learn", &learn->result, true);
	return 0;
}

static int check_move(struct checker *c, const struct action *a)
{
	int rc = checker_subfield(c, "move", &a->move.src, false);

	if (!rc)
		rc = checker_subfield(c, "move", &a->move.dst, true);
	if (!rc && a->move.src.bits != a->move.dst.bits)
		rc = checker_fault(c, ACTION_FAULT_ARGUMENT, "move: source of %u bits, destination of %u",
		                   a->move.src.bits, a->move.dst.bits);
	return rc;
}

static int check_multipath(struct checker *c, const struct action_multipath *m)
{
	int rc = checker_subfield(c, "multipath", &m->dst, true);

	if (!rc && m->dst.bits > 64)
		rc = checker_fault(c, ACTION_FAULT_ARGUMENT,
		                   "multipath: expected a destination of 1 to 64 bits");
	if (!rc && m->dst.bits < 16 && m->max_link >> m->dst.bits)
		rc = checker_fault(c, ACTION_FAULT_ARGUMENT, "multipath: %u links need more than %u bits",
		                   m->max_link + 1u, m->dst.bits);
	return rc;
}

/* A controller would need a length as well. */
static int check_bundle(struct checker *c, const struct action *a)
{
	const struct action_bundle *b = &a->bundle;
	const char *who = action_name(a->type);
	int rc = 0;

	if (b->n_members > BUNDLE_MEMBERS_MAX)
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "%s: more than %u members", who,
		                     BUNDLE_MEMBERS_MAX);
	for (unsigned i = 0; i < b->n_members && !rc; i++) {
		if (b->members[i] == PORT_CONTROLLER)
			rc = checker_fault(c, ACTION_FAULT_PORT, "%s: a controller is no member", who);
		else if (b->members[i] != PORT_ANY)
			rc = check_port(c, b->members[i]);
	}
	if (rc || a->type == ACTION_BUNDLE)
		return rc;
	if (b->dst.bits < 16 || b->dst.bits > 64)
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "%s: expected a destination of 16 to 64 bits",
		                     who);
	return checker_subfield(c, who, &b->dst, true);
}

/* Open vSwitch asks for no prerequisite: where the bit is not, nothing is written. */
static int check_pkt_larger(struct checker *c, const struct subfield *dst)
{
	bool any = c->any;
	int rc;

	if (dst->bits != 1)
		return checker_fault(c, ACTION_FAULT_ARGUMENT,
		                     "check_pkt_larger: expected a destination of 1 bit");
	c->any = true;
	rc = checker_subfield(c, "check_pkt_larger", dst, true);
	c->any = any;
	return rc;
}

static bool allowed_in_set(enum action_type type)
{
	switch (type) {
	case ACTION_OUTPUT:
	case ACTION_GROUP:
	case ACTION_SET_QUEUE:
	case ACTION_SET_FIELD:
	case ACTION_MOVE:
	case ACTION_PUSH_VLAN:
	case ACTION_POP_VLAN:
	case ACTION_PUSH_MPLS:
	case ACTION_POP_MPLS:
	case ACTION_PUSH_PBB:
	case ACTION_POP_PBB:
	case ACTION_DEC_TTL:
	case ACTION_SET_TTL:
	case ACTION_DEC_MPLS_TTL:
	case ACTION_SET_MPLS_TTL:
	case ACTION_COPY_TTL_IN:
	case ACTION_COPY_TTL_OUT:
	case ACTION_RESUBMIT:
	case ACTION_CT:
	case ACTION_CT_CLEAR:
		return true;
	default:
		return false;
	}
}

static int check_nested(struct checker *c, const struct action *a)
{
	struct match before = c->known;
	int rc;

	if (++c->depth > ACTION_NESTING_MAX)
		return checker_fault(c, ACTION_FAULT_TOO_MANY, "%s: nested more than %u deep",
		                     action_name(a->type), ACTION_NESTING_MAX);
	for (unsigned i = 0; i < a->nested.n; i++) {
		enum action_type type = a->nested.items[i].type;

		if (a->type == ACTION_WRITE_ACTIONS ? !allowed_in_set(type) : action_is_instruction(type))
			return checker_fault(c, ACTION_FAULT_ARGUMENT, "%s: %s is not allowed inside",
			                     action_name(a->type), action_name(type));
	}
	rc = checker_list(c, &a->nested);
	c->depth--;
	c->known = before;
	return rc;
}

static int check_one(struct checker *c, const struct action *a)
{
	switch (a->type) {
	case ACTION_OUTPUT:
	case ACTION_OUTPUT_TRUNC:
		return check_port(c, a->output.port);
	case ACTION_OUTPUT_REG:
		return checker_subfield(c, "output", &a->output_reg.src, false);
	case ACTION_ENQUEUE:
		return check_port(c, a->enqueue.port);
	case ACTION_GROUP:
		return a->number > 0xffffff00
		               ? checker_fault(c, ACTION_FAULT_GROUP, "group: %u is reserved", a->number)
		               : 0;
	case ACTION_SET_FIELD:
		return check_set_field(c, a);
	case ACTION_MOVE:
		return check_move(c, a);
	case ACTION_PUSH_VLAN:
	case ACTION_PUSH_MPLS:
	case ACTION_POP_MPLS:
	case ACTION_PUSH_PBB:
		return check_push(c, a);
	case ACTION_POP_VLAN:
		c->known.mask.vlan[0].tci = 0;
		c->known.key.vlan[0].tci = 0;
		return 0;
	case ACTION_POP_PBB:
		if (check_meets(c, "pop_pbb", FIELD_PBB_ISID))
			return -EINVAL;
		c->known.mask.eth_type = c->known.mask.nw_proto = 0; /* of a frame that nobody has seen */
		return 0;
	case ACTION_DEC_TTL:
	case ACTION_SET_TTL:
		return check_meets(c, action_name(a->type), FIELD_NW_TTL);
	case ACTION_DEC_MPLS_TTL:
	case ACTION_SET_MPLS_TTL:
		return check_meets(c, action_name(a->type), FIELD_MPLS_TTL);
	case ACTION_PUSH:
	case ACTION_POP:
		return checker_subfield(c, action_name(a->type), &a->subfield, a->type == ACTION_POP);
	case ACTION_LEARN:
		return check_learn(c, a->learn);
	case ACTION_CONJUNCTION:
		if (a->conjunction.n_clauses < 2 || a->conjunction.n_clauses > 64 ||
		    a->conjunction.clause >= a->conjunction.n_clauses)
			return checker_fault(c, ACTION_FAULT_ARGUMENT,
			                     "conjunction: expected clause 1 to n of n = 2 to 64");
		return 0;
	case ACTION_FIN_TIMEOUT:
		return check_meets(c, "fin_timeout", FIELD_TCP_SRC);
	case ACTION_MULTIPATH:
		return check_multipath(c, &a->multipath);
	case ACTION_BUNDLE:
	case ACTION_BUNDLE_LOAD:
		return check_bundle(c, a);
	case ACTION_CHECK_PKT_LARGER:
		return check_pkt_larger(c, &a->check_pkt_larger.dst);
	case ACTION_RESUBMIT:
		return a->resubmit.original ? check_meets(c, "resubmit", FIELD_CT_NW_PROTO) : 0;
	case ACTION_CT:
		return checker_ct(c, &a->ct);
	case ACTION_NAT:
		return checker_nat(c, &a->nat);
	case ACTION_CLONE:
	case ACTION_WRITE_ACTIONS:
		return check_nested(c, a);
	case ACTION_GOTO_TABLE:
		if (a->number >= 0xff || (c->table_id != 0xff && a->number <= c->table_id))
			return checker_fault(c, ACTION_FAULT_TABLE,
			                     "goto_table: %u, expected a table after %u", a->number,
			                     c->table_id);
		return 0;
	default:
		return 0;
	}
}

/* The place of an item in the order that OpenFlow demands. */
static int rank(enum action_type type)
{
	return type == ACTION_METER ? 0 : action_is_instruction(type) ? (int)type : 1;
}

/* A flow with conjunctions is a clause, not a thing to do: only notes may stand beside them. */
static int check_conjunctions(struct checker *c, const struct action_list *l)
{
	const struct action *other = NULL;
	bool any = false;

	for (unsigned i = 0; i < l->n; i++) {
		if (l->items[i].type == ACTION_CONJUNCTION)
			any = true;
		else if (l->items[i].type != ACTION_NOTE)
			other = &l->items[i];
	}
	if (!any || !other)
		return 0;
	return checker_fault(c, ACTION_FAULT_ARGUMENT, "conjunction: expected no %s beside it",
	                     action_name(other->type));
}

int checker_list(struct checker *c, const struct action_list *l)
{
	int last = -1, bad = check_conjunctions(c, l);

	if (bad)
		return bad;

	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];
		int here = rank(a->type), rc;

		if (++c->total > ACTIONS_MAX)
			return checker_fault(c, ACTION_FAULT_TOO_MANY, "more than %u actions", ACTIONS_MAX);
		if (here == last && here != 1)
			return checker_fault(c, ACTION_FAULT_ORDER, "%s: given twice", action_name(a->type));
		if (here < last)
			return checker_fault(c, ACTION_FAULT_ORDER, "%s: must stand before %s",
			                     action_name(a->type), action_name(l->items[i - 1].type));
		last = here;
		rc = check_one(c, a);
		if (rc)
			return rc;
	}
	return 0;
}

int action_list_check(const struct action_list *l, const struct match *m, uint8_t table_id,
                      enum action_fault *code, struct error *err)
{
	struct checker c = {.any = m == NULL, .table_id = table_id, .err = err};
	int rc;

	if (m)
		c.known = *m;
	rc = checker_list(&c, l);
	if (code)
		*code = c.fault;
	return rc;
}
