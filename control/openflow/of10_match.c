/* SPDX-License-Identifier: Apache-2.0 */
/* The match of OpenFlow 1.0, its ports, and the ports' messages. Called by the readers and writers of 1.0. */
#include <string.h>

#include "base/wire.h"
#include "control/openflow/nx_actions.h"
#include "control/openflow/of10.h"

enum { /* OFPFW_* */
       WILD_IN_PORT = 1 << 0,
       WILD_DL_VLAN = 1 << 1,
       WILD_DL_SRC = 1 << 2,
       WILD_DL_DST = 1 << 3,
       WILD_DL_TYPE = 1 << 4,
       WILD_NW_PROTO = 1 << 5,
       WILD_TP_SRC = 1 << 6,
       WILD_TP_DST = 1 << 7,
       WILD_NW_SRC_SHIFT = 8,
       WILD_NW_DST_SHIFT = 14,
       WILD_NW_BITS = 63,
       WILD_DL_VLAN_PCP = 1 << 20,
       WILD_NW_TOS = 1 << 21,
};
enum { VLAN_NONE = 0xffff };

struct match_10 { /* host order, but for the addresses */
	uint32_t wildcards;
	uint16_t in_port, dl_vlan, dl_type, tp_src, tp_dst;
	uint8_t dl_src[6], dl_dst[6], dl_vlan_pcp, nw_tos, nw_proto;
	be32 nw_src, nw_dst;
};

static void get_bytes(struct ofp_reader *r, void *to, size_t n)
{
	const uint8_t *p = ofp_get(r, n);

	if (p)
		memcpy(to, p, n);
}

static void set(struct match *m, enum field_id id, uint64_t n)
{
	struct field_value v = value_from_u64(n);

	match_set(m, id, &v, NULL);
}

static be32 address_mask(uint32_t wildcards, unsigned shift)
{
	unsigned bits = wildcards >> shift & WILD_NW_BITS;

	return bits >= 32 ? 0 : htobe32(UINT32_MAX << bits);
}

static bool is_icmp(const struct match_10 *m)
{
	return m->dl_type == ETH_TYPE_IPV4 && m->nw_proto == IP_PROTO_ICMP;
}

static void set_vlan(const struct match_10 *m, struct match *match)
{
	if (!(m->wildcards & WILD_DL_VLAN) && m->dl_vlan == VLAN_NONE) {
		set(match, FIELD_DL_VLAN, VLAN_NONE); /* untagged: there is no PCP */
		return;
	}
	if (!(m->wildcards & WILD_DL_VLAN))
		set(match, FIELD_DL_VLAN, m->dl_vlan & 0xfff);
	if (!(m->wildcards & WILD_DL_VLAN_PCP))
		set(match, FIELD_DL_VLAN_PCP, m->dl_vlan_pcp & 7);
}

static void set_network(const struct match_10 *m, struct match *match)
{
	match->mask.nw_src = address_mask(m->wildcards, WILD_NW_SRC_SHIFT);
	match->key.nw_src = m->nw_src & match->mask.nw_src;
	match->mask.nw_dst = address_mask(m->wildcards, WILD_NW_DST_SHIFT);
	match->key.nw_dst = m->nw_dst & match->mask.nw_dst;
	if (!(m->wildcards & WILD_NW_PROTO)) {
		match->mask.nw_proto = 0xff;
		match->key.nw_proto = m->nw_proto;
	}
	if (!(m->wildcards & WILD_NW_TOS))
		set(match, FIELD_NW_TOS, m->nw_tos & 0xfc);
	if (!(m->wildcards & WILD_TP_SRC)) {
		match->mask.tp_src = 0xffff;
		match->key.tp_src = htobe16(m->tp_src);
	}
	if (!(m->wildcards & WILD_TP_DST)) {
		match->mask.tp_dst = 0xffff;
		match->key.tp_dst = htobe16(m->tp_dst);
	}
}

/* ICMP type and code have 8 bits, in 1.0's match 16: a higher number must match nothing rather than its lower
 * half. */
static void keep_wide_icmp(const struct match_10 *m, struct match *match)
{
	if (match->mask.tp_src && m->tp_src > 0xff) {
		match->mask.tp_src = 0xffff;
		match->key.tp_src = htobe16(m->tp_src);
	}
	if (match->mask.tp_dst && m->tp_dst > 0xff) {
		match->mask.tp_dst = 0xffff;
		match->key.tp_dst = htobe16(m->tp_dst);
	}
}

void of10_read_match(struct ofp_reader *r, struct match *match)
{
	struct match_10 m = {.wildcards = ofp_get_u32(r), .in_port = ofp_get_u16(r)};

	match_init(match);
	get_bytes(r, m.dl_src, 6);
	get_bytes(r, m.dl_dst, 6);
	m.dl_vlan = ofp_get_u16(r);
	m.dl_vlan_pcp = ofp_get_u8(r);
	ofp_skip(r, 1);
	m.dl_type = ofp_get_u16(r);
	m.nw_tos = ofp_get_u8(r);
	m.nw_proto = ofp_get_u8(r);
	ofp_skip(r, 2);
	get_bytes(r, &m.nw_src, 4);
	get_bytes(r, &m.nw_dst, 4);
	m.tp_src = ofp_get_u16(r);
	m.tp_dst = ofp_get_u16(r);
	if (r->failed)
		return;
	if (!(m.wildcards & WILD_IN_PORT))
		set(match, FIELD_IN_PORT_OXM, nx_port_from_16(m.in_port));
	if (!(m.wildcards & WILD_DL_SRC)) {
		memcpy(&match->key.eth_src, m.dl_src, 6);
		memset(&match->mask.eth_src, 0xff, 6);
	}
	if (!(m.wildcards & WILD_DL_DST)) {
		memcpy(&match->key.eth_dst, m.dl_dst, 6);
		memset(&match->mask.eth_dst, 0xff, 6);
	}
	if (!(m.wildcards & WILD_DL_TYPE))
		set(match, FIELD_ETH_TYPE, m.dl_type);
	set_vlan(&m, match);
	set_network(&m, match);
	match_normalize(match); /* 1.0 has no error for a field that can mean nothing */
	if (is_icmp(&m))
		keep_wide_icmp(&m, match);
}

