/* SPDX-License-Identifier: Apache-2.0 */
/* Connections begin: one at a time in a zone. Called for packets of none, with an order to commit. */
#include <string.h>

#include "datapath/ct/state.h"

void ct_write_marks(struct ct_conn *c, const struct ct_order *o)
{
	uint8_t any = 0;

	c->mark = (c->mark & ~o->mark_mask) | (o->mark & o->mark_mask);
	for (unsigned i = 0; i < sizeof(c->label); i++) {
		c->label[i] = (uint8_t)((c->label[i] & ~o->label_mask[i]) | (o->label[i] & o->label_mask[i]));
		any |= c->label[i];
	}
	c->rare = (uint8_t)((c->rare & ~CT_LABELLED) | (any ? CT_LABELLED : 0));
}

struct plan {
	const struct ct_key *orig;
	const struct ct_expect *expected; /* or NULL */
	struct ct_key reply;
	uint32_t hash, reply_hash;
	uint8_t nat;
};

static bool plan_reply(struct conntrack *ct, uint64_t now, const struct ct_order *o, struct plan *plan)
{
	const struct nat_range *range = plan->expected ? &plan->expected->nat : &o->nat;
	uint16_t flags = o->flags & CT_NAT ? range->flags & (NAT_SRC | NAT_DST) : 0;
	struct ct_key back = ct_key_reversed(plan->orig);

	plan->reply = back;
	plan->reply_hash = plan->hash;
	/* The reply of a translated connection may look like that of this one. */
	if (flags ? !ct_nat_choose(ct, now, range, plan->orig, &plan->reply)
	          : !ct_nat_is_free(ct, now, &back, plan->hash)) {
		ct_count(ct, CT_NAT_EXHAUSTED);
		return false;
	}
	if (!flags)
		return true;
	plan->nat = flags & NAT_SRC ? CT_SNAT : CT_DNAT;
	if (!ct_key_equal(&plan->reply, &back))
		plan->reply_hash = ct_key_hash(ct, &plan->reply);
	return true;
}

/* What is known of a connection before a packet writes marks. */
static void begin_rare(struct ct_conn *c, const struct ct_order *o, const struct ct_expect *e)
{
	c->mark = 0;
	c->rare = 0;
	memset(c->label, 0, sizeof(c->label));
	if (e) {
		c->rare = CT_RELATED;
		c->master = e->master;
		c->mark = e->mark;
		memcpy(c->label, e->label, sizeof(c->label));
	} else if (ct_helper_fits(o->alg, c->orig.proto)) {
		c->rare = CT_HELPED;
		c->helper = (struct ct_helper){0};
	}
}

/* Fills a slot and makes it findable; it stays locked. */
static bool begin(struct conntrack *ct, uint64_t now, const struct ct_packet *p, const struct ct_order *o,
                  const struct plan *plan, struct ct_conn *c)
{
	rte_spinlock_lock(&c->lock);
	c->orig = *plan->orig;
	c->reply = plan->reply;
	c->hash = plan->hash;
	c->reply_hash = plan->reply_hash;
	c->nat = plan->nat;
	begin_rare(c, o, plan->expected);
	if (c->orig.proto == IP_PROTO_TCP)
		ct_tcp_begin(ct, c, p, now);
	else
		ct_talk_begin(ct, c, now);
	c->alive = true;
	if (ct_table_link(ct, c)) {
		__atomic_add_fetch(&ct->zone_count[c->orig.zone], 1, __ATOMIC_RELAXED);
		return true;
	}
	c->alive = false;
	rte_spinlock_unlock(&c->lock);
	ct_slot_free(ct, c);
	ct_count(ct, CT_FULL);
	return false;
}

static enum ct_commit commit_locked(struct conntrack *ct, uint64_t now, const struct ct_packet *p,
                                    const struct ct_order *o, struct plan *plan, struct ct_conn **out)
{
	bool reply;
	struct ct_conn *c = ct_table_find(ct, plan->orig, plan->hash, now, &reply);

	if (c) {
		rte_spinlock_unlock(&c->lock);
		return CT_COMMIT_EXISTS;
	}
	if (ct->zone_max && __atomic_load_n(&ct->zone_count[o->zone], __ATOMIC_RELAXED) >= ct->zone_max) {
		ct_count(ct, CT_ZONE_FULL);
		return CT_COMMIT_FAILED;
	}
	if (!plan_reply(ct, now, o, plan))
		return CT_COMMIT_FAILED;
	c = ct_slot_take(ct, o->zone, now);
	if (!c) {
		ct_count(ct, CT_FULL);
		return CT_COMMIT_FAILED;
	}
	if (!begin(ct, now, p, o, plan, c))
		return CT_COMMIT_FAILED;
	*out = c;
	return CT_COMMIT_DONE;
}

enum ct_commit ct_commit(struct conntrack *ct, uint64_t now, const struct ct_packet *p,
                         const struct ct_order *o, const struct ct_key *key, uint32_t hash,
                         const struct ct_expect *e, struct ct_conn **out)
{
	rte_spinlock_t *lock = &ct->commit[hash_mix(o->zone) % CT_COMMIT_LOCKS].lock;
	struct plan plan = {.orig = key, .hash = hash, .expected = e};
	enum ct_commit result;

	rte_spinlock_lock(lock);
	result = commit_locked(ct, now, p, o, &plan, out);
	rte_spinlock_unlock(lock);
	if (result == CT_COMMIT_DONE)
		ct_count(ct, CT_COMMITS);
	return result;
}
