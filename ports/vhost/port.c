/* SPDX-License-Identifier: Apache-2.0 */
/* The port type vhost-user: options, carrier and what `weft if show` tells. Listed in ports/registry.c. */
#include "ports/vhost/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "ports/options.h"
#include "ports/vhost/vhost.h"

enum { MTU_DEFAULT = 1500, MTU_MIN = 68, MTU_MAX = 65535 };

static uint32_t mtu_of(const struct vhost_port *v)
{
	if (v->mtu_option)
		return v->mtu_option;
	return v->session.mtu ? v->session.mtu : MTU_DEFAULT;
}

void vhost_update(struct vhost_port *v)
{
	struct port *p = &v->port;
	bool carrier = false;
	uint32_t mtu = mtu_of(v), caps = 0, rings = 0;
	uint16_t n = 0;

	for (unsigned i = 0; i < 2 * v->queues; i++)
		rings |= v->slots[i].ring ? UINT32_C(1) << i : 0;
	for (unsigned i = 0; i < 2 * v->queues; i += 2) {
		const struct vhost_ring *r = v->slots[i].ring;

		if (!r)
			continue;
		v->tx_rings[n++] = (uint8_t)i;
		caps = r->caps;
		carrier |= v->slots[i + 1].ring && !v->slots[i + 1].ring->discard;
	}
	__atomic_store_n(&v->ntx, n, __ATOMIC_RELEASE);
	if (carrier == p->carrier && caps == p->caps && mtu == p->mtu && rings == v->told_rings)
		return;
	v->told_rings = rings;
	p->carrier = carrier;
	p->caps = caps;
	if (mtu != p->mtu)
		exception_set_mtu(v->exception, mtu);
	p->mtu = mtu;
	vhost_tell(v);
}

void vhost_make_due(struct vhost_port *v, enum vhost_due what)
{
	__atomic_fetch_or(&v->due, what, __ATOMIC_RELEASE);
}

void vhost_tell(struct vhost_port *v)
{
	struct port *p = &v->port;

	if (p->changed)
		p->changed(p, p->changed_arg);
}

/* A worker found a fault, or the SIGBUS handler did. */
static void on_wake(uv_async_t *wake)
{
	struct vhost_port *v = wake->data;
	struct vhost_session *s = &v->session;
	bool log_faulted = s->log && __atomic_load_n(&s->log->watch.faulted, __ATOMIC_ACQUIRE);

	/* First: whoever reads zeroes where memory was finds more faults. */
	if ((s->memory && memory_faulted(s->memory)) || log_faulted)
		session_break(s, "its memory file is shorter than was promised");
	for (unsigned i = 0; i < 2 * v->queues; i++) {
		uint8_t fault = __atomic_load_n(&v->slots[i].state.fault, __ATOMIC_ACQUIRE);
		char why[128];

		if (!fault || !v->slots[i].ring)
			continue;
		snprintf(why, sizeof(why), "ring %u: %s", i, ring_fault_text(fault));
		session_break(s, why);
		if (fault == RING_CALL_BLOCKS) { /* the front end did that, not the guest */
			s->ops->fail(s->arg, why);
			return;
		}
	}
}

static int sleep_fd(struct port_rxq *q)
{
	const struct vhost_ring *r = rcu_read(((struct vhost_port *)q->port)->slots[2 * q->id + 1].ring);

	if (!r || r->state->fault)
		return PORT_QUIET;
	return r->kick_fd >= 0 ? r->kick_fd : PORT_MUST_POLL;
}

/* Empties the kick eventfd, so that a worker that sleeps on it sleeps. RWF_NOWAIT: the guest's side could
 * have made it a blocking one. Kicks that are lost are for buffers that ring_arm() looks for right after. */
static void drain_kicks(int fd)
{
	uint64_t count;

	if (fd >= 0)
		(void)!preadv2(fd, &(struct iovec){&count, sizeof(count)}, 1, -1, RWF_NOWAIT);
}

static bool arm(struct port_rxq *q, bool on)
{
	struct vhost_port *v = (struct vhost_port *)q->port;
	const struct vhost_ring *r = rcu_read(v->slots[2 * q->id + 1].ring);

	if (!r || r->state->fault)
		return false;
	if (q->id == 0 && on && __atomic_load_n(&v->due, __ATOMIC_RELAXED))
		return true;
	if (on)
		drain_kicks(r->kick_fd);
	return ring_arm(r, on);
}

static json_t *ring_info(const struct vhost_port *v, unsigned i)
{
	const struct vhost_slot *slot = &v->slots[i];
	const struct vhost_vring *g = &v->session.rings[i];

	return json_pack("{s:i, s:b, s:b, s:b, s:I}", "size", (int)g->num, "running", slot->ring != NULL,
	                 "enabled", g->enabled, "broken", g->broken, "calls", (json_int_t)slot->state.kicks);
}

