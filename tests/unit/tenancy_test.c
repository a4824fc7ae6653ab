/* SPDX-License-Identifier: Apache-2.0 */
/* control/tenancy: documents into objects and back, what fits together, and errors that name line and field.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/store/store_ops.h"
#include "control/tenancy/document.h"
#include "control/tenancy/edit.h"
#include "control/tenancy/tenancy_json.h"

static const char whole[] = /* two tenants with the same addresses */
        "apiVersion: weft/v1\n"
        "hosts: {hv1: {vtep: 192.0.2.1}, hv2: {vtep: [192.0.2.2, '2001:db8::2'], mtu: 9000}}\n"
        "tenants:\n"
        "  acme:\n"
        "    networks:\n"
        "      web: {subnets: [{cidr: 10.0.0.0/24, gateway: 10.0.0.1, dhcp: true}, {cidr: 'fd00::/64'}]}\n"
        "      db:  {vni: 5002, subnets: [{cidr: 10.0.1.0/24, gateway: 10.0.1.254, dns: [10.0.1.10]}]}\n"
        "    routers: {r0: {interfaces: [web, db], routes: [{to: 0.0.0.0/0, via: 10.0.1.10}]}}\n"
        "    securityGroups:\n"
        "      web-sg: {ingress: [{proto: tcp, ports: [443, 8000-8080]}, {proto: icmp}]}\n"
        "      db-sg:  {ingress: [{proto: tcp, ports: 5432, from: {group: web-sg}}], egress: [{to: "
        "10.0.0.0/24}]}\n"
        "    ports:\n"
        "      web1: {network: web, ips: [10.0.0.10], mac: auto, host: hv1, groups: [web-sg]}\n"
        "      web2: {network: web, ips: [auto], host: hv2, groups: [web-sg]}\n"
        "      db1:  {network: db, ips: [10.0.1.10], mac: '02:00:00:00:00:01', host: hv2, groups: [db-sg]}\n"
        "  globex:\n"
        "    networks:\n"
        "      web: {subnets: [{cidr: 10.0.0.0/24, gateway: 10.0.0.1, dhcp: true}]}\n"
        "    ports:\n"
        "      web1: {network: web, ips: [10.0.0.10], host: hv1}\n"
        "      web2: {network: web, host: hv2, socket: /run/x.sock, queues: 2}\n";

static char *write_file(const char *text, size_t n)
{
	char *path = strdup("/tmp/weft-tenancy-XXXXXX");
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, text, n) == (ssize_t)n);
	close(fd);
	return path;
}

/* Reads, resolves and checks; 0 or the error, with the file's name cut off: "LINE: ...". */
static int try(const char *text, size_t n, struct tenancy *m, struct error *e)
{
	char *path = write_file(text, n);
	struct document *f = document_read(path, e);
	struct tenancy_error me = {0};
	int rc = f ? tenancy_read(document_json(f), m, &me) : -EINVAL;

	if (f && !rc)
		rc = tenancy_resolve(m, &me);
	if (f && !rc)
		rc = tenancy_check(m, &me);
	if (f && rc) {
		document_locate(f, &me);
		*e = me.text;
		tenancy_free(m);
	}
	if (rc) {
		cr_assert(!strncmp(e->text, path, strlen(path)), "no file in '%s'", e->text);
		memmove(e->text, e->text + strlen(path) + 1, strlen(e->text) - strlen(path));
	}
	document_free(f);
	unlink(path);
	free(path);
	return rc;
}

static void load(const char *text, struct tenancy *m)
{
	struct error e = {""};

	cr_assert_eq(try(text, strlen(text), m, &e), 0, "%s", e.text);
}

static void expect_ip(const struct ip_addr *ip, const char *want)
{
	char text[IP_TEXT_MAX];

	cr_assert_str_eq(ip_format(ip, text), want);
}