/* ---- writing ---- */

static uint32_t address_wildcards(be32 mask, unsigned shift)
{
	uint32_t bits = be32toh(mask);
	unsigned n = bits ? (unsigned)__builtin_ctz(bits) : 32;

	return (uint32_t)n << shift;
}

static void from_vlan(const struct match *match, struct match_10 *m)
{
	uint16_t mask = be16toh(match->mask.vlan[0].tci), tci = be16toh(match->key.vlan[0].tci);

	if ((mask & VLAN_CFI) && !(tci & VLAN_CFI)) {
		m->dl_vlan = VLAN_NONE;
		m->wildcards &= ~(uint32_t)(WILD_DL_VLAN | WILD_DL_VLAN_PCP); /* as Open vSwitch says it */
		return;
	}
	if ((mask & 0xfff) == 0xfff) {
		m->dl_vlan = tci & 0xfff;
		m->wildcards &= ~(uint32_t)WILD_DL_VLAN;
	}
	if ((mask & 0xe000) == 0xe000) {
		m->dl_vlan_pcp = (uint8_t)(tci >> 13);
		m->wildcards &= ~(uint32_t)WILD_DL_VLAN_PCP;
	}
}

static void from_network(const struct match *match, struct match_10 *m)
{
	m->nw_src = match->key.nw_src;
	m->nw_dst = match->key.nw_dst;
	m->wildcards |= address_wildcards(match->mask.nw_src, WILD_NW_SRC_SHIFT);
	m->wildcards |= address_wildcards(match->mask.nw_dst, WILD_NW_DST_SHIFT);
	if (match->mask.nw_proto == 0xff) {
		m->nw_proto = match->key.nw_proto;
		m->wildcards &= ~(uint32_t)WILD_NW_PROTO;
	}
	if ((match->mask.nw_tos & 0xfc) == 0xfc) {
		m->nw_tos = match->key.nw_tos & 0xfc;
		m->wildcards &= ~(uint32_t)WILD_NW_TOS;
	}
	if ((match->mask.tp_src & htobe16(0xff)) == htobe16(0xff)) {
		m->tp_src = be16toh(match->key.tp_src);
		m->wildcards &= ~(uint32_t)WILD_TP_SRC;
	}
	if ((match->mask.tp_dst & htobe16(0xff)) == htobe16(0xff)) {
		m->tp_dst = be16toh(match->key.tp_dst);
		m->wildcards &= ~(uint32_t)WILD_TP_DST;
	}
}

static bool all_ones(const struct mac *mask)
{
	static const struct mac ones = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	return mac_equal(*mask, ones);
}

void of10_put_match(struct ofp_writer *w, const struct match *match)
{
	struct match_10 m = {.wildcards = WILD_IN_PORT | WILD_DL_VLAN | WILD_DL_SRC | WILD_DL_DST |
	                                  WILD_DL_TYPE | WILD_NW_PROTO | WILD_TP_SRC | WILD_TP_DST |
	                                  WILD_DL_VLAN_PCP | WILD_NW_TOS};

	if (match->mask.in_port) {
		m.in_port = nx_port_to_16(match->key.in_port);
		m.wildcards &= ~(uint32_t)WILD_IN_PORT;
	}
	if (all_ones(&match->mask.eth_src))
		m.wildcards &= ~(uint32_t)WILD_DL_SRC;
	if (all_ones(&match->mask.eth_dst))
		m.wildcards &= ~(uint32_t)WILD_DL_DST;
	if (match->mask.eth_type) {
		m.dl_type = be16toh(match->key.eth_type);
		m.wildcards &= ~(uint32_t)WILD_DL_TYPE;
	}
	from_vlan(match, &m);
	from_network(match, &m);
	ofp_put_u32(w, m.wildcards);
	ofp_put_u16(w, m.in_port);
	ofp_put_bytes(w, &match->key.eth_src, 6);
	ofp_put_bytes(w, &match->key.eth_dst, 6);
	ofp_put_u16(w, m.dl_vlan);
	ofp_put_u8(w, m.dl_vlan_pcp);
	ofp_put_zero(w, 1);
	ofp_put_u16(w, m.dl_type);
	ofp_put_u8(w, m.nw_tos);
	ofp_put_u8(w, m.nw_proto);
	ofp_put_zero(w, 2);
	ofp_put_bytes(w, &m.nw_src, 4);
	ofp_put_bytes(w, &m.nw_dst, 4);
	ofp_put_u16(w, m.tp_src);
	ofp_put_u16(w, m.tp_dst);
}
