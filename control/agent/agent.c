/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's loop; see agent.h. Called by main.c. */
#include "control/agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/log.h"
#include "control/agent/answer.h"
#include "control/agent/claim.h"
#include "control/agent/host_flows.h"
#include "control/agent/memory.h"
#include "control/agent/status.h"
#include "control/agent/switch_channel.h"
#include "control/agent/switch_flows.h"
#include "control/agent/switch_interfaces.h"
#include "control/agent/switch_zones.h"
#include "control/net/tls_context.h"
#include "control/store/serve.h"

struct agent {
	struct agent_options options;
	uv_loop_t *loop;
	struct store *store;
	struct store_service *service;
	struct rpc_server *server;
	struct memory memory;
	struct scene scene;
	struct switch_channel *channel;
	struct answerer *answerer;
	struct status *status;
	struct host_flows flows; /* that the switch has, unless `compare` */
	uint64_t interfaces_version;
	bool connected;    /* to the switch */
	bool compare;      /* the switch's state with ours, as a whole, at the next chance */
	bool behind;       /* the store has more than could be read */
	uint64_t answered; /* of scene.asked */
	uv_poll_t changes; /* of the store */
	uv_timer_t timer;  /* the next comparison */
	uv_timer_t ports;  /* a little after ports have changed: their state is told */
	uv_timer_t late;   /* the view has gathered changes */
	uv_timer_t second; /* some ports get a router advertisement */
	unsigned seconds;
	char switch_socket[108], bridge_socket[128], ports_dir[108], status_key[STORE_KEY_MAX];
};

/* With other hosts: it is away sometimes, and others come to it at the same time. */
static bool shares_store(const struct agent *a)
{
	return strncmp(a->options.store, "sqlite:", 7) != 0;
}

/* ---- the switch ---- */

static int pass_over(struct flow *had, struct flow *wanted, void *arg)
{
	return 0;
}

static int repair_flows(struct agent *a, struct switch_flows *s)
{
	struct flow_set all = {0};
	int rc = host_flows_update(&a->flows, &a->scene, pass_over, NULL);

	if (!rc)
		rc = host_flows_all(&a->flows, &all);
	if (!rc)
		rc = switch_flows_repair(s, &all);
	flow_set_free(&all);
	return rc;
}

static int change_flows(struct agent *a, struct switch_flows *s)
{
	int rc = host_flows_update(&a->flows, &a->scene, switch_flows_change, s);

	if (!rc)
		return switch_flows_commit(s);
	switch_flows_abandon(s);
	return rc;
}

static int update_flows(struct agent *a, struct error *e)
{
	struct switch_flows s = {.path = a->bridge_socket, .timeout_ms = AGENT_CALL_MS, .e = e};
	int rc;

	*e = (struct error){""};
	rc = a->compare ? repair_flows(a, &s) : change_flows(a, &s);
	if (rc)
		return *e->text ? rc : error_set(e, -rc, "some flows could not be made");
	if (s.added + s.changed + s.removed)
		log_info("revision %lld: %zu flows added, %zu changed, %zu removed", (long long)a->scene.rev,
		         s.added, s.changed, s.removed);
	return 0;
}

static int update_switch(struct agent *a, struct error *e)
{
	bool interfaces = a->compare || a->scene.interfaces_version != a->interfaces_version;
	json_t *there = NULL;
	int rc = 0;

	if (interfaces)
		rc = switch_interfaces_prepare(a->switch_socket, AGENT_CALL_MS, &a->scene, &there, e);
	if (!rc)
		rc = update_flows(a, e);
	if (!rc)
		rc = switch_zones_clear(a->bridge_socket, AGENT_CALL_MS, &a->scene, there, e);
	if (!rc && interfaces)
		rc = switch_interfaces_add(a->switch_socket, AGENT_CALL_MS, &a->scene, there, e);
	json_decref(there);
	a->interfaces_version = rc ? 0 : a->scene.interfaces_version; /* 1: tried again at the next change */
	a->compare = rc < 0;
	return rc < 0 ? rc : 0;
}

