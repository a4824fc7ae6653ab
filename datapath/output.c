/* SPDX-License-Identifier: Apache-2.0 */
/* From a packet that is to leave to the tx of its port, by the batch. Called by actions.c and the pipeline.
 */
#include "datapath/output.h"

#include "datapath/vxlan_port.h"
#include "ports/segment.h"

static bool is_clone(const struct worker *w, const struct packet *p)
{
	return p >= w->clones && p < w->clones + CLONES_MAX;
}

struct packet *clone_get(struct worker *w)
{
	if (!w->nfree_clones)
		output_flush(w);
	return w->nfree_clones ? w->free_clones[--w->nfree_clones] : NULL;
}

void clone_put(struct worker *w, struct packet *p)
{
	if (is_clone(w, p))
		w->free_clones[w->nfree_clones++] = p;
}

static void flush_one(struct worker *w, struct txq *q)
{
	q->port->ops->tx(q->port, w->id, q->pkts, q->n);
	for (unsigned i = 0; i < q->n; i++)
		clone_put(w, q->pkts[i]);
	q->n = 0;
}

void output_flush(struct worker *w)
{
	for (unsigned i = 0; i < w->ntxqs; i++) {
		struct txq *q = &w->txqs[i];

		if (q->n)
			flush_one(w, q);
		w->txq_of[mkey_port(q->port->ofport)] = 0;
	}
	w->ntxqs = 0;
}

struct txq *output_txq(struct worker *w, struct port *port)
{
	uint8_t *index = &w->txq_of[mkey_port(port->ofport)];
	struct txq *q;

	if (!*index) {
		if (w->ntxqs == TXQS_MAX)
			output_flush(w);
		w->txqs[w->ntxqs].port = port;
		w->txqs[w->ntxqs++].n = 0;
		*index = (uint8_t)w->ntxqs;
	}
	q = &w->txqs[*index - 1];
	if (q->n == BATCH_MAX)
		flush_one(w, q);
	return q;
}

void output_queue(struct worker *w, struct port *port, struct packet *p)
{
	struct txq *q = output_txq(w, port);

	q->pkts[q->n++] = p;
}

/* Keeps the first `len` bytes; what an offload still had to do makes no sense any more. */
static void cut_short(struct packet *p, uint32_t len)
{
	uint32_t left;

	if (p->len <= len)
		return;
	p->len = len;
	p->flags &= (uint16_t) ~(PACKET_NEEDS_CSUM | PACKET_CSUM_VALID);
	p->gso = GSO_NONE;
	if (p->head_len >= len) {
		p->head_len = (uint16_t)len;
		p->nsegs = 0;
		return;
	}
	left = len - p->head_len;
	for (uint16_t i = 0; i < p->nsegs; i++) {
		if (p->segs[i].len >= left) {
			p->segs[i].len = left;
			p->nsegs = (uint16_t)(i + 1);
			return;
		}
		left -= p->segs[i].len;
	}
}

/* `p` is consumed. */
static void send_to(struct exec *x, struct port *port, struct packet *p)
{
	if (vxlan_port_is(port)) {
		vxlan_port_output(x->w, x->key, port, p);
		return;
	}
	if (port->mtu && p->len > port->mtu && segment_l3_len(p) > port->mtu) {
		toobig_handle(x, port, p, port->mtu, DROP_TOO_BIG);
		clone_put(x->w, p);
		return;
	}
	output_queue(x->w, port, p);
}

void output_port(struct exec *x, struct port *port, uint16_t max_len, bool last)
{
	struct worker *w = x->w;
	struct packet *p = x->p;

	if (port->config & (PORT_CONFIG_DOWN | PORT_CONFIG_NO_FWD)) {
		port_drop(port, w->id, DROP_PORT_BLOCKED, 1);
		return;
	}
	if (x->outputs++ >= OUTPUTS_MAX) {
		worker_drop(w, p, DROP_OUTPUT_LIMIT);
		return;
	}
	if (last) {
		x->queued = true;
	} else {
		p = clone_get(w);
		if (!p) {
			worker_drop(w, x->p, DROP_OUTPUT_LIMIT);
			return;
		}
		packet_snapshot(p, x->p);
	}
	if (max_len)
		cut_short(p, max_len);
	send_to(x, port, p);
}

void output_number(struct exec *x, uint32_t ofport, uint16_t max_len, bool last)
{
	struct port *port = worker_port(x->w, ofport);

	if (!port || port->is_uplink)
		worker_drop(x->w, x->p, DROP_BAD_PORT);
	else
		output_port(x, port, max_len, last);
}
