/* SPDX-License-Identifier: Apache-2.0 */
/* Random matches, actions and groups; see generate.h. */
#include <string.h>

#include "tests/differential/generate.h"

/* ---- matches ---- */

static const enum field_id matchable[] = {
        FIELD_IN_PORT_OXM, FIELD_TUN_ID,    FIELD_TUN_SRC,   FIELD_TUN_DST,   FIELD_TUN_IPV6_DST,
        FIELD_METADATA,    FIELD_PKT_MARK,  FIELD_REG0,      FIELD_REG1,      FIELD_XREG0,
        FIELD_ETH_SRC,     FIELD_ETH_DST,   FIELD_VLAN_TCI,  FIELD_DL_VLAN,   FIELD_DL_VLAN_PCP,
        FIELD_MPLS_LABEL,  FIELD_MPLS_TC,   FIELD_MPLS_BOS,  FIELD_PBB_ISID,  FIELD_IPV4_SRC,
        FIELD_IPV4_DST,    FIELD_IPV6_SRC,  FIELD_IPV6_DST,  FIELD_NW_PROTO,  FIELD_IPV6_LABEL,
        FIELD_IPV6_EXTHDR, FIELD_NW_TTL,    FIELD_IP_DSCP,   FIELD_NW_ECN,    FIELD_IP_FRAG,
        FIELD_ARP_OP,      FIELD_ARP_SPA,   FIELD_ARP_TPA,   FIELD_ARP_SHA,   FIELD_ARP_THA,
        FIELD_TCP_SRC,     FIELD_TCP_DST,   FIELD_UDP_SRC,   FIELD_UDP_DST,   FIELD_SCTP_SRC,
        FIELD_SCTP_DST,    FIELD_TCP_FLAGS, FIELD_ICMP_TYPE, FIELD_ICMP_CODE, FIELD_ICMPV6_TYPE,
        FIELD_ICMPV6_CODE, FIELD_ND_TARGET, FIELD_ND_SLL,    FIELD_ND_TLL,
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
	if (!fields[id].maskable || random_chance(r, 50))
		return;
	if (random_chance(r, 50)) {
		*mask = value_ones(bits - keep, keep);
		return;
	}
	for (unsigned i = 0; i < 16; i++)
		mask->b[i] &= (uint8_t)random_next(r);
}

static void match_field(struct random *r, struct match *m, const struct flow_key *packet, enum field_id id)
{
	struct field_value v, mask;

	field_get(packet, id, &v);
	random_mask(r, id, &mask);
	for (unsigned i = 0; i < 16; i++)
		v.b[i] &= mask.b[i];
	match_set(m, id, &v, &mask);
}

static enum field_id matchable_here(struct random *r, const struct match *m)
{
	enum field_id id;

	do
		id = matchable[random_below(r, sizeof(matchable) / sizeof(matchable[0]))];
	while (!match_meets(m, id));
	return id;
}

/* Something about a random packet, so that there are packets that match. */
void generate_match(struct random *r, struct match *m)
{
	struct flow_key packet;

	generate_key(r, &packet);
	packet.metadata = htobe64(random_below(r, 3));
	packet.regs[0] = random_below(r, 3);
	packet.regs[1] = random_below(r, 3);
	match_init(m);
	if (random_chance(r, 60)) {
		match_all_of(m, &packet, FIELD_ETH_TYPE);
		if (match_meets(m, FIELD_NW_PROTO) && random_chance(r, 60))
			match_all_of(m, &packet, FIELD_NW_PROTO);
		if (match_meets(m, FIELD_ICMPV6_TYPE) && random_chance(r, 50)) {
			match_all_of(m, &packet, FIELD_ICMPV6_TYPE);
			match_all_of(m, &packet, FIELD_ICMPV6_CODE);
		}
	}
	for (unsigned n = random_below(r, 3); n; n--)
		match_field(r, m, &packet, matchable_here(r, m));
	match_normalize(m);
}

