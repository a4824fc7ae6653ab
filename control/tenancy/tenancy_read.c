/* SPDX-License-Identifier: Apache-2.0 */
/* JSON into objects; see tenancy_json.h. Every function below fills an error that names the object and the
 * field and returns -errno. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tenancy/tenancy_json.h"

struct reader {
	const struct object *object; /* NULL: the document */
	char path[100];              /* of the value that is read now */
	struct tenancy_error *e;
};

static int fail(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct reader *r, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return tenancy_fail(r->e, r->object, r->path, EINVAL, "%s", text);
}

/* A reader one step further down: a key, or an index when `key` is NULL. */
static struct reader down(const struct reader *r, const char *key, size_t index)
{
	struct reader d = *r;

	if (key)
		snprintf(d.path, sizeof(d.path), "%.60s%s%.32s", r->path, *r->path ? "." : "", key);
	else
		snprintf(d.path, sizeof(d.path), "%.60s[%zu]", r->path, index);
	return d;
}

/* Refuses what is no object or has keys that are not among `keys` (NULL-ended). */
static int only(struct reader *r, const json_t *value, const char *const *keys)
{
	const char *key;
	json_t *member;

	if (!json_is_object(value))
		return fail(r, "expected fields (key: value)");
	json_object_foreach((json_t *)value, key, member)
	{
		const char *const *k = keys;
		struct reader d = down(r, key, 0);

		while (*k && strcmp(*k, key))
			k++;
		if (!*k)
			return fail(&d, "unknown field");
	}
	return 0;
}