/* The store may have changed: who waits for that? */
static void wake_waiters(struct agent *a)
{
	if (a->service)
		store_serve_changed(a->service);
}

static void on_late(uv_timer_t *timer);

/* 1: something has changed; 0; or -errno, which is logged once. */
static int follow_store(struct agent *a)
{
	struct error e = {""};
	int rc = view_refresh(a->memory.view, &e);

	if (rc == VIEW_CHANGES_SOON) {
		if (!uv_is_active((uv_handle_t *)&a->late))
			uv_timer_start(&a->late, on_late, VIEW_LATE_MS + 1, 0);
		rc = VIEW_SAME;
	}
	if (rc < 0 && !a->behind)
		log_warn("store: %s; what is known stays", e.text);
	if (rc >= 0 && a->behind)
		log_info("store: followed to revision %lld", (long long)view_rev(a->memory.view));
	if (!rc && a->behind)
		rc = 1;
	a->behind = rc < 0;
	return rc;
}

static int update_scene(struct agent *a, struct error *e)
{
	return scene_update(&a->scene, a->memory.view, a->options.host, a->ports_dir, e);
}

/* Who asks has changed something, and what tells us that he asks may be faster than what tells of the change.
 * `*rev`: so far we have come. */
static int catch_up(struct agent *a, int64_t *rev, struct error *e)
{
	struct error why;
	int rc = view_catch_up(a->memory.view, rev, e), built;

	if (rc == VIEW_SAME)
		return 0;
	built = update_scene(a, rc < 0 ? &why : e); /* it borrows from what was */
	if (rc < 0 || built)
		return rc < 0 ? rc : built;
	memory_changed(&a->memory);
	return update_switch(a, e);
}

static int answer_who_asked(struct agent *a)
{
	uint64_t asked = a->scene.asked;
	int64_t rev = a->scene.rev;
	char value[64];
	struct store_op op = {a->status_key, value};
	struct store_txn txn = {.ops = &op, .n_ops = 1};
	struct error e;
	int rc = shares_store(a) ? catch_up(a, &rev, &e) : 0;

	snprintf(value, sizeof(value), "{\"rev\":%lld}", (long long)rev);
	if (!rc)
		rc = store_txn(a->store, &txn, NULL, &e);
	if (rc)
		log_warn("store: %s", e.text);
	else
		a->answered = asked; /* another one may have asked meanwhile */
	return rc;
}

/* Tells whoever waits how far this host has come. */
static void report(struct agent *a)
{
	if (a->scene.asked == a->answered)
		return;
	while (a->scene.asked != a->answered && store_ready(a->store) && !answer_who_asked(a))
		;
	wake_waiters(a);
}

static void on_timer(uv_timer_t *timer);

/* Follows the store and makes the switch so; tries again later when it cannot. */
static void bring_over(struct agent *a)
{
	int followed = follow_store(a), rc;
	struct error e = {""};

	if (!followed && !a->compare)
		return;
	rc = update_scene(a, &e);
	if (!rc && a->connected && view_known(a->memory.view))
		rc = update_switch(a, &e);
	if (!rc && a->connected && followed >= 0)
		report(a);
	if (rc) {
		log_warn("switch: %s; again in %d ms", e.text, AGENT_RETRY_MS);
		uv_timer_start(&a->timer, on_timer, AGENT_RETRY_MS, AGENT_AUDIT_MS);
	}
	if (followed > 0)
		memory_changed(&a->memory);
}

static void on_change(uv_poll_t *poll, int status, int events)
{
	struct agent *a = poll->data;

	bring_over(a);
	wake_waiters(a);
}

static void on_late(uv_timer_t *timer)
{
	bring_over(timer->data);
}

/* All is compared with the switch: a while after the last time, or after a failure. */
static void on_timer(uv_timer_t *timer)
{
	struct agent *a = timer->data;

	a->compare = true;
	uv_poll_start(&a->changes, UV_READABLE, on_change);
	uv_timer_start(&a->timer, on_timer, AGENT_AUDIT_MS, AGENT_AUDIT_MS);
	bring_over(a);
}

