/* SPDX-License-Identifier: Apache-2.0 */
/* A packet larger than its way out takes: its sender is told (RFC 1191, RFC 8201), or it is fragmented (IPv4
 * without DF), or dropped and counted. Called by output.c and vxlan_port.c. */
#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "datapath/limits.h"
#include "datapath/output.h"
#include "ports/segment.h"

enum {
	QUOTED_MAX = 160, /* bytes of the packet that an answer carries: what lies in the head anyhow */
	IPV4_MIN_MTU = 68,
	IPV6_MIN_MTU = 1280,
	FRAG_DF = 0x4000,
	FRAG_MF = 0x2000,
	FRAG_OFFSET = 0x1fff,
};

static bool is_icmp_error(const struct packet *p)
{
	uint8_t type;

	if (!p->l4)
		return false;
	type = p->head[p->l4];
	if (p->l4_proto == IP_PROTO_ICMPV6)
		return type < 128;
	/* RFC 1122 section 3.2.2: 3, 4, 5, 11 and 12 are errors */
	return p->l4_proto == IP_PROTO_ICMP &&
	       (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

/* May this sender be answered at all (RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e))? */
static bool may_answer(const struct exec *x, const struct packet *p)
{
	static const uint8_t none[16];
	const struct mkey *key = x->key;
	const uint8_t *src = p->head + p->l3;

	if ((key->flags & FLOW_FRAG_LATER) || mac_is_multicast(key->eth_dst) ||
	    mac_is_multicast(key->eth_src) || is_icmp_error(p))
		return false;
	if ((key->flags & MKEY_EXT) && key->vlan2_tci)
		return false;
	if (p->l3_kind == L3_IPV4) {
		const struct ipv4_header *ip = (const struct ipv4_header *)src;

		return be32toh(ip->src) >> 28 < 14 && ip->src && be32toh(ip->dst) >> 28 < 14;
	}
	src += offsetof(struct ipv6_header, src);
	return src[0] != 0xff && memcmp(src, none, 16) != 0 && src[16] != 0xff;
}

/* Ethernet header (and tag) back to where the packet came from; returns the length. */
static uint16_t answer_link(uint8_t *to, const struct mkey *key)
{
	struct eth_header *eth = (struct eth_header *)to;
	be16 type = key->eth_type;

	eth->dst = key->eth_src;
	eth->src = key->eth_dst;
	eth->type = type;
	if (!key->vlan_tci)
		return sizeof(*eth);
	eth->type = (key->flags & MKEY_EXT) && key->vlan_tpid ? key->vlan_tpid : htobe16(ETH_TYPE_VLAN);
	*(struct vlan_header *)(eth + 1) =
	        (struct vlan_header){.tci = key->vlan_tci & htobe16(0xefff), .type = type};
	return sizeof(*eth) + sizeof(struct vlan_header);
}

/* RFC 792 type 3 code 4 with the MTU of RFC 1191 section 4. `quoted` bytes are behind the header already. */
static void answer_ipv4(uint8_t *to, const struct ipv4_header *orig, uint32_t quoted, uint32_t mtu)
{
	struct ipv4_header *ip = (struct ipv4_header *)to;
	struct icmp_header *icmp = (struct icmp_header *)(ip + 1);
	uint32_t len = (uint32_t)sizeof(*icmp) + quoted;

	*ip = (struct ipv4_header){
	        .version_ihl = 0x45,
	        .total_len = htobe16((uint16_t)(sizeof(*ip) + len)),
	        .ttl = 64,
	        .proto = IP_PROTO_ICMP,
	        .src = orig->dst,
	        .dst = orig->src,
	};
	ip->csum = csum_finish(csum_bytes(ip, sizeof(*ip)));
	*icmp = (struct icmp_header){.type = 3, .code = 4, .rest = htobe32(mtu & 0xffff)};
	icmp->csum = csum_finish(csum_bytes(icmp, len));
}

/* RFC 4443 section 3.2. */
static void answer_ipv6(uint8_t *to, const struct ipv6_header *orig, uint32_t quoted, uint32_t mtu)
{
	struct ipv6_header *ip = (struct ipv6_header *)to;
	struct icmp_header *icmp = (struct icmp_header *)(ip + 1);
	uint32_t len = (uint32_t)sizeof(*icmp) + quoted;

	*ip = (struct ipv6_header){
	        .version_tc_flow = htobe32(6u << 28),
	        .payload_len = htobe16((uint16_t)len),
	        .next_header = IP_PROTO_ICMPV6,
	        .hop_limit = 64,
	};
	memcpy(ip->src, orig->dst, 16);
	memcpy(ip->dst, orig->src, 16);
	*icmp = (struct icmp_header){.type = 2, .rest = htobe32(mtu)};
	icmp->csum = csum_finish(
	        csum_add(csum_bytes(icmp, len), csum_pseudo6(ip->src, ip->dst, IP_PROTO_ICMPV6, len)));
}

static struct ip_addr tunnel_source(const struct mkey *key)
{
	struct ip_addr a = {{0}};

	if (!(key->flags & MKEY_EXT))
		return a;
	if (key->tun_src)
		return ip_from_v4(key->tun_src);
	memcpy(a.b, key->tun_ipv6_src, 16);
	return a;
}

/* Queues the answer to the port the packet came in on. */
static bool answer(struct exec *x, const struct packet *p, uint32_t mtu)
{
	struct worker *w = x->w;
	struct port *in = worker_port(w, p->in_port);
	struct limits *l = rcu_read(w->dp->limits[mkey_port(p->in_port)]);
	uint32_t quoted = p->head_len - p->l3 < QUOTED_MAX ? p->head_len - p->l3 : QUOTED_MAX;
	bool v6 = p->l3_kind == L3_IPV6;
	uint32_t ip_len = v6 ? sizeof(struct ipv6_header) : sizeof(struct ipv4_header);
	struct packet *a;
	uint16_t l3;

	if (!in || (in->config & (PORT_CONFIG_DOWN | PORT_CONFIG_NO_FWD)) || !l ||
	    !limits_pass(l, w->id, LIMIT_TOO_BIG, w->now))
		return false;
	a = clone_get(w);
	if (!a)
		return false;
	packet_reset(a);
	a->in_port = p->in_port;
	l3 = answer_link(a->head, x->key);
	memcpy(a->head + l3 + ip_len + sizeof(struct icmp_header), p->head + p->l3, quoted);
	if (v6)
		answer_ipv6(a->head + l3, (const struct ipv6_header *)(p->head + p->l3), quoted, mtu);
	else
		answer_ipv4(a->head + l3, (const struct ipv4_header *)(p->head + p->l3), quoted, mtu);
	a->l3 = l3;
	a->l4 = (uint16_t)(l3 + ip_len);
	a->l3_kind = p->l3_kind;
	a->l4_proto = v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
	a->head_len = (uint16_t)(a->l4 + sizeof(struct icmp_header) + quoted);
	a->len = a->head_len;
	/* Back through the tunnel it came by. */
	a->tunnel.id = x->key->tun_id;
	a->tunnel.dst = tunnel_source(x->key);
	if (in->ops->tx) {
		output_queue(w, in, a);
	} else if (a->len - l3 < mtu) { /* else the answer itself could be too big */
		vxlan_port_output(x->w, x->key, in, a);
	} else {
		clone_put(w, a);
		return false;
	}
	return true;
}

/* Sends the piece of `whole` that starts `ofs` bytes behind its IPv4 header. */
static bool send_fragment(struct exec *x, struct port *port, const struct packet *whole, uint32_t ofs,
                          uint32_t len)
{
	uint32_t headers = whole->l3 + (uint32_t)sizeof(struct ipv4_header), skip = headers + ofs;
	struct packet *f = clone_get(x->w);
	struct ipv4_header *ip;
	uint16_t frag;

	if (!f)
		return false;
	packet_snapshot(f, whole);
	f->nsegs = 0;
	f->head_len = (uint16_t)headers;
	f->len = headers + len;
	f->flags = 0;
	f->l4 = ofs ? 0 : whole->l4;
	ip = (struct ipv4_header *)(f->head + whole->l3);
	frag = (uint16_t)(be16toh(ip->frag) + ofs / 8);
	if (f->len < whole->len)
		frag |= skip + len < headers + be16toh(ip->total_len) - sizeof(*ip) ? FRAG_MF : 0;
	ip->frag = htobe16(frag);
	ip->total_len = htobe16((uint16_t)(sizeof(*ip) + len));
	ip->csum = 0;
	ip->csum = csum_finish(csum_bytes(ip, sizeof(*ip)));
	if (skip < whole->head_len) {
		uint32_t take = whole->head_len - skip < len ? whole->head_len - skip : len;

		f->segs[f->nsegs++] = (struct packet_seg){whole->head + skip, take};
		skip = whole->head_len;
		len -= take;
	}
	skip -= whole->head_len;
	for (uint16_t i = 0; len && i < whole->nsegs; i++) {
		const struct packet_seg *s = &whole->segs[i];
		uint32_t take;

		if (skip >= s->len) {
			skip -= s->len;
			continue;
		}
		take = s->len - skip < len ? s->len - skip : len;
		if (f->nsegs == PACKET_SEGS_MAX) {
			clone_put(x->w, f);
			return false;
		}
		f->segs[f->nsegs++] = (struct packet_seg){s->data + skip, take};
		skip = 0;
		len -= take;
	}
	if (port->ops->tx)
		output_queue(x->w, port, f);
	else
		vxlan_port_output(x->w, x->key, port, f);
	return true;
}

/* RFC 791 section 3.2, for a header without options whose checksums are finished. The pieces refer to `p`'s
 * bytes, which the flush at the end sends before anybody changes them. */
static bool fragment(struct exec *x, struct port *port, const struct packet *p, uint32_t mtu)
{
	const struct ipv4_header *ip = (const struct ipv4_header *)(p->head + p->l3);
	uint32_t payload, ofs = 0, piece = (mtu - (uint32_t)sizeof(*ip)) & ~7u;
	bool ok = true;

	if (p->l3_kind != L3_IPV4 || ip->version_ihl != 0x45 || (ip->frag & htobe16(FRAG_DF)) ||
	    p->gso != GSO_NONE || (p->flags & PACKET_NEEDS_CSUM) || mtu < IPV4_MIN_MTU)
		return false;
	payload = be16toh(ip->total_len) - (uint32_t)sizeof(*ip);
	if (payload > p->len - p->l3 - (uint32_t)sizeof(*ip)) /* an output cut the rest off */
		return false;
	if ((be16toh(ip->frag) & FRAG_OFFSET) + payload / 8 > FRAG_OFFSET)
		return false;
	/* A packet that is too long by the link's padding only leaves as one piece without it. */
	do {
		ok = send_fragment(x, port, p, ofs, payload - ofs < piece ? payload - ofs : piece);
		ofs += piece;
	} while (ok && ofs < payload);
	output_flush(x->w);
	return ok;
}

void toobig_handle(struct exec *x, struct port *port, struct packet *p, uint32_t mtu, enum drop_reason reason)
{
	const struct ipv4_header *ip;
	bool df = true;

	if (p->l3_kind == L3_IPV4) {
		if (fragment(x, port, p, mtu))
			return;
		ip = (const struct ipv4_header *)(p->head + p->l3);
		df = ip->frag & htobe16(FRAG_DF);
		if (!df && ip->version_ihl != 0x45)
			reason = DROP_FRAG_OPTIONS;
	}
	port_drop(port, x->w->id, reason, 1);
	if (!df || (p->l3_kind != L3_IPV4 && p->l3_kind != L3_IPV6) || !may_answer(x, p))
		return;
	if (p->l3_kind == L3_IPV6 && mtu < IPV6_MIN_MTU)
		mtu = IPV6_MIN_MTU; /* RFC 8200 section 5: nobody goes below */
	answer(x, p, mtu);
}
