/* SPDX-License-Identifier: Apache-2.0 */
/* A packet cut in pieces; see pieces.h. Used by parse_fuzz and track_fuzz. */
#include "tests/lib/pieces.h"

void packet_cut(struct packet *p, const uint8_t *data, uint32_t len, uint8_t head, uint8_t piece)
{
	uint32_t at = head < len ? head : len;

	if (at > PACKET_HEAD_FIRST)
		at = PACKET_HEAD_FIRST;
	packet_reset(p);
	memcpy(p->head, data, at);
	p->head_len = (uint16_t)at;
	p->len = len;
	while (at < len) {
		uint32_t n = piece + 1u;

		if (n > len - at || p->nsegs == PACKET_SEGS_MAX - 1)
			n = len - at;
		p->segs[p->nsegs++] = (struct packet_seg){data + at, n};
		at += n;
	}
}
