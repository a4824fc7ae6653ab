/* SPDX-License-Identifier: Apache-2.0 */
/* The in-memory port; see memory.h. */
#include "ports/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/wire.h"
#include "ports/options.h"
#include "ports/segment.h"

struct memory_list {
	struct memory_frame *first, **end;
	unsigned n;
};

struct memory_port {
	struct port port;
	pthread_mutex_t lock;
	struct memory_list in[PORT_RXQ_MAX];   /* waiting */
	struct memory_list held[PORT_RXQ_MAX]; /* in the pipeline until release() */
	struct memory_list out;
	int wake[PORT_RXQ_MAX]; /* eventfds for sleeping workers */
	struct ip_addr vteps[16];
	unsigned nvteps;
};

static struct memory_port *of(struct port *p)
{
	return (struct memory_port *)p;
}

static void list_add(struct memory_list *l, struct memory_frame *f)
{
	f->next = NULL;
	*(l->first ? l->end : &l->first) = f;
	l->end = &f->next;
	l->n++;
}

static struct memory_frame *list_take(struct memory_list *l)
{
	struct memory_frame *f = l->first;

	if (f) {
		l->first = f->next;
		l->n--;
	}
	return f;
}

static void list_free(struct memory_list *l)
{
	for (struct memory_frame *f; (f = list_take(l));)
		free(f);
}

struct memory_frame *memory_frame_alloc(uint32_t len)
{
	struct memory_frame *f = calloc(1, sizeof(*f) + len);

	if (f)
		f->len = len;
	return f;
}

int memory_inject(struct port *p, unsigned queue, struct memory_frame *f)
{
	struct memory_port *m = of(p);
	uint64_t one = 1;
	bool full;

	pthread_mutex_lock(&m->lock);
	full = m->in[queue].n >= MEMORY_QUEUE_MAX;
	if (!full)
		list_add(&m->in[queue], f);
	pthread_mutex_unlock(&m->lock);
	if (full) {
		free(f);
		return -ENOBUFS;
	}
	return write(m->wake[queue], &one, sizeof(one)) < 0 ? -errno : 0;
}

struct memory_frame *memory_collect(struct port *p)
{
	struct memory_port *m = of(p);
	struct memory_frame *f;

	pthread_mutex_lock(&m->lock);
	f = list_take(&m->out);
	pthread_mutex_unlock(&m->lock);
	return f;
}

unsigned memory_waiting(struct port *p, unsigned queue)
{
	struct memory_port *m = of(p);
	unsigned n;

	pthread_mutex_lock(&m->lock);
	n = m->in[queue].n;
	pthread_mutex_unlock(&m->lock);
	return n;
}

unsigned memory_vteps(struct port *p, struct ip_addr *out, unsigned max)
{
	struct memory_port *m = of(p);

	for (unsigned i = 0; i < m->nvteps && i < max; i++)
		out[i] = m->vteps[i];
	return m->nvteps;
}

void memory_change(struct port *p, uint32_t caps, bool carrier, uint32_t mtu)
{
	p->caps = caps;
	p->carrier = carrier;
	p->mtu = mtu;
	if (p->changed)
		p->changed(p, p->changed_arg);
}

/* ---- worker ---- */

static bool frame_to_packet(const struct memory_frame *f, struct packet *pkt)
{
	uint32_t head = f->head_len ? f->head_len : PACKET_HEAD_FIRST;
	uint32_t at, piece;

	if (f->len < sizeof(struct eth_header))
		return false;
	if (head > f->len)
		head = f->len;
	packet_reset(pkt);
	memcpy(pkt->head, f->data, head);
	pkt->head_len = (uint16_t)head;
	pkt->len = f->len;
	pkt->flags = f->flags;
	pkt->csum_start = f->csum_start;
	pkt->csum_offset = f->csum_offset;
	pkt->gso = f->gso;
	pkt->gso_size = f->gso_size;
	pkt->tunnel = f->tunnel;
	for (at = head; at < f->len; at += piece) {
		if (pkt->nsegs == PACKET_SEGS_MAX)
			return false;
		piece = f->piece_len && f->piece_len < f->len - at ? f->piece_len : f->len - at;
		pkt->segs[pkt->nsegs++] = (struct packet_seg){f->data + at, piece};
	}
	return true;
}

static unsigned port_rx(struct port_rxq *q, struct packet **pkts, unsigned max)
{
	struct memory_port *m = of(q->port);
	struct port_counters *c = m->port.counters[q->worker];
	struct memory_frame *f;
	unsigned n = 0;

	pthread_mutex_lock(&m->lock);
	while (n < max && (f = list_take(&m->in[q->id]))) {
		list_add(&m->held[q->id], f);
		if (!frame_to_packet(f, pkts[n])) {
			c->drops[f->len < sizeof(struct eth_header) ? DROP_RX_RUNT : DROP_RX_TOO_MANY_SEGS]++;
			continue;
		}
		pkts[n]->in_port = m->port.ofport;
		c->rx_packets++;
		c->rx_bytes += f->len;
		c->rx_gso += f->gso != GSO_NONE;
		n++;
	}
	pthread_mutex_unlock(&m->lock);
	return n;
}

static void port_release(struct port_rxq *q)
{
	struct memory_port *m = of(q->port);

	pthread_mutex_lock(&m->lock);
	list_free(&m->held[q->id]);
	pthread_mutex_unlock(&m->lock);
}

