/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole way of a packet, a batch at a time; called by worker.c.
 *
 *	rx -> (decap) -> parse -> lookup -> actions -> (encap) -> output queues -> tx -> release
 */
#include "datapath/pipeline.h"

#include <string.h>

#include <rte_branch_prediction.h>

#include "datapath/actions.h"
#include "datapath/output.h"
#include "datapath/parse.h"
#include "datapath/parse_plain.h"
#include "datapath/report_private.h"
#include "datapath/resume.h"
#include "overlay/vxlan/vxlan.h"
#include "ports/segment.h"
#include "ports/vnet.h"

/* The key remembers where a packet came from; its way out of another tunnel has nothing to do with that, but
 * the network it is in (tun_id) stays until somebody sets another. */
static void forget_tunnel(struct packet *p)
{
	p->tunnel = (struct packet_tunnel){.id = p->tunnel.id};
}

static void parse(struct worker *w, unsigned n, bool tunnel)
{
	for (unsigned i = 0; i < n; i++) {
		if (!parse_plain(w->pkts[i], &w->keys[i]))
			parse_packet(w->pkts[i], &w->keys[i]);
		else if (packet_has_tunnel(w->pkts[i]))
			parse_tunnel(w->pkts[i], &w->keys[i]);
		w->lens[i] = w->pkts[i]->len;
		if (tunnel)
			forget_tunnel(w->pkts[i]);
	}
}

/* Packet i of the batch takes place `to`, which is free. */
static void keep(struct worker *w, unsigned i, unsigned to)
{
	struct packet *p = w->pkts[i];

	if (to == i)
		return;
	w->pkts[i] = w->pkts[to];
	w->pkts[to] = p;
	w->lens[to] = w->lens[i];
	w->keys[to] = w->keys[i];
}

/* Called for OFPC_FRAG_DROP alone. */
static unsigned drop_fragments(struct worker *w, struct port *port, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (w->keys[i].flags & FLOW_FRAG_ANY) {
			port_drop(port, w->id, DROP_FRAGMENT, 1);
			continue;
		}
		keep(w, i, kept++);
	}
	return kept;
}

static bool may_receive(struct worker *w, struct port *port, unsigned n)
{
	if (!(port->config & (PORT_CONFIG_DOWN | PORT_CONFIG_NO_RECV)))
		return true;
	port_drop(port, w->id, DROP_PORT_BLOCKED, n);
	return false;
}

/* Anything but VXLAN for a VTEP of ours: the kernel owns the uplink's addresses, and puts fragments together.
 */
static bool is_foreign(int why)
{
	return why == DROP_UNDERLAY_OTHER || why == DROP_TUNNEL_NOT_OURS || why == DROP_TUNNEL_FRAGMENT;
}

static void refuse(struct worker *w, struct port *uplink, struct packet *p, int why)
{
	if (uplink->ops->to_kernel && is_foreign(why))
		uplink->ops->to_kernel(uplink, w->id, p);
	else
		port_drop(uplink, w->id, (enum drop_reason)why, 1);
}

/* What comes from the underlay goes on as a packet of the vxlan port that takes it; the rest ends here. */
static unsigned decap(struct worker *w, struct port *uplink, unsigned n)
{
	const struct topology *t = w->topology;
	unsigned kept = 0, which;

	for (unsigned i = 0; i < n; i++) {
		struct packet *p = w->pkts[i];
		int rc = vxlan_decap(t->vteps, t->nvteps, &w->tunnels, p, &which);
		struct port *port;

		if (rc != VXLAN_OK) {
			refuse(w, uplink, p, rc);
			continue;
		}
		port = t->vteps[which]->user;
		if (!may_receive(w, port, 1))
			continue;
		p->in_port = port->ofport;
		port->counters[w->id]->rx_packets++;
		port->counters[w->id]->rx_bytes += p->len;
		w->pkts[i] = w->pkts[kept];
		w->pkts[kept++] = p;
	}
	return kept;
}

/* An uplink's front end that left a checksum open said so of the outer packet; what it will be written to
 * must be the inner one's, not a field that flows are about to be matched on. */
static unsigned drop_odd_checksums(struct worker *w, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		struct packet *p = w->pkts[i];

		if (unlikely(p->flags & PACKET_NEEDS_CSUM) &&
		    (!p->l4 || !vnet_csum_place_ok(p->l4_proto, p->l4, p->csum_start, p->csum_offset))) {
			worker_drop(w, p, DROP_RX_BAD_OFFLOAD);
			continue;
		}
		keep(w, i, kept++);
	}
	return kept;
}

const uint32_t *pipeline_frames(void *worker, unsigned n)
{
	struct worker *w = worker;

	for (unsigned i = 0; i < n; i++)
		w->frames[i] = segment_frame_len(w->looked_up[i]);
	return w->frames;
}

unsigned pipeline_run(struct worker *w, struct port_rxq *q)
{
	struct port *port = q->port;
	unsigned received = q->ops->rx(q, w->pkts, q->most ? q->most : BATCH_MAX), n = received;

	if (!received) {
		q->ops->release(q); /* of what rx itself has dropped */
		return 0;
	}
	if (!may_receive(w, port, n))
		n = 0;
	if (port->is_uplink)
		n = decap(w, port, n);
	parse(w, n, port->is_uplink);
	if (port->is_uplink)
		n = drop_odd_checksums(w, n);
	if (unlikely(parse_fragments() == FRAGMENTS_DROP))
		n = drop_fragments(w, port, n);
	w->normal = (struct normal_memory){0};
	w->looked_up = w->pkts;
	cache_lookup(w->cache, w->now, w->keys, w->lens, n, w->programs);
	ct_prefetch(w, n);
	actions_execute_batch(w, n);
	if (w->nresumed)
		resume_all(w);
	output_flush(w);
	q->ops->release(q);
	w->stats.packets += received;
	w->stats.batches++;
	return received;
}

unsigned pipeline_inject(struct worker *w)
{
	const struct inject_record *r;
	unsigned n = 0;
	uint32_t len;

	while (n < BATCH_MAX && (r = record_ring_peek(&w->inject, &len))) {
		const uint8_t *program = (const uint8_t *)(r + 1);

		packet_view(w->pkts[0], r->in_port, program + r->program_bytes, r->len);
		parse_packet(w->pkts[0], &w->keys[0]);
		w->keys[0].flags |= MKEY_INJECTED;
		actions_execute(w, w->pkts[0], &w->keys[0], (const struct program *)program, 0);
		resume_all(w);
		output_flush(w);
		record_ring_pop(&w->inject);
		n++;
	}
	return n;
}
