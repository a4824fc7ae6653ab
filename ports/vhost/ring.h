/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One split virtqueue (virtio 1.2 section 2.7) as a worker sees it.
 *
 * What: struct vhost_ring is the immutable description that the control thread publishes; struct
 * vhost_ring_state is what changes with every packet and survives a new description.
 *
 * Design: the port has a slot for each ring. The control thread swaps the slot's pointer; a stopped ring is
 * NULL. A live change (call fd, dirty log) is a new description with the same state; all else stops the ring
 * first, waits for the grace period and starts it again at used->idx. Indexes are read once per batch, and
 * nothing that the guest can write is trusted between two reads.
 *
 * Thread-safety: ring_start: control thread, before the ring is published. The state belongs to the worker of
 * the rxq (guest -> switch) or to whoever holds its lock (switch -> guest).
 *
 * Life cycle of a description: made by running.c -> ring_start, when nothing ran before -> published in its
 * slot
 * -> replaced or taken away -> freed after a grace period, with its references to memory and log. The state
 * lives as long as the port.
 */
#ifndef PORTS_VHOST_RING_H
#define PORTS_VHOST_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <uv.h>

#include <rte_spinlock.h>

#include "base/dp/packet.h"
#include "ports/vhost/dirty.h"
#include "ports/vhost/memory.h"

enum {
	RING_DESC_NEXT = 1,
	RING_DESC_WRITE = 2,
	RING_DESC_INDIRECT = 4,
	RING_NO_INTERRUPT = 1,
	RING_NO_NOTIFY = 1
};
enum { RING_CHAIN_MAX = 1024 }; /* descriptors of one packet */

struct ring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
static_assert(sizeof(struct ring_desc) == 16, "virtio 1.2 section 2.7.5");

struct ring_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[]; /* [size] is used_event */
};

struct ring_used_entry {
	uint32_t id;
	uint32_t len;
};

struct ring_used {
	uint16_t flags;
	uint16_t idx;
	struct ring_used_entry ring[]; /* behind it: avail_event */
};

/* Why a ring was taken out of service. Its port stays down until the driver resets the device. */
enum ring_fault {
	RING_OK = 0,
	RING_BAD_AVAIL,    /* avail->idx is further ahead than the ring is long */
	RING_BAD_HEAD,     /* an index outside the ring */
	RING_BAD_CHAIN,    /* too long, a loop, or a chain in a chain */
	RING_BAD_ADDRESS,  /* not in the guest's memory */
	RING_BAD_WRITABLE, /* writable buffer in what the guest sends, or the reverse */
	RING_BAD_INDIRECT, /* table length is no multiple of a descriptor */
	RING_CALL_BLOCKS,  /* writing to the call eventfd had to be interrupted */
};

struct vhost_ring_state {
	rte_spinlock_t lock; /* switch -> guest: taken when several workers may send */
	uint16_t last_avail; /* next entry of the available ring to take */
	uint16_t avail_seen; /* avail->idx when it was read last */
	uint16_t used_idx;   /* next entry of the used ring to write */
	uint16_t pending;    /* rx: entries written that release() will publish */
	uint16_t signalled;  /* used->idx at the last look at whether to signal */
	bool signalled_valid;
	bool armed;                    /* the guest shall kick */
	uint8_t fault;                 /* enum ring_fault; worker: wo, control: ro, and reset by ring_start */
	unsigned hint;                 /* memory region of the last buffer */
	const struct vhost_ring *held; /* rx: description of the batch that is out */
	uint64_t kicks;                /* calls to the guest */
} __attribute__((aligned(64)));

/* Guest -> switch: available entries that were looked at before their turn, so that the packets' first bytes
 * are on their way into the cache while the batch before is worked on. Entry of ring index i: at[i %
 * BATCH_MAX], for indexes below `end`. */
struct vhost_ahead {
	uint16_t end;
	bool valid;
	struct vhost_found {
		const uint8_t *plain; /* where the packet lies when its chain is one buffer of a fitting
		                         length; else NULL */
		uint32_t len;         /* of that buffer */
		uint16_t head;
	} at[BATCH_MAX];
};

