/* SPDX-License-Identifier: Apache-2.0 */
/* control/cli, the command weft: words into parameters, tables, rates, and the RPC client against a peer that
 * answers what it likes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "control/rpc/client.h"
#include "control/cli/weft_arguments.h"
#include "control/cli/weft_output.h"

/* ---- words ---- */

#define WORDS(...) ((char *[]){__VA_ARGS__})

static void expect_add(char **words, int n, const char *json)
{
	struct error e = {""};
	json_t *want = json_loads(json, 0, NULL), *got = arguments_add(n, words, &e);

	cr_assert(want);
	cr_assert(json_equal(want, got), "%s: %s", json, e.text);
	json_decref(want);
	json_decref(got);
}

static void refuse_add(char **words, int n, const char *text)
{
	struct error e = {""};

	cr_assert_null(arguments_add(n, words, &e));
	cr_assert(strstr(e.text, text), "expected '%s' in '%s'", text, e.text);
}

Test(weft_arguments, add)
{
	expect_add(WORDS("vm1", "type=vhost-user", "socket=/a=b", "ofport=7", "queues=2"), 5,
	           "{\"name\": \"vm1\", \"type\": \"vhost-user\", \"ofport\": 7,"
	           " \"options\": {\"socket\": \"/a=b\", \"queues\": \"2\"}}");
	expect_add(WORDS("t", "ofport=LOCAL", "type=tap"), 3,
	           "{\"name\": \"t\", \"type\": \"tap\", \"ofport\": \"local\", \"options\": {}}");
}

Test(weft_arguments, add_names_the_field)
{
	refuse_add(WORDS("type=tap", "dev=a"), 2, "NAME: expected an interface's name before 'type=tap'");
	refuse_add(WORDS("", "type=tap"), 2, "NAME: expected 1 to 15 bytes");
	refuse_add(WORDS("a234567890123456", "type=tap"), 2, "NAME: expected 1 to 15 bytes, not 16");
	refuse_add(WORDS("a/b", "type=tap"), 2, "NAME: column 2");
	refuse_add(WORDS("a", "dev=x"), 2, "type: missing");
	refuse_add(WORDS("a", "type=tap", "type=tap"), 3, "type: given twice");
	refuse_add(WORDS("a", "type=tap", "dev=x", "dev=y"), 4, "dev: given twice");
	refuse_add(WORDS("a", "type=tap", "dev="), 3, "dev: expected a value");
	refuse_add(WORDS("a", "type=tap", "=x"), 3, "expected KEY=VALUE");
	refuse_add(WORDS("a", "type=tap", "x"), 3, "expected KEY=VALUE, not 'x'");
	refuse_add(WORDS("a", "type=tap", "dev=\xff"), 3, "dev: expected UTF-8");
}

