/* SPDX-License-Identifier: Apache-2.0 */
/* The model's way of changing frames: bits at a place, checksums made anew. */
#include "tests/differential/model_frame.h"

#include <string.h>

#include "tests/lib/frames.h"

struct place { /* of a field: `n` bytes at `at`, bit 0 of it `shift` up in them */
	uint32_t at;
	unsigned n, shift;
};

void model_frame_copy(struct model_frame *to, const struct model_frame *from)
{
	memcpy(to, from, offsetof(struct model_frame, data) + from->len);
}

static void look(const struct model_frame *f, struct flow_key *key, struct model_layout *at)
{
	memset(key, 0, sizeof(*key));
	model_parse(f, key, at);
}

/* ---- sums ---- */

static uint32_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

uint32_t model_sum(const uint8_t *bytes, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return fold(sum);
}

uint32_t model_pseudo_sum(const struct model_frame *f, const struct model_layout *at)
{
	uint64_t sum = at->proto + (at->end - at->l4);

	if (at->is == MODEL_L3_IPV4)
		sum += model_sum(f->data + at->l3 + 12, 8);
	else
		sum += model_sum(f->data + at->l3 + 8, 32);
	return fold(sum);
}

uint32_t model_l4_csum(const struct model_layout *at)
{
	if (!at->l4)
		return 0;
	switch (at->proto) {
	case IP_PROTO_TCP:
		return at->l4 + 16;
	case IP_PROTO_UDP:
		return at->l4 + 6;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMPV6:
		return at->l4 + 2;
	default:
		return 0;
	}
}

/* What the transport checksum covers, without it. */
static uint32_t l4_sum(const struct model_frame *f, const struct model_layout *at)
{
	uint32_t csum = model_l4_csum(at);
	uint64_t sum = model_sum(f->data + at->l4, at->end - at->l4);

	sum += 0xffffu - get16(f->data + csum);
	return fold(at->proto == IP_PROTO_ICMP ? sum : sum + model_pseudo_sum(f, at));
}

void model_finish(struct model_frame *f)
{
	uint32_t at = (uint32_t)f->csum_start + f->csum_offset, sum;

	if (!f->partial)
		return;
	f->partial = false;
	sum = 0xffff - model_sum(f->data + f->csum_start, f->len - f->csum_start);
	put16(f->data + at, sum ? sum : 0xffff);
}

/* ---- checksums after a change ---- */

/* The checksum that is as right for `after` as `was` is for `before`. */
static uint32_t carried_over(uint32_t was, uint32_t before, uint32_t after)
{
	uint32_t total = fold((uint64_t)was + before), csum = fold((uint64_t)total + 0xffff - after);

	return csum == 0xffff ? 0 : csum;
}

static void fix_ipv4(const struct model_frame *old, struct model_frame *f, const struct model_layout *at)
{
	uint32_t size = (f->data[at->l3] & 15u) * 4, csum = at->l3 + 10;
	struct model_frame *both[2] = {(struct model_frame *)(uintptr_t)old, f};
	uint32_t sums[2];

	if (at->is != MODEL_L3_IPV4)
		return;
	for (unsigned i = 0; i < 2; i++)
		sums[i] = fold((uint64_t)model_sum(both[i]->data + at->l3, size) + 0xffff -
		               get16(both[i]->data + csum));
	if (sums[0] != sums[1])
		put16(f->data + csum, carried_over(get16(old->data + csum), sums[0], sums[1]));
}

/* SCTP: the CRC is linear. */
static void fix_sctp(const struct model_frame *old, struct model_frame *f, const struct model_layout *at)
{
	static uint8_t changed[MODEL_FRAME_MAX], zero[MODEL_FRAME_MAX];
	uint32_t n = at->end - at->l4, csum = at->l4 + 8, crc;

	if (memcmp(old->data + at->l4, f->data + at->l4, 4) == 0 || (f->partial && f->csum_start == at->l4))
		return;
	for (uint32_t i = 0; i < n; i++)
		changed[i] = old->data[at->l4 + i] ^ f->data[at->l4 + i];
	crc = frame_crc32c(changed, n) ^ frame_crc32c(zero, n);
	for (unsigned i = 0; i < 4; i++)
		f->data[csum + i] ^= (uint8_t)(crc >> (8 * i));
}

