/* SPDX-License-Identifier: Apache-2.0 */
/* The packet path of an AF_XDP port: frames to views and back. Called by the workers. */
#include <errno.h>
#include <sys/socket.h>
#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "base/wire.h"
#include "ports/segment.h"
#include "ports/xdp/xdp.h"

/* ---- receive ---- */

unsigned xdp_rx(struct port_rxq *rxq, struct packet **pkts, unsigned max)
{
	struct xdp_queue *q = rcu_read(rxq->priv);
	struct port *port = rxq->port;
	struct port_counters *c = port->counters[rxq->worker];
	uint32_t at, n, got = 0;

	if (unlikely(!q))
		return 0;
	n = xsk_ring_cons__peek(&q->rx, max, &at);
	for (uint32_t i = 0; i < n; i++)
		rte_prefetch0(q->area + xsk_ring_cons__rx_desc(&q->rx, at + i)->addr);
	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&q->rx, at + i);

		q->held[q->nheld++] = d->addr & ~(uint64_t)(XDP_FRAME_SIZE - 1);
		if (unlikely(d->len < sizeof(struct eth_header))) {
			c->drops[DROP_RX_RUNT]++;
			continue;
		}
		packet_view(pkts[got++], port->ofport, q->area + d->addr, d->len);
		c->rx_bytes += d->len;
	}
	c->rx_packets += got;
	if (n)
		xsk_ring_cons__release(&q->rx, n);
	return got;
}

void xdp_release(struct port_rxq *rxq)
{
	struct xdp_queue *q = rcu_read(rxq->priv);
	uint32_t at;

	if (!q || !q->nheld)
		return;
	/* Always fits: the ring holds as many entries as there are frames. */
	if (xsk_ring_prod__reserve(&q->fill, q->nheld, &at) != q->nheld)
		return;
	for (uint32_t i = 0; i < q->nheld; i++)
		*xsk_ring_prod__fill_addr(&q->fill, at + i) = q->held[i];
	xsk_ring_prod__submit(&q->fill, q->nheld);
	q->nheld = 0;
	if (xsk_ring_prod__needs_wakeup(&q->fill))
		recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

bool xdp_rx_pending(struct xdp_queue *q)
{
	return __atomic_load_n(q->rx.producer, __ATOMIC_ACQUIRE) != *q->rx.consumer;
}

/* ---- send ---- */

static void reclaim(struct xdp_queue *q)
{
	uint32_t at, n = xsk_ring_cons__peek(&q->completion, XDP_TX_FRAMES, &at);

	for (uint32_t i = 0; i < n; i++)
		q->free_frames[q->nfree++] = *xsk_ring_cons__comp_addr(&q->completion, at + i);
	if (n)
		xsk_ring_cons__release(&q->completion, n);
}

static uint32_t unsent(const struct xdp_queue *q)
{
	return *q->tx.producer - __atomic_load_n(q->tx.consumer, __ATOMIC_ACQUIRE);
}

/* Copy mode sends inside the system call, at most a few dozen frames a time. What the device does not take
 * now is offered again with the next batch. */
static void kick(struct xdp_queue *q)
{
	if (!xsk_ring_prod__needs_wakeup(&q->tx))
		return;
	for (uint32_t left = unsent(q), before = left + 1; left && left < before; left = unsent(q)) {
		before = left;
		if (sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN && errno != EBUSY)
			return;
	}
}

/* A free frame, or NULL when the kernel has them all. */
static uint8_t *take_frame(struct xdp_queue *q, uint64_t *addr)
{
	if (unlikely(!q->nfree)) {
		kick(q);
		reclaim(q);
		if (!q->nfree)
			return NULL;
	}
	*addr = q->free_frames[--q->nfree];
	return q->area + *addr;
}

/* There is always a place: the ring has as many as there are frames. */
static void queue_frame(struct xdp_queue *q, uint64_t addr, uint32_t len)
{
	struct xdp_desc *d;
	uint32_t at;

	if (xsk_ring_prod__reserve(&q->tx, 1, &at) != 1) {
		q->free_frames[q->nfree++] = addr;
		return;
	}
	d = xsk_ring_prod__tx_desc(&q->tx, at);
	d->addr = addr;
	d->len = len;
	d->options = 0;
	xsk_ring_prod__submit(&q->tx, 1);
}

static void send_cut(struct port *port, struct xdp_queue *q, struct port_counters *c, const struct packet *p)
{
	struct segmenter s;
	uint32_t len;

	if (segment_begin(&s, p, port->caps)) {
		c->drops[DROP_SEGMENT_FAILED]++;
		return;
	}
	while ((len = segment_next(&s))) {
		struct iovec iov = {.iov_len = len};
		uint64_t addr;

		if (len > XDP_FRAME_SIZE) {
			c->drops[DROP_TOO_BIG]++;
			continue;
		}
		iov.iov_base = take_frame(q, &addr);
		if (!iov.iov_base) {
			c->drops[DROP_RING_FULL]++;
			continue;
		}
		segment_copy(&s, &iov, 1);
		queue_frame(q, addr, len);
		c->tx_packets++;
		c->tx_bytes += len;
	}
}

static void send_whole(struct xdp_queue *q, struct port_counters *c, const struct packet *p)
{
	struct iovec iov = {.iov_len = p->len};
	uint64_t addr;

	iov.iov_base = take_frame(q, &addr);
	if (!iov.iov_base) {
		c->drops[DROP_RING_FULL]++;
		return;
	}
	segment_copy_whole(p, &iov, 1);
	queue_frame(q, addr, p->len);
	c->tx_packets++;
	c->tx_bytes += p->len;
}

void xdp_tx(struct port *port, unsigned worker, struct packet **pkts, unsigned n)
{
	struct port_counters *c = port->counters[worker];
	uint16_t nrxq = port->nrxq;
	struct xdp_queue *q = nrxq ? rcu_read(port->rxq[worker % nrxq].priv) : NULL;

	if (unlikely(!q || !port->carrier)) {
		c->drops[DROP_NO_CARRIER] += n;
		return;
	}
	rte_spinlock_lock(&q->lock);
	reclaim(q);
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(segment_l3_len(pkts[i]) > port->mtu))
			c->drops[DROP_TOO_BIG]++;
		else if (segment_passes(pkts[i], port->caps) && pkts[i]->len <= XDP_FRAME_SIZE)
			send_whole(q, c, pkts[i]);
		else
			send_cut(port, q, c, pkts[i]);
	}
	kick(q);
	rte_spinlock_unlock(&q->lock);
}
