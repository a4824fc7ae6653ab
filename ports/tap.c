/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel tap with virtio-net headers; see tap.h. Called by the port type in tap_port.c and by
 * the exception path of uplinks. */
#include "base/wire.h"
#include "ports/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ports/segment.h"
#include "ports/vnet.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* What the kernel may send us unfinished; writes always may be. USO is known since Linux 6.2. */
static int set_offloads(struct tap *t, struct error *e)
{
	unsigned base = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	int size = sizeof(struct vnet_header);

	if (ioctl(t->fd, TUNSETVNETHDRSZ, &size))
		return error_set(e, errno, "dev: %s: TUNSETVNETHDRSZ: %s", t->dev, strerror(errno));
	t->caps = PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6;
	if (ioctl(t->fd, TUNSETOFFLOAD, base | TUN_F_USO4 | TUN_F_USO6) == 0)
		t->caps |= PORT_TX_USO4 | PORT_TX_USO6;
	else if (ioctl(t->fd, TUNSETOFFLOAD, base))
		return error_set(e, errno, "dev: %s: TUNSETOFFLOAD: %s", t->dev, strerror(errno));
	return 0;
}

/* One of the netdev requests of netdevice(7). 0 or -errno. */
static int ask(const char *dev, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	memcpy(ifr->ifr_name, dev, strlen(dev) + 1);
	if (fd < 0 || ioctl(fd, request, ifr))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

int tap_set_mtu(const char *dev, uint32_t mtu, struct error *e)
{
	struct ifreq ifr = {.ifr_mtu = (int)mtu};
	int rc = ask(dev, SIOCSIFMTU, &ifr);

	return rc ? error_set(e, -rc, "mtu: %s: %s", dev, strerror(-rc)) : 0;
}

int tap_set_mac(const char *dev, struct mac mac, struct error *e)
{
	struct ifreq ifr = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
	int rc;

	memcpy(ifr.ifr_hwaddr.sa_data, mac.b, sizeof(mac.b));
	rc = ask(dev, SIOCSIFHWADDR, &ifr);
	return rc ? error_set(e, -rc, "%s: cannot set the MAC: %s", dev, strerror(-rc)) : 0;
}

int tap_get_mac(const char *dev, struct mac *mac, struct error *e)
{
	struct ifreq ifr = {0};
	int rc = ask(dev, SIOCGIFHWADDR, &ifr);

	if (rc)
		return error_set(e, -rc, "%s: cannot read the MAC: %s", dev, strerror(-rc));
	memcpy(mac->b, ifr.ifr_hwaddr.sa_data, sizeof(mac->b));
	return 0;
}

int tap_open(struct tap *t, const char *dev, uint32_t mtu, struct error *e)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL};
	int rc;

	*t = (struct tap){.fd = -1};
	if (!*dev || strlen(dev) >= IFNAMSIZ)
		return error_set(e, EINVAL, "dev: expected a netdev name of 1 to %d bytes", IFNAMSIZ - 1);
	memcpy(ifr.ifr_name, dev, strlen(dev) + 1);
	memcpy(t->dev, dev, strlen(dev) + 1);
	t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0)
		return error_set(e, errno, "dev: /dev/net/tun: %s", strerror(errno));
	if (ioctl(t->fd, TUNSETIFF, &ifr)) {
		rc = error_set(e, errno, "dev: cannot create %s: %s", dev, strerror(errno));
		goto err_close;
	}
	rc = set_offloads(t, e);
	if (!rc && mtu)
		rc = tap_set_mtu(dev, mtu, e);
	if (rc)
		goto err_close;
	t->frames = malloc((size_t)TAP_BURST * TAP_FRAME_MAX);
	if (t->frames)
		return 0;
	rc = error_set(e, ENOMEM, "dev: %s: out of memory", dev);
err_close:
	tap_close(t);
	return rc;
}

void tap_close(struct tap *t)
{
	if (t->fd >= 0)
		close(t->fd);
	free(t->frames);
	*t = (struct tap){.fd = -1};
}

unsigned tap_rx(struct tap *t, struct port *port, unsigned worker, struct packet **pkts, unsigned max)
{
	struct port_counters *c = port->counters[worker];
	unsigned n = 0;

	if (max > TAP_BURST)
		max = TAP_BURST;
	for (unsigned i = 0; i < max; i++) {
		uint8_t *frame = t->frames + (size_t)n * TAP_FRAME_MAX;
		struct vnet_header vnet;
		struct iovec iov[2] = {{&vnet, sizeof(vnet)}, {frame, TAP_FRAME_MAX}};
		ssize_t got = readv(t->fd, iov, 2);

		if (got < (ssize_t)sizeof(vnet))
			break;
		packet_view(pkts[n], port->ofport, frame, (uint32_t)(got - (ssize_t)sizeof(vnet)));
		if (pkts[n]->len < sizeof(struct eth_header)) {
			port_drop(port, worker, DROP_RX_RUNT, 1);
		} else if (!vnet_to_packet(&vnet, pkts[n])) {
			port_drop(port, worker, DROP_RX_BAD_OFFLOAD, 1);
		} else {
			c->rx_packets++;
			c->rx_bytes += pkts[n]->len;
			c->rx_gso += pkts[n]->gso != GSO_NONE;
			n++;
		}
	}
	return n;
}

static bool write_frame(struct tap *t, struct port *port, unsigned worker, const struct iovec *iov, int n,
                        uint32_t len)
{
	struct port_counters *c = port->counters[worker];

	if (writev(t->fd, iov, n) < 0) {
		port_drop(port, worker, errno == EAGAIN ? DROP_RING_FULL : DROP_TX_ERROR, 1);
		return false;
	}
	c->tx_packets++;
	c->tx_bytes += len;
	return true;
}

/* The kernel copies straight from the payload's place. */
static void send_whole(struct tap *t, struct port *port, unsigned worker, struct packet *p)
{
	struct iovec iov[2 + PACKET_SEGS_MAX];
	struct vnet_header vnet;

	vnet_from_packet(p, true, false, &vnet);
	iov[0] = (struct iovec){&vnet, sizeof(vnet)};
	iov[1] = (struct iovec){p->head, p->head_len};
	for (unsigned i = 0; i < p->nsegs; i++)
		iov[2 + i] = (struct iovec){(void *)(uintptr_t)p->segs[i].data, p->segs[i].len};
	if (write_frame(t, port, worker, iov, 2 + p->nsegs, p->len))
		port->counters[worker]->tx_gso += p->gso != GSO_NONE;
}

static void send_cut(struct tap *t, struct port *port, unsigned worker, struct packet *p)
{
	static __thread uint8_t frame[TAP_FRAME_MAX];
	struct vnet_header vnet = {.flags = 0};
	struct segmenter s;
	uint32_t len;

	if (segment_begin(&s, p, port->caps)) {
		port_drop(port, worker, DROP_SEGMENT_FAILED, 1);
		return;
	}
	while ((len = segment_next(&s))) {
		struct iovec iov[2] = {{&vnet, sizeof(vnet)}, {frame, len}};

		segment_copy(&s, &iov[1], 1);
		if (!write_frame(t, port, worker, iov, 2, len))
			return;
	}
}

void tap_tx(struct tap *t, struct port *port, unsigned worker, struct packet *p)
{
	if (segment_passes(p, t->caps))
		send_whole(t, port, worker, p);
	else
		send_cut(t, port, worker, p);
}
