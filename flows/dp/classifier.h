/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lookup structure of one table: the visible rule of highest priority that matches a key.
 *
 * Design: one subtable per distinct mask, in falling order of its highest priority; a search ends as soon as
 * no later subtable can win. Eight masks at a time are hashed with vector instructions, over the words that
 * any of them touches, and each asks a Bloom filter first, with three bits of one 64-bit word and 16-32 bits
 * per rule, so that it stays in L2; only what passes probes the subtable's hash table (one cache line per
 * bucket). Hence a mask that does not match costs some 10 cycles, not a cache miss, and the limit on masks
 * bounds a lookup. Where there are no more than three masks they are asked one after the other instead, and
 * where a mask has no more rules than fit in one bucket they are compared without a hash: most tables are
 * like that. Rules with equal mask and words hang in a chain in falling order of priority.
 *
 * All changes are made in place; hash table and filter are replaced only when they double, or when half of
 * what the filter knows is gone.
 *
 * Thread-safety: classifier_lookup: workers, under RCU. The rest: control thread.
 *
 * Life cycle: classifier_init -> insert, remove -> classifier_exit without rules in it and readers. A rule
 * that was removed is its owner's to free, after a grace period.
 */
#ifndef FLOWS_DP_CLASSIFIER_H
#define FLOWS_DP_CLASSIFIER_H

#include "flows/dp/rule.h"
#include "flows/key.h"

struct match;

struct subtable_list;
struct soft_matches;

struct classifier {
	struct subtable_list *list; /* RCU */
	uint32_t max_masks;
	uint32_t soft_rules; /* clauses of conjunctions in it */
};

int classifier_init(struct classifier *c, uint32_t max_masks);
/* Nobody reads any more; rules are the caller's. */
void classifier_exit(struct classifier *c);

/* The best rule that is no clause of a conjunction; NULL: none. Clauses that are better go to `soft`, when
 * not NULL: of each mask the one of highest priority. */
const struct rule *classifier_search(const struct classifier *c, const struct flow_key *key, uint64_t version,
                                     struct soft_matches *soft);
/* The rule for `key` in `version`; NULL: none. `key` is as it was on return. *over (false on entry) is set
 * when a limit of conjunction.h was met. */
const struct rule *classifier_lookup(const struct classifier *c, struct flow_key *key, uint64_t version,
                                     bool *over);

/* Which subtable a match goes to; made when it is the first of its mask. NULL: too many masks (*full) or no
 * memory. */
struct subtable *classifier_subtable(struct classifier *c, const struct flow_key *mask, bool *full);
/* The number of words a rule of this subtable needs; fills them and the hash from the match's key. */
unsigned subtable_words(const struct subtable *s);
void subtable_fill(const struct subtable *s, const struct flow_key *key, struct rule *r);
/* The mask of all rules of the subtable, and the key of one of its rules. */
void subtable_match(const struct subtable *s, const struct rule *r, struct match *out);
const struct flow_key *subtable_mask(const struct subtable *s);

/* The first rule of the chain with exactly this mask and key; NULL: none. */
struct rule *classifier_find(const struct classifier *c, const struct match *m);

/* The rule of exactly this match and priority in `version`; NULL: none. Workers. */
const struct rule *classifier_find_visible(const struct classifier *c, const struct match *m,
                                           uint16_t priority, uint64_t version);

/* Puts `r` (subtable, words, hash, priority, versions set) in / takes it out. -ENOMEM leaves everything as it
 * was. */
int classifier_insert(struct classifier *c, struct rule *r);
void classifier_remove(struct classifier *c, struct rule *r);
/* Frees a subtable that has no rules left; for the one that classifier_subtable made when nothing was
 * inserted. */
void classifier_tidy(struct classifier *c, struct subtable *s);

uint32_t classifier_masks(const struct classifier *c);

#endif
