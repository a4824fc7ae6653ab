/* SPDX-License-Identifier: Apache-2.0 */
/* The guest driver's half of the vhost-user front end: rings; see vhost_frontend.h. */
#include "tests/lib/vhost_frontend.h"

#include <string.h>
#include <unistd.h>

enum { TABLE = 64 };

static uint8_t *buffer(const struct frontend *f, const struct frontend_ring *r, unsigned i)
{
	return r->buffers + (size_t)i * f->options.stride;
}

unsigned frontend_reclaim(struct frontend *f, unsigned queue)
{
	struct frontend_ring *r = &f->rings[2 * queue + 1];
	uint16_t idx = __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE);
	unsigned n = 0;

	for (; r->last_used != idx; r->last_used++, n++) {
		uint32_t id = r->used->ring[r->last_used % r->size].id;

		r->free_count = (uint16_t)(r->free_count + r->held[id % r->size]);
	}
	return n;
}

/* Cuts `len` bytes that lie at `from` into descriptors of about equal size. */
static unsigned describe(const struct frontend *f, uint8_t *from, uint32_t len,
                         const struct frontend_layout *l, struct ring_desc *out)
{
	uint32_t at = l->header_apart ? f->header : 0, rest = len - at;
	unsigned pieces = l->pieces ? l->pieces : 1, n = 0;

	if (at)
		out[n++] = (struct ring_desc){.addr = frontend_gpa(f, from), .len = at};
	for (unsigned i = 0; i < pieces; i++) {
		uint32_t take = i + 1 == pieces ? len - at : rest / pieces;

		out[n++] = (struct ring_desc){.addr = frontend_gpa(f, from + at), .len = take};
		at += take;
	}
	return n;
}

static void chain(struct ring_desc *d, unsigned n, uint16_t first, uint16_t mask)
{
	for (unsigned i = 0; i + 1 < n; i++) {
		d[i].flags |= RING_DESC_NEXT;
		d[i].next = (uint16_t)((first + i + 1) & mask);
	}
}

static void put_chain(struct frontend *f, struct frontend_ring *r, uint16_t head, struct ring_desc *d,
                      unsigned n, bool indirect)
{
	uint16_t mask = (uint16_t)(r->size - 1);
	uint8_t *table = r->indirect + (size_t)head * TABLE * sizeof(d[0]);

	if (!indirect) {
		chain(d, n, head, mask);
		for (unsigned i = 0; i < n; i++)
			r->desc[(head + i) & mask] = d[i];
		return;
	}
	chain(d, n, 0, 0xffff);
	memcpy(table, d, n * sizeof(d[0]));
	r->desc[head] = (struct ring_desc){.addr = frontend_gpa(f, table),
	                                   .len = n * (uint32_t)sizeof(d[0]),
	                                   .flags = RING_DESC_INDIRECT};
}

bool frontend_send(struct frontend *f, unsigned queue, const void *data, uint32_t len,
                   const struct frontend_layout *l)
{
	static const struct frontend_layout plain;
	struct frontend_ring *r = &f->rings[2 * queue + 1];
	struct ring_desc d[TABLE + 1];
	uint16_t head = r->free_head, mask = (uint16_t)(r->size - 1);
	/* As many whole buffers as the packet needs, so that packets in flight never share bytes. */
	unsigned span = (len + f->header + FRONTEND_BUFFER - 1) / FRONTEND_BUFFER, n, slots;
	uint8_t *at = buffer(f, r, head);

	l = l ? l : &plain;
	frontend_reclaim(f, queue);
	n = (l->pieces ? l->pieces : 1) + l->header_apart;
	slots = l->indirect ? 1 : n;
	slots = slots > span ? slots : span;
	if (slots > r->free_count || n > TABLE)
		return false;
	memset(at, 0, f->header);
	if (l->header)
		memcpy(at, l->header, f->header);
	memcpy(at + f->header, data, len);
	n = describe(f, at, len + f->header, l, d);
	put_chain(f, r, head, d, n, l->indirect);
	r->held[head] = (uint16_t)slots;
	r->free_head = (uint16_t)((head + slots) & mask);
	r->free_count = (uint16_t)(r->free_count - slots);
	r->avail->ring[r->next_avail++ & mask] = head;
	__atomic_store_n(&r->avail->idx, r->next_avail, __ATOMIC_RELEASE);
	return true;
}

/* Bytes of the chain at descriptor `id`, of which the switch filled `len`. */
static uint32_t gather(struct frontend *f, struct frontend_ring *r, unsigned id, uint32_t len, uint8_t *to,
                       uint32_t max)
{
	uint32_t done = 0;

	len = len < max ? len : max;
	for (unsigned d = id; done < len; d = r->desc[d].next) {
		uint32_t take = len - done < r->desc[d].len ? len - done : r->desc[d].len;

		memcpy(to + done, f->memory + (r->desc[d].addr - FRONTEND_GPA), take);
		done += take;
		if (!(r->desc[d].flags & RING_DESC_NEXT))
			break;
	}
	return done;
}

static uint32_t take_used(struct frontend *f, struct frontend_ring *r, uint8_t *to, uint32_t max)
{
	struct ring_used_entry e = r->used->ring[r->last_used++ % r->size];
	uint32_t n = gather(f, r, e.id % r->size, e.len, to, max);

	/* The buffer goes back at once. */
	r->avail->ring[r->next_avail++ % r->size] = (uint16_t)e.id;
	return n;
}

uint32_t frontend_receive(struct frontend *f, unsigned queue, void *data, uint32_t max, struct vnet_header *h)
{
	static __thread uint8_t whole[FRONTEND_PACKET_MAX + 64];
	struct frontend_ring *r = &f->rings[2 * queue];
	struct vnet_header header = {.num_buffers = 1};
	uint32_t len;

	if (__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE) == r->last_used)
		return 0;
	len = take_used(f, r, whole, sizeof(whole));
	memcpy(&header, whole, f->header);
	if (f->features & VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF))
		for (unsigned i = 1; i < header.num_buffers; i++)
			len += take_used(f, r, whole + len, (uint32_t)sizeof(whole) - len);
	__atomic_store_n(&r->avail->idx, r->next_avail, __ATOMIC_RELEASE);
	if (h)
		*h = header;
	len = len > f->header ? len - f->header : 0;
	memcpy(data, whole + f->header, len < max ? len : max);
	return len;
}

void frontend_kick(struct frontend *f, unsigned ring)
{
	(void)!write(f->rings[ring].kick_fd, &(uint64_t){1}, 8);
}

uint64_t frontend_calls(struct frontend *f, unsigned ring)
{
	uint64_t n = 0;

	return read(f->rings[ring].call_fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}
