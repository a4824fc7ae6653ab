/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port type "memory": a test is the peer.
 *
 * What: memory_inject() puts a frame (with offload metadata and in as many pieces as wanted) where the next
 * rx burst finds it; memory_collect() takes what tx wrote, with the offload metadata that a capable peer
 * would have been told. Options: caps=N (enum port_cap bits), mtu=N, queues=N, uplink=1 with ifindex=N.
 *
 * Thread-safety: inject and collect may run in another thread than the workers: a mutex per port. It is a
 * test's port; nobody measures it.
 *
 * Life cycle: as every port. Frames that nobody collected are freed with it.
 */
#ifndef PORTS_MEMORY_H
#define PORTS_MEMORY_H

#include "ports/port.h"

enum { MEMORY_QUEUE_MAX = 4096 };

struct memory_frame {
	struct memory_frame *next;
	uint32_t len;
	/* offload metadata as in struct packet */
	uint16_t flags, csum_start, csum_offset, gso_size;
	uint8_t gso;
	struct packet_tunnel tunnel; /* as if it had come out of one, and what it would be put into */
	/* inject: bytes in the head at first (0: as a real port does) and of each further piece (0: one) */
	uint16_t head_len, piece_len;
	uint8_t data[];
};

extern const struct port_type port_type_memory;

/* An empty frame of `len` bytes to be filled, then injected. NULL: no memory. */
struct memory_frame *memory_frame_alloc(uint32_t len);
/* Takes `f` over. -ENOBUFS when MEMORY_QUEUE_MAX frames wait (then `f` is freed). */
int memory_inject(struct port *p, unsigned queue, struct memory_frame *f);
/* The oldest frame sent by the port, to be freed by the caller; NULL: none. */
struct memory_frame *memory_collect(struct port *p);
/* Frames injected that no burst has taken yet. */
unsigned memory_waiting(struct port *p, unsigned queue);
/* The VTEP addresses that the datapath has told an uplink; returns how many. */
unsigned memory_vteps(struct port *p, struct ip_addr *out, unsigned max);
/* From now on the port has these caps, carrier and MTU; the datapath is told. */
void memory_change(struct port *p, uint32_t caps, bool carrier, uint32_t mtu);

#endif
