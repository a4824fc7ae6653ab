/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet on its way through a program, and the queues it ends in. Private to datapath/.
 *
 * Design: a queue per port that the batch has reached; a packet that goes on after an output leaves a
 * snapshot in it. Queues go to their ports' tx when they are full, when snapshots run out, and at the end of
 * the batch.
 *
 * Thread-safety: of one worker.
 *
 * Life cycle: exec_begin -> ops change x->p and output it -> exec_end. Queued packets and the payload they
 * refer to stay as they are until output_flush().
 */
#ifndef DATAPATH_OUTPUT_H
#define DATAPATH_OUTPUT_H

#include "datapath/worker.h"
#include "flows/ct.h"

/* What comes back at the end of a branch. */
struct saved {
	struct packet *p;
	bool tracked;
	struct ct_facts facts;
};

struct exec {
	struct worker *w;
	const struct mkey *key; /* the packet as it came in */
	struct packet *p;       /* as it is now */
	bool queued;            /* p itself waits for tx: it must not be touched any more */
	unsigned depth;         /* times the packet has been resumed */
	bool tracked;           /* `facts` are what the last ct action has found of x->p */
	struct ct_facts facts;
	unsigned outputs;
	unsigned nsaved;
	struct saved saved[PROGRAM_SAVE_MAX];
};

/* Sends x->p, or at most `max_len` bytes of it when that is not 0, out of `port`. `last`: nothing will be
 * done with x->p afterwards, so that it is queued itself instead of a snapshot. */
void output_port(struct exec *x, struct port *port, uint16_t max_len, bool last);
/* The same by number. */
void output_number(struct exec *x, uint32_t ofport, uint16_t max_len, bool last);

/* FLOOD, ALL: out of all ports but number `except` (and NO_FLOOD ones unless `all`). */
void output_flood(struct exec *x, uint32_t except, bool all, bool last);
/* NORMAL: learns, looks the destination up, floods what is unknown; the packet counts as come in on `except`,
 * where it never goes. */
void output_normal(struct exec *x, uint32_t except, bool last);

/* The queue of `port`, which has room for one packet; valid until anything is flushed. */
struct txq *output_txq(struct worker *w, struct port *port);
/* Queues a packet that is not touched any more. */
void output_queue(struct worker *w, struct port *port, struct packet *p);
/* Everything queued leaves; clones come back. */
void output_flush(struct worker *w);

/* A packet from the worker's clones (contents undefined), flushing early when there is none left; NULL when
 * even that does not help. The reverse; does nothing for a packet that is not a clone. */
struct packet *clone_get(struct worker *w);
void clone_put(struct worker *w, struct packet *p);

/* VXLAN interfaces (datapath/vxlan_port.c): encapsulates `p`, which came in as `key`. The uplink that it is
 * to be queued to; NULL: it went another way or was dropped, and queues may have been flushed. */
struct port *vxlan_port_encap(struct worker *w, const struct mkey *key, struct port *port, struct packet *p);
/* The same, queued. */
void vxlan_port_output(struct worker *w, const struct mkey *key, struct port *port, struct packet *p);
/* datapath/toobig.c: `p` (not consumed) is larger than `mtu` at L3 and would have left through `port`:
 * answers its sender where that is allowed, else fragments or drops it, and counts `reason`. */
void toobig_handle(struct exec *x, struct port *port, struct packet *p, uint32_t mtu,
                   enum drop_reason reason);

/* datapath/report.c */
void report_learned(struct worker *w, uint16_t vlan, struct mac mac, uint32_t port);
void report_packet_in(struct exec *x, const struct program_controller *place);
/* OP_LEARN, OP_FIN_TIMEOUT: tells the control thread if it is due. */
void report_to_tables(struct exec *x, struct program_report *what);
/* Wakes the control thread if there is news. */
void report_notify(struct worker *w);

#endif
