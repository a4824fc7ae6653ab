/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath's life, its workers and its figures; see datapath.h. Ports are in ports.c, what goes through
 * the rings in reports.c. Called by control/switchd. */
#include "datapath/datapath.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_launch.h>

#include "datapath/ct/conntrack.h"
#include "datapath/topology.h"
#include "datapath/worker.h"

int datapath_create(const struct datapath_config *config, struct datapath **out, struct error *e)
{
	struct datapath *dp;

	if (config->nworkers < 1 || config->nworkers > WORKERS_MAX)
		return error_set(e, EINVAL, "1 to %d workers are possible", WORKERS_MAX);
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return error_set(e, ENOMEM, "out of memory");
	dp->config = *config;
	dp->env = (struct port_env){.loop = config->loop, .nworkers = config->nworkers};
	dp->report_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	dp->fdb = fdb_create(&config->fdb);
	dp->ct = conntrack_create(&config->ct);
	if (dp->report_fd < 0 || !dp->fdb || !dp->ct || topology_publish(dp))
		goto err;
	for (unsigned i = 0; i < config->nworkers; i++) {
		dp->workers[i] = worker_create(dp, i);
		if (!dp->workers[i])
			goto err;
	}
	if (stuck_prepare())
		goto err;
	*out = dp;
	return 0;
err:
	datapath_destroy(dp);
	return error_set(e, ENOMEM, "out of memory");
}

void datapath_destroy(struct datapath *dp)
{
	if (!dp)
		return;
	for (unsigned i = 0; i < dp->config.nworkers; i++)
		worker_destroy(dp->workers[i]);
	if (dp->fdb)
		fdb_destroy(dp->fdb);
	conntrack_destroy(dp->ct);
	if (dp->report_fd >= 0)
		close(dp->report_fd);
	rcu_synchronize(); /* old lists come back to the datapath */
	free(dp->topology);
	free(dp->spare_topology);
	free(dp);
}

int datapath_start(struct datapath *dp, const unsigned *lcores)
{
	__atomic_store_n(&dp->running, true, __ATOMIC_SEQ_CST);
	for (dp->started = 0; dp->started < dp->config.nworkers; dp->started++) {
		unsigned lcore = lcores[dp->started];
		int rc = rte_eal_remote_launch(worker_main, dp->workers[dp->started], lcore);

		if (rc) {
			datapath_stop(dp);
			return rc;
		}
		dp->lcores[dp->started] = lcore;
	}
	return 0;
}

static void await_worker(struct worker *w, unsigned lcore)
{
	for (unsigned ms = 1; rte_eal_get_lcore_state(lcore) == RUNNING; ms++) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		if (ms % 100 == 0)
			stuck_interrupt(w);
	}
	rte_eal_wait_lcore(lcore);
}

void datapath_stop(struct datapath *dp)
{
	__atomic_store_n(&dp->running, false, __ATOMIC_SEQ_CST);
	datapath_wake(dp);
	for (unsigned i = 0; i < dp->started; i++)
		await_worker(dp->workers[i], dp->lcores[i]);
	dp->started = 0;
}

void datapath_wake(struct datapath *dp)
{
	for (unsigned i = 0; i < dp->config.nworkers; i++)
		if (dp->workers[i])
			worker_wake(dp->workers[i]);
}

struct fdb *datapath_fdb(const struct datapath *dp)
{
	return dp->fdb;
}

struct conntrack *datapath_ct(const struct datapath *dp)
{
	return dp->ct;
}

unsigned datapath_nworkers(const struct datapath *dp)
{
	return dp->config.nworkers;
}

int datapath_report_fd(const struct datapath *dp)
{
	return dp->report_fd;
}

struct worker *datapath_worker(const struct datapath *dp, unsigned worker)
{
	return dp->workers[worker];
}

void datapath_worker_stats(const struct datapath *dp, unsigned worker, struct worker_stats *out,
                           struct cache_stats *cache)
{
	const struct worker *w = dp->workers[worker];

	*out = w->stats;
	if (cache)
		cache_get_stats(w->cache, cache);
}

void datapath_drops(const struct datapath *dp, uint64_t *drops)
{
	memset(drops, 0, DROP_REASON_COUNT * sizeof(*drops));
	for (unsigned i = 0; i < dp->config.nworkers; i++)
		for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
			drops[r] += dp->workers[i]->drops[r] + (i == 0 ? dp->gone_drops[r] : 0);
	for (const struct datapath_port *d = dp->ports; d; d = d->next) {
		struct port_counters sum;

		datapath_port_counters(dp, d->port, &sum);
		for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
			drops[r] += sum.drops[r];
	}
}
