/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's view and the file in which it outlives the agent (checkpoint.h): written at a change, but not
 * more often than each MEMORY_SAVE_MS, and at the end.
 *
 * Thread-safety: the loop's thread. Life cycle: zeroed -> memory_open -> memory_changed ... -> memory_stop ->
 * the loop closes the timer -> memory_free.
 */
#ifndef CONTROL_AGENT_MEMORY_H
#define CONTROL_AGENT_MEMORY_H

#include <uv.h>

#include "control/agent/view.h"

enum { MEMORY_SAVE_MS = 1000 };

struct memory {
	struct view *view;
	const char *host;
	char path[128]; /* "": there is no file */
	uv_timer_t timer;
	bool restored; /* the view knows what an earlier life knew */
	bool unsaved;
};

/* A view of `store` for `host`, which outlive it. A file that cannot be used is logged and passed over. 0 or
 * -ENOMEM.
 */
int memory_open(struct memory *m, uv_loop_t *loop, struct store *store, const char *host, const char *path);
/* The view has changed. */
void memory_changed(struct memory *m);
void memory_stop(struct memory *m); /* of one that was not opened: nothing */
void memory_free(struct memory *m);

#endif
