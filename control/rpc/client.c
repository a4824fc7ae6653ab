/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC over a unix socket; see client.h. Called by the commands of weft and by weft-agent. */
#include "control/rpc/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "control/rpc/codes.h"

struct rpc_client {
	int fd;
	int timeout_ms;
	json_int_t id;
	char *line; /* bytes received and not yet consumed */
	size_t len, room;
};

static int wait_for(struct rpc_client *client, short events, struct error *e)
{
	struct pollfd p = {.fd = client->fd, .events = events};
	int n;

	do
		n = poll(&p, 1, client->timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return 0;
	if (n == 0)
		return error_set(e, ECOMM, "no answer within %d ms", client->timeout_ms);
	return error_set(e, ECOMM, "poll: %s", strerror(errno));
}

int rpc_client_connect(struct rpc_client **out, const char *path, int timeout_ms, struct error *e)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct rpc_client *client;
	int code;

	if (strlen(path) >= sizeof(to.sun_path))
		return error_set(e, ENAMETOOLONG, "%s: a socket's path has at most %zu bytes", path,
		                 sizeof(to.sun_path) - 1);
	memcpy(to.sun_path, path, strlen(path) + 1);
	client = calloc(1, sizeof(*client));
	if (!client)
		return error_set(e, ENOMEM, "out of memory");
	client->timeout_ms = timeout_ms;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd >= 0 && !connect(client->fd, (struct sockaddr *)&to, sizeof(to))) {
		*out = client;
		return 0;
	}
	code = errno;
	rpc_client_close(client);
	return error_set(e, code, "cannot reach %s: %s", path, strerror(code));
}

void rpc_client_close(struct rpc_client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	free(client->line);
	free(client);
}

static int send_all(struct rpc_client *client, const char *data, size_t len, struct error *e)
{
	while (len) {
		ssize_t n = send(client->fd, data, len, MSG_NOSIGNAL);

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			int rc = wait_for(client, POLLOUT, e);

			if (rc)
				return rc;
		} else if (errno != EINTR) {
			return error_set(e, ECOMM, "cannot send: %s", strerror(errno));
		}
	}
	return 0;
}

static int make_room(struct rpc_client *client, struct error *e)
{
	size_t room = client->room ? client->room * 2 : 4096;
	char *line;

	if (client->len < client->room)
		return 0;
	if (room > RPC_ANSWER_MAX)
		return error_set(e, ECOMM, "the answer is longer than %d bytes", RPC_ANSWER_MAX);
	line = realloc(client->line, room);
	if (!line)
		return error_set(e, ENOMEM, "out of memory");
	client->line = line;
	client->room = room;
	return 0;
}

/* Receives until a whole line is there; `*len` is its length without the newline. */
static int receive_line(struct rpc_client *client, size_t *len, struct error *e)
{
	size_t searched = 0;

	for (;;) {
		char *end = client->len > searched
		                    ? memchr(client->line + searched, '\n', client->len - searched)
		                    : NULL;
		ssize_t n;
		int rc;

		if (end) {
			*len = (size_t)(end - client->line);
			return 0;
		}
		searched = client->len;
		rc = make_room(client, e);
		if (rc)
			return rc;
		n = recv(client->fd, client->line + client->len, client->room - client->len, 0);
		if (n > 0)
			client->len += (size_t)n;
		else if (n == 0)
			return error_set(e, ECOMM, "the other side closed the connection");
		else if (errno == EAGAIN)
			rc = wait_for(client, POLLIN, e);
		else if (errno != EINTR)
			return error_set(e, ECOMM, "cannot receive: %s", strerror(errno));
		if (rc)
			return rc;
	}
}

/* What the switch refused, as the few kinds of failure that a script can act on. */
static int refusal(const json_t *error, struct error *e)
{
	const char *text = json_string_value(json_object_get(error, "message"));

	if (!text)
		text = "no reason was given";
	switch (json_integer_value(json_object_get(error, "code"))) {
	case RPC_PARSE_ERROR:
	case RPC_INVALID_PARAMS:
	case RPC_UNKNOWN_METHOD:
	case RPC_INVALID_REQUEST:
		return error_set(e, EINVAL, "%s", text);
	case RPC_NOT_FOUND:
		return error_set(e, ENOENT, "%s", text);
	case RPC_CONFLICT:
		return error_set(e, EEXIST, "%s", text);
	default:
		return error_set(e, EREMOTEIO, "%s", text);
	}
}

static int read_answer(const json_t *answer, json_int_t id, json_t **result, struct error *e)
{
	const json_t *error = json_object_get(answer, "error");

	if (json_is_object(error))
		return refusal(error, e);
	if (json_integer_value(json_object_get(answer, "id")) != id)
		return error_set(e, ECOMM, "the answer is of another request");
	*result = json_object_get(answer, "result");
	if (!*result)
		return error_set(e, ECOMM, "the answer has neither result nor error");
	json_incref(*result);
	return 0;
}

static int send_request(struct rpc_client *client, const char *method, json_t *params, struct error *e)
{
	json_t *request = json_pack("{s:s, s:I, s:s, s:O*}", "jsonrpc", "2.0", "id", ++client->id, "method",
	                            method, "params", params);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	int rc;

	json_decref(request);
	if (!text)
		return error_set(e, ENOMEM, "out of memory");
	rc = send_all(client, text, strlen(text), e);
	if (!rc)
		rc = send_all(client, "\n", 1, e);
	free(text);
	return rc;
}

int rpc_client_call(struct rpc_client *client, const char *method, json_t *params, json_t **result,
                    struct error *e)
{
	json_error_t why;
	json_t *answer;
	size_t len = 0;
	int rc = send_request(client, method, params, e);

	if (!rc)
		rc = receive_line(client, &len, e);
	if (rc)
		return rc;
	answer = json_loadb(client->line, len, 0, &why);
	client->len -= len + 1;
	memmove(client->line, client->line + len + 1, client->len);
	if (!answer)
		return error_set(e, ECOMM, "the answer is not JSON: %s", why.text);
	rc = read_answer(answer, client->id, result, e);
	json_decref(answer);
	return rc;
}
