/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting, listening and starting over; see link.h. Used by port.c. */
#include "ports/vhost/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ports/vhost/vhost.h"

enum { RETRY_MS = 100, RETRY_BAD_MAX_MS = 5000 };

static void look_for_peer(struct vhost_link *l);

static const char *name_of(const struct vhost_link *l)
{
	return l->session->v->port.name;
}

/* ---- a connection ends ---- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct vhost_link *l = handle->data;

	if (--l->waiting)
		return;
	if (l->role == VHOST_SERVER)
		unlink(l->address.sun_path);
	l->stopped(l->stopped_arg);
}

static void close_handles(struct vhost_link *l)
{
	l->waiting = 1;
	uv_close((uv_handle_t *)&l->retry, on_handle_closed);
	if (l->listen_fd < 0)
		return;
	l->waiting++;
	uv_poll_stop(&l->accept);
	close(l->listen_fd);
	l->listen_fd = -1;
	uv_close((uv_handle_t *)&l->accept, on_handle_closed);
}

/* Session and channel go in any order; then the next peer may come. */
static void one_gone(void *arg)
{
	struct vhost_link *l = arg;

	if (--l->waiting)
		return;
	l->connected = false;
	if (l->stopping)
		close_handles(l);
	else
		look_for_peer(l);
}

static void disconnect(struct vhost_link *l)
{
	l->waiting = 2;
	channel_close(&l->channel);
	session_reset(l->session, one_gone);
}

static void on_end(void *arg, const char *why)
{
	struct vhost_link *l = arg;

	if (l->channel.fd < 0)
		return;
	log_info("%s: disconnected from %s: %s", name_of(l), l->address.sun_path, why);
	disconnect(l);
}

static bool on_message(void *arg, struct vhost_message *m)
{
	struct vhost_link *l = arg;

	session_handle(l->session, m);
	return !l->session->busy && l->channel.fd >= 0;
}

static const struct vhost_channel_ops channel_ops = {
        .message = on_message, .end = on_end, .closed = one_gone};

/* ---- what the session wants ---- */

static void session_reply(void *arg, const struct vhost_message *m)
{
	channel_send(&((struct vhost_link *)arg)->channel, m);
}

static void session_ready(void *arg)
{
	channel_resume(&((struct vhost_link *)arg)->channel);
}

static void session_fail(void *arg, const char *why)
{
	((struct vhost_link *)arg)->bad_peer = true;
	on_end(arg, why);
}

static const struct vhost_session_ops session_ops = {
        .reply = session_reply, .ready = session_ready, .fail = session_fail};

/* ---- a connection begins ---- */

static void connected(struct vhost_link *l, int fd)
{
	int rc = channel_open(&l->channel, l->loop, fd, &channel_ops, l);

	l->bad_peer = false;
	l->since = uv_now(l->loop);
	if (rc) {
		log_error("%s: %s: %s", name_of(l), l->address.sun_path, uv_strerror(rc));
		close(fd);
		l->bad_peer = true;
		look_for_peer(l);
		return;
	}
	l->connected = true;
	l->connects++;
	log_info("%s: connected to %s", name_of(l), l->address.sun_path);
}

static void try_connect(uv_timer_t *timer)
{
	struct vhost_link *l = timer->data;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !connect(fd, (struct sockaddr *)&l->address, sizeof(l->address))) {
		connected(l, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	uv_timer_start(&l->retry, try_connect, RETRY_MS, 0);
}

static void on_accept(uv_poll_t *poll, int status, int events)
{
	struct vhost_link *l = poll->data;
	int fd = accept4(l->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	/* The next front end waits in the backlog until this one is gone. */
	uv_poll_stop(&l->accept);
	connected(l, fd);
}

static void serve(uv_timer_t *timer)
{
	struct vhost_link *l = timer->data;

	uv_poll_start(&l->accept, UV_READABLE, on_accept);
}

/* At once, when the last connection was not just made; after a bad peer later and later. */
static void look_for_peer(struct vhost_link *l)
{
	unsigned later = l->delay_ms ? 2 * l->delay_ms : RETRY_MS;
	uint64_t lived = uv_now(l->loop) - l->since, rest = lived < RETRY_MS ? RETRY_MS - lived : 0;

	l->delay_ms = !l->bad_peer ? 0 : later < RETRY_BAD_MAX_MS ? later : RETRY_BAD_MAX_MS;
	uv_timer_start(&l->retry, l->role == VHOST_CLIENT ? try_connect : serve,
	               rest > l->delay_ms ? rest : l->delay_ms, 0);
}

/* ---- server role ---- */

/* Removes a socket that nobody listens on. 0 or -errno. */
static int remove_stale(const struct sockaddr_un *a, struct error *e)
{
	struct stat st;
	int fd, rc;

	if (lstat(a->sun_path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(e, EEXIST, "%s is not a socket", a->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(e, errno, "socket: %s", strerror(errno));
	rc = connect(fd, (const struct sockaddr *)a, sizeof(*a)) ? errno : 0;
	close(fd);
	if (rc != ECONNREFUSED)
		return error_set(e, EADDRINUSE, "somebody else listens on %s", a->sun_path);
	unlink(a->sun_path);
	return 0;
}

static int listen_on(struct vhost_link *l, struct error *e)
{
	int rc = remove_stale(&l->address, e);

	if (rc)
		return rc;
	l->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->listen_fd < 0)
		return error_set(e, errno, "socket: %s", strerror(errno));
	if (bind(l->listen_fd, (struct sockaddr *)&l->address, sizeof(l->address))) {
		rc = error_set(e, errno, "%s: %s", l->address.sun_path, strerror(errno));
		goto err_close;
	}
	if (chmod(l->address.sun_path, 0660) || listen(l->listen_fd, 4)) {
		rc = error_set(e, errno, "%s: %s", l->address.sun_path, strerror(errno));
		goto err_unlink;
	}
	rc = uv_poll_init(l->loop, &l->accept, l->listen_fd);
	if (rc) {
		error_set(e, -rc, "%s: %s", l->address.sun_path, uv_strerror(rc));
		goto err_unlink;
	}
	l->accept.data = l;
	return 0;

err_unlink:
	unlink(l->address.sun_path);
err_close:
	close(l->listen_fd);
	l->listen_fd = -1;
	return rc;
}

int link_start(struct vhost_link *l, uv_loop_t *loop, struct vhost_session *session, enum vhost_role role,
               const char *path, struct error *e)
{
	int rc;

	*l = (struct vhost_link){.loop = loop, .session = session, .role = role, .listen_fd = -1};
	l->channel.fd = -1;
	l->address.sun_family = AF_UNIX;
	if (!path[0] || strlen(path) >= sizeof(l->address.sun_path))
		return error_set(e, ENAMETOOLONG, "socket: a path of 1 to %zu bytes is expected",
		                 sizeof(l->address.sun_path) - 1);
	strcpy(l->address.sun_path, path);
	if (role == VHOST_SERVER) {
		rc = listen_on(l, e);
		if (rc)
			return rc;
	}
	session_init(session, session->v, &session_ops, l);
	uv_timer_init(loop, &l->retry);
	l->retry.data = l;
	look_for_peer(l);
	return 0;
}

void link_stop(struct vhost_link *l, void (*stopped)(void *arg), void *arg)
{
	l->stopped = stopped;
	l->stopped_arg = arg;
	l->stopping = true;
	uv_timer_stop(&l->retry);
	if (l->channel.fd >= 0)
		disconnect(l);
	else if (!l->connected)
		close_handles(l);
	/* else it is disconnecting already, and one_gone() goes on */
}