static void fix_l4(const struct model_frame *old, struct model_frame *f, const struct model_layout *at)
{
	uint32_t csum = model_l4_csum(at), was, before, after;

	if (at->l4 && at->proto == IP_PROTO_SCTP)
		fix_sctp(old, f, at);
	if (!csum)
		return;
	was = get16(old->data + csum);
	if (f->partial && f->csum_start == at->l4) {
		before = model_pseudo_sum(old, at);
		after = model_pseudo_sum(f, at);
		if (before != after)
			put16(f->data + csum, fold((uint64_t)was + after + 0xffff - before));
		return;
	}
	if (at->proto == IP_PROTO_UDP && !was)
		return;
	before = l4_sum(old, at);
	after = l4_sum(f, at);
	if (before == after)
		return;
	was = carried_over(was, before, after);
	put16(f->data + csum, !was && at->proto == IP_PROTO_UDP ? 0xffff : was);
}

/* ---- places ---- */

static bool link_place(enum field_id id, const struct model_layout *at, struct place *p)
{
	bool mpls = at->type == ETH_TYPE_MPLS || at->type == ETH_TYPE_MPLS_MC;

	switch (id) {
	case FIELD_ETH_DST:
		*p = (struct place){0, 6, 0};
		return true;
	case FIELD_ETH_SRC:
		*p = (struct place){6, 6, 0};
		return true;
	case FIELD_DL_VLAN:
	case FIELD_VLAN_VID:
		*p = (struct place){14, 2, 0};
		return at->tags;
	case FIELD_DL_VLAN_PCP:
	case FIELD_VLAN_PCP:
		*p = (struct place){14, 2, 13};
		return at->tags;
	case FIELD_MPLS_LABEL:
		*p = (struct place){at->l3, 4, 12};
		return mpls;
	case FIELD_MPLS_TC:
		*p = (struct place){at->l3, 4, 9};
		return mpls;
	case FIELD_MPLS_TTL:
		*p = (struct place){at->l3, 4, 0};
		return mpls;
	case FIELD_PBB_ISID:
		*p = (struct place){at->l3, 4, 0};
		return at->type == ETH_TYPE_PBB;
	default:
		return false;
	}
}

static bool ip_place(enum field_id id, const struct model_layout *at, struct place *p)
{
	bool v4 = at->is == MODEL_L3_IPV4, v6 = at->is == MODEL_L3_IPV6;

	switch (id) {
	case FIELD_IPV4_SRC:
		*p = (struct place){at->l3 + 12, 4, 0};
		return v4;
	case FIELD_IPV4_DST:
		*p = (struct place){at->l3 + 16, 4, 0};
		return v4;
	case FIELD_IPV6_SRC:
		*p = (struct place){at->l3 + 8, 16, 0};
		return v6;
	case FIELD_IPV6_DST:
		*p = (struct place){at->l3 + 24, 16, 0};
		return v6;
	case FIELD_IPV6_LABEL:
		*p = (struct place){at->l3, 4, 0};
		return v6;
	case FIELD_NW_TOS:
	case FIELD_NW_ECN:
		*p = v4 ? (struct place){at->l3 + 1, 1, 0} : (struct place){at->l3, 4, 20};
		return v4 || v6;
	case FIELD_IP_DSCP:
		*p = v4 ? (struct place){at->l3 + 1, 1, 2} : (struct place){at->l3, 4, 22};
		return v4 || v6;
	case FIELD_NW_TTL:
		*p = (struct place){at->l3 + (v4 ? 8 : 7), 1, 0};
		return v4 || v6;
	default:
		return false;
	}
}

static bool arp_place(enum field_id id, const struct model_layout *at, struct place *p)
{
	static const struct {
		enum field_id id;
		uint8_t at, n;
	} places[] = {{FIELD_ARP_OP, 6, 2},
	              {FIELD_ARP_SHA, 8, 6},
	              {FIELD_ARP_SPA, 14, 4},
	              {FIELD_ARP_THA, 18, 6},
	              {FIELD_ARP_TPA, 24, 4}};

	for (unsigned i = 0; i < 5; i++)
		if (places[i].id == id) {
			*p = (struct place){at->l3 + places[i].at, places[i].n, 0};
			return at->is == MODEL_L3_ARP;
		}
	return false;
}

