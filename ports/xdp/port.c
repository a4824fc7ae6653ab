/* SPDX-License-Identifier: Apache-2.0 */
/* The port type `afxdp`: options, opening and closing, and following the netdev. Called by the control thread
 * through ports/registry. */
#include <errno.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ports/options.h"
#include "ports/xdp/xdp.h"

struct xdp_port {
	struct port port;
	char dev[16];
	bool steer_all;
	struct xdp_program *prog; /* NULL: the netdev is not there */
	struct ip_addr vteps[XDP_VTEPS_MAX];
	unsigned nvteps;
	uv_poll_t watch;
	int watch_fd;
	void (*done)(void *arg);
	void *done_arg;
};

/* What a worker may still use after it was taken away. */
struct queues {
	struct xdp_queue *q[PORT_RXQ_MAX];
};

static void close_queues(void *arg)
{
	struct queues *old = arg;

	for (unsigned i = 0; i < PORT_RXQ_MAX; i++)
		xdp_queue_close(old->q[i]);
	free(old);
}

/* Takes the queues from the workers; they are closed after a grace period. */
static void close_device(struct xdp_port *x)
{
	struct queues *old = calloc(1, sizeof(*old));

	xdp_program_detach(x->prog);
	x->prog = NULL;
	x->port.carrier = false;
	x->port.ifindex = 0;
	if (!old)
		return; /* the queues leak rather than vanish under a worker */
	for (unsigned i = 0; i < PORT_RXQ_MAX; i++) {
		old->q[i] = x->port.rxq[i].priv;
		rcu_assign(x->port.rxq[i].priv, NULL);
	}
	rcu_defer(close_queues, old);
}

static void take_facts(struct xdp_port *x, const struct xdp_netdev *facts)
{
	x->port.ifindex = facts->ifindex;
	x->port.mtu = facts->mtu < XDP_MTU_MAX ? facts->mtu : XDP_MTU_MAX;
	x->port.carrier = facts->carrier;
	x->port.mac = facts->mac;
}

static int open_queues(struct xdp_port *x, uint32_t n, struct error *e)
{
	for (uint32_t i = 0; i < n; i++) {
		struct xdp_queue *q;
		int err = xdp_queue_open(x->dev, i, &q, e);

		if (err)
			return err;
		err = xdp_program_add_queue(x->prog, i, q);
		if (err) {
			xdp_queue_close(q);
			return error_set(e, -err, "queue %u: cannot steer to its socket: %s", i,
			                 strerror(-err));
		}
		rcu_assign(x->port.rxq[i].priv, q);
	}
	return 0;
}

static int open_device(struct xdp_port *x, struct error *e)
{
	struct xdp_netdev facts;
	int err = xdp_netdev_read(x->dev, &facts);

	if (err)
		return error_set(e, -err, "dev: %s: %s", x->dev, strerror(-err));
	if (facts.rx_queues > PORT_RXQ_MAX)
		return error_set(e, E2BIG, "dev: %s has %u rx queues, at most %d are served; see ethtool -L",
		                 x->dev, facts.rx_queues, PORT_RXQ_MAX);
	err = xdp_program_attach(facts.ifindex, x->steer_all, &x->prog, e);
	if (err)
		return err;
	err = xdp_program_set_vteps(x->prog, x->vteps, x->nvteps);
	if (!err)
		err = open_queues(x, facts.rx_queues, e);
	if (err) {
		close_device(x);
		error_prefix(e, "dev: %s: ", x->dev);
		return err;
	}
	x->port.nrxq = (uint16_t)facts.rx_queues;
	take_facts(x, &facts);
	return 0;
}

static bool facts_changed(const struct xdp_port *x, const struct xdp_netdev *facts)
{
	uint32_t mtu = facts->mtu < XDP_MTU_MAX ? facts->mtu : XDP_MTU_MAX;

	return x->port.mtu != mtu || x->port.carrier != facts->carrier || !mac_equal(x->port.mac, facts->mac);
}

/* Something happened to some link: follows ours. */
static void follow(struct xdp_port *x)
{
	struct xdp_netdev facts;
	struct error e = {""};
	int err = xdp_netdev_read(x->dev, &facts);

	if (x->prog && (err || facts.ifindex != x->port.ifindex)) {
		log_warn("%s: netdev %s is gone", x->port.name, x->dev);
		close_device(x);
	} else if (x->prog ? !facts_changed(x, &facts) : err) {
		return;
	} else if (x->prog) {
		take_facts(x, &facts);
	}
	if (!x->prog && !err) {
		if (open_device(x, &e)) {
			log_warn("%s: %s", x->port.name, e.text);
			return;
		}
		log_info("%s: netdev %s is back", x->port.name, x->dev);
	}
	if (x->port.changed)
		x->port.changed(&x->port, x->port.changed_arg);
}

static void on_link_event(uv_poll_t *poll, int status, int events)
{
	struct xdp_port *x = poll->data;

	xdp_netdev_drain(x->watch_fd);
	follow(x);
}

static int sleep_fd(struct port_rxq *rxq)
{
	struct xdp_queue *q = rcu_read(rxq->priv);

	return q ? q->fd : PORT_QUIET;
}

