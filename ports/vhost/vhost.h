/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vhost-user port: what its workers and its control side share.
 *
 * Design: rx.c and tx.c move packets through the published rings; session.c answers the front end and
 * publishes or takes away rings; channel.c moves messages over the socket; link.c finds a peer again and
 * again; port.c is the port type. Everything that must outlive the process is a number or an fd in struct
 * vhost_session, and the used ring in guest memory.
 *
 * Thread-safety: rx, release, arm: the worker of the rxq. tx: any worker. All else: control thread.
 *
 * Life cycle: as every port (ports/port.h); the session's begins and ends with each connection of the link.
 */
#ifndef PORTS_VHOST_VHOST_H
#define PORTS_VHOST_VHOST_H

#include "base/log.h"
#include "ports/exception.h"
#include "ports/port.h"
#include "ports/vhost/link.h"
#include "ports/vhost/ring.h"
#include "ports/vhost/session.h"

struct vhost_slot {
	struct vhost_ring *ring; /* worker: ro under RCU; NULL: stopped */
	struct vhost_ring_state state;
};

enum vhost_due {
	VHOST_DUE_ANNOUNCE = 1, /* a RARP from announce_mac */
	VHOST_DUE_CALLS = 2,    /* the guest is to be called for every ring: an earlier call may be lost */
};

struct vhost_port {
	struct port port;
	/* worker: ro, control: wo */
	struct vhost_slot slots[VHOST_RINGS_MAX]; /* even: switch -> guest, odd: guest -> switch */
	uint8_t tx_rings[VHOST_QUEUES_MAX];       /* slots that tx uses, ntx of them */
	uint16_t ntx;
	bool shared; /* more than one worker: tx locks */
	uint8_t due; /* enum vhost_due; control: sets, the worker of queue 0: takes */
	struct mac announce_mac;
	/* control only */
	unsigned queues;             /* pairs offered */
	struct exception *exception; /* NULL: not an uplink */
	uint32_t mtu_option;         /* 0: what the front end says */
	uint32_t told_rings;         /* a bit for each ring that the datapath knows to run */
	struct vhost_session session;
	struct vhost_link link;
	uv_async_t wake;
	uint64_t faults;  /* times the guest or its memory took the port down */
	struct error why; /* the last reason */
	struct log_limit log_limit;
	void (*destroyed)(void *arg);
	void *destroyed_arg;
};

unsigned vhost_rx(struct port_rxq *q, struct packet **pkts, unsigned max);
void vhost_release(struct port_rxq *q);
void vhost_tx(struct port *p, unsigned worker, struct packet **pkts, unsigned n);

/* Control: rings were published or taken away, features or MTU changed: carrier, caps and tx_rings follow,
 * and the datapath is told. */
void vhost_update(struct vhost_port *v);
/* Control: the next worker that looks does that. */
void vhost_make_due(struct vhost_port *v, enum vhost_due what);
/* Control: tells the datapath that there is something new, and so wakes the workers. */
void vhost_tell(struct vhost_port *v);

#endif
