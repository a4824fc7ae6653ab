/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor that the parsers share. Private to datapath/parse*.c. */
#ifndef DATAPATH_PARSE_PRIVATE_H
#define DATAPATH_PARSE_PRIVATE_H

#include "datapath/parse.h"

struct parser {
	struct packet *p;
	struct mkey *key;
	uint32_t at;  /* next header, from head */
	uint32_t end; /* of what the headers so far say there is, <= p->len */
};

/* Are `n` bytes there, and private now? Pointers from parser_at stay valid: pulling only appends. */
static inline bool parser_has(struct parser *s, uint32_t n)
{
	return s->at + n <= s->end && (s->at + n <= s->p->head_len || packet_pull(s->p, s->at + n));
}

static inline const void *parser_at(const struct parser *s, uint32_t at)
{
	return s->p->head + at;
}

/* Makes ext valid (zero). */
void parse_ext(struct mkey *key);
/* The transport header at `at`. */
void parse_l4(struct parser *s, uint8_t proto);
/* IPv6 and all behind it. */
void parse_ipv6(struct parser *s);
/* Neighbour discovery (RFC 4861) behind the ICMPv6 header at `at`. */
void parse_nd(struct parser *s);

#endif
