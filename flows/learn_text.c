/* SPDX-License-Identifier: Apache-2.0 */
/* The learn action as text, both ways. Called by the action parser and formatter. */
#include <errno.h>
#include <stdlib.h>

#include "flows/lex.h"

static struct learn_spec *append_spec(struct action_learn *learn, enum learn_kind kind)
{
	struct learn_spec *specs = realloc(learn->specs, (learn->n_specs + 1) * sizeof(*specs));

	if (!specs)
		return NULL;
	learn->specs = specs;
	specs += learn->n_specs++;
	memset(specs, 0, sizeof(*specs));
	specs->kind = kind;
	return specs;
}

/* Of a field without a number, or with an experimenter's, a learn action cannot speak. */
static int check_sent(struct lex *lex, struct slice where, enum field_id id)
{
	const struct field *f = &fields[id];

	if (f->nxm_class == FIELD_CLASS_NONE &&
	    (f->oxm_class == FIELD_CLASS_NONE || f->oxm_class == FIELD_ONF))
		return lex_error(lex, where, "learn: expected a field that the action can say");
	return 0;
}

static int same_width(struct lex *lex, struct slice where, struct learn_spec *s)
{
	if (s->src.bits != s->dst.bits)
		return lex_error(lex, where, "learn: expected as many bits on both sides (%u and %u)",
		                 s->src.bits, s->dst.bits);
	s->bits = s->dst.bits;
	return 0;
}

static int immediate_number(struct lex *lex, struct slice value, struct learn_spec *s)
{
	uint64_t n;

	if (!slice_number(value, &n))
		return lex_error(lex, value, "learn: expected a number or a field");
	s->value = value_from_u64(n);
	s->immediate = true;
	s->bits = s->dst.bits;
	if (!value_fits(&s->value, s->bits))
		return lex_error(lex, value, "learn: expected a value of at most %u bits", s->bits);
	return 0;
}

/* load:SOURCE->FIELD[BITS] */
static int parse_load(struct lex *lex, const struct item *it, struct learn_spec *s)
{
	struct slice value, name;
	uint64_t n;
	int rc;

	if (!slice_split_arrow(it->value, &value, &name))
		return lex_error(lex, it->value, "load: expected SOURCE->FIELD[BITS]");
	rc = subfield_parse(lex, name, &s->dst);
	if (!rc)
		rc = check_sent(lex, name, s->dst.field);
	if (rc)
		return rc;
	if (slice_number(value, &n))
		return immediate_number(lex, value, s);
	rc = subfield_parse(lex, value, &s->src);
	if (!rc)
		rc = check_sent(lex, value, s->src.field);
	return rc ? rc : same_width(lex, it->value, s);
}

/* FIELD[BITS], FIELD[BITS]=FIELD[BITS], FIELD=VALUE */
static int parse_match(struct lex *lex, const struct item *it, struct learn_spec *s)
{
	struct field_value mask, full;
	struct lex quiet = {.start = lex->start, .names = lex->names};
	int rc = subfield_parse(lex, it->key, &s->dst);

	if (!rc)
		rc = check_sent(lex, it->key, s->dst.field);
	if (rc)
		return rc;
	s->src = s->dst;
	if (!it->delimiter)
		return same_width(lex, it->key, s);
	full = value_ones(0, field_text_bits(s->dst.field));
	if (s->dst.bits == fields[s->dst.field].bits && s->dst.field != FIELD_VLAN_VID &&
	    s->dst.field != FIELD_DL_VLAN &&
	    !field_parse(&quiet, s->dst.field, it->value, &s->value, &mask) &&
	    !memcmp(&mask, &full, sizeof(full))) {
		s->immediate = true;
		s->bits = s->dst.bits;
		return 0;
	}
	if (!subfield_parse(&quiet, it->value, &s->src))
		return same_width(lex, it->value, s);
	return immediate_number(lex, it->value, s);
}

static int parse_number(struct lex *lex, const struct item *it, const char *name, uint64_t max, uint64_t *out)
{
	return slice_is(it->key, name) ? (lex_number(lex, it->value, name, max, out) ? -EINVAL : 1) : 0;
}

/* The properties of the learned flow. 1: it was one, 0: not one, -EINVAL. */
static int parse_property(struct lex *lex, struct action_learn *learn, const struct item *it)
{
	struct {
		const char *name;
		uint16_t *to;
	} numbers[] = {
	        {"priority", &learn->priority},
	        {"idle_timeout", &learn->idle_timeout},
	        {"hard_timeout", &learn->hard_timeout},
	        {"fin_idle_timeout", &learn->fin_idle_timeout},
	        {"fin_hard_timeout", &learn->fin_hard_timeout},
	};
	uint64_t n;
	int rc;

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		rc = parse_number(lex, it, numbers[i].name, 0xffff, &n);
		if (rc > 0)
			*numbers[i].to = (uint16_t)n;
		if (rc)
			return rc;
	}
	rc = parse_number(lex, it, "table", 254, &n);
	if (rc > 0)
		learn->table_id = (uint8_t)n;
	if (rc)
		return rc;
	rc = parse_number(lex, it, "limit", 0xffffffff, &n);
	if (rc > 0)
		learn->limit = (uint32_t)n;
	if (rc)
		return rc;
	rc = parse_number(lex, it, "cookie", UINT64_MAX, &learn->cookie);
	if (rc)
		return rc;
	if (slice_is(it->key, "send_flow_rem"))
		learn->flags |= LEARN_SEND_FLOW_REM;
	else if (slice_is(it->key, "delete_learned"))
		learn->flags |= LEARN_DELETE_LEARNED;
	else if (!slice_is(it->key, "result_dst"))
		return 0;
	else if (subfield_parse(lex, it->value, &learn->result))
		return -EINVAL;
	else
		learn->flags |= LEARN_WRITE_RESULT;
	return 1;
}

