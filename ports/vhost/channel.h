/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connected vhost-user socket on the event loop: whole messages in, replies out, never blocking.
 *
 * Design: half a message stays half until the rest comes; that holds up this port and no other. A turn of the
 * event loop takes a bounded number of messages. Replies that the peer does not read are kept up to a small
 * bound, then the connection is given up.
 *
 * Thread-safety: control thread.
 *
 * Life cycle: channel_open -> message... -> channel_close (by the owner, also after end) -> closed().
 */
#ifndef PORTS_VHOST_CHANNEL_H
#define PORTS_VHOST_CHANNEL_H

#include <stdbool.h>
#include <uv.h>

#include "ports/vhost/protocol.h"

struct vhost_channel_ops {
	/* One whole message; false: stop delivering until channel_resume(). */
	bool (*message)(void *arg, struct vhost_message *m);
	/* The peer is gone or sends nonsense: close the channel. */
	void (*end)(void *arg, const char *why);
	void (*closed)(void *arg);
};

struct vhost_channel {
	const struct vhost_channel_ops *ops;
	void *arg;
	int fd; /* -1: closed */
	bool paused;
	uv_poll_t poll;
	struct vhost_message in;
	size_t got; /* bytes of header and payload */
	size_t out_len;
	uint8_t out[1024];
};

/* Takes over the connected, non-blocking socket `fd`. 0 or -errno (then the fd stays the caller's). */
int channel_open(struct vhost_channel *c, uv_loop_t *loop, int fd, const struct vhost_channel_ops *ops,
                 void *arg);
/* Sends header and payload of `m`. May call end(). */
void channel_send(struct vhost_channel *c, const struct vhost_message *m);
/* Goes on with messages after message() returned false. Called from the event loop, not from message(). */
void channel_resume(struct vhost_channel *c);
/* Closes; closed(arg) follows from the event loop. */
void channel_close(struct vhost_channel *c);

#endif
