/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Internet checksum (RFC 1071) in parts.
 *
 * A running sum is a 64-bit one's-complement sum of 16-bit words in memory order, so no byte swapping is
 * needed and the folded result can be stored in a header as it is. A piece that starts at an odd offset of
 * the checksummed range is added with csum_add_at().
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/wire.h"

/* Sum of `len` bytes, any alignment; an odd last byte counts as the high byte of a word padded with zero. */
uint64_t csum_bytes(const void *data, size_t len);

/* Copies `len` bytes (regions may overlap) and returns the sum of what was written: the bytes are read once,
 * so it is right even while another party changes the source. */
uint64_t csum_copy(void *to, const void *from, size_t len);

/* One's-complement addition of running sums. */
static inline uint64_t csum_add(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

/* 16-bit one's-complement sum, not inverted, in memory order. */
static inline be16 csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (be16)sum;
}

/* Adds the sum of a piece that lies `ofs` bytes into the checksummed range. */
static inline uint64_t csum_add_at(uint64_t sum, uint64_t piece, size_t ofs)
{
	if (ofs & 1)
		piece = __builtin_bswap16(csum_fold(piece));
	return csum_add(sum, piece);
}

/* What goes into the header: the inverted fold. */
static inline be16 csum_finish(uint64_t sum)
{
	return (be16)~csum_fold(sum);
}

/* The same for UDP, where 0 means "no checksum" and is sent as 0xffff (RFC 768). */
static inline be16 csum_finish_udp(uint64_t sum)
{
	be16 c = csum_finish(sum);

	return c ? c : 0xffff;
}

/* The same for a transport header whose field lies `offset` bytes in: UDP's does at 6, all others' elsewhere.
 */
static inline be16 csum_finish_field(uint64_t sum, uint16_t offset)
{
	return offset == offsetof(struct udp_header, csum) ? csum_finish_udp(sum) : csum_finish(sum);
}

/* Pseudo-header sums (RFC 9293 section 3.1, RFC 8200 section 8.1). `len` is the L4 length in host order. */
uint64_t csum_pseudo4(be32 src, be32 dst, uint8_t proto, uint16_t len);
uint64_t csum_pseudo6(const uint8_t src[16], const uint8_t dst[16], uint8_t proto, uint32_t len);

/* The checksum field after bytes at an even offset of the range changed that had the sum `before` and now
 * have `after` (RFC 1624, equation 3). */
static inline be16 csum_change(be16 csum, uint64_t before, uint64_t after)
{
	return csum_finish(csum_add(csum_add((be16)~csum, after), (be16)~csum_fold(before)));
}

/* The same of `len` (even) bytes. */
static inline be16 csum_update(be16 csum, const void *before, const void *after, size_t len)
{
	return csum_change(csum, csum_bytes(before, len), csum_bytes(after, len));
}

#endif
