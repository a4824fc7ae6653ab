/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two halves of the underlay share: underlay.c keeps the remotes and publishes paths, kernel.c talks
 * netlink.
 *
 * Thread-safety: control thread, but for what is marked.
 */
#ifndef OVERLAY_VXLAN_UNDERLAY_PRIVATE_H
#define OVERLAY_VXLAN_UNDERLAY_PRIVATE_H

#include <netlink/netlink.h>

#include "base/wire.h"
#include "base/dp/rcu.h"
#include "overlay/vxlan/underlay.h"

enum {
	REMOTE_BUCKETS = 16384, /* power of two */
	MISSES_MAX = 64,        /* per worker, power of two */
	LINKS_MAX = 4096,
	ADDRESSES_MAX = 4096,
};

struct pair {
	struct ip_addr local, remote;
};

/* What the kernel says about the way to a remote. */
struct route {
	int err; /* 0, or -errno: no way */
	int ifindex;
	struct ip_addr next_hop; /* the remote itself when on link */
	uint32_t mtu;
	struct mac device; /* of the uplink */
};

struct remote {
	/* worker: ro; next and path under RCU */
	struct pair pair;
	struct remote *next;
	const struct underlay_path *path;
	uint32_t used; /* worker: set to 1; control: cleared */

	/* control */
	uint32_t holds;
	uint64_t last_used; /* ns */
	uint64_t last_ask;  /* when the kernel was asked to resolve, ns */
	struct route route;
	struct mac mac;       /* of the next hop, when resolved */
	bool resolved, stale; /* stale: the kernel wants it confirmed */
	bool dirty;           /* route to be asked again */
};

/* One worker's reports, single producer, single consumer. Full: the next packet reports again. */
struct misses {
	uint32_t head __attribute__((aligned(64))); /* worker: wo */
	uint32_t tail __attribute__((aligned(64))); /* control: wo */
	struct pair pairs[MISSES_MAX];
};

struct link {
	int ifindex;
	uint32_t mtu;
	struct mac mac;
	bool up;
	bool ethernet;
};

struct address {
	int ifindex;
	struct ip_addr ip;
};

struct underlay {
	/* worker: ro */
	struct remote *buckets[REMOTE_BUCKETS];
	uint64_t seed;
	struct misses *misses[WORKERS_MAX];

	/* control */
	struct remote *remotes[UNDERLAY_REMOTES_MAX];
	uint32_t n;
	uint32_t ndirty;
	bool full_logged;
	struct link links[LINKS_MAX];
	uint32_t nlinks;
	struct address addresses[ADDRESSES_MAX];
	uint32_t naddresses;
	bool dump_again; /* events were lost */

	struct nl_sock *ask;    /* requests, answered at once by the kernel */
	struct nl_sock *events; /* monitor */
	uv_poll_t poll;
	uv_timer_t misses_timer, work_timer, age_timer;
	unsigned handles; /* still open */
	void (*done)(void *arg);
	void *done_arg;
};

/* ---- kernel.c ---- */

/* Opens both sockets and dumps links and addresses. 0 or -errno. */
int kernel_open(struct underlay *u, struct error *e);
void kernel_close(struct underlay *u);
/* Reads all pending events. Calls the underlay_* functions below. */
void kernel_read_events(struct underlay *u);
/* Drops what is known of links and addresses and asks for all of it. 0 or -errno. */
int kernel_dump(struct underlay *u);
/* RTM_GETROUTE with both addresses given. */
void kernel_route(struct underlay *u, const struct pair *pair, struct route *route);
/* RTM_GETNEIGH of the remote's next hop: sets mac, resolved, stale. */
void kernel_neighbour(struct underlay *u, struct remote *r);
/* Asks the kernel to resolve or confirm the next hop (NTF_USE). */
void kernel_resolve(struct underlay *u, const struct remote *r);

/* ---- path.c ---- */

/* `path` is zeroed; the route is good and the next hop resolved. */
void path_fill(struct underlay_path *path, const struct remote *r);

/* ---- underlay.c, called by kernel.c ---- */

/* Routes, links or addresses changed: every path is looked up again, soon. */
void underlay_all_dirty(struct underlay *u);
void underlay_neighbour_changed(struct underlay *u, int ifindex, const struct ip_addr *next_hop,
                                bool resolved, bool stale, struct mac mac);

#endif
