/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of match fields and of struct ofp_match. Called by the codecs of every message that carries one. */
#include "control/openflow/oxm.h"

#include <endian.h>

enum { OFPMT_OXM = 1, NXM_COOKIE = 0x00013c08, NXM_COOKIE_W = 0x00013d10 };

/* The significant bits as the wire counts them: VLAN_VID has the presence bit above the VID. */
static unsigned wire_bits(enum field_id id)
{
	return id == FIELD_VLAN_VID ? 13 : fields[id].bits;
}

uint32_t oxm_header(enum field_id id, bool masked, bool nxm)
{
	const struct field *f = &fields[id];
	bool use_nxm = f->oxm_class == FIELD_CLASS_NONE || (nxm && f->nxm_class != FIELD_CLASS_NONE);
	uint32_t field_class = use_nxm ? f->nxm_class : f->oxm_class;
	uint32_t number = use_nxm ? f->nxm_number : f->oxm_number;
	uint32_t len = f->bytes * (masked ? 2u : 1u) + (field_class == FIELD_ONF ? 4 : 0);

	return field_class << 16 | number << 9 | (masked ? 0x100u : 0) | len;
}

enum field_id oxm_read_header(struct ofp_reader *r)
{
	uint32_t header = ofp_get_u32(r), field_class = header >> 16;
	unsigned len = header & 0x1ff;
	enum field_id id = field_by_wire(field_class, (header >> 9) & 0x7f);

	if (field_class == FIELD_ONF) {
		if (ofp_get_u32(r) != ONF_EXPERIMENTER)
			return FIELD_NONE;
		len -= 4;
	}
	return id == FIELD_NONE || r->failed || len != fields[id].bytes ? FIELD_NONE : id;
}

void oxm_put_header(struct ofp_writer *w, enum field_id id)
{
	uint32_t header = oxm_header(id, false, true);

	ofp_put_u32(w, header);
	if (header >> 16 == FIELD_ONF)
		ofp_put_u32(w, ONF_EXPERIMENTER);
}

static void put(struct ofp_writer *w, enum field_id id, const struct field_value *value,
                const struct field_value *mask, bool nxm)
{
	uint32_t header = oxm_header(id, mask != NULL, nxm);
	unsigned n = fields[id].bytes;

	ofp_put_u32(w, header);
	if (header >> 16 == FIELD_ONF)
		ofp_put_u32(w, ONF_EXPERIMENTER);
	ofp_put_bytes(w, value->b + 16 - n, n);
	if (mask)
		ofp_put_bytes(w, mask->b + 16 - n, n);
}

void oxm_put(struct ofp_writer *w, enum field_id id, const struct field_value *value,
             const struct field_value *mask)
{
	put(w, id, value, mask, false);
}

static enum ofp_error check_value(enum field_id id, const struct field_value *value,
                                  const struct field_value *mask)
{
	struct field_value full = value_ones(0, wire_bits(id));

	/* A mask may cover the padding bits of a field that does not fill its bytes, as some clients send. */
	if (!value_fits(value, wire_bits(id)) && id != FIELD_DL_VLAN)
		return OFPBMC_BAD_VALUE;
	if (id == FIELD_CT_STATE && value_to_u64(value) > UINT8_MAX) /* of 32 bits eight mean something */
		return OFPBMC_BAD_VALUE;
	for (unsigned i = 0; i < sizeof(value->b); i++) {
		if (value->b[i] & ~mask->b[i])
			return OFPBMC_BAD_WILDCARDS;
		if (!fields[id].maskable && (mask->b[i] & full.b[i]) != full.b[i])
			return OFPBMC_BAD_MASK;
	}
	if (id == FIELD_VLAN_VID && value_to_u64(value) != 0 && !(value_to_u64(value) & VLAN_CFI) &&
	    (value_to_u64(mask) & VLAN_CFI))
		return OFPBMC_BAD_VALUE;
	return OFP_OK;
}

enum ofp_error oxm_read(struct ofp_reader *r, enum field_id *id, struct field_value *value,
                        struct field_value *mask, bool *masked)
{
	uint32_t header = ofp_get_u32(r), field_class = header >> 16;
	unsigned len = header & 0xff, expected;
	struct ofp_reader body = ofp_get_part(r, len);
	const uint8_t *p;

	*masked = header & 0x100;
	if (body.failed)
		return OFPBMC_BAD_LEN;
	if (field_class == FIELD_ONF && ofp_get_u32(&body) != ONF_EXPERIMENTER)
		return OFPBMC_BAD_FIELD;
	*id = field_by_wire(field_class, (header >> 9) & 0x7f);
	if (*id == FIELD_NONE)
		return OFPBMC_BAD_FIELD;
	expected = fields[*id].bytes;
	if (ofp_left(&body) != expected * (*masked ? 2 : 1))
		return OFPBMC_BAD_LEN;
	p = ofp_get(&body, expected);
	*value = value_from_bytes(p, expected);
	*mask = value_ones(0, wire_bits(*id));
	if (*masked) {
		struct field_value full = *mask;

		*mask = value_from_bytes(ofp_get(&body, expected), expected);
		for (unsigned i = 0; i < sizeof(mask->b); i++) {
			if (value->b[i] & ~mask->b[i])
				return OFPBMC_BAD_WILDCARDS;
			mask->b[i] &= full.b[i];
		}
	}
	return check_value(*id, value, mask);
}

