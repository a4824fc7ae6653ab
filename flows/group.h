/* SPDX-License-Identifier: Apache-2.0 */
/* Groups as they are asked for and described (OpenFlow 1.3 sections 5.6 and 7.3.4.2). group_mod owns its
 * buckets. */
#ifndef FLOWS_GROUP_H
#define FLOWS_GROUP_H

#include "flows/action.h"

/* Numbers of the wire. */
enum group_command { GROUP_ADD, GROUP_MODIFY, GROUP_DELETE, GROUP_ADD_OR_MODIFY = 0x8000 /* Nicira */ };
enum group_type { GROUP_TYPE_ALL, GROUP_TYPE_SELECT, GROUP_TYPE_INDIRECT, GROUP_TYPE_FAST_FAILOVER };

enum { GROUP_MAX = 0xffffff00, GROUP_ALL = 0xfffffffc, GROUP_NONE = 0xffffffff, GROUP_BUCKETS_MAX = 256 };

struct bucket {
	uint32_t bucket_id;   /* given by the user or counted from 0 */
	uint16_t weight;      /* select only */
	uint32_t watch_port;  /* PORT_ANY: none */
	uint32_t watch_group; /* GROUP_NONE: none */
	struct action_list actions;
};

enum { GROUP_METHOD_MAX = 16, GROUP_HASH_FIELDS_MAX = 16 };

/* How a select group chooses (Netronome's extension): "" and "dp_hash" leave it to the switch, "hash" goes by
 * the bits of the fields that are listed; none listed means the usual ones. */
struct group_selection {
	char method[GROUP_METHOD_MAX]; /* NUL-terminated */
	uint64_t param;
	unsigned n_fields;
	struct {
		uint8_t field; /* enum field_id */
		struct field_value mask;
	} fields[GROUP_HASH_FIELDS_MAX];
};

struct group_mod {
	enum group_command command;
	enum group_type type;
	uint32_t group_id;
	struct bucket *buckets;
	unsigned n_buckets;
	struct group_selection selection;
};

void group_mod_init(struct group_mod *gm);
void group_mod_free(struct group_mod *gm);
/* A bucket with everything "none" and weight 0 (1 for select is the caller's matter), or NULL: no memory. */
struct bucket *group_mod_append(struct group_mod *gm);
int group_mod_copy(struct group_mod *to, const struct group_mod *from);

struct bucket_stats {
	uint64_t n_packets, n_bytes;
};

struct group_stats {
	uint32_t group_id, ref_count;
	uint64_t n_packets, n_bytes, duration_ns;
	struct bucket_stats *buckets; /* owned by whoever made it: group_stats_free */
	unsigned n_buckets;
};

void group_stats_free(struct group_stats *gs);

/* Ids in range, one bucket for indirect, a watch for each bucket of fast failover, weights; actions are
 * checked with action_list_check. 0, or -EINVAL with the text. */
struct error;
int group_mod_check(const struct group_mod *gm, struct error *err);

#endif
