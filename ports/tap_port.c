/* SPDX-License-Identifier: Apache-2.0 */
/* The port type "tap": `type=tap dev=NAME [mtu=N]`, a netdev of the host that is a switch port. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ports/options.h"
#include "ports/tap.h"

struct tap_port {
	struct port port;
	struct tap tap;
};

static struct tap_port *of(struct port *p)
{
	return (struct tap_port *)p;
}

static unsigned port_rx(struct port_rxq *q, struct packet **pkts, unsigned max)
{
	return tap_rx(&of(q->port)->tap, q->port, q->worker, pkts, max);
}

/* The frames are overwritten by the next burst only. */
static void port_release(struct port_rxq *q)
{
}

static void port_tx(struct port *p, unsigned worker, struct packet **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		tap_tx(&of(p)->tap, p, worker, pkts[i]);
}

static int port_sleep_fd(struct port_rxq *q)
{
	return of(q->port)->tap.fd;
}

static json_t *port_info(struct port *p)
{
	return json_pack("{s:s}", "dev", of(p)->tap.dev);
}

static void port_destroy(struct port *p, void (*done)(void *arg), void *arg)
{
	tap_close(&of(p)->tap);
	port_free(p);
	done(arg);
}

static const struct port_ops ops = {
        .rx = port_rx,
        .release = port_release,
        .tx = port_tx,
        .sleep_fd = port_sleep_fd,
        .info = port_info,
        .destroy = port_destroy,
};

static void read_netdev(struct port *p, const char *dev)
{
	struct ethtool_cmd link = {.cmd = ETHTOOL_GSET};
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	memcpy(ifr.ifr_name, dev, strlen(dev) + 1);
	if (ioctl(fd, SIOCGIFMTU, &ifr) == 0)
		p->mtu = (uint32_t)ifr.ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) == 0)
		memcpy(p->mac.b, ifr.ifr_hwaddr.sa_data, 6);
	ifr.ifr_data = (char *)&link;
	if (ioctl(fd, SIOCETHTOOL, &ifr) == 0 && ethtool_cmd_speed(&link) != (uint32_t)SPEED_UNKNOWN)
		p->speed = ethtool_cmd_speed(&link);
	close(fd);
}

static int create(const struct port_env *env, const char *name, uint32_t ofport, json_t *options,
                  struct port **out, struct error *e)
{
	static const char *const known[] = {"dev", "mtu", NULL};
	const char *dev;
	struct tap_port *t;
	uint64_t mtu;
	int rc = options_known(options, known, e);

	if (!rc)
		rc = options_number(options, "mtu", 68, 65535, 0, &mtu, e);
	if (rc)
		return rc;
	dev = options_text(options, "dev", name, e);
	if (!dev)
		return -EINVAL;
	t = (struct tap_port *)port_alloc(env, &port_type_tap, &ops, name, ofport, sizeof(*t));
	if (!t)
		return error_set(e, ENOMEM, "out of memory");
	rc = tap_open(&t->tap, dev, (uint32_t)mtu, e);
	if (rc) {
		port_free(&t->port);
		return rc;
	}
	read_netdev(&t->port, dev);
	t->port.caps = t->tap.caps;
	t->port.carrier = true;
	t->port.nrxq = 1;
	*out = &t->port;
	return 0;
}

const struct port_type port_type_tap = {.name = "tap", .create = create};