static json_t *info(struct port *p)
{
	struct vhost_port *v = (struct vhost_port *)p;
	const struct vhost_session *s = &v->session;
	json_t *rings = json_array();
	char features[24];

	for (unsigned i = 0; i < 2 * v->queues; i++)
		if (s->rings[i].num)
			json_array_append_new(rings, ring_info(v, i));
	snprintf(features, sizeof(features), "0x%llx", (unsigned long long)s->features);
	return json_pack("{s:s, s:s, s:b, s:I, s:s, s:i, s:b, s:I, s:s, s:o, s:o*}", "socket",
	                 v->link.address.sun_path, "role", v->link.role == VHOST_CLIENT ? "client" : "server",
	                 "connected", v->link.connected, "connects", (json_int_t)v->link.connects, "features",
	                 features, "mtu_told", (int)s->mtu, "migrating",
	                 !!(s->features & VHOST_BIT(VHOST_F_LOG_ALL)), "faults", (json_int_t)v->faults,
	                 "last_error", v->why.text, "rings", rings, "exception",
	                 exception_info(v->exception));
}

static void on_wake_closed(uv_handle_t *handle)
{
	struct vhost_port *v = handle->data;
	void (*done)(void *) = v->destroyed;
	void *arg = v->destroyed_arg;

	exception_destroy(v->exception);
	port_free(&v->port);
	if (done)
		done(arg);
}

static void on_link_stopped(void *arg)
{
	struct vhost_port *v = arg;

	uv_close((uv_handle_t *)&v->wake, on_wake_closed);
}

static void destroy(struct port *p, void (*done)(void *arg), void *arg)
{
	struct vhost_port *v = (struct vhost_port *)p;

	p->changed = NULL;
	v->destroyed = done;
	v->destroyed_arg = arg;
	link_stop(&v->link, on_link_stopped, v);
}

/* An uplink's only: without `exception` the port never decaps. */
static void to_kernel(struct port *p, unsigned worker, struct packet *pkt)
{
	exception_to_kernel(((struct vhost_port *)p)->exception, worker, pkt);
}

static const struct port_ops ops = {
        .rx = vhost_rx,
        .release = vhost_release,
        .tx = vhost_tx,
        .sleep_fd = sleep_fd,
        .arm = arm,
        .info = info,
        .to_kernel = to_kernel,
        .destroy = destroy,
};

struct parsed {
	const char *socket;
	enum vhost_role role;
	uint64_t queues;
	uint64_t mtu;
};

static int parse(json_t *options, struct parsed *o, struct error *e)
{
	static const char *const known[] = {"socket", "role", "queues", "mtu", "exception", NULL};
	const char *role;
	int rc = options_known(options, known, e);

	if (rc)
		return rc;
	o->socket = options_text(options, "socket", NULL, e);
	role = options_text(options, "role", "client", e);
	if (!o->socket || !role)
		return -EINVAL;
	if (strcmp(role, "client") && strcmp(role, "server"))
		return error_set(e, EINVAL, "role: 'client' or 'server' is expected, not '%s'", role);
	o->role = strcmp(role, "client") ? VHOST_SERVER : VHOST_CLIENT;
	rc = options_number(options, "queues", 1, VHOST_QUEUES_MAX, 1, &o->queues, e);
	return rc ? rc : options_number(options, "mtu", MTU_MIN, MTU_MAX, 0, &o->mtu, e);
}

static int create(const struct port_env *env, const char *name, uint32_t ofport, json_t *options,
                  struct port **out, struct error *e)
{
	struct parsed o = {0};
	struct vhost_port *v;
	int rc = parse(options, &o, e);

	if (rc)
		return rc;
	v = (struct vhost_port *)port_alloc(env, &port_type_vhost, &ops, name, ofport, sizeof(*v));
	if (!v)
		return error_set(e, ENOMEM, "no memory");
	v->queues = (unsigned)o.queues;
	v->mtu_option = (uint32_t)o.mtu;
	v->shared = env->nworkers > 1;
	v->session.v = v;
	v->port.mtu = mtu_of(v);
	v->port.nrxq = (uint16_t)o.queues;
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++)
		rte_spinlock_init(&v->slots[i].state.lock);
	rc = exception_create(env, &v->port, options, &v->exception, e);
	if (rc) {
		port_free(&v->port);
		return rc;
	}
	uv_async_init(env->loop, &v->wake, on_wake);
	v->wake.data = v;
	rc = link_start(&v->link, env->loop, &v->session, o.role, o.socket, e);
	if (rc) {
		uv_close((uv_handle_t *)&v->wake, on_wake_closed);
		return rc;
	}
	*out = &v->port;
	return 0;
}

const struct port_type port_type_vhost = {.name = "vhost-user", .create = create};
