/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's standing OpenFlow connection: punted packets come in, answers go out, and its end tells that
 * the switch went away. Flows are changed over connections of their own (switch_flows.h).
 *
 * Design: connects by itself, again after CHANNEL_RETRY_MS when it could not. Asks for the packets of
 * AGENT_CONTROLLER_ID only.
 *
 * Thread-safety: the loop's thread. Life cycle: switch_channel_create -> events -> switch_channel_destroy,
 * then run the loop until its handles are closed.
 */
#ifndef CONTROL_AGENT_SWITCH_CHANNEL_H
#define CONTROL_AGENT_SWITCH_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct switch_channel;

enum { CHANNEL_RETRY_MS = 200, CHANNEL_QUEUE_MAX = 4 << 20 };

struct switch_channel_events {
	void (*up)(void *arg);
	void (*down)(void *arg);
	void (*ports)(void *arg); /* some port came, went, or changed */
	void (*packet)(void *arg, uint64_t cookie, uint32_t in_port, const uint8_t *frame, size_t len);
	void *arg;
};

/* `path`: the bridge's socket. NULL: no memory. */
struct switch_channel *switch_channel_create(uv_loop_t *loop, const char *path,
                                             const struct switch_channel_events *events);
void switch_channel_destroy(struct switch_channel *c);

/* Sends a frame out of a port. Lost when the switch is away or does not read. */
void switch_channel_send(struct switch_channel *c, uint32_t port, const uint8_t *frame, size_t len);

#endif
