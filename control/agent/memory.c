/* SPDX-License-Identifier: Apache-2.0 */
/* When the view is saved and restored; see memory.h. Called by agent.c. */
#include "control/agent/memory.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "control/agent/checkpoint.h"

/* At once, then not again for a while. */
static void save(uv_timer_t *timer)
{
	struct memory *m = timer->data;
	struct error e;

	if (!m->unsaved)
		return;
	m->unsaved = false;
	if (checkpoint_save(m->view, m->host, m->path, &e))
		log_warn("checkpoint: %s", e.text);
	uv_timer_start(timer, save, MEMORY_SAVE_MS, 0);
}

void memory_changed(struct memory *m)
{
	m->unsaved = *m->path;
	if (!uv_is_active((uv_handle_t *)&m->timer))
		save(&m->timer);
}

static int restore(struct memory *m, struct store *store)
{
	struct error e = {""};
	int rc = checkpoint_load(m->view, m->host, m->path, &e);

	if (!rc) {
		log_info("checkpoint: goes on from revision %lld", (long long)view_rev(m->view));
		m->restored = true;
	} else if (rc != -ENOENT) {
		log_warn("checkpoint: %s; not used", e.text);
		view_destroy(m->view); /* it may have half of it */
		m->view = view_create(store, m->host);
	}
	return m->view ? 0 : -ENOMEM;
}

int memory_open(struct memory *m, uv_loop_t *loop, struct store *store, const char *host, const char *path)
{
	m->view = view_create(store, host);
	if (!m->view)
		return -ENOMEM;
	m->host = host;
	snprintf(m->path, sizeof(m->path), "%s", path);
	uv_timer_init(loop, &m->timer);
	m->timer.data = m;
	return *m->path ? restore(m, store) : 0;
}

void memory_stop(struct memory *m)
{
	if (!m->host)
		return;
	save(&m->timer);
	uv_close((uv_handle_t *)&m->timer, NULL);
}

void memory_free(struct memory *m)
{
	view_destroy(m->view);
}
