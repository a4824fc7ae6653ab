/* SPDX-License-Identifier: Apache-2.0 */
/* The packet view: pulling, moving the start, snapshots, copying out. */
#include <criterion/criterion.h>

#include "base/dp/packet.h"

static uint8_t payload[300];

static void fill(struct packet *p)
{
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)i;
	packet_reset(p);
	memcpy(p->head, payload, 10);
	p->head_len = 10;
	p->segs[0] = (struct packet_seg){payload + 10, 20};
	p->segs[1] = (struct packet_seg){payload + 30, 270};
	p->nsegs = 2;
	p->len = 300;
}

Test(packet, pull_takes_from_the_segments_in_order)
{
	struct packet p;

	fill(&p);
	cr_assert(packet_pull(&p, 30));
	cr_assert_eq(p.head_len, 30);
	cr_assert_eq(p.nsegs, 1);
	cr_assert(packet_pull(&p, 31));
	cr_assert_eq(p.segs[0].len, 269);
	cr_assert_eq(memcmp(p.head, payload, 31), 0);
	cr_assert_eq(p.len, 300);
}

Test(packet, pull_refuses_what_is_not_there_or_has_no_room)
{
	struct packet p;

	fill(&p);
	cr_assert_not(packet_pull(&p, 301));
	p.len = 1000;
	p.segs[1].len = 970;
	cr_assert_not(packet_pull(&p, PACKET_HEAD_MAX + 1));
	cr_assert_eq(p.head_len, 10);
}

Test(packet, push_and_pop_move_every_offset)
{
	struct packet p;

	fill(&p);
	p.l3 = 4;
	p.l4 = 8;
	p.flags = PACKET_NEEDS_CSUM;
	p.csum_start = 8;
	cr_assert(packet_push(&p, 50));
	cr_assert_eq(p.len, 350);
	cr_assert_eq(p.l3, 54);
	cr_assert_eq(p.csum_start, 58);
	cr_assert(packet_pop(&p, 50));
	cr_assert_eq(p.l4, 8);
	cr_assert_not(packet_push(&p, PACKET_HEADROOM + 1));
	cr_assert_not(packet_pop(&p, 11));
}

Test(packet, a_snapshot_does_not_see_later_changes)
{
	struct packet p, s;
	uint8_t out[300];

	fill(&p);
	packet_snapshot(&s, &p);
	p.head[0] = 0xff;
	cr_assert(packet_pull(&p, 40));
	packet_copy_out(&s, 0, 300, out);
	cr_assert_eq(memcmp(out, payload, 300), 0);
}

Test(packet, copy_out_crosses_head_and_segments)
{
	struct packet p;
	uint8_t out[300];

	fill(&p);
	for (unsigned ofs = 0; ofs < 300; ofs += 7) {
		unsigned n = 300 - ofs < 41 ? 300 - ofs : 41;

		packet_copy_out(&p, ofs, n, out);
		cr_assert_eq(memcmp(out, payload + ofs, n), 0);
	}
}

Test(packet, stretch_moves_what_lies_behind)
{
	struct packet p;
	uint8_t out[310];

	fill(&p);
	cr_assert(packet_pull(&p, 20));
	cr_assert(packet_stretch(&p, 6, 3, 8));
	cr_assert_eq(p.head_len, 25);
	cr_assert_eq(p.len, 305);
	packet_copy_out(&p, 0, 305, out);
	cr_assert_eq(memcmp(out, payload, 6), 0);
	cr_assert_eq(memcmp(out + 14, payload + 9, 291), 0);
	cr_assert(packet_stretch(&p, 6, 8, 0));
	cr_assert_eq(p.len, 297);
	packet_copy_out(&p, 6, 291, out);
	cr_assert_eq(memcmp(out, payload + 9, 291), 0);
	cr_assert_not(packet_stretch(&p, 6, 1, PACKET_HEAD_MAX - 15));
	cr_assert_eq(p.len, 297);
	cr_assert(packet_stretch(&p, 6, 1, PACKET_HEAD_MAX - 16));
	cr_assert_eq(p.head_len, PACKET_HEAD_MAX);
}