/* Fields that were read already, a bit each. */
struct seen {
	uint64_t bits[(FIELD_COUNT + 63) / 64];
};

static enum ofp_error read_one(struct ofp_reader *r, struct match *match, struct seen *seen)
{
	struct field_value value, mask;
	enum field_id id;
	bool masked;
	enum ofp_error error = oxm_read(r, &id, &value, &mask, &masked);

	if (error)
		return error;
	if (seen->bits[id / 64] & 1ull << id % 64)
		return OFPBMC_DUP_FIELD;
	seen->bits[id / 64] |= 1ull << id % 64;
	if (!match_meets(match, id))
		return OFPBMC_BAD_PREREQ;
	if (!value_is_zero(&mask) && match_set(match, id, &value, masked ? &mask : NULL))
		return OFPBMC_BAD_VALUE;
	return OFP_OK;
}

/* OXM_OF_PACKET_TYPE of OpenFlow 1.5, which ovs-ofctl sends when no other field says that packets are
 * Ethernet: all packets here are. */
static bool skip_packet_type(struct ofp_reader *r)
{
	static const uint8_t ethernet[8] = {0x80, 0x00, 0x58, 0x04};
	struct ofp_reader ahead = *r;
	const uint8_t *p = ofp_get(&ahead, sizeof(ethernet));

	if (!p || memcmp(p, ethernet, sizeof(ethernet)))
		return false;
	*r = ahead;
	return true;
}

enum ofp_error oxm_read_match(struct ofp_reader *r, struct match *match)
{
	uint16_t type = ofp_get_u16(r), len = ofp_get_u16(r);
	enum ofp_error error = OFP_OK;
	struct seen seen = {{0}};
	struct ofp_reader body;

	match_init(match);
	if (r->failed || len < 4)
		return OFPBMC_BAD_LEN;
	if (type != OFPMT_OXM)
		return OFPBMC_BAD_TYPE;
	body = ofp_get_part(r, len - 4u);
	ofp_skip(r, -len & 7u);
	if (r->failed)
		return OFPBMC_BAD_LEN;
	while (!error && ofp_left(&body)) {
		if (!skip_packet_type(&body))
			error = read_one(&body, match, &seen);
	}
	return error;
}

/* Takes NXM_NX_COOKIE(_W) when it comes next; the number is MPLS_TTL's too, which is shorter. */
static bool read_cookie(struct ofp_reader *r, uint64_t *cookie, uint64_t *mask)
{
	struct ofp_reader look = *r;
	uint32_t header = ofp_get_u32(&look);

	if (header != NXM_COOKIE && header != NXM_COOKIE_W)
		return false;
	*cookie = ofp_get_u64(&look);
	*mask = header == NXM_COOKIE_W ? ofp_get_u64(&look) : UINT64_MAX;
	*cookie &= *mask;
	*r = look;
	return true;
}

enum ofp_error nxm_read_fields(struct ofp_reader *r, struct match *match, uint64_t *cookie,
                               uint64_t *cookie_mask)
{
	enum ofp_error error = OFP_OK;
	struct seen seen = {{0}};

	match_init(match);
	while (!error && ofp_left(r)) {
		if (!read_cookie(r, cookie, cookie_mask))
			error = read_one(r, match, &seen);
		else if (r->failed)
			error = OFPBMC_BAD_LEN;
	}
	return error;
}

/* Every bit of a key that a match can be about, in the order in which Open vSwitch sends them: prerequisites
 * come before what needs them. Members that several fields share are listed under each; the prerequisite
 * decides. */
