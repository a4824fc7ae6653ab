/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of actions from text: one row of a table per word. Called by the flow and group parsers and by
 * packet-out. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "flows/lex.h"

struct parser {
	struct lex *lex;
	struct action_list *out;
	const struct match *match; /* NULL: nothing is known */
	bool tagged;               /* a VLAN tag is there for certain */
	bool drop;
};

struct row {
	const char *name;
	int (*parse)(struct parser *p, const struct row *row, const struct item *it);
	unsigned arg; /* an action type or a field */
};

static int no_memory(struct parser *p)
{
	return error_set(p->lex->err, ENOMEM, "out of memory");
}

#define APPEND(P, A, TYPE)                                                                                   \
	do {                                                                                                 \
		(A) = action_list_append((P)->out, (TYPE));                                                  \
		if (!(A))                                                                                    \
			return no_memory(P);                                                                 \
	} while (0)

/* ---- outputs ---- */

static int append_output(struct parser *p, uint32_t port)
{
	struct action *a;

	APPEND(p, a, ACTION_OUTPUT);
	a->output.port = port;
	a->output.max_len = port == PORT_CONTROLLER ? 0xffff : 0;
	return 0;
}

static bool to_port(struct parser *p, struct slice s, uint32_t *port)
{
	char text[64];

	return slice_copy(s, text, sizeof(text)) && !port_parse(text, p->lex->names, port);
}

static int parse_port(struct parser *p, struct slice s, uint32_t *port)
{
	return to_port(p, s, port) ? 0 : lex_error(p->lex, s, "expected a port number or name");
}

/* output(port=1,max_len=100) */
static int parse_truncated(struct parser *p, const struct item *it)
{
	struct slice rest = it->value;
	uint32_t port = PORT_UNSET;
	uint64_t max_len = 0;
	struct action *a;
	struct item sub;
	int rc;

	while ((rc = lex_next(p->lex, &rest, &sub)) > 0) {
		if (slice_is(sub.key, "port"))
			rc = parse_port(p, sub.value, &port);
		else if (slice_is(sub.key, "max_len"))
			rc = lex_number(p->lex, sub.value, "max_len", 0xffffffff, &max_len);
		else
			rc = lex_error(p->lex, sub.key, "output: expected port or max_len");
		if (rc)
			return rc;
	}
	if (rc)
		return rc;
	if (port == PORT_UNSET || max_len < 14)
		return lex_error(p->lex, it->value,
		                 "output: expected port=PORT,max_len=N with N at least 14");
	APPEND(p, a, ACTION_OUTPUT_TRUNC);
	a->output.port = port;
	a->output.max_len = (uint32_t)max_len;
	return 0;
}

static int parse_output(struct parser *p, const struct row *row, const struct item *it)
{
	struct subfield src;
	struct action *a;
	uint32_t port;

	if (it->delimiter == '(')
		return parse_truncated(p, it);
	if (to_port(p, it->value, &port))
		return append_output(p, port);
	if (it->value.len && isalpha((unsigned char)*it->value.p) &&
	    (memchr(it->value.p, '[', it->value.len) ||
	     field_by_name(it->value.p, it->value.len) != FIELD_NONE)) {
		int rc = subfield_parse(p->lex, it->value, &src);

		if (rc)
			return rc;
		APPEND(p, a, ACTION_OUTPUT_REG);
		a->output_reg.src = src;
		a->output_reg.max_len = 0xffff;
		return 0;
	}
	return lex_error(p->lex, it->value, "output: expected a port number, a port name or a field");
}

static const char *const reasons[] = {"no_match",   "action", "invalid_ttl",
                                      "action_set", "group",  "packet_out"};

static int parse_hex_bytes(struct parser *p, struct slice s, struct action_bytes *out, size_t pad)
{
	uint8_t *data = calloc(1, s.len / 2 + 1 + pad);
	size_t n = 0;

	if (!data)
		return no_memory(p);
	for (size_t i = 0; i < s.len; i += 2) {
		char pair[3] = {s.p[i], i + 1 < s.len ? s.p[i + 1] : 0, 0};

		if (s.p[i] == '.') {
			i--; /* a dot between bytes */
			continue;
		}
		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1])) {
			free(data);
			return lex_error(p->lex, s, "expected pairs of hex digits");
		}
		data[n++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	if (n > 60000) {
		free(data);
		return lex_error(p->lex, s, "expected fewer bytes");
	}
	out->data = data;
	out->len = (uint16_t)n;
	return 0;
}

