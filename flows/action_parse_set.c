/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that change fields, from text. Rows of the table in action_parse.c. */
#include "flows/action_parser.h"

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

/* A load writes a run of at most 64 bits; over OpenFlow 1.3, where a set_field has no mask, it stands for
 * one. */
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

/* Is the field there? For a set_field of no bit, which leaves no action that could be checked later. */
static bool is_meant(const struct parser *p, enum field_id id)
{
	if (id == FIELD_VLAN_VID || id == FIELD_VLAN_PCP)
		return p->tagged;
	return !p->match || match_meets(p->match, id);
}

int action_parse_set_field(struct parser *p, const struct row *row, const struct item *it)
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
	if ((!fields[id].writable && !fields[id].in_ct) ||
	    (fields[id].nxm_class == FIELD_CLASS_NONE && fields[id].oxm_class == FIELD_CLASS_NONE))
		return lex_error(p->lex, name, "set_field: expected a writable field");
	rc = field_parse(p->lex, id, value, &v, &mask);
	if (rc)
		return rc;
	if (value_is_zero(&mask) && (fields[id].in_ct || !is_meant(p, id)))
		return lex_error(p->lex, name, "set_field: expected a match on what %s needs",
		                 fields[id].name);
	full = value_ones(0, id == FIELD_VLAN_VID ? 13 : fields[id].bits);
	if (id == FIELD_TUN_FLAGS && (*value.p == '+' || *value.p == '-')) /* signs name bits, never all */
		return append_masked(p, id, &v, &mask);
	return memcmp(&mask, &full, sizeof(full)) ? append_masked(p, id, &v, &mask) : append_set(p, id, &v);
}

int action_parse_load(struct parser *p, const struct row *row, const struct item *it)
{
	struct field_value v, mask, placed = {{0}};
	struct slice value, name;
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
	mask = value_ones(dst.offset, dst.bits);
	value_copy_bits(&placed, dst.offset, &v, 0, dst.bits);
	return append_masked(p, dst.field, &placed, &mask);
}

int action_parse_move(struct parser *p, const struct row *row, const struct item *it)
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
int action_parse_mod(struct parser *p, const struct row *row, const struct item *it)
{
	struct field_value v, mask;
	struct slice left, right;
	int rc;

	if (slice_split(it->value, '/', &left, &right))
		return lex_error(p->lex, right, "%s: expected no mask", row->name);
	rc = field_parse(p->lex, row->arg, it->value, &v, &mask);
	return rc ? rc : append_set(p, row->arg, &v);
}

int action_parse_mod_tos(struct parser *p, const struct row *row, const struct item *it)
{
	struct field_value v;
	uint64_t n;

	if (!slice_number(it->value, &n) || n > 255 || (n & 3))
		return lex_error(p->lex, it->value, "mod_nw_tos: expected a multiple of 4 up to 252");
	v = value_from_u64(n >> 2);
	return append_set(p, FIELD_IP_DSCP, &v);
}

/* The port field is that of the protocol which the match names. */
int action_parse_mod_port(struct parser *p, const struct row *row, const struct item *it)
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
int action_parse_vlan(struct parser *p, const struct row *row, const struct item *it)
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
