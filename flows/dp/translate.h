/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a packet's key to its action program: the walk through the tables.
 *
 * Design: the wide key follows what the actions do to the packet, so that later tables match new values.
 * Everything is bounded: lookups, nesting, ops; what is too long becomes a counted drop. Registers, metadata
 * and the stack live in the key only and leave no op. set_field and the like are emitted where they stand;
 * those after which nothing is sent are cut off.
 *
 * Thread-safety: any worker, on published tables, with its own struct translation; also the control thread.
 *
 * Life cycle: a struct translation is overwritten by the next packet; translation_pack() makes the program
 * that stays, in the cache's memory.
 */
#ifndef FLOWS_DP_TRANSLATE_H
#define FLOWS_DP_TRANSLATE_H

#include "flows/dp/program.h"
#include "flows/key.h"

struct action_list;
struct continuation;
struct group;
struct tables;

enum {
	TRANSLATE_LOOKUPS_MAX = 300, /* tables visited for one packet */
	TRANSLATE_DEPTH_MAX = 64,    /* resubmits, groups and clones inside each other */
	TRANSLATE_DEPS_MAX = 1400,
};

/* A program in the making, with room for the longest. Its parts are hashed as 64-bit words. */
struct translation {
	uint16_t nops, ndata, nrefs, ndeps;
	uint8_t drop_reason;
	uint8_t flags;
	struct op ops[PROGRAM_OPS_MAX] __attribute__((aligned(8)));
	uint8_t data[PROGRAM_DATA_MAX][16] __attribute__((aligned(16)));
	struct slot_ref refs[PROGRAM_REFS_MAX] __attribute__((aligned(8)));
	uint16_t deps[TRANSLATE_DEPS_MAX]; /* what the program depends on: see deps.h */
};

/* Walks from table 0. */
void translate_packet(const struct tables *t, uint64_t version, const struct flow_key *key,
                      struct translation *out);
/* From `table_id`, with a packet that comes from the connection tracker: `key` has the pipeline's state.
 * `more`: its stack and action set; NULL: none. */
void translate_resumed(const struct tables *t, uint64_t version, const struct flow_key *key, uint8_t table_id,
                       const struct continuation *more, struct translation *out);
/* Does a list of actions (of a packet-out). */
void translate_actions(const struct tables *t, uint64_t version, const struct flow_key *key,
                       const struct action_list *actions, struct translation *out);
/* Goes on with a packet that was paused; see tables_resume(). */
void translate_continuation(const struct tables *t, uint64_t version, const struct flow_key *key,
                            const struct flow_key *told, const struct continuation *c,
                            struct translation *out);

unsigned translation_bytes(const struct translation *tr);
void translation_pack(const struct translation *tr, struct program *out);

#endif
