/* SPDX-License-Identifier: Apache-2.0 */
/* A switch of one vhost-user port for tests: event loop, port and worker in the thread of the test, which
 * also plays the front end (tests/lib/vhost_frontend.h). */
#ifndef TESTS_LIB_VHOST_SWITCH_H
#define TESTS_LIB_VHOST_SWITCH_H

#include "ports/vhost/vhost.h"
#include "tests/lib/vhost_frontend.h"

struct test_switch {
	uv_loop_t loop;
	struct port *port;
	struct vhost_port *vhost;
	struct packet *packets[BATCH_MAX];
	char path[64];
	bool gone;
	unsigned changes; /* calls of port->changed */
};

/* `options`: "role=server queues=2"; socket= is added with a path of its own. NULL on failure. */
struct test_switch *switch_new(const char *options);
void switch_free(struct test_switch *s);
/* One turn of the event loop; front ends use it as their pump. */
void switch_pump(void *s);
/* Pumps until the condition holds; false after 5 s. */
bool switch_until(struct test_switch *s, bool (*holds)(struct test_switch *s));
bool switch_up(struct test_switch *s);
bool switch_down(struct test_switch *s);

/* Options of a front end for this switch. */
struct frontend_options switch_peer(struct test_switch *s);
/* One rx burst of queue `q` into s->packets; the caller calls switch_release(). */
unsigned switch_rx(struct test_switch *s, unsigned q);
void switch_release(struct test_switch *s, unsigned q);
void switch_tx(struct test_switch *s, struct packet *p);
struct port_counters *switch_counters(struct test_switch *s);

#endif
