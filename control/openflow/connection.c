/* SPDX-License-Identifier: Apache-2.0 */
/* A client's socket: framing, bounded output, waiting. Called by server.c on accept, and by libuv. */
#include "control/openflow/monitor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/openflow/tls.h"

struct write {
	uv_write_t req;
	uint8_t *data;
};

static void release(struct connection *c)
{
	struct ofp_server *server = c->server;

	if (!c->closed || c->waiting)
		return;
	LIST_REMOVE(c, link);
	server->n_connections--;
	server->n_snoops -= c->kind == CONNECTION_SNOOP;
	free(c);
	server_release(server);
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	c->closed = true;
	release(c);
}

void connection_close(struct connection *c, const char *why, ...)
{
	struct error e = {""};
	va_list args;

	if (c->closing)
		return;
	c->closing = true;
	va_start(args, why);
	if (why)
		vsnprintf(e.text, sizeof(e.text), why, args);
	va_end(args);
	if (c->controller)
		controller_lost(c->controller, &e);
	multipart_end(c);
	pieces_free(c);
	bundles_free(c);
	monitors_free(c);
	async_changed(c);
	ofp_writer_free(&c->in);
	ofp_writer_free(&c->out);
	tls_session_free(c->tls);
	c->tls = NULL;
	uv_close(&c->handle, on_closed);
}

size_t connection_queued(const struct connection *c)
{
	return c->out.len + uv_stream_get_write_queue_size(&c->stream);
}

static void close_after_last_words(struct connection *c)
{
	connection_close(c, "%s",
	                 c->greeted ? "a message shorter than its header" : "no common version of OpenFlow");
}

/* A sign of life. */
static void hear(struct connection *c)
{
	c->since = uv_now(c->server->loop);
	c->doubt = HEARD;
}

static void on_written(uv_write_t *req, int status)
{
	struct write *w = (struct write *)req;
	struct connection *c = req->data;

	free(w->data);
	free(w);
	if (c->closing)
		return;
	if (c->multipart.kind) /* who takes a long answer may not read our echo requests meanwhile */
		hear(c);
	if (status < 0)
		connection_close(c, "%s", uv_strerror(status));
	else if (c->last_words && !connection_queued(c))
		close_after_last_words(c);
	else if (connection_queued(c) <= OFP_OUTPUT_LOW)
		connection_run(c);
}

/* Hands bytes to the socket; consumes them. */
static void transmit(struct connection *c, struct ofp_writer *bytes)
{
	struct write *w;
	uv_buf_t buf;
	int rc;

	if (!bytes->len && !bytes->failed)
		return;
	w = bytes->failed ? NULL : malloc(sizeof(*w));
	if (!w) {
		log_warn("openflow: out of memory, closing a connection");
		ofp_writer_free(bytes);
		connection_close(c, "out of memory");
		return;
	}
	w->data = bytes->data;
	w->req.data = c;
	buf = uv_buf_init((char *)bytes->data, (unsigned)bytes->len);
	*bytes = (struct ofp_writer){.version = bytes->version};
	rc = uv_write(&w->req, &c->stream, &buf, 1, on_written);
	if (rc < 0) {
		free(w->data);
		free(w);
		connection_close(c, "%s", uv_strerror(rc));
	}
}

void connection_flush(struct connection *c)
{
	struct ofp_writer wire = {NULL};

	if (c->closing || !c->open || (c->tls && !tls_ready(c->tls)))
		return;
	if (c->kind == CONNECTION_CONTROLLER && !c->out.failed)
		snoop(c->server, c->out.data, c->out.len);
	if (!c->tls) {
		transmit(c, &c->out);
		return;
	}
	if (c->out.failed || tls_send(c->tls, c->out.data, c->out.len, &wire) < 0)
		wire.failed = true;
	ofp_writer_free(&c->out);
	transmit(c, &wire);
}

