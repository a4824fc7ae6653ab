/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program on a packet. Called by the pipeline for every packet. */
#include "datapath/actions.h"

#include <rte_branch_prediction.h>

#include "datapath/output.h"
#include "datapath/resume.h"
#include "datapath/rewrite.h"
#include "datapath/vxlan_port.h"

/* The packet of this branch is not needed any more. */
static void leave_packet(struct exec *x)
{
	if (!x->queued)
		clone_put(x->w, x->p);
	x->queued = false;
}

static bool save(struct exec *x)
{
	struct packet *p = x->nsaved < PROGRAM_SAVE_MAX ? clone_get(x->w) : NULL;
	struct saved *s;

	if (!p) {
		worker_drop(x->w, x->p, DROP_OUTPUT_LIMIT);
		return false;
	}
	packet_snapshot(p, x->p);
	s = &x->saved[x->nsaved++];
	s->p = p;
	s->tracked = x->tracked;
	if (x->tracked)
		s->facts = x->facts;
	return true;
}

static bool restore(struct exec *x)
{
	const struct saved *s;

	if (!x->nsaved)
		return false;
	leave_packet(x);
	s = &x->saved[--x->nsaved];
	x->p = s->p;
	x->tracked = s->tracked;
	if (s->tracked)
		x->facts = s->facts;
	return true;
}

/* Index of the OP_RESTORE that ends the branch which op `i` is in, or nops. */
static unsigned end_of_branch(const struct program *program, unsigned i)
{
	const struct op *ops = program_ops(program);
	unsigned depth = 0;

	for (i++; i < program->nops; i++) {
		if (ops[i].type == OP_SAVE)
			depth++;
		else if (ops[i].type == OP_RESTORE && depth-- == 0)
			break;
	}
	return i;
}

static void set_field(struct packet *p, const struct program *program, const struct op *op)
{
	rewrite_field(p, op->field, (const struct field_value *)program_data(program, op->arg16),
	              (const struct field_value *)program_data(program, op->arg16 + 1u));
}

/* Header changes and meters. DROP_REASON_COUNT, or why the branch ends. */
static enum drop_reason change(struct exec *x, const struct program *program, const struct op *op)
{
	struct packet *p = x->p;
	bool ok = true;

	switch (op->type) {
	case OP_SET_FIELD:
		set_field(p, program, op);
		break;
	case OP_PUSH_VLAN:
		ok = tags_push_vlan(p, op->arg16);
		break;
	case OP_POP_VLAN:
		ok = tags_pop_vlan(p);
		break;
	case OP_PUSH_MPLS:
		ok = tags_push_mpls(p, op->arg16);
		break;
	case OP_POP_MPLS:
		ok = tags_pop_mpls(p, op->arg16);
		break;
	case OP_PUSH_PBB:
		ok = tags_push_pbb(p, op->arg16);
		break;
	case OP_POP_PBB:
		ok = tags_pop_pbb(p);
		break;
	case OP_DEC_TTL:
		return rewrite_dec_ttl(p) ? DROP_REASON_COUNT : DROP_TTL_EXPIRED;
	case OP_DEC_MPLS_TTL:
		return rewrite_dec_mpls_ttl(p) ? DROP_REASON_COUNT : DROP_TTL_EXPIRED;
	case OP_COPY_TTL_IN:
		rewrite_copy_ttl_in(p);
		break;
	case OP_COPY_TTL_OUT:
		rewrite_copy_ttl_out(p);
		break;
	case OP_METER:
		return meter_packet(x->w, p, op->arg32);
	case OP_DROP:
		return op->arg16;
	default:
		return DROP_PROGRAM_LIMIT; /* an op of a newer translator */
	}
	return ok ? DROP_REASON_COUNT : DROP_NO_HEADROOM;
}

