/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 20, 21, 80 and 81: security groups without connection tracking. What answers may come back is
 * therefore told by its looks: TCP segments with ACK, UDP from the ports of DNS and NTP, ICMP errors and echo
 * replies. Called by pipeline.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "control/agent/pipeline.h"

enum { OPEN = 50, RULE = 100, ANSWER = 90 };

struct direction {
	struct flow_set *out;
	const struct scene *scene;
	const char *table, *port_match, *address4, *address6, *next;
	uint32_t port;
};

static void add(const struct direction *d, int priority, const char *match)
{
	flow_set_add(d->out, COOKIE_MARK, "table=%s,priority=%d,%s=%u%s%s,actions=goto_table:%s", d->table,
	             priority, d->port_match, d->port, *match ? "," : "", match, d->next);
}

static void answers(const struct direction *d)
{
	static const char *const looks[] = {
	        "tcp,tcp_flags=+ack", "tcp6,tcp_flags=+ack", "udp,tp_src=53",       "udp6,tp_src=53",
	        "udp,tp_src=123",     "udp6,tp_src=123",     "icmp,icmp_type=0",    "icmp,icmp_type=3",
	        "icmp,icmp_type=11",  "icmp,icmp_type=12",   "icmp6,icmp_type=1",   "icmp6,icmp_type=2",
	        "icmp6,icmp_type=3",  "icmp6,icmp_type=4",   "icmp6,icmp_type=129", NULL,
	};

	for (const char *const *l = looks; *l; l++)
		add(d, ANSWER, *l);
}

/* "tp_dst=8000/0xfff8": as few masked ports as make up the range. */
static void rule_ports(const struct direction *d, const struct group_rule *rule, const char *match)
{
	char text[160];

	if (!rule->n_ranges)
		add(d, RULE, match);
	for (unsigned i = 0; i < rule->n_ranges; i++) {
		unsigned low = rule->ranges[i].low, high = rule->ranges[i].high;

		while (low <= high) {
			unsigned size = 1;

			while (!(low & (2 * size - 1)) && low + 2 * size - 1 <= high && size < 0x8000)
				size *= 2;
			snprintf(text, sizeof(text), "%s,tp_dst=%u/0x%x", match, low, 0x10000 - size);
			add(d, RULE, text);
			low += size;
		}
	}
}

/* One family: its protocol, and the peer's prefix if it counts. */
static void rule_family(const struct direction *d, const struct group_rule *rule, bool v4, const char *peer)
{
	const char *address = v4 ? d->address4 : d->address6;
	char match[128];

	if ((rule->proto == IP_PROTO_ICMP && !v4) || (rule->proto == IP_PROTO_ICMPV6 && v4))
		return;
	if (rule->proto == PROTO_ANY)
		snprintf(match, sizeof(match), "%s", v4 ? "ip" : "ipv6");
	else
		snprintf(match, sizeof(match), "%s,nw_proto=%d", v4 ? "ip" : "ipv6", rule->proto);
	if (peer)
		snprintf(match + strlen(match), sizeof(match) - strlen(match), ",%s=%s", address, peer);
	rule_ports(d, rule, match);
}

static void rule_flows(const struct direction *d, const struct group *g, const struct group_rule *rule)
{
	const struct scene_group *peers;
	char text[PREFIX_TEXT_MAX];

	if (rule->any_peer) {
		rule_family(d, rule, true, NULL);
		rule_family(d, rule, false, NULL);
	} else if (!*rule->group) {
		rule_family(d, rule, prefix_is_v4(&rule->peer), prefix_format(&rule->peer, text));
	} else {
		peers = scene_group(d->scene, g->object.tenant, rule->group);
		for (unsigned i = 0; peers && i < peers->n_members; i++)
			rule_family(d, rule, ip_is_v4(&peers->members[i]),
			            ip_format(&peers->members[i], text));
	}
}

static const struct group *group_of(const struct scene *s, const struct scene_port *p, unsigned i)
{
	const struct scene_group *g = scene_group(s, p->port->object.tenant, p->port->groups[i]);

	return g ? g->group : NULL;
}

/* `closed`: only what a rule allows. */
static void one_direction(const struct direction *d, const struct scene_port *p, bool ingress, bool closed)
{
	if (!closed) {
		add(d, OPEN, "");
		return;
	}
	answers(d);
	for (unsigned i = 0; i < p->port->n_groups; i++) {
		const struct group *g = group_of(d->scene, p, i);

		for (unsigned k = 0; g && k < g->n_rules; k++)
			if (g->rules[k].ingress == ingress)
				rule_flows(d, g, &g->rules[k]);
	}
}

static bool has_egress(const struct scene *s, const struct scene_port *p)
{
	for (unsigned i = 0; i < p->port->n_groups; i++) {
		const struct group *g = group_of(s, p, i);

		for (unsigned k = 0; g && k < g->n_rules; k++)
			if (!g->rules[k].ingress)
				return true;
	}
	return false;
}

void pipeline_groups(const struct scene *s, const struct scene_port *p, struct flow_set *out)
{
	struct direction egress = {.out = out,
	                           .scene = s,
	                           .table = "21",
	                           .port_match = "in_port",
	                           .address4 = "nw_dst",
	                           .address6 = "ipv6_dst",
	                           .next = "40",
	                           .port = p->ofport};
	struct direction ingress = {.out = out,
	                            .scene = s,
	                            .table = "81",
	                            .port_match = "reg3",
	                            .address4 = "nw_src",
	                            .address6 = "ipv6_src",
	                            .next = "90",
	                            .port = p->ofport};

	one_direction(&egress, p, false, has_egress(s, p));
	one_direction(&ingress, p, true, p->port->n_groups > 0);
}
