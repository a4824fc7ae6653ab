/* SPDX-License-Identifier: Apache-2.0 */
/* weft: the operator's command. Options, the table of commands, and which of them is meant. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "control/cli/weft_command.h"

/* Options of the tenant commands: kept by name, as often as they come. */
static const struct option tenant_options[] = {
        {"file", required_argument, NULL, 1},    {"dry-run", no_argument, NULL, 1},
        {"prune", required_argument, NULL, 1},   {"wait", required_argument, NULL, 1},
        {"vtep", required_argument, NULL, 1},    {"mtu", required_argument, NULL, 1},
        {"vni", required_argument, NULL, 1},     {"subnet", required_argument, NULL, 1},
        {"gateway", required_argument, NULL, 1}, {"dns", required_argument, NULL, 1},
        {"no-dhcp", no_argument, NULL, 1},       {"network", required_argument, NULL, 1},
        {"ip", required_argument, NULL, 1},      {"mac", required_argument, NULL, 1},
        {"host", required_argument, NULL, 1},    {"socket", required_argument, NULL, 1},
        {"queues", required_argument, NULL, 1},  {"sg", required_argument, NULL, 1},
        {"activate", no_argument, NULL, 1},      {"up", no_argument, NULL, 1},
        {"off", no_argument, NULL, 1},
};
enum { NTENANT_OPTIONS = sizeof(tenant_options) / sizeof(tenant_options[0]) };

static const char types_help[] =
        "\nTypes of interfaces and their options:\n"
        "  vhost-user  socket=PATH [role=client|server] [queues=N] [mtu=N] [exception=TAP]\n"
        "  afxdp       dev=IFNAME [steer=vxlan|all]\n"
        "  ethdev      devargs=DEVARGS [mtu=N] [exception=TAP]\n"
        "  tap         dev=NAME [mtu=N]\n"
        "  vxlan       local=ADDR[,ADDR6] [remote=flow|ADDR] [vni=flow|N] [allow=ADDR,...|any]\n"
        "  any of them [storm-broadcast=N] [storm-multicast=N] [storm-unknown=N]  packets per second, 0: no "
        "limit\n"
        "              [affinity=QUEUE:CORE,...|any]  which worker polls which receive queue (any: by load)\n"
        "              [private=yes]  only flows that name it: no NORMAL, FLOOD or ALL\n"
        "exception=TAP makes an uplink for VXLAN; the rest of its traffic is the kernel's, at that tap.\n"
        "\nA controller's TARGET is tcp:HOST[:PORT] or ssl:HOST[:PORT] (port 6653 unless said). Options of "
        "the set:\n"
        "  --fail-mode standalone|secure  when none can be reached: forward like a learning switch "
        "(default), or\n"
        "                                 go on with the flows there are\n"
        "  --probe SECONDS                of silence before a controller is asked for an echo (5; 0: never)\n"
        "  --max-backoff SECONDS          the longest pause between two attempts to connect (8)\n"
        "  --packet-in-rate N             packets per second that each connection is sent (20000; 0: no "
        "limit)\n"
        "\nThe tenants' state is in the store of this host's agent, or in the one that is said by\n"
        "  --store etcd://HOST[:PORT],... [--cert FILE --key FILE --ca FILE]  or sqlite:FILE; or by\n"
        "  WEFT_STORE, WEFT_CERT, WEFT_KEY, WEFT_CA in the environment; or by `weft store use`\n"
        "\nExit status: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 switch or store unreachable.\n";

static void print_help(void)
{
	puts("weft: look at and change the switch of this host\n\n"
	     "Usage: weft [--rundir DIR] [-o table|json|yaml] [--timeout SECONDS] COMMAND...\n");
	for (int i = 0; weft_commands[i].name; i++)
		printf("  %-15s %-41s %s\n", weft_commands[i].name, weft_commands[i].usage,
		       weft_commands[i].help);
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
	for (int i = 0; weft_commands[i].name; i++) {
		const char *space = strchr(weft_commands[i].name, ' ');

		if (space && !strncmp(weft_commands[i].name, words[0], strlen(words[0])))
			fprintf(stderr, "%s", space);
	}
	fprintf(stderr, n > 1 ? ", not '%s'\n" : "\n", n > 1 ? words[1] : "");
}

/* Does the command take every tenant option that was given? */
static bool takes_options(const struct weft *w, const char *takes)
{
	const char *name;
	json_t *value;

	json_object_foreach(w->options, name, value)
	{
		size_t n = strlen(name);
		const char *at = takes ? strstr(takes, name) : NULL;

		while (at && ((at > takes && at[-1] != ' ') || (at[n] && at[n] != ' ')))
			at = strstr(at + 1, name);
		if (!at)
			return false;
	}
	return true;
}

static enum weft_exit run(const struct weft *w, int n, char **words)
{
	int first = 0, used = 0, i;

