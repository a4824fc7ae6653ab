/* SPDX-License-Identifier: Apache-2.0 */
/* `weft trace T/P 'tcp,dst=10.0.1.10,dport=5432'`: what this host's switch would do with a packet of the
 * port's guest, the first one of a connection. The switch walks its own tables; here are the words before and
 * after. Called by weft.c's table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "control/cli/weft_tenancy.h"

enum { TRACE_MAX = 512 };

struct tracing {
	const struct weft *w;
	struct object name;
	const char *words;
	char flow[TRACE_MAX]; /* the match for the switch */
};

static const struct {
	unsigned table;
	const char *stage;
} stages[] = {
        {0, "classify"},
        {1, "classify"},
        {10, "port security"},
        {20, "security groups, out"},
        {21, "security groups, out"},
        {22, "security groups, out"},
        {23, "rules, out"},
        {24, "rules, in"},
        {30, "ARP and ND"},
        {31, "DHCP and RA"},
        {40, "by MAC"},
        {50, "router"},
        {51, "routes"},
        {54, "next hop"},
        {60, "flood"},
        {70, "encapsulate"},
        {80, "security groups, in"},
        {81, "security groups, in"},
        {82, "security groups, in"},
        {90, "output"},
};

static const char *stage_of(unsigned table)
{
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (stages[i].table == table)
			return stages[i].stage;
	return "not the agent's";
}

/* ---- from words to a match ---- */

/* Where a guest sends what is for `to`: to its neighbour, or to the router. */
static struct mac next_hop(const struct tenancy *t, const struct tenant_port *p, const struct ip_addr *to)
{
	const struct network *net = tenancy_get(t, KIND_NETWORK, p->object.tenant, p->network);
	struct mac mac = router_mac(net->vni);
	void **list = tenancy_list(t, KIND_PORT);

	for (void **at = list; at && *at; at++) {
		const struct tenant_port *other = *at;

		for (unsigned i = 0; i < other->n_ips; i++)
			if (!strcmp(other->object.tenant, p->object.tenant) &&
			    !strcmp(other->network, p->network) && ip_equal(&other->ips[i], to))
				mac = other->mac;
	}
	free(list);
	return mac;
}

static const char *own_address(const struct tenant_port *p, bool v4, char text[IP_TEXT_MAX])
{
	for (unsigned i = 0; i < p->n_ips; i++)
		if (ip_is_v4(&p->ips[i]) == v4)
			return ip_format(&p->ips[i], text);
	return NULL;
}

__attribute__((format(printf, 2, 3))) static void add(struct tracing *x, const char *format, ...)
{
	size_t n = strlen(x->flow);
	va_list args;

	va_start(args, format);
	vsnprintf(x->flow + n, sizeof(x->flow) - n, format, args);
	va_end(args);
}

/* One word of the packet: a person's words become the switch's, others are that already.
 */
static void add_word(struct tracing *x, const char *word, bool v4)
{
	static const char *const protocols[] = {"tcp", "udp", "icmp", "sctp", NULL};

	for (const char *const *p = protocols; *p; p++) {
		if (!strcmp(word, *p)) {
			add(x, ",%s%s", word, v4 ? "" : "6");
			return;
		}
	}
	if (!strncmp(word, "dst=", 4))
		add(x, ",%s=%s", v4 ? "nw_dst" : "ipv6_dst", word + 4);
	else if (!strncmp(word, "src=", 4))
		add(x, ",%s=%s", v4 ? "nw_src" : "ipv6_src", word + 4);
	else if (!strncmp(word, "dport=", 6))
		add(x, ",tp_dst=%s", word + 6);
	else if (!strncmp(word, "sport=", 6))
		add(x, ",tp_src=%s", word + 6);
	else
		add(x, ",%s", word);
}

static const char *word_value(json_t *words, const char *key)
{
	json_t *one;
	size_t i;

	json_array_foreach(words, i, one)
	{
		const char *text = json_string_value(one);

		if (!strncmp(text, key, strlen(key)))
			return text + strlen(key);
	}
	return NULL;
}

