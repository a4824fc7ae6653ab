/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with one front end: what it told us, and what follows for the rings.
 *
 * What: the message handlers of the vhost-user protocol and the state they keep, all of it numbers and fds.
 *
 * Design: one table row per request. A request that takes something away from a running ring first
 * unpublishes the ring and is applied after the grace period; one that only adds (call fd, dirty log)
 * publishes a new description and is answered after the grace period. Meanwhile `busy` holds further messages
 * of this port back, and nobody else's. After each request, every ring that is ready and not running is
 * started.
 *
 * Thread-safety: control thread.
 *
 * Life cycle: session_init -> session_handle for each message while !busy -> session_reset when the
 * connection is gone -> session_handle again for the next one.
 */
#ifndef PORTS_VHOST_SESSION_H
#define PORTS_VHOST_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "ports/vhost/dirty.h"
#include "ports/vhost/memory.h"
#include "ports/vhost/protocol.h"

struct vhost_port;

struct vhost_vring {
	struct vhost_ring_addr addr;
	uint32_t num;
	uint16_t base;
	int kick_fd; /* -1: none */
	int call_fd;
	bool have_addr;
	bool kicked;  /* SET_VRING_KICK came: the ring is started in the protocol's words */
	bool enabled; /* SET_VRING_ENABLE */
	bool broken;  /* its port was taken down; until GET_VRING_BASE */
};

struct vhost_session_ops {
	/* Sends `m` as the reply (header filled, no fds). */
	void (*reply)(void *arg, const struct vhost_message *m);
	/* A request that had to wait is done: more messages may be handled. */
	void (*ready)(void *arg);
	/* The front end broke the protocol: close the connection. The message is not used any more. */
	void (*fail)(void *arg, const char *why);
};

struct vhost_session {
	struct vhost_port *v;
	const struct vhost_session_ops *ops;
	void *arg;

	uint64_t features;
	uint64_t protocol_features;
	struct vhost_memory *memory;
	struct vhost_log *log;
	uint32_t mtu; /* said by the front end, 0: nothing */
	struct vhost_vring rings[VHOST_RINGS_MAX];

	struct vhost_message *message; /* being handled */
	bool busy;
	bool grace;      /* the handler changed a live ring: answer after a grace period */
	bool call_again; /* after the grace period: a worker may have called by an fd that nobody reads any
	                    more */
	bool closing;    /* session_reset() is under way */
	unsigned breaks; /* times session_break() took rings away that workers may still use */
	int reply;       /* of the handler: > 0 it filled a payload, < 0 it refused */
	void (*reset_done)(void *arg);
};

void session_init(struct vhost_session *s, struct vhost_port *v, const struct vhost_session_ops *ops,
                  void *arg);

/* Features that every port offers. */
uint64_t session_features(void);

/* Handles one whole message; its fds are used up. The message must stay until ready() or fail() when s->busy
 * is set afterwards. */
void session_handle(struct vhost_session *s, struct vhost_message *m);

/* The connection is gone: stops the rings, forgets all it said, then calls done(s->arg) from the event loop.
 */
void session_reset(struct vhost_session *s, void (*done)(void *arg));

/* The guest or its memory is broken: takes all rings out of service, logs and counts why. The connection
 * stays. */
void session_break(struct vhost_session *s, const char *why);

#endif
