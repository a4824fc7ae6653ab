/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol half of the vhost-user front end; see vhost_frontend.h. The rings' half is vhost_guest.c. */
#include "tests/lib/vhost_frontend.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum { RING_AREA = 1 << 20, INDIRECT_TABLE = 64 * 16 };

/* What this front end knows how to play; other switches offer more. */
static const uint64_t known_features =
        VHOST_BIT(VIRTIO_NET_F_CSUM) | VHOST_BIT(VIRTIO_NET_F_GUEST_CSUM) | VHOST_BIT(VIRTIO_NET_F_MTU) |
        VHOST_BIT(VIRTIO_NET_F_GUEST_TSO4) | VHOST_BIT(VIRTIO_NET_F_GUEST_TSO6) |
        VHOST_BIT(VIRTIO_NET_F_GUEST_ECN) | VHOST_BIT(VIRTIO_NET_F_HOST_TSO4) |
        VHOST_BIT(VIRTIO_NET_F_HOST_TSO6) | VHOST_BIT(VIRTIO_NET_F_HOST_ECN) |
        VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF) | VHOST_BIT(VIRTIO_NET_F_STATUS) | VHOST_BIT(VIRTIO_NET_F_MQ) |
        VHOST_BIT(VIRTIO_F_ANY_LAYOUT) | VHOST_BIT(VIRTIO_RING_F_INDIRECT_DESC) |
        VHOST_BIT(VIRTIO_RING_F_EVENT_IDX) | VHOST_BIT(VHOST_USER_F_PROTOCOL_FEATURES) |
        VHOST_BIT(VIRTIO_F_VERSION_1) | VHOST_BIT(VIRTIO_NET_F_GUEST_USO4) |
        VHOST_BIT(VIRTIO_NET_F_GUEST_USO6) | VHOST_BIT(VIRTIO_NET_F_HOST_USO);
static const uint64_t known_protocol = VHOST_BIT(VHOST_PROTOCOL_MQ) | VHOST_BIT(VHOST_PROTOCOL_LOG_SHMFD) |
                                       VHOST_BIT(VHOST_PROTOCOL_RARP) | VHOST_BIT(VHOST_PROTOCOL_REPLY_ACK) |
                                       VHOST_BIT(VHOST_PROTOCOL_NET_MTU) |
                                       VHOST_BIT(VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS);

static uint64_t deadline(const struct frontend *f)
{
	return clock_now() + (f->options.timeout_ms ? f->options.timeout_ms : 5000) * 1000000ull;
}

/* Lets the switch work until the fd is ready; false when time is up. */
static bool wait_for(struct frontend *f, int fd, short events, uint64_t until)
{
	struct pollfd p = {.fd = fd, .events = events};

	do {
		if (f->options.pump)
			f->options.pump(f->options.pump_arg);
		if (poll(&p, 1, 1) > 0)
			return true;
	} while (clock_now() < until);
	return false;
}

/* ---- memory ---- */

/* Areas for desc, avail and used; indirect tables; buffers with room for a GSO packet at the end. */
static size_t ring_bytes(const struct frontend *f)
{
	size_t size = f->options.size;

	return 3ul * RING_AREA + size * INDIRECT_TABLE + size * f->options.stride + FRONTEND_TX_SIZE;
}

static void place_ring(struct frontend *f, unsigned i, uint8_t *at)
{
	struct frontend_ring *r = &f->rings[i];

	r->size = (uint16_t)f->options.size;
	r->desc = (void *)at;
	r->avail = (void *)(at + RING_AREA);
	r->used = (void *)(at + 2 * RING_AREA);
	r->indirect = at + 3 * RING_AREA;
	r->buffers = r->indirect + (size_t)r->size * INDIRECT_TABLE;
	r->free_count = r->size;
	r->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	r->call_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (i % 2)
		return;
	for (uint16_t d = 0; d < r->size; d++) {
		r->desc[d] = (struct ring_desc){
		        .addr = frontend_gpa(f, r->buffers + (size_t)d * f->options.stride),
		        .len = FRONTEND_BUFFER,
		        .flags = RING_DESC_WRITE};
		r->avail->ring[d] = d;
	}
	r->next_avail = r->size;
	r->avail->idx = r->size;
}

