/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK's environment for tests: no hugepages, no devices, nothing left behind. */
#ifndef TESTS_LIB_EAL_H
#define TESTS_LIB_EAL_H

/* Sets EAL up once per process; later calls do nothing. Aborts the process when it cannot. */
void test_eal_init(void);

#endif
