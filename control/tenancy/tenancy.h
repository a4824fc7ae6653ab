/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tenants own and where it runs: the desired state of all networks as plain objects.
 *
 * Design: an object is known by its kind, its tenant and its name; a struct tenancy is an ordered set of
 * objects that it owns. Reading (tenancy_read.h) checks each object alone, tenancy_check() checks them
 * together: after it every name that an object mentions exists, and nothing is left "auto".
 *
 * Thread-safety: none; one thread per tenancy. Life cycle: tenancy_init -> put, remove, read, check ->
 * tenancy_free.
 */
#ifndef CONTROL_TENANCY_TENANCY_H
#define CONTROL_TENANCY_TENANCY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "control/tenancy/prefix.h"

enum {
	OBJECT_NAME_MAX = 63, /* bytes of a name */
	HOST_VTEPS_MAX = 2,   /* one of each family */
	NETWORK_SUBNETS_MAX = 8,
	SUBNET_DNS_MAX = 4,
	ROUTER_NETWORKS_MAX = 64,
	ROUTER_ROUTES_MAX = 256,
	GROUP_RULES_MAX = 64,
	RULE_RANGES_MAX = 16,
	PORT_IPS_MAX = 8,
	PORT_GROUPS_MAX = 8,
	PORT_HOSTS_MAX = 2, /* more than one while it moves */
	SOCKET_PATH_MAX = 107,
	VNI_MIN = 4096, /* the lower ones are for operators who use VXLAN by hand */
	VNI_MAX = 0xffffff,
	MTU_MIN = 576,
	MTU_MAX = 65535,
};

enum object_kind { KIND_HOST, KIND_TENANT, KIND_NETWORK, KIND_ROUTER, KIND_GROUP, KIND_PORT, KINDS };

/* In singular ("network") and as the key of a document ("networks"). */
const char *kind_name(enum object_kind kind);
const char *kind_plural(enum object_kind kind);

/* The start of every object. A host has no tenant; a tenant's name stands in both places. */
struct object {
	enum object_kind kind;
	char tenant[OBJECT_NAME_MAX + 1];
	char name[OBJECT_NAME_MAX + 1];
};

struct host {
	struct object object;
	struct ip_addr vteps[HOST_VTEPS_MAX];
	unsigned n_vteps;
	uint16_t mtu; /* of its underlay; 0: unknown */
	bool drained; /* no port may come to it */
};

struct tenant {
	struct object object;
};

struct subnet {
	struct prefix cidr;
	struct ip_addr gateway; /* a router's address here; served to guests when a router is attached */
	bool dhcp;
	struct ip_addr dns[SUBNET_DNS_MAX];
	unsigned n_dns;
};

struct network {
	struct object object;
	uint32_t vni; /* 0: auto */
	uint16_t mtu; /* of the guests; 0: what the underlay leaves */
	struct subnet subnets[NETWORK_SUBNETS_MAX];
	unsigned n_subnets;
};

struct route {
	struct prefix to;
	struct ip_addr via;
};

struct router {
	struct object object;
	char networks[ROUTER_NETWORKS_MAX][OBJECT_NAME_MAX + 1];
	unsigned n_networks;
	struct route routes[ROUTER_ROUTES_MAX];
	unsigned n_routes;
};

enum { PROTO_ANY = -1 };

struct port_range {
	uint16_t low, high;
};

struct group_rule {
	bool ingress;
	int proto; /* an IP protocol number or PROTO_ANY */
	struct port_range ranges[RULE_RANGES_MAX];
	unsigned n_ranges;               /* 0: all */
	bool any_peer;                   /* neither peer nor group counts */
	struct prefix peer;              /* counts when group is empty */
	char group[OBJECT_NAME_MAX + 1]; /* the peers are this group's members */
};

struct group {
	struct object object;
	struct group_rule rules[GROUP_RULES_MAX];
	unsigned n_rules;
};

