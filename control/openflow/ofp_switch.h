/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the OpenFlow endpoint asks of the switch behind it, and nothing else: the endpoint owns bytes,
 * connections and the order of replies; the switch owns ports, tables and workers.
 *
 * Thread-safety: every op is called on the thread of the uv loop the server was made with, never re-entrantly
 * from within another op's call, and may call its `done` at once or later on the same thread. Life cycle:
 * `ctx` outlives the server. Objects handed to an op are borrowed for the call unless said. A cursor (struct
 * ofp_dump) lives from *_dump_open to dump_close; between two flow_dump_next calls flows may come and go: a
 * cursor must survive that (it may or may not see them), since a large dump is sent in slices.
 */
#ifndef CONTROL_OPENFLOW_OFP_SWITCH_H
#define CONTROL_OPENFLOW_OFP_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "control/openflow/errors.h"
#include "flows/continuation.h"
#include "flows/key.h"

struct action_list;
struct ct_flush;
struct flow_filter;
struct flow_key;
struct flow_mod;
struct flow_stats;
struct group_mod;
struct group_stats;
struct meter_mod;
struct meter_stats;

enum { OFP_PORT_NAME_MAX = 16, OFP_TABLE_NAME_MAX = 32 };

/* Port numbers with a meaning (OpenFlow 1.3 ofp_port_no) and their like for tables and groups. */
#define OFPP_MAX 0xffffff00u
#define OFPP_IN_PORT 0xfffffff8u
#define OFPP_TABLE 0xfffffff9u
#define OFPP_NORMAL 0xfffffffau
#define OFPP_FLOOD 0xfffffffbu
#define OFPP_ALL 0xfffffffcu
#define OFPP_CONTROLLER 0xfffffffdu
#define OFPP_LOCAL 0xfffffffeu
#define OFPP_ANY 0xffffffffu
#define OFPG_MAX 0xffffff00u
#define OFPG_ALL 0xfffffffcu
#define OFPG_ANY 0xffffffffu
#define OFPM_ALL 0xffffffffu
#define OFPQ_ALL 0xffffffffu
#define OFPTT_ALL 0xff

struct ofp_switch_desc { /* OFPMP_DESC; static strings */
	const char *manufacturer, *hardware, *software, *serial, *datapath;
};

struct ofp_port {
	uint32_t port_no; /* OFPP_LOCAL for the bridge's own */
	struct mac hw_addr;
	char name[OFP_PORT_NAME_MAX]; /* NUL-terminated */
	uint32_t config;              /* OFPPC_*: 1 port down, 4 no rx, 32 no fwd, 64 no packet-in */
	uint32_t state;               /* OFPPS_*: 1 link down, 2 blocked, 4 live */
	uint32_t curr, advertised, supported, peer; /* OFPPF_* */
	uint32_t curr_speed, max_speed;             /* kb/s */
};

struct ofp_port_stats {
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors, tx_errors;
	uint64_t rx_frame_errors, rx_over_errors, rx_crc_errors, collisions;
	uint64_t duration_ns; /* since the port was added */
};

struct ofp_table_stats {
	uint32_t active_count;
	uint64_t lookup_count, matched_count;
};

struct ofp_aggregate {
	uint64_t packets, bytes;
	uint32_t flows;
};

/* Index: group type 0 all, 1 select, 2 indirect, 3 fast failover. */
struct ofp_group_features {
	uint32_t types;        /* bit per type */
	uint32_t capabilities; /* OFPGFC_*: 1 select weight, 2 select liveness, 4 chaining, 8 chaining checks
	                        */
	uint32_t max_groups[4];
};

struct ofp_meter_features {
	uint32_t max_meters; /* 0: the switch has no meters, the meter ops are never called */
	uint32_t band_types; /* bit per OFPMBT_*: 1 drop, 2 dscp remark */
	uint32_t capabilities;
	uint8_t max_bands, max_color;
};

