/* SPDX-License-Identifier: Apache-2.0 */
/* Random flows, groups and packets; see generate.h. */
#include "tests/differential/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t random_next(struct random *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state * 0x2545f4914f6cdd1dull;
}

unsigned random_below(struct random *r, unsigned n)
{
	return (unsigned)((random_next(r) >> 33) % n);
}

uint64_t random_seed(uint64_t fallback)
{
	const char *text = getenv("SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : fallback;

	printf("SEED=%lu\n", (unsigned long)seed);
	fflush(stdout);
	return seed ? seed : 1;
}

static bool chance(struct random *r, unsigned percent)
{
	return random_below(r, 100) < percent;
}

/* ---- packets ---- */

static struct mac random_mac(struct random *r)
{
	return (struct mac){{2, 0, 0, 0, 0, (uint8_t)random_below(r, 5)}};
}

static be32 random_ipv4(struct random *r)
{
	return htobe32(0x0a000000 | random_below(r, 4) << 8 | random_below(r, 4));
}

static void random_ipv6(struct random *r, uint8_t *to)
{
	memset(to, 0, 16);
	to[0] = 0xfd;
	to[7] = (uint8_t)random_below(r, 3);
	to[15] = (uint8_t)random_below(r, 4);
}

static void random_l4(struct random *r, struct flow_key *k, bool v6)
{
	static const uint8_t protos[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP};

	k->nw_proto = protos[random_below(r, 3)];
	if (chance(r, 20))
		k->nw_proto = v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
	if (chance(r, 10)) {
		k->nw_frag = chance(r, 50) ? FLOW_FRAG_ANY : FLOW_FRAG_ANY | FLOW_FRAG_LATER;
		return;
	}
	k->tp_src = htobe16((uint16_t)random_below(r, 8));
	k->tp_dst = htobe16((uint16_t)random_below(r, 8));
	if (k->nw_proto == IP_PROTO_TCP)
		k->tcp_flags = htobe16((uint16_t)random_below(r, 64));
}

static void random_l3(struct random *r, struct flow_key *k)
{
	static const uint8_t ttls[] = {1, 2, 3, 64};

	switch (random_below(r, 10)) {
	case 0:
		k->eth_type = htobe16(0x88cc);
		return;
	case 1:
		k->eth_type = htobe16(ETH_TYPE_ARP);
		k->nw_proto = (uint8_t)(1 + random_below(r, 2));
		k->nw_src = random_ipv4(r);
		k->nw_dst = random_ipv4(r);
		k->arp_sha = random_mac(r);
		k->arp_tha = random_mac(r);
		return;
	case 2:
	case 3:
		k->eth_type = htobe16(ETH_TYPE_IPV6);
		random_ipv6(r, k->ipv6_src);
		random_ipv6(r, k->ipv6_dst);
		k->ipv6_label = htobe32(random_below(r, 3));
		random_l4(r, k, true);
		break;
	default:
		k->eth_type = htobe16(ETH_TYPE_IPV4);
		k->nw_src = random_ipv4(r);
		k->nw_dst = random_ipv4(r);
		random_l4(r, k, false);
	}
	k->nw_ttl = ttls[random_below(r, 4)];
	k->nw_tos = (uint8_t)(random_below(r, 3) << 2 | random_below(r, 2));
}

static void random_tags(struct random *r, struct flow_key *k)
{
	unsigned n = chance(r, 60) ? 0 : 1 + random_below(r, 2);

	for (unsigned i = 0; i < n; i++) {
		k->vlan[i].tpid = htobe16(n == 2 && i == 0 && chance(r, 50) ? ETH_TYPE_QINQ : ETH_TYPE_VLAN);
		k->vlan[i].tci =
		        htobe16((uint16_t)(VLAN_CFI | random_below(r, 2) << 13 | (1 + random_below(r, 3))));
	}
}

void generate_packet(struct random *r, struct flow_key *k)
{
	memset(k, 0, sizeof(*k));
	k->in_port = 1 + random_below(r, GENERATE_PORTS);
	if (k->in_port == 1) {
		k->tun_id = htobe64(1 + random_below(r, 3));
		k->tun_src = random_ipv4(r);
		k->tun_dst = random_ipv4(r);
	}
	k->eth_dst = random_mac(r);
	k->eth_src = random_mac(r);
	random_tags(r, k);
	random_l3(r, k);
}

/* ---- matches ---- */

static const enum field_id matchable[] = {
        FIELD_IN_PORT_OXM, FIELD_TUN_ID,    FIELD_TUN_SRC,  FIELD_TUN_DST,  FIELD_METADATA,   FIELD_REG0,
        FIELD_REG1,        FIELD_ETH_SRC,   FIELD_ETH_DST,  FIELD_VLAN_TCI, FIELD_DL_VLAN,    FIELD_IPV4_SRC,
        FIELD_IPV4_DST,    FIELD_IPV6_SRC,  FIELD_IPV6_DST, FIELD_NW_PROTO, FIELD_IPV6_LABEL, FIELD_NW_TTL,
        FIELD_IP_DSCP,     FIELD_NW_ECN,    FIELD_IP_FRAG,  FIELD_ARP_OP,   FIELD_ARP_SPA,    FIELD_ARP_TPA,
        FIELD_ARP_SHA,     FIELD_ARP_THA,   FIELD_TCP_SRC,  FIELD_TCP_DST,  FIELD_UDP_SRC,    FIELD_UDP_DST,
        FIELD_TCP_FLAGS,   FIELD_ICMP_TYPE,
};

static void match_all_of(struct match *m, const struct flow_key *packet, enum field_id id)
{
	struct field_value v;

	field_get(packet, id, &v);
	match_set(m, id, &v, NULL);
}

/* Part of the bits, prefixes more often than others. */
static void random_mask(struct random *r, enum field_id id, struct field_value *mask)
{
	unsigned bits = fields[id].bits, keep = random_below(r, bits + 1);

	field_full_mask(id, mask);
	if (!fields[id].maskable || chance(r, 50))
		return;
	if (chance(r, 50)) {
		*mask = value_ones(bits - keep, keep);
		return;
	}
	for (unsigned i = 0; i < 16; i++)
		mask->b[i] &= (uint8_t)random_next(r);
}

static void match_field(struct random *r, struct match *m, const struct flow_key *packet, enum field_id id)
{
	struct field_value v, mask;

	if (!match_meets(m, id))
		return;
	field_get(packet, id, &v);
	random_mask(r, id, &mask);
	for (unsigned i = 0; i < 16; i++)
		v.b[i] &= mask.b[i];
	match_set(m, id, &v, &mask);
}

/* Something about a random packet, so that there are packets that match. */
void generate_match(struct random *r, struct match *m)
{
	struct flow_key packet;

	generate_packet(r, &packet);
	packet.metadata = htobe64(random_below(r, 3));
	packet.regs[0] = random_below(r, 3);
	packet.regs[1] = random_below(r, 3);
	match_init(m);
	if (chance(r, 60)) {
		match_all_of(m, &packet, FIELD_ETH_TYPE);
		if (match_meets(m, FIELD_NW_PROTO) && chance(r, 60))
			match_all_of(m, &packet, FIELD_NW_PROTO);
	}
	for (unsigned n = random_below(r, 4); n; n--)
		match_field(r, m, &packet,
		            matchable[random_below(r, sizeof(matchable) / sizeof(matchable[0]))]);
	match_normalize(m);
}

/* ---- actions ---- */

static const enum field_id settable[] = {
        FIELD_METADATA, FIELD_REG0,     FIELD_REG1,     FIELD_ETH_SRC,  FIELD_ETH_DST,
        FIELD_DL_VLAN,  FIELD_VLAN_PCP, FIELD_IPV4_SRC, FIELD_IPV4_DST, FIELD_IPV6_DST,
        FIELD_NW_TTL,   FIELD_NW_ECN,   FIELD_IP_DSCP,  FIELD_ARP_SPA,  FIELD_ARP_THA,
        FIELD_TCP_DST,  FIELD_UDP_SRC,  FIELD_TUN_ID,   FIELD_TUN_DST,
};

static enum field_id settable_here(struct random *r, const struct match *m)
{
	enum field_id id;

	do
		id = settable[random_below(r, sizeof(settable) / sizeof(settable[0]))];
	while (!match_meets(m, id));
	return id;
}

static void random_set_field(struct random *r, const struct match *m, struct action_list *l)
{
	enum field_id id = settable_here(r, m);
	struct action *a = action_list_append(l, ACTION_SET_FIELD);
	struct flow_key packet;

	generate_packet(r, &packet);
	packet.nw_ttl = (uint8_t)random_below(r, 4);
	a->set_field.field = id;
	if (id == FIELD_METADATA || id == FIELD_REG0 || id == FIELD_REG1)
		a->set_field.value = value_from_u64(random_below(r, 3));
	else
		field_get(&packet, id, &a->set_field.value);
	field_full_mask(id, &a->set_field.mask);
	if (fields[id].maskable && chance(r, 30))
		a->set_field.mask = value_ones(0, 1 + random_below(r, fields[id].bits));
	for (unsigned i = 0; i < 16; i++)
		a->set_field.value.b[i] &= a->set_field.mask.b[i];
}

static void random_move(struct random *r, const struct match *m, struct action_list *l)
{
	enum field_id src = settable_here(r, m), dst = settable_here(r, m);
	unsigned most = fields[src].bits < fields[dst].bits ? fields[src].bits : fields[dst].bits;
	unsigned bits = 1 + random_below(r, most);
	struct action *a = action_list_append(l, ACTION_MOVE);

	a->move.src = (struct subfield){src, (uint16_t)random_below(r, fields[src].bits - bits + 1),
	                                (uint16_t)bits};
	a->move.dst = (struct subfield){dst, (uint16_t)random_below(r, fields[dst].bits - bits + 1),
	                                (uint16_t)bits};
}

static void random_output(struct random *r, struct action_list *l)
{
	static const uint32_t special[] = {PORT_IN_PORT, PORT_FLOOD, PORT_ALL, PORT_NORMAL, PORT_CONTROLLER};
	struct action *a = action_list_append(l, ACTION_OUTPUT);

	a->output.port = chance(r, 85) ? 1 + random_below(r, GENERATE_PORTS) : special[random_below(r, 5)];
	a->output.max_len = 128;
}

/* What may stand in buckets and action sets as well. */
static void random_simple(struct random *r, const struct match *m, struct action_list *l)
{
	switch (random_below(r, 8)) {
	case 0:
		random_move(r, m, l);
		break;
	case 1:
		action_list_append(l, ACTION_PUSH_VLAN)->ethertype =
		        chance(r, 50) ? ETH_TYPE_VLAN : ETH_TYPE_QINQ;
		break;
	case 2:
		action_list_append(l, ACTION_POP_VLAN);
		break;
	case 3:
		action_list_append(l, ACTION_DEC_TTL);
		break;
	default:
		random_set_field(r, m, l);
	}
}

static void random_apply(struct random *r, const struct match *m, uint8_t table_id, unsigned ngroups,
                         struct action_list *l, unsigned *resubmits)
{
	unsigned kind = random_below(r, 20);
	struct action *a;

	if (kind < 8) {
		random_output(r, l);
	} else if (kind < 14) {
		random_simple(r, m, l);
	} else if (kind < 16 && table_id + 1 < GENERATE_TABLES && *resubmits < 2) {
		a = action_list_append(l, ACTION_RESUBMIT);
		a->resubmit.in_port = PORT_IN_PORT;
		a->resubmit.table_id =
		        (uint8_t)(table_id + 1 + random_below(r, GENERATE_TABLES - table_id - 1u));
		++*resubmits;
	} else if (kind == 16 && ngroups) {
		action_list_append(l, ACTION_GROUP)->number = 1 + random_below(r, ngroups);
	} else if (kind == 17) {
		struct action_list nested;

		action_list_init(&nested);
		random_simple(r, m, &nested);
		random_output(r, &nested);
		action_list_append(l, ACTION_CLONE)->nested = nested;
	} else if (kind == 18 && chance(r, 30)) {
		action_list_append(l, ACTION_EXIT);
	}
}

static void random_write(struct random *r, const struct match *m, unsigned ngroups, struct action_list *l)
{
	struct action_list nested;

	action_list_init(&nested);
	for (unsigned n = random_below(r, 3); n; n--)
		random_simple(r, m, &nested);
	if (chance(r, 70))
		action_list_append(&nested, ACTION_OUTPUT)->output.port = 1 + random_below(r, GENERATE_PORTS);
	if (ngroups && chance(r, 20))
		action_list_append(&nested, ACTION_GROUP)->number = 1 + random_below(r, ngroups);
	action_list_append(l, ACTION_WRITE_ACTIONS)->nested = nested;
}

void generate_actions(struct random *r, const struct match *m, uint8_t table_id, unsigned ngroups,
                      struct action_list *l)
{
	unsigned resubmits = 0;

	action_list_init(l);
	for (unsigned n = random_below(r, 5); n; n--)
		random_apply(r, m, table_id, ngroups, l, &resubmits);
	if (chance(r, 5))
		action_list_append(l, ACTION_CLEAR_ACTIONS);
	if (chance(r, 25))
		random_write(r, m, ngroups, l);
	if (chance(r, 20)) {
		struct action *a = action_list_append(l, ACTION_WRITE_METADATA);

		a->metadata.mask = chance(r, 50) ? UINT64_MAX : random_below(r, 4);
		a->metadata.value = random_below(r, 3) & a->metadata.mask;
	}
	if (table_id + 1 < GENERATE_TABLES && resubmits < 2 && chance(r, 40))
		action_list_append(l, ACTION_GOTO_TABLE)->number =
		        table_id + 1u + random_below(r, GENERATE_TABLES - table_id - 1u);
}

void generate_flow(struct random *r, unsigned ngroups, struct flow_mod *fm)
{
	flow_mod_init(fm);
	fm->table_id = (uint8_t)(chance(r, 40) ? 0 : random_below(r, GENERATE_TABLES));
	fm->priority = (uint16_t)random_below(r, 65536);
	generate_match(r, &fm->match);
	generate_actions(r, &fm->match, fm->table_id, ngroups, &fm->actions);
}

void generate_group(struct random *r, uint32_t id, struct group_mod *gm)
{
	static const enum group_type types[] = {GROUP_TYPE_ALL, GROUP_TYPE_ALL, GROUP_TYPE_INDIRECT,
	                                        GROUP_TYPE_SELECT};
	struct match any;
	unsigned n;

	match_init(&any);
	group_mod_init(gm);
	gm->command = GROUP_ADD;
	gm->group_id = id;
	/* Only the first group selects: the model tries its buckets one after the other. */
	gm->type = types[random_below(r, id == 1 ? 4 : 3)];
	n = gm->type == GROUP_TYPE_INDIRECT ? 1 : 1 + random_below(r, 3);
	while (n--) {
		struct bucket *b = group_mod_append(gm);

		b->bucket_id = gm->n_buckets - 1;
		b->weight = 1;
		if (chance(r, 50))
			random_simple(r, &any, &b->actions);
		random_output(r, &b->actions);
	}
}
