/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one worker has, and what it reads of the ports. Private to datapath/.
 *
 * Design: everything that a batch needs is the worker's own: packets, keys, queues, cache, counters. What all
 * share is read under RCU, once per round: the ports as lists (struct topology), made anew as a whole on each
 * change. What a worker has to tell goes through rings to the control thread, one for each kind.
 *
 * Thread-safety: a struct worker belongs to its worker; the control thread touches it only while it is
 * stopped, and through the rings and the fields tagged so. struct topology is published under RCU.
 *
 * Life cycle: worker_create -> worker_main on its lcore until dp->running is false (or worker_poll_once, by a
 * test) -> worker_destroy. A topology lives until the next one is published and a grace period is over.
 */
#ifndef DATAPATH_WORKER_H
#define DATAPATH_WORKER_H

#include <pthread.h>

#include "base/dp/packet.h"
#include "base/dp/rcu.h"
#include "datapath/datapath.h"
#include "datapath/record_ring.h"
#include "flows/dp/cache.h"
#include "flows/dp/mkey.h"
#include "overlay/vxlan/vxlan.h"
#include "ports/port.h"

enum {
	CLONES_MAX = 512,   /* snapshots that wait for tx at a time */
	TXQS_MAX = 64,      /* ports that a batch is queued for before all is flushed */
	OUTPUTS_MAX = 1024, /* of one packet */
	PORT_SLOTS = 65536, /* by mkey_port() */
	WORKER_FDS_MAX = 1024,
	LEARN_RING_BYTES = 1 << 17,
	REPORT_RING_BYTES = 1 << 20,
	INJECT_RING_BYTES = 1 << 18,
};

/* The ports as lists. worker: ro, control: builds anew on each change. */
struct topology {
	struct datapath *dp;
	size_t bytes;
	unsigned nvteps;
	struct vxlan_vtep **vteps; /* vtep->user: the struct port */
	unsigned nuplinks;
	struct port **uplinks;
	unsigned nflood; /* ports of FLOOD, ALL and NORMAL */
	struct port **flood;
	struct poll_list {
		unsigned n;
		struct port_rxq **q;
	} poll[WORKERS_MAX];
};

/* Everything queued for one port. */
struct txq {
	struct port *port;
	unsigned n;
	struct packet *pkts[BATCH_MAX];
};

/* What NORMAL has found of a batch: its packets mostly have the addresses of those before. The VLAN and a MAC
 * address as one number; 0: nothing yet. */
struct normal_memory {
	uint64_t source; /* is known to be on port `from` */
	uint64_t destination;
	uint32_t from;
	uint32_t to; /* where `destination` is */
};

struct resumed;

struct worker {
	unsigned id;
	struct datapath *dp;
	struct cache *cache;
	const struct topology *topology; /* read once per iteration */
	uint64_t now;                    /* clock_now() of the batch */

	struct vxlan_memory tunnels; /* of the round */
	struct normal_memory normal; /* of the batch */

	/* tx of the batch */
	unsigned ntxqs;
	struct txq txqs[TXQS_MAX];
	uint8_t txq_of[PORT_SLOTS]; /* 1 + index, 0: none */

	/* the batch */
	struct packet *pkts[BATCH_MAX];
	struct mkey keys[BATCH_MAX];
	uint32_t lens[BATCH_MAX];
	struct packet *const *looked_up; /* whose keys cache_lookup() has been given */
	uint32_t frames[BATCH_MAX];      /* lengths for check_pkt_larger, while somebody asks for them */
	const struct program *programs[BATCH_MAX];
	struct packet *pool;   /* BATCH_MAX packets */
	struct packet *clones; /* CLONES_MAX */
	struct packet *free_clones[CLONES_MAX];
	unsigned nfree_clones;

	/* what comes back from the connection tracker: see resume.h */
	struct resumed *resumed; /* a ring of RESUMED_MAX */
	unsigned resumed_first, nresumed, resumes_left;
	bool tracking; /* some flow here uses the tracker */

	/* rings */
	struct record_ring learned; /* to control: struct learn_report */
	struct record_ring reports; /* to control: packet-in, OP_LEARN and the like */
	struct record_ring inject;  /* from control */
	bool reported;              /* something new since the control thread was woken */

	/* idleness */
	unsigned idle; /* empty rounds in a row */
	int wake_fd;   /* eventfd: control wakes a sleeping worker */
	bool asleep;   /* atomic */

	/* see stuck.c */
	pthread_t thread;
	bool has_thread;          /* atomic: `thread` is valid */
	uint64_t seen_iterations; /* control: at its last look */

	struct worker_stats stats;         /* worker: wo, control: ro */
	uint64_t drops[DROP_REASON_COUNT]; /* of packets without an ingress port */
};

struct datapath {
	struct datapath_config config;
	struct port_env env;
	struct topology *topology;          /* published */
	struct topology *spare_topology;    /* control: so that a port can always be removed */
	struct port *by_number[PORT_SLOTS]; /* each published; mkey_port() */
	struct limits *limits[PORT_SLOTS];  /* each published; see limits.h */
	struct fdb *fdb;
	struct conntrack *ct;
	struct worker *workers[WORKERS_MAX];
	bool running; /* atomic: workers go on */
	unsigned lcores[WORKERS_MAX];
	int report_fd;
	bool notified; /* atomic: report_fd was written and not yet read */
	/* control */
	struct datapath_port *ports;            /* sorted by number */
	uint64_t gone_drops[DROP_REASON_COUNT]; /* of ports that were removed */
	uint64_t balanced;                      /* TSC, when the queues were measured last */
	unsigned started;
};

/* What the control thread keeps beside a port. */
struct datapath_port {
	struct datapath_port *next;
	struct datapath *dp;
	struct port *port;
	uint64_t added;
	struct storm_limits storm;
	void (*done)(void *arg); /* removal */
	void *done_arg;
};

static inline struct port *worker_port(const struct worker *w, uint32_t ofport)
{
	struct port *port = rcu_read(w->dp->by_number[mkey_port(ofport)]);

	return port && port->ofport == ofport ? port : NULL;
}

/* Counts a drop on the packet's ingress port. */
static inline void worker_drop(struct worker *w, const struct packet *p, enum drop_reason reason)
{
	struct port *in = worker_port(w, p->in_port);

	if (in)
		port_drop(in, w->id, reason, 1);
	else
		w->drops[reason]++;
}

/* worker.c: NULL on lack of memory. */
struct worker *worker_create(struct datapath *dp, unsigned id);
void worker_destroy(struct worker *w);
/* The lcore's function: polls until dp->running is false. */
int worker_main(void *worker);
/* One round over all queues; returns how many packets there were. The caller is the worker's thread, or the
 * only thread there is. */
unsigned worker_poll_once(struct worker *w);
/* control: wakes the worker if it sleeps. */
void worker_wake(struct worker *w);

/* stuck.c: before workers start; ends the system call that a worker is in. */
int stuck_prepare(void);
void stuck_interrupt(struct worker *w);

#endif
