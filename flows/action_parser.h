/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that parse actions share, inside flows/ only. */
#ifndef FLOWS_ACTION_PARSER_H
#define FLOWS_ACTION_PARSER_H

#include <errno.h>

#include "flows/lex.h"

struct parser {
	struct lex *lex;
	struct action_list *out;
	const struct match *match; /* NULL: nothing is known */
	bool tagged;               /* a VLAN tag is there for certain */
	bool drop;
};

/* One word of the grammar. */
struct row {
	const char *name;
	int (*parse)(struct parser *p, const struct row *row, const struct item *it);
	unsigned arg; /* an action type or a field */
};

static inline int parser_no_memory(struct parser *p)
{
	return error_set(p->lex->err, ENOMEM, "out of memory");
}

/* A new action at the end of the list, or the function returns. */
#define APPEND(P, A, TYPE)                                                                                   \
	do {                                                                                                 \
		(A) = action_list_append((P)->out, (TYPE));                                                  \
		if (!(A))                                                                                    \
			return parser_no_memory(P);                                                          \
	} while (0)

/* action_parse_output.c */
int parser_append_output(struct parser *p, uint32_t port);
bool parser_to_port(struct parser *p, struct slice s, uint32_t *port);
int parser_take_port(struct parser *p, struct slice s, uint32_t *port);
/* Pairs of hex digits with dots between them or not; `pad` zero bytes of room follow them. */
int parser_take_hex(struct parser *p, struct slice s, struct action_bytes *out, size_t pad);
int action_parse_output(struct parser *p, const struct row *row, const struct item *it);
int action_parse_controller(struct parser *p, const struct row *row, const struct item *it);
int action_parse_enqueue(struct parser *p, const struct row *row, const struct item *it);

/* link_text.c */
int action_parse_multipath(struct parser *p, const struct row *row, const struct item *it);
int action_parse_bundle(struct parser *p, const struct row *row, const struct item *it);

/* ct_text.c */
int action_parse_ct(struct parser *p, const struct row *row, const struct item *it);
int action_parse_nat(struct parser *p, const struct row *row, const struct item *it);

/* action_parse_set.c */
int action_parse_set_field(struct parser *p, const struct row *row, const struct item *it);
int action_parse_load(struct parser *p, const struct row *row, const struct item *it);
int action_parse_move(struct parser *p, const struct row *row, const struct item *it);
int action_parse_mod(struct parser *p, const struct row *row, const struct item *it);
int action_parse_mod_tos(struct parser *p, const struct row *row, const struct item *it);
int action_parse_mod_port(struct parser *p, const struct row *row, const struct item *it);
int action_parse_vlan(struct parser *p, const struct row *row, const struct item *it);

#endif