static int read_text(struct reader *r, const json_t *value, char *out, size_t size)
{
	const char *text = json_string_value(value);

	if (!text || !*text || strlen(text) >= size)
		return fail(r, "expected a text of 1 to %zu bytes", size - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int read_name(struct reader *r, const char *text, bool dots, char *out)
{
	size_t n = text ? strlen(text) : 0;
	bool good = n && n <= OBJECT_NAME_MAX && isalnum((unsigned char)*text);

	for (size_t i = 0; good && i < n; i++)
		good = isalnum((unsigned char)text[i]) || strchr(dots ? "-_." : "-_", text[i]);
	if (!good)
		return fail(r, "expected a name: 1 to %d letters, digits, '-' or '_'", OBJECT_NAME_MAX);
	if (out)
		memcpy(out, text, n + 1);
	return 0;
}

static int read_number(struct reader *r, const json_t *value, long low, long high, long *out)
{
	const char *text = json_string_value(value);
	char *end;

	if (text && isdigit((unsigned char)*text) && strlen(text) < 10) {
		*out = strtol(text, &end, 10);
		if (*end)
			*out = low - 1;
	} else {
		*out = json_is_integer(value) ? (long)json_integer_value(value) : low - 1;
	}
	return *out < low || *out > high ? fail(r, "expected %ld to %ld", low, high) : 0;
}

static int read_ip(struct reader *r, const json_t *value, struct ip_addr *out)
{
	const char *text = json_string_value(value);

	if (!text || ip_parse(text, out))
		return fail(r, "expected an IPv4 or IPv6 address");
	return 0;
}

static int read_prefix(struct reader *r, const json_t *value, struct prefix *out)
{
	const char *text = json_string_value(value);

	if (!text || prefix_parse(text, out))
		return fail(r, "expected a prefix such as 10.0.0.0/24, with no bit beyond its length");
	return 0;
}

static int read_bool(struct reader *r, const json_t *value, bool *out)
{
	if (!json_is_boolean(value))
		return fail(r, "expected true or false");
	*out = json_is_true(value);
	return 0;
}

/* Calls `one` for each element, at most `max`; a single value counts as a list of one. */
static int each(struct reader *r, const json_t *value, unsigned max,
                int (*one)(struct reader *r, const json_t *value, void *arg), void *arg)
{
	int rc = 0;

	if (!json_is_array(value) && value && max)
		return one(r, value, arg);
	if (!json_is_array(value) || json_array_size(value) > max)
		return fail(r, "at most %u are possible", max);
	for (size_t i = 0; i < json_array_size(value) && !rc; i++) {
		struct reader d = down(r, NULL, i);

		rc = one(&d, json_array_get(value, i), arg);
	}
	return rc;
}

/* The reader and value of a member; false when it is not there. */
static bool member(const struct reader *r, const json_t *object, const char *key, struct reader *d,
                   const json_t **value)
{
	*value = json_object_get(object, key);
	*d = down(r, key, 0);
	return *value != NULL;
}

/* ---- hosts ---- */

static int read_vtep(struct reader *r, const json_t *value, void *arg)
{
	struct host *h = arg;
	struct ip_addr ip;
	int rc = read_ip(r, value, &ip);

	if (rc)
		return rc;
	if (h->n_vteps && ip_is_v4(&h->vteps[0]) == ip_is_v4(&ip))
		return fail(r, "expected one address of each family");
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
	int rc = only(r, value, keys);

	if (!rc && member(r, value, "vtep", &d, &v))
		rc = each(&d, v, HOST_VTEPS_MAX, read_vtep, h);
	if (!rc && member(r, value, "mtu", &d, &v))
		rc = read_number(&d, v, MTU_MIN, MTU_MAX, &n);
	h->mtu = (uint16_t)n;
	if (!rc && member(r, value, "drained", &d, &v))
		rc = read_bool(&d, v, &h->drained);
	return rc;
}

static int read_tenant(struct reader *r, const json_t *value, void *object)
{
	static const char *const keys[] = {NULL};

	return only(r, value, keys);
}

/* ---- networks ---- */

static int read_dns(struct reader *r, const json_t *value, void *arg)
{
	struct subnet *s = arg;

	return read_ip(r, value, &s->dns[s->n_dns++]);
}

static int read_subnet(struct reader *r, const json_t *value, void *arg)
{
	static const char *const keys[] = {"cidr", "gateway", "dhcp", "dns", NULL};
	struct network *net = arg;
	struct subnet *s = &net->subnets[net->n_subnets++];
	struct reader d;
	const json_t *v;
	int rc = only(r, value, keys);

	s->dhcp = true;
	if (!rc && !member(r, value, "cidr", &d, &v))
		return fail(&d, "missing");
	if (!rc)
		rc = read_prefix(&d, v, &s->cidr);
	if (!rc && prefix_length(&s->cidr) > (prefix_is_v4(&s->cidr) ? 30u : 126u))
		rc = fail(&d, "expected a subnet of at least four addresses");
	if (!rc && member(r, value, "gateway", &d, &v))
		rc = read_ip(&d, v, &s->gateway);
	else if (!rc)
		prefix_nth(&s->cidr, 1, &s->gateway);
	if (!rc && member(r, value, "dhcp", &d, &v))
		rc = read_bool(&d, v, &s->dhcp);
	if (!rc && member(r, value, "dns", &d, &v))
		rc = each(&d, v, SUBNET_DNS_MAX, read_dns, s);
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
	int rc = only(r, value, keys);

	if (!rc && member(r, value, "vni", &d, &v) && !is_auto(v))
		rc = read_number(&d, v, VNI_MIN, VNI_MAX, &vni);
	if (!rc && member(r, value, "mtu", &d, &v))
		rc = read_number(&d, v, MTU_MIN, MTU_MAX, &mtu);
	net->vni = (uint32_t)vni;
	net->mtu = (uint16_t)mtu;
	if (!rc && member(r, value, "subnets", &d, &v))
		rc = json_is_array(v) ? each(&d, v, NETWORK_SUBNETS_MAX, read_subnet, net)
		                      : fail(&d, "expected a list");
	return rc;
}

/* ---- routers ---- */

static int read_interface(struct reader *r, const json_t *value, void *arg)
{
	struct router *router = arg;

	return read_name(r, json_string_value(value), false, router->networks[router->n_networks++]);
}

static int read_route(struct reader *r, const json_t *value, void *arg)
{
	static const char *const keys[] = {"to", "via", NULL};
	struct router *router = arg;
	struct route *route = &router->routes[router->n_routes++];
	struct reader d;
	const json_t *v;
	int rc = only(r, value, keys);

	if (!rc) {
		member(r, value, "to", &d, &v);
		rc = read_prefix(&d, v, &route->to);
	}
	if (!rc) {
		member(r, value, "via", &d, &v);
		rc = read_ip(&d, v, &route->via);
	}
	return rc;
}

static int read_router(struct reader *r, const json_t *value, void *object)
{
	static const char *const keys[] = {"interfaces", "routes", NULL};
	struct reader d;
	const json_t *v;
	int rc = only(r, value, keys);

	if (!rc && member(r, value, "interfaces", &d, &v))
		rc = each(&d, v, ROUTER_NETWORKS_MAX, read_interface, object);
	if (!rc && member(r, value, "routes", &d, &v))
		rc = each(&d, v, ROUTER_ROUTES_MAX, read_route, object);
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
		return fail(r, "expected a port or a range such as 8000-8080");
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
		return read_prefix(r, value, &rule->peer);
	rc = only(r, value, keys);
	if (rc)
		return rc;
	if (json_object_size(value) != 1)
		return fail(r, "expected either group or cidr");
	if (member(r, value, "cidr", &d, &v))
		return read_prefix(&d, v, &rule->peer);
	member(r, value, "group", &d, &v);
	return read_name(&d, json_string_value(v), false, rule->group);
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
	int rc = only(r, value, keys);

	*rule = (struct group_rule){.ingress = ingress, .proto = PROTO_ANY, .any_peer = true};
	if (!rc && member(r, value, "proto", &d, &v)) {
		if (json_is_integer(v))
			snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
		else
			rc = read_text(&d, v, text, sizeof(text));
		if (!rc && proto_parse(text, &rule->proto))
			rc = fail(&d, "expected any, tcp, udp, sctp, icmp, icmpv6 or a number up to 255");
	}
	if (!rc && member(r, value, "ports", &d, &v)) {
		rc = has_ports(rule->proto) ? each(&d, v, RULE_RANGES_MAX, read_range, rule)
		                            : fail(&d, "only tcp, udp and sctp have ports");
	}
	if (!rc && member(r, value, keys[2], &d, &v))
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
	int rc = only(r, value, keys);

	if (!rc && member(r, value, "ingress", &d, &v))
		rc = each(&d, v, GROUP_RULES_MAX, read_ingress, g);
	if (!rc && member(r, value, "egress", &d, &v))
		rc = each(&d, v, GROUP_RULES_MAX - g->n_rules, read_egress, g);
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
	return read_ip(r, value, &p->ips[p->n_ips++]);
}

static int read_port_group(struct reader *r, const json_t *value, void *arg)
{
	struct tenant_port *p = arg;

	return read_name(r, json_string_value(value), false, p->groups[p->n_groups++]);
}

static int read_port_host(struct reader *r, const json_t *value, void *arg)
{
	struct tenant_port *p = arg;
	char *host = p->hosts[p->n_hosts++];
	int rc = read_name(r, json_string_value(value), true, host);

	if (!rc && p->n_hosts > 1 && !strcmp(host, p->hosts[0]))
		rc = fail(r, "given twice");
	return rc;
}

static int read_mac(struct reader *r, const json_t *value, struct mac *out)
{
	const char *text = json_string_value(value);

	if (is_auto(value))
		return 0;
	if (!text || mac_parse(text, out) || mac_is_multicast(*out) || mac_is_router(*out) ||
	    !memcmp(out, &(struct mac){{0}}, 6))
		return fail(r, "expected auto or a unicast MAC address outside 0e:57:00 (the routers')");
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
	int rc = only(r, value, keys);

	if (!rc && !member(r, value, "network", &d, &v))
		return fail(&d, "missing");
	if (!rc)
		rc = read_name(&d, json_string_value(v), false, p->network);
	p->auto_ips = !json_object_get(value, "ips");
	if (!rc && member(r, value, "ips", &d, &v))
		rc = each(&d, v, PORT_IPS_MAX, read_port_ip, p);
	if (!rc && member(r, value, "mac", &d, &v))
		rc = read_mac(&d, v, &p->mac);
	if (!rc && member(r, value, "host", &d, &v))
		rc = each(&d, v, PORT_HOSTS_MAX, read_port_host, p);
	if (!rc && member(r, value, "groups", &d, &v))
		rc = each(&d, v, PORT_GROUPS_MAX, read_port_group, p);
	if (!rc && member(r, value, "socket", &d, &v))
		rc = read_text(&d, v, p->socket, sizeof(p->socket));
	if (!rc && *p->socket && *p->socket != '/')
		rc = fail(&d, "expected an absolute path");
	if (!rc && member(r, value, "queues", &d, &v))
		rc = read_number(&d, v, 1, 64, &n);
	p->queues = (uint16_t)n;
	return rc;
}

/* ---- whole objects and documents ---- */

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
	rc = read_name(&r, name, kind == KIND_HOST, NULL);
	if (!rc && kind != KIND_HOST)
		rc = read_name(&r, tenant, false, NULL);
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

/* The objects of one kind: {name: object}. */
static int read_kind(struct tenancy *m, enum object_kind kind, const char *tenant, const json_t *objects,
                     struct tenancy_error *e)
{
	struct reader r = {.e = e};
	const char *name;
	json_t *value;
	int rc = 0;

	if (json_is_null(objects))
		return 0;
	if (!json_is_object(objects)) {
		snprintf(r.path, sizeof(r.path), "%s%.63s%s%s", *tenant ? "tenants." : "", tenant,
		         *tenant ? "." : "", kind_plural(kind));
		return fail(&r, "expected names, each with its fields");
	}
	json_object_foreach((json_t *)objects, name, value)
	{
		void *o;

		rc = object_read(kind, tenant, name, value, &o, e);
		if (!rc && tenancy_put(m, o))
			rc = tenancy_fail(e, NULL, "", ENOMEM, "out of memory");
		if (rc)
			break;
	}
	return rc;
}

static int read_whole_tenant(struct tenancy *m, const char *name, const json_t *value,
                             struct tenancy_error *e)
{
	static const char *const keys[] = {"networks", "routers", "securityGroups", "ports", NULL};
	json_t *empty = json_object();
	struct object shown = {.kind = KIND_TENANT};
	struct reader r = {.object = &shown, .e = e};
	void *o;
	int rc = object_read(KIND_TENANT, name, name, empty, &o, e);

	json_decref(empty);
	if (rc)
		return rc;
	memcpy(&shown, o, sizeof(shown));
	rc = tenancy_put(m, o);
	if (!rc && !json_is_null(value))
		rc = only(&r, value, keys);
	for (enum object_kind k = KIND_NETWORK; k < KINDS && !rc; k++) {
		const json_t *objects = json_object_get(value, kind_plural(k));

		if (objects)
			rc = read_kind(m, k, name, objects, e);
	}
	return rc;
}

int tenancy_read(const json_t *document, struct tenancy *m, struct tenancy_error *e)
{
	static const char *const keys[] = {"apiVersion", "hosts", "tenants", NULL};
	const json_t *version = json_object_get(document, "apiVersion"),
	             *hosts = json_object_get(document, "hosts"),
	             *tenants = json_object_get(document, "tenants");
	struct reader r = {.e = e};
	const char *name;
	json_t *value;
	int rc = only(&r, document, keys);

	tenancy_init(m);
	if (!rc && (!json_is_string(version) || strcmp(json_string_value(version), "weft/v1")))
		rc = tenancy_fail(e, NULL, "apiVersion", EINVAL, "expected weft/v1");
	if (!rc && hosts)
		rc = read_kind(m, KIND_HOST, "", hosts, e);
	if (!rc && tenants && !json_is_object(tenants) && !json_is_null(tenants))
		rc = tenancy_fail(e, NULL, "tenants", EINVAL, "expected names, each with its fields");
	if (!rc)
		json_object_foreach((json_t *)tenants, name, value)
		{
			rc = read_whole_tenant(m, name, value, e);
			if (rc)
				break;
		}
	if (rc)
		tenancy_free(m);
	return rc;
}
