/* SPDX-License-Identifier: Apache-2.0 */
/* Decrementing and copying TTLs. Called by actions.c. */
#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "datapath/rewrite.h"

/* Stores a TTL in the IP header at l3. */
static void store_ip_ttl(struct packet *p, uint8_t ttl)
{
	struct field_value value = value_from_u64(ttl), mask = value_from_u64(0xff);

	rewrite_field(p, FIELD_NW_TTL, &value, &mask);
}

static uint8_t *ip_ttl(struct packet *p)
{
	if (p->l3_kind == L3_IPV4)
		return p->head + p->l3 + offsetof(struct ipv4_header, ttl);
	if (p->l3_kind == L3_IPV6)
		return p->head + p->l3 + offsetof(struct ipv6_header, hop_limit);
	return NULL;
}

bool rewrite_dec_ttl(struct packet *p)
{
	const uint8_t *ttl = ip_ttl(p);

	if (!ttl)
		return true;
	if (*ttl <= 1)
		return false;
	store_ip_ttl(p, (uint8_t)(*ttl - 1));
	return true;
}

/* Behind the last label lies IP, or something without a TTL: its first nibble tells (RFC 4928). */
static void find_ip_behind(struct packet *p, uint16_t at)
{
	if (p->l3_kind == L3_IPV4 || p->l3_kind == L3_IPV6)
		return;
	if (packet_pull(p, at + (uint32_t)sizeof(struct ipv4_header)) && p->head[at] >> 4 == 4)
		p->l3_kind = L3_IPV4;
	else if (packet_pull(p, at + (uint32_t)sizeof(struct ipv6_header)) && p->head[at] >> 4 == 6)
		p->l3_kind = L3_IPV6;
	else
		return;
	p->l3 = at;
}

/* The TTL byte of the outermost label, and that of the next one if there is one. */
static uint8_t *mpls_ttl(struct packet *p, uint8_t **next)
{
	be16 type;
	uint16_t at = tags_end(p, &type);

	*next = NULL;
	if (!at || (type != htobe16(ETH_TYPE_MPLS) && type != htobe16(ETH_TYPE_MPLS_MC)) ||
	    !packet_pull(p, at + 4u))
		return NULL;
	if (p->head[at + 2] & 1)
		find_ip_behind(p, at + 4);
	else if (packet_pull(p, at + 8u))
		*next = p->head + at + 7;
	return p->head + at + 3;
}

bool rewrite_dec_mpls_ttl(struct packet *p)
{
	uint8_t *next, *ttl = mpls_ttl(p, &next);

	if (!ttl)
		return true;
	if (*ttl <= 1)
		return false;
	--*ttl;
	return true;
}

void rewrite_copy_ttl_in(struct packet *p)
{
	uint16_t l3 = p->l3;
	uint8_t kind = p->l3_kind, *next, *ttl = mpls_ttl(p, &next);

	if (ttl && next)
		*next = *ttl;
	else if (ttl)
		store_ip_ttl(p, *ttl);
	p->l3 = l3;
	p->l3_kind = kind;
}

void rewrite_copy_ttl_out(struct packet *p)
{
	uint16_t l3 = p->l3;
	uint8_t kind = p->l3_kind, *next, *ttl = mpls_ttl(p, &next);

	if (ttl && !next)
		next = ip_ttl(p);
	if (ttl && next)
		*ttl = *next;
	p->l3 = l3;
	p->l3_kind = kind;
}
