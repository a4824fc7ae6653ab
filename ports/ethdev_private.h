/* SPDX-License-Identifier: Apache-2.0 */
/* What the three files of the ethdev port share. */
#ifndef PORTS_ETHDEV_PRIVATE_H
#define PORTS_ETHDEV_PRIVATE_H

#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "ports/ethdev.h"
#include "ports/tap.h"

enum {
	ETHDEV_VTEPS_MAX = 64,
	ETHDEV_FRAME_MBUFS = 34, /* pieces of 2 KB that hold 64 KB */
	ETHDEV_POOL = 4096,
	ETHDEV_RING = 512,
	ETHDEV_TAP_POLL_NS = 20000,
};

/* The addresses that are ours; replaced as a whole under RCU. */
struct vtep_set {
	unsigned n;
	struct ip_addr addrs[ETHDEV_VTEPS_MAX];
};

struct exception {
	struct tap tap;
	struct port *side;      /* the tap's own counters: exceptions are not the port's traffic */
	struct vtep_set *vteps; /* worker: ro under RCU; control: wo */
	uint64_t next_poll;     /* ns; the tap costs a system call, so it is asked every ETHDEV_TAP_POLL_NS */
	struct packet *scratch[TAP_BURST];
};

struct ethdev_port {
	struct port port;
	uint16_t id; /* DPDK's port number */
	uint16_t ntxq;
	uint16_t nworkers;
	struct rte_mempool *pool;
	struct exception *exception; /* NULL: an ordinary switch port */
	uint16_t nheld;
	struct rte_mbuf *held[BATCH_MAX]; /* received since the last release */
	rte_spinlock_t tx_lock[WORKERS_MAX];
	char devargs[256];
};

unsigned ethdev_rx(struct port_rxq *q, struct packet **pkts, unsigned max);
void ethdev_release(struct port_rxq *q);
void ethdev_tx(struct port *p, unsigned worker, struct packet **pkts, unsigned n);

/* Opens the tap `dev` with the device's MAC and MTU. NULL and `e` on error. Control thread. */
struct exception *exception_create(const struct port_env *env, const struct port *owner, const char *dev,
                                   struct error *e);
void exception_destroy(struct exception *x);
void exception_set_vteps(struct exception *x, const struct ip_addr *vteps, unsigned n);
/* Is this VXLAN for one of our VTEPs? Pulls what it needs into the head. Worker. */
bool exception_is_ours(const struct exception *x, struct packet *p);
/* Sends what the kernel has for the device. Worker, the one of the rxq. */
void exception_from_kernel(struct exception *x, struct ethdev_port *d, unsigned worker);

#endif
