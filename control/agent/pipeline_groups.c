/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 20, 21, 80 and 81: security groups without connection tracking. What answers may come back is
 * therefore told by its looks: TCP segments with ACK, UDP from the ports of DNS and NTP, ICMP errors and echo
 * replies. Called by pipeline.c. */
#include "base/wire.h"
#include "control/agent/pipeline.h"

enum { OPEN = 50, RULE = 100, ANSWER = 90, TCP_ACK = 0x10 };

struct direction { /* of a port's packets */
	struct flow_writer *w;
	const struct scene *scene;
	uint8_t table, next;
	enum field_id port_field, peer_field; /* IPv4's */
	uint32_t port;
};

static void begin(const struct direction *d, unsigned priority)
{
	flow_begin(d->w, d->table, priority);
	flow_match(d->w, d->port_field, d->port);
}

static void end(const struct direction *d)
{
	flow_do_goto(d->w, d->next);
	flow_end(d->w);
}

/* ---- what answers ---- */

static void answer(const struct direction *d, bool v4, uint8_t proto, enum field_id field, unsigned n,
                   unsigned mask)
{
	begin(d, ANSWER);
	flow_match_proto(d->w, v4, proto);
	flow_match_masked(d->w, field, n, mask);
	end(d);
}

static void answers(const struct direction *d)
{
	static const uint16_t servers[] = {53, 123};
	static const uint8_t icmp[] = {0, 3, 11, 12}, icmp6[] = {1, 2, 3, 4, 129};

	for (int v4 = 0; v4 < 2; v4++) {
		answer(d, v4, IP_PROTO_TCP, FIELD_TCP_FLAGS, TCP_ACK, TCP_ACK);
		for (unsigned i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
			answer(d, v4, IP_PROTO_UDP, FIELD_UDP_SRC, servers[i], 0xffff);
	}
	for (unsigned i = 0; i < sizeof(icmp); i++)
		answer(d, true, IP_PROTO_ICMP, FIELD_ICMP_TYPE, icmp[i], 0xff);
	for (unsigned i = 0; i < sizeof(icmp6); i++)
		answer(d, false, IP_PROTO_ICMPV6, FIELD_ICMPV6_TYPE, icmp6[i], 0xff);
}

/* ---- what a rule allows ---- */

struct peer { /* the other side, as far as a rule says who */
	bool v4;
	const struct prefix *prefix; /* NULL: anyone */
};

/* As few masked ports as make up a range are a flow each. */
static void rule_flow(const struct direction *d, const struct group_rule *rule, const struct peer *peer,
                      unsigned port, unsigned mask)
{
	begin(d, RULE);
	if (rule->proto == PROTO_ANY)
		flow_match_family(d->w, peer->v4);
	else
		flow_match_proto(d->w, peer->v4, (uint8_t)rule->proto);
	if (peer->prefix)
		flow_match_prefix(d->w, d->peer_field, peer->prefix);
	if (mask)
		flow_match_masked(d->w, FIELD_TCP_DST, port, mask); /* or UDP's, in the same place */
	end(d);
}

static void rule_ports(const struct direction *d, const struct group_rule *rule, const struct peer *peer)
{
	if (!rule->n_ranges)
		rule_flow(d, rule, peer, 0, 0);
	for (unsigned i = 0; i < rule->n_ranges; i++) {
		unsigned low = rule->ranges[i].low, high = rule->ranges[i].high;

		while (low <= high) {
			unsigned size = 1;

			while (!(low & (2 * size - 1)) && low + 2 * size - 1 <= high && size < 0x8000)
				size *= 2;
			rule_flow(d, rule, peer, low, 0x10000 - size);
			low += size;
		}
	}
}

static void rule_peer(const struct direction *d, const struct group_rule *rule, bool v4,
                      const struct prefix *prefix)
{
	const struct peer peer = {v4, prefix};

	if (rule->proto != (v4 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP))
		rule_ports(d, rule, &peer);
}

static void rule_flows(const struct direction *d, const struct group *g, const struct group_rule *rule)
{
	const struct scene_group *peers;

	if (rule->any_peer) {
		rule_peer(d, rule, true, NULL);
		rule_peer(d, rule, false, NULL);
	} else if (!*rule->group) {
		rule_peer(d, rule, prefix_is_v4(&rule->peer), &rule->peer);
	} else {
		peers = scene_group(d->scene, g->object.tenant, rule->group);
		for (unsigned i = 0; peers && i < peers->n_members; i++) {
			const struct prefix member = {peers->members[i], 128};

			rule_peer(d, rule, prefix_is_v4(&member), &member);
		}
	}
}

/* ---- the port ---- */

static const struct group *group_of(const struct scene *s, const struct scene_port *p, unsigned i)
{
	const struct scene_group *g = scene_group(s, p->port->object.tenant, p->port->groups[i]);

	return g ? g->group : NULL;
}

/* `closed`: only what a rule allows. */
static void one_direction(const struct direction *d, const struct scene_port *p, bool ingress, bool closed)
{
	if (!closed) {
		begin(d, OPEN);
		end(d);
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

void pipeline_groups(const struct scene *s, const struct scene_port *p, struct flow_writer *w)
{
	const struct direction egress = {.w = w,
	                                 .scene = s,
	                                 .table = 21,
	                                 .next = 40,
	                                 .port_field = FIELD_IN_PORT_OXM,
	                                 .peer_field = FIELD_IPV4_DST,
	                                 .port = p->ofport};
	const struct direction ingress = {.w = w,
	                                  .scene = s,
	                                  .table = 81,
	                                  .next = 90,
	                                  .port_field = FIELD_REG3,
	                                  .peer_field = FIELD_IPV4_SRC,
	                                  .port = p->ofport};

	one_direction(&egress, p, false, has_egress(s, p));
	one_direction(&ingress, p, true, p->port->n_groups > 0);
}
