/* SPDX-License-Identifier: Apache-2.0 */
/* JSON into objects, each alone; see tenancy_json.h. Called by tenancy_read.c for files and by keys.c for the
 * store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tenancy/reader.h"

/* ---- hosts ---- */

static int read_vtep(struct reader *r, const json_t *value, void *arg)
{
	struct host *h = arg;
	struct ip_addr ip;
	int rc = reader_ip(r, value, &ip);

	if (rc)
		return rc;
	if (h->n_vteps && ip_is_v4(&h->vteps[0]) == ip_is_v4(&ip))
		return reader_fail(r, "expected one address of each family");
	h->vteps[h->n_vteps++] = ip;
	return 0;
}

static int read_host(struct reader *r, const json_t *value, void *object)
{
	static const char *const keys[] = {"vtep", "mtu", "drained", NULL};
	struct host *h = object;
	struct reader d;
	const json_t *v;
	long n = 0;
	int rc = reader_only(r, value, keys);

	if (!rc && reader_member(r, value, "vtep", &d, &v))
		rc = reader_each(&d, v, HOST_VTEPS_MAX, read_vtep, h);
	if (!rc && reader_member(r, value, "mtu", &d, &v))
		rc = reader_number(&d, v, MTU_MIN, MTU_MAX, &n);
	h->mtu = (uint16_t)n;
	if (!rc && reader_member(r, value, "drained", &d, &v))
		rc = reader_bool(&d, v, &h->drained);
	return rc;
}

static int read_tenant(struct reader *r, const json_t *value, void *object)
{
	static const char *const keys[] = {NULL};

	return reader_only(r, value, keys);
}

/* ---- networks ---- */

static int read_dns(struct reader *r, const json_t *value, void *arg)
{
	struct subnet *s = arg;

	return reader_ip(r, value, &s->dns[s->n_dns++]);
}

static int read_subnet(struct reader *r, const json_t *value, void *arg)
{
	static const char *const keys[] = {"cidr", "gateway", "dhcp", "dns", NULL};
	struct network *net = arg;
	struct subnet *s = &net->subnets[net->n_subnets++];
	struct reader d;
	const json_t *v;
	int rc = reader_only(r, value, keys);

	s->dhcp = true;
	if (!rc && !reader_member(r, value, "cidr", &d, &v))
		return reader_fail(&d, "missing");
	if (!rc)
		rc = reader_prefix(&d, v, &s->cidr);
	if (!rc && prefix_length(&s->cidr) > (prefix_is_v4(&s->cidr) ? 30u : 126u))
		rc = reader_fail(&d, "expected a subnet of at least four addresses");
	if (!rc && reader_member(r, value, "gateway", &d, &v))
		rc = reader_ip(&d, v, &s->gateway);
	else if (!rc)
		prefix_nth(&s->cidr, 1, &s->gateway);
	if (!rc && reader_member(r, value, "dhcp", &d, &v))
		rc = reader_bool(&d, v, &s->dhcp);
	if (!rc && reader_member(r, value, "dns", &d, &v))
		rc = reader_each(&d, v, SUBNET_DNS_MAX, read_dns, s);
	return rc;
}

static bool is_auto(const json_t *value)
{
	return json_is_string(value) && !strcmp(json_string_value(value), "auto");
}

static int read_network(struct reader *r, const json_t *value, void *object)
{
	static const char *const keys[] = {"vni", "mtu", "subnets", NULL};
	struct network *net = object;
	struct reader d;
	const json_t *v;
	long vni = 0, mtu = 0;
	int rc = reader_only(r, value, keys);

	if (!rc && reader_member(r, value, "vni", &d, &v) && !is_auto(v))
		rc = reader_number(&d, v, VNI_MIN, VNI_MAX, &vni);
	if (!rc && reader_member(r, value, "mtu", &d, &v))
		rc = reader_number(&d, v, MTU_MIN, MTU_MAX, &mtu);
	net->vni = (uint32_t)vni;
	net->mtu = (uint16_t)mtu;
	if (!rc && reader_member(r, value, "subnets", &d, &v))
		rc = json_is_array(v) ? reader_each(&d, v, NETWORK_SUBNETS_MAX, read_subnet, net)
		                      : reader_fail(&d, "expected a list");
	return rc;
}

/* ---- routers ---- */

static int read_interface(struct reader *r, const json_t *value, void *arg)
{
	struct router *router = arg;

	return reader_name(r, json_string_value(value), false, router->networks[router->n_networks++]);
}

