/* SPDX-License-Identifier: Apache-2.0 */
/* weft-pktgen: sends packets into a switch and checks what comes out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/pktgen/load.h"
#include "tests/pktgen/packet_text.h"
#include "tests/pktgen/scenario.h"

static int usage(FILE *to)
{
	fputs("Usage: weft-pktgen [-v] run FILE...     run scenarios ('-': standard input)\n"
	      "       weft-pktgen compose PACKET       print the frame as hex\n"
	      "       weft-pktgen load ...             load a switch; `load` alone explains\n"
	      "       weft-pktgen probe CORE CORE [wake]   ns for a cache line to go from one to the other,\n"
	      "                                        or for a thread to be woken by the other\n"
	      "A scenario is explained in tests/pktgen/README.md.\n",
	      to);
	return to == stderr ? 2 : 0;
}

static int compose(const char *text)
{
	static uint8_t frame[PACKET_TEXT_MAX];
	struct error e;
	int len = packet_text_parse(text, frame, &e);

	if (len < 0) {
		fprintf(stderr, "weft-pktgen: %s\n", e.text);
		return 2;
	}
	for (int i = 0; i < len; i++)
		printf("%02x", frame[i]);
	putchar('\n');
	return 0;
}

static int run(const char *file, bool verbose)
{
	FILE *in = strcmp(file, "-") ? fopen(file, "r") : stdin;
	struct error e;
	int rc;

	if (!in) {
		fprintf(stderr, "weft-pktgen: %s: %s\n", file, strerror(errno));
		return 1;
	}
	rc = scenario_run(in, file, verbose, &e);
	if (rc)
		fprintf(stderr, "weft-pktgen: %s\n", e.text);
	else
		printf("%s: passed\n", file);
	if (in != stdin)
		fclose(in);
	return rc ? 1 : 0;
}

static int load(int argc, char **argv)
{
	struct load_options o;
	json_t *report = NULL;
	struct error e;

	if (argc < 2 || !load_options_read(argc, argv, &o)) {
		load_usage();
		return 2;
	}
	if (load_run(&o, &report, &e)) {
		fprintf(stderr, "weft-pktgen: %s\n", e.text);
		return 1;
	}
	json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(report);
	return 0;
}

static int probe(double (*what)(unsigned, unsigned), const char *a, const char *b)
{
	double ns = what((unsigned)atoi(a), (unsigned)atoi(b));

	if (ns < 0) {
		fprintf(stderr, "weft-pktgen: cores %s and %s: not two cores of this machine\n", a, b);
		return 1;
	}
	printf("%.1f\n", ns);
	return 0;
}

int main(int argc, char **argv)
{
	bool verbose = false;
	int bad = 0, c;

	if (argc > 1 && !strcmp(argv[1], "load"))
		return load(argc - 1, argv + 1);
	if (argc == 4 && !strcmp(argv[1], "probe"))
		return probe(probe_cores, argv[2], argv[3]);
	if (argc == 5 && !strcmp(argv[1], "probe") && !strcmp(argv[4], "wake"))
		return probe(probe_wake, argv[2], argv[3]);

	while ((c = getopt(argc, argv, "vh")) != -1) {
		if (c == 'h')
			return usage(stdout);
		if (c != 'v')
			return usage(stderr);
		verbose = true;
	}
	if (argc - optind < 2)
		return usage(stderr);
	if (!strcmp(argv[optind], "compose"))
		return compose(argv[optind + 1]);
	if (strcmp(argv[optind], "run"))
		return usage(stderr);
	for (int i = optind + 1; i < argc; i++)
		bad |= run(argv[i], verbose);
	return bad;
}
