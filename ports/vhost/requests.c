/* SPDX-License-Identifier: Apache-2.0 */
/* What each vhost-user request does to a session; see requests.h. */
#include "ports/vhost/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dp/rcu.h"
#include "ports/vhost/running.h"
#include "ports/vhost/vhost.h"

enum ring_at { RING_NONE, RING_WORD, RING_U64 }; /* where a message names its ring */

struct request {
	const char *name;
	int (*apply)(struct vhost_session *s, struct vhost_message *m, struct error *e);
	uint32_t size; /* of the payload, exactly (the memory table: at most) */
	uint8_t fds;   /* at most */
	uint8_t ring;  /* enum ring_at */
	uint8_t stops; /* enum request_stops, unless request_needs() knows better */
};

static int reply_u64(struct vhost_message *m, uint64_t value)
{
	m->payload.u64 = value;
	m->header.size = sizeof(m->payload.u64);
	return 1;
}

static int take_fd(struct vhost_message *m, unsigned i)
{
	int fd = m->fds[i];

	m->fds[i] = -1;
	return fd;
}

/* ---- features ---- */

uint64_t session_features(void)
{
	static const uint8_t bits[] = {
	        VIRTIO_NET_F_CSUM,       VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_MTU,
	        VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_ECN,
	        VIRTIO_NET_F_HOST_TSO4,  VIRTIO_NET_F_HOST_TSO6,  VIRTIO_NET_F_HOST_ECN,
	        VIRTIO_NET_F_MRG_RXBUF,  VIRTIO_NET_F_STATUS,     VIRTIO_NET_F_CTRL_VQ,
	        VIRTIO_NET_F_CTRL_RX,    VIRTIO_NET_F_MQ,         VIRTIO_NET_F_GUEST_ANNOUNCE,
	        VHOST_F_LOG_ALL,         VIRTIO_F_ANY_LAYOUT,     VIRTIO_F_VERSION_1,
	        VIRTIO_RING_F_EVENT_IDX, VIRTIO_NET_F_HOST_USO,   VIRTIO_RING_F_INDIRECT_DESC,
	        VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_GUEST_USO6, VHOST_USER_F_PROTOCOL_FEATURES,
	};
	uint64_t features = 0;

	for (unsigned i = 0; i < sizeof(bits); i++)
		features |= VHOST_BIT(bits[i]);
	return features;
}

static uint64_t protocol_features(void)
{
	return VHOST_BIT(VHOST_PROTOCOL_MQ) | VHOST_BIT(VHOST_PROTOCOL_LOG_SHMFD) |
	       VHOST_BIT(VHOST_PROTOCOL_RARP) | VHOST_BIT(VHOST_PROTOCOL_REPLY_ACK) |
	       VHOST_BIT(VHOST_PROTOCOL_NET_MTU) | VHOST_BIT(VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS);
}

static int get_features(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	return reply_u64(m, session_features());
}

static int set_features(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	uint64_t unknown = m->payload.u64 & ~session_features();

	if (unknown)
		return error_set(e, EINVAL, "features that were not offered: 0x%llx",
		                 (unsigned long long)unknown);
	s->features = m->payload.u64;
	running_refresh_all(s); /* the dirty log, when nothing was stopped */
	return 0;
}

static int get_protocol_features(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	return reply_u64(m, protocol_features());
}

static int set_protocol_features(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	if (m->payload.u64 & ~protocol_features())
		return error_set(e, EINVAL, "protocol features that were not offered");
	s->protocol_features = m->payload.u64;
	return 0;
}

static int get_queue_num(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	return reply_u64(m, s->v->queues);
}

static int nothing(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	return 0;
}

/* ---- memory ---- */

static void replace_memory(struct vhost_session *s, struct vhost_memory *memory)
{
	struct vhost_memory *old = s->memory;

	s->memory = memory;
	running_refresh_all(s);
	memory_put(old); /* running rings hold their own references */
}

static int set_mem_table(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	const struct vhost_table_msg *t = &m->payload.table;
	struct vhost_memory *memory;
	int rc = 0;

	if (t->n > VHOST_TABLE_REGIONS_MAX || t->n != m->nfds ||
	    m->header.size < offsetof(struct vhost_table_msg, regions) + t->n * sizeof(t->regions[0]))
		return error_set(e, EINVAL, "%u memory regions with %u fds", t->n, m->nfds);
	memory = memory_create();
	if (!memory)
		return error_set(e, ENOMEM, "no memory");
	for (unsigned i = 0; i < t->n && !rc; i++) {
		rc = memory_add(memory, &t->regions[i], m->fds[i], &s->v->wake, e);
		if (!rc)
			take_fd(m, i);
	}
	if (rc) {
		memory_put(memory);
		memory = NULL;
	}
	replace_memory(s, memory);
	return rc;
}