struct vhost_ring {
	/* worker: ro */
	const struct ring_desc *desc;
	const struct ring_avail *avail;
	struct ring_used *used;
	uint16_t size;
	uint16_t mask;
	uint8_t header; /* bytes of virtio-net header: 10 or 12 */
	bool event_idx;
	bool indirect;
	bool mergeable;
	bool discard;  /* guest -> switch: started but disabled, so what comes is taken and dropped */
	uint32_t caps; /* enum port_cap: what this guest takes */
	uint64_t features;
	int call_fd; /* -1: the guest polls */
	int kick_fd;
	struct vhost_memory *memory;
	struct vhost_log *log; /* NULL: not logging */
	uint64_t log_used;     /* guest-physical address of the used ring, UINT64_MAX: not to be logged */
	struct vhost_ring_state *state;
	uv_async_t *wake; /* tells the control thread of a fault */
	/* worker; of this description, so that nothing found under another memory table is ever used */
	struct vhost_ahead ahead;
};

/* What the operator shall be told of the ring's fault. */
const char *ring_fault_text(enum ring_fault fault);

/* Control thread, before the ring is published: takes up where used->idx says. */
void ring_start(const struct vhost_ring *r);

/* Worker: the ring is out of service from now on; the control thread takes it away. */
void ring_fail(const struct vhost_ring *r, enum ring_fault fault);

/* Worker: number of available entries (at most `want`), reading avail->idx only when too few are known. Fails
 * the ring on an impossible index. */
unsigned ring_available(const struct vhost_ring *r, unsigned want);

struct ring_chain {
	unsigned n;
	uint64_t len;    /* of all pieces */
	bool too_many;   /* more than fit in `iov` */
	unsigned walked; /* descriptors, at most RING_CHAIN_MAX: empty ones cost time as well */
};

/* Worker: walks the chain that begins at descriptor `head`, appending its pieces (host addresses) to
 * iov[c->n], at most `max` in all. `writable`: what every piece must be. RING_OK or the fault; c->len counts
 * all pieces, listed or not. */
enum ring_fault ring_walk(const struct vhost_ring *r, uint16_t head, bool writable, struct iovec *iov,
                          unsigned max, struct ring_chain *c);

/* Worker: publishes the last `count` used entries, logs them, and calls the guest when it wants to be. */
void ring_publish(const struct vhost_ring *r, uint16_t count);

/* Worker: calls the guest whether it wants to be or not; one call too many does no harm. */
void ring_call(const struct vhost_ring *r);

/* Worker: whether the guest shall kick; true when entries are waiting already. */
bool ring_arm(const struct vhost_ring *r, bool on);

static inline uint16_t *ring_avail_event(const struct vhost_ring *r)
{
	return (uint16_t *)&r->used->ring[r->size];
}

static inline uint16_t ring_used_event(const struct vhost_ring *r)
{
	return __atomic_load_n(&r->avail->ring[r->size], __ATOMIC_RELAXED);
}

/* Both halves are read exactly once: what the guest writes meanwhile changes nothing. */
static inline struct ring_desc ring_desc_read(const struct ring_desc *at)
{
	const volatile uint64_t *v = (const volatile uint64_t *)at;
	uint64_t half[2] = {v[0], v[1]};
	struct ring_desc d;

	memcpy(&d, half, sizeof(d));
	return d;
}

static inline uint16_t ring_avail_head(const struct vhost_ring *r, uint16_t at)
{
	return __atomic_load_n(&r->avail->ring[at & r->mask], __ATOMIC_RELAXED);
}

static inline void ring_write_used(const struct vhost_ring *r, uint16_t at, uint32_t id, uint32_t len)
{
	struct ring_used_entry e = {.id = id, .len = len};

	memcpy(&r->used->ring[at & r->mask], &e, sizeof(e));
}

static inline void ring_put_used(const struct vhost_ring *r, uint32_t id, uint32_t len)
{
	ring_write_used(r, r->state->used_idx++, id, len);
}

#endif