struct ofp_port_mod {
	uint32_t port_no;
	struct mac hw_addr;
	uint32_t config, mask; /* OFPPC_* bits under `mask` take the value in `config` */
	uint32_t advertise;
};

struct ofp_packet_out {
	uint32_t in_port; /* a port, OFPP_LOCAL or OFPP_CONTROLLER */
	const struct action_list *actions;
	const uint8_t *data;
	size_t len;
};

/* A packet that was paused and goes on. */
struct ofp_resume {
	struct flow_key key; /* in_port, metadata, registers, tunnel; no headers */
	const uint8_t *data;
	size_t len;
	struct continuation continuation;
};

/* One step of a change; several are applied as one version or not at all. */
struct ofp_change {
	enum ofp_change_kind { OFP_CHANGE_FLOW, OFP_CHANGE_GROUP, OFP_CHANGE_METER } kind;
	union {
		const struct flow_mod *flow;
		const struct group_mod *group;
		const struct meter_mod *meter;
	};
};

struct ofp_dump; /* a cursor, the switch's own */

/* The end of something asynchronous. The server keeps `arg` alive until it was called, once, also when the
 * client went away meanwhile. */
typedef void (*ofp_done)(void *arg);

struct ofp_switch_ops {
	uint64_t (*datapath_id)(void *ctx);
	const struct ofp_switch_desc *(*desc)(void *ctx);

	/* Ports in ascending order of number, OFPP_LOCAL last: fills the first port with a number above
	 * `after`; `first` starts from the lowest. True when there was one. `stats` may be NULL. */
	bool (*port_next)(void *ctx, bool first, uint32_t after, struct ofp_port *port,
	                  struct ofp_port_stats *stats);
	/* Port counters may need a fold over workers, too: fold_stats comes first. */
	enum ofp_error (*port_mod)(void *ctx, const struct ofp_port_mod *mod);

	/* Tables are 0 .. table_count - 1, at most 254. */
	unsigned (*table_count)(void *ctx);
	uint32_t (*table_max_entries)(void *ctx);
	void (*table_name)(void *ctx, uint8_t table_id, char name[OFP_TABLE_NAME_MAX]);
	void (*table_stats)(void *ctx, uint8_t table_id, struct ofp_table_stats *stats);

	/* Applies `n` changes in order as one version, or none of them: then `*failed` is the index of the
	 * one that was refused. */
	enum ofp_error (*apply)(void *ctx, const struct ofp_change *changes, unsigned n, unsigned *failed);
	/* Calls done(arg) when no worker forwards by an older version any more, and what was sent out before
	 * has left. */
	void (*barrier)(void *ctx, ofp_done done, void *arg);

	/* Brings counters of all workers into what the calls below return, then calls done(arg). The server
	 * calls it before any statistics. */
	void (*fold_stats)(void *ctx, ofp_done done, void *arg);

	/* A cursor over flows. flow_dump_next returns 1 and fills `out` (borrowed until the next call), 0 at
	 * the end. NULL from an open: out of memory. The filter is borrowed for the open call only. */
	struct ofp_dump *(*flow_dump_open)(void *ctx, const struct flow_filter *filter);
	int (*flow_dump_next)(void *ctx, struct ofp_dump *dump, struct flow_stats *out);
	void (*flow_dump_close)(void *ctx, struct ofp_dump *dump);
	void (*aggregate)(void *ctx, const struct flow_filter *filter, struct ofp_aggregate *out);

	/* Shall ofp_server_flow_changed() be called from now on? */
	void (*watch_flows)(void *ctx, bool on);

	/* The group with the lowest id >= `from`, or NULL: as the GROUP_ADD that makes it, borrowed until the
	 * next op. `stats`, when not NULL, is filled; the server frees it with group_stats_free(). */
	const struct group_mod *(*group_next)(void *ctx, uint32_t from, struct group_stats *stats);
	void (*group_features)(void *ctx, struct ofp_group_features *out);