Test(tenancy, document)
{
	struct tenancy m;
	struct tenant_port *p;
	struct network *net;
	struct group *g;
	struct router *r;

	load(whole, &m);
	cr_assert_eq(m.n[KIND_PORT], 5);
	cr_assert_eq(m.n[KIND_NETWORK], 3);
	net = tenancy_get(&m, KIND_NETWORK, "acme", "web");
	cr_assert_eq(net->vni, VNI_MIN, "the lowest free VNI");
	expect_ip(&net->subnets[1].gateway, "fd00::1");
	cr_assert_eq(((struct network *)tenancy_get(&m, KIND_NETWORK, "acme", "db"))->vni, 5002);
	cr_assert_eq(((struct network *)tenancy_get(&m, KIND_NETWORK, "globex", "web"))->vni, VNI_MIN + 1);
	p = tenancy_get(&m, KIND_PORT, "acme", "web2");
	cr_assert_eq(p->n_ips, 2, "auto: one of each family");
	expect_ip(&p->ips[0], "10.0.0.2");
	expect_ip(&p->ips[1], "fd00::2");
	p = tenancy_get(&m, KIND_PORT, "acme", "web1");
	cr_assert_eq(p->n_ips, 1);
	cr_assert(p->mac.b[0] == 0x0a && p->mac.b[1] == 0x57);
	g = tenancy_get(&m, KIND_GROUP, "acme", "db-sg");
	cr_assert_eq(g->n_rules, 2);
	cr_assert_str_eq(g->rules[0].group, "web-sg");
	cr_assert(!g->rules[1].ingress && g->rules[1].proto == PROTO_ANY && !g->rules[1].any_peer);
	r = tenancy_get(&m, KIND_ROUTER, "acme", "r0");
	cr_assert(r->n_networks == 2 && r->n_routes == 1);
	tenancy_free(&m);
}

/* What is written is read as the same model: as JSON, and as YAML in a file. */
Test(tenancy, round_trip)
{
	struct tenancy a, b;
	struct tenancy_error e;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	json_t *document, *again;

	load(whole, &a);
	document = tenancy_write(&a, NULL);
	cr_assert_eq(tenancy_read(document, &b, &e), 0, "%s", e.text.text);
	again = tenancy_write(&b, NULL);
	cr_assert(json_equal(document, again));
	document_write(f, document);
	fclose(f);
	json_decref(again);
	tenancy_free(&b);
	load(text, &b);
	again = tenancy_write(&b, NULL);
	cr_assert(json_equal(document, again), "%s", text);
	json_decref(document);
	json_decref(again);
	tenancy_free(&a);
	tenancy_free(&b);
	free(text);
}

#define HEAD "apiVersion: weft/v1\nhosts: {hv1: {vtep: 192.0.2.1}}\ntenants:\n  a:\n" /* four lines */

