/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C arithmetic in GF(2)[x]; see crc32c.h. Called by rewrite.c. */
#include "datapath/crc32c.h"

enum { BITS = 32 };
#define POLYNOMIAL 0x82f63b78u /* reflected */

/* a * b modulo the polynomial; bit 31 is x^0, as in every reflected CRC. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (int i = 0; i < BITS; i++) {
		product ^= b & -(a >> 31);
		a <<= 1;
		b = (b >> 1) ^ (POLYNOMIAL & -(b & 1));
	}
	return product;
}

/* x^(8 n) */
static uint32_t power_of_bytes(size_t n)
{
	uint32_t result = 1u << 31, square = 1u << 23; /* 1, x^8 */

	for (; n; n >>= 1) {
		if (n & 1)
			result = multiply(result, square);
		square = multiply(square, square);
	}
	return result;
}

uint32_t crc32c_of_change(const uint8_t *difference, size_t n, size_t after)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc ^= difference[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (POLYNOMIAL & -(crc & 1));
	}
	return multiply(crc, power_of_bytes(after));
}
