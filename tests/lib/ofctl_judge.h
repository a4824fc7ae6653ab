/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's ovs-ofctl as the judge of our flow text.
 *
 * Strings are collected and judged together: those that we take go through `ovs-ofctl parse-flows`
 * (normalised text) and `ovs-ofctl add-flows` (bytes of the FLOW_MOD) in bulk, those that we refuse through
 * `ovs-ofctl parse-flow` one by one. All over OpenFlow 1.3. Each disagreement fails the Criterion test, and
 * names the string and both answers.
 */
#ifndef TESTS_LIB_OFCTL_JUDGE_H
#define TESTS_LIB_OFCTL_JUDGE_H

struct ofctl_judge;

struct ofctl_judge *ofctl_judge_new(void);
/* A flow, without a newline; the same string is judged once. */
void ofctl_judge_add(struct ofctl_judge *j, const char *flow) __attribute__((nonnull));
/* How many were added. */
unsigned ofctl_judge_count(const struct ofctl_judge *j);
/* Judges all and frees. */
void ofctl_judge_finish(struct ofctl_judge *j);

#endif
