/* SPDX-License-Identifier: Apache-2.0 */
/* From the guest: takes packets off a guest's transmit ring as views of its memory, and gives the buffers
 * back. Called by the worker that owns the rxq. */
#include "ports/vhost/vhost.h"

#include <rte_branch_prediction.h>

#include "base/wire.h"
#include "ports/copy.h"
#include "ports/vnet.h"

enum {
	RX_PIECES_MAX = PACKET_SEGS_MAX + 4,
	RX_COST_MAX = 1024, /* of a batch, in descriptors and KB of packets in chains: then others have their
	                       turn */
};

struct rx_batch {
	struct vhost_ring *r;
	struct port_counters *counters;
	uint32_t in_port;
	uint32_t cost; /* so far; of chains only */
};

/* The front end asks us to announce a guest that was just migrated here: RARP request, RFC 903. */
static void announce(const struct vhost_port *v, struct packet *p)
{
	struct eth_header *eth;
	struct arp_header *arp;

	packet_reset(p);
	p->head_len = 60;
	p->len = 60;
	memset(p->head, 0, 60);
	eth = (void *)p->head;
	memset(&eth->dst, 0xff, sizeof(eth->dst));
	eth->src = v->announce_mac;
	eth->type = htobe16(ETH_TYPE_RARP);
	arp = (void *)(eth + 1);
	arp->hw_type = htobe16(1);
	arp->proto_type = htobe16(ETH_TYPE_IPV4);
	arp->hw_len = 6;
	arp->proto_len = 4;
	arp->op = htobe16(3);
	arp->sha = v->announce_mac;
	arp->tha = v->announce_mac;
	p->in_port = v->port.ofport;
}

static void call_anew(const struct vhost_port *v)
{
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++) {
		const struct vhost_ring *r = rcu_read(v->slots[i].ring);

		if (r && !r->state->fault)
			ring_call(r);
	}
}

/* Does what is due; the number of packets that were made. */
static unsigned do_due(struct vhost_port *v, struct packet *p)
{
	uint8_t due = __atomic_exchange_n(&v->due, 0, __ATOMIC_ACQUIRE);

	if (due & VHOST_DUE_CALLS)
		call_anew(v);
	if (!(due & VHOST_DUE_ANNOUNCE))
		return 0;
	announce(v, p);
	return 1;
}

static bool offload_negotiated(const struct vnet_header *h, uint64_t features)
{
	static const uint64_t needs[8] = {
	        [VNET_GSO_TCPV4] = VHOST_BIT(VIRTIO_NET_F_HOST_TSO4),
	        [VNET_GSO_TCPV6] = VHOST_BIT(VIRTIO_NET_F_HOST_TSO6),
	        [VNET_GSO_UDP_L4] = VHOST_BIT(VIRTIO_NET_F_HOST_USO),
	};
	uint64_t need = needs[h->gso_type & 7];

	if (h->flags & VNET_NEEDS_CSUM)
		need |= VHOST_BIT(VIRTIO_NET_F_CSUM);
	return (need & ~features) == 0;
}

/* The packet's bytes lie in iov[0..n), `len` in all: the first become private, the rest is referenced. */
static bool fill(struct packet *p, const struct iovec *iov, unsigned n, uint32_t len)
{
	uint32_t want = len < PACKET_HEAD_FIRST ? len : PACKET_HEAD_FIRST;

	p->len = len;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *at = iov[i].iov_base;
		uint32_t left = (uint32_t)iov[i].iov_len;
		uint32_t take = want - p->head_len < left ? want - p->head_len : left;

		copy_bytes(p->head + p->head_len, at, take);
		p->head_len = (uint16_t)(p->head_len + take);
		if (left == take)
			continue;
		if (p->nsegs == PACKET_SEGS_MAX)
			return false;
		p->segs[p->nsegs++] = (struct packet_seg){.data = at + take, .len = left - take};
	}
	return true;
}

/* Takes the virtio-net header off the pieces, however they are cut. */
static void take_header(struct iovec **iov, unsigned *n, unsigned size, struct vnet_header *h)
{
	uint8_t *to = (uint8_t *)h;

	if (likely(size == sizeof(*h) && (*iov)->iov_len > sizeof(*h))) {
		memcpy(h, (*iov)->iov_base, sizeof(*h));
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + sizeof(*h);
		(*iov)->iov_len -= sizeof(*h);
		return;
	}
	while (size && *n) {
		uint32_t take = size < (*iov)->iov_len ? size : (uint32_t)(*iov)->iov_len;

		memcpy(to, (*iov)->iov_base, take);
		to += take;
		size -= take;
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + take;
		(*iov)->iov_len -= take;
		if (!(*iov)->iov_len) {
			(*iov)++;
			(*n)--;
		}
	}
}

