/* SPDX-License-Identifier: Apache-2.0 */
/* Building and comparing matches. Called by the codec, the text parser and the control side of the tables. */
#include "flows/match.h"

#include <errno.h>

#include "flows/ct.h"

void match_init(struct match *m)
{
	memset(m, 0, sizeof(*m));
}

static void set_bits(struct match *m, enum field_id id, const struct field_value *v,
                     const struct field_value *mask)
{
	struct field_value masked;

	for (unsigned i = 0; i < 16; i++)
		masked.b[i] = v->b[i] & mask->b[i];
	field_set(&m->key, id, &masked);
	field_set(&m->mask, id, mask);
}

static int set_tci(struct match *m, uint16_t tci, uint16_t mask, uint16_t replace)
{
	uint16_t old_mask = be16toh(m->mask.vlan[0].tci), old = be16toh(m->key.vlan[0].tci);

	old_mask = (old_mask & ~replace) | mask;
	old = ((old & ~replace) | (tci & mask)) & old_mask;
	m->mask.vlan[0].tci = htobe16(old_mask);
	m->key.vlan[0].tci = htobe16(old);
	return 0;
}

static int set_vlan(struct match *m, enum field_id id, uint16_t n, uint16_t mask)
{
	if (id == FIELD_VLAN_TCI)
		return set_tci(m, n, mask, 0xffff);
	if (id == FIELD_DL_VLAN_PCP || id == FIELD_VLAN_PCP)
		return set_tci(m, (uint16_t)(n << 13) | VLAN_CFI, 0xe000 | VLAN_CFI, 0xe000 | VLAN_CFI);
	if (id == FIELD_VLAN_VID)
		return set_tci(m, n, mask & 0x1fff, 0x1fff);
	if (n == 0xffff) /* DL_VLAN: OpenFlow 1.0's "untagged" */
		return set_tci(m, 0, 0xffff, 0xffff);
	return set_tci(m, (n & 0xfff) | VLAN_CFI, 0x1fff, 0x1fff);
}

static int set_in_port(struct match *m, enum field_id id, uint64_t port)
{
	if (id == FIELD_IN_PORT)
		port = port >= 0xff00 ? port | 0xffff0000u : port;
	m->key.in_port = (uint32_t)port;
	m->mask.in_port = 0xffffffff;
	return 0;
}

/* DL_VLAN may be 0xffff, VLAN_VID has the presence bit. */
static unsigned accepted_bits(enum field_id id)
{
	return id == FIELD_DL_VLAN ? 16 : id == FIELD_VLAN_VID ? 13 : fields[id].bits;
}

int match_set(struct match *m, enum field_id id, const struct field_value *v, const struct field_value *mask)
{
	unsigned bits = accepted_bits(id);
	struct field_value full = value_ones(0, bits);

	if (!value_fits(v, bits) || (mask && !value_fits(mask, bits)))
		return -EINVAL;
	if (!mask)
		mask = &full;
	switch (id) {
	case FIELD_VLAN_TCI:
	case FIELD_DL_VLAN:
	case FIELD_VLAN_VID:
	case FIELD_DL_VLAN_PCP:
	case FIELD_VLAN_PCP:
		return set_vlan(m, id, (uint16_t)value_to_u64(v), (uint16_t)value_to_u64(mask));
	case FIELD_IN_PORT:
	case FIELD_IN_PORT_OXM:
		return set_in_port(m, id, value_to_u64(v));
	case FIELD_NW_TOS: { /* the ECN bits are another field */
		struct field_value dscp = value_from_u64(value_to_u64(v) >> 2), six = value_ones(0, 6);

		set_bits(m, FIELD_IP_DSCP, &dscp, &six);
		return 0;
	}
	case FIELD_ARP_OP:
		if (value_to_u64(v) > 0xff)
			return -EINVAL;
		break;
	default:
		break;
	}
	set_bits(m, id, v, mask);
	return 0;
}

void match_get(const struct match *m, enum field_id id, struct field_value *v, struct field_value *mask)
{
	if (id == FIELD_VLAN_VID) {
		*v = value_from_u64(be16toh(m->key.vlan[0].tci) & 0x1fff);
		*mask = value_from_u64(be16toh(m->mask.vlan[0].tci) & 0x1fff);
		return;
	}
	field_get(&m->key, id, v);
	field_get(&m->mask, id, mask);
	if (id == FIELD_ARP_OP && !value_is_zero(mask))
		mask->b[14] = 0xff;
}

/* Does a packet that matches belong to a connection? Any state but tracked and invalid says so. */
static bool says_connection(const struct match *m)
{
	const uint32_t valid = CT_NEW | CT_EST | CT_REL | CT_RPL | CT_SNAT | CT_DNAT;
	uint32_t state = m->key.ct_state, known = m->mask.ct_state;

	return (state & valid) || ((state & CT_TRK) && (known & ~state & CT_INV));
}