static const uint8_t order[] = {
        FIELD_CONJ_ID,   FIELD_IN_PORT_OXM, FIELD_IN_PHY_PORT,  FIELD_ACTSET_OUTPUT, FIELD_ETH_SRC,
        FIELD_ETH_DST,   FIELD_ETH_TYPE,    FIELD_VLAN_TCI,     FIELD_MPLS_TC,       FIELD_MPLS_BOS,
        FIELD_MPLS_TTL,  FIELD_MPLS_LABEL,  FIELD_PBB_ISID,     FIELD_IPV4_SRC,      FIELD_IPV4_DST,
        FIELD_IPV6_SRC,  FIELD_IPV6_DST,    FIELD_IPV6_EXTHDR,  FIELD_IP_FRAG,       FIELD_IP_DSCP,
        FIELD_NW_ECN,    FIELD_NW_TTL,      FIELD_IPV6_LABEL,   FIELD_NW_PROTO,      FIELD_TCP_SRC,
        FIELD_TCP_DST,   FIELD_TCP_FLAGS,   FIELD_UDP_SRC,      FIELD_UDP_DST,       FIELD_SCTP_SRC,
        FIELD_SCTP_DST,  FIELD_ICMP_TYPE,   FIELD_ICMP_CODE,    FIELD_ICMPV6_TYPE,   FIELD_ICMPV6_CODE,
        FIELD_ND_TARGET, FIELD_ND_SLL,      FIELD_ND_TLL,       FIELD_ARP_OP,        FIELD_ARP_SPA,
        FIELD_ARP_TPA,   FIELD_ARP_SHA,     FIELD_ARP_THA,      FIELD_TUN_ID,        FIELD_TUN_FLAGS,
        FIELD_TUN_SRC,   FIELD_TUN_DST,     FIELD_TUN_IPV6_SRC, FIELD_TUN_IPV6_DST,  FIELD_REG0,
        FIELD_REG1,      FIELD_REG2,        FIELD_REG3,         FIELD_REG4,          FIELD_REG5,
        FIELD_REG6,      FIELD_REG7,        FIELD_REG8,         FIELD_REG9,          FIELD_REG10,
        FIELD_REG11,     FIELD_REG12,       FIELD_REG13,        FIELD_REG14,         FIELD_REG15,
        FIELD_PKT_MARK,  FIELD_CT_STATE,    FIELD_CT_ZONE,      FIELD_CT_MARK,       FIELD_CT_LABEL,
        FIELD_CT_NW_SRC, FIELD_CT_IPV6_SRC, FIELD_CT_NW_DST,    FIELD_CT_IPV6_DST,   FIELD_CT_NW_PROTO,
        FIELD_CT_TP_SRC, FIELD_CT_TP_DST,   FIELD_METADATA};

static void put_matched(struct ofp_writer *w, const struct match *match, enum field_id id, bool nxm)
{
	/* Of the 16 bits of tun_flags one can be matched: never all of them. */
	struct field_value value, mask, full = value_ones(0, id == FIELD_TUN_FLAGS ? 16 : wire_bits(id));

	match_get(match, id, &value, &mask);
	if (value_is_zero(&mask))
		return;
	put(w, id, &value, fields[id].maskable && memcmp(&mask, &full, sizeof(mask)) ? &mask : NULL, nxm);
}

/* As VID and PCP where standard OpenFlow can say it, else as the TCI of NXM. */
static void put_vlan(struct ofp_writer *w, const struct match *match)
{
	uint16_t mask = be16toh(match->mask.vlan[0].tci), key = be16toh(match->key.vlan[0].tci);
	uint16_t pcp = mask & 0xe000;
	bool tagged = (mask & key) & VLAN_CFI;

	if (!mask)
		return;
	if (mask == 0xffff && !key) { /* untagged: any PCP */
		struct field_value none = value_from_u64(0);

		oxm_put(w, FIELD_VLAN_VID, &none, NULL);
	} else if (!pcp || (pcp == 0xe000 && tagged)) {
		put_matched(w, match, FIELD_VLAN_VID, false);
		if (pcp)
			put_matched(w, match, FIELD_VLAN_PCP, false);
	} else {
		put_matched(w, match, FIELD_VLAN_TCI, false);
	}
}

uint16_t oxm_put_match(struct ofp_writer *w, const struct match *match)
{
	uint64_t used = match_words(match);
	size_t start = w->len;
	uint16_t len;

	ofp_put_u16(w, OFPMT_OXM);
	ofp_put_u16(w, 0);
	for (unsigned i = 0; i < sizeof(order); i++) {
		if (!(used & match_words_of(order[i])))
			continue;
		if (order[i] == FIELD_VLAN_TCI)
			put_vlan(w, match);
		else if (match_meets(match, order[i]))
			put_matched(w, match, order[i], false);
	}
	len = (uint16_t)(w->len - start);
	ofp_set_u16(w, start + 2, len);
	ofp_put_align(w, start);
	return len;
}

/* NXM's field for what OXM says in another; FIELD_NONE when NXM has the same. */
static enum field_id nxm_instead(enum field_id id)
{
	return id == FIELD_IN_PORT_OXM ? FIELD_IN_PORT : id == FIELD_IP_DSCP ? FIELD_NW_TOS : FIELD_NONE;
}

void nxm_put_fields(struct ofp_writer *w, const struct match *match)
{
	uint64_t used = match_words(match);

	for (unsigned i = 0; i < sizeof(order); i++) {
		enum field_id instead = nxm_instead(order[i]);
		struct field_value value, mask;

		if (!(used & match_words_of(order[i])) || !match_meets(match, order[i]))
			continue;
		if (instead == FIELD_NONE) {
			put_matched(w, match, order[i], true);
			continue;
		}
		match_get(match, order[i], &value, &mask);
		if (value_is_zero(&mask))
			continue;
		match_get(match, instead, &value, &mask);
		if (instead == FIELD_NW_TOS)
			value.b[15] &= 0xfc;
		put(w, instead, &value, NULL, true);
	}
}
