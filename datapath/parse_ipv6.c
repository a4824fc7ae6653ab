/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6, its extension headers and neighbour discovery. Called by parse.c. */
#include <string.h>

#include "base/wire.h"
#include "datapath/parse_private.h"

enum {
	PROTO_HOPOPTS = 0,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_ESP = 50,
	PROTO_AH = 51,
	PROTO_NONE = 59,
	PROTO_DSTOPTS = 60,
	EXTENSIONS_MAX = 8, /* a longer chain reads as truncated */
};

enum ipv6_exthdr { /* OFPIEH_*, OpenFlow 1.3 section 7.2.3.8 */
	           EXTHDR_NONEXT = 1 << 0,
	           EXTHDR_ESP = 1 << 1,
	           EXTHDR_AUTH = 1 << 2,
	           EXTHDR_DEST = 1 << 3,
	           EXTHDR_FRAG = 1 << 4,
	           EXTHDR_ROUTER = 1 << 5,
	           EXTHDR_HOP = 1 << 6,
	           EXTHDR_UNREP = 1 << 7,
	           EXTHDR_UNSEQ = 1 << 8,
};

struct chain {
	uint16_t seen;
	unsigned rank;     /* of the last one in the order that RFC 8200 section 4.1 recommends */
	unsigned options;  /* destination options headers so far */
	uint32_t named_at; /* the byte that names the upper layer */
};

static void note_extension(struct chain *c, uint8_t proto)
{
	static const struct {
		uint8_t proto, rank;
		uint16_t bit;
	} known[] = {
	        {PROTO_HOPOPTS, 1, EXTHDR_HOP},    {PROTO_DSTOPTS, 2, EXTHDR_DEST},
	        {PROTO_ROUTING, 3, EXTHDR_ROUTER}, {PROTO_FRAGMENT, 4, EXTHDR_FRAG},
	        {PROTO_AH, 5, EXTHDR_AUTH},        {PROTO_ESP, 6, EXTHDR_ESP},
	        {PROTO_NONE, 8, EXTHDR_NONEXT},
	};

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		unsigned rank = known[i].rank;

		if (known[i].proto != proto)
			continue;
		if (proto == PROTO_DSTOPTS) {
			if (c->rank >= 2)
				rank = 7; /* the one in front of the upper layer */
			if (++c->options > 2)
				c->seen |= EXTHDR_UNREP;
		} else if (c->seen & known[i].bit) {
			c->seen |= EXTHDR_UNREP;
		}
		if (rank < c->rank)
			c->seen |= EXTHDR_UNSEQ;
		c->rank = rank;
		c->seen |= known[i].bit;
	}
}

/* Fragment header, RFC 8200 section 4.5. True when the chain goes on behind it. */
static bool read_fragment(struct parser *s, uint8_t *frag)
{
	be16 ofs_more;

	memcpy(&ofs_more, (const uint8_t *)parser_at(s, s->at) + 2, 2);
	if (ofs_more & htobe16(0xfff9))
		*frag |= FLOW_FRAG_ANY;
	if (ofs_more & htobe16(0xfff8)) {
		*frag |= FLOW_FRAG_LATER;
		return false;
	}
	return true;
}

/* Walks to the upper layer. False: truncated or too long. */
static bool walk_extensions(struct parser *s, uint8_t *proto, uint8_t *frag, struct chain *c)
{
	c->named_at = s->at - (uint32_t)sizeof(struct ipv6_header) +
	              (uint32_t)offsetof(struct ipv6_header, next_header);
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		const uint8_t *h;
		uint32_t len;

		note_extension(c, *proto);
		if (*proto != PROTO_HOPOPTS && *proto != PROTO_ROUTING && *proto != PROTO_DSTOPTS &&
		    *proto != PROTO_AH && *proto != PROTO_FRAGMENT)
			return true;
		if (!parser_has(s, 8))
			return false;
		h = parser_at(s, s->at);
		if (*proto == PROTO_FRAGMENT) {
			len = 8;
			if (!read_fragment(s, frag))
				return true; /* proto stays FRAGMENT */
		} else {
			len = *proto == PROTO_AH ? (h[1] + 2u) * 4 : (h[1] + 1u) * 8;
		}
		*proto = h[0];
		c->named_at = s->at;
		if (len > s->end - s->at || !parser_has(s, len))
			return false;
		s->at += len;
	}
	return false;
}