/* ---- which guests are there ---- */

static void on_ports_timer(uv_timer_t *timer)
{
	struct agent *a = timer->data;
	json_t *interfaces = NULL;
	struct error e;
	int rc;

	if (!a->connected)
		return; /* on_up() comes back to it */
	rc = store_ready(a->store) ? 0 : error_set(&e, EAGAIN, "the store is away");
	if (!rc)
		rc = switch_interfaces_list(a->switch_socket, AGENT_CALL_MS, &interfaces, &e);
	if (!rc)
		rc = status_tell(a->status, &a->scene, interfaces, &e);
	if (rc) {
		log_debug("status of the ports: %s; again in %d ms", e.text, AGENT_RETRY_MS);
		uv_timer_start(timer, on_ports_timer, AGENT_RETRY_MS, 0);
	}
	json_decref(interfaces);
	wake_waiters(a);
}

static void on_ports(void *arg)
{
	struct agent *a = arg;

	if (!uv_is_active((uv_handle_t *)&a->ports))
		uv_timer_start(&a->ports, on_ports_timer, AGENT_PORTS_MS, 0);
}

/* ---- the switch's channel ---- */

static void on_up(void *arg)
{
	struct agent *a = arg;

	log_info("connected to the switch");
	a->connected = true;
	uv_timer_start(&a->timer, on_timer, 0, AGENT_AUDIT_MS); /* not from within its message */
	on_ports(a);
}

static void on_down(void *arg)
{
	struct agent *a = arg;

	log_warn("the switch went away");
	a->connected = false;
}

static void on_packet(void *arg, uint64_t cookie, uint32_t in_port, const uint8_t *frame, size_t len)
{
	struct agent *a = arg;
	uint8_t reply[ANSWER_MAX];
	size_t n;

	if ((cookie & COOKIE_MASK) != COOKIE_MARK)
		return;
	if ((cookie & 0xff) == PUNT_CLAIM) {
		claim_port(a->store, a->options.host, scene_port_by_number(&a->scene, in_port));
		wake_waiters(a);
		return;
	}
	n = answer_packet(a->answerer, &a->scene, (enum punt)(cookie & 0xff), in_port, frame, len, reply);
	if (n)
		switch_channel_send(a->channel, in_port, reply, n);
}

/* Each second the next part of the ports: none waits longer than ADVERTISE_SECONDS, and they are not all
 * served at once. */
static void on_second(uv_timer_t *timer)
{
	struct agent *a = timer->data;
	uint8_t frame[ANSWER_MAX];
	unsigned turn = ++a->seconds % ADVERTISE_SECONDS;

	for (unsigned i = 0; i < a->scene.n_local && a->connected; i++) {
		const struct scene_port *p = a->scene.local[i];
		size_t n = p->active && p->ofport % ADVERTISE_SECONDS == turn ? answer_unasked(p, frame) : 0;

		if (n)
			switch_channel_send(a->channel, p->ofport, frame, n);
	}
}

/* ---- start and stop ---- */

/* The store, and a key in it that says that this host lives. */
static int open_store(struct agent *a, struct error *e)
{
	const struct agent_options *o = &a->options;
	const struct tls_files files = {o->private_key, o->certificate, o->ca};
	char key[STORE_KEY_MAX];
	int rc = store_open(o->store, &files, AGENT_STORE_MS, &a->store, e);

	if (rc)
		return rc;
	snprintf(key, sizeof(key), KEYS_ROOT "live/%s", o->host);
	rc = store_keep(a->store, key, "{}", AGENT_LEASE_S, e);
	return rc == -ENOTSUP ? 0 : rc;
}

/* The file lies beside weftd's own state. */
static int open_memory(struct agent *a)
{
	const struct agent_options *o = &a->options;
	char path[128] = "";

	if (shares_store(a))
		snprintf(path, sizeof(path), "%s/agent.json",
		         strcmp(o->rundir, "/run/weft") ? o->rundir : "/var/lib/weft");
	return memory_open(&a->memory, a->loop, a->store, o->host, path);
}

