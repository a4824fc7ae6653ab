/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting flow text into keys and values, inside flows/ only.
 *
 * Everything is a slice of the original text, so that an error can name the column however deeply nested the
 * place is. A slice is not zero-terminated.
 */
#ifndef FLOWS_LEX_H
#define FLOWS_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flows/text.h"

struct slice {
	const char *p;
	size_t len;
};

/* What all parsers of one text share. */
struct lex {
	const char *start; /* of the whole text: columns count from here */
	const struct port_names *names;
	struct error *err;
	unsigned depth; /* of nested lists */
};

/* One "key", "key=value", "key:value" or "key(value)". */
struct item {
	struct slice key, value;
	char delimiter; /* '=', ':', '(' or 0 */
	bool arrow;     /* "(..)->x" or "(..)=x": tail is x */
	struct slice tail;
};

struct slice slice_of(const char *text);
bool slice_is(struct slice s, const char *text);        /* exactly */
bool slice_is_nocase(struct slice s, const char *text); /* in any case */
/* Splits at the first `c`: `left` becomes what stands before it, `right` what stands after. False: there is
 * none. */
bool slice_split(struct slice s, char c, struct slice *left, struct slice *right);
/* The same at the last "->". */
bool slice_split_arrow(struct slice s, struct slice *left, struct slice *right);
struct slice slice_trim(struct slice s);
/* A terminated copy in `buffer`; false when it does not fit. */
bool slice_copy(struct slice s, char *buffer, size_t size);

/* Takes the next item off `rest`. 1: got one, 0: nothing left, -EINVAL. */
int lex_next(struct lex *lex, struct slice *rest, struct item *item);

/* "where: what, column N": returns -EINVAL. */
int lex_error(struct lex *lex, struct slice where, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* A number in C notation up to `max`; `what` names it in the error. */
int lex_number(struct lex *lex, struct slice s, const char *what, uint64_t max, uint64_t *out);
/* The same without an error text. */
bool slice_number(struct slice s, uint64_t *out);

/* ---- field_text.c ---- */

/* How many bits a value has as it is written: not always those of the field. */
unsigned field_text_bits(enum field_id id);
/* "1.2.3.4/24": mask is all ones when none is given. */
int field_parse(struct lex *lex, enum field_id id, struct slice s, struct field_value *v,
                struct field_value *mask);
/* The value alone, in the notation of the field; with a mask that is not full, "/mask" after it. */
void field_format(struct text *out, enum field_id id, const struct field_value *v,
                  const struct field_value *mask, const struct port_names *names);
/* tun_flags as a value: "oam" or "0"; a match says "+oam" or "-oam". */
void tun_flags_format(struct text *out, const struct field_value *v);
/* A number of up to 128 bits as %#x would write it. */
void value_format_hex(struct text *out, const struct field_value *v);

/* ---- subfield_text.c ---- */

/* "reg0[0..15]", "NXM_NX_REG0[]", "reg0", "reg0[3]". */
int subfield_parse(struct lex *lex, struct slice s, struct subfield *out);
void subfield_format(struct text *out, const struct subfield *s);

/* ---- match_text.c ---- */

/* Does `key` start a match item (a field or a protocol word)? If so it is added to `m`: 1; not one: 0;
 * -EINVAL. */
int match_parse_item(struct lex *lex, const struct item *item, struct match *m);

/* ---- action_parse.c, ct_text.c, learn_text.c, link_text.c ---- */

/* Parses a list of actions for flows that match `m` (NULL: nothing known) into `out`, which exists; the
 * caller frees it also on failure. */
int action_list_parse(struct lex *lex, struct slice s, const struct match *m, struct action_list *out);
int learn_parse(struct lex *lex, struct slice s, struct action_list *out);
void ct_format(struct text *out, const struct action_ct *ct, const struct port_names *names);
void nat_format(struct text *out, const struct nat_range *nat);
void learn_format(struct text *out, const struct action_learn *learn, const struct port_names *names);
void multipath_format(struct text *out, const struct action_multipath *m);
void bundle_format(struct text *out, const struct action *a, const struct port_names *names);

#endif
