/* SPDX-License-Identifier: Apache-2.0 */
/* Objects into JSON; see tenancy_json.h. What a reader takes as a default is left out. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/wire.h"
#include "control/tenancy/tenancy_json.h"

static json_t *ip_json(const struct ip_addr *ip)
{
	char text[IP_TEXT_MAX];

	return json_string(ip_format(ip, text));
}

static json_t *prefix_json(const struct prefix *p)
{
	char text[PREFIX_TEXT_MAX];

	return json_string(prefix_format(p, text));
}

static json_t *ips_json(const struct ip_addr *ips, unsigned n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, ip_json(&ips[i]));
	return list;
}

static json_t *write_host(const void *object)
{
	const struct host *h = object;
	json_t *o = json_object();

	if (h->n_vteps)
		json_object_set_new(o, "vtep", ips_json(h->vteps, h->n_vteps));
	if (h->mtu)
		json_object_set_new(o, "mtu", json_integer(h->mtu));
	if (h->drained)
		json_object_set_new(o, "drained", json_true());
	return o;
}

static json_t *write_tenant(const void *object)
{
	return json_object();
}

static json_t *write_network(const void *object)
{
	const struct network *net = object;
	json_t *o = json_object(), *subnets = json_array();

	if (net->vni)
		json_object_set_new(o, "vni", json_integer(net->vni));
	if (net->mtu)
		json_object_set_new(o, "mtu", json_integer(net->mtu));
	for (unsigned i = 0; i < net->n_subnets; i++) {
		const struct subnet *s = &net->subnets[i];
		json_t *one = json_pack("{s:o, s:o, s:b}", "cidr", prefix_json(&s->cidr), "gateway",
		                        ip_json(&s->gateway), "dhcp", s->dhcp);

		if (s->n_dns)
			json_object_set_new(one, "dns", ips_json(s->dns, s->n_dns));
		json_array_append_new(subnets, one);
	}
	json_object_set_new(o, "subnets", subnets);
	return o;
}

static json_t *write_router(const void *object)
{
	const struct router *r = object;
	json_t *o = json_object(), *interfaces = json_array(), *routes = json_array();

	for (unsigned i = 0; i < r->n_networks; i++)
		json_array_append_new(interfaces, json_string(r->networks[i]));
	for (unsigned i = 0; i < r->n_routes; i++)
		json_array_append_new(routes, json_pack("{s:o, s:o}", "to", prefix_json(&r->routes[i].to),
		                                        "via", ip_json(&r->routes[i].via)));
	json_object_set_new(o, "interfaces", interfaces);
	if (r->n_routes)
		json_object_set(o, "routes", routes);
	json_decref(routes);
	return o;
}

static const struct {
	const char *name;
	int number;
} protos[] = {
        {"any", PROTO_ANY},      {"tcp", IP_PROTO_TCP},       {"udp", IP_PROTO_UDP},
        {"icmp", IP_PROTO_ICMP}, {"icmpv6", IP_PROTO_ICMPV6}, {"sctp", IP_PROTO_SCTP},
};
enum { NPROTOS = sizeof(protos) / sizeof(protos[0]) };

int proto_parse(const char *text, int *out)
{
	char *end;

	for (int i = 0; i < NPROTOS; i++) {
		if (!strcasecmp(protos[i].name, text)) {
			*out = protos[i].number;
			return 0;
		}
	}
	if (!isdigit((unsigned char)*text) || strlen(text) > 3)
		return -EINVAL;
	*out = (int)strtol(text, &end, 10);
	return *end || *out > 255 ? -EINVAL : 0;
}

void proto_format(int proto, char *text, size_t size)
{
	snprintf(text, size, "%d", proto);
	for (int i = 0; i < NPROTOS; i++)
		if (protos[i].number == proto)
			snprintf(text, size, "%s", protos[i].name);
}

json_t *rule_write(const struct group_rule *rule)
{
	json_t *o = json_object(), *ranges = json_array();
	char text[16];

	proto_format(rule->proto, text, sizeof(text));
	json_object_set_new(o, "proto", json_string(text));
	for (unsigned i = 0; i < rule->n_ranges; i++) {
		const struct port_range *r = &rule->ranges[i];

		snprintf(text, sizeof(text), "%u-%u", r->low, r->high);
		json_array_append_new(ranges, r->low == r->high ? json_integer(r->low) : json_string(text));
	}
	if (rule->n_ranges)
		json_object_set(o, "ports", ranges);
	json_decref(ranges);
	if (*rule->group)
		json_object_set_new(o, rule->ingress ? "from" : "to",
		                    json_pack("{s:s}", "group", rule->group));
	else if (!rule->any_peer)
		json_object_set_new(o, rule->ingress ? "from" : "to", prefix_json(&rule->peer));
	return o;
}

static json_t *write_group(const void *object)
{
	const struct group *g = object;
	json_t *ingress = json_array(), *egress = json_array(), *o = json_object();

	for (unsigned i = 0; i < g->n_rules; i++)
		json_array_append_new(g->rules[i].ingress ? ingress : egress, rule_write(&g->rules[i]));
	if (json_array_size(ingress))
		json_object_set(o, "ingress", ingress);
	if (json_array_size(egress))
		json_object_set(o, "egress", egress);
	json_decref(ingress);
	json_decref(egress);
	return o;
}

static json_t *write_port(const void *object)
{
	const struct tenant_port *p = object;
	json_t *o = json_pack("{s:s}", "network", p->network), *groups = json_array(), *hosts = json_array(),
	       *ips = ips_json(p->ips, p->n_ips);
	char mac[MAC_TEXT_MAX];

	if (p->auto_ips)
		json_array_append_new(ips, json_string("auto"));
	json_object_set_new(o, "ips", ips);
	if (memcmp(&p->mac, &(struct mac){{0}}, 6))
		json_object_set_new(o, "mac", json_string(mac_format(p->mac, mac)));
	if (p->n_hosts == 1)
		json_object_set_new(o, "host", json_string(p->hosts[0]));
	for (unsigned i = 0; i < p->n_hosts; i++)
		json_array_append_new(hosts, json_string(p->hosts[i]));
	if (p->n_hosts > 1)
		json_object_set(o, "host", hosts);
	json_decref(hosts);
	for (unsigned i = 0; i < p->n_groups; i++)
		json_array_append_new(groups, json_string(p->groups[i]));
	if (p->n_groups)
		json_object_set(o, "groups", groups);
	json_decref(groups);
	if (*p->socket)
		json_object_set_new(o, "socket", json_string(p->socket));
	if (p->queues)
		json_object_set_new(o, "queues", json_integer(p->queues));
	return o;
}

json_t *object_write(const void *object)
{
	static json_t *(*const writers[KINDS])(const void *object) = {
	        [KIND_HOST] = write_host,     [KIND_TENANT] = write_tenant, [KIND_NETWORK] = write_network,
	        [KIND_ROUTER] = write_router, [KIND_GROUP] = write_group,   [KIND_PORT] = write_port,
	};

	return writers[((const struct object *)object)->kind](object);
}

struct writing {
	json_t *document, *tenants;
	const char *only; /* tenant, or NULL */
};

/* The object of `key` in `parent`, made when it is not there. */
static json_t *child(json_t *parent, const char *key)
{
	json_t *o = json_object_get(parent, key);

	if (!o) {
		o = json_object();
		json_object_set_new(parent, key, o);
	}
	return o;
}

static int write_one(void *object, void *arg)
{
	const struct object *o = object;
	struct writing *w = arg;
	json_t *tenant;

	if (o->kind == KIND_HOST) {
		json_object_set_new(child(w->document, "hosts"), o->name, object_write(o));
		return 0;
	}
	if (w->only && strcmp(w->only, o->tenant))
		return 0;
	tenant = child(w->tenants, o->tenant);
	if (o->kind != KIND_TENANT)
		json_object_set_new(child(tenant, kind_plural(o->kind)), o->name, object_write(o));
	return 0;
}

json_t *tenancy_write(const struct tenancy *m, const char *tenant)
{
	struct writing w = {json_pack("{s:s}", "apiVersion", "weft/v1"), json_object(), tenant};

	for (enum object_kind k = tenant ? KIND_TENANT : KIND_HOST; k < KINDS; k++)
		tenancy_each(m, k, write_one, &w);
	json_object_set_new(w.document, "tenants", w.tenants);
	return w.document;
}
