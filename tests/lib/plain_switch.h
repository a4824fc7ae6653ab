/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A switch without a datapath, behind a real OpenFlow endpoint: it remembers flows, groups and the last
 * packet-out. For tests of clients and of the endpoint.
 *
 * Runs its own loop on its own thread. Life cycle: start -> clients come and go on the socket -> stop. Ports:
 * 1 "vm1", 2 "vm2", LOCAL "br0". A flow in table 99 is refused with OFPFMFC_EPERM.
 */
#ifndef TESTS_LIB_PLAIN_SWITCH_H
#define TESTS_LIB_PLAIN_SWITCH_H

#include <stddef.h>

struct plain_switch;

/* Listens on the unix socket `path`; the test fails when it cannot. */
struct plain_switch *plain_switch_start(const char *path);
void plain_switch_stop(struct plain_switch *s);

/* Length of the last packet sent out by a client; call it after a barrier. */
size_t plain_switch_last_packet(struct plain_switch *s);

#endif