static bool make_memory(struct frontend *f)
{
	size_t huge = 2 << 20;

	f->memory_size = (f->nrings * ring_bytes(f) + 2 * huge - 1) & ~(2 * huge - 1);
	f->memory_fd = memfd_create("guest", MFD_CLOEXEC | (f->options.hugepages ? MFD_HUGETLB : 0));
	if (f->memory_fd < 0 || ftruncate(f->memory_fd, (off_t)f->memory_size))
		return false;
	f->memory = mmap(NULL, f->memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, f->memory_fd, 0);
	if (f->memory == MAP_FAILED) {
		f->memory = NULL;
		return false;
	}
	for (unsigned i = 0; i < f->nrings; i++)
		place_ring(f, i, f->memory + i * ring_bytes(f));
	return true;
}

uint64_t frontend_gpa(const struct frontend *f, const void *at)
{
	return FRONTEND_GPA + (uint64_t)((const uint8_t *)at - f->memory);
}

static uint64_t uva(const struct frontend *f, const void *at)
{
	return FRONTEND_UVA + (uint64_t)((const uint8_t *)at - f->memory);
}

/* ---- socket ---- */

struct frontend *frontend_new(const struct frontend_options *o)
{
	struct frontend *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->options = *o;
	f->options.queues = o->queues ? o->queues : 1;
	f->options.size = o->size ? o->size : 256;
	f->options.stride = o->stride ? o->stride : FRONTEND_BUFFER;
	f->fd = f->listen_fd = f->memory_fd = f->log_fd = -1;
	f->nrings = 2 * f->options.queues;
	f->rings = calloc(f->nrings, sizeof(f->rings[0]));
	if (!f->rings || !make_memory(f)) {
		perror("vhost front end: memory");
		frontend_close(f);
		return NULL;
	}
	return f;
}

static bool listen_for(struct frontend *f, const struct sockaddr_un *a)
{
	if (f->listen_fd < 0) {
		unlink(a->sun_path);
		f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(f->listen_fd, (const struct sockaddr *)a, sizeof(*a)) || listen(f->listen_fd, 1))
			return false;
	}
	if (!wait_for(f, f->listen_fd, POLLIN, deadline(f)))
		return false;
	f->fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	return f->fd >= 0;
}

bool frontend_connect(struct frontend *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint64_t until = deadline(f);

	if (strlen(f->options.path) >= sizeof(a.sun_path))
		return false;
	strcpy(a.sun_path, f->options.path);
	if (f->options.listen)
		return listen_for(f, &a);
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	while (connect(f->fd, (struct sockaddr *)&a, sizeof(a))) {
		if (clock_now() > until)
			return false;
		wait_for(f, -1, 0, 0);
	}
	return true;
}

