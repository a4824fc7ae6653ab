/* SPDX-License-Identifier: Apache-2.0 */
/* weft-pktgen: sends packets into a switch and checks what comes out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/pktgen/packet_text.h"
#include "tests/pktgen/scenario.h"

static int usage(FILE *to)
{
	fputs("Usage: weft-pktgen [-v] run FILE...     run scenarios ('-': standard input)\n"
	      "       weft-pktgen compose PACKET       print the frame as hex\n"
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

int main(int argc, char **argv)
{
	bool verbose = false;
	int bad = 0, c;

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