/* Makes the view from a chain's pieces; `len` includes the virtio-net header. DROP_REASON_COUNT: taken. */
static enum drop_reason view(const struct rx_batch *b, struct iovec *iov, unsigned n, uint64_t len,
                             struct packet *p)
{
	struct vnet_header h = {0};

	if (len < b->r->header + sizeof(struct eth_header))
		return DROP_RX_RUNT;
	if (len > b->r->header + (uint64_t)PACKET_LEN_MAX)
		return DROP_RX_BAD_DESC;
	take_header(&iov, &n, b->r->header, &h);
	packet_reset(p);
	if (!fill(p, iov, n, (uint32_t)len - b->r->header))
		return DROP_RX_TOO_MANY_SEGS;
	if ((h.flags | h.gso_type) && (!offload_negotiated(&h, b->r->features) || !vnet_to_packet(&h, p)))
		return DROP_RX_BAD_OFFLOAD;
	p->in_port = b->in_port;
	return DROP_REASON_COUNT;
}

/* The chain that begins at descriptor `head` becomes `p`. RING_OK also when the packet is dropped: *reason
 * says so.
 */
static enum ring_fault receive(struct rx_batch *b, uint16_t head, struct packet *p, enum drop_reason *reason)
{
	const struct vhost_ring *r = b->r;
	struct iovec iov[RX_PIECES_MAX];
	struct ring_chain c = {0};
	enum ring_fault fault;

	fault = ring_walk(r, head, false, iov, RX_PIECES_MAX, &c);
	if (fault)
		return fault;
	b->cost += c.walked + (uint32_t)(c.len < PACKET_LEN_MAX ? c.len >> 10 : 0);
	*reason = c.too_many ? DROP_RX_TOO_MANY_SEGS : view(b, iov, c.n, c.len, p);
	return RING_OK;
}

/* The packet lies in one buffer and asks for no offload: most do. False: receive() decides. */
static inline bool receive_plain(const struct rx_batch *b, const struct vhost_found *f, struct packet *p)
{
	const uint8_t *at = f->plain;
	uint32_t len = f->len - (uint32_t)sizeof(struct vnet_header);
	uint16_t offload, head;

	if (unlikely(!at))
		return false;
	memcpy(&offload, at, sizeof(offload)); /* flags and gso_type */
	if (unlikely(offload))
		return false;
	at += sizeof(struct vnet_header);
	head = (uint16_t)(len < PACKET_HEAD_FIRST ? len : PACKET_HEAD_FIRST);
	packet_reset(p);
	copy_bytes(p->head, at, head);
	p->len = len;
	p->head_len = head;
	p->in_port = b->in_port;
	if (len > head) {
		p->segs[0] = (struct packet_seg){.data = at + head, .len = len - head};
		p->nsegs = 1;
	}
	return true;
}

/* Where the packet of descriptor `d` lies when it is one buffer of a fitting length in one piece of memory;
 * starts fetching what will become private. */
static inline const uint8_t *find_plain(const struct vhost_ring *r, const struct ring_desc *d, unsigned *hint)
{
	const uint32_t least = sizeof(struct vnet_header) + sizeof(struct eth_header);
	const uint32_t most = sizeof(struct vnet_header) + PACKET_LEN_MAX;
	const uint8_t *at;

	if (unlikely(d->flags & (RING_DESC_NEXT | RING_DESC_INDIRECT | RING_DESC_WRITE) || d->len < least ||
	             d->len > most || r->header != sizeof(struct vnet_header)))
		return NULL;
	at = memory_whole(r->memory, d->addr, d->len, hint);
	if (unlikely(!at))
		return NULL;
	__builtin_prefetch(at);
	if (d->len > 64)
		__builtin_prefetch(at + 64);
	if (d->len > 128)
		__builtin_prefetch(at + 128);
	return at;
}