static int parse_controller_item(struct parser *p, struct action_controller *c, const struct item *sub)
{
	uint64_t n;
	int rc;

	if (slice_is(sub->key, "max_len")) {
		rc = lex_number(p->lex, sub->value, "max_len", 0xffff, &n);
		c->max_len = rc ? 0 : (uint16_t)n;
	} else if (slice_is(sub->key, "id")) {
		rc = lex_number(p->lex, sub->value, "id", 0xffff, &n);
		c->controller_id = rc ? 0 : (uint16_t)n;
	} else if (slice_is(sub->key, "meter_id")) {
		rc = lex_number(p->lex, sub->value, "meter_id", 0xffffffff, &n);
		c->meter_id = rc ? 0 : (uint32_t)n;
	} else if (slice_is(sub->key, "reason")) {
		rc = lex_error(p->lex, sub->value, "reason: expected no_match, action, invalid_ttl, ...");
		for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
			if (slice_is(sub->value, reasons[i])) {
				c->reason = (uint8_t)i;
				rc = 0;
			}
		}
	} else if (slice_is(sub->key, "userdata")) {
		free(c->userdata.data);
		memset(&c->userdata, 0, sizeof(c->userdata));
		rc = parse_hex_bytes(p, sub->value, &c->userdata, 0);
	} else if (slice_is(sub->key, "pause")) {
		c->pause = true;
		rc = 0;
	} else {
		rc = lex_error(p->lex, sub->key,
		               "controller: expected max_len, reason, id, userdata, meter_id or pause");
	}
	return rc;
}

static int parse_controller(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice rest = it->value;
	struct action *a;
	struct item sub;
	uint64_t n;
	int rc;

	APPEND(p, a, ACTION_CONTROLLER);
	a->controller.max_len = 0xffff;
	a->controller.reason = 1; /* OFPR_ACTION */
	if (it->delimiter == '(') {
		while ((rc = lex_next(p->lex, &rest, &sub)) > 0) {
			rc = parse_controller_item(p, &a->controller, &sub);
			if (rc)
				return rc;
		}
		if (rc)
			return rc;
	} else if (it->delimiter) {
		rc = lex_number(p->lex, it->value, "controller", 0xffff, &n);
		if (rc)
			return rc;
		a->controller.max_len = (uint16_t)n;
	}
	if (a->controller.reason == 1 && !a->controller.controller_id && !a->controller.pause &&
	    !a->controller.meter_id && !a->controller.userdata.data) { /* a plain output says the same */
		uint16_t max_len = a->controller.max_len;

		a->type = ACTION_OUTPUT;
		memset(&a->controller, 0, sizeof(a->controller));
		a->output.port = PORT_CONTROLLER;
		a->output.max_len = max_len;
	}
	return 0;
}

/* OpenFlow 1.3 has no enqueue: set_queue, output, pop_queue. */
static int parse_enqueue(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice port_text, queue_text;
	struct action *a;
	uint64_t queue;
	uint32_t port;
	int rc;

	if (!slice_split(it->value, it->delimiter == '(' ? ',' : ':', &port_text, &queue_text))
		return lex_error(p->lex, it->value, "enqueue: expected PORT:QUEUE");
	rc = parse_port(p, port_text, &port);
	if (!rc)
		rc = lex_number(p->lex, queue_text, "queue", 0xffffffff, &queue);
	if (rc)
		return rc;
	APPEND(p, a, ACTION_SET_QUEUE);
	a->number = (uint32_t)queue;
	rc = append_output(p, port);
	if (rc)
		return rc;
	APPEND(p, a, ACTION_POP_QUEUE);
	return 0;
}

/* ---- setting fields ---- */

static int append_set(struct parser *p, enum field_id id, const struct field_value *v)
{
	struct action *a;

	APPEND(p, a, ACTION_SET_FIELD);
	a->set_field.field = id;
	a->set_field.value = *v;
	a->set_field.mask = value_ones(0, id == FIELD_VLAN_VID ? 13 : fields[id].bits);
	return 0;
}

static int append_load(struct parser *p, const struct subfield *dst, const struct field_value *v)
{
	struct action *a;

	APPEND(p, a, ACTION_SET_FIELD);
	a->set_field.field = dst->field;
	a->set_field.load = true;
	a->set_field.mask = value_ones(dst->offset, dst->bits);
	value_copy_bits(&a->set_field.value, dst->offset, v, 0, dst->bits);
	return 0;
}

