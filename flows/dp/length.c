/* SPDX-License-Identifier: Apache-2.0 */
/* How long a packet is, and check_pkt_larger. The length is known only where relevance.h says that somebody
 * asks for it; else it is 0, and nobody does. Called by translate.c and rewrite.c. */
#include "flows/dp/walk.h"

enum { FRAME_MIN = 60, VLAN_TAG = 4 };

void length_grow(struct walk *w, uint32_t n)
{
	w->key.pkt_len += n;
}

/* A frame that was no runt does not become one (datapath/tags.c). */
void length_shrink(struct walk *w, uint32_t n)
{
	uint32_t was = w->key.pkt_len, least = was < FRAME_MIN ? 0 : FRAME_MIN;

	w->key.pkt_len = was > least + n ? was - n : least;
}

void length_check(struct walk *w, const struct action *a)
{
	const struct subfield *dst = &a->check_pkt_larger.dst;
	uint32_t tag = w->key.vlan[0].tci & htobe16(VLAN_CFI) ? VLAN_TAG : 0;
	bool larger = w->key.pkt_len > a->check_pkt_larger.len + tag;
	struct field_value value = value_ones(dst->offset, larger ? 1 : 0), mask = value_ones(dst->offset, 1);

	rewrite_set_field(w, dst->field, &value, &mask);
}
