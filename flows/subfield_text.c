/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of bits of a field ("NXM_NX_REG0[0..15]") as text, both ways. Called by the action and learn files. */
#include "flows/lex.h"

int subfield_parse(struct lex *lex, struct slice s, struct subfield *out)
{
	struct slice name = s, range, first, last;
	uint64_t from = 0, to;

	out->field = FIELD_NONE;
	if (!slice_split(s, '[', &name, &range))
		range = (struct slice){s.p + s.len, 0};
	out->field = field_by_name(name.p, name.len);
	if (out->field == FIELD_NONE)
		return lex_error(lex, name, "expected the name of a field");
	if (!field_is_sent(out->field))
		return lex_error(lex, name, "%s: expected a field that OpenFlow can say",
		                 fields[out->field].name);
	to = fields[out->field].bits - 1;
	if (range.p != s.p + s.len) {
		if (!range.len || range.p[range.len - 1] != ']')
			return lex_error(lex, s, "%s: expected \"]\" at the end", fields[out->field].name);
		range.len--;
		if (range.len) {
			first = last = range;
			for (size_t i = 0; i + 1 < range.len; i++) {
				if (range.p[i] == '.' && range.p[i + 1] == '.') {
					first.len = i;
					last = (struct slice){range.p + i + 2, range.len - i - 2};
					break;
				}
			}
			if (!slice_number(first, &from) || !slice_number(last, &to))
				return lex_error(lex, range, "%s: expected bits as in [0..15], [3] or []",
				                 fields[out->field].name);
		}
	} else if (s.len && s.p[s.len - 1] == '[') {
		return lex_error(lex, s, "%s: expected \"]\" at the end", fields[out->field].name);
	}
	if (from > to || to >= fields[out->field].bits)
		return lex_error(lex, s, "%s: expected bits from 0 to %u", fields[out->field].name,
		                 fields[out->field].bits - 1u);
	out->offset = (uint16_t)from;
	out->bits = (uint16_t)(to - from + 1);
	return 0;
}

void subfield_format(struct text *out, const struct subfield *s)
{
	text_add(out, "%s", field_wire_name(s->field));
	if (!s->offset && s->bits == fields[s->field].bits)
		text_add(out, "[]");
	else if (s->bits == 1)
		text_add(out, "[%u]", s->offset);
	else
		text_add(out, "[%u..%u]", s->offset, s->offset + s->bits - 1);
}
