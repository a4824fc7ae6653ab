/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation: which addresses and ports a new connection gets, and what that makes of its packets. Called on
 * commit, and for every packet of a translated connection.
 *
 * The reply direction is the tuple that must be the only one of its kind: by it alone a reply finds its way
 * back.
 */
#include <string.h>

#include "datapath/ct/state.h"

enum {
	TRIES = 128,      /* ports in a row that are tried at first */
	TRIES_LEAST = 16, /* with fewer the search is given up */
	RANGE_MOST = 0xfffffffe,
};

struct ports {
	uint32_t first, min, max;
};

/* Without a range of its own a source port stays among those of its kind. */
static struct ports ports_like(uint16_t port)
{
	if (port < 512)
		return (struct ports){port, 1, 511};
	if (port < 1024)
		return (struct ports){port, 600, 1023};
	return (struct ports){port, 1024, 65535};
}

static struct ports ports_of(const struct nat_range *r, uint32_t offset)
{
	uint32_t min = r->port_min, n = r->port_max > min ? r->port_max - min + 1 : 1;

	return (struct ports){min + offset % n, min, min + n - 1};
}

bool ct_nat_is_free(struct conntrack *ct, uint64_t now, const struct ct_key *k, uint32_t hash)
{
	bool reply;
	struct ct_conn *c = ct_table_find(ct, k, hash, now, &reply);

	if (c)
		rte_spinlock_unlock(&c->lock);
	return !c;
}

static bool is_free(struct conntrack *ct, uint64_t now, const struct ct_key *k)
{
	return ct_nat_is_free(ct, now, k, ct_key_hash(ct, k));
}

/* Finds a value for `port`, which is a member of `k`, such that no connection has the key. */
static bool find_port(struct conntrack *ct, uint64_t now, struct ct_key *k, be16 *port, struct ports range)
{
	uint32_t n = range.max - range.min + 1, tries = n < TRIES ? n : TRIES, at = range.first;

	if (at < range.min || at > range.max) {
		*port = htobe16((uint16_t)at);
		if (is_free(ct, now, k))
			return true;
		at = range.min;
	}
	for (;;) {
		for (uint32_t i = 0; i < tries; i++) {
			*port = htobe16((uint16_t)at);
			if (is_free(ct, now, k))
				return true;
			at = at == range.max ? range.min : at + 1;
		}
		if (tries == n || tries < TRIES_LEAST)
			return false;
		tries /= 2;
		at = range.min + (uint32_t)(ct_dice(ct) % n);
	}
}

static uint64_t halves(const struct ip_addr *a, uint64_t *low)
{
	uint64_t word[2];

	memcpy(word, a->b, sizeof(word));
	*low = be64toh(word[1]);
	return be64toh(word[0]);
}

/* An address of the range; both ends are in it. At most 2^32 - 1 different ones of IPv6. */
static struct ip_addr address_of(const struct nat_range *r, uint64_t hash)
{
	__uint128_t min, max, wide;
	uint64_t low, word[2];
	struct ip_addr a;

	min = (__uint128_t)halves(&r->addr_min, &low) << 64;
	min |= low;
	max = (__uint128_t)halves(&r->addr_max, &low) << 64;
	max |= low;
	wide = max > min ? max - min : 0;
	if (wide > RANGE_MOST)
		wide = RANGE_MOST;
	min += (uint32_t)hash % ((uint64_t)wide + 1);
	word[0] = htobe64((uint64_t)(min >> 64));
	word[1] = htobe64((uint64_t)min);
	memcpy(a.b, word, sizeof(word));
	return a;
}

/* What chooses the address: with NAT_PERSISTENT only the sender, and the same after a restart. */
static uint64_t choice(const struct conntrack *ct, const struct nat_range *r, const struct ct_key *orig)
{
	bool persistent = r->flags & NAT_PERSISTENT;
	uint64_t words[9];

	memcpy(words, &r->addr_min, 16);
	memcpy(words + 2, &r->addr_max, 16);
	words[4] = (uint64_t)r->port_max << 48 | (uint64_t)r->port_min << 32 | orig->zone << 8 | orig->proto;
	words[5] = orig->w[0];
	words[6] = orig->w[1];
	words[7] = persistent ? 0 : orig->w[2];
	words[8] = persistent ? 0 : hash_step(ct->seed ^ orig->w[4], orig->w[3]);
	return hash_words(words, 9, persistent ? 0 : ct->seed);
}

static uint64_t port_offset(struct conntrack *ct, const struct nat_range *r, const struct ct_key *orig)
{
	struct nat_range keyed = *r;

	if (r->flags & NAT_RANDOM)
		return ct_dice(ct);
	keyed.flags &= (uint16_t)~NAT_PERSISTENT;
	return choice(ct, &keyed, orig);
}

/* The reply's addresses are set. */
static bool choose_ports(struct conntrack *ct, uint64_t now, const struct nat_range *r,
                         const struct ct_key *orig, struct ct_key *reply)
{
	uint32_t offset = (uint32_t)port_offset(ct, r, orig);
	bool icmp = ct_key_is_icmp(orig);

	if (icmp ? orig->proto != IP_PROTO_ICMP : !ct_has_ports(orig->proto))
		return is_free(ct, now, reply); /* as Open vSwitch: no id of ICMPv6 is changed */
	if (!icmp && (r->flags & NAT_DST) && r->port_min) {
		if (find_port(ct, now, reply, &reply->tp_src, ports_of(r, offset)))
			return true;
	}
	if ((r->flags & NAT_SRC) && r->port_min)
		return find_port(ct, now, reply, icmp ? &reply->tp_src : &reply->tp_dst, ports_of(r, offset));
	return find_port(ct, now, reply, icmp ? &reply->tp_src : &reply->tp_dst,
	                 ports_like(be16toh(orig->tp_src)));
}

bool ct_nat_choose(struct conntrack *ct, uint64_t now, const struct nat_range *r, const struct ct_key *orig,
                   struct ct_key *reply)
{
	if (!ip_is_none(&r->addr_min)) {
		struct ip_addr a = address_of(r, choice(ct, r, orig));

		if (ip_is_v4(&a) != ip_is_v4(&orig->src))
			return false;
		if (r->flags & NAT_SRC)
			reply->dst = a;
		else
			reply->src = a;
	}
	return choose_ports(ct, now, r, orig, reply);
}

uint32_t ct_nat_rewrite(const struct ct_conn *c, bool reply, bool error, struct ct_rewrite *rw)
{
	/* A packet of one direction becomes the other one reversed. */
	struct ct_key to = ct_key_reversed(reply ? &c->orig : &c->reply);
	bool source = (c->nat == CT_SNAT) != reply;

	rw->to = ct_key_tuple(&to);
	rw->what = source ? CT_REWRITE_SRC : CT_REWRITE_DST;
	rw->what |= error ? CT_REWRITE_INNER : CT_REWRITE_PORTS;
	return source ? CT_SNAT : CT_DNAT;
}
