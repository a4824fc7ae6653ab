/* SPDX-License-Identifier: Apache-2.0 */
/* Receive queues over workers: where a new one goes, pinning by hand, moving by measured load. Part of
 * datapath.h.
 *
 * A queue moves without loss: it is taken off its worker's list, and after a grace period, when nobody polls
 * it, put on the other's. Meanwhile its packets wait in its ring. */
#include "datapath/rxqs.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "datapath/topology.h"

enum {
	WHOLE = 1000,     /* of a core */
	GAIN_MIN = 100,   /* a move that makes the busiest worker's load less by less is not worth it */
	BUSY_ENOUGH = 300 /* a worker with less load can keep what it has */
};

struct worker_load {
	uint32_t load, queues;
};

static unsigned worker_of(const struct port_rxq *q)
{
	return q->moving ? q->next_worker : q->worker;
}

static void sum_up(const struct datapath *dp, struct worker_load sum[WORKERS_MAX])
{
	memset(sum, 0, WORKERS_MAX * sizeof(*sum));
	for (const struct datapath_port *d = dp->ports; d; d = d->next)
		for (unsigned i = 0; i < d->port->nrxq; i++) {
			struct worker_load *w = &sum[worker_of(&d->port->rxq[i])];

			w->load += d->port->rxq[i].load;
			w->queues++;
		}
}

static unsigned idlest(const struct datapath *dp, const struct worker_load sum[WORKERS_MAX])
{
	unsigned best = 0;

	for (unsigned w = 1; w < dp->config.nworkers; w++)
		if (sum[w].load < sum[best].load ||
		    (sum[w].load == sum[best].load && sum[w].queues < sum[best].queues))
			best = w;
	return best;
}

void rxqs_assign(const struct datapath *dp, struct port *port)
{
	struct worker_load sum[WORKERS_MAX];

	sum_up(dp, sum);
	for (unsigned i = 0; i < port->nrxq; i++) {
		unsigned w = idlest(dp, sum);

		port->rxq[i].worker = (uint16_t)w;
		sum[w].queues++;
	}
}

/* ---- moving ---- */

struct move {
	struct datapath *dp;
	struct port_rxq *q;
};

/* Nobody polls the queue: it is the control thread's for this moment. */
static void arrive(void *arg)
{
	struct move *m = arg;
	struct port_rxq *q = m->q;

	if (q->ops->arm)
		q->ops->arm(q, false); /* its worker may have gone to sleep on it */
	q->worker = q->next_worker;
	q->moving = false;
	topology_publish(m->dp); /* there is a spare block: the list of before is back */
	free(m);
}

static int move(struct datapath *dp, struct port_rxq *q, unsigned worker)
{
	struct move *m;

	if (q->moving || q->worker == worker) {
		q->next_worker = (uint16_t)worker;
		return 0;
	}
	m = malloc(sizeof(*m));
	if (!m)
		return -ENOMEM;
	*m = (struct move){dp, q};
	q->moving = true;
	q->next_worker = (uint16_t)worker;
	if (topology_reserve(dp, 0) || topology_publish(dp)) {
		q->moving = false;
		free(m);
		return -ENOMEM;
	}
	/* Behind the free of that list, and before the port's own end. */
	rcu_defer(arrive, m);
	return 0;
}

int datapath_rxq_pin(struct datapath *dp, struct port *port, unsigned queue, int worker, struct error *e)
{
	struct port_rxq *q = &port->rxq[queue];

	if (queue >= port->nrxq)
		return error_set(e, EINVAL, "%s has no queue %u", port->name, queue);
	if (worker >= (int)dp->config.nworkers)
		return error_set(e, EINVAL, "there is no worker %d", worker);
	if (worker >= 0 && move(dp, q, (unsigned)worker))
		return error_set(e, ENOMEM, "out of memory");
	q->pinned = worker >= 0;
	return 0;
}

/* ---- balancing ---- */

static void measure(struct datapath *dp, uint64_t elapsed)
{
	for (struct datapath_port *d = dp->ports; d; d = d->next)
		for (unsigned i = 0; i < d->port->nrxq; i++) {
			struct port_rxq *q = &d->port->rxq[i];
			uint64_t busy = __atomic_load_n(&q->busy_cycles, __ATOMIC_RELAXED);

			q->load = (uint32_t)((busy - q->measured) * WHOLE / elapsed);
			q->measured = busy;
		}
}

/* The queue whose leaving makes the larger of the two loads least; NULL: none is worth it. */
static struct port_rxq *choose(const struct datapath *dp, unsigned from, uint32_t busiest, uint32_t least)
{
	struct port_rxq *best = NULL;
	uint32_t best_after = busiest - GAIN_MIN;

	for (const struct datapath_port *d = dp->ports; d; d = d->next)
		for (unsigned i = 0; i < d->port->nrxq; i++) {
			struct port_rxq *q = &d->port->rxq[i];
			uint32_t after;

			if (q->worker != from || q->pinned || !q->load || q->load > busiest)
				continue;
			after = busiest - q->load > least + q->load ? busiest - q->load : least + q->load;
			if (after <= best_after) {
				best = q;
				best_after = after;
			}
		}
	return best;
}

static bool any_moving(const struct datapath *dp)
{
	for (const struct datapath_port *d = dp->ports; d; d = d->next)
		for (unsigned i = 0; i < d->port->nrxq; i++)
			if (d->port->rxq[i].moving)
				return true;
	return false;
}

bool rxqs_balance(struct datapath *dp, uint64_t elapsed)
{
	struct worker_load sum[WORKERS_MAX];
	unsigned most = 0, least;
	struct port_rxq *q;

	measure(dp, elapsed ? elapsed : 1);
	if (dp->config.nworkers < 2 || any_moving(dp))
		return false;
	sum_up(dp, sum);
	for (unsigned w = 1; w < dp->config.nworkers; w++)
		most = sum[w].load > sum[most].load ? w : most;
	least = idlest(dp, sum);
	if (sum[most].load < BUSY_ENOUGH)
		return false;
	q = choose(dp, most, sum[most].load, sum[least].load);
	return q && !move(dp, q, least);
}

bool datapath_balance(struct datapath *dp)
{
	uint64_t now = rte_rdtsc(), elapsed = now - dp->balanced;

	dp->balanced = now;
	return rxqs_balance(dp, elapsed);
}

void datapath_rxq_stats(const struct port *port, unsigned queue, struct rxq_stats *out)
{
	const struct port_rxq *q = &port->rxq[queue];

	*out = (struct rxq_stats){
	        .worker = worker_of(q),
	        .pinned = q->pinned,
	        .load = q->load,
	        .busy_cycles = __atomic_load_n(&q->busy_cycles, __ATOMIC_RELAXED),
	        .packets = __atomic_load_n(&q->packets, __ATOMIC_RELAXED),
	};
}
