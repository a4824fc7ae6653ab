/* SPDX-License-Identifier: Apache-2.0 */
/* Do the objects of a tenancy fit together? See tenancy.h. One function a kind; each fills the error with the
 * object and field that is wrong and returns -errno. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tenancy/claims.h"
#include "control/tenancy/tenancy.h"

struct check {
	const struct tenancy *m;
	struct claims claims;
	struct tenancy_error *e;
};

/* "acme/web1", or "hv1" of a host. */
static const char *full_name(const struct object *o, char text[2 * OBJECT_NAME_MAX + 2])
{
	snprintf(text, 2 * OBJECT_NAME_MAX + 2, "%s%s%s", o->tenant, *o->tenant ? "/" : "", o->name);
	return text;
}

static int taken(struct check *c, const struct object *o, const char *field, const char *what,
                 const struct object *by)
{
	char name[2 * OBJECT_NAME_MAX + 2];

	tenancy_fail(c->e, o, field, EEXIST, "%s is taken by %s %s", what, kind_name(by->kind),
	             full_name(by, name));
	memcpy(&c->e->by, by, sizeof(c->e->by));
	return -EEXIST;
}

static int check_tenant_exists(struct check *c, const struct object *o)
{
	if (tenancy_get(c->m, KIND_TENANT, o->tenant, o->tenant))
		return 0;
	return tenancy_fail(c->e, o, "", ENOENT, "there is no tenant %s", o->tenant);
}

static int check_host(void *object, void *arg)
{
	const struct host *h = object;
	struct check *c = arg;
	char ip[IP_TEXT_MAX];

	for (unsigned i = 0; i < h->n_vteps; i++) {
		const struct object *by;

		by = claim(&c->claims, &h->object, "vtep %s", ip_format(&h->vteps[i], ip));
		if (by)
			return taken(c, &h->object, "vtep", ip, by);
	}
	return 0;
}

static int check_subnet(struct check *c, const struct network *net, unsigned i)
{
	const struct subnet *s = &net->subnets[i];
	char text[PREFIX_TEXT_MAX], field[64];
	struct ip_addr last = prefix_last(&s->cidr);

	snprintf(field, sizeof(field), "subnets[%u].gateway", i);
	if (!prefix_has(&s->cidr, &s->gateway) || ip_equal(&s->gateway, &s->cidr.addr) ||
	    ip_equal(&s->gateway, &last))
		return tenancy_fail(c->e, &net->object, field, EINVAL, "not an address inside %s",
		                    prefix_format(&s->cidr, text));
	snprintf(field, sizeof(field), "subnets[%u].cidr", i);
	for (unsigned k = 0; k < i; k++)
		if (prefix_overlaps(&s->cidr, &net->subnets[k].cidr))
			return tenancy_fail(c->e, &net->object, field, EEXIST, "overlaps subnets[%u], %s", k,
			                    prefix_format(&net->subnets[k].cidr, text));
	return 0;
}

static int check_network(void *object, void *arg)
{
	const struct network *net = object;
	struct check *c = arg;
	const struct object *by;
	char vni[16];
	int rc = check_tenant_exists(c, &net->object);

	for (unsigned i = 0; i < net->n_subnets && !rc; i++)
		rc = check_subnet(c, net, i);
	if (rc)
		return rc;
	snprintf(vni, sizeof(vni), "%u", net->vni);
	by = claim(&c->claims, &net->object, "vni %s", vni);
	return by ? taken(c, &net->object, "vni", vni, by) : 0;
}

static const struct subnet *subnet_of(const struct network *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->n_subnets; i++)
		if (prefix_has(&net->subnets[i].cidr, ip))
			return &net->subnets[i];
	return NULL;
}

/* Networks of one router must not overlap each other. */
static int check_overlaps(struct check *c, const struct router *r, unsigned i, const struct network *net)
{
	char text[PREFIX_TEXT_MAX], field[64];

	snprintf(field, sizeof(field), "interfaces[%u]", i);
	for (unsigned k = 0; k < i; k++) {
		const struct network *other =
		        tenancy_get(c->m, KIND_NETWORK, r->object.tenant, r->networks[k]);

		for (unsigned s = 0; s < net->n_subnets * other->n_subnets; s++) {
			const struct prefix *mine = &net->subnets[s % net->n_subnets].cidr;

			if (prefix_overlaps(mine, &other->subnets[s / net->n_subnets].cidr))
				return tenancy_fail(c->e, &r->object, field, EEXIST,
				                    "%s of network %s overlaps network %s",
				                    prefix_format(mine, text), r->networks[i],
				                    r->networks[k]);
		}
	}
	return 0;
}

static int check_route(struct check *c, const struct router *r, unsigned i)
{
	char field[64], text[PREFIX_TEXT_MAX];

	snprintf(field, sizeof(field), "routes[%u].via", i);
	if (prefix_is_v4(&r->routes[i].to) != ip_is_v4(&r->routes[i].via))
		return tenancy_fail(c->e, &r->object, field, EINVAL, "not of the family of %s",
		                    prefix_format(&r->routes[i].to, text));
	for (unsigned k = 0; k < r->n_networks; k++) {
		const struct network *net = tenancy_get(c->m, KIND_NETWORK, r->object.tenant, r->networks[k]);

		if (subnet_of(net, &r->routes[i].via))
			return 0;
	}
	return tenancy_fail(c->e, &r->object, field, EINVAL, "in no subnet of the router's networks");
}

