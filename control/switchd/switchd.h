/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weftd put together: the parts, and the one loop that serves them.
 *
 * Design: the parts are driven by on_prepare(), which runs before the loop sleeps, so after every wake-up:
 * grace periods, what tables wait for, what workers report, counters that somebody waits for. While anything
 * is pending a 1 ms timer makes sure that it goes on.
 *
 * Thread-safety: the control thread.
 *
 * Life cycle: switchd_start -> uv_run until a signal -> switchd_stop.
 */
#ifndef CONTROL_SWITCHD_SWITCHD_H
#define CONTROL_SWITCHD_SWITCHD_H

#include <jansson.h>
#include <uv.h>

#include "control/openflow/ofp_switch.h"
#include "control/switchd/options.h"
#include "datapath/datapath.h"
#include "flows/dp/tables.h"

struct interfaces;
struct rpc_server;
struct rpc_method;
struct underlay;

struct waiter { /* for workers to have done something */
	struct waiter *next;
	enum waiter_kind { WAITS_FOR_FOLD, WAITS_FOR_PACKETS_OUT } kind;
	uint64_t until; /* the fold; how far packets have left */
	ofp_done done;
	void *arg;
};

struct switchd {
	const struct options *options;
	uv_loop_t loop;
	uv_prepare_t prepare; /* serve before the loop sleeps */
	uv_poll_t reports;    /* a worker has something to tell */
	uv_timer_t busy;      /* 1 ms while something is pending */
	uv_timer_t stuck;     /* looks after workers that a hostile front end holds up */
	uv_timer_t expiry;    /* flows' timeouts, a little after the last look */
	uv_timer_t tick;      /* every second */
	unsigned ticks;
	uv_signal_t sigterm, sigint;
	bool idle; /* the busy timer is stopped */

	struct tables *tables;
	struct underlay *underlay;
	struct datapath *datapath;
	struct interfaces *interfaces;
	struct ofp_server *openflow;
	struct rpc_server *rpc;
	struct waiter *waiters;
	unsigned closing;            /* ports whose removal is not finished */
	struct rpc_request *leaving; /* to be answered when they are gone */
	uint64_t datapath_id;
	uint32_t local_config; /* OFPPC_* of LOCAL while it is no port */
	json_t *state;         /* what the state file says; see state.h */
	int lock_fd;
};

/* Starts every part and restores the interfaces; 0 or -errno with the reason in `e` (what had started is
 * stopped). */
int switchd_start(struct switchd *s, const struct options *o, struct error *e);
/* Takes everything down in order; the rundir is left without sockets. */
void switchd_stop(struct switchd *s);

/* Counters of all workers are folded, then done(arg) is called (later). */
void switchd_fold(struct switchd *s, ofp_done done, void *arg);
/* Calls done(arg) when what was sent out up to `until` (datapath_packets_out) has left. */
void switchd_await_packets_out(struct switchd *s, uint64_t until, ofp_done done, void *arg);

/* Deletes every flow; adds the one of a fresh bridge, priority 0 to NORMAL. 0 or -errno with `e`. */
int switchd_delete_flows(struct switchd *s, struct error *e);
int switchd_add_normal(struct switchd *s, struct error *e);

/* Tells controllers of a port; not of an uplink, which is no port of the bridge. */
void switchd_tell_port(struct switchd *s, const struct port *port, enum ofp_port_reason reason);
/* Takes a port away; switchd_stop waits until it is gone. */
void switchd_remove_port(struct switchd *s, struct port *port);
/* Answers `q` with an empty object when every port that was taken away is gone: its socket path or device can
 * be used again. */
void switchd_answer_when_gone(struct switchd *s, struct rpc_request *q);

/* control/switchd/of_switch.c: what the OpenFlow endpoint calls, with a struct switchd as ctx. */
extern const struct ofp_switch_ops of_switch_ops;
/* Describes a port for OpenFlow; the bridge's own when `port` is NULL. */
void of_switch_port(const struct switchd *s, const struct port *port, struct ofp_port *out);

/* control/switchd/trace.c: the method "trace". */
int switchd_trace(void *ctx, json_t *params, json_t **result, struct error *e);

/* control/switchd/methods.c: what `weft` calls, with a struct switchd as ctx. */
extern const struct rpc_method *const methods;

#endif
