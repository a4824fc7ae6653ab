/* SPDX-License-Identifier: Apache-2.0 */
/* VLAN, MPLS and PBB tags on and off the front of a packet. Called by actions.c. */
#include <string.h>

#include "base/wire.h"
#include "datapath/parse.h"
#include "datapath/rewrite.h"

enum {
	MACS = 12,
	TAG = 4,
	SNAP = 8, /* with the EtherType at its end */
	PBB_HEADER = 18,
	FRAME_MIN = 60 /* without FCS, IEEE 802.3 */,
	MPLS_BOS = 0x100,
	PCP = 0xe0
};

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
	for (unsigned i = 0; i < FLOW_VLANS && is_vlan(*type) && packet_pull(p, at + TAG + 2u); i++) {
		at += TAG;
		*type = type_at(p, at);
	}
	return at + 2;
}

static bool behind_snap(const struct packet *p, uint16_t at, be16 type)
{
	return be16toh(type) < ETH_TYPE_MIN && p->l3_kind != L3_OTHER && p->l3 == at + SNAP;
}

bool tags_show_l3(struct packet *p)
{
	be16 type;
	uint16_t at = tags_end(p, &type);

	return at && (p->l3 == at || behind_snap(p, at, type));
}

/* Opens `n` bytes at offset `at`: what is in front moves. */
static bool open_gap(struct packet *p, uint16_t at, uint16_t n)
{
	if (!packet_push(p, n))
		return false;
	memmove(p->head, p->head + n, at);
	return true;
}

/* A frame that was no runt does not become one: the link's padding is made longer. */
static void pad(struct packet *p, uint32_t was)
{
	if (was < FRAME_MIN || p->len >= FRAME_MIN)
		return;
	if (p->head + FRAME_MIN > p->buf + sizeof(p->buf)) { /* many tags were taken off */
		memmove(p->buf + PACKET_HEADROOM, p->head, p->head_len);
		p->head = p->buf + PACKET_HEADROOM;
	}
	packet_pull(p, p->len); /* there is room now, so it does */
	memset(p->head + p->len, 0, FRAME_MIN - p->len);
	p->len = p->head_len = FRAME_MIN;
}

static bool close_gap(struct packet *p, uint16_t at, uint16_t n)
{
	uint32_t was = p->len;

	if (!packet_pull(p, at + n))
		return false;
	memmove(p->head + n, p->head, at);
	if (!packet_pop(p, n))
		return false;
	pad(p, was);
	return true;
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

/* What a new label starts with: the fields of the label that it goes in front of, or the TTL of an IP header
 * (OpenFlow 1.3 section 5.12.1); else zero. */
static uint32_t new_label(struct packet *p, uint16_t at, be16 type)
{
	uint32_t ttl;
	be32 lse;

	if (type == htobe16(ETH_TYPE_MPLS) || type == htobe16(ETH_TYPE_MPLS_MC)) {
		if (!packet_pull(p, at + 4u))
			return MPLS_BOS;
		memcpy(&lse, p->head + at, 4);
		return be32toh(lse) & ~(uint32_t)MPLS_BOS;
	}
	if (type == htobe16(ETH_TYPE_IPV4) && p->l3_kind == L3_IPV4)
		ttl = at + (uint32_t)offsetof(struct ipv4_header, ttl);
	else if (type == htobe16(ETH_TYPE_IPV6) && p->l3_kind == L3_IPV6)
		ttl = at + (uint32_t)offsetof(struct ipv6_header, hop_limit);
	else
		return MPLS_BOS;
	return packet_pull(p, ttl + 1) ? MPLS_BOS | p->head[ttl] : MPLS_BOS;
}

/* Labels follow an EtherType (RFC 3032 section 5): what SNAP told, an EtherType tells. */
static bool without_snap(struct packet *p, uint16_t at, be16 *type)
{
	if (!behind_snap(p, at, *type))
		return true;
	*type = type_at(p, (uint16_t)(at + SNAP - 2));
	return close_gap(p, at, SNAP);
}

bool tags_push_mpls(struct packet *p, uint16_t ethertype)
{
	be16 type, outer = htobe16(ethertype);
	uint16_t at = tags_end(p, &type);
	be32 lse;

	if (!at || !without_snap(p, at, &type))
		return false;
	lse = htobe32(new_label(p, at, type));
	if (!open_gap(p, at, TAG))
		return false;
	memcpy(p->head + at - 2, &outer, 2);
	memcpy(p->head + at, &lse, 4);
	p->flags |= PACKET_COVERED;
	return true;
}

/* Something was taken off: what is it now? */
static void uncover(struct packet *p)
{
	parse_offsets(p);
	if (p->l3_kind == L3_IPV4 || p->l3_kind == L3_IPV6)
		p->flags &= (uint16_t)~PACKET_COVERED;
}

bool tags_pop_mpls(struct packet *p, uint16_t ethertype)
{
	be16 type, inner = htobe16(ethertype);
	uint16_t at = tags_end(p, &type);

	if (!at || (type != htobe16(ETH_TYPE_MPLS) && type != htobe16(ETH_TYPE_MPLS_MC)) ||
	    !close_gap(p, at, TAG))
		return false;
	memcpy(p->head + at - 2, &inner, 2);
	uncover(p);
	return true;
}

/* IEEE 802.1ah: backbone MACs (copied from the customer's), EtherType, I-TAG. That is the I-TAG that was
 * outermost, or else has the priority of the outermost VLAN tag and I-SID 0 (OpenFlow 1.3 section 5.12.1). */
bool tags_push_pbb(struct packet *p, uint16_t ethertype)
{
	be16 type = 0, outer = htobe16(ethertype);
	uint16_t at = tags_end(p, &type);
	uint8_t itag[4] = {0};

	if (!at)
		return false;
	if (type == htobe16(ETH_TYPE_PBB) && packet_pull(p, at + 4u))
		memcpy(itag, p->head + at, 4);
	else if (at > MACS + 2)
		itag[0] = p->head[MACS + 2] & PCP;
	if (!packet_push(p, PBB_HEADER))
		return false;
	memcpy(p->head, p->head + PBB_HEADER, MACS);
	memcpy(p->head + MACS, &outer, 2);
	memcpy(p->head + MACS + 2, itag, 4);
	p->flags |= PACKET_COVERED;
	return true;
}

bool tags_pop_pbb(struct packet *p)
{
	uint32_t was = p->len;
	be16 type;
	uint16_t at = tags_end(p, &type);

	if (!at || type != htobe16(ETH_TYPE_PBB))
		return true;
	if (!packet_pull(p, at + TAG + MACS + 2u) || !packet_pop(p, (uint16_t)(at + TAG)))
		return false;
	pad(p, was);
	uncover(p);
	return true;
}
