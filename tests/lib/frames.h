/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for tests: built whole, with right checksums, and checked. */
#ifndef TESTS_LIB_FRAMES_H
#define TESTS_LIB_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_MAX = 66000 };

struct frame {
	uint32_t len;
	uint32_t l3, l4; /* offsets */
	uint8_t data[FRAME_MAX];
};

struct frame_spec {
	const char *src_mac, *dst_mac; /* default 02:00:00:00:00:01, ...:02 */
	uint16_t vlan;                 /* TCI of a tag 0x8100, 0: none */
	const char *src, *dst;         /* IPv4 or IPv6 text; default 10.0.0.1, 10.0.0.2 */
	uint8_t proto;                 /* default UDP */
	uint16_t sport, dport;         /* ICMP: type, code */
	uint32_t payload;              /* bytes */
	uint8_t ttl;                   /* default 64 */
	uint16_t frag;                 /* IPv4 flags and offset, host order */
	bool partial;                  /* only the pseudo-header sum, as with NEEDS_CSUM */
};

void frame_make(struct frame *f, const struct frame_spec *spec);
/* Are all IPv4, TCP, UDP, SCTP and ICMP checksums of this Ethernet frame right? A UDP checksum of zero is,
 * over IPv4. */
bool frame_checksums_right(const uint8_t *data, uint32_t len);
/* CRC-32C of `n` bytes, bit by bit. */
uint32_t frame_crc32c(const uint8_t *data, size_t n);

#endif
