/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random tenants on one to three hosts, what their guests send, and what must come of it: the judge of the
 * tenant pipeline.
 *
 * The judge knows the tenants from its own arrays, from which the YAML is written that the agent's code
 * reads; they share no code. A probe is one frame; its verdict is the list of ports that must get a frame,
 * and which bytes.
 */
#ifndef TESTS_DIFFERENTIAL_LAB_H
#define TESTS_DIFFERENTIAL_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	LAB_HOSTS = 3, /* "h0", ...; tunnels end at 172.31.0.11, .12, ... */
	LAB_GUESTS = 40,
	LAB_NETWORKS = 18,
	LAB_TENANTS = 8,
	LAB_GROUPS = 3,
	LAB_KNOWN = 4096, /* connections of a guest */
	LAB_HEARD = 64,
	LAB_FRAME = 160,
	LAB_WRAPPED = LAB_FRAME + 14 + 20 + 8 + 8,
};

struct lab_tuple { /* a packet's, or that of a connection: of its first packet */
	bool v6;
	uint8_t proto, type, pad; /* type: ICMP's */
	uint16_t sport, dport;    /* 0 without ports */
	uint8_t from[16], to[16]; /* 4 bytes of them for IPv4 */
};

struct lab_guest {
	bool used;
	int network, host;
	uint8_t mac[6];
	uint8_t ip4[4], ip6[16]; /* ip6 when the network has IPv6 */
	int group;               /* of its tenant; -1: none */
	/* In a group: what was let through since it is where it is. */
	struct lab_tuple known[LAB_KNOWN];
	unsigned n_known;
};

struct lab_network {
	int tenant, index; /* 10.0.index.0/24, fd00:index::/64 */
	bool v6;
	uint32_t vni;
	uint8_t net4[3];
};

struct lab_rule { /* ports low to high (not of ICMP), from or to anybody, a network's prefix, or a group */
	uint8_t proto;
	uint16_t low, high;
	enum { WITH_ANY, WITH_NETWORK, WITH_GROUP } with;
	int peer;
};

struct lab_group {
	struct lab_rule in, out;
	bool has_out; /* without a rule all may go out */
};

struct lab_heard { /* a packet that a guest got: it may answer */
	int guest;
	uint8_t src[6], dst[6];
	struct lab_tuple tuple;
};

struct lab {
	unsigned seed;
	int n_hosts, n_tenants, n_networks;
	bool router[LAB_TENANTS]; /* one, of all networks of the tenant */
	struct lab_group groups[LAB_TENANTS][LAB_GROUPS];
	struct lab_network networks[LAB_NETWORKS];
	struct lab_guest guests[LAB_GUESTS];
	struct lab_heard heard[LAB_HEARD];
	unsigned n_heard; /* the last ones are kept */
};

struct lab_delivery {
	bool expected;
	uint32_t len;
	uint8_t bytes[LAB_FRAME];
};

struct lab_verdict {
	struct lab_delivery to[LAB_GUESTS];
	unsigned punted; /* packets that the sender's agent must get */
	bool bad;        /* what no guest may send */
};

void lab_make(struct lab *lab, unsigned seed);
/* Guests come, go, move to another host and change groups; rules change. */
void lab_churn(struct lab *lab);
/* As if no guest had ever heard of another. */
void lab_forget(struct lab *lab);
void lab_write_yaml(const struct lab *lab, FILE *out);
/* A frame from a guest (its number is returned) and what must become of it; NULL: it is not sent. */
int lab_probe(struct lab *lab, uint8_t frame[LAB_FRAME], uint32_t *len, struct lab_verdict *verdict,
              char *what, size_t size);

struct lab_tunnel { /* outer addresses: the last bytes of 172.31.0.x */
	uint8_t from, to;
	uint32_t vni;
};
/* A frame as it is on the fabric (LAB_WRAPPED bytes at most); its length. */
uint32_t lab_wrap(uint8_t *out, const struct lab_tunnel *t, const uint8_t *frame, uint32_t len);

#endif
