/* SPDX-License-Identifier: Apache-2.0 */
/* To the guest: copies packets once, into the buffers of a guest's receive ring. Called by any worker. */
#include "ports/vhost/vhost.h"

#include <rte_branch_prediction.h>

#include "base/wire.h"
#include "ports/copy.h"
#include "ports/segment.h"
#include "ports/vnet.h"

enum {
	TX_PIECES_MAX = 256,
	TX_BUFFERS_MAX = 256,
	TX_WALKED_MAX = 4096, /* descriptors of chains that a batch may cost its sender's worker */
};

/* The next entries of the ring that are one plain buffer each, looked up ahead so that cache misses overlap.
 */
struct tx_ahead {
	uint8_t *host; /* NULL: not that simple */
	uint32_t len;
	uint16_t head;
};

struct tx_batch {
	const struct vhost_ring *r;
	struct port_counters *counters;
	uint32_t mtu;
	uint32_t walked; /* descriptors of chains */
	uint16_t first;  /* ring index of ahead[0] */
	uint16_t nahead;
	struct tx_ahead ahead[BATCH_MAX];
};

/* Where one frame goes: `nbuffers` entries of the ring, whose pieces hold exactly the frame. */
struct tx_room {
	unsigned n;
	unsigned nbuffers;
	unsigned nheader; /* pieces of the virtio-net header, when logging */
	struct iovec header[sizeof(struct vnet_header)];
	struct iovec iov[TX_PIECES_MAX];
	uint16_t heads[TX_BUFFERS_MAX];
	uint32_t lens[TX_BUFFERS_MAX];
};

static void look_ahead(struct tx_batch *b, unsigned n)
{
	const struct vhost_ring *r = b->r;
	unsigned hint = r->state->hint;

	/* The guest polls the one and has read the other: they take a while to come here. */
	__builtin_prefetch(&r->used->idx, 1);
	__builtin_prefetch(&r->used->ring[r->state->used_idx & r->mask], 1);
	b->first = r->state->last_avail;
	b->nahead = (uint16_t)ring_available(r, n);
	for (unsigned i = 0; i < b->nahead; i++) {
		struct tx_ahead *a = &b->ahead[i];
		struct ring_desc d;

		a->head = ring_avail_head(r, (uint16_t)(b->first + i));
		d = ring_desc_read(&r->desc[a->head & r->mask]);
		a->len = d.len;
		a->host = NULL;
		if (unlikely(a->head >= r->size || d.flags != RING_DESC_WRITE))
			continue;
		a->host = memory_whole(r->memory, d.addr, d.len, &hint);
		if (unlikely(!a->host))
			continue;
		__builtin_prefetch(a->host, 1);
		__builtin_prefetch(a->host + 64, 1);
	}
	r->state->hint = hint;
}

/* Gathers buffers for `need` bytes without taking them yet. DROP_REASON_COUNT: there is room. */
static enum drop_reason gather_chains(struct tx_batch *b, uint64_t need, struct tx_room *room,
                                      struct ring_chain *c)
{
	const struct vhost_ring *r = b->r;
	uint64_t before = 0;

	for (unsigned k = 0;; k++) {
		enum ring_fault fault;
		uint16_t head;

		if (k == TX_BUFFERS_MAX || ring_available(r, k + 1) <= k)
			return DROP_RING_FULL;
		head = ring_avail_head(r, (uint16_t)(r->state->last_avail + k));
		fault = ring_walk(r, head, true, room->iov, TX_PIECES_MAX, c);
		if (fault) {
			ring_fail(r, fault);
			return DROP_RING_FULL;
		}
		if (c->too_many || c->len > UINT32_MAX)
			return DROP_TOO_BIG;
		room->heads[k] = head;
		room->lens[k] = (uint32_t)((c->len < need ? c->len : need) - before);
		before = c->len;
		room->nbuffers = k + 1;
		room->n = c->n;
		if (c->len >= need)
			return DROP_REASON_COUNT;
		if (!r->mergeable)
			return DROP_TOO_BIG;
	}
}

/* A guest whose buffers are long chains of next to nothing costs its senders no more than this. */
static enum drop_reason gather(struct tx_batch *b, uint64_t need, struct tx_room *room)
{
	struct ring_chain c = {0};
	enum drop_reason reason = DROP_RING_FULL;

	if (b->walked < TX_WALKED_MAX)
		reason = gather_chains(b, need, room, &c);
	b->walked += c.walked;
	return reason;
}

/* Cuts the pieces to the frame's length. */
static void trim(struct tx_room *room, uint64_t need)
{
	for (unsigned i = 0; i < room->n; i++) {
		if (room->iov[i].iov_len >= need) {
			room->iov[i].iov_len = need;
			room->n = i + 1;
			return;
		}
		need -= room->iov[i].iov_len;
	}
}

