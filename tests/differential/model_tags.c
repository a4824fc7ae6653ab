/* SPDX-License-Identifier: Apache-2.0 */
/* The model's tags, labels and what they do to TTLs: bytes move. */
#include <string.h>

#include "tests/differential/model_frame.h"

enum { BOTTOM = 0x100, TAGS_MAX = 2, FRAME_MIN = 60 };

static bool is_tag(uint16_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

static bool is_mpls(uint16_t type)
{
	return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MC;
}

/* Of the EtherType behind the tags; more than two are not seen through. */
static uint32_t type_at(const struct model_frame *f)
{
	uint32_t at = 12;

	for (unsigned i = 0; i < TAGS_MAX && is_tag(get16(f->data + at)) && at + 6 <= f->len; i++)
		at += 4;
	return at;
}

static void insert(struct model_frame *f, uint32_t at, uint32_t n)
{
	memmove(f->data + at + n, f->data + at, f->len - at);
	f->len += n;
	f->csum_start = (uint16_t)(f->csum_start + n);
}

/* A frame that was no runt does not become one. */
static void cut_out(struct model_frame *f, uint32_t at, uint32_t n)
{
	bool runt = f->len < FRAME_MIN;

	memmove(f->data + at, f->data + at + n, f->len - at - n);
	f->len -= n;
	f->csum_start = (uint16_t)(f->csum_start - n);
	if (!runt && f->len < FRAME_MIN) {
		memset(f->data + f->len, 0, FRAME_MIN - f->len);
		f->padding += FRAME_MIN - f->len;
		f->len = FRAME_MIN;
	}
}

void model_push_vlan(struct model_frame *f, uint16_t tpid)
{
	bool tagged = is_tag(get16(f->data + 12)) && f->len >= 18;

	insert(f, 12, 4);
	put16(f->data + 12, tpid);
	put16(f->data + 14, tagged ? get16(f->data + 18) : 0);
}

void model_pop_vlan(struct model_frame *f)
{
	if (is_tag(get16(f->data + 12)) && f->len >= 18)
		cut_out(f, 12, 4);
}

/* The TTL of what lies behind the EtherType, if it has one; NULL: it has none. */
static uint8_t *ip_ttl(struct model_frame *f)
{
	struct model_layout at;
	struct flow_key key;

	model_parse(f, &key, &at);
	if (at.is == MODEL_L3_IPV4)
		return f->data + at.l3 + 8;
	return at.is == MODEL_L3_IPV6 ? f->data + at.l3 + 7 : NULL;
}

/* A label needs an EtherType in front of it, not SNAP. */
static void without_snap(struct model_frame *f)
{
	uint32_t at = type_at(f);
	struct model_layout layout;
	struct flow_key key;

	model_parse(f, &key, &layout);
	if (!layout.is || layout.l3 != at + 10)
		return;
	cut_out(f, at, 8);
	f->snap_lost = true;
}

void model_push_mpls(struct model_frame *f, uint16_t ethertype)
{
	uint32_t at = type_at(f), lse = BOTTOM;

	without_snap(f);
	if (is_mpls(get16(f->data + at)) && at + 6 <= f->len)
		lse = get32(f->data + at + 2) & ~(uint32_t)BOTTOM;
	else if (ip_ttl(f))
		lse = BOTTOM | *ip_ttl(f);
	insert(f, at + 2, 4);
	put16(f->data + at, ethertype);
	put32(f->data + at + 2, lse);
}

void model_pop_mpls(struct model_frame *f, uint16_t ethertype)
{
	uint32_t at = type_at(f);

	if (!is_mpls(get16(f->data + at)) || at + 6 > f->len)
		return;
	cut_out(f, at + 2, 4);
	put16(f->data + at, ethertype);
}

void model_push_pbb(struct model_frame *f, uint16_t ethertype)
{
	uint32_t at = type_at(f), itag = 0;

	if (get16(f->data + at) == ETH_TYPE_PBB && at + 6 <= f->len)
		itag = get32(f->data + at + 2);
	else if (at > 12)
		itag = (uint32_t)(f->data[14] & 0xe0) << 24;
	insert(f, 0, 18);
	memcpy(f->data, f->data + 18, 12);
	put16(f->data + 12, ethertype);
	put32(f->data + 14, itag);
}

void model_pop_pbb(struct model_frame *f)
{
	uint32_t at = type_at(f);

	if (get16(f->data + at) == ETH_TYPE_PBB && at + 20 <= f->len)
		cut_out(f, 0, at + 6);
}

/* What lies behind the last label at `at`, as a frame of its own; NULL: no IP. */
static struct model_frame *behind_labels(const struct model_frame *f, uint32_t at, struct model_layout *l)
{
	static struct model_frame inner;
	struct flow_key key;
	uint32_t end = f->len - f->padding;

	if (at >= end)
		return NULL;
	inner.len = end - at + 14;
	inner.partial = false;
	memset(inner.data, 0, 12);
	put16(inner.data + 12, f->data[at] >> 4 == 4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
	memcpy(inner.data + 14, f->data + at, end - at);
	model_parse(&inner, &key, l);
	return l->is == MODEL_L3_IPV4 || l->is == MODEL_L3_IPV6 ? &inner : NULL;
}

static void copy_ttl_with_ip(struct model_frame *f, uint32_t label, bool in)
{
	static const struct field_value all = {.b = {[15] = 0xff}};
	struct field_value value = value_from_u64(f->data[label + 3]);
	struct model_layout l;
	struct model_frame *ip = behind_labels(f, label + 4, &l);

	if (!ip)
		return;
	if (!in) {
		f->data[label + 3] = ip->data[l.is == MODEL_L3_IPV4 ? 22 : 21];
		return;
	}
	model_set(ip, FIELD_NW_TTL, &value, &all);
	memcpy(f->data + label + 4, ip->data + 14, ip->len - 14);
}

void model_copy_ttl(struct model_frame *f, bool in)
{
	uint32_t at = type_at(f) + 2;

	if (!is_mpls(get16(f->data + at - 2)) || at + 4 > f->len)
		return;
	if (f->data[at + 2] & 1)
		copy_ttl_with_ip(f, at, in);
	else if (at + 8 > f->len)
		return;
	else if (in)
		f->data[at + 7] = f->data[at + 3];
	else
		f->data[at + 3] = f->data[at + 7];
}
