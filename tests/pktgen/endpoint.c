/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints of a scenario; see endpoint.h. */
#include "tests/pktgen/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/vhost_frontend.h"
#include "tests/pktgen/controller.h"

struct endpoint {
	struct frontend *guest;        /* or */
	struct controller *controller; /* or */
	int fd;                        /* a packet socket */
};

static int open_netdev(const char *dev, struct error *e)
{
	struct sockaddr_ll to = {
	        .sll_family = AF_PACKET,
	        .sll_protocol = htons(ETH_P_ALL),
	        .sll_ifindex = (int)if_nametoindex(dev),
	};
	int fd, on = 1;

	if (!to.sll_ifindex)
		return error_set(e, ENODEV, "netdev:%s: there is no such netdev", dev);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to))) {
		error_set(e, errno, "netdev:%s: %s", dev, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

struct endpoint *endpoint_of_controller(struct controller *c)
{
	struct endpoint *ep = calloc(1, sizeof(*ep));

	if (!ep)
		return NULL;
	ep->fd = -1;
	ep->controller = c;
	return ep;
}

struct endpoint *endpoint_open(const char *where, struct error *e)
{
	struct frontend_options o = {.timeout_ms = 10000};
	struct endpoint *ep = calloc(1, sizeof(*ep));
	const char *rest = strchr(where, ':');

	if (!ep || !rest) {
		error_set(e, EINVAL, "%s: expected vhost-connect:PATH, vhost-listen:PATH or netdev:NAME",
		          where);
		free(ep);
		return NULL;
	}
	rest++;
	ep->fd = -1;
	o.path = rest;
	o.listen = !strncmp(where, "vhost-listen:", 13);
	if (!strncmp(where, "netdev:", 7)) {
		ep->fd = open_netdev(rest, e);
	} else if (o.listen || !strncmp(where, "vhost-connect:", 14)) {
		ep->guest = frontend_open(&o);
		if (!ep->guest)
			error_set(e, ETIMEDOUT, "%s: no switch there", where);
	} else {
		error_set(e, EINVAL, "%s: expected vhost-connect:PATH, vhost-listen:PATH or netdev:NAME",
		          where);
	}
	if (ep->guest || ep->fd >= 0)
		return ep;
	free(ep);
	return NULL;
}

void endpoint_close(struct endpoint *ep)
{
	if (!ep)
		return;
	if (ep->guest)
		frontend_close(ep->guest);
	if (ep->fd >= 0)
		close(ep->fd);
	free(ep);
}

int endpoint_send(struct endpoint *ep, const void *frame, uint32_t len, const struct vnet_header *h)
{
	const struct frontend_layout layout = {.pieces = 1, .header = h};

	if (!ep->guest && h)
		return -EOPNOTSUPP;
	if (ep->controller)
		return controller_send(ep->controller, frame, len);
	if (!ep->guest)
		return send(ep->fd, frame, len, 0) == (ssize_t)len ? 0 : -errno;
	frontend_reclaim(ep->guest, 0);
	if (!frontend_send(ep->guest, 0, frame, len, &layout))
		return -ENOBUFS;
	frontend_kick(ep->guest, 1);
	return 0;
}

/* The kernel takes an outer 802.1Q tag out of the frame: put it back where it was. */
static uint32_t restore_tag(struct msghdr *m, uint8_t *frame, uint32_t len, uint32_t max)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct tpacket_auxdata aux;
		uint16_t tag[2];

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID) || len < 12 || len + 4 > max)
			continue;
		tag[0] = htons(aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q);
		tag[1] = htons(aux.tp_vlan_tci);
		memmove(frame + 16, frame + 12, len - 12);
		memcpy(frame + 12, tag, 4);
		len += 4;
	}
	return len;
}

uint32_t endpoint_receive(struct endpoint *ep, void *frame, uint32_t max)
{
	char control[128] __attribute__((aligned(8)));
	struct iovec iov = {frame, max};
	struct msghdr m = {
	        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct vnet_header h;
	ssize_t n;

	if (ep->controller)
		return controller_receive(ep->controller, frame, max);
	if (ep->guest)
		return frontend_receive(ep->guest, 0, frame, max, &h);
	n = recvmsg(ep->fd, &m, 0);
	return n > 0 ? restore_tag(&m, frame, (uint32_t)n, max) : 0;
}
