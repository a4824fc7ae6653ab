/* SPDX-License-Identifier: Apache-2.0 */
/* The desired state of a simulation: tenants on twenty hosts each, with five networks, a router between them
 * and a security group; four tenants on each host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tenancy/edit.h"
#include "tests/simulate/simulate.h"

#define NEED(x, ...)                                                                                         \
	do {                                                                                                 \
		if (!(x)) {                                                                                  \
			fprintf(stderr, __VA_ARGS__);                                                        \
			exit(1);                                                                             \
		}                                                                                            \
	} while (0)

void host_name(unsigned host, char name[OBJECT_NAME_MAX + 1])
{
	snprintf(name, OBJECT_NAME_MAX + 1, "h%04u", host);
}

unsigned tenant_host(const struct world *w, unsigned tenant, unsigned k)
{
	return (tenant + k * (w->o->hosts / TENANT_HOSTS)) % w->o->hosts;
}

static void *make(struct edit *c, enum object_kind kind, const char *tenant, const char *name)
{
	void *o = object_create(kind, tenant, name);

	NEED(o && !edit_put(c, o), "out of memory\n");
	return o;
}

static void add_hosts(struct edit *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char name[OBJECT_NAME_MAX + 1], ip[IP_TEXT_MAX];
		struct host *h;

		host_name(i, name);
		h = make(c, KIND_HOST, "", name);
		snprintf(ip, sizeof(ip), "192.0.%u.%u", 2 + i / 250, 1 + i % 250);
		ip_parse(ip, &h->vteps[0]);
		h->n_vteps = 1;
	}
}

static void add_port(const struct world *w, struct edit *c, unsigned tenant, const char *t, unsigned i)
{
	char name[OBJECT_NAME_MAX + 1];
	struct tenant_port *p;

	snprintf(name, sizeof(name), "p%u", i);
	p = make(c, KIND_PORT, t, name);
	snprintf(p->network, sizeof(p->network), "n%u", i % TENANT_NETWORKS);
	p->auto_ips = true;
	host_name(tenant_host(w, tenant, i / TENANT_NETWORKS % TENANT_HOSTS), p->hosts[p->n_hosts++]);
	if (i % TENANT_NETWORKS == 0)
		snprintf(p->groups[p->n_groups++], sizeof(p->groups[0]), "web");
}

static void add_tenant(const struct world *w, struct edit *c, unsigned n)
{
	char t[OBJECT_NAME_MAX + 1], text[64];
	struct router *r;
	struct group *g;

	snprintf(t, sizeof(t), "t%03u", n);
	make(c, KIND_TENANT, t, t);
	r = make(c, KIND_ROUTER, t, "r");
	for (unsigned i = 0; i < TENANT_NETWORKS; i++) {
		struct network *net;

		snprintf(r->networks[r->n_networks], sizeof(r->networks[0]), "n%u", i);
		net = make(c, KIND_NETWORK, t, r->networks[r->n_networks++]);
		net->vni = 5000 + n * TENANT_NETWORKS + i;
		snprintf(text, sizeof(text), "10.%u.0.0/16", i);
		prefix_parse(text, &net->subnets[0].cidr);
		prefix_nth(&net->subnets[0].cidr, 1, &net->subnets[0].gateway);
		net->subnets[0].dhcp = true;
		net->n_subnets = 1;
	}
	g = make(c, KIND_GROUP, t, "web");
	g->rules[0] = (struct group_rule){
	        .ingress = true, .proto = 6, .ranges = {{443, 443}}, .n_ranges = 1, .any_peer = true};
	g->rules[1] = (struct group_rule){.ingress = true, .proto = PROTO_ANY, .group = "web"};
	g->n_rules = 2;
	for (unsigned i = 0; i < w->o->ports / w->n_tenants; i++)
		add_port(w, c, n, t, i);
}

static int copy_one(void *object, void *arg)
{
	void *copy = object_copy(object);

	return copy ? tenancy_put(arg, copy) : -1;
}

void world_make(struct world *w, const struct options *o, struct store *store)
{
	struct tenancy_error e = {.kind = KINDS};
	struct edit c;

	*w = (struct world){.o = o, .store = store, .n_tenants = o->hosts >= 5 ? o->hosts / 5 : 1};
	NEED(!edit_begin(&c, store, &e.text), "store: %s\n", e.text.text);
	add_hosts(&c, o->hosts);
	for (unsigned t = 0; t < w->n_tenants; t++)
		add_tenant(w, &c, t);
	NEED(!edit_plan(&c, &e), "plan: %s\n", e.text.text);
	NEED(!edit_commit(&c, &e.text), "commit: %s\n", e.text.text);
	tenancy_init(&w->state);
	for (int k = 0; k < KINDS; k++)
		NEED(!tenancy_each(&c.after, (enum object_kind)k, copy_one, &w->state), "out of memory\n");
	edit_end(&c);
}

void world_free(struct world *w)
{
	tenancy_free(&w->state);
}
