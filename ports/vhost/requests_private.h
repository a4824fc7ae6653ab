/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the requests that have files of their own, for the table in requests.c. Each does what its
 * request asks of a session, after request_check(): 0; 1 when the payload was filled with a reply; -errno
 * with the reason. Control thread. */
#ifndef PORTS_VHOST_REQUESTS_PRIVATE_H
#define PORTS_VHOST_REQUESTS_PRIVATE_H

#include "ports/vhost/session.h"

/* requests_memory.c */
int request_set_mem_table(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_get_max_mem_slots(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_add_mem_reg(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_rem_mem_reg(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_set_log_base(struct vhost_session *s, struct vhost_message *m, struct error *e);

/* requests_rings.c */
int request_set_vring_num(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_set_vring_addr(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_set_vring_base(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_get_vring_base(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_set_vring_kick(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_set_vring_call(struct vhost_session *s, struct vhost_message *m, struct error *e);
int request_set_vring_enable(struct vhost_session *s, struct vhost_message *m, struct error *e);

/* The reply is this number. */
static inline int reply_u64(struct vhost_message *m, uint64_t value)
{
	m->payload.u64 = value;
	m->header.size = sizeof(m->payload.u64);
	return 1;
}

/* The fd is no longer closed with the message. */
static inline int take_fd(struct vhost_message *m, unsigned i)
{
	int fd = m->fds[i];

	m->fds[i] = -1;
	return fd;
}

#endif
