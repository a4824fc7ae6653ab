/* SPDX-License-Identifier: Apache-2.0 */
/* Puts a VTEP's outer headers in front of a packet; called by the datapath when a packet goes out of a vxlan
 * port. */
#include <rte_branch_prediction.h>

#include "base/checksum.h"
#include "base/hash.h"
#include "base/wire.h"
#include "overlay/vxlan/underlay.h"
#include "overlay/vxlan/vxlan.h"

enum {
	SPORT_FIRST = 49152, /* RFC 7348 section 5: the dynamic ports */
	SPORT_MASK = 0x3fff,
	FRAGMENT = 0x3fff, /* IPv4: more of them, or an offset */
};

static bool inner_is_ip(const struct packet *p, be16 *type)
{
	if (p->l3 < sizeof(struct eth_header) || p->l3 + sizeof(struct ipv4_header) > p->head_len)
		return false;
	memcpy(type, p->head + p->l3 - 2, 2);
	return *type == htobe16(ETH_TYPE_IPV4) ||
	       (*type == htobe16(ETH_TYPE_IPV6) && p->l3 + sizeof(struct ipv6_header) <= p->head_len);
}

struct inner {
	uint8_t ecn;
	uint32_t hash; /* of the flow: addresses and ports, or the MAC pair */
};

/* Later fragments have no ports: so that all of a packet go the same way, none are read of the first one. */
static inline uint32_t read_ports(const struct packet *p, bool fragment)
{
	uint32_t ports = 0;

	if (p->l4 && p->l4 + 4u <= p->head_len && !fragment)
		memcpy(&ports, p->head + p->l4, 4);
	return ports;
}

static inline struct inner read_inner_ipv4(const struct packet *p)
{
	const struct ipv4_header *ip = (const struct ipv4_header *)(p->head + p->l3);
	uint64_t words[2] = {read_ports(p, ip->frag & htobe16(FRAGMENT))};

	memcpy(&words[1], &ip->src, 8);
	return (struct inner){ip->tos & 3, (uint32_t)hash_words(words, 2, 0)};
}

static struct inner read_inner(const struct packet *p)
{
	const uint8_t *ip = p->head + p->l3;
	uint64_t words[5];
	be16 type;

	if (!inner_is_ip(p, &type)) {
		memset(words, 0, sizeof(words));
		if (p->head_len >= 12)
			memcpy(words, p->head, 12);
		return (struct inner){0, (uint32_t)hash_words(words, 2, 0)};
	}
	if (type == htobe16(ETH_TYPE_IPV4))
		return read_inner_ipv4(p);
	/* a fragment header may stand behind other extensions */
	words[0] = read_ports(p, ip[offsetof(struct ipv6_header, next_header)] != p->l4_proto);
	memcpy(&words[1], ip + offsetof(struct ipv6_header, src), 32);
	return (struct inner){ip[1] >> 4 & 3, (uint32_t)hash_words(words, 5, 0)};
}

/* Bytes of the largest inner frame that will be on the wire: GSO counts by the segment. 0 when the headers
 * don't fit the offload metadata. */
static uint32_t frame_len(const struct packet *p)
{
	uint32_t header;

	if (p->gso == GSO_NONE)
		return p->len;
	if (p->gso == GSO_TCP4 || p->gso == GSO_TCP6) {
		if (p->csum_start + sizeof(struct tcp_header) > p->head_len)
			return 0;
		header = (p->head[p->csum_start + 12] >> 4) * 4u;
	} else {
		header = sizeof(struct udp_header);
	}
	header += p->csum_start;
	return header + p->gso_size < p->len ? header + p->gso_size : p->len;
}

static void patch_ipv4(struct packet *p, const struct underlay_path *path, uint8_t tos, uint32_t l3_len)
{
	struct ipv4_header *ip = (void *)(p->head + p->outer_l3);

	ip->tos = tos;
	ip->total_len = htobe16((uint16_t)l3_len);
	if (likely(!p->tunnel.ttl)) {
		ip->csum = csum_finish((uint64_t)path->csum + htobe16(tos) + ip->total_len);
		return;
	}
	ip->ttl = p->tunnel.ttl;
	ip->csum = csum_finish(csum_bytes(ip, sizeof(*ip))); /* the template's csum is 0 */
}