/* Over OpenFlow 1.3 a set_field has no mask: each run of ones becomes a load of at most 64 bits. */
static int append_masked(struct parser *p, enum field_id id, const struct field_value *v,
                         const struct field_value *mask)
{
	unsigned bits = fields[id].bits, start = 0;

	while (start < bits) {
		struct subfield run = {.field = id, .offset = (uint16_t)start};
		struct field_value piece = {{0}};
		int rc;

		while (start < bits && run.bits < 64 && (mask->b[15 - start / 8] >> start % 8 & 1)) {
			run.bits++;
			start++;
		}
		if (!run.bits) {
			start++;
			continue;
		}
		value_copy_bits(&piece, 0, v, run.offset, run.bits);
		rc = append_load(p, &run, &piece);
		if (rc)
			return rc;
	}
	return 0;
}

static int parse_set_field(struct parser *p, const struct row *row, const struct item *it)
{
	struct field_value v, mask, full;
	struct slice value, name;
	enum field_id id;
	int rc;

	if (!slice_split_arrow(it->value, &value, &name))
		return lex_error(p->lex, it->value, "set_field: expected VALUE->FIELD");
	id = field_by_name(name.p, name.len);
	if (id == FIELD_NONE)
		return lex_error(p->lex, name, "set_field: expected the name of a field");
	if (!fields[id].writable)
		return lex_error(p->lex, name, "set_field: expected a writable field");
	rc = field_parse(p->lex, id, value, &v, &mask);
	if (rc)
		return rc;
	full = value_ones(0, id == FIELD_VLAN_VID ? 13 : id == FIELD_DL_VLAN ? 16 : fields[id].bits);
	return memcmp(&mask, &full, sizeof(full)) ? append_masked(p, id, &v, &mask) : append_set(p, id, &v);
}

static int parse_load(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice value, name;
	struct field_value v;
	struct subfield dst;
	uint64_t n;
	int rc;

	if (!slice_split_arrow(it->value, &value, &name))
		return lex_error(p->lex, it->value, "load: expected VALUE->FIELD[BITS]");
	rc = subfield_parse(p->lex, name, &dst);
	if (rc)
		return rc;
	if (!slice_number(value, &n))
		return lex_error(p->lex, value, "load: expected a number");
	v = value_from_u64(n);
	if (!value_fits(&v, dst.bits))
		return lex_error(p->lex, value, "load: expected a value of at most %u bits", dst.bits);
	return append_load(p, &dst, &v);
}

static int parse_move(struct parser *p, const struct row *row, const struct item *it)
{
	struct subfield src, dst;
	struct slice from, to;
	struct action *a;
	int rc;

	if (!slice_split_arrow(it->value, &from, &to))
		return lex_error(p->lex, it->value, "move: expected SOURCE->DESTINATION");
	rc = subfield_parse(p->lex, from, &src);
	if (!rc)
		rc = subfield_parse(p->lex, to, &dst);
	if (!rc && src.bits != dst.bits)
		rc = lex_error(p->lex, it->value, "move: expected as many bits on both sides (%u and %u)",
		               src.bits, dst.bits);
	if (rc)
		return rc;
	APPEND(p, a, ACTION_MOVE);
	a->move.src = src;
	a->move.dst = dst;
	return 0;
}

/* mod_dl_src:MAC, set_mpls_label:N, set_tunnel:N and so on: the field is in the row. */
static int parse_mod(struct parser *p, const struct row *row, const struct item *it)
{
	struct field_value v, mask;
	struct slice left, right;
	int rc;

	if (slice_split(it->value, '/', &left, &right))
		return lex_error(p->lex, right, "%s: expected no mask", row->name);
	rc = field_parse(p->lex, row->arg, it->value, &v, &mask);
	return rc ? rc : append_set(p, row->arg, &v);
}

static int parse_mod_tos(struct parser *p, const struct row *row, const struct item *it)
{
	struct field_value v;
	uint64_t n;

	if (!slice_number(it->value, &n) || n > 255 || (n & 3))
		return lex_error(p->lex, it->value, "mod_nw_tos: expected a multiple of 4 up to 252");
	v = value_from_u64(n >> 2);
	return append_set(p, FIELD_IP_DSCP, &v);
}

