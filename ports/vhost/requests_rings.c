/* SPDX-License-Identifier: Apache-2.0 */
/* vhost-user requests about rings; see requests_private.h. */
#include "ports/vhost/requests_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ports/vhost/running.h"
#include "ports/vhost/vhost.h"

int request_set_vring_num(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	uint32_t num = m->payload.word.num;

	if (!num || num > VHOST_RING_SIZE_MAX || (num & (num - 1)))
		return error_set(e, EINVAL, "ring of %u entries", num);
	s->rings[m->payload.word.index].num = num;
	return 0;
}

int request_set_vring_addr(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	struct vhost_vring *g = &s->rings[m->payload.addr.index];

	g->addr = m->payload.addr;
	g->have_addr = true;
	running_refresh(s, m->payload.addr.index);
	return 0;
}

int request_set_vring_base(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	s->rings[m->payload.word.index].base = (uint16_t)m->payload.word.num;
	return 0;
}

int request_get_vring_base(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	uint32_t i = m->payload.word.index;
	struct vhost_vring *g = &s->rings[i];

	/* The ring was stopped, and a grace period is over: its state is final. */
	if (g->kicked)
		g->base = s->v->slots[i].state.last_avail;
	running_close_later(g->kick_fd);
	g->kick_fd = -1;
	g->kicked = false;
	g->broken = false;
	m->payload.word = (struct vhost_ring_word){.index = i, .num = g->base};
	m->header.size = sizeof(m->payload.word);
	return 1;
}

/* The fd of KICK, CALL or ERR; -1 when the message says there is none. */
static int vring_fd(struct vhost_message *m, int *fd, struct error *e)
{
	bool none = m->payload.u64 & VHOST_RING_NOFD;

	*fd = -1;
	if (m->nfds != !none)
		return error_set(e, EINVAL, "%u fds where %u were announced", m->nfds, !none);
	if (!none)
		*fd = take_fd(m, 0);
	return 0;
}

/* An eventfd is the one kind of file whose reads and writes end at once when O_NONBLOCK is set: a pipe or a
 * file of a network file system could hold up a worker. */
static bool is_eventfd(int fd)
{
	char path[32], target[32] = {0};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 && !strcmp(target, "anon_inode:[eventfd]");
}

/* The eventfd of KICK or CALL, made non-blocking; -1 when the message says there is none. */
static int vring_eventfd(struct vhost_message *m, int *out, struct error *e)
{
	int fd, rc = vring_fd(m, &fd, e);

	*out = -1;
	if (rc || fd < 0)
		return rc;
	if (!is_eventfd(fd))
		rc = error_set(e, EINVAL, "the ring's fd is not an eventfd");
	else if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
		rc = error_set(e, errno, "the ring's fd cannot be made non-blocking");
	if (rc)
		close(fd);
	else
		*out = fd;
	return rc;
}

int request_set_vring_kick(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	uint32_t i = m->payload.u64 & VHOST_RING_MASK;
	struct vhost_vring *g = &s->rings[i];
	int fd, rc = vring_eventfd(m, &fd, e);

	if (rc)
		return rc;
	running_close_later(g->kick_fd);
	g->kick_fd = fd;
	if (!g->kicked)
		s->v->slots[i].state.last_avail = g->base;
	g->kicked = true;
	return 0;
}

int request_set_vring_call(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	uint32_t i = m->payload.u64 & VHOST_RING_MASK;
	struct vhost_vring *g = &s->rings[i];
	int fd, rc = vring_eventfd(m, &fd, e);

	if (rc)
		return rc;
	running_close_later(g->call_fd);
	g->call_fd = fd;
	running_refresh(s, i);
	s->call_again = s->grace;
	return 0;
}

int request_set_vring_enable(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	if (m->payload.word.num > 1)
		return error_set(e, EINVAL, "ring enabled with %u", m->payload.word.num);
	s->rings[m->payload.word.index].enabled = m->payload.word.num;
	return 0;
}
