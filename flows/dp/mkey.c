/* SPDX-License-Identifier: Apache-2.0 */
/* Packed keys to wide ones and back. The cache expands a key when it misses; relevance packs masks. */
#include "flows/dp/mkey.h"

#include <string.h>

static void expand_addresses(const struct mkey *k, struct flow_key *w)
{
	switch (mkey_class_of(k->eth_type)) {
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
	if (k->eth_type == htobe16(ETH_TYPE_IPV6)) {
		w->arp_sha = k->nd_sll;
		w->arp_tha = k->nd_tll;
	}
}

void mkey_expand(const struct mkey *k, struct flow_key *w)
{
	memset(w, 0, sizeof(*w));
	w->in_port = mkey_ofport(k->in_port);
	w->tun_id = htobe64(k->tun_id);
	w->eth_dst = k->eth_dst;
	w->eth_src = k->eth_src;
	w->eth_type = k->eth_type;
	w->vlan[0].tci = k->vlan_tci;
	if (k->vlan_tci)
		w->vlan[0].tpid = htobe16(ETH_TYPE_VLAN);
	w->nw_frag = k->flags & MKEY_FRAG;
	w->nw_proto = k->proto;
	w->nw_tos = k->tos;
	w->nw_ttl = k->ttl;
	w->tp_src = k->tp_src;
	w->tp_dst = k->tp_dst;
	w->tcp_flags = k->tcp_flags;
	expand_addresses(k, w);
	if (k->flags & MKEY_EXT)
		expand_ext(k, w);
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
	k->flags = w->nw_frag & MKEY_FRAG;
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
	enum mkey_class class = mkey_class_of(w->eth_type);

	memset(k, 0, sizeof(*k));
	pack_line0(w, k, class);
	if (w->vlan[0].tpid != htobe16(ETH_TYPE_VLAN))
		k->vlan_tpid = w->vlan[0].tpid;
	pack_ext(w, k, class);
}

void mkey_mask_add(struct mkey *mask, const struct flow_key *w, enum mkey_class class)
{
	struct mkey m;
	uint64_t to[sizeof(m) / 8], add[sizeof(m) / 8];

	memset(&m, 0, sizeof(m));
	pack_line0(w, &m, class);
	m.vlan_tpid = w->vlan[0].tpid;
	pack_ext(w, &m, class);
	memcpy(to, mask, sizeof(to));
	memcpy(add, &m, sizeof(add));
	for (unsigned i = 0; i < sizeof(m) / 8; i++)
		to[i] |= add[i];
	memcpy(mask, to, sizeof(to));
}
