/* SPDX-License-Identifier: Apache-2.0 */
/* weftd's own parts that need no datapath: options, state file, JSON-RPC socket. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/switchd/eal.h"
#include "control/switchd/options.h"
#include "control/rpc/server.h"
#include "control/switchd/state.h"

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/weft-switchd-XXXXXX");
	cr_assert(mkdtemp(dir));
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
}

static enum options_result read_args(struct options *o, struct error *e, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return options_read(argc, argv, o, e);
}

Test(options, a_core_that_is_not_there_is_named)
{
	struct options o = {.workers = {1023}, .nworkers = 1};
	struct error e = {""};

	cr_assert_eq(eal_start(&o, &e), -EINVAL);
	cr_assert(strstr(e.text, "workers: core 1023 is not there"), "%s", e.text);
}

Test(options, cores_ranges_and_defaults)
{
	struct options o;
	struct error e;

	cr_assert_eq(read_args(&o, &e, (char *[]){"weftd", "--workers", "1,3-5", "--rundir", "/x", NULL}),
	             OPTIONS_RUN);
	cr_assert_eq(o.nworkers, 4);
	cr_assert_eq(o.workers[3], 5);
	cr_assert_str_eq(o.bridge, "br0");
	cr_assert_str_eq(o.state, "/x/interfaces.json");
}

Test(options, mistakes_are_named)
{
	struct options o;
	struct error e;

	cr_assert_eq(read_args(&o, &e, (char *[]){"weftd", "--workers", "1,x", NULL}), OPTIONS_USAGE);
	cr_assert(strstr(e.text, "workers") && strstr(e.text, "column 3"), "%s", e.text);
	cr_assert_eq(read_args(&o, &e, (char *[]){"weftd", "--workers", "1,0-2", NULL}), OPTIONS_USAGE);
	cr_assert_str_eq(e.text, "workers: core 1 is named twice");
	cr_assert_eq(read_args(&o, &e, (char *[]){"weftd", "--bridge", "a/b", NULL}), OPTIONS_USAGE);
	cr_assert_eq(read_args(&o, &e, (char *[]){"weftd", "stray", NULL}), OPTIONS_USAGE);
}

Test(options, the_command_line_beats_the_file, .init = make_dir, .fini = remove_dir)
{
	char path[128];
	struct options o;
	struct error e;
	FILE *f;

	snprintf(path, sizeof(path), "%s/conf", dir);
	f = fopen(path, "w");
	fputs("# comment\nbridge = br7\nmemory=128\n", f);
	fclose(f);
	cr_assert_eq(read_args(&o, &e, (char *[]){"weftd", "--config", path, "--bridge", "br8", NULL}),
	             OPTIONS_RUN);
	cr_assert_str_eq(o.bridge, "br8");
	cr_assert_eq(o.memory_mb, 128);
	f = fopen(path, "w");
	fputs("bridge = br7\nnonsense = 1\n", f);
	fclose(f);
	cr_assert_eq(read_args(&o, &e, (char *[]){"weftd", "--config", path, NULL}), OPTIONS_USAGE);
	cr_assert(strstr(e.text, ":2: nonsense"), "%s", e.text);
}

Test(state, survives_and_refuses_garbage, .init = make_dir, .fini = remove_dir)
{
	char path[128];
	struct error e;
	json_t *state, *again;
	FILE *f;

	snprintf(path, sizeof(path), "%s/sub/state.json", dir);
	state = state_load(path, &e);
	cr_assert_not_null(state);
	cr_assert_null(json_object_get(state, "interfaces"));
	cr_assert_eq(state_save(path, state, "interfaces", json_pack("[{s:s}]", "name", "vm1"), &e), 0, "%s",
	             e.text);
	cr_assert_eq(state_save(path, state, "controllers", json_object(), &e), 0, "%s", e.text);
	again = state_load(path, &e);
	cr_assert(json_equal(state, again));
	cr_assert_eq(json_array_size(json_object_get(again, "interfaces")), 1);
	json_decref(state);
	json_decref(again);
	f = fopen(path, "w");
	fputs("{\"version\": 1, \"interf", f);
	fclose(f);
	cr_assert_null(state_load(path, &e));
	cr_assert(strstr(e.text, path));
}

Test(state, only_one_weftd_for_a_rundir, .init = make_dir, .fini = remove_dir)
{
	struct error e;
	int fd = state_lock_rundir(dir, &e);

	cr_assert_geq(fd, 0);
	cr_assert_eq(state_lock_rundir(dir, &e), -EBUSY);
	close(fd);
	fd = state_lock_rundir(dir, &e);
	cr_assert_geq(fd, 0);
	close(fd);
}

static int echo(void *ctx, json_t *params, json_t **result, struct error *e)
{
	if (!json_object_get(params, "text"))
		return error_set(e, EINVAL, "text: missing");
	*result = json_incref(params);
	return 0;
}

/* Sends `text` and returns what came back, while the loop runs; the caller frees. */
static char *exchange(uv_loop_t *loop, const char *path, const char *text, size_t len)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char *reply = calloc(1, 4096);
	size_t sent = 0, got = 0;

	strcpy(to.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	while (!memchr(reply, '\n', got)) {
		ssize_t n = sent < len ? send(fd, text + sent, len - sent, MSG_NOSIGNAL) : 0;

		if (n > 0)
			sent += (size_t)n;
		uv_run(loop, UV_RUN_NOWAIT);
		n = recv(fd, reply + got, 4095 - got, 0);
		if (n > 0)
			got += (size_t)n;
		cr_assert_neq(n, 0, "closed without a reply");
	}
	close(fd);
	return reply;
}

