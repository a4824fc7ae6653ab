/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host has to carry, as objects: the input of the pipeline and of the answers to guests. Built anew
 * from the view at every change, in one pass over its keys; objects are borrowed from the view.
 *
 * Thread-safety: none. Life cycle: scene_build -> the agent numbers the ports -> used until the view is
 * refreshed -> scene_free.
 */
#ifndef CONTROL_AGENT_SCENE_H
#define CONTROL_AGENT_SCENE_H

#include "control/agent/view.h"
#include "control/tenancy/keys.h"

/* Versions: another number whenever one of the keys that something was made of has changed. */

struct scene_network {
	const struct network *network;
	const struct router *router; /* NULL: none */
	struct scene_port *ports;    /* of the whole network, by name */
	unsigned n_ports;
	bool here;    /* one of them is local */
	uint16_t mtu; /* what guests are told */
	uint64_t version, router_version;
	uint64_t own_version; /* of the network without its ports */
};

struct scene_port {
	const struct tenant_port *port;
	struct scene_network *network;
	const struct host *host; /* where it is active; NULL: nowhere known */
	bool host_lives;         /* as far as the store knows */
	bool local;              /* this host carries it */
	bool active;             /* and its guest is here: not on a host that it moves from or to */
	/* of local ports */
	uint64_t claimed; /* when this host asked to be the active one, clock_now(); 0: never */
	uint32_t ofport;  /* 0: not numbered */
	char interface[INTERFACE_NAME_SIZE], *socket;
	uint16_t queues;
};

struct scene_group {
	char id[ID_MAX];
	const struct group *group; /* NULL: its rules are not known here */
	struct ip_addr *members;
	unsigned n_members;
	uint64_t version;
};

struct scene {
	const struct host **hosts; /* by name: those that it knows of */
	unsigned n_hosts;
	const struct host *self; /* NULL: the host is not in the store */
	const char **live;       /* names of hosts that have said that they live, ascending */
	unsigned n_live;
	struct scene_network *networks; /* ascending by VNI */
	unsigned n_networks;
	struct scene_port *ports; /* network by network, by name */
	unsigned n_ports;
	struct scene_port **local; /* those that are */
	unsigned n_local;
	struct scene_group *groups; /* by id */
	unsigned n_groups;
	uint32_t tunnel;             /* port number of the VXLAN interface; 0: none */
	uint64_t interfaces_version; /* of what the interfaces of local ports look like */
	uint64_t asked;              /* who waits for this host has asked again: keys.h, wait */
	int64_t rev;
};

/* 0 or -errno. Sockets that nobody named lie in `socket_dir`. */
int scene_build(const struct view *v, const char *host, const char *socket_dir, struct scene *out,
                struct error *e);
void scene_free(struct scene *s);
/* Lets the local ports that both have, and the tunnel, be numbered as in `old`. */
void scene_adopt(struct scene *s, const struct scene *old);

struct scene_network *scene_network(const struct scene *s, uint32_t vni);
struct scene_port *scene_port_by_number(const struct scene *s, uint32_t ofport);
/* The port that has `ip` in the network, or NULL. */
struct scene_port *scene_port_by_ip(const struct scene_network *net, const struct ip_addr *ip);
/* The subnet of the network that `ip` is in, or NULL. */
const struct subnet *scene_subnet(const struct scene_network *net, const struct ip_addr *ip);
/* The network of a router by its name. */
struct scene_network *scene_router_network(const struct scene *s, const struct router *r, unsigned i);
const struct scene_group *scene_group(const struct scene *s, const char *tenant, const char *group);

#endif
