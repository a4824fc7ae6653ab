/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenFlow endpoint of a switch.
 *
 * What: listens on unix and TCP sockets, speaks OpenFlow 1.3 to any number of clients and turns their
 * messages into calls of struct ofp_switch_ops. Design: one state machine per connection; messages of one
 * connection are handled in order, one at a time; a reply that is large or must wait (statistics, barrier)
 * suspends its connection only. Output is bounded: above OFP_OUTPUT_HIGH bytes queued, a connection's
 * messages are not read and its dump is not continued. Thread-safety: everything on the loop's thread. Never
 * blocks. Life cycle: create -> listen (any number of times) -> ... -> close -> `closed` is called -> memory
 * is gone.
 */
#ifndef CONTROL_OPENFLOW_SERVER_H
#define CONTROL_OPENFLOW_SERVER_H

#include <stdint.h>

#include "control/openflow/ofp_switch.h"

struct error;
struct uv_loop_s;

/* Borrows `loop`, `ops` and `ctx`, which outlive the server. NULL when out of memory. */
struct ofp_server *ofp_server_create(struct uv_loop_s *loop, const struct ofp_switch_ops *ops, void *ctx);

/* Listens on a unix socket at `path`, mode 0660. A socket file nobody listens on is replaced; -EADDRINUSE
 * when a live process does. 0 or -errno with `e` filled. */
int ofp_server_listen_unix(struct ofp_server *server, const char *path, struct error *e);

/* Listens on a TCP address ("127.0.0.1", "::"), host-order port. 0 or -errno with `e` filled. */
int ofp_server_listen_tcp(struct ofp_server *server, const char *address, uint16_t port, struct error *e);

/* Closes sockets and connections (what is queued for them is lost), removes the unix socket files, and calls
 * closed(arg) (may be NULL) from the loop when nothing of the server is left. A NULL server is legal. */
void ofp_server_close(struct ofp_server *server, void (*closed)(void *arg), void *arg);

#endif
