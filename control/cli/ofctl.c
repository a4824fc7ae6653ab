/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: flows, groups and ports of a switch over OpenFlow 1.3, in the manner of ovs-ofctl. This file
 * reads the options and finds the command; the commands are in ofctl_*.c. */
#include "control/cli/ofctl.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct command {
	const char *name, *usage;
	int min, max; /* arguments */
	int (*run)(struct ofctl *ctl, int argc, char **argv);
} commands[] = {
        {"show", "SWITCH", 1, 1, ofctl_show},
        {"dump-flows", "SWITCH [FLOW]", 1, 2, ofctl_dump_flows},
        {"dump-aggregate", "SWITCH [FLOW]", 1, 2, ofctl_dump_aggregate},
        {"add-flow", "SWITCH FLOW", 2, 2, ofctl_add_flow},
        {"add-flows", "SWITCH FILE", 2, 2, ofctl_add_flows},
        {"mod-flows", "SWITCH FLOW", 2, 2, ofctl_mod_flows},
        {"del-flows", "SWITCH [FLOW]", 1, 2, ofctl_del_flows},
        {"replace-flows", "SWITCH FILE", 2, 2, ofctl_replace_flows},
        {"diff-flows", "SOURCE1 SOURCE2", 2, 2, ofctl_diff_flows},
        {"dump-ports", "SWITCH [PORT]", 1, 2, ofctl_dump_ports},
        {"dump-ports-desc", "SWITCH [PORT]", 1, 2, ofctl_dump_ports_desc},
        {"dump-tables", "SWITCH", 1, 1, ofctl_dump_tables},
        {"add-group", "SWITCH GROUP", 2, 2, ofctl_add_group},
        {"add-groups", "SWITCH FILE", 2, 2, ofctl_add_groups},
        {"mod-group", "SWITCH GROUP", 2, 2, ofctl_mod_group},
        {"del-groups", "SWITCH [GROUP]", 1, 2, ofctl_del_groups},
        {"dump-groups", "SWITCH [GROUP]", 1, 2, ofctl_dump_groups},
        {"dump-group-stats", "SWITCH [GROUP]", 1, 2, ofctl_dump_group_stats},
        {"packet-out", "SWITCH \"in_port=PORT packet=HEX actions=ACTIONS\"", 2, 2, ofctl_packet_out},
        {"parse-flow", "FLOW", 1, 1, ofctl_parse_flow},
        {"parse-flows", "FILE", 1, 1, ofctl_parse_flows},
};

int ofctl_fail(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "weft-ofctl: ");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

static void usage(void)
{
	printf("weft-ofctl: flows, groups and ports of a switch, over OpenFlow 1.3\n"
	       "usage: weft-ofctl [OPTIONS] COMMAND [ARG...]\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("  %-16s %s\n", commands[i].name, commands[i].usage);
	printf("\nSWITCH is a bridge name, unix:PATH, tcp:HOST:PORT or the path of a socket. FILE may be "
	       "-.\n\n"
	       "  --rundir DIR        where DIR/SWITCH.mgmt is (default /run/weft)\n"
	       "  --strict            mod-flows and del-flows: exactly the flow with this match and "
	       "priority\n"
	       "  -o, --output json   dump-*: JSON\n"
	       "  --names, --no-names ports by name or by number (default: names on a terminal)\n"
	       "  --no-stats          dump-flows: without counters and durations\n"
	       "  -t, --timeout SECS  give up after SECS (default 10)\n"
	       "  -O VERSION          accepted when it includes OpenFlow13\n"
	       "  -h, --help; -V, --version\n");
}

enum { OPT_RUNDIR = 256, OPT_STRICT, OPT_NAMES, OPT_NO_NAMES, OPT_NO_STATS };

static const struct option options[] = {
        {"rundir", required_argument, NULL, OPT_RUNDIR},
        {"strict", no_argument, NULL, OPT_STRICT},
        {"output", required_argument, NULL, 'o'},
        {"names", no_argument, NULL, OPT_NAMES},
        {"no-names", no_argument, NULL, OPT_NO_NAMES},
        {"no-stats", no_argument, NULL, OPT_NO_STATS},
        {"timeout", required_argument, NULL, 't'},
        {"protocols", required_argument, NULL, 'O'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
};

/* 0 to go on, 1 to fail. */
static int take_option(struct ofctl *ctl, int option)
{
	switch (option) {
	case OPT_RUNDIR:
		ctl->rundir = optarg;
		return 0;
	case OPT_STRICT:
		ctl->strict = true;
		return 0;
	case OPT_NAMES:
		ctl->show_names = 1;
		return 0;
	case OPT_NO_NAMES:
		ctl->show_names = 0;
		return 0;
	case OPT_NO_STATS:
		ctl->show_stats = false;
		return 0;
	case 'o':
		ctl->json = !strcmp(optarg, "json");
		return ctl->json || !strcmp(optarg, "text") ? 0 : ofctl_fail("-o: expected json or text");
	case 't':
		ctl->timeout_ms = atoi(optarg) * 1000;
		return ctl->timeout_ms > 0 ? 0 : ofctl_fail("-t: expected seconds");
	case 'O':
		return strcasestr(optarg, "OpenFlow13") || strstr(optarg, "1.3")
		               ? 0
		               : ofctl_fail("-O: %s: this program speaks OpenFlow13", optarg);
	case 'h':
		usage();
		exit(0);
	case 'V':
		printf("weft-ofctl (Weft), OpenFlow 1.3\n");
		exit(0);
	default:
		return 1; /* getopt has said it */
	}
}

static int run(struct ofctl *ctl, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (strcmp(argv[0], c->name))
			continue;
		if (argc - 1 < c->min)
			return ofctl_fail("'%s' command requires at least %d arguments: %s", c->name, c->min,
			                  c->usage);
		if (argc - 1 > c->max)
			return ofctl_fail("'%s' command takes at most %d arguments: %s", c->name, c->max,
			                  c->usage);
		return c->run(ctl, argc, argv);
	}
	return ofctl_fail("unknown command '%s'; use --help for help", argv[0]);
}

int main(int argc, char **argv)
{
	struct ofctl ctl = {.rundir = "/run/weft", .show_stats = true, .show_names = -1, .timeout_ms = 10000};
	int option, rc;

	if (getenv("WEFT_RUNDIR"))
		ctl.rundir = getenv("WEFT_RUNDIR");
	while ((option = getopt_long(argc, argv, "o:t:O:hV", options, NULL)) != -1) {
		if (take_option(&ctl, option))
			return 1;
	}
	if (optind == argc)
		return ofctl_fail("missing command name; use --help for help");
	rc = run(&ctl, argc - optind, argv + optind);
	ofctl_disconnect(&ctl);
	if (fflush(stdout) && !rc)
		rc = ofctl_fail("writing to standard output failed");
	return rc;
}
