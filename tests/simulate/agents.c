/* SPDX-License-Identifier: Apache-2.0 */
/* The agents of a simulation: each follows the store as weft-agent does, keeps its key there, and computes
 * the flows that it would send. A few threads run them; each starts its agents spread over the time over
 * which agents spread themselves, or one by one when that takes longer: no more first lists run at one time
 * than there are threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/hash.h"
#include "control/agent/agent.h"
#include "control/agent/host_flows.h"
#include "tests/simulate/simulate.h"

enum { EXPECTED_MAX = 1024 };

struct agent {
	struct runner *runner;
	char host[OBJECT_NAME_MAX + 1];
	struct store *store;
	struct view *view;
	struct scene scene;
	struct host_flows flows;
	uv_poll_t poll;
	uv_timer_t late;
	bool started;
	struct change *expected[EXPECTED_MAX];
	unsigned n_expected;
};

struct runner { /* a thread */
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t stop;
	struct agent *first, *next, *end; /* from next on they are not started yet */
	uv_timer_t start;                 /* the next one's */
	uint64_t begin;                   /* clock_now() */
};

static struct {
	const struct options *o;
	unsigned started;
	struct agent *list;
	struct runner runners[THREADS_MAX];
	pthread_mutex_t lock; /* of all below, and of what is expected */
	pthread_cond_t changed;
	unsigned expected;
	struct agents_figures figures;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- following ---- */

/* Ports are numbered by their names: a fresh agent gives the same numbers. A host has four tenants. */
static void number(struct scene *s)
{
	s->tunnel = 1;
	for (unsigned i = 0; i < s->n_local; i++) {
		const struct object *o = &s->local[i]->port->object;
		unsigned tenant;

		if (s->local[i]->ofport)
			continue;
		tenant = (unsigned)strtoul(o->tenant + 1, NULL, 10);

		s->local[i]->ofport = 2 + tenant / (all.o->hosts / TENANT_HOSTS) * PORTS_MAX +
		                      (unsigned)strtoul(o->name + 1, NULL, 10) % PORTS_MAX;
	}
}

static int count(struct flow *had, struct flow *wanted, void *arg)
{
	++*(uint64_t *)arg;
	return 0;
}

static bool has(const struct scene *s, const struct change *c)
{
	const struct scene_network *net = scene_network(s, c->vni);

	for (unsigned i = 0; net && i < net->n_ports; i++)
		if (!strcmp(net->ports[i].port->object.name, c->port))
			return !c->gone && net->ports[i].at &&
			       !strcmp(net->ports[i].at->host->object.name, c->host);
	return c->gone;
}

/* What was expected and is there now. */
static void settle(struct agent *a, uint64_t seen)
{
	uint64_t now = clock_now();

	pthread_mutex_lock(&all.lock);
	all.figures.updates++;
	for (unsigned i = 0; i < a->n_expected;) {
		struct change *c = a->expected[i];

		if (!has(&a->scene, c)) {
			i++;
			continue;
		}
		times_add(&all.figures.latencies, now - c->due);
		c->left--;
		c->seen = seen > c->seen ? seen : c->seen;
		c->flows = now > c->flows ? now : c->flows;
		a->expected[i] = a->expected[--a->n_expected];
		all.expected--;
	}
	if (!all.expected)
		pthread_cond_broadcast(&all.changed);
	pthread_mutex_unlock(&all.lock);
}

static int update(struct view *v, const char *host, struct scene *scene, struct host_flows *flows)
{
	struct error e = {""};
	uint64_t n = 0;
	int rc = scene_update(scene, v, host, "/run/weft/ports", &e);

	if (rc)
		return rc;
	number(scene);
	return host_flows_update(flows, scene, count, &n);
}

static void must(int rc, const struct agent *a, const struct error *e)
{
	if (!rc)
		return;
	fprintf(stderr, "agent of %s: %s\n", a->host, e->text);
	exit(1);
}

static void on_late(uv_timer_t *timer);

static void follow(struct agent *a)
{
	struct error e = {""};
	int rc = view_refresh(a->view, &e);
	uint64_t seen = clock_now();

	if (rc < 0 && !store_ready(a->store))
		return;
	must(rc < 0, a, &e);
	if (rc == VIEW_CHANGES_SOON && !uv_is_active((uv_handle_t *)&a->late))
		uv_timer_start(&a->late, on_late, VIEW_LATE_MS + 1, 0);
	if (rc != VIEW_CHANGED)
		return;
	must(update(a->view, a->host, &a->scene, &a->flows), a, &e);
	settle(a, seen);
}

static void on_late(uv_timer_t *timer)
{
	follow(timer->data);
}

/* ---- starting, ending ---- */

static void start_later(struct runner *r);

/* True when it has all for the first time. */
static bool is_started(struct agent *a)
{
	if (a->started || !view_known(a->view))
		return false;
	a->started = true;
	pthread_mutex_lock(&all.lock);
	all.started++;
	pthread_cond_broadcast(&all.changed);
	pthread_mutex_unlock(&all.lock);
	return true;
}

static void on_change(uv_poll_t *poll, int status, int events)
{
	struct agent *a = poll->data;

	follow(a);
	if (is_started(a))
		start_later(a->runner);
}

/* It is connected in the background, then its store calls. */
static void start_next(uv_timer_t *timer)
{
	struct runner *r = timer->data;
	struct agent *a = r->next++;
	char key[STORE_KEY_MAX];
	struct error e = {""};

	a->runner = r;
	host_name((unsigned)(a - all.list), a->host);
	snprintf(key, sizeof(key), KEYS_ROOT "live/%s", a->host);
	must(store_open_etcd(all.o->endpoints, NULL, STORE_MS, &a->store, &e), a, &e);
	must(store_keep(a->store, key, "{}", AGENT_LEASE_S, &e), a, &e);
	a->view = view_create(a->store, a->host);
	uv_poll_init(&r->loop, &a->poll, store_fd(a->store));
	uv_timer_init(&r->loop, &a->late);
	a->poll.data = a->late.data = a;
	uv_poll_start(&a->poll, UV_READABLE, on_change);
	follow(a); /* it begins to connect */
}

/* Agents wait at their start, up to AGENT_JITTER_MS: sorted, those times are about as far from each other. */
static void start_later(struct runner *r)
{
	uint64_t share, due, now = clock_now();

	if (r->next == r->end)
		return;
	share = AGENT_JITTER_MS * CLOCK_MS / (uint64_t)(r->end - r->first);
	due = r->begin + share * (uint64_t)(r->next - r->first) + hash_random_seed() % share;
	uv_timer_start(&r->start, start_next, due > now ? (due - now) / CLOCK_MS : 0, 0);
}

static void on_stop(uv_async_t *stop)
{
	uv_stop(stop->loop);
}

static void *run(void *arg)
{
	struct runner *r = arg;

	start_later(r);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	return NULL;
}

uint64_t agents_start(const struct options *o)
{
	uint64_t begin = clock_now();

	all.o = o;
	all.list = calloc(o->hosts, sizeof(*all.list));
	for (unsigned i = 0; i < o->threads; i++) {
		struct runner *r = &all.runners[i];

		r->first = r->next = all.list + (uint64_t)o->hosts * i / o->threads;
		r->end = all.list + (uint64_t)o->hosts * (i + 1) / o->threads;
		uv_loop_init(&r->loop);
		uv_async_init(&r->loop, &r->stop, on_stop);
		uv_timer_init(&r->loop, &r->start);
		r->start.data = r;
		r->begin = begin;
		pthread_create(&r->thread, NULL, run, r);
	}
	pthread_mutex_lock(&all.lock);
	while (all.started < o->hosts)
		pthread_cond_wait(&all.changed, &all.lock);
	pthread_mutex_unlock(&all.lock);
	return clock_now() - begin;
}

void agents_expect(unsigned host, struct change *c)
{
	struct agent *a = &all.list[host];

	pthread_mutex_lock(&all.lock);
	if (a->n_expected == EXPECTED_MAX) {
		fprintf(stderr, "agent of %s: is %d changes behind\n", a->host, EXPECTED_MAX);
		exit(1);
	}
	a->expected[a->n_expected++] = c;
	all.expected++;
	pthread_mutex_unlock(&all.lock);
}

void agents_wait(void)
{
	pthread_mutex_lock(&all.lock);
	while (all.expected)
		pthread_cond_wait(&all.changed, &all.lock);
	pthread_mutex_unlock(&all.lock);
}

/* ---- comparing ---- */

static int differs(struct flow *has, struct flow *wanted, void *arg)
{
	return 1;
}

/* Has the agent what one that starts now would have? */
static bool is_right(const struct agent *a, struct store *store)
{
	struct view *v = view_create(store, a->host);
	struct flow_set mine = {0}, fresh = {0};
	struct scene scene = {0};
	struct error e = {""};
	bool same;

	must(view_refresh(v, &e) < 0, a, &e);
	must(scene_update(&scene, v, a->host, "/run/weft/ports", &e), a, &e);
	number(&scene);
	must(pipeline_flows(&scene, &fresh) || host_flows_all(&a->flows, &mine), a, &e);
	same = mine.n && !flow_set_compare(&mine, &fresh, differs, NULL);
	if (!same)
		fprintf(stderr, "agent of %s: %zu flows, a fresh one has other %zu\n", a->host, mine.n,
		        fresh.n);
	flow_set_free(&mine);
	flow_set_free(&fresh);
	scene_free(&scene);
	view_destroy(v);
	return same;
}

bool agents_stop(struct store *store, struct agents_figures *figures)
{
	bool right = true;

	for (unsigned i = 0; i < all.o->threads; i++) {
		uv_async_send(&all.runners[i].stop);
		pthread_join(all.runners[i].thread, NULL);
	}
	for (unsigned i = 0; i < all.o->check; i++)
		right &= is_right(&all.list[(uint64_t)i * all.o->hosts / all.o->check], store);
	*figures = all.figures;
	for (unsigned i = 0; i < all.o->hosts; i++) {
		struct agent *a = &all.list[i];
		struct flow_set flows = {0};

		host_flows_all(&a->flows, &flows);
		figures->flows += flows.n;
		flow_set_free(&flows);
		host_flows_free(&a->flows);
		scene_free(&a->scene);
		view_destroy(a->view);
		store_close(a->store);
	}
	free(all.list);
	return right;
}
