/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the ethdev port share.
 *
 * Design: one rx queue, one tx queue per worker as far as the device has them. The kernel's side of an uplink
 * is exception.h.
 *
 * Thread-safety: rx and release: the worker of the rxq. tx: any worker, under the queue's lock when there are
 * fewer queues than workers. The rest: control thread.
 *
 * Life cycle: as every port (ports/port.h); device and pool go with it.
 */
#ifndef PORTS_ETHDEV_PRIVATE_H
#define PORTS_ETHDEV_PRIVATE_H

#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "ports/ethdev.h"
#include "ports/exception.h"

enum {
	ETHDEV_FRAME_MBUFS = 34, /* pieces of 2 KB that hold 64 KB */
	ETHDEV_POOL = 4096,
	ETHDEV_RING = 512,
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
	/* control */
	uv_timer_t look; /* at the link; data: the port */
	void (*destroyed)(void *arg);
	void *destroyed_arg;
	char devargs[256];
};

unsigned ethdev_rx(struct port_rxq *q, struct packet **pkts, unsigned max);
void ethdev_release(struct port_rxq *q);
void ethdev_tx(struct port *p, unsigned worker, struct packet **pkts, unsigned n);

/* Carrier and speed as the device says, from now on every second. Control thread. */
void ethdev_link_start(struct ethdev_port *d, uv_loop_t *loop);
void ethdev_link_stop(struct ethdev_port *d, uv_close_cb closed);

#endif
