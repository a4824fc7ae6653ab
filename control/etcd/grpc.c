/* SPDX-License-Identifier: Apache-2.0 */
/* The connection: bytes between socket and nghttp2, nghttp2's events to streams; see grpc.h. */
#include "control/etcd/grpc.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "control/etcd/grpc_stream.h"
#include "control/net/socket.h"

/* ---- what nghttp2 tells ---- */

static struct grpc_stream *find(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *arg)
{
	struct grpc_stream *s = find(session, frame->hd.stream_id);

	if (s)
		grpc_stream_header(s, (const char *)name, name_len, (const char *)value, value_len);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t n,
                   void *arg)
{
	struct grpc_stream *s = find(session, id);

	if (s)
		grpc_stream_data(s, data, n);
	else
		nghttp2_session_consume(session, id, n);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct grpc_stream *s = find(session, id);

	if (s)
		grpc_stream_end(s, GRPC_UNAVAILABLE, "the stream was reset");
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct grpc *g = arg;

	g->going |= frame->hd.type == NGHTTP2_GOAWAY;
	return 0;
}

static int start_session(struct grpc *g)
{
	static const nghttp2_settings_entry settings[] = {
	        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
	        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GRPC_WINDOW},
	};
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	int rc = nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option);

	if (!rc) {
		nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
		nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
		nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
		nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
		nghttp2_option_set_no_auto_window_update(option, 1);
		rc = nghttp2_session_client_new2(&g->session, callbacks, g, option);
	}
	if (!rc)
		rc = nghttp2_submit_settings(g->session, NGHTTP2_FLAG_NONE, settings, 2);
	if (!rc) /* of the connection: streams on hold leave room for others */
		rc = nghttp2_session_set_local_window_size(g->session, NGHTTP2_FLAG_NONE, 0, 4 * GRPC_WINDOW);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	return rc ? -ENOMEM : 0;
}

/* ---- bytes ---- */

static int receive(struct grpc *g, struct error *e)
{
	uint8_t block[16384];
	ssize_t n;

	while ((n = socket_read(g->socket, block, sizeof(block), e)) > 0) {
		ssize_t used = nghttp2_session_mem_recv(g->session, block, (size_t)n);

		if (used < 0)
			return error_set(e, EPROTO, "HTTP/2: %s", nghttp2_strerror((int)used));
		g->heard = clock_now();
	}
	return (int)n;
}

static int transmit(struct grpc *g, struct error *e)
{
	for (;;) {
		ssize_t n;

		if (!g->out_len) {
			n = nghttp2_session_mem_send(g->session, &g->out);
			if (n <= 0)
				return n ? error_set(e, EPROTO, "HTTP/2: %s", nghttp2_strerror((int)n)) : 0;
			g->out_len = (size_t)n;
		}
		n = socket_write(g->socket, g->out, g->out_len, e);
		if (n <= 0)
			return (int)n;
		g->out += n;
		g->out_len -= (size_t)n;
	}
}

int grpc_progress(struct grpc *g, struct error *e)
{
	int rc = socket_progress(g->socket, e), back;

	if (rc != 1)
		return rc;
	rc = receive(g, e);
	back = transmit(g, rc ? NULL : e); /* after an error it may say the last word: GOAWAY and why */
	if (rc || back)
		return rc ? rc : back;
	if (g->going || (!nghttp2_session_want_read(g->session) && !nghttp2_session_want_write(g->session)))
		return error_set(e, ECONNRESET, "the peer ends the connection");
	return 1;
}

int grpc_flush(struct grpc *g, struct error *e)
{
	int rc = socket_progress(g->socket, e);

	return rc == 1 ? transmit(g, e) : rc;
}

/* ---- the rest ---- */

int grpc_connect(const char *host, const char *port, unsigned turn, struct tls_context *tls,
                 struct grpc **out, struct error *e)
{
	struct grpc *g = calloc(1, sizeof(*g));
	int rc;

	if (!g)
		return error_set(e, ENOMEM, "out of memory");
	g->scheme = tls ? "https" : "http";
	g->heard = clock_now();
	snprintf(g->authority, sizeof(g->authority), strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	rc = socket_connect(host, port, turn, tls, &g->socket, e);
	if (!rc && start_session(g))
		rc = error_set(e, ENOMEM, "out of memory");
	if (rc) {
		grpc_close(g, "");
		return rc;
	}
	*out = g;
	return 0;
}

void grpc_close(struct grpc *g, const char *why)
{
	if (!g)
		return;
	while (g->streams)
		grpc_stream_end(g->streams, GRPC_UNAVAILABLE, why);
	nghttp2_session_del(g->session);
	socket_close(g->socket);
	free(g);
}

int grpc_fd(const struct grpc *g)
{
	return socket_fd(g->socket);
}

short grpc_wants(const struct grpc *g)
{
	short wants = socket_wants(g->socket);

	return g->out_len || nghttp2_session_want_write(g->session) ? wants | POLLOUT : wants;
}

uint64_t grpc_heard(const struct grpc *g)
{
	return g->heard;
}

void grpc_ping(struct grpc *g)
{
	nghttp2_submit_ping(g->session, NGHTTP2_FLAG_NONE, NULL);
}
