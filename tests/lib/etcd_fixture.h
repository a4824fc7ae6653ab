/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster of a Criterion test: `.init` and `.fini` for it. */
#ifndef TESTS_LIB_ETCD_FIXTURE_H
#define TESTS_LIB_ETCD_FIXTURE_H

#include "tests/lib/etcd.h"

enum { CALL_MS = 60000 }; /* for a call that must succeed */

extern struct etcd_cluster cluster;

void cluster_start_one(void);
void cluster_start_three(void); /* with TLS */
void cluster_stop(void);

#endif
