/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenFlow endpoint of a switch.
 *
 * What: listens on unix, TCP and TLS sockets and connects to controllers, speaks OpenFlow 1.3 with any number
 * of them and turns their messages into calls of struct ofp_switch_ops. Design: one state machine per
 * connection; messages of one connection are handled in order, one at a time; a reply that is large or must
 * wait (statistics, barrier) suspends its connection only. Output is bounded: above OFP_OUTPUT_HIGH bytes
 * queued, a connection's messages are not read and its dump is not continued. A controller that goes away is
 * dialled again, at once and then after growing, jittered pauses; one that says nothing is probed by echo
 * requests, and given up. Thread-safety: everything on the loop's thread. Never blocks. Life cycle: create ->
 * listen (any number of times) -> ... -> close -> `closed` is called -> memory is gone.
 */
#ifndef CONTROL_OPENFLOW_SERVER_H
#define CONTROL_OPENFLOW_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "control/net/tls_context.h"
#include "control/openflow/ofp_switch.h"

struct error;
struct uv_loop_s;

/* Borrows `loop`, `ops` and `ctx`, which outlive the server. NULL when out of memory. */
struct ofp_server *ofp_server_create(struct uv_loop_s *loop, const struct ofp_switch_ops *ops, void *ctx);

/* Listens on a unix socket at `path`, mode 0660. A socket file nobody listens on is replaced; -EADDRINUSE
 * when a live process does. 0 or -errno with `e` filled. */
int ofp_server_listen_unix(struct ofp_server *server, const char *path, struct error *e);

/* The same, for who wants to listen in on all controllers (`ovs-ofctl snoop`). */
int ofp_server_listen_snoop(struct ofp_server *server, const char *path, struct error *e);

/* Reads the files; connections made later use them. Needed before pssl: and ssl:. 0 or -errno with `e` naming
 * the file. */
int ofp_server_set_tls(struct ofp_server *server, const struct tls_files *files, struct error *e);

/* Listens on "ptcp:[PORT][:ADDRESS]" or "pssl:...". 0 or -errno with `e` filled. */
int ofp_server_listen(struct ofp_server *server, const char *target, struct error *e);

/* ---- controllers that the switch connects to ---- */

enum { OFP_CONTROLLERS_MAX = 16 };
enum ofp_fail_mode { OFP_FAIL_STANDALONE, OFP_FAIL_SECURE };

struct ofp_controllers_config {
	/* Without a controller for three probe intervals: forward like a learning switch
	 * (ops->set_standalone) until one returns, or go on with the flows there are. */
	enum ofp_fail_mode fail_mode;
	uint32_t probe_ms; /* of silence before an echo request, and once more before giving up; 0: never */
	uint32_t backoff_max_ms; /* the longest pause between two attempts */
	uint32_t packet_in_rate; /* packets per second that each connection is sent; 0: no limit */
};

#define OFP_CONTROLLERS_DEFAULT ((struct ofp_controllers_config){OFP_FAIL_STANDALONE, 5000, 8000, 20000})

/* Connects to exactly these "tcp:HOST[:PORT]", "ssl:..."; connections to others are closed, those to the
 * same stay. 0, or -EINVAL, -E2BIG, -EEXIST (named twice), -ENOMEM with `e`, and nothing has changed. */
int ofp_server_set_controllers(struct ofp_server *server, const char *const *targets, unsigned n,
                               const struct ofp_controllers_config *config, struct error *e);

struct ofp_controller_status {
	const char *target, *role, *error; /* error: why the last attempt failed; "" */
	bool connected;
	uint64_t seconds; /* since it came or went */
	uint64_t attempts;
	uint64_t packet_ins_lost,
	        lost; /* above the rate; because the controller did not read: both since it came */
};

/* The controller number `i`; false when there are not that many. Texts live until the next call of anything
 * here. */
bool ofp_server_controller(const struct ofp_server *server, unsigned i, struct ofp_controller_status *out);
/* Is the switch on its own, forwarding like a learning switch? */
bool ofp_server_standalone(const struct ofp_server *server);

/* Closes sockets and connections (what is queued for them is lost), removes the unix socket files, and calls
 * closed(arg) (may be NULL) from the loop when nothing of the server is left. A NULL server is legal. */
void ofp_server_close(struct ofp_server *server, void (*closed)(void *arg), void *arg);

#endif
