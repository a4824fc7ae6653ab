/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_XDP port (`type=afxdp dev=IFNAME [steer=vxlan|all]`): a kernel netdev shared with the kernel.
 *
 * What: our XDP program hands VXLAN for our VTEPs (steer=vxlan: an uplink) or every frame (steer=all: an
 * ordinary switch port) to one AF_XDP socket per rx queue; all else stays with the kernel.
 *
 * Design: one socket and one umem per rx queue. Half of a umem's frames receive, half send. A received frame
 * is referenced by packet views until release(). The program hangs on a bpf_link whose only reference is our
 * fd: when the process dies, however it dies, the kernel detaches it. Copy mode, need_wakeup.
 *
 * Thread-safety: as ports/port.h says; senders share a queue under its lock, taken once per batch.
 *
 * Life cycle: port_type_afxdp.create() -> ... -> ops->destroy(). The netdev may vanish: the port then has no
 * carrier, and is opened anew when a netdev of that name returns.
 */
#ifndef PORTS_XDP_XDP_H
#define PORTS_XDP_XDP_H

#include <uv.h>
#include <rte_spinlock.h>
#include <xdp/xsk.h>

#include "ports/port.h"

enum {
	XDP_FRAME_SIZE = 4096,
	XDP_RX_FRAMES = 2048,      /* also the size of the rx and fill rings */
	XDP_TX_FRAMES = 2048,      /* also the size of the tx and completion rings */
	XDP_KERNEL_HEADROOM = 256, /* XDP_PACKET_HEADROOM, in front of every received frame */
	XDP_MTU_MAX = XDP_FRAME_SIZE - XDP_KERNEL_HEADROOM - 18, /* Ethernet and one tag */
	XDP_VTEPS_MAX = 256,                                     /* as in vxlan.bpf.c */
};

struct xdp_queue {
	/* the worker that receives */
	struct xsk_ring_cons rx;
	struct xsk_ring_prod fill;
	uint32_t nheld; /* frames received and not released */
	uint64_t held[XDP_RX_FRAMES];

	/* workers that send, under the lock */
	rte_spinlock_t lock __attribute__((aligned(64)));
	struct xsk_ring_prod tx;
	struct xsk_ring_cons completion;
	uint32_t nfree;
	uint64_t free_frames[XDP_TX_FRAMES];

	/* ro */
	uint8_t *area; /* the umem's memory */
	int fd;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
};

/* ---- queue.c ---- */

/* Opens socket and umem for rx queue `id` of `dev`. 0 or -errno, reason in `e`. Control thread. */
int xdp_queue_open(const char *dev, uint32_t id, struct xdp_queue **out, struct error *e);
/* Legal on NULL. */
void xdp_queue_close(struct xdp_queue *q);

/* ---- io.c: the worker's side; see ports/port.h ---- */

unsigned xdp_rx(struct port_rxq *rxq, struct packet **pkts, unsigned max);
void xdp_release(struct port_rxq *rxq);
void xdp_tx(struct port *p, unsigned worker, struct packet **pkts, unsigned n);
bool xdp_rx_pending(struct xdp_queue *q);

/* ---- program.c ---- */

struct xdp_program; /* our XDP program, attached */

/* Attaches to `ifindex`: native where the driver can, generic else. 0 or -errno, reason in `e`. */
int xdp_program_attach(int ifindex, bool steer_all, struct xdp_program **out, struct error *e);
/* Detaches. Legal on NULL. */
void xdp_program_detach(struct xdp_program *prog);
int xdp_program_add_queue(struct xdp_program *prog, uint32_t id, struct xdp_queue *q);
/* Replaces the set of VTEP addresses. 0 or -errno. */
int xdp_program_set_vteps(struct xdp_program *prog, const struct ip_addr *vteps, unsigned n);
bool xdp_program_is_native(const struct xdp_program *prog);

/* ---- netdev.c ---- */

struct xdp_netdev {
	int ifindex;
	uint32_t mtu;
	bool carrier;
	struct mac mac;
	uint32_t rx_queues;
};

/* What the kernel says of `dev`. 0 or -errno (-ENODEV: no such netdev). */
int xdp_netdev_read(const char *dev, struct xdp_netdev *out);
/* A netlink socket that becomes readable when any link changes; -errno. */
int xdp_netdev_watch(void);
/* Empties that socket. */
void xdp_netdev_drain(int fd);

extern const struct port_type port_type_afxdp;

#endif