/* ---- actions ---- */

static const enum field_id settable[] = {
        FIELD_METADATA, FIELD_REG0,        FIELD_REG1,       FIELD_XREG0,     FIELD_PKT_MARK,
        FIELD_TUN_ID,   FIELD_TUN_DST,     FIELD_TUN_SRC,    FIELD_IN_PORT,   FIELD_IN_PORT_OXM,
        FIELD_ETH_SRC,  FIELD_ETH_DST,     FIELD_VLAN_TCI,   FIELD_DL_VLAN,   FIELD_VLAN_VID,
        FIELD_VLAN_PCP, FIELD_DL_VLAN_PCP, FIELD_MPLS_LABEL, FIELD_MPLS_TC,   FIELD_MPLS_TTL,
        FIELD_PBB_ISID, FIELD_IPV4_SRC,    FIELD_IPV4_DST,   FIELD_IPV6_SRC,  FIELD_IPV6_DST,
        FIELD_NW_TTL,   FIELD_IPV6_LABEL,  FIELD_NW_ECN,     FIELD_IP_DSCP,   FIELD_NW_TOS,
        FIELD_ARP_OP,   FIELD_ARP_SPA,     FIELD_ARP_TPA,    FIELD_ARP_SHA,   FIELD_ARP_THA,
        FIELD_TCP_SRC,  FIELD_TCP_DST,     FIELD_UDP_SRC,    FIELD_UDP_DST,   FIELD_SCTP_SRC,
        FIELD_SCTP_DST, FIELD_ICMP_TYPE,   FIELD_ICMP_CODE,  FIELD_ND_TARGET, FIELD_ND_SLL,
        FIELD_ND_TLL,
};

/* More often than not something that only some packets have. */
static enum field_id settable_here(struct random *r, const struct match *m)
{
	bool rare = random_chance(r, 60);
	enum field_id id;

	for (unsigned i = 0;; i++) {
		id = settable[random_below(r, sizeof(settable) / sizeof(settable[0]))];
		if (match_meets(m, id) && (!rare || i > 50 || fields[id].prereq != FIELD_NEEDS_NONE))
			return id;
	}
}

static void random_set_field(struct random *r, const struct match *m, struct action_list *l)
{
	enum field_id id = settable_here(r, m);
	struct action *a = action_list_append(l, ACTION_SET_FIELD);
	struct flow_key packet;

	generate_key(r, &packet);
	packet.nw_ttl = (uint8_t)random_below(r, 4);
	a->set_field.field = id;
	if (fields[id].offset < offsetof(struct flow_key, eth_dst))
		a->set_field.value = value_from_u64(random_below(r, 3));
	else
		field_get(&packet, id, &a->set_field.value);
	field_full_mask(id, &a->set_field.mask);
	if (fields[id].maskable && random_chance(r, 30))
		a->set_field.mask = value_ones(0, 1 + random_below(r, fields[id].bits));
	for (unsigned i = 0; i < 16; i++)
		a->set_field.value.b[i] &= a->set_field.mask.b[i];
}

static void random_move(struct random *r, const struct match *m, struct action_list *l)
{
	enum field_id src = settable_here(r, m), dst = settable_here(r, m);
	unsigned most = fields[src].bits < fields[dst].bits ? fields[src].bits : fields[dst].bits;
	unsigned bits = 1 + random_below(r, dst == FIELD_ARP_OP ? 8 : most);
	struct action *a = action_list_append(l, ACTION_MOVE);

	a->move.src = (struct subfield){src, (uint16_t)random_below(r, fields[src].bits - bits + 1),
	                                (uint16_t)bits};
	a->move.dst = (struct subfield){
	        dst, dst == FIELD_ARP_OP ? 0 : (uint16_t)random_below(r, fields[dst].bits - bits + 1),
	        (uint16_t)bits};
}