/* ---- input ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct connection *c = handle->data;

	*buf = uv_buf_init((char *)c->server->read_buffer, sizeof(c->server->read_buffer));
}

/* Takes bytes of a TLS session (none: starts it). */
static void decrypt(struct connection *c, const void *bytes, size_t n)
{
	struct ofp_writer wire = {NULL};
	struct error e = {""};
	int rc = tls_receive(c->tls, bytes, n, &c->in, &wire, &e);

	transmit(c, &wire); /* also the alert that says what is wrong */
	if (rc < 0)
		connection_close(c, "%s", e.text);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *c = stream->data;

	if (n < 0) {
		connection_close(c, "%s",
		                 n == UV_EOF ? "the peer closed the connection" : uv_strerror((int)n));
		return;
	}
	if (c->greeted)
		hear(c);
	if (c->tls)
		decrypt(c, buf->base, (size_t)n);
	else
		ofp_put_bytes(&c->in, buf->base, (size_t)n);
	/* libuv would read on while there is more: who floods us waits for the loop's next turn */
	c->resting = n == sizeof(c->server->read_buffer);
	if (c->in.failed)
		connection_close(c, "out of memory");
	else
		connection_run(c);
}

static void set_reading(struct connection *c, bool reading)
{
	if (c->reading == reading)
		return;
	c->reading = reading;
	if (!reading)
		uv_read_stop(&c->stream);
	else if (uv_read_start(&c->stream, on_alloc, on_read) < 0)
		connection_close(c, "cannot be read from");
}

static bool may_go_on(const struct connection *c)
{
	return !c->closing && !c->last_words && !c->waiting && connection_queued(c) < OFP_OUTPUT_HIGH;
}

static void greeted(struct connection *c)
{
	hear(c);
	if (c->controller)
		controller_connected(c->controller);
}

/* One whole message. Who listens in may only say HELLO and ask for an echo. */
static void take(struct connection *c, const struct ofp_header *h, const uint8_t *message)
{
	if (c->kind == CONNECTION_CONTROLLER)
		snoop(c->server, message, h->length);
	if (c->kind != CONNECTION_SNOOP || !c->greeted || h->type == OFPT_ECHO_REQUEST)
		dispatch(c, message, h->length);
}

/* Handles the whole messages that lie in `in`. True when there is nothing to do but to read more. */
static bool handle_input(struct connection *c)
{
	size_t at = 0;

	while (may_go_on(c) && !c->multipart.kind) {
		bool was_greeted = c->greeted;
		struct ofp_header h;

		if (c->in.len - at < OFP_HEADER_LEN)
			break;
		h = ofp_read_header(c->in.data + at);
		if (h.length < OFP_HEADER_LEN) { /* the frames cannot be found any more */
			reply_error(c, c->in.data + at, OFP_HEADER_LEN, OFPBRC_BAD_LEN);
			c->last_words = true;
			break;
		}
		if (c->in.len - at < h.length)
			break;
		take(c, &h, c->in.data + at);
		at += h.length;
		if (c->greeted && !was_greeted)
			greeted(c);
	}
	if (c->closing)
		return false;
	if (at)
		memmove(c->in.data, c->in.data + at, c->in.len - at);
	c->in.len -= at;
	if (!c->in.len)
		ofp_writer_free(&c->in);
	return may_go_on(c) && !c->multipart.kind;
}

void connection_run(struct connection *c)
{
	bool want_more;

	if (c->running || c->closing || !c->open)
		return;
	c->running = true;
	if (may_go_on(c) && c->paused_at && !c->multipart.kind && !connection_queued(c))
		multipart_refresh(c);
	if (may_go_on(c) && c->multipart.kind && !connection_queued(c))
		multipart_step(c);
	want_more = handle_input(c);
	if (!c->closing)
		connection_flush(c);
	if (!c->closing)
		set_reading(c, want_more && !c->resting);
	if (c->resting)
		server_wake(c->server, 0);
	c->running = false;
	if (!c->closing && c->last_words && !connection_queued(c))
		close_after_last_words(c);
}

void connection_wait(struct connection *c, uint32_t xid, void (*then)(struct connection *c))
{
	c->waiting = true;
	c->wait_xid = xid;
	c->then = then;
}

void connection_done(void *arg)
{
	struct connection *c = arg;

	c->waiting = false;
	if (c->closing) {
		release(c);
		return;
	}
	c->then(c);
	connection_run(c);
}

