/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of actions from text: one row of a table per word. Called by the flow and group parsers and by
 * packet-out. */
#include <stdlib.h>

#include "flows/action_parser.h"

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
			return parser_no_memory(p);
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
	struct slice port_text = it->value, table_text = {it->value.p, 0}, ct_text = table_text;
	uint32_t port = PORT_IN_PORT;
	uint64_t table = 0xff;
	struct action *a;
	int rc = 0;

	if (it->delimiter == '(' && slice_split(it->value, ',', &port_text, &table_text))
		slice_split(table_text, ',', &table_text, &ct_text);
	port_text = slice_trim(port_text);
	table_text = slice_trim(table_text);
	if (ct_text.len && !slice_is(ct_text, "ct"))
		return lex_error(p->lex, ct_text, "resubmit: expected ct or nothing");
	if (port_text.len)
		rc = parser_take_port(p, port_text, &port);
	if (!rc && table_text.len)
		rc = lex_number(p->lex, table_text, "resubmit: table", 255, &table);
	if (rc)
		return rc;
	if (port == PORT_IN_PORT && table == 0xff)
		return lex_error(p->lex, it->value, "resubmit: expected a port, a table or both");
	APPEND(p, a, ACTION_RESUBMIT);
	a->resubmit.in_port = port;
	a->resubmit.table_id = (uint8_t)table;
	a->resubmit.original = ct_text.len;
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
	rc = parser_take_hex(p, it->value, &a->bytes, 8);
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

/* check_pkt_larger(LENGTH)->BIT */
static int parse_check_pkt_larger(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice len = it->value, dst_text = it->tail;
	struct subfield dst;
	struct action *a;
	uint64_t n;
	int rc;

	if (!it->arrow && (it->delimiter == '(' || !slice_split_arrow(it->value, &len, &dst_text)))
		return lex_error(p->lex, it->value, "check_pkt_larger: expected (LENGTH)->BIT");
	rc = lex_number(p->lex, slice_trim(len), "check_pkt_larger", 0xffff, &n);
	if (!rc)
		rc = subfield_parse(p->lex, dst_text, &dst);
	if (rc)
		return rc;
	APPEND(p, a, ACTION_CHECK_PKT_LARGER);
	a->check_pkt_larger.len = (uint16_t)n;
	a->check_pkt_larger.dst = dst;
	return 0;
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
        {"output", action_parse_output, 0},
        {"controller", action_parse_controller, 0},
        {"enqueue", action_parse_enqueue, 0},
        {"set_queue", parse_number, ACTION_SET_QUEUE},
        {"pop_queue", parse_bare, ACTION_POP_QUEUE},
        {"group", parse_number, ACTION_GROUP},
        {"set_field", action_parse_set_field, 0},
        {"load", action_parse_load, 0},
        {"move", action_parse_move, 0},
        {"mod_dl_src", action_parse_mod, FIELD_ETH_SRC},
        {"mod_dl_dst", action_parse_mod, FIELD_ETH_DST},
        {"mod_nw_src", action_parse_mod, FIELD_IPV4_SRC},
        {"mod_nw_dst", action_parse_mod, FIELD_IPV4_DST},
        {"mod_nw_ecn", action_parse_mod, FIELD_NW_ECN},
        {"mod_nw_tos", action_parse_mod_tos, 0},
        {"mod_nw_ttl", parse_number, ACTION_SET_TTL},
        {"mod_tp_src", action_parse_mod_port, 0},
        {"mod_tp_dst", action_parse_mod_port, 1},
        {"mod_vlan_vid", action_parse_vlan, FIELD_VLAN_VID},
        {"mod_vlan_pcp", action_parse_vlan, FIELD_VLAN_PCP},
        {"set_vlan_vid", action_parse_vlan, FIELD_VLAN_VID},
        {"set_vlan_pcp", action_parse_vlan, FIELD_VLAN_PCP},
        {"set_tunnel", action_parse_mod, FIELD_TUN_ID},
        {"set_tunnel64", action_parse_mod, FIELD_TUN_ID},
        {"set_mpls_label", action_parse_mod, FIELD_MPLS_LABEL},
        {"set_mpls_tc", action_parse_mod, FIELD_MPLS_TC},
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
        {"multipath", action_parse_multipath, 0},
        {"bundle", action_parse_bundle, ACTION_BUNDLE},
        {"bundle_load", action_parse_bundle, ACTION_BUNDLE_LOAD},
        {"check_pkt_larger", parse_check_pkt_larger, 0},
        {"ct", action_parse_ct, 0},
        {"nat", action_parse_nat, 0},
        {"ct_clear", parse_bare, ACTION_CT_CLEAR},
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
	if (!it->delimiter && parser_to_port(p, it->key, &port))
		return parser_append_output(p, port);
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
