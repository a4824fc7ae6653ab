/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker tells the control thread. Called by actions.c and flood.c; drained in datapath_reports.c. */
#include "datapath/report_private.h"

#include <string.h>
#include <unistd.h>

#include "base/checksum.h"
#include "datapath/output.h"

void report_learned(struct worker *w, uint16_t vlan, struct mac mac, uint32_t port)
{
	struct learn_report *r = record_ring_reserve(&w->learned, sizeof(*r));

	if (!r) {
		w->stats.reports_lost++; /* the next packet reports it again */
		return;
	}
	*r = (struct learn_report){.mac = mac, .vlan = vlan, .port = port};
	record_ring_commit(&w->learned, sizeof(*r));
	w->reported = true;
}

/* The controller has no place for "checksum still to be done": it is done in the copy, when all is there. */
static void finish_checksum(const struct packet *p, uint8_t *data, uint32_t len)
{
	uint32_t field = (uint32_t)p->csum_start + p->csum_offset;
	be16 csum;

	if (!(p->flags & PACKET_NEEDS_CSUM) || p->gso != GSO_NONE || len < p->len || field + 2 > len)
		return;
	csum = csum_finish_field(csum_bytes(data + p->csum_start, len - p->csum_start), p->csum_offset);
	memcpy(data + field, &csum, 2);
}

void report_packet_in(struct exec *x, const struct program_controller *place)
{
	struct worker *w = x->w;
	struct port *in = worker_port(w, x->p->in_port);
	uint32_t more = (uint32_t)place->regs_len + place->resume_len + place->userdata_len;
	uint32_t len = x->p->len < PACKET_IN_MAX ? x->p->len : PACKET_IN_MAX;
	struct packet_report *r;
	uint8_t *frame;

	if (in && (in->config & PORT_CONFIG_NO_PACKET_IN)) {
		port_drop(in, w->id, DROP_PORT_BLOCKED, 1);
		return;
	}
	r = record_ring_reserve(&w->reports, (uint32_t)sizeof(*r) + more + len);
	if (!r) {
		worker_drop(w, x->p, DROP_NO_CONTROLLER);
		w->stats.reports_lost++;
		return;
	}
	r->head.is_flow_report = false;
	r->key = *x->key;
	r->tunnel = x->p->tunnel;
	r->place = *place;
	r->total_len = x->p->len;
	memcpy(r + 1, place + 1, more); /* the units after it */
	frame = (uint8_t *)(r + 1) + more;
	packet_copy_out(x->p, 0, len, frame);
	finish_checksum(x->p, frame, len);
	r->len = len; /* all of it: nothing is kept here that could be asked for later (OpenFlow 7.4.1) */
	record_ring_commit(&w->reports, (uint32_t)sizeof(*r) + more + r->len);
	w->stats.packet_ins++;
	w->reported = true;
}

void report_to_tables(struct exec *x, struct program_report *what)
{
	struct worker *w = x->w;
	uint32_t bytes = what->units * 16u;
	struct report_head *r;

	if (!program_report_due(what, w->now))
		return;
	r = record_ring_reserve(&w->reports, (uint32_t)sizeof(*r) + bytes);
	if (!r) {
		w->stats.reports_lost++; /* the next packet reports it again */
		return;
	}
	what->told = w->now;
	r->is_flow_report = true;
	memcpy(r + 1, what, bytes);
	record_ring_commit(&w->reports, (uint32_t)sizeof(*r) + bytes);
	w->reported = true;
}

void report_notify(struct worker *w)
{
	uint64_t one = 1;

	if (!w->reported)
		return;
	w->reported = false;
	if (!__atomic_exchange_n(&w->dp->notified, true, __ATOMIC_ACQ_REL))
		(void)!write(w->dp->report_fd, &one, sizeof(one));
}
