/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The datapath as the control thread sees it: ports, workers, reports.
 *
 * What: owns the ports (VXLAN interfaces included), the workers that poll them, the MAC table and the rings
 * between workers and control.
 *
 * Design: what workers read of the ports is published under RCU and replaced on every change. Workers report
 * (learned MAC, packet-in) through one single-producer ring each, which datapath_poll() drains; frames to be
 * sent go the other way the same way.
 *
 * Thread-safety: everything here is for the control thread.
 *
 * Life cycle: rcu_init -> datapath_create -> datapath_start -> ports come and go -> datapath_stop ->
 * datapath_port_remove of each, uv loop and rcu_poll until all are done -> datapath_destroy.
 */
#ifndef DATAPATH_DATAPATH_H
#define DATAPATH_DATAPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include <uv.h>

#include "base/addr.h"
#include "base/error.h"
#include "datapath/ct/conntrack.h"
#include "flows/dp/fdb.h"
#include "flows/dp/program.h"
#include "ports/port.h"

struct cache_stats;
struct datapath;
struct flow_key;
struct tables;
struct underlay;
struct worker;

enum { PACKET_IN_MAX = 16384 }; /* most bytes of a packet that are reported or sent out */

/* Bits of port.config, numbers of the wire (OFPPC_*). NO_FLOOD and the spanning tree's, which are only kept,
 * are OpenFlow 1.0's. */
enum port_config {
	PORT_CONFIG_DOWN = 1 << 0,
	PORT_CONFIG_NO_STP = 1 << 1,
	PORT_CONFIG_NO_RECV = 1 << 2,
	PORT_CONFIG_NO_RECV_STP = 1 << 3,
	PORT_CONFIG_NO_FLOOD = 1 << 4,
	PORT_CONFIG_NO_FWD = 1 << 5,
	PORT_CONFIG_NO_PACKET_IN = 1 << 6,
	PORT_CONFIG_ALL = PORT_CONFIG_DOWN | PORT_CONFIG_NO_STP | PORT_CONFIG_NO_RECV |
	                  PORT_CONFIG_NO_RECV_STP | PORT_CONFIG_NO_FLOOD | PORT_CONFIG_NO_FWD |
	                  PORT_CONFIG_NO_PACKET_IN,
};

struct datapath_packet_in {
	const struct program_controller *place; /* reason, table, cookie, metadata, max_len */
	const struct flow_key *key; /* of the packet, with metadata, registers and tun_id of the place */
	const struct program_resume *resume; /* the packet is paused; else NULL */
	const uint8_t *userdata;             /* place->userdata_len bytes */
	const uint8_t *data;                 /* `len` bytes of a packet of `total_len` */
	uint32_t len, total_len;
};

/* What the datapath tells; all are called in the control thread, any may be NULL. */
struct datapath_events {
	void (*packet_in)(void *arg, const struct datapath_packet_in *in);
	/* A packet changes the tables: for tables_report(). */
	void (*flow_report)(void *arg, const struct program_report *what);
	/* Carrier, caps, MTU or config changed. */
	void (*port_changed)(void *arg, struct port *port);
	void *arg;
};

struct datapath_config {
	uv_loop_t *loop;           /* for the ports */
	struct tables *tables;     /* outlives the datapath */
	struct underlay *underlay; /* outlives it; NULL: no port of type vxlan can be made */
	unsigned nworkers;         /* 1 .. WORKERS_MAX */
	uint32_t cache_entries;    /* per worker, 0: default */
	bool never_sleep;          /* workers spin when idle */
	/* A queue's unknown flows get one cycle in so many while other queues have packets; 0: 32, 1: no
	 * limit (then queues take turns in a fixed order). */
	uint32_t miss_share;
	struct fdb_config fdb;
	struct conntrack_config ct;
	struct datapath_events events;
};

/* Makes a datapath with stopped workers. 0 or -errno with the reason in `e`. */
int datapath_create(const struct datapath_config *config, struct datapath **out, struct error *e);
/* Workers are stopped and ports are gone. Legal on NULL. */
void datapath_destroy(struct datapath *dp);

/* Launches worker i on EAL lcore lcores[i]. 0 or -errno. */
int datapath_start(struct datapath *dp, const unsigned *lcores);
/* Makes the workers return and waits for them. */
void datapath_stop(struct datapath *dp);
/* Interrupts every worker that has done nothing since the last call and does not sleep: a hostile front end
 * can hold one up (see stuck.c). To be called every 100 ms or so. */
void datapath_free_stuck(struct datapath *dp);

/* ---- ports ---- */

/* Creates a port of `type` ("vxlan" or one of ports/registry.c) and publishes it. `ofport` 0: the lowest free
 * number. `options` is borrowed (may be NULL: none). -EEXIST name or number taken, -EINVAL bad option or
 * name, -EINVAL no such type or a wrong option; reason in `e`. */
