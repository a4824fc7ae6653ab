/* SPDX-License-Identifier: Apache-2.0 */
/* The blocking client: messages are collected, sent in large pieces, and replies found by their xid. Used by
 * weft-ofctl and tests. While it sends it also reads, so that a switch that answers at length cannot block
 * both sides. */
#include "control/openflow/client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "control/openflow/messages.h"

enum { FLUSH_AT = 64 * 1024, READ_ROOM = 128 * 1024 };

struct ofp_client {
	int fd;
	int timeout_ms;
	uint32_t next_xid;
	struct ofp_writer out; /* not sent yet */
	uint8_t *in;           /* received: [start, end) is not consumed */
	size_t in_start, in_end, in_size;
	bool refused; /* an error came for a message that nobody waited for */
	char refusal[160];
	void (*on_error)(const uint8_t *message, size_t len, void *arg);
	void *on_error_arg;
	bool asking; /* whoever waits takes errors himself */
};

/* ---- bytes ---- */

static int make_room(struct ofp_client *c)
{
	uint8_t *in;

	if (c->in_start)
		memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
	c->in_end -= c->in_start;
	c->in_start = 0;
	if (c->in_size - c->in_end >= READ_ROOM)
		return 0;
	in = realloc(c->in, c->in_size + READ_ROOM);
	if (!in)
		return -ENOMEM;
	c->in = in;
	c->in_size += READ_ROOM;
	return 0;
}

