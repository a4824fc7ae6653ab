/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port: where packets enter and leave the switch.
 *
 * What: the worker-facing operations (rx, release, tx) and what the control thread knows of an interface.
 *
 * Design: rx fills views of packets that still lie in the sender's memory; the worker sends every packet of
 * the batch wherever it goes (each tx copies head and payload once) and only then calls release(), which
 * gives the buffers back to the sender. tx segments and checksums while it copies when the port cannot take
 * the packet as it is (ports/segment.h). A port type is a struct port_type in ports/registry.c's list.
 *
 * Thread-safety: create, destroy, get_info: control thread. rx/release: the one worker that owns the queue.
 * tx: any worker; a port whose queues are fewer than the workers locks once per batch.
 *
 * Life cycle: port_create() -> the datapath publishes it to the workers -> unpublished by the control thread
 * -> rcu_defer(port_destroy). A port may lose and regain its peer (guest, netdev) without being destroyed;
 * carrier says so.
 */
#ifndef PORTS_PORT_H
#define PORTS_PORT_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include <uv.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/dp/drops.h"
#include "base/dp/packet.h"
#include "base/dp/rcu.h"

enum { PORT_NAME_MAX = 16, PORT_RXQ_MAX = 16, OFPORT_MAX = 0xfeff, OFPORT_LOCAL = 0xfffffffe };

enum port_no_fd {
	PORT_MUST_POLL = -1, /* packets may come and nothing tells */
	PORT_QUIET = -2,     /* no packet can come before the port calls changed() */
};

/* what tx takes as it is; the rest is done while copying */
enum port_cap {
	PORT_TX_CSUM = 1 << 0,
	PORT_TX_TSO4 = 1 << 1,
	PORT_TX_TSO6 = 1 << 2,
	PORT_TX_USO4 = 1 << 3,
	PORT_TX_USO6 = 1 << 4,
};

/* One writer each (the worker), read by the control thread; one instance per worker and port. */
struct port_counters {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t rx_gso, tx_gso;           /* GSO packets that passed whole */
	uint64_t drops[DROP_REASON_COUNT]; /* rx reasons on the ingress port, tx reasons on the output port */
} __attribute__((aligned(64)));

struct port;
struct port_rxq;

struct port_ops {
	/* Fills at most `max` (<= BATCH_MAX) packets; ports set head, len, segs, offload metadata and
	 * in_port, count rx and refuse what is malformed. Worker. */
	unsigned (*rx)(struct port_rxq *q, struct packet **pkts, unsigned max);
	/* Everything received since the last release has left: buffers go back to the sender. Worker. */
	void (*release)(struct port_rxq *q);
	/* Sends all `n` packets or drops and counts them (counters of `worker`). Worker. */
	void (*tx)(struct port *p, unsigned worker, struct packet **pkts, unsigned n);
	/* The fd that a sleeping worker polls for this queue (kick eventfd, socket), or enum port_no_fd.
	 * Optional: PORT_MUST_POLL. Worker. */
	int (*sleep_fd)(struct port_rxq *q);
	/* Whether the peer shall tell of new packets through that fd; true when packets are already there and
	 * the worker must not sleep. Optional. Worker. */
	bool (*arm)(struct port_rxq *q, bool on);
	/* Extra facts for `weft if show` (type-specific, JSON object). Control thread. Optional. */
	json_t *(*info)(struct port *p);
	/* Changes options of a living port (`weft if set`). Optional: NULL = cannot. Control thread. */
	int (*set)(struct port *p, json_t *options, struct error *e);
	/* An uplink's packet that is no VXLAN of ours belongs to the kernel. Worker. NULL: it has no way
	 * there.
	 */
	void (*to_kernel)(struct port *p, unsigned worker, struct packet *pkt);
	/* An uplink takes in VXLAN (UDP 4789) for these addresses and leaves the rest to the kernel. Called
	 * with all of them whenever the set changes. Control thread. NULL: it need not know. */
	void (*set_vteps)(struct port *p, const struct ip_addr *vteps, unsigned n);
	/* Stops and frees; the port was unpublished and a grace period is over. Calls done(arg) when all is
	 * gone (may be later, from the event loop). Control thread. */
	void (*destroy)(struct port *p, void (*done)(void *arg), void *arg);
};

struct port_rxq {
	struct port *port;
	const struct port_ops *ops; /* rx, release, sleep_fd, arm: the port's, but for an uplink's tap */
	uint16_t id;
	uint16_t worker; /* owner; control: wo, under RCU */
	void *priv;      /* the type's ring */
	/* worker: own; see datapath/worker.c */
	int64_t debt;         /* cycles that other queues are to get before this one's turn */
	uint64_t busy_cycles; /* TSC, spent on its packets; control: ro */
	uint64_t packets;     /* control: ro */
	uint16_t most;        /* packets to take at a time, 0: a whole batch */
	/* control: own; see datapath/rxqs.c */
	bool pinned, moving;
	uint16_t next_worker; /* when moving */
	uint32_t load;        /* thousandths of a core, when last measured */
	uint64_t measured;    /* busy_cycles then */
} __attribute__((aligned(64)));

struct port {
	/* worker: ro */
	const struct port_ops *ops;
	uint32_t ofport;
	/* largest L3 packet; tx counts DROP_TOO_BIG above mtu + L2 headers (GSO: per segment) */
	uint32_t mtu;
	uint32_t caps;   /* enum port_cap, changes with what the guest negotiated */
	uint32_t config; /* OFPPC_* bits: PORT_DOWN, NO_RECV, NO_FWD, NO_PACKET_IN, NO_FLOOD */
	bool carrier;
	bool is_private; /* only flows that name it reach it or take from it: no FLOOD, ALL, NORMAL */
	bool is_uplink;  /* takes only VXLAN of our VTEPs; never part of FLOOD, ALL or NORMAL */
	int ifindex;     /* kernel netdev whose routes lead here (afxdp dev, exception tap), 0 = none */
	uint16_t nrxq;
	struct port_rxq rxq[PORT_RXQ_MAX];
	struct port_counters *counters[WORKERS_MAX]; /* [i] allocated for i < worker count */
	/* control only */
	char name[PORT_NAME_MAX];
	struct mac mac; /* as in PORT_DESC */
	uint32_t speed; /* Mb/s of the device; 0: it has none (a guest's port) */
	const struct port_type *type;
	json_t *options; /* as given to `if add`; persisted */
	/* The datapath's hook: called in the control thread when carrier, caps, mtu or the set of usable rxqs
	 * changed. */
	void (*changed)(struct port *p, void *arg);
	void *changed_arg;
};

struct port_env { /* what a type may use */
	uv_loop_t *loop;
	unsigned nworkers;
};

struct port_type {
	const char *name; /* "vhost-user" */
	/* Checks `options` (unknown keys are errors that name the key) and makes the port, not yet
	 * forwarding. 0 or -errno with the reason in `e`. */
	int (*create)(const struct port_env *env, const char *name, uint32_t ofport, json_t *options,
	              struct port **out, struct error *e);
};

/* ports/registry.c: the list of types. NULL when there is none of that name. */
const struct port_type *port_type_find(const char *name);

/* Helpers for the types: zeroed port with counters; the reverse. */
struct port *port_alloc(const struct port_env *env, const struct port_type *type, const struct port_ops *ops,
                        const char *name, uint32_t ofport, size_t size);
void port_free(struct port *p);

static inline void port_drop(struct port *p, unsigned worker, enum drop_reason reason, uint64_t n)
{
	p->counters[worker]->drops[reason] += n;
}

#endif
