/* SPDX-License-Identifier: Apache-2.0 */
/* A switch for tests of the OpenFlow endpoint: three ports, a list of flows, a list of groups, no packets. It
 * runs its own event loop on a thread of its own; tests talk to it through its socket. One at a time. */
#ifndef TESTS_LIB_FAKE_SWITCH_H
#define TESTS_LIB_FAKE_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

struct fake_switch;
struct ofp_server;
struct ofp_switch_ops;
struct uv_loop_s;

/* Only the state, for whoever has a loop and a server of his own. A barrier is answered on a later turn of
 * `loop`. */
struct fake_switch *fake_switch_new(struct uv_loop_s *loop);
void fake_switch_free(struct fake_switch *sw);
/* Who is told when flows change; NULL, as at first: nobody. */
void fake_switch_tell(struct fake_switch *sw, struct ofp_server *server);
extern const struct ofp_switch_ops fake_switch_ops;

/* With a server, listening on a unix socket, on a thread. Aborts when it cannot. */
struct fake_switch *fake_switch_start(const char *path);
void fake_switch_stop(struct fake_switch *sw);

/* How often connections were to be forgotten, and the last time which. */
struct ct_flush;
unsigned fake_switch_flushed(const struct fake_switch *sw, struct ct_flush *last);

/* Did the endpoint tell the switch to forward on its own? */
bool fake_switch_is_standalone(const struct fake_switch *sw);

/* One packet-in (100 bytes, port 1, reason "action", user's data "weft") to whom it may concern. The loop's
 * thread. */
void fake_switch_report(struct ofp_server *server);
/* Makes the switch send one packet-in (100 bytes, port 1, reason "action") to whom it may concern. Any
 * thread. */
void fake_switch_packet_in(struct fake_switch *sw);

#endif
