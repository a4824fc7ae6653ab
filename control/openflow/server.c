/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint's sockets, and what it tells all controllers. Called by switchd. */
#include "control/openflow/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "control/openflow/connection.h"
#include "control/openflow/tls.h"

enum { BACKLOG = 64 };

struct ofp_server *ofp_server_create(uv_loop_t *loop, const struct ofp_switch_ops *ops, void *ctx)
{
	struct ofp_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->loop = loop;
	server->ops = ops;
	server->ctx = ctx;
	LIST_INIT(&server->connections);
	LIST_INIT(&server->listeners);
	LIST_INIT(&server->controllers);
	server->config = OFP_CONTROLLERS_DEFAULT;
	server->random = uv_hrtime() | 1;
	server->wake_at = UINT64_MAX;
	uv_timer_init(loop, &server->timer);
	server->timer.data = server;
	return server;
}

void server_release(struct ofp_server *server)
{
	if (!server->closing || !server->timer_closed || !LIST_EMPTY(&server->connections) ||
	    !LIST_EMPTY(&server->listeners) || !LIST_EMPTY(&server->controllers))
		return;
	if (server->closed)
		server->closed(server->closed_arg);
	tls_context_free(server->tls);
	free(server);
}

static void on_timer(uv_timer_t *timer)
{
	struct ofp_server *server = timer->data;
	uint64_t now = uv_now(server->loop), next;
	struct connection *c;

	server->wake_at = UINT64_MAX;
	next = controllers_check(server, now);
	LIST_FOREACH(c, &server->connections, link)
	{
		uint64_t at = connection_check(c, now);

		next = at < next ? at : next;
	}
	server_wake(server, next);
}

void server_wake(struct ofp_server *server, uint64_t at)
{
	uint64_t now = uv_now(server->loop);

	if (server->closing || at >= server->wake_at)
		return;
	server->wake_at = at;
	uv_timer_start(&server->timer, on_timer, at > now ? at - now : 0, 0);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct ofp_server *server = handle->data;

	server->timer_closed = true;
	server_release(server);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;
	struct ofp_server *server = l->server;

	LIST_REMOVE(l, link);
	free(l->path);
	free(l);
	server_release(server);
}

void ofp_server_close(struct ofp_server *server, void (*closed)(void *arg), void *arg)
{
	struct connection *c;
	struct listener *l;

	if (!server) {
		if (closed)
			closed(arg);
		return;
	}
	server->closing = true;
	server->closed = closed;
	server->closed_arg = arg;
	controllers_close(server);
	LIST_FOREACH(c, &server->connections, link)
	connection_close(c, NULL);
	LIST_FOREACH(l, &server->listeners, link)
	{
		if (l->path)
			unlink(l->path);
		uv_close(&l->handle, on_listener_closed);
	}
	uv_close((uv_handle_t *)&server->timer, on_timer_closed);
}

static void on_connection(uv_stream_t *stream, int status)
{
	if (status == 0)
		connection_accept(stream->data);
}

static struct listener *add_listener(struct ofp_server *server)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l) {
		l->server = server;
		LIST_INSERT_HEAD(&server->listeners, l, link);
	}
	return l;
}

/* Does a process listen there? A connect to a socket file that was left behind is refused. */
static bool is_alive(int fd, const struct sockaddr_un *sa)
{
	return connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 || errno == EAGAIN;
}

static int bind_unix(const char *path, struct error *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, probe, rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return error_set(e, ENAMETOOLONG, "%s: the path of a socket has at most %zu bytes", path,
		                 sizeof(sa.sun_path) - 1);
	strcpy(sa.sun_path, path);
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || probe < 0) {
		rc = error_set(e, errno, "%s: %s", path, strerror(errno));
		goto err;
	}
	if (is_alive(probe, &sa)) {
		rc = error_set(e, EADDRINUSE, "%s: another process listens there", path);
		goto err;
	}
	if (errno == ECONNREFUSED)
		unlink(path);
	if (fchmod(fd, 0660) < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    chmod(path, 0660) < 0) {
		rc = error_set(e, errno, "%s: %s", path, strerror(errno));
		goto err;
	}
	close(probe);
	return fd;
err:
	if (fd >= 0)
		close(fd);
	if (probe >= 0)
		close(probe);
	return rc;
}

static int start(struct listener *l, const char *what, int rc, struct error *e)
{
	if (rc == 0)
		rc = uv_listen(&l->stream, BACKLOG, on_connection);
	if (rc == 0)
		return 0;
	uv_close(&l->handle, on_listener_closed);
	return error_set(e, -rc, "%s: %s", what, uv_strerror(rc));
}

static int listen_unix(struct ofp_server *server, const char *path, enum connection_kind kind,
                       struct error *e)
{
	char *copy = strdup(path);
	int fd = copy ? bind_unix(path, e) : error_set(e, ENOMEM, "out of memory");
	struct listener *l = fd < 0 ? NULL : add_listener(server);

	if (!l) {
		if (fd >= 0) {
			close(fd);
			fd = error_set(e, ENOMEM, "out of memory");
		}
		free(copy);
		return fd;
	}
	l->path = copy;
	l->kind = kind;
	uv_pipe_init(server->loop, &l->pipe, 0);
	l->handle.data = l;
	return start(l, path, uv_pipe_open(&l->pipe, fd), e);
}

int ofp_server_listen_unix(struct ofp_server *server, const char *path, struct error *e)
{
	return listen_unix(server, path, CONNECTION_SERVICE, e);
}

int ofp_server_listen_snoop(struct ofp_server *server, const char *path, struct error *e)
{
	return listen_unix(server, path, CONNECTION_SNOOP, e);
}

int ofp_server_set_tls(struct ofp_server *server, const struct tls_files *files, struct error *e)
{
	struct tls_context *fresh;
	int rc = tls_context_create(files, &fresh, e);

	if (rc)
		return rc;
	tls_context_free(server->tls);
	server->tls = fresh;
	return 0;
}

int ofp_server_listen(struct ofp_server *server, const char *target, struct error *e)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} at;
	struct ofp_target to;
	struct listener *l;
	int rc = ofp_target_parse_passive(target, &to, e);

	if (rc)
		return rc;
	if (uv_ip4_addr(to.host, to.port, &at.in) < 0 && uv_ip6_addr(to.host, to.port, &at.in6) < 0)
		return error_set(e, EINVAL, "%s: expected an IPv4 or IPv6 address", target);
	if (to.tls && !server->tls)
		return error_set(e, EINVAL, "%s: needs a private key, a certificate and a CA", target);
	l = add_listener(server);
	if (!l)
		return error_set(e, ENOMEM, "out of memory");
	l->kind = CONNECTION_CONTROLLER;
	l->tls = to.tls;
	uv_tcp_init(server->loop, &l->tcp);
	l->handle.data = l;
	rc = uv_tcp_bind(&l->tcp, &at.sa, 0);
	return start(l, target, rc, e);
}
