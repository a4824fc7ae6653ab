/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: polls its queues for ever, and sleeps when there is nothing to do. Launched by datapath.c. */
#include "datapath/worker.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#include "base/clock.h"
#include "datapath/output.h"
#include "datapath/pipeline.h"
#include "datapath/resume.h"

enum {
	FOLD_BUDGET = 256,  /* cache entries after a round without packets */
	FOLD_SHARE = 4,     /* after others, one for so many packets */
	SPIN_ROUNDS = 2000, /* empty rounds before the first nap */
	NAP_ROUNDS = 200,   /* naps before the worker sleeps on its fds */
	NAP_STEP_NS = 500,  /* each is this much longer than the one before */
	SLEEP_MS = 1000,    /* look around at least this often */
	MISS_SHARE = 32,    /* default of config.miss_share */
	MISS_BATCH = 16,    /* packets of such a queue at a time: others wait for no more than these */
};

/* One batch of a queue, and who pays for it. Translating the packets of unknown flows takes several times as
 * long as forwarding, so a guest that makes up headers could take the worker from all others. It gets
 * 1/miss_share of the time for that while others have packets, and all of it when they have none. */
static unsigned poll_queue(struct worker *w, struct port_rxq *q)
{
	uint64_t misses = cache_misses(w->cache), start = rte_rdtsc();
	uint32_t share = w->dp->config.miss_share ? w->dp->config.miss_share : MISS_SHARE;
	unsigned n = pipeline_run(w, q);
	uint64_t spent;

	if (!n)
		return 0;
	spent = rte_rdtsc() - start;
	q->busy_cycles += spent;
	q->packets += n;
	if (share == 1)
		return n;
	misses = cache_misses(w->cache) - misses;
	q->debt = misses ? (int64_t)(spent * misses / n * (share - 1)) : 0;
	q->most = misses * 4 > n ? MISS_BATCH : 0;
	return n;
}

/* Queues without debt first; what they take pays the others' debts. */
static unsigned poll_queues(struct worker *w, const struct poll_list *list)
{
	uint64_t start = rte_rdtsc();
	unsigned n = 0, waiting = 0, others = 0;
	int64_t spent;

	for (unsigned i = 0; i < list->n; i++) {
		if (list->q[i]->debt > 0)
			waiting++;
		else
			n += poll_queue(w, list->q[i]);
	}
	spent = n ? (int64_t)(rte_rdtsc() - start) : INT64_MAX;
	for (unsigned i = 0; waiting && i < list->n; i++) {
		struct port_rxq *q = list->q[i];

		if (q->debt <= 0)
			continue;
		q->debt = q->debt > spent ? q->debt - spent : 0;
		if (!n)
			others += poll_queue(w, q);
	}
	return n + others;
}

unsigned worker_poll_once(struct worker *w)
{
	const struct poll_list *list;
	unsigned n;

	w->topology = rcu_read(w->dp->topology);
	w->now = clock_now();
	vxlan_forget(&w->tunnels);
	list = &w->topology->poll[w->id];
	n = pipeline_inject(w);
	n += poll_queues(w, list);
	report_notify(w);
	w->stats.iterations++;
	if (cache_fold(w->cache, n ? n / FOLD_SHARE + 1 : FOLD_BUDGET))
		n++;
	return n;
}

