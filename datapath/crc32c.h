/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (RFC 9260 appendix A) of a change: SCTP's checksum after a rewrite, without reading the payload. */
#ifndef DATAPATH_CRC32C_H
#define DATAPATH_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* What the CRC is to be XORed with when `n` bytes changed by `difference` (before XOR after) and `after`
 * bytes follow them. */
uint32_t crc32c_of_change(const uint8_t *difference, size_t n, size_t after);

#endif
