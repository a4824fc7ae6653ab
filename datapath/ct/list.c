/* SPDX-License-Identifier: Apache-2.0 */
/* All connections one after the other: swept, flushed, told. Called by the control thread. */
#include <string.h>

#include "base/clock.h"
#include "datapath/ct/state.h"

static bool is_alive(const struct ct_conn *c)
{
	return __atomic_load_n(&c->alive, __ATOMIC_RELAXED);
}

static uint32_t slots_used(const struct conntrack *ct)
{
	return __atomic_load_n(&ct->used, __ATOMIC_ACQUIRE);
}

void conntrack_sweep(struct conntrack *ct, uint64_t now)
{
	uint32_t used = slots_used(ct), left = used < CT_SWEEP_SLOTS ? used : CT_SWEEP_SLOTS;

	for (; left; left--) {
		struct ct_conn *c;

		if (ct->sweep_at >= used)
			ct->sweep_at = 0;
		c = &ct->conns[ct->sweep_at++];
		/* Locked is only what no packet asks for. */
		if (!is_alive(c) || !ct_is_expired(c, now))
			continue;
		rte_spinlock_lock(&c->lock);
		if (c->alive && ct_is_expired(c, now))
			ct_bury(ct, c, CT_EXPIRED);
		else
			rte_spinlock_unlock(&c->lock);
	}
}

static bool tuple_fits(const struct ct_key *k, const struct ct_tuple *want)
{
	return (ip_is_none(&want->src) || ip_equal(&want->src, &k->src)) &&
	       (ip_is_none(&want->dst) || ip_equal(&want->dst, &k->dst)) &&
	       (!want->tp_src || want->tp_src == k->tp_src) && (!want->tp_dst || want->tp_dst == k->tp_dst) &&
	       (!want->proto || want->proto == k->proto);
}

static bool fits(const struct ct_conn *c, const struct ct_filter *f)
{
	if (!f)
		return true;
	if ((f->by_zone && f->zone != c->orig.zone) || (c->mark ^ f->mark) & f->mark_mask)
		return false;
	for (unsigned i = 0; i < sizeof(c->label); i++)
		if ((c->label[i] ^ f->label[i]) & f->label_mask[i])
			return false;
	return tuple_fits(&c->orig, &f->orig) && tuple_fits(&c->reply, &f->reply);
}

/* How many there are at most that the filter can fit. */
static uint32_t candidates(const struct conntrack *ct, const struct ct_filter *f)
{
	return __atomic_load_n(f && f->by_zone ? &ct->zone_count[f->zone] : &ct->count, __ATOMIC_RELAXED);
}

uint32_t conntrack_flush(struct conntrack *ct, const struct ct_filter *filter)
{
	uint32_t used = slots_used(ct), n = 0;

	for (uint32_t i = 0; i < used && candidates(ct, filter); i++) {
		struct ct_conn *c = &ct->conns[i];

		if (!is_alive(c))
			continue;
		rte_spinlock_lock(&c->lock);
		if (c->alive && fits(c, filter)) {
			ct_bury(ct, c, CT_FLUSHED);
			n++;
		} else {
			rte_spinlock_unlock(&c->lock);
		}
	}
	return n;
}

static struct ct_entry entry_of(const struct ct_conn *c, uint64_t now)
{
	struct ct_entry e = {.orig = ct_key_tuple(&c->orig),
	                     .reply = ct_key_tuple(&c->reply),
	                     .zone = c->orig.zone,
	                     .mark = c->mark,
	                     .nat = c->nat,
	                     .helper = c->rare & CT_HELPED ? ct_helper_name(c) : NULL,
	                     .state = c->orig.proto == IP_PROTO_TCP ? ct_tcp_state_name(c)
	                                                            : ct_talk_state_name(c),
	                     .timeout = (uint32_t)((c->expires - now) / CLOCK_SECOND)};

	memcpy(e.label, c->label, sizeof(e.label));
	return e;
}

void conntrack_dump(struct conntrack *ct, uint64_t now, const struct ct_filter *filter,
                    bool (*each)(void *arg, const struct ct_entry *entry), void *arg)
{
	uint32_t used = slots_used(ct);

	for (uint32_t i = 0; i < used && candidates(ct, filter); i++) {
		struct ct_conn *c = &ct->conns[i];
		struct ct_entry e;
		bool tell;

		if (!is_alive(c))
			continue;
		rte_spinlock_lock(&c->lock);
		tell = c->alive && !ct_is_expired(c, now) && fits(c, filter);
		if (tell)
			e = entry_of(c, now);
		rte_spinlock_unlock(&c->lock);
		if (tell && !each(arg, &e))
			return;
	}
}

uint32_t conntrack_count(const struct conntrack *ct)
{
	return __atomic_load_n(&ct->count, __ATOMIC_RELAXED);
}

static uint64_t counter(const struct conntrack *ct, enum ct_counter what)
{
	return __atomic_load_n(&ct->counters[what], __ATOMIC_RELAXED);
}

void conntrack_get_stats(const struct conntrack *ct, struct conntrack_stats *out)
{
	*out = (struct conntrack_stats){
	        .connections = conntrack_count(ct),
	        .max = ct->max,
	        .commits = counter(ct, CT_COMMITS),
	        .expired = counter(ct, CT_EXPIRED),
	        .replaced = counter(ct, CT_REPLACED),
	        .flushed = counter(ct, CT_FLUSHED),
	        .evicted = counter(ct, CT_EVICTED),
	        .full = counter(ct, CT_FULL),
	        .zone_full = counter(ct, CT_ZONE_FULL),
	        .nat_exhausted = counter(ct, CT_NAT_EXHAUSTED),
	        .invalid = counter(ct, CT_INVALID),
	        .lost = counter(ct, CT_LOST),
	        .expected = __atomic_load_n(&ct->nexpects, __ATOMIC_RELAXED),
	        .announced = counter(ct, CT_ANNOUNCED),
	        .displaced = counter(ct, CT_DISPLACED),
	        .unread = counter(ct, CT_UNREAD),
	};
}
