/* SPDX-License-Identifier: Apache-2.0 */
/* Questions and answers; see call.h. */
#include "control/etcd/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int message_send(struct grpc_stream *s, const ProtobufCMessage *message, bool last)
{
	size_t n = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(n ? n : 1);
	int rc = bytes ? 0 : -ENOMEM;

	if (!rc) {
		protobuf_c_message_pack(message, bytes);
		rc = grpc_send(s, bytes, n, last);
	}
	free(bytes);
	return rc;
}

static void on_message(void *arg, const uint8_t *bytes, size_t n)
{
	struct call *c = arg;

	call_free(c); /* there is one; of more the last counts */
	c->answer = protobuf_c_message_unpack(c->kind, NULL, n, bytes);
}

static void on_end(void *arg, enum grpc_status status, const char *text)
{
	struct call *c = arg;

	c->stream = NULL;
	c->status = status;
	snprintf(c->text, sizeof(c->text), "%s", text);
	if (status == GRPC_OK && !c->answer) {
		c->status = GRPC_UNKNOWN;
		snprintf(c->text, sizeof(c->text), "the answer cannot be read");
	}
	if (c->done)
		c->done(c);
}

int call_start(struct call *c, struct grpc *g, const char *path, const ProtobufCMessage *request)
{
	static const struct grpc_events events = {on_message, on_end};

	c->answer = NULL;
	c->stream = grpc_open(g, path, &events, c);
	if (!c->stream)
		return -ENOMEM;
	if (!message_send(c->stream, request, true))
		return 0;
	call_cancel(c);
	return -ENOMEM;
}

void call_cancel(struct call *c)
{
	if (c->stream)
		grpc_cancel(c->stream);
	c->stream = NULL;
	call_free(c);
}

void call_free(struct call *c)
{
	if (c->answer)
		protobuf_c_message_free_unpacked(c->answer, NULL);
	c->answer = NULL;
}
