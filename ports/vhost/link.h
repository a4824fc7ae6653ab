/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a vhost-user port comes to its peer, again and again.
 *
 * What: client role: connects to the socket, every 100 ms until somebody listens. Server role: listens on the
 * socket (mode 0660), replacing one that a dead process left behind, and serves one front end at a time.
 *
 * Design: the link owns socket, channel and the coming and going of the session. A connection is given 100 ms
 * at least, so that a peer that hangs up at once makes no more than ten a second; after one that broke the
 * protocol the next attempt waits longer, up to 5 s.
 *
 * Thread-safety: control thread.
 *
 * Life cycle: link_start -> connected and disconnected any number of times -> link_stop -> stopped().
 */
#ifndef PORTS_VHOST_LINK_H
#define PORTS_VHOST_LINK_H

#include <stdbool.h>
#include <sys/un.h>
#include <uv.h>

#include "base/error.h"
#include "ports/vhost/channel.h"

struct vhost_session;

enum vhost_role { VHOST_CLIENT, VHOST_SERVER };

struct vhost_link {
	uv_loop_t *loop;
	struct vhost_session *session;
	enum vhost_role role;
	struct sockaddr_un address;
	struct vhost_channel channel;
	uv_timer_t retry;
	uv_poll_t accept;
	int listen_fd; /* -1: none */
	bool connected;
	bool stopping;
	bool bad_peer;     /* the last connection ended with a broken rule */
	unsigned delay_ms; /* that bad peers have earned */
	uint64_t since;    /* uv_now() of the last connection's begin */
	unsigned waiting;  /* channel and session that are not yet gone, or handles when stopping */
	uint64_t connects;
	void (*stopped)(void *arg);
	void *stopped_arg;
};

/* 0 or -errno with the reason: path too long, not a socket, in use. */
int link_start(struct vhost_link *l, uv_loop_t *loop, struct vhost_session *session, enum vhost_role role,
               const char *path, struct error *e);
void link_stop(struct vhost_link *l, void (*stopped)(void *arg), void *arg);

#endif
