/* SPDX-License-Identifier: Apache-2.0 */
/* The ct action: an op that hands the packet to the connection tracker, with what is needed to go on in
 * another table. Called by translate.c; the walk itself goes on as with a packet that was never tracked
 * (ovs-actions(7), "The ct action"). */
#include <string.h>

#include "flows/dp/walk.h"

/* ---- what is asked of the tracker ---- */

static uint16_t zone_of(const struct walk *w, const struct action_ct *a)
{
	struct field_value v;

	if (!a->zone_src.bits)
		return a->zone;
	v = walk_read(w, &a->zone_src);
	return (uint16_t)value_to_u64(&v);
}

/* A write of ct_mark or ct_label: those bits of the field, as a value and a mask of the whole. */
static bool written(const struct walk *w, const struct action *a, enum field_id *field,
                    struct field_value *value, struct field_value *mask)
{
	struct field_value read;

	if (a->type == ACTION_SET_FIELD) {
		*field = a->set_field.field;
		*value = a->set_field.value;
		*mask = a->set_field.mask;
		return true;
	}
	if (a->type != ACTION_MOVE)
		return false;
	read = walk_read(w, &a->move.src);
	*field = a->move.dst.field;
	*mask = value_ones(a->move.dst.offset, a->move.dst.bits);
	*value = (struct field_value){0};
	value_copy_bits(value, a->move.dst.offset, &read, 0, a->move.dst.bits);
	return true;
}

static void add_mark(struct ct_order *o, const struct field_value *value, const struct field_value *mask)
{
	uint32_t v = (uint32_t)value_to_u64(value), m = (uint32_t)value_to_u64(mask);

	o->mark = (o->mark & ~m) | (v & m);
	o->mark_mask |= m;
}

static void add_label(struct ct_order *o, const struct field_value *value, const struct field_value *mask)
{
	for (unsigned i = 0; i < sizeof(o->label); i++) {
		o->label[i] = (uint8_t)((o->label[i] & ~mask->b[i]) | (value->b[i] & mask->b[i]));
		o->label_mask[i] |= mask->b[i];
	}
}

static void order_of(const struct walk *w, const struct action_ct *a, struct ct_order *o)
{
	memset(o, 0, sizeof(*o));
	o->zone = zone_of(w, a);
	o->flags = a->flags;
	o->alg = a->alg;
	if (a->table_id < TABLES_COUNT)
		o->flags |= CT_NEXT;
	if (w->hidden.cleared)
		o->flags |= CT_AFRESH;
	for (unsigned i = 0; i < a->exec.n; i++) {
		struct field_value value, mask;
		enum field_id field;

		if (a->exec.items[i].type == ACTION_NAT) {
			o->flags |= CT_NAT;
			o->nat = a->exec.items[i].nat;
		} else if (written(w, &a->exec.items[i], &field, &value, &mask)) {
			if (field == FIELD_CT_MARK)
				add_mark(o, &value, &mask);
			else
				add_label(o, &value, &mask);
		}
	}
}

/* ---- where the packet goes on ---- */

/* Says of the tunnel only what actions have set: the rest differs between packets that share the program. */
static void tunnel_of(const struct walk *w, struct program_next *next)
{
	const struct flow_key *k = &w->key, *came = w->came;

	if (k->tun_src != came->tun_src) {
		next->tunnel_set |= NEXT_TUN_SRC;
		next->tun_src = k->tun_src;
	}
	if (k->tun_dst != came->tun_dst) {
		next->tunnel_set |= NEXT_TUN_DST;
		next->tun_dst = k->tun_dst;
	}
	if (memcmp(k->tun_ipv6_src, came->tun_ipv6_src, sizeof(k->tun_ipv6_src)) != 0) {
		next->tunnel_set |= NEXT_TUN_IPV6_SRC;
		memcpy(next->tun_ipv6_src, k->tun_ipv6_src, sizeof(next->tun_ipv6_src));
	}
	if (memcmp(k->tun_ipv6_dst, came->tun_ipv6_dst, sizeof(k->tun_ipv6_dst)) != 0) {
		next->tunnel_set |= NEXT_TUN_IPV6_DST;
		memcpy(next->tun_ipv6_dst, k->tun_ipv6_dst, sizeof(next->tun_ipv6_dst));
	}
	if (k->tun_flags != came->tun_flags) {
		next->tunnel_set |= NEXT_TUN_FLAGS;
		next->tun_flags = k->tun_flags;
	}
}

static void next_of(const struct walk *w, uint8_t table_id, struct program_next *next)
{
	memset(next, 0, sizeof(*next));
	next->metadata = w->key.metadata;
	next->tun_id = w->key.tun_id;
	memcpy(next->regs, w->key.regs, sizeof(next->regs));
	next->in_port = w->key.in_port;
	next->pkt_mark = w->key.pkt_mark;
	next->table_id = table_id;
	tunnel_of(w, next);
}

/* The stack and the action set: 0 when there are none, as mostly. */
static unsigned more_bytes(struct walk *w)
{
	struct program_resume head = {.nstack = (uint8_t)w->hidden.nstack};
	unsigned stack = head.nstack * (unsigned)sizeof(w->hidden.stack[0]);
	struct action_pack set = {.out = w->pause.bytes + sizeof(head) + stack,
	                          .room = sizeof(w->pause.bytes) - sizeof(head) - stack};

	if (!w->hidden.nstack && !w->set.n)
		return 0;
	for (unsigned i = 0; i < w->set.n; i++)
		if (!action_pack(&set, w->set.items[i])) {
			w->error = DROP_PROGRAM_LIMIT;
			return 0;
		}
	head.set_len = (uint16_t)set.len;
	memcpy(w->pause.bytes, &head, sizeof(head));
	memcpy(w->pause.bytes + sizeof(head), w->hidden.stack, stack);
	return (unsigned)sizeof(head) + stack + head.set_len;
}

/* ---- the action ---- */

void ct_track(struct walk *w, const struct action_ct *a)
{
	struct ct_order order;
	struct program_next next;

	order_of(w, a, &order);
	if (order.flags & CT_NEXT) {
		next_of(w, a->table_id, &next);
		next.more = (uint16_t)more_bytes(w);
	}
	emit_ct(w, &order, order.flags & CT_NEXT ? &next : NULL, w->pause.bytes);
	flow_key_forget_connection(&w->key);
	w->hidden.cleared = false;
}