static int receive(struct ofp_client *c, struct error *e)
{
	ssize_t n;

	if (c->in_size - c->in_end < READ_ROOM / 2 && make_room(c))
		return error_set(e, ENOMEM, "out of memory");
	n = recv(c->fd, c->in + c->in_end, c->in_size - c->in_end, MSG_DONTWAIT);
	if (n > 0) {
		c->in_end += (size_t)n;
		return 0;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return error_set(e, n ? errno : ECONNRESET, n ? "receiving: %s" : "the switch closed the connection",
	                 n ? strerror(errno) : "");
}

static int wait_for(struct ofp_client *c, short events, short *got, struct error *e)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	int n;

	do {
		n = poll(&p, 1, c->timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(e, errno, "poll: %s", strerror(errno));
	if (!n)
		return error_set(e, ETIMEDOUT, "no answer within %d ms", c->timeout_ms);
	*got = p.revents;
	return 0;
}

static int flush_out(struct ofp_client *c, struct error *e)
{
	size_t sent = 0;
	short got = 0;
	int rc = 0;

	if (c->out.failed)
		return error_set(e, ENOMEM, "out of memory");
	while (sent < c->out.len && !rc) {
		ssize_t n;

		rc = wait_for(c, POLLIN | POLLOUT, &got, e);
		if (!rc && (got & POLLIN))
			rc = receive(c, e);
		if (rc || !(got & (POLLOUT | POLLERR | POLLHUP)))
			continue;
		n = send(c->fd, c->out.data + sent, c->out.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			sent += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			rc = error_set(e, errno, "sending: %s", strerror(errno));
	}
	ofp_writer_cut(&c->out, 0);
	return rc;
}

/* ---- messages ---- */

/* The next whole message; it stays valid until the next call. */
static int next_message(struct ofp_client *c, struct ofp_header *h, const uint8_t **message, struct error *e)
{
	for (;;) {
		size_t have = c->in_end - c->in_start;
		short got = 0;
		int rc;

		if (have >= OFP_HEADER_LEN) {
			*h = ofp_read_header(c->in + c->in_start);
			if (h->length < OFP_HEADER_LEN)
				return error_set(e, EPROTO, "the switch sent a message of length %u",
				                 h->length);
			if (have >= h->length) {
				*message = c->in + c->in_start;
				c->in_start += h->length;
				return 0;
			}
		}
		rc = wait_for(c, POLLIN, &got, e);
		if (!rc)
			rc = receive(c, e);
		if (rc)
			return rc;
	}
}

static void error_text(const uint8_t *message, size_t len, char *text, size_t size)
{
	struct ofp_reader r = ofp_reader_of(message + OFP_HEADER_LEN, len - OFP_HEADER_LEN);
	uint16_t type = ofp_get_u16(&r), code = ofp_get_u16(&r);
	bool nicira = type == 0xffff && ofp_get_u32(&r) == NX_EXPERIMENTER;
	uint16_t listed = nicira ? OFP_ERROR_NX : type == 0xffff ? OFP_ERROR_ONF : type;
	const char *name = ofp_error_name((enum ofp_error)(((uint32_t)listed << 16 | code) + 1));

	if (r.failed)
		snprintf(text, size, "the switch sent a malformed error");
	else if (name)
		snprintf(text, size, "the switch refused: %s", name);
	else
		snprintf(text, size, "the switch refused: error type %u, code %u", type, code);
}

static void tell_error(struct ofp_client *c, const uint8_t *message, size_t len)
{
	if (c->on_error)
		c->on_error(message, len, c->on_error_arg);
}

/* What came without being waited for: echo requests are answered, errors kept for the next barrier, the rest
 * is nothing to us. */
static void take_aside(struct ofp_client *c, const struct ofp_header *h, const uint8_t *message)
{
	if (h->type == OFPT_ECHO_REQUEST)
		ofp_put_message(&c->out, OFPT_ECHO_REPLY, h->xid, message + OFP_HEADER_LEN,
		                h->length - OFP_HEADER_LEN);
	if (h->type == OFPT_ERROR && !c->refused) {
		c->refused = true;
		tell_error(c, message, h->length);
		error_text(message, h->length, c->refusal, sizeof(c->refusal));
	}
}

static int wait_reply(struct ofp_client *c, uint32_t xid, struct ofp_header *h, const uint8_t **message,
                      struct error *e)
{
	char text[160];
	int rc;

	for (;;) {
		rc = next_message(c, h, message, e);
		if (rc)
			return rc;
		if (h->xid == xid && h->type == OFPT_ERROR) {
			if (!c->asking)
				tell_error(c, *message, h->length);
			error_text(*message, h->length, text, sizeof(text));
			return error_set(e, EPROTO, "%s", text);
		}
		if (h->xid == xid && h->type != OFPT_ECHO_REQUEST)
			return 0;
		take_aside(c, h, *message);
		if (c->out.len && (rc = flush_out(c, e)))
			return rc;
	}
}

static uint32_t put_with_xid(struct ofp_client *c, const void *message, size_t len)
{
	uint32_t xid = c->next_xid++, be = htobe32(xid);
	size_t at = c->out.len;

	ofp_put_bytes(&c->out, message, len);
	if (!c->out.failed)
		memcpy(c->out.data + at + 4, &be, sizeof(be));
	return xid;
}

uint32_t ofp_client_next_xid(const struct ofp_client *c)
{
	return c->next_xid;
}

int ofp_client_send(struct ofp_client *c, const void *message, size_t len, struct error *e)
{
	put_with_xid(c, message, len);
	return c->out.failed || c->out.len >= FLUSH_AT ? flush_out(c, e) : 0;
}

int ofp_client_transact(struct ofp_client *c, const void *message, size_t len, const uint8_t **reply,
                        size_t *reply_len, struct error *e)
{
	uint32_t xid = put_with_xid(c, message, len);
	struct ofp_header h;
	int rc = flush_out(c, e);

	if (!rc)
		rc = wait_reply(c, xid, &h, reply, e);
	if (!rc)
		*reply_len = h.length;
	return rc;
}

int ofp_client_barrier(struct ofp_client *c, struct error *e)
{
	struct ofp_writer w = {0};
	const uint8_t *reply;
	size_t len;
	int rc;

	ofp_put_message(&w, OFPT_BARRIER_REQUEST, 0, NULL, 0);
	rc = w.failed ? error_set(e, ENOMEM, "out of memory")
	              : ofp_client_transact(c, w.data, w.len, &reply, &len, e);
	ofp_writer_free(&w);
	if (!rc && c->refused) {
		c->refused = false;
		rc = error_set(e, EPROTO, "%s", c->refusal);
	}
	return rc;
}

int ofp_client_multipart(struct ofp_client *c, const void *message, size_t len,
                         int (*each)(const uint8_t *body, size_t len, void *arg, struct error *e), void *arg,
                         struct error *e)
{
	uint32_t xid = put_with_xid(c, message, len);
	struct ofp_header h = {0};
	const uint8_t *reply = NULL;
	bool more = true;
	int rc = flush_out(c, e);

	while (!rc && more) {
		rc = wait_reply(c, xid, &h, &reply, e);
		if (rc)
			break;
		if (h.type != OFPT_MULTIPART_REPLY || h.length < OFP_MULTIPART_LEN)
			return error_set(e, EPROTO, "the switch sent no multipart reply");
		more = reply[11] & OFPMPF_MORE;
		rc = each(reply + OFP_MULTIPART_LEN, h.length - OFP_MULTIPART_LEN, arg, e);
	}
	return rc;
}

int ofp_client_ask(struct ofp_client *c, const void *message, size_t len,
                   int (*each)(const uint8_t *reply, size_t len, void *arg, struct error *e), void *arg,
                   struct error *e)
{
	uint32_t xid = put_with_xid(c, message, len);
	struct ofp_header h = {0};
	const uint8_t *reply = NULL;
	bool more = true;
	int rc = flush_out(c, e);

	c->asking = true;
	while (!rc && more) {
		rc = wait_reply(c, xid, &h, &reply, e);
		more = !rc && h.type == OFPT_MULTIPART_REPLY && h.length >= OFP_MULTIPART_LEN &&
		       reply[11] & OFPMPF_MORE;
		if (!rc || (rc == -EPROTO && reply && h.type == OFPT_ERROR))
			rc = each(reply, h.length, arg, e);
	}
	c->asking = false;
	return rc;
}

int ofp_client_hear(struct ofp_client *c, bool answer, const uint8_t **message, size_t *len, struct error *e)
{
	struct ofp_header h;
	int timeout_ms = c->timeout_ms, rc;

	c->timeout_ms = -1;
	rc = flush_out(c, e);
	if (!rc)
		rc = next_message(c, &h, message, e);
	if (!rc && answer && h.type == OFPT_ECHO_REQUEST)
		take_aside(c, &h, *message);
	c->timeout_ms = timeout_ms;
	*len = rc ? 0 : h.length;
	return rc;
}

void ofp_client_on_error(struct ofp_client *c, void (*refused)(const uint8_t *message, size_t len, void *arg),
                         void *arg)
{
	c->on_error = refused;
	c->on_error_arg = arg;
}

/* ---- connecting ---- */

static int connect_unix(const char *path, struct error *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return error_set(e, ENAMETOOLONG, "connecting to unix:%s (path too long)", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(e, errno, "socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		int rc = error_set(e, errno, "connecting to unix:%s (%s)", path, strerror(errno));

		close(fd);
		return rc;
	}
	return fd;
}

/* "HOST:PORT", "[ADDRESS]:PORT" or "HOST" alone, which means port 6653. */
static int connect_tcp(const char *target, struct error *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *a;
	char host[128], *colon, *name = host;
	const char *port = "6653";
	int fd = -1, rc;

	snprintf(host, sizeof(host), "%s", target);
	colon = strrchr(host, ':');
	if (colon && (host[0] == '[' || strchr(host, ':') == colon)) {
		*colon = '\0';
		port = colon + 1;
	}
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		name = host + 1;
	}
	rc = getaddrinfo(name, port, &hints, &list);
	if (rc)
		return error_set(e, EINVAL, "connecting to tcp:%s (%s)", target, gai_strerror(rc));
	for (a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
			rc = errno;
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd >= 0 ? fd : error_set(e, rc ? rc : EIO, "connecting to tcp:%s (%s)", target, strerror(rc));
}

/* Both sides say what they speak (section 6.3.1). */
static int agree(struct ofp_client *c, struct error *e)
{
	const uint8_t *message = NULL;
	struct ofp_header h = {0};
	struct ofp_reader body;
	char text[160];
	int rc;

	ofp_put_hello(&c->out, c->next_xid++, 1u << OFP_VERSION_13);
	rc = flush_out(c, e);
	if (!rc)
		rc = next_message(c, &h, &message, e);
	if (rc)
		return rc;
	if (h.type == OFPT_ERROR) {
		error_text(message, h.length, text, sizeof(text));
		return error_set(e, EPROTO, "%s", text);
	}
	body = ofp_reader_of(message + OFP_HEADER_LEN, h.length - OFP_HEADER_LEN);
	if (h.type != OFPT_HELLO || !ofp_agree(h.version, &body, 1u << OFP_VERSION_13))
		return error_set(e, EPROTO, "the switch does not speak OpenFlow 1.3");
	return 0;
}

struct ofp_client *ofp_client_connect(const char *path, int timeout_ms, struct error *e)
{
	int fd = strncmp(path, "tcp:", 4) ? connect_unix(path, e) : connect_tcp(path + 4, e);
	struct ofp_client *c;

	if (fd < 0)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		error_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	c->fd = fd;
	c->timeout_ms = timeout_ms;
	c->next_xid = 1;
	if (agree(c, e)) {
		ofp_client_close(c);
		return NULL;
	}
	return c;
}

void ofp_client_close(struct ofp_client *c)
{
	if (!c)
		return;
	close(c->fd);
	ofp_writer_free(&c->out);
	free(c->in);
	free(c);
}
