/* SPDX-License-Identifier: Apache-2.0 */
/* EAL for unit tests, differential tests, benchmarks and fuzz targets. */
#include "tests/lib/eal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_errno.h>

void test_eal_init(void)
{
	static bool done;
	char *argv[] = {"test", "--no-shconf", "--no-pci", "--no-telemetry",      "--no-huge", "-m",
	                "128",  "-l",          "0",        "--log-level=*:error", NULL};

	if (done)
		return;
	if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0) {
		fprintf(stderr, "rte_eal_init: %s\n", rte_strerror(rte_errno));
		abort();
	}
	done = true;
}
