/* SPDX-License-Identifier: Apache-2.0 */
/* One call: its headers, its messages (a zero byte, four bytes of length, the message), its status. */
#include "control/etcd/grpc_stream.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PREFIX = 5 };

/* ---- what comes ---- */

static bool is(const char *text, size_t n, const char *name)
{
	return strlen(name) == n && !memcmp(text, name, n);
}

/* Percent-encoded text (gRPC over HTTP/2, "Status-Message"); what is not printable becomes a space. */
static void decode(const char *from, size_t n, char *to, size_t size)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k + 1 < size; i++) {
		unsigned c = (unsigned char)from[i];

		if (c == '%' && i + 2 < n && isxdigit((unsigned char)from[i + 1]) &&
		    isxdigit((unsigned char)from[i + 2])) {
			char hex[3] = {from[i + 1], from[i + 2], 0};

			c = (unsigned)strtoul(hex, NULL, 16);
			i += 2;
		}
		to[k++] = c >= ' ' && c < 0x7f ? (char)c : ' ';
	}
	to[k] = '\0';
}

/* A number of up to four digits, or -1. */
static int number(const char *text, size_t n)
{
	int value = 0;

	if (!n || n > 4)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		value = value * 10 + text[i] - '0';
	}
	return value;
}

void grpc_stream_header(struct grpc_stream *s, const char *name, size_t name_len, const char *value,
                        size_t value_len)
{
	int n = number(value, value_len);

	if (is(name, name_len, "grpc-status")) {
		s->status = n < 0 ? GRPC_UNKNOWN : n;
	} else if (is(name, name_len, "grpc-message")) {
		decode(value, value_len, s->text, sizeof(s->text));
	} else if (is(name, name_len, ":status") && n != 200) {
		s->status = GRPC_UNAVAILABLE;
		snprintf(s->text, sizeof(s->text), "HTTP status %d", n);
	}
}

/* Ends the call from our side, with a status of our own. */
static void fail(struct grpc_stream *s, enum grpc_status status, const char *text)
{
	s->status = status;
	snprintf(s->text, sizeof(s->text), "%s", text);
	bytes_free(&s->in);
	nghttp2_submit_rst_stream(s->g->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
}

/* Hands over the messages that are whole. */
static void cut(struct grpc_stream *s)
{
	size_t at = 0;

	while (s->status < 0 && s->in.len - at >= PREFIX) {
		const uint8_t *p = s->in.data + at;
		uint32_t n;

		memcpy(&n, p + 1, 4);
		n = be32toh(n);
		if (*p || n > GRPC_MESSAGE_MAX) {
			fail(s, *p ? GRPC_UNKNOWN : GRPC_RESOURCE_EXHAUSTED,
			     *p ? "a compressed message" : "a message that is too large");
			return;
		}
		if (s->in.len - at - PREFIX < n)
			break;
		at += PREFIX + n;
		if (s->events)
			s->events->message(s->ctx, p + PREFIX, n);
	}
	bytes_eat(&s->in, at);
}

void grpc_stream_data(struct grpc_stream *s, const uint8_t *bytes, size_t n)
{
	if (s->hold)
		s->held += n;
	else
		nghttp2_session_consume(s->g->session, s->id, n);
	if (!s->events || s->status >= 0)
		return;
	if (bytes_add(&s->in, bytes, n))
		fail(s, GRPC_RESOURCE_EXHAUSTED, "out of memory");
	else
		cut(s);
}

void grpc_stream_end(struct grpc_stream *s, enum grpc_status status, const char *text)
{
	struct grpc_stream **at = &s->g->streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (s->held)
		nghttp2_session_consume_connection(s->g->session, s->held);
	nghttp2_session_set_stream_user_data(s->g->session, s->id, NULL);
	if (s->events)
		s->events->end(s->ctx, s->status < 0 ? status : (enum grpc_status)s->status,
		               s->status < 0 ? text : s->text);
	bytes_free(&s->in);
	bytes_free(&s->out);
	free(s);
}

/* ---- what goes ---- */

static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
                        nghttp2_data_source *source, void *arg)
{
	struct grpc_stream *s = source->ptr;
	size_t n = s->out.len < room ? s->out.len : room;

	if (!n && !s->last)
		return NGHTTP2_ERR_DEFERRED;
	if (n)
		memcpy(to, s->out.data, n);
	bytes_eat(&s->out, n);
	if (!s->out.len && s->last)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
	                    NGHTTP2_NV_FLAG_NONE};
}

struct grpc_stream *grpc_open(struct grpc *g, const char *path, const struct grpc_events *events, void *ctx)
{
	const nghttp2_nv headers[] = {
	        header(":method", "POST"),
	        header(":scheme", g->scheme),
	        header(":path", path),
	        header(":authority", g->authority),
	        header("content-type", "application/grpc"),
	        header("te", "trailers"),
	        header("user-agent", "weft/" WEFT_VERSION),
	        header("hasleader", "true"), /* a member without a leader says so and does not hang */
	};
	struct grpc_stream *s = calloc(1, sizeof(*s));
	nghttp2_data_provider provider = {.source.ptr = s, .read_callback = read_out};

	if (!s)
		return NULL;
	s->g = g;
	s->events = events;
	s->ctx = ctx;
	s->status = -1;
	s->id = nghttp2_submit_request(g->session, NULL, headers, sizeof(headers) / sizeof(headers[0]),
	                               &provider, s);
	if (s->id < 0) {
		free(s);
		return NULL;
	}
	s->next = g->streams;
	g->streams = s;
	return s;
}

int grpc_send(struct grpc_stream *s, const void *bytes, size_t n, bool last)
{
	uint8_t prefix[PREFIX] = {0};
	uint32_t len = htobe32((uint32_t)n);

	memcpy(prefix + 1, &len, sizeof(len));
	if (bytes_add(&s->out, prefix, PREFIX))
		return -ENOMEM;
	if (bytes_add(&s->out, bytes, n)) {
		s->out.len -= PREFIX;
		return -ENOMEM;
	}
	s->last = last;
	nghttp2_session_resume_data(s->g->session, s->id); /* fails when it was not waiting: fine */
	return 0;
}

void grpc_cancel(struct grpc_stream *s)
{
	s->events = NULL;
	grpc_hold(s, false);
	nghttp2_submit_rst_stream(s->g->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
}

void grpc_hold(struct grpc_stream *s, bool hold)
{
	s->hold = hold;
	if (hold || !s->held)
		return;
	nghttp2_session_consume(s->g->session, s->id, s->held);
	s->held = 0;
}