Test(rpc, replies_errors_and_bounds, .init = make_dir, .fini = remove_dir, .timeout = 60)
{
	static const struct rpc_method methods[] = {{.name = "echo", .call = echo}, {.name = NULL}};
	static const struct {
		const char *request, *expect;
	} cases[] = {
	        {"{\"id\":1,\"method\":\"echo\",\"params\":{\"text\":\"hi\"}}\n",
	         "\"result\":{\"text\":\"hi\"}"},
	        {"{\"id\":2,\"method\":\"echo\"}\n", "-32602"},
	        {"{\"id\":3,\"method\":\"nope\"}\n", "-32601"},
	        {"{\"id\":4}\n", "-32600"},
	        {"not json\n", "-32700"},
	        {"[1]\n", "-32700"},
	};
	struct rpc_server *server;
	struct error e;
	uv_loop_t loop;
	struct stat st;
	char path[100], *huge;

	uv_loop_init(&loop);
	snprintf(path, sizeof(path), "%s/sock", dir);
	cr_assert_eq(rpc_listen(&loop, path, methods, NULL, &server, &e), 0, "%s", e.text);
	stat(path, &st);
	cr_assert_eq(st.st_mode & 0777, 0660);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *reply = exchange(&loop, path, cases[i].request, strlen(cases[i].request));

		cr_assert(strstr(reply, cases[i].expect), "%s -> %s", cases[i].request, reply);
		free(reply);
	}
	huge = calloc(1, RPC_LINE_MAX);
	memset(huge, ' ', RPC_LINE_MAX);
	free(exchange(&loop, path, huge, RPC_LINE_MAX));
	free(huge);
	rpc_close(server);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0);
	cr_assert_neq(access(path, F_OK), 0);
}

static struct rpc_request *kept;

static int keep(void *ctx, json_t *params, struct rpc_request *q, struct error *e)
{
	if (json_object_size(params))
		return error_set(e, EINVAL, "no parameters are expected");
	kept = q;
	return 0;
}

static void answer_kept(uv_timer_t *timer)
{
	rpc_answer(kept, json_object());
	uv_close((uv_handle_t *)timer, NULL);
}

Test(rpc, answers_later, .init = make_dir, .fini = remove_dir, .timeout = 60)
{
	static const struct rpc_method methods[] = {{.name = "keep", .begin = keep}, {.name = NULL}};
	static const char bad[] = "{\"id\":1,\"method\":\"keep\",\"params\":{\"a\":1}}\n",
	                  good[] = "{\"id\":2,\"method\":\"keep\"}\n";
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct rpc_server *server;
	uv_timer_t timer;
	struct error e;
	uv_loop_t loop;
	char *reply;
	int fd;

	uv_loop_init(&loop);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s/sock", dir);
	cr_assert_eq(rpc_listen(&loop, to.sun_path, methods, NULL, &server, &e), 0, "%s", e.text);
	reply = exchange(&loop, to.sun_path, bad, strlen(bad));
	cr_assert(strstr(reply, "-32602"), "%s", reply);
	free(reply);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, answer_kept, 20, 0);
	reply = exchange(&loop, to.sun_path, good, strlen(good));
	cr_assert(strstr(reply, "\"result\":{}"), "%s", reply);
	free(reply);
	/* The client goes before its answer comes. */
	kept = NULL;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	cr_assert_eq(send(fd, good, strlen(good), 0), (ssize_t)strlen(good));
	while (!kept)
		uv_run(&loop, UV_RUN_NOWAIT);
	close(fd);
	while (kept->client)
		uv_run(&loop, UV_RUN_NOWAIT);
	rpc_answer(kept, json_object());
	rpc_close(server);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0);
}
