/* SPDX-License-Identifier: Apache-2.0 */
/* Packed keys to wide ones and back. The cache expands a key when it misses; relevance packs masks. */
#include "flows/dp/mkey.h"

#include <string.h>

/* How addresses lie in the key: by what they were read from. */
static enum mkey_class layout_of(const struct mkey *k)
{
	unsigned inner = (k->flags & MKEY_INNER) >> MKEY_INNER_SHIFT;

	return inner ? (enum mkey_class)(inner - 1) : mkey_class_of(k->eth_type);
}

static const uint16_t inner_types[] = {0, ETH_TYPE_IPV4, ETH_TYPE_IPV6, ETH_TYPE_ARP};

static void expand_addresses(const struct mkey *k, struct flow_key *w)
{
	switch (layout_of(k)) {
	case MKEY_IPV4:
		memcpy(&w->nw_src, k->ip_src, 4);
		memcpy(&w->nw_dst, k->ip_dst, 4);
		break;
	case MKEY_IPV6:
		memcpy(w->ipv6_src, k->ip_src, 16);
		memcpy(w->ipv6_dst, k->ip_dst, 16);
		break;
	case MKEY_ARP:
		memcpy(&w->nw_src, k->ip_src, 4);
		memcpy(&w->nw_dst, k->ip_dst, 4);
		memcpy(w->arp_sha.b, k->ip_src + 4, 6);
		memcpy(w->arp_tha.b, k->ip_dst + 4, 6);
		break;
	default:
		break;
	}
}

static void expand_ext(const struct mkey *k, struct flow_key *w)
{
	w->tun_src = k->tun_src;
	w->tun_dst = k->tun_dst;
	memcpy(w->tun_ipv6_src, k->tun_ipv6_src, 16);
	memcpy(w->tun_ipv6_dst, k->tun_ipv6_dst, 16);
	w->tun_flags = k->tun_flags;
	w->tun_tos = k->tun_tos;
	w->tun_ttl = k->tun_ttl;
	if (k->vlan_tpid)
		w->vlan[0].tpid = k->vlan_tpid;
	w->vlan[1].tci = k->vlan2_tci;
	w->vlan[1].tpid = k->vlan2_tpid;
	w->ipv6_exthdr = k->ipv6_exthdr;
	w->ipv6_label = k->ipv6_label;
	memcpy(w->mpls, k->mpls, sizeof(w->mpls));
	w->pbb_isid = k->pbb_isid;
	memcpy(w->nd_target, k->nd_target, 16);
	if (layout_of(k) == MKEY_IPV6) {
		w->arp_sha = k->nd_sll;
		w->arp_tha = k->nd_tll;
	}
	w->inner_dst = k->inner_dst;
	w->inner_src = k->inner_src;
	w->inner_vlan[0] = (struct flow_vlan){.tpid = k->inner_tpid, .tci = k->inner_tci};
	w->inner_vlan[1] = (struct flow_vlan){.tpid = k->inner2_tpid, .tci = k->inner2_tci};
	w->inner_type = k->inner_type;
	w->pkt_len = k->pkt_len;
}

static void expand_resumed(const struct mkey *k, struct flow_key *w)
{
	w->metadata = k->metadata;
	w->tun_id = k->set_tun_id;
	memcpy(w->regs, k->regs, sizeof(w->regs));
	w->in_port = k->set_in_port;
	w->pkt_mark = k->pkt_mark;
	w->ct_state = k->ct_state;
	w->ct_mark = k->ct_mark;
	memcpy(w->ct_label, k->ct_label, sizeof(w->ct_label));
	w->ct_zone = k->ct_zone;
	w->ct_nw_proto = k->ct_proto;
	w->ct_tp_src = k->ct_tp_src;
	w->ct_tp_dst = k->ct_tp_dst;
	if (layout_of(k) == MKEY_IPV6) {
		memcpy(w->ct_ipv6_src, k->ct_src, 16);
		memcpy(w->ct_ipv6_dst, k->ct_dst, 16);
	} else {
		memcpy(&w->ct_nw_src, k->ct_src, 4);
		memcpy(&w->ct_nw_dst, k->ct_dst, 4);
	}
}

void mkey_expand(const struct mkey *k, struct flow_key *w)
{
	memset(w, 0, sizeof(*w));
	w->in_port = w->in_phy_port = mkey_ofport(k->in_port);
	w->tun_id = htobe64(k->tun_id);
	w->eth_dst = k->eth_dst;
	w->eth_src = k->eth_src;
	w->eth_type = k->eth_type;
	w->vlan[0].tci = k->vlan_tci;
	if (k->vlan_tci)
		w->vlan[0].tpid = htobe16(ETH_TYPE_VLAN);
	w->nw_frag = k->flags & MKEY_FRAG;
	w->l3_type = htobe16(inner_types[(k->flags & MKEY_INNER) >> MKEY_INNER_SHIFT]);
	w->nw_proto = k->proto;
	w->nw_tos = k->tos;
	w->nw_ttl = k->ttl;
	w->tp_src = k->tp_src;
	w->tp_dst = k->tp_dst;
	w->tcp_flags = k->tcp_flags;
	expand_addresses(k, w);
	if (k->flags & MKEY_EXT)
		expand_ext(k, w);
	if (k->flags & MKEY_RESUMED)
		expand_resumed(k, w);
}

