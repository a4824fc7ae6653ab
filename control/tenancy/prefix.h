/* SPDX-License-Identifier: Apache-2.0 */
/* An address and a length: "10.0.0.0/24". IPv4 is held as IPv4-mapped IPv6, its length plus 96. */
#ifndef CONTROL_TENANCY_PREFIX_H
#define CONTROL_TENANCY_PREFIX_H

#include "base/addr.h"

enum { PREFIX_TEXT_MAX = IP_TEXT_MAX + 4 };

struct prefix {
	struct ip_addr addr; /* no bit beyond the length */
	uint8_t len;         /* of 128 */
};

/* 0 or -EINVAL: not "ADDRESS/LENGTH" or an address alone (full length), or bits beyond the length. */
int prefix_parse(const char *text, struct prefix *out);
const char *prefix_format(const struct prefix *p, char *text); /* PREFIX_TEXT_MAX bytes */

bool prefix_has(const struct prefix *p, const struct ip_addr *a);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
static inline bool prefix_is_v4(const struct prefix *p)
{
	return ip_is_v4(&p->addr);
}
/* As people write it: 24 of 10.0.0.0/24. */
static inline unsigned prefix_length(const struct prefix *p)
{
	return prefix_is_v4(p) ? p->len - 96u : p->len;
}
/* The network's mask, 255.255.255.0 of a /24, in network order. */
uint32_t prefix_mask_v4(const struct prefix *p);
/* The last address of it (the broadcast address of an IPv4 subnet). */
struct ip_addr prefix_last(const struct prefix *p);
/* The address `n` after its first one; false when that is outside. */
bool prefix_nth(const struct prefix *p, uint64_t n, struct ip_addr *out);

#endif
