/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes written as text; see hex.h. Used by the tests of the OpenFlow codec. */
#include "tests/lib/hex.h"

#include <stdio.h>

size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		sscanf(hex, "%2hhx", &out[n++]);
		hex++;
	}
	return n;
}