static bool has_protocol(const char *flow)
{
	return strstr(flow, ",tcp") || strstr(flow, ",udp") || strstr(flow, ",icmp") ||
	       strstr(flow, ",sctp") || strstr(flow, ",ip") || strstr(flow, ",arp") ||
	       strstr(flow, "dl_type");
}

/* What the guest does not have to say: its own addresses, and the next hop's MAC. */
static int write_flow(struct tracing *x, const struct tenancy *t, const struct tenant_port *p,
                      unsigned ofport, struct error *e)
{
	json_t *words = json_array(), *one;
	char *copy = strdup(x->words), *rest = copy, *word, mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX];
	const char *dst, *own;
	struct ip_addr to;
	bool v4;
	size_t i;

	while ((word = strsep(&rest, ",")))
		json_array_append_new(words, json_string(word));
	free(copy);
	dst = word_value(words, "dst=");
	if (dst && ip_parse(dst, &to)) {
		json_decref(words);
		return error_set(e, EINVAL, "dst: expected an IPv4 or IPv6 address");
	}
	v4 = dst ? ip_is_v4(&to) : own_address(p, true, ip) != NULL;
	own = own_address(p, v4, ip);
	snprintf(x->flow, sizeof(x->flow), "in_port=%u", ofport);
	if (!word_value(words, "dl_src="))
		add(x, ",dl_src=%s", mac_format(p->mac, mac));
	if (dst && !word_value(words, "dl_dst="))
		add(x, ",dl_dst=%s", mac_format(next_hop(t, p, &to), mac));
	json_array_foreach(words, i, one) add_word(x, json_string_value(one), v4);
	if (dst && !has_protocol(x->flow))
		add(x, ",%s", v4 ? "ip" : "ipv6");
	if (dst && own && !word_value(words, "src="))
		add(x, ",%s=%s", v4 ? "nw_src" : "ipv6_src", own);
	json_decref(words);
	return strlen(x->flow) == sizeof(x->flow) - 1 ? error_set(e, EINVAL, "the packet has too many words")
	                                              : 0;
}

/* ---- the outcome in words ---- */

/* The port whose interface this is: "acme/web1", or the interface's name itself. */
static void say_interface(const struct tenancy *t, const char *interface, char *text, size_t size)
{
	void **list = tenancy_list(t, KIND_PORT);
	char name[INTERFACE_NAME_SIZE];

	snprintf(text, size, "%s", interface);
	for (void **at = list; at && *at; at++) {
		const struct object *o = *at;

		if (!strcmp(port_interface(o, name), interface))
			snprintf(text, size, "%s/%s", o->tenant, o->name);
	}
	free(list);
}

static void say_host(const struct tenancy *t, const char *vtep, char *text, size_t size)
{
	void **list = tenancy_list(t, KIND_HOST);
	struct ip_addr ip;

	for (void **at = list; at && *at && !ip_parse(vtep, &ip); at++) {
		const struct host *h = *at;

		for (unsigned i = 0; i < h->n_vteps; i++)
			if (ip_equal(&h->vteps[i], &ip))
				snprintf(text, size, "host %s", h->object.name);
	}
	free(list);
}

/* Where the actions send it, one text each: "acme/web2", "host hv2", "the agent". */
static json_t *outcomes(const struct tenancy *t, const char *actions)
{
	char *copy = strdup(actions), *rest = copy, *one, host[OBJECT_NAME_MAX + 8] = "a tunnel";
	json_t *list = json_array();

	while ((one = strsep(&rest, ","))) {
		char *to = strstr(one, "->tun_dst"), to_text[2 * OBJECT_NAME_MAX + 2];

		if (!to)
			to = strstr(one, "->tun_ipv6_dst");
		if (!strncmp(one, "controller(", 11))
			json_array_append_new(list, json_string("the agent"));
		if (!strncmp(one, "set_field:", 10) && to) {
			*to = '\0';
			say_host(t, one + 10, host, sizeof(host));
		} else if (!strncmp(one, "output:", 7)) {
			say_interface(t, one + 7, to_text, sizeof(to_text));
			json_array_append_new(list, json_string(strcmp(one + 7, "t-vxlan") ? to_text : host));
		}
	}
	free(copy);
	return list;
}

