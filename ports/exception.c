/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel side of an uplink; see exception.h. Used by ports/ethdev and ports/vhost. */
#include "ports/exception.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "ports/options.h"
#include "ports/tap.h"

enum { POLL_MIN_NS = 20000, POLL_MAX_NS = 500000 };

struct exception {
	struct tap tap;
	struct port *owner;
	struct port *side;      /* the tap's own counters: exceptions are not the port's traffic */
	uint64_t next_poll;     /* worker: ns, when the tap is asked next */
	uint64_t poll_interval; /* worker: doubles while nothing comes */
	struct packet *scratch[TAP_BURST];
};

/* What the kernel has for the port leaves at once; the datapath gets nothing. */
static unsigned from_kernel(struct port_rxq *q, struct packet **pkts, unsigned max)
{
	struct exception *x = q->priv;
	uint64_t now = clock_now();
	unsigned n;

	if (now < x->next_poll)
		return 0;
	n = tap_rx(&x->tap, x->side, q->worker, x->scratch, TAP_BURST);
	if (n)
		x->owner->ops->tx(x->owner, q->worker, x->scratch, n);
	x->poll_interval = n ? POLL_MIN_NS : 2 * x->poll_interval;
	if (x->poll_interval > POLL_MAX_NS)
		x->poll_interval = POLL_MAX_NS;
	x->next_poll = n == TAP_BURST ? now : now + x->poll_interval;
	return 0;
}

static void release(struct port_rxq *q)
{
}

static int sleep_fd(struct port_rxq *q)
{
	return ((struct exception *)q->priv)->tap.fd;
}

/* Whoever was woken by the tap asks it at once. */
static bool arm(struct port_rxq *q, bool on)
{
	((struct exception *)q->priv)->next_poll = 0;
	return false;
}

static const struct port_ops tap_queue_ops = {
        .rx = from_kernel,
        .release = release,
        .sleep_fd = sleep_fd,
        .arm = arm,
};

void exception_to_kernel(struct exception *x, unsigned worker, struct packet *p)
{
	tap_tx(&x->tap, x->side, worker, p);
}

static struct exception *exception_alloc(const struct port_env *env, struct port *owner, const char *dev)
{
	static const struct port_ops no_ops;
	struct exception *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->tap.fd = -1;
	x->owner = owner;
	x->poll_interval = POLL_MIN_NS;
	x->side = port_alloc(env, owner->type, &no_ops, dev, owner->ofport, sizeof(*x->side));
	for (int i = 0; i < TAP_BURST; i++)
		x->scratch[i] = aligned_alloc(64, sizeof(struct packet));
	for (int i = 0; i < TAP_BURST; i++)
		if (!x->side || !x->scratch[i]) {
			exception_destroy(x);
			return NULL;
		}
	return x;
}

static int open_tap(struct exception *x, const char *dev, struct error *e)
{
	static const struct mac none;
	int rc = tap_open(&x->tap, dev, x->owner->mtu, e);

	if (!rc)
		rc = mac_equal(x->owner->mac, none) ? tap_get_mac(dev, &x->owner->mac, e)
		                                    : tap_set_mac(dev, x->owner->mac, e);
	if (rc)
		error_prefix(e, "exception");
	return rc;
}

int exception_create(const struct port_env *env, struct port *owner, const json_t *options,
                     struct exception **out, struct error *e)
{
	struct port_rxq *q = &owner->rxq[owner->nrxq];
	struct exception *x;
	const char *dev;
	int rc;

	*out = NULL;
	if (!json_object_get(options, "exception"))
		return 0;
	dev = options_text(options, "exception", NULL, e);
	if (!dev)
		return -EINVAL;
	if (strlen(dev) >= IFNAMSIZ)
		return error_set(e, EINVAL, "exception: longer than %d bytes", IFNAMSIZ - 1);
	if (owner->nrxq == PORT_RXQ_MAX)
		return error_set(e, EINVAL, "queues: at most %d beside exception", PORT_RXQ_MAX - 1);
	x = exception_alloc(env, owner, dev);
	if (!x)
		return error_set(e, ENOMEM, "out of memory");
	rc = open_tap(x, dev, e);
	if (rc) {
		exception_destroy(x);
		return rc;
	}
	x->side->caps = x->tap.caps;
	q->ops = &tap_queue_ops;
	q->priv = x;
	owner->nrxq++;
	owner->is_uplink = true;
	owner->ifindex = (int)if_nametoindex(dev);
	*out = x;
	return 0;
}

void exception_destroy(struct exception *x)
{
	if (!x)
		return;
	tap_close(&x->tap);
	port_free(x->side);
	for (int i = 0; i < TAP_BURST; i++)
		free(x->scratch[i]);
	free(x);
}

void exception_set_mtu(struct exception *x, uint32_t mtu)
{
	struct error e;

	if (x && tap_set_mtu(x->tap.dev, mtu, &e))
		log_warn("%s: %s", x->owner->name, e.text);
}

json_t *exception_info(const struct exception *x)
{
	uint64_t to = 0, from = 0, dropped = 0;

	if (!x)
		return NULL;
	for (unsigned w = 0; w < WORKERS_MAX && x->side->counters[w]; w++) {
		to += x->side->counters[w]->tx_packets;
		from += x->side->counters[w]->rx_packets;
		for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
			dropped += x->side->counters[w]->drops[r];
	}
	return json_pack("{s:s, s:I, s:I, s:I}", "dev", x->tap.dev, "to_kernel", (json_int_t)to,
	                 "from_kernel", (json_int_t)from, "dropped", (json_int_t)dropped);
}
