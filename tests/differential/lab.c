/* SPDX-License-Identifier: Apache-2.0 */
/* Random tenants; see lab.h. */
#include "tests/differential/lab_private.h"

#include <stdlib.h>
#include <string.h>

unsigned lab_pick(struct lab *lab, unsigned n)
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
	*g = (struct lab_guest){.used = true,
	                        .network = network,
	                        .host = (int)lab_pick(lab, (unsigned)lab->n_hosts),
	                        .group = (int)lab_pick(lab, LAB_GROUPS + 3) - 3};
	if (g->group < 0)
		g->group = -1;
	memcpy(g->mac, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)(same + 1)}, 6);
	memcpy(g->ip4, net->net4, 3);
	g->ip4[3] =
	        (uint8_t)(10 + same + !network); /* those of the first network have the hosts' addresses */
	memcpy(g->ip6, (uint8_t[16]){0xfd, 0, 0, (uint8_t)net->index}, 16);
	g->ip6[15] = (uint8_t)(10 + same);
}

static struct lab_rule make_rule(struct lab *lab)
{
	return (struct lab_rule){(uint8_t[]){UDP, UDP, TCP, ICMP}[lab_pick(lab, 4)],
	                         (uint16_t)(1000 + lab_pick(lab, 3)), (uint16_t)(1002 + lab_pick(lab, 6)),
	                         lab_pick(lab, 3), (int)lab_pick(lab, LAB_GROUPS)};
}

static void make_group(struct lab *lab, struct lab_group *g)
{
	*g = (struct lab_group){make_rule(lab), make_rule(lab), !lab_pick(lab, 3)};
}

void lab_make(struct lab *lab, unsigned seed)
{
	int slot = 0;

	memset(lab, 0, sizeof(*lab));
	lab->seed = seed;
	lab->n_hosts = 1 + (int)lab_pick(lab, LAB_HOSTS);
	lab->n_tenants = 2 + (int)lab_pick(lab, LAB_TENANTS - 1);
	for (int t = 0; t < lab->n_tenants; t++) {
		int networks = 1 + (int)lab_pick(lab, 3);

		lab->router[t] = lab_pick(lab, 3) > 0;
		for (int g = 0; g < LAB_GROUPS; g++)
			make_group(lab, &lab->groups[t][g]);
		for (int i = 0; i < networks && lab->n_networks < LAB_NETWORKS; i++) {
			struct lab_network *net = &lab->networks[lab->n_networks];

			*net = (struct lab_network){t,
			                            i,
			                            lab_pick(lab, 2),
			                            5000u + (unsigned)lab->n_networks,
			                            {10, 0, (uint8_t)i}};
			if (!lab->n_networks)
				memcpy(net->net4, (uint8_t[]){172, 31, 0}, 3);
			lab->n_networks++;
		}
	}
	for (int n = 0; n < lab->n_networks; n++)
		for (unsigned i = 0, guests = n ? 1 + lab_pick(lab, 4) : LAB_HOSTS;
		     i < guests && slot < LAB_GUESTS; i++)
			make_guest(lab, slot++, n);
}

static void change_guest(struct lab *lab, struct lab_guest *g, bool stays)
{
	int host = g->host;
	bool used = g->used;

	if (!stays && lab_pick(lab, 2))
		g->used = !g->used;
	else if (lab_pick(lab, 2))
		g->host = (int)lab_pick(lab, (unsigned)lab->n_hosts);
	else
		g->group = (int)lab_pick(lab, LAB_GROUPS + 1) - 1;
	if (g->used != used || g->host != host || g->group < 0)
		g->n_known = 0;
}

void lab_churn(struct lab *lab)
{
	int tenant = (int)lab_pick(lab, (unsigned)lab->n_tenants);

	for (int i = 0; i < LAB_GUESTS; i++)
		if (lab->guests[i].mac[0] && !lab_pick(lab, 5))
			change_guest(lab, &lab->guests[i], !i); /* one stays */
	make_group(lab, &lab->groups[tenant][lab_pick(lab, LAB_GROUPS)]);
}

void lab_forget(struct lab *lab)
{
	for (int i = 0; i < LAB_GUESTS; i++)
		lab->guests[i].n_known = 0;
	lab->n_heard = 0;
}

static void write_rule(const struct lab_rule *rule, const char *side, FILE *out)
{
	fprintf(out, "{proto: %s", rule->proto == UDP ? "udp" : rule->proto == TCP ? "tcp" : "icmp");
	if (rule->proto != ICMP)
		fprintf(out, ", ports: %u-%u", rule->low, rule->high);
	if (rule->with == WITH_GROUP)
		fprintf(out, ", %s: {group: s%d}", side, rule->peer);
	else if (rule->with == WITH_NETWORK)
		fprintf(out, ", %s: 10.0.%d.0/24", side, rule->peer);
	fprintf(out, "}");
}

static void write_group(const struct lab *lab, int tenant, int g, FILE *out)
{
	const struct lab_group *group = &lab->groups[tenant][g];

	fprintf(out, "      s%d: {ingress: [", g);
	write_rule(&group->in, "from", out);
	if (group->has_out) {
		fprintf(out, "], egress: [");
		write_rule(&group->out, "to", out);
	}
	fprintf(out, "]}\n");
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
	for (int i = 0; i < LAB_GUESTS; i++) {
		const struct lab_guest *g = &lab->guests[i];

		if (!g->used || lab->networks[g->network].tenant != t)
			continue;
		fprintf(out,
		        "      g%d: {network: n%d, host: h%d, mac: '02:00:00:00:00:%02x', ips: [%u.%u.%u.%u",
		        i, g->network, g->host, g->mac[5], g->ip4[0], g->ip4[1], g->ip4[2], g->ip4[3]);
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
	fprintf(out, "apiVersion: weft/v1\nhosts:\n");
	for (int h = 0; h < lab->n_hosts; h++)
		fprintf(out, "  h%d: {vtep: 172.31.0.%d}\n", h, 11 + h);
	fprintf(out, "tenants:\n");
	for (int t = 0; t < lab->n_tenants; t++)
		write_tenant(lab, t, out);
}

void lab_router_mac(const struct lab_network *net, uint8_t mac[6])
{
	memcpy(mac,
	       (uint8_t[]){0x0e, 0x57, 0, (uint8_t)(net->vni >> 16), (uint8_t)(net->vni >> 8),
	                   (uint8_t)net->vni},
	       6);
}

void lab_link_local(const uint8_t mac[6], uint8_t ip[16])
{
	memcpy(ip,
	       (uint8_t[16]){0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4],
	                     mac[5]},
	       16);
}

const struct lab_network *lab_network_of(const struct lab *lab, const struct lab_guest *g)
{
	return &lab->networks[g->network];
}
