/* SPDX-License-Identifier: Apache-2.0 */
/* Matches as text, both ways. Called by the flow parser and by whoever prints flows. */
#include <errno.h>

#include "flows/lex.h"

/* Words that stand for an Ethernet type and perhaps a protocol. The longer ones first: formatting takes the
 * first that fits. */
static const struct {
	const char *name;
	uint16_t eth_type;
	uint8_t nw_proto; /* 0: not part of it */
} protocols[] = {
        {"icmp", ETH_TYPE_IPV4, IP_PROTO_ICMP},
        {"tcp", ETH_TYPE_IPV4, IP_PROTO_TCP},
        {"udp", ETH_TYPE_IPV4, IP_PROTO_UDP},
        {"sctp", ETH_TYPE_IPV4, IP_PROTO_SCTP},
        {"icmp6", ETH_TYPE_IPV6, IP_PROTO_ICMPV6},
        {"tcp6", ETH_TYPE_IPV6, IP_PROTO_TCP},
        {"udp6", ETH_TYPE_IPV6, IP_PROTO_UDP},
        {"sctp6", ETH_TYPE_IPV6, IP_PROTO_SCTP},
        {"ip", ETH_TYPE_IPV4, 0},
        {"ipv6", ETH_TYPE_IPV6, 0},
        {"arp", ETH_TYPE_ARP, 0},
        {"rarp", ETH_TYPE_RARP, 0},
        {"mpls", ETH_TYPE_MPLS, 0},
        {"mplsm", ETH_TYPE_MPLS_MC, 0},
        {"ip4", ETH_TYPE_IPV4, 0},
        {"ip6", ETH_TYPE_IPV6, 0},
};

static bool parse_protocol(const struct item *item, struct match *m)
{
	if (slice_is(item->key, "eth"))
		return true;
	for (unsigned i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (!slice_is(item->key, protocols[i].name))
			continue;
		m->key.eth_type = htobe16(protocols[i].eth_type);
		m->mask.eth_type = 0xffff;
		if (protocols[i].nw_proto) {
			m->key.nw_proto = protocols[i].nw_proto;
			m->mask.nw_proto = 0xff;
		}
		return true;
	}
	return false;
}

/* tp_src and icmp_type stand for the field of the protocol that the match names so far. */
static enum field_id field_for(const struct match *m, enum field_id id)
{
	bool ip6 = m->key.eth_type == htobe16(ETH_TYPE_IPV6);

	switch (id) {
	case FIELD_TCP_SRC:
		return m->key.nw_proto == IP_PROTO_UDP    ? FIELD_UDP_SRC
		       : m->key.nw_proto == IP_PROTO_SCTP ? FIELD_SCTP_SRC
		                                          : id;
	case FIELD_TCP_DST:
		return m->key.nw_proto == IP_PROTO_UDP    ? FIELD_UDP_DST
		       : m->key.nw_proto == IP_PROTO_SCTP ? FIELD_SCTP_DST
		                                          : id;
	case FIELD_ICMP_TYPE:
		return ip6 ? FIELD_ICMPV6_TYPE : id;
	case FIELD_ICMP_CODE:
		return ip6 ? FIELD_ICMPV6_CODE : id;
	default:
		return id;
	}
}

int match_parse_item(struct lex *lex, const struct item *item, struct match *m)
{
	struct field_value v, mask;
	enum field_id id;
	bool is_number;
	int rc;

	if (!item->delimiter && parse_protocol(item, m))
		return 1;
	id = field_by_name(item->key.p, item->key.len);
	if (id == FIELD_NONE)
		return 0;
	if (!field_is_sent(id) && id != FIELD_DL_VLAN && id != FIELD_DL_VLAN_PCP) /* parts of the TCI */
		return lex_error(lex, item->key, "%s: expected a field that OpenFlow can say",
		                 fields[id].name);
	id = field_for(m, id);
	if (item->delimiter == '(')
		return lex_error(lex, item->key, "expected \"%s=VALUE\"", fields[id].name);
	/* A number without a value only says that there is such a field: nothing is matched. */
	is_number = fields[id].text == FIELD_TEXT_DECIMAL || fields[id].text == FIELD_TEXT_HEX ||
	            fields[id].text >= FIELD_TEXT_TCP_FLAGS;
	rc = field_parse(lex, id, item->value.len || !is_number ? item->value : slice_of("*"), &v, &mask);
	if (rc)
		return rc;
	if (value_is_zero(&mask)) {
		field_set(&m->key, id, &mask);
		if (id != FIELD_IN_PORT)
			field_set(&m->mask, id, &mask);
		return 1;
	}
	if (match_set(m, id, &v, &mask))
		return lex_error(lex, item->value, "%s: value out of range", fields[id].name);
	return 1;
}

