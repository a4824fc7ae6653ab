/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The underlay: what the kernel knows about the way to a remote VTEP, as ready-made outer headers.
 *
 * What: per (local, remote) address pair one path: the uplink's ifindex, the path's MTU and the outer
 * Ethernet, IP, UDP and VXLAN headers with everything filled in that does not vary by packet; or the reason
 * why there is no way.
 *
 * Design: the kernel owns routes, neighbours, links and addresses. Changes come by netlink (dumped at the
 * start and again after an overrun, monitored in between); a path is looked up with RTM_GETROUTE, and its
 * next hop's MAC is asked of the kernel, which resolves it. A change rewrites the paths it concerns. Remotes
 * become known through underlay_hold() or by a worker's first packet, which is dropped, counted, and reported
 * through a ring to the control thread. Unused ones age out. At most UNDERLAY_REMOTES_MAX are known at a
 * time.
 *
 * Thread-safety: underlay_lookup(): workers, and what it returns is valid until their next quiescent state.
 * All else: control thread.
 *
 * Life cycle: underlay_create() -> ... -> (workers gone or quiescent) underlay_destroy(); its handles close
 * on the loop.
 */
#ifndef OVERLAY_VXLAN_UNDERLAY_H
#define OVERLAY_VXLAN_UNDERLAY_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include <uv.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/dp/drops.h"

enum {
	UNDERLAY_REMOTES_MAX = 16384,
	UNDERLAY_HEADER4 = 14 + 20 + 8 + 8, /* bytes of all outer headers */
	UNDERLAY_HEADER6 = 14 + 40 + 8 + 8,
	UNDERLAY_HEADER_MAX = UNDERLAY_HEADER6,
};

struct underlay;

struct underlay_path {  /* immutable once published */
	int drop;       /* -1: usable; else the enum drop_reason for packets to this remote */
	int ifindex;    /* of the uplink */
	uint32_t mtu;   /* largest outer IP packet */
	uint32_t csum;  /* of the IPv4 header as it is in header[], without its length; not folded */
	uint8_t len;    /* of header[] */
	uint8_t l3, l4; /* offsets in header[]; l3 is 14 */
	uint8_t header[UNDERLAY_HEADER_MAX];
	uint8_t reserved[3]; /* no hidden padding: compared whole */
};
static_assert(sizeof(struct underlay_path) == 92, "no hidden padding");

/* Opens netlink in the current network namespace and starts watching. 0 or -errno, reason in `e`. */
int underlay_create(uv_loop_t *loop, struct underlay **out, struct error *e);
/* Calls done(arg) from the loop when all handles are closed and everything is freed. */
void underlay_destroy(struct underlay *u, void (*done)(void *arg), void *arg);

/* The path from `local` to `remote`, never NULL; an unknown remote is reported to the control thread and
 * answered with a path whose `drop` is DROP_TUNNEL_NO_NEIGH. Both addresses are of one family. Worker
 * `worker`. */
const struct underlay_path *underlay_lookup(struct underlay *u, unsigned worker, const struct ip_addr *local,
                                            const struct ip_addr *remote);

/* The pair is resolved now and not aged until released as often. -ENOSPC at the bound. */
int underlay_hold(struct underlay *u, const struct ip_addr *local, const struct ip_addr *remote);
void underlay_release(struct underlay *u, const struct ip_addr *local, const struct ip_addr *remote);

/* Handles what workers have reported; also done by a timer of its own. */
void underlay_poll(struct underlay *u);

/* True when `a` is an address of this host, as last heard from the kernel. */
bool underlay_is_local(const struct underlay *u, const struct ip_addr *a);

/* How many remotes of `local` are known. */
uint32_t underlay_known(const struct underlay *u, const struct ip_addr *local);
/* At most `max` of them as an array of {local, remote, state, dev, next_hop, mtu, inner_mtu, mac} for `weft
 * if show`. `inner_mtu`: the largest IP packet of a guest, without a tag, that fits. New reference. */
json_t *underlay_info(const struct underlay *u, const struct ip_addr *local, size_t max);

#endif