static void make_paths(struct agent *a)
{
	const struct agent_options *o = &a->options;

	snprintf(a->switch_socket, sizeof(a->switch_socket), "%s/weftd.sock", o->rundir);
	snprintf(a->bridge_socket, sizeof(a->bridge_socket), "%s/%s.mgmt", o->rundir, o->bridge);
	snprintf(a->ports_dir, sizeof(a->ports_dir), "%s/ports", o->rundir);
	snprintf(a->status_key, sizeof(a->status_key), KEYS_ROOT "st/%s/agent", o->host);
}

static int listen_for_commands(struct agent *a, struct error *e)
{
	char path[108];

	if (shares_store(a))
		return 0;
	a->service = store_serve(a->loop, a->store);
	if (!a->service)
		return error_set(e, ENOMEM, "out of memory");
	snprintf(path, sizeof(path), "%s/agent.sock", a->options.rundir);
	return rpc_listen(a->loop, path, store_methods, a->service, &a->server, e);
}

int agent_start(uv_loop_t *loop, const struct agent_options *options, struct agent **out, struct error *e)
{
	struct agent *a = calloc(1, sizeof(*a));
	struct switch_channel_events events = {on_up, on_down, on_ports, on_packet, a};
	int rc;

	*out = NULL;
	if (!a)
		return error_set(e, ENOMEM, "out of memory");
	a->options = *options;
	a->loop = loop;
	uv_timer_init(loop, &a->timer);
	uv_timer_init(loop, &a->ports);
	uv_timer_init(loop, &a->late);
	uv_timer_init(loop, &a->second);
	a->timer.data = a->ports.data = a->late.data = a->second.data = a->changes.data = a;
	make_paths(a);
	if (mkdir(a->ports_dir, 0770) && errno != EEXIST)
		rc = error_set(e, errno, "%s: %s", a->ports_dir, strerror(errno));
	else
		rc = open_store(a, e);
	if (!rc)
		rc = listen_for_commands(a, e);
	if (!rc && open_memory(a))
		rc = error_set(e, ENOMEM, "out of memory");
	a->answerer = a->memory.view ? answerer_create() : NULL;
	a->status = a->memory.view ? status_create(a->store, options->host) : NULL;
	if (!rc && (!a->answerer || !a->status))
		rc = error_set(e, ENOMEM, "out of memory");
	if (!rc) {
		uv_poll_init(loop, &a->changes, store_fd(a->store));
		uv_timer_start(&a->second, on_second, 1000, 1000);
		uv_timer_start(&a->timer, on_timer,
		               shares_store(a) && !a->memory.restored ? hash_random_seed() % AGENT_JITTER_MS
		                                                      : 0,
		               AGENT_AUDIT_MS);
		a->channel = switch_channel_create(loop, a->bridge_socket, &events);
		*out = a;
		return 0;
	}
	agent_stop(a);
	uv_run(loop, UV_RUN_DEFAULT);
	agent_free(a);
	return rc;
}

void agent_stop(struct agent *a)
{
	switch_channel_destroy(a->channel);
	if (a->memory.view) {
		uv_poll_stop(&a->changes);
		uv_close((uv_handle_t *)&a->changes, NULL);
	}
	uv_close((uv_handle_t *)&a->timer, NULL);
	uv_close((uv_handle_t *)&a->ports, NULL);
	uv_close((uv_handle_t *)&a->late, NULL);
	uv_close((uv_handle_t *)&a->second, NULL);
	memory_stop(&a->memory);
	rpc_close(a->server);
	if (a->service)
		store_serve_end(a->service);
}

void agent_free(struct agent *a)
{
	if (!a)
		return;
	host_flows_free(&a->flows);
	scene_free(&a->scene);
	memory_free(&a->memory);
	answerer_destroy(a->answerer);
	status_destroy(a->status);
	store_close(a->store);
	free(a);
}
