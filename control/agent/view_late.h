/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of the store that a view may take later, gathered: which hosts live. A host that starts is told to
 * every host that has a network of its, and often many start at one time. */
#ifndef CONTROL_AGENT_VIEW_LATE_H
#define CONTROL_AGENT_VIEW_LATE_H

#include "control/store/store.h"

struct view_late { /* zeroed: none */
	struct late_event *first, **end;
	uint64_t since; /* the first of them came, clock_now() */
};

bool view_late_may_wait(const struct store_event *ev);
/* Keeps a copy. 0 or -ENOMEM. */
int view_late_put(struct view_late *l, const struct store_event *ev);
/* Have they waited VIEW_LATE_MS? */
bool view_late_due(const struct view_late *l);
/* Takes the oldest one out; its value is the caller's to free. False: there is none. */
bool view_late_next(struct view_late *l, struct store_event *out);
void view_late_free(struct view_late *l);

#endif
