/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many agents against one etcd: the code of weft-agent from the store to the flows, without a switch. Each
 * has a connection and watches of its own; a few threads share them. The main thread writes the desired
 * state, starts the agents, and changes ports at a rate; each change is timed until the flows of the last
 * agent that it concerns follow it. README.md says what is measured.
 */
#ifndef TESTS_SIMULATE_SIMULATE_H
#define TESTS_SIMULATE_SIMULATE_H

#include <pthread.h>

#include "control/tenancy/tenancy.h"

struct store;

enum {
	TENANT_HOSTS = 20, /* of each tenant */
	TENANT_NETWORKS = 5,
	PORTS_MAX = 16000, /* of a tenant: with a number below that */
	NEW_PORTS = 10000, /* ports that come later have numbers from here on */
	THREADS_MAX = 32,  /* also the bound of first lists at one time */
	STORE_MS = 60000,
};

struct options {
	const char *endpoints; /* of etcd */
	unsigned hosts, ports, rate, seconds, threads;
	unsigned check; /* so many agents are compared with fresh ones at the end */
	int etcd_pid;   /* 0: unknown */
};

/* ---- the desired state (world.c) ---- */

struct world {
	const struct options *o;
	struct store *store;
	struct tenancy state;
	unsigned n_tenants;
};

void world_make(struct world *w, const struct options *o, struct store *store);
void world_free(struct world *w);
void host_name(unsigned host, char name[OBJECT_NAME_MAX + 1]);
/* Number `k` of the hosts of a tenant. */
unsigned tenant_host(const struct world *w, unsigned tenant, unsigned k);

/* ---- changes (changes.c) ---- */

struct change {
	char tenant[OBJECT_NAME_MAX + 1], port[OBJECT_NAME_MAX + 1], host[OBJECT_NAME_MAX + 1];
	uint32_t vni;
	bool gone;            /* the port is, else it is at `host` */
	uint64_t due;         /* when it should be written: clock_now() */
	uint64_t written;     /* when etcd said that it is */
	unsigned left;        /* agents that do not have it yet */
	uint64_t seen, flows; /* when the last agent had it */
};

struct times { /* ns */
	uint64_t *ns;
	size_t n;
};

void times_add(struct times *t, uint64_t ns);
uint64_t times_at(struct times *t, double part); /* 0.5: the median. Sorts. */

/* Makes changes at the rate; returns when all agents have all of them. */
void changes_run(struct world *w, struct change *changes, unsigned n);

/* ---- agents (agents.c), of one simulation ---- */

struct agents_figures {
	struct times latencies; /* of each change at each agent */
	size_t flows;           /* of all agents */
	uint64_t updates;
};

/* Starts them all and waits until each has its flows; how long that took (ns). */
uint64_t agents_start(const struct options *o);
/* The agent of a host has to see this change. Any thread. */
void agents_expect(unsigned host, struct change *c);
/* Waits until nothing is expected any more. */
void agents_wait(void);
/* Ends them. The flows of `check` of them are compared with those that a fresh agent computes; false: they
 * differ (told). */
bool agents_stop(struct store *store, struct agents_figures *figures);

#endif
