/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes; see prefix.h. Used by the tenancy, its reader and the agent. */
#include "control/tenancy/prefix.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The mask of byte `i` for a length of `len` bits. */
static uint8_t mask_byte(unsigned len, unsigned i)
{
	if (len >= 8 * (i + 1))
		return 0xff;
	return len <= 8 * i ? 0 : (uint8_t)(0xff << (8 * (i + 1) - len));
}

int prefix_parse(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char address[IP_TEXT_MAX], *end = NULL;
	unsigned long len;

	if (n >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, n);
	address[n] = '\0';
	if (ip_parse(address, &out->addr))
		return -EINVAL;
	len = ip_is_v4(&out->addr) ? 32 : 128;
	if (slash) {
		unsigned long most = len;

		if (!isdigit((unsigned char)slash[1]))
			return -EINVAL;
		len = strtoul(slash + 1, &end, 10);
		if (*end || len > most)
			return -EINVAL;
	}
	out->len = (uint8_t)(ip_is_v4(&out->addr) ? len + 96 : len);
	for (unsigned i = 0; i < 16; i++)
		if (out->addr.b[i] & ~mask_byte(out->len, i))
			return -EINVAL;
	return 0;
}

const char *prefix_format(const struct prefix *p, char *text)
{
	ip_format(&p->addr, text);
	snprintf(text + strlen(text), 5, "/%u", prefix_length(p) & 0xff);
	return text;
}

bool prefix_has(const struct prefix *p, const struct ip_addr *a)
{
	if (prefix_is_v4(p) != ip_is_v4(a))
		return false;
	for (unsigned i = 0; i < 16; i++)
		if ((a->b[i] ^ p->addr.b[i]) & mask_byte(p->len, i))
			return false;
	return true;
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->len <= b->len ? prefix_has(a, &b->addr) : prefix_has(b, &a->addr);
}

uint32_t prefix_mask_v4(const struct prefix *p)
{
	unsigned len = prefix_length(p);

	return htobe32(len ? ~0u << (32 - len) : 0);
}

struct ip_addr prefix_last(const struct prefix *p)
{
	struct ip_addr a = p->addr;

	for (unsigned i = 0; i < 16; i++)
		a.b[i] |= (uint8_t)~mask_byte(p->len, i);
	return a;
}

bool prefix_nth(const struct prefix *p, uint64_t n, struct ip_addr *out)
{
	uint64_t low;

	*out = p->addr;
	memcpy(&low, out->b + 8, 8);
	low = be64toh(low) + n;
	low = htobe64(low);
	memcpy(out->b + 8, &low, 8);
	return prefix_has(p, out);
}
