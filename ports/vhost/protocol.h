/* SPDX-License-Identifier: Apache-2.0 */
/* The vhost-user protocol as it lies on the socket (QEMU's docs/interop/vhost-user.rst), and the feature bits
 * of virtio-net (virtio 1.2 section 5.1.3). Native byte order, as the protocol says. */
#ifndef PORTS_VHOST_PROTOCOL_H
#define PORTS_VHOST_PROTOCOL_H

#include <assert.h>
#include <stdint.h>

#define VHOST_BIT(n) (1ull << (n))

enum {
	VIRTIO_NET_F_CSUM = 0,
	VIRTIO_NET_F_GUEST_CSUM = 1,
	VIRTIO_NET_F_MTU = 3,
	VIRTIO_NET_F_GUEST_TSO4 = 7,
	VIRTIO_NET_F_GUEST_TSO6 = 8,
	VIRTIO_NET_F_GUEST_ECN = 9,
	VIRTIO_NET_F_HOST_TSO4 = 11,
	VIRTIO_NET_F_HOST_TSO6 = 12,
	VIRTIO_NET_F_HOST_ECN = 13,
	VIRTIO_NET_F_MRG_RXBUF = 15,
	VIRTIO_NET_F_STATUS = 16,
	VIRTIO_NET_F_CTRL_VQ = 17,
	VIRTIO_NET_F_CTRL_RX = 18,
	VIRTIO_NET_F_GUEST_ANNOUNCE = 21,
	VIRTIO_NET_F_MQ = 22,
	VHOST_F_LOG_ALL = 26,
	VIRTIO_F_ANY_LAYOUT = 27,
	VIRTIO_RING_F_INDIRECT_DESC = 28,
	VIRTIO_RING_F_EVENT_IDX = 29,
	VHOST_USER_F_PROTOCOL_FEATURES = 30,
	VIRTIO_F_VERSION_1 = 32,
	VIRTIO_NET_F_GUEST_USO4 = 54,
	VIRTIO_NET_F_GUEST_USO6 = 55,
	VIRTIO_NET_F_HOST_USO = 56,
};

enum vhost_protocol_feature {
	VHOST_PROTOCOL_MQ = 0,
	VHOST_PROTOCOL_LOG_SHMFD = 1,
	VHOST_PROTOCOL_RARP = 2,
	VHOST_PROTOCOL_REPLY_ACK = 3,
	VHOST_PROTOCOL_NET_MTU = 4,
	VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS = 15,
};

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_LOG_BASE = 6,
	VHOST_SET_LOG_FD = 7,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SEND_RARP = 19,
	VHOST_NET_SET_MTU = 20,
	VHOST_GET_MAX_MEM_SLOTS = 36,
	VHOST_ADD_MEM_REG = 37,
	VHOST_REM_MEM_REG = 38,
	VHOST_REQUEST_COUNT,
};

enum {
	VHOST_VERSION = 1,
	VHOST_VERSION_MASK = 3,
	VHOST_FLAG_REPLY = 1 << 2,
	VHOST_FLAG_NEED_REPLY = 1 << 3,

	VHOST_FDS_MAX = 8,
	VHOST_REGIONS_MAX = 32,      /* with CONFIGURE_MEM_SLOTS */
	VHOST_TABLE_REGIONS_MAX = 8, /* in one SET_MEM_TABLE */
	VHOST_QUEUES_MAX = 16,       /* pairs */
	VHOST_RINGS_MAX = 2 * VHOST_QUEUES_MAX,
	VHOST_RING_SIZE_MAX = 32768, /* virtio 1.2 section 2.7 */
	VHOST_RING_MASK = 0xff,      /* ring number in the u64 of KICK, CALL, ERR */
	VHOST_RING_NOFD = 1 << 8,
	VHOST_ADDR_LOG = 1 << 0,
};

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* of the payload */
};
static_assert(sizeof(struct vhost_header) == 12, "on the socket without padding");

struct vhost_ring_word {
	uint32_t index;
	uint32_t num;
};

struct vhost_ring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc; /* addresses of the front end's process */
	uint64_t used;
	uint64_t avail;
	uint64_t log; /* guest-physical address of the used ring */
};

struct vhost_region_msg {
	uint64_t gpa;
	uint64_t size;
	uint64_t uva;
	uint64_t offset; /* of the region in its file */
};

struct vhost_table_msg {
	uint32_t n;
	uint32_t padding;
	struct vhost_region_msg regions[VHOST_TABLE_REGIONS_MAX];
};
static_assert(sizeof(struct vhost_table_msg) == 8 + 8 * 32, "on the socket without padding");

struct vhost_slot_msg { /* ADD_MEM_REG, REM_MEM_REG */
	uint64_t padding;
	struct vhost_region_msg region;
};

struct vhost_log_msg {
	uint64_t size;
	uint64_t offset;
};

union vhost_payload {
	uint64_t u64;
	struct vhost_ring_word word;
	struct vhost_ring_addr addr;
	struct vhost_table_msg table;
	struct vhost_slot_msg slot;
	struct vhost_log_msg log;
	uint8_t bytes[512]; /* a longer message is refused */
};

struct vhost_message {
	struct vhost_header header;
	union vhost_payload payload;
	int fds[VHOST_FDS_MAX]; /* owned by the message; a handler that keeps one sets it to -1 */
	unsigned nfds;
};

#endif
