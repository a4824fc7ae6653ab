/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK's environment, set up by weftd itself: nobody has to write EAL arguments. */
#ifndef CONTROL_SWITCHD_EAL_H
#define CONTROL_SWITCHD_EAL_H

#include "control/switchd/options.h"

/* Starts EAL: control on the calling thread, one lcore per worker; hugepages when enough are free, plain
 * memory otherwise; nothing shared with other processes, no PCI unless asked. 0 or -errno. Once per process.
 */
int eal_start(const struct options *o, struct error *e);

#endif
