/* SPDX-License-Identifier: Apache-2.0 */
/* The packet path of an ethdev port: bursts to views and views to mbufs. Set-up is in ethdev_setup.c. */
#include "ports/ethdev_private.h"

#include <rte_ethdev.h>

#include "ports/segment.h"

/* A view of an mbuf chain. False when it has too many pieces. */
static bool view_mbuf(struct packet *p, struct rte_mbuf *m, uint32_t ofport)
{
	uint32_t first = rte_pktmbuf_data_len(m);

	if (first > PACKET_HEAD_FIRST)
		first = PACKET_HEAD_FIRST;
	packet_reset(p);
	memcpy(p->head, rte_pktmbuf_mtod(m, void *), first);
	p->head_len = (uint16_t)first;
	p->len = rte_pktmbuf_pkt_len(m);
	p->in_port = ofport;
	for (uint32_t skip = first; m; m = m->next, skip = 0) {
		uint32_t len = rte_pktmbuf_data_len(m) - skip;

		if (!len)
			continue;
		if (p->nsegs == PACKET_SEGS_MAX)
			return false;
		p->segs[p->nsegs++] = (struct packet_seg){rte_pktmbuf_mtod_offset(m, uint8_t *, skip), len};
	}
	return true;
}

static enum drop_reason refuse(struct packet *p, struct rte_mbuf *m, uint32_t ofport)
{
	if (rte_pktmbuf_pkt_len(m) < RTE_ETHER_HDR_LEN)
		return DROP_RX_RUNT;
	if (rte_pktmbuf_pkt_len(m) > PACKET_LEN_MAX || !view_mbuf(p, m, ofport))
		return DROP_RX_TOO_MANY_SEGS;
	return DROP_REASON_COUNT;
}

unsigned ethdev_rx(struct port_rxq *q, struct packet **pkts, unsigned max)
{
	struct ethdev_port *d = (struct ethdev_port *)q->port;
	struct port_counters *c = q->port->counters[q->worker];
	struct rte_mbuf *burst[BATCH_MAX];
	unsigned got, n = 0;

	got = rte_eth_rx_burst(d->id, q->id, burst, (uint16_t)max);
	for (unsigned i = 0; i < got; i++) {
		enum drop_reason why = refuse(pkts[n], burst[i], q->port->ofport);

		d->held[d->nheld++] = burst[i];
		if (why != DROP_REASON_COUNT) {
			port_drop(q->port, q->worker, why, 1);
			continue;
		}
		c->rx_packets++;
		c->rx_bytes += pkts[n]->len;
		n++;
	}
	return n;
}

void ethdev_release(struct port_rxq *q)
{
	struct ethdev_port *d = (struct ethdev_port *)q->port;

	rte_pktmbuf_free_bulk(d->held, d->nheld);
	d->nheld = 0;
}

/* An mbuf chain with room for `len` bytes, described by `iov`; NULL: the pool is empty. */
static struct rte_mbuf *alloc_frame(struct ethdev_port *d, uint32_t len, struct iovec *iov, unsigned *niov)
{
	struct rte_mbuf *head = NULL, *m;

	*niov = 0;
	do {
		uint32_t room;

		m = rte_pktmbuf_alloc(d->pool);
		if (!m || (head && rte_pktmbuf_chain(head, m))) {
			rte_pktmbuf_free(m);
			rte_pktmbuf_free(head);
			return NULL;
		}
		if (!head)
			head = m;
		room = rte_pktmbuf_tailroom(m) < len ? rte_pktmbuf_tailroom(m) : len;
		m->data_len = (uint16_t)room;
		iov[(*niov)++] = (struct iovec){rte_pktmbuf_mtod(m, void *), room};
		len -= room;
	} while (len && *niov < ETHDEV_FRAME_MBUFS);
	if (len) {
		rte_pktmbuf_free(head);
		return NULL;
	}
	head->pkt_len = 0;
	for (m = head; m; m = m->next)
		head->pkt_len += m->data_len;
	return head;
}

static void send_mbufs(struct ethdev_port *d, unsigned worker, struct rte_mbuf **mbufs, unsigned n,
                       uint64_t bytes)
{
	struct port_counters *c = d->port.counters[worker];
	unsigned sent = rte_eth_tx_burst(d->id, (uint16_t)(worker % d->ntxq), mbufs, (uint16_t)n);

	for (unsigned i = sent; i < n; i++)
		bytes -= rte_pktmbuf_pkt_len(mbufs[i]);
	c->tx_packets += sent;
	c->tx_bytes += bytes;
	if (sent < n) {
		port_drop(&d->port, worker, DROP_RING_FULL, n - sent);
		rte_pktmbuf_free_bulk(mbufs + sent, n - sent);
	}
}

/* One packet becomes one frame or many; they are handed over in bursts. */
static void send_packet(struct ethdev_port *d, unsigned worker, struct packet *p)
{
	struct rte_mbuf *burst[BATCH_MAX];
	struct iovec iov[ETHDEV_FRAME_MBUFS];
	struct segmenter s;
	unsigned n = 0, niov;
	uint64_t bytes = 0;
	uint32_t len;

	if (segment_begin(&s, p, d->port.caps)) {
		port_drop(&d->port, worker, DROP_SEGMENT_FAILED, 1);
		return;
	}
	while ((len = segment_next(&s))) {
		struct rte_mbuf *m = alloc_frame(d, len, iov, &niov);

		if (!m) {
			port_drop(&d->port, worker, DROP_RING_FULL, 1);
			continue;
		}
		segment_copy(&s, iov, niov);
		bytes += len;
		burst[n++] = m;
		if (n == BATCH_MAX) {
			send_mbufs(d, worker, burst, n, bytes);
			n = 0;
			bytes = 0;
		}
	}
	if (n)
		send_mbufs(d, worker, burst, n, bytes);
}

void ethdev_tx(struct port *p, unsigned worker, struct packet **pkts, unsigned n)
{
	struct ethdev_port *d = (struct ethdev_port *)p;
	bool shared = d->ntxq < d->nworkers;

	if (shared)
		rte_spinlock_lock(&d->tx_lock[worker % d->ntxq]);
	for (unsigned i = 0; i < n; i++)
		send_packet(d, worker, pkts[i]);
	if (shared)
		rte_spinlock_unlock(&d->tx_lock[worker % d->ntxq]);
}
