/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of a client's `add-flows`: keeps the FLOW_MODs that it gets, byte for byte.
 *
 * Answers what a client of OpenFlow 1.3 asks before and after (HELLO, features of tables, ports, barriers),
 * one client after the other, on a thread of its own. Life cycle: start -> clients run -> wait for them ->
 * ofp_recorder_next() for each -> stop.
 */
#ifndef TESTS_LIB_OFP_RECORDER_H
#define TESTS_LIB_OFP_RECORDER_H

#include <stddef.h>
#include <stdint.h>

struct ofp_recorder;

/* Listens on the unix socket `path`; the test fails when it cannot. */
struct ofp_recorder *ofp_recorder_start(const char *path);
void ofp_recorder_stop(struct ofp_recorder *r);

/* The next FLOW_MOD in the order of arrival, xid 0, or NULL. Only while no client is connected. */
const uint8_t *ofp_recorder_next(struct ofp_recorder *r, size_t *len);

#endif
