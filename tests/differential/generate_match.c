/* SPDX-License-Identifier: Apache-2.0 */
/* Random matches; see generate.h. */
#include <string.h>

#include "tests/differential/generate.h"

static const enum field_id matchable[] = {
        FIELD_IN_PORT_OXM,   FIELD_TUN_ID,    FIELD_TUN_SRC,   FIELD_TUN_DST,   FIELD_TUN_IPV6_DST,
        FIELD_METADATA,      FIELD_PKT_MARK,  FIELD_REG0,      FIELD_REG1,      FIELD_XREG0,
        FIELD_ETH_SRC,       FIELD_ETH_DST,   FIELD_VLAN_TCI,  FIELD_DL_VLAN,   FIELD_DL_VLAN_PCP,
        FIELD_MPLS_LABEL,    FIELD_MPLS_TC,   FIELD_MPLS_BOS,  FIELD_PBB_ISID,  FIELD_IPV4_SRC,
        FIELD_IPV4_DST,      FIELD_IPV6_SRC,  FIELD_IPV6_DST,  FIELD_NW_PROTO,  FIELD_IPV6_LABEL,
        FIELD_IPV6_EXTHDR,   FIELD_NW_TTL,    FIELD_IP_DSCP,   FIELD_NW_ECN,    FIELD_IP_FRAG,
        FIELD_ARP_OP,        FIELD_ARP_SPA,   FIELD_ARP_TPA,   FIELD_ARP_SHA,   FIELD_ARP_THA,
        FIELD_TCP_SRC,       FIELD_TCP_DST,   FIELD_UDP_SRC,   FIELD_UDP_DST,   FIELD_SCTP_SRC,
        FIELD_SCTP_DST,      FIELD_TCP_FLAGS, FIELD_ICMP_TYPE, FIELD_ICMP_CODE, FIELD_ICMPV6_TYPE,
        FIELD_ICMPV6_CODE,   FIELD_ND_TARGET, FIELD_ND_SLL,    FIELD_ND_TLL,    FIELD_IN_PHY_PORT,
        FIELD_ACTSET_OUTPUT,
};

void generate_match_on(struct match *m, const struct flow_key *packet, enum field_id id)
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
	packet.in_phy_port = packet.in_port;
	packet.actset_output = random_chance(r, 50) ? 1 + random_below(r, GENERATE_PORTS) : PORT_UNSET;
	match_init(m);
	if (random_chance(r, 85)) {
		generate_match_on(m, &packet, FIELD_ETH_TYPE);
		if (match_meets(m, FIELD_NW_PROTO) && random_chance(r, 75))
			generate_match_on(m, &packet, FIELD_NW_PROTO);
		if (match_meets(m, FIELD_ICMPV6_TYPE) && random_chance(r, 70)) {
			generate_match_on(m, &packet, FIELD_ICMPV6_TYPE);
			generate_match_on(m, &packet, FIELD_ICMPV6_CODE);
		}
	}
	for (unsigned n = random_below(r, 3); n; n--)
		match_field(r, m, &packet, matchable_here(r, m));
	match_normalize(m);
}