static int get_max_mem_slots(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	return reply_u64(m, VHOST_REGIONS_MAX);
}

/* QEMU before 8.1 adds and removes each region once per queue pair, so the same one may come again. */
static int add_mem_reg(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	struct vhost_memory *memory;
	int rc;

	if (m->nfds != 1)
		return error_set(e, EINVAL, "a memory region without its fd");
	if (s->memory && memory_has(s->memory, &m->payload.slot.region, m->fds[0]))
		return 0;
	memory = s->memory ? memory_copy(s->memory, UINT32_MAX) : memory_create();
	if (!memory)
		return error_set(e, ENOMEM, "no memory");
	rc = memory_add(memory, &m->payload.slot.region, m->fds[0], &s->v->wake, e);
	if (rc) {
		memory_put(memory);
		return rc;
	}
	take_fd(m, 0);
	replace_memory(s, memory);
	return 0;
}

static int rem_mem_reg(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	const struct vhost_region_msg *g = &m->payload.slot.region;

	for (unsigned i = 0; s->memory && i < s->memory->n; i++) {
		const struct vhost_region *r = &s->memory->regions[i];
		struct vhost_memory *memory;

		if (r->gpa != g->gpa || r->uva != g->uva || r->size != g->size)
			continue;
		memory = memory_copy(s->memory, i);
		if (!memory)
			return error_set(e, ENOMEM, "no memory");
		replace_memory(s, memory);
		return 0;
	}
	return 0; /* gone already: see add_mem_reg() */
}

/* ---- dirty log ---- */

static int set_log_base(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	struct vhost_log *log;
	int rc;

	if (m->nfds != 1)
		return error_set(e, EINVAL, "a dirty log without its fd");
	rc = dirty_create(m->fds[0], m->payload.log.size, m->payload.log.offset, &s->v->wake, &log, e);
	if (rc)
		return rc;
	take_fd(m, 0);
	dirty_put(s->log); /* running rings hold their own references */
	s->log = log;
	running_refresh_all(s);
	return reply_u64(m, 0);
}

/* ---- rings ---- */

static int set_vring_num(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	uint32_t num = m->payload.word.num;

	if (!num || num > VHOST_RING_SIZE_MAX || (num & (num - 1)))
		return error_set(e, EINVAL, "ring of %u entries", num);
	s->rings[m->payload.word.index].num = num;
	return 0;
}

static int set_vring_addr(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	struct vhost_vring *g = &s->rings[m->payload.addr.index];

	g->addr = m->payload.addr;
	g->have_addr = true;
	running_refresh(s, m->payload.addr.index);
	return 0;
}

static int set_vring_base(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	s->rings[m->payload.word.index].base = (uint16_t)m->payload.word.num;
	return 0;
}

static int get_vring_base(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	uint32_t i = m->payload.word.index;
	struct vhost_vring *g = &s->rings[i];

	/* The ring was stopped, and a grace period is over: its state is final. */
	if (g->kicked)
		g->base = s->v->slots[i].state.last_avail;
	running_close_later(g->kick_fd);
	g->kick_fd = -1;
	g->kicked = false;
	g->broken = false;
	m->payload.word = (struct vhost_ring_word){.index = i, .num = g->base};
	m->header.size = sizeof(m->payload.word);
	return 1;
}

/* The fd of KICK, CALL or ERR; -1 when the message says there is none. */
static int vring_fd(struct vhost_message *m, int *fd, struct error *e)
{
	bool none = m->payload.u64 & VHOST_RING_NOFD;

	*fd = -1;
	if (m->nfds != !none)
		return error_set(e, EINVAL, "%u fds where %u were announced", m->nfds, !none);
	if (!none)
		*fd = take_fd(m, 0);
	return 0;
}

/* An eventfd is the one kind of file whose reads and writes end at once when O_NONBLOCK is set: a pipe or a
 * file of a network file system could hold up a worker. */
static bool is_eventfd(int fd)
{
	char path[32], target[32] = {0};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 && !strcmp(target, "anon_inode:[eventfd]");
}

