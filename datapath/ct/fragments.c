/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fragments of IP packets: the later ones have no ports, so what was told of the first one is remembered for
 * them. Called by conntrack_track(); for whole packets never.
 *
 * A later fragment is its first one come again: the same tuple, the same state, no judgement of its own. All
 * else (mark, label, translation, commits) it gets from the connection, as every packet that comes to a zone
 * a second time. The first one is remembered by zone and by the addresses it had when it came, so another
 * zone, or one behind a translation, has a note of its own.
 *
 * Later fragments may not lie over the first one (RFC 1858, RFC 3128, RFC 5722). Of two first fragments with
 * the same id the more recent one counts: ids come round (RFC 4963), and both were judged.
 */
#include <string.h>

#include "base/clock.h"
#include "datapath/ct/state.h"

static const uint64_t life = 15 * CLOCK_SECOND; /* as long as Open vSwitch waits for the missing ones */

static struct ct_fragment_key key_of(const struct ct_packet *p, uint16_t zone)
{
	const struct ct_tuple *t = &p->tuple;

	return (struct ct_fragment_key){{{.src = t->src,
	                                  .dst = t->dst,
	                                  .id = p->fragment.id,
	                                  .zone = zone,
	                                  .proto = ip_is_v4(&t->src) ? t->proto : 0}}};
}

static struct ct_fragment_bucket *bucket_of(struct conntrack *ct, const struct ct_fragment_key *k)
{
	return &ct->fragments[hash_words(k->w, sizeof(k->w) / sizeof(k->w[0]), ct->seed) %
	                      CT_FRAGMENT_BUCKETS];
}

/* Index of the one with this key; CT_FRAGMENT_WAYS: there is none. The caller has the lock. */
static unsigned search(const struct ct_fragment_bucket *b, const struct ct_fragment_key *k, uint64_t now)
{
	unsigned i = 0;

	while (i < CT_FRAGMENT_WAYS &&
	       (now >= b->first[i].expires || memcmp(&b->first[i].key, k, sizeof(*k)) != 0))
		i++;
	return i;
}

void ct_fragment_note(struct conntrack *ct, uint64_t now, const struct ct_packet *p,
                      const struct ct_facts *facts)
{
	struct ct_first first = {.key = key_of(p, facts->zone),
	                         .expires = now + life,
	                         .tp_src = p->tuple.tp_src,
	                         .tp_dst = p->tuple.tp_dst,
	                         .to = p->fragment.to,
	                         .proto = p->tuple.proto,
	                         .state = (uint8_t)(facts->state & ~(uint32_t)(CT_SNAT | CT_DNAT))};
	struct ct_fragment_bucket *b = bucket_of(ct, &first.key);
	unsigned at;

	rte_spinlock_lock(&b->lock);
	at = search(b, &first.key, now);
	if (at == CT_FRAGMENT_WAYS)
		at--; /* the oldest has to go */
	memmove(b->first + 1, b->first, at * sizeof(b->first[0]));
	b->first[0] = first;
	rte_spinlock_unlock(&b->lock);
}

/* A copy of the first fragment that this one goes with. */
static bool find(struct conntrack *ct, uint64_t now, uint16_t zone, const struct ct_packet *p,
                 struct ct_first *out)
{
	struct ct_fragment_key k = key_of(p, zone);
	struct ct_fragment_bucket *b = bucket_of(ct, &k);
	unsigned at;

	rte_spinlock_lock(&b->lock);
	at = search(b, &k, now);
	if (at < CT_FRAGMENT_WAYS)
		*out = b->first[at];
	rte_spinlock_unlock(&b->lock);
	return at < CT_FRAGMENT_WAYS && p->fragment.from >= out->to;
}

static bool same_ends(const struct ct_tuple *t, be16 a, be16 b)
{
	return (t->tp_src == a && t->tp_dst == b) || (t->tp_src == b && t->tp_dst == a);
}

/* Did an earlier pass in this zone go with another first one, whose id has come round? That can be told where
 * `facts` hold the tuple of the packet itself. */
static bool told_otherwise(const struct ct_facts *facts, const struct ct_first *first)
{
	const struct ct_tuple *was = &facts->orig;
	bool of_another = facts->state & (CT_SNAT | CT_DNAT | CT_REL);
	bool icmp = was->proto == IP_PROTO_ICMP || was->proto == IP_PROTO_ICMPV6;

	return !of_another && !icmp && !same_ends(was, first->tp_src, first->tp_dst);
}

void ct_fragment_join(struct conntrack *ct, uint64_t now, uint16_t zone, struct ct_packet *p,
                      struct ct_facts *facts)
{
	bool known = facts->zone == zone && (facts->state & (CT_TRK | CT_INV)) == CT_TRK;
	struct ct_first first;

	if (!find(ct, now, zone, p, &first)) {
		ct_count(ct, CT_LOST);
		p->flags = CT_PACKET_INVALID;
		return;
	}
	if ((first.state & CT_INV) || (known && told_otherwise(facts, &first))) {
		p->flags = CT_PACKET_INVALID;
		return;
	}
	p->tuple.tp_src = first.tp_src;
	p->tuple.tp_dst = first.tp_dst;
	p->tuple.proto = first.proto;
	if (!known)
		*facts = (struct ct_facts){.state = first.state, .zone = zone};
}
