/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that writes anything into its memory, also while the worker reads it: the input becomes rings and
 * buffers, a second thread keeps changing them, and what is received is parsed, segmented and sent back. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/dp/rcu.h"
#include "ports/segment.h"
#include "ports/vhost/vhost.h"

enum { SIZE = 16, MEMORY = 64 * 1024, GPA = 0x1000, ROUNDS = 4 };

/* One ring after the other, then buffers. Two regions, so that buffers can span them. */
enum { DESC = 0, AVAIL = 512, USED = 1024, RING = 2048 };

static struct vhost_port *v;
static struct packet *packets[BATCH_MAX];
static uint8_t *memory;
static struct vhost_memory *table;
static struct vhost_ring rings[2];

/* The second thread's part: which bytes become what. */
static const uint8_t *change;
static size_t change_len;
static bool changing, quit;

static void *changer(void *arg)
{
	while (!__atomic_load_n(&quit, __ATOMIC_RELAXED)) {
		if (!__atomic_load_n(&changing, __ATOMIC_ACQUIRE)) {
			sched_yield();
			continue;
		}
		for (size_t i = 0; i + 3 < change_len; i += 3) {
			size_t at = (size_t)(change[i] | change[i + 1] << 8) % (i % 2 ? 2 * RING : MEMORY);

			__atomic_store_n(&memory[at], change[i + 2], __ATOMIC_RELAXED);
		}
		__atomic_store_n(&changing, false, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void make_memory(void)
{
	struct vhost_region_msg half[2] = {{GPA, MEMORY / 2, 0x100000, 0},
	                                   {GPA + MEMORY / 2, MEMORY / 2, 0x100000 + MEMORY / 2, MEMORY / 2}};
	int fd = memfd_create("guest", 0);

	if (ftruncate(fd, MEMORY))
		abort();
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	table = memory_create();
	for (unsigned i = 0; i < 2; i++)
		if (memory_add(table, &half[i], dup(fd), NULL, NULL))
			abort();
	close(fd);
}

static void set_up(void)
{
	static const struct port_ops none;
	struct port_env env = {.loop = uv_default_loop(), .nworkers = 1};
	pthread_t thread;

	log_set_level((enum log_level) - 1);
	rcu_init();
	v = (struct vhost_port *)port_alloc(&env, NULL, &none, "fuzz", 1, sizeof(*v));
	v->queues = 1;
	v->port.nrxq = 1;
	v->port.mtu = 65535;
	v->ntx = 1;
	make_memory();
	for (unsigned i = 0; i < BATCH_MAX; i++)
		packets[i] = aligned_alloc(64, (sizeof(struct packet) + 63) & ~63ul);
	if (pthread_create(&thread, NULL, changer, NULL))
		abort();
}

static void make_ring(unsigned i, uint8_t mode)
{
	struct vhost_ring *r = &rings[i];
	uint64_t uva = 0x100000 + i * RING;

	*r = (struct vhost_ring){.size = SIZE,
	                         .mask = SIZE - 1,
	                         .header = mode & 1 ? 12 : 10,
	                         .event_idx = mode & 2,
	                         .indirect = mode & 4,
	                         .mergeable = mode & 1,
	                         .caps = mode & 8 ? 31 : 0,
	                         .features = ~0ull,
	                         .call_fd = -1,
	                         .kick_fd = -1,
	                         .memory = table,
	                         .log_used = UINT64_MAX,
	                         .state = &v->slots[i].state};
	r->desc = memory_at_uva(table, uva + DESC, SIZE * 16, 16);
	r->avail = memory_at_uva(table, uva + AVAIL, 6 + SIZE * 2, 2);
	r->used = memory_at_uva(table, uva + USED, 6 + SIZE * 8, 4);
	r->used->idx = 0;
	ring_start(r);
	v->slots[i].ring = r;
}

/* Descriptors that mostly point into memory, or else the fuzzer sees only the first check. */
static void tame(uint8_t mode)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ring_desc *d = (void *)(memory + i * RING + DESC);
		struct ring_avail *avail = (void *)(memory + i * RING + AVAIL);

		for (unsigned k = 0; k < SIZE; k++) {
			d[k].addr = GPA + d[k].addr % MEMORY / (d[k].flags & RING_DESC_INDIRECT ? 16 : 1) *
			                          (d[k].flags & RING_DESC_INDIRECT ? 16 : 1);
			d[k].len %= mode & 16 ? 512 : 20000;
			d[k].next %= SIZE;
			d[k].flags = (uint16_t)((d[k].flags & 5) | (i ? 0 : RING_DESC_WRITE));
			if (d[k].flags & RING_DESC_INDIRECT)
				d[k].len = d[k].len / 16 * 16;
			avail->ring[k] %= SIZE;
		}
		avail->idx = SIZE;
	}
}

/* Sends what was received, whole or cut. */
static void work(void)
{
	unsigned n = vhost_rx(&v->port.rxq[0], packets, BATCH_MAX);

	for (unsigned i = 0; i < n; i++) {
		struct packet *p = packets[i];

		if (p->head_len > p->len || p->len > PACKET_LEN_MAX || p->nsegs > PACKET_SEGS_MAX)
			abort();
		packet_pull(p, 200);
	}
	vhost_tx(&v->port, 0, packets, n);
	vhost_release(&v->port.rxq[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input again and again over the rings, and once where buffers often lie. */
static void fill(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < 2 * RING; i++)
		memory[i] = data[i % size];
	memcpy(memory + 2 * RING, data, size < MEMORY - 2 * RING ? size : MEMORY - 2 * RING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t mode;

	if (!v)
		set_up();
	if (size < 2)
		return 0;
	mode = data[0];
	data++;
	size--;
	fill(data, size);
	if (mode & 32)
		tame(mode);
	make_ring(0, mode);
	make_ring(1, mode);
	change = data;
	change_len = size;
	for (unsigned i = 0; i < ROUNDS; i++) {
		__atomic_store_n(&changing, mode & 64, __ATOMIC_RELEASE);
		work();
	}
	while (__atomic_load_n(&changing, __ATOMIC_ACQUIRE))
		sched_yield();
	return 0;
}