/* The port field is that of the protocol which the match names. */
static int parse_mod_port(struct parser *p, const struct row *row, const struct item *it)
{
	static const enum field_id choices[3][2] = {{FIELD_TCP_SRC, FIELD_TCP_DST},
	                                            {FIELD_UDP_SRC, FIELD_UDP_DST},
	                                            {FIELD_SCTP_SRC, FIELD_SCTP_DST}};
	struct field_value v;
	uint64_t n;
	int rc = lex_number(p->lex, it->value, row->name, 0xffff, &n);

	if (rc)
		return rc;
	v = value_from_u64(n);
	for (unsigned i = 0; i < 3; i++) {
		if (p->match && match_meets(p->match, choices[i][0]))
			return append_set(p, choices[i][row->arg], &v);
	}
	return lex_error(p->lex, it->key, "%s: expected a match on tcp, udp or sctp", row->name);
}

/* mod_vlan_* makes a tag when there is none for certain; set_vlan_* wants one. */
static int parse_vlan(struct parser *p, const struct row *row, const struct item *it)
{
	bool pcp = row->arg == FIELD_VLAN_PCP;
	struct field_value v;
	struct action *a;
	uint64_t n;
	int rc = lex_number(p->lex, it->value, row->name, pcp ? 7 : 4095, &n);

	if (rc)
		return rc;
	if (!p->tagged) {
		if (row->name[0] == 's')
			return lex_error(p->lex, it->key,
			                 "%s: expected a match on a VLAN tag or push_vlan before it",
			                 row->name);
		APPEND(p, a, ACTION_PUSH_VLAN);
		a->ethertype = ETH_TYPE_VLAN;
		p->tagged = true;
	}
	v = value_from_u64(pcp ? n : n | VLAN_CFI);
	return append_set(p, row->arg, &v);
}

/* ---- the rest ---- */

static int parse_bare(struct parser *p, const struct row *row, const struct item *it)
{
	struct action *a;

	if (it->value.len)
		return lex_error(p->lex, it->value, "%s: expected no argument", row->name);
	APPEND(p, a, row->arg);
	if (row->arg == ACTION_POP_VLAN)
		p->tagged = false;
	return 0;
}

static int parse_ethertype(struct parser *p, const struct row *row, const struct item *it)
{
	struct action *a;
	uint64_t n;
	int rc = lex_number(p->lex, it->value, row->name, 0xffff, &n);

	if (rc)
		return rc;
	APPEND(p, a, row->arg);
	a->ethertype = (uint16_t)n;
	if (row->arg == ACTION_PUSH_VLAN)
		p->tagged = true;
	return 0;
}

static int parse_number(struct parser *p, const struct row *row, const struct item *it)
{
	bool byte = row->arg == ACTION_SET_TTL || row->arg == ACTION_SET_MPLS_TTL ||
	            row->arg == ACTION_GOTO_TABLE;
	struct action *a;
	uint64_t n;
	int rc = lex_number(p->lex, it->value, row->name, byte ? 255 : 0xffffffff, &n);

	if (rc)
		return rc;
	APPEND(p, a, row->arg);
	a->number = (uint32_t)n;
	return 0;
}

static int parse_dec_ttl(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice rest = it->value;
	struct action *a;
	struct item sub;
	int rc;

	APPEND(p, a, ACTION_DEC_TTL);
	while ((rc = lex_next(p->lex, &rest, &sub)) > 0) {
		uint64_t n;
		uint16_t *ids;

		rc = lex_number(p->lex, sub.key, "dec_ttl", 0xffff, &n);
		if (rc)
			return rc;
		ids = realloc(a->dec_ttl.ids, (a->dec_ttl.n + 1) * sizeof(*ids));
		if (!ids)
			return no_memory(p);
		a->dec_ttl.ids = ids;
		ids[a->dec_ttl.n++] = (uint16_t)n;
	}
	return rc;
}

static int parse_stack(struct parser *p, const struct row *row, const struct item *it)
{
	struct subfield s;
	struct action *a;
	int rc = subfield_parse(p->lex, it->value, &s);

	if (rc)
		return rc;
	APPEND(p, a, row->arg);
	a->subfield = s;
	return 0;
}

static int parse_resubmit(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice port_text = it->value, table_text = {it->value.p, 0};
	uint32_t port = PORT_IN_PORT;
	uint64_t table = 0xff;
	struct action *a;
	int rc = 0;

	if (it->delimiter == '(')
		slice_split(it->value, ',', &port_text, &table_text);
	port_text = slice_trim(port_text);
	table_text = slice_trim(table_text);
	if (port_text.len)
		rc = parse_port(p, port_text, &port);
	if (!rc && table_text.len)
		rc = lex_number(p->lex, table_text, "resubmit: table", 255, &table);
	if (rc)
		return rc;
	if (port == PORT_IN_PORT && table == 0xff)
		return lex_error(p->lex, it->value, "resubmit: expected a port, a table or both");
	APPEND(p, a, ACTION_RESUBMIT);
	a->resubmit.in_port = port;
	a->resubmit.table_id = (uint8_t)table;
	return 0;
}

