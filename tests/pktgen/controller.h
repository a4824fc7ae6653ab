/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller's side of a scenario: sets flows, groups and meters, takes packet-ins, sends packet-outs.
 * One OpenFlow 1.3 connection to the switch's management socket.
 *
 * Thread-safety: one thread. Life cycle: controller_open -> calls -> controller_close. Every wait is bounded;
 * an error that the switch replies with fails the call that asked.
 */
#ifndef TESTS_PKTGEN_CONTROLLER_H
#define TESTS_PKTGEN_CONTROLLER_H

#include <stdint.h>

#include "base/error.h"

/* The EtherType of markers: frames that controller_clear() sends to all ports and to the controller. */
enum { MARKER_TYPE = 0x88b5 };

struct controller;

struct controller *controller_open(const char *path, struct error *e);
void controller_close(struct controller *c); /* NULL is legal */

/* In the grammar of weft-ofctl; in effect for the next packet when it returns. */
int controller_flow(struct controller *c, const char *text, struct error *e);
int controller_group(struct controller *c, const char *text, struct error *e);
/* "ID pktps|kbps RATE BURST drop|remark LEVEL" */
int controller_meter(struct controller *c, const char *text, struct error *e);
/* OFPPC_* bits of a port that was there when the connection was made. */
int controller_config(struct controller *c, uint32_t port, uint32_t config, struct error *e);
/* Takes everything away and sets the flow for markers. */
int controller_clear(struct controller *c, struct error *e);

/* The frame of the next packet-in, 0: none now. */
uint32_t controller_receive(struct controller *c, void *frame, uint32_t max);
/* A packet-out to the tables. 0 or -errno. */
int controller_send(struct controller *c, const void *frame, uint32_t len);

#endif
