/* SPDX-License-Identifier: Apache-2.0 */
/* Grace periods on rte_rcu_qsbr; see rcu.h. Deferred calls wait in a list with their token, oldest first. */
#include "base/dp/rcu.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include <rte_rcu_qsbr.h>

struct deferred {
	struct deferred *next;
	void (*fn)(void *arg);
	void *arg;
	uint64_t token;
};

static struct rte_rcu_qsbr *qsbr;
static struct deferred *oldest, **newest = &oldest;

int rcu_init(void)
{
	if (qsbr)
		return 0;
	qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE,
	                     RTE_ALIGN_CEIL(rte_rcu_qsbr_get_memsize(WORKERS_MAX), RTE_CACHE_LINE_SIZE));
	if (!qsbr)
		return -ENOMEM;
	if (rte_rcu_qsbr_init(qsbr, WORKERS_MAX)) {
		free(qsbr);
		qsbr = NULL;
		return -EINVAL;
	}
	return 0;
}

void rcu_exit(void)
{
	rcu_synchronize();
	free(qsbr);
	qsbr = NULL;
}

void rcu_worker_register(unsigned id)
{
	rte_rcu_qsbr_thread_register(qsbr, id);
	rte_rcu_qsbr_thread_online(qsbr, id);
}

void rcu_worker_unregister(unsigned id)
{
	rte_rcu_qsbr_thread_offline(qsbr, id);
	rte_rcu_qsbr_thread_unregister(qsbr, id);
}

void rcu_online(unsigned id)
{
	rte_rcu_qsbr_thread_online(qsbr, id);
}

void rcu_offline(unsigned id)
{
	rte_rcu_qsbr_thread_offline(qsbr, id);
}

void rcu_quiescent(unsigned id)
{
	rte_rcu_qsbr_quiescent(qsbr, id);
}

void rcu_defer(void (*fn)(void *arg), void *arg)
{
	struct deferred *d = malloc(sizeof(*d));

	if (!d) {
		/* Rather wait here than use memory that a worker may still read. */
		rcu_synchronize();
		rte_rcu_qsbr_synchronize(qsbr, RTE_QSBR_THRID_INVALID);
		fn(arg);
		return;
	}
	*d = (struct deferred){.fn = fn, .arg = arg, .token = rte_rcu_qsbr_start(qsbr)};
	*newest = d;
	newest = &d->next;
}

unsigned rcu_poll(void)
{
	unsigned ran = 0;

	while (oldest && rte_rcu_qsbr_check(qsbr, oldest->token, false) == 1) {
		struct deferred *d = oldest;

		oldest = d->next;
		if (!oldest)
			newest = &oldest;
		d->fn(d->arg);
		free(d);
		ran++;
	}
	return ran;
}

bool rcu_pending(void)
{
	return oldest != NULL;
}

void rcu_synchronize(void)
{
	while (rcu_pending())
		if (!rcu_poll())
			sched_yield();
}
