/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host has to carry, as objects: the input of the pipeline and of the answers to guests. Built anew
 * from the view at every change; plain data, nothing of it knows the store or the switch.
 *
 * Thread-safety: none. Life cycle: scene_build -> the agent numbers the ports -> used -> scene_free.
 */
#ifndef CONTROL_AGENT_SCENE_H
#define CONTROL_AGENT_SCENE_H

#include "control/agent/view.h"
#include "control/tenancy/keys.h"

struct scene_network {
	const struct network *network;
	const struct router *router; /* NULL: none */
	struct scene_port **ports;   /* of the whole network, by name */
	unsigned n_ports;
	uint16_t mtu; /* what guests are told */
};

struct scene_port {
	const struct tenant_port *port;
	struct scene_network *network;
	const struct host *host; /* where it is active; NULL: nowhere known */
	bool local;              /* this host carries it */
	bool active;             /* and its guest is here: not on a host that it moves from or to */
	/* of local ports */
	uint64_t claimed; /* when this host asked to be the active one, clock_now(); 0: never */
	uint32_t ofport;  /* 0: not numbered */
	char interface[INTERFACE_NAME_SIZE], socket[320];
	uint16_t queues;
};

struct scene_members { /* of a security group */
	char id[ID_MAX];
	struct ip_addr *ips;
	unsigned n;
};

struct scene {
	struct tenancy tenancy;
	const struct host *self;        /* NULL: the host is not in the store */
	struct scene_network *networks; /* ascending by VNI */
	unsigned n_networks;
	struct scene_port *ports; /* by tenant and name */
	unsigned n_ports;
	struct scene_members *groups;
	unsigned n_groups;
	uint32_t tunnel; /* port number of the VXLAN interface; 0: none */
	int64_t rev;
};

/* 0 or -errno; what cannot be read is left out and logged. Sockets that nobody named lie in `socket_dir`. */
int scene_build(const struct view *v, const char *host, const char *socket_dir, struct scene *out,
                struct error *e);
void scene_free(struct scene *s);

struct scene_network *scene_network(const struct scene *s, uint32_t vni);
struct scene_port *scene_port_by_number(const struct scene *s, uint32_t ofport);
/* The port that has `ip` in the network, or NULL. */
struct scene_port *scene_port_by_ip(const struct scene_network *net, const struct ip_addr *ip);
/* The subnet of the network that `ip` is in, or NULL. */
const struct subnet *scene_subnet(const struct scene_network *net, const struct ip_addr *ip);
/* The network of a router by its name. */
struct scene_network *scene_router_network(const struct scene *s, const struct router *r, unsigned i);
const struct scene_members *scene_members(const struct scene *s, const char *tenant, const char *group);

#endif
