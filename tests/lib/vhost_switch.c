/* SPDX-License-Identifier: Apache-2.0 */
/* A one-port switch in the thread of a test; see vhost_switch.h. */
#include "tests/lib/vhost_switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dp/rcu.h"
#include "ports/vhost/port.h"

static json_t *parse(const char *text, const char *path)
{
	json_t *o = json_object();
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(word, '=');

		*eq = 0;
		json_object_set_new(o, word, json_string(eq + 1));
	}
	json_object_set_new(o, "socket", json_string(path));
	return o;
}

static void on_change(struct port *p, void *arg)
{
	((struct test_switch *)arg)->changes++;
}

struct test_switch *switch_new(const char *options)
{
	static unsigned count;
	struct test_switch *s = calloc(1, sizeof(*s));
	struct port_env env = {.loop = &s->loop, .nworkers = 1};
	struct error e = {{0}};
	json_t *o;

	rcu_init();
	uv_loop_init(&s->loop);
	snprintf(s->path, sizeof(s->path), "/tmp/weft-test-%d-%u.sock", getpid(), count++);
	o = parse(options, s->path);
	if (port_type_vhost.create(&env, "vm1", 7, o, &s->port, &e)) {
		fprintf(stderr, "vhost-user port: %s\n", e.text);
		json_decref(o);
		free(s);
		return NULL;
	}
	json_decref(o);
	s->vhost = (struct vhost_port *)s->port;
	s->port->changed = on_change;
	s->port->changed_arg = s;
	for (unsigned i = 0; i < BATCH_MAX; i++)
		s->packets[i] = aligned_alloc(64, (sizeof(struct packet) + 63) & ~63ul);
	return s;
}

void switch_pump(void *arg)
{
	struct test_switch *s = arg;

	rcu_poll();
	uv_run(&s->loop, UV_RUN_NOWAIT);
	rcu_poll();
}

static void on_gone(void *arg)
{
	((struct test_switch *)arg)->gone = true;
}

void switch_free(struct test_switch *s)
{
	s->port->ops->destroy(s->port, on_gone, s);
	while (!s->gone || uv_loop_alive(&s->loop) || rcu_pending())
		switch_pump(s);
	uv_loop_close(&s->loop);
	for (unsigned i = 0; i < BATCH_MAX; i++)
		free(s->packets[i]);
	free(s);
}

bool switch_until(struct test_switch *s, bool (*holds)(struct test_switch *s))
{
	uint64_t until = clock_now() + 5000000000ull;

	while (!holds(s)) {
		if (clock_now() > until)
			return false;
		switch_pump(s);
	}
	return true;
}

bool switch_up(struct test_switch *s)
{
	return s->port->carrier;
}

bool switch_down(struct test_switch *s)
{
	return !s->port->carrier;
}

struct frontend_options switch_peer(struct test_switch *s)
{
	return (struct frontend_options){.path = s->path,
	                                 .listen = s->vhost->link.role == VHOST_CLIENT,
	                                 .queues = s->vhost->queues,
	                                 .pump = switch_pump,
	                                 .pump_arg = s};
}

unsigned switch_rx(struct test_switch *s, unsigned q)
{
	return s->port->ops->rx(&s->port->rxq[q], s->packets, BATCH_MAX);
}

void switch_release(struct test_switch *s, unsigned q)
{
	s->port->ops->release(&s->port->rxq[q]);
}

void switch_tx(struct test_switch *s, struct packet *p)
{
	s->port->ops->tx(s->port, 0, &p, 1);
}

struct port_counters *switch_counters(struct test_switch *s)
{
	return s->port->counters[0];
}
