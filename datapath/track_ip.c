/* SPDX-License-Identifier: Apache-2.0 */
/* The IP header of a packet that is tracked, or of one that an ICMP error quotes. Called by track.c. */
#include <string.h>

#include "base/wire.h"
#include "datapath/track_view.h"

enum {
	FRAG_MORE = 0x2000, /* IPv4, host order */
	FRAG_OFFSET = 0x1fff,
	FRAG_MORE_V6 = 1,
	EXTENSIONS_MAX = 8,  /* as the parser */
	PAYLOAD_MAX = 65535, /* of a packet put together */
};

enum { PROTO_HOPOPTS = 0, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_AH = 51, PROTO_DSTOPTS = 60 };

/* The bytes from v->l4 on were cut out of a packet. All pieces but the last one are of eights of bytes (RFC
 * 791 section 3.2, RFC 8200 section 4.5). `quoted`: how many there are is not known. */
static bool note_fragment(struct track_view *v, be32 id, uint32_t from, bool more, bool quoted)
{
	uint32_t size = v->end - v->l4;

	if (v->is_fragment)
		return false; /* once more cut */
	v->is_fragment = true;
	v->fragment = (struct ct_fragment){.id = id, .from = (uint16_t)from, .to = (uint16_t)(from + size)};
	return quoted || (size && from + size <= PAYLOAD_MAX && (!more || size % 8 == 0));
}

static bool read_ipv4(struct packet *p, struct track_view *v, bool quoted)
{
	const struct ipv4_header *ip = (const struct ipv4_header *)track_bytes(p, v, v->l3, sizeof(*ip));
	uint32_t header, total;
	uint16_t frag;

	if (!ip)
		return false;
	header = (ip->version_ihl & 15u) * 4;
	total = be16toh(ip->total_len);
	frag = be16toh(ip->frag);
	if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip) || header > v->end - v->l3)
		return false;
	v->src = ip_from_v4(ip->src);
	v->dst = ip_from_v4(ip->dst);
	v->proto = ip->proto;
	v->l4 = v->l3 + header;
	if (!quoted) {
		if (total < header || total > v->end - v->l3)
			return false;
		v->end = v->l3 + total;
	}
	if (__builtin_expect(frag & (FRAG_OFFSET | FRAG_MORE), 0))
		return note_fragment(v, ip->id, (frag & FRAG_OFFSET) * 8u, frag & FRAG_MORE, quoted);
	return true;
}

/* Length of the extension header at `h`; 0: none that is walked over. */
static uint32_t extension_length(uint8_t proto, const uint8_t *h)
{
	switch (proto) {
	case PROTO_HOPOPTS:
	case PROTO_ROUTING:
	case PROTO_DSTOPTS:
		return (h[1] + 1u) * 8;
	case PROTO_AH:
		return (h[1] + 2u) * 4;
	default:
		return 8;
	}
}

static bool is_extension(uint8_t proto)
{
	return proto == PROTO_HOPOPTS || proto == PROTO_ROUTING || proto == PROTO_DSTOPTS ||
	       proto == PROTO_AH || proto == PROTO_FRAGMENT;
}

/* The fragment header `h`, which ends at v->l4. Neither an offset nor more to come is no fragment. */
static bool read_fragment(struct track_view *v, const uint8_t *h, bool quoted)
{
	uint32_t from = (h[2] << 8 | h[3]) & 0xfff8u;
	be32 id;

	memcpy(&id, h + 4, sizeof(id));
	return !(from | (h[3] & FRAG_MORE_V6)) || note_fragment(v, id, from, h[3] & FRAG_MORE_V6, quoted);
}

static bool walk_extensions(struct packet *p, struct track_view *v, bool quoted)
{
	for (unsigned i = 0; is_extension(v->proto); i++) {
		const uint8_t *h = track_bytes(p, v, v->l4, 8);
		bool fragment = v->proto == PROTO_FRAGMENT;
		uint32_t len;

		if (!h || i == EXTENSIONS_MAX)
			return false;
		len = extension_length(v->proto, h);
		v->proto = h[0];
		if (len > v->end - v->l4)
			return false;
		v->l4 += len;
		if (fragment && !read_fragment(v, h, quoted))
			return false;
		if (v->fragment.from)
			break; /* what follows is no header */
	}
	return true;
}

static bool read_ipv6(struct packet *p, struct track_view *v, bool quoted)
{
	const struct ipv6_header *ip = (const struct ipv6_header *)track_bytes(p, v, v->l3, sizeof(*ip));
	uint32_t payload;

	if (!ip || be32toh(ip->version_tc_flow) >> 28 != 6)
		return false;
	memcpy(v->src.b, ip->src, 16);
	memcpy(v->dst.b, ip->dst, 16);
	v->proto = ip->next_header;
	v->l4 = v->l3 + (uint32_t)sizeof(*ip);
	payload = be16toh(ip->payload_len);
	/* RFC 2675 section 3: a segment to be cut may be longer than the field can say */
	if (!quoted && (payload || p->gso == GSO_NONE)) {
		if (payload > v->end - v->l4)
			return false;
		v->end = v->l4 + payload;
	}
	return walk_extensions(p, v, quoted);
}

bool track_read_ip(struct packet *p, struct track_view *v, bool quoted)
{
	return p->l3_kind == L3_IPV4 ? read_ipv4(p, v, quoted) : read_ipv6(p, v, quoted);
}
