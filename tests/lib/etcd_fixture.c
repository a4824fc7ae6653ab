/* SPDX-License-Identifier: Apache-2.0 */
/* See etcd_fixture.h. Used by the tests of the store in etcd and of what stands on it. */
#include "tests/lib/etcd_fixture.h"

struct etcd_cluster cluster;

void cluster_start_one(void)
{
	etcd_cluster_start(&cluster, 1, false);
}

void cluster_start_three(void)
{
	etcd_cluster_start(&cluster, 3, true);
}

void cluster_stop(void)
{
	etcd_cluster_stop(&cluster);
}
