/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left to do for a packet that controller(pause) stopped on its way: Nicira's continuation. The
 * packet itself and its registers are told beside it.
 *
 * Life cycle: continuation_init -> filled by program_resume_read() of flows/dp or by the reader of NXT_RESUME
 * -> continuation_free. No thread-safety of its own.
 */
#ifndef FLOWS_CONTINUATION_H
#define FLOWS_CONTINUATION_H

#include "flows/action.h"

enum { CONTINUATION_STACK_MAX = 16 };

struct continuation {
	uint32_t port; /* that the packet came in on, whatever an action has made of in_port; 0: not known */
	/* In the order they are to be done, of all flows that the packet was in; ACTION_ORIGIN says whose the
	 * next are. A goto_table has become a resubmit, as in Open vSwitch. */
	struct action_list actions;
	struct action_list set; /* what was written so far, in order */
	unsigned nstack;
	struct field_value stack[CONTINUATION_STACK_MAX]; /* the top last */
};

static inline void continuation_init(struct continuation *c)
{
	action_list_init(&c->actions);
	action_list_init(&c->set);
	c->nstack = 0;
	c->port = 0;
}

static inline void continuation_free(struct continuation *c)
{
	action_list_free(&c->actions);
	action_list_free(&c->set);
}

#endif
