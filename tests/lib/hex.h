/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes written as text. */
#ifndef TESTS_LIB_HEX_H
#define TESTS_LIB_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Pairs of hexadecimal digits, with spaces between bytes where one likes; how many bytes there are. `out` has
 * room for them. */
size_t from_hex(const char *hex, uint8_t *out);

#endif