static int read_route(struct reader *r, const json_t *value, void *arg)
{
	static const char *const keys[] = {"to", "via", NULL};
	struct router *router = arg;
	struct route *route = &router->routes[router->n_routes++];
	struct reader d;
	const json_t *v;
	int rc = reader_only(r, value, keys);

	if (!rc) {
		reader_member(r, value, "to", &d, &v);
		rc = reader_prefix(&d, v, &route->to);
	}
	if (!rc) {
		reader_member(r, value, "via", &d, &v);
		rc = reader_ip(&d, v, &route->via);
	}
	return rc;
}

static int read_router(struct reader *r, const json_t *value, void *object)
{
	static const char *const keys[] = {"interfaces", "routes", NULL};
	struct reader d;
	const json_t *v;
	int rc = reader_only(r, value, keys);

	if (!rc && reader_member(r, value, "interfaces", &d, &v))
		rc = reader_each(&d, v, ROUTER_NETWORKS_MAX, read_interface, object);
	if (!rc && reader_member(r, value, "routes", &d, &v))
		rc = reader_each(&d, v, ROUTER_ROUTES_MAX, read_route, object);
	return rc;
}

/* ---- security groups ---- */

static int read_range(struct reader *r, const json_t *value, void *arg)
{
	struct group_rule *rule = arg;
	struct port_range *range = &rule->ranges[rule->n_ranges++];
	const char *text = json_string_value(value);
	unsigned low, high;
	char rest;

	if (json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= 65535)
		low = high = (unsigned)json_integer_value(value);
	else if (text && sscanf(text, "%5u-%5u%c", &low, &high, &rest) == 2)
		;
	else if (text && sscanf(text, "%5u%c", &low, &rest) == 1)
		high = low;
	else
		low = 1, high = 0;
	if (low > high || high > 65535)
		return reader_fail(r, "expected a port or a range such as 8000-8080");
	*range = (struct port_range){(uint16_t)low, (uint16_t)high};
	return 0;
}

static int read_peer(struct reader *r, const json_t *value, struct group_rule *rule)
{
	static const char *const keys[] = {"group", "cidr", NULL};
	struct reader d;
	const json_t *v;
	int rc;

	rule->any_peer = false;
	if (json_is_string(value))
		return reader_prefix(r, value, &rule->peer);
	rc = reader_only(r, value, keys);
	if (rc)
		return rc;
	if (json_object_size(value) != 1)
		return reader_fail(r, "expected either group or cidr");
	if (reader_member(r, value, "cidr", &d, &v))
		return reader_prefix(&d, v, &rule->peer);
	reader_member(r, value, "group", &d, &v);
	return reader_name(&d, json_string_value(v), false, rule->group);
}

static bool has_ports(int proto)
{
	return proto == 6 || proto == 17 || proto == 132;
}

static int read_rule(struct reader *r, const json_t *value, struct group *g, bool ingress)
{
	const char *const keys[] = {"proto", "ports", ingress ? "from" : "to", NULL};
	struct group_rule *rule = &g->rules[g->n_rules++];
	struct reader d;
	const json_t *v;
	char text[32];
	int rc = reader_only(r, value, keys);

	*rule = (struct group_rule){.ingress = ingress, .proto = PROTO_ANY, .any_peer = true};
	if (!rc && reader_member(r, value, "proto", &d, &v)) {
		if (json_is_integer(v))
			snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
		else
			rc = reader_text(&d, v, text, sizeof(text));
		if (!rc && proto_parse(text, &rule->proto))
			rc = reader_fail(&d,
			                 "expected any, tcp, udp, sctp, icmp, icmpv6 or a number up to 255");
	}
	if (!rc && reader_member(r, value, "ports", &d, &v)) {
		rc = has_ports(rule->proto) ? reader_each(&d, v, RULE_RANGES_MAX, read_range, rule)
		                            : reader_fail(&d, "only tcp, udp and sctp have ports");
	}
	if (!rc && reader_member(r, value, keys[2], &d, &v))
		rc = read_peer(&d, v, rule);
	return rc;
}

static int read_ingress(struct reader *r, const json_t *value, void *arg)
{
	return read_rule(r, value, arg, true);
}

static int read_egress(struct reader *r, const json_t *value, void *arg)
{
	return read_rule(r, value, arg, false);
}

static int read_group(struct reader *r, const json_t *value, void *object)
{
	static const char *const keys[] = {"ingress", "egress", NULL};
	struct group *g = object;
	struct reader d;
	const json_t *v;
	int rc = reader_only(r, value, keys);

	if (!rc && reader_member(r, value, "ingress", &d, &v))
		rc = reader_each(&d, v, GROUP_RULES_MAX, read_ingress, g);
	if (!rc && reader_member(r, value, "egress", &d, &v))
		rc = reader_each(&d, v, GROUP_RULES_MAX - g->n_rules, read_egress, g);
	return rc;
}

