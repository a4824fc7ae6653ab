/* SPDX-License-Identifier: Apache-2.0 */
/* A client's socket: framing, bounded output, waiting. Called by server.c on accept, and by libuv. */
#include "control/openflow/connection.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

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
	free(c);
	server_release(server);
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	c->closed = true;
	release(c);
}

void connection_close(struct connection *c)
{
	if (c->closing)
		return;
	c->closing = true;
	multipart_end(c);
	bundles_free(c);
	ofp_writer_free(&c->in);
	ofp_writer_free(&c->out);
	uv_close(&c->handle, on_closed);
}

size_t connection_queued(const struct connection *c)
{
	return c->out.len + uv_stream_get_write_queue_size(&c->stream);
}

static void on_written(uv_write_t *req, int status)
{
	struct write *w = (struct write *)req;
	struct connection *c = req->data;

	free(w->data);
	free(w);
	if (c->closing)
		return;
	if (status < 0 || (c->last_words && !connection_queued(c)))
		connection_close(c);
	else if (connection_queued(c) <= OFP_OUTPUT_LOW)
		connection_run(c);
}

void connection_flush(struct connection *c)
{
	struct write *w;
	uv_buf_t buf;

	if (c->closing || !c->out.len)
		return;
	w = c->out.failed ? NULL : malloc(sizeof(*w));
	if (!w) {
		log_warn("openflow: out of memory, closing a connection");
		connection_close(c);
		return;
	}
	w->data = c->out.data;
	w->req.data = c;
	buf = uv_buf_init((char *)c->out.data, (unsigned)c->out.len);
	memset(&c->out, 0, sizeof(c->out));
	if (uv_write(&w->req, &c->stream, &buf, 1, on_written) < 0) {
		free(w->data);
		free(w);
		connection_close(c);
	}
}

/* ---- input ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct connection *c = handle->data;

	*buf = uv_buf_init((char *)c->server->read_buffer, sizeof(c->server->read_buffer));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *c = stream->data;

	if (n < 0) {
		connection_close(c);
		return;
	}
	ofp_put_bytes(&c->in, buf->base, (size_t)n);
	if (c->in.failed)
		connection_close(c);
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
		connection_close(c);
}

static bool may_go_on(const struct connection *c)
{
	return !c->closing && !c->last_words && !c->waiting && connection_queued(c) < OFP_OUTPUT_HIGH;
}

/* Handles the whole messages that lie in `in`. True when there is nothing to do but to read more. */
static bool handle_input(struct connection *c)
{
	size_t at = 0;

	while (may_go_on(c) && !c->multipart.kind) {
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
		dispatch(c, c->in.data + at, h.length);
		at += h.length;
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

	if (c->running || c->closing)
		return;
	c->running = true;
	if (may_go_on(c) && c->multipart.kind && !connection_queued(c))
		multipart_step(c);
	want_more = handle_input(c);
	if (!c->closing)
		connection_flush(c);
	if (!c->closing)
		set_reading(c, want_more);
	c->running = false;
	if (!c->closing && c->last_words && !connection_queued(c))
		connection_close(c);
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

void connection_accept(struct listener *listener)
{
	struct ofp_server *server = listener->server;
	struct connection *c = calloc(1, sizeof(*c));
	bool local = listener->path;

	if (!c)
		return;
	c->server = server;
	c->service = local;
	c->miss_send_len = local ? 0 : 128;
	c->role = OFPCR_EQUAL;
	c->async = (struct async_config){{3, 0}, {7, 7}, {15, 0}};
	LIST_INIT(&c->bundles);
	LIST_INSERT_HEAD(&server->connections, c, link);
	if (local)
		uv_pipe_init(server->loop, &c->pipe, 0);
	else
		uv_tcp_init(server->loop, &c->tcp);
	c->handle.data = c;
	if (uv_accept(&listener->stream, &c->stream) < 0) {
		connection_close(c);
		return;
	}
	ofp_put_hello(&c->out, 0);
	connection_run(c);
}
