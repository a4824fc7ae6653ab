/* SPDX-License-Identifier: Apache-2.0 */
/* Rings on their way to and from the workers; see running.h. Used by session.c and requests.c. */
#include "ports/vhost/running.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/dp/rcu.h"
#include "ports/vhost/requests.h"
#include "ports/vhost/vhost.h"

static void close_fd(void *arg)
{
	close((int)(intptr_t)arg);
}

void running_close_later(int fd)
{
	if (fd >= 0)
		rcu_defer(close_fd, (void *)(intptr_t)fd);
}

static void ring_free(void *arg)
{
	struct vhost_ring *r = arg;

	memory_put(r->memory);
	dirty_put(r->log);
	free(r);
}

static void publish(struct vhost_session *s, unsigned i, struct vhost_ring *r)
{
	struct vhost_ring *old = s->v->slots[i].ring;

	rcu_assign(s->v->slots[i].ring, r);
	if (old)
		rcu_defer(ring_free, old);
}

static bool has(const struct vhost_session *s, unsigned bit)
{
	return s->features & VHOST_BIT(bit);
}

static uint32_t caps_of(const struct vhost_session *s)
{
	uint32_t caps = PORT_TX_CSUM;

	if (!has(s, VIRTIO_NET_F_GUEST_CSUM))
		return 0;
	caps |= has(s, VIRTIO_NET_F_GUEST_TSO4) ? PORT_TX_TSO4 : 0;
	caps |= has(s, VIRTIO_NET_F_GUEST_TSO6) ? PORT_TX_TSO6 : 0;
	caps |= has(s, VIRTIO_NET_F_GUEST_USO4) ? PORT_TX_USO4 : 0;
	caps |= has(s, VIRTIO_NET_F_GUEST_USO6) ? PORT_TX_USO6 : 0;
	return caps;
}

/* Translates the three areas of ring `i`, each inside one region and aligned (virtio 1.2 section 2.7). */
static bool place(const struct vhost_session *s, unsigned i, struct vhost_ring *r)
{
	const struct vhost_vring *g = &s->rings[i];

	r->desc = memory_at_uva(s->memory, g->addr.desc, 16ull * g->num, 16);
	r->avail = memory_at_uva(s->memory, g->addr.avail, 6 + 2ull * g->num, 2);
	r->used = memory_at_uva(s->memory, g->addr.used, 6 + 8ull * g->num, 4);
	return r->desc && r->avail && r->used;
}

static bool enabled(const struct vhost_session *s, unsigned i)
{
	return s->rings[i].enabled || !has(s, VHOST_USER_F_PROTOCOL_FEATURES);
}

/* A new description of ring `i`; NULL when its addresses don't fit the memory. */
static struct vhost_ring *describe(struct vhost_session *s, unsigned i)
{
	const struct vhost_vring *g = &s->rings[i];
	struct vhost_ring *r = s->memory ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return NULL;
	if (!place(s, i, r)) {
		free(r);
		return NULL;
	}
	r->size = (uint16_t)g->num;
	r->mask = (uint16_t)(g->num - 1);
	r->discard = (i & 1) && !enabled(s, i);
	r->mergeable = has(s, VIRTIO_NET_F_MRG_RXBUF);
	r->header = r->mergeable || has(s, VIRTIO_F_VERSION_1) ? 12 : 10;
	r->event_idx = has(s, VIRTIO_RING_F_EVENT_IDX);
	r->indirect = has(s, VIRTIO_RING_F_INDIRECT_DESC);
	r->caps = caps_of(s);
	r->features = s->features;
	r->call_fd = g->call_fd;
	r->kick_fd = g->kick_fd;
	r->memory = memory_get(s->memory);
	r->log = has(s, VHOST_F_LOG_ALL) ? dirty_get(s->log) : NULL;
	r->log_used = g->addr.flags & VHOST_ADDR_LOG ? g->addr.log : UINT64_MAX;
	r->state = &s->v->slots[i].state;
	r->wake = &s->v->wake;
	return r;
}

/* A ring that is started but not enabled must take what the guest sends and do nothing with it. */
static bool ready(const struct vhost_session *s, unsigned i)
{
	const struct vhost_vring *g = &s->rings[i];

	return g->kicked && ((i & 1) || enabled(s, i)) && g->have_addr && g->num && !g->broken && s->memory &&
	       !memory_faulted(s->memory) && i < 2 * s->v->queues;
}

static void misplaced(struct vhost_session *s, unsigned i)
{
	s->rings[i].broken = true;
	error_set(&s->v->why, EFAULT, "ring %u lies outside the guest's memory", i);
	log_limited(&s->v->log_limit, LOG_LEVEL_ERROR, "%s: %s", s->v->port.name, s->v->why.text);
}

/* A ring that starts may have had another back end before, which was killed between handing buffers over and
 * calling. */
void running_start(struct vhost_session *s)
{
	bool started = false;

	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++) {
		struct vhost_ring *r;

		if (s->v->slots[i].ring || !ready(s, i))
			continue;
		r = describe(s, i);
		if (!r) {
			misplaced(s, i);
			continue;
		}
		ring_start(r);
		publish(s, i, r);
		started = true;
	}
	if (started)
		vhost_make_due(s->v, VHOST_DUE_CALLS);
}

void running_refresh(struct vhost_session *s, unsigned i)
{
	struct vhost_ring *r;

	if (!s->v->slots[i].ring)
		return;
	r = describe(s, i);
	if (!r)
		misplaced(s, i);
	publish(s, i, r);
	s->grace = true;
}

void running_refresh_all(struct vhost_session *s)
{
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++)
		running_refresh(s, i);
}

static bool stop(struct vhost_session *s, unsigned i)
{
	if (!s->v->slots[i].ring)
		return false;
	publish(s, i, NULL);
	return true;
}

void running_stop_all(struct vhost_session *s)
{
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++)
		stop(s, i);
}

bool running_stop_for(struct vhost_session *s, const struct vhost_message *m)
{
	unsigned ring;
	bool stopped = false;

	switch (request_needs(s, m, &ring)) {
	case REQUEST_STOPS_NONE:
		return false;
	case REQUEST_STOPS_ONE:
		return stop(s, ring);
	case REQUEST_STOPS_ALL:
		for (unsigned i = 0; i < VHOST_RINGS_MAX; i++)
			stopped |= stop(s, i);
	}
	return stopped;
}
