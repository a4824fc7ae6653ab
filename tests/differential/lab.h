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
	LAB_FRAME = 160,
	LAB_WRAPPED = LAB_FRAME + 14 + 20 + 8 + 8,
};

struct lab_guest {
	bool used;
	int network, host;
	uint8_t mac[6];
	uint8_t ip4[4], ip6[16]; /* ip6 when the network has IPv6 */
	int group;               /* of its tenant; -1: none */
};

struct lab_network {
	int tenant, index; /* 10.0.index.0/24, fd00:index::/64 */
	bool v6;
	uint32_t vni;
	uint8_t net4[3];
};

struct lab_group { /* UDP ports low to high, from anybody, a network's prefix, or a group */
	uint16_t low, high;
	enum { FROM_ANY, FROM_NETWORK, FROM_GROUP } from;
	int peer;
};

struct lab {
	unsigned seed;
	int n_hosts, n_tenants, n_networks;
	bool router[LAB_TENANTS]; /* one, of all networks of the tenant */
	struct lab_group groups[LAB_TENANTS][LAB_GROUPS];
	struct lab_network networks[LAB_NETWORKS];
	struct lab_guest guests[LAB_GUESTS];
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
/* Guests come, go, move to another host and change groups. */
void lab_churn(struct lab *lab);
void lab_write_yaml(const struct lab *lab, FILE *out);
/* A frame from a guest (its number is returned) and what must become of it. */
int lab_probe(struct lab *lab, uint8_t frame[LAB_FRAME], uint32_t *len, struct lab_verdict *verdict,
              char *what, size_t size);

struct lab_tunnel { /* outer addresses: the last bytes of 172.31.0.x */
	uint8_t from, to;
	uint32_t vni;
};
/* A frame as it is on the fabric (LAB_WRAPPED bytes at most); its length. */
uint32_t lab_wrap(uint8_t *out, const struct lab_tunnel *t, const uint8_t *frame, uint32_t len);

#endif
