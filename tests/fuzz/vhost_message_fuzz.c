/* SPDX-License-Identifier: Apache-2.0 */
/* A front end that sends anything: the input is cut into messages for one vhost-user session, with fds of
 * several kinds; between messages a worker's burst runs over whatever rings that started. */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/dp/rcu.h"
#include "ports/vhost/vhost.h"

enum { FILE_SIZE = 1 << 20, MEMORY_GPA = 0 };

static struct vhost_port *v;
static struct packet *packets[BATCH_MAX];
static bool failed;

static void on_reply(void *arg, const struct vhost_message *m)
{
	if (m->header.size > sizeof(m->payload))
		abort();
}

static void on_ready(void *arg)
{
}

static void on_fail(void *arg, const char *why)
{
	failed = true;
}

static const struct vhost_session_ops ops = {.reply = on_reply, .ready = on_ready, .fail = on_fail};

static void on_wake(uv_async_t *wake)
{
}

static void set_up(void)
{
	static const struct port_ops none;
	struct port_env env = {.loop = uv_default_loop(), .nworkers = 1};

	log_set_level((enum log_level) - 1);
	rcu_init();
	v = (struct vhost_port *)port_alloc(&env, NULL, &none, "fuzz", 1, sizeof(*v));
	v->queues = 2;
	v->port.nrxq = 2;
	uv_async_init(env.loop, &v->wake, on_wake);
	session_init(&v->session, v, &ops, NULL);
	for (unsigned i = 0; i < BATCH_MAX; i++)
		packets[i] = aligned_alloc(64, (sizeof(struct packet) + 63) & ~63ul);
}

static int make_fd(uint8_t kind)
{
	int fd = kind % 4 == 3 ? eventfd(0, EFD_NONBLOCK) : memfd_create("fuzz", 0);

	if (kind % 4 < 2 && ftruncate(fd, kind % 4 ? 4096 : FILE_SIZE))
		abort();
	return fd;
}

static void run_deferred(void)
{
	while (rcu_pending())
		rcu_poll();
}

static void work(void)
{
	for (unsigned q = 0; q < 2; q++) {
		unsigned n = vhost_rx(&v->port.rxq[q], packets, BATCH_MAX);

		vhost_tx(&v->port, 0, packets, n);
		vhost_release(&v->port.rxq[q]);
	}
}

/* What a valid conversation looks like, so that mutations start from somewhere deep. */
static void tame(struct vhost_message *m, uint8_t hint)
{
	struct vhost_region_msg *r = &m->payload.table.regions[0];

	m->header.flags = VHOST_VERSION | (hint & 1 ? VHOST_FLAG_NEED_REPLY : 0);
	switch (m->header.request) {
	case VHOST_SET_MEM_TABLE:
		m->payload.table.n = m->nfds;
		m->header.size = 8 + 32 * m->nfds;
		*r = (struct vhost_region_msg){MEMORY_GPA, FILE_SIZE, 0x10000, 0};
		break;
	case VHOST_SET_VRING_ADDR:
		m->header.size = sizeof(m->payload.addr);
		m->payload.addr.index %= 4;
		m->payload.addr.desc = 0x10000 + m->payload.addr.desc % FILE_SIZE / 16 * 16;
		m->payload.addr.used = 0x10000 + m->payload.addr.used % FILE_SIZE / 4 * 4;
		m->payload.addr.avail = 0x10000 + m->payload.addr.avail % FILE_SIZE / 2 * 2;
		break;
	case VHOST_SET_LOG_BASE:
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_ENABLE:
	case VHOST_GET_VRING_BASE:
	case VHOST_SET_VRING_BASE:
		m->header.size = m->header.request == VHOST_SET_LOG_BASE ? 16 : 8;
		m->payload.word.index %= m->header.request == VHOST_SET_LOG_BASE ? UINT32_MAX : 4;
		m->payload.word.num %= m->header.request == VHOST_SET_VRING_NUM ? 512 : UINT32_MAX;
		break;
	case VHOST_SET_FEATURES:
		m->payload.u64 &= session_features();
		m->header.size = 8;
		break;
	default:
		m->header.size = 8;
		m->payload.u64 &= 0x103;
	}
}

static size_t next_message(struct vhost_message *m, const uint8_t *data, size_t size)
{
	uint8_t kind = data[0], fds = data[1];
	size_t n = data[2];

	memset(m, 0, sizeof(*m));
	m->header.request = data[3] % (VHOST_REQUEST_COUNT + 2);
	m->header.flags = VHOST_VERSION | (kind & 8);
	n = n < size - 4 ? n : size - 4;
	memcpy(m->payload.bytes, data + 4, n);
	m->header.size = (uint32_t)n;
	m->nfds = kind % 3 == 2 ? fds % (VHOST_FDS_MAX + 1) : kind % 3;
	for (unsigned i = 0; i < m->nfds; i++)
		m->fds[i] = make_fd(fds >> (i % 3 * 2));
	if (kind & 16)
		tame(m, kind >> 5);
	return 4 + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vhost_message m;

	if (!v)
		set_up();
	failed = false;
	while (size > 4 && !failed) {
		size_t used = next_message(&m, data, size);

		data += used;
		size -= used;
		session_handle(&v->session, &m);
		run_deferred();
		work();
	}
	session_reset(&v->session, NULL);
	run_deferred();
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++)
		if (v->slots[i].ring)
			abort();
	return 0;
}
