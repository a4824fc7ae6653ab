/* SPDX-License-Identifier: Apache-2.0 */
/* Ports that come, go and move at a rate, whether the ones before are written or not: several writers, with a
 * connection each, take turns. No port is changed twice, so an agent that has a change can be told by looking
 * at the port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "control/store/store.h"
#include "control/tenancy/keys.h"
#include "tests/simulate/simulate.h"

enum { WRITERS = 8 };

void times_add(struct times *t, uint64_t ns)
{
	if ((t->n & (t->n - 1)) == 0)
		t->ns = realloc(t->ns, (t->n ? 2 * t->n : 1) * sizeof(*t->ns));
	if (!t->ns)
		abort();
	t->ns[t->n++] = ns;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

uint64_t times_at(struct times *t, double part)
{
	if (!t->n)
		return 0;
	qsort(t->ns, t->n, sizeof(*t->ns), by_size);
	return t->ns[(size_t)(part * (double)(t->n - 1) + 0.5)];
}

/* The keys of one port. */
static void keys_of_port(const struct world *w, const struct tenant_port *p, struct key_list *out)
{
	struct tenancy t;

	tenancy_init(&t);
	tenancy_put(&t, object_copy(tenancy_get(&w->state, KIND_NETWORK, p->object.tenant, p->network)));
	tenancy_put(&t, object_copy(&p->object));
	if (keys_of(&t, out))
		abort();
	tenancy_free(&t);
}

/* One transaction from the port as it is to `to` (NULL: it goes). */
static void write_change(const struct world *w, struct store *store, const struct tenant_port *from,
                         const struct tenant_port *to)
{
	struct key_list old = {0}, new = {0};
	struct store_op ops[64];
	struct store_txn txn = {.ops = ops};
	struct error e;

	if (from)
		keys_of_port(w, from, &old);
	if (to)
		keys_of_port(w, to, &new);
	for (size_t i = 0, k = 0; i < old.n || k < new.n;) {
		int order = i == old.n ? 1 : k == new.n ? -1 : strcmp(old.keys[i].key, new.keys[k].key);
		const struct owned_key *key = order < 0 ? &old.keys[i] : &new.keys[k];

		if (key->owner.kind == KIND_PORT &&
		    (order || strcmp(old.keys[i].value, new.keys[k].value) != 0))
			ops[txn.n_ops++] = (struct store_op){key->key, order < 0 ? NULL : key->value};
		i += order <= 0;
		k += order >= 0;
	}
	if (store_txn(store, &txn, NULL, &e)) {
		fprintf(stderr, "a change could not be written: %s\n", e.text);
		exit(1);
	}
	keys_free(&old);
	keys_free(&new);
}

/* Change number `n` concerns tenant and port so that hosts take turns, and of the ports that a tenant has on
 * a host some stay: else its agent would not follow what it is told of. */
static struct tenant_port *port_for(const struct world *w, unsigned n, unsigned *tenant)
{
	char t[OBJECT_NAME_MAX + 1], p[OBJECT_NAME_MAX + 1];

	*tenant = n % w->n_tenants;
	snprintf(t, sizeof(t), "t%03u", *tenant);
	snprintf(p, sizeof(p), "p%u", n / w->n_tenants);
	return tenancy_get(&w->state, KIND_PORT, t, p);
}

static void one_change(const struct world *w, struct store *store, struct change *c, unsigned n)
{
	unsigned tenant;
	struct tenant_port *p = port_for(w, n, &tenant), *to = object_copy(&p->object);
	const struct network *net = tenancy_get(&w->state, KIND_NETWORK, p->object.tenant, p->network);
	enum { GOES, MOVES, COMES } what = (tenant + n / w->n_tenants) % 3;

	if (what == GOES) {
		c->gone = true;
	} else if (what == MOVES) {
		for (unsigned k = n / 7; !strcmp(to->hosts[0], p->hosts[0]); k++)
			host_name(tenant_host(w, tenant, k % TENANT_HOSTS), to->hosts[0]);
	} else { /* another one */
		snprintf(to->object.name, sizeof(to->object.name), "p%u", NEW_PORTS + n);
		to->mac.b[0] = 0x1a;
		to->ips[0].b[14] = (uint8_t)(100 + (n >> 8));
		to->ips[0].b[15] = (uint8_t)n;
	}
	snprintf(c->tenant, sizeof(c->tenant), "%s", p->object.tenant);
	snprintf(c->port, sizeof(c->port), "%s", to->object.name);
	snprintf(c->host, sizeof(c->host), "%s", to->hosts[0]);
	c->vni = net->vni;
	c->left = TENANT_HOSTS;
	for (unsigned k = 0; k < TENANT_HOSTS; k++)
		agents_expect(tenant_host(w, tenant, k), c);
	write_change(w, store, what == COMES ? NULL : p, c->gone ? NULL : to);
	c->written = clock_now();
	free(to);
}

struct writer {
	const struct world *w;
	struct change *changes;
	unsigned first, n; /* its first one, and how many all writers have */
	uint64_t start;
	struct store *store;
	pthread_t thread;
};

static void *write_turns(void *arg)
{
	struct writer *x = arg;

	for (unsigned i = x->first; i < x->n; i += WRITERS) {
		uint64_t due = x->start + i * (CLOCK_SECOND / x->w->o->rate), now = clock_now();
		struct timespec pause = {0, (long)(due - now)};

		while (now < due && nanosleep(&pause, &pause))
			;
		x->changes[i].due = due;
		one_change(x->w, x->store, &x->changes[i], i);
	}
	return NULL;
}

static void open_writer(struct writer *x)
{
	static const char *const prefix = KEYS_ROOT "host/h0000";
	struct store_snapshot snap;
	struct error e;

	if (store_open_etcd(x->w->o->endpoints, NULL, STORE_MS, &x->store, &e) ||
	    store_range(x->store, &prefix, 1, &snap, &e)) { /* connected by then */
		fprintf(stderr, "a writer: %s\n", e.text);
		exit(1);
	}
	store_snapshot_free(&snap);
}

void changes_run(struct world *w, struct change *changes, unsigned n)
{
	struct writer writers[WRITERS];
	uint64_t start;

	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.w = w, .changes = changes, .first = i, .n = n};
		open_writer(&writers[i]);
	}
	start = clock_now();
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i].start = start;
		pthread_create(&writers[i].thread, NULL, write_turns, &writers[i]);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		store_close(writers[i].store);
	}
	agents_wait();
}
