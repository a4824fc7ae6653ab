/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow tables, groups, meters and what is counted for them: the control side.
 *
 * Design: one global version. Every rule, group and meter carries [added, removed); a change applies an
 * array of flow_mods, group_mods and meter_mods in place as the next version, which nobody sees until it is
 * published; a refused step takes all of it back. Workers read the version once per batch (flows/dp/cache.h).
 * What was removed stays until every worker has passed the version and has folded its counters; then
 * flow_removed is told, with exact counters, and memory is freed after a grace period.
 *
 * Limits: 254 tables; max_rules rules; max_masks different masks in one table (a lookup costs 15-20 cycles
 * for each: that is the bound on what a miss costs). What goes beyond is refused with TABLES_FULL and changes
 * nothing.
 *
 * Thread-safety: everything here is for the control thread. Workers use cache.h and translate.h.
 *
 * Life cycle: rcu_init -> tables_create -> cache_create per worker -> ... -> cache_destroy -> tables_destroy.
 */
#ifndef FLOWS_DP_TABLES_H
#define FLOWS_DP_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "flows/dp/program.h"

struct action_list;
struct continuation;
struct flow_filter;
struct flow_key;
struct flow_mod;
struct flow_stats;
struct group_mod;
struct group_stats;
struct meter_mod;
struct meter_stats;

enum { TABLES_COUNT = 254 };

enum tables_error {
	TABLES_OK,
	TABLES_NO_MEMORY,
	TABLES_FULL,          /* OFPFMFC_TABLE_FULL: rules or masks */
	TABLES_BAD_TABLE,     /* OFPFMFC_BAD_TABLE_ID: no such table */
	TABLES_BAD_GOTO,      /* OFPBIC_BAD_TABLE_ID: an instruction names no such table */
	TABLES_OVERLAP,       /* OFPFMFC_OVERLAP */
	TABLES_BAD_COMMAND,   /* OFPFMFC_BAD_COMMAND */
	TABLES_BAD_OUT_GROUP, /* OFPBAC_BAD_OUT_GROUP: an action names a group that does not exist */
	TABLES_UNSUPPORTED,   /* OFPBAC_BAD_TYPE: an action that Weft cannot do */
	TABLES_GROUP_EXISTS,  /* OFPGMFC_GROUP_EXISTS */
	TABLES_GROUP_UNKNOWN, /* OFPGMFC_UNKNOWN_GROUP */
	TABLES_GROUP_LOOP,    /* OFPGMFC_LOOP */
	TABLES_GROUP_CHAINED, /* OFPGMFC_CHAINED_GROUP */
	TABLES_GROUP_INVALID, /* OFPGMFC_INVALID_GROUP */
	TABLES_OUT_OF_GROUPS, /* OFPGMFC_OUT_OF_GROUPS */
	TABLES_METER_EXISTS,  /* OFPMMFC_METER_EXISTS */
	TABLES_METER_UNKNOWN, /* OFPMMFC_UNKNOWN_METER: none to modify */
	TABLES_METER_INVALID, /* OFPMMFC_INVALID_METER: its number, or an instruction names none that there is
	                       */
	TABLES_METER_FLAGS,   /* OFPMMFC_BAD_FLAGS */
	TABLES_METER_RATE,    /* OFPMMFC_BAD_RATE */
	TABLES_METER_BAND,    /* OFPMMFC_BAD_BAND */
	TABLES_OUT_OF_METERS, /* OFPMMFC_OUT_OF_METERS */
	TABLES_OUT_OF_BANDS,  /* OFPMMFC_OUT_OF_BANDS */
};

/* Numbers of the wire (OFPRR_*). */
enum tables_removed { TABLES_IDLE_TIMEOUT, TABLES_HARD_TIMEOUT, TABLES_DELETED, TABLES_GROUP_DELETED };

/* What became of a flow. */
enum tables_event { TABLES_FLOW_ADDED, TABLES_FLOW_REMOVED, TABLES_FLOW_MODIFIED };

struct tables_config {        /* zeros mean the defaults */
	uint32_t max_rules;   /* 1,048,576 */
	uint32_t max_masks;   /* 512 per table */
	uint32_t max_groups;  /* 65,536 */
	uint32_t max_meters;  /* 65,536 */
	uint32_t max_learned; /* rules of learn actions: a quarter of max_rules */
	/* A rule with FLOW_SEND_REM is gone and its counters are final; `flow` is borrowed. Called from
	 * tables_poll. */
	void (*flow_removed)(void *arg, const struct flow_stats *flow, enum tables_removed reason);
	/* While watched (tables_watch): every change of a flow as its version is published, in order; a flow
	 * that takes another's place is an add. All is borrowed; `old`, the actions it had before, may be
	 * NULL; `reason` is for removals. change_done ends what belongs together. Neither may call
	 * tables_apply(). */
	void (*flow_changed)(void *arg, enum tables_event event, const struct flow_stats *flow,
	                     const struct action_list *old, enum tables_removed reason);
	void (*change_done)(void *arg);
	void *arg;
};

struct tables;

/* NULL: no memory. `config` may be NULL. */
struct tables *tables_create(const struct tables_config *config);
/* No worker reads any more; runs the grace periods that are left. */
void tables_destroy(struct tables *t);

struct tables_change {
	const struct flow_mod *flow; /* exactly one of the three is set; borrowed for the call */
	const struct group_mod *group;
	const struct meter_mod *meter;
};

/* Applies all `n` changes in order as one version, or none: then *failed is the index of the one refused. The
 * match is taken as normalised, actions as checked (action_list_check); groups and meters they name must
 * exist. `now`:
 * clock_now(). The version is published on return; workers obey it from their next batch on: rcu_defer()
 * tells when (barrier). */
