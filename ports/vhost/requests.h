/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of the vhost-user protocol, one table row each. Called by session.c, which orders checking,
 * stopping, applying and answering. Control thread. */
#ifndef PORTS_VHOST_REQUESTS_H
#define PORTS_VHOST_REQUESTS_H

#include "ports/vhost/session.h"

enum request_stops { REQUEST_STOPS_NONE, REQUEST_STOPS_ONE, REQUEST_STOPS_ALL };

const char *request_name(uint32_t request);

/* Version, payload length, number of fds, ring number: 0 or -errno. Nothing in a message that passed is read
 * beyond its payload. */
int request_check(const struct vhost_session *s, const struct vhost_message *m, struct error *e);

/* Which running rings the request takes something from; the ring's number for REQUEST_STOPS_ONE. */
enum request_stops request_needs(const struct vhost_session *s, const struct vhost_message *m,
                                 unsigned *ring);

/* Does it. 0; 1 when the payload was filled with a reply (header.size set); -errno. */
int request_apply(struct vhost_session *s, struct vhost_message *m, struct error *e);

#endif