static int parse_spec(struct lex *lex, struct action_learn *learn, const struct item *it)
{
	bool load = slice_is(it->key, "load"), output = slice_is(it->key, "output");
	struct learn_spec *s = append_spec(learn, load ? LEARN_LOAD : output ? LEARN_OUTPUT : LEARN_MATCH);
	int rc;

	if (!s)
		return error_set(lex->err, ENOMEM, "out of memory");
	if (load)
		return parse_load(lex, it, s);
	if (!output)
		return parse_match(lex, it, s);
	rc = subfield_parse(lex, it->value, &s->src);
	s->bits = s->src.bits;
	return rc;
}

int learn_parse(struct lex *lex, struct slice rest, struct action_list *out)
{
	struct action *a;
	struct item it;
	int rc;

	a = action_list_append(out, ACTION_LEARN);
	if (!a)
		return error_set(lex->err, ENOMEM, "out of memory");
	a->learn = calloc(1, sizeof(*a->learn));
	if (!a->learn)
		return error_set(lex->err, ENOMEM, "out of memory");
	a->learn->table_id = 1;
	a->learn->priority = PRIORITY_DEFAULT;
	while ((rc = lex_next(lex, &rest, &it)) > 0) {
		rc = parse_property(lex, a->learn, &it);
		if (!rc)
			rc = parse_spec(lex, a->learn, &it);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* ---- formatting ---- */

static void format_spec(struct text *out, const struct learn_spec *s, const struct port_names *names)
{
	const struct field *f = &fields[s->dst.field];
	bool whole = !s->dst.offset && s->dst.bits == f->bits;

	if (s->kind == LEARN_OUTPUT) {
		text_add(out, "output:");
		subfield_format(out, &s->src);
		return;
	}
	if (s->kind == LEARN_LOAD) {
		text_add(out, "load:");
		if (s->immediate)
			value_format_hex(out, &s->value);
		else
			subfield_format(out, &s->src);
		text_add(out, "->");
		subfield_format(out, &s->dst);
		return;
	}
	if (s->immediate && whole) {
		struct field_value full = value_ones(0, field_text_bits(s->dst.field));

		text_add(out, "%s=", f->name);
		if (s->dst.field == FIELD_TUN_FLAGS)
			tun_flags_format(out, &s->value);
		else
			field_format(out, s->dst.field, &s->value, &full, names);
		return;
	}
	subfield_format(out, &s->dst);
	if (s->immediate) {
		text_add(out, "=");
		value_format_hex(out, &s->value);
	} else if (s->src.field != s->dst.field || s->src.offset != s->dst.offset) {
		text_add(out, "=");
		subfield_format(out, &s->src);
	}
}

void learn_format(struct text *out, const struct action_learn *learn, const struct port_names *names)
{
	text_add(out, "learn(table=%u,", learn->table_id);
	if (learn->idle_timeout)
		text_add(out, "idle_timeout=%u,", learn->idle_timeout);
	if (learn->hard_timeout)
		text_add(out, "hard_timeout=%u,", learn->hard_timeout);
	if (learn->fin_idle_timeout)
		text_add(out, "fin_idle_timeout=%u,", learn->fin_idle_timeout);
	if (learn->fin_hard_timeout)
		text_add(out, "fin_hard_timeout=%u,", learn->fin_hard_timeout);
	if (learn->priority != PRIORITY_DEFAULT)
		text_add(out, "priority=%u,", learn->priority);
	if (learn->flags & LEARN_SEND_FLOW_REM)
		text_add(out, "send_flow_rem,");
	if (learn->flags & LEARN_DELETE_LEARNED)
		text_add(out, "delete_learned,");
	if (learn->cookie)
		text_add(out, "cookie=0x%llx,", (unsigned long long)learn->cookie);
	if (learn->limit)
		text_add(out, "limit=%u,", learn->limit);
	if (learn->flags & LEARN_WRITE_RESULT) {
		text_add(out, "result_dst=");
		subfield_format(out, &learn->result);
		text_add(out, ",");
	}
	for (unsigned i = 0; i < learn->n_specs; i++) {
		format_spec(out, &learn->specs[i], names);
		text_add(out, ",");
	}
	text_chomp(out, ',');
	text_add(out, ")");
}
