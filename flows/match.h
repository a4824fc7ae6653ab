/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A match: a key and the bits of it that count. key has no bit outside mask, so two equal matches are equal
 * bytes. Plain data: copied by assignment, nothing to free.
 */
#ifndef FLOWS_MATCH_H
#define FLOWS_MATCH_H

#include "flows/field.h"

struct match {
	struct flow_key key, mask;
};

enum { VLAN_CFI = 0x1000 }; /* in a TCI of a key: "there is a tag" */

void match_init(struct match *m); /* everything matches */

/* Adds one field. `mask` NULL means exact. Does what OpenFlow means rather than what the bits say: DL_VLAN
 * 0xffff and VLAN_VID without CFI (0) mean "untagged"; DL_VLAN and DL_VLAN_PCP match the presence of the tag
 * as well; NW_TOS matches the six DSCP bits. VLAN_VID takes the 13-bit OXM form (0x1000 | vid). An IN_PORT of
 * 16 bits becomes a 32-bit port. 0; -EINVAL: `v` has bits outside the field; -ERANGE: an OpenFlow 1.0 port
 * number that does not exist; -EEXIST is never given: the last value counts. */
int match_set(struct match *m, enum field_id id, const struct field_value *v, const struct field_value *mask);

/* The field's value and mask (zero mask: not matched). VLAN_VID in the 13-bit form. */
void match_get(const struct match *m, enum field_id id, struct field_value *v, struct field_value *mask);

/* Does the match say what the field needs (dl_type for nw_proto ...)? */
bool match_meets(const struct match *m, enum field_id id);

/* Is the original tuple (ct_nw_*, ct_ipv6_*) asked about in the family of addresses that dl_type names? */
bool match_ct_family_fits(const struct match *m);

/* Is it a field of the original tuple's transport, while ct_nw_proto is not matched or with 0, which no
 * connection has? Open vSwitch leaves it out. */
bool match_ct_is_void(const struct match *m, enum field_id id);

/* A bit for each 64-bit word of the mask in which something is matched, and for each one in which a field
 * lies: without one in common the field is not matched, which is seen without a look at the field. */
uint64_t match_words(const struct match *m);
uint64_t match_words_of(enum field_id id);

/* Drops the fields whose prerequisites the match does not state, as Open vSwitch normalises, and void ones
 * of connections. Returns the first dropped field, FIELD_NONE when nothing was. */
enum field_id match_normalize(struct match *m);

bool match_equal(const struct match *a, const struct match *b);
/* Is every packet of `narrow` one of `wide`? (What a loose flow_mod selects.) */
bool match_covers(const struct match *wide, const struct match *narrow);
/* Is there a packet that both match? (CHECK_OVERLAP.) */
bool match_overlaps(const struct match *a, const struct match *b);
bool match_packet(const struct match *m, const struct flow_key *packet);

#endif
