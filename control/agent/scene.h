/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host has to carry, as objects: the input of the pipeline and of the answers to guests.
 *
 * Design: objects are borrowed from the view. A change of the view makes anew what it is about, and the rest
 * stays: a network when its ports or their places change (keys n/VNI/ and loc/VNI/), a group when its rules
 * or members do (sg/GROUP/), and who lives is only noted (live/HOST). Whatever else changes makes all anew:
 * what this host carries, hosts, routers, and a network itself, of which the others of its router know.
 *
 * Thread-safety: none. Life cycle: zeroed is empty -> scene_update after every view_refresh -> the agent
 * numbers the ports -> used until the view is refreshed -> scene_free.
 */
#ifndef CONTROL_AGENT_SCENE_H
#define CONTROL_AGENT_SCENE_H

#include "control/agent/view.h"
#include "control/tenancy/keys.h"

/* Versions: another number whenever one of the keys that something was made of has changed. */

struct scene_host {
	const struct host *host;
	bool lives; /* as far as the store knows */
	uint64_t version;
};

struct scene_network {
	uint32_t vni;
	const struct network *network;
	const struct scene_router *router; /* NULL: none */
	struct scene_port *ports;          /* of the whole network, by name */
	unsigned n_ports;
	struct scene_port **local; /* those that are */
	unsigned n_local;
	uint16_t mtu;         /* what guests are told */
	uint64_t version;     /* of its keys, with its ports */
	uint64_t own_version; /* without them */
	uint64_t places;      /* of where its ports are */
	uint64_t lives;       /* another number when other hosts of those live */
	bool stale;           /* for scene_build.c: one of its keys has changed */
};

enum scene_zone {             /* what connections the switch may have in the zone of a local port */
	          ZONE_FOUND, /* its own, if its interface is there already */
	          ZONE_OWN,   /* its own, from now on */
	          ZONE_STALE, /* some that it had before it was in no group or its guest somewhere else */
};

struct scene_port {
	const struct tenant_port *port;
	struct scene_network *network;
	const struct scene_host *at; /* where it is active; NULL: nowhere known */
	bool local;                  /* this host carries it */
	bool active;                 /* and its guest is here: not on a host that it moves from or to */
	/* of local ports */
	uint64_t claimed; /* when this host asked to be the active one, clock_now(); 0: never */
	uint32_t ofport;  /* 0: not numbered */
	enum scene_zone zone;
	char interface[INTERFACE_NAME_SIZE], *socket;
	uint16_t queues;
	uint64_t version; /* of what it is bound by, without the port itself */
};

struct scene_router {
	const struct router *router;
	const char *id; /* up to a '/' */
	uint64_t version;
	struct scene_network *networks[ROUTER_NETWORKS_MAX]; /* as the router names them; NULL: unknown */
};

struct scene_group {
	char id[ID_MAX];
	const struct group *group; /* NULL: its rules are not known here */
	struct ip_addr *members;
	unsigned n_members;
	uint64_t version;
	bool stale; /* as a network's */
};

struct scene {
	struct scene_host *hosts; /* by name: those that it knows of */
	unsigned n_hosts;
	uint64_t hosts_version;
	const struct host *self;        /* NULL: the host is not in the store */
	bool leases;                    /* it has one: who has none does not live */
	struct scene_network *networks; /* ascending by VNI */
	unsigned n_networks;
	struct scene_port **local; /* of all networks, one after the other */
	unsigned n_local;
	struct scene_router *routers; /* by id */
	unsigned n_routers;
	struct scene_group *groups; /* by id */
	unsigned n_groups;
	uint32_t tunnel;             /* port number of the VXLAN interface; 0: none */
	uint64_t interfaces_version; /* of what the interfaces of local ports look like */
	uint64_t asked;              /* who waits for this host has asked again: keys.h, wait */
	int64_t rev;
	/* for scene_build.c */
	const struct view_key **bindings; /* h/HOST/bind/PORT, ascending */
	unsigned n_bindings;
	uint64_t seen; /* the view_version() that it follows; 0: none */
};

/* Follows the view of `host`, always the same one. Local ports that stay keep their numbers, and so does the
 * tunnel. Sockets that nobody named lie in `socket_dir`. 0; or -errno, and the scene is empty. */
int scene_update(struct scene *s, const struct view *v, const char *host, const char *socket_dir,
                 struct error *e);
void scene_free(struct scene *s); /* leaves an empty one */

struct scene_network *scene_network(const struct scene *s, uint32_t vni);
struct scene_port *scene_port_by_number(const struct scene *s, uint32_t ofport);
/* The port that has `ip` in the network, or NULL. */
struct scene_port *scene_port_by_ip(const struct scene_network *net, const struct ip_addr *ip);
/* The subnet of the network that `ip` is in, or NULL. */
const struct subnet *scene_subnet(const struct scene_network *net, const struct ip_addr *ip);
/* By its name, or NULL. */
struct scene_host *scene_host(const struct scene *s, const char *name);
struct scene_group *scene_group(const struct scene *s, const char *tenant, const char *group);
/* `id` may end with a '/'. */
struct scene_group *scene_group_by_id(const struct scene *s, const char *id);

#endif