static void frame_out(struct memory_port *m, struct port_counters *c, struct memory_frame *f)
{
	pthread_mutex_lock(&m->lock);
	if (m->out.n < MEMORY_QUEUE_MAX) {
		list_add(&m->out, f);
		c->tx_packets++;
		c->tx_bytes += f->len;
		c->tx_gso += f->gso != GSO_NONE;
		f = NULL;
	} else {
		c->drops[DROP_RING_FULL]++;
	}
	pthread_mutex_unlock(&m->lock);
	free(f);
}

static void send_whole(struct memory_port *m, struct port_counters *c, const struct packet *pkt)
{
	struct memory_frame *f = memory_frame_alloc(pkt->len);

	if (!f) {
		c->drops[DROP_TX_ERROR]++;
		return;
	}
	f->flags = pkt->flags & (PACKET_NEEDS_CSUM | PACKET_CSUM_VALID);
	f->csum_start = pkt->csum_start;
	f->csum_offset = pkt->csum_offset;
	f->gso = pkt->gso;
	f->gso_size = pkt->gso_size;
	f->tunnel = pkt->tunnel;
	segment_copy_whole(pkt, &(struct iovec){f->data, f->len}, 1);
	frame_out(m, c, f);
}

static void send_cut(struct memory_port *m, struct port_counters *c, const struct packet *pkt)
{
	struct segmenter s;
	uint32_t len;

	if (segment_begin(&s, pkt, m->port.caps)) {
		c->drops[DROP_SEGMENT_FAILED]++;
		return;
	}
	while ((len = segment_next(&s))) {
		struct memory_frame *f = memory_frame_alloc(len);

		if (!f) {
			c->drops[DROP_TX_ERROR]++;
			continue;
		}
		f->tunnel = pkt->tunnel;
		segment_copy(&s, &(struct iovec){f->data, f->len}, 1);
		frame_out(m, c, f);
	}
}

static void port_tx(struct port *p, unsigned worker, struct packet **pkts, unsigned n)
{
	struct memory_port *m = of(p);
	struct port_counters *c = p->counters[worker];

	if (!p->carrier) {
		c->drops[DROP_NO_CARRIER] += n;
		return;
	}
	for (unsigned i = 0; i < n; i++)
		if (segment_passes(pkts[i], p->caps))
			send_whole(m, c, pkts[i]);
		else
			send_cut(m, c, pkts[i]);
}

static int port_sleep_fd(struct port_rxq *q)
{
	return of(q->port)->wake[q->id];
}

static bool port_arm(struct port_rxq *q, bool on)
{
	uint64_t count;

	/* Armed or not, the eventfd is emptied: frames are looked for right after. */
	(void)!read(of(q->port)->wake[q->id], &count, sizeof(count));
	return on && memory_waiting(q->port, q->id);
}

/* ---- control ---- */

static void port_set_vteps(struct port *p, const struct ip_addr *vteps, unsigned n)
{
	struct memory_port *m = of(p);

	m->nvteps = n < 16 ? n : 16;
	memcpy(m->vteps, vteps, m->nvteps * sizeof(*vteps));
}

static void memory_free(struct memory_port *m)
{
	for (unsigned i = 0; i < PORT_RXQ_MAX; i++) {
		list_free(&m->in[i]);
		list_free(&m->held[i]);
		if (m->wake[i] >= 0)
			close(m->wake[i]);
	}
	list_free(&m->out);
	pthread_mutex_destroy(&m->lock);
	port_free(&m->port);
}

static void port_destroy(struct port *p, void (*done)(void *arg), void *arg)
{
	memory_free(of(p));
	done(arg);
}

static const struct port_ops ops = {
        .rx = port_rx,
        .release = port_release,
        .tx = port_tx,
        .sleep_fd = port_sleep_fd,
        .arm = port_arm,
        .destroy = port_destroy,
};

static const struct port_ops uplink_ops = {
        .rx = port_rx,
        .release = port_release,
        .tx = port_tx,
        .sleep_fd = port_sleep_fd,
        .arm = port_arm,
        .set_vteps = port_set_vteps,
        .destroy = port_destroy,
};

static int create(const struct port_env *env, const char *name, uint32_t ofport, json_t *options,
                  struct port **out, struct error *e)
{
	static const char *const known[] = {"caps", "mtu", "queues", "uplink", "ifindex", NULL};
	uint64_t caps, mtu, queues, uplink, ifindex;
	struct memory_port *m;

	if (options_known(options, known, e) || options_number(options, "caps", 0, 31, 0, &caps, e) ||
	    options_number(options, "mtu", 0, 65535, 0, &mtu, e) ||
	    options_number(options, "queues", 1, PORT_RXQ_MAX, 1, &queues, e) ||
	    options_number(options, "uplink", 0, 1, 0, &uplink, e) ||
	    options_number(options, "ifindex", 0, INT32_MAX, 0, &ifindex, e))
		return -EINVAL;
	m = (struct memory_port *)port_alloc(env, &port_type_memory, uplink ? &uplink_ops : &ops, name,
	                                     ofport, sizeof(*m));
	if (!m)
		return error_set(e, ENOMEM, "out of memory");
	pthread_mutex_init(&m->lock, NULL);
	for (unsigned i = 0; i < PORT_RXQ_MAX; i++)
		m->wake[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->wake[PORT_RXQ_MAX - 1] < 0) {
		memory_free(m);
		return error_set(e, EMFILE, "no eventfd to be had");
	}
	m->port.caps = (uint32_t)caps;
	m->port.mtu = (uint32_t)mtu;
	m->port.nrxq = (uint16_t)queues;
	m->port.is_uplink = uplink;
	m->port.ifindex = (int)ifindex;
	m->port.carrier = true;
	*out = &m->port;
	return 0;
}

const struct port_type port_type_memory = {.name = "memory", .create = create};
