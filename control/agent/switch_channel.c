/* SPDX-License-Identifier: Apache-2.0 */
/* The standing connection to the switch; see switch_channel.h. Used by agent.c. */
#include "control/agent/switch_channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/pipeline.h"
#include "control/openflow/messages.h"

enum { OFP_SET_CONFIG_LEN = 4, PACKET_IN_FIXED = 16 };

struct switch_channel {
	uv_loop_t *loop;
	uv_pipe_t *pipe; /* NULL: none now; each connection has one of its own */
	uv_timer_t retry;
	struct switch_channel_events events;
	char path[108];
	bool greeted;
	uint8_t *in; /* received and not consumed */
	size_t used, size;
};

struct sending {
	uv_write_t request;
	struct ofp_writer w;
};

static void try_connect(uv_timer_t *timer);

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static void drop_pipe(struct switch_channel *c)
{
	bool was = c->greeted;

	if (!c->pipe)
		return;
	c->pipe->data = NULL;
	uv_close((uv_handle_t *)c->pipe, on_closed);
	c->pipe = NULL;
	c->greeted = false;
	c->used = 0;
	if (was)
		c->events.down(c->events.arg);
}

static void lose(struct switch_channel *c)
{
	drop_pipe(c);
	uv_timer_start(&c->retry, try_connect, CHANNEL_RETRY_MS, 0);
}

/* ---- out ---- */

static void on_sent(uv_write_t *request, int status)
{
	struct sending *s = (struct sending *)request;

	ofp_writer_free(&s->w);
	free(s);
}

/* Sends what `w` holds and frees it. */
static void transmit(struct switch_channel *c, struct ofp_writer *w)
{
	struct sending *s = calloc(1, sizeof(*s));
	uv_buf_t buf;

	if (!s || w->failed || uv_stream_get_write_queue_size((uv_stream_t *)c->pipe) > CHANNEL_QUEUE_MAX) {
		ofp_writer_free(w);
		free(s);
		return;
	}
	s->w = *w;
	buf = uv_buf_init((char *)s->w.data, (unsigned)s->w.len);
	if (uv_write(&s->request, (uv_stream_t *)c->pipe, &buf, 1, on_sent))
		on_sent(&s->request, -1);
}

void switch_channel_send(struct switch_channel *c, uint32_t port, const uint8_t *frame, size_t len)
{
	struct ofp_packet_out out = {.in_port = OFPP_CONTROLLER, .data = frame, .len = len};
	struct action_list actions;
	struct ofp_writer w = {0};
	struct action *a;

	if (!c->greeted)
		return;
	action_list_init(&actions);
	a = action_list_append(&actions, ACTION_OUTPUT);
	if (a) {
		a->output.port = port;
		out.actions = &actions;
		ofp_put_packet_out(&w, 0, &out);
		transmit(c, &w);
	}
	action_list_free(&actions);
}

/* Packets whole, for us only. */
static void ask_for_packets(struct switch_channel *c)
{
	struct ofp_writer w = {0};
	size_t start = ofp_begin(&w, OFPT_SET_CONFIG, 0);

	ofp_put_u16(&w, 0);
	ofp_put_u16(&w, 0xffff);
	ofp_end(&w, start);
	start = ofp_begin(&w, OFPT_EXPERIMENTER, 0);
	ofp_put_u32(&w, NX_EXPERIMENTER);
	ofp_put_u32(&w, NXT_SET_CONTROLLER_ID);
	ofp_put_zero(&w, 6);
	ofp_put_u16(&w, AGENT_CONTROLLER_ID);
	ofp_end(&w, start);
	transmit(c, &w);
}

/* ---- in ---- */