struct tenant_port {
	struct object object;
	char network[OBJECT_NAME_MAX + 1];
	struct mac mac; /* zero: auto */
	struct ip_addr ips[PORT_IPS_MAX];
	unsigned n_ips;
	bool auto_ips; /* add one of each family that the network has and `ips` lacks */
	/* Who carries it; it is active on the first. Both keep all that it needs while a guest moves. */
	char hosts[PORT_HOSTS_MAX][OBJECT_NAME_MAX + 1];
	unsigned n_hosts; /* 0: not bound */
	char groups[PORT_GROUPS_MAX][OBJECT_NAME_MAX + 1];
	unsigned n_groups;
	char socket[SOCKET_PATH_MAX + 1]; /* "": the agent's choice */
	uint16_t queues;                  /* pairs; 0: 1 */
};

struct tenancy {
	void *tree[KINDS]; /* <search.h>, ordered by tenant and name */
	unsigned n[KINDS];
};

/* What is wrong, for a machine (to find the line) and for people. */
struct tenancy_error {
	enum object_kind kind; /* KINDS: the document itself */
	char tenant[OBJECT_NAME_MAX + 1], name[OBJECT_NAME_MAX + 1];
	char field[128];   /* "subnets[0].cidr", or "" */
	struct error text; /* "network acme/web: subnets[0].cidr: expected ..." */
	struct object by;  /* who has what both want; kind KINDS: no such */
};

void tenancy_init(struct tenancy *m);
void tenancy_free(struct tenancy *m);

/* A zeroed object of the kind's size with its name filled, to be freed with free() or given to tenancy_put().
 */
void *object_create(enum object_kind kind, const char *tenant, const char *name);
/* A copy, or NULL. */
void *object_copy(const struct object *o);
bool object_equal(const struct object *a, const struct object *b);

/* NULL when there is none. The object stays the tenancy's; it may be changed, but for its kind and names. */
void *tenancy_get(const struct tenancy *m, enum object_kind kind, const char *tenant, const char *name);
/* Takes ownership of `o`; one of the same name is replaced (and freed). 0 or -ENOMEM (then `o` is freed). */
int tenancy_put(struct tenancy *m, void *o);
/* False: there was none. */
bool tenancy_remove(struct tenancy *m, enum object_kind kind, const char *tenant, const char *name);
/* Calls `each` in the order of tenant and name until it returns non-zero, which is returned. The set must not
 * change meanwhile. */
int tenancy_each(const struct tenancy *m, enum object_kind kind, int (*each)(void *object, void *arg),
                 void *arg);
/* The objects of a kind in that order, in an array that the caller frees; NULL: no memory. */
void **tenancy_list(const struct tenancy *m, enum object_kind kind);

/* Fills what is "auto": VNIs, MAC and IP addresses, the lowest free one each. Call before tenancy_check; when
 * something runs out, -ENOSPC with `e`. */
int tenancy_resolve(struct tenancy *m, struct tenancy_error *e);
/* Lets what is "auto" in `o` be what it is in `old`, an object of the same name. */
void object_adopt(void *o, const void *old);
/* Makes the port active on `host`. False: that host does not carry it. */
bool port_activate(struct tenant_port *p, const char *host);
/* Checks all objects together. 0, or -EINVAL, -ENOENT (a dangling reference), -EEXIST (two want the same
 * thing). */
int tenancy_check(const struct tenancy *m, struct tenancy_error *e);

/* Fills `e` for a field of an object (NULL: the document) and returns -code. */
int tenancy_fail(struct tenancy_error *e, const struct object *o, const char *field, int code,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "t-" and a hash: the interface that carries a port, the same name at every start. */
enum { INTERFACE_NAME_SIZE = 16 };
const char *port_interface(const struct object *o, char text[INTERFACE_NAME_SIZE]);

/* The router's address in a network has this MAC: one for every network, known everywhere. */
struct mac router_mac(uint32_t vni);
bool mac_is_router(struct mac m);

#endif
