/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing a session's rings to the workers and taking them away. Control thread. What was taken away may
 * be used by workers until the next grace period; the descriptions hold references to memory and log until
 * then. */
#ifndef PORTS_VHOST_RUNNING_H
#define PORTS_VHOST_RUNNING_H

#include <stdbool.h>

#include "ports/vhost/session.h"

/* Unpublishes the rings that request `m` takes something from; true when there were any, so that the request
 * must wait for a grace period. */
bool running_stop_for(struct vhost_session *s, const struct vhost_message *m);
void running_stop_all(struct vhost_session *s);
/* Starts what is ready and not running. */
void running_start(struct vhost_session *s);
/* Publishes a new description of ring `i` if it runs (call fd, log, memory changed) and asks for a grace
 * period. */
void running_refresh(struct vhost_session *s, unsigned i);
void running_refresh_all(struct vhost_session *s);
/* Closes after a grace period. */
void running_close_later(int fd);

#endif