static int parse_learn(struct parser *p, const struct row *row, const struct item *it)
{
	return learn_parse(p->lex, it->value, p->out);
}

static int parse_conjunction(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice id_text, clause_text, of_text, rest;
	uint64_t id, clause, of;
	struct action *a;

	if (!slice_split(it->value, ',', &id_text, &rest) ||
	    !slice_split(rest, '/', &clause_text, &of_text) || !slice_number(slice_trim(id_text), &id) ||
	    id > 0xffffffff || !slice_number(slice_trim(clause_text), &clause) ||
	    !slice_number(slice_trim(of_text), &of) || of < 2 || of > 64 || clause < 1 || clause > of)
		return lex_error(p->lex, it->value,
		                 "conjunction: expected ID,K/N with N from 2 to 64, K from 1 to N");
	APPEND(p, a, ACTION_CONJUNCTION);
	a->conjunction.id = (uint32_t)id;
	a->conjunction.clause = (uint8_t)(clause - 1);
	a->conjunction.n_clauses = (uint8_t)of;
	return 0;
}

/* The bytes are padded to what an action of the wire holds: a multiple of 8 with the 10 bytes in front. */
static int parse_note(struct parser *p, const struct row *row, const struct item *it)
{
	struct action *a;
	int rc;

	APPEND(p, a, ACTION_NOTE);
	rc = parse_hex_bytes(p, it->value, &a->bytes, 8);
	if (!rc)
		a->bytes.len = (uint16_t)((a->bytes.len + 10 + 7) / 8 * 8 - 10);
	return rc;
}

static int parse_fin_timeout(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice rest = it->value;
	struct action *a;
	struct item sub;
	int rc;

	APPEND(p, a, ACTION_FIN_TIMEOUT);
	while ((rc = lex_next(p->lex, &rest, &sub)) > 0) {
		bool idle = slice_is(sub.key, "idle_timeout");
		uint64_t n = 0;

		if (!idle && !slice_is(sub.key, "hard_timeout"))
			return lex_error(p->lex, sub.key,
			                 "fin_timeout: expected idle_timeout or hard_timeout");
		rc = lex_number(p->lex, sub.value, "fin_timeout", 0xffff, &n);
		if (rc)
			return rc;
		*(idle ? &a->fin_timeout.idle : &a->fin_timeout.hard) = (uint16_t)n;
	}
	return rc;
}

static int parse_nested(struct parser *p, const struct row *row, const struct item *it)
{
	struct action *a;
	int rc;

	if (it->delimiter != '(')
		return lex_error(p->lex, it->key, "%s: expected (ACTIONS)", row->name);
	if (++p->lex->depth > ACTION_NESTING_MAX)
		return lex_error(p->lex, it->key, "%s: expected at most %u levels", row->name,
		                 ACTION_NESTING_MAX);
	APPEND(p, a, row->arg);
	rc = action_list_parse(p->lex, it->value, p->match, &a->nested);
	p->lex->depth--;
	if (!rc && row->arg == ACTION_WRITE_ACTIONS && !a->nested.n)
		p->out->n--; /* writes nothing, owns nothing */
	return rc;
}

static int parse_write_metadata(struct parser *p, const struct row *row, const struct item *it)
{
	struct field_value v, mask;
	struct action *a;
	int rc = field_parse(p->lex, FIELD_METADATA, it->value, &v, &mask);

	if (rc)
		return rc;
	APPEND(p, a, ACTION_WRITE_METADATA);
	a->metadata.value = value_to_u64(&v);
	a->metadata.mask = value_to_u64(&mask);
	return 0;
}

static int parse_drop(struct parser *p, const struct row *row, const struct item *it)
{
	p->drop = true;
	return 0;
}

static int parse_apply(struct parser *p, const struct row *row, const struct item *it)
{
	return lex_error(p->lex, it->key,
	                 "apply_actions: expected the actions alone, applying is the default");
}

