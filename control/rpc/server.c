/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC over a unix socket; see server.h. */
#include "control/rpc/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

struct rpc_server {
	uv_pipe_t pipe;
	const struct rpc_method *methods;
	void *ctx;
	struct client *clients;
	unsigned nclients;
	char path[108];
};

struct client {
	uv_pipe_t pipe;
	struct rpc_server *server;
	struct client *next;
	struct rpc_request *requests; /* to be answered later */
	char *line;                   /* what came of the current line */
	size_t used, size;
};

struct reply {
	uv_write_t req;
	char *text;
};

static void on_client_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;

	free(c->line);
	free(c);
}

static void client_close(struct client *c)
{
	struct client **at = &c->server->clients;

	if (uv_is_closing((uv_handle_t *)&c->pipe))
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->server->nclients--;
	for (struct rpc_request *q = c->requests; q; q = q->next_of_client)
		q->client = NULL;
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static void on_written(uv_write_t *req, int status)
{
	struct reply *r = (struct reply *)req;

	free(r->text);
	free(r);
}

/* Sends and drops `message`. */
static void send_reply(struct client *c, json_t *message)
{
	struct reply *r = malloc(sizeof(*r));
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;
	uv_buf_t buf;

	json_decref(message);
	if (!r || !text || uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) > RPC_QUEUE_MAX) {
		free(r);
		free(text);
		client_close(c);
		return;
	}
	text[len] = '\n'; /* over the NUL: the length is known */
	r->text = text;
	buf = uv_buf_init(text, (unsigned)len + 1);
	if (uv_write(&r->req, (uv_stream_t *)&c->pipe, &buf, 1, on_written)) {
		on_written(&r->req, -1);
		client_close(c);
	}
}

static json_t *error_reply(json_t *id, enum rpc_code code, const char *text)
{
	return json_pack("{s:s, s:O, s:{s:i, s:s}}", "jsonrpc", "2.0", "id", id ? id : json_null(), "error",
	                 "code", code, "message", text);
}

static enum rpc_code code_of(int rc)
{
	switch (-rc) {
	case EINVAL:
		return RPC_INVALID_PARAMS;
	case ENOENT:
		return RPC_NOT_FOUND;
	case EEXIST:
	case EBUSY:
		return RPC_CONFLICT;
	default:
		return RPC_FAILED;
	}
}

static json_t *result_reply(json_t *id, json_t *result)
{
	return json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id ? id : json_null(), "result", result);
}

void rpc_answer(struct rpc_request *q, json_t *result)
{
	struct client *c = q->client;

	if (c) {
		struct rpc_request **at = &c->requests;

		while (*at != q)
			at = &(*at)->next_of_client;
		*at = q->next_of_client;
		send_reply(c, result_reply(q->id, result));
	} else {
		json_decref(result);
	}
	json_decref(q->id);
	free(q);
}

/* NULL: it is answered later. */
static json_t *begin(struct client *c, const struct rpc_method *m, json_t *id, json_t *params)
{
	struct rpc_request *q = calloc(1, sizeof(*q));
	struct error e = {""};
	int rc;

	if (!q)
		return error_reply(id, RPC_FAILED, "out of memory");
	*q = (struct rpc_request){.client = c, .id = json_incref(id ? id : json_null())};
	q->next_of_client = c->requests;
	c->requests = q;
	rc = m->begin(c->server->ctx, params, q, &e);
	if (!rc)
		return NULL;
	c->requests = q->next_of_client;
	json_decref(q->id);
	free(q);
	return error_reply(id, code_of(rc), *e.text ? e.text : strerror(-rc));
}

static json_t *call(struct rpc_server *s, const struct rpc_method *m, json_t *id, json_t *params)
{
	json_t *result = NULL;
	struct error e = {""};
	int rc = m->call(s->ctx, params, &result, &e);

	return rc ? error_reply(id, code_of(rc), *e.text ? e.text : strerror(-rc)) : result_reply(id, result);
}

