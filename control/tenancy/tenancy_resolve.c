/* SPDX-License-Identifier: Apache-2.0 */
/* Gives VNIs and addresses to what asks for "auto"; see tenancy.h. The same tenancy gets the same ones: no
 * chance is involved, so that writers who collide are told by the store and try again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "control/tenancy/claims.h"
#include "control/tenancy/tenancy.h"

struct resolve {
	const struct tenancy *m;
	struct claims claims;
	json_t *cursors;
	struct tenancy_error *e;
	uint32_t next_vni;
};

static int claim_vni(void *object, void *arg)
{
	struct network *net = object;
	struct resolve *r = arg;

	if (net->vni)
		claim(&r->claims, &net->object, "vni %u", net->vni);
	return 0;
}

static int give_vni(void *object, void *arg)
{
	struct network *net = object;
	struct resolve *r = arg;

	if (net->vni)
		return 0;
	while (r->next_vni <= VNI_MAX && claim(&r->claims, &net->object, "vni %u", r->next_vni))
		r->next_vni++;
	if (r->next_vni > VNI_MAX)
		return tenancy_fail(r->e, &net->object, "vni", ENOSPC, "all are taken");
	net->vni = r->next_vni++;
	return 0;
}

static int claim_addresses(void *object, void *arg)
{
	struct tenant_port *p = object;
	struct resolve *r = arg;
	char text[IP_TEXT_MAX];

	for (unsigned i = 0; i < p->n_ips; i++)
		claim(&r->claims, &p->object, "ip %s/%s %s", p->object.tenant, p->network,
		      ip_format(&p->ips[i], text));
	claim(&r->claims, &p->object, "mac %s/%s %s", p->object.tenant, p->network, mac_format(p->mac, text));
	return 0;
}

/* The lowest free address of subnet `at` of the port's network. `cursors` remembers where the search ended.
 */
static int give_ip(struct resolve *r, struct tenant_port *p, const struct network *net, unsigned at)
{
	const struct subnet *s = &net->subnets[at];
	struct ip_addr ip, last = prefix_last(&s->cidr);
	char text[PREFIX_TEXT_MAX], key[3 * OBJECT_NAME_MAX];
	json_int_t n;

	snprintf(key, sizeof(key), "%s/%s %u", p->object.tenant, p->network, at);
	n = json_integer_value(json_object_get(r->cursors, key));
	while (prefix_nth(&s->cidr, (uint64_t)++n, &ip)) {
		if (ip_equal(&ip, &s->gateway) || (ip_is_v4(&ip) && ip_equal(&ip, &last)))
			continue;
		if (claim(&r->claims, &p->object, "ip %s/%s %s", p->object.tenant, p->network,
		          ip_format(&ip, text)))
			continue;
		p->ips[p->n_ips++] = ip;
		json_object_set_new(r->cursors, key, json_integer(n));
		return 0;
	}
	return tenancy_fail(r->e, &p->object, "ips", ENOSPC, "subnet %s has no free address",
	                    prefix_format(&s->cidr, text));
}

/* One address of each family that the network has and the port has not, from the first subnet of it. */
static int give_ips(struct resolve *r, struct tenant_port *p)
{
	const struct network *net = tenancy_get(r->m, KIND_NETWORK, p->object.tenant, p->network);
	bool has[2] = {false, false}; /* IPv6, IPv4 */
	int rc = 0;

	for (unsigned i = 0; i < p->n_ips; i++)
		has[ip_is_v4(&p->ips[i])] = true;
	for (unsigned i = 0; net && i < net->n_subnets && !rc; i++) {
		bool v4 = prefix_is_v4(&net->subnets[i].cidr);

		if (has[v4] || p->n_ips == PORT_IPS_MAX)
			continue;
		has[v4] = true;
		rc = give_ip(r, p, net, i);
	}
	p->auto_ips = false;
	return rc;
}

/* A locally administered address from the port's name, the next one when somebody has it. */
static void give_mac(struct resolve *r, struct tenant_port *p)
{
	uint64_t words[2 * (OBJECT_NAME_MAX + 1) / 8], hash;
	char text[MAC_TEXT_MAX];

	memcpy(words, p->object.tenant, OBJECT_NAME_MAX + 1);
	memcpy((char *)words + OBJECT_NAME_MAX + 1, p->object.name, OBJECT_NAME_MAX + 1);
	hash = hash_words(words, sizeof(words) / 8, 0);
	do {
		p->mac = (struct mac){{0x0a, 0x57, (uint8_t)(hash >> 24), (uint8_t)(hash >> 16),
		                       (uint8_t)(hash >> 8), (uint8_t)hash}};
		hash++;
	} while (claim(&r->claims, &p->object, "mac %s/%s %s", p->object.tenant, p->network,
	               mac_format(p->mac, text)));
}

static int give_addresses(void *object, void *arg)
{
	struct tenant_port *p = object;
	struct resolve *r = arg;

	if (!memcmp(&p->mac, &(struct mac){{0}}, sizeof(p->mac)))
		give_mac(r, p);
	return p->auto_ips ? give_ips(r, p) : 0;
}

int tenancy_resolve(struct tenancy *m, struct tenancy_error *e)
{
	struct resolve r = {.m = m, .cursors = json_object(), .e = e, .next_vni = VNI_MIN};
	int rc;

	claims_init(&r.claims);
	tenancy_each(m, KIND_NETWORK, claim_vni, &r);
	rc = tenancy_each(m, KIND_NETWORK, give_vni, &r);
	tenancy_each(m, KIND_PORT, claim_addresses, &r);
	if (!rc)
		rc = tenancy_each(m, KIND_PORT, give_addresses, &r);
	claims_free(&r.claims);
	json_decref(r.cursors);
	return rc;
}

void object_adopt(void *object, const void *old)
{
	const struct object *o = object;

	if (o->kind == KIND_NETWORK) {
		struct network *net = object;

		if (!net->vni)
			net->vni = ((const struct network *)old)->vni;
	} else if (o->kind == KIND_PORT) {
		struct tenant_port *p = object;
		const struct tenant_port *was = old;

		if (strcmp(p->network, was->network))
			return;
		if (!memcmp(&p->mac, &(struct mac){{0}}, sizeof(p->mac)))
			p->mac = was->mac;
		if (p->auto_ips && !p->n_ips) {
			memcpy(p->ips, was->ips, sizeof(p->ips));
			p->n_ips = was->n_ips;
		}
		if (p->n_hosts > 1 && was->n_hosts)
			port_activate(p, was->hosts[0]); /* where it is active is the hosts' business */
	}
}