Test(weft_arguments, ofport)
{
	static char *const bad[] = {"ofport=0",  "ofport=65280", "ofport=-1",
	                            "ofport=1x", "ofport= 1",    "ofport=99999999999999999999"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse_add(WORDS("a", "type=tap", bad[i]), 3, "ofport: expected 1 to 65279");
}

Test(weft_arguments, set)
{
	struct error e = {""};
	json_t *p = arguments_set(2, WORDS("a", "allow=any"), &e);

	cr_assert_str_eq(json_string_value(json_object_get(json_object_get(p, "options"), "allow")), "any");
	json_decref(p);
	cr_assert_null(arguments_set(2, WORDS("a", "type=tap"), &e));
	cr_assert(strstr(e.text, "type: cannot be changed"));
	cr_assert_null(arguments_set(2, WORDS("a", "ofport=3"), &e));
	cr_assert(strstr(e.text, "ofport: cannot be changed"));
}

/* ---- output ---- */

static void expect_table(const char *json, const char *const *columns, const char *want)
{
	json_t *v = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cr_assert(v && f);
	output_table(f, v, columns);
	fclose(f);
	cr_assert_str_eq(text, want);
	free(text);
	json_decref(v);
}

Test(weft_output, table)
{
	static const char *const columns[] = {"name", "nobody", "n", "up", NULL};

	expect_table("[{\"name\": \"a\", \"n\": 7, \"up\": true}, {\"name\": \"long\", \"n\": 12345}]",
	             columns,
	             "name      n  up\n"
	             "a         7  yes\n"
	             "long  12345  -\n");
	expect_table("[{\"ofport\": 1}, {\"ofport\": 4294967294}]", NULL, "ofport\n     1\n LOCAL\n");
	expect_table("[]", columns, "name  nobody  n  up\n");
	expect_table("[{\"x\": {\"k\": 1, \"l\": \"m\"}, \"y\": [1, 2]}, {\"z\": \"\\u001b[2J\"}]", NULL,
	             "x        y    z\n"
	             "k=1,l=m  1,2  -\n"
	             "-        -    ?[2J\n");
}

Test(weft_output, lines)
{
	expect_table("{\"name\": \"a\", \"options\": {\"k\": \"v\"}, \"list\": [{\"q\": 1}], \"none\": null}",
	             NULL, "name: a\noptions:\n  k: v\nlist:\n  q=1\nnone: -\n");
}

Test(weft_output, rates)
{
	static const char *const keep[] = {"name", "ofport", NULL};
	json_t *before = json_loads("[{\"name\": \"a\", \"ofport\": 1, \"n\": 10, \"drops\": {}},"
	                            " {\"name\": \"again\", \"ofport\": 2, \"n\": 90}]",
	                            0, NULL);
	json_t *now =
	        json_loads("[{\"name\": \"a\", \"ofport\": 1, \"n\": 30, \"drops\": {\"r\": 4}},"
	                   " {\"name\": \"again\", \"ofport\": 2, \"n\": 8}, {\"name\": \"new\", \"n\": 1}]",
	                   0, NULL);
	json_t *want = json_loads("[{\"name\": \"a\", \"ofport\": 1, \"n\": 10.0, \"drops\": {\"r\": 2.0}},"
	                          " {\"name\": \"again\", \"ofport\": 2, \"n\": 4.0}]",
	                          0, NULL);
	json_t *got = output_rates(before, now, 2.0, keep);

	cr_assert(json_equal(got, want));
	json_decref(before);
	json_decref(now);
	json_decref(want);
	json_decref(got);
}

/* ---- the client ---- */

struct peer {
	char dir[32], path[64], request[256];
	int listener;
	const char *answer; /* NULL: hang up. Sent in two parts, to be put together again */
	pthread_t thread;
};

static void *peer_run(void *arg)
{
	struct peer *p = arg;
	int fd = accept(p->listener, NULL, NULL);
	size_t n = 0, len = p->answer ? strlen(p->answer) : 0;

	while (fd >= 0 && n < sizeof(p->request) - 1 && !memchr(p->request, '\n', n)) {
		ssize_t got = read(fd, p->request + n, sizeof(p->request) - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (len) {
		send(fd, p->answer, len / 2, MSG_NOSIGNAL);
		send(fd, p->answer + len / 2, len - len / 2, MSG_NOSIGNAL);
	}
	close(fd);
	return NULL;
}

static void peer_start(struct peer *p, const char *answer)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	*p = (struct peer){.dir = "/tmp/weft-cli-XXXXXX", .answer = answer};
	cr_assert(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/s", p->dir);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", p->path);
	p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(p->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(listen(p->listener, 1), 0);
	cr_assert_eq(pthread_create(&p->thread, NULL, peer_run, p), 0);
}

static void peer_stop(struct peer *p)
{
	pthread_join(p->thread, NULL);
	close(p->listener);
	unlink(p->path);
	rmdir(p->dir);
}

static void expect_answer(const char *answer, int want, const char *text)
{
	struct rpc_client *client;
	struct error e = {""};
	json_t *result = NULL;
	struct peer p;

	peer_start(&p, answer);
	cr_assert_eq(rpc_client_connect(&client, p.path, 10000, &e), 0, "%s", e.text);
	cr_assert_eq(rpc_client_call(client, "stats", NULL, &result, &e), want, "%s", e.text);
	rpc_client_close(client);
	peer_stop(&p);
	cr_assert_str_eq(p.request, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stats\"}\n");
	if (want)
		cr_assert(strstr(e.text, text), "expected '%s' in '%s'", text, e.text);
	else
		cr_assert_str_eq(json_string_value(result), text);
	json_decref(result);
}

Test(rpc_client, answers)
{
	expect_answer("{\"id\":1,\"result\":\"yes\"}\n", 0, "yes");
	expect_answer("{\"id\":1,\"error\":{\"code\":-32602,\"message\":\"mtu: no\"}}\n", -EINVAL, "mtu: no");
	expect_answer("{\"id\":1,\"error\":{\"code\":-32001,\"message\":\"m\"}}\n", -ENOENT, "m");
	expect_answer("{\"id\":1,\"error\":{\"code\":-32002,\"message\":\"m\"}}\n", -EEXIST, "m");
	expect_answer("{\"id\":1,\"error\":{\"code\":-32000,\"message\":\"m\"}}\n", -EREMOTEIO, "m");
	expect_answer("{\"id\":1,\"error\":{}}\n", -EREMOTEIO, "no reason");
}

Test(rpc_client, broken_answers)
{
	expect_answer(NULL, -ECOMM, "closed the connection");
	expect_answer("{\"id\":1,\"result\":\"y", -ECOMM, "closed the connection");
	expect_answer("nonsense\n", -ECOMM, "not JSON");
	expect_answer("\n", -ECOMM, "not JSON");
	expect_answer("[]\n", -ECOMM, "another request");
	expect_answer("{\"id\":2,\"result\":\"yes\"}\n", -ECOMM, "another request");
	expect_answer("{\"id\":1}\n", -ECOMM, "neither result nor error");
}

Test(rpc_client, nobody_there)
{
	struct rpc_client *client;
	struct error e = {""};
	char path[200];

	cr_assert_eq(rpc_client_connect(&client, "/nonexistent/weftd.sock", 10, &e), -ENOENT);
	cr_assert(strstr(e.text, "cannot reach /nonexistent/weftd.sock"));
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	cr_assert_eq(rpc_client_connect(&client, path, 10, &e), -ENAMETOOLONG);
}

Test(rpc_client, waits_are_bounded)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(sa_family_t);
	struct rpc_client *client;
	struct error e = {""};
	json_t *result;
	char dir[] = "/tmp/weft-cli-XXXXXX";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert(mkdtemp(dir));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", dir);
	len += (socklen_t)strlen(at.sun_path) + 1;
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(rpc_client_connect(&client, at.sun_path, 20, &e), 0);
	cr_assert_eq(rpc_client_call(client, "stats", NULL, &result, &e), -ECOMM);
	cr_assert(strstr(e.text, "no answer within 20 ms"));
	rpc_client_close(client);
	close(fd);
	unlink(at.sun_path);
	rmdir(dir);
}