/* The table in which it ended: where the last flow sent it, when nothing is there for it. */
static unsigned last_table(const json_t *flows)
{
	const json_t *last = json_array_get(flows, json_array_size(flows) - 1);
	const char *actions = json_string_value(json_object_get(last, "actions")),
	           *at = actions ? strstr(actions, "goto_table:") : NULL;

	return at ? (unsigned)strtoul(at + 11, NULL, 10)
	          : (unsigned)json_integer_value(json_object_get(last, "table"));
}

static void print(const struct weft *w, const struct tenancy *t, const char *flow, json_t *answer)
{
	static const char *const columns[] = {"table", "stage", "match", "actions", NULL};
	json_t *flows = json_object_get(answer, "flows"), *drop = json_object_get(answer, "drop"), *row, *to;
	const char *stage;
	size_t i;

	json_array_foreach(flows, i, row)
	{
		unsigned table = (unsigned)json_integer_value(json_object_get(row, "table"));

		json_object_set_new(row, "stage", json_string(stage_of(table)));
	}
	stage = stage_of(last_table(flows));
	to = outcomes(t, json_string_value(json_object_get(answer, "actions")));
	json_object_set_new(answer, "packet", json_string(flow));
	json_object_set_new(answer, "to", to);
	if (drop)
		json_object_set_new(answer, "dropped", json_string(stage));
	if (w->json || w->yaml) {
		weft_print(w, answer, NULL);
		return;
	}
	printf("packet: %s\n", flow);
	weft_print(w, flows, columns);
	printf("actions: %s\n", json_string_value(json_object_get(answer, "actions")));
	if (drop)
		printf("dropped in stage \"%s\" (%s)\n", stage, json_string_value(drop));
	json_array_foreach(to, i, row) printf("sent to %s\n", json_string_value(row));
}

/* ---- the command ---- */

static enum weft_exit trace(const struct weft *w, const struct tenancy *t, void *arg)
{
	struct tracing *x = arg;
	const struct tenant_port *p = tenancy_get(t, KIND_PORT, x->name.tenant, x->name.name);
	char interface[INTERFACE_NAME_SIZE];
	struct tenancy_error e;
	enum weft_exit status;
	json_t *answer;
	int rc;

	if (!p)
		return weft_report(tenancy_fail(&e, &x->name, "", ENOENT, "there is none"), &e.text);
	status = weft_call(w, "if.show", json_pack("{s:s}", "name", port_interface(&p->object, interface)),
	                   &answer);
	if (status == WEFT_NOT_FOUND)
		fprintf(stderr, "weft: port %s/%s is not carried by this host\n", x->name.tenant,
		        x->name.name);
	if (status)
		return status;
	rc = write_flow(x, t, p, (unsigned)json_integer_value(json_object_get(answer, "ofport")), &e.text);
	json_decref(answer);
	if (rc)
		return weft_report(rc, &e.text);
	status = weft_call(w, "trace", json_pack("{s:s, s:b}", "flow", x->flow, "begins", 1), &answer);
	if (status)
		return status;
	print(w, t, x->flow, answer);
	json_decref(answer);
	return WEFT_OK;
}

enum weft_exit weft_trace(const struct weft *w, int n, char **words)
{
	struct tracing x = {.w = w, .words = words[1]};
	struct tenancy_error e;
	int rc = weft_name(KIND_PORT, words[0], &x.name, &e);

	return rc ? weft_report(rc, &e.text) : weft_with_state(w, trace, &x);
}