	for (i = 0; weft_commands[i].name; i++) {
		used = spells(weft_commands[i].name, n, words, &first);
		if (used)
			break;
	}
	if (!weft_commands[i].name) {
		say_unknown(n, words, first);
		return WEFT_USAGE;
	}
	n -= used;
	if (n < weft_commands[i].min || (weft_commands[i].max >= 0 && n > weft_commands[i].max) ||
	    !takes_options(w, weft_commands[i].options) || (w->watch && weft_commands[i].run != weft_stats) ||
	    ((w->fail_mode || w->probe || w->max_backoff || w->packet_in_rate) &&
	     weft_commands[i].run != weft_controller_set)) {
		fprintf(stderr, "usage: weft %s %s\n", weft_commands[i].name, weft_commands[i].usage);
		return WEFT_USAGE;
	}
	return weft_commands[i].run(w, n, words + used);
}

/* Seconds, perhaps with an "s" behind. */
static int set_time(int *ms, const char *text)
{
	char *end;
	double seconds;

	if (!text)
		return -EINVAL;
	seconds = strtod(text, &end);
	end += *end == 's';
	if (end == text || *end || !(seconds > 0 && seconds <= 3600))
		return -EINVAL;
	*ms = (int)(seconds * 1000) + 1;
	return 0;
}

static int keep_option(struct weft *w, const char *name, const char *value, struct error *e)
{
	json_t *list = json_object_get(w->options, name), *text = json_string(value ? value : "");

	if (!list) {
		list = json_array();
		json_object_set_new(w->options, name, list);
	}
	if (json_array_append_new(list, text))
		return error_set(e, EINVAL, "--%s: expected UTF-8 text", name);
	if (!strcmp(name, "wait") && set_time(&w->wait_ms, value))
		return error_set(e, EINVAL, "--wait: expected seconds up to 3600, not '%s'", value);
	w->dry_run |= !strcmp(name, "dry-run");
	return 0;
}

static int set_format(struct weft *w, const char *text)
{
	w->json = !strcmp(text, "json");
	w->yaml = !strcmp(text, "yaml");
	return w->json || w->yaml || !strcmp(text, "table") ? 0 : -EINVAL;
}

/* 0, 1 (done: leave with WEFT_OK) or -EINVAL with the text in `e`. */
static int read_options(struct weft *w, int argc, char **argv, struct error *e)
{
	static const struct option common[] = {
	        {"rundir", required_argument, NULL, 'r'},
	        {"output", required_argument, NULL, 'o'},
	        {"store", required_argument, NULL, 's'},
	        {"cert", required_argument, NULL, 'C'},
	        {"key", required_argument, NULL, 'K'},
	        {"ca", required_argument, NULL, 'A'},
	        {"timeout", required_argument, NULL, 't'},
	        {"watch", no_argument, NULL, 'w'},
	        {"fail-mode", required_argument, NULL, 'm'},
	        {"probe", required_argument, NULL, 'p'},
	        {"max-backoff", required_argument, NULL, 'b'},
	        {"packet-in-rate", required_argument, NULL, 'R'},
	        {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'V'},
	};
	enum { NCOMMON = sizeof(common) / sizeof(common[0]) };
	struct option longs[NCOMMON + NTENANT_OPTIONS + 1] = {0};
	int c, which = 0;

	memcpy(longs, common, sizeof(common));
	memcpy(longs + NCOMMON, tenant_options, sizeof(tenant_options));
	while ((c = getopt_long(argc, argv, "o:hf:", longs, &which)) != -1) {
		if (c == 1 && keep_option(w, longs[which].name, optarg, e))
			return -EINVAL;
		if (c == 'f' && keep_option(w, "file", optarg, e))
			return -EINVAL;
		if (c == 'r')
			w->rundir = optarg;
		else if (c == 's')
			w->store = optarg;
		else if (c == 'C')
			w->cert = optarg;
		else if (c == 'K')
			w->key = optarg;
		else if (c == 'A')
			w->ca = optarg;
		else if (c == 'w')
			w->watch = true;
		else if (c == 'm')
			w->fail_mode = optarg;
		else if (c == 'p')
			w->probe = optarg;
		else if (c == 'b')
			w->max_backoff = optarg;
		else if (c == 'R')
			w->packet_in_rate = optarg;
		else if (c == 'o' && set_format(w, optarg))
			return error_set(e, EINVAL, "-o: expected table, json or yaml, not '%s'", optarg);
		else if (c == 't' && set_time(&w->timeout_ms, optarg))
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

static enum weft_exit read_and_run(struct weft *w, int argc, char **argv)
{
	struct error e = {""};
	int rc = read_options(w, argc, argv, &e);

	if (rc)
		return rc < 0 ? weft_report(rc, &e) : WEFT_OK;
	if (optind == argc) {
		fputs("weft: expected a command; try weft --help\n", stderr);
		return WEFT_USAGE;
	}
	return run(w, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
	struct weft w = {.rundir = "/run/weft", .timeout_ms = 10000, .options = json_object()};
	enum weft_exit status = read_and_run(&w, argc, argv);

	json_decref(w.options);
	if (fflush(stdout) || ferror(stdout)) {
		perror("weft: cannot write the output");
		return status ? (int)status : WEFT_FAILED;
	}
	return (int)status;
}
