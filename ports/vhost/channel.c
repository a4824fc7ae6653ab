/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over the socket; see channel.h. Driven by the event loop for link.c. */
#include "ports/vhost/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES_PER_TURN = 64 }; /* of the event loop: a peer that never stops holds up nobody else */

static void drop_fds(struct vhost_message *m)
{
	for (unsigned i = 0; i < m->nfds; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	m->nfds = 0;
}

/* Takes the fds of what was just received; false when there are more than a message may have. */
static bool collect_fds(struct vhost_message *m, struct msghdr *msg)
{
	bool fits = !(msg->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		unsigned n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		for (unsigned i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (m->nfds < VHOST_FDS_MAX) {
				m->fds[m->nfds++] = fd;
			} else {
				close(fd);
				fits = false;
			}
		}
	}
	return fits;
}

/* Bytes that are missing to the header or, once that is there, to the message. */
static size_t missing(const struct vhost_channel *c)
{
	size_t whole = sizeof(c->in.header);

	if (c->got >= whole)
		whole += c->in.header.size;
	return whole - c->got;
}

static ssize_t receive(struct vhost_channel *c, size_t want)
{
	union {
		char bytes[CMSG_SPACE(VHOST_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	bool header = c->got < sizeof(c->in.header);
	uint8_t *to = header ? (uint8_t *)&c->in.header + c->got
	                     : c->in.payload.bytes + (c->got - sizeof(c->in.header));
	struct iovec iov = {.iov_base = to, .iov_len = want};
	struct msghdr msg = {.msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = control.bytes,
	                     .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n >= 0 && !collect_fds(&c->in, &msg)) {
		errno = EPROTO;
		return -1;
	}
	return n;
}

/* Reads until the message is whole: 1, 0 when the rest is not there yet, -1 when the connection has ended. */
static int read_message(struct vhost_channel *c, const char **why)
{
	size_t want;

	while ((want = missing(c))) {
		ssize_t n = receive(c, want);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0) {
			*why = n == 0            ? "the peer closed the connection"
			       : errno == EPROTO ? "too many fds"
			                         : strerror(errno);
			return -1;
		}
		c->got += (size_t)n;
		if (c->got == sizeof(c->in.header) && c->in.header.size > sizeof(c->in.payload)) {
			*why = "message longer than any request";
			return -1;
		}
	}
	return 1;
}

static void read_all(struct vhost_channel *c)
{
	const char *why = "";

	for (unsigned i = 0; i < MESSAGES_PER_TURN && c->fd >= 0 && !c->paused; i++) {
		int rc = read_message(c, &why);

		if (rc < 0)
			c->ops->end(c->arg, why);
		if (rc <= 0)
			return;
		/* What the payload does not fill must not hold an earlier message's bytes. */
		memset(c->in.payload.bytes + c->in.header.size, 0, sizeof(c->in.payload) - c->in.header.size);
		c->got = 0;
		/* Paused before, so that a close meanwhile leaves the fds to the handler. */
		c->paused = true;
		if (!c->ops->message(c->arg, &c->in))
			return;
		c->paused = false;
		drop_fds(&c->in);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct vhost_channel *c)
{
	int events = (c->paused ? 0 : UV_READABLE) | (c->out_len ? UV_WRITABLE : 0);

	if (c->fd < 0)
		return;
	/* A hang-up is seen through reading, when the message that is being handled is done. */
	if (events)
		uv_poll_start(&c->poll, events, on_poll);
	else
		uv_poll_stop(&c->poll);
}

static void flush(struct vhost_channel *c)
{
	ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			c->ops->end(c->arg, strerror(errno));
		return;
	}
	c->out_len -= (size_t)n;
	memmove(c->out, c->out + n, c->out_len);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct vhost_channel *c = poll->data;

	if (c->out_len)
		flush(c);
	read_all(c);
	watch(c);
}

int channel_open(struct vhost_channel *c, uv_loop_t *loop, int fd, const struct vhost_channel_ops *ops,
                 void *arg)
{
	int rc;

	*c = (struct vhost_channel){.ops = ops, .arg = arg, .fd = fd};
	rc = uv_poll_init(loop, &c->poll, fd);
	if (rc) {
		c->fd = -1;
		return rc;
	}
	c->poll.data = c;
	watch(c);
	return 0;
}

void channel_send(struct vhost_channel *c, const struct vhost_message *m)
{
	size_t n = sizeof(m->header) + m->header.size;

	if (c->fd < 0)
		return;
	if (c->out_len + n > sizeof(c->out)) {
		c->ops->end(c->arg, "the peer does not read its replies");
		return;
	}
	memcpy(c->out + c->out_len, &m->header, sizeof(m->header));
	memcpy(c->out + c->out_len + sizeof(m->header), &m->payload, m->header.size);
	c->out_len += n;
	flush(c);
	watch(c);
}

void channel_resume(struct vhost_channel *c)
{
	if (c->fd < 0)
		return;
	c->paused = false;
	drop_fds(&c->in);
	read_all(c);
	watch(c);
}

static void on_closed(uv_handle_t *handle)
{
	struct vhost_channel *c = handle->data;

	c->ops->closed(c->arg);
}

void channel_close(struct vhost_channel *c)
{
	if (c->fd < 0)
		return;
	uv_poll_stop(&c->poll);
	close(c->fd);
	c->fd = -1;
	/* The fds of a message that is being handled are its handler's. */
	if (!c->paused)
		drop_fds(&c->in);
	uv_close((uv_handle_t *)&c->poll, on_closed);
}