static const struct bad {
	const char *text, *want;
} bads[] = {
        {"hosts: {}\n", "1: apiVersion: expected weft/v1"},
        {"apiVersion: weft/v1\nfoo: 1\n", "2: foo: unknown field"},
        {"apiVersion: weft/v1\ntenants: {a: {\n", "not YAML"},
        {"apiVersion: weft/v1\napiVersion: weft/v1\n", "2: apiVersion: given twice"},
        {"apiVersion: weft/v1\nhosts:\n  h: &x {vtep: 192.0.2.1}\n  i: *x\n", "4: aliases are not supported"},
        {"apiVersion: weft/v1\nhosts:\n  'h/': {}\n", "host h/: expected a name"},
        {"apiVersion: weft/v1\nhosts:\n  h: {vtep: 192.0.2}\n", "3: host h: vtep: expected an IPv4"},
        {"apiVersion: weft/v1\nhosts:\n  h: {vtep: 192.0.2.1}\n  i:\n    vtep: 192.0.2.1\n",
         "5: host i: vtep: 192.0.2.1 is taken by host h"},
        {HEAD "    networks:\n      n:\n        vlan: 7\n", "7: network a/n: vlan: unknown field"},
        {HEAD "    nets: {}\n", "5: tenant a: nets: unknown field"},
        {HEAD "    networks:\n      n: {vni: 5}\n", "6: network a/n: vni: expected 4096 to 16777215"},
        {HEAD "    networks:\n      n: {subnets: [{cidr: 10.0.0.1/24}]}\n",
         "6: network a/n: subnets[0].cidr: expected"},
        {HEAD "    networks:\n      n:\n        subnets:\n        - cidr: 10.0.0.0/16\n        - cidr: "
              "10.0.7.0/24\n",
         "9: network a/n: subnets[1].cidr: overlaps subnets[0], 10.0.0.0/16"},
        {HEAD "    networks:\n      n: {subnets: [{cidr: 10.0.0.0/24, gateway: 10.1.0.1}]}\n",
         "6: network a/n: subnets[0].gateway: not an address inside 10.0.0.0/24"},
        {HEAD "    networks:\n      m: {vni: 5000}\n      n: {vni: 5000}\n",
         "7: network a/n: vni: 5000 is taken by network a/m"},
        {HEAD "    ports:\n      p: {network: x}\n", "6: port a/p: network: there is no network x"},
        {HEAD
         "    networks: {n: {subnets: [{cidr: 10.0.0.0/24}]}}\n    ports:\n      p:\n        network: n\n"
         "        ips: [10.0.1.5]\n",
         "9: port a/p: ips[0]: 10.0.1.5 is outside the subnets of network n"},
        {HEAD "    networks: {n: {subnets: [{cidr: 10.0.0.0/24}]}}\n    ports:\n"
              "      p: {network: n, ips: [10.0.0.1]}\n",
         "7: port a/p: ips[0]: 10.0.0.1 is the gateway"},
        {HEAD "    networks: {n: {subnets: [{cidr: 10.0.0.0/24}]}}\n    ports:\n"
              "      p: {network: n, ips: [10.0.0.2]}\n      q: {network: n, ips: [10.0.0.2]}\n",
         "8: port a/q: ips[0]: 10.0.0.2 is taken by port a/p"},
        {HEAD "    networks: {n: {subnets: [{cidr: 10.0.0.0/30}]}}\n    ports:\n"
              "      p: {network: n}\n      q: {network: n}\n",
         "port a/q: ips: subnet 10.0.0.0/30 has no free address"},
        {HEAD "    networks: {n: {}}\n    ports:\n      p: {network: n, mac: '02:00:00:00:00:01'}\n"
              "      q: {network: n, mac: '02:00:00:00:00:01'}\n",
         "8: port a/q: mac: 02:00:00:00:00:01 is taken by port a/p"},
        {HEAD "    networks: {n: {}}\n    ports: {p: {network: n, mac: '03:00:00:00:00:01'}}\n",
         "6: port a/p: mac: expected auto or a unicast MAC"},
        {HEAD "    networks: {n: {}}\n    ports: {p: {network: n, mac: '0e:57:00:00:00:01'}}\n",
         "(the routers')"},
        {HEAD "    networks: {n: {}}\n    ports: {p: {network: n, host: hv9}}\n",
         "host: there is no host hv9"},
        {HEAD "    networks: {n: {}}\n    ports:\n      p:\n        network: n\n        host: [hv1, hv1]\n",
         "9: port a/p: host[1]: given twice"},
        {HEAD "    networks: {n: {}}\n    ports: {p: {network: n, host: [a, b, c]}}\n",
         "port a/p: host: at most 2 are possible"},
        {HEAD "    networks: {n: {}}\n    ports: {p: {network: n, groups: [g]}}\n",
         "groups[0]: there is no security group g"},
        {HEAD "    networks: {n: {}}\n    ports: {p: {network: n, socket: x}}\n",
         "socket: expected an absolute path"},
        {HEAD "    routers: {r: {interfaces: [n]}}\n", "5: router a/r: interfaces[0]: there is no network n"},
        {HEAD "    networks: {n: {}}\n    routers: {r: {interfaces: [n]}, s: {interfaces: [n]}}\n",
         "6: router a/s: interfaces[0]: n is taken by router a/r"},
        {HEAD "    networks: {m: {subnets: [{cidr: 10.0.0.0/24}]}, n: {subnets: [{cidr: 10.0.0.0/25}]}}\n"
              "    routers: {r: {interfaces: [m, n]}}\n",
         "6: router a/r: interfaces[1]: 10.0.0.0/25 of network n overlaps network m"},
        {HEAD "    networks: {m: {subnets: [{cidr: 10.0.0.0/24}]}}\n"
              "    routers: {r: {interfaces: [m], routes: [{to: 0.0.0.0/0, via: 10.9.0.1}]}}\n",
         "6: router a/r: routes[0].via: in no subnet"},
        {HEAD "    securityGroups: {g: {ingress: [{proto: icmp, ports: 5}]}}\n",
         "5: security group a/g: ingress[0].ports: only tcp, udp and sctp have ports"},
        {HEAD "    securityGroups: {g: {ingress: [{proto: tcp, ports: 9-5}]}}\n",
         "expected a port or a range"},
        {HEAD "    securityGroups: {g: {egress: [{}, {to: {group: h}}]}}\n",
         "egress[1].to.group: there is no security group h"},
};

Test(tenancy, mistakes_name_line_and_field)
{
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct error e = {""};
		struct tenancy m;

		cr_assert_neq(try(bads[i].text, strlen(bads[i].text), &m, &e), 0, "accepted: %s",
		              bads[i].text);
		cr_assert(strstr(e.text, bads[i].want), "case %zu: expected '%s' in '%s'", i, bads[i].want,
		          e.text);
	}
}