static uint32_t random_port(struct random *r)
{
	static const uint32_t special[] = {PORT_IN_PORT,    PORT_FLOOD, PORT_ALL, PORT_NORMAL,
	                                   PORT_CONTROLLER, PORT_LOCAL, 77 /* there is none */};

	return random_chance(r, 80) ? 1 + random_below(r, GENERATE_PORTS) : special[random_below(r, 7)];
}

static void random_controller(struct random *r, struct action_list *l)
{
	struct action *a = action_list_append(l, ACTION_CONTROLLER);

	a->controller.max_len = random_chance(r, 50) ? UINT16_MAX : (uint16_t)random_below(r, 100);
	a->controller.controller_id = (uint16_t)random_below(r, 3);
	a->controller.reason = (uint8_t)random_below(r, 3);
}

static void random_output(struct random *r, struct action_list *l)
{
	struct action *a;

	switch (random_below(r, 20)) {
	case 0:
		random_controller(r, l);
		break;
	case 1:
		a = action_list_append(l, ACTION_OUTPUT_TRUNC);
		a->output.port = random_chance(r, 80) ? 1 + random_below(r, GENERATE_PORTS) : PORT_IN_PORT;
		a->output.max_len = 14 + random_below(r, 100);
		break;
	case 2:
		a = action_list_append(l, ACTION_OUTPUT_REG);
		a->output_reg.src = (struct subfield){FIELD_REG0, 0, 16};
		a->output_reg.max_len = 50;
		break;
	default:
		a = action_list_append(l, ACTION_OUTPUT);
		a->output.port = random_port(r);
		a->output.max_len = 128;
	}
}

/* Labels, I-TAGs and TTLs. */
static void random_relabel(struct random *r, struct action_list *l)
{
	static const enum action_type plain[] = {ACTION_DEC_TTL, ACTION_DEC_MPLS_TTL, ACTION_COPY_TTL_IN,
	                                         ACTION_COPY_TTL_OUT, ACTION_POP_PBB};
	static const uint16_t types[] = {ETH_TYPE_IPV4, ETH_TYPE_IPV4, ETH_TYPE_IPV6, ETH_TYPE_MPLS};

	switch (random_below(r, 10)) {
	case 0:
	case 1:
		action_list_append(l, ACTION_PUSH_MPLS)->ethertype =
		        random_chance(r, 80) ? ETH_TYPE_MPLS : ETH_TYPE_MPLS_MC;
		break;
	case 2:
	case 3:
		action_list_append(l, ACTION_POP_MPLS)->ethertype = types[random_below(r, 4)];
		break;
	case 4:
		action_list_append(l, ACTION_PUSH_PBB)->ethertype = ETH_TYPE_PBB;
		break;
	case 5:
		action_list_append(l, random_chance(r, 50) ? ACTION_SET_TTL : ACTION_SET_MPLS_TTL)->number =
		        random_below(r, 4);
		break;
	default:
		action_list_append(l, plain[random_below(r, 5)]);
	}
}

/* VLAN tags. */
static void random_retag(struct random *r, struct action_list *l)
{
	if (random_chance(r, 50))
		action_list_append(l, ACTION_POP_VLAN);
	else
		action_list_append(l, ACTION_PUSH_VLAN)->ethertype =
		        random_chance(r, 50) ? ETH_TYPE_VLAN : ETH_TYPE_QINQ;
}

/* What may stand in buckets and action sets as well. */
static void random_simple(struct random *r, const struct match *m, struct action_list *l)
{
	switch (generate_theme() == THEME_LABELS ? 3 + random_below(r, 3) : random_below(r, 10)) {
	case 0:
		random_move(r, m, l);
		break;
	case 1:
	case 2:
		random_retag(r, l);
		break;
	case 3:
	case 4:
		random_relabel(r, l);
		break;
	default:
		if (generate_theme() == THEME_TAGS && random_chance(r, 60))
			random_retag(r, l);
		else
			random_set_field(r, m, l);
	}
}