/* ---- beginning ---- */

static struct connection *create(struct ofp_server *server, enum connection_kind kind)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->server = server;
	c->kind = kind;
	c->since = uv_now(server->loop);
	c->miss_send_len = kind == CONNECTION_CONTROLLER ? 128 : 0;
	c->role = OFPCR_EQUAL;
	c->async = (struct async_config){{3, 0}, {7, 7}, {15, 0}};
	LIST_INIT(&c->bundles);
	LIST_INIT(&c->monitors);
	LIST_INSERT_HEAD(&server->connections, c, link);
	server->n_connections++;
	server->n_snoops += kind == CONNECTION_SNOOP;
	if (kind == CONNECTION_CONTROLLER)
		uv_tcp_init(server->loop, &c->tcp);
	else
		uv_pipe_init(server->loop, &c->pipe, 0);
	c->handle.data = c;
	return c;
}

/* The socket is there: HELLO, perhaps after a TLS handshake. */
static void begin(struct connection *c, bool tls)
{
	c->open = true;
	hear(c);
	if (c->kind == CONNECTION_CONTROLLER)
		uv_tcp_nodelay(&c->tcp, 1);
	ofp_put_hello(&c->out, 0, OFP_VERSIONS);
	if (tls) {
		c->tls = tls_session_create(c->server->tls, c->controller);
		if (!c->tls)
			connection_close(c, "out of memory");
		else
			decrypt(c, NULL, 0);
	}
	connection_run(c);
	server_wake(c->server, 0);
}

void connection_accept(struct listener *listener)
{
	struct ofp_server *server = listener->server;
	struct connection *c = create(server, listener->kind);

	if (!c)
		return;
	if (uv_accept(&listener->stream, &c->stream) < 0) {
		connection_close(c, NULL);
	} else if (server->n_connections > OFP_CONNECTIONS_MAX) {
		log_warn("openflow: refused a connection, there are %d", OFP_CONNECTIONS_MAX);
		connection_close(c, NULL);
	} else {
		begin(c, listener->tls);
	}
}

static void on_connected(uv_connect_t *req, int status)
{
	struct connection *c = req->data;

	if (c->closing)
		return;
	if (status < 0)
		connection_close(c, "%s", uv_strerror(status));
	else
		begin(c, c->controller->target.tls);
}

struct connection *connection_dial(struct controller *to, const struct sockaddr *address, struct error *e)
{
	struct connection *c = create(to->server, CONNECTION_CONTROLLER);
	int rc;

	if (!c) {
		error_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	c->connecting.data = c;
	rc = uv_tcp_connect(&c->connecting, &c->tcp, address, on_connected);
	if (rc < 0) {
		error_set(e, -rc, "%s", uv_strerror(rc));
		connection_close(c, NULL);
		return NULL;
	}
	c->controller = to;
	return c;
}

/* ---- is the peer alive? ---- */

/* How long the doubt about the peer may last, ms; 0: for ever. */
static uint32_t patience(const struct connection *c)
{
	if (c->doubt == DOUBTED)
		return 1;
	return c->greeted ? c->server->config.probe_ms : OFP_GREETING_MS;
}

uint64_t connection_check(struct connection *c, uint64_t now)
{
	if (c->resting) {
		c->resting = false;
		connection_run(c);
	}
	if (c->closing || c->kind != CONNECTION_CONTROLLER || !patience(c))
		return UINT64_MAX;
	if (now < c->since + patience(c))
		return c->since + patience(c);
	if (c->doubt == DOUBTED) {
		connection_close(c, "%s", c->open ? "the peer is silent" : "no connection in time");
		return UINT64_MAX;
	}
	/* When it was us who were held up, the answer waits in the socket: the loop reads once more first. */
	c->doubt = c->greeted && c->doubt == HEARD ? PROBED : DOUBTED;
	c->since = now;
	if (c->doubt == PROBED) {
		ofp_put_message(&c->out, OFPT_ECHO_REQUEST, 0, NULL, 0);
		connection_flush(c);
	}
	return now + patience(c);
}