/* The fds to sleep on; 0 when a queue must be polled or there are too many. */
static unsigned sleep_fds(const struct worker *w, const struct poll_list *list, struct pollfd *fds)
{
	unsigned n = 0;

	fds[n++] = (struct pollfd){.fd = w->wake_fd, .events = POLLIN};
	for (unsigned i = 0; i < list->n; i++) {
		struct port_rxq *q = list->q[i];
		int fd = q->ops->sleep_fd ? q->ops->sleep_fd(q) : PORT_MUST_POLL;

		if (fd == PORT_QUIET)
			continue;
		if (fd == PORT_MUST_POLL || n == WORKER_FDS_MAX)
			return 0;
		fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return n;
}

/* True when a queue has packets already. */
static bool arm(const struct poll_list *list, bool on)
{
	bool busy = false;

	for (unsigned i = 0; i < list->n; i++)
		if (list->q[i]->ops->arm)
			busy |= list->q[i]->ops->arm(list->q[i], on);
	return busy;
}

/* Offline, so that nobody waits a nap for a grace period. */
static void nap(const struct worker *w, uint64_t ns)
{
	rcu_offline(w->id);
	nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
	rcu_online(w->id);
}

/* poll(2), without returning at once for ever because of a device that has gone. */
static void wait_on(const struct worker *w, struct pollfd *fds, unsigned n)
{
	bool gone = false;

	rcu_offline(w->id);
	if (poll(fds, n, SLEEP_MS) > 0)
		for (unsigned i = 0; i < n; i++)
			gone |= fds[i].revents & (POLLERR | POLLHUP | POLLNVAL);
	rcu_online(w->id);
	if (gone)
		nap(w, NAP_ROUNDS * NAP_STEP_NS);
}

/* Everything that could wake the worker is looked at once more between saying "asleep" and sleeping. */
static void sleep_on_fds(struct worker *w)
{
	const struct topology *t = rcu_read(w->dp->topology);
	const struct poll_list *list = &t->poll[w->id];
	struct pollfd fds[WORKER_FDS_MAX];
	unsigned n = sleep_fds(w, list, fds);
	uint64_t count;

	if (!n) {
		nap(w, NAP_ROUNDS * NAP_STEP_NS);
		return;
	}
	__atomic_store_n(&w->asleep, true, __ATOMIC_SEQ_CST);
	if (!arm(list, true) && record_ring_empty(&w->inject) && !cache_fold_pending(w->cache) &&
	    t == rcu_read(w->dp->topology) && __atomic_load_n(&w->dp->running, __ATOMIC_SEQ_CST)) {
		w->stats.sleeps++;
		wait_on(w, fds, n);
	}
	__atomic_store_n(&w->asleep, false, __ATOMIC_SEQ_CST);
	(void)!read(w->wake_fd, &count, sizeof(count));
	/* The ports may have changed meanwhile. */
	arm(&rcu_read(w->dp->topology)->poll[w->id], false);
}

static void be_idle(struct worker *w)
{
	w->idle++;
	if (w->idle < SPIN_ROUNDS || w->dp->config.never_sleep)
		rte_pause();
	else if (w->idle < SPIN_ROUNDS + NAP_ROUNDS)
		nap(w, (uint64_t)(w->idle - SPIN_ROUNDS + 1) * NAP_STEP_NS);
	else
		sleep_on_fds(w);
}

int worker_main(void *worker)
{
	struct worker *w = worker;
	uint64_t before = rte_rdtsc();

	w->thread = pthread_self();
	__atomic_store_n(&w->has_thread, true, __ATOMIC_RELEASE);
	rcu_worker_register(w->id);
	while (__atomic_load_n(&w->dp->running, __ATOMIC_ACQUIRE)) {
		unsigned n = worker_poll_once(w);
		uint64_t now;

		rcu_quiescent(w->id);
		if (n)
			w->idle = 0;
		else
			be_idle(w);
		now = rte_rdtsc();
		*(n ? &w->stats.busy_cycles : &w->stats.idle_cycles) += now - before;
		before = now;
	}
	rcu_worker_unregister(w->id);
	__atomic_store_n(&w->has_thread, false, __ATOMIC_RELEASE);
	return 0;
}

void worker_wake(struct worker *w)
{
	uint64_t one = 1;

	/* The news must be visible before the look: the worker says "asleep" first and then looks for news.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&w->asleep, __ATOMIC_SEQ_CST))
		(void)!write(w->wake_fd, &one, sizeof(one));
}

static struct packet *alloc_packets(unsigned n)
{
	struct packet *p = aligned_alloc(64, n * sizeof(*p));

	if (p)
		memset(p, 0, n * sizeof(*p));
	return p;
}

struct worker *worker_create(struct datapath *dp, unsigned id)
{
	struct worker *w = aligned_alloc(64, sizeof(*w));

	if (!w)
		return NULL;
	memset(w, 0, sizeof(*w));
	w->id = id;
	w->dp = dp;
	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->pool = alloc_packets(BATCH_MAX);
	w->clones = alloc_packets(CLONES_MAX);
	w->cache = cache_create(dp->config.tables, id, dp->config.cache_entries);
	w->resumed = aligned_alloc(64, RESUMED_MAX * sizeof(*w->resumed));
	w->resumes_left = RESUMES_MAX;
	if (w->wake_fd < 0 || !w->pool || !w->clones || !w->resumed || !w->cache ||
	    record_ring_init(&w->learned, LEARN_RING_BYTES) ||
	    record_ring_init(&w->reports, REPORT_RING_BYTES) ||
	    record_ring_init(&w->inject, INJECT_RING_BYTES)) {
		worker_destroy(w);
		return NULL;
	}
	cache_set_frames(w->cache, pipeline_frames, w);
	for (unsigned i = 0; i < BATCH_MAX; i++)
		w->pkts[i] = &w->pool[i];
	for (unsigned i = 0; i < CLONES_MAX; i++)
		w->free_clones[w->nfree_clones++] = &w->clones[i];
	return w;
}

void worker_destroy(struct worker *w)
{
	if (!w)
		return;
	if (w->cache)
		cache_destroy(w->cache);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	record_ring_free(&w->learned);
	record_ring_free(&w->reports);
	record_ring_free(&w->inject);
	free(w->pool);
	free(w->clones);
	free(w->resumed);
	free(w);
}
