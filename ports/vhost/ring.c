/* SPDX-License-Identifier: Apache-2.0 */
/* Walking and publishing split rings; see ring.h. Used by rx.c and tx.c on the workers. */
#include "ports/vhost/ring.h"

#include <errno.h>
#include <unistd.h>

const char *ring_fault_text(enum ring_fault fault)
{
	static const char *const texts[] = {
	        [RING_OK] = "none",
	        [RING_BAD_AVAIL] = "available index runs ahead of the ring",
	        [RING_BAD_HEAD] = "descriptor index outside the ring",
	        [RING_BAD_CHAIN] = "descriptor chain too long, looping or nested",
	        [RING_BAD_ADDRESS] = "buffer outside the guest's memory",
	        [RING_BAD_WRITABLE] = "buffer writable where it must not be, or the reverse",
	        [RING_BAD_INDIRECT] = "indirect table of a bad length",
	        [RING_CALL_BLOCKS] = "its call eventfd was made to block",
	};
	return texts[fault];
}

void ring_fail(const struct vhost_ring *r, enum ring_fault fault)
{
	__atomic_store_n(&r->state->fault, (uint8_t)fault, __ATOMIC_RELEASE);
	if (r->wake)
		uv_async_send(r->wake);
}

void ring_start(const struct vhost_ring *r)
{
	struct vhost_ring_state *s = r->state;
	uint16_t idx = __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE);

	/* Entries are returned in order, so used->idx is also where the next one is taken from. */
	s->last_avail = s->avail_seen = s->used_idx = s->signalled = idx;
	s->signalled_valid = false;
	s->pending = 0;
	s->hint = 0;
	s->held = NULL;
	s->fault = RING_OK;
	s->armed = true;
	ring_arm(r, false);
}

unsigned ring_available(const struct vhost_ring *r, unsigned want)
{
	struct vhost_ring_state *s = r->state;
	uint16_t n = (uint16_t)(s->avail_seen - s->last_avail);

	if (n >= want)
		return want;
	s->avail_seen = __atomic_load_n(&r->avail->idx, __ATOMIC_ACQUIRE);
	n = (uint16_t)(s->avail_seen - s->last_avail);
	if (n > r->size) {
		s->avail_seen = s->last_avail;
		ring_fail(r, RING_BAD_AVAIL);
		return 0;
	}
	return n < want ? n : want;
}

/* Adds one buffer, as several pieces when it spans adjacent regions. */
static enum ring_fault add_buffer(const struct vhost_ring *r, uint64_t gpa, uint64_t len, struct iovec *iov,
                                  unsigned max, struct ring_chain *c)
{
	if (gpa + len < gpa)
		return RING_BAD_ADDRESS;
	c->len += len;
	while (len) {
		uint64_t part = len;
		uint8_t *host = memory_at(r->memory, gpa, &part, &r->state->hint);

		if (!host)
			return RING_BAD_ADDRESS;
		if (c->n < max)
			iov[c->n++] = (struct iovec){.iov_base = host, .iov_len = part};
		else
			c->too_many = true;
		gpa += part;
		len -= part;
	}
	return RING_OK;
}

/* The table that an indirect descriptor points to: last of its chain and in one piece of memory. */
static enum ring_fault find_table(const struct vhost_ring *r, const struct ring_desc *d,
                                  const struct ring_desc **out)
{
	uint64_t part = d->len;

	if (!r->indirect || (d->flags & RING_DESC_NEXT))
		return RING_BAD_CHAIN;
	if (!d->len || d->len % sizeof(*d))
		return RING_BAD_INDIRECT;
	*out = (const void *)memory_at(r->memory, d->addr, &part, &r->state->hint);
	if (!*out || part < d->len || (uintptr_t)*out % _Alignof(struct ring_desc))
		return RING_BAD_ADDRESS;
	return RING_OK;
}

