/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole datapath in one thread: tables, one worker that runs only when the test says so, memory ports.
 *
 *	struct test_switch s;
 *	test_switch_init(&s, NULL, NULL);
 *	test_switch_port(&s, 1, "{}");
 *	test_switch_flow(&s, "in_port=1,actions=output:2");
 *	test_switch_send(&s, 1, frame, len);
 *	f = test_switch_take(&s, 2);
 */
#ifndef TESTS_LIB_SWITCH_H
#define TESTS_LIB_SWITCH_H

#include <uv.h>

#include "datapath/datapath.h"
#include "flows/continuation.h"
#include "flows/dp/tables.h"
#include "ports/memory.h"

struct frame;
struct meter_mod;

struct test_switch {
	uv_loop_t *loop; /* may be NULL */
	struct tables *tables;
	struct datapath *dp;
	/* the last packet-in */
	unsigned packet_ins;
	struct program_controller place;
	struct flow_key packet_in_key;
	uint8_t packet_in[PACKET_IN_MAX];
	uint32_t packet_in_len, packet_in_total;
	bool is_paused; /* and how it goes on */
	struct continuation continuation;
};

/* `underlay` and `loop` are needed for vxlan ports only. Aborts when it fails. */
void test_switch_init(struct test_switch *s, uv_loop_t *loop, struct underlay *underlay);
/* The same with several workers, for tests that run them in threads of their own. */
void test_switch_init_workers(struct test_switch *s, uv_loop_t *loop, struct underlay *underlay,
                              unsigned workers);
void test_switch_free(struct test_switch *s);

/* A memory port "p<number>" with options in JSON; aborts when it fails. */
struct port *test_switch_port(struct test_switch *s, uint32_t number, const char *options);
/* Any port. */
struct port *test_switch_add(struct test_switch *s, const char *name, const char *type, uint32_t number,
                             const char *options);
/* Adds a flow or group in the grammar of weft-ofctl; aborts when it fails. */
void test_switch_flow(struct test_switch *s, const char *text);
void test_switch_group(struct test_switch *s, const char *text);
void test_switch_meter(struct test_switch *s, const struct meter_mod *mm);

/* Injects, without running. */
void test_switch_inject(struct test_switch *s, uint32_t port, const void *frame, uint32_t len);
/* The same of a large TCP segment over IPv4 with a partial checksum, in pieces, to be cut into segments of
 * `mss` bytes. */
void test_switch_inject_tso(struct test_switch *s, uint32_t port, const struct frame *frame, uint16_t mss);
/* Runs the worker and the control side until nothing is left to do. */
void test_switch_run(struct test_switch *s);
/* Injects and runs. */
void test_switch_send(struct test_switch *s, uint32_t port, const void *frame, uint32_t len);
/* What the port has sent, oldest first; NULL: nothing. The caller frees it. */
struct memory_frame *test_switch_take(struct test_switch *s, uint32_t port);
/* The next frame that the port has sent must be this one; aborts with what differs when it is not. `what` is
 * told. */
void test_switch_expect(struct test_switch *s, uint32_t port, const void *data, uint32_t len,
                        const char *what);
/* Takes and frees all; how many there were. */
unsigned test_switch_count(struct test_switch *s, uint32_t port);
/* Drops for `reason` anywhere. */
uint64_t test_switch_drops(struct test_switch *s, enum drop_reason reason);
/* Executes actions on a frame. */
void test_switch_packet_out(struct test_switch *s, uint32_t in_port, const char *actions, const void *frame,
                            uint32_t len);

#endif