/* ---- ports ---- */

static int read_port_ip(struct reader *r, const json_t *value, void *arg)
{
	struct tenant_port *p = arg;

	if (is_auto(value)) {
		p->auto_ips = true;
		return 0;
	}
	return reader_ip(r, value, &p->ips[p->n_ips++]);
}

static int read_port_group(struct reader *r, const json_t *value, void *arg)
{
	struct tenant_port *p = arg;

	return reader_name(r, json_string_value(value), false, p->groups[p->n_groups++]);
}

static int read_port_host(struct reader *r, const json_t *value, void *arg)
{
	struct tenant_port *p = arg;
	char *host = p->hosts[p->n_hosts++];
	int rc = reader_name(r, json_string_value(value), true, host);

	if (!rc && p->n_hosts > 1 && !strcmp(host, p->hosts[0]))
		rc = reader_fail(r, "given twice");
	return rc;
}

static int read_mac(struct reader *r, const json_t *value, struct mac *out)
{
	const char *text = json_string_value(value);

	if (is_auto(value))
		return 0;
	if (!text || mac_parse(text, out) || mac_is_multicast(*out) || mac_is_router(*out) ||
	    !memcmp(out, &(struct mac){{0}}, 6))
		return reader_fail(r,
		                   "expected auto or a unicast MAC address outside 0e:57:00 (the routers')");
	return 0;
}

static int read_port(struct reader *r, const json_t *value, void *object)
{
	static const char *const keys[] = {"network", "ips",    "mac",    "host",
	                                   "groups",  "socket", "queues", NULL};
	struct tenant_port *p = object;
	struct reader d;
	const json_t *v;
	long n = 0;
	int rc = reader_only(r, value, keys);

	if (!rc && !reader_member(r, value, "network", &d, &v))
		return reader_fail(&d, "missing");
	if (!rc)
		rc = reader_name(&d, json_string_value(v), false, p->network);
	p->auto_ips = !json_object_get(value, "ips");
	if (!rc && reader_member(r, value, "ips", &d, &v))
		rc = reader_each(&d, v, PORT_IPS_MAX, read_port_ip, p);
	if (!rc && reader_member(r, value, "mac", &d, &v))
		rc = read_mac(&d, v, &p->mac);
	if (!rc && reader_member(r, value, "host", &d, &v))
		rc = reader_each(&d, v, PORT_HOSTS_MAX, read_port_host, p);
	if (!rc && reader_member(r, value, "groups", &d, &v))
		rc = reader_each(&d, v, PORT_GROUPS_MAX, read_port_group, p);
	if (!rc && reader_member(r, value, "socket", &d, &v))
		rc = reader_text(&d, v, p->socket, sizeof(p->socket));
	if (!rc && *p->socket && *p->socket != '/')
		rc = reader_fail(&d, "expected an absolute path");
	if (!rc && reader_member(r, value, "queues", &d, &v))
		rc = reader_number(&d, v, 1, 64, &n);
	p->queues = (uint16_t)n;
	return rc;
}

/* ---- any object ---- */

static int (*const readers[KINDS])(struct reader *r, const json_t *value, void *object) = {
        [KIND_HOST] = read_host,     [KIND_TENANT] = read_tenant, [KIND_NETWORK] = read_network,
        [KIND_ROUTER] = read_router, [KIND_GROUP] = read_group,   [KIND_PORT] = read_port,
};

int object_read(enum object_kind kind, const char *tenant, const char *name, const json_t *value, void **out,
                struct tenancy_error *e)
{
	struct object shown = {.kind = kind};
	struct reader r = {.object = &shown, .e = e};
	const json_t *none = json_is_null(value) ? json_object() : NULL; /* "db:" with nothing after it */
	void *o;
	int rc;

	snprintf(shown.tenant, sizeof(shown.tenant), "%s", tenant);
	snprintf(shown.name, sizeof(shown.name), "%s", name);
	rc = reader_name(&r, name, kind == KIND_HOST, NULL);
	if (!rc && kind != KIND_HOST)
		rc = reader_name(&r, tenant, false, NULL);
	o = rc ? NULL : object_create(kind, tenant, name);
	if (!rc && !o)
		rc = tenancy_fail(e, &shown, "", ENOMEM, "out of memory");
	if (!rc)
		rc = readers[kind](&r, none ? none : value, o);
	json_decref((json_t *)none);
	if (rc) {
		free(o);
		return rc;
	}
	*out = o;
	return 0;
}