/* What the match says for certain, as if it were a packet. */
static void known_part(const struct match *m, struct flow_key *known)
{
	memset(known, 0, sizeof(*known));
	known->in_port = m->key.in_port;
	known->ct_state = says_connection(m) ? CT_NEW : 0;
	if (m->mask.eth_type == 0xffff)
		known->eth_type = m->key.eth_type;
	known->nw_proto = m->mask.nw_proto == 0xff ? m->key.nw_proto : 0;
	known->vlan[0].tci = m->key.vlan[0].tci & m->mask.vlan[0].tci;
	known->tp_src = m->key.tp_src;
	known->tp_dst = m->key.tp_dst;
	known->nw_frag = m->key.nw_frag & m->mask.nw_frag;
}

bool match_meets(const struct match *m, enum field_id id)
{
	struct flow_key known;

	known_part(m, &known);
	known.nw_frag = 0; /* a match of later fragments with L4 fields is odd, not wrong */
	return field_present(&known, id);
}

bool match_ct_family_fits(const struct match *m)
{
	static const uint8_t none[16];
	const struct flow_key *mask = &m->mask;
	be16 type = m->key.eth_type;
	bool ipv4 = mask->ct_nw_src || mask->ct_nw_dst;
	bool ipv6 = memcmp(mask->ct_ipv6_src, none, 16) || memcmp(mask->ct_ipv6_dst, none, 16);

	return (!ipv4 || type == htobe16(ETH_TYPE_IPV4)) && (!ipv6 || type == htobe16(ETH_TYPE_IPV6));
}

bool match_ct_is_void(const struct match *m, enum field_id id)
{
	bool transport = id == FIELD_CT_NW_PROTO || id == FIELD_CT_TP_SRC || id == FIELD_CT_TP_DST;

	return transport && !m->key.ct_nw_proto;
}

static enum field_id first_difference(const struct match *before, const struct match *after)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		struct field_value a, b;

		field_get(&before->mask, i, &a);
		field_get(&after->mask, i, &b);
		if (memcmp(&a, &b, sizeof(a)))
			return (enum field_id)i;
	}
	return FIELD_NONE;
}

uint64_t match_words(const struct match *m)
{
	uint64_t word, used = 0;

	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
		memcpy(&word, (const uint8_t *)&m->mask + 8 * i, sizeof(word));
		used |= (uint64_t)(word != 0) << i;
	}
	return used;
}
static_assert(FLOW_KEY_WORDS <= 64, "a bit for each word");

uint64_t match_words_of(enum field_id id)
{
	unsigned first = fields[id].offset / 8, last = (fields[id].offset + fields[id].size - 1u) / 8;

	return (UINT64_MAX << first) & (UINT64_MAX >> (63 - last));
}

enum field_id match_normalize(struct match *m)
{
	enum field_id first = FIELD_NONE;
	struct match kept;

	/* A member that several fields share stays when one of them is allowed. Two rounds: the ND fields
	 * need what the first may drop. */
	for (unsigned round = 0; round < 2; round++) {
		uint64_t used = match_words(m);
		struct flow_key known;

		match_init(&kept);
		known_part(m, &known);
		known.nw_frag = 0;
		for (unsigned i = 0; i < FIELD_COUNT; i++) {
			struct field_value v, mask;

			if (!(used &
			      match_words_of((enum field_id)i))) /* most: seen without a look at the field */
				continue;
			field_get(&m->mask, i, &mask);
			if (value_is_zero(&mask) || i == FIELD_IN_PORT || !field_present(&known, i) ||
			    match_ct_is_void(m, i))
				continue;
			field_get(&m->key, i, &v);
			set_bits(&kept, i, &v, &mask);
		}
		kept.key.vlan[0] = m->key.vlan[0];
		kept.mask.vlan[0] = m->mask.vlan[0];
		if (match_equal(&kept, m))
			return first;
		if (first == FIELD_NONE)
			first = first_difference(m, &kept);
		*m = kept;
	}
	return first;
}

bool match_equal(const struct match *a, const struct match *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

struct words {
	uint64_t w[FLOW_KEY_WORDS];
};

static void words_of(const struct flow_key *key, struct words *out)
{
	memcpy(out, key, sizeof(*out));
}

bool match_covers(const struct match *wide, const struct match *narrow)
{
	struct words wk, wm, nk, nm;

	words_of(&wide->key, &wk);
	words_of(&wide->mask, &wm);
	words_of(&narrow->key, &nk);
	words_of(&narrow->mask, &nm);
	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
		if ((wm.w[i] & ~nm.w[i]) || ((wk.w[i] ^ nk.w[i]) & wm.w[i]))
			return false;
	}
	return true;
}

bool match_overlaps(const struct match *a, const struct match *b)
{
	struct words ak, am, bk, bm;

	words_of(&a->key, &ak);
	words_of(&a->mask, &am);
	words_of(&b->key, &bk);
	words_of(&b->mask, &bm);
	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
		if ((ak.w[i] ^ bk.w[i]) & am.w[i] & bm.w[i])
			return false;
	}
	return true;
}

bool match_packet(const struct match *m, const struct flow_key *packet)
{
	struct words k, mask, p;

	words_of(&m->key, &k);
	words_of(&m->mask, &mask);
	words_of(packet, &p);
	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
		if ((k.w[i] ^ p.w[i]) & mask.w[i])
			return false;
	}
	return true;
}