static enum drop_reason find_room(struct tx_batch *b, uint64_t need, struct tx_room *room)
{
	uint16_t at = (uint16_t)(b->r->state->last_avail - b->first);
	enum drop_reason reason;

	if (likely(at < b->nahead && b->ahead[at].host && b->ahead[at].len >= need)) {
		room->n = 1;
		room->nbuffers = 1;
		room->iov[0] = (struct iovec){.iov_base = b->ahead[at].host, .iov_len = need};
		room->heads[0] = b->ahead[at].head;
		room->lens[0] = (uint32_t)need;
		return DROP_REASON_COUNT;
	}
	reason = gather(b, need, room);
	if (reason == DROP_REASON_COUNT)
		trim(room, need);
	return reason;
}

static void log_pieces(const struct vhost_ring *r, const struct iovec *iov, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (iov[i].iov_len)
			dirty_mark(r->log, memory_gpa(r->memory, iov[i].iov_base), iov[i].iov_len);
}

/* Everything was written: marks it for migration and hands the buffers over (published at the batch's end).
 */
static void commit(const struct vhost_ring *r, const struct tx_room *room)
{
	if (unlikely(r->log != NULL)) {
		log_pieces(r, room->header, room->nheader);
		log_pieces(r, room->iov, room->n);
	}
	for (unsigned i = 0; i < room->nbuffers; i++)
		ring_put_used(r, room->heads[i], room->lens[i]);
	r->state->last_avail = (uint16_t)(r->state->last_avail + room->nbuffers);
}

/* Writes the virtio-net header; returns the pieces for the frame behind it. */
static struct iovec *put_header(const struct vhost_ring *r, struct vnet_header *h, struct tx_room *room,
                                unsigned *n)
{
	const uint8_t *from = (const uint8_t *)h;
	uint32_t left = r->header;
	unsigned i = 0;

	h->num_buffers = htole16((uint16_t)room->nbuffers);
	room->nheader = 0;
	if (likely(left == sizeof(*h) && room->iov[0].iov_len > sizeof(*h) && !r->log)) {
		memcpy(room->iov[0].iov_base, h, sizeof(*h));
		room->iov[0].iov_base = (uint8_t *)room->iov[0].iov_base + sizeof(*h);
		room->iov[0].iov_len -= sizeof(*h);
		*n = room->n;
		return room->iov;
	}
	while (left) {
		struct iovec *v = &room->iov[i];
		uint32_t take = left < v->iov_len ? left : (uint32_t)v->iov_len;

		memcpy(v->iov_base, from, take);
		if (unlikely(r->log != NULL))
			room->header[room->nheader++] =
			        (struct iovec){.iov_base = v->iov_base, .iov_len = take};
		from += take;
		left -= take;
		v->iov_base = (uint8_t *)v->iov_base + take;
		v->iov_len -= take;
		if (left)
			i++;
	}
	*n = room->n - i;
	return room->iov + i;
}

/* Finds room for a frame of `len` bytes and puts the header there. NULL: dropped and counted. */
static struct iovec *open_frame(struct tx_batch *b, struct vnet_header *h, uint32_t len, struct tx_room *room,
                                unsigned *n)
{
	enum drop_reason reason = find_room(b, (uint64_t)b->r->header + len, room);

	if (unlikely(reason != DROP_REASON_COUNT)) {
		b->counters->drops[reason]++;
		return NULL;
	}
	b->counters->tx_packets++;
	b->counters->tx_bytes += len;
	return put_header(b->r, h, room, n);
}

static void send_whole(struct tx_batch *b, const struct packet *p)
{
	uint64_t told = b->r->features;
	struct tx_room room;
	struct vnet_header h;
	struct iovec *iov;
	unsigned n;

	vnet_from_packet(p, told & VHOST_BIT(VIRTIO_NET_F_GUEST_CSUM),
	                 told & VHOST_BIT(VIRTIO_NET_F_GUEST_ECN), &h);
	iov = open_frame(b, &h, p->len, &room, &n);
	if (!iov)
		return;
	if (likely(p->nsegs == 0 && n == 1))
		copy_bytes(iov->iov_base, p->head, p->head_len);
	else
		segment_copy_whole(p, iov, n);
	b->counters->tx_gso += p->gso != GSO_NONE;
	commit(b->r, &room);
}

/* The guest did not ask for offloads: cut and checksum while copying. */
static void send_finished(struct tx_batch *b, const struct packet *p)
{
	struct segmenter s;
	struct tx_room room;
	uint32_t len;
	unsigned n;

	if (segment_begin(&s, p, b->r->caps)) {
		b->counters->drops[DROP_SEGMENT_FAILED]++;
		return;
	}
	while ((len = segment_next(&s))) {
		struct vnet_header h = {0};
		struct iovec *iov = open_frame(b, &h, len, &room, &n);

		if (!iov)
			continue;
		segment_copy(&s, iov, n);
		commit(b->r, &room);
	}
}

