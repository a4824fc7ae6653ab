/* SPDX-License-Identifier: Apache-2.0 */
/* The IP header of a packet that is tracked, or of one that an ICMP error quotes. Called by track.c. */
#include <string.h>

#include "base/wire.h"
#include "datapath/track_view.h"

enum {
	FRAG_MORE = 0x2000, /* IPv4, host order */
	FRAG_OFFSET = 0x1fff,
	EXTENSIONS_MAX = 8, /* as the parser */
};

enum { PROTO_HOPOPTS = 0, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_AH = 51, PROTO_DSTOPTS = 60 };

/* `quoted`: inside an ICMP error: the packet may be cut off, and a first fragment will do. */
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
	if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip) || header > v->end - v->l3 ||
	    (frag & (quoted ? FRAG_OFFSET : FRAG_OFFSET | FRAG_MORE)))
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

static bool walk_extensions(struct packet *p, struct track_view *v)
{
	for (unsigned i = 0; is_extension(v->proto); i++) {
		const uint8_t *h = track_bytes(p, v, v->l4, 8);
		uint32_t len;

		if (!h || i == EXTENSIONS_MAX)
			return false;
		/* RFC 8200 section 4.5: neither an offset nor more to come is no fragment */
		if (v->proto == PROTO_FRAGMENT && (h[2] || h[3] & 0xf9))
			return false;
		len = extension_length(v->proto, h);
		v->proto = h[0];
		if (len > v->end - v->l4)
			return false;
		v->l4 += len;
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
	return walk_extensions(p, v);
}

bool track_read_ip(struct packet *p, struct track_view *v, bool quoted)
{
	return p->l3_kind == L3_IPV4 ? read_ipv4(p, v, quoted) : read_ipv6(p, v, quoted);
}
