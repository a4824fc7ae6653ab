/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a packet in any pieces: parsing and every rewrite stay inside it, and offsets stay right. */
#include <stdlib.h>
#include <string.h>

#include "datapath/parse.h"
#include "datapath/rewrite.h"
#include "tests/lib/pieces.h"

/* The first bytes choose how the packet is cut; the payload is malloc'ed, so that a read past it is seen. */
struct choice {
	uint8_t head, piece, ops;
};

static bool make(struct packet *p, const struct choice *c, uint8_t *data, uint32_t len)
{
	packet_cut(p, data, len, c->head, c->piece);
	return len >= sizeof(struct eth_header);
}

static void check(const struct packet *p)
{
	uint32_t len = p->head_len;

	for (unsigned i = 0; i < p->nsegs; i++)
		len += p->segs[i].len;
	if (len != p->len || p->l3 > p->len || (p->l4 && (p->l4 < p->l3 || p->l4 + 8u > p->head_len)))
		abort();
}

static void rewrite_all(struct packet *p, uint8_t ops)
{
	struct field_value value, mask;

	memset(value.b, ops, sizeof(value.b));
	for (unsigned id = 0; id < FIELD_COUNT; id++) {
		field_full_mask((enum field_id)id, &mask);
		if (fields[id].settable)
			rewrite_field(p, (enum field_id)id, &value, &mask);
		check(p);
	}
	rewrite_dec_ttl(p);
	rewrite_dec_mpls_ttl(p);
	rewrite_copy_ttl_in(p);
	rewrite_copy_ttl_out(p);
}

static void change_tags(struct packet *p, uint8_t ops)
{
	for (unsigned i = 0; i < 8; i++, ops = (uint8_t)(ops >> 1 | ops << 7)) {
		switch (ops % 6) {
		case 0:
			tags_push_vlan(p, ETH_TYPE_VLAN);
			break;
		case 1:
			tags_pop_vlan(p);
			break;
		case 2:
			tags_push_mpls(p, ETH_TYPE_MPLS);
			break;
		case 3:
			tags_pop_mpls(p, ETH_TYPE_IPV4);
			break;
		case 4:
			tags_push_pbb(p, ETH_TYPE_PBB);
			break;
		case 5:
			tags_pop_pbb(p);
			break;
		}
		check(p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet p;
	struct mkey key, again;
	struct choice c;
	uint8_t *copy;
	uint32_t len;

	if (size < sizeof(c) || size > 4096)
		return 0;
	memcpy(&c, data, sizeof(c));
	len = (uint32_t)(size - sizeof(c));
	copy = malloc(len ? len : 1);
	memcpy(copy, data + sizeof(c), len);
	if (make(&p, &c, copy, len)) {
		parse_packet(&p, &key);
		check(&p);
		/* The same again, now that more of it is private. */
		parse_packet(&p, &again);
		if (memcmp(&key, &again, (key.flags & MKEY_EXT ? MKEY_RESUMED_AT : MKEY_WORDS) * 8) != 0)
			abort();
		rewrite_all(&p, c.ops);
		change_tags(&p, c.ops);
		rewrite_all(&p, c.ops);
	}
	free(copy);
	return 0;
}