static void random_stack(struct random *r, const struct match *m, struct action_list *l)
{
	enum field_id id = settable_here(r, m);
	unsigned bits = 1 + random_below(r, id == FIELD_ARP_OP ? 8 : fields[id].bits);
	struct action *a = action_list_append(l, random_chance(r, 50) ? ACTION_PUSH : ACTION_POP);

	a->subfield = (struct subfield){id, 0, (uint16_t)bits};
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
		a->resubmit.in_port = random_chance(r, 80) ? PORT_IN_PORT : random_below(r, 7);
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
	} else if (kind == 18 && random_chance(r, 30)) {
		action_list_append(l, ACTION_EXIT);
	} else if (kind == 19) {
		random_stack(r, m, l);
	}
}

static void random_write(struct random *r, const struct match *m, unsigned ngroups, struct action_list *l)
{
	struct action_list nested;

	action_list_init(&nested);
	for (unsigned n = random_below(r, 3); n; n--)
		random_simple(r, m, &nested);
	if (random_chance(r, 70))
		random_output(r, &nested);
	if (ngroups && random_chance(r, 20))
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
	if (random_chance(r, 5))
		action_list_append(l, ACTION_CLEAR_ACTIONS);
	if (random_chance(r, 25))
		random_write(r, m, ngroups, l);
	if (random_chance(r, 20)) {
		struct action *a = action_list_append(l, ACTION_WRITE_METADATA);

		a->metadata.mask = random_chance(r, 50) ? UINT64_MAX : random_below(r, 4);
		a->metadata.value = random_below(r, 3) & a->metadata.mask;
	}
	if (table_id + 1 < GENERATE_TABLES && resubmits < 2 && random_chance(r, 40))
		action_list_append(l, ACTION_GOTO_TABLE)->number =
		        table_id + 1u + random_below(r, GENERATE_TABLES - table_id - 1u);
}

void generate_flow(struct random *r, unsigned ngroups, struct flow_mod *fm)
{
	flow_mod_init(fm);
	fm->table_id = (uint8_t)(random_chance(r, 40) ? 0 : random_below(r, GENERATE_TABLES));
	fm->priority = (uint16_t)random_below(r, 65536);
	generate_match(r, &fm->match);
	generate_actions(r, &fm->match, fm->table_id, ngroups, &fm->actions);
}

void generate_group(struct random *r, uint32_t id, unsigned ngroups, struct group_mod *gm)
{
	static const enum group_type types[] = {GROUP_TYPE_ALL, GROUP_TYPE_ALL, GROUP_TYPE_INDIRECT,
	                                        GROUP_TYPE_SELECT, GROUP_TYPE_FAST_FAILOVER};
	struct match any;
	unsigned n;

	match_init(&any);
	group_mod_init(gm);
	gm->command = GROUP_ADD;
	gm->group_id = id;
	gm->type = types[random_below(r, 5)];
	n = gm->type == GROUP_TYPE_INDIRECT ? 1 : 1 + random_below(r, 3);
	while (n--) {
		struct bucket *b = group_mod_append(gm);

		b->bucket_id = gm->n_buckets - 1;
		if (gm->type == GROUP_TYPE_SELECT)
			b->weight = (uint16_t)random_below(r, 4);
		if (gm->type == GROUP_TYPE_FAST_FAILOVER ||
		    (gm->type == GROUP_TYPE_SELECT && random_chance(r, 30)))
			b->watch_port = 1 + random_below(r, GENERATE_PORTS);
		if (random_chance(r, 50))
			random_simple(r, &any, &b->actions);
		if (id < ngroups && random_chance(r, 15))
			action_list_append(&b->actions, ACTION_GROUP)->number =
			        id + 1 + random_below(r, ngroups - id);
		else
			random_output(r, &b->actions);
	}
}
