/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that check actions share, inside flows/ only. */
#ifndef FLOWS_ACTION_CHECKER_H
#define FLOWS_ACTION_CHECKER_H

#include "base/error.h"
#include "flows/action.h"
#include "flows/match.h"

struct checker {
	bool any;   /* nothing is known of the packet: no prerequisite is checked */
	bool in_ct; /* in the list of a ct, which alone writes to the connection's fields */
	struct match known;
	uint8_t table_id;
	unsigned depth, total;
	enum action_fault fault;
	struct error *err;
};

/* Remembers the fault and its text: -EINVAL. */
int checker_fault(struct checker *c, enum action_fault code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* Are these bits of a field that is there, and when it is to be written, may it be? */
int checker_subfield(struct checker *c, const char *who, const struct subfield *s, bool write);
int checker_list(struct checker *c, const struct action_list *l);

/* action_check_ct.c */
int checker_ct(struct checker *c, const struct action_ct *ct);
int checker_nat(struct checker *c, const struct nat_range *nat);

#endif
