/* SPDX-License-Identifier: Apache-2.0 */
/* VLAN, MPLS and PBB tags on and off the front of a packet. Called by actions.c. */
#include <string.h>

#include "base/wire.h"
#include "datapath/parse.h"
#include "datapath/rewrite.h"

enum { MACS = 12, TAG = 4, PBB_HEADER = 18, MPLS_BOS = 0x100 };

static bool is_vlan(be16 type)
{
	return type == htobe16(ETH_TYPE_VLAN) || type == htobe16(ETH_TYPE_QINQ);
}

static be16 type_at(const struct packet *p, uint16_t ofs)
{
	be16 type;

	memcpy(&type, p->head + ofs, 2);
	return type;
}

uint16_t tags_end(struct packet *p, be16 *type)
{
	uint16_t at = MACS;

	if (!packet_pull(p, at + 2u))
		return 0;
	*type = type_at(p, at);
	while (is_vlan(*type) && packet_pull(p, at + TAG + 2u)) {
		at += TAG;
		*type = type_at(p, at);
	}
	return at + 2;
}

/* Opens `n` bytes at offset `at`: what is in front moves. */
static bool open_gap(struct packet *p, uint16_t at, uint16_t n)
{
	if (!packet_push(p, n))
		return false;
	memmove(p->head, p->head + n, at);
	return true;
}

static bool close_gap(struct packet *p, uint16_t at, uint16_t n)
{
	if (!packet_pull(p, at + n))
		return false;
	memmove(p->head + n, p->head, at);
	return packet_pop(p, n);
}

bool tags_push_vlan(struct packet *p, uint16_t tpid)
{
	struct vlan_header outermost = {0};
	be16 type = htobe16(tpid);

	if (!packet_pull(p, MACS + 2))
		return false;
	if (is_vlan(type_at(p, MACS)) && packet_pull(p, MACS + 2 + TAG))
		memcpy(&outermost, p->head + MACS + 2, sizeof(outermost));
	if (!open_gap(p, MACS, TAG))
		return false;
	memcpy(p->head + MACS, &type, 2);
	memcpy(p->head + MACS + 2, &outermost.tci, 2);
	return true;
}

bool tags_pop_vlan(struct packet *p)
{
	if (packet_pull(p, MACS + 2 + TAG) && is_vlan(type_at(p, MACS)))
		return close_gap(p, MACS, TAG);
	return true;
}

/* TTL and bottom-of-stack of a new label: from the header it goes in front of (OpenFlow 1.3 section 5.12.1).
 */
static uint32_t new_label(struct packet *p, uint16_t at, be16 type)
{
	be32 lse;

	if (type == htobe16(ETH_TYPE_MPLS) || type == htobe16(ETH_TYPE_MPLS_MC)) {
		if (!packet_pull(p, at + 4u))
			return MPLS_BOS | 64;
		memcpy(&lse, p->head + at, 4);
		return be32toh(lse) & ~(uint32_t)MPLS_BOS;
	}
	if (type == htobe16(ETH_TYPE_IPV4) && p->l3_kind == L3_IPV4)
		return MPLS_BOS | p->head[at + offsetof(struct ipv4_header, ttl)];
	if (type == htobe16(ETH_TYPE_IPV6) && p->l3_kind == L3_IPV6)
		return MPLS_BOS | p->head[at + offsetof(struct ipv6_header, hop_limit)];
	return MPLS_BOS | 64;
}

bool tags_push_mpls(struct packet *p, uint16_t ethertype)
{
	be16 type, outer = htobe16(ethertype);
	uint16_t at = tags_end(p, &type);
	be32 lse;

	if (!at)
		return false;
	lse = htobe32(new_label(p, at, type));
	if (!open_gap(p, at, TAG))
		return false;
	memcpy(p->head + at - 2, &outer, 2);
	memcpy(p->head + at, &lse, 4);
	return true;
}

bool tags_pop_mpls(struct packet *p, uint16_t ethertype)
{
	be16 type, inner = htobe16(ethertype);
	uint16_t at = tags_end(p, &type);

	if (!at || (type != htobe16(ETH_TYPE_MPLS) && type != htobe16(ETH_TYPE_MPLS_MC)) ||
	    !close_gap(p, at, TAG))
		return false;
	memcpy(p->head + at - 2, &inner, 2);
	parse_offsets(p);
	return true;
}

/* IEEE 802.1ah: backbone MACs (copied from the customer's), EtherType, I-TAG with the I-SID of the I-TAG that
 * was outermost, or 0. */
bool tags_push_pbb(struct packet *p, uint16_t ethertype)
{
	be16 type = 0, outer = htobe16(ethertype);
	uint16_t at = tags_end(p, &type);
	uint8_t itag[4] = {0};

	if (!at)
		return false;
	if (type == htobe16(ETH_TYPE_PBB) && packet_pull(p, at + 4u))
		memcpy(itag, p->head + at, 4);
	if (!packet_push(p, PBB_HEADER))
		return false;
	memcpy(p->head, p->head + PBB_HEADER, MACS);
	memcpy(p->head + MACS, &outer, 2);
	memcpy(p->head + MACS + 2, itag, 4);
	return true;
}

bool tags_pop_pbb(struct packet *p)
{
	be16 type;
	uint16_t at = tags_end(p, &type);

	if (!at || type != htobe16(ETH_TYPE_PBB))
		return true;
	if (!packet_pull(p, at + TAG + MACS + 2u) || !packet_pop(p, (uint16_t)(at + TAG)))
		return false;
	parse_offsets(p);
	return true;
}
