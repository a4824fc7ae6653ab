/* SPDX-License-Identifier: Apache-2.0 */
/* Random actions, flows, groups and meters; see generate.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/differential/generate.h"

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

/* NULL: whatever; what a packet does not have is not changed. */
static bool meets(const struct match *m, enum field_id id)
{
	return !m || match_meets(m, id);
}

static enum field_id any_settable(struct random *r, const struct match *m)
{
	enum field_id id;

	do
		id = settable[random_below(r, sizeof(settable) / sizeof(settable[0]))];
	while (!meets(m, id));
	return id;
}

/* Of a few the one that the fewest packets have. */
static enum field_id settable_here(struct random *r, const struct match *m)
{
	enum field_id best = any_settable(r, m);

	for (unsigned n = random_below(r, 5); n; n--) {
		enum field_id id = any_settable(r, m);

		if (fields[id].prereq > fields[best].prereq)
			best = id;
	}
	return best;
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
	unsigned bits = 1 + random_below(r, dst == FIELD_ARP_OP && most > 8 ? 8 : most);
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

/* Takes off what is there, if the match says what that is. */
static bool take_off(struct random *r, const struct match *m, struct action_list *l)
{
	static const uint16_t types[] = {ETH_TYPE_IPV4, ETH_TYPE_IPV6, ETH_TYPE_ARP};

	if (m && match_meets(m, FIELD_PBB_ISID))
		action_list_append(l, ACTION_POP_PBB);
	else if (m && match_meets(m, FIELD_MPLS_LABEL))
		action_list_append(l, ACTION_POP_MPLS)->ethertype =
		        random_chance(r, 60) ? types[random_below(r, 3)] : ETH_TYPE_MPLS;
	else
		return false;
	return true;
}

/* Labels, I-TAGs and TTLs. */
static void random_relabel(struct random *r, const struct match *m, struct action_list *l)
{
	static const enum action_type plain[] = {ACTION_DEC_TTL, ACTION_DEC_MPLS_TTL, ACTION_COPY_TTL_IN,
	                                         ACTION_COPY_TTL_OUT, ACTION_POP_PBB};
	static const uint16_t types[] = {ETH_TYPE_IPV4, ETH_TYPE_IPV4, ETH_TYPE_IPV6, ETH_TYPE_MPLS};

	if (random_chance(r, 50) && take_off(r, m, l))
		return;
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
		random_relabel(r, m, l);
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

/* ---- links ---- */

/* Where a number of a few bits goes: a register mostly, so that later tables see it. */
static struct subfield random_destination(struct random *r, const struct match *m)
{
	enum field_id id = random_chance(r, 70) ? FIELD_REG0 + random_below(r, 2) : settable_here(r, m);
	unsigned most = fields[id].bits < 8 ? fields[id].bits : 8;

	return (struct subfield){id, 0, (uint16_t)(1 + random_below(r, most))};
}

static void random_multipath(struct random *r, const struct match *m, struct action_list *l)
{
	struct action_multipath *mp = &action_list_append(l, ACTION_MULTIPATH)->multipath;

	mp->fields = (uint16_t)random_below(r, HASH_FIELDS);
	mp->algorithm = (uint16_t)random_below(r, MULTIPATH_ALGORITHMS);
	mp->basis = (uint16_t)random_below(r, 3);
	mp->arg = random_below(r, 6);
	mp->dst = random_destination(r, m);
	mp->max_link = (uint16_t)random_below(r, mp->dst.bits > 1 ? 4 : 2);
}

static void random_check(struct random *r, const struct match *m, struct action_list *l)
{
	struct action *a = action_list_append(l, ACTION_CHECK_PKT_LARGER);

	a->check_pkt_larger.len = (uint16_t)(40 + random_below(r, 120));
	a->check_pkt_larger.dst = random_destination(r, m);
	a->check_pkt_larger.dst.bits = 1;
}

static void random_bundle(struct random *r, struct action_list *l)
{
	bool load = random_chance(r, 40);
	struct action_bundle *b = &action_list_append(l, load ? ACTION_BUNDLE_LOAD : ACTION_BUNDLE)->bundle;

	b->fields = (uint16_t)random_below(r, HASH_FIELDS);
	b->algorithm = (uint16_t)random_below(r, BUNDLE_ALGORITHMS);
	b->basis = (uint16_t)random_below(r, 3);
	b->n_members = (uint16_t)random_below(r, 5);
	b->members = calloc(b->n_members + 1u, sizeof(*b->members));
	for (unsigned i = 0; i < b->n_members; i++) {
		b->members[i] = random_port(r);
		if (b->members[i] == PORT_CONTROLLER)
			b->members[i] = PORT_ANY;
	}
	if (load)
		b->dst = (struct subfield){random_chance(r, 80) ? FIELD_REG0 : FIELD_ETH_DST, 0, 16};
}

/* Something that writes a number it finds out. */
static void random_number(struct random *r, const struct match *m, struct action_list *l)
{
	switch (random_below(r, 3)) {
	case 0:
		random_multipath(r, m, l);
		break;
	case 1:
		random_bundle(r, l);
		break;
	default:
		random_check(r, m, l);
	}
}

/* ---- lists ---- */

static uint8_t random_target(struct random *r, uint8_t table_id)
{
	if (table_id + 1 < GENERATE_TABLES && random_chance(r, 70))
		return (uint8_t)(table_id + 1 + random_below(r, GENERATE_TABLES - table_id - 1u));
	return random_chance(r, 50) ? GENERATE_LEARNED_TABLE : GENERATE_CONJUNCTION_TABLE;
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
	} else if (kind < 16 && table_id < GENERATE_TABLES && *resubmits < 2) {
		a = action_list_append(l, ACTION_RESUBMIT);
		a->resubmit.in_port = random_chance(r, 80) ? PORT_IN_PORT : random_below(r, 7);
		a->resubmit.table_id = random_target(r, table_id);
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
	} else if (kind == 18) {
		random_number(r, m, l);
	} else if (kind == 19 && random_chance(r, 50)) {
		random_stack(r, m, l);
	} else if (kind == 19) {
		generate_learn(r, l);
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
	if (random_chance(r, 8))
		action_list_append(l, ACTION_METER)->number = 1 + random_below(r, GENERATE_METERS);
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
	if (table_id < GENERATE_TABLES && resubmits < 2 && random_chance(r, 40))
		action_list_append(l, ACTION_GOTO_TABLE)->number = random_target(r, table_id);
}

void generate_flow(struct random *r, unsigned ngroups, struct flow_mod *fm)
{
	flow_mod_init(fm);
	fm->table_id = (uint8_t)(random_chance(r, 40) ? 0 : random_below(r, GENERATE_TABLES));
	if (random_chance(r, 5))
		fm->table_id = GENERATE_CONJUNCTION_TABLE;
	generate_match(r, &fm->match);
	/* What says more stands in front, so that more flows are met. */
	fm->priority = (uint16_t)random_below(r, 13000);
	fm->priority +=
	        (uint16_t)(13000 * (meets(&fm->match, FIELD_NW_TTL) + meets(&fm->match, FIELD_IPV4_SRC) +
	                            (fm->match.mask.nw_proto == 0xff) + (fm->match.mask.tp_src == 0xffff)));
	generate_actions(r, &fm->match, fm->table_id, ngroups, &fm->actions);
}

static void add_clause(struct random *r, uint32_t id, unsigned clause, unsigned n, struct flow_mod *fm)
{
	static const enum field_id by_clause[] = {FIELD_IN_PORT_OXM, FIELD_ETH_SRC, FIELD_ETH_DST};
	struct flow_key packet;
	struct action *a;

	generate_key(r, &packet);
	generate_match_on(&fm->match, &packet, by_clause[clause % 3]);
	a = action_list_append(&fm->actions, ACTION_CONJUNCTION);
	a->conjunction.id = id;
	a->conjunction.clause = (uint8_t)clause;
	a->conjunction.n_clauses = (uint8_t)n;
}

unsigned generate_conjunction(struct random *r, uint32_t id, uint16_t priority, unsigned ngroups,
                              struct flow_mod fm[GENERATE_CONJUNCTION_MAX])
{
	struct field_value number = value_from_u64(id);
	unsigned clauses = 2 + random_below(r, 2), n = 0;

	for (unsigned clause = 0; clause < clauses; clause++)
		for (unsigned k = 1 + random_below(r, 4); k; k--) {
			flow_mod_init(&fm[n]);
			fm[n].table_id = GENERATE_CONJUNCTION_TABLE;
			fm[n].priority = priority;
			add_clause(r, id, clause, clauses, &fm[n++]);
		}
	generate_flow(r, ngroups, &fm[n]);
	fm[n].table_id = GENERATE_CONJUNCTION_TABLE;
	if (random_chance(r, 70))
		match_init(&fm[n].match);
	match_set(&fm[n].match, FIELD_CONJ_ID, &number, NULL);
	action_list_free(&fm[n].actions);
	generate_actions(r, &fm[n].match, fm[n].table_id, ngroups, &fm[n].actions);
	return n + 1;
}

/* Rates of which a nanosecond's worth is a whole number of ticks. */
void generate_meter(struct random *r, uint32_t id, struct meter_mod *mm)
{
	static const uint32_t rates[] = {1000, 2000, 5000, 20000};

	*mm = (struct meter_mod){.meter_id = id, .n_bands = random_below(r, 4)};
	mm->flags = random_chance(r, 50) ? METER_PKTPS : METER_KBPS;
	if (random_chance(r, 70))
		mm->flags |= METER_BURST;
	for (unsigned i = 0; i < mm->n_bands; i++) {
		struct meter_band *b = &mm->bands[i];

		b->type = random_chance(r, 50) ? METER_DROP : METER_DSCP_REMARK;
		b->rate = rates[random_below(r, 4)];
		b->burst = mm->flags & METER_PKTPS ? 1 + random_below(r, 20) : 10 + random_below(r, 40);
		b->prec_level = (uint8_t)(1 + random_below(r, 2));
	}
}

void generate_group(struct random *r, uint32_t id, unsigned ngroups, struct group_mod *gm)
{
	static const enum group_type types[] = {GROUP_TYPE_ALL, GROUP_TYPE_ALL, GROUP_TYPE_INDIRECT,
	                                        GROUP_TYPE_SELECT, GROUP_TYPE_FAST_FAILOVER};
	unsigned n;

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
			random_simple(r, NULL, &b->actions);
		if (id < ngroups && random_chance(r, 15))
			action_list_append(&b->actions, ACTION_GROUP)->number =
			        id + 1 + random_below(r, ngroups - id);
		else
			random_output(r, &b->actions);
	}
}
