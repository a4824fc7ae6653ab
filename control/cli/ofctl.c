/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: flows, groups and ports of a switch over OpenFlow 1.3, in the manner of ovs-ofctl. This file
 * reads the options and finds the command; the commands are in ofctl_*.c. */
#include "control/cli/ofctl.h"

#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int help(struct ofctl *ctl, int argc, char **argv);
static int list_commands(struct ofctl *ctl, int argc, char **argv);

static const struct command {
	const char *name, *usage;
	int min, max; /* arguments */
	int (*run)(struct ofctl *ctl, int argc, char **argv);
} commands[] = {
        {"show", "SWITCH", 1, 1, ofctl_show},
        {"dump-desc", "SWITCH", 1, 1, ofctl_dump},
        {"dump-tables", "SWITCH", 1, 1, ofctl_dump},
        {"dump-table-features", "SWITCH", 1, 1, ofctl_dump_table_features},
        {"dump-flows", "SWITCH [FLOW]", 1, 2, ofctl_dump_flows},
        {"dump-aggregate", "SWITCH [FLOW]", 1, 2, ofctl_dump},
        {"add-flow", "SWITCH FLOW", 2, 2, ofctl_add_flow},
        {"add-flows", "SWITCH FILE", 2, 2, ofctl_add_flows},
        {"mod-flows", "SWITCH FLOW", 2, 2, ofctl_mod_flows},
        {"del-flows", "SWITCH [FLOW]", 1, 2, ofctl_del_flows},
        {"replace-flows", "SWITCH FILE", 2, 2, ofctl_replace_flows},
        {"diff-flows", "SOURCE1 SOURCE2", 2, 2, ofctl_diff_flows},
        {"bundle", "SWITCH FILE", 2, 2, ofctl_bundle},
        {"dump-ports", "SWITCH [PORT]", 1, 2, ofctl_dump},
        {"dump-ports-desc", "SWITCH [PORT]", 1, 2, ofctl_dump},
        {"mod-port", "SWITCH PORT ACTION", 3, 3, ofctl_mod_port},
        {"get-frags", "SWITCH", 1, 1, ofctl_get_frags},
        {"set-frags", "SWITCH MODE", 2, 2, ofctl_set_frags},
        {"queue-stats", "SWITCH [PORT [QUEUE]]", 1, 3, ofctl_dump},
        {"queue-get-config", "SWITCH [PORT]", 1, 2, ofctl_queue_get_config},
        {"add-group", "SWITCH GROUP", 2, 2, ofctl_group_mod},
        {"add-groups", "SWITCH FILE", 2, 2, ofctl_group_mod},
        {"mod-group", "SWITCH GROUP", 2, 2, ofctl_group_mod},
        {"del-groups", "SWITCH [GROUP]", 1, 2, ofctl_group_mod},
        {"dump-groups", "SWITCH [GROUP]", 1, 2, ofctl_dump},
        {"dump-group-stats", "SWITCH [GROUP]", 1, 2, ofctl_dump},
        {"dump-group-features", "SWITCH", 1, 1, ofctl_dump},
        {"add-meter", "SWITCH METER", 2, 2, ofctl_meter_mod},
        {"mod-meter", "SWITCH METER", 2, 2, ofctl_meter_mod},
        {"del-meter", "SWITCH [METER]", 1, 2, ofctl_meter_mod},
        {"del-meters", "SWITCH [METER]", 1, 2, ofctl_meter_mod},
        {"dump-meter", "SWITCH [METER]", 1, 2, ofctl_dump},
        {"dump-meters", "SWITCH [METER]", 1, 2, ofctl_dump},
        {"meter-stats", "SWITCH [METER]", 1, 2, ofctl_dump},
        {"meter-features", "SWITCH", 1, 1, ofctl_dump},
        {"ct-flush-zone", "SWITCH ZONE", 2, 2, ofctl_ct_flush_zone},
        {"ct-flush", "SWITCH [zone=N] [ORIG-TUPLE [REPLY-TUPLE]]", 1, 4, ofctl_ct_flush},
        {"add-tlv-map", "SWITCH MAP", 2, 2, ofctl_mod_options},
        {"del-tlv-map", "SWITCH [MAP]", 1, 2, ofctl_mod_options},
        {"dump-tlv-map", "SWITCH", 1, 1, ofctl_dump_options},
        {"packet-out", "SWITCH \"in_port=PORT packet=HEX actions=ACTIONS\"", 2, INT_MAX, ofctl_packet_out},
        {"monitor", "SWITCH [MISSLEN] [resume] [watch:[...]]", 1, INT_MAX, ofctl_monitor},
        {"snoop", "SWITCH", 1, 1, ofctl_snoop},
        {"probe", "SWITCH", 1, 1, ofctl_probe},
        {"ping", "SWITCH [N]", 1, 2, ofctl_ping},
        {"benchmark", "SWITCH N COUNT", 3, 3, ofctl_benchmark},
        {"parse-flow", "FLOW", 1, 1, ofctl_parse_flow},
        {"parse-flows", "FILE", 1, 1, ofctl_parse_flows},
        {"parse-actions", "ACTIONS", 1, 1, ofctl_parse_actions},
        {"parse-group", "GROUP", 1, 1, ofctl_parse_group},
        {"ofp-parse", "FILE", 1, 1, ofctl_ofp_parse},
        {"ofp-parse-pcap", "FILE [TCP-PORT...]", 1, INT_MAX, ofctl_ofp_parse_pcap},
        {"ofp-print", "HEX [VERBOSITY]", 1, 2, ofctl_ofp_print},
        {"help", "", 0, INT_MAX, help},
        {"list-commands", "", 0, INT_MAX, list_commands},
        /* what only later versions of OpenFlow can say */
        {"dump-table-desc", NULL, 1, 1, ofctl_needs_later},
        {"mod-table", NULL, 3, 3, ofctl_needs_later},
        {"insert-buckets", NULL, 2, 2, ofctl_needs_later},
        {"remove-buckets", NULL, 1, 2, ofctl_needs_later},
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

static void put_commands(void)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].usage)
			printf("  %-20s %s\n", commands[i].name, commands[i].usage);
	}
}