/* The reply, NULL when it comes later. */
static json_t *serve(struct client *c, json_t *request)
{
	json_t *id = json_object_get(request, "id"), *params = json_object_get(request, "params"), *reply,
	       *none;
	const char *name = json_string_value(json_object_get(request, "method"));
	const struct rpc_method *m = c->server->methods;

	if (!name || (params && !json_is_object(params)))
		return error_reply(id, RPC_INVALID_REQUEST,
		                   "expected {\"id\", \"method\", \"params\": {...}}");
	while (m->name && strcmp(m->name, name))
		m++;
	if (!m->name)
		return error_reply(id, RPC_UNKNOWN_METHOD, "unknown method");
	none = json_object();
	params = params ? params : none;
	reply = m->begin ? begin(c, m, id, params) : call(c->server, m, id, params);
	json_decref(none);
	return reply;
}

static void serve_line(struct client *c, const char *text, size_t len)
{
	json_error_t why;
	json_t *request = json_loadb(text, len, 0, &why), *reply;
	char message[JSON_ERROR_TEXT_LENGTH + 64];

	if (json_is_object(request)) {
		reply = serve(c, request);
		if (reply)
			send_reply(c, reply);
	} else {
		snprintf(message, sizeof(message), "column %d: %s", request ? 1 : why.column,
		         request ? "expected an object" : why.text);
		send_reply(c, error_reply(NULL, RPC_PARSE_ERROR, message));
	}
	json_decref(request);
}

static void serve_lines(struct client *c)
{
	size_t start = 0;
	char *end;

	while (!uv_is_closing((uv_handle_t *)&c->pipe) &&
	       (end = memchr(c->line + start, '\n', c->used - start))) {
		size_t len = (size_t)(end - (c->line + start));

		if (len)
			serve_line(c, c->line + start, len);
		start += len + 1;
	}
	memmove(c->line, c->line + start, c->used - start);
	c->used -= start;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *c = handle->data;

	if (c->size - c->used < 4096 && c->size < RPC_LINE_MAX) {
		size_t size = c->size ? c->size * 4 : 16384;
		char *line = realloc(c->line, size < RPC_LINE_MAX ? size : RPC_LINE_MAX);

		if (line) {
			c->line = line;
			c->size = size < RPC_LINE_MAX ? size : RPC_LINE_MAX;
		}
	}
	*buf = uv_buf_init(c->line + c->used, (unsigned)(c->size - c->used));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;

	if (n == UV_ENOBUFS) {
		send_reply(c, error_reply(NULL, RPC_INVALID_REQUEST, "request longer than 1 MiB"));
		client_close(c);
	} else if (n < 0) {
		client_close(c);
	} else {
		c->used += (size_t)n;
		serve_lines(c);
	}
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct rpc_server *s = stream->data;
	struct client *c = status ? NULL : calloc(1, sizeof(*c));

	if (!c)
		return;
	c->server = s;
	c->pipe.data = c;
	uv_pipe_init(stream->loop, &c->pipe, 0);
	c->next = s->clients;
	s->clients = c;
	s->nclients++;
	if (uv_accept(stream, (uv_stream_t *)&c->pipe) || s->nclients > RPC_CLIENTS_MAX ||
	    uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read))
		client_close(c);
}

static void on_server_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int rpc_listen(uv_loop_t *loop, const char *path, const struct rpc_method *methods, void *ctx,
               struct rpc_server **out, struct error *e)
{
	struct rpc_server *s = calloc(1, sizeof(*s));
	mode_t before;
	int rc;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	s->methods = methods;
	s->ctx = ctx;
	s->pipe.data = s;
	snprintf(s->path, sizeof(s->path), "%s", path);
	unlink(path); /* the lock on rundir says that nobody else is alive */
	uv_pipe_init(loop, &s->pipe, 0);
	before = umask(0117);
	rc = uv_pipe_bind(&s->pipe, path);
	umask(before);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&s->pipe, 16, on_connection);
	if (rc) {
		error_set(e, -rc, "%s: %s", path, uv_strerror(rc));
		uv_close((uv_handle_t *)&s->pipe, on_server_closed);
		return rc;
	}
	*out = s;
	return 0;
}

void rpc_close(struct rpc_server *s)
{
	if (!s)
		return;
	while (s->clients)
		client_close(s->clients);
	unlink(s->path);
	uv_close((uv_handle_t *)&s->pipe, on_server_closed);
}