	void (*meter_features)(void *ctx, struct ofp_meter_features *out);
	/* As group_next; called only when max_meters > 0, may be NULL otherwise. */
	const struct meter_mod *(*meter_next)(void *ctx, uint32_t from, struct meter_stats *stats);

	enum ofp_error (*packet_out)(void *ctx, const struct ofp_packet_out *packet);
	enum ofp_error (*resume)(void *ctx, const struct ofp_resume *packet);

	/* Forgets the connections that are tracked and fit. */
	enum ofp_error (*ct_flush)(void *ctx, const struct ct_flush *what);

	/* The controllers are unreachable: forward every packet by NORMAL, whatever the tables say. Off again
	 * when one returns. */
	void (*set_standalone)(void *ctx, bool on);
	/* Shall packets that match no flow be told (ofp_server_packet_in, OFPR_NO_MATCH, cookie UINT64_MAX)?
	 * Controllers of 1.0 expect it. */
	void (*tell_misses)(void *ctx, bool on);

	/* OFPC_FRAG_* of SET_CONFIG (0 normal, 1 drop, 3 Nicira's nx-match; the server never asks for 2,
	 * reassemble). */
	uint16_t (*frag_mode)(void *ctx);
	enum ofp_error (*set_frag_mode)(void *ctx, uint16_t mode);
};

/* ---- from the switch to its controllers; see server.h for the server itself ---- */

struct ofp_server;

enum ofp_packet_in_reason { OFPR_NO_MATCH, OFPR_ACTION, OFPR_INVALID_TTL };

struct ofp_packet_in {
	enum ofp_packet_in_reason reason;
	uint8_t table_id;
	uint64_t cookie;            /* UINT64_MAX when no flow is behind it */
	const struct flow_key *key; /* in_port, metadata, tunnel fields and registers are reported */
	const uint8_t *data;        /* the frame, `len` bytes of a packet of `total_len` */
	size_t len, total_len;
	uint16_t controller_id;  /* of controllers: only those that have it get the packet */
	const uint8_t *userdata; /* of controller(userdata=...); packet_in2 tells it */
	size_t userdata_len;
	const struct continuation *continuation; /* the packet is paused; packet_in2 tells how it goes on */
	uint64_t datapath_id;                    /* of the switch, with that */
};

/* Sends to every controller that takes this kind of message. Borrows its arguments. Never blocks: a
 * controller whose queue is full loses the packet-in (counted), the others don't. */
void ofp_server_packet_in(struct ofp_server *server, const struct ofp_packet_in *in);

enum ofp_flow_removed_reason { OFPRR_IDLE_TIMEOUT, OFPRR_HARD_TIMEOUT, OFPRR_DELETE, OFPRR_GROUP_DELETE };

/* For flows that were added with OFPFF_SEND_FLOW_REM; `flow` carries the final counters. */
void ofp_server_flow_removed(struct ofp_server *server, const struct flow_stats *flow,
                             enum ofp_flow_removed_reason reason);

/* Numbers of Nicira's wire. */
enum ofp_flow_event { OFP_FLOW_ADDED, OFP_FLOW_REMOVED, OFP_FLOW_MODIFIED };

/* While asked to (watch_flows): every change of a flow, in order and with its `born` and `changed` numbers,
 * when it has been made, also within apply(). `old` are the actions it had before, or NULL; `reason` is for
 * removals. Then ofp_server_change_done() for what belongs together. Borrow their arguments. */
void ofp_server_flow_changed(struct ofp_server *server, enum ofp_flow_event event,
                             const struct flow_stats *flow, const struct action_list *old,
                             enum ofp_flow_removed_reason reason);
void ofp_server_change_done(struct ofp_server *server);

enum ofp_port_reason { OFPPR_ADD, OFPPR_DELETE, OFPPR_MODIFY };

void ofp_server_port_status(struct ofp_server *server, const struct ofp_port *port,
                            enum ofp_port_reason reason);

#endif