/* What lies in line 0 and means the same in a key and in a mask. */
static void pack_line0(const struct flow_key *w, struct mkey *k, enum mkey_class class)
{
	k->in_port = mkey_port(w->in_port);
	k->tun_id = (uint32_t)be64toh(w->tun_id);
	k->eth_dst = w->eth_dst;
	k->eth_src = w->eth_src;
	k->eth_type = w->eth_type;
	k->vlan_tci = w->vlan[0].tci;
	k->flags |= w->nw_frag & MKEY_FRAG;
	k->proto = w->nw_proto;
	k->tos = w->nw_tos;
	k->ttl = w->nw_ttl;
	k->tp_src = w->tp_src;
	k->tp_dst = w->tp_dst;
	k->tcp_flags = w->tcp_flags;
	if (class == MKEY_IPV6) {
		memcpy(k->ip_src, w->ipv6_src, 16);
		memcpy(k->ip_dst, w->ipv6_dst, 16);
	} else if (class != MKEY_OTHER) {
		memcpy(k->ip_src, &w->nw_src, 4);
		memcpy(k->ip_dst, &w->nw_dst, 4);
	}
	if (class == MKEY_ARP) {
		memcpy(k->ip_src + 4, w->arp_sha.b, 6);
		memcpy(k->ip_dst + 4, w->arp_tha.b, 6);
	}
}

static void pack_ext(const struct flow_key *w, struct mkey *k, enum mkey_class class)
{
	static const uint64_t none[MKEY_EXT_WORDS];

	k->tun_src = w->tun_src;
	k->tun_dst = w->tun_dst;
	memcpy(k->tun_ipv6_src, w->tun_ipv6_src, 16);
	memcpy(k->tun_ipv6_dst, w->tun_ipv6_dst, 16);
	k->tun_flags = w->tun_flags;
	k->tun_tos = w->tun_tos;
	k->tun_ttl = w->tun_ttl;
	k->vlan2_tci = w->vlan[1].tci;
	k->vlan2_tpid = w->vlan[1].tpid;
	memcpy(k->mpls, w->mpls, sizeof(w->mpls));
	k->pbb_isid = w->pbb_isid;
	k->inner_dst = w->inner_dst;
	k->inner_src = w->inner_src;
	k->inner_tci = w->inner_vlan[0].tci;
	k->inner_tpid = w->inner_vlan[0].tpid;
	k->inner2_tci = w->inner_vlan[1].tci;
	k->inner2_tpid = w->inner_vlan[1].tpid;
	k->inner_type = w->inner_type;
	k->pkt_len = w->pkt_len;
	if (class == MKEY_IPV6) {
		k->ipv6_exthdr = w->ipv6_exthdr;
		k->ipv6_label = w->ipv6_label;
		memcpy(k->nd_target, w->nd_target, 16);
		k->nd_sll = w->arp_sha;
		k->nd_tll = w->arp_tha;
	}
	if (memcmp(&k->tun_src, none, sizeof(none)))
		k->flags |= MKEY_EXT;
}

void mkey_pack(const struct flow_key *w, struct mkey *k)
{
	enum mkey_class class = mkey_class_of(w->l3_type ? w->l3_type : w->eth_type);

	memset(k, 0, sizeof(*k));
	if (w->l3_type)
		k->flags = (uint8_t)((class + 1) << MKEY_INNER_SHIFT);
	pack_line0(w, k, class);
	if (w->vlan[0].tpid != htobe16(ETH_TYPE_VLAN))
		k->vlan_tpid = w->vlan[0].tpid;
	pack_ext(w, k, class);
}

/* Of a mask: all that is not read off the packet counts. */
static void pack_resumed(const struct flow_key *w, struct mkey *m, enum mkey_class class)
{
	memset(&m->metadata, 0xff, offsetof(struct mkey, pad_resumed) - offsetof(struct mkey, metadata));
	memset(m->ct_src, 0, offsetof(struct mkey, ct_zone) - offsetof(struct mkey, ct_src));
	m->ct_proto = w->ct_nw_proto;
	m->ct_tp_src = w->ct_tp_src;
	m->ct_tp_dst = w->ct_tp_dst;
	if (class == MKEY_IPV6) {
		memcpy(m->ct_src, w->ct_ipv6_src, 16);
		memcpy(m->ct_dst, w->ct_ipv6_dst, 16);
	} else {
		memcpy(m->ct_src, &w->ct_nw_src, 4);
		memcpy(m->ct_dst, &w->ct_nw_dst, 4);
	}
	m->flags |= MKEY_RESUMED;
}

static void mask_add(struct mkey *mask, const struct flow_key *w, enum mkey_class class)
{
	struct mkey m;
	uint64_t to[sizeof(m) / 8], add[sizeof(m) / 8];

	memset(&m, 0, sizeof(m));
	pack_line0(w, &m, class);
	m.vlan_tpid = w->vlan[0].tpid;
	pack_ext(w, &m, class);
	pack_resumed(w, &m, class);
	if (class == MKEY_OTHER)
		m.flags |= MKEY_INNER; /* says what the rest means */
	memcpy(to, mask, sizeof(to));
	memcpy(add, &m, sizeof(add));
	for (unsigned i = 0; i < sizeof(m) / 8; i++)
		to[i] |= add[i];
	memcpy(mask, to, sizeof(to));
}

void mkey_mask_add(struct mkey *mask, const struct flow_key *w, enum mkey_class class)
{
	mask_add(mask, w, class);
	if (class != MKEY_OTHER)
		return;
	mask_add(mask, w, MKEY_IPV4);
	mask_add(mask, w, MKEY_IPV6);
	mask_add(mask, w, MKEY_ARP);
}
