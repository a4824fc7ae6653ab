/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a scenario sends and receives frames: a vhost-user port of the switch (the endpoint plays the guest),
 * or a netdev of the kernel (a packet socket).
 *
 * Thread-safety: one thread. Life cycle: endpoint_open -> send, receive -> endpoint_close.
 */
#ifndef TESTS_PKTGEN_ENDPOINT_H
#define TESTS_PKTGEN_ENDPOINT_H

#include <stdint.h>

#include "base/error.h"
#include "ports/vnet.h"

struct endpoint;

struct controller;

/* The controller's end (not owned): packet-ins are received, packet-outs to the tables sent. NULL: no memory.
 */
struct endpoint *endpoint_of_controller(struct controller *c);
/* "vhost-connect:PATH" (the switch listens), "vhost-listen:PATH" (the switch connects) or "netdev:NAME". NULL
 * and `e` on error. vhost waits for the switch, 10 s at most. */
struct endpoint *endpoint_open(const char *where, struct error *e);
void endpoint_close(struct endpoint *ep);

/* Sends a frame, with a virtio-net header when `h` is given (a guest's endpoint only). 0 or -errno. */
int endpoint_send(struct endpoint *ep, const void *frame, uint32_t len, const struct vnet_header *h);
/* Length of the next frame received, 0: none now. */
uint32_t endpoint_receive(struct endpoint *ep, void *frame, uint32_t max);

#endif