void frontend_disconnect(struct frontend *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static bool send_message(struct frontend *f, uint32_t request, uint32_t flags, const void *payload,
                         uint32_t size, const int *fds, unsigned nfds)
{
	struct vhost_header h = {.request = request, .flags = VHOST_VERSION | flags, .size = size};
	char control[CMSG_SPACE(VHOST_FDS_MAX * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec iov[2] = {{&h, sizeof(h)}, {(void *)payload, size}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = size ? 2 : 1};

	if (nfds) {
		struct cmsghdr *c;

		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	return sendmsg(f->fd, &m, MSG_NOSIGNAL) == (ssize_t)(sizeof(h) + size);
}

static bool read_exactly(struct frontend *f, void *to, size_t n)
{
	uint64_t until = deadline(f);

	for (size_t got = 0; got < n;) {
		ssize_t rc;

		if (!wait_for(f, f->fd, POLLIN, until))
			return false;
		rc = recv(f->fd, (uint8_t *)to + got, n - got, 0);
		if (rc <= 0)
			return false;
		got += (size_t)rc;
	}
	return true;
}

static bool read_reply(struct frontend *f, uint32_t request, union vhost_payload *reply)
{
	struct vhost_header h;

	return read_exactly(f, &h, sizeof(h)) && h.request == request && (h.flags & VHOST_FLAG_REPLY) &&
	       h.size <= sizeof(*reply) && read_exactly(f, reply, h.size);
}

bool frontend_request(struct frontend *f, uint32_t request, const void *payload, uint32_t size,
                      const int *fds, unsigned nfds, union vhost_payload *reply)
{
	return send_message(f, request, 0, payload, size, fds, nfds) &&
	       (!reply || read_reply(f, request, reply));
}

int frontend_ask(struct frontend *f, uint32_t request, const void *payload, uint32_t size, const int *fds,
                 unsigned nfds)
{
	union vhost_payload reply;

	if (!send_message(f, request, VHOST_FLAG_NEED_REPLY, payload, size, fds, nfds) ||
	    !read_reply(f, request, &reply))
		return -1;
	return (int)reply.u64;
}

/* ---- negotiation ---- */

static bool set_u64(struct frontend *f, uint32_t request, uint64_t value, int fd)
{
	return frontend_request(f, request, &value, sizeof(value), &fd, fd >= 0, NULL);
}

bool frontend_set_mem_table(struct frontend *f)
{
	struct vhost_table_msg t = {.n = f->options.split ? 2 : 1};
	uint64_t first = f->options.split ? f->memory_size / 2 : f->memory_size;
	int fds[2] = {f->memory_fd, f->memory_fd};

	t.regions[0] = (struct vhost_region_msg){FRONTEND_GPA, first, FRONTEND_UVA, 0};
	t.regions[1] = (struct vhost_region_msg){FRONTEND_GPA + first, f->memory_size - first,
	                                         FRONTEND_UVA + first, first};
	return frontend_request(f, VHOST_SET_MEM_TABLE, &t, 8 + t.n * 32, fds, t.n, NULL);
}

static bool set_addr(struct frontend *f, unsigned i, bool log)
{
	struct frontend_ring *r = &f->rings[i];
	struct vhost_ring_addr a = {.index = i,
	                            .flags = log ? VHOST_ADDR_LOG : 0,
	                            .desc = uva(f, r->desc),
	                            .avail = uva(f, r->avail),
	                            .used = uva(f, r->used),
	                            .log = frontend_gpa(f, r->used)};

	return frontend_request(f, VHOST_SET_VRING_ADDR, &a, sizeof(a), NULL, 0, NULL);
}

bool frontend_start_ring(struct frontend *f, unsigned i)
{
	struct frontend_ring *r = &f->rings[i];
	struct vhost_ring_word num = {i, r->size}, base = {i, r->used->idx}, on = {i, 1};

	if (!frontend_request(f, VHOST_SET_VRING_NUM, &num, sizeof(num), NULL, 0, NULL) ||
	    !frontend_request(f, VHOST_SET_VRING_BASE, &base, sizeof(base), NULL, 0, NULL) ||
	    !set_addr(f, i, false) || !set_u64(f, VHOST_SET_VRING_KICK, i, r->kick_fd) ||
	    !set_u64(f, VHOST_SET_VRING_CALL, i, r->call_fd))
		return false;
	return f->options.no_protocol ||
	       frontend_request(f, VHOST_SET_VRING_ENABLE, &on, sizeof(on), NULL, 0, NULL);
}

int frontend_stop_ring(struct frontend *f, unsigned i)
{
	struct vhost_ring_word which = {i, 0};
	union vhost_payload reply;

	if (!frontend_request(f, VHOST_GET_VRING_BASE, &which, sizeof(which), NULL, 0, &reply) ||
	    reply.word.index != i)
		return -1;
	return (int)reply.word.num;
}

static bool negotiate_features(struct frontend *f)
{
	uint64_t protocol = VHOST_BIT(VHOST_USER_F_PROTOCOL_FEATURES);
	union vhost_payload reply;

	if (!frontend_request(f, VHOST_GET_FEATURES, NULL, 0, NULL, 0, &reply))
		return false;
	f->features = reply.u64 & known_features & ~f->options.without;
	if (f->options.no_protocol)
		f->features &= ~protocol;
	if (f->features & protocol) {
		if (!frontend_request(f, VHOST_GET_PROTOCOL_FEATURES, NULL, 0, NULL, 0, &reply))
			return false;
		f->protocol_features = reply.u64 & known_protocol;
		if (!set_u64(f, VHOST_SET_PROTOCOL_FEATURES, f->protocol_features, -1))
			return false;
		if (f->options.mtu &&
		    frontend_ask(f, VHOST_NET_SET_MTU, &(uint64_t){f->options.mtu}, 8, NULL, 0))
			return false;
	}
	f->header =
	        f->features & (VHOST_BIT(VIRTIO_F_VERSION_1) | VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF)) ? 12 : 10;
	return frontend_request(f, VHOST_SET_OWNER, NULL, 0, NULL, 0, NULL) &&
	       set_u64(f, VHOST_SET_FEATURES, f->features, -1);
}

bool frontend_negotiate(struct frontend *f)
{
	union vhost_payload reply;

	if (!negotiate_features(f) || !frontend_set_mem_table(f))
		return false;
	for (unsigned i = 0; i < f->nrings; i++)
		if (!frontend_start_ring(f, i))
			return false;
	/* An answer to this one means that all before it were handled. */
	return frontend_request(f, VHOST_GET_FEATURES, NULL, 0, NULL, 0, &reply);
}

bool frontend_log_start(struct frontend *f)
{
	struct vhost_log_msg m = {0};
	union vhost_payload reply;

	f->log_size = (FRONTEND_GPA + f->memory_size) / 4096 / 8 + 1;
	f->log_fd = memfd_create("dirty", MFD_CLOEXEC);
	if (f->log_fd < 0 || ftruncate(f->log_fd, (off_t)f->log_size))
		return false;
	f->log = mmap(NULL, f->log_size, PROT_READ | PROT_WRITE, MAP_SHARED, f->log_fd, 0);
	m.size = f->log_size;
	if (f->log == MAP_FAILED ||
	    !frontend_request(f, VHOST_SET_LOG_BASE, &m, sizeof(m), &f->log_fd, 1, &reply) ||
	    !set_u64(f, VHOST_SET_FEATURES, f->features | VHOST_BIT(VHOST_F_LOG_ALL), -1))
		return false;
	for (unsigned i = 0; i < f->nrings; i++)
		if (!set_addr(f, i, true))
			return false;
	return frontend_request(f, VHOST_GET_FEATURES, NULL, 0, NULL, 0, &reply);
}

bool frontend_log_has(const struct frontend *f, const void *at)
{
	uint64_t page = frontend_gpa(f, at) >> 12;

	return __atomic_load_n(&f->log[page / 8], __ATOMIC_ACQUIRE) & (1u << (page % 8));
}

struct frontend *frontend_open(const struct frontend_options *o)
{
	struct frontend *f = frontend_new(o);

	if (f && frontend_connect(f) && frontend_negotiate(f))
		return f;
	fprintf(stderr, "vhost front end: no connection at %s\n", o->path);
	frontend_close(f);
	return NULL;
}

void frontend_close(struct frontend *f)
{
	if (!f)
		return;
	frontend_disconnect(f);
	if (f->listen_fd >= 0) {
		close(f->listen_fd);
		unlink(f->options.path);
	}
	for (unsigned i = 0; f->rings && f->memory && i < f->nrings; i++) {
		close(f->rings[i].kick_fd);
		close(f->rings[i].call_fd);
	}
	if (f->memory)
		munmap(f->memory, f->memory_size);
	if (f->memory_fd >= 0)
		close(f->memory_fd);
	if (f->log_fd >= 0) {
		munmap(f->log, f->log_size);
		close(f->log_fd);
	}
	free(f->rings);
	free(f);
}