/* Walks descriptors table[at] -> next..., `size` of them at most; `nested`: the table is an indirect one. */
static enum ring_fault walk_table(const struct vhost_ring *r, const struct ring_desc *table, uint32_t size,
                                  uint16_t at, bool writable, bool nested, struct iovec *iov, unsigned max,
                                  struct ring_chain *c)
{
	while (c->walked++ < RING_CHAIN_MAX) {
		struct ring_desc d;
		enum ring_fault fault;

		if (at >= size)
			return nested ? RING_BAD_CHAIN : RING_BAD_HEAD;
		d = ring_desc_read(&table[at]);
		if (d.flags & RING_DESC_INDIRECT) {
			const struct ring_desc *inner;

			fault = nested ? RING_BAD_CHAIN : find_table(r, &d, &inner);
			return fault ? fault
			             : walk_table(r, inner, d.len / sizeof(d), 0, writable, true, iov, max,
			                          c);
		}
		if (writable != !!(d.flags & RING_DESC_WRITE))
			return RING_BAD_WRITABLE;
		fault = add_buffer(r, d.addr, d.len, iov, max, c);
		if (fault || !(d.flags & RING_DESC_NEXT))
			return fault;
		at = d.next;
	}
	return RING_BAD_CHAIN;
}

enum ring_fault ring_walk(const struct vhost_ring *r, uint16_t head, bool writable, struct iovec *iov,
                          unsigned max, struct ring_chain *c)
{
	return walk_table(r, r->desc, r->size, head, writable, false, iov, max, c);
}

/* virtio 1.2 section 2.7.7.2: the event lies in (before, now]. */
static bool event_passed(uint16_t event, uint16_t now, uint16_t before)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

void ring_call(const struct vhost_ring *r)
{
	/* A full counter has woken the guest already; what has to be interrupted (datapath/stuck.c) is
	 * hostile. */
	if (r->call_fd >= 0 && write(r->call_fd, &(uint64_t){1}, 8) < 0 && errno == EINTR)
		ring_fail(r, RING_CALL_BLOCKS);
}

static void call_guest(const struct vhost_ring *r)
{
	struct vhost_ring_state *s = r->state;
	uint16_t before = s->signalled;
	bool valid = s->signalled_valid;

	/* used->idx must be visible before the guest's wish is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	s->signalled = s->used_idx;
	s->signalled_valid = true;
	if (r->event_idx ? valid && !event_passed(ring_used_event(r), s->used_idx, before)
	                 : __atomic_load_n(&r->avail->flags, __ATOMIC_RELAXED) & RING_NO_INTERRUPT)
		return;
	s->kicks++;
	ring_call(r);
}

static void log_used(const struct vhost_ring *r, uint16_t first, uint16_t count)
{
	uint16_t from = first & r->mask;
	uint16_t head = count < r->size - from ? count : (uint16_t)(r->size - from);
	const uint64_t entry = sizeof(struct ring_used_entry), ring = r->log_used + sizeof(struct ring_used);

	dirty_mark(r->log, ring + from * entry, head * entry);
	dirty_mark(r->log, ring, (uint64_t)(count - head) * entry);
	dirty_mark(r->log, r->log_used, sizeof(struct ring_used));
}

static bool logs_used(const struct vhost_ring *r)
{
	return r->log && r->log_used != UINT64_MAX;
}

void ring_publish(const struct vhost_ring *r, uint16_t count)
{
	struct vhost_ring_state *s = r->state;

	__atomic_store_n(&r->used->idx, s->used_idx, __ATOMIC_RELEASE);
	if (logs_used(r))
		log_used(r, (uint16_t)(s->used_idx - count), count);
	call_guest(r);
}

bool ring_arm(const struct vhost_ring *r, bool on)
{
	struct vhost_ring_state *s = r->state;
	uint64_t written = r->log_used;

	if (r->event_idx) {
		/* An event behind us is passed only after 65536 more entries. */
		uint16_t event = on ? s->last_avail : (uint16_t)(s->last_avail - 1);

		__atomic_store_n(ring_avail_event(r), event, __ATOMIC_RELAXED);
		written += sizeof(struct ring_used) + r->size * sizeof(struct ring_used_entry);
	} else if (on != s->armed) {
		__atomic_store_n(&r->used->flags, on ? 0 : RING_NO_NOTIFY, __ATOMIC_RELAXED);
	}
	if (logs_used(r))
		dirty_mark(r->log, written, 2);
	s->armed = on;
	if (!on)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&r->avail->idx, __ATOMIC_ACQUIRE) != s->last_avail;
}
