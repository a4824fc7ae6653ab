/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes the AF_XDP socket of one rx queue; called by port.c in the control thread. */
#include <errno.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "ports/xdp/xdp.h"

enum { AREA_SIZE = (XDP_RX_FRAMES + XDP_TX_FRAMES) * XDP_FRAME_SIZE, SEND_BUFFER = 16 << 20 };

static int make_umem(struct xdp_queue *q)
{
	static const struct xsk_umem_config config = {
	        .fill_size = XDP_RX_FRAMES,
	        .comp_size = XDP_TX_FRAMES,
	        .frame_size = XDP_FRAME_SIZE,
	};

	q->area = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (q->area == MAP_FAILED) {
		q->area = NULL;
		return -errno;
	}
	return xsk_umem__create(&q->umem, q->area, AREA_SIZE, &q->fill, &q->completion, &config);
}

/* The first half of the frames waits for packets, the second to be sent. */
static void deal_frames(struct xdp_queue *q)
{
	uint32_t at = 0;

	xsk_ring_prod__reserve(&q->fill, XDP_RX_FRAMES, &at);
	for (uint32_t i = 0; i < XDP_RX_FRAMES; i++)
		*xsk_ring_prod__fill_addr(&q->fill, at + i) = (uint64_t)i * XDP_FRAME_SIZE;
	xsk_ring_prod__submit(&q->fill, XDP_RX_FRAMES);
	for (uint32_t i = 0; i < XDP_TX_FRAMES; i++)
		q->free_frames[i] = (uint64_t)(XDP_RX_FRAMES + i) * XDP_FRAME_SIZE;
	q->nfree = XDP_TX_FRAMES;
}

int xdp_queue_open(const char *dev, uint32_t id, struct xdp_queue **out, struct error *e)
{
	static const struct xsk_socket_config config = {
	        .rx_size = XDP_RX_FRAMES,
	        .tx_size = XDP_TX_FRAMES,
	        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
	        .bind_flags = XDP_USE_NEED_WAKEUP | XDP_COPY,
	};
	struct xdp_queue *q = aligned_alloc(64, sizeof(*q));
	int err, buffer = SEND_BUFFER;

	if (!q)
		return error_set(e, ENOMEM, "out of memory");
	memset(q, 0, sizeof(*q));
	rte_spinlock_init(&q->lock);
	err = make_umem(q);
	if (err) {
		error_set(e, -err, "queue %u: cannot make a umem: %s", id, strerror(-err));
		goto err_close;
	}
	err = xsk_socket__create(&q->socket, dev, id, q->umem, &q->rx, &q->tx, &config);
	if (err) {
		error_set(e, -err, "queue %u: cannot bind an AF_XDP socket: %s", id, strerror(-err));
		goto err_close;
	}
	q->fd = xsk_socket__fd(q->socket);
	/* Copy mode sends through skbs that count against the socket's buffer. */
	setsockopt(q->fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	deal_frames(q);
	*out = q;
	return 0;

err_close:
	xdp_queue_close(q);
	return err;
}

void xdp_queue_close(struct xdp_queue *q)
{
	if (!q)
		return;
	if (q->socket)
		xsk_socket__delete(q->socket);
	if (q->umem)
		xsk_umem__delete(q->umem);
	if (q->area)
		munmap(q->area, AREA_SIZE);
	free(q);
}
