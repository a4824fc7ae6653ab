/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a whole frame into what a guest hands over for segmentation: the virtio-net header that describes it,
 * and a transport checksum that holds only the pseudo-header's sum. Used by scenario.c. */
#ifndef TESTS_PKTGEN_OFFLOAD_H
#define TESTS_PKTGEN_OFFLOAD_H

#include <stdint.h>

#include "base/error.h"
#include "ports/vnet.h"

/* `frame` (Ethernet without tags, IPv4 or IPv6 without extensions, TCP or UDP) is to be cut into segments of
 * `gso_size` bytes of payload. -EINVAL with the reason in `e` when it is something else. */
int offload_gso(uint8_t *frame, uint32_t len, uint16_t gso_size, struct vnet_header *h, struct error *e);

#endif