Test(tenancy, garbage)
{
	size_t n = 1 << 20;
	char *text = malloc(n);
	unsigned seed = 20261123;
	struct error e = {""};
	struct tenancy m;

	for (size_t i = 0; i < n; i++)
		text[i] = (char)rand_r(&seed);
	cr_assert_neq(try(text, n, &m, &e), 0);
	memset(text, '[', n); /* deep rather than wild */
	cr_assert_neq(try(text, n, &m, &e), 0);
	memset(text, 'x', n);
	cr_assert_neq(try(text, n, &m, &e), 0);
	free(text);
}

/* Any prefix of a good document is refused or read, never worse. */
Test(tenancy, cut_short)
{
	for (size_t n = 0; n < sizeof(whole) - 1; n += 7) {
		struct error e = {""};
		struct tenancy m;

		if (try(whole, n, &m, &e) == 0)
			tenancy_free(&m);
	}
}

/* ---- a store that fails in the middle ---- */

static const struct store_ops *real_ops;
static int txns_left;

static int failing_txn(struct store *s, const struct store_txn *txn, int64_t *rev, struct error *e)
{
	return txns_left-- > 0 ? real_ops->txn(s, txn, rev, e) : error_set(e, EIO, "the store broke");
}

/* What was written is told object by object, and is all that is there. */
Test(tenancy, what_was_written_before_a_failure_is_told)
{
	struct store_ops ops;
	struct tenancy_error e;
	struct error why = {""};
	struct tenancy wanted;
	struct store *store;
	struct edit c, after;
	char *text = NULL;
	size_t size = 0, done = 0;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, HEAD "    networks: {n: {subnets: [{cidr: 10.0.0.0/16}]}}\n    ports:\n");
	for (int i = 0; i < 300; i++)
		fprintf(f, "      p%d: {network: n, host: hv1}\n", i);
	fclose(f);
	load(text, &wanted);
	cr_assert_eq(store_open_sqlite(":memory:", &store, &why), 0);
	real_ops = store->ops;
	ops = *real_ops;
	ops.txn = failing_txn;
	store->ops = &ops;
	txns_left = 3;
	cr_assert_eq(edit_begin(&c, store, &why), 0);
	cr_assert_eq(edit_merge(&c, &wanted, NULL), 0);
	cr_assert_eq(edit_plan(&c, &e), 0, "%s", e.text.text);
	cr_assert_eq(edit_commit(&c, &why), -EIO);
	cr_assert_eq(edit_begin(&after, store, &why), 0);
	for (size_t i = 0; i < c.n_steps; i++) {
		const struct object *o = &c.steps[i].object;
		bool is_there = tenancy_get(&after.before, o->kind, o->tenant, o->name);

		cr_assert_eq(is_there, c.steps[i].done, "%s", o->name);
		done += c.steps[i].done;
	}
	cr_assert(done > 10 && done < c.n_steps - 10);
	edit_end(&after);
	edit_end(&c);

	txns_left = 1000; /* once more: the rest */
	cr_assert_eq(edit_begin(&c, store, &why), 0);
	cr_assert_eq(edit_merge(&c, &wanted, NULL), 0);
	cr_assert_eq(edit_plan(&c, &e), 0, "%s", e.text.text);
	cr_assert_eq(edit_commit(&c, &why), 0, "%s", why.text);
	cr_assert_eq(c.n_steps, 300 + 3 - done);
	edit_end(&c);
	cr_assert_eq(edit_begin(&c, store, &why), 0);
	cr_assert_eq(c.before.n[KIND_PORT], 300);
	edit_end(&c);
	store_close(store);
	tenancy_free(&wanted);
	free(text);
}

Test(tenancy, prefixes)
{
	struct prefix p, q;
	struct ip_addr ip;
	char text[PREFIX_TEXT_MAX];

	cr_assert_eq(prefix_parse("10.0.0.0/23", &p), 0);
	cr_assert_str_eq(prefix_format(&p, text), "10.0.0.0/23");
	ip = prefix_last(&p);
	expect_ip(&ip, "10.0.1.255");
	cr_assert(prefix_nth(&p, 257, &ip));
	expect_ip(&ip, "10.0.1.1");
	cr_assert_not(prefix_nth(&p, 512, &ip));
	cr_assert_eq(prefix_parse("::/0", &q), 0);
	cr_assert_not(prefix_overlaps(&p, &q), "families are apart");
	cr_assert_eq(prefix_parse("0.0.0.0/0", &q), 0);
	cr_assert(prefix_overlaps(&p, &q));
	cr_assert_eq(prefix_parse("10.0.0.0/33", &q), -EINVAL);
	cr_assert_eq(prefix_parse("10.0.0.0/", &q), -EINVAL);
	cr_assert_eq(prefix_parse("fd00::1", &q), 0);
	cr_assert_eq(prefix_length(&q), 128);
}