/* Looks at the available entries before ring index `end`. */
static void look_ahead(struct vhost_ring *r, uint16_t end)
{
	struct vhost_ahead *a = &r->ahead;
	unsigned hint = r->state->hint;
	uint16_t i;

	if (unlikely(!a->valid)) {
		a->end = r->state->last_avail;
		a->valid = true;
	}
	for (i = a->end; (int16_t)(end - i) > 0; i++) {
		struct vhost_found *f = &a->at[i % BATCH_MAX];
		uint16_t head = ring_avail_head(r, i);
		struct ring_desc d = ring_desc_read(&r->desc[head & r->mask]);

		f->head = head;
		f->len = d.len;
		f->plain = find_plain(r, &d, &hint);
	}
	a->end = i;
	r->state->hint = hint;
}

/* The first `n` entries of the batch go back to the guest when release() publishes them. */
static void note_taken(struct vhost_ring *r, unsigned n)
{
	struct vhost_ring_state *s = r->state;
	uint16_t first = s->last_avail, used = s->used_idx;

	for (unsigned i = 0; i < n; i++)
		ring_write_used(r, (uint16_t)(used + i), r->ahead.at[(uint16_t)(first + i) % BATCH_MAX].head,
		                0);
	s->used_idx = (uint16_t)(used + n);
	s->last_avail = (uint16_t)(first + n);
	s->pending = (uint16_t)(s->pending + n);
}

static unsigned take(struct rx_batch *b, struct packet **pkts, unsigned n)
{
	const struct vhost_found *at = b->r->ahead.at;
	uint16_t first = b->r->state->last_avail;
	unsigned got = 0, i;
	uint64_t bytes = 0, gso = 0;

	for (i = 0; i < n; i++) {
		const struct vhost_found *f = &at[(uint16_t)(first + i) % BATCH_MAX];
		enum drop_reason reason = DROP_REASON_COUNT;
		enum ring_fault fault = RING_OK;

		if (unlikely(f->head >= b->r->size)) {
			fault = RING_BAD_HEAD;
		} else if (unlikely(!receive_plain(b, f, pkts[got]))) {
			fault = receive(b, f->head, pkts[got], &reason);
			if (b->cost > RX_COST_MAX)
				n = i + 1; /* this one is the last */
		}
		if (unlikely(fault)) {
			b->counters->drops[DROP_RX_BAD_DESC]++;
			ring_fail(b->r, fault);
			break;
		}
		if (unlikely(reason != DROP_REASON_COUNT)) {
			b->counters->drops[reason]++;
			continue;
		}
		bytes += pkts[got]->len;
		gso += pkts[got]->gso != GSO_NONE;
		got++;
	}
	note_taken(b->r, i);
	b->counters->rx_packets += got;
	b->counters->rx_bytes += bytes;
	b->counters->rx_gso += gso;
	return got;
}

unsigned vhost_rx(struct port_rxq *q, struct packet **pkts, unsigned max)
{
	struct vhost_port *v = (struct vhost_port *)q->port;
	struct vhost_slot *slot = &v->slots[2 * q->id + 1];
	struct vhost_ring *r = rcu_read(slot->ring);
	struct rx_batch b;
	unsigned n, extra = 0;
	uint16_t known;

	if (!r)
		return 0;
	if (unlikely(q->id == 0 && __atomic_load_n(&v->due, __ATOMIC_RELAXED)) && max)
		extra = do_due(v, pkts[0]);
	if (unlikely(slot->state.fault))
		return extra;
	max = max < BATCH_MAX ? max : BATCH_MAX;
	n = ring_available(r, max - extra);
	if (!n)
		return extra;
	slot->state.held = r;
	b.r = r;
	b.counters = v->port.counters[q->worker];
	b.in_port = v->port.ofport;
	b.cost = 0;
	look_ahead(r, (uint16_t)(slot->state.last_avail + n));
	n = take(&b, pkts + extra, n);
	__builtin_prefetch(&r->used->idx, 1); /* the guest polls it; release() writes it */
	known = (uint16_t)(slot->state.avail_seen - slot->state.last_avail);
	if (likely(!slot->state.fault))
		look_ahead(r, (uint16_t)(slot->state.last_avail + (known < BATCH_MAX ? known : BATCH_MAX)));
	if (unlikely(r->discard)) {
		b.counters->drops[DROP_RX_DISABLED] += n;
		n = 0;
	}
	return extra + n;
}

void vhost_release(struct port_rxq *q)
{
	struct vhost_port *v = (struct vhost_port *)q->port;
	struct vhost_ring_state *s = &v->slots[2 * q->id + 1].state;
	const struct vhost_ring *r = s->held;
	uint16_t count = s->pending;

	if (!r)
		return;
	s->held = NULL;
	s->pending = 0;
	if (count)
		ring_publish(r, count);
}