static void patch_ipv6(struct packet *p, uint8_t tos, uint32_t l3_len)
{
	struct ipv6_header *ip = (void *)(p->head + p->outer_l3);

	ip->version_tc_flow = htobe32(6u << 28 | (uint32_t)tos << 20);
	ip->payload_len = htobe16((uint16_t)(l3_len - sizeof(*ip)));
	if (p->tunnel.ttl)
		ip->hop_limit = p->tunnel.ttl;
}

static inline be16 source_port(uint32_t hash)
{
	return htobe16((uint16_t)(SPORT_FIRST + ((hash ^ hash >> 16) & SPORT_MASK)));
}

static void patch(const struct vxlan_vtep *v, struct packet *p, const struct underlay_path *path, uint8_t tos,
                  bool v4)
{
	struct udp_header *udp = (void *)(p->head + p->outer_l4);
	struct vxlan_header *vxlan = (void *)(udp + 1);
	uint32_t l3_len = p->len - p->outer_l3;
	uint32_t vni = v->config.vni_flow ? (uint32_t)p->tunnel.id & 0xffffff : v->config.vni;

	if (l3_len > 65535) /* only GSO; the segmenter writes each segment's own */
		l3_len = 65535;
	if (v4)
		patch_ipv4(p, path, tos, l3_len);
	else
		patch_ipv6(p, tos, l3_len);
	udp->src = source_port(p->hash);
	udp->len = htobe16((uint16_t)(l3_len - (p->outer_l4 - p->outer_l3)));
	vxlan->vni_rsvd = htobe32(vni << 8);
	p->flags |= PACKET_ENCAP;
	if (!v4 && !v->config.zero_csum6)
		p->flags |= PACKET_OUTER_CSUM;
}

/* The path, looked up once a round for each remote. */
static const struct underlay_path *find_path(const struct vxlan_vtep *v, unsigned worker,
                                             struct vxlan_memory *m, const struct ip_addr *local,
                                             const struct ip_addr *remote)
{
	unsigned slot = (remote->b[15] ^ remote->b[14]) % VXLAN_REMEMBERED;
	struct vxlan_way *way = &m->ways[slot];

	if (likely(m->way_valid >> slot & 1 && way->vtep == v && ip_equal(&way->remote, remote)))
		return way->path;
	*way = (struct vxlan_way){v, underlay_lookup(v->underlay, worker, local, remote), *remote};
	m->way_valid |= (uint16_t)(1u << slot);
	return way->path;
}

/* False: no room. */
static bool put_headers(struct packet *p, const struct underlay_path *path, bool v4)
{
	if (!packet_push(p, path->len))
		return false;
	if (likely(v4))
		memcpy(p->head, path->header, UNDERLAY_HEADER4);
	else
		memcpy(p->head, path->header, UNDERLAY_HEADER6);
	p->outer_l3 = path->l3;
	p->outer_l4 = path->l4;
	return true;
}

static __attribute__((noinline)) int encap_any(const struct vxlan_vtep *v, const struct underlay_path *path,
                                               struct packet *p)
{
	bool v4 = path->len == UNDERLAY_HEADER4;
	uint32_t overhead = path->len - path->l3, frame;
	struct inner inner;

	frame = frame_len(p);
	if (unlikely(!frame))
		return DROP_SEGMENT_FAILED;
	if (unlikely(frame + overhead > path->mtu))
		return DROP_TUNNEL_TOO_BIG;
	inner = read_inner(p);
	if (!p->hash)
		p->hash = inner.hash;
	if (unlikely(p->flags & PACKET_ENCAP || !put_headers(p, path, v4)))
		return DROP_NO_HEADROOM; /* or encapsulated already, which the view cannot say twice */
	patch(v, p, path, (uint8_t)((p->tunnel.tos & ~3) | inner.ecn), v4);
	return VXLAN_OK;
}

/* ---- most packets: IPv4 in IPv4, and nothing else about them. As encap_any() does it. ---- */

enum { PLAIN_L3 = sizeof(struct eth_header), PLAIN_L4 = PLAIN_L3 + sizeof(struct ipv4_header) };

