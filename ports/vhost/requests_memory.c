/* SPDX-License-Identifier: Apache-2.0 */
/* vhost-user requests about the guest's memory and the log of what is written there; see requests_private.h.
 */
#include "ports/vhost/requests_private.h"

#include <errno.h>
#include <stddef.h>

#include "ports/vhost/running.h"
#include "ports/vhost/vhost.h"

static void replace_memory(struct vhost_session *s, struct vhost_memory *memory)
{
	struct vhost_memory *old = s->memory;

	s->memory = memory;
	running_refresh_all(s);
	memory_put(old); /* running rings hold their own references */
}

int request_set_mem_table(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	const struct vhost_table_msg *t = &m->payload.table;
	struct vhost_memory *memory;
	int rc = 0;

	if (t->n > VHOST_TABLE_REGIONS_MAX || t->n != m->nfds ||
	    m->header.size < offsetof(struct vhost_table_msg, regions) + t->n * sizeof(t->regions[0]))
		return error_set(e, EINVAL, "%u memory regions with %u fds", t->n, m->nfds);
	memory = memory_create();
	if (!memory)
		return error_set(e, ENOMEM, "no memory");
	for (unsigned i = 0; i < t->n && !rc; i++) {
		rc = memory_add(memory, &t->regions[i], m->fds[i], &s->v->wake, e);
		if (!rc)
			take_fd(m, i);
	}
	if (rc) {
		memory_put(memory);
		memory = NULL;
	}
	replace_memory(s, memory);
	return rc;
}

int request_get_max_mem_slots(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	return reply_u64(m, VHOST_REGIONS_MAX);
}

/* QEMU before 8.1 adds and removes each region once per queue pair, so the same one may come again. */
int request_add_mem_reg(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	struct vhost_memory *memory;
	int rc;

	if (m->nfds != 1)
		return error_set(e, EINVAL, "a memory region without its fd");
	if (s->memory && memory_has(s->memory, &m->payload.slot.region, m->fds[0]))
		return 0;
	memory = s->memory ? memory_copy(s->memory, UINT32_MAX) : memory_create();
	if (!memory)
		return error_set(e, ENOMEM, "no memory");
	rc = memory_add(memory, &m->payload.slot.region, m->fds[0], &s->v->wake, e);
	if (rc) {
		memory_put(memory);
		return rc;
	}
	take_fd(m, 0);
	replace_memory(s, memory);
	return 0;
}

int request_rem_mem_reg(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	const struct vhost_region_msg *g = &m->payload.slot.region;

	for (unsigned i = 0; s->memory && i < s->memory->n; i++) {
		const struct vhost_region *r = &s->memory->regions[i];
		struct vhost_memory *memory;

		if (r->gpa != g->gpa || r->uva != g->uva || r->size != g->size)
			continue;
		memory = memory_copy(s->memory, i);
		if (!memory)
			return error_set(e, ENOMEM, "no memory");
		replace_memory(s, memory);
		return 0;
	}
	return 0; /* gone already: see request_add_mem_reg() */
}

/* ---- dirty log ---- */

int request_set_log_base(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	struct vhost_log *log;
	int rc;

	if (m->nfds != 1)
		return error_set(e, EINVAL, "a dirty log without its fd");
	rc = dirty_create(m->fds[0], m->payload.log.size, m->payload.log.offset, &s->v->wake, &log, e);
	if (rc)
		return rc;
	take_fd(m, 0);
	dirty_put(s->log); /* running rings hold their own references */
	s->log = log;
	running_refresh_all(s);
	return reply_u64(m, 0);
}