static int list_commands(struct ofctl *ctl, int argc, char **argv)
{
	printf("The available commands are:\n");
	put_commands();
	return 0;
}

static int help(struct ofctl *ctl, int argc, char **argv)
{
	printf("weft-ofctl: flows, groups, meters and ports of a switch, over OpenFlow 1.3\n"
	       "usage: weft-ofctl [OPTIONS] COMMAND [ARG...]\n\n");
	put_commands();
	printf("\nSWITCH is a bridge name, unix:PATH, tcp:HOST:PORT or the path of a socket. FILE may be "
	       "-.\n\n"
	       "  --rundir DIR         where DIR/SWITCH.mgmt is (default $WEFT_RUNDIR or /run/weft)\n"
	       "  --strict             mod-flows and del-flows: exactly the flow with this match and "
	       "priority\n"
	       "  --bundle             all changes of a command in effect at once, or none\n"
	       "  --may-create         mod-group: make the group when it is not there\n"
	       "  --readd              replace-flows: also the flows that are right already\n"
	       "  --read-only          refuse what would change the switch\n"
	       "  -o, --output json    dump-*: JSON\n"
	       "  --names, --no-names  ports by name or by number (default: names on a terminal)\n"
	       "  --stats, --no-stats  dump-flows: with or without counters and durations\n"
	       "  --sort[=FIELD], --rsort[=FIELD]\n"
	       "                       dump-flows: by priority or a field, ascending or descending\n"
	       "  -m, --more           more of a message when it is printed\n"
	       "  --timestamp          monitor, snoop, ofp-parse-pcap: when it came\n"
	       "  -P, --packet-in-format FORMAT\n"
	       "                       monitor: standard, nxt_packet_in or nxt_packet_in2\n"
	       "  -t, --timeout SECS   give up after SECS (default: 10 s without an answer)\n"
	       "  -O, --protocols VERSION, -F, --flow-format FORMAT\n"
	       "                       accepted when they include OpenFlow13\n"
	       "  --color[=WHEN]       dump-flows: coloured always, never, or on a terminal (auto)\n"
	       "  -h, --help; -V, --version\n");
	return 0;
}

enum {
	OPT_RUNDIR = 256,
	OPT_STRICT,
	OPT_NAMES,
	OPT_NO_NAMES,
	OPT_STATS,
	OPT_NO_STATS,
	OPT_SORT,
	OPT_RSORT,
	OPT_BUNDLE,
	OPT_MAY_CREATE,
	OPT_READD,
	OPT_READ_ONLY,
	OPT_TIMESTAMP,
	OPT_COLOR,
};

static const struct option options[] = {
        {"rundir", required_argument, NULL, OPT_RUNDIR},
        {"strict", no_argument, NULL, OPT_STRICT},
        {"output", required_argument, NULL, 'o'},
        {"names", no_argument, NULL, OPT_NAMES},
        {"no-names", no_argument, NULL, OPT_NO_NAMES},
        {"stats", no_argument, NULL, OPT_STATS},
        {"no-stats", no_argument, NULL, OPT_NO_STATS},
        {"sort", optional_argument, NULL, OPT_SORT},
        {"rsort", optional_argument, NULL, OPT_RSORT},
        {"bundle", no_argument, NULL, OPT_BUNDLE},
        {"may-create", no_argument, NULL, OPT_MAY_CREATE},
        {"readd", no_argument, NULL, OPT_READD},
        {"read-only", no_argument, NULL, OPT_READ_ONLY},
        {"timestamp", no_argument, NULL, OPT_TIMESTAMP},
        {"color", optional_argument, NULL, OPT_COLOR},
        {"more", no_argument, NULL, 'm'},
        {"packet-in-format", required_argument, NULL, 'P'},
        {"flow-format", required_argument, NULL, 'F'},
        {"timeout", required_argument, NULL, 't'},
        {"protocols", required_argument, NULL, 'O'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
};

static int add_sort(struct ofctl *ctl, const char *name, bool descending)
{
	enum field_id field = FIELD_NONE;

	if (ctl->n_sorts == OFCTL_SORTS_MAX)
		return ofctl_fail("--sort: at most %d times", OFCTL_SORTS_MAX);
	if (name && strcasecmp(name, "priority")) {
		field = field_by_name(name, strlen(name));
		if (field == FIELD_NONE)
			return ofctl_fail("%s: unknown field name", name);
	}
	ctl->sorts[ctl->n_sorts++] = (struct ofctl_sort){field, descending};
	return 0;
}

static int take_packet_in_format(struct ofctl *ctl, const char *name)
{
	static const char *const names[] = {"standard", "nxt_packet_in", "nxt_packet_in2"};

	for (int i = 0; i < 3; i++) {
		if (!strcmp(name, names[i])) {
			ctl->packet_in_format = i;
			return 0;
		}
	}
	return ofctl_fail("-P: unknown packet-in format `%s'", name);
}

static int take_color(struct ofctl *ctl, const char *when)
{
	static const struct {
		const char *name;
		int on; /* -1: on a terminal */
	} words[] = {{"always", 1}, {"yes", 1},   {"force", 1}, {"never", 0},  {"no", 0},
	             {"none", 0},   {"auto", -1}, {"tty", -1},  {"if-tty", -1}};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcasecmp(when, words[i].name)) {
			ctl->color = words[i].on < 0 ? isatty(STDOUT_FILENO) : words[i].on;
			return 0;
		}
	}
	return ofctl_fail("incorrect value `%s' for --color", when);
}