/* ---- formatting ---- */

struct printer {
	struct text *out;
	const struct match *m;
	const struct port_names *names;
};

static void print(struct printer *p, enum field_id id, const char *name)
{
	struct field_value v, mask, none = {{0}};

	field_get(&p->m->key, id, &v);
	field_get(&p->m->mask, id, &mask);
	if (!memcmp(&mask, &none, sizeof(none)))
		return;
	text_add(p->out, "%s=", name);
	field_format(p->out, id, &v, &mask, p->names);
	text_add(p->out, ",");
}

static void print_protocol(struct printer *p, bool *type_done, bool *proto_done)
{
	const struct match *m = p->m;

	if (m->mask.eth_type != 0xffff)
		return;
	for (unsigned i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (m->key.eth_type != htobe16(protocols[i].eth_type))
			continue;
		if (protocols[i].nw_proto &&
		    (m->mask.nw_proto != 0xff || m->key.nw_proto != protocols[i].nw_proto))
			continue;
		text_add(p->out, "%s,", protocols[i].name);
		*type_done = true;
		*proto_done = protocols[i].nw_proto != 0;
		return;
	}
}

static void print_vlan(struct printer *p)
{
	uint16_t tci = be16toh(p->m->key.vlan[0].tci), mask = be16toh(p->m->mask.vlan[0].tci);
	uint16_t vid = mask & 0xfff, pcp = mask & 0xe000;

	if (!mask)
		return;
	if ((mask & tci & VLAN_CFI) && (!vid || vid == 0xfff) && (!pcp || pcp == 0xe000) && (vid || pcp)) {
		if (vid)
			text_add(p->out, "dl_vlan=%u,", tci & 0xfff);
		if (pcp)
			text_add(p->out, "dl_vlan_pcp=%u,", tci >> 13);
	} else if (mask == 0xffff) {
		text_add(p->out, "vlan_tci=0x%04x,", tci);
	} else {
		text_add(p->out, "vlan_tci=0x%04x/0x%04x,", tci, mask);
	}
}

static void print_pipeline(struct printer *p)
{
	static const struct {
		enum field_id id;
		const char *name;
	} tunnel[] = {
	        {FIELD_TUN_ID, "tun_id"},
	        {FIELD_TUN_SRC, "tun_src"},
	        {FIELD_TUN_DST, "tun_dst"},
	        {FIELD_TUN_IPV6_SRC, "tun_ipv6_src"},
	        {FIELD_TUN_IPV6_DST, "tun_ipv6_dst"},
	        {FIELD_TUN_TOS, "tun_tos"},
	        {FIELD_TUN_TTL, "tun_ttl"},
	        {FIELD_TUN_FLAGS, "tun_flags"},
	        {FIELD_METADATA, "metadata"},
	};

	for (unsigned i = 0; i < FLOW_REGS; i++) {
		enum field_id id = (enum field_id)(FIELD_REG0 + i);

		print(p, id, fields[id].name);
	}
	for (unsigned i = 0; i < sizeof(tunnel) / sizeof(tunnel[0]); i++)
		print(p, tunnel[i].id, tunnel[i].name);
	print(p, FIELD_IN_PORT_OXM, "in_port");
	print(p, FIELD_IN_PHY_PORT, "in_phy_port");
}

static void print_label(struct printer *p)
{
	uint32_t label = be32toh(p->m->key.ipv6_label), mask = be32toh(p->m->mask.ipv6_label);

	if (mask == 0xfffff)
		text_add(p->out, "ipv6_label=0x%05x,", label);
	else if (mask)
		text_add(p->out, "ipv6_label=0x%05x/0x%05x,", label, mask);
}

static void print_addresses(struct printer *p, uint16_t type)
{
	bool arp = type == ETH_TYPE_ARP || type == ETH_TYPE_RARP;

	if (type == ETH_TYPE_IPV6) {
		print(p, FIELD_IPV6_SRC, "ipv6_src");
		print(p, FIELD_IPV6_DST, "ipv6_dst");
		print_label(p);
		print(p, FIELD_IPV6_EXTHDR, "ipv6_exthdr");
	} else {
		print(p, FIELD_IPV4_SRC, arp ? "arp_spa" : "nw_src");
		print(p, FIELD_IPV4_DST, arp ? "arp_tpa" : "nw_dst");
	}
}

