/* SPDX-License-Identifier: Apache-2.0 */
/* The table of vhost-user requests, and what those about features and the network do; see requests.h. */
#include "ports/vhost/requests.h"

#include <errno.h>
#include <string.h>

#include "ports/vhost/requests_private.h"
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

/* ---- network ---- */

static int send_rarp(struct vhost_session *s, struct vhost_message *m, struct error *e)
{
	memcpy(s->v->announce_mac.b, &m->payload.u64, 6);
	vhost_make_due(s->v, VHOST_DUE_ANNOUNCE);
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
	[VHOST_SET_MEM_TABLE] = {"SET_MEM_TABLE", request_set_mem_table, sizeof(struct vhost_table_msg), VHOST_FDS_MAX,
				 RING_NONE, REQUEST_STOPS_ALL},
	[VHOST_SET_LOG_BASE] = {"SET_LOG_BASE", request_set_log_base, sizeof(struct vhost_log_msg), 1, RING_NONE, 0},
	[VHOST_SET_LOG_FD] = {"SET_LOG_FD", nothing, NO, 1, RING_NONE, 0},
	[VHOST_SET_VRING_NUM] = {"SET_VRING_NUM", request_set_vring_num, WORD, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_SET_VRING_ADDR] = {"SET_VRING_ADDR", request_set_vring_addr, ADDR, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_SET_VRING_BASE] = {"SET_VRING_BASE", request_set_vring_base, WORD, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_GET_VRING_BASE] = {"GET_VRING_BASE", request_get_vring_base, WORD, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_SET_VRING_KICK] = {"SET_VRING_KICK", request_set_vring_kick, U64, 1, RING_U64, REQUEST_STOPS_ONE},
	[VHOST_SET_VRING_CALL] = {"SET_VRING_CALL", request_set_vring_call, U64, 1, RING_U64, 0},
	[VHOST_SET_VRING_ERR] = {"SET_VRING_ERR", nothing, U64, 1, RING_U64, 0},
	[VHOST_GET_PROTOCOL_FEATURES] = {"GET_PROTOCOL_FEATURES", get_protocol_features, NO, 0, RING_NONE, 0},
	[VHOST_SET_PROTOCOL_FEATURES] = {"SET_PROTOCOL_FEATURES", set_protocol_features, U64, 0, RING_NONE, 0},
	[VHOST_GET_QUEUE_NUM] = {"GET_QUEUE_NUM", get_queue_num, NO, 0, RING_NONE, 0},
	[VHOST_SET_VRING_ENABLE] = {"SET_VRING_ENABLE", request_set_vring_enable, WORD, 0, RING_WORD, REQUEST_STOPS_ONE},
	[VHOST_SEND_RARP] = {"SEND_RARP", send_rarp, U64, 0, RING_NONE, 0},
	[VHOST_NET_SET_MTU] = {"NET_SET_MTU", net_set_mtu, U64, 0, RING_NONE, 0},
	[VHOST_GET_MAX_MEM_SLOTS] = {"GET_MAX_MEM_SLOTS", request_get_max_mem_slots, NO, 0, RING_NONE, 0},
	[VHOST_ADD_MEM_REG] = {"ADD_MEM_REG", request_add_mem_reg, SLOT, 1, RING_NONE, 0},
	[VHOST_REM_MEM_REG] = {"REM_MEM_REG", request_rem_mem_reg, SLOT, 1, RING_NONE, REQUEST_STOPS_ALL},
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
