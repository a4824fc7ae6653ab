/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions as a run of bytes without pointers, to travel inside of a program from the worker that met them to
 * the control thread. Not a format for anybody else: it holds for one process, and what is unpacked was
 * packed by ourselves.
 *
 * Life cycle: `out` and `room` are set by whoever owns the memory -> action_pack ... -> action_unpack, of the
 * same bytes at any 16-byte aligned place. Any thread.
 */
#ifndef FLOWS_ACTION_PACK_H
#define FLOWS_ACTION_PACK_H

#include <stddef.h>

#include "flows/action.h"

enum { ACTION_PACK_ALIGN = 16 };

struct action_pack {
	uint8_t *out; /* aligned */
	size_t room, len;
};

/* Appends a copy of `a` and of all that it owns. False: no room, and `len` says how far it came. */
bool action_pack(struct action_pack *p, const struct action *a);
/* Appends what `len` packed bytes hold to `out`. 0 or -ENOMEM. */
int action_unpack(const uint8_t *packed, size_t len, struct action_list *out);

#endif
