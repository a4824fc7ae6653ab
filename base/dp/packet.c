/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on the packet view; see packet.h. */
#include "base/dp/packet.h"

static uint16_t room_behind(const struct packet *p)
{
	return (uint16_t)(p->buf + sizeof(p->buf) - (p->head + p->head_len));
}

void packet_view(struct packet *p, uint32_t in_port, const uint8_t *data, uint32_t len)
{
	packet_reset(p);
	p->head_len = (uint16_t)(len < PACKET_HEAD_FIRST ? len : PACKET_HEAD_FIRST);
	memcpy(p->head, data, p->head_len);
	if (len > p->head_len)
		p->segs[p->nsegs++] = (struct packet_seg){data + p->head_len, len - p->head_len};
	p->len = len;
	p->in_port = in_port;
}

bool packet_pull(struct packet *p, uint32_t n)
{
	uint16_t used = 0;

	if (n <= p->head_len)
		return true;
	if (n > p->len || n - p->head_len > room_behind(p))
		return false;
	while (p->head_len < n) {
		struct packet_seg *s = &p->segs[used];
		uint32_t take = n - p->head_len < s->len ? n - p->head_len : s->len;

		memcpy(p->head + p->head_len, s->data, take);
		p->head_len = (uint16_t)(p->head_len + take);
		s->data += take;
		s->len -= take;
		if (!s->len)
			used++;
	}
	if (used) {
		p->nsegs = (uint16_t)(p->nsegs - used);
		memmove(p->segs, p->segs + used, p->nsegs * sizeof(p->segs[0]));
	}
	return true;
}

bool packet_stretch(struct packet *p, uint32_t at, uint32_t old, uint32_t n)
{
	if (n > old && n - old > room_behind(p))
		return false;
	memmove(p->head + at + n, p->head + at + old, p->head_len - at - old);
	p->head_len = (uint16_t)(p->head_len + n - old);
	p->len += n - old;
	return true;
}

void packet_snapshot(struct packet *to, const struct packet *from)
{
	memcpy(to, from, offsetof(struct packet, segs));
	memcpy(to->segs, from->segs, from->nsegs * sizeof(from->segs[0]));
	to->head = to->buf + (from->head - from->buf);
	memcpy(to->head, from->head, from->head_len);
}

void packet_copy_out(const struct packet *p, uint32_t ofs, uint32_t n, void *to)
{
	uint8_t *out = to;
	uint32_t take;

	if (ofs < p->head_len) {
		take = n < p->head_len - ofs ? n : p->head_len - ofs;
		memcpy(out, p->head + ofs, take);
		out += take;
		n -= take;
		ofs = 0;
	} else {
		ofs -= p->head_len;
	}
	for (uint16_t i = 0; n && i < p->nsegs; i++) {
		const struct packet_seg *s = &p->segs[i];

		if (ofs >= s->len) {
			ofs -= s->len;
			continue;
		}
		take = n < s->len - ofs ? n : s->len - ofs;
		memcpy(out, s->data + ofs, take);
		out += take;
		n -= take;
		ofs = 0;
	}
}
