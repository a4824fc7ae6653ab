/* SPDX-License-Identifier: Apache-2.0 */
/* Copying packet bytes. A guest may alias its buffers, so source and destination may overlap: what is written
 * is then the guest's problem, but it is written where it should be. */
#ifndef PORTS_COPY_H
#define PORTS_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct copy_chunk32 {
	uint8_t b[32];
};

/* Loads all before anything is stored: right for 32 <= n <= 128. */
static inline void copy_up_to_128(uint8_t *to, const uint8_t *from, size_t n)
{
	struct copy_chunk32 a, b, c, d;

	memcpy(&a, from, 32);
	memcpy(&d, from + n - 32, 32);
	if (n > 64) {
		memcpy(&b, from + 32, 32);
		memcpy(&c, from + n - 64, 32);
		memcpy(to + 32, &b, 32);
		memcpy(to + n - 64, &c, 32);
	}
	memcpy(to, &a, 32);
	memcpy(to + n - 32, &d, 32);
}

static inline void copy_bytes(void *to, const void *from, size_t n)
{
	if (n >= 32 && n <= 128)
		copy_up_to_128(to, from, n);
	else
		memmove(to, from, n);
}

#endif
