/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over memory; see checksum.h. Plain C that compilers vectorise. */
#include "base/checksum.h"

static inline uint64_t load_tail(const uint8_t *p, size_t n)
{
	uint64_t w = 0;

	memcpy(&w, p, n);
	return w;
}

/* 32-bit words are summed into 64 bits: no carry can be lost below 2^32 words. */
uint64_t csum_bytes(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t sum = 0;
	size_t n = len & ~(size_t)3;

	for (size_t i = 0; i < n; i += 4) {
		uint32_t w;

		memcpy(&w, p + i, 4);
		sum += w;
	}
	return sum + load_tail(p + n, len - n);
}

uint64_t csum_copy(void *to, const void *from, size_t len)
{
	uint8_t block[512];
	const uint8_t *src = from;
	uint8_t *dst = to;
	uint64_t sum = 0;

	/* Through a private block, so that what is summed is what is written. */
	for (size_t n; len; len -= n, src += n, dst += n) {
		n = len < sizeof(block) ? len : sizeof(block);
		memcpy(block, src, n);
		sum = csum_add(sum, csum_bytes(block, n));
		memcpy(dst, block, n);
	}
	return sum;
}

uint64_t csum_pseudo4(be32 src, be32 dst, uint8_t proto, uint16_t len)
{
	return (uint64_t)src + dst + htobe16(proto) + htobe16(len);
}

uint64_t csum_pseudo6(const uint8_t src[16], const uint8_t dst[16], uint8_t proto, uint32_t len)
{
	return csum_bytes(src, 16) + csum_bytes(dst, 16) + htobe32(proto) + htobe32(len);
}