void parse_ipv6(struct parser *s)
{
	struct mkey *key = s->key;
	const struct ipv6_header *ip;
	struct chain chain = {0};
	uint32_t first, payload;
	uint8_t proto, frag = 0, ttl;

	if (!parser_has(s, sizeof(*ip)))
		return;
	ip = parser_at(s, s->at);
	first = be32toh(ip->version_tc_flow);
	payload = be16toh(ip->payload_len);
	if (first >> 28 != 6 || payload > s->end - s->at - sizeof(*ip))
		return;
	if (payload || s->p->gso == GSO_NONE)
		s->end = s->at + (uint32_t)sizeof(*ip) + payload;
	s->p->l3_kind = L3_IPV6;
	memcpy(key->ip_src, ip->src, 16);
	memcpy(key->ip_dst, ip->dst, 16);
	proto = ip->next_header;
	ttl = ip->hop_limit;
	if (first & 0xfffff) {
		parse_ext(key);
		key->ipv6_label = htobe32(first & 0xfffff);
	}
	s->at += sizeof(*ip);
	if (!walk_extensions(s, &proto, &frag, &chain))
		return;
	key->proto = proto;
	key->tos = (uint8_t)(first >> 20);
	key->ttl = ttl;
	key->flags |= frag;
	if (chain.seen) {
		parse_ext(key);
		key->ipv6_exthdr = htobe16(chain.seen);
	}
	if (!(frag & FLOW_FRAG_LATER))
		parse_l4(s, proto);
}

uint32_t parse_ipv6_proto_at(struct packet *p)
{
	struct parser s = {.p = p, .at = p->l3, .end = p->len};
	struct chain chain = {0};
	uint8_t proto, frag = 0;

	if (!parser_has(&s, sizeof(struct ipv6_header)))
		return 0;
	proto = ((const struct ipv6_header *)parser_at(&s, s.at))->next_header;
	s.at += sizeof(struct ipv6_header);
	return walk_extensions(&s, &proto, &frag, &chain) ? chain.named_at : 0;
}

/* Source or target link-layer address option of each kind at most once, else nothing of it counts. */
static bool read_nd_options(struct parser *s, uint32_t at, bool solicit, struct mac *sll, struct mac *tll)
{
	enum { OPT_SLL = 1, OPT_TLL = 2 };
	bool seen_sll = false, seen_tll = false;

	s->at = at;
	while (parser_has(s, 8)) {
		const uint8_t *opt = parser_at(s, s->at);
		uint32_t len = opt[1] * 8u;

		if (!len || len > s->end - s->at)
			return false;
		if (opt[0] == OPT_SLL && solicit && len == 8) {
			if (seen_sll)
				return false;
			seen_sll = true;
			memcpy(sll, opt + 2, 6);
		} else if (opt[0] == OPT_TLL && !solicit && len == 8) {
			if (seen_tll)
				return false;
			seen_tll = true;
			memcpy(tll, opt + 2, 6);
		}
		s->at += len;
	}
	return true;
}

void parse_nd(struct parser *s)
{
	enum { SOLICIT = 135, ADVERT = 136, TARGET = 8, OPTIONS = 24 };
	const uint8_t *icmp = parser_at(s, s->at);
	struct mac sll = {{0}}, tll = {{0}};
	uint8_t target[16];
	bool solicit = icmp[0] == SOLICIT;

	if ((!solicit && icmp[0] != ADVERT) || icmp[1] != 0 || !parser_has(s, OPTIONS))
		return;
	memcpy(target, icmp + TARGET, 16);
	if (!read_nd_options(s, s->at + OPTIONS, solicit, &sll, &tll))
		return;
	parse_ext(s->key);
	memcpy(s->key->nd_target, target, 16);
	s->key->nd_sll = sll;
	s->key->nd_tll = tll;
}