/* Nothing is left to do on the packet, and `need` bytes are enough for it with its header. */
static inline bool is_plain(const struct tx_batch *b, const struct packet *p, uint32_t need)
{
	const uint32_t most = b->mtu + (uint32_t)(sizeof(struct eth_header) + sizeof(struct vnet_header));

	return need <= most && p->gso == GSO_NONE &&
	       !(p->flags & (PACKET_NEEDS_CSUM | PACKET_CSUM_VALID | PACKET_OUTER_CSUM));
}

static inline void copy_plain(const struct packet *p, uint8_t *to)
{
	/* In read-only memory: made on the stack by parts and read as a whole, it would wait there for all
	 * stores before it. */
	static const uint8_t header[sizeof(struct vnet_header)] = {
	        [offsetof(struct vnet_header, num_buffers)] = 1}; /* little-endian */

	memcpy(to, header, sizeof(header));
	to += sizeof(header);
	copy_bytes(to, p->head, p->head_len);
	to += p->head_len;
	for (uint16_t i = 0; i < p->nsegs; i++) {
		memmove(to, p->segs[i].data, p->segs[i].len);
		to += p->segs[i].len;
	}
}

/* Most packets: sends those at the beginning that need nothing and fit into the next buffer each. Their
 * number; what lives in memory that the guest could mean is looked at once. */
static unsigned send_plain(struct tx_batch *b, struct packet **pkts, unsigned n)
{
	const struct vhost_ring *r = b->r;
	struct vhost_ring_state *s = r->state;
	uint16_t at = (uint16_t)(s->last_avail - b->first), used = s->used_idx;
	unsigned left = at < b->nahead ? b->nahead - at : 0, i;
	uint64_t bytes = 0;

	if (unlikely(r->header != sizeof(struct vnet_header) || r->log))
		return 0;
	n = n < left ? n : left;
	for (i = 0; i < n; i++) {
		const struct tx_ahead *a = &b->ahead[at + i];
		const struct packet *p = pkts[i];
		uint32_t need = p->len + (uint32_t)sizeof(struct vnet_header);

		if (unlikely(!a->host || a->len < need || !is_plain(b, p, need)))
			break;
		copy_plain(p, a->host);
		ring_write_used(r, (uint16_t)(used + i), a->head, need);
		bytes += p->len;
	}
	s->used_idx = (uint16_t)(used + i);
	s->last_avail = (uint16_t)(s->last_avail + i);
	b->counters->tx_packets += i;
	b->counters->tx_bytes += bytes;
	return i;
}

static bool too_big(const struct packet *p, uint32_t mtu)
{
	if (likely(p->gso == GSO_NONE && p->len <= mtu + sizeof(struct eth_header)))
		return false;
	return segment_l3_len(p) > mtu;
}

static void send_other(struct tx_batch *b, const struct packet *p)
{
	if (unlikely(too_big(p, b->mtu)))
		b->counters->drops[DROP_TOO_BIG]++;
	else if (likely(segment_passes(p, b->r->caps)))
		send_whole(b, p);
	else
		send_finished(b, p);
}

static void send_batch(struct vhost_port *v, const struct vhost_ring *r, unsigned worker,
                       struct packet **pkts, unsigned n)
{
	struct tx_batch b;
	uint16_t before = r->state->used_idx, count;

	b.r = r;
	b.counters = v->port.counters[worker];
	b.mtu = v->port.mtu;
	b.walked = 0;
	look_ahead(&b, n < BATCH_MAX ? n : BATCH_MAX);
	for (unsigned i = 0; i < n;) {
		i += send_plain(&b, pkts + i, n - i);
		if (i < n)
			send_other(&b, pkts[i++]);
	}
	count = (uint16_t)(r->state->used_idx - before);
	if (count)
		ring_publish(r, count);
}

void vhost_tx(struct port *p, unsigned worker, struct packet **pkts, unsigned n)
{
	struct vhost_port *v = (struct vhost_port *)p;
	unsigned rings = __atomic_load_n(&v->ntx, __ATOMIC_ACQUIRE);
	struct vhost_slot *slot;
	struct vhost_ring *r;

	slot = rings ? &v->slots[v->tx_rings[worker % rings]] : NULL;
	r = slot ? rcu_read(slot->ring) : NULL;
	if (!r || unlikely(slot->state.fault)) {
		port_drop(p, worker, DROP_NO_CARRIER, n);
		return;
	}
	if (v->shared)
		rte_spinlock_lock(&slot->state.lock);
	send_batch(v, r, worker, pkts, n);
	if (v->shared)
		rte_spinlock_unlock(&slot->state.lock);
}
