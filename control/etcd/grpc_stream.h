/* SPDX-License-Identifier: Apache-2.0 */
/* Between grpc.c (the connection) and grpc_stream.c (one call): what both know. */
#ifndef CONTROL_ETCD_GRPC_STREAM_H
#define CONTROL_ETCD_GRPC_STREAM_H

#include <nghttp2/nghttp2.h>

#include "control/etcd/bytes.h"
#include "control/etcd/grpc.h"

struct grpc {
	struct net_socket *socket;
	nghttp2_session *session;
	struct grpc_stream *streams;
	const char *scheme;
	char authority[300];
	const uint8_t *out; /* nghttp2's, until its next frame */
	size_t out_len;
	uint64_t heard;
	bool going; /* the peer has said GOAWAY */
};

struct grpc_stream {
	struct grpc_stream *next;
	struct grpc *g;
	int32_t id;
	const struct grpc_events *events; /* NULL: given up */
	void *ctx;
	struct bytes in, out;
	bool last; /* nothing comes behind `out` */
	bool hold;
	size_t held;    /* bytes of the window that are not given back */
	int status;     /* -1: not told yet */
	char text[200]; /* the server's words on the status */
};

/* A header or trailer; neither text ends with a NUL. */
void grpc_stream_header(struct grpc_stream *s, const char *name, size_t name_len, const char *value,
                        size_t value_len);
void grpc_stream_data(struct grpc_stream *s, const uint8_t *bytes, size_t n);
/* Tells the end and frees; `status` and `text` when the server has said nothing. */
void grpc_stream_end(struct grpc_stream *s, enum grpc_status status, const char *text);

#endif
