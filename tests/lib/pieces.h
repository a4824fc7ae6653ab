/* SPDX-License-Identifier: Apache-2.0 */
/* A packet cut as a port might cut it, for fuzz targets. */
#ifndef TESTS_LIB_PIECES_H
#define TESTS_LIB_PIECES_H

#include "base/dp/packet.h"

/* `p` becomes a view of the `len` bytes at `data`, which stay: at most `head` of them private, the rest in
 * pieces of `piece` + 1 bytes, and what is too many of them in the last one. */
void packet_cut(struct packet *p, const uint8_t *data, uint32_t len, uint8_t head, uint8_t piece);

#endif