/* Ops that send or report. False: `op` is none of them. */
static bool deliver(struct exec *x, const struct program *program, const struct op *op, bool last)
{
	switch (op->type) {
	case OP_OUTPUT:
		output_number(x, op->arg32, op->arg16, last);
		return true;
	case OP_FLOOD:
	case OP_ALL:
		output_flood(x, op->arg32, op->type == OP_ALL, last);
		return true;
	case OP_NORMAL:
		output_normal(x, op->arg32, last);
		return true;
	case OP_CONTROLLER:
		report_packet_in(x, (const struct program_controller *)program_data(program, op->arg16));
		return true;
	case OP_CT:
		ct_execute(x, program, op, last);
		return true;
	case OP_LEARN:
	case OP_FIN_TIMEOUT:
		/* The program is this worker's own; it keeps the time of the last report. */
		report_to_tables(x, (struct program_report *)(uintptr_t)program_data(program, op->arg16));
		return true;
	default:
		return false;
	}
}

/* Not all of it: `saved` and `facts` are large, and others say what of them is valid. */
static void exec_begin(struct exec *x, struct worker *w, struct packet *p, const struct mkey *key,
                       unsigned depth)
{
	x->w = w;
	x->key = key;
	x->p = p;
	x->queued = x->tracked = false;
	x->depth = depth;
	x->outputs = x->nsaved = 0;
}

void actions_execute(struct worker *w, struct packet *p, const struct mkey *key,
                     const struct program *program, unsigned depth)
{
	struct exec x;
	const struct op *ops = program_ops(program);
	unsigned n = program->nops;

	exec_begin(&x, w, p, key, depth);
	if (!n)
		worker_drop(w, p, program->drop_reason);
	for (unsigned i = 0; i < n; i++) {
		const struct op *op = &ops[i];
		enum drop_reason drop;

		if (deliver(&x, program, op, i + 1 == n || op[1].type == OP_RESTORE))
			continue;
		if (op->type == OP_SAVE) {
			if (save(&x))
				continue;
			break;
		}
		if (op->type == OP_RESTORE) {
			if (restore(&x))
				continue;
			break;
		}
		drop = change(&x, program, op);
		if (drop != DROP_REASON_COUNT) {
			worker_drop(w, x.p, drop);
			i = end_of_branch(program, i) - 1;
		}
	}
	leave_packet(&x);
	while (x.nsaved)
		clone_put(w, x.saved[--x.nsaved].p);
}

/* The port of that number when a packet no longer than `*max` can be queued to it without further ado, or put
 * into its tunnel. */
static struct port *plain_port(const struct worker *w, uint32_t number, uint32_t *max)
{
	struct port *port = number ? worker_port(w, number) : NULL;

	if (!port || port->is_uplink || (port->config & (PORT_CONFIG_DOWN | PORT_CONFIG_NO_FWD)))
		return NULL;
	/* L3 begins behind the Ethernet header at the earliest. */
	*max = port->mtu ? port->mtu + (uint32_t)sizeof(struct eth_header) : UINT32_MAX;
	return port;
}

void actions_execute_batch(struct worker *w, unsigned n)
{
	const uint32_t *outputs = cache_outputs(w->cache);
	struct txq *q = NULL; /* the last one; what flushes makes it invalid */
	struct port *port = NULL;
	uint32_t last = 0, max = 0;
	bool tunnel = false;

	for (unsigned i = 0; i < n; i++) {
		struct packet *p = w->pkts[i];
		struct port *to;

		if (outputs[i] != last) {
			last = outputs[i];
			port = plain_port(w, last, &max);
			tunnel = port && vxlan_port_is(port);
		}
		if (unlikely(!port || p->len > max)) {
			actions_execute(w, p, &w->keys[i], w->programs[i], 0);
			q = NULL;
			continue;
		}
		to = tunnel ? vxlan_port_encap(w, &w->keys[i], port, p) : port;
		if (unlikely(!to)) {
			q = NULL;
			continue;
		}
		if (unlikely(!q || q->port != to || q->n == BATCH_MAX))
			q = output_txq(w, to);
		q->pkts[q->n++] = p;
	}
}