/* OpenFlow 1.3, section 7.4.1. */
static void take_packet(struct switch_channel *c, const uint8_t *body, size_t len)
{
	struct ofp_reader r = ofp_reader_of(body, len), match;
	uint64_t cookie;
	uint32_t in_port = 0;
	size_t match_len;

	ofp_skip(&r, 4 + 2 + 1 + 1); /* buffer, total length, reason, table */
	cookie = ofp_get_u64(&r);
	ofp_skip(&r, 2);
	match_len = ofp_get_u16(&r);
	if (r.failed || match_len < 4)
		return;
	match = ofp_get_part(&r, match_len - 4);
	ofp_skip(&r, (8 - match_len % 8) % 8 + 2);
	while (ofp_left(&match) >= 4) { /* OXM fields: the port is all we need */
		uint32_t header = ofp_get_u32(&match);
		size_t n = header & 0xff;

		if (header == 0x80000004)
			in_port = ofp_get_u32(&match);
		else
			ofp_skip(&match, n);
	}
	if (!r.failed && in_port)
		c->events.packet(c->events.arg, cookie, in_port, r.at, ofp_left(&r));
}

static void take_message(struct switch_channel *c, const struct ofp_header *h, const uint8_t *message)
{
	struct ofp_writer w = {0};

	if (h->type == OFPT_HELLO && !c->greeted) {
		ask_for_packets(c);
		c->greeted = true;
		c->events.up(c->events.arg);
	} else if (h->type == OFPT_ECHO_REQUEST) {
		ofp_put_message(&w, OFPT_ECHO_REPLY, h->xid, message + OFP_HEADER_LEN,
		                h->length - OFP_HEADER_LEN);
		transmit(c, &w);
	} else if (h->type == OFPT_PORT_STATUS) {
		c->events.ports(c->events.arg);
	} else if (h->type == OFPT_PACKET_IN) {
		take_packet(c, message + OFP_HEADER_LEN, h->length - OFP_HEADER_LEN);
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct switch_channel *c = handle->data;

	if (!c->in) {
		c->size = 4 * (size_t)OFP_MESSAGE_MAX;
		c->in = malloc(c->size);
	}
	*buf = uv_buf_init((char *)c->in + c->used, c->in ? (unsigned)(c->size - c->used) : 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct switch_channel *c = stream->data;
	size_t at = 0;

	if (!c)
		return;
	if (n < 0) {
		lose(c);
		return;
	}
	c->used += (size_t)n;
	while (c->used - at >= OFP_HEADER_LEN) {
		struct ofp_header h = ofp_read_header(c->in + at);

		if (h.length < OFP_HEADER_LEN) {
			lose(c);
			return;
		}
		if (h.length > c->used - at)
			break;
		take_message(c, &h, c->in + at);
		if (!c->pipe)
			return; /* lost while it was served */
		at += h.length;
	}
	memmove(c->in, c->in + at, c->used - at);
	c->used -= at;
}

/* ---- connecting ---- */

static void on_connected(uv_connect_t *request, int status)
{
	struct switch_channel *c = request->handle->data;
	struct ofp_writer w = {0};

	free(request);
	if (!c)
		return;
	if (status || uv_read_start((uv_stream_t *)c->pipe, on_alloc, on_read)) {
		lose(c);
		return;
	}
	ofp_put_hello(&w, 0, 1u << OFP_VERSION_13);
	transmit(c, &w);
}

static void try_connect(uv_timer_t *timer)
{
	struct switch_channel *c = timer->data;
	uv_connect_t *request = malloc(sizeof(*request));

	c->pipe = malloc(sizeof(*c->pipe));
	if (!request || !c->pipe) {
		free(request);
		free(c->pipe);
		c->pipe = NULL;
		uv_timer_start(&c->retry, try_connect, CHANNEL_RETRY_MS, 0);
		return;
	}
	uv_pipe_init(c->loop, c->pipe, 0);
	c->pipe->data = c;
	uv_pipe_connect(request, c->pipe, c->path, on_connected);
}

struct switch_channel *switch_channel_create(uv_loop_t *loop, const char *path,
                                             const struct switch_channel_events *events)
{
	struct switch_channel *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->loop = loop;
	c->events = *events;
	snprintf(c->path, sizeof(c->path), "%s", path);
	uv_timer_init(loop, &c->retry);
	c->retry.data = c;
	try_connect(&c->retry);
	return c;
}

static void on_retry_closed(uv_handle_t *handle)
{
	struct switch_channel *c = handle->data;

	free(c->in);
	free(c);
}

void switch_channel_destroy(struct switch_channel *c)
{
	if (!c)
		return;
	c->greeted = false; /* no event any more */
	drop_pipe(c);
	uv_close((uv_handle_t *)&c->retry, on_retry_closed);
}