/* The socket is readable whenever packets wait; there is nothing to arm. */
static bool arm(struct port_rxq *rxq, bool on)
{
	struct xdp_queue *q = rcu_read(rxq->priv);

	return on && q && xdp_rx_pending(q);
}

/* What the kernel dropped on the way to our sockets: it never reached a worker's counters. */
static uint64_t kernel_drops(const struct port *port)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < port->nrxq; i++) {
		const struct xdp_queue *q = port->rxq[i].priv;
		struct xdp_statistics stats;
		socklen_t len = sizeof(stats);

		if (q && !getsockopt(q->fd, SOL_XDP, XDP_STATISTICS, &stats, &len))
			sum += stats.rx_dropped + stats.rx_ring_full + stats.rx_fill_ring_empty_descs;
	}
	return sum;
}

static json_t *info(struct port *port)
{
	struct xdp_port *x = (struct xdp_port *)port;
	const char *mode = !x->prog ? "detached" : xdp_program_is_native(x->prog) ? "native" : "generic";

	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:I}", "dev", x->dev, "steer",
	                 x->steer_all ? "all" : "vxlan", "xdp", mode, "queues", (int)port->nrxq, "vteps",
	                 (int)x->nvteps, "kernel_drops", (json_int_t)kernel_drops(port));
}

static void set_vteps(struct port *port, const struct ip_addr *vteps, unsigned n)
{
	struct xdp_port *x = (struct xdp_port *)port;
	int err;

	if (n > XDP_VTEPS_MAX) {
		log_error("%s: %u VTEP addresses, at most %d are steered", port->name, n, XDP_VTEPS_MAX);
		n = XDP_VTEPS_MAX;
	}
	if (n)
		memcpy(x->vteps, vteps, n * sizeof(vteps[0]));
	x->nvteps = n;
	if (!x->prog)
		return;
	err = xdp_program_set_vteps(x->prog, vteps, n);
	if (err)
		log_error("%s: cannot steer VTEP addresses: %s", port->name, strerror(-err));
}

static void on_closed(uv_handle_t *handle)
{
	struct xdp_port *x = handle->data;
	void (*done)(void *arg) = x->done;
	void *arg = x->done_arg;

	close(x->watch_fd);
	port_free(&x->port);
	if (done)
		done(arg);
}

/* No worker knows the port any more: its queues close at once. */
static void destroy(struct port *port, void (*done)(void *arg), void *arg)
{
	struct xdp_port *x = (struct xdp_port *)port;

	xdp_program_detach(x->prog);
	for (unsigned i = 0; i < PORT_RXQ_MAX; i++)
		xdp_queue_close(port->rxq[i].priv);
	x->done = done;
	x->done_arg = arg;
	uv_close((uv_handle_t *)&x->watch, on_closed);
}

static const struct port_ops ops = {
        .rx = xdp_rx,
        .release = xdp_release,
        .tx = xdp_tx,
        .sleep_fd = sleep_fd,
        .arm = arm,
        .info = info,
        .set_vteps = set_vteps,
        .destroy = destroy,
};

static int parse_options(struct xdp_port *x, const char *name, const json_t *options, struct error *e)
{
	static const char *const known[] = {"dev", "steer", NULL};
	int err = options_known(options, known, e);
	const char *dev, *steer;

	if (err)
		return err;
	dev = options_text(options, "dev", name, e);
	steer = options_text(options, "steer", "vxlan", e);
	if (!dev || !steer)
		return -EINVAL;
	if (strlen(dev) >= sizeof(x->dev))
		return error_set(e, EINVAL, "dev: \"%s\" is longer than a netdev's name", dev);
	if (strcmp(steer, "vxlan") != 0 && strcmp(steer, "all") != 0)
		return error_set(e, EINVAL, "steer: expected \"vxlan\" or \"all\", not \"%s\"", steer);
	strcpy(x->dev, dev);
	x->steer_all = !strcmp(steer, "all");
	x->port.is_uplink = !x->steer_all;
	return 0;
}

static int create(const struct port_env *env, const char *name, uint32_t ofport, json_t *options,
                  struct port **out, struct error *e)
{
	struct xdp_port *x =
	        (struct xdp_port *)port_alloc(env, &port_type_afxdp, &ops, name, ofport, sizeof(*x));
	int err;

	if (!x)
		return error_set(e, ENOMEM, "out of memory");
	err = parse_options(x, name, options, e);
	if (err)
		goto err_free;
	x->watch_fd = xdp_netdev_watch();
	if (x->watch_fd < 0) {
		err = error_set(e, -x->watch_fd, "cannot watch links: %s", strerror(-x->watch_fd));
		goto err_free;
	}
	err = open_device(x, e);
	if (err)
		goto err_close;
	uv_poll_init(env->loop, &x->watch, x->watch_fd);
	x->watch.data = x;
	uv_poll_start(&x->watch, UV_READABLE, on_link_event);
	*out = &x->port;
	return 0;

err_close:
	close(x->watch_fd);
err_free:
	port_free(&x->port);
	return err;
}

const struct port_type port_type_afxdp = {.name = "afxdp", .create = create};