enum tables_error tables_apply(struct tables *t, const struct tables_change *changes, unsigned n,
                               uint64_t now, unsigned *failed);
const char *tables_error_text(enum tables_error e);

/* Shall flow_changed be called from now on? */
void tables_watch(struct tables *t, bool on);

/* The published version. */
uint64_t tables_version(const struct tables *t);

/* Fast failover and watch_port: a port that this does not name is not live. */
void tables_set_port_live(struct tables *t, uint32_t port, bool live);
/* While on, every packet is forwarded by NORMAL, whatever the rules say; they stay as they are, and are
 * obeyed again once it is off. */
void tables_bypass(struct tables *t, bool on);
/* While on, a packet that matches nothing in a table it enters first or by goto_table is sent to the
 * controllers (OpenFlow 1.0), as OFPR_NO_MATCH without a cookie; else it is dropped. */
void tables_tell_misses(struct tables *t, bool on);
/* Ports whose packets come with a tun_id (vxlan): what matters to packets is then found for each tun_id by
 * itself. */
void tables_set_port_tunnel(struct tables *t, uint32_t port, bool tunnel);

/* Does what a program's OP_LEARN or OP_FIN_TIMEOUT asks for, as a worker has reported it (`r->units` units of
 * 16 bytes). TABLES_FULL: a limit of the action or of the tables; other errors are those of the flow_mod. */
enum tables_error tables_report(struct tables *t, const struct program_report *r, uint64_t now);

/* ---- counters ---- */

/* Asks every worker to fold its cached counters. Whoever runs the workers must see to it that each calls
 * cache_fold() soon, sleeping ones included. The returned number is done once tables_fold_done() says so:
 * then everything counted before the request is in what tables_dump and the like return. */
uint32_t tables_fold(struct tables *t);
bool tables_fold_done(const struct tables *t, uint32_t fold);

/* Goes on with what waits for workers: final counters, flow_removed, freeing. Cheap when there is nothing.
 * Call it whenever the event loop wakes, and every few ms while it returns true. */
bool tables_poll(struct tables *t, uint64_t now);

/* Removes what is idle or too old by the counters folded so far; call it after a fold, about once a second.
 * Returns how many flows went; nothing is published when none did. */
unsigned tables_expire(struct tables *t, uint64_t now);
/* Does any rule have a timeout (so that a periodic fold and expire are worth it)? */
bool tables_has_timeouts(const struct tables *t);

/* ---- what there is ---- */

struct tables_totals {
	uint64_t packets, bytes;
	uint32_t flows;
};

struct tables_stats { /* of one table */
	uint32_t active;
	uint32_t masks;
	uint64_t lookups, matched;
};

/* Flows in order of table, falling priority, age. The cursor holds slot numbers only: flows may come and go
 * between two calls (those that went are left out). */
struct tables_dump *tables_dump_open(struct tables *t, const struct flow_filter *filter);
/* Fills `out` (match copied, actions borrowed: do not free) as of `now`. False at the end. */
bool tables_dump_next(struct tables_dump *d, uint64_t now, struct flow_stats *out);
void tables_dump_close(struct tables_dump *d);

void tables_aggregate(struct tables *t, const struct flow_filter *filter, struct tables_totals *out);
void tables_table_stats(struct tables *t, uint8_t table_id, struct tables_stats *out);
uint32_t tables_max_rules(const struct tables *t);

/* The group with the lowest id >= `from`, or NULL: as the GROUP_ADD that makes it, borrowed until the next
 * change. `stats`, when not NULL, is filled (group_stats_free it). */
const struct group_mod *tables_group_next(struct tables *t, uint32_t from, uint64_t now,
                                          struct group_stats *stats);

/* The meter with the lowest id >= `from`, or NULL: as the METER_ADD that makes it, borrowed until the next
 * change. `stats`, when not NULL, is filled. */
const struct meter_mod *tables_meter_next(struct tables *t, uint32_t from, uint64_t now,
                                          struct meter_stats *stats);
uint32_t tables_max_meters(const struct tables *t);

/* ---- trace ---- */

/* Walks the tables from `table_id` for a packet with this key as a worker would, by the published version,
 * and counts nothing. Calls `each` with the flows it meets, in order (match copied, actions borrowed), until
 * it returns non-zero, which is returned. `out` is what would be done: PROGRAM_BYTES_MAX bytes, 16-byte
 * aligned. -ENOMEM too. */
int tables_trace(struct tables *t, const struct flow_key *key, uint8_t table_id, uint64_t now,
                 struct program *out, int (*each)(const struct flow_stats *flow, void *arg), void *arg);

/* ---- packet-out ---- */

/* Makes the program of an action list for one packet (PORT_TABLE walks the tables), by the published version,
 * and counts the packet of `len` bytes for the rules it meets. `out` has PROGRAM_BYTES_MAX bytes, 16-byte
 * aligned. */
void tables_packet_out(struct tables *t, const struct flow_key *key, const struct action_list *actions,
                       uint32_t len, uint64_t now, struct program *out);

/* The same of a packet that controller(pause) stopped: goes on where it was. `key` is that of the frame; of
 * `told`, the key of the packet-in, the registers, metadata, in_port and tunnel are taken. */
void tables_resume(struct tables *t, const struct flow_key *key, const struct flow_key *told,
                   const struct continuation *c, uint32_t len, uint64_t now, struct program *out);

/* What a program carries of a paused packet (program_controller.resume_len is not 0). `out` is initialised
 * here and is to be freed. 0 or -ENOMEM (then it is empty). Any thread. */
int program_resume_read(const struct program_resume *r, struct continuation *out);

#endif