static bool l4_place(enum field_id id, const struct model_layout *at, struct place *p)
{
	static const struct {
		enum field_id id;
		uint8_t proto, at, n;
	} places[] = {
	        {FIELD_TCP_SRC, IP_PROTO_TCP, 0, 2},        {FIELD_TCP_DST, IP_PROTO_TCP, 2, 2},
	        {FIELD_UDP_SRC, IP_PROTO_UDP, 0, 2},        {FIELD_UDP_DST, IP_PROTO_UDP, 2, 2},
	        {FIELD_SCTP_SRC, IP_PROTO_SCTP, 0, 2},      {FIELD_SCTP_DST, IP_PROTO_SCTP, 2, 2},
	        {FIELD_ICMP_TYPE, IP_PROTO_ICMP, 0, 1},     {FIELD_ICMP_CODE, IP_PROTO_ICMP, 1, 1},
	        {FIELD_ICMPV6_TYPE, IP_PROTO_ICMPV6, 0, 1}, {FIELD_ICMPV6_CODE, IP_PROTO_ICMPV6, 1, 1},
	        {FIELD_ND_TARGET, IP_PROTO_ICMPV6, 8, 16},
	};

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i].id == id) {
			*p = (struct place){at->l4 + places[i].at, places[i].n, 0};
			return at->l4 && at->proto == places[i].proto;
		}
	return false;
}

/* The link-layer address of neighbour discovery lies in an option. */
static bool nd_place(const struct model_frame *f, enum field_id id, const struct model_layout *at,
                     struct place *p)
{
	uint8_t wanted = id == FIELD_ND_SLL ? 1 : id == FIELD_ND_TLL ? 2 : 0;

	if (!wanted || !at->l4 || at->proto != IP_PROTO_ICMPV6)
		return false;
	for (uint32_t o = at->l4 + 24; o + 8 <= at->end && f->data[o + 1]; o += f->data[o + 1] * 8u)
		if (f->data[o] == wanted && f->data[o + 1] == 1) {
			*p = (struct place){o + 2, 6, 0};
			return true;
		}
	return false;
}

/* ---- set ---- */

static bool bit_of(const uint8_t *bytes, unsigned n, unsigned bit)
{
	return bytes[n - 1 - bit / 8] >> bit % 8 & 1;
}

static void set_bits(struct model_frame *f, const struct place *p, const struct field_value *value,
                     const struct field_value *mask)
{
	uint8_t *bytes = f->data + p->at;

	for (unsigned bit = 0; bit < 128 && bit + p->shift < p->n * 8; bit++) {
		uint8_t *byte = &bytes[p->n - 1 - (bit + p->shift) / 8];
		uint8_t one = (uint8_t)(1u << (bit + p->shift) % 8);

		if (bit_of(mask->b, 16, bit))
			*byte = (uint8_t)(bit_of(value->b, 16, bit) ? *byte | one : *byte & ~one);
	}
}

/* The 16 bits of a tag: the bit in the middle says that there is one; on the wire it means something else. */
static bool set_tci(struct model_frame *f, const struct field_value *value, const struct field_value *mask)
{
	struct field_value now = value_from_u64(0);
	struct place p = {14, 2, 0};
	struct model_layout at;
	struct flow_key key;
	uint8_t dei;

	look(f, &key, &at);
	memcpy(now.b + 14, &key.vlan[0].tci, 2);
	for (unsigned i = 14; i < 16; i++)
		now.b[i] = (uint8_t)((now.b[i] & ~mask->b[i]) | (value->b[i] & mask->b[i]));
	if (!(now.b[14] & 0x10)) {
		model_pop_vlan(f);
		return true;
	}
	if (!at.tags)
		model_push_vlan(f, ETH_TYPE_VLAN);
	dei = f->data[14] & 0x10;
	set_bits(f, &p, &now, &(const struct field_value){.b = {[14] = 0xef, [15] = 0xff}});
	f->data[14] = (uint8_t)((f->data[14] & 0xef) | dei);
	return true;
}

bool model_set(struct model_frame *f, enum field_id id, const struct field_value *value,
               const struct field_value *mask)
{
	static struct model_frame old;
	struct model_layout at;
	struct flow_key key;
	struct place p;

	if (id == FIELD_VLAN_TCI)
		return set_tci(f, value, mask);
	look(f, &key, &at);
	if (!link_place(id, &at, &p) && !ip_place(id, &at, &p) && !arp_place(id, &at, &p) &&
	    !l4_place(id, &at, &p) && !nd_place(f, id, &at, &p))
		return false;
	if (p.at + p.n > f->len)
		return false;
	model_frame_copy(&old, f);
	set_bits(f, &p, value, mask);
	fix_ipv4(&old, f, &at);
	fix_l4(&old, f, &at);
	return true;
}