int datapath_port_add(struct datapath *dp, const char *name, const char *type, uint32_t ofport,
                      json_t *options, struct port **out, struct error *e);
/* Publishes a port that the caller has created by its type's function (tests). The datapath owns it then. */
int datapath_port_attach(struct datapath *dp, struct port *port, struct error *e);
/* Takes the port away from the workers at once, destroys it after a grace period, then calls done(arg) (may
 * be NULL). `port` is no longer found from here on. */
void datapath_port_remove(struct datapath *dp, struct port *port, void (*done)(void *arg), void *arg);

struct port *datapath_port_by_name(const struct datapath *dp, const char *name);
struct port *datapath_port_by_number(const struct datapath *dp, uint32_t ofport);
/* In ascending order of number, OFPORT_LOCAL last: the first one above `after`; `first`: the lowest. NULL at
 * the end. */
struct port *datapath_port_next(const struct datapath *dp, bool first, uint32_t after);
/* Sum over the workers. */
void datapath_port_counters(const struct datapath *dp, const struct port *port, struct port_counters *sum);
/* When the port was added, clock_now(). */
uint64_t datapath_port_added(const struct datapath *dp, const struct port *port);
/* Sets port.config (enum port_config). */
void datapath_port_set_config(struct datapath *dp, struct port *port, uint32_t config);

struct storm_limits { /* packets per second, 0: no limit; bursts of a tenth of a second pass */
	uint32_t broadcast, multicast, unknown;
};
/* Limits what NORMAL, FLOOD and ALL multiply for packets from this port. Default: none. */
int datapath_port_set_storm(struct datapath *dp, struct port *port, const struct storm_limits *limits);
void datapath_port_get_storm(const struct datapath *dp, const struct port *port, struct storm_limits *limits);

/* ---- receive queues over workers ---- */

struct rxq_stats {
	unsigned worker;
	bool pinned;
	uint32_t load; /* thousandths of a core, between the last two calls of datapath_balance() */
	uint64_t busy_cycles, packets;
};

/* Of queue `queue` < port->nrxq. */
void datapath_rxq_stats(const struct port *port, unsigned queue, struct rxq_stats *out);
/* Queue `queue` is polled by `worker` from soon on, and by no other until it is unpinned (`worker` < 0: it
 * stays where it is until balancing moves it). No packet is lost or overtaken. -EINVAL no such queue or
 * worker, -ENOMEM. */
int datapath_rxq_pin(struct datapath *dp, struct port *port, unsigned queue, int worker, struct error *e);
/* Measures what each queue took since the last call, and moves at most one to another worker, if that makes
 * the busiest one's work less by a tenth of a core. To be called every few seconds. True: a queue is on its
 * way. */
bool datapath_balance(struct datapath *dp);

/* ---- packets, reports ---- */

/* Executes `program` (see tables_packet_out) on a frame of `len` bytes, as if it had come in on `in_port`;
 * runs on a worker, soon. Borrows its arguments. -EMSGSIZE, -EINVAL shorter than an Ethernet header,
 * -ENOBUFS queue full. */
int datapath_packet_out(struct datapath *dp, uint32_t in_port, const struct program *program,
                        const void *data, uint32_t len);
/* How far packet_out has come, and whether everything up to there has been executed. */
uint64_t datapath_packets_out(const struct datapath *dp);
bool datapath_packets_left(const struct datapath *dp, uint64_t until);
/* Fills `key` for tables_packet_out() from a frame. */
void datapath_packet_key(uint32_t in_port, const void *data, uint32_t len, struct flow_key *key);

/* Drains what workers reported: learns MACs and calls the events. Call it whenever the loop wakes (see
 * datapath_report_fd) and every few ms. True when it stopped early and there is more. */
bool datapath_poll(struct datapath *dp);
/* An eventfd that becomes readable when a worker has reported something; datapath_poll() clears it. */
int datapath_report_fd(const struct datapath *dp);
/* Wakes sleeping workers, e.g. after tables_fold(). */
void datapath_wake(struct datapath *dp);

/* ---- what there is to see ---- */

struct fdb *datapath_fdb(const struct datapath *dp);
/* To be swept once a second. */
struct conntrack *datapath_ct(const struct datapath *dp);
unsigned datapath_nworkers(const struct datapath *dp);

struct worker_stats {
	uint64_t busy_cycles, idle_cycles; /* TSC */
	uint64_t iterations, sleeps;
	uint64_t packets, batches;
	uint64_t packet_ins, reports_lost;
};
void datapath_worker_stats(const struct datapath *dp, unsigned worker, struct worker_stats *out,
                           struct cache_stats *cache);
/* Drops of all ports by reason, with those that no port accounts for. drops[DROP_REASON_COUNT] */
void datapath_drops(const struct datapath *dp, uint64_t *drops);

/* For tests: the worker, to call worker_poll_once() on while the datapath is not started. */
struct worker *datapath_worker(const struct datapath *dp, unsigned worker);

#endif
