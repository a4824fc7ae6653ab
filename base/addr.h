/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as plain values: MAC and IP (IPv4 held as IPv4-mapped IPv6), with their text forms. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct mac {
	uint8_t b[6];
};

/* An IPv4 address is kept as ::ffff:a.b.c.d; all zero means "none". Bytes are in network order. */
struct ip_addr {
	uint8_t b[16];
};

enum { MAC_TEXT_MAX = 18, IP_TEXT_MAX = 46 };

static inline bool mac_equal(struct mac a, struct mac b)
{
	return memcmp(a.b, b.b, 6) == 0;
}

static inline bool mac_is_multicast(struct mac m)
{
	return m.b[0] & 1;
}

static inline bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	uint64_t x[2], y[2];

	/* not memcmp, which the compiler calls here */
	memcpy(x, a->b, sizeof(x));
	memcpy(y, b->b, sizeof(y));
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]));
}

static inline bool ip_is_none(const struct ip_addr *a)
{
	static const struct ip_addr none;
	return ip_equal(a, &none);
}

static inline bool ip_is_v4(const struct ip_addr *a)
{
	static const uint8_t mapped[4] = {0, 0, 0xff, 0xff};
	uint64_t zero;

	memcpy(&zero, a->b, sizeof(zero));
	return !zero && memcmp(a->b + sizeof(zero), mapped, sizeof(mapped)) == 0;
}

/* `be` is the IPv4 address in network order. */
static inline struct ip_addr ip_from_v4(uint32_t be)
{
	struct ip_addr a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
	memcpy(a.b + 12, &be, 4);
	return a;
}

/* Network order; only meaningful when ip_is_v4(). */
static inline uint32_t ip_to_v4(const struct ip_addr *a)
{
	uint32_t be;
	memcpy(&be, a->b + 12, 4);
	return be;
}

/* "aa:bb:cc:dd:ee:ff" in either case. The whole text must be the address. 0 or -EINVAL. */
int mac_parse(const char *text, struct mac *out);
/* Writes into `text` (at least MAC_TEXT_MAX / IP_TEXT_MAX bytes) and returns it. */
const char *mac_format(struct mac m, char *text);
/* IPv4 or IPv6 presentation form, nothing around it. 0 or -EINVAL. */
int ip_parse(const char *text, struct ip_addr *out);
const char *ip_format(const struct ip_addr *a, char *text);

#endif
