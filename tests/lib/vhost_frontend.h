/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of a vhost-user port: QEMU and the guest's driver in one, over a memfd.
 *
 * What: connects to the switch or listens for it, negotiates chosen features, shares memory with split rings,
 * sends and receives packets. Everything is exposed, so that a test can also do what no honest guest would.
 *
 * Design: each receive ring's buffers are bound to its descriptors. Calls that wait for the switch poll the
 * socket and call `pump`, when there is one, so that switch and front end can live in one thread.
 *
 * Thread-safety: one thread for each front end.
 *
 * Life cycle: frontend_open (or frontend_new + frontend_connect + frontend_negotiate) -> send, receive ->
 * frontend_close. After frontend_disconnect(), frontend_connect() and frontend_negotiate() again play a
 * switch that was restarted under a running guest.
 */
#ifndef TESTS_LIB_VHOST_FRONTEND_H
#define TESTS_LIB_VHOST_FRONTEND_H

#include <stdbool.h>
#include <stdint.h>

#include "ports/vhost/ring.h"
#include "ports/vnet.h"

enum { FRONTEND_BUFFER = 2048, FRONTEND_PACKET_MAX = 65536 + 64, FRONTEND_TX_SIZE = 70 * 1024 };

#define FRONTEND_GPA 0x100000000ull /* guest-physical address of the first region */
#define FRONTEND_UVA 0x7f0000000000ull

struct frontend_options {
	const char *path;
	bool listen;         /* the switch connects; false: it listens */
	unsigned queues;     /* pairs, 0: 1 */
	unsigned size;       /* of each ring, 0: 256 */
	uint64_t without;    /* features of the switch that are not taken */
	bool no_protocol;    /* no VHOST_USER_F_PROTOCOL_FEATURES */
	uint16_t mtu;        /* 0: not told */
	bool split;          /* memory is told as two adjacent regions */
	bool hugepages;      /* of 2 MiB, for speed */
	unsigned stride;     /* from buffer to buffer, 0: FRONTEND_BUFFER */
	unsigned timeout_ms; /* for each wait, 0: 5000 */
	void (*pump)(void *arg);
	void *pump_arg;
};

struct frontend_ring {
	struct ring_desc *desc;
	struct ring_avail *avail;
	struct ring_used *used;
	uint8_t *buffers;  /* size * options.stride, one for each descriptor */
	uint8_t *indirect; /* for each descriptor a table of 64 */
	uint16_t size;
	uint16_t next_avail; /* index to be published */
	uint16_t last_used;
	uint16_t free_head; /* tx: next free descriptor (they are used round and round) */
	uint16_t free_count;
	uint16_t held[VHOST_RING_SIZE_MAX]; /* tx: descriptors that the chain starting here takes */
	int kick_fd, call_fd;
};

struct frontend {
	struct frontend_options options;
	int listen_fd, fd, memory_fd;
	uint8_t *memory;
	size_t memory_size;
	uint64_t features; /* agreed */
	uint64_t protocol_features;
	unsigned header; /* bytes of virtio-net header */
	unsigned nrings; /* 2 * queues; even: receive */
	struct frontend_ring *rings;
	int log_fd;
	uint8_t *log;
	size_t log_size;
};

/* How a packet is laid out in descriptors. */
struct frontend_layout {
	unsigned pieces;   /* descriptors for the data, 0: 1 */
	bool header_apart; /* the virtio-net header in a descriptor of its own */
	bool indirect;
	const struct vnet_header *header; /* NULL: zeroes */
};

/* NULL on failure, with the reason on standard error. */
struct frontend *frontend_open(const struct frontend_options *o);
void frontend_close(struct frontend *f);

/* The steps of frontend_open(); bool: it worked. */
struct frontend *frontend_new(const struct frontend_options *o);
bool frontend_connect(struct frontend *f);
bool frontend_negotiate(struct frontend *f);
void frontend_disconnect(struct frontend *f);

/* One message to the switch with fds; then its answer when `reply` is not NULL. False when the connection
 * ended or nothing came in time. */
bool frontend_request(struct frontend *f, uint32_t request, const void *payload, uint32_t size,
                      const int *fds, unsigned nfds, union vhost_payload *reply);
/* A message with NEED_REPLY: the switch's verdict, 0 for success, -1 when there was none. */
int frontend_ask(struct frontend *f, uint32_t request, const void *payload, uint32_t size, const int *fds,
                 unsigned nfds);
bool frontend_set_mem_table(struct frontend *f);
bool frontend_start_ring(struct frontend *f, unsigned i);
/* GET_VRING_BASE; -1: no answer. */
int frontend_stop_ring(struct frontend *f, unsigned i);
/* Starts the dirty log: SET_LOG_BASE, then LOG_ALL and the rings' log addresses. */
bool frontend_log_start(struct frontend *f);
bool frontend_log_has(const struct frontend *f, const void *at);

/* Puts a packet on transmit ring `queue` (no kick). False: the ring is full. */
bool frontend_send(struct frontend *f, unsigned queue, const void *data, uint32_t len,
                   const struct frontend_layout *l);
/* Takes the next packet off receive ring `queue`, gives its buffers back. Length, 0: none. */
uint32_t frontend_receive(struct frontend *f, unsigned queue, void *data, uint32_t max,
                          struct vnet_header *h);
/* Reclaims what the switch has taken from transmit ring `queue`; returns how many packets. */
unsigned frontend_reclaim(struct frontend *f, unsigned queue);
void frontend_kick(struct frontend *f, unsigned ring);
/* How often the guest was called for this ring since last asked. */
uint64_t frontend_calls(struct frontend *f, unsigned ring);
/* Guest-physical address of something in f->memory. */
uint64_t frontend_gpa(const struct frontend *f, const void *at);

#endif