static inline bool is_plain(const struct underlay_path *path, const struct packet *p)
{
	be16 type;

	if (path->len != UNDERLAY_HEADER4 || p->len + UNDERLAY_HEADER4 - PLAIN_L3 > path->mtu ||
	    p->gso != GSO_NONE || p->flags & (PACKET_ENCAP | PACKET_NEEDS_CSUM) || p->tunnel.ttl || p->hash ||
	    p->head - p->buf < UNDERLAY_HEADER4 || p->l3 < sizeof(struct eth_header) ||
	    p->l4 < p->l3 + sizeof(struct ipv4_header) || p->l4 + 4u > p->head_len)
		return false;
	memcpy(&type, p->head + p->l3 - 2, sizeof(type));
	return type == htobe16(ETH_TYPE_IPV4);
}

static inline void put_16(uint8_t *frame, unsigned ofs, be16 value)
{
	memcpy(frame + ofs, &value, sizeof(value));
}

static inline void encap_plain(const struct vxlan_vtep *v, const struct underlay_path *path, struct packet *p)
{
	const struct inner inner = read_inner_ipv4(p);
	uint8_t *to = p->head - UNDERLAY_HEADER4, tos = (uint8_t)((p->tunnel.tos & ~3) | inner.ecn);
	be16 total = htobe16((uint16_t)(p->len + UNDERLAY_HEADER4 - PLAIN_L3));
	be32 vni = htobe32((v->config.vni_flow ? (uint32_t)p->tunnel.id : v->config.vni) << 8);

	memcpy(to, path->header, UNDERLAY_HEADER4);
	to[PLAIN_L3 + offsetof(struct ipv4_header, tos)] = tos;
	put_16(to, PLAIN_L3 + offsetof(struct ipv4_header, total_len), total);
	put_16(to, PLAIN_L3 + offsetof(struct ipv4_header, csum),
	       csum_finish((uint64_t)path->csum + htobe16(tos) + total));
	put_16(to, PLAIN_L4 + offsetof(struct udp_header, src), source_port(inner.hash));
	put_16(to, PLAIN_L4 + offsetof(struct udp_header, len),
	       htobe16((uint16_t)(p->len + UNDERLAY_HEADER4 - PLAIN_L4)));
	memcpy(to + UNDERLAY_HEADER4 - sizeof(vni), &vni, sizeof(vni));
	p->hash = inner.hash;
	p->head = to;
	p->len += UNDERLAY_HEADER4;
	p->head_len = (uint16_t)(p->head_len + UNDERLAY_HEADER4);
	p->l3 = (uint16_t)(p->l3 + UNDERLAY_HEADER4);
	p->l4 = (uint16_t)(p->l4 + UNDERLAY_HEADER4);
	p->outer_l3 = PLAIN_L3;
	p->outer_l4 = PLAIN_L4;
	p->flags |= PACKET_ENCAP;
}

/* The way of this packet. VXLAN_OK, or a drop reason. */
static int choose_path(const struct vxlan_vtep *v, unsigned worker, struct vxlan_memory *m,
                       const struct packet *p, const struct underlay_path **path)
{
	bool fixed = !ip_is_none(&v->config.remote);
	const struct ip_addr *remote = fixed ? &v->config.remote : &p->tunnel.dst;
	const struct ip_addr *local = ip_is_v4(remote) ? &v->config.local4 : &v->config.local6;

	if (unlikely(ip_is_none(remote)))
		return DROP_TUNNEL_NO_DST;
	if (unlikely(ip_is_none(local)))
		return DROP_TUNNEL_NO_ROUTE;
	*path = find_path(v, worker, m, local, remote);
	if (unlikely((*path)->drop >= 0))
		return (*path)->drop;
	if (fixed) {
		m->fixed = v;
		m->fixed_path = *path;
	}
	return VXLAN_OK;
}

int vxlan_encap(const struct vxlan_vtep *v, unsigned worker, struct vxlan_memory *m, struct packet *p,
                struct vxlan_out *out)
{
	const struct underlay_path *path = m->fixed_path;
	int rc = likely(m->fixed == v) ? VXLAN_OK : choose_path(v, worker, m, p, &path);

	if (unlikely(rc != VXLAN_OK))
		return rc;
	out->ifindex = path->ifindex;
	if (likely(is_plain(path, p))) {
		out->inner_mtu = path->mtu - (UNDERLAY_HEADER4 - PLAIN_L3) - p->l3;
		encap_plain(v, path, p);
		return VXLAN_OK;
	}
	out->inner_mtu =
	        path->mtu - (path->len - path->l3) - (p->l3 ? p->l3 : (uint32_t)sizeof(struct eth_header));
	return encap_any(v, path, p);
}