static int check_router(void *object, void *arg)
{
	const struct router *r = object;
	struct check *c = arg;
	int rc = check_tenant_exists(c, &r->object);

	for (unsigned i = 0; i < r->n_networks && !rc; i++) {
		const struct network *net = tenancy_get(c->m, KIND_NETWORK, r->object.tenant, r->networks[i]);
		const struct object *by;
		char field[64];

		snprintf(field, sizeof(field), "interfaces[%u]", i);
		if (!net)
			return tenancy_fail(c->e, &r->object, field, ENOENT, "there is no network %s",
			                    r->networks[i]);
		by = claim(&c->claims, &r->object, "router of %s/%s", r->object.tenant, r->networks[i]);
		if (by)
			return taken(c, &r->object, field, r->networks[i], by);
		rc = check_overlaps(c, r, i, net);
	}
	for (unsigned i = 0; i < r->n_routes && !rc; i++)
		rc = check_route(c, r, i);
	return rc;
}

static int check_group(void *object, void *arg)
{
	const struct group *g = object;
	struct check *c = arg;
	unsigned n[2] = {0, 0};
	int rc = check_tenant_exists(c, &g->object);

	for (unsigned i = 0; i < g->n_rules && !rc; i++) {
		const struct group_rule *rule = &g->rules[i];
		char field[64];

		snprintf(field, sizeof(field), "%s[%u].%s.group", rule->ingress ? "ingress" : "egress",
		         n[rule->ingress]++, rule->ingress ? "from" : "to");
		if (*rule->group && !tenancy_get(c->m, KIND_GROUP, g->object.tenant, rule->group))
			rc = tenancy_fail(c->e, &g->object, field, ENOENT, "there is no security group %s",
			                  rule->group);
	}
	return rc;
}

static int check_port_ip(struct check *c, const struct tenant_port *p, const struct network *net, unsigned i)
{
	const struct subnet *s = subnet_of(net, &p->ips[i]);
	const struct object *by;
	struct ip_addr last;
	char field[32], ip[IP_TEXT_MAX];

	snprintf(field, sizeof(field), "ips[%u]", i);
	ip_format(&p->ips[i], ip);
	if (!s)
		return tenancy_fail(c->e, &p->object, field, EINVAL,
		                    "%s is outside the subnets of network %s", ip, p->network);
	last = prefix_last(&s->cidr);
	if (ip_equal(&p->ips[i], &s->gateway))
		return tenancy_fail(c->e, &p->object, field, EEXIST, "%s is the gateway", ip);
	if (ip_equal(&p->ips[i], &s->cidr.addr) || (ip_is_v4(&last) && ip_equal(&p->ips[i], &last)))
		return tenancy_fail(c->e, &p->object, field, EINVAL, "%s is not a host's address", ip);
	by = claim(&c->claims, &p->object, "ip %u %s", net->vni, ip);
	return by ? taken(c, &p->object, field, ip, by) : 0;
}

static int check_port_names(struct check *c, const struct tenant_port *p)
{
	const struct object *by;
	char field[32];

	for (unsigned i = 0; i < p->n_hosts; i++)
		if (!tenancy_get(c->m, KIND_HOST, "", p->hosts[i]))
			return tenancy_fail(c->e, &p->object, "host", ENOENT, "there is no host %s",
			                    p->hosts[i]);
	for (unsigned i = 0; i < p->n_groups; i++) {
		snprintf(field, sizeof(field), "groups[%u]", i);
		if (!tenancy_get(c->m, KIND_GROUP, p->object.tenant, p->groups[i]))
			return tenancy_fail(c->e, &p->object, field, ENOENT, "there is no security group %s",
			                    p->groups[i]);
	}
	for (unsigned i = 0; i < p->n_hosts && *p->socket; i++) {
		by = claim(&c->claims, &p->object, "socket %s %s", p->hosts[i], p->socket);
		if (by)
			return taken(c, &p->object, "socket", p->socket, by);
	}
	return 0;
}

static int check_port(void *object, void *arg)
{
	const struct tenant_port *p = object;
	struct check *c = arg;
	const struct network *net = tenancy_get(c->m, KIND_NETWORK, p->object.tenant, p->network);
	const struct object *by;
	char mac[MAC_TEXT_MAX];
	int rc = check_tenant_exists(c, &p->object);

	if (!rc && !net)
		rc = tenancy_fail(c->e, &p->object, "network", ENOENT, "there is no network %s", p->network);
	if (!rc)
		rc = check_port_names(c, p);
	for (unsigned i = 0; net && i < p->n_ips && !rc; i++)
		rc = check_port_ip(c, p, net, i);
	if (rc || !net)
		return rc;
	by = claim(&c->claims, &p->object, "mac %u %s", net->vni, mac_format(p->mac, mac));
	return by ? taken(c, &p->object, "mac", mac, by) : 0;
}

int tenancy_check(const struct tenancy *m, struct tenancy_error *e)
{
	static int (*const checks[KINDS])(void *object, void *arg) = {
	        [KIND_HOST] = check_host,   [KIND_NETWORK] = check_network, [KIND_ROUTER] = check_router,
	        [KIND_GROUP] = check_group, [KIND_PORT] = check_port,
	};
	struct check c = {.m = m, .e = e};
	int rc = 0;

	claims_init(&c.claims);
	for (int k = 0; k < KINDS && !rc; k++)
		if (checks[k])
			rc = tenancy_each(m, (enum object_kind)k, checks[k], &c);
	claims_free(&c.claims);
	return rc;
}
