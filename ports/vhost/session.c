/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things when a front end speaks; see session.h. The handlers are in requests.c. */
#include "ports/vhost/session.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "base/dp/rcu.h"
#include "ports/vhost/requests.h"
#include "ports/vhost/running.h"
#include "ports/vhost/vhost.h"

void session_init(struct vhost_session *s, struct vhost_port *v, const struct vhost_session_ops *ops,
                  void *arg)
{
	*s = (struct vhost_session){.v = v, .ops = ops, .arg = arg};
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++)
		s->rings[i] = (struct vhost_vring){.kick_fd = -1, .call_fd = -1};
}

static void close_fds(struct vhost_message *m)
{
	for (unsigned i = 0; i < m->nfds; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	m->nfds = 0;
}

static bool wants_ack(const struct vhost_session *s, const struct vhost_message *m)
{
	return (m->header.flags & VHOST_FLAG_NEED_REPLY) &&
	       (s->protocol_features & VHOST_BIT(VHOST_PROTOCOL_REPLY_ACK));
}

static void answer(struct vhost_session *s, struct vhost_message *m)
{
	if (s->reply <= 0) {
		if (!wants_ack(s, m))
			return;
		m->payload.u64 = s->reply ? 1 : 0;
		m->header.size = sizeof(m->payload.u64);
	}
	m->header.flags = VHOST_VERSION | VHOST_FLAG_REPLY;
	s->ops->reply(s->arg, m);
}

static void finish(void *arg)
{
	struct vhost_session *s = arg;
	struct vhost_message *m = s->message;
	bool waited = s->busy;

	s->busy = false;
	s->message = NULL;
	close_fds(m);
	if (s->closing)
		return;
	if (s->call_again) {
		vhost_make_due(s->v, VHOST_DUE_CALLS);
		vhost_tell(s->v);
	}
	s->call_again = false;
	answer(s, m);
	if (waited && !s->closing)
		s->ops->ready(s->arg);
}

/* A refused request ends the connection, unless the front end asked to be told. */
static bool refused(struct vhost_session *s, struct vhost_message *m, const struct error *e)
{
	log_limited(&s->v->log_limit, LOG_LEVEL_WARN, "%s: %s: %s", s->v->port.name,
	            request_name(m->header.request), e->text);
	s->v->why = *e;
	if (wants_ack(s, m))
		return false;
	s->busy = false;
	s->message = NULL;
	close_fds(m);
	s->ops->fail(s->arg, s->v->why.text);
	return true;
}

static void apply(void *arg)
{
	struct vhost_session *s = arg;
	struct vhost_message *m = s->message;
	struct error e = {{0}};

	if (s->closing) {
		finish(s);
		return;
	}
	s->grace = false;
	s->reply = request_apply(s, m, &e);
	running_start(s);
	vhost_update(s->v);
	if (s->reply < 0 && refused(s, m, &e))
		return;
	if (s->grace) {
		s->busy = true;
		rcu_defer(finish, s);
	} else {
		finish(s);
	}
}

void session_handle(struct vhost_session *s, struct vhost_message *m)
{
	struct error e = {{0}};
	int rc = request_check(s, m, &e);

	s->message = m;
	if (rc) {
		s->reply = rc;
		if (!refused(s, m, &e))
			finish(s);
		return;
	}
	if (running_stop_for(s, m) || s->breaks) {
		s->busy = true;
		vhost_update(s->v);
		rcu_defer(apply, s);
	} else {
		apply(s);
	}
}

static void reset_now(void *arg)
{
	struct vhost_session *s = arg;
	void (*done)(void *) = s->reset_done;

	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++) {
		if (s->rings[i].kick_fd >= 0)
			close(s->rings[i].kick_fd);
		if (s->rings[i].call_fd >= 0)
			close(s->rings[i].call_fd);
	}
	memory_put(s->memory);
	dirty_put(s->log);
	session_init(s, s->v, s->ops, s->arg);
	if (done)
		done(s->arg);
}

void session_reset(struct vhost_session *s, void (*done)(void *arg))
{
	s->closing = true;
	s->reset_done = done;
	running_stop_all(s);
	vhost_update(s->v);
	/* Behind whatever this session deferred before. */
	rcu_defer(reset_now, s);
}

static void broken_rings_gone(void *arg)
{
	((struct vhost_session *)arg)->breaks--;
}

void session_break(struct vhost_session *s, const char *why)
{
	bool news = false;

	if (s->closing)
		return;
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++) {
		news |= s->rings[i].kicked && !s->rings[i].broken;
		s->rings[i].broken = s->rings[i].kicked;
	}
	if (!news)
		return;
	running_stop_all(s);
	s->breaks++;
	rcu_defer(broken_rings_gone, s);
	s->v->faults++;
	error_set(&s->v->why, EIO, "%s", why);
	log_limited(&s->v->log_limit, LOG_LEVEL_ERROR,
	            "%s: out of service until the guest resets its device: %s", s->v->port.name, why);
	vhost_update(s->v);
}
