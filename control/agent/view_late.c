/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that may wait; see view_late.h. Called by view.c. */
#include "control/agent/view_late.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/agent/view.h"
#include "control/tenancy/keys.h"

struct late_event {
	struct late_event *next;
	struct store_event ev; /* its value is a copy */
};

bool view_late_may_wait(const struct store_event *ev)
{
	return (ev->type == STORE_PUT || ev->type == STORE_DELETE) &&
	       !strncmp(ev->key, KEYS_ROOT "live/", strlen(KEYS_ROOT "live/"));
}

int view_late_put(struct view_late *l, const struct store_event *ev)
{
	struct late_event *x = malloc(sizeof(*x));

	if (!x)
		return -ENOMEM;
	*x = (struct late_event){.ev = *ev};
	x->ev.value = ev->value ? strdup(ev->value) : NULL;
	if (ev->value && !x->ev.value) {
		free(x);
		return -ENOMEM;
	}
	if (!l->first) {
		l->end = &l->first;
		l->since = clock_now();
	}
	*l->end = x;
	l->end = &x->next;
	return 0;
}

bool view_late_due(const struct view_late *l)
{
	return l->first && clock_now() - l->since >= VIEW_LATE_MS * CLOCK_MS;
}

bool view_late_next(struct view_late *l, struct store_event *out)
{
	struct late_event *x = l->first;

	if (!x)
		return false;
	*out = x->ev;
	l->first = x->next;
	free(x);
	return true;
}

void view_late_free(struct view_late *l)
{
	struct store_event ev;

	while (view_late_next(l, &ev))
		free(ev.value);
}