/* The eventfd of KICK or CALL, made non-blocking; -1 when the message says there is none. */
static int vring_eventfd(struct vhost_message *m, int *out, struct error *e)
{
	int fd, rc = vring_fd(m, &fd, e);

	*out = -1;
	if (rc || fd < 0)
		return rc;
	if (!is_eventfd(fd))
		rc = error_set(e, EINVAL, "the ring's fd is not an eventfd");
	else if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
		rc = error_set(e, errno, "the ring's fd cannot be made non-blocking");
	if (rc)
		close(fd);
	else
		*out = fd;
	return rc;
}

static int set_vring_kick(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	uint32_t i = m->payload.u64 & VHOST_RING_MASK;
	struct vhost_vring *g = &s->rings[i];
	int fd, rc = vring_eventfd(m, &fd, e);

	if (rc)
		return rc;
	running_close_later(g->kick_fd);
	g->kick_fd = fd;
	if (!g->kicked)
		s->v->slots[i].state.last_avail = g->base;
	g->kicked = true;
	return 0;
}

static int set_vring_call(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	uint32_t i = m->payload.u64 & VHOST_RING_MASK;
	struct vhost_vring *g = &s->rings[i];
	int fd, rc = vring_eventfd(m, &fd, e);

	if (rc)
		return rc;
	running_close_later(g->call_fd);
	g->call_fd = fd;
	running_refresh(s, i);
	return 0;
}

static int set_vring_enable(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	if (m->payload.word.num > 1)
		return error_set(e, EINVAL, "ring enabled with %u", m->payload.word.num);
	s->rings[m->payload.word.index].enabled = m->payload.word.num;
	return 0;
}

/* ---- network ---- */

static int send_rarp(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	memcpy(s->v->announce_mac.b, &m->payload.u64, 6);
	__atomic_store_n(&s->v->announce, true, __ATOMIC_RELEASE);
	vhost_tell(s->v); /* a sleeping worker must look */
	return 0;
}

static int net_set_mtu(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	if (m->payload.u64 < 68 || m->payload.u64 > 65535)
		return error_set(e, EINVAL, "MTU of %llu", (unsigned long long)m->payload.u64);
	if (s->v->mtu_option && s->v->mtu_option != m->payload.u64)
		return error_set(e, EINVAL, "the guest's MTU is %llu, the interface's %u",
		                 (unsigned long long)m->payload.u64, s->v->mtu_option);
	s->mtu = (uint32_t)m->payload.u64;
	return 0;
}

enum {
	U64 = 8,
	WORD = 8,
	NO = 0,
	ADDR = sizeof(struct vhost_ring_addr),
	SLOT = sizeof(struct vhost_slot_msg)
};

/* clang-format off */
static const struct request requests[VHOST_REQUEST_COUNT] = {
	[VHOST_GET_FEATURES] = {"GET_FEATURES", get_features, NO, 0, RING_NONE, 0},
	[VHOST_SET_FEATURES] = {"SET_FEATURES", set_features, U64, 0, RING_NONE, 0},
	[VHOST_SET_OWNER] = {"SET_OWNER", nothing, NO, 0, RING_NONE, 0},
	[VHOST_RESET_OWNER] = {"RESET_OWNER", nothing, NO, 0, RING_NONE, 0},
	[VHOST_SET_MEM_TABLE] = {"SET_MEM_TABLE", set_mem_table, sizeof(struct vhost_table_msg), VHOST_FDS_MAX,
				 RING_NONE, REQUEST_STOPS_ALL},
	[VHOST_SET_LOG_BASE] = {"SET_LOG_BASE", set_log_base, sizeof(struct vhost_log_msg), 1, RING_NONE, 0},
	[VHOST_SET_LOG_FD] = {"SET_LOG_FD", nothing, NO, 1, RING_NONE, 0},
	[VHOST_SET_VRING_NUM] = {"SET_VRING_NUM", set_vring_num, WORD, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_SET_VRING_ADDR] = {"SET_VRING_ADDR", set_vring_addr, ADDR, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_SET_VRING_BASE] = {"SET_VRING_BASE", set_vring_base, WORD, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_GET_VRING_BASE] = {"GET_VRING_BASE", get_vring_base, WORD, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_SET_VRING_KICK] = {"SET_VRING_KICK", set_vring_kick, U64, 1, RING_U64, REQUEST_STOPS_ONE},
	[VHOST_SET_VRING_CALL] = {"SET_VRING_CALL", set_vring_call, U64, 1, RING_U64, 0},
	[VHOST_SET_VRING_ERR] = {"SET_VRING_ERR", nothing, U64, 1, RING_U64, 0},
	[VHOST_GET_PROTOCOL_FEATURES] = {"GET_PROTOCOL_FEATURES", get_protocol_features, NO, 0, RING_NONE, 0},
	[VHOST_SET_PROTOCOL_FEATURES] = {"SET_PROTOCOL_FEATURES", set_protocol_features, U64, 0, RING_NONE, 0},
	[VHOST_GET_QUEUE_NUM] = {"GET_QUEUE_NUM", get_queue_num, NO, 0, RING_NONE, 0},
	[VHOST_SET_VRING_ENABLE] = {"SET_VRING_ENABLE", set_vring_enable, WORD, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_SEND_RARP] = {"SEND_RARP", send_rarp, U64, 0, RING_NONE, 0},
	[VHOST_NET_SET_MTU] = {"NET_SET_MTU", net_set_mtu, U64, 0, RING_NONE, 0},
	[VHOST_GET_MAX_MEM_SLOTS] = {"GET_MAX_MEM_SLOTS", get_max_mem_slots, NO, 0, RING_NONE, 0},
	[VHOST_ADD_MEM_REG] = {"ADD_MEM_REG", add_mem_reg, SLOT, 1, RING_NONE, 0},
	[VHOST_REM_MEM_REG] = {"REM_MEM_REG", rem_mem_reg, SLOT, 1, RING_NONE, REQUEST_STOPS_ALL},
};
/* clang-format on */

