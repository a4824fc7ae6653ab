/* SPDX-License-Identifier: Apache-2.0 */
/* What weftd is told: the command line, over the configuration file, over the defaults. */
#ifndef CONTROL_SWITCHD_OPTIONS_H
#define CONTROL_SWITCHD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/dp/rcu.h"

#define DEFAULT_RUNDIR "/run/weft"
#define DEFAULT_CONFIG "/etc/weft/weftd.conf"

enum { OPTIONS_LISTEN_MAX = 8 };

struct options {
	char rundir[80]; /* a unix socket's path has 107 bytes */
	char bridge[16];
	char state[256];               /* the file of interface definitions */
	unsigned workers[WORKERS_MAX]; /* cores */
	unsigned nworkers;
	uint32_t memory_mb;                     /* of DPDK; 0: chosen by eal_start */
	uint32_t cache_entries;                 /* of each worker's flow cache; 0: the default */
	uint32_t connections, zone_connections; /* tracked; 0: the default */
	bool pci;                               /* probe PCI devices for type=ethdev */
	int log_level;                          /* enum log_level */
	char listen[OPTIONS_LISTEN_MAX][80];    /* "ptcp:..." and "pssl:..." */
	unsigned nlisten;
	char private_key[256], certificate[256], ca_cert[256]; /* PEM files, "" when not given */
};

enum options_result { OPTIONS_RUN, OPTIONS_EXIT, OPTIONS_USAGE };

/* Reads everything. OPTIONS_EXIT after --help or --version (printed); OPTIONS_USAGE with `e` set when
 * something is wrong: the option or the file and line are named. */
enum options_result options_read(int argc, char **argv, struct options *o, struct error *e);

#endif
