/* SPDX-License-Identifier: Apache-2.0 */
/* The exception path of an ethdev uplink: what is not VXLAN for us goes to a tap and back, so that the kernel
 * owns the address; see ethdev.h. */
#include "ports/ethdev_private.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wire.h"

/* The tap looks like the device: same MAC, and up. */
static int dress_tap(const char *dev, struct mac mac, struct error *e)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	memcpy(ifr.ifr_name, dev, strlen(dev) + 1);
	ifr.ifr_hwaddr.sa_family = 1; /* ARPHRD_ETHER */
	memcpy(ifr.ifr_hwaddr.sa_data, mac.b, 6);
	if (fd < 0 || ioctl(fd, SIOCSIFHWADDR, &ifr))
		rc = error_set(e, errno, "exception: %s: cannot set the MAC: %s", dev, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

struct exception *exception_create(const struct port_env *env, const struct port *owner, const char *dev,
                                   struct error *e)
{
	static const struct port_ops no_ops;
	struct exception *x = calloc(1, sizeof(*x));

	if (!x) {
		error_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	x->tap.fd = -1;
	x->vteps = calloc(1, sizeof(*x->vteps));
	x->side = port_alloc(env, owner->type, &no_ops, dev, owner->ofport, sizeof(*x->side));
	for (int i = 0; i < TAP_BURST; i++)
		x->scratch[i] = aligned_alloc(64, sizeof(struct packet));
	if (!x->vteps || !x->side || !x->scratch[TAP_BURST - 1]) {
		error_set(e, ENOMEM, "out of memory");
		goto err;
	}
	if (tap_open(&x->tap, dev, owner->mtu, e) || dress_tap(dev, owner->mac, e)) {
		error_prefix(e, "exception");
		goto err;
	}
	x->side->caps = x->tap.caps;
	return x;
err:
	exception_destroy(x);
	return NULL;
}

void exception_destroy(struct exception *x)
{
	if (!x)
		return;
	tap_close(&x->tap);
	if (x->side)
		port_free(x->side);
	for (int i = 0; i < TAP_BURST; i++)
		free(x->scratch[i]);
	free(x->vteps);
	free(x);
}

void exception_set_vteps(struct exception *x, const struct ip_addr *vteps, unsigned n)
{
	struct vtep_set *fresh = calloc(1, sizeof(*fresh)), *old = x->vteps;

	if (!fresh)
		return;
	fresh->n = n < ETHDEV_VTEPS_MAX ? n : ETHDEV_VTEPS_MAX;
	memcpy(fresh->addrs, vteps, fresh->n * sizeof(vteps[0]));
	rcu_assign(x->vteps, fresh);
	rcu_defer(free, old);
}

/* Offset of the UDP header of an unfragmented packet without options, and its destination; 0: something else.
 */
static uint32_t udp_offset(struct packet *p, struct ip_addr *dst)
{
	const uint32_t l3 = sizeof(struct eth_header);
	const struct eth_header *eth = (const void *)p->head;

	if (eth->type == htobe16(ETH_TYPE_IPV4) && packet_pull(p, l3 + 20)) {
		const struct ipv4_header *ip = (const void *)(p->head + l3);

		*dst = ip_from_v4(ip->dst);
		return ip->version_ihl == 0x45 && ip->proto == IP_PROTO_UDP && !(ip->frag & htobe16(0x3fff))
		               ? l3 + 20
		               : 0;
	}
	if (eth->type == htobe16(ETH_TYPE_IPV6) && packet_pull(p, l3 + 40)) {
		const struct ipv6_header *ip = (const void *)(p->head + l3);

		memcpy(dst->b, ip->dst, 16);
		return ip->next_header == IP_PROTO_UDP ? l3 + 40 : 0;
	}
	return 0;
}

bool exception_is_ours(const struct exception *x, struct packet *p)
{
	const struct vtep_set *set = rcu_read(x->vteps);
	const struct udp_header *udp;
	struct ip_addr dst;
	uint32_t l4;

	if (!packet_pull(p, sizeof(struct eth_header)))
		return false;
	l4 = udp_offset(p, &dst);
	if (!l4 || !packet_pull(p, l4 + 8))
		return false;
	udp = (const void *)(p->head + l4);
	if (udp->dst != htobe16(VXLAN_PORT))
		return false;
	for (unsigned i = 0; i < set->n; i++)
		if (ip_equal(&set->addrs[i], &dst))
			return true;
	return false;
}

void exception_from_kernel(struct exception *x, struct ethdev_port *d, unsigned worker)
{
	uint64_t now = clock_now();
	unsigned n;

	if (now < x->next_poll)
		return;
	n = tap_rx(&x->tap, x->side, worker, x->scratch, TAP_BURST);
	if (n)
		ethdev_tx(&d->port, worker, x->scratch, n);
	x->next_poll = n == TAP_BURST ? now : now + ETHDEV_TAP_POLL_NS;
}
