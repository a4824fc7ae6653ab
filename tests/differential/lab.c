/* SPDX-License-Identifier: Apache-2.0 */
/* Random tenants; see lab.h. */
#include "tests/differential/lab.h"

#include <stdlib.h>
#include <string.h>

static unsigned pick(struct lab *lab, unsigned n)
{
	return (unsigned)rand_r(&lab->seed) / 7 % n;
}

/* MACs and addresses repeat from network to network, and from tenant to tenant. */
static void make_guest(struct lab *lab, int slot, int network)
{
	struct lab_guest *g = &lab->guests[slot];
	const struct lab_network *net = &lab->networks[network];
	int same = 0;

	for (int i = 0; i < slot; i++)
		same += lab->guests[i].network == network;
	*g = (struct lab_guest){
	        .used = true, .network = network, .group = (int)pick(lab, LAB_GROUPS + 3) - 3};
	if (g->group < 0)
		g->group = -1;
	memcpy(g->mac, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)(same + 1)}, 6);
	memcpy(g->ip4, net->net4, 3);
	g->ip4[3] = (uint8_t)(same      ? 10 + same
	                      : network ? 10
	                                : 1); /* the first one of all has the VTEP's address */
	memcpy(g->ip6, (uint8_t[16]){0xfd, 0, 0, (uint8_t)net->index}, 16);
	g->ip6[15] = (uint8_t)(10 + same);
}

void lab_make(struct lab *lab, unsigned seed)
{
	int slot = 0;

	memset(lab, 0, sizeof(*lab));
	lab->seed = seed;
	lab->n_tenants = 2 + (int)pick(lab, LAB_TENANTS - 1);
	for (int t = 0; t < lab->n_tenants; t++) {
		int networks = 1 + (int)pick(lab, 3);

		lab->router[t] = pick(lab, 3) > 0;
		for (int g = 0; g < LAB_GROUPS; g++)
			lab->groups[t][g] = (struct lab_group){(uint16_t)(1000 + pick(lab, 3)),
			                                       (uint16_t)(1002 + pick(lab, 6)), pick(lab, 3),
			                                       (int)pick(lab, LAB_GROUPS)};
		for (int i = 0; i < networks && lab->n_networks < LAB_NETWORKS; i++) {
			struct lab_network *net = &lab->networks[lab->n_networks];

			*net = (struct lab_network){
			        t, i, pick(lab, 2), 5000u + (unsigned)lab->n_networks, {10, 0, (uint8_t)i}};
			if (!lab->n_networks)
				memcpy(net->net4, (uint8_t[]){192, 0, 2}, 3);
			lab->n_networks++;
		}
	}
	for (int n = 0; n < lab->n_networks; n++)
		for (unsigned i = 0, guests = 1 + pick(lab, 4); i < guests && slot < LAB_GUESTS; i++)
			make_guest(lab, slot++, n);
}

void lab_churn(struct lab *lab)
{
	for (int i = 0; i < LAB_GUESTS; i++) {
		struct lab_guest *g = &lab->guests[i];

		if (!g->mac[0] || pick(lab, 5))
			continue;
		if (i && pick(lab, 2)) /* one stays */
			g->used = !g->used;
		else
			g->group = (int)pick(lab, LAB_GROUPS + 1) - 1;
	}
}

static void write_group(const struct lab *lab, int tenant, int g, FILE *out)
{
	const struct lab_group *group = &lab->groups[tenant][g];

	fprintf(out, "      s%d: {ingress: [{proto: udp, ports: %u-%u", g, group->low, group->high);
	if (group->from == FROM_GROUP)
		fprintf(out, ", from: {group: s%d}", group->peer);
	else if (group->from == FROM_NETWORK)
		fprintf(out, ", from: 10.0.%d.0/24", group->peer);
	fprintf(out, "}]}\n");
}

static void write_tenant(const struct lab *lab, int t, FILE *out)
{
	const char *comma = "";

	fprintf(out, "  t%d:\n    networks:\n", t);
	for (int n = 0; n < lab->n_networks; n++) {
		const struct lab_network *net = &lab->networks[n];

		if (net->tenant != t)
			continue;
		fprintf(out, "      n%d: {vni: %u, subnets: [{cidr: %u.%u.%u.0/24, gateway: %u.%u.%u.254}", n,
		        net->vni, net->net4[0], net->net4[1], net->net4[2], net->net4[0], net->net4[1],
		        net->net4[2]);
		if (net->v6)
			fprintf(out, ", {cidr: 'fd00:%x::/64', gateway: 'fd00:%x::fe'}", net->index,
			        net->index);
		fprintf(out, "]}\n");
	}
	if (lab->router[t]) {
		fprintf(out, "    routers: {r: {interfaces: [");
		for (int n = 0; n < lab->n_networks; n++)
			if (lab->networks[n].tenant == t) {
				fprintf(out, "%sn%d", comma, n);
				comma = ", ";
			}
		fprintf(out, "]}}\n");
	}
	fprintf(out, "    securityGroups:\n");
	for (int g = 0; g < LAB_GROUPS; g++)
		write_group(lab, t, g, out);
	fprintf(out, "    ports:\n");
	if (!t) /* a VTEP counts where one of its networks is */
		fprintf(out,
		        "      f: {network: n0, host: far, mac: '02:00:00:00:00:c8', ips: [192.0.2.200]}\n");
	for (int i = 0; i < LAB_GUESTS; i++) {
		const struct lab_guest *g = &lab->guests[i];

		if (!g->used || lab->networks[g->network].tenant != t)
			continue;
		fprintf(out,
		        "      g%d: {network: n%d, host: h, mac: '02:00:00:00:00:%02x', ips: [%u.%u.%u.%u", i,
		        g->network, g->mac[5], g->ip4[0], g->ip4[1], g->ip4[2], g->ip4[3]);
		if (lab->networks[g->network].v6)
			fprintf(out, ", 'fd00:%x::%x'", lab->networks[g->network].index, g->ip6[15]);
		fprintf(out, "]");
		if (g->group >= 0)
			fprintf(out, ", groups: [s%d]", g->group);
		fprintf(out, "}\n");
	}
}

void lab_write_yaml(const struct lab *lab, FILE *out)
{
	fprintf(out, "apiVersion: weft/v1\nhosts: {h: {}, far: {vtep: 192.0.2.1}}\ntenants:\n");
	for (int t = 0; t < lab->n_tenants; t++)
		write_tenant(lab, t, out);
}
