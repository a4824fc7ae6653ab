/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VXLAN tunnel end points: what comes in is validated and stripped, what goes out gets its outer headers.
 *
 * What: a vxlan_vtep is one interface of type `vxlan` (`local=ADDR[,ADDR6] remote=flow|ADDR vni=flow|N
 * allow=ADDR,...|any`). Decap and encap work on the private head of a packet view; payload is only read, and
 * only when an outer UDP checksum must be verified.
 *
 * Design: the outer headers towards a remote are prebuilt by the underlay; encap copies and patches them. GSO
 * packets stay whole: the output port segments, with PACKET_ENCAP and outer_l3/outer_l4 telling it how.
 *
 * Thread-safety: create, destroy, set_allow: control thread. decap, encap: any worker, between two quiescent
 * states.
 *
 * Life cycle: vxlan_vtep_create() -> published by the datapath -> unpublished ->
 * rcu_defer(vxlan_vtep_destroy).
 */
#ifndef OVERLAY_VXLAN_VXLAN_H
#define OVERLAY_VXLAN_VXLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/dp/drops.h"
#include "base/dp/packet.h"

struct underlay;
struct underlay_path;
struct vxlan_allow;

enum { VXLAN_OK = -1 }; /* decap and encap: this, or the enum drop_reason */

struct vxlan_config {
	struct ip_addr local4, local6; /* at least one is set */
	struct ip_addr remote;         /* none: remote=flow, from packet.tunnel.dst */
	bool vni_flow;                 /* from packet.tunnel.id, and any VNI is taken in */
	uint32_t vni;                  /* when !vni_flow */
	bool zero_csum6; /* csum6=zero: UDP checksum 0 over IPv6 (RFC 6935), default is to compute it */
};

struct vxlan_vtep {
	/* worker: ro */
	struct vxlan_config config;
	struct underlay *underlay;
	struct vxlan_allow *allow; /* worker: ro under RCU; control: wo */
	/* the caller's own, e.g. its port */
	void *user;
};

/* Reads the options of a vxlan interface: local, remote, vni, allow, csum6; any other key is -EINVAL and
 * named in `e`. `allow` is checked here and given to vxlan_vtep_set_allow() by vxlan_vtep_create(). */
int vxlan_config_parse(const json_t *options, struct vxlan_config *config, struct error *e);

/* Makes a VTEP from interface options. `underlay` outlives it. 0 or -errno, reason in `e`. Control thread. */
int vxlan_vtep_create(struct underlay *underlay, const json_t *options, struct vxlan_vtep **out,
                      struct error *e);
/* After unpublishing and a grace period. Legal on NULL. */
void vxlan_vtep_destroy(struct vxlan_vtep *vtep);

/* Replaces the accepted outer sources: "any", or "ADDR,ADDR,..." (empty: none; at most VXLAN_ALLOW_MAX). With
 * a fixed remote that one is always accepted. The default is the fixed remote, or nothing with remote=flow.
 * Listed addresses of a remote=flow VTEP are resolved ahead of the first packet. 0 or -errno. Control thread.
 */
int vxlan_vtep_set_allow(struct vxlan_vtep *vtep, const char *text, struct error *e);
enum { VXLAN_ALLOW_MAX = 16384 };

/*
 * What a worker remembers from one packet to the next, between two quiescent states: outer headers that were
 * accepted, and paths that were found. Packets of one tunnel that look like one before need no second check
 * of what is the same. Worker: own; vxlan_forget() before the first packet of a round.
 */
enum { VXLAN_REMEMBERED = 16 };

struct vxlan_memory {
	uint16_t seen_valid, way_valid; /* a bit for each entry */
	uint8_t seen_last;              /* the entry that the last packet was like */
	struct vxlan_seen {
		uint64_t same[5]; /* of the outer headers, what must be the same: see decap.c */
		uint32_t csum;    /* sum of the IPv4 header without length, identification and checksum */
		unsigned which;
		struct packet_tunnel tunnel;
	} seen[VXLAN_REMEMBERED];
	struct vxlan_way {
		const struct vxlan_vtep *vtep;
		const struct underlay_path *path;
		struct ip_addr remote;
	} ways[VXLAN_REMEMBERED];
	const struct vxlan_vtep *fixed; /* the last one with a remote of its own; NULL: none in this round */
	const struct underlay_path *fixed_path;
};

static inline void vxlan_forget(struct vxlan_memory *m)
{
	m->seen_valid = m->way_valid = 0;
	m->fixed = NULL;
}

/*
 * Validates the outer Ethernet, IP, UDP and VXLAN headers (RFC 7348 section 5; RFC 6935 for a zero checksum
 * over IPv6), chooses the VTEP among `n` (most specific first: fixed remote, then fixed VNI), strips the
 * outer headers and what trails them, and sets packet.tunnel (src, dst: outer addresses; id: VNI; tos and
 * ttl: outer). ECN is combined as in RFC 6040 section 4.2. Offload metadata of the outer packet is dropped.
 * DROP_UNDERLAY_OTHER, DROP_TUNNEL_NOT_OURS and DROP_TUNNEL_FRAGMENT leave the packet's bytes as they were.
 * The packet may be too short for an Ethernet header afterwards only if DROP_TUNNEL_BAD_LENGTH is returned.
 * VXLAN_OK and `*which`, or a drop reason. Worker.
 */
int vxlan_decap(struct vxlan_vtep *const *vteps, unsigned n, struct vxlan_memory *m, struct packet *p,
                unsigned *which);

struct vxlan_out {
	int ifindex;        /* uplink netdev the packet leaves by (struct port.ifindex) */
	uint32_t inner_mtu; /* largest inner L3 packet on this path; also valid with DROP_TUNNEL_TOO_BIG */
};

/*
 * Puts the outer headers in front: remote and VNI from the config or packet.tunnel, outer source from the
 * config (or packet.tunnel.src when that is set: a local address), TOS: packet.tunnel.tos when set, with the
 * inner ECN bits (RFC 6040 section 4.1 normal mode), TTL: packet.tunnel.ttl or 64, DF set, source port from
 * packet.hash (computed here when 0). Sets PACKET_ENCAP, outer_l3, outer_l4; over IPv6 PACKET_OUTER_CSUM. For
 * GSO the lengths are those of the whole packet; the segmenter writes the final ones. l3 and l4 must be set
 * as parsed. On DROP_TUNNEL_TOO_BIG the packet is unchanged, so that the caller can answer it. VXLAN_OK, or a
 * drop reason. Worker.
 */
int vxlan_encap(const struct vxlan_vtep *vtep, unsigned worker, struct vxlan_memory *m, struct packet *p,
                struct vxlan_out *out);

/* Bytes that the outer IP, UDP and VXLAN headers add to an inner frame. */
enum { VXLAN_OVERHEAD4 = 20 + 8 + 8, VXLAN_OVERHEAD6 = 40 + 8 + 8 };

#endif