static const struct request *find(uint32_t request)
{
	return request < VHOST_REQUEST_COUNT && requests[request].apply ? &requests[request] : NULL;
}

const char *request_name(uint32_t request)
{
	const struct request *q = find(request);

	return q ? q->name : "unknown request";
}

static uint32_t ring_of(const struct request *q, const struct vhost_message *m)
{
	return q->ring == RING_U64 ? m->payload.u64 & VHOST_RING_MASK : m->payload.word.index;
}

static bool size_ok(const struct request *q, const struct vhost_header *h)
{
	if (h->request == VHOST_SET_MEM_TABLE)
		return h->size >= 8 && h->size <= q->size;
	return q->size ? h->size == q->size : h->size <= sizeof(union vhost_payload);
}

int request_check(const struct vhost_session *s, const struct vhost_message *m, struct error *e)
{
	const struct request *q = find(m->header.request);

	if ((m->header.flags & VHOST_VERSION_MASK) != VHOST_VERSION)
		return error_set(e, EPROTO, "version %u", m->header.flags & VHOST_VERSION_MASK);
	if (!q)
		return error_set(e, EOPNOTSUPP, "request %u is not known here", m->header.request);
	if (!size_ok(q, &m->header))
		return error_set(e, EPROTO, "payload of %u bytes", m->header.size);
	if (m->nfds > q->fds)
		return error_set(e, EPROTO, "%u fds", m->nfds);
	if (q->ring != RING_NONE && ring_of(q, m) >= 2 * s->v->queues)
		return error_set(e, EINVAL, "ring %u of an interface with %u queues", ring_of(q, m),
		                 s->v->queues);
	return 0;
}

enum request_stops request_needs(const struct vhost_session *s, const struct vhost_message *m, unsigned *ring)
{
	const struct request *q = find(m->header.request);
	const struct vhost_ring_addr *a = &m->payload.addr, *b;
	bool same;

	*ring = q->ring == RING_NONE ? 0 : ring_of(q, m);
	switch (m->header.request) {
	case VHOST_SET_FEATURES: /* the dirty log may come and go while rings run, nothing else */
		same = !((s->features ^ m->payload.u64) & ~VHOST_BIT(VHOST_F_LOG_ALL));
		return same ? REQUEST_STOPS_NONE : REQUEST_STOPS_ALL;
	case VHOST_SET_VRING_ADDR:
		b = &s->rings[*ring].addr;
		same = a->desc == b->desc && a->used == b->used && a->avail == b->avail;
		return same ? REQUEST_STOPS_NONE : REQUEST_STOPS_ONE;
	case VHOST_SET_VRING_ENABLE: /* said again */
		same = s->rings[*ring].enabled == (m->payload.word.num == 1);
		return same ? REQUEST_STOPS_NONE : REQUEST_STOPS_ONE;
	default:
		return q->stops;
	}
}

int request_apply(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	return find(m->header.request)->apply(s, m, e);
}
