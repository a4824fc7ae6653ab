/* SPDX-License-Identifier: Apache-2.0 */
/* Builds EAL's arguments; see eal.h. */
#include "control/switchd/eal.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "base/log.h"

enum { MB_HUGE = 256, MB_PLAIN = 64 };

static unsigned free_hugepages_mb(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%u", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * 2;
}

/* The control thread's core: the first one allowed that is no worker's; with none left it shares the first
 * worker's. */
static unsigned control_core(const struct options *o)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		CPU_ZERO(&allowed);
	for (unsigned i = 0; i < o->nworkers; i++)
		CPU_CLR(o->workers[i], &allowed);
	for (unsigned core = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &allowed))
			return core;
	return o->workers[0];
}

static int check_cores(const struct options *o, struct error *e)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return error_set(e, errno, "workers: the cores of this machine cannot be read: %s",
		                 strerror(errno));
	for (unsigned i = 0; i < o->nworkers; i++)
		if (o->workers[i] >= CPU_SETSIZE || !CPU_ISSET(o->workers[i], &allowed))
			return error_set(e, EINVAL, "workers: core %u is not there, or not for weftd to use",
			                 o->workers[i]);
	return 0;
}

/* lcore 0 is the control thread, lcore 1 + i is worker i, wherever they run. */
static void lcore_map(const struct options *o, char *text, size_t size)
{
	int n = snprintf(text, size, "0@%u", control_core(o));

	for (unsigned i = 0; i < o->nworkers; i++)
		n += snprintf(text + n, size - (size_t)n, ",%u@%u", 1 + i, o->workers[i]);
}

int eal_start(const struct options *o, struct error *e)
{
	char lcores[WORKERS_MAX * 12 + 16], memory[16];
	char *argv[16];
	int argc = 0;
	unsigned mb = o->memory_mb ? o->memory_mb : MB_HUGE;
	bool huge = free_hugepages_mb() >= mb;
	int rc = check_cores(o, e);

	if (rc)
		return rc;
	if (!huge && !o->memory_mb)
		mb = MB_PLAIN;
	lcore_map(o, lcores, sizeof(lcores));
	snprintf(memory, sizeof(memory), "%u", mb);
	argv[argc++] = "weftd";
	argv[argc++] = "--lcores";
	argv[argc++] = lcores;
	/* Of hugepages only what is used is taken, up to the limit. */
	argv[argc++] = huge ? "--socket-limit" : "-m";
	argv[argc++] = memory;
	argv[argc++] = huge ? "--in-memory" : "--no-huge";
	argv[argc++] = "--no-telemetry";
	argv[argc++] = "--log-level=*:warning";
	if (!huge)
		argv[argc++] = "--no-shconf";
	if (!o->pci)
		argv[argc++] = "--no-pci";
	argv[argc] = NULL;
	if (rte_eal_init(argc, argv) < 0)
		return error_set(e, rte_errno, "DPDK's EAL did not start (cores %s, %u MB): %s", lcores, mb,
		                 rte_strerror(rte_errno));
	log_info("DPDK: %s, lcores %s", huge ? "hugepages as needed" : "without hugepages", lcores);
	return 0;
}
