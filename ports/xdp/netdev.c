/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a kernel netdev, and notice of changes; called by port.c. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ports/xdp/xdp.h"

/* One when the driver has no channels to speak of. */
static uint32_t read_rx_queues(int fd, struct ifreq *req)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	uint32_t n;

	req->ifr_data = (void *)&channels;
	if (ioctl(fd, SIOCETHTOOL, req))
		return 1;
	n = channels.rx_count + channels.combined_count;
	return n ? n : 1;
}

int xdp_netdev_read(const char *dev, struct xdp_netdev *out)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct ifreq req = {0};

	if (fd < 0)
		return -errno;
	memset(out, 0, sizeof(*out));
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", dev);
	if (ioctl(fd, SIOCGIFINDEX, &req))
		goto err_close;
	out->ifindex = req.ifr_ifindex;
	if (ioctl(fd, SIOCGIFMTU, &req))
		goto err_close;
	out->mtu = (uint32_t)req.ifr_mtu;
	if (ioctl(fd, SIOCGIFFLAGS, &req))
		goto err_close;
	out->carrier = (req.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	if (ioctl(fd, SIOCGIFHWADDR, &req))
		goto err_close;
	memcpy(out->mac.b, req.ifr_hwaddr.sa_data, 6);
	out->rx_queues = read_rx_queues(fd, &req);
	close(fd);
	return 0;

err_close:
	err = -errno;
	close(fd);
	return err;
}

int xdp_netdev_watch(void)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE), err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* What happened does not matter: the netdev is read anew. Lost events (ENOBUFS) are no loss for the same
 * reason. */
void xdp_netdev_drain(int fd)
{
	char buf[8192];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0 || errno == ENOBUFS || errno == EINTR)
		errno = 0;
}
