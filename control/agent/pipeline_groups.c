/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 23 and 24: the connections that rules of security groups allow, out of a port and into it, as they
 * began. Who asks (pipeline_tracking.c) finds 1 in reg6 then. Called by pipeline.c. */
#include "base/wire.h"
#include "control/agent/pipeline.h"

enum { OPEN = 50, RULE = 100 };

struct direction { /* of a port's connections */
	struct flow_writer *w;
	const struct scene *scene;
	uint8_t table;
	enum field_id peer_field; /* IPv4's */
	uint32_t port;
};

static void begin(const struct direction *d, unsigned priority)
{
	flow_begin(d->w, d->table, priority);
	flow_match_connection(d->w, CT_TRK, CT_INV);
	flow_match(d->w, FIELD_REG4, d->port);
}

static void end(const struct direction *d)
{
	flow_do_set(d->w, FIELD_REG6, 1);
	flow_end(d->w);
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
	flow_match_family(d->w, peer->v4);
	if (rule->proto != PROTO_ANY)
		flow_match(d->w, FIELD_CT_NW_PROTO, (uint8_t)rule->proto);
	if (peer->prefix)
		flow_match_prefix(d->w, d->peer_field, peer->prefix);
	if (mask)
		flow_match_masked(d->w, FIELD_CT_TP_DST, port, mask);
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
	const struct direction out = {w, s, 23, FIELD_CT_NW_DST, p->ofport};
	const struct direction in = {w, s, 24, FIELD_CT_NW_SRC, p->ofport};

	one_direction(&out, p, false, has_egress(s, p));
	one_direction(&in, p, true, true);
}
