/* SPDX-License-Identifier: Apache-2.0 */
/* weft: the operator's command. Options, the table of commands, and which of them is meant. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "control/cli/weft_command.h"

static const struct weft_command commands[] = {
        {"if add", "NAME type=TYPE [ofport=N] [KEY=VALUE]...", "add an interface", 2, -1, weft_if_add},
        {"if set", "NAME KEY=VALUE...", "change options of an interface", 2, -1, weft_if_set},
        {"if del", "NAME", "remove an interface", 1, 1, weft_if_del},
        {"if list", "", "list the interfaces", 0, 0, weft_if_list},
        {"if show", "NAME", "all that is known of an interface", 1, 1, weft_if_show},
        {"controller set",
         "[--fail-mode standalone|secure] [--probe SECONDS] [--max-backoff SECONDS] TARGET...",
         "connect to these OpenFlow controllers only", 0, -1, weft_controller_set},
        {"controller del", "[TARGET]", "disconnect from one, or from all", 0, 1, weft_controller_del},
        {"controller show", "", "which are connected, and since when", 0, 0, weft_controller_show},
        {"fdb show", "", "learned MAC addresses", 0, 0, weft_fdb_show},
        {"fdb flush", "[NAME]", "forget them (those of one interface)", 0, 1, weft_fdb_flush},
        {"stats", "[--watch]", "packets and bytes per interface", 0, 0, weft_stats},
        {"drops", "", "dropped packets by interface and reason", 0, 0, weft_drops},
        {"workers", "", "what the workers do", 0, 0, weft_workers},
        {"version", "", "version and bridge of the switch", 0, 0, weft_version},
};
enum { NCOMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const char types_help[] =
        "\nTypes of interfaces and their options:\n"
        "  vhost-user  socket=PATH [role=client|server] [queues=N] [mtu=N]\n"
        "  afxdp       dev=IFNAME [steer=vxlan|all]\n"
        "  ethdev      devargs=DEVARGS\n"
        "  tap         dev=NAME\n"
        "  vxlan       local=ADDR[,ADDR6] [remote=flow|ADDR] [vni=flow|N] [allow=ADDR,...|any]\n"
        "  any of them [storm-broadcast=N] [storm-multicast=N] [storm-unknown=N]  packets per second, 0: no "
        "limit\n"
        "              [private=yes]  only flows that name it: no NORMAL, FLOOD or ALL\n"
        "\nA controller's TARGET is tcp:HOST[:PORT] or ssl:HOST[:PORT] (port 6653 unless said). When none "
        "can\n"
        "be reached, a switch with fail mode standalone (default) forwards like a learning switch, one with\n"
        "secure goes on with the flows it has. --probe (5): after so many seconds of silence a controller "
        "is\n"
        "asked for an echo. --max-backoff (8): the longest pause between two attempts to connect.\n"
        "\nExit status: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 switch unreachable.\n";

static void print_help(void)
{
	puts("weft: look at and change the switch of this host\n\n"
	     "Usage: weft [--rundir DIR] [-o table|json] [--timeout SECONDS] COMMAND...\n");
	for (int i = 0; i < NCOMMANDS; i++)
		printf("  %-9s %-41s %s\n", commands[i].name, commands[i].usage, commands[i].help);
	fputs(types_help, stdout);
}

/* Words of `words` that spell `name` ("if add": 2), or 0. `*first`: the first word fits. */
static int spells(const char *name, int n, char **words, int *first)
{
	const char *space = strchr(name, ' ');
	size_t len = space ? (size_t)(space - name) : strlen(name);

	if (strlen(words[0]) != len || strncmp(words[0], name, len) != 0)
		return 0;
	*first = 1;
	if (!space)
		return 1;
	return n > 1 && !strcmp(words[1], space + 1) ? 2 : 0;
}

static void say_unknown(int n, char **words, int first)
{
	if (!first) {
		fprintf(stderr, "weft: unknown command '%s'; try weft --help\n", words[0]);
		return;
	}
	fprintf(stderr, "weft: %s: expected", words[0]);
	for (int i = 0; i < NCOMMANDS; i++) {
		const char *space = strchr(commands[i].name, ' ');

		if (space && !strncmp(commands[i].name, words[0], strlen(words[0])))
			fprintf(stderr, "%s", space);
	}
	fprintf(stderr, n > 1 ? ", not '%s'\n" : "\n", n > 1 ? words[1] : "");
}

static enum weft_exit run(const struct weft *w, int n, char **words)
{
	int first = 0, used = 0, i;

	for (i = 0; i < NCOMMANDS; i++) {
		used = spells(commands[i].name, n, words, &first);
		if (used)
			break;
	}
	if (i == NCOMMANDS) {
		say_unknown(n, words, first);
		return WEFT_USAGE;
	}
	n -= used;
	if (n < commands[i].min || (commands[i].max >= 0 && n > commands[i].max) ||
	    (w->watch && commands[i].run != weft_stats) ||
	    ((w->fail_mode || w->probe || w->max_backoff) && commands[i].run != weft_controller_set)) {
		fprintf(stderr, "usage: weft %s %s\n", commands[i].name, commands[i].usage);
		return WEFT_USAGE;
	}
	return commands[i].run(w, n, words + used);
}

static int set_timeout(struct weft *w, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds > 0 && seconds <= 3600))
		return -EINVAL;
	w->timeout_ms = (int)(seconds * 1000) + 1;
	return 0;
}

/* 0, 1 (done: leave with WEFT_OK) or -EINVAL with the text in `e`. */
static int read_options(struct weft *w, int argc, char **argv, struct error *e)
{
	static const struct option longs[] = {
	        {"rundir", required_argument, NULL, 'r'},      {"output", required_argument, NULL, 'o'},
	        {"timeout", required_argument, NULL, 't'},     {"watch", no_argument, NULL, 'w'},
	        {"fail-mode", required_argument, NULL, 'f'},   {"probe", required_argument, NULL, 'p'},
	        {"max-backoff", required_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'V'},           {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
		if (c == 'r')
			w->rundir = optarg;
		else if (c == 'w')
			w->watch = true;
		else if (c == 'f')
			w->fail_mode = optarg;
		else if (c == 'p')
			w->probe = optarg;
		else if (c == 'b')
			w->max_backoff = optarg;
		else if (c == 'o' && (!strcmp(optarg, "json") || !strcmp(optarg, "table")))
			w->json = !strcmp(optarg, "json");
		else if (c == 'o')
			return error_set(e, EINVAL, "-o: expected table or json, not '%s'", optarg);
		else if (c == 't' && set_timeout(w, optarg))
			return error_set(e, EINVAL, "--timeout: expected seconds up to 3600, not '%s'",
			                 optarg);
		else if (c == 'h')
			print_help();
		else if (c == 'V')
			puts("weft " WEFT_VERSION);
		else if (c == '?')
			return error_set(e, EINVAL, "try weft --help");
		if (c == 'h' || c == 'V')
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct weft w = {.rundir = "/run/weft", .timeout_ms = 10000};
	struct error e = {""};
	enum weft_exit status;
	int rc = read_options(&w, argc, argv, &e);

	if (rc)
		return rc < 0 ? (int)weft_report(rc, &e) : WEFT_OK;
	if (optind == argc) {
		fputs("weft: expected a command; try weft --help\n", stderr);
		return WEFT_USAGE;
	}
	status = run(&w, argc - optind, argv + optind);
	if (fflush(stdout) || ferror(stdout)) {
		perror("weft: cannot write the output");
		return status ? (int)status : WEFT_FAILED;
	}
	return (int)status;
}