/* For the whole command, as ovs-ofctl does: SIGALRM ends the program. */
static int take_timeout(struct ofctl *ctl, const char *text)
{
	char *end;
	long seconds = strtol(text, &end, 10);

	if (*end || seconds <= 0 || seconds > INT_MAX / 1000)
		return ofctl_fail("value %s on -t or --timeout is invalid", text);
	ctl->timeout_ms = (int)seconds * 1000;
	alarm((unsigned)seconds);
	return 0;
}

/* -O and -F: more versions than ours may be named. */
static int check_version(char option, const char *text)
{
	if (strcasestr(text, "OpenFlow13") || strstr(text, "1.3") || !strcasecmp(text, "any") ||
	    !strcasecmp(text, "oxm"))
		return 0;
	return ofctl_fail("-%c: %s: this program speaks OpenFlow13", option, text);
}

/* Options without an argument that switch something on. */
static bool *switch_of(struct ofctl *ctl, int option)
{
	switch (option) {
	case OPT_STRICT:
		return &ctl->strict;
	case OPT_BUNDLE:
		return &ctl->bundle;
	case OPT_MAY_CREATE:
		return &ctl->may_create;
	case OPT_READD:
		return &ctl->readd;
	case OPT_READ_ONLY:
		return &ctl->read_only;
	case OPT_TIMESTAMP:
		return &ctl->timestamp;
	case OPT_STATS:
		return &ctl->show_stats;
	default:
		return NULL;
	}
}

/* 0 to go on, 1 to fail. */
static int take_option(struct ofctl *ctl, int option)
{
	bool *on = switch_of(ctl, option);

	if (on) {
		*on = true;
		return 0;
	}
	switch (option) {
	case OPT_RUNDIR:
		ctl->rundir = optarg;
		return 0;
	case OPT_NAMES:
	case OPT_NO_NAMES:
		ctl->show_names = option == OPT_NAMES;
		return 0;
	case OPT_NO_STATS:
		ctl->show_stats = false;
		return 0;
	case OPT_SORT:
	case OPT_RSORT:
		return add_sort(ctl, optarg, option == OPT_RSORT);
	case OPT_COLOR:
		return take_color(ctl, optarg ? optarg : "auto");
	case 'm':
		ctl->verbosity++;
		return 0;
	case 'P':
		return take_packet_in_format(ctl, optarg);
	case 'o':
		ctl->json = !strcmp(optarg, "json");
		return ctl->json || !strcmp(optarg, "text") ? 0 : ofctl_fail("-o: expected json or text");
	case 't':
		return take_timeout(ctl, optarg);
	case 'O':
	case 'F':
		return check_version((char)option, optarg);
	case 'h':
		exit(help(ctl, 0, NULL));
	case 'V':
		printf("weft-ofctl (Weft) " WEFT_VERSION ", OpenFlow 1.3\n");
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
			return ofctl_fail("'%s' command requires at least %d arguments", c->name, c->min);
		if (argc - 1 > c->max)
			return ofctl_fail("'%s' command takes at most %d arguments", c->name, c->max);
		return c->run(ctl, argc, argv);
	}
	return ofctl_fail("unknown command '%s'; use --help for help", argv[0]);
}

int main(int argc, char **argv)
{
	struct ofctl ctl = {.rundir = "/run/weft",
	                    .show_stats = true,
	                    .show_names = -1,
	                    .packet_in_format = -1,
	                    .only = OFPP_ANY,
	                    .timeout_ms = 10000};
	int option, rc;

	if (getenv("WEFT_RUNDIR"))
		ctl.rundir = getenv("WEFT_RUNDIR");
	while ((option = getopt_long(argc, argv, "o:t:O:F:P:mhV", options, NULL)) != -1) {
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