static const struct row rows[] = {
        {"output", parse_output, 0},
        {"controller", parse_controller, 0},
        {"enqueue", parse_enqueue, 0},
        {"set_queue", parse_number, ACTION_SET_QUEUE},
        {"pop_queue", parse_bare, ACTION_POP_QUEUE},
        {"group", parse_number, ACTION_GROUP},
        {"set_field", parse_set_field, 0},
        {"load", parse_load, 0},
        {"move", parse_move, 0},
        {"mod_dl_src", parse_mod, FIELD_ETH_SRC},
        {"mod_dl_dst", parse_mod, FIELD_ETH_DST},
        {"mod_nw_src", parse_mod, FIELD_IPV4_SRC},
        {"mod_nw_dst", parse_mod, FIELD_IPV4_DST},
        {"mod_nw_ecn", parse_mod, FIELD_NW_ECN},
        {"mod_nw_tos", parse_mod_tos, 0},
        {"mod_nw_ttl", parse_number, ACTION_SET_TTL},
        {"mod_tp_src", parse_mod_port, 0},
        {"mod_tp_dst", parse_mod_port, 1},
        {"mod_vlan_vid", parse_vlan, FIELD_VLAN_VID},
        {"mod_vlan_pcp", parse_vlan, FIELD_VLAN_PCP},
        {"set_vlan_vid", parse_vlan, FIELD_VLAN_VID},
        {"set_vlan_pcp", parse_vlan, FIELD_VLAN_PCP},
        {"set_tunnel", parse_mod, FIELD_TUN_ID},
        {"set_tunnel64", parse_mod, FIELD_TUN_ID},
        {"set_mpls_label", parse_mod, FIELD_MPLS_LABEL},
        {"set_mpls_tc", parse_mod, FIELD_MPLS_TC},
        {"set_mpls_ttl", parse_number, ACTION_SET_MPLS_TTL},
        {"dec_mpls_ttl", parse_bare, ACTION_DEC_MPLS_TTL},
        {"dec_ttl", parse_dec_ttl, 0},
        {"copy_ttl_in", parse_bare, ACTION_COPY_TTL_IN},
        {"copy_ttl_out", parse_bare, ACTION_COPY_TTL_OUT},
        {"push_vlan", parse_ethertype, ACTION_PUSH_VLAN},
        {"pop_vlan", parse_bare, ACTION_POP_VLAN},
        {"strip_vlan", parse_bare, ACTION_POP_VLAN},
        {"push_mpls", parse_ethertype, ACTION_PUSH_MPLS},
        {"pop_mpls", parse_ethertype, ACTION_POP_MPLS},
        {"push_pbb", parse_ethertype, ACTION_PUSH_PBB},
        {"pop_pbb", parse_bare, ACTION_POP_PBB},
        {"push", parse_stack, ACTION_PUSH},
        {"pop", parse_stack, ACTION_POP},
        {"resubmit", parse_resubmit, 0},
        {"learn", parse_learn, 0},
        {"conjunction", parse_conjunction, 0},
        {"note", parse_note, 0},
        {"fin_timeout", parse_fin_timeout, 0},
        {"exit", parse_bare, ACTION_EXIT},
        {"clone", parse_nested, ACTION_CLONE},
        {"meter", parse_number, ACTION_METER},
        {"clear_actions", parse_bare, ACTION_CLEAR_ACTIONS},
        {"write_actions", parse_nested, ACTION_WRITE_ACTIONS},
        {"write_metadata", parse_write_metadata, 0},
        {"goto_table", parse_number, ACTION_GOTO_TABLE},
        {"drop", parse_drop, 0},
        {"apply_actions", parse_apply, 0},
};

static int parse_one(struct parser *p, const struct item *it)
{
	uint32_t port;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (slice_is_nocase(it->key, rows[i].name))
			return rows[i].parse(p, &rows[i], it);
	}
	if (!it->delimiter && to_port(p, it->key, &port))
		return append_output(p, port);
	return lex_error(p->lex, it->key, "expected an action or a port");
}

int action_list_parse(struct lex *lex, struct slice s, const struct match *m, struct action_list *out)
{
	struct parser p = {.lex = lex, .out = out, .match = m};
	struct item it;
	int rc;

	p.tagged = m && (m->key.vlan[0].tci & htobe16(VLAN_CFI));
	while ((rc = lex_next(lex, &s, &it)) > 0) {
		bool dropped = p.drop;

		rc = parse_one(&p, &it);
		if (rc)
			return rc;
		if (out->n > ACTIONS_MAX)
			return lex_error(lex, it.key, "expected at most %u actions", ACTIONS_MAX);
		if (dropped || (p.drop && out->n))
			return lex_error(lex, it.key, "drop: expected no other action beside it");
	}
	return rc;
}