static void print_network(struct printer *p, uint16_t type, bool proto_done)
{
	bool arp = type == ETH_TYPE_ARP || type == ETH_TYPE_RARP;

	print_addresses(p, type);
	if (!proto_done)
		print(p, FIELD_NW_PROTO, arp ? "arp_op" : "nw_proto");
	if (arp) {
		print(p, FIELD_ARP_SHA, "arp_sha");
		print(p, FIELD_ARP_THA, "arp_tha");
	}
	if (p->m->mask.nw_tos & 0xfc)
		text_add(p->out, "nw_tos=%u,", p->m->key.nw_tos & 0xfc);
	print(p, FIELD_NW_ECN, "nw_ecn");
	print(p, FIELD_NW_TTL, "nw_ttl");
	print(p, FIELD_MPLS_LABEL, "mpls_label");
	print(p, FIELD_MPLS_TC, "mpls_tc");
	print(p, FIELD_MPLS_TTL, "mpls_ttl");
	print(p, FIELD_MPLS_BOS, "mpls_bos");
	print(p, FIELD_PBB_ISID, "pbb_isid");
	print(p, FIELD_IP_FRAG, "nw_frag");
}

static void print_transport(struct printer *p, uint16_t type)
{
	uint8_t proto = p->m->mask.nw_proto == 0xff ? p->m->key.nw_proto : 0;

	if (type == ETH_TYPE_IPV4 && proto == IP_PROTO_ICMP) {
		print(p, FIELD_ICMP_TYPE, "icmp_type");
		print(p, FIELD_ICMP_CODE, "icmp_code");
	} else if (type == ETH_TYPE_IPV6 && proto == IP_PROTO_ICMPV6) {
		print(p, FIELD_ICMPV6_TYPE, "icmp_type");
		print(p, FIELD_ICMPV6_CODE, "icmp_code");
		print(p, FIELD_ND_TARGET, "nd_target");
		print(p, FIELD_ND_SLL, "nd_sll");
		print(p, FIELD_ND_TLL, "nd_tll");
	} else {
		print(p, FIELD_TCP_SRC, "tp_src");
		print(p, FIELD_TCP_DST, "tp_dst");
	}
	print(p, FIELD_TCP_FLAGS, "tcp_flags");
}

static void print_ct(struct printer *p)
{
	static const enum field_id rest[] = {
	        FIELD_CT_MARK,     FIELD_CT_LABEL,    FIELD_CT_NW_SRC, FIELD_CT_IPV6_SRC, FIELD_CT_NW_DST,
	        FIELD_CT_IPV6_DST, FIELD_CT_NW_PROTO, FIELD_CT_TP_SRC, FIELD_CT_TP_DST,
	};
	uint16_t zone = be16toh(p->m->key.ct_zone);

	print(p, FIELD_CT_STATE, "ct_state");
	if (p->m->mask.ct_zone)
		text_add(p->out, "ct_zone=%u,", zone);
	for (unsigned i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		print(p, rest[i], fields[rest[i]].name);
}

void match_format(struct text *out, const struct match *m, int priority, const struct port_names *names)
{
	struct printer p = {out, m, names};
	uint16_t type = m->mask.eth_type == 0xffff ? be16toh(m->key.eth_type) : 0;
	bool type_done = false, proto_done = false;
	size_t before = out->len;

	if (priority != PRIORITY_DEFAULT)
		text_add(out, "priority=%d,", priority);
	print(&p, FIELD_PKT_MARK, "pkt_mark");
	print(&p, FIELD_CONJ_ID, "conj_id");
	print(&p, FIELD_ACTSET_OUTPUT, "actset_output");
	print_ct(&p);
	print_protocol(&p, &type_done, &proto_done);
	print_pipeline(&p);
	print_vlan(&p);
	print(&p, FIELD_ETH_SRC, "dl_src");
	print(&p, FIELD_ETH_DST, "dl_dst");
	if (!type_done && m->mask.eth_type)
		text_add(out, "dl_type=0x%04x,", type);
	print_network(&p, type, proto_done);
	print_transport(&p, type);
	if (out->len > before)
		text_chomp(out, ',');
}
