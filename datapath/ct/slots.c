/* SPDX-License-Identifier: Apache-2.0 */
/* Places for connections: taken, given back, and taken from others when there are none left. Called when
 * connections begin and end. */
#include "datapath/ct/state.h"

enum {
	EVICT_LOOKS = 32, /* slots that a commit looks at for one to evict */
	SHARES = 16,      /* a zone with more than this part of all has to give some to others */
};

static struct ct_conn *take(struct conntrack *ct)
{
	struct ct_conn *c = NULL;

	rte_spinlock_lock(&ct->slot_lock);
	if (ct->free_slot) {
		c = &ct->conns[ct->free_slot - 1];
		ct->free_slot = c->next_free;
	} else if (ct->used < ct->max) {
		c = &ct->conns[ct->used];
		__atomic_store_n(&ct->used, ct->used + 1, __ATOMIC_RELEASE);
	}
	if (c)
		__atomic_store_n(&ct->count, ct->count + 1, __ATOMIC_RELAXED);
	rte_spinlock_unlock(&ct->slot_lock);
	return c;
}

void ct_slot_free(struct conntrack *ct, struct ct_conn *c)
{
	rte_spinlock_lock(&ct->slot_lock);
	c->next_free = ct->free_slot;
	ct->free_slot = (uint32_t)(c - ct->conns + 1);
	__atomic_store_n(&ct->count, ct->count - 1, __ATOMIC_RELAXED);
	rte_spinlock_unlock(&ct->slot_lock);
}

void ct_bury(struct conntrack *ct, struct ct_conn *c, enum ct_counter why)
{
	c->alive = false;
	rte_spinlock_unlock(&c->lock);
	/* Only who has made it dead goes on here; its hashes stay until the slot is free. */
	ct_table_unlink(ct, c);
	if (__builtin_expect(c->rare & CT_HELPED, 0))
		ct_expect_forget(ct, c);
	__atomic_sub_fetch(&ct->zone_count[c->orig.zone], 1, __ATOMIC_RELAXED);
	ct_slot_free(ct, c);
	ct_count(ct, why);
}

static uint32_t zone_count(const struct conntrack *ct, uint16_t zone)
{
	return __atomic_load_n(&ct->zone_count[zone], __ATOMIC_RELAXED);
}

static bool is_unanswered(const struct ct_conn *c)
{
	return c->orig.proto == IP_PROTO_TCP ? ct_tcp_is_half_open(c) : c->talk != CT_TALK_BOTH;
}

/* Has it to make way for one of that zone? */
static bool may_go(const struct conntrack *ct, const struct ct_conn *c, uint16_t zone, uint64_t now)
{
	uint32_t others = zone_count(ct, c->orig.zone);

	return ct_is_expired(c, now) || is_unanswered(c) ||
	       (others > ct->max / SHARES && others > zone_count(ct, zone));
}

static void evict(struct conntrack *ct, uint16_t zone, uint64_t now)
{
	for (unsigned i = 0; i < EVICT_LOOKS; i++) {
		uint32_t at = __atomic_fetch_add(&ct->hand, 1, __ATOMIC_RELAXED) % ct->max;
		struct ct_conn *c = &ct->conns[at];

		if (!rte_spinlock_trylock(&c->lock))
			continue;
		if (c->alive && may_go(ct, c, zone, now)) {
			ct_bury(ct, c, ct_is_expired(c, now) ? CT_EXPIRED : CT_EVICTED);
			return;
		}
		rte_spinlock_unlock(&c->lock);
	}
}

struct ct_conn *ct_slot_take(struct conntrack *ct, uint16_t zone, uint64_t now)
{
	struct ct_conn *c = take(ct);

	if (c)
		return c;
	evict(ct, zone, now);
	return take(ct);
}
